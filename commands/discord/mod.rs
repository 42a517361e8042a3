//! The Discord side of the program: plumbing between Discord's events and the slash commands.
//!
//! Owns the connection and the way of each interaction to its handler; what the commands do is in `auth`, what they say
//! in `view`. Invariants: only our guild is answered (U8); every entry is checked anew (U7). Must not: hold state that a
//! restart may not lose.

pub mod access;
pub mod answers;
pub mod api;
pub mod asking;
pub mod connection;
pub mod custom_id;
pub mod direct;
pub mod lanes;
pub mod live;
pub mod members;
pub mod notifier;
pub mod places;
pub mod reach;
pub mod reception;
pub mod render;
pub mod route;
pub mod rules;
pub mod telling;
mod turn;
pub mod visit;
pub mod watch;

use std::sync::Arc;

use latchkey::broker::Broker;
use latchkey::health::Health;
use latchkey::limit::Pace;
use latchkey::tenant::ThreadId;
use latchkey::worker::Supervisor;
use serenity::all::{Http, UserId};
use tokio_util::sync::CancellationToken;

use crate::discord::answers::Answers;
use crate::discord::api::Home;
use crate::discord::live::Live;
use crate::discord::members::Members;
use crate::discord::places::Places;
use crate::discord::rules::Rules;
use crate::view::Slash;

/// What every handler works with.
pub struct Desk {
    /// The front door of the library.
    pub broker: Broker,
    /// The workers.
    pub supervisor: Supervisor,
    /// Discord's API.
    pub http: Arc<Http>,
    /// The ways to answer interactions.
    pub answers: Arc<Answers>,
    /// The one guild.
    pub home: Home,
    /// Who may do what.
    pub access: Rules,
    /// The members whose own tenants are in use.
    pub members: Arc<Members>,
    /// Our command, as registered.
    pub slash: Slash,
    /// The live messages.
    pub live: Arc<Live>,
    /// Threads that are known to be ours.
    pub places: Arc<Places>,
    /// How this process is.
    pub health: Health,
    /// What each did here within the last minute.
    pub pace: Pace<UserId>,
    /// Once cancelled, nothing new is begun (W5).
    pub closing: CancellationToken,
}

impl Desk {
    /// Somebody who is admitted does something in `thread`: it is ours and open.
    pub fn entered(&self, thread: &ThreadId, parent: Option<ThreadId>) {
        self.places.note_ours(thread, parent.clone());
        self.supervisor.thread_used(thread, parent);
    }

    /// `thread` was deleted.
    pub fn left(&self, thread: &ThreadId) {
        self.supervisor.thread_closed(thread);
        self.places.forget(thread);
    }
}
