//! One worker per thread with something to do, and their supervisor.
//!
//! Owns the tasks that poll a thread's logins, keep its tenants fresh while they are in use, and have people told how
//! their logins end (W1, W2). Invariants: all workers share the one gate; a worker that panics harms no other (W3); what a
//! worker knows it can learn again from the store, so that a restart loses nothing. Must not: know Discord: telling
//! goes through [`Notifier`].

mod reach;
mod supervisor;
mod telling;
mod thread;

use std::future::Future;
use std::pin::Pin;

pub use self::supervisor::Supervisor;
pub use self::telling::{News, What};
use crate::pending::PendingLogin;
use crate::secret::Secret;
use crate::tenant::ThreadId;

/// What became of telling somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// They see it, or nobody is there any more who could: not to be told again.
    Done,
    /// It could not be delivered now.
    Later,
    /// That thread is another bot's matter.
    NotOurs,
}

/// What became of telling a thread something of its tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It stands there.
    Told,
    /// Nobody has been there of late: to be told once there is life again.
    Quiet,
    /// It is archived, locked, gone, or closed to us: not before somebody opens or uses it.
    Shut,
    /// It could not be delivered now.
    Later,
    /// That thread is another bot's matter.
    NotOurs,
}

/// Tells people, wherever they are. The Discord program implements it.
pub trait Notifier: Send + Sync + 'static {
    /// Shows in `thread` how `login` stands now: on the message of `interaction` where that token is known (it is gone
    /// from the store once the login is over, so the worker remembers it), else by a route that shows no secret.
    fn login_changed<'a>(
        &'a self,
        login: &'a PendingLogin,
        thread: &'a ThreadId,
        interaction: Option<&'a Secret>,
    ) -> Pin<Box<dyn Future<Output = Told> + Send + 'a>>;

    /// Tells `thread` news of one of its tenants, in the open, if it is open and was active of late; being `in_use` just
    /// now counts as that, and good news go to whoever heard the bad. Telling the same twice within a few minutes is to show once.
    fn tenant_news<'a>(
        &'a self,
        news: &'a News,
        thread: &'a ThreadId,
        in_use: bool,
    ) -> Pin<Box<dyn Future<Output = Heard> + Send + 'a>>;
}

#[cfg(test)]
mod tests;
