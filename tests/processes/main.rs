//! The program across real processes: `latchkey token` against a strict authorization server, on one auth file.
//!
//! Every test has a server and a folder of its own, is bounded in time, and ends what it started by its id.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fresh_program;
mod handing;
mod host;
mod interrupted;
mod output;
mod storm;
mod waiting;
