//! Words of a sign-in with another account than the shared one: the question, the answers, and how it ended (I5).
//!
//! Owns two kinds of texts. What everybody in a thread reads names people and the provider, and no account (U2); what one
//! person reads alone may show the accounts.

use latchkey::credential::Account;
use latchkey::login::Question;
use latchkey::pending::{EndReason, LoginStatus, PendingLogin};
use latchkey::provider::Catalog;
use latchkey::tenant::{TenantKey, User};

use super::{Button, Look, Page, Slash, named, plain, title, when, whom};
use crate::discord::custom_id::Press;
use crate::say;
use crate::words::Language;

fn account(language: Language, account: &Account) -> String {
    account.label().map_or_else(|| say!(language, "confirm-nameless"), plain)
}

/// Whose account the slot holds now, and who signed it in.
fn present(language: Language, question: &Question) -> String {
    let Some(now) = &question.now else { return say!(language, "confirm-none") };
    let now = account(language, now);
    match &question.owner {
        Some(owner) => say!(language, "confirm-account-of", account = now, user = whom(language, owner)),
        None => now,
    }
}

fn use_new(language: Language, press: Press, look: Look) -> Button {
    Button::new(&say!(language, "confirm-use-new"), press, look)
}

fn keep(language: Language, press: Press, look: Look) -> Button {
    Button::new(&say!(language, "confirm-keep"), press, look)
}

/// The card of whoever signed in: what it waits for. An admin decides there.
pub fn waiting(
    language: Language,
    login: &PendingLogin,
    question: Option<&Question>,
    catalog: &Catalog,
) -> Page {
    let name = named(language, catalog, &login.tenant);
    let ends = when(login.expires_at);
    let cancel =
        || Button::new(&say!(language, "confirm-cancel"), Press::Cancel(login.id.clone()), Look::Danger);
    let Some(question) = question else {
        return Page::new(say!(language, "confirm-waits", name = name, when = ends)).buttons([cancel()]);
    };
    let (now, then) = (present(language, question), account(language, &question.then));
    if login.by_admin {
        let text = say!(language, "confirm-own", name = name, now = now, then = then, when = ends);
        let agree = Press::Agree { login: login.id.clone(), seen: question.seen.clone() };
        return Page::new(text).buttons([
            use_new(language, agree, Look::Danger),
            keep(language, Press::Refuse(login.id.clone()), Look::Main),
        ]);
    }
    let text = say!(language, "confirm-waits-with", name = name, now = now, then = then, when = ends);
    Page::new(text).buttons([cancel()])
}

/// The question, in the thread, where everybody can read it.
pub fn question_in_thread(
    language: Language,
    login: &PendingLogin,
    mentions: &[String],
    catalog: &Catalog,
) -> Page {
    let text = say!(
        language,
        "confirm-question",
        user = whom(language, &login.user),
        name = named(language, catalog, &login.tenant),
        when = when(login.expires_at)
    );
    let text = if mentions.is_empty() { text } else { format!("{} {text}", mentions.join(" ")) };
    Page::new(text).buttons([
        use_new(language, Press::Replace(login.id.clone()), Look::Main),
        keep(language, Press::KeepPresent(login.id.clone()), Look::Plain),
    ])
}

/// The step before it takes effect, for one admin's eyes: both accounts. `prefers_new` is what they pressed; `changed`,
/// that what they were shown before is so no more.
pub fn decide(
    language: Language,
    question: &Question,
    prefers_new: bool,
    changed: bool,
    catalog: &Catalog,
) -> Page {
    let login = &question.login;
    let text = say!(
        language,
        "confirm-step",
        name = named(language, catalog, &login.tenant),
        now = present(language, question),
        then = account(language, &question.then),
        user = whom(language, &login.user),
        when = when(login.expires_at)
    );
    let text = if changed { format!("{}\n{text}", say!(language, "confirm-changed")) } else { text };
    let agree = Press::Agree { login: login.id.clone(), seen: question.seen.clone() };
    let new = use_new(language, agree, if prefers_new { Look::Danger } else { Look::Plain });
    let old = Press::Refuse(login.id.clone());
    let old = keep(language, old, if prefers_new { Look::Plain } else { Look::Main });
    Page::new(text).buttons(if prefers_new { [new, old] } else { [old, new] })
}

/// Somebody pressed who may not decide.
pub fn only_admins_decide(language: Language, slash: &Slash) -> Page {
    Page::new(say!(language, "confirm-only-admins", status = slash.sub("status")))
}

