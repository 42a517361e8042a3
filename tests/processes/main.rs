//! The program across real processes: `latchkey token` against a strict authorization server, on one auth file.
//!
//! Every test has a server and a folder of its own, is bounded in time, and ends what it started by its id.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[cfg(not(debug_assertions))]
compile_error!("these tests set faults, which only a debug build has: run them without --release");

mod asking;
mod backup;
mod clock;
mod combined;
mod completions;
mod disk;
mod disks;
mod exchange;
mod exec;
mod flights;
mod formats;
mod fresh_program;
mod ground;
mod habits;
mod handing;
mod host;
mod hostile;
mod identity;
mod import;
mod interrupted;
mod isolation;
mod killed;
mod locks;
mod lost;
mod openab;
mod output;
mod place;
mod providing;
mod real_disk;
mod recipes;
mod replies;
mod screen;
mod sealed;
mod sealing;
mod signalled;
mod socket_alone;
mod socket_fallback;
mod socket_storm;
mod socket_strangers;
mod sockets;
mod status;
mod storm;
mod superseded;
mod terminal;
mod threads;
mod trail;
mod unread;
mod waiting;
mod watched;
mod worker;
mod writers;
