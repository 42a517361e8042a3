//! End to end: the real program, as processes, between a Discord stand-in and an authorization server.
//!
//! Each module holds the laws of one side; `harness` starts and ends what they need. Nothing here goes beyond this
//! host, every wait is bounded, and every process that is started is ended by its own id.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot set up its world has failed, and says so"
)]

#[cfg(not(debug_assertions))]
compile_error!("these tests set faults, which only a debug build has: run them without --release");

mod callback;
mod check;
mod claude;
mod codex;
mod confirming;
mod consumers;
mod copilot;
mod crowd;
mod dialects;
mod discovery;
mod documentation;
mod due;
mod faults;
mod feeds;
mod gateway;
mod gemini;
mod github;
mod grants;
mod harness;
mod hostile;
mod identity;
mod leaving;
mod limited;
mod limits;
mod load;
mod mcp;
mod members;
mod offering;
mod oidc;
mod ops;
mod participant;
mod profiles;
mod registration;
mod reloading;
mod secrets;
mod servers;
mod serviced;
mod slow_down;
mod socket;
mod starting;
mod status;
mod storm;
mod stumbling;
mod telling;
mod terminal;
mod vendors;
mod ways;
