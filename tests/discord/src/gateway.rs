//! The gateway's session: what was dispatched, to whom, and what a resumed connection still has to hear.
//!
//! At most one session lives, since the bot is one shard. Everything dispatched goes into the session's log
//! whether or not a connection is there, so RESUME replays exactly what was missed. The socket itself is in
//! `gateway/socket.rs`; nothing here waits.

pub(crate) mod socket;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Dispatches kept for RESUME.
const LOG: usize = 2_000;
/// Frames waiting to be written on one connection.
pub(crate) const QUEUE: usize = 1_024;

/// How many sessions a bot may begin in a day.
pub(crate) const STARTS: u64 = 1_000;

/// Gateway intents the stand-in knows.
pub(crate) mod intent {
    pub(crate) const NONE: u64 = 0;
    pub(crate) const GUILDS: u64 = 1;
    pub(crate) const GUILD_MEMBERS: u64 = 1 << 1;
    pub(crate) const GUILD_MESSAGES: u64 = 1 << 9;
    /// Members, presences, message content: each has to be switched on for the application.
    pub(crate) const PRIVILEGED: u64 = 1 << 1 | 1 << 8 | 1 << 15;
}

/// What goes out on a connection.
#[derive(Debug)]
pub(crate) enum Out {
    Text(String),
    /// A close frame with this code.
    Close(u16),
    /// The connection is cut without a word.
    Cut,
}

/// All gateway state.
#[derive(Debug)]
pub(crate) struct Gateway {
    session: Option<Session>,
    connections: BTreeMap<u64, mpsc::Sender<Out>>,
    next: u64,
    /// Privileged intents switched on for the application.
    pub(crate) allowed: u64,
    /// Whether heartbeats are answered.
    pub(crate) answers_heartbeats: bool,
    /// Whether HELLO is sent.
    pub(crate) greets: bool,
    /// Whether connections are answered at all, or taken and left waiting.
    pub(crate) answers: bool,
    /// How many sessions the bot may still begin, and after how many milliseconds the count begins anew.
    pub(crate) starts: (u64, u64),
    pub(crate) identifies: u32,
    pub(crate) resumes: u32,
    pub(crate) heartbeats: u32,
}

#[derive(Debug)]
struct Session {
    id: String,
    intents: u64,
    sequence: u64,
    log: VecDeque<(u64, String)>,
    /// The connection it is on now.
    connection: Option<u64>,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            session: None,
            connections: BTreeMap::new(),
            next: 0,
            allowed: 0,
            answers_heartbeats: true,
            greets: true,
            answers: true,
            starts: (STARTS, 14_400_000),
            identifies: 0,
            resumes: 0,
            heartbeats: 0,
        }
    }
}

impl Gateway {
    /// A new connection; returns its number.
    pub(crate) fn connect(&mut self, sender: mpsc::Sender<Out>) -> u64 {
        self.next += 1;
        self.connections.insert(self.next, sender);
        self.next
    }

    /// The connection is gone; its session stays, to be resumed.
    pub(crate) fn disconnect(&mut self, connection: u64) {
        self.connections.remove(&connection);
        if let Some(session) = self.session.as_mut().filter(|s| s.connection == Some(connection)) {
            session.connection = None;
        }
    }

    /// Begins a session on a connection, ending any other. Returns its id.
    pub(crate) fn identify(&mut self, connection: u64, intents: u64) -> String {
        self.identifies += 1;
        self.starts.0 = self.starts.0.saturating_sub(1);
        let id = format!("session-{}", self.identifies);
        self.session = Some(Session {
            id: id.clone(),
            intents,
            sequence: 0,
            log: VecDeque::new(),
            connection: Some(connection),
        });
        id
    }

    /// Resumes the session on another connection and replays what came after `sequence`. False if it cannot.
    pub(crate) fn resume(&mut self, connection: u64, id: &str, sequence: u64) -> bool {
        let Some(session) = self.session.as_mut().filter(|s| s.id == id) else { return false };
        let oldest = session.log.front().map_or(session.sequence + 1, |(first, _)| *first);
        if sequence > session.sequence || sequence + 1 < oldest {
            self.session = None;
            return false;
        }
        self.resumes += 1;
        session.connection = Some(connection);
        if let Some(sender) = self.connections.get(&connection) {
            for (_, frame) in session.log.iter().filter(|(at, _)| *at > sequence) {
                send(sender, Out::Text(frame.clone()));
            }
        }
        self.dispatch("RESUMED", intent::NONE, &json!({}));
        true
    }

    /// Sends an event to the session, if it asked for such events. False if there is no session.
    pub(crate) fn dispatch(&mut self, event: &str, needs: u64, data: &Value) -> bool {
        let Some(session) = self.session.as_mut() else { return false };
        if session.intents & needs != needs {
            return true;
        }
        session.sequence += 1;
        let frame = json!({ "op": 0, "s": session.sequence, "t": event, "d": data }).to_string();
        if session.log.len() == LOG {
            session.log.pop_front();
        }
        session.log.push_back((session.sequence, frame.clone()));
        if let Some(sender) = session.connection.and_then(|id| self.connections.get(&id)) {
            send(sender, Out::Text(frame));
        }
        true
    }

    /// Whether a session is live on a connection.
    pub(crate) fn ready(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.connection.is_some())
    }

    /// Sends something to every connection.
    pub(crate) fn all(&self, make: impl Fn() -> Out) {
        for sender in self.connections.values() {
            send(sender, make());
        }
    }

    /// Forgets the session, so that RESUME fails.
    pub(crate) fn forget(&mut self) {
        self.session = None;
    }

    /// In a few words, for messages to people.
    pub(crate) fn describe(&self) -> String {
        let state = match &self.session {
            None if self.connections.is_empty() => "the bot is not connected",
            None => "the bot is connected but has no session",
            Some(session) if session.connection.is_none() => "the bot has lost its connection",
            Some(_) => "the bot is connected",
        };
        format!(
            "{state} ({} identified, {} resumed, {} heartbeats)",
            self.identifies, self.resumes, self.heartbeats
        )
    }
}

/// A full queue means a bot that has stopped reading: what does not fit is lost, as on a dead connection.
fn send(sender: &mpsc::Sender<Out>, out: Out) {
    drop(sender.try_send(out));
}
