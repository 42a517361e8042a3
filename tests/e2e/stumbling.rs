//! What becomes of a member's sign-in where the bot itself stumbles: a handler that panics, a crash between two steps.

use std::time::Duration;

use latchkey_test_authority::Person;
use latchkey_test_discord::View;

use crate::harness::{Bot, SOON, Setup};
use crate::members::{ADDRESS, OPEN, PASTE, login};
use crate::telling::eventually;

/// What is said for a fault of ours.
const WRONG: &str = "Something went wrong here";

/// U1: a press and a form whose handlers panic are answered in our words, and what they belong to goes on.
#[tokio::test]
async fn a_press_whose_handler_panics_is_answered() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let bot = Bot::start_with(&setup, |program| {
        program.env("FAILPOINTS", "pressed=1*panic->1*off->1*panic->off");
    })
    .await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = login(&ann, &thread).await;
    let answer = setup.authority.sign_in(&login.link(OPEN), &Person::ada()).await;
    let press = login.click(PASTE).await;
    assert!(press.sees_text(WRONG, SOON).await.is_ephemeral());
    let form = login.click(PASTE).await;
    let pasted = form.submit_modal([(ADDRESS, answer.as_str())]).await;
    assert!(pasted.sees_text(WRONG, SOON).await.is_ephemeral());
    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to Acme", SOON).await;
    setup.authority.assert_no_secret_in(&bot.said());
    setup.discord.assert_clean();
}

/// U5: a bot that dies between telling a login's end in the thread and noting it does not make its successor tell it twice.
#[tokio::test]
async fn a_crash_between_telling_an_end_and_noting_it_shows_one_line() {
    let setup = Setup::new().await;
    let bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = login(&ann, &thread).await;
    setup.discord.fail("PATCH /webhooks/*", 10_000, 400);
    setup.discord.delay_answer("POST /channels/*/messages", 1, Duration::from_mins(1));
    setup.authority.approve_device(&login.link(OPEN), &Person::ada()).await;
    let told = |view: &View| view.pings() == [format!("<@{}>", ann.id())];
    let lines = || setup.discord.channel_messages(&thread).iter().filter(|view| told(view)).count();
    let tries = || setup.discord.requests_to("POST /channels/*/messages").len();
    eventually("told", || lines() == 1).await;
    let _bot = bot.restart(&setup).await;
    eventually("told again", || tries() == 2).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((lines(), tries()), (1, 2));
    setup.discord.assert_clean();
}
