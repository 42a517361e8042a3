//! Why a token could not be had.
//!
//! Owns [`TokenError`] and its classes, by which commands choose exit codes and words. Invariant: only
//! [`Class::NeedsLogin`] asks people to sign in, and no error holds a secret.

use std::time::{Duration, UNIX_EPOCH};

use crate::clock::UnixSeconds;
use crate::credential::Unserved;
use crate::store::{EntryError, Holder, LockError, StoreError};
use crate::tenant::TenantKey;

/// Who can do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Nobody needs to: trying again may help.
    Transient,
    /// A member, by signing in.
    NeedsLogin,
    /// Nobody by waiting or signing in: the provider says no.
    Denied,
    /// The operator, in the configuration.
    Operator,
    /// The operator, at the store.
    Store,
    /// Us.
    Bug,
}

/// Why a token could not be had. Cloned to every caller that shared a flight.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    /// Nobody has signed in.
    #[error("{tenant} has no sign-in: use {}", way_in(.tenant))]
    NeverSignedIn {
        /// The slot.
        tenant: TenantKey,
    },
    /// The sign-in is over.
    #[error("the sign-in of {tenant} has ended ({why}): sign in again with {}", way_in(.tenant))]
    NeedsLogin {
        /// The slot.
        tenant: TenantKey,
        /// What the provider said, or what is missing.
        why: String,
    },
    /// A token that was just refreshed is rejected too (G15).
    #[error(
        "{tenant} was refreshed less than a minute ago because its token was rejected, and the new one is rejected too: \
         check what the token is used for, and its scopes"
    )]
    Rejected {
        /// The slot.
        tenant: TenantKey,
    },
    /// The member whose own sign-in this is is no longer served (U7).
    #[error("{tenant} is not served: {}", unserved(*.reason))]
    Suspended {
        /// The slot.
        tenant: TenantKey,
        /// Why.
        reason: Unserved,
    },
    /// What came was over as it came: the answer took longer than the token lives, or the clock jumped meanwhile.
    #[error(
        "{tenant} was refreshed, and the new token had ended when it came: try again; if it stays so, check this \
         host's clock"
    )]
    EndedAlready {
        /// The slot.
        tenant: TenantKey,
    },
    /// Other sign-ins came while this one was refreshed, and used up the exchanges of a flight (G10).
    #[error("{tenant} got a new sign-in while it was refreshed: try again")]
    Overtaken {
        /// The slot.
        tenant: TenantKey,
    },
    /// A try failed lately; the next is due later (G16).
    #[error("{tenant} cannot be refreshed before {} ({why}); the sign-in is kept", when(*.until))]
    BackOff {
        /// The slot.
        tenant: TenantKey,
        /// Unix seconds.
        until: UnixSeconds,
        /// What the last try met.
        why: String,
    },
    /// An earlier try's outcome is unknown (G19).
    #[error(
        "whether the last refresh of {tenant} reached the provider is not known, and a second try now could end the \
         sign-in; it is made when the present token ends, at {}", when(*.until)
    )]
    Held {
        /// The slot.
        tenant: TenantKey,
        /// Unix seconds.
        until: UnixSeconds,
    },
    /// The caller's deadline came first (G10). The refresh goes on.
    #[error("no fresh token of {tenant} within {seconds} s{}; try again, the refresh goes on", held(.holder.as_ref()))]
    TimedOut {
        /// The slot.
        tenant: TenantKey,
        /// What the caller was willing to wait.
        seconds: u64,
        /// Another process that holds the tenant's refresh lock.
        holder: Option<Holder>,
    },
    /// The refresh lock could not be had in the longest time that a holder may need.
    #[error("{tenant} cannot be refreshed: {source}")]
    Lock {
        /// The slot.
        tenant: TenantKey,
        /// Who holds it.
        source: LockError,
    },
    /// The tokens came and cannot be written down; they are kept aside (G21).
    #[error(
        "{tenant} was refreshed, but the new tokens cannot be stored yet ({why}); they are kept aside, try again"
    )]
    Unsaved {
        /// The slot.
        tenant: TenantKey,
        /// What the store said.
        why: String,
    },
    /// The provider gives this account no access; a new sign-in of it would change nothing.
    #[error(
        "{tenant}: {why}; the sign-in is kept, and it is asked again some minutes on, when the token is wanted"
    )]
    NoAccess {
        /// The slot.
        tenant: TenantKey,
        /// What the provider said.
        why: String,
    },
    /// The configuration stands in the way.
    #[error("{tenant}: {why}")]
    Operator {
        /// The slot.
        tenant: TenantKey,
        /// What is wrong, with the remedy.
        why: String,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program is shutting down and starts no exchange (G29).
    #[error("shutting down; try again in a moment")]
    Closing,
    /// A bug: the flight panicked.
    #[error("internal error: the refresh of {tenant} panicked; its lock is free again")]
    Panicked {
        /// The slot.
        tenant: TenantKey,
    },
}

