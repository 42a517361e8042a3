//! Members who leave, lose their role, and come back: their own sign-ins rest meanwhile (U7).

use std::time::{Duration, Instant};

use latchkey::credential::Unserved;
use latchkey_test_authority::Person;
use latchkey_test_discord::{Channel, Discord, Member};

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};
use crate::telling::{A_WHILE, AGAIN, change, held, put, said};

/// What the thread of somebody who is gone is told.
const GONE: &str = "is no longer available here";

fn role_of(discord: &Discord) -> String {
    format!("members = {{ roles = [\"{}\"] }}", discord.role("agents"))
}

async fn setup() -> Setup {
    Setup::plan().access(role_of).start().await
}

/// A member with the role, and a thread with life in it.
fn ann_with_role(setup: &Setup) -> (Member, Channel) {
    let (ann, thread) =
        (setup.discord.member("ann").roles([setup.discord.role("agents")]), setup.thread("fix-ci"));
    ann.says(&thread, "good morning");
    (ann, thread)
}

/// Ann's own sign-in, stamped as one of this guild, in her thread.
async fn own(setup: &Setup, ann: &Member, thread: &Channel) -> String {
    let (tenant, guild) = (format!("acme@{}", ann.id()), setup.discord.guild());
    put(setup, &tenant, &[thread]).await;
    change(setup, &tenant, move |held| held.guild = Some(guild)).await;
    tenant
}

/// How the bot asks whether somebody is still there.
fn look_for(member: &Member) -> String {
    format!("GET /guilds/*/members/{}", member.id())
}

