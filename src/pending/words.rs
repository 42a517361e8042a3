//! The words for kinds and ends of logins, in the auth file, in metrics and in audit lines: a contract.
//!
//! Must not: hold what a provider or a person said.

use super::{EndReason, LoginKind};

impl LoginKind {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Paste => "paste",
            Self::Callback => "callback",
        }
    }
}

impl EndReason {
    /// Its word, without who or what.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::CompletedBy(_) => "completed_by",
            Self::CancelledBy(_) => "cancelled_by",
            Self::NotStarted => "not_started",
            Self::NotStored => "not_stored",
            Self::Interrupted => "interrupted",
            Self::OtherAccount => "other_account",
            Self::OtherOwner => "other_owner",
            Self::ConfirmedBy(_) => "confirmed_by",
            Self::RefusedBy(_) => "refused_by",
            Self::Unconfirmed => "unconfirmed",
            Self::HeldElsewhere(_) => "held_elsewhere",
            Self::Removed => "removed",
            Self::NotServed => "not_served",
            Self::Unavailable => "unavailable",
            Self::CodeRefused => "code_refused",
            Self::Misconfigured(_) => "misconfigured",
            Self::NoAccess(_) => "no_access",
            Self::UnknownAccount => "unknown_account",
            Self::NotOffered => "not_offered",
            Self::Provider(_) => "provider",
        }
    }
}
