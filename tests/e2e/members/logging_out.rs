//! Status and logout.

use latchkey_test_authority::{Endpoint, Person};
use latchkey_test_discord::{Channel, Member};

use super::{OPEN, ann_and_a_thread, edit, login, signed_in};
use crate::harness::{NEXT_POLL, SOON, Setup};

async fn sign_in(setup: &Setup, member: &Member, thread: &Channel) {
    let login = login(member, thread).await;
    setup.authority.approve_device(&login.link(OPEN), &Person::ada()).await;
    login.sees_text("Signed in to Acme", NEXT_POLL).await;
}

/// U6: who, what, how and until when; a personal account's name is its owner's and an admin's to see.
#[tokio::test]
async fn status_tells_the_thread_and_keeps_what_is_personal() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let empty = ann.slash("/auth status").in_thread(&thread).send().await;
    empty.sees_text("Nothing is signed in for this thread", SOON).await;
    sign_in(&setup, &ann, &thread).await;
    let bob = setup.discord.member("bob");
    let admin = setup.discord.member("ada").manage_guild();
    for (member, sees_account, buttons) in [(&ann, true, 3), (&bob, false, 1), (&admin, true, 3)] {
        let status = member.slash("/auth status").in_thread(&thread).send().await;
        let view = status.sees_text("works", SOON).await;
        assert!(view.contains(&format!("signed in by <@{}>", ann.id())), "{}", view.render());
        assert_eq!(view.contains("example.test"), sees_account, "{}", view.render());
        assert_eq!(view.buttons().len(), buttons, "{}", view.render());
    }
    let pending = bob.slash("/auth login").in_thread(&thread).send().await;
    pending.sees_text(OPEN, SOON).await;
    let status = ann.slash("/auth status").in_thread(&thread).send().await;
    status.sees_text(&format!("<@{}> is signing in", bob.id()), SOON).await;
    setup.discord.assert_clean();
}

/// T12: asked first, then gone here and at the provider.
#[tokio::test]
async fn a_logout_is_confirmed_and_done_on_both_sides() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    sign_in(&setup, &ann, &thread).await;
    let (id, bob) = (thread.id().to_string(), setup.discord.member("bob"));
    let token = setup.token(&["acme", "--thread", &id]).await;

    let theirs = bob.slash("/auth logout").in_thread(&thread).send().await;
    theirs.sees_text("nothing to log out", SOON).await;
    let tenant = format!("acme@{}", ann.id());
    let forged = bob.forge_click(&theirs.message(), &format!("lk1:logout-yes:{tenant}")).await;
    forged.sees_text("another member", SOON).await;
    let named = bob.slash("/auth logout").option("tenant", &tenant).in_thread(&thread).send().await;
    named.sees_text("another member", SOON).await;

    let kept = ann.slash("/auth logout").in_thread(&thread).send().await;
    kept.sees_text("Log out of Acme", SOON).await;
    kept.click("Keep").await.sees_text("Nothing was changed", SOON).await;
    assert!(setup.authority.accepts(&token));

    let status = ann.slash("/auth status").in_thread(&thread).send().await;
    status.sees_text("works", SOON).await;
    let asked = status.click("Log out").await;
    asked.sees_text("Log out of Acme", SOON).await;
    let done = asked.click("Log out").await;
    done.sees_text("ended at the provider too", SOON).await;
    assert!(!setup.authority.accepts(&token));
    assert_eq!(setup.cli(&["token", "acme", "--thread", &id]).await.code, 3);
    setup.discord.assert_clean();
}

/// T12: a provider that is down delays no logout; what is owed to it is said.
#[tokio::test]
async fn a_logout_owes_what_the_provider_could_not_be_told() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    sign_in(&setup, &ann, &thread).await;
    setup.authority.go_down();
    let asked = ann.slash("/auth logout").in_thread(&thread).send().await;
    asked.sees_text("Log out of Acme", SOON).await;
    let done = asked.click("Log out").await;
    done.sees_text("goes on trying for a day", SOON).await;
    assert_eq!(setup.authority.requests_to(Endpoint::Revoke).len(), 0);
    assert_eq!(setup.cli(&["token", &format!("acme@{}", ann.id())]).await.code, 3);
    setup.discord.assert_clean();
}

/// T12: what is owed outlives the bot, is told to an admin and to whose it was, and is done once the provider is back.
#[tokio::test]
async fn what_is_owed_survives_a_restart_and_is_done() {
    let setup = Setup::new().await;
    let (mut bot, ann, thread) = ann_and_a_thread(&setup).await;
    let tenant = format!("acme@{}", ann.id());
    signed_in(&setup, &tenant, &Person::ada(), &ann).await;
    setup.authority.go_down();
    let asked = ann.slash("/auth logout").in_thread(&thread).send().await;
    asked.sees_text("Log out of Acme", SOON).await;
    asked.click("Log out").await.sees_text("goes on trying for a day", SOON).await;
    let admin = setup.discord.member("ada").manage_guild();
    let bob = setup.discord.member("bob");
    for (member, told) in [(&ann, true), (&admin, true), (&bob, false)] {
        let status = member.slash("/auth status").in_thread(&thread).send().await;
        let view = status.sees_text("Look again", SOON).await;
        assert_eq!(view.contains("the provider does not know yet"), told, "{}", view.render());
    }
    bot.kill9();
    // Its pause is over, or was made by a clock that jumped.
    edit(&setup, |stored| stored["revocations"][0]["retry_at"] = serde_json::json!(i64::MAX));
    setup.authority.come_back();
    let _bot = crate::harness::Bot::start(&setup).await;
    assert!(setup.authority.eventually(crate::due::LONG, |authority| authority.revocations() == 1).await);
    assert_eq!(setup.authority.live_grants(), 0);
    let end = std::time::Instant::now() + crate::due::LONG;
    while setup.stored().contains("\"revocations\": [\n") && setup.stored().contains("owed_at") {
        assert!(std::time::Instant::now() < end, "{}", setup.stored());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    setup.discord.assert_clean();
}

/// T12, Z3: after a day it is given up, said once in the audit trail, and the token is gone.
#[tokio::test]
async fn what_is_owed_for_a_day_is_given_up_with_one_line() {
    let setup = Setup::new().await;
    let (mut bot, ann, thread) = ann_and_a_thread(&setup).await;
    let tokens = signed_in(&setup, &format!("acme@{}", ann.id()), &Person::ada(), &ann).await;
    setup.authority.go_down();
    let asked = ann.slash("/auth logout").in_thread(&thread).send().await;
    asked.sees_text("Log out of Acme", SOON).await;
    asked.click("Log out").await.sees_text("goes on trying for a day", SOON).await;
    bot.kill9();
    assert!(setup.stored().contains(&*tokens.refresh));
    edit(&setup, |stored| {
        let owed_at = stored["revocations"][0]["owed_at"].as_i64().unwrap();
        stored["revocations"][0]["owed_at"] = serde_json::json!(owed_at - 24 * 60 * 60 - 1);
    });
    let bot = crate::harness::Bot::start(&setup).await;
    let line = "given up: it could not be done for a day";
    bot.wait_said(line, crate::due::LONG).await;
    assert!(!setup.stored().contains(&*tokens.refresh));
    let bot_said = bot.said();
    assert!(bot_said.contains("latchkey::audit"), "{bot_said}");
    let again = bot.restart(&setup).await;
    assert_eq!((bot_said.matches(line).count(), again.said().matches(line).count()), (1, 0));
    assert_eq!(setup.authority.revocations(), 0);
    setup.discord.assert_clean();
}
