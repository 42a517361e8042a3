//! The token socket: what programs on this host ask for tokens.
//!
//! Owns its beginning, its connections and its end. Invariants: whoever is not named in `allow` gets nothing, the bot's own
//! user everything (`admit`); size, number and time of all that a caller may take are bounded (`crowd`, `session`); no
//! answer holds a refresh token (Z2). Must not: know Discord; which channel a thread hangs from comes in by [`Whereabouts`].

mod admit;
mod answer;
mod bearer;
mod bind;
pub mod client;
mod crowd;
mod lines;
mod request;
mod served;
mod session;
mod standing;
mod tally;
mod trust;
mod watch;
mod whereabouts;
pub mod wire;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::watch as news;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::admit::{Admission, Consumer};
pub use self::bearer::BearerError;
pub use self::bind::{BindError, Bound, Stands, bind, group_of, look};
use self::crowd::Crowd;
pub use self::crowd::raise_descriptors;
use self::session::{Session, Sitting};
use self::standing::Standings;
use self::tally::Tally;
pub use self::whereabouts::{Found, KnownThread, Unfindable, Whereabouts};
use crate::broker::Broker;
use crate::tenant::{TenantKey, ThreadId};

/// How long nothing is accepted after that failed, for want of descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How often counts of an hour that is over are looked for.
const TALLY_EVERY: Duration = Duration::from_secs(30);

/// What is noted of a caller's question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Note {
    /// The tenant is in use today.
    Used(TenantKey),
    /// An agent of the thread asked in vain.
    Asked(ThreadId),
}

/// The token socket of one bot. Cheap to clone.
#[derive(Clone)]
pub struct Server(Arc<Shared>);

/// What every connection works with.
struct Shared {
    broker: Broker,
    /// Replaced as a whole by a reload: whoever decides by one keeps it that long.
    admission: news::Sender<Arc<Admission>>,
    whereabouts: Whereabouts,
    crowd: Crowd,
    tally: Tally,
    standings: Standings,
    /// What is being noted: of many callers at once, one notes it. Never held across a wait.
    noting: Mutex<HashSet<Note>>,
    /// Notes that are being written, apart from the callers who wait for nothing of it.
    notes: TaskTracker,
    closing: CancellationToken,
}

impl Server {
    /// The socket's server over `broker`, for whom `admission` lets in. `descriptors` is how many files this process may open.
    #[must_use]
    pub fn new(broker: Broker, admission: Admission, whereabouts: Whereabouts, descriptors: u64) -> Self {
        Self(Arc::new(Shared {
            crowd: Crowd::new(admission.own_user(), descriptors),
            tally: Tally::new(broker.clock().clone()),
            standings: Standings::new(broker.clone()),
            noting: Mutex::default(),
            notes: TaskTracker::new(),
            closing: CancellationToken::new(),
            broker,
            admission: news::Sender::new(Arc::new(admission)),
            whereabouts,
        }))
    }

    /// Lets in whom `admission` does from here on. Connections stay; what they ask from here on is judged anew.
    pub fn admit(&self, admission: Admission) {
        self.0.admission.send_replace(Arc::new(admission));
    }

    /// Serves on `bound` until `closing`. Then the socket is gone from its folder, what is under way is answered, and this ends.
    pub async fn serve(self, bound: Bound, closing: CancellationToken) {
        let (connections, shared) = (TaskTracker::new(), &self.0);
        let looking = tokio::spawn(Arc::clone(shared).keep_looking());
        loop {
            let accepted = tokio::select! {
                () = closing.cancelled() => break,
                accepted = bound.accept() => accepted,
            };
            match accepted {
                Ok(stream) => self.receive(stream, &connections).await,
                Err(error) => {
                    tracing::warn!(%error, "a connection to the token socket could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        let _lock = bound.leave();
        shared.closing.cancel();
        connections.close();
        connections.wait().await;
        looking.abort();
        shared.notes.close();
        shared.notes.wait().await;
        shared.tally.close();
    }

    /// Has a connection served, or says in one line why not.
    async fn receive(&self, stream: UnixStream, connections: &TaskTracker) {
        let admission = self.0.admission();
        let Some(peer) = admission.peer(&stream) else {
            return tracing::debug!("who connected to the token socket is not known");
        };
        let grant = admission.grant(&peer);
        if grant.is_nothing() && !admission.takes_bearers() {
            self.0.tally.refused(Consumer::User(peer.uid), "any");
            return turn_away(stream, &answer::not_admitted(peer.uid)).await;
        }
        let seat = if grant.is_nothing() {
            self.0.crowd.wait(peer.uid).map(Sitting::Waiting)
        } else {
            self.0.crowd.enter(peer.uid).map(|seat| Sitting::Seated(Arc::new(seat)))
        };
        let seat = match seat {
            Ok(seat) => seat,
            Err(full) => return turn_away(stream, &answer::crowded(full)).await,
        };
        connections.spawn(Session::new(Arc::clone(&self.0), peer, admission, seat).run(stream));
    }
}

/// One line to somebody who is not served. What does not fit into the kernel's buffer of a fresh connection is not waited for.
async fn turn_away(mut stream: UnixStream, answer: &wire::ErrorBody) {
    let line =
        answer::line(&wire::Reply { id: None, ok: false, answer: wire::Answer::Error(answer.clone()) });
    // Whoever has left already need not be told.
    drop(tokio::time::timeout(Duration::from_millis(100), stream.write_all(&line)).await);
}

impl Shared {
    fn admission(&self) -> Arc<Admission> {
        Arc::clone(&self.admission.borrow())
    }

    /// Renews what watchers are told of, and writes down counts of hours that are over.
    async fn keep_looking(self: Arc<Self>) {
        let mut tally = tokio::time::interval(TALLY_EVERY);
        loop {
            tokio::select! {
                () = self.standings.wait_for_news() => {}
                _ = tally.tick() => self.tally.look(),
            }
        }
    }

    /// Writes `note` down. A failure costs a refresh ahead of need, or a message to a thread, and is only logged.
    fn note(self: &Arc<Self>, note: Note) {
        if !self.noting.lock().unwrap_or_else(PoisonError::into_inner).insert(note.clone()) {
            return;
        }
        let shared = Arc::clone(self);
        self.notes.spawn(async move {
            let noted = match &note {
                Note::Used(tenant) => shared.broker.note_use(tenant).await,
                Note::Asked(thread) if shared.is_known(thread) => shared.broker.note_asked(thread).await,
                Note::Asked(_) => Ok(()),
            };
            if let Err(error) = noted {
                tracing::warn!(?note, %error, "what was asked for could not be noted");
            }
            shared.noting.lock().unwrap_or_else(PoisonError::into_inner).remove(&note);
        });
    }

    /// Whether `thread` is one of the guild's, or bound: callers must not fill the store with threads that they make up.
    fn is_known(&self, thread: &ThreadId) -> bool {
        let is_bound = || self.broker.store().snapshot().ok()?.binding(thread).ok()?.map(drop);
        self.whereabouts.known(thread).is_some() || is_bound().is_some()
    }
}

#[cfg(test)]
mod tests;
