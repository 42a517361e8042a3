//! Pages for what cannot go on.

use super::html::{Sheet, Tone};
use super::{AnswerError, Language, Scene, Trouble, home};
use crate::say;

pub(super) fn sheet(language: Language, trouble: &Trouble, scene: &Scene<'_>) -> Sheet {
    let (heading, text) = match trouble {
        Trouble::Answer(AnswerError::IssuerMismatch | AnswerError::IssuerMissing) => {
            (say!(language, "page-issuer"), say!(language, "page-issuer-text"))
        }
        Trouble::Answer(AnswerError::Incomplete) => {
            (say!(language, "page-incomplete"), say!(language, "page-incomplete-text"))
        }
        Trouble::Answer(_) => (say!(language, "page-odd"), say!(language, "page-odd-text")),
        Trouble::OverOrUnknown => (say!(language, "page-over"), say!(language, "page-over-text")),
        Trouble::TicketGone => (say!(language, "page-ticket"), say!(language, "page-ticket-text")),
        Trouble::Restarting => (say!(language, "page-restarting"), say!(language, "page-restarting-text")),
        Trouble::NotFound => (say!(language, "page-not-found"), say!(language, "page-not-found-text")),
        Trouble::Method
        | Trouble::AddressTooLong
        | Trouble::FormTooLarge
        | Trouble::FormTooSlow
        | Trouble::BadForm => (say!(language, "page-bad-request"), say!(language, "page-bad-request-text")),
        Trouble::Fault => (say!(language, "page-fault"), say!(language, "page-fault-text")),
    };
    let tone = if *trouble == Trouble::Restarting { Tone::Wait } else { Tone::Bad };
    // To nobody that has no business here is the way in told.
    let back = (!matches!(trouble, Trouble::NotFound | Trouble::Method)).then(|| home(scene));
    Sheet { text: vec![text], back, ..Sheet::new(tone, heading) }
}
