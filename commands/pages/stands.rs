//! How a login stands after its answer.

use latchkey::pending::{EndReason, LoginStatus, PendingLogin};

use super::html::{Sheet, Tone, escape, strong};
use super::{Scene, name, thread};
use crate::say;
use crate::words::Language;

pub(super) fn sheet(
    language: Language,
    login: &PendingLogin,
    account: Option<&str>,
    scene: &Scene<'_>,
) -> Sheet {
    let name = name(language, scene, &login.tenant);
    let sheet = match (login.status, &login.reason) {
        (LoginStatus::Succeeded, Some(EndReason::CompletedBy(_))) => good(
            say!(language, "page-done-other", name = name),
            vec![say!(language, "page-done-other-text"), say!(language, "page-close")],
        ),
        (LoginStatus::Succeeded, _) => {
            let whose = match account {
                Some(account) => say!(language, "page-done-account", account = strong(account)),
                None => say!(language, "page-done-no-account"),
            };
            good(say!(language, "page-done", name = name), vec![whose, say!(language, "page-close")])
        }
        (LoginStatus::Confirming, _) => Sheet {
            text: vec![say!(language, "page-confirming-text")],
            ..Sheet::new(Tone::Wait, say!(language, "page-confirming"))
        },
        // What an admin decided about it, or did not (I5): nothing is to be tried again at once.
        (_, Some(EndReason::RefusedBy(_))) => {
            over(say!(language, "page-kept", name = name), vec![say!(language, "page-kept-text")])
        }
        (_, Some(EndReason::Unconfirmed)) => over(
            say!(language, "page-unconfirmed", name = name),
            vec![say!(language, "page-unconfirmed-text")],
        ),
        (_, Some(EndReason::NotServed)) => {
            over(say!(language, "page-cancelled", name = name), vec![say!(language, "page-not-served")])
        }
        (_, Some(EndReason::Removed)) => {
            bad(language, say!(language, "page-removed", name = name), say!(language, "page-nothing-stored"))
        }
        (LoginStatus::Cancelled, _) => bad(
            language,
            say!(language, "page-cancelled", name = name),
            say!(language, "page-nothing-stored"),
        ),
        (LoginStatus::Expired, _) => {
            bad(language, say!(language, "page-expired", name = name), say!(language, "page-nothing-stored"))
        }
        (LoginStatus::Denied, _) => {
            bad(language, say!(language, "page-denied", name = name), say!(language, "page-denied-text"))
        }
        (_, reason) => {
            let heading = say!(language, "page-failed", name = name);
            let text = why(language, reason.as_ref());
            match reason {
                // A new sign-in would fail as this one did.
                Some(EndReason::Misconfigured(_) | EndReason::NotOffered) => over(heading, vec![text]),
                _ => bad(language, heading, text),
            }
        }
    };
    Sheet { back: Some(thread(scene, login)), ..sheet }
}

fn good(heading: String, text: Vec<String>) -> Sheet {
    Sheet { text, ..Sheet::new(Tone::Good, heading) }
}

fn bad(language: Language, heading: String, text: String) -> Sheet {
    over(heading, vec![text, say!(language, "page-again")])
}

fn over(heading: String, text: Vec<String>) -> Sheet {
    Sheet { text, ..Sheet::new(Tone::Bad, heading) }
}

fn why(language: Language, reason: Option<&EndReason>) -> String {
    match reason {
        Some(EndReason::NotStored) => say!(language, "page-why-not-stored"),
        Some(EndReason::Interrupted | EndReason::NotStarted) => say!(language, "page-why-interrupted"),
        Some(EndReason::OtherAccount) => say!(language, "page-why-other-account"),
        Some(EndReason::OtherOwner) => say!(language, "page-why-other-owner"),
        // Whose slot holds it is nobody else's business.
        Some(EndReason::HeldElsewhere(_)) => say!(language, "page-why-held-elsewhere"),
        Some(EndReason::Unavailable) => say!(language, "page-why-unavailable"),
        Some(EndReason::CodeRefused) => say!(language, "page-why-code-refused"),
        Some(EndReason::Misconfigured(Some(text))) => {
            say!(language, "page-why-misconfigured-says", text = quoted(text))
        }
        Some(EndReason::Misconfigured(None)) => say!(language, "page-why-misconfigured"),
        Some(EndReason::NoAccess(Some(text))) => {
            say!(language, "page-why-no-access-says", text = quoted(text))
        }
        Some(EndReason::NoAccess(None)) => say!(language, "page-why-no-access"),
        Some(EndReason::UnknownAccount) => say!(language, "page-why-unknown-account"),
        Some(EndReason::NotOffered) => say!(language, "page-why-not-offered"),
        Some(EndReason::Provider(text)) if !text.is_empty() => {
            say!(language, "page-why-provider", text = quoted(text))
        }
        // An end of another kind, or for a reason that only a later version knows.
        None
        | Some(
            EndReason::Provider(_)
            | EndReason::CompletedBy(_)
            | EndReason::ConfirmedBy(_)
            | EndReason::RefusedBy(_)
            | EndReason::Unconfirmed
            | EndReason::CancelledBy(_)
            | EndReason::NotServed
            | EndReason::Removed,
        ) => say!(language, "page-nothing-stored"),
    }
}

/// The provider's own words.
fn quoted(text: &str) -> String {
    format!("<bdi>{}</bdi>", escape(text))
}
