//! Words for those who may not, and for when something went wrong.

use std::time::Duration;

use latchkey::clock::UnixSeconds;
use latchkey::config::Access;

use super::{Button, Look, Page, Slash, after, clip};
use crate::discord::custom_id::Press;
use crate::say;
use crate::words::Language;

/// The longest label or value of an autocomplete choice, in characters.
pub const CHOICE_CAP: usize = 100;

/// U7: what is missing, and nothing else.
pub fn not_allowed(language: Language, access: &Access) -> Page {
    let roles: Vec<_> = access.members.roles.iter().map(|role| format!("<@&{role}>")).collect();
    let missing = match roles.as_slice() {
        [] if access.members.users.is_empty() => say!(language, "not-allowed-nobody"),
        [] => say!(language, "not-allowed-unlisted"),
        [one] => say!(language, "not-allowed-role", role = one.as_str()),
        several => say!(language, "not-allowed-roles", roles = several.join(", ")),
    };
    Page::new(say!(language, "not-allowed", missing = missing))
}

/// U9: a button or form of something that is over, or that we never made.
pub fn over_or_unknown(language: Language, slash: &Slash) -> Page {
    let start = say!(language, "over-or-unknown-start");
    Page::new(say!(language, "over-or-unknown", login = slash.sub("login"))).buttons([Button::new(
        &start,
        Press::Start,
        Look::Main,
    )])
}

/// C11: somebody else's login.
pub fn foreign_press(language: Language, slash: &Slash) -> Page {
    Page::new(say!(language, "foreign-press", login = slash.sub("login")))
}

/// Something of ours broke.
pub fn went_wrong(language: Language, slash: &Slash) -> Page {
    Page::new(say!(language, "went-wrong", status = slash.sub("status")))
}

/// The program is about to end.
pub fn closing(language: Language) -> Page {
    Page::new(say!(language, "closing"))
}

/// More at once than one member is answered.
pub fn too_fast(language: Language, wait: Duration, now: UnixSeconds) -> Page {
    Page::new(say!(language, "too-fast", when = after(wait, now)))
}

/// The label of an autocomplete choice.
pub fn autocomplete_label(text: &str) -> String {
    clip(text, CHOICE_CAP)
}
