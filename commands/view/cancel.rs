//! Words of `/auth cancel` and of the cancel button (C8, C11).

use latchkey::login::Cancelled;
use latchkey::pending::{LoginStatus, PendingLogin};
use latchkey::provider::Catalog;
use latchkey::tenant::User;

use super::described::beyond_menu;
use super::{Menu, Page, Slash, clip, foreign_press, named, title};
use crate::discord::custom_id::Press;
use crate::say;
use crate::words::Language;

/// What a cancel did.
pub fn cancel_result(language: Language, cancelled: &Cancelled, catalog: &Catalog, slash: &Slash) -> Page {
    Page::new(match cancelled {
        Cancelled::Now(login) => {
            say!(language, "cancel-done", name = named(language, catalog, &login.tenant))
        }
        Cancelled::Already(LoginStatus::Succeeded) => {
            say!(language, "cancel-was-complete", logout = slash.sub("logout"))
        }
        Cancelled::Already(_) => say!(language, "cancel-was-over"),
        Cancelled::Unknown => say!(language, "cancel-unknown"),
        Cancelled::NotYours => return foreign_press(language, slash),
    })
}

/// Nothing is under way.
pub fn nothing_to_cancel(language: Language, slash: &Slash) -> Page {
    Page::new(say!(language, "cancel-nothing", login = slash.sub("login")))
}

/// Which one?
pub fn pick_login(
    language: Language,
    logins: &[PendingLogin],
    reader: &User,
    catalog: &Catalog,
    slash: &Slash,
) -> Page {
    let entries = logins.iter().map(|login| {
        let mut entry = title(catalog, &login.tenant);
        if let Some(profile) = &login.tenant.profile {
            entry = say!(language, "name-with-profile", title = entry, profile = profile.to_string());
        }
        if login.user != *reader {
            // Labels show no mentions: others' logins are told apart by the person's id.
            entry = say!(language, "cancel-entry-other", entry = entry, user = login.user.to_string());
        }
        (clip(&entry, 100), login.id.clone())
    });
    let more = beyond_menu(language, logins.len(), &slash.sub("cancel"));
    let text: Vec<_> = [say!(language, "cancel-which")].into_iter().chain(more).collect();
    Page::new(text.join("\n")).menu(Menu {
        press: Press::PickCancel,
        prompt: say!(language, "cancel-choose"),
        entries: entries.collect(),
    })
}
