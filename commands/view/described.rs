//! A tenant in words, for one reader: what it is called, and whose it is.
//!
//! Invariant: what another member calls their own accounts is said to nobody but an admin (U7).

use latchkey::broker::{Act, Caller, is_own, may};
use latchkey::provider::Catalog;
use latchkey::tenant::{TenantKey, User};

use super::{CHOICE_CAP, MENU_CAP, clip, named, plain, title, whom};
use crate::say;
use crate::words::Language;

/// Its name, as far as `reader` may know it: "Codex, profile work".
pub(super) fn called(language: Language, tenant: &TenantKey, reader: &Caller, catalog: &Catalog) -> String {
    if may(reader, Act::Use, tenant).is_yes() {
        named(language, catalog, tenant)
    } else {
        plain(&title(catalog, tenant))
    }
}

/// Whose it is: "your own", "shared by this server".
pub(super) fn whose(language: Language, tenant: &TenantKey, reader: &Caller) -> String {
    match &tenant.user {
        None => say!(language, "whose-shared"),
        Some(_) if is_own(reader, tenant) => say!(language, "whose-own"),
        Some(user) => say!(language, "whose-of", who = whom(language, &User::Discord(user.clone()))),
    }
}

/// Name and owner: "Codex, profile work (your own)".
pub(super) fn described(
    language: Language,
    tenant: &TenantKey,
    reader: &Caller,
    catalog: &Catalog,
) -> String {
    let (name, whose) = (called(language, tenant, reader, catalog), whose(language, tenant, reader));
    say!(language, "described", name = name, whose = whose)
}

/// The label of a menu's entry or of a choice, which shows no mentions and no Markdown: others' are told apart by the
/// person's id.
pub fn label(language: Language, tenant: &TenantKey, reader: &Caller, catalog: &Catalog) -> String {
    let mut name = title(catalog, tenant);
    if let Some(profile) = &tenant.profile {
        name = say!(language, "name-with-profile", title = name, profile = profile.to_string());
    }
    let whose = match &tenant.user {
        Some(user) if !is_own(reader, tenant) => say!(language, "whose-of", who = user.to_string()),
        _ => whose(language, tenant, reader),
    };
    clip(&say!(language, "described", name = name, whose = whose), CHOICE_CAP)
}

/// What to say below a question whose menu does not hold all of `count` entries: `command` takes what is typed.
pub(super) fn beyond_menu(language: Language, count: usize, command: &str) -> Option<String> {
    let left = count.checked_sub(MENU_CAP).filter(|left| *left > 0)?;
    Some(say!(language, "menu-more", count = left, command = command))
}
