//! Words of a login that is over: on its message, and in the thread (U3, U5, S9).

use latchkey::pending::{EndReason, LoginStatus, PendingLogin};
use latchkey::provider::Catalog;

use super::login::{Card, Serves};
use super::{Button, Look, Page, Slash, named, plain, title, whom};
use crate::discord::custom_id::{Press, TenantRef};
use crate::say;
use crate::words::Language;

/// The same once more: the slot, the way and the thread.
fn again(language: Language, login: &PendingLogin) -> Button {
    let press = Press::SignIn {
        tenant: TenantRef::from(&login.tenant),
        kind: Some(login.kind),
        bind: login.bind.is_some(),
    };
    Button::new(&say!(language, "login-again"), press, Look::Main)
}

/// The end, on the login's own message.
pub(super) fn ended(language: Language, card: &Card<'_>) -> Page {
    let login = card.login;
    if let Some(page) = super::confirm::ended(language, login, card.account, card.catalog, card.slash) {
        return if login.status == LoginStatus::Succeeded {
            page
        } else {
            page.buttons([again(language, login)])
        };
    }
    let name = named(language, card.catalog, &login.tenant);
    let text = match (login.status, &login.reason) {
        (LoginStatus::Succeeded, Some(EndReason::CompletedBy(other))) => {
            let status = card.slash.sub("status");
            let who = whom(language, other);
            return Page::new(say!(language, "ended-by-another", name = name, who = who, status = status));
        }
        (LoginStatus::Succeeded, _) => return Page::new(succeeded(language, card, name)),
        (LoginStatus::Cancelled, Some(EndReason::CancelledBy(by))) => {
            say!(language, "ended-cancelled-by", name = name, who = whom(language, by))
        }
        (_, Some(EndReason::Removed)) => say!(language, "ended-logged-out", name = name),
        (_, Some(EndReason::NotServed)) => return Page::new(say!(language, "ended-not-served", name = name)),
        (LoginStatus::Cancelled, _) => say!(language, "ended-cancelled", name = name),
        (LoginStatus::Expired, _) => say!(language, "ended-expired", name = name),
        (LoginStatus::Denied, _) => say!(language, "ended-denied", name = name),
        (_, reason) => {
            say!(language, "ended-failed", name = name, why = failed(language, login, reason.as_ref()))
        }
    };
    Page::new(text).buttons([again(language, login)])
}

fn succeeded(language: Language, card: &Card<'_>, name: String) -> String {
    let next = match (card.serves, &card.login.bind) {
        (Serves::This, Some(thread)) => {
            say!(language, "ended-used-here", thread = format!("<#{thread}>"))
        }
        (Serves::Another, Some(thread)) => {
            say!(language, "ended-not-used-here", thread = format!("<#{thread}>"))
        }
        _ => say!(language, "ended-ready"),
    };
    let status = card.slash.sub("status");
    if let Some(account) = card.account.map(plain) {
        say!(language, "ended-signed-in-as", name = name, account = account, next = next, status = status)
    } else {
        say!(language, "ended-signed-in", name = name, next = next, status = status)
    }
}

/// Why a login failed, with the next step.
fn failed(language: Language, login: &PendingLogin, reason: Option<&EndReason>) -> String {
    match reason {
        Some(EndReason::NotStarted) => say!(language, "ended-not-started"),
        Some(EndReason::NotStored) => say!(language, "ended-not-stored"),
        Some(EndReason::Interrupted) => say!(language, "ended-interrupted"),
        Some(EndReason::OtherAccount) => say!(language, "ended-other-account"),
        Some(EndReason::OtherOwner) => say!(language, "ended-other-owner"),
        // What another member calls their accounts is nobody else's business.
        Some(EndReason::HeldElsewhere(holder))
            if holder.user.is_some() && holder.user.as_ref() != login.user.discord() =>
        {
            say!(language, "ended-held-by-other")
        }
        Some(EndReason::HeldElsewhere(holder)) => {
            say!(language, "ended-held-elsewhere", holder = format!("`{holder}`"))
        }
        Some(EndReason::Unavailable) => say!(language, "ended-unavailable"),
        Some(EndReason::CodeRefused) => say!(language, "ended-code-refused"),
        Some(EndReason::Misconfigured(Some(said))) => {
            say!(language, "ended-misconfigured-says", said = plain(said))
        }
        Some(EndReason::Misconfigured(None)) => say!(language, "ended-misconfigured"),
        Some(EndReason::NoAccess(Some(said))) => {
            say!(language, "ended-no-access-says", said = plain(said))
        }
        Some(EndReason::NoAccess(None)) => say!(language, "ended-no-access"),
        Some(EndReason::UnknownAccount) => say!(language, "ended-unknown-account"),
        Some(EndReason::NotOffered) => say!(language, "ended-not-offered"),
        Some(EndReason::Provider(said)) if !said.is_empty() => {
            say!(language, "ended-provider-says", said = plain(said))
        }
        _ => say!(language, "ended-unknown"),
    }
}

/// U5: the end, in the thread itself, where everybody can read it.
pub fn ended_in_thread(language: Language, login: &PendingLogin, catalog: &Catalog, slash: &Slash) -> Page {
    let who = whom(language, &login.user);
    if let Some(page) = super::confirm::ended_in_thread(language, login, catalog, slash) {
        return page;
    }
    // No profile: what somebody calls their accounts is nobody else's business.
    let title = plain(&title(catalog, &login.tenant));
    let again = slash.sub("login");
    Page::new(match login.status {
        LoginStatus::Succeeded => {
            say!(language, "thread-succeeded", who = who, title = title, status = slash.sub("status"))
        }
        LoginStatus::Cancelled => {
            say!(language, "thread-cancelled", who = who, title = title, login = again)
        }
        LoginStatus::Expired => say!(language, "thread-expired", who = who, title = title, login = again),
        LoginStatus::Denied => say!(language, "thread-denied", who = who, title = title, login = again),
        _ => say!(language, "thread-failed", who = who, title = title, login = again),
    })
}

#[cfg(test)]
mod tests {
    use latchkey::pending::LoginKind;
    use latchkey::tenant::User;

    use super::super::{Does, Row};
    use super::*;

    /// U3: whoever had to go another way need not find it anew.
    #[test]
    fn signing_in_again_goes_the_same_way() {
        let slash = Slash { name: "auth".to_owned(), id: 7 };
        let (user, tenant) = ("80351110224678912".parse().unwrap(), "acme/work".parse().unwrap());
        for (kind, thread) in [(LoginKind::Device, None), (LoginKind::Paste, Some("1234".parse().unwrap()))] {
            let press = Press::SignIn {
                tenant: TenantRef::from(&tenant),
                kind: Some(kind),
                bind: Option::is_some(&thread),
            };
            let mut login = PendingLogin::new(String::new(), kind, User::clone(&user), tenant.clone(), 0, 60);
            (login.status, login.bind) = (LoginStatus::Expired, thread);
            let card = Card {
                login: &login,
                catalog: &Catalog::default(),
                barred: &[],
                slash: &slash,
                public_url: None,
                notice: None,
                serves: Serves::Untold,
                account: None,
            };
            let page = ended(Language::English, &card);
            let [Row::Buttons(buttons)] = &page.rows[..] else { panic!("{page:?}") };
            assert_eq!(buttons[0].does, Does::Press(press));
        }
    }
}
