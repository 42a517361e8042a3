//! `/auth status`: what is in force and why, and its buttons.

use latchkey_test_authority::Person;

use super::{ann_and_a_thread, edit, signed_in};
use crate::harness::{Bot, SOON, Setup};

/// U6, G15, G27: looking spends nothing; a refresh is its owner's or an admin's wish, once a minute, and agents have the new
/// token.
#[tokio::test]
async fn a_refresh_comes_of_pressing_and_not_of_looking() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let (bob, admin) = (setup.discord.member("bob"), setup.discord.member("ada").manage_guild());
    let own = format!("acme@{}", ann.id());
    let tokens = signed_in(&setup, &own, &Person::ada(), &ann).await;
    let used = ann.slash("/auth use").option("tenant", "acme").in_thread(&thread).send().await;
    used.sees_text("from now on", SOON).await;
    for member in [&ann, &bob, &admin] {
        let status = member.slash("/auth status").in_thread(&thread).send().await;
        let view = status.sees_text("next refresh <t:", SOON).await;
        assert_eq!(view.button("Refresh now").is_some(), member.name() != "bob", "{}", view.render());
        status.click("Look again").await.sees_text("works", SOON).await;
    }
    assert_eq!(setup.authority.refreshes(), 0);

    let status = bob.slash("/auth status").in_thread(&thread).send().await;
    let view = status.sees_text("works", SOON).await;
    let forged = bob.forge_click(&view, &format!("lk1:refresh:{own}")).await;
    forged.sees_text("You cannot refresh this one", SOON).await;
    assert_eq!(setup.authority.refreshes(), 0);

    let status = ann.slash("/auth status").in_thread(&thread).send().await;
    let before = status.sees_text("works", SOON).await;
    let pressed = status.click("Refresh now").await;
    let after = pressed.sees_text("Acme was refreshed", SOON).await;
    assert_eq!(after.id(), before.id(), "on the message that was pressed");
    let fresh = setup.token(&["acme", "--thread", &thread.id().to_string()]).await;
    assert!(fresh != *tokens.access && setup.authority.accepts(&fresh));
    pressed.click("Refresh now").await.sees_text("less than a minute ago", SOON).await;
    assert_eq!((setup.authority.refreshes(), setup.authority.reuses()), (1, 0));
    setup.discord.assert_clean();
}

/// DESIGN, U6: what is chosen for the channel serves its threads, and status says why.
#[tokio::test]
async fn status_says_why_a_tenant_serves() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let (bob, channel) = (setup.discord.member("bob"), setup.discord.channel("general"));
    signed_in(&setup, "acme", &Person::ben(), &bob).await;
    let own = signed_in(&setup, &format!("acme@{}", ann.id()), &Person::ada(), &ann).await;
    let status = || async {
        let status = bob.slash("/auth status").in_thread(&thread).send().await;
        status.sees_text("works", SOON).await.text()
    };
    assert!(!status().await.contains("chosen for"), "nobody chose");
    let used = ann.slash("/auth use").option("tenant", "acme@me").in_channel(&channel).send().await;
    used.sees_text("from now on", SOON).await;
    assert!(status().await.contains("chosen for this thread's channel"));
    let used = bob.slash("/auth use").option("tenant", "acme").in_thread(&thread).send().await;
    let view = used.sees_text("from now on", SOON).await;
    let before = format!("what is chosen for its channel: Acme (of <@{}>)", ann.id());
    assert!(view.contains(&before), "{}", view.render());
    assert!(status().await.contains("chosen for this thread ·"));
    let used = bob.slash("/auth use").option("tenant", "none:acme").in_thread(&thread).send().await;
    used.sees_text("It uses what is chosen for its channel", SOON).await;
    assert!(status().await.contains("chosen for this thread's channel"));
    assert!(setup.authority.accepts(&own.access));
    setup.discord.assert_clean();
}

/// G25, U6: a key from the environment comes before every sign-in, and status says so.
#[tokio::test]
async fn status_tells_a_key_that_comes_before_the_sign_in() {
    let setup = Setup::plan().acme("api_key_env = \"ACME_KEY\"").start().await;
    let _bot = Bot::start_with(&setup, |program| {
        program.env("ACME_KEY", "sesame-of-acme");
    })
    .await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    signed_in(&setup, &format!("acme@{}", ann.id()), &Person::ada(), &ann).await;
    let used = ann.slash("/auth use").option("tenant", "acme@me").in_thread(&thread).send().await;
    used.sees_text("For now that changes nothing for its agents", SOON).await;
    let status = ann.slash("/auth status").in_thread(&thread).send().await;
    let view = status.sees_text("with an API key that the operator set", SOON).await;
    assert!(view.contains("A sign-in waits behind it"), "{}", view.render());
    assert!(view.button("Refresh now").is_none() && !view.contains("sesame"), "{}", view.render());
    setup.discord.assert_clean();
}

/// F5, U6: what cannot be read is told to an admin in full, and fails nobody's status.
#[tokio::test]
async fn damage_is_told_and_fails_nothing() {
    let setup = Setup::new().await;
    let (mut bot, ann, thread) = ann_and_a_thread(&setup).await;
    let admin = setup.discord.member("ada").manage_guild();
    signed_in(&setup, "acme", &Person::ada(), &ann).await;
    bot.kill9();
    edit(&setup, |stored| stored["tenants"]["acme/old"] = serde_json::json!({ "kind": 7 }));
    let _bot = Bot::start(&setup).await;
    for (member, told) in [(&ann, false), (&admin, true)] {
        let status = member.slash("/auth status").in_thread(&thread).send().await;
        let view = status.sees_text("works", SOON).await;
        assert_eq!(view.contains("A stored entry cannot be read"), told, "{}", view.render());
    }
    setup.discord.assert_clean();
}
