//! The supervisor: starts workers, restarts those that panic, takes up what was left behind.
//!
//! Owns the map of workers. Invariants: at most one worker per thread; a worker ends when it is idle, its place in the map
//! with it (W1); one that panics comes back with a growing pause, and the others do not notice (W3).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Notifier;
use super::reach::{Reach, Turn};
use super::telling;
use super::thread::{Message, Shelf, Worker};
use crate::broker::Broker;
use crate::fault;
use crate::login::Handover;
use crate::metrics;
use crate::pending::PendingLogin;
use crate::provider::Provider;
use crate::tenant::ThreadId;

/// How often logins that nobody works on are looked for (S13).
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often the sweep runs although nobody writes (C7), and owed revocations are tried (T12).
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// The pauses before a worker that panicked is started again.
const RESTART_PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_mins(1),
];

/// A handle on the supervisor. Cheap to clone.
#[derive(Clone)]
pub struct Supervisor(Arc<Inner>);

struct Inner {
    broker: Broker,
    notifier: Arc<dyn Notifier>,
    /// The mailbox of each running worker. Locked to look up, insert or remove, never across a wait.
    workers: Mutex<HashMap<ThreadId, mpsc::UnboundedSender<Message>>>,
    /// What workers that ended remembered.
    shelf: Arc<Shelf>,
    /// What is known of telling threads something.
    reach: Arc<Reach>,
    /// Threads that are archived or deleted: their tenants are not kept fresh for them. Only those that have a binding.
    closed: Mutex<HashSet<ThreadId>>,
    /// How often it was asked whether it takes its turns, and which of these questions it has come to.
    asked: watch::Sender<u64>,
    answered: watch::Sender<u64>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("workers", &self.workers()).finish_non_exhaustive()
    }
}

impl Supervisor {
    /// A supervisor that has begun.
    #[must_use]
    pub fn start(broker: Broker, notifier: Arc<dyn Notifier>) -> Self {
        let supervisor = Self::new(broker, notifier);
        supervisor.begin();
        supervisor
    }

    /// A supervisor that does nothing of its own before it [begins](Self::begin).
    #[must_use]
    pub fn new(broker: Broker, notifier: Arc<dyn Notifier>) -> Self {
        Self(Arc::new(Inner {
            broker,
            notifier,
            workers: Mutex::default(),
            shelf: Arc::default(),
            reach: Arc::default(),
            closed: Mutex::default(),
            asked: watch::Sender::new(0),
            answered: watch::Sender::new(0),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        }))
    }

    /// Begins: restores the workers of threads that have something to do, and keeps looking. Once. From here on it must be
    /// [shut down](Self::shut_down), since it may have exchanges under way.
    pub fn begin(&self) {
        let (looking, owing) = (self.clone(), self.clone());
        let look = move || {
            let looking = looking.clone();
            async move { looking.look_after_all().await }
        };
        let settle = move || {
            let owing = owing.clone();
            async move { owing.settle_debts().await }
        };
        // Without the one nothing is taken up, and without the other no owed revocation is ever told.
        self.0.tasks.spawn(again_after_panics("the supervisor", look));
        self.0.tasks.spawn(again_after_panics("the task that tries owed revocations", settle));
    }

    /// Gives a device login to the worker of `thread`, which polls it.
    pub fn hand_over(&self, thread: &ThreadId, handover: Handover) {
        self.send(thread, Message::Poll(Box::new(handover)));
    }

    /// Has the worker of `thread` learn the live message of an open login there, even if the login ends before the worker
    /// has time to look.
    pub fn follow(&self, thread: &ThreadId, login: &PendingLogin) {
        self.send(thread, Message::Follow(Box::new(login.clone())));
    }

    /// Tells the worker of `thread` that there may be something to do.
    pub fn wake(&self, thread: &ThreadId) {
        self.send(thread, Message::Wake);
    }

    /// Tells that `thread` was archived or deleted: its worker ends once its logins have, and comes back only for those.
    pub fn thread_closed(&self, thread: &ThreadId) {
        self.0.closed.lock().unwrap_or_else(PoisonError::into_inner).insert(thread.clone());
        self.tell_worker(thread, Message::ThreadClosed);
    }

    /// Tells that somebody did something in `thread`, which hangs from `parent`: it is open, and is told now what it was not told
    /// while it was quiet (W4).
    pub fn thread_used(&self, thread: &ThreadId, parent: Option<ThreadId>) {
        self.thread_opened(thread);
        self.0.reach.used(thread, parent);
        self.wake(thread);
    }

