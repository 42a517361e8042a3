//! What end-to-end tests stand on: the world around the program, and the program as processes.
//!
//! Owns [`Setup`] (a Discord stand-in, an authorization server, a folder with configuration and store) and [`Bot`] (one
//! `latchkey run`). Invariants: nothing of the machine's own environment reaches the program; all that it prints is kept,
//! for tests that look for leaks; a process that a test started does not outlive it.

mod bot;
mod setup;

use std::time::Duration;

pub use bot::Bot;
pub use setup::{Plan, Setup};

/// Long enough for anything but a poll, however busy the machine is.
pub const SOON: Duration = Duration::from_secs(10);
/// Long enough for a device login's next poll to come and be acted on.
pub const NEXT_POLL: Duration = Duration::from_secs(20);
