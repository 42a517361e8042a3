//! With Discord as it is in production: over HTTPS, by its name, with its rate limits, and serenity's rate limiter on.

use std::time::{Duration, Instant};

use latchkey_test_authority::Person;
use latchkey_test_discord::{Interaction, Member};

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};
use crate::members::{ADDRESS, OPEN, PASTE, ann_and_a_thread, login};

/// Discord takes an acknowledgement within this time.
const DEADLINE: Duration = Duration::from_secs(3);
/// A limit that no test waits out.
const FOR_LONG: f64 = 600.0;

async fn production() -> Setup {
    Setup::plan().like_production().start().await
}

async fn status(member: &Member, thread: &latchkey_test_discord::Channel) -> Interaction {
    let status = member.slash("/auth status").in_thread(thread).send().await;
    status.sees(|view| !view.is_deferred(), SOON).await;
    status
}

/// The answers to edits of the message of `interaction`, in order.
fn edits(setup: &Setup, interaction: &Interaction) -> Vec<u16> {
    let pattern = format!("PATCH /webhooks/*/{}/messages/@original", interaction.token());
    setup.discord.requests_to(&pattern).iter().map(|request| request.status).collect()
}

/// U1, U3, U5, U6, T12: sign-ins both ways, over a restart, status, completion and logout.
#[tokio::test]
async fn the_main_paths_hold_like_production() {
    let setup = production().await;
    let (bot, ann, thread) = ann_and_a_thread(&setup).await;
    let (bob, docs) = (setup.discord.member("bob"), setup.thread("docs"));
    let device = login(&ann, &thread).await;
    let paste = login(&bob, &docs).await.click("Try another way").await;
    paste.sees_text(PASTE, SOON).await;
    let _bot = bot.restart(&setup).await;
    setup.authority.approve_device(&device.link(OPEN), &Person::ada()).await;
    let answer = setup.authority.sign_in(&paste.link(OPEN), &Person::ben()).await;
    let bad = paste.click(PASTE).await.submit_modal([(ADDRESS, "hello")]).await;
    bad.sees_text("That did not work", SOON).await;
    let pasted = bad.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to Acme as ben", SOON).await;
    device.sees_text("Signed in to Acme as ada", NEXT_POLL).await;
    assert!(setup.authority.accepts(&setup.token(&["acme", "--thread", &thread.id().to_string()]).await));
    status(&ann, &thread).await.sees_text("works", SOON).await;
    let names = ann.autocomplete("/auth login").focused("provider", "ac").in_thread(&thread).send().await;
    assert_eq!(names.len(), 1);
    let asked = ann.slash("/auth logout").in_thread(&thread).send().await;
    asked.sees_text("Log out of Acme", SOON).await;
    asked.click("Log out").await.sees_text("Logged out of Acme", SOON).await;
    assert_eq!(setup.discord.over_limit(), 0);
    setup.discord.assert_clean();
}