    /// Tells that `thread` is open: un-archived, or in use.
    pub fn thread_opened(&self, thread: &ThreadId) {
        self.0.reach.opened(thread);
        if self.0.closed.lock().unwrap_or_else(PoisonError::into_inner).remove(thread) {
            self.tell_worker(thread, Message::ThreadOpened);
        }
    }

    /// Tells the worker of `thread`, if one runs.
    fn tell_worker(&self, thread: &ThreadId, message: Message) {
        let workers = self.0.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mailbox) = workers.get(thread) {
            // One that has just ended has nothing left to be told.
            drop(mailbox.send(message));
        }
    }

    fn is_closed(&self, thread: &ThreadId) -> bool {
        self.0.closed.lock().unwrap_or_else(PoisonError::into_inner).contains(thread)
    }

    /// How many workers run.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.0.workers.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Comes back once the supervisor has taken a turn since: never, if it is stuck or has ended.
    pub async fn answers(&self) {
        let mut answered = self.0.answered.subscribe();
        let mut question = 0;
        self.0.asked.send_modify(|asked| {
            *asked += 1;
            question = *asked;
        });
        // The sender is ours.
        drop(answered.wait_for(|answered| *answered >= question).await);
    }

    /// Ends all workers, and lets exchanges under way finish and be stored (W5).
    pub async fn shut_down(&self) {
        self.0.closing.cancel();
        self.0.tasks.close();
        tokio::join!(self.0.tasks.wait(), self.0.broker.drain());
    }

    fn send(&self, thread: &ThreadId, message: Message) {
        let mut workers = self.0.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let message = match workers.get(thread) {
            Some(mailbox) => match mailbox.send(message) {
                Ok(()) => return,
                Err(unsent) => unsent.0,
            },
            None => message,
        };
        if self.0.closing.is_cancelled() {
            return;
        }
        let (mailbox, messages) = mpsc::unbounded_channel();
        // The receiver is here: this cannot fail.
        drop(mailbox.send(message));
        workers.insert(thread.clone(), mailbox);
        metrics::workers(workers.len());
        let (supervisor, thread) = (self.clone(), thread.clone());
        self.0.tasks.spawn(async move { supervisor.keep_running(thread, messages).await });
    }

    /// Runs the worker of `thread` until it is idle, again after each panic.
    async fn keep_running(&self, thread: ThreadId, messages: mpsc::UnboundedReceiver<Message>) {
        let messages = Arc::new(tokio::sync::Mutex::new(messages));
        let mut panics = 0_usize;
        loop {
            let mut worker = Worker::new(
                thread.clone(),
                self.0.broker.clone(),
                Arc::clone(&self.0.notifier),
                self.0.closing.clone(),
                Arc::clone(&self.0.shelf),
                Arc::clone(&self.0.reach),
                self.is_closed(&thread),
            );
            let mailbox = Arc::clone(&messages);
            let run = tokio::spawn(async move { worker.run(&mut *mailbox.lock().await).await });
            if run.await.is_ok() {
                let mut workers = self.0.workers.lock().unwrap_or_else(PoisonError::into_inner);
                // A message may have come between the worker's last look and this lock.
                if self.0.closing.is_cancelled()
                    || messages.try_lock().is_ok_and(|messages| messages.is_empty())
                {
                    workers.remove(&thread);
                    metrics::workers(workers.len());
                    return;
                }
                continue;
            }
            let pause = RESTART_PAUSES[panics.min(RESTART_PAUSES.len() - 1)];
            panics += 1;
            metrics::worker_restarted();
            tracing::error!(%thread, panics, pause = pause.as_secs(), "a worker panicked; it is started again");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.0.closing.cancelled() => {}
            }
        }
    }

    /// Tries the revocations that are owed, on a task of its own: a provider that hangs must hold up nothing else.
    async fn settle_debts(&self) {
        loop {
            tokio::select! {
                // What is left stays owed.
                () = self.0.closing.cancelled() => return,
                result = self.0.broker.retry_owed() => {
                    if let Err(error) = result {
                        tracing::warn!(%error, "owed revocations could not be tried; trying again");
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => {}
                () = self.0.closing.cancelled() => return,
            }
        }
    }

    async fn look_after_all(&self) {
        let mut changes = self.0.broker.store().changes();
        let mut asked = self.0.asked.subscribe();
        // A question that came before a panic is not to wait for the next.
        asked.mark_changed();
        self.follow_open();
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        for interval in [&mut look, &mut sweep] {
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        }
        loop {
            tokio::select! {
                () = self.0.closing.cancelled() => return,
                changed = changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.wake_concerned();
                }
                _ = look.tick() => {
                    self.take_up().await;
                    self.wake_concerned();
                }
                _ = sweep.tick() => self.tidy().await,
                question = asked.changed() => {
                    if question.is_err() {
                        return;
                    }
                    fault::asked_to_turn();
                    let question = *asked.borrow_and_update();
                    self.0.answered.send_replace(question);
                }
            }
        }
    }

    /// Has the workers learn the live messages of the logins that were left open, before the first of them is ended.
    fn follow_open(&self) {
        // What cannot be read now cannot be ended either.
        let Ok(document) = self.0.broker.store().snapshot() else { return };
        for login in document.logins().filter(|login| !login.status.is_terminal()) {
            for watcher in &login.watchers {
                self.send(&watcher.thread, Message::Follow(Box::new((*login).clone())));
            }
        }
    }

    /// Wakes the worker of every thread that has a login to be watched or told, or tenants to be kept fresh.
    fn wake_concerned(&self) {
        let document = match self.0.broker.store().snapshot() {
            Ok(document) => document,
            Err(error) => {
                tracing::warn!(%error, "the store cannot be read; trying again");
                return;
            }
        };
        for login in document.logins() {
            for thread in login.untold() {
                self.wake(thread);
            }
        }
        self.0.shelf.tidy(&document);
        self.0.reach.tidy(&document);
        let is_bound = |thread: &ThreadId| document.binding(thread).is_ok_and(|binding| binding.is_some());
        self.0.closed.lock().unwrap_or_else(PoisonError::into_inner).retain(is_bound);
        let now = self.0.broker.clock().now();
        let known = |provider: &Provider| self.0.broker.directory().known(provider);
        for (thread, binding) in document.bindings() {
            let in_use = binding
                .tenants
                .values()
                .any(|tenant| document.tenant(tenant).ok().flatten().is_some_and(|held| held.is_in_use(now)));
            let has_news = || {
                self.0.reach.turn(&thread, binding.asked_at).0 == Turn::Now
                    && !telling::plan(
                        &document,
                        &self.0.broker.catalog(),
                        &known,
                        &thread,
                        &binding,
                        None,
                        now,
                    )
                    .news
                    .is_empty()
            };
            if !self.is_closed(&thread) && (in_use || has_news()) {
                self.wake(&thread);
            }
        }
    }

    /// Takes up device logins whose worker died, in this process or another (S12, S13).
    async fn take_up(&self) {
        match self.0.broker.logins().take_up().await {
            Ok(handovers) => {
                for handover in handovers {
                    let watcher = handover.login.watchers.first().map(|watcher| watcher.thread.clone());
                    if let Some(thread) = watcher {
                        self.hand_over(&thread, handover);
                    } else {
                        // Started at a terminal: nobody watches, and it is polled all the same.
                        let logins = self.0.broker.logins().clone();
                        self.0.tasks.spawn(async move { logins.poll(handover).await });
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "logins that were left behind cannot be looked for; trying again");
            }
        }
    }

    async fn tidy(&self) {
        if let Err(error) = self.0.broker.logins().sweep().await {
            tracing::warn!(%error, "the sweep could not be done; trying again");
        }
        let store = self.0.broker.store();
        let Ok(document) = store.snapshot() else { return };
        if let Err(error) = telling::forget(&**store, &document, self.0.broker.clock().now()).await {
            tracing::warn!(%error, "what threads were told cannot be forgotten; trying again");
        }
    }
}

/// Runs a task until it ends, anew after each panic.
async fn again_after_panics<F>(name: &'static str, task: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    while tokio::spawn(task()).await.is_err() {
        tracing::error!("{name} panicked; it goes on");
        tokio::time::sleep(RESTART_PAUSES[0]).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// W3: a task that panics is run anew, until it ends as it should.
    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_goes_on() {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let task = move || {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            async move { assert!(run >= 2, "a fault of the test") }
        };
        again_after_panics("a task", task).await;
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }
}