/// How the question ended, for everybody to read: what was decided, and by whom.
pub fn decided(language: Language, login: &PendingLogin, catalog: &Catalog) -> Page {
    let name = named(language, catalog, &login.tenant);
    let asker = whom(language, &login.user);
    let who = |user: &User| whom(language, user);
    Page::new(match (login.status, &login.reason) {
        (LoginStatus::Succeeded, Some(EndReason::ConfirmedBy(by))) => {
            say!(language, "confirm-decided-new", name = name, user = asker, by = who(by))
        }
        (LoginStatus::Succeeded, Some(EndReason::CompletedBy(by))) => {
            say!(language, "confirm-decided-completed", name = name, user = asker, by = who(by))
        }
        (_, Some(EndReason::RefusedBy(by))) => {
            say!(language, "confirm-decided-kept", name = name, user = asker, by = who(by))
        }
        (_, Some(EndReason::CancelledBy(by))) => {
            say!(language, "confirm-decided-cancelled", name = name, user = asker, by = who(by))
        }
        (_, Some(EndReason::Removed)) => say!(language, "confirm-decided-removed", name = name),
        // Nobody withdrew it, and why somebody is not served is not everybody's business.
        (_, Some(EndReason::NotServed)) => decided_otherwise(language, &login.tenant, catalog).text,
        (LoginStatus::Cancelled, _) => {
            say!(language, "confirm-decided-withdrawn", name = name, user = asker)
        }
        (LoginStatus::Expired, _) => say!(language, "confirm-decided-expired", name = name, user = asker),
        _ => decided_otherwise(language, &login.tenant, catalog).text,
    })
}

/// The question is over, and how is not known here.
pub fn decided_otherwise(language: Language, tenant: &TenantKey, catalog: &Catalog) -> Page {
    Page::new(say!(language, "confirm-decided-otherwise", name = named(language, catalog, tenant)))
}

/// The end, on the card of whoever signed in, where it ended by an admin's word or for want of one.
pub(super) fn ended(
    language: Language,
    login: &PendingLogin,
    account: Option<&str>,
    catalog: &Catalog,
    slash: &Slash,
) -> Option<Page> {
    let name = named(language, catalog, &login.tenant);
    let status = slash.sub("status");
    Some(Page::new(match login.reason.as_ref()? {
        EndReason::ConfirmedBy(by) => {
            let account = account.map_or_else(|| say!(language, "confirm-nameless"), plain);
            let by = whom(language, by);
            say!(language, "confirm-ended-new", name = name, account = account, by = by, status = status)
        }
        EndReason::RefusedBy(by) if login.by_admin => {
            say!(language, "confirm-ended-kept-admin", name = name, by = whom(language, by))
        }
        EndReason::RefusedBy(by) => {
            say!(language, "confirm-ended-kept", name = name, by = whom(language, by))
        }
        EndReason::Unconfirmed if login.by_admin => {
            say!(language, "confirm-ended-expired-admin", name = name)
        }
        EndReason::Unconfirmed => say!(language, "confirm-ended-expired", name = name),
        _ => return None,
    }))
}

/// U5: the same, in the thread itself, where everybody can read it.
pub(super) fn ended_in_thread(
    language: Language,
    login: &PendingLogin,
    catalog: &Catalog,
    slash: &Slash,
) -> Option<Page> {
    let (user, name) = (whom(language, &login.user), plain(&title(catalog, &login.tenant)));
    let (status, start) = (slash.sub("status"), slash.sub("login"));
    Some(Page::new(match login.reason.as_ref()? {
        EndReason::ConfirmedBy(_) => {
            say!(language, "confirm-told-new", user = user, name = name, status = status)
        }
        EndReason::RefusedBy(_) => say!(language, "confirm-told-kept", user = user, name = name),
        EndReason::Unconfirmed => {
            say!(language, "confirm-told-expired", user = user, name = name, login = start)
        }
        _ => return None,
    }))
}

/// The way to decide without the question's message: an admin's button below a status.
pub(super) fn status_button(
    language: Language,
    login: &str,
    tenant: &TenantKey,
    catalog: &Catalog,
) -> Button {
    let label = say!(language, "confirm-status-decide", name = title(catalog, tenant));
    Button::new(&label, Press::Replace(login.to_owned()), Look::Main)
}
