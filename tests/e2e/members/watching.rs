//! Live messages: each shows where its login stands, in every thread that watches, whatever became of it.

use std::time::Duration;

use latchkey_test_authority::{Endpoint, Person};

use super::{ADDRESS, OPEN, PASTE, ann_and_a_thread, login};
use crate::harness::{NEXT_POLL, SOON, Setup};

/// Where a message points that is no longer the live one.
const MOVED: &str = "goes on in another message";

/// U3, U5: another way, taken from a second thread, takes the first thread's message along, to the end.
#[tokio::test]
async fn another_way_takes_every_thread_along() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let first = login(&ann, &thread).await;
    let second = login(&ann, &setup.thread("write-docs")).await;
    let press = second.click("Try another way").await;
    press.sees_text(PASTE, SOON).await;
    let along = first.sees_text(PASTE, SOON).await;
    assert_eq!(first.link(OPEN), press.link(OPEN));
    assert!(along.contains(&format!("<#{}>", thread.id())), "bound as before: {}", along.render());
    let answer = setup.authority.sign_in(&press.link(OPEN), &Person::ada()).await;
    let pasted = press.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to Acme", SOON).await;
    first.sees_text("Signed in to Acme", SOON).await;
    setup.discord.assert_clean();
}

/// U5: another way that cannot be started leaves no thread with a card whose login is over.
#[tokio::test]
async fn another_way_that_fails_is_told_in_every_thread() {
    let setup = Setup::plan().acme("flows = [\"paste\", \"device\"]").start().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let first = login(&ann, &thread).await;
    let second = login(&ann, &setup.thread("write-docs")).await;
    setup.authority.go_down();
    let press = second.click("Try another way").await;
    press.sees_text("could not be reached", SOON).await;
    first.sees_text("was cancelled", SOON).await;
    setup.authority.come_back();
    let again = press.click("Try again").await;
    again.sees_text("this code", SOON).await;
    assert_eq!(setup.authority.device_starts(), 1, "the way that was wished for");
    setup.discord.assert_clean();
}

/// U3: whoever did not want the thread bound is not asked again.
#[tokio::test]
async fn another_try_binds_as_the_first_would_have() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    setup.authority.go_down();
    let login = ann.slash("/auth login").option("bind", "false").in_thread(&thread).send().await;
    login.sees_text("could not be reached", SOON).await;
    setup.authority.come_back();
    let again = login.click("Try again").await;
    again.sees_text("What this thread uses stays as it is", SOON).await;
    setup.discord.assert_clean();
}

/// U5: of two starts at once in one thread, one message is live, and the other points to it.
#[tokio::test]
async fn of_two_starts_at_once_one_message_is_live() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let held = setup.authority.hold(Endpoint::DeviceStart);
    let start = || ann.slash("/auth login").in_thread(&thread).send();
    let (one, two) = tokio::join!(start(), start());
    setup.authority.eventually(SOON, |_| held.waiting() == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    held.release();
    let settled = |view: &latchkey_test_discord::View| view.contains(MOVED) || view.button(OPEN).is_some();
    tokio::join!(one.sees(settled, SOON), two.sees(settled, SOON));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let moved = [&one, &two].map(|start| start.message().contains(MOVED));
    assert_eq!(moved.iter().filter(|moved| **moved).count(), 1, "{}\n{}", one.story(), two.story());
    let live = if moved[0] { &two } else { &one };
    setup.authority.approve_device(&live.link(OPEN), &Person::ada()).await;
    live.sees_text("Signed in to Acme", NEXT_POLL).await;
    setup.discord.assert_clean();
}

/// U5: a button that is pressed twice leaves its message the live one.
#[tokio::test]
async fn a_message_pressed_twice_stays_live() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let old = login(&ann, &thread).await;
    let over = old.click("Cancel").await.sees_text("was cancelled", SOON).await;
    let again = over.button("Sign in again").and_then(|button| button.custom_id).expect("a new start");
    let (one, two) = tokio::join!(ann.forge_click(&over, &again), ann.forge_click(&over, &again));
    one.sees_text(OPEN, SOON).await;
    two.sees_text(OPEN, SOON).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let history = old.message().with_history();
    assert!(!history.contains(MOVED), "{history}");
    setup.authority.approve_device(&two.link(OPEN), &Person::ada()).await;
    old.sees_text("Signed in to Acme", NEXT_POLL).await;
    setup.discord.assert_clean();
}

/// S12, U5: after a restart, a message in a channel that the bot may not see follows its login all the same.
#[tokio::test]
async fn a_message_in_a_hidden_channel_follows_after_a_restart() {
    let setup = Setup::new().await;
    let (bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    setup.discord.fail("GET /channels/*", 1_000, 403);
    let _bot = bot.restart(&setup).await;
    setup.authority.approve_device(&login.link(OPEN), &Person::ada()).await;
    login.sees_text("Signed in to Acme", NEXT_POLL).await;
    setup.discord.assert_clean();
}

/// U5: an edit that Discord will not take is given up, and the end is told in the thread.
#[tokio::test]
async fn an_edit_that_is_refused_is_told_in_the_thread() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    setup.discord.fail("PATCH /webhooks/*", 1_000, 400);
    setup.authority.approve_device(&login.link(OPEN), &Person::ada()).await;
    let told = setup.discord.wait_channel_message(&thread, "is complete", NEXT_POLL).await;
    assert_eq!(told.pings(), vec![format!("<@{}>", ann.id())]);
    setup.discord.assert_clean();
}

/// W1, W2: what an archived thread uses rests, and is kept fresh again once the thread is open, or used.
#[tokio::test]
async fn an_archived_thread_rests_until_it_is_open_again() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    setup.authority.set(|settings| settings.access_lifetime = Duration::from_secs(2));
    let login = login(&ann, &thread).await;
    setup.authority.approve_device(&login.link(OPEN), &Person::ada()).await;
    login.sees_text("Signed in to Acme", NEXT_POLL).await;
    let refreshed = async |more| {
        let before = setup.authority.refreshes();
        setup.authority.eventually(NEXT_POLL, |authority| authority.refreshes() >= before + more).await;
    };
    refreshed(1).await;
    setup.discord.archive(&thread);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = setup.authority.refreshes();
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(setup.authority.refreshes(), before, "an archived thread rests");
    setup.discord.unarchive(&thread);
    refreshed(1).await;
    setup.discord.assert_clean();
}
