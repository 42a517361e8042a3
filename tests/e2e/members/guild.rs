//! What a busy guild does to a sign-in: threads that close, names that are taken, forms that lie open, other guilds.

use std::time::{Duration, Instant};

use latchkey_test_authority::Person;
use latchkey_test_discord::{Acknowledgement, Channel};

use super::{ADDRESS, OPEN, PASTE, ann_and_a_thread, login, login_id};
use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

const ELSEWHERE: u64 = 555_666_777_888_999;
/// An interaction's token is over by then.
const TOO_LATE: Duration = Duration::from_mins(20);

/// W1, W4, U5: whatever becomes of its thread, a login goes on and is stored; nothing reopens the thread.
#[tokio::test]
async fn a_login_outlives_its_thread() {
    let setup = Setup::new().await;
    let _bot = Bot::start(&setup).await;
    let fates: [fn(&Setup, &Channel); 3] = [
        |setup, thread| setup.discord.archive(thread),
        |setup, thread| setup.discord.lock(thread),
        |setup, thread| setup.discord.delete(thread),
    ];
    let mut members = Vec::new();
    for (number, fate) in fates.into_iter().enumerate() {
        let member = setup.discord.member(&format!("member {number}"));
        let thread = setup.thread(&format!("thread {number}"));
        let link = login(&member, &thread).await.link(OPEN);
        fate(&setup, &thread);
        members.push((member, thread, link));
    }
    // Half of what there is to tell comes by the live message, half when its token is over.
    for (number, (member, _, link)) in members.iter().enumerate() {
        if number == 1 {
            setup.discord.advance(TOO_LATE);
        }
        setup
            .authority
            .approve_device(link, &Person::new(format!("person {number}"), "a@example.test"))
            .await;
        let tenant = format!("\"acme@{}\"", member.id());
        let stored = setup.authority.eventually(NEXT_POLL, |_| {
            let stored: serde_json::Value = serde_json::from_str(&setup.stored()).unwrap_or_default();
            stored["tenants"].get(tenant.trim_matches('"')).is_some()
        });
        assert!(stored.await, "{number}: {}", setup.stored());
    }
    let told = |stored: &str| stored.matches("\"told\"").count() == members.len();
    assert!(setup.authority.eventually(NEXT_POLL, |_| told(&setup.stored())).await, "{}", setup.stored());
    for (member, thread, _) in &members {
        assert!(setup.authority.accepts(&setup.token(&[&format!("acme@{}", member.id())]).await));
        assert_eq!(setup.discord.channel_messages(thread).len(), 0);
    }
    assert!(members[0].1.is_archived() && members[1].1.is_archived());
    setup.discord.assert_clean();
}

/// U8, Z2: under another name, everything that people see and everything that is registered has that name.
#[tokio::test]
async fn a_renamed_command_has_its_name_everywhere() {
    let setup = Setup::plan().discord("command = \"signin\"").start().await;
    let guild = Some(setup.discord.guild());
    // What an earlier run of ours registered; and what Discord would show of another bot's is none of our business.
    let before = setup.discord.seed_command(
        guild,
        &serde_json::json!({ "name": "auth", "description": "Before the rename", "type": 1, "options": [
            { "type": 1, "name": "login", "description": "Sign in" }
        ] }),
    );
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let names = ann.autocomplete("/signin login").focused("provider", "").in_thread(&thread).send().await;
    assert_eq!(names.len(), 1);
    let start = ann.slash("/signin login").in_thread(&thread).send().await;
    let card = start.sees_text(OPEN, SOON).await;
    setup.authority.approve_device(&start.link(OPEN), &Person::ada()).await;
    let done = start.sees_text("Signed in to Acme", NEXT_POLL).await;
    assert!(done.contains("</signin status:"), "{}", done.render());
    let names = ann.autocomplete("/signin logout").focused("tenant", "").in_thread(&thread).send().await;
    assert_eq!(names.len(), 1);
    ann.slash("/signin status").in_thread(&thread).send().await.sees_text("works", SOON).await;
    for (tenant, told) in
        [("none:acme", "choice for"), ("acme", "</signin use:"), ("nobody", "</signin list:")]
    {
        let used = ann.slash("/signin use").option("tenant", tenant).in_thread(&thread).send().await;
        used.sees_text(told, SOON).await;
    }
    ann.slash("/signin list").in_thread(&thread).send().await.sees_text("Acme", SOON).await;
    let over = ann.forge_click(&card, "lk1:none:").await;
    over.sees_text("</signin login:", SOON).await;
    let logout = ann.slash("/signin logout").in_thread(&thread).send().await;
    logout.sees_text("Log out of Acme", SOON).await;
    logout.click("Log out").await.sees_text("</signin login:", SOON).await;
    ann.slash("/signin cancel").in_thread(&thread).send().await.sees_text("</signin login:", SOON).await;
    // The old name leads to the new one.
    let old = ann.slash("/auth login").in_thread(&thread).send().await;
    old.sees_text("</signin login:", SOON).await;
    for request in setup.discord.requests() {
        assert!(!request.body.to_string().contains("/auth"), "{request}");
    }
    let before = before.to_string();
    let ours = |command: &&serde_json::Value| command["id"] == before.as_str();
    let commands = setup.discord.commands(guild);
    assert_eq!(
        commands.iter().find(ours).map(|command| &command["description"]),
        Some(&"Before the rename".into())
    );
    setup.discord.assert_clean();
}

