//! Cancelling: by whom, when, and that it wins.

use std::time::Duration;

use latchkey_test_authority::{Endpoint, Person};

use super::{ADDRESS, OPEN, PASTE, ann_and_a_thread, login, login_id};
use crate::harness::{NEXT_POLL, SOON, Setup};

/// Exit code of `latchkey token` without a sign-in.
const NEEDS_LOGIN: i32 = 3;

/// C1: cancelled while it is polled, nothing is stored, though the provider says yes.
#[tokio::test]
async fn a_cancel_while_polling_wins() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let link = login.link(OPEN);
    let pressed = login.click("Cancel").await;
    let card = pressed.sees_text("was cancelled", SOON).await;
    assert_eq!(card.buttons().len(), 1, "only the new start is left: {}", card.render());
    setup.authority.approve_device(&link, &Person::ada()).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(setup.cli(&["token", &format!("acme@{}", ann.id())]).await.code, NEEDS_LOGIN);
    assert!(login.message().contains("was cancelled"), "{}", login.story());
    setup.discord.assert_clean();
}

/// C1, C4: cancelled while the code is being exchanged, nothing is stored, and what was obtained is revoked.
#[tokio::test]
async fn a_cancel_during_the_exchange_wins() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let answer = setup.authority.sign_in(&login.link(OPEN), &Person::ada()).await;
    let held = setup.authority.hold_reply(Endpoint::Token);
    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Checking your sign-in", SOON).await;
    setup.authority.eventually(SOON, |_| held.waiting() == 1).await;
    let cancel = ann.slash("/auth cancel").in_thread(&thread).send().await;
    cancel.sees_text("was cancelled", SOON).await;
    login.sees_text("was cancelled", SOON).await;
    held.release();
    setup.authority.eventually(SOON, |authority| authority.revocations() == 1).await;
    assert_eq!(setup.cli(&["token", &format!("acme@{}", ann.id())]).await.code, NEEDS_LOGIN);
    assert!(login.message().contains("was cancelled"), "{}", login.story());
    setup.discord.assert_clean();
}

/// C11: another member's forged modal, button and cancel are refused, and the login goes on unharmed.
#[tokio::test]
async fn what_is_anothers_cannot_be_completed_or_cancelled() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let bob = setup.discord.member("bob");
    let login = login(&ann, &thread).await;
    let (id, card) = (login_id(&login), login.message());
    let answer = setup.authority.sign_in(&login.link(OPEN), &Person::ada()).await;

    let forged = bob.forge_modal(&thread, &format!("lk1:paste:{id}"), [("answer", answer.as_str())]).await;
    forged.sees_text("somebody else's", SOON).await;
    for verb in ["paste", "cancel", "other"] {
        let forged = bob.forge_click(&card, &format!("lk1:{verb}:{id}")).await;
        forged.sees_text("somebody else's", SOON).await;
    }
    let none = bob.slash("/auth cancel").in_thread(&thread).send().await;
    none.sees_text("no sign-in under way", SOON).await;
    let forged = bob.forge_select(&card, "lk1:pick-cancel:", &[&id]).await;
    forged.sees_text("somebody else's", SOON).await;
    assert_eq!(setup.authority.exchanges(), 0);

    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to Acme", SOON).await;
    setup.discord.assert_clean();
}

/// C11: an admin may cancel another's login; its owner is told by whom.
#[tokio::test]
async fn an_admin_cancels_anothers_login() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let admin = setup.discord.member("ada").manage_guild();
    let asked = admin.slash("/auth cancel").in_thread(&thread).send().await;
    let menu = asked.sees_text("Which sign-in", SOON).await;
    assert!(menu.contains(&ann.id().to_string()), "{}", menu.render());
    asked.select(&login_id(&login)).await.sees_text("was cancelled", SOON).await;
    let told = login.sees_text("was cancelled by", NEXT_POLL).await;
    assert!(told.contains(&format!("<@{}>", admin.id())), "{}", told.render());
    setup.discord.assert_clean();
}

/// C8: a name that fits nothing ends nothing, and hides nothing that is under way.
#[tokio::test]
async fn a_mistyped_name_shows_what_is_under_way() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let cancel = ann.slash("/auth cancel").option("tenant", "acmee").in_thread(&thread).send().await;
    cancel.sees_text("Which sign-in", SOON).await;
    assert!(login.message().contains("Sign in to Acme"), "{}", login.story());
    cancel.select("Acme").await.sees_text("was cancelled", SOON).await;
    login.sees_text("was cancelled", NEXT_POLL).await;
    setup.discord.assert_clean();
}

/// C8: with nothing under way, a cancel says so.
#[tokio::test]
async fn there_may_be_nothing_to_cancel() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let cancel = ann.slash("/auth cancel").in_thread(&thread).send().await;
    cancel.sees_text("no sign-in under way", SOON).await;
    let forged = ann.forge_select(&cancel.message(), "lk1:pick-cancel:", &[&"0".repeat(32)]).await;
    forged.sees_text("Cancelled", SOON).await;
    setup.discord.assert_clean();
}
