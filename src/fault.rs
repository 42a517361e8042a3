//! Faults that tests set from outside, by the variable `FAILPOINTS`.
//!
//! Owns the names of the places where something can be made to go wrong, and what can go wrong there. Invariant: nothing
//! of this is in a release build: every question is answered with "no" there. Must not: decide anything; a place only
//! asks.
//!
//! `FAILPOINTS="<place>=<action>;…"`, in the language of the `fail` crate: `1*off->return(kill)` is the second time only,
//! `sleep(500)` and `panic` are its own. The [steps](Step) and [operations](Operation) understand besides:
//!
//! | action | what happens |
//! |---|---|
//! | `return(kill)` | the process dies there as by `kill -9` |
//! | `return(stop)` | it is stopped there, until it gets SIGCONT |
//! | `return(INT)`, `TERM`, `HUP`, `QUIT`, `PIPE` | it gets that signal there, and goes on if it handles it |
//! | `return(<errno>)` at an operation | the operation fails with that error, `28` for a full disk, say |
//!
//! `supervisor-turn` and `writer-turn` are where the supervisor answers the watchdog, and where the store's thread takes up its
//! next work: `sleep` there is a deadlock.
//!
//! Three faults are neither: `pressed=panic` makes the handler of a press or form panic; `without-refresh-lock=return` gives each process a refresh lock of its own, which proves what
//! the lock is for; `clock=return(<path>)` adds the number of seconds that the file at that path holds to the wall clock.

use std::io;

#[cfg(debug_assertions)]
use rustix::process::Signal;

use crate::tenant::TenantKey;

/// A step that a refresh or a save has come to. The model of the protocol in `tests/model/` uses the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A flight, before it waits for the tenant's refresh lock.
    BeforeLock,
    /// It holds the lock, and has read nothing yet.
    WithLock,
    /// Room for the reply is set aside; nothing says yet that a request will be sent.
    AfterRoom,
    /// The intent is durable; nothing was sent.
    AfterIntent,
    /// The provider has answered; nothing is written down of it.
    AfterReply,
    /// The rotated credential is durable; nobody has it yet.
    AfterSave,
    /// The rescue file is written; the store is not.
    AfterRescue,
    /// The landing is published; the refresh lock is still held.
    AfterPublish,
    /// A new auth file has a name of its own, and no bytes.
    TemporaryMade,
    /// All its bytes are written, and none is durable.
    TemporaryWritten,
    /// They are durable under the temporary name.
    TemporaryDurable,
    /// The new file has the old one's name; the name may not be durable.
    Renamed,
    /// The name is durable; nobody was answered.
    Replaced,
}

impl Step {
    /// All of them, in the order in which a refresh comes to them.
    pub const ALL: [Self; 13] = [
        Self::BeforeLock,
        Self::WithLock,
        Self::AfterRoom,
        Self::AfterIntent,
        Self::AfterReply,
        Self::AfterSave,
        Self::AfterRescue,
        Self::AfterPublish,
        Self::TemporaryMade,
        Self::TemporaryWritten,
        Self::TemporaryDurable,
        Self::Renamed,
        Self::Replaced,
    ];

    /// Its name in `FAILPOINTS`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeLock => "before-lock",
            Self::WithLock => "with-lock",
            Self::AfterRoom => "after-room",
            Self::AfterIntent => "after-intent",
            Self::AfterReply => "after-reply",
            Self::AfterSave => "after-save",
            Self::AfterRescue => "after-rescue",
            Self::AfterPublish => "after-publish",
            Self::TemporaryMade => "temporary-made",
            Self::TemporaryWritten => "temporary-written",
            Self::TemporaryDurable => "temporary-durable",
            Self::Renamed => "renamed",
            Self::Replaced => "replaced",
        }
    }
}

/// Something that the system is asked to do, and may refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Opening the auth file to read it.
    OpenFile,
    /// Reading its bytes.
    ReadFile,
    /// Opening a lock file.
    OpenLock,
    /// Making the temporary file.
    MakeTemporary,
    /// Writing its bytes.
    WriteTemporary,
    /// fsync of the temporary file.
    SyncTemporary,
    /// Renaming it over the auth file.
    Rename,
    /// fsync of the auth file's folder.
    SyncFolder,
    /// Setting the rescue room aside.
    SetRoomAside,
    /// Writing into that room.
    WriteRescue,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::OpenFile,
        Self::ReadFile,
        Self::OpenLock,
        Self::MakeTemporary,
        Self::WriteTemporary,
        Self::SyncTemporary,
        Self::Rename,
        Self::SyncFolder,
        Self::SetRoomAside,
        Self::WriteRescue,
    ];

    /// Its name in `FAILPOINTS`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenFile => "open-file",
            Self::ReadFile => "read-file",
            Self::OpenLock => "open-lock",
            Self::MakeTemporary => "make-temporary",
            Self::WriteTemporary => "write-temporary",
            Self::SyncTemporary => "sync-temporary",
            Self::Rename => "rename",
            Self::SyncFolder => "sync-folder",
            Self::SetRoomAside => "set-room-aside",
            Self::WriteRescue => "write-rescue",
        }
    }
}