/// U8: registration adds one command by name. It never lists, replaces or deletes, so that no other command, of this
/// application or of another bot with the same name, can be touched.
#[tokio::test]
async fn registration_adds_one_command_and_touches_no_other() {
    let setup = Setup::new().await;
    let guild = Some(setup.discord.guild());
    let seeded = [
        (guild, serde_json::json!({ "name": "weather", "description": "Somebody else's", "type": 1 })),
        (
            None,
            serde_json::json!({ "name": "auth", "description": "A global one of the same name", "type": 1 }),
        ),
    ];
    for (scope, command) in &seeded {
        setup.discord.seed_command(*scope, command);
    }
    let before = setup.discord.commands(None);
    let bot = Bot::start(&setup).await;
    let _bot = bot.restart(&setup).await;
    let application = setup.discord.application_id();
    let guild_commands =
        format!("POST /applications/{application}/guilds/{}/commands", setup.discord.guild());
    let asked = setup.discord.requests_to("* /applications/*/commands*");
    let lines: Vec<_> = asked.iter().map(|request| format!("{} {}", request.method, request.path)).collect();
    assert_eq!(lines, [guild_commands.clone(), guild_commands]);
    assert_eq!(setup.discord.commands(None), before);
    assert_eq!(setup.discord.commands(guild).len(), 2);
    setup.discord.assert_clean();
}

/// U8: beside another bot's command, of the same name or of another, ours is registered, told of by its own id, and the only
/// one that is answered; the other one stays as it was.
#[tokio::test]
async fn another_bots_command_of_the_same_name_stays_and_ours_works_beside_it() {
    for (ours, line) in [("auth", "/auth login"), ("signin", "/signin login")] {
        let setup = Setup::plan().discord(&format!("command = \"{ours}\"")).start().await;
        let guild = Some(setup.discord.guild());
        let theirs = serde_json::json!({ "name": "auth", "description": "Another bot's", "type": 1, "options": [
            { "type": 1, "name": "login", "description": "Log in to something else" }
        ] });
        setup.discord.seed_command_of_another(guild, &theirs);
        let before = setup.discord.commands_of_another();
        let (bot, ann, thread) = ann_and_a_thread(&setup).await;
        let _bot = bot.restart(&setup).await;
        let registered = setup.discord.commands(guild);
        assert_eq!(registered.len(), 1, "{registered:?}");
        let start = ann.slash(line).in_thread(&thread).send().await;
        start.sees_text(OPEN, SOON).await;
        setup.authority.approve_device(&start.link(OPEN), &Person::ada()).await;
        let told = format!("</{ours} status:{}>", registered[0]["id"].as_str().expect("an id"));
        start.sees_text(&told, NEXT_POLL).await;
        if ours != "auth" {
            let refused = ann.slash("/auth login").in_thread(&thread).try_send().await;
            assert!(refused.expect_err("it is not ours").to_string().contains("another application's"));
        }
        assert_eq!(setup.discord.commands_of_another(), before);
        setup.discord.assert_clean();
    }
}

