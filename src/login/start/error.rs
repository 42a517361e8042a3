//! Why a login could not be started.
//!
//! Owns [`StartError`], whose texts are for a terminal; members read those of the program. Must not: hold a secret.

use std::time::Duration;

use crate::store::StoreError;
use crate::tenant::TenantKey;

/// Why a login could not be started. Nothing of it is left behind.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StartError {
    /// The tenant's provider is not configured.
    #[error("provider {provider} is not offered here")]
    UnknownProvider {
        /// As asked for.
        provider: String,
    },
    /// The provider offers no way to sign in, or not the one that was chosen.
    #[error("{provider} offers no such way to sign in; ask an operator to look at its flows")]
    NoFlow {
        /// Its title.
        provider: String,
    },
    /// Too many starts in a minute (S7).
    #[error("too many sign-ins were started; try again in {} s", .wait.as_secs().max(1))]
    RateLimited {
        /// How long to wait.
        wait: Duration,
    },
    /// Too many starts of all members in a minute.
    #[error("too many sign-ins were started in this server; try again in {} s", .wait.as_secs().max(1))]
    GuildRateLimited {
        /// How long to wait.
        wait: Duration,
    },
    /// Too many logins of this person are open.
    #[error(
        "as many sign-ins are open as there may be ({most}); finish or cancel one (`latchkey logout <tenant>` ends one from here), or try again in {} s",
        .wait.as_secs().max(1)
    )]
    TooManyOpen {
        /// How many there may be.
        most: u32,
        /// How long until the first ends by itself.
        wait: Duration,
    },
    /// This member keeps too many sign-ins of their own.
    #[error(
        "this member keeps as many sign-ins as there may be ({most}); log one out that is no longer needed, then try again"
    )]
    TooManyKept {
        /// How many there may be.
        most: u32,
    },
    /// The slot holds what this person may not replace (I6, I8).
    #[error("{tenant} belongs to somebody else: its owner or an admin must log it out first")]
    NotYours {
        /// The slot.
        tenant: TenantKey,
    },
    /// The provider did not open a login; trying again may help.
    #[error("the provider could not be asked: {why}")]
    Transient {
        /// What happened.
        why: String,
    },
    /// The provider has switched this way off; another way may work.
    #[error("{why}")]
    SwitchedOff {
        /// What it says.
        why: String,
    },
    /// The operator must mend something.
    #[error("{why}")]
    Operator {
        /// What is wrong.
        why: String,
    },
    /// The provider refuses our client or request, which the operator must mend.
    #[error("{why}")]
    Refused {
        /// What is wrong.
        why: String,
        /// What the provider itself says, where it says anything.
        said: Option<String>,
    },
    /// Another start of the same login was joined, and it failed.
    #[error("the sign-in could not be started; try again")]
    JoinedFailed,
    /// An earlier sign-in of this slot is still being worked on, although it is over.
    #[error("an earlier sign-in is still being wound up; try again in a moment")]
    WindingUp,
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}
