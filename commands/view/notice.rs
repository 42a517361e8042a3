//! What is said above a card that goes on: a pasted answer was not used, and why (U4).

use std::fmt;

use latchkey::login::PasteError;
use latchkey::oauth::AnswerError;

use crate::say;
use crate::words::Language;

/// Something to tell above a card that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice(String);

impl Notice {
    /// What to tell after a paste that was not spent; `None` where the card alone says it.
    pub fn of(language: Language, error: &PasteError) -> Option<Self> {
        Some(Self(match error {
            PasteError::Unknown | PasteError::Over(_) | PasteError::NotYours => return None,
            PasteError::Answer(error) => say!(language, "paste-failed", why = answer(language, error)?),
            PasteError::NotByPaste => say!(language, "paste-not-here"),
            PasteError::InUse => say!(language, "paste-in-use"),
            PasteError::NotSent(_) => say!(language, "paste-not-sent"),
            PasteError::Closing => say!(language, "paste-closing"),
            PasteError::NoProvider => say!(language, "paste-no-provider"),
            PasteError::Store(_) => say!(language, "paste-fault"),
        }))
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why what was pasted is no answer to this login; `None` where the login is over with it.
fn answer(language: Language, error: &AnswerError) -> Option<String> {
    Some(match error {
        AnswerError::Refused { .. } => return None,
        AnswerError::Empty => say!(language, "paste-empty"),
        AnswerError::TooLong => say!(language, "paste-too-long"),
        AnswerError::BareCode => say!(language, "paste-part"),
        AnswerError::WrongAddress { expected } => {
            say!(language, "paste-wrong-address", address = expected.as_str())
        }
        AnswerError::Incomplete => say!(language, "paste-incomplete"),
        AnswerError::StateMismatch => say!(language, "paste-other-sign-in"),
        AnswerError::Duplicate { .. } | AnswerError::BothCodeAndError => say!(language, "paste-odd"),
        AnswerError::IssuerMismatch | AnswerError::IssuerMissing => say!(language, "paste-other-provider"),
    })
}
