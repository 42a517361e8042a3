//! Each member in their own language, and a thread in that of its server.

use std::time::Duration;

use latchkey_test_authority::{Canned, Endpoint, Person};
use latchkey_test_discord::{Interaction, Member, View};

use super::{OPEN, login};
use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// English that no German message may hold.
const ENGLISH: [&str; 7] = ["Sign", "sign-in", "Paste", "Cancel", "Try", "nothing", "expires"];

async fn german_login(member: &Member, setup: &Setup) -> Interaction {
    let login = member.slash("/auth login").in_thread(&setup.thread("fix-ci")).send().await;
    login.sees_text("Anmeldung bei Acme", SOON).await;
    login
}

fn assert_german(view: &View) {
    let shown = view.render();
    for word in ENGLISH {
        assert!(!shown.contains(word), "{word:?} in\n{shown}");
    }
}

/// U3, U4: a German member reads German from the first card to the end, over a restart too; her neighbour English.
#[tokio::test]
async fn each_member_reads_their_own_language() {
    let setup = Setup::new().await;
    let bot = Bot::start(&setup).await;
    let (ann, bob) = (setup.discord.member("ann").locale("de"), setup.discord.member("bob"));
    let thread = setup.thread("fix-ci");
    let (anns, bobs) = tokio::join!(german_login(&ann, &setup), login(&bob, &thread));
    let card = anns.sees_text("Prüfe, dass die Seite diesen Code zeigt", SOON).await;
    assert_german(&card);
    let code = setup.authority.user_codes();
    let alone = anns.sees(|view| code.iter().any(|code| view.content() == *code), SOON).await;
    assert!(alone.is_ephemeral());

    let paste = anns.click("Anders anmelden").await;
    let card = paste.sees_text("Fehlerseite, die nicht lädt", SOON).await;
    assert_german(&card);
    let answer = setup.authority.sign_in(&paste.link("Anmeldeseite öffnen"), &Person::ada()).await;
    let form = paste.click("Antwort einfügen").await;
    let bad = form.submit_modal([("Adresse der letzten Seite", "hello")]).await;
    assert_german(&bad.sees_text("Das hat nicht geklappt", SOON).await);

    let bot = bot.restart(&setup).await;
    let form = paste.click("Antwort einfügen").await;
    let done = form.submit_modal([("Adresse der letzten Seite", answer.as_str())]).await;
    assert_german(&done.sees_text("Angemeldet bei Acme", SOON).await);

    setup.authority.approve_device(&bobs.link(OPEN), &Person::ada()).await;
    bobs.sees_text("Signed in to Acme", NEXT_POLL).await;
    drop(bot);
    setup.discord.assert_clean();
}

/// U3, S12: the end that a later bot tells by itself, and a start that fails, are in the member's language too.
#[tokio::test]
async fn what_nobody_pressed_for_is_in_the_members_language() {
    let setup = Setup::new().await;
    let bot = Bot::start(&setup).await;
    let ann = setup.discord.member("ann").locale("de");
    let login = german_login(&ann, &setup).await;
    let link = login.link("Anmeldeseite öffnen");
    let _bot = bot.restart(&setup).await;
    setup.authority.deny_device(&link).await;
    let over = login.sees_text("wurde auf der Seite des Anbieters abgelehnt", NEXT_POLL).await;
    assert_german(&over);
    setup.authority.go_down();
    let failed = login.click("Neu anmelden").await;
    assert_german(&failed.sees_text("war nicht zu erreichen", SOON).await);
    setup.authority.come_back();
    failed.click("Noch einmal versuchen").await.sees_text("Anmeldeseite öffnen", SOON).await;
    setup.discord.assert_clean();
}

/// U3: a provider's own words stay as they came; ours beside them are in the member's language.
#[tokio::test]
async fn a_providers_words_stay_as_they_came() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let bot = Bot::start(&setup).await;
    let ann = setup.discord.member("ann").locale("de");
    let login = german_login(&ann, &setup).await;
    let answer = setup.authority.sign_in(&login.link("Anmeldeseite öffnen"), &Person::ada()).await;
    let refusal = Canned::error(401, "invalid_client", "Nobody knows this client");
    setup.authority.answer_next(Endpoint::Token, 1, refusal);
    let form = login.click("Antwort einfügen").await;
    let failed = form.submit_modal([("Adresse der letzten Seite", answer.as_str())]).await;
    let card = failed.sees_text("Der Anbieter sagt: „Nobody knows this client“", SOON).await;
    assert!(!card.contains("our client") && card.button("Neu anmelden").is_some(), "{}", card.render());
    bot.wait_said("refused with HTTP 401: Operator", SOON).await;
    setup.discord.assert_clean();
}

/// U5: what everybody in a thread can read is in the server's language, whoever it is about.
#[tokio::test]
async fn a_thread_is_told_in_the_language_of_its_server() {
    for (server, member, told) in [("de", "en-GB", "ist fertig"), ("en-US", "de", "is complete")] {
        let setup = Setup::plan().guild_locale(server).start().await;
        let _bot = Bot::start(&setup).await;
        let (ann, thread) = (setup.discord.member("ann").locale(member), setup.thread("fix-ci"));
        let login = ann.slash("/auth login").in_thread(&thread).send().await;
        login.sees_text("Acme", SOON).await;
        let (_, link) = login.links().pop().expect("a card with its link");
        setup.discord.advance(Duration::from_mins(16));
        setup.authority.approve_device(&link, &Person::ada()).await;
        setup.discord.wait_channel_message(&thread, told, NEXT_POLL).await;
        setup.discord.assert_clean();
    }
}

/// The command's parts are registered in German too; the command's own name is the operator's.
#[tokio::test]
async fn the_command_is_registered_in_every_language() {
    let setup = Setup::plan().discord("command = \"key\"").start().await;
    let _bot = Bot::start(&setup).await;
    let command = setup.discord.wait_registered("key", SOON).await;
    assert!(command["name_localizations"].as_object().is_none_or(serde_json::Map::is_empty), "{command}");
    let subs = command["options"].as_array().expect("subcommands");
    let login = subs.iter().find(|sub| sub["name"] == "login").expect("a login");
    assert_eq!(login["name_localizations"]["de"], "anmelden");
    assert_eq!(login["options"][0]["description_localizations"]["de"], "Wo du dich anmeldest");
    setup.discord.assert_clean();
}
