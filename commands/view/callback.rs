//! What the card of a login says that ends on our own page (U3).

use latchkey::pending::PendingLogin;

use super::{Button, Look};
use crate::discord::custom_id::Press;
use crate::say;
use crate::words::Language;

fn language(login: &PendingLogin) -> Language {
    Language::of(login.locale.as_deref().unwrap_or_default())
}

/// What to do; `pressed` where the link is a button.
pub(super) fn steps(login: &PendingLogin, pressed: bool) -> Vec<String> {
    let language = language(login);
    let open = if pressed { say!(language, "callback-open") } else { say!(language, "callback-open-below") };
    vec![open, say!(language, "callback-confirm"), say!(language, "callback-paste-hint")]
}

/// For a page that does not load: its address holds the answer all the same.
pub(super) fn paste(login: &PendingLogin) -> Button {
    Button::new(&say!(language(login), "callback-paste"), Press::Paste(login.id.clone()), Look::Plain)
}

/// What never to do.
pub(super) fn warning(login: &PendingLogin) -> String {
    say!(language(login), "callback-warning")
}