/// Waits until somebody was looked for more often than `before`.
async fn looked_for(setup: &Setup, member: &Member, before: usize) {
    let (route, end) = (look_for(member), Instant::now() + Duration::from_mins(1));
    while setup.discord.requests_to(&route).len() <= before {
        assert!(Instant::now() < end, "nobody was looked at");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn rests(setup: &Setup, tenant: &str, why: Option<Unserved>) {
    let end = Instant::now() + Duration::from_mins(1);
    while held(setup, tenant).suspended.map(|suspension| suspension.reason) != why {
        assert!(Instant::now() < end, "never {why:?}: {:?}", held(setup, tenant).suspended);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// U7: from a sign-in to a leaving that the next bot finds, and back.
#[tokio::test]
async fn the_own_sign_in_of_who_left_rests_until_they_are_back() {
    let setup = setup().await;
    let bot = Bot::start(&setup).await;
    let (ann, thread) = ann_with_role(&setup);
    let login = ann.slash("/auth login").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    setup.authority.approve_device(&login.link("Open sign-in page"), &Person::ada()).await;
    login.sees_text("Signed in to Acme", NEXT_POLL).await;
    let tenant = format!("acme@{}", ann.id());
    let place = thread.id().to_string();
    setup.token(&[&tenant]).await;

    ann.leave();
    let bot = bot.restart(&setup).await;
    rests(&setup, &tenant, Some(Unserved::Left)).await;
    for arguments in [&["token", &tenant][..], &["token", "acme", "--thread", &place]] {
        let refused = setup.cli(arguments).await;
        assert_eq!((refused.code, refused.stdout.as_str()), (5, ""), "{}", refused.stderr);
        assert!(refused.stderr.contains("has left the Discord server"), "{}", refused.stderr);
    }
    // The small program has the same word for it.
    let mut small = tokio::process::Command::new(env!("CARGO_BIN_EXE_latchkey-token"));
    small.current_dir(setup.dir.path()).args(["--config", "latchkey.toml", &tenant]).kill_on_drop(true);
    let refused = tokio::time::timeout(SOON, small.output()).await.expect("it ends").unwrap();
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(5), 0));
    let status = setup.cli(&["status"]).await;
    assert!(status.stdout.contains("suspended"), "{}", status.stdout);
    let told = setup.discord.wait_channel_message(&thread, GONE, SOON).await;
    assert!(told.pings().is_empty(), "{}", told.render());
    assert!(bot.said().contains("membership"), "{}", bot.said());
    let bot = bot.restart(&setup).await;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(said(&setup, &thread, GONE), 1);

    let ann = ann.in_guild(setup.discord.guild()).roles([setup.discord.role("agents")]);
    ann.slash("/auth status").in_thread(&thread).send().await.sees_text("works", SOON).await;
    setup.token(&[&tenant]).await;
    setup.discord.wait_channel_message(&thread, AGAIN, SOON).await;
    drop(bot);
    setup.discord.assert_clean();
}

/// U7: whoever lost the role is found out by what they try, at once: their logins end, and their sign-in rests until a look
/// finds that they have it again.
#[tokio::test]
async fn who_lost_the_role_is_served_no_more_from_the_first_try_on() {
    let setup = setup().await;
    let (ann, thread) = ann_with_role(&setup);
    let tenant = own(&setup, &ann, &thread).await;
    let bot = Bot::start(&setup).await;
    let login = ann.slash("/auth login profile:work").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    ann.set_roles([]);
    ann.slash("/auth status").in_thread(&thread).send().await.sees_text("You need the role", SOON).await;
    rests(&setup, &tenant, Some(Unserved::NotAdmitted)).await;
    login.sees_text("was stopped", SOON).await;
    let refused = setup.cli(&["token", &tenant]).await;
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    setup.discord.wait_channel_message(&thread, GONE, SOON).await;
    ann.set_roles([setup.discord.role("agents")]);
    let _bot = bot.restart(&setup).await;
    rests(&setup, &tenant, None).await;
    setup.token(&[&tenant]).await;
    setup.discord.assert_clean();
}

/// U7: what the operator changed is found at the start, for those who are there; whoever manages the guild stays.
#[tokio::test]
async fn a_change_of_who_may_is_found_at_the_start() {
    let setup = setup().await;
    let (ann, thread) = ann_with_role(&setup);
    ann.set_roles([]);
    let tenant = own(&setup, &ann, &thread).await;
    let boss = setup.discord.member("boss").manage_guild();
    let theirs = own(&setup, &boss, &setup.thread("another")).await;
    let _bot = Bot::start(&setup).await;
    rests(&setup, &tenant, Some(Unserved::NotAdmitted)).await;
    looked_for(&setup, &boss, 0).await;
    tokio::time::sleep(A_WHILE).await;
    rests(&setup, &theirs, None).await;
    setup.discord.assert_clean();
}

/// U7: somebody of whom Discord will not speak keeps nobody else from being looked at.
#[tokio::test]
async fn one_who_cannot_be_looked_at_holds_up_nobody_else() {
    let setup = setup().await;
    let (ann, thread) = ann_with_role(&setup);
    let bob = setup.discord.member("bob").roles([setup.discord.role("agents")]);
    let people = [(&ann, own(&setup, &ann, &thread).await), (&bob, own(&setup, &bob, &thread).await)];
    // They are looked at in the order of their ids, as text.
    let (odd, gone) = if ann.id().to_string() < bob.id().to_string() { (0, 1) } else { (1, 0) };
    setup.discord.fail(&look_for(people[odd].0), 1_000, 400);
    people[gone].0.leave();
    let _bot = Bot::start(&setup).await;
    rests(&setup, &people[gone].1, Some(Unserved::Left)).await;
    assert_eq!(held(&setup, &people[odd].1).suspended, None);
    setup.discord.assert_clean();
}

/// U7: a Discord that cannot say marks nobody; nor does another guild's bot, nor is a shared sign-in its owner's.
#[tokio::test]
async fn only_a_definite_word_counts() {
    let setup = setup().await;
    let (ann, thread) = ann_with_role(&setup);
    let tenant = own(&setup, &ann, &thread).await;
    put(&setup, "acme", &[]).await;
    let owner = ann.id().into();
    change(&setup, "acme", move |held| held.owner = Some(latchkey::tenant::User::Discord(owner))).await;
    ann.leave();
    let elsewhere = setup.sibling().start().await;
    let _other = Bot::start(&elsewhere).await;
    let member = look_for(&ann);
    for status in [500, 403, 404] {
        setup.discord.fail(&member, 1, status);
        let before = setup.discord.requests_to(&member).len();
        let mut bot = Bot::start(&setup).await;
        looked_for(&setup, &ann, before).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(held(&setup, &tenant).suspended, None, "{status}");
        setup.token(&[&tenant]).await;
        bot.kill9();
    }
    let _bot = Bot::start(&setup).await;
    rests(&setup, &tenant, Some(Unserved::Left)).await;
    setup.token(&["acme"]).await;
    assert_eq!(elsewhere.discord.requests_to(&member).len(), 0, "another guild's member");
    setup.discord.assert_clean();
}
