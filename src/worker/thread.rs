//! The worker of one thread.
//!
//! Owns the polling of the thread's device logins, the telling of how logins end, and the refresh ahead of need of the
//! tenants that the thread is bound to. Invariants: it ends when nothing is left to do (W1); tenants that nobody uses
//! rest (W2). Must not: keep what only it knows, but for interaction tokens, which leave the store when a login ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::reach::{Reach, Turn};
use super::telling::{self, News};
use super::{Heard, Notifier, Told};
use crate::broker::Broker;
use crate::login::Handover;
use crate::pending::{LoginId, LoginStatus, PendingLogin};
use crate::provider::Provider;
use crate::secret::Secret;
use crate::store::Document;
use crate::tenant::ThreadId;

/// A worker with nothing to do stays this long for the next message.
const LINGER: Duration = Duration::from_mins(1);
/// The pause before something that could not be delivered is tried again.
const TELL_AGAIN: Duration = Duration::from_secs(2);
/// How often that is tried.
const TELL_TRIES: u32 = 60;
/// The longest sleep, so that a wall clock that jumped is noticed.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// What a worker can be told.
#[derive(Debug)]
pub(super) enum Message {
    /// Poll this device login to its end.
    Poll(Box<Handover>),
    /// This login was open a moment ago: its live message is to be known before the login can end (S12).
    Follow(Box<PendingLogin>),
    /// Look.
    Wake,
    /// The thread was archived or deleted.
    ThreadClosed,
    /// It is open again.
    ThreadOpened,
}

/// What is remembered of a login that a thread watches, beyond the life of its worker.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// The newest interaction's token: gone from the store once the login is over.
    interaction: Option<Secret>,
    /// The status that was shown last; for the end, the one that is being told.
    shown: Option<LoginStatus>,
    /// Failed tries to show this status.
    tries: u32,
    /// Not before this.
    next_try: Option<Instant>,
    /// Another bot's.
    not_ours: bool,
    /// The end was told, and that could not be written down yet: not to be told again.
    told: bool,
}

impl Watched {
    /// It could not be shown now. When to try again.
    fn try_again(&mut self) -> Instant {
        let at = Instant::now() + TELL_AGAIN;
        self.tries += 1;
        self.next_try = Some(at);
        at
    }
}

/// What workers that have ended remembered, by thread: a worker that comes after must not tell a second time, or have
/// forgotten a message (S12).
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<HashMap<ThreadId, HashMap<LoginId, Watched>>>);

impl Shelf {
    fn take(&self, thread: &ThreadId) -> HashMap<LoginId, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(thread).unwrap_or_default()
    }

    fn put(&self, thread: &ThreadId, watched: HashMap<LoginId, Watched>) {
        if !watched.is_empty() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(thread.clone(), watched);
        }
    }

    /// Forgets logins that the store holds no more.
    pub(super) fn tidy(&self, document: &Document) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, watched| {
            watched.retain(|id, _| document.login_by_id(id).is_some());
            !watched.is_empty()
        });
    }
}

pub(super) struct Worker {
    thread: ThreadId,
    broker: Broker,
    notifier: Arc<dyn Notifier>,
    closing: CancellationToken,
    watched: HashMap<LoginId, Watched>,
    shelf: Arc<Shelf>,
    reach: Arc<Reach>,
    polls: JoinSet<()>,
    /// At most one message of a tenant on its way: apart, since it may have to wait for its turn, and no login's end may.
    tells: JoinSet<(News, Heard)>,
    closed: bool,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shelf.put(&self.thread, std::mem::take(&mut self.watched));
    }
}

impl Worker {
    pub(super) fn new(
        thread: ThreadId,
        broker: Broker,
        notifier: Arc<dyn Notifier>,
        closing: CancellationToken,
        shelf: Arc<Shelf>,
        reach: Arc<Reach>,
        closed: bool,
    ) -> Self {
        let watched = shelf.take(&thread);
        Self {
            thread,
            broker,
            notifier,
            closing,
            watched,
            shelf,
            reach,
            polls: JoinSet::new(),
            tells: JoinSet::new(),
            closed,
        }
    }