/// U4, U9: a form that lay open until its login was over says so with a new start; what was pasted is not spent.
#[tokio::test]
async fn a_form_left_open_for_too_long_says_so_and_spends_nothing() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let (bot, ann, thread) = ann_and_a_thread(&setup).await;
    let old = login(&ann, &thread).await;
    let form = old.click(PASTE).await;
    let answer = setup.authority.sign_in(&old.link(OPEN), &Person::ada()).await;
    setup.discord.advance(TOO_LATE);
    let mut stored: serde_json::Value = serde_json::from_str(&setup.stored()).expect("the store is JSON");
    for login in stored["pending"].as_object_mut().expect("logins").values_mut() {
        let at = login["expires_at"].as_i64().expect("a moment");
        login["expires_at"] = (at - i64::try_from(TOO_LATE.as_secs()).expect("minutes")).into();
    }
    std::fs::write(setup.store(), stored.to_string()).expect("the store is written");
    // Until the bot has seen that: its buttons say so.
    let end = Instant::now() + SOON;
    while matches!(old.click(PASTE).await.acknowledgement(), Acknowledgement::Modal(_)) {
        assert!(Instant::now() < end, "the form is still opened");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let late = form.submit_modal([(ADDRESS, answer.as_str())]).await;
    let told = late.sees_text("That sign-in is over", SOON).await;
    assert!(told.is_ephemeral(), "{}", told.render());
    assert_eq!(setup.authority.exchanges(), 0);
    setup.authority.assert_no_secret_in(&bot.said());
    let again = late.click("Start a new sign-in").await;
    again.sees_text(OPEN, SOON).await;
    let answer = setup.authority.sign_in(&again.link(OPEN), &Person::ada()).await;
    let pasted = again.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to Acme", SOON).await;
    setup.discord.assert_clean();
}

/// U4: a form that lay open past its message's token, of a login that still lives, signs in.
#[tokio::test]
async fn a_form_left_open_signs_in_as_long_as_its_login_lives() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let (bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let form = login.click(PASTE).await;
    let answer = setup.authority.sign_in(&login.link(OPEN), &Person::ada()).await;
    setup.discord.advance(TOO_LATE);
    let _bot = bot.restart(&setup).await;
    let pasted = form.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to Acme", SOON).await;
    setup.discord.assert_clean();
}

/// S13, U5: every button of a message from before a restart does what it says.
#[tokio::test]
async fn buttons_from_before_a_restart_work() {
    let setup = Setup::new().await;
    let (bot, ann, thread) = ann_and_a_thread(&setup).await;
    let device = login(&ann, &thread).await;
    let bot = bot.restart(&setup).await;
    let paste = device.click("Try another way").await;
    paste.sees_text(PASTE, SOON).await;
    let bot = bot.restart(&setup).await;
    paste.click(PASTE).await.modal();
    paste.click("Cancel").await.sees_text("was cancelled", SOON).await;
    let bot = bot.restart(&setup).await;
    let again = paste.click("Sign in again").await;
    again.sees_text(PASTE, SOON).await;
    let answer = setup.authority.sign_in(&again.link(OPEN), &Person::ada()).await;
    let pasted = again.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to Acme", SOON).await;
    let status = ann.slash("/auth status").in_thread(&thread).send().await;
    status.sees_text("works", SOON).await;
    let _bot = bot.restart(&setup).await;
    status.click("Log out").await.sees_text("Log out of Acme", SOON).await;
    setup.discord.assert_clean();
}

/// U8: in a second guild the same bot neither answers, nor asks, nor speaks, nor stores.
#[tokio::test]
async fn a_second_guild_gets_nothing() {
    // By paste: no poll changes the store meanwhile.
    let setup = Setup::plan().acme("flows = [\"paste\"]").other_guild(ELSEWHERE).start().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let mine = login(&ann, &thread).await;
    let id = login_id(&mine);
    let stored = setup.stored();
    let theirs = setup.discord.channel_in(ELSEWHERE, "general");
    let inner = setup.discord.thread(&theirs, "fix-ci");
    // The same person, with every right over there.
    let ann_there = setup.discord.member("ann").in_guild(ELSEWHERE).manage_guild();
    let wait = Duration::from_secs(1);
    for place in [&theirs, &inner] {
        for command in ["/auth login", "/auth status", "/auth logout", "/auth cancel"] {
            ann_there.slash(command).in_channel(place).forced().ignored(wait).await;
        }
        ann_there.forge_modal(place, &format!("lk1:paste:{id}"), [("answer", "x")]).ignored(wait).await;
        ann_there.forge_modal(place, "of an older version", [("answer", "x")]).ignored(wait).await;
    }
    setup.discord.archive(&inner);
    setup.discord.delete(&inner);
    let asked = setup.discord.requests();
    let about = [theirs.id(), inner.id(), ELSEWHERE].map(|id| id.to_string());
    let asked = asked.iter().filter(|request| about.iter().any(|id| request.path.contains(id)));
    assert_eq!(asked.count(), 0);
    assert_eq!(setup.stored(), stored);
    let answer = setup.authority.sign_in(&mine.link(OPEN), &Person::ada()).await;
    let pasted = mine.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to Acme", SOON).await;
    setup.discord.assert_clean();
}
