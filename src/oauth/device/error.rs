//! Why a device login could not be started, and who can do something about it.

use std::time::Duration;

use crate::oauth::http::{TransportError, UnknownCause};
use crate::oauth::refusal::{Refusal, RefusalKind};

/// Why a device login could not be started. Nothing is pending at the provider that anybody could complete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The descriptor has no device authorization endpoint.
    #[error(
        "{provider} has no device sign-in: configure its device_authorization_endpoint, or choose another way"
    )]
    NotOffered {
        /// The provider's title.
        provider: String,
    },
    /// The provider has switched device sign-in off, for this client or altogether.
    #[error("device sign-in is switched off at {provider}: choose another way")]
    Disabled {
        /// The provider's title.
        provider: String,
    },
    /// A definite refusal.
    #[error(transparent)]
    Refused(Refusal),
    /// Nothing was sent.
    #[error(transparent)]
    NotSent(TransportError),
    /// No whole answer. A new start is harmless.
    #[error(transparent)]
    Unknown(UnknownCause),
    /// A success that lacks what it must hold (C9), or holds what cannot be shown.
    #[error("the provider's answer has no usable {what}")]
    Incomplete {
        /// The member at fault.
        what: &'static str,
    },
}

/// Who can do something about a [`StartError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartClass {
    /// Nobody needs to: the next start may work.
    Transient {
        /// How long the server asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The operator.
    Operator,
    /// The person, by another way to sign in.
    Disabled,
}

impl StartError {
    /// Who can do something about it.
    #[must_use]
    pub fn class(&self) -> StartClass {
        match self {
            Self::Disabled { .. } => StartClass::Disabled,
            Self::Refused(Refusal { kind: RefusalKind::Transient { retry_after }, .. }) => {
                StartClass::Transient { retry_after: *retry_after }
            }
            Self::NotSent(error) if error.is_operators() => StartClass::Operator,
            Self::NotOffered { .. } | Self::Refused(_) | Self::Incomplete { .. } => StartClass::Operator,
            Self::NotSent(_) | Self::Unknown(_) => StartClass::Transient { retry_after: None },
        }
    }
}
