//! Whether Discord hears us: the state of the gateway connection.
//!
//! Owns what is said on standard error when the connection comes and goes, and the end of a connection that is there and
//! deaf. Invariant: a bot that is not connected for longer than [`DEAF`] makes a new connection, whatever the library
//! below believes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use latchkey::health::{Gateway, Health};
use serenity::all::{ConnectionStage, GuildId, ShardId, ShardManager};
use tokio::time::Instant;

use crate::log;

/// How long a connection may be away before it is made anew.
const DEAF: Duration = Duration::from_mins(1);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The state of the connection. Cheap to clone.
#[derive(Clone)]
pub struct Watch {
    state: Arc<Mutex<State>>,
    health: Health,
}

struct State {
    /// Since when we are not connected; `None` while we are.
    away_since: Option<Instant>,
    /// Whether we were ever connected.
    greeted: bool,
}

impl Watch {
    pub fn new(health: Health) -> Self {
        let state = State { away_since: Some(Instant::now()), greeted: false };
        Self { state: Arc::new(Mutex::new(state)), health }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A session has begun.
    pub fn connected(&self, bot: &str, command: &str, guild: GuildId, is_in_guild: bool) {
        let first = self.with(|state| {
            state.away_since = None;
            !std::mem::replace(&mut state.greeted, true)
        });
        self.health.gateway(Gateway::Connected);
        if !is_in_guild {
            tracing::warn!(%guild, "the bot is not a member of its server: invite it with the scopes bot and applications.commands");
        }
        if first {
            log::say(&format!(
                "ready: connected to Discord as {bot}, /{command} is registered in server {guild}"
            ));
        } else {
            tracing::info!("connected to Discord again, with a new session");
        }
    }

    /// The session goes on.
    pub fn resumed(&self) {
        self.with(|state| state.away_since = None);
        self.health.gateway(Gateway::Connected);
        tracing::info!("connected to Discord again");
    }

    /// The connection's stage has changed.
    pub fn stage(&self, stage: ConnectionStage) {
        let lost = self.with(|state| match stage {
            // That it is greeted is told by the session's own events.
            ConnectionStage::Connected => {
                state.away_since = None;
                false
            }
            _ if state.away_since.is_none() => {
                state.away_since = Some(Instant::now());
                true
            }
            _ => false,
        });
        if lost {
            self.health.gateway(Gateway::Away);
            tracing::warn!(%stage, "the connection to Discord was lost; connecting again");
        }
    }

    /// Looks after the connection, for ever.
    pub async fn look_after(&self, shards: &ShardManager) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            let stage = shards.runners.lock().await.values().next().map(|runner| runner.stage);
            if let Some(stage) = stage {
                self.stage(stage);
            }
            let deaf = self.with(|state| {
                let deaf = state.away_since.is_some_and(|since| since.elapsed() >= DEAF);
                if deaf {
                    state.away_since = Some(Instant::now());
                }
                deaf
            });
            if deaf {
                tracing::warn!("no connection to Discord for {} s; making a new one", DEAF.as_secs());
                shards.restart(ShardId(0)).await;
            }
        }
    }
}
