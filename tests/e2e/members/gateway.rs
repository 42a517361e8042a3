//! The connection to Discord: what cannot work ends with a remedy, what was lost comes back.

use std::time::Duration;

use super::{OPEN, ann_and_a_thread};
use crate::harness::{Bot, SOON, Setup};

/// A bot that cannot work ends within this time.
const GIVES_UP: Duration = Duration::from_secs(20);
/// Exit code for what the operator must mend.
const USAGE: i32 = 2;
async fn ends_saying(setup: &Setup, change: impl FnOnce(&mut std::process::Command), code: i32, words: &str) {
    let mut bot = Bot::spawn(setup, change);
    let status = bot.ended(GIVES_UP).await;
    assert_eq!(status.code(), Some(code), "{}", bot.said());
    assert!(bot.said().contains(words), "{words}: {}", bot.said());
}

/// A token that Discord does not know ends the bot with the remedy.
#[tokio::test]
async fn a_wrong_token_ends_with_the_remedy() {
    let setup = Setup::new().await;
    let wrong = |command: &mut std::process::Command| {
        command.env("DISCORD_TOKEN", "MTAw.wrong.token");
    };
    ends_saying(&setup, wrong, USAGE, "copy it anew").await;
}

/// The token goes to Discord or to a loopback address, and nowhere else.
#[tokio::test]
async fn the_token_goes_nowhere_else() {
    let setup = Setup::new().await;
    let elsewhere = |command: &mut std::process::Command| {
        command.env("LATCHKEY_DISCORD_API", "http://192.0.2.1:80");
    };
    ends_saying(&setup, elsewhere, USAGE, "LATCHKEY_DISCORD_API").await;
    let none = |command: &mut std::process::Command| {
        command.env_remove("DISCORD_TOKEN");
    };
    ends_saying(&setup, none, USAGE, "DISCORD_TOKEN").await;
    assert_eq!(setup.discord.requests().len(), 0);
}

/// A gateway that refuses for good ends the bot with the reason, instead of a process that hears nothing.
#[tokio::test]
async fn a_definite_refusal_of_the_gateway_ends_the_bot() {
    for (code, words) in [(4004, "refuses the bot's token"), (4014, "intents")] {
        let setup = Setup::new().await;
        let mut bot = Bot::start(&setup).await;
        setup.discord.close_gateway(code);
        let status = bot.ended(GIVES_UP).await;
        assert_eq!(status.code(), Some(USAGE), "{code}: {}", bot.said());
        assert!(bot.said().contains(words), "{code}: {}", bot.said());
    }
}

/// A registration that fails is tried again; one that Discord refuses for good ends the bot.
#[tokio::test]
async fn registration_is_tried_again_where_that_may_help() {
    let setup = Setup::new().await;
    setup.discord.refuse_registration(2);
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let status = ann.slash("/auth status").in_thread(&thread).send().await;
    status.sees_text("Nothing is signed in", SOON).await;

    let setup = Setup::new().await;
    setup.discord.fail("POST /applications/*/commands", 2, 403);
    ends_saying(&setup, |_| {}, USAGE, "registering /auth").await;
}

/// Whatever ends the connection, the bot hears again soon; after 4003 with the next heartbeat, which nobody answers.
#[tokio::test]
async fn a_lost_connection_comes_back() {
    let setup = Setup::plan().heartbeat(Duration::from_secs(2)).start().await;
    let (bot, ann, thread) = ann_and_a_thread(&setup).await;
    for code in [4000, 4003, 4007, 4009, 1001] {
        let before = setup.discord.identifies() + setup.discord.resumes();
        setup.discord.close_gateway(code);
        let back = async {
            while !setup.discord.is_ready() || setup.discord.identifies() + setup.discord.resumes() == before
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let back = tokio::time::timeout(Duration::from_secs(30), back).await;
        assert!(back.is_ok(), "not back after {code}; the bot said:\n{}", bot.said());
        let login = ann.slash("/auth login").in_thread(&thread).send().await;
        login.sees_text(OPEN, SOON).await;
    }
}
