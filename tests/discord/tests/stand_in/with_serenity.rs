//! A real bot, with serenity and poise, against the stand-in: everything it is sent must parse, and everything
//! it sends must pass.

use std::time::Duration;

use crate::bot::Bot;
use latchkey_test_discord::{Acknowledgement, Discord, Interaction, Member};

const SOON: Duration = Duration::from_secs(5);

async fn ready() -> (Discord, Bot) {
    let discord = Discord::start().await;
    let bot = Bot::start(&discord).await;
    discord.wait_ready(SOON).await;
    discord.wait_registered("auth", SOON).await;
    (discord, bot)
}

async fn login(discord: &Discord, member: &Member) -> Interaction {
    let thread = discord.thread(&discord.channel("general"), "fix-ci");
    member.slash("/auth login codex work").in_thread(&thread).send().await
}

#[tokio::test]
async fn a_deferred_answer_is_edited_and_followed_up() {
    let (discord, _bot) = ready().await;
    let login = login(&discord, &discord.member("ann")).await;
    assert_eq!(login.acknowledgement(), Acknowledgement::Deferred);
    let card = login.sees_text("Sign in to codex work", SOON).await;
    assert_eq!(
        card.render(),
        "[ephemeral to ann] Latchkey\n  Sign in to codex work\n  │ Code\n  │ ABCD-1234\n  (Open sign-in page ↗ \
         https://provider.example/device) [Paste] [Cancel] [Off] (off)\n  ‹Codex›\n"
    );
    login.sees(|view| view.content() == "ABCD-1234", SOON).await;
    assert_eq!(login.messages().len(), 2);
    assert_eq!(login.link("Open sign-in page"), "https://provider.example/device");
    discord.assert_clean();
}

#[tokio::test]
async fn a_button_updates_the_message_it_is_on() {
    let (discord, _bot) = ready().await;
    let login = login(&discord, &discord.member("ann")).await;
    login.sees_text("Cancel", SOON).await;
    let press = login.click("Cancel").await;
    assert_eq!(press.acknowledgement(), Acknowledgement::Update);
    assert_eq!(press.message().render(), "[ephemeral to ann] Latchkey\n  Cancelled.\n");
    assert_eq!(login.message().content(), "Cancelled.");
    discord.assert_clean();
}

#[tokio::test]
async fn a_menu_updates_the_message_it_is_on() {
    let (discord, _bot) = ready().await;
    let login = login(&discord, &discord.member("ann")).await;
    login.sees_text("Codex", SOON).await;
    assert_eq!(login.select("Codex").await.message().content(), "Picked.");
    discord.assert_clean();
}

#[tokio::test]
async fn a_modal_is_opened_submitted_and_answered() {
    let (discord, _bot) = ready().await;
    let login = login(&discord, &discord.member("ann")).await;
    login.sees_text("Paste", SOON).await;
    let press = login.click("Paste").await;
    assert_eq!(press.modal().title, "Paste the address");
    let submitted = press.submit_modal([("Address", "http://127.0.0.1/cb?code=1")]).await;
    assert_eq!(submitted.acknowledgement(), Acknowledgement::DeferredUpdate);
    submitted.sees_text("Pasted http://127.0.0.1/cb?code=1", SOON).await;
    assert!(login.message().content().starts_with("Pasted"));
    discord.assert_clean();
}

#[tokio::test]
async fn autocomplete_offers_choices() {
    let (discord, _bot) = ready().await;
    let choices = discord.member("ann").autocomplete("/auth login").focused("provider", "c").send().await;
    let names: Vec<_> = choices.iter().map(|choice| choice.name.as_str()).collect();
    assert_eq!(names, ["claude", "codex"]);
    discord.assert_clean();
}

#[tokio::test]
async fn the_second_say_after_a_deferral_is_public() {
    let (discord, _bot) = ready().await;
    let status = discord.member("ann").slash("/auth status").send().await;
    let first = status.sees_text("first", SOON).await;
    let second = status.sees_text("second", SOON).await;
    assert_eq!((first.ephemeral_to(), second.ephemeral_to()), (Some("ann"), None));
    assert_eq!(first.id(), status.message().id());
    discord.assert_clean();
}

#[tokio::test]
async fn silence_is_a_violation() {
    let (discord, _bot) = ready().await;
    let error = discord.member("ann").slash("/auth silent").try_send().await.expect_err("no answer");
    assert!(error.to_string().contains("ann: /auth silent: no acknowledgement within 3 s"), "{error}");
    assert_eq!(discord.violations().len(), 1);
}

#[tokio::test]
async fn forged_presses_reach_the_bot() {
    let (discord, _bot) = ready().await;
    let login = login(&discord, &discord.member("ann")).await;
    let card = login.sees_text("Cancel", SOON).await;
    let bob = discord.member("bob");
    bob.click(&card, "Cancel").tried().await.expect_err("bob does not see it");
    let forged = bob.forge_click(&card, "old").await;
    assert_eq!(forged.message().render(), "[ephemeral to bob] Latchkey\n  This login is over: old\n");
    let thread = discord.thread(&discord.channel("general"), "fix-ci");
    let forged = bob.forge_modal(&thread, "paste", [("url", "x")]).await;
    forged.sees_text("followed up", SOON).await;
    assert_eq!(forged.click("Cancel").await.message().content(), "Cancelled.");
    assert_eq!(bob.visible_messages(&thread).len(), 3);
    discord.assert_clean();
}

#[tokio::test]
async fn a_gateway_that_is_down_for_a_while_is_found_again() {
    let (discord, _bot) = ready().await;
    discord.refuse_connections(1);
    discord.drop_connection();
    let back = async {
        while !discord.is_ready() || discord.identifies() + discord.resumes() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), back).await.expect("the bot comes back");
    discord.member("ann").slash("/auth login codex").send().await;
}

#[tokio::test]
async fn a_dropped_connection_is_resumed_and_replayed() {
    let (discord, _bot) = ready().await;
    let ann = discord.member("ann");
    discord.drop_connection();
    ann.slash("/auth login codex").send().await.sees_text("Sign in", SOON).await;
    discord.wait_resumes(1, SOON).await;
    assert_eq!(discord.identifies(), 1);
    discord.request_reconnect();
    discord.wait_resumes(2, SOON).await;
    discord.close_gateway(4000);
    discord.wait_resumes(3, SOON).await;
    ann.slash("/auth login codex").send().await;
    discord.assert_clean();
}

#[tokio::test]
async fn a_lost_session_is_begun_anew() {
    let (discord, _bot) = ready().await;
    discord.invalidate_session(false);
    discord.wait_identifies(2, Duration::from_secs(15)).await;
    discord.member("ann").slash("/auth login codex").send().await;
}

#[tokio::test]
async fn a_wrong_token_ends_the_bot() {
    let discord = Discord::builder().bot_token("right").start().await.expect("a port");
    let mut bot = Bot::start_with_token(&discord, "wrong").await;
    assert!(bot.end().await.is_err());
    assert_eq!(discord.identifies(), 0);
}

#[tokio::test]
async fn a_privileged_intent_not_switched_on_ends_the_bot() {
    let discord = Discord::start().await;
    let mut bot = Bot::start_with(&discord, poise::serenity_prelude::GatewayIntents::MESSAGE_CONTENT).await;
    assert!(bot.end().await.is_err());
}
