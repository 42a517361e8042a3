//! Whether Discord hears us, and we Discord.
//!
//! Owns the judgement on the gateway connection, what is told of it (the log, [`Health`]), and when it is made anew.
//! Invariants: a connection on which nothing is heard, not even the answer to a question, is told as deaf within
//! [`ASK`] and [`DEAF`] and made anew, whatever the library below believes; what an earlier connection still says counts
//! for nothing. Must not: wait for anything, or connect by itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use latchkey::health::{Gateway, Health};
use latchkey::metrics;
use serenity::all::{ConnectionStage, GuildId};
use tokio::time::Instant;

use crate::log;

/// How often the connection is looked at: often enough to see that the library has given a shard up, before it has
/// another.
pub const LOOK: Duration = Duration::from_millis(100);
/// After so long a silence the gateway is asked for a sign of life: Discord's own heartbeat, every 41 s, would show a dead
/// connection after a minute or more.
const ASK: Duration = Duration::from_secs(10);
/// Without a sign of life for this long after the question, nobody hears us.
const DEAF: Duration = Duration::from_secs(5);
/// And after this long the connection is made anew.
const GIVEN_UP: Duration = Duration::from_secs(10);
/// How long the gateway may take to be reached at all.
const REACHED: Duration = Duration::from_secs(10);
/// How long a session may take to begin, or to be resumed.
const SESSION: Duration = Duration::from_secs(30);
/// A session that lasted this long was a good one.
const LASTING: Duration = Duration::from_mins(5);

/// What the library below says of its one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    pub stage: ConnectionStage,
    /// The time of the last heartbeat's answer after the last heartbeat: another value is another answer.
    pub latency: Option<Duration>,
}

/// What is to be done with the connection now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Stay,
    /// Ask for a sign of life.
    Ask,
    /// Make it anew.
    Anew,
}

/// What a connection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Discord's gateway could not be reached.
    Unreached,
    /// A session did not begin, or not for long: the next may cost a session start for nothing.
    Poor,
    /// A session has lasted.
    Good,
}

/// The state of the connection. Cheap to clone.
#[derive(Clone)]
pub struct Watch {
    state: Arc<Mutex<State>>,
    health: Health,
}

struct State {
    told: Gateway,
    /// Whether the break that the next session ends is counted already.
    is_counted: bool,
    /// How often a session broke.
    breaks: u64,
    /// Which of the connections this is about.
    number: u64,
    /// When it was begun.
    begun: Instant,
    /// Whether it came as far as a shard.
    reached: bool,
    /// Since when its session lives.
    met: Option<Instant>,
    /// Since when a session that should be there is not.
    lacking: Option<Instant>,
    /// When anything was last heard.
    heard: Instant,
    /// When a sign of life was asked for, and nothing was heard since.
    asked: Option<Instant>,
    latency: Option<Duration>,
}

