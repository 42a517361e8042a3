//! How this process is: what `/readyz`, `latchkey health` and the watchdog go by.
//!
//! Owns the facts that others report as they learn them, and the one judgement on them. Invariant: not known yet is not
//! ready. Must not: find anything out by itself, or spend a refresh token (G27).

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How the connection to Discord's gateway stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gateway {
    /// It was never there yet.
    Connecting,
    /// It is there.
    Connected,
    /// It was lost, and is being made again.
    Away,
    /// It is there, and nothing is heard on it.
    Deaf,
}

impl Gateway {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Connecting, Self::Connected, Self::Away, Self::Deaf];

    /// Its name in answers and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Away => "away",
            Self::Deaf => "deaf",
        }
    }
}

#[derive(Debug)]
struct State {
    gateway: Gateway,
    gateway_since: Instant,
    /// What keeps the store from being written; nothing was tried yet at first.
    store: Option<Result<(), String>>,
    /// Core tasks that ended by a panic, and were not begun anew.
    dead: Vec<Cow<'static, str>>,
    ending: bool,
    reloads: Reloads,
}

/// What came of reading the configuration anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reloads {
    /// How often it was taken over.
    pub done: u64,
    /// How often it was refused, and the one before stayed in force.
    pub refused: u64,
    /// Whether the last one was refused.
    pub was_refused: bool,
}

/// How this process is. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Health(Arc<Mutex<State>>);

/// The judgement, of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The connection.
    pub gateway: Gateway,
    /// How long it has been so.
    pub gateway_for: Duration,
    /// Whether the store could be written when that was last tried.
    pub store_writable: bool,
    /// Tasks without which we do half our work, and which only a new start brings back.
    pub dead: Vec<Cow<'static, str>>,
    /// What came of reading the configuration anew.
    pub reloads: Reloads,
    /// What keeps us from being ready, in words with the remedy; nothing if we are.
    pub lacking: Vec<String>,
}

impl Readiness {
    /// Whether members are answered and what they do is stored.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.lacking.is_empty()
    }

    /// Whether all of us runs. Who is not alive should be started anew; who is alive and not ready should be left alone.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.dead.is_empty()
    }
}

impl Default for Health {
    fn default() -> Self {
        let state = State {
            gateway: Gateway::Connecting,
            gateway_since: Instant::now(),
            store: None,
            dead: Vec::new(),
            ending: false,
            reloads: Reloads::default(),
        };
        Self(Arc::new(Mutex::new(state)))
    }
}

impl Health {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The connection stands like this now.
    pub fn gateway(&self, now: Gateway) {
        self.with(|state| {
            if state.gateway != now {
                (state.gateway, state.gateway_since) = (now, Instant::now());
            }
        });
    }

    /// The store could be written, or why not.
    pub fn store(&self, now: Result<(), String>) {
        self.with(|state| state.store = Some(now));
    }

    /// Runs `task` under this name; if it panics, we are not alive any more until it is begun anew.
    pub async fn watched<F: Future>(self, name: impl Into<Cow<'static, str>>, task: F) -> F::Output {
        let name = name.into();
        self.with(|state| state.dead.retain(|dead| *dead != name));
        let watched = Watched { health: self, name };
        let output = task.await;
        drop(watched);
        output
    }

    /// The end has begun.
    pub fn ending(&self) {
        self.with(|state| state.ending = true);
    }

    /// The configuration was read anew, and taken over or refused.
    pub fn reloaded(&self, taken_over: bool) {
        crate::audit::reloaded(taken_over);
        self.with(|state| {
            let count = if taken_over { &mut state.reloads.done } else { &mut state.reloads.refused };
            *count += 1;
            state.reloads.was_refused = !taken_over;
        });
    }

    /// What came of reading it anew until now.
    #[must_use]
    pub fn reloads(&self) -> Reloads {
        self.with(|state| state.reloads)
    }