/// U5: an edit that is refused for its rate comes later, and what came meanwhile stays on top.
#[tokio::test]
async fn an_update_that_is_refused_for_its_rate_is_not_lost() {
    let setup = production().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let device = login(&ann, &thread).await;
    setup.discord.rate_limit("PATCH /webhooks/*", 3, 1.0);
    setup.authority.approve_device(&device.link(OPEN), &Person::ada()).await;
    device.sees_text("Signed in to Acme", NEXT_POLL).await;
    assert_eq!(edits(&setup, &device), [200, 429, 429, 429, 200]);

    let (bob, docs) = (setup.discord.member("bob"), setup.thread("docs"));
    let paste = login(&bob, &docs).await.click("Try another way").await;
    paste.sees_text(PASTE, SOON).await;
    let bad = paste.click(PASTE).await;
    setup.discord.rate_limit("PATCH /webhooks/*", 2, 2.0);
    let bad = bad.submit_modal([(ADDRESS, "hello")]).await;
    let cancelled = paste.click("Cancel").await;
    cancelled.sees_text("was cancelled", NEXT_POLL).await;
    // Everything that had to wait has come by then.
    let end = Instant::now() + NEXT_POLL;
    while edits(&setup, &bad).last() != Some(&200) {
        assert!(Instant::now() < end, "{:?}", edits(&setup, &bad));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(paste.message().contains("was cancelled"), "{}", paste.story());
    setup.discord.assert_clean();
}

/// U1: an acknowledgement that is refused for its rate is tried again, as long as Discord takes one; a login whose
/// acknowledgement came to nothing is there all the same, for the next try to join.
#[tokio::test]
async fn an_acknowledgement_that_is_refused_for_its_rate_is_tried_again_in_time() {
    let setup = production().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    for limit in [
        |setup: &Setup| setup.discord.rate_limit("POST /interactions/*", 1, 1.0),
        |setup: &Setup| {
            setup.discord.rate_limit_globally("POST /interactions/*", 1, 1.0);
        },
    ] {
        limit(&setup);
        let status = status(&ann, &thread).await;
        let after = status.acknowledged_after();
        assert!(after >= Duration::from_secs(1) && after < DEADLINE, "{after:?}");
    }
    setup.discord.assert_clean();

    setup.discord.rate_limit("POST /interactions/*", 1, 4.0);
    ann.slash("/auth login").in_thread(&thread).try_send().await.expect_err("too late to answer");
    assert!(setup.authority.eventually(SOON, |authority| authority.device_starts() == 1).await);
    login(&ann, &thread).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(setup.authority.device_starts(), 1);
    let late = setup.discord.requests_to("POST /interactions/*").iter().any(|request| request.status == 404);
    assert!(!late, "an answer that nobody takes was sent");
}

/// U1, U5, W1: a message that Discord holds back delays nobody else's, in the same thread or another; nor that member's next.
#[tokio::test]
async fn one_members_hot_message_delays_nobody_elses() {
    let setup = production().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    // What a press shows is waited for as long as it takes, unlike what nobody pressed for.
    let pressed = login(&setup.discord.member("dan"), &setup.thread("docs")).await;
    // The worker may be the first to change it.
    setup.discord.rate_limit("PATCH /webhooks/*", 2, FOR_LONG);
    let press = pressed.click("Cancel").await;
    assert!(setup.authority.eventually(SOON, |_| edits(&setup, &press).contains(&429)).await);
    setup.discord.clear_faults();
    let hot = login(&ann, &thread).await;
    setup.discord.rate_limit(&format!("PATCH /webhooks/*/{}/*", hot.token()), 1, FOR_LONG);
    setup.authority.approve_device(&hot.link(OPEN), &Person::ada()).await;
    assert!(setup.authority.eventually(NEXT_POLL, |_| setup.stored().contains("succeeded")).await);
    for (name, place) in [("bob", &thread), ("cid", &setup.thread("docs"))] {
        let member = setup.discord.member(name);
        let login = login(&member, place).await;
        assert!(login.acknowledged_after() < DEADLINE);
        setup.authority.approve_device(&login.link(OPEN), &Person::ben()).await;
        login.sees_text("Signed in to Acme", NEXT_POLL).await;
    }
    status(&ann, &thread).await.sees_text("works", SOON).await;
    assert!(hot.message().button(OPEN).is_some(), "it is still held back: {}", hot.story());
    setup.discord.assert_clean();
}

/// U5: a limit for the whole bot delays what it meets, and loses nothing.
#[tokio::test]
async fn a_global_limit_delays_and_loses_nothing() {
    let setup = production().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let device = login(&ann, &thread).await;
    setup.discord.rate_limit_globally("PATCH /webhooks/*", 3, 1.0);
    setup.discord.rate_limit_globally("GET /channels/*", 1, 1.0);
    setup.authority.approve_device(&device.link(OPEN), &Person::ada()).await;
    device.sees_text("Signed in to Acme", NEXT_POLL).await;
    setup.discord.assert_clean();
}

/// U5: however many changes wait for the limit of one message, it ends with the last.
#[tokio::test]
async fn many_edits_of_one_message_end_with_the_last() {
    let setup = production().await;
    setup.discord.limit("PATCH /webhooks/*", 1, Duration::from_secs(1));
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let first = login(&ann, &thread).await;
    let mut second = login(&ann, &setup.thread("docs")).await;
    for wanted in [PASTE, "this code", PASTE, "this code"] {
        second = second.click("Try another way").await;
        second.sees_text(wanted, SOON).await;
    }
    second.click("Cancel").await.sees_text("was cancelled", SOON).await;
    // Until nothing more comes: what waits for the limit of one second would have come by then.
    let mut quiet = 0;
    while quiet < 5 {
        let before = edits(&setup, &first).len();
        tokio::time::sleep(Duration::from_secs(1)).await;
        quiet = if edits(&setup, &first).len() == before { quiet + 1 } else { 0 };
    }
    assert!(first.message().contains("was cancelled"), "{}", first.story());
    setup.discord.assert_clean();
}

/// Z1: a bot that is told to trust another authority speaks to a loopback address, over HTTPS, or not at all.
#[tokio::test]
async fn another_authority_is_trusted_on_this_host_only() {
    let setup = production().await;
    for address in
        [None, Some("http://127.0.0.1:9"), Some("https://192.0.2.1:443"), Some("https://discord.com")]
    {
        let mut bot = Bot::spawn(&setup, |command| {
            match address {
                Some(address) => command.env("LATCHKEY_DISCORD_API", address),
                None => command.env_remove("LATCHKEY_DISCORD_API"),
            };
        });
        assert_eq!(bot.ended(SOON).await.code(), Some(2), "{}", bot.said());
        bot.wait_said("LATCHKEY_DISCORD_", SOON).await;
    }
    assert_eq!(setup.discord.requests().len(), 0);
}
