//! Words for those who may not, and for when something went wrong.

use latchkey::config::Access;

use super::{Button, Look, Page, Slash, clip};
use crate::discord::custom_id::Press;

/// The longest label or value of an autocomplete choice, in characters.
pub const CHOICE_CAP: usize = 100;

/// U7: what is missing, and nothing else.
pub fn not_allowed(access: &Access) -> Page {
    let roles: Vec<_> = access.members.roles.iter().map(|role| format!("<@&{role}>")).collect();
    let missing = match roles.as_slice() {
        [] if access.members.users.is_empty() => {
            "Nobody is admitted here yet. Ask an admin of this server to name the roles or people who may sign in."
                .to_owned()
        }
        [] => "You are not on the list of those who may. Ask an admin of this server to add you.".to_owned(),
        [one] => format!("You need the role {one}. Ask an admin of this server for it."),
        several => format!("You need one of these roles: {}. Ask an admin of this server.", several.join(", ")),
    };
    Page::new(format!("**You can't use this here.**\n{missing}"))
}

/// U9: a button or form of something that is over, or that we never made.
pub fn over_or_unknown(slash: &Slash) -> Page {
    Page::new(format!(
        "**That sign-in is over.**\nIts message no longer works. Start a new one with the button below or with {}.",
        slash.sub("login")
    ))
    .buttons([Button::new("Start a new sign-in", Press::Start, Look::Main)])
}

/// C11: somebody else's login.
pub fn foreign_press(slash: &Slash) -> Page {
    Page::new(format!(
        "**That sign-in is somebody else's.**\nOnly the person who started it can finish or cancel it. To sign in \
         yourself, use {}.",
        slash.sub("login")
    ))
}

/// Something of ours broke.
pub fn went_wrong(slash: &Slash) -> Page {
    Page::new(format!(
        "**Something went wrong here.**\nIt was written to the log for the operator. Try again in a moment; {} shows \
         how things stand.",
        slash.sub("status")
    ))
}

/// The program is about to end.
pub fn closing() -> Page {
    Page::new("**Latchkey is restarting.**\nNothing is lost. Try again in a minute.")
}

/// The label of an autocomplete choice.
pub fn autocomplete_label(text: &str) -> String {
    clip(text, CHOICE_CAP)
}
