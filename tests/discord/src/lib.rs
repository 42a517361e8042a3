//! A Discord stand-in on loopback.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test support crate: panicking assertions are its purpose, and handles are often made for effect"
)]

mod actor;
mod clock;
mod control;
mod fault;
mod gateway;
mod inspect;
mod interaction;
mod message;
mod record;
mod reply;
mod rest;
mod rules;
mod schema;
mod server;
mod shared;
mod view;
mod wire;
mod world;

pub use actor::{Autocomplete, Channel, Choice, Delivery, Input, Interaction, Member, Modal, Refused, Slash};
pub use interaction::{Acknowledgement, Kind};
pub use record::{Request, Violation};
pub use server::{Builder, Discord};
pub use view::{Button, View};
