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
        (_, Some(EndReason::Removed)) => {
            bad(language, say!(language, "page-removed", name = name), say!(language, "page-nothing-stored"))
        }
        (_, Some(EndReason::RefusedBy(_))) => {
            bad(language, say!(language, "page-kept", name = name), say!(language, "page-kept-text"))
        }
        (_, Some(EndReason::Unconfirmed)) => bad(
            language,
            say!(language, "page-unconfirmed", name = name),
            say!(language, "page-unconfirmed-text"),
        ),
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
            bad(language, say!(language, "page-failed", name = name), why(language, reason.as_ref()))
        }
    };
    Sheet { back: Some(thread(scene, login)), ..sheet }
}

fn good(heading: String, text: Vec<String>) -> Sheet {
    Sheet { text, ..Sheet::new(Tone::Good, heading) }
}

fn bad(language: Language, heading: String, text: String) -> Sheet {
    Sheet { text: vec![text, say!(language, "page-again")], ..Sheet::new(Tone::Bad, heading) }
}

fn why(language: Language, reason: Option<&EndReason>) -> String {
    match reason {
        Some(EndReason::NotStored) => say!(language, "page-why-not-stored"),
        Some(EndReason::Interrupted | EndReason::NotStarted) => say!(language, "page-why-interrupted"),
        Some(EndReason::OtherAccount) => say!(language, "page-why-other-account"),
        Some(EndReason::OtherOwner) => say!(language, "page-why-other-owner"),
        // Whose slot holds it is nobody else's business.
        Some(EndReason::HeldElsewhere(_)) => say!(language, "page-why-held-elsewhere"),
        Some(EndReason::Provider(text)) => {
            say!(language, "page-why-provider", text = format!("<bdi>{}</bdi>", escape(text)))
        }
        _ => say!(language, "page-nothing-stored"),
    }
}
