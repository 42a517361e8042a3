//! One connection, from the first line to the last.
//!
//! Owns its bounds. Invariants: so many requests under way and no more; a caller that sends nothing, half a line, or reads
//! nothing is let go; what it sends is answered as long as lines are whole; when it leaves, only its waits end (G9). Must not:
//! hold an answer for longer than one is given to read.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::admit::{Admission, Claim, Consumer, Grant, Peer};
use super::crowd::{Bench, Full, Seat};
use super::lines::{Heard, Lines};
use super::request::{Misunderstood, Understood, understand};
use super::served::Served;
use super::wire::{Answer, ErrorBody, Hello, PROTOCOL, VERSION};
use super::{Shared, answer};
use crate::metrics;

/// Requests under way.
pub(super) const REQUESTS: usize = 16;
/// How long somebody may say nothing while nothing is under way.
pub(super) const SILENCE: Duration = Duration::from_mins(5);
/// How long somebody who has a bearer token may take to show it.
pub(super) const INTRODUCTION: Duration = Duration::from_secs(10);
/// How long an answer waits to be read.
pub(super) const READ_BOUND: Duration = Duration::from_secs(10);
/// How often it is looked whether somebody who says no more is still there.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A line to a caller, and the right to send one that long, if it is.
pub(super) struct Outgoing {
    pub line: Vec<u8>,
    pub right: Option<OwnedSemaphorePermit>,
}

impl Outgoing {
    pub fn short(id: Option<&Value>, answer: Result<Answer, ErrorBody>) -> Self {
        Self { line: answer::line(&answer::reply(id, answer)), right: None }
    }
}

/// The way out to a caller. One line waits to be written at a time: whoever has another waits.
#[derive(Clone)]
pub(super) struct Outlet(mpsc::Sender<Outgoing>);

/// The caller is gone, or does not read.
pub(super) struct Gone;

impl Outlet {
    pub async fn send(&self, id: Option<&Value>, answer: Result<Answer, ErrorBody>) -> Result<(), Gone> {
        self.0.send(Outgoing::short(id, answer)).await.map_err(|_| Gone)
    }

    /// Sends the last answer to a request, whose place is free again before the caller can know of it.
    pub async fn end(
        &self,
        id: Option<&Value>,
        answer: Result<Answer, ErrorBody>,
        place: OwnedSemaphorePermit,
    ) -> Result<(), Gone> {
        let room = self.room().await?;
        drop(place);
        room.send(Outgoing::short(id, answer));
        Ok(())
    }

    /// Waits until there is room for a line.
    pub async fn room(&self) -> Result<mpsc::Permit<'_, Outgoing>, Gone> {
        self.0.reserve().await.map_err(|_| Gone)
    }
}

/// A connection.
pub(super) struct Session {
    shared: Arc<Shared>,
    claim: Claim,
    /// By which `claim` was judged last.
    admission: Arc<Admission>,
    grant: Arc<Grant>,
    seat: Sitting,
    /// Places for requests under way.
    places: Arc<Semaphore>,
}

/// Where a caller sits.
pub(super) enum Sitting {
    /// Among those who have shown nothing yet.
    Waiting(#[expect(dead_code, reason = "its drop gives the place back")] Bench),
    /// Among those who are admitted to something.
    Seated(Arc<Seat>),
}

impl Session {
    pub fn new(shared: Arc<Shared>, peer: Peer, admission: Arc<Admission>, seat: Sitting) -> Self {
        let claim = Claim { peer, bearer: None };
        let grant = Arc::new(admission.claimed(&claim));
        Self { shared, claim, admission, grant, seat, places: Arc::new(Semaphore::new(REQUESTS)) }
    }

    /// Judges the caller anew, if who may have what was configured anew.
    fn judge(&mut self) {
        let admission = self.shared.admission();
        if !Arc::ptr_eq(&admission, &self.admission) {
            self.grant = Arc::new(admission.claimed(&self.claim));
            self.admission = admission;
        }
    }

    /// The seat, which whoever is admitted to something has a claim to where there is room.
    fn seat(&mut self) -> Result<Arc<Seat>, Full> {
        let seat = match &self.seat {
            Sitting::Seated(seat) => Arc::clone(seat),
            Sitting::Waiting(_) => Arc::new(self.shared.crowd.enter(self.claim.peer.uid)?),
        };
        self.seat = Sitting::Seated(Arc::clone(&seat));
        Ok(seat)
    }

    /// Serves `stream` to its end.
    pub async fn run(mut self, stream: UnixStream) {
        let _counted = metrics::connected();
        let (read, write) = stream.into_split();
        let (lines, queue) = mpsc::channel(1);
        let writing = tokio::spawn(write_all(write, queue));
        let hello = Hello { latchkey: PROTOCOL.to_owned(), version: VERSION, store_id: self.store_id() };
        let mut line = serde_json::to_vec(&hello).unwrap_or_default();
        line.push(b'\n');
        if lines.send(Outgoing { line, right: None }).await.is_ok() {
            let mut requests = JoinSet::new();
            let outlet = Outlet(lines);
            // What is under way ends with the set: only waits, since flights belong to the gate.
            let _ = self.converse(Lines::new(read), &outlet, &mut requests).await;
        }
        // What was sent before is still written, as long as it is read.
        drop(writing.await);
    }

