//! Device logins, from the command to the token.

use std::time::Duration;

use latchkey_test_authority::{Endpoint, Person};
use latchkey_test_discord::Acknowledgement;

use super::{OPEN, PASTE, ann_and_a_thread, login};
use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// U2, U3: link, code and warning; approved at the provider, the message follows to the end, and agents get the token.
#[tokio::test]
async fn a_device_login_ends_with_a_token() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let code = setup.authority.user_codes().pop().expect("a device login was started");
    let alone = login.sees(|view| view.content() == code, SOON).await;
    assert!(alone.is_ephemeral());
    let card = login.message();
    assert_eq!(card.ephemeral_to(), Some("ann"));
    for part in [&code, "Never one that somebody sent you", "work with **your** account", "<t:", ":R>"] {
        assert!(card.contains(part), "{part}: {}", card.render());
    }
    setup.authority.approve_device(&login.link(OPEN), &Person::ada()).await;
    let done = login.sees_text("Signed in to Acme", NEXT_POLL).await;
    assert_eq!((done.id(), done.buttons()), (card.id(), vec![]), "{}", done.render());

    let id = thread.id().to_string();
    let token = setup.token(&["acme", "--thread", &id]).await;
    assert!(setup.authority.accepts(&token));
    assert!(setup.discord.channel_messages(&thread).is_empty());
    setup.discord.assert_clean();
}

/// U3: refused at the provider, the message says so, and offers a new start that works.
#[tokio::test]
async fn a_refusal_at_the_provider_is_told_with_a_new_start() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    setup.authority.deny_device(&login.link(OPEN)).await;
    login.sees_text("was declined on the provider's page", NEXT_POLL).await;
    let again = login.click("Sign in again").await;
    again.sees_text(OPEN, SOON).await;
    setup.authority.approve_device(&again.link(OPEN), &Person::ada()).await;
    again.sees_text("Signed in to Acme", NEXT_POLL).await;
    setup.discord.assert_clean();
}

/// S3, U5: a repeat shows the same login; the older message points to the newer; a second thread watches too.
#[tokio::test]
async fn a_repeat_joins_the_login_that_is_live() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let elsewhere = setup.thread("write-docs");
    let first = login(&ann, &thread).await;
    let link = first.link(OPEN);
    let (second, third) = tokio::join!(login(&ann, &thread), login(&ann, &elsewhere));
    assert_eq!((second.link(OPEN), third.link(OPEN)), (link.clone(), link.clone()));
    first.sees_text("goes on in another message", SOON).await;
    assert_eq!(setup.authority.device_starts(), 1);
    setup.authority.approve_device(&link, &Person::ada()).await;
    tokio::join!(
        second.sees_text("Signed in to Acme", NEXT_POLL),
        third.sees_text("Signed in to Acme", NEXT_POLL)
    );
    assert!(first.message().contains("goes on in another message"), "{}", first.story());
    setup.discord.assert_clean();
}

/// S1: many starts at once are one login, and all are shown it.
#[tokio::test]
async fn starts_at_the_same_time_are_one_login() {
    let setup = Setup::new().await;
    let (_bot, ann, _) = ann_and_a_thread(&setup).await;
    let threads: Vec<_> = (0..5).map(|n| setup.thread(&format!("thread {n}"))).collect();
    let mut starts = tokio::task::JoinSet::new();
    for thread in threads {
        let ann = ann.clone();
        starts.spawn(async move { login(&ann, &thread).await.link(OPEN) });
    }
    let mut links = starts.join_all().await;
    links.dedup();
    assert_eq!((links.len(), setup.authority.device_starts()), (1, 1));
    setup.discord.assert_clean();
}

/// S9: two members sign in to what the guild shares; the first credential completes the other's login too.
#[tokio::test]
async fn the_first_of_two_completes_the_other() {
    let setup = Setup::plan().acme("share = \"guild\"").start().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let bob = setup.discord.member("bob");
    let (anns, bobs) = tokio::join!(login(&ann, &thread), login(&bob, &thread));
    assert_ne!(anns.link(OPEN), bobs.link(OPEN), "each has a login of their own");
    setup.authority.approve_device(&anns.link(OPEN), &Person::ada()).await;
    anns.sees_text("Signed in to Acme", NEXT_POLL).await;
    let told = bobs.sees_text("Completed by", SOON).await;
    assert!(told.contains(&format!("<@{}>", ann.id())) && told.buttons().is_empty(), "{}", told.render());
    assert_eq!(told.pings(), Vec::<String>::new());
    assert!(setup.authority.accepts(&setup.token(&["acme"]).await));
    setup.discord.assert_clean();
}

/// U3: another way ends this login and starts one of the other kind, on the same message.
#[tokio::test]
async fn another_way_takes_the_message_over() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let press = login.click("Try another way").await;
    press.sees_text(PASTE, SOON).await;
    assert_eq!(press.message().id(), login.message().id());
    let device = press.click("Try another way").await;
    device.sees_text("this code", SOON).await;
    setup.authority.approve_device(&device.link(OPEN), &Person::ada()).await;
    device.sees_text("Signed in to Acme", NEXT_POLL).await;
    assert_eq!(setup.authority.device_starts(), 2);
    let history = device.message().with_history();
    assert!(!history.contains("was cancelled"), "one message, one story: {history}");
    setup.discord.assert_clean();
}