impl Watch {
    pub fn new(health: Health) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(Gateway::Connecting, 0))), health }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A connection is begun; what it says comes with this number.
    pub fn begin(&self) -> u64 {
        self.with(|state| {
            let number = state.number + 1;
            let (is_counted, breaks) = (state.is_counted, state.breaks);
            *state = State { is_counted, breaks, ..State::new(state.told, number) };
            number
        })
    }

    /// Something was heard on a connection.
    pub fn heard(&self, number: u64) {
        self.of(number, |_| {});
    }

    /// A session has begun.
    pub fn connected(&self, number: u64, bot: &str, command: &str, guild: GuildId, is_in_guild: bool) {
        let before = self.with(|state| state.told);
        let mut again = false;
        let is_current = self.of(number, |state| {
            again = state.met.replace(Instant::now()).is_some();
            state.lacking = None;
        });
        if !is_current {
            return;
        }
        if again {
            tracing::info!("Discord has ended the session; there is a new one");
        }
        self.there_again(before);
        if !is_in_guild {
            tracing::warn!(%guild, "the bot is not a member of its server: invite it with the scopes bot and applications.commands");
        }
        if before == Gateway::Connecting {
            log::say(&format!(
                "ready: connected to Discord as {bot}, /{command} is registered in server {guild}"
            ));
        }
    }

    /// The session goes on.
    pub fn resumed(&self, number: u64) {
        let before = self.with(|state| state.told);
        if self.of(number, |state| state.lacking = None) {
            self.there_again(before);
            tracing::debug!("the session with Discord goes on");
        }
    }

    /// A session has begun or goes on, where it stood so `before`.
    fn there_again(&self, before: Gateway) {
        let is_counted = self.with(|state| std::mem::take(&mut state.is_counted));
        if before != Gateway::Connecting && !is_counted {
            // It broke and was mended between two looks.
            self.broke();
        }
        self.tell(Gateway::Connected);
    }

    fn broke(&self) {
        self.with(|state| state.breaks += 1);
        metrics::reconnecting();
    }

    /// Notes what was heard on a connection, if it is the one that counts.
    fn of(&self, number: u64, note: impl FnOnce(&mut State)) -> bool {
        self.with(|state| {
            let is_current = state.number == number;
            if is_current {
                (state.heard, state.asked, state.reached) = (Instant::now(), None, true);
                note(state);
            }
            is_current
        })
    }

    /// The connection is gone.
    pub fn lost(&self) {
        if self.with(|state| state.told) != Gateway::Connecting {
            self.tell(Gateway::Away);
        }
    }

    /// What the connection came to until now.
    pub fn outcome(&self) -> Outcome {
        self.with(|state| match state.met {
            Some(met) if met.elapsed() >= LASTING => Outcome::Good,
            None if !state.reached => Outcome::Unreached,
            _ => Outcome::Poor,
        })
    }

    /// Judges the connection by what the library says of its shard now.
    pub fn look(&self, shard: Option<Shard>) -> Step {
        let (step, told) = self.with(|state| state.look(shard));
        if let Some(told) = told {
            self.tell(told);
        }
        step
    }

    fn tell(&self, now: Gateway) {
        let before = self.with(|state| std::mem::replace(&mut state.told, now));
        self.health.gateway(now);
        if before == now {
            return;
        }
        match (before, now) {
            (Gateway::Connected, Gateway::Away | Gateway::Deaf) => {
                self.with(|state| state.is_counted = true);
                self.broke();
            }
            // No session comes after a silence that ended by itself.
            (Gateway::Deaf, Gateway::Connected) => self.with(|state| state.is_counted = false),
            _ => {}
        }
        match now {
            Gateway::Connecting => {}
            Gateway::Connected => tracing::info!("connected to Discord"),
            Gateway::Away => tracing::warn!("the connection to Discord is lost; it is being made again"),
            Gateway::Deaf => {
                tracing::warn!("nothing is heard on the connection to Discord; it is being made anew");
            }
        }
    }
}

impl State {
    fn new(told: Gateway, number: u64) -> Self {
        let now = Instant::now();
        Self {
            told,
            is_counted: false,
            breaks: 0,
            number,
            begun: now,
            reached: false,
            met: None,
            lacking: None,
            heard: now,
            asked: None,
            latency: None,
        }
    }

    /// What is to be done, and what is to be told.
    fn look(&mut self, shard: Option<Shard>) -> (Step, Option<Gateway>) {
        let Some(shard) = shard else {
            // Once it was there, the library has given it up and would begin a session: that is ours to do, with a pause.
            let is_over = self.reached || self.begun.elapsed() >= REACHED;
            return (if is_over { Step::Anew } else { Step::Stay }, None);
        };
        self.reached = true;
        if self.latency != shard.latency {
            self.latency = shard.latency;
            (self.heard, self.asked) = (Instant::now(), None);
        }
        if self.met.is_none() {
            return (if self.begun.elapsed() >= SESSION { Step::Anew } else { Step::Stay }, None);
        }
        if shard.stage != ConnectionStage::Connected {
            let lacking = *self.lacking.get_or_insert_with(Instant::now);
            let step = if lacking.elapsed() >= SESSION { Step::Anew } else { Step::Stay };
            return (step, Some(Gateway::Away));
        }
        self.lacking = None;
        match self.asked.map(|asked| asked.elapsed()) {
            Some(silent) if silent >= GIVEN_UP => (Step::Anew, Some(Gateway::Deaf)),
            Some(silent) if silent >= DEAF => (Step::Stay, Some(Gateway::Deaf)),
            Some(_) => (Step::Stay, None),
            None if self.heard.elapsed() >= ASK => {
                self.asked = Some(Instant::now());
                (Step::Ask, None)
            }
            None => (Step::Stay, Some(Gateway::Connected)),
        }
    }
}

#[cfg(test)]
mod tests;