    fn store_id(&self) -> Option<String> {
        self.shared.broker.store().snapshot().ok()?.store_id().map(str::to_owned)
    }

    async fn converse(
        &mut self,
        mut lines: Lines<OwnedReadHalf>,
        outlet: &Outlet,
        requests: &mut JoinSet<()>,
    ) -> Result<(), Gone> {
        let shared = Arc::clone(&self.shared);
        let mut heard_last = Instant::now();
        let mut listens = true;
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while listens || !requests.is_empty() {
            let patience = if self.grant.is_nothing() { INTRODUCTION } else { SILENCE };
            let silent = requests.is_empty().then_some(heard_last + patience);
            let heard = tokio::select! {
                () = outlet.0.closed() => return Err(Gone),
                () = shared.closing.cancelled(), if listens => {
                    listens = false;
                    continue;
                }
                Some(_) = requests.join_next(), if !requests.is_empty() => {
                    heard_last = Instant::now();
                    continue;
                }
                heard = lines.next(silent), if listens => heard,
                _ = look.tick(), if !listens => {
                    if is_gone(lines.source()).await {
                        return Err(Gone);
                    }
                    continue;
                }
            };
            heard_last = Instant::now();
            match heard {
                Heard::Line(line) => self.take(&line, outlet, requests).await?,
                Heard::End => listens = false,
                Heard::TooLong => return outlet.send(None, Err(answer::too_large())).await,
                Heard::Dawdled => return outlet.send(None, Err(answer::too_slow())).await,
                Heard::Silent => return Ok(()),
            }
        }
        Ok(())
    }

    /// Has a request answered, apart from those after it.
    async fn take(&mut self, line: &[u8], outlet: &Outlet, requests: &mut JoinSet<()>) -> Result<(), Gone> {
        let Understood { id, bearer, wish } = match understand(line) {
            Ok(understood) => understood,
            Err(Misunderstood { id, error }) => {
                outlet.send(id.as_ref(), Err(error)).await?;
                // Whoever is not admitted yet has one try.
                return if self.grant.is_nothing() { Err(Gone) } else { Ok(()) };
            }
        };
        self.judge();
        // Where none is configured, one that a caller shows to every bot says nothing.
        if let Some(bearer) = bearer.filter(|_| self.admission.takes_bearers()) {
            match self.admission.shown(&self.grant, &bearer) {
                Some(grant) => {
                    self.grant = Arc::new(grant);
                    self.claim.bearer = Some(bearer);
                }
                None => return self.let_go(id.as_ref(), answer::wrong_bearer(), outlet).await,
            }
        }
        if self.grant.is_nothing() {
            return self.let_go(id.as_ref(), answer::no_bearer(), outlet).await;
        }
        let seat = match self.seat() {
            Ok(seat) => seat,
            Err(full) => {
                outlet.send(id.as_ref(), Err(answer::crowded(full))).await?;
                return Err(Gone);
            }
        };
        while requests.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return outlet.send(id.as_ref(), Err(answer::busy(REQUESTS))).await;
        };
        let served = Served {
            shared: Arc::clone(&self.shared),
            claim: self.claim.clone(),
            grant: Arc::clone(&self.grant),
            seat,
            outlet: outlet.clone(),
            id,
        };
        requests.spawn(async move {
            // Nobody is left to be told.
            let _ = served.answer(wish, place).await;
        });
        Ok(())
    }

    /// Refuses whoever is not who they would have to be, and has done with them.
    async fn let_go(&self, id: Option<&Value>, error: ErrorBody, outlet: &Outlet) -> Result<(), Gone> {
        self.shared.tally.refused(Consumer::User(self.claim.peer.uid), "any");
        outlet.send(id, Err(error)).await?;
        Err(Gone)
    }
}

/// Whether the caller has closed its end altogether: one that only says no more still reads.
async fn is_gone(read: &OwnedReadHalf) -> bool {
    // A full buffer is not ready for more; then the writing finds out.
    let ready = tokio::time::timeout(Duration::ZERO, read.ready(Interest::WRITABLE)).await;
    matches!(ready, Ok(Ok(ready)) if ready.is_write_closed())
}

/// Writes what comes, as long as it is read.
async fn write_all(mut write: OwnedWriteHalf, mut queue: mpsc::Receiver<Outgoing>) {
    while let Some(Outgoing { line, right }) = queue.recv().await {
        let written = tokio::time::timeout(READ_BOUND, write.write_all(&line)).await;
        drop(right);
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
}
