//! Links that are too long for a button (U4).

use latchkey_test_authority::Person;
use latchkey_test_discord::Interaction;

use crate::harness::{Bot, SOON, Setup};

/// The label of a link, in German.
const OPEN: &str = "Anmeldeseite öffnen";

/// A German member's login at a provider whose link is longer than `length`, with `more` in the configuration.
async fn login_by_link(length: usize, more: &str) -> (Setup, Bot, Interaction) {
    let padding = "x".repeat(length);
    let acme = format!("flows = [\"paste\"]\nauthorize_params = {{ login_hint = \"{padding}\" }}");
    let setup = Setup::plan().acme(&acme).more(more).start().await;
    let bot = Bot::start(&setup).await;
    let ann = setup.discord.member("ann").locale("de");
    let login = ann.slash("/auth login").in_thread(&setup.thread("fix-ci")).send().await;
    login.sees_text("Acme", SOON).await;
    (setup, bot, login)
}

/// U4: in an embed, where it leads to the same end.
#[tokio::test]
async fn a_link_too_long_for_a_button_is_masked_and_works() {
    let (setup, _bot, login) = login_by_link(600, "").await;
    let link = login.link(OPEN);
    assert!(link.len() > 512 && login.message().button(OPEN).is_none(), "{}", login.story());
    let answer = setup.authority.sign_in(&link, &Person::ada()).await;
    let form = login.click("Antwort einfügen").await;
    let done = form.submit_modal([("Adresse der letzten Seite", answer.as_str())]).await;
    done.sees_text("Angemeldet bei Acme", SOON).await;
    assert!(done.message().embeds().is_empty(), "the link goes with the login: {}", done.story());
    setup.discord.assert_clean();
}

/// U4: behind a short address of our own, where we have one.
#[tokio::test]
async fn a_link_too_long_for_an_embed_hides_behind_our_own_address() {
    let http = "[http]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://login.example.org/\"";
    let (setup, _bot, login) = login_by_link(5_000, http).await;
    let id =
        login.message().button("Abbrechen").and_then(|button| button.custom_id).expect("its cancel button");
    let id = id.rsplit(':').next().unwrap_or_default();
    assert_eq!(login.link(OPEN), format!("https://login.example.org/go/{id}"));
    assert!(login.message().button(OPEN).is_some(), "{}", login.story());
    setup.discord.assert_clean();
}

/// U4: refused in words, with the remedy, where nothing is left.
#[tokio::test]
async fn a_link_that_goes_nowhere_is_refused_with_the_remedy() {
    let (setup, _bot, login) = login_by_link(5_000, "").await;
    let refused = login.sees_text("Bitte den Betreiber, `public_url` zu setzen", SOON).await;
    assert!(refused.links().is_empty() && refused.button("Abbrechen").is_some(), "{}", refused.render());
    setup.discord.assert_clean();
}