impl TokenError {
    /// Who can do something about it.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::NeverSignedIn { .. } | Self::NeedsLogin { .. } => Class::NeedsLogin,
            Self::Rejected { .. } | Self::Suspended { .. } | Self::NoAccess { .. } => Class::Denied,
            Self::BackOff { .. }
            | Self::Held { .. }
            | Self::TimedOut { .. }
            | Self::Unsaved { .. }
            | Self::EndedAlready { .. }
            | Self::Overtaken { .. }
            | Self::Closing
            | Self::Lock { source: LockError::TimedOut { .. }, .. } => Class::Transient,
            Self::Operator { .. } => Class::Operator,
            Self::Store(StoreError::Panicked) | Self::Panicked { .. } => Class::Bug,
            Self::Store(error) if error.is_passing() => Class::Transient,
            Self::Lock { .. } | Self::Store(_) => Class::Store,
        }
    }
}

impl From<EntryError> for TokenError {
    fn from(error: EntryError) -> Self {
        Self::Store(error.into())
    }
}

/// How somebody signs in to `tenant`: a member's own is filled in Discord alone.
fn way_in(tenant: &TenantKey) -> String {
    match tenant.user {
        None => format!("`latchkey login {tenant}`, or /auth login in Discord"),
        Some(_) => "/auth login in Discord".to_owned(),
    }
}

fn unserved(reason: Unserved) -> &'static str {
    match reason {
        Unserved::Left => {
            "its owner has left the Discord server; it is served again once they are back, or use /auth login to sign \
             in with another account"
        }
        Unserved::NotAdmitted => {
            "its owner is no longer among those who may sign in; it is served again once an admin lets them, or use \
             /auth login to sign in with another account"
        }
    }
}

fn held(holder: Option<&Holder>) -> String {
    match holder {
        None => String::new(),
        Some(Holder { pid, stopped: false }) => format!(" (process {pid} is refreshing it)"),
        Some(Holder { pid, stopped: true }) => {
            format!(" (process {pid} is refreshing it and is stopped: `kill -CONT {pid}`)")
        }
    }
}

/// A moment, for a text. Dates are written up to the year 9999; a server may promise more.
fn when(at: UnixSeconds) -> String {
    const YEAR_10000: u64 = 253_402_300_800;
    let since = u64::try_from(at).unwrap_or(0);
    if since >= YEAR_10000 {
        return format!("{at} s after 1970");
    }
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(since))
}

#[cfg(test)]
mod tests {
    use super::when;

    #[test]
    fn times_are_told_with_their_zone() {
        for (at, text) in [
            (1_795_000_000, "Wed, 18 Nov 2026 11:06:40 GMT"),
            (-5, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (253_402_300_800, "253402300800 s after 1970"),
            (i64::MAX, "9223372036854775807 s after 1970"),
        ] {
            assert_eq!(when(at), text);
        }
    }
}
