//! Who gets in, and what is said to those who do not.

use std::time::Duration;

use super::{OPEN, ann_and_a_thread, login, login_id};
use crate::harness::{Bot, SOON, Setup};

const ELSEWHERE: u64 = 555_666_777_888_999;

/// U7: whoever lacks the role is told what is missing and nothing else, at every entry; losing it counts at once.
#[tokio::test]
async fn every_entry_checks_again() {
    let admits = |discord: &latchkey_test_discord::Discord| {
        format!("members = {{ roles = [\"{}\"] }}", discord.role("agents"))
    };
    let setup = Setup::plan().access(admits).start().await;
    let bot = Bot::start(&setup).await;
    let (thread, role) = (setup.thread("fix-ci"), setup.discord.role("agents"));
    let ann = setup.discord.member("ann").roles([role]);
    let bob = setup.discord.member("bob");
    let login = login(&ann, &thread).await;
    let (id, card) = (login_id(&login), login.message());

    let missing = format!("You need the role <@&{role}>");
    for command in
        ["/auth login", "/auth status", "/auth logout", "/auth cancel", "/auth use acme", "/auth list"]
    {
        let refused = bob.slash(command).in_thread(&thread).send().await;
        let told = refused.sees_text(&missing, SOON).await;
        assert!(
            told.is_ephemeral() && told.buttons().is_empty() && !told.contains("Acme"),
            "{}",
            told.render()
        );
    }
    let tenant = format!("acme@{}", ann.id());
    for press in [
        format!("paste:{id}"),
        format!("cancel:{id}"),
        format!("other:{id}"),
        format!("signin:{tenant}"),
        format!("refresh:{tenant}"),
        "use-menu:acme".to_owned(),
        "list:0".to_owned(),
        "status:".to_owned(),
        format!("replace:{id}"),
        format!("agree:{id}.0123456789abcdef"),
        format!("refuse:{id}"),
        format!("logout:{tenant}"),
        format!("logout-yes:{tenant}"),
    ] {
        let refused = bob.forge_click(&card, &format!("lk1:{press}")).await;
        let told = refused.sees_text(&missing, SOON).await;
        assert!(told.buttons().is_empty() && !told.contains("Acme"), "{press}: {}", told.render());
    }
    bob.forge_modal(&thread, &format!("lk1:paste:{id}"), [("answer", "x")])
        .await
        .sees_text(&missing, SOON)
        .await;
    let choices = bob.autocomplete("/auth login").focused("provider", "").in_thread(&thread).send().await;
    assert_eq!(choices, vec![]);
    let choices = ann.autocomplete("/auth login").focused("provider", "").in_thread(&thread).send().await;
    assert_eq!(choices.len(), 1);

    ann.set_roles([]);
    ann.click(&card, "Cancel").await.sees_text(&missing, SOON).await;
    // Whoever is not admitted signs in to nothing any more, what is under way included.
    login.sees_text("was stopped", SOON).await;
    ann.set_roles([role]);
    ann.slash("/auth login").in_thread(&thread).send().await.sees_text(OPEN, SOON).await;
    assert!(!bot.said().contains(&login.token()), "{}", bot.said());
    setup.discord.assert_clean();
}

/// U7: Manage Guild counts as admin, and an admin as a member, where nobody else is admitted.
#[tokio::test]
async fn nobody_is_admitted_by_default_but_those_who_manage_the_guild() {
    let setup = Setup::plan().access(|_| String::new()).start().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let refused = ann.slash("/auth login").in_thread(&thread).send().await;
    refused.sees_text("Nobody is admitted here yet", SOON).await;
    login(&setup.discord.member("ada").manage_guild(), &thread).await;
    setup.discord.assert_clean();
}

/// U8: the same bot in another guild does nothing, by no way.
#[tokio::test]
async fn another_guild_gets_nothing() {
    let setup = Setup::plan().other_guild(ELSEWHERE).start().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let (id, card) = (login_id(&login), login.message());
    let eve = setup.discord.member("eve").in_guild(ELSEWHERE).manage_guild();
    let theirs = setup.discord.channel_in(ELSEWHERE, "general");
    let wait = Duration::from_secs(1);
    eve.slash("/auth status").in_channel(&theirs).forced().ignored(wait).await;
    eve.forge_modal(&theirs, &format!("lk1:paste:{id}"), [("answer", "x")]).ignored(wait).await;
    assert!(setup.discord.channel_messages(&theirs).is_empty());
    assert_eq!(setup.discord.commands(Some(ELSEWHERE)), Vec::<serde_json::Value>::new());
    assert!(card.button("Cancel").is_some());
    setup.discord.assert_clean();
}

/// U9: what belongs to a login that is over, or that nobody made, says so and offers a start that works.
#[tokio::test]
async fn what_is_over_or_unknown_offers_a_new_start() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let old = login(&ann, &thread).await;
    let (id, card) = (login_id(&old), old.message());
    old.click("Cancel").await.sees_text("was cancelled", SOON).await;
    let forged = [
        format!("lk1:paste:{id}"),
        format!("lk1:other:{id}"),
        format!("lk1:paste:{}", "0".repeat(32)),
        "lk1:none:".to_owned(),
        "a button of an older version".to_owned(),
    ];
    for custom_id in &forged {
        let over = ann.forge_click(&card, custom_id).await;
        over.sees_text("That sign-in is over", SOON).await;
        over.sees_text("Start a new sign-in", SOON).await;
    }
    for custom_id in [&forged[0], &forged[4]] {
        let over = ann.forge_modal(&thread, custom_id, [("answer", "x")]).await;
        over.sees_text("That sign-in is over", SOON).await;
        over.click("Start a new sign-in").await.sees_text(OPEN, SOON).await;
    }
    setup.discord.assert_clean();
}

/// U8: registration upserts our one command under its configured name and leaves the application's others alone.
#[tokio::test]
async fn registration_leaves_other_commands_alone() {
    let setup = Setup::plan().discord("command = \"signin\"").start().await;
    let guild = Some(setup.discord.guild());
    let other = serde_json::json!({ "name": "weather", "description": "Somebody else's", "type": 1 });
    setup.discord.seed_command(guild, &other);
    let bot = Bot::start(&setup).await;
    let names = || {
        let commands = setup.discord.commands(guild);
        let mut names: Vec<_> =
            commands.iter().filter_map(|c| c["name"].as_str().map(str::to_owned)).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["signin", "weather"]);
    let _bot = bot.restart(&setup).await;
    assert_eq!(names(), ["signin", "weather"]);
    let status = setup.discord.member("ann").slash("/signin status").send().await;
    status.sees_text("</signin login:", SOON).await;
    setup.discord.assert_clean();
}
