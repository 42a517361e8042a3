//! A model of the refresh protocol, explored exhaustively.
//!
//! Three processes share one tenant: they look, take the refresh lock, finish a rescue, look again, set room aside, write the
//! intent, send, save by compare-and-set, publish, let go. Around them everything goes wrong that may: processes are killed
//! between any two steps, requests and replies are lost, the server refuses for the moment, the disk fills up, a write is made
//! and reported as failed, people log out and sign in, time passes. [`stateright`] goes through every order of all that and
//! holds each state against the [laws](property::LAWS). A second model, [`writer`], does the same for the writers of the
//! auth file, so that an update of the store is one step in the first.
//!
//! # Where the code stands beside it
//!
//! | model | code |
//! |---|---|
//! | [`world::Step`] | `fault::Step`, in the code's order, and what lies between: `Looking` is `Next::LookAgain`, `Sending` the moment between the last look and the send |
//! | [`policy`] | `gate::policy::decide`: the model has none of its own, it asks the code about every case and looks the answers up |
//! | [`flight`], [`keep`] | `gate::refresh` and `gate::keep`, function by function, under their names |
//! | [`protocol`] | who can move; `gate::look` and `Runway::land` are steps there |
//! | [`server`] | an authorization server, strict or lenient |
//! | [`guard`] | what can be taken out |
//! | [`property`] | the laws, and the sights without which they would be empty |
//! | [`writer`] | `store::file::writer` and `store::file::replace`, under the names of their fault points |
//!
//! A change to the order of steps in the code belongs here too. One to `decide` comes here by itself.
//!
//! # What is left out, and why
//!
//! - Callers in one process: they share a flight behind a mutex, and its tests are in `gate/`.
//! - Waits that end (callers' deadlines, the lock's bound): a caller that leaves changes nothing that others see. The laws of
//!   progress are the stronger for it.
//! - Seconds. A tick is longer than any back-off and shorter than a token's life times two; the code's own arithmetic of
//!   times has tests of its own. The clock never goes back.
//! - Identity, another configuration, an operator's errors, Retry-After: they choose an outcome, and the outcomes are here.
//! - Revocation: what is dropped must not be what is stored, which is a law; which tokens may be revoked is T12's.
//! - The time between the last look at siblings and the send. Nobody can close it: a sign-in that comes there is ended by a second
//!   use, and the laws excuse it ([`world::Process::overtaken`]).
//! - A sibling that is older than the intent: the design puts it at risk knowingly (G19).
//! - A rescue file that cannot be written although its room was set aside; then the flight holds on to the lock (G21).
//!
//! # Bounds
//!
//! Three processes always. The first three callers come at once, with a token that has ended, that was rejected, or that lasts
//! too short. A run has at most so many of each:
//!
//! | bounds of | kills | lost | refused | writes in doubt | disk full, emptied | ticks | later callers | logouts | sign-ins | siblings | states |
//! |---|---|---|---|---|---|---|---|---|---|---|---|
//! | kills | 3 | | | | | | 3 | | | | 131,245 |
//! | answers | 1 | 2 | 1 | | | 2 | 1 | | | | 830,591 |
//! | lenient server | 1 | 2 | 1 | | | 1 | 1 | | | | 304,770 |
//! | people | 1 | 1 | | | | | 1 | 1 | 1 | | 348,826 |
//! | siblings | 1 | 1 | | | | 1 | 1 | | | 1 | 239,329 |
//! | disk | 1 | | | 1 | 1, 1 | | 1 | | 1 | | 297,352 |
//! | writers of the file | 2 | | | | | | 2 each | | | | 99,112 |
//!
//! A sign-in is in the first grant or in one of its own. `cargo test -p latchkey-test-model` takes some seconds on an idle machine
//! of two cores; with `-- --ignored` larger bounds are explored, in minutes. Processes have no names, so that one state stands for all orders of
//! the three. No run is endless (`every_run_comes_to_rest`), so that "in the end" needs no law of its own: what must come in the
//! end must be there in every state at rest.
//!
//! # Without each guard
//!
//! Each is a test in `tests/guards.rs` or `tests/writers.rs`, and the law that breaks is the one named there:
//!
//! | without | breaks |
//! |---|---|
//! | the refresh lock; the lock held until the rotation is durable | a refresh token is presented once |
//! | the kernel's lock, a sentinel file instead | somebody can move |
//! | the store read inside the lock | two sends without an answer at most: a stale read counts an attempt twice. With the intent not compared either, a token is presented twice |
//! | the want checked inside the lock | a token that will do is not refreshed |
//! | the bound of a flight | two exchanges a flight |
//! | the intent; the intent before the send; the intent in the store | a send is announced; two sends without an answer at most |
//! | the end after attempt two; a back-off after each later try, a killed one included; the attempt kept when an intent is put back | two sends without an answer at most |
//! | the uncertain state written down | callers are served in the end |
//! | the stored back-off honoured | nothing is sent before it ends |
//! | the minute after a forced refresh | what it brought is not forced again |
//! | `Hold` | a strict server is not asked again while the token serves |
//! | the sibling rule; the second look when the intent is durable | a late second use ends no newer sign-in |
//! | the comparison of what is marked | no living sign-in is called dead |
//! | the save's comparison; of the id | a logout is final, and a newer sign-in stays |
//! | a save that knows its own tokens | what is stored is not dropped |
//! | durable before published | what anybody was handed is stored |
//! | room set aside | somebody can move, on a full disk |
//! | the rescue read by the next holder; the room kept while it is the only copy | a refresh token is presented once |
//! | the rescue's comparison | a logout is final, and a newer sign-in stays |
//! | the store lock; the file read inside it | what was answered is in the file |
//! | the temporary file; its fsync; the folder's | a power failure leaves a whole file with what was answered |
//!
//! The intent's comparison alone can be spared: `the_intents_comparison_is_a_second_guard`.

pub mod flight;
pub mod guard;
pub mod keep;
pub mod policy;
pub mod property;
pub mod protocol;
pub mod server;
pub mod world;
pub mod writer;
