//! Words of a login that is over: on its message, and in the thread (U3, U5, S9).

use latchkey::pending::{EndReason, LoginStatus, PendingLogin};
use latchkey::provider::Catalog;

use super::login::{Card, Serves};
use super::{Button, Look, Page, Slash, name, plain, title, who};
use crate::discord::custom_id::{Press, TenantRef};
use crate::words::Language;

fn again(login: &PendingLogin) -> Button {
    let press =
        Press::SignIn { tenant: TenantRef::from(&login.tenant), kind: None, bind: login.bind.is_some() };
    Button::new("Sign in again", press, Look::Main)
}

/// The end, on the login's own message.
pub(super) fn ended(card: &Card<'_>) -> Page {
    let login = card.login;
    let language = super::login::language_of(login);
    if let Some(page) = super::confirm::ended(language, login, card.account, card.catalog, card.slash) {
        return if login.status == LoginStatus::Succeeded { page } else { page.buttons([again(login)]) };
    }
    let name = name(card.catalog, &login.tenant);
    let page = match (login.status, &login.reason) {
        (LoginStatus::Succeeded, Some(EndReason::CompletedBy(other))) => {
            return Page::new(format!(
                "✅ **{name} is signed in.**\nCompleted by {}. There is nothing left for you to do; {} shows how it is.",
                who(other),
                card.slash.sub("status")
            ));
        }
        (LoginStatus::Succeeded, _) => return succeeded(card, &name),
        (LoginStatus::Cancelled, Some(EndReason::CancelledBy(by))) => Page::new(format!(
            "**The sign-in to {name} was cancelled by {}.**\nNothing was stored. Ask them why before you start again.",
            who(by)
        )),
        (_, Some(EndReason::Removed)) => Page::new(format!(
            "**The sign-in to {name} was stopped, since {name} was logged out meanwhile.**\nNothing was stored."
        )),
        (LoginStatus::Cancelled, _) => {
            Page::new(format!("**The sign-in to {name} was cancelled.**\nNothing was stored."))
        }
        (LoginStatus::Expired, _) => Page::new(format!(
            "**The sign-in to {name} took too long and has expired.**\nNothing was stored. Start again when you are \
             ready."
        )),
        (LoginStatus::Denied, _) => Page::new(format!(
            "**The sign-in to {name} was refused on its page.**\nNothing was stored. If that was not meant, start again \
             and agree there."
        )),
        (_, reason) => failed(login, &name, reason.as_ref()),
    };
    page.buttons([again(login)])
}

fn succeeded(card: &Card<'_>, name: &str) -> Page {
    let account = card.account.map(|account| format!(" as {}", plain(account))).unwrap_or_default();
    let next = match (card.serves, &card.login.bind) {
        (Serves::This, Some(thread)) => format!("Every agent in <#{thread}> uses it from now on."),
        (Serves::Another, Some(thread)) => format!(
            "<#{thread}> stays with another member's sign-in; an admin of this server can change that."
        ),
        _ => "It is ready to use.".to_owned(),
    };
    Page::new(format!(
        "✅ **Signed in to {name}{account}.**\n{next} {} shows how it is.",
        card.slash.sub("status")
    ))
}

fn failed(login: &PendingLogin, name: &str, reason: Option<&EndReason>) -> Page {
    let why = match reason {
        Some(EndReason::NotStarted) => {
            "Latchkey was restarted just as it was starting. Nothing was stored. Sign in again.".to_owned()
        }
        Some(EndReason::NotStored) => {
            "You did everything right, but it could not be stored here. Tell the operator, then sign in again."
                .to_owned()
        }
        Some(EndReason::Interrupted) => {
            "Latchkey was restarted just as your answer was being checked, so it cannot be used any more. Nothing was \
             stored. Sign in again."
                .to_owned()
        }
        Some(EndReason::OtherAccount) => {
            "You signed in with another account than the one in use here. Nothing was changed. Sign in with that \
             account, or have it logged out first."
                .to_owned()
        }
        Some(EndReason::OtherOwner) => {
            "It belongs to another member. Nothing was changed. They or an admin of this server must log it out first."
                .to_owned()
        }
        Some(EndReason::HeldElsewhere(holder)) => {
            // What another member calls their accounts is nobody else's business.
            let foreign = holder.user.is_some() && holder.user.as_ref() != login.user.discord();
            let holder = if foreign { "another member's slot".to_owned() } else { format!("`{holder}`") };
            format!(
                "The provider gave the very sign-in that {holder} holds already, and one sign-in has one place here. \
                 Nothing was changed. Use that one, or log it out first."
            )
        }
        Some(EndReason::Provider(text)) => {
            format!("It answered: {}. Nothing was stored. Sign in again; if it fails again, tell an admin.", plain(text))
        }
        _ => "Nothing was stored. Sign in again; if it fails again, tell an admin.".to_owned(),
    };
    Page::new(format!("❌ **The sign-in to {name} failed.**\n{why}"))
}

/// U5: the end, in the thread itself, where everybody can read it.
pub fn ended_in_thread(language: Language, login: &PendingLogin, catalog: &Catalog, slash: &Slash) -> Page {
    if let Some(page) = super::confirm::ended_in_thread(language, login, catalog, slash) {
        return page;
    }
    let how = match login.status {
        LoginStatus::Succeeded => "is complete",
        LoginStatus::Cancelled => "was cancelled",
        LoginStatus::Expired => "has expired",
        LoginStatus::Denied => "was refused",
        _ => "failed",
    };
    let next = if login.status == LoginStatus::Succeeded {
        format!("{} shows how it is.", slash.sub("status"))
    } else {
        format!("Start again with {} when you like.", slash.sub("login"))
    };
    // No profile: what somebody calls their accounts is nobody else's business.
    let title = plain(&title(catalog, &login.tenant));
    Page::new(format!("{}, your sign-in to {title} {how}. {next}", who(&login.user)))
}