    /// How it is.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.with(|state| {
            let mut lacking = Vec::new();
            let gateway = match state.gateway {
                Gateway::Connected => None,
                Gateway::Connecting => Some("not connected to Discord yet"),
                Gateway::Away => Some("the connection to Discord is lost; it is being made again"),
                Gateway::Deaf => Some("nothing is heard on the connection to Discord; it is being made anew"),
            };
            lacking.extend(gateway.map(str::to_owned));
            match &state.store {
                Some(Ok(())) => {}
                Some(Err(why)) => lacking.push(why.clone()),
                None => lacking.push("the store was not tried yet".to_owned()),
            }
            let dead = state.dead.iter();
            lacking.extend(dead.map(|name| format!("{name} ended by an internal error: restart the bot")));
            if state.ending {
                lacking.push("the bot is ending".to_owned());
            }
            Readiness {
                gateway: state.gateway,
                gateway_for: state.gateway_since.elapsed(),
                store_writable: matches!(state.store, Some(Ok(()))),
                dead: state.dead.clone(),
                reloads: state.reloads,
                lacking,
            }
        })
    }
}

/// A core task's stay; a panic that ends it is noted.
struct Watched {
    health: Health,
    name: Cow<'static, str>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("{} panicked; the bot should be restarted", self.name);
            self.health.with(|state| state.dead.push(std::mem::take(&mut self.name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is reloaded is counted, and a refusal is forgotten once one is taken over.
    #[tokio::test]
    async fn reloads_are_counted() {
        let health = Health::default();
        health.reloaded(true);
        health.reloaded(false);
        assert_eq!(health.reloads(), Reloads { done: 1, refused: 1, was_refused: true });
        health.reloaded(true);
        assert_eq!(health.reloads(), Reloads { done: 2, refused: 1, was_refused: false });
    }

    /// Z4: ready is only who is connected, can write, and is not about to end.
    #[tokio::test(start_paused = true)]
    async fn what_is_not_known_is_not_ready() {
        let health = Health::default();
        assert_eq!(health.readiness().lacking.len(), 2, "{:?}", health.readiness());
        health.gateway(Gateway::Connected);
        health.store(Ok(()));
        assert!(health.readiness().is_ready());
        tokio::time::advance(Duration::from_secs(7)).await;
        health.gateway(Gateway::Connected);
        assert_eq!(health.readiness().gateway_for, Duration::from_secs(7), "since it became so");
        for bad in [Gateway::Away, Gateway::Deaf, Gateway::Connecting] {
            health.gateway(bad);
            assert!(!health.readiness().is_ready(), "{bad:?}");
        }
        health.gateway(Gateway::Connected);
        health.store(Err("cannot write".to_owned()));
        assert_eq!(health.readiness().lacking, ["cannot write"]);
        health.store(Ok(()));
        health.ending();
        assert!(!health.readiness().is_ready());
    }

    /// Z4: a core task that panicked makes us neither alive nor ready; one that ends as it should changes nothing.
    #[tokio::test]
    async fn a_core_task_that_panicked_is_not_alive() {
        let health = Health::default();
        health.gateway(Gateway::Connected);
        health.store(Ok(()));
        tokio::spawn(health.clone().watched("what ends", async {})).await.unwrap();
        assert!(health.readiness().is_alive() && health.readiness().is_ready());
        let died =
            tokio::spawn(health.clone().watched("the token socket", async { panic!("a fault of the test") }));
        assert!(died.await.is_err());
        let now = health.readiness();
        assert_eq!(
            (now.is_alive(), now.dead, now.lacking),
            (
                false,
                vec![Cow::from("the token socket")],
                vec!["the token socket ended by an internal error: restart the bot".to_owned()],
            )
        );
        tokio::spawn(health.clone().watched("another", async {})).await.unwrap();
        assert!(!health.readiness().is_alive(), "another start brings it not back");
        tokio::spawn(health.clone().watched("the token socket", async {})).await.unwrap();
        assert!(health.readiness().is_alive() && health.readiness().is_ready());
    }
}
