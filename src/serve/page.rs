//! What a page says, before it has words.
//!
//! Owns the decisions and the HTTP status of each (RFC 9110 section 15). Must not: hold a code.

use axum::http::StatusCode;

use super::Starter;
use crate::oauth::AnswerError;
use crate::pending::PendingLogin;
use crate::secret::Secret;

/// What is to be said.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// Whose sign-in this would complete, and whether that is right (T15).
    Confirm(Box<ConfirmPage>),
    /// How a login stands after its answer.
    Stands {
        /// The login.
        login: Box<PendingLogin>,
        /// The account that was signed in, as the provider names it.
        account: Option<String>,
    },
    /// An answer to this login is being used at this moment, by this page or by a paste (C12).
    InUse(Box<PendingLogin>),
    /// The person said that the sign-in is not theirs: the answer is gone, the login goes on.
    Dropped(Box<PendingLogin>),
    /// There is nothing to go on with.
    Trouble(Trouble),
}

/// What the person is asked to confirm.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfirmPage {
    /// The login that would be completed.
    pub login: PendingLogin,
    /// Who started it; `None` where only the id is known now.
    pub starter: Option<Starter>,
    /// What the form sends back, once.
    pub ticket: Secret,
    /// What the last try came to.
    pub notice: Option<Notice>,
}

/// Why the same page is shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The provider could not be reached.
    NotSent,
    /// Something here is broken; the log says what.
    Fault,
}

/// Why there is nothing to go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The answer is none.
    Answer(AnswerError),
    /// No open login belongs to it.
    OverOrUnknown,
    /// The confirmation was used, or is too old, or was made before a restart.
    TicketGone,
    /// The program is ending; another will be there in a moment.
    Restarting,
    /// Nothing is served there.
    NotFound,
    /// That cannot be done with this page.
    Method,
    /// The address is too long.
    AddressTooLong,
    /// The form is too large.
    FormTooLarge,
    /// The form took too long to arrive.
    FormTooSlow,
    /// The form is not one of ours.
    BadForm,
    /// Something here is broken; the log says what.
    Fault,
}

impl Page {
    /// The status it is sent with.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Confirm(confirmation) if confirmation.notice.is_some() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Confirm(_) | Self::Stands { .. } | Self::Dropped(_) => StatusCode::OK,
            Self::InUse(_) => StatusCode::CONFLICT,
            Self::Trouble(trouble) => match trouble {
                Trouble::Answer(_) | Trouble::BadForm => StatusCode::BAD_REQUEST,
                Trouble::OverOrUnknown | Trouble::TicketGone => StatusCode::GONE,
                Trouble::Restarting => StatusCode::SERVICE_UNAVAILABLE,
                Trouble::NotFound => StatusCode::NOT_FOUND,
                Trouble::Method => StatusCode::METHOD_NOT_ALLOWED,
                Trouble::AddressTooLong => StatusCode::URI_TOO_LONG,
                Trouble::FormTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Trouble::FormTooSlow => StatusCode::REQUEST_TIMEOUT,
                Trouble::Fault => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }
}
