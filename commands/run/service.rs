//! What the service manager is told (`sd_notify(3)`), where there is one.
//!
//! Owns the words and their times. Invariants: READY never before members are answered; WATCHDOG only after the runtime, the
//! supervisor and the store's thread have each taken a turn since the last. Must not: judge how the bot is, which is
//! `Health`'s; a manager that does not listen ends nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use latchkey::health::{Gateway, Health};
use latchkey::store::{Touches, update};
use sd_notify::NotifyState;

use crate::discord::Desk;

/// By how much the time for the start is extended, and how often.
const PATIENCE: (u32, Duration) = (60_000_000, Duration::from_secs(20));
/// How often it is looked whether there is something else to tell.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What systemd and its like see of this bot. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    health: Health,
    /// Whether READY was told, before which a reload must not tell it.
    is_ready: Arc<AtomicBool>,
}

impl Service {
    pub fn new(health: Health) -> Self {
        Self { health, is_ready: Arc::default() }
    }

    /// Tells of the start, for ever: however long Discord takes, it is not taken for a bot that hangs.
    pub async fn starting(&self) {
        loop {
            let extended = NotifyState::ExtendTimeoutUsec(PATIENCE.0);
            tell(&[NotifyState::Status("starting: connecting to Discord"), extended]);
            tokio::time::sleep(PATIENCE.1).await;
        }
    }

    /// Tells how the bot is, for ever.
    pub async fn attend(&self) {
        let connected = async {
            while self.health.readiness().gateway != Gateway::Connected {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            () = connected => {}
            () = self.starting() => {}
        }
        self.is_ready.store(true, Ordering::Relaxed);
        let mut told = self.words();
        tell(&[NotifyState::Ready, NotifyState::Status(&told)]);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let words = self.words();
            if words != told {
                tell(&[NotifyState::Status(&words)]);
                told = words;
            }
        }
    }

    fn words(&self) -> String {
        let mut words = match self.health.readiness().gateway {
            Gateway::Connected => "answering commands".to_owned(),
            _ => self.health.readiness().lacking.join("; "),
        };
        if self.health.reloads().was_refused {
            words.push_str(
                "; the configuration was refused at the last reload, and the one before is in force",
            );
        }
        words
    }

    /// The configuration is being read anew.
    pub fn reloading(&self) {
        if self.is_ready.load(Ordering::Relaxed) {
            // Without the time the manager takes no reload for the answer to its own signal.
            let since = NotifyState::monotonic_usec_now();
            let since = since.inspect_err(|error| tracing::debug!(%error, "the clock has no time"));
            let states = [NotifyState::Reloading].into_iter().chain(since.ok());
            tell(&states.collect::<Vec<_>>());
        }
    }

    /// It was, or was refused: either way the bot goes on.
    pub fn reloaded(&self) {
        if self.is_ready.load(Ordering::Relaxed) {
            tell(&[NotifyState::Ready, NotifyState::Status(&self.words())]);
        }
    }

    /// The end has begun.
    pub fn stopping() {
        tell(&[NotifyState::Stopping, NotifyState::Status("ending: letting what is under way finish")]);
    }
}

/// Tells the manager's watchdog that we live, as long as we do, for ever.
pub async fn live(desk: &Desk) {
    let Some(bound) = sd_notify::watchdog_enabled().filter(|bound| !bound.is_zero()) else {
        return std::future::pending().await;
    };
    let mut beat = tokio::time::interval(bound / 2);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        // An error is an answer: a disk that refuses is told of elsewhere, and is not mended by a restart.
        let store = desk.broker.store();
        let writer = update(&**store, Touches::nothing(), |_| Err::<(), ()>(()));
        let (_, ()) = tokio::join!(writer, desk.supervisor.answers());
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}