/// What keeps the faults of the environment in force.
#[derive(Default)]
#[must_use = "the faults end when this is dropped"]
pub struct Faults {
    #[cfg(debug_assertions)]
    _scenario: Option<fail::FailScenario<'static>>,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faults")
    }
}

/// Reads the faults from the environment; in a release build, none.
pub fn from_environment() -> Faults {
    #[cfg(debug_assertions)]
    if std::env::var_os("FAILPOINTS").is_some() {
        return Faults { _scenario: Some(fail::FailScenario::setup()) };
    }
    Faults::default()
}

/// Says that `step` has come. Comes back, unless a fault is set there.
pub fn reached(step: Step) {
    #[cfg(debug_assertions)]
    if let Some(action) = fail::eval(step.name(), |action| action) {
        strike(step.name(), action.as_deref());
    }
    #[cfg(not(debug_assertions))]
    let _ = step;
}

/// The error with which `operation` is to fail, if a fault says so.
///
/// # Errors
/// Only where a test has set one.
pub fn attempt(operation: Operation) -> io::Result<()> {
    #[cfg(debug_assertions)]
    if let Some(action) = fail::eval(operation.name(), |action| action) {
        if let Some(errno) = action.as_deref().and_then(|action| action.parse().ok()) {
            return Err(io::Error::from_raw_os_error(errno));
        }
        strike(operation.name(), action.as_deref());
    }
    #[cfg(not(debug_assertions))]
    let _ = operation;
    Ok(())
}

/// Whether each process is to refresh under a lock of its own.
#[must_use]
pub fn without_refresh_lock() -> bool {
    #[cfg(debug_assertions)]
    return fail::eval("without-refresh-lock", |_| ()).is_some();
    #[cfg(not(debug_assertions))]
    false
}

/// Says that the handler of a press or form begins.
pub fn pressed() {
    #[cfg(debug_assertions)]
    fail::eval("pressed", |_| ());
}

/// Says that the supervisor has come to a question whether it takes its turns.
pub fn asked_to_turn() {
    #[cfg(debug_assertions)]
    fail::eval("supervisor-turn", |_| ());
}

/// Says that the store's thread takes up what is to be written.
pub fn writer_turn() {
    #[cfg(debug_assertions)]
    fail::eval("writer-turn", |_| ());
}

/// A key that no other process locks.
#[must_use]
pub fn private(tenant: &TenantKey) -> TenantKey {
    let profile = format!("private-{}", std::process::id()).parse().ok();
    TenantKey { profile, ..tenant.clone() }
}

/// How many seconds the wall clock is off.
#[must_use]
pub fn clock_offset() -> i64 {
    #[cfg(debug_assertions)]
    if let Some(path) = fail::eval("clock", |path| path).flatten() {
        // A test that replaces the file in this very moment has not jumped yet.
        return std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    }
    0
}

#[cfg(debug_assertions)]
fn strike(place: &str, action: Option<&str>) {
    let signal = match action {
        Some("kill") => Signal::KILL,
        Some("stop") => Signal::STOP,
        Some("INT") => Signal::INT,
        Some("TERM") => Signal::TERM,
        Some("HUP") => Signal::HUP,
        Some("QUIT") => Signal::QUIT,
        Some("PIPE") => Signal::PIPE,
        other => panic!("FAILPOINTS: {place} does not know the action {other:?}"),
    };
    if let Err(error) = rustix::process::kill_process(rustix::process::getpid(), signal) {
        panic!("FAILPOINTS: {place}: {error}");
    }
    if signal == Signal::STOP {
        // Another thread may be the one that takes the signal: this one is not to get any further before, on a busy machine either.
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_place_has_a_name_of_its_own() {
        let steps = Step::ALL.map(Step::name);
        let operations = Operation::ALL.map(Operation::name);
        let names: BTreeSet<_> = steps.into_iter().chain(operations).collect();
        assert_eq!(names.len(), Step::ALL.len() + Operation::ALL.len());
    }
}
