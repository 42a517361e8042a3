//! What the server's tasks and every handle share: the world behind its lock, and the signals around it.
//!
//! `change` is the only way to alter the world from a task, and wakes whoever waits for something to become
//! true. The lock is never held across an await.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::schema::Schemas;
use crate::secure::Secure;
use crate::world::World;

/// Shared by the server, its connections and all handles.
#[derive(Debug)]
pub(crate) struct Shared {
    /// One lock for everything, as every rule looks at several parts at once.
    world: Mutex<World>,
    /// Counts changes of the world.
    changed: watch::Sender<u64>,
    /// True once the stand-in has been dropped.
    stop: watch::Sender<bool>,
    pub(crate) clock: Clock,
    pub(crate) address: SocketAddr,
    /// Where HTTPS is spoken, if it is.
    pub(crate) secure: Option<Secure>,
    pub(crate) token: String,
    pub(crate) heartbeat_ms: u64,
    /// None where Discord's `OpenAPI` document is absent.
    pub(crate) schemas: Option<&'static Schemas>,
}

/// Resolves once the stand-in is dropped.
pub(crate) struct Stopped(watch::Receiver<bool>);

impl Stopped {
    pub(crate) async fn wait(&mut self) {
        drop(self.0.wait_for(|stopped| *stopped).await);
    }
}

impl Shared {
    pub(crate) fn new(
        world: World,
        address: SocketAddr,
        secure: Option<Secure>,
        token: String,
        heartbeat_ms: u64,
    ) -> Self {
        Self {
            world: Mutex::new(world),
            changed: watch::Sender::new(0),
            stop: watch::Sender::new(false),
            clock: Clock::default(),
            address,
            secure,
            token,
            heartbeat_ms,
            schemas: Schemas::shared(),
        }
    }

    /// The world, to look at. A test that panicked while holding it is no reason to fail all others.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Alters the world and wakes all who wait.
    pub(crate) fn change<T>(&self, alter: impl FnOnce(&mut World) -> T) -> T {
        let result = alter(&mut self.lock());
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
        result
    }

    /// Waits until `look` finds something; none after `timeout`.
    pub(crate) async fn wait<T>(
        &self,
        timeout: Duration,
        look: impl FnMut(&World) -> Option<T>,
    ) -> Option<T> {
        self.wait_and_judge(timeout, look, |found| found).await
    }

    /// The same, with the judgement on what `look` saw made outside the lock: it may be a test's own.
    pub(crate) async fn wait_and_judge<S, T>(
        &self,
        timeout: Duration,
        mut look: impl FnMut(&World) -> S,
        mut judge: impl FnMut(S) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + timeout;
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            let seen = look(&self.lock());
            if let Some(found) = judge(seen) {
                return Some(found);
            }
            if !matches!(tokio::time::timeout_at(deadline, changes.changed()).await, Ok(Ok(()))) {
                let last = look(&self.lock());
                return judge(last);
            }
        }
    }

    pub(crate) fn api_base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn gateway_url(&self) -> String {
        format!("ws://{}/socket", self.address)
    }

    pub(crate) fn stopped(&self) -> Stopped {
        Stopped(self.stop.subscribe())
    }

    /// Ends all tasks.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }
}
