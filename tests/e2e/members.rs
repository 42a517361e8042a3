//! The laws of the Discord side, as members meet them.

mod cancelling;
mod doors;
mod gateway;
mod guild;
mod languages;
mod links;
mod logging_out;
mod logins;
mod pasting;
mod restarts;
mod watching;

use latchkey_test_discord::{Channel, Interaction, Member};

use crate::harness::{Bot, SOON, Setup};

/// The label of the button that opens the provider's page.
pub(crate) const OPEN: &str = "Open sign-in page";
/// The label of the button that opens the form.
pub(crate) const PASTE: &str = "Paste the answer";
/// The label of the form's field, for addresses.
pub(crate) const ADDRESS: &str = "Address of the last page";

/// A bot, a member and a thread.
pub(crate) async fn ann_and_a_thread(setup: &Setup) -> (Bot, Member, Channel) {
    let bot = Bot::start(setup).await;
    (bot, setup.discord.member("ann"), setup.thread("fix-ci"))
}

/// `/auth login` in `thread`, with its card.
pub(crate) async fn login(member: &Member, thread: &Channel) -> Interaction {
    let login = member.slash("/auth login").in_thread(thread).send().await;
    login.sees_text("Sign in to Acme", SOON).await;
    login
}

/// The login ids in the custom ids of a message.
fn login_id(login: &Interaction) -> String {
    let id = login.message().button("Cancel").and_then(|button| button.custom_id);
    id.and_then(|id| id.rsplit(':').next().map(str::to_owned)).expect("a card with its cancel button")
}
