//! Crashes, restarts, and more than one bot.

use std::time::Duration;

use latchkey_test_authority::{Endpoint, Person};

use super::{ADDRESS, OPEN, PASTE, ann_and_a_thread, login};
use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// What an interval of 3 s is at least, seen from a server.
const INTERVAL: Duration = Duration::from_millis(2_900);

/// S12, U9: killed in the middle of a device login, the next bot goes on with it, on the same message.
#[tokio::test]
async fn a_device_login_survives_a_crash() {
    let setup = Setup::new().await;
    let (bot, ann, thread) = ann_and_a_thread(&setup).await;
    let first = login(&ann, &thread).await;
    let (link, code) = (first.link(OPEN), setup.authority.user_codes().pop().expect("a login"));
    setup.authority.eventually(NEXT_POLL, |authority| authority.device_polls() == 1).await;
    let _bot = bot.restart(&setup).await;
    setup.authority.approve_device(&link, &Person::ada()).await;
    first.sees_text("Signed in to Acme", NEXT_POLL).await;
    let closest = setup.authority.closest_polls(&code);
    assert!(closest.is_none_or(|apart| apart >= INTERVAL), "{closest:?}");
    assert_eq!(setup.authority.device_starts(), 1);
    setup.discord.assert_clean();
}

/// S12, U9: killed in the middle of a paste login, its buttons work at the next bot.
#[tokio::test]
async fn a_paste_login_survives_a_crash() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let (bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let answer = setup.authority.sign_in(&login.link(OPEN), &Person::ada()).await;
    let _bot = bot.restart(&setup).await;
    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to Acme", SOON).await;
    assert!(setup.authority.accepts(&setup.token(&["acme", "--thread", &thread.id().to_string()]).await));
    setup.discord.assert_clean();
}

/// S13: killed while a code is being spent, the login fails and says why; it is not spent a second time.
#[tokio::test]
async fn an_exchange_that_was_interrupted_is_told_and_not_repeated() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let (bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let answer = setup.authority.sign_in(&login.link(OPEN), &Person::ada()).await;
    let held = setup.authority.hold(Endpoint::Token);
    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Checking your sign-in", SOON).await;
    setup.authority.eventually(SOON, |_| held.waiting() == 1).await;
    let _bot = bot.restart(&setup).await;
    held.release();
    pasted.sees_text("Latchkey was restarted", NEXT_POLL).await;
    assert_eq!(setup.authority.exchanges(), 1);
    setup.discord.assert_clean();
}

/// S13: two bots over one store never poll one login both; when one dies the other goes on, at the same distance.
#[tokio::test]
async fn two_bots_never_poll_one_login_both() {
    let setup = Setup::new().await;
    let (mut bot, ann, thread) = ann_and_a_thread(&setup).await;
    let elsewhere = setup.sibling().start().await;
    let _other = Bot::start(&elsewhere).await;
    let first = login(&ann, &thread).await;
    let (link, code) = (first.link(OPEN), setup.authority.user_codes().pop().expect("a login"));
    setup.authority.eventually(NEXT_POLL, |authority| authority.device_polls() >= 2).await;
    bot.kill9();
    let before = setup.authority.device_polls();
    setup.authority.eventually(NEXT_POLL, |authority| authority.device_polls() > before).await;
    setup.authority.approve_device(&link, &Person::ada()).await;
    setup.authority.eventually(NEXT_POLL, |_| setup.stored().contains("succeeded")).await;
    let closest = setup.authority.closest_polls(&code);
    assert!(closest.is_some_and(|apart| apart >= INTERVAL), "{closest:?}");
    // The other bot has no business in this guild; ours tells when it is back.
    let _bot = Bot::start(&setup).await;
    setup.discord.wait_channel_message(&thread, "is complete", SOON).await;
    for discord in [&setup.discord, &elsewhere.discord] {
        discord.assert_clean();
    }
}

/// S13, T11: however often the store changes meanwhile, no poll goes out before its time.
#[tokio::test]
async fn a_busy_store_hastens_no_poll() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    login(&ann, &thread).await;
    let code = setup.authority.user_codes().pop().expect("a login");
    let bob = setup.discord.member("bob");
    while setup.authority.device_polls() < 4 {
        login(&bob, &thread).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let closest = setup.authority.closest_polls(&code);
    assert!(closest.is_some_and(|apart| apart >= INTERVAL), "{closest:?}");
    setup.discord.assert_clean();
}

/// W6: a second bot of the same store and guild waits for the first to leave.
#[tokio::test]
async fn a_successor_waits_for_its_predecessor() {
    let setup = Setup::new().await;
    let mut first = Bot::start(&setup).await;
    let second = Bot::spawn(&setup, |_| {});
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!second.said().contains("ready"), "{}", second.said());
    assert_eq!(first.stop().await.code(), Some(0), "{}", first.said());
    second.wait_said("latchkey: ready", SOON).await;
    setup.discord.assert_clean();
}

/// W6: where the first stays, the second refuses and names it.
#[tokio::test]
async fn a_second_bot_refuses_and_names_the_first() {
    let setup = Setup::new().await;
    let first = Bot::start(&setup).await;
    let mut second = Bot::spawn(&setup, |_| {});
    let ended = second.ended(Duration::from_secs(40)).await;
    assert_eq!(ended.code(), Some(2));
    assert!(second.said().contains(&format!("process {}", first.id())), "{}", second.said());
}

/// W5: asked to end in the middle of an exchange, the bot finishes and stores it, tells, and ends well.
#[tokio::test]
async fn an_exchange_under_way_is_finished_before_the_end() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let (mut bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let answer = setup.authority.sign_in(&login.link(OPEN), &Person::ada()).await;
    let held = setup.authority.hold_reply(Endpoint::Token);
    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    setup.authority.eventually(SOON, |_| held.waiting() == 1).await;
    let end = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        held.release();
    };
    let (status, ()) = tokio::join!(bot.stop(), end);
    assert_eq!(status.code(), Some(0), "{}", bot.said());
    pasted.sees_text("Signed in to Acme", SOON).await;
    assert!(setup.authority.accepts(&setup.token(&["acme", "--thread", &thread.id().to_string()]).await));
    setup.discord.assert_clean();
}