/// U1, S8: a provider that hangs delays neither the acknowledgement nor anybody's status.
#[tokio::test]
async fn a_provider_that_hangs_delays_no_acknowledgement() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let held = setup.authority.hold(Endpoint::DeviceStart);
    let login = ann.slash("/auth login").in_thread(&thread).send().await;
    assert_eq!(login.acknowledgement(), Acknowledgement::Deferred);
    let bob = setup.discord.member("bob");
    let status = bob.slash("/auth status").in_thread(&thread).send().await;
    status.sees(|view| !view.is_deferred(), SOON).await;
    assert!(login.message().is_deferred(), "{}", login.story());
    held.release();
    login.sees_text(OPEN, SOON).await;
    setup.discord.assert_clean();
}

/// S4: a provider that fails is told, and the next try works.
#[tokio::test]
async fn a_start_that_fails_can_be_tried_again_at_once() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    setup.authority.go_down();
    let login = ann.slash("/auth login").in_thread(&thread).send().await;
    login.sees_text("could not be reached", SOON).await;
    setup.authority.come_back();
    let again = login.click("Try again").await;
    again.sees_text(OPEN, SOON).await;
    setup.discord.assert_clean();
}

/// U3: signed in already, the status is shown, and signing in again is one press away.
#[tokio::test]
async fn signed_in_already_shows_the_status_and_a_way_to_sign_in_again() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let first = login(&ann, &thread).await;
    setup.authority.approve_device(&first.link(OPEN), &Person::ada()).await;
    first.sees_text("Signed in to Acme", NEXT_POLL).await;
    let second = ann.slash("/auth login").in_thread(&thread).send().await;
    second.sees_text("Signed in already", SOON).await;
    assert_eq!(setup.authority.device_starts(), 1);
    let again = second.click("Sign in again").await;
    again.sees_text(OPEN, SOON).await;
    assert_eq!(setup.authority.device_starts(), 2);
    setup.discord.assert_clean();
}

/// U5: with no message left to change, the thread is told: one mention, no secret.
#[tokio::test]
async fn the_end_of_a_lost_message_is_told_in_the_thread() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let link = login.link(OPEN);
    setup.discord.advance(Duration::from_mins(16));
    setup.authority.approve_device(&link, &Person::ada()).await;
    let told = setup.discord.wait_channel_message(&thread, "is complete", NEXT_POLL).await;
    assert_eq!(told.pings(), vec![format!("<@{}>", ann.id())]);
    setup.authority.assert_no_secret_in(&told.render());
    setup.discord.assert_clean();
}

/// U5, W1: an archived thread is not reopened to tell the end.
#[tokio::test]
async fn an_archived_thread_stays_archived() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let link = login.link(OPEN);
    setup.discord.advance(Duration::from_mins(16));
    setup.discord.archive(&thread);
    setup.authority.approve_device(&link, &Person::ada()).await;
    // Polled to its end all the same; then the telling is over too.
    setup.authority.eventually(NEXT_POLL, |_| setup.stored().contains("\"told\"")).await;
    assert!(thread.is_archived());
    assert!(setup.discord.channel_messages(&thread).is_empty());
    setup.discord.assert_clean();
}

/// U6: without a provider named, several are offered in a menu, and the choice starts the login.
#[tokio::test]
async fn several_providers_are_offered_in_a_menu() {
    let other = "[providers.codex]\n";
    let setup = Setup::plan().more(other).start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let asked = ann.slash("/auth login").in_thread(&thread).send().await;
    asked.sees_text("Where do you want to sign in?", SOON).await;
    let chosen = asked.select("Acme").await;
    chosen.sees_text(OPEN, SOON).await;
    let names = ann.autocomplete("/auth login").focused("provider", "ac").in_thread(&thread).send().await;
    let names: Vec<_> = names.into_iter().map(|choice| choice.name).collect();
    assert_eq!(names, ["Acme"]);
    setup.discord.assert_clean();
}

/// U3: a login whose time is over says so, with a new start.
#[tokio::test]
async fn a_login_that_expires_is_told_with_a_new_start() {
    let setup = Setup::new().await;
    setup.authority.set(|settings| settings.device_lifetime = Duration::from_secs(1));
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let over = login.sees_text("has expired", NEXT_POLL).await;
    assert!(over.button("Sign in again").is_some() && over.links().is_empty(), "{}", over.render());
    setup.discord.assert_clean();
}

/// S7: too many starts in a minute are refused with the time of the next; a join is no start.
#[tokio::test]
async fn starts_are_limited_and_joins_are_not() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let start = |profile: &str| ann.slash("/auth login").option("profile", profile).in_thread(&thread).send();
    for profile in ["a", "b", "c", "d", "e"] {
        start(profile).await.sees_text(OPEN, SOON).await;
    }
    start("f").await.sees_text("You can start the next one <t:", SOON).await;
    start("a").await.sees_text(OPEN, SOON).await;
    assert_eq!(setup.authority.device_starts(), 5);
    setup.discord.assert_clean();
}