    /// Works until nothing is left to do for a while, or the program ends.
    pub(super) async fn run(&mut self, messages: &mut mpsc::UnboundedReceiver<Message>) {
        let mut changes = self.broker.store().changes();
        let mut idle_since: Option<Instant> = None;
        loop {
            changes.borrow_and_update();
            // Before each look: a login that has ended by now has lost what a message tells of it.
            while let Ok(message) = messages.try_recv() {
                self.take(message);
            }
            let next = self.look().await;
            let idle = next.is_none() && self.polls.is_empty() && self.tells.is_empty();
            idle_since = idle.then(|| idle_since.unwrap_or_else(Instant::now));
            let wake_at = match idle_since {
                Some(since) if self.closed || since.elapsed() >= LINGER => return,
                Some(since) => since + LINGER,
                None => next.unwrap_or_else(|| Instant::now() + LONGEST_SLEEP),
            };
            tokio::select! {
                () = self.closing.cancelled() => return,
                message = messages.recv() => match message {
                    Some(message) => self.take(message),
                    None => return,
                },
                changed = changes.changed() => if changed.is_err() { return },
                Some(_) = self.polls.join_next() => {}
                Some(told) = self.tells.join_next() => self.heard(told.ok()),
                () = tokio::time::sleep_until(wake_at) => {}
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Poll(handover) => self.poll(*handover),
            Message::Follow(login) => {
                self.remember(&login);
                // Nobody of this process has shown that it waits for an admin.
                if login.status == LoginStatus::Confirming
                    && let Some(watched) = self.watched.get_mut(&login.id)
                {
                    watched.shown = None;
                }
            }
            Message::Wake => {}
            Message::ThreadClosed => self.closed = true,
            Message::ThreadOpened => self.closed = false,
        }
    }

    fn poll(&mut self, handover: Handover) {
        let logins = self.broker.logins().clone();
        self.polls.spawn(async move { logins.poll(handover).await });
    }

    /// Does what is due now; gives the time of what is due next, or `None` if there is nothing more to do here.
    async fn look(&mut self) -> Option<Instant> {
        let document = match self.broker.store().snapshot() {
            Ok(document) => document,
            Err(error) => {
                tracing::warn!(thread = %self.thread, %error, "the store cannot be read; trying again");
                return Some(Instant::now() + TELL_AGAIN);
            }
        };
        let logins = self.watch(&document).await;
        let tenants = if self.closed { None } else { self.keep_fresh(&document) };
        let news = if self.closed { None } else { self.tell_news(&document).await };
        [logins, tenants, news].into_iter().flatten().min()
    }

    /// Follows the logins that this thread watches, and has their ends told.
    async fn watch(&mut self, document: &Document) -> Option<Instant> {
        let here: Vec<_> = document
            .logins()
            .filter(|login| login.watchers.iter().any(|watcher| watcher.thread == self.thread))
            .collect();
        self.watched.retain(|id, _| here.iter().any(|login| login.id == *id));
        let mut next: Option<Instant> = None;
        for login in here {
            let due = if login.status.is_terminal() {
                self.tell_end(&login).await
            } else {
                Some(self.follow(&login).await)
            };
            next = next.into_iter().chain(due).min();
        }
        next
    }

    /// Remembers the live message of an open login. Gives the status that was shown before.
    fn remember(&mut self, login: &PendingLogin) -> Option<LoginStatus> {
        let watched = self.watched.entry(login.id.clone()).or_default();
        let here = login.watchers.iter().find(|watcher| watcher.thread == self.thread);
        if let Some(token) = here.and_then(|watcher| watcher.interaction.as_ref()) {
            watched.interaction = Some(token.clone());
        }
        watched.shown.replace(login.status)
    }

    /// Follows an open login, and has shown how it goes on. When to look again.
    async fn follow(&mut self, login: &PendingLogin) -> Instant {
        let rest = Instant::now() + LONGEST_SLEEP;
        let before = self.remember(login);
        let watched = self.watched.entry(login.id.clone()).or_default();
        // How a start came out is shown by whoever asked for it.
        // A day is long: one that waits for an admin is shown so by whoever takes it up after a restart.
        let changed = before.map_or(login.status == LoginStatus::Confirming, |shown| {
            shown != login.status && shown != LoginStatus::Starting
        });
        if !changed || watched.not_ours {
            return rest;
        }
        if let Some(at) = watched.next_try.filter(|at| *at > Instant::now()) {
            watched.shown = before;
            return at;
        }
        match self.notifier.login_changed(login, &self.thread, watched.interaction.as_ref()).await {
            Told::NotOurs => watched.not_ours = true,
            Told::Later if watched.tries < TELL_TRIES => {
                watched.shown = before;
                return watched.try_again();
            }
            // Shown, or given up.
            Told::Later | Told::Done => (watched.tries, watched.next_try) = (0, None),
        }
        rest
    }

    /// Tells how a login ended, until that is delivered. When to try again, if it must be.
    async fn tell_end(&mut self, login: &PendingLogin) -> Option<Instant> {
        if login.told.contains(&self.thread) {
            return None;
        }
        let watched = self.watched.entry(login.id.clone()).or_default();
        if watched.shown.replace(login.status) != Some(login.status) {
            // The end has tries of its own.
            watched.tries = 0;
        }
        if watched.not_ours || watched.tries >= TELL_TRIES {
            return None;
        }
        if let Some(at) = watched.next_try.filter(|at| *at > Instant::now()) {
            return Some(at);
        }
        if !watched.told {
            match self.notifier.login_changed(login, &self.thread, watched.interaction.as_ref()).await {
                Told::NotOurs => {
                    watched.not_ours = true;
                    return None;
                }
                Told::Later => return Some(watched.try_again()),
                Told::Done => watched.told = true,
            }
        }
        match self.broker.logins().mark_told(login, &self.thread).await {
            Ok(()) => None,
            Err(error) => {
                tracing::warn!(login = %login.id, %error, "that a thread was told could not be written down; trying again");
                let at = Instant::now() + LONGEST_SLEEP;
                watched.next_try = Some(at);
                Some(at)
            }
        }
    }

    /// Has the thread told what is new of its tenants. When there is more to do, if there is.
    async fn tell_news(&mut self, document: &Document) -> Option<Instant> {
        if !self.tells.is_empty() {
            return None;
        }
        if let Some(mark) = self.reach.unwritten(&self.thread) {
            match telling::note(&**self.broker.store(), &self.thread, mark.clone()).await {
                // The change wakes us, to look at what is stored by then.
                Ok(()) => self.reach.written(&self.thread, &mark),
                Err(error) => {
                    tracing::warn!(thread = %self.thread, %error, "that a thread was told could not be written down; trying again");
                }
            }
            return Some(Instant::now() + TELL_AGAIN);
        }
        let binding =
            document.binding(&self.thread).ok()?.map(|binding| (*binding).clone()).unwrap_or_default();
        let (turn, used) = self.reach.turn(&self.thread, binding.asked_at);
        let now = self.broker.clock().now();
        let known = |provider: &Provider| self.broker.directory().known(provider);
        let catalog = &self.broker.catalog();
        let plan = telling::plan(document, catalog, &known, &self.thread, &binding, used.as_ref(), now);
        let later = plan.next.map(|at| {
            let wait = Duration::from_secs(u64::try_from(at.saturating_sub(now)).unwrap_or(0));
            Instant::now() + wait.clamp(Duration::from_secs(1), LONGEST_SLEEP)
        });
        let Some(news) = plan.news.into_iter().next() else {
            if later.is_none() {
                self.reach.settled(&self.thread);
            }
            return later;
        };
        match turn {
            Turn::Never => later,
            // A thread that was quiet is looked at again by the supervisor; nobody waits here for that.
            Turn::At(at) => {
                Some(at).filter(|at| *at <= Instant::now() + LONGEST_SLEEP).into_iter().chain(later).min()
            }
            Turn::Now => {
                let (notifier, thread) = (Arc::clone(&self.notifier), self.thread.clone());
                let in_use = plan.in_use;
                self.tells.spawn(async move {
                    let heard = notifier.tenant_news(&news, &thread, in_use).await;
                    (news, heard)
                });
                None
            }
        }
    }

    /// What came of a message of a tenant; nothing if telling it panicked.
    fn heard(&self, told: Option<(News, Heard)>) {
        let now = self.broker.clock().now();
        match told {
            Some((news, heard)) => self.reach.heard(&self.thread, &news.mark, heard, now),
            None => self.reach.heard(&self.thread, "", Heard::Later, now),
        }
    }

    /// Refreshes ahead of need what the thread uses. When to look again, if there is anything to keep fresh.
    fn keep_fresh(&self, document: &Document) -> Option<Instant> {
        let binding = document.binding(&self.thread).ok().flatten()?;
        let now = self.broker.clock().now();
        let mut next: Option<Instant> = None;
        for tenant in binding.tenants.values() {
            let Some(held) = document.tenant(tenant).ok().flatten() else { continue };
            let Some(due) = self.broker.gate().due(&held).filter(|_| held.is_in_use(now)) else { continue };
            let wait = if due <= now {
                self.broker.gate().refresh_ahead(tenant);
                LONGEST_SLEEP
            } else {
                Duration::from_secs(u64::try_from(due - now).unwrap_or(0)).min(LONGEST_SLEEP)
            };
            next = next.into_iter().chain([Instant::now() + wait]).min();
        }
        next
    }
}
