//! Words of `/auth cancel` and of the cancel button (C8, C11).

use latchkey::login::Cancelled;
use latchkey::pending::{LoginStatus, PendingLogin};
use latchkey::provider::Catalog;
use latchkey::tenant::User;

use super::{Menu, Page, Slash, clip, foreign_press, name, title};
use crate::discord::custom_id::Press;

/// What a cancel did.
pub fn cancel_result(cancelled: &Cancelled, catalog: &Catalog, slash: &Slash) -> Page {
    match cancelled {
        Cancelled::Now(login) => Page::new(format!(
            "**The sign-in to {} was cancelled.**\nNothing was stored.",
            name(catalog, &login.tenant)
        )),
        Cancelled::Already(LoginStatus::Succeeded) => Page::new(format!(
            "**That sign-in was complete before.**\nIt stays. To end it, use {}.",
            slash.sub("logout")
        )),
        Cancelled::Already(_) => Page::new("**That sign-in was over before.**\nNothing was changed."),
        Cancelled::Unknown => Page::new("**Cancelled.**\nNo such sign-in is under way."),
        Cancelled::NotYours => foreign_press(slash),
    }
}

/// Nothing is under way.
pub fn nothing_to_cancel(slash: &Slash) -> Page {
    Page::new(format!("**You have no sign-in under way.**\n{} starts one.", slash.sub("login")))
}

/// Which one?
pub fn pick_login(logins: &[PendingLogin], reader: &User, catalog: &Catalog) -> Page {
    let entries = logins.iter().map(|login| {
        // Labels show no mentions: others' logins are told apart by the person's id.
        let whose = if login.user == *reader { String::new() } else { format!(", of {}", login.user) };
        let profile = login.tenant.profile.as_ref().map(|p| format!(", profile {p}")).unwrap_or_default();
        (clip(&format!("{}{profile}{whose}", title(catalog, &login.tenant)), 100), login.id.clone())
    });
    Page::new("**Which sign-in do you want to cancel?**").menu(Menu {
        press: Press::PickCancel,
        prompt: "Choose a sign-in".to_owned(),
        entries: entries.collect(),
    })
}
