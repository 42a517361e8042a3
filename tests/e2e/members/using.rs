//! `/auth use`: what a thread's agents get, and who may change it.

use latchkey_test_authority::Person;
use latchkey_test_discord::{Channel, Member};

use super::{OPEN, ann_and_a_thread, signed_in};
use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

async fn token(setup: &Setup, thread: &Channel) -> String {
    setup.token(&["acme", "--thread", &thread.id().to_string()]).await
}

async fn uses(member: &Member, thread: &Channel, tenant: &str, told: &str) {
    let used = member.slash("/auth use").option("tenant", tenant).in_thread(thread).send().await;
    let view = used.sees_text(told, SOON).await;
    assert!(view.is_ephemeral() && view.pings().is_empty(), "{}", view.render());
}

/// What is offered to `member` while they type `typed` in `thread`: label and value.
async fn offered(member: &Member, thread: &Channel, typed: &str) -> Vec<(String, String)> {
    let choices = member.autocomplete("/auth use").focused("tenant", typed).in_thread(thread).send().await;
    choices.into_iter().map(|choice| (choice.name, choice.value.as_str().unwrap().to_owned())).collect()
}

/// Agents follow at once, in each thread by itself; the answer tells what was and is used, whom it serves, and the way back.
#[tokio::test]
async fn agents_of_the_thread_follow_its_choice() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let (bob, other) = (setup.discord.member("bob"), setup.thread("write-docs"));
    let shared = signed_in(&setup, "acme", &Person::ben(), &bob).await;
    let work = signed_in(&setup, &format!("acme/work@{}", ann.id()), &Person::ada(), &ann).await;
    assert_eq!(token(&setup, &thread).await, *shared.access);

    let used = ann.slash("/auth use").option("tenant", "Acme/Work").in_thread(&thread).send().await;
    let view = used.sees_text("This thread uses Acme, profile work (your own) from now on", SOON).await;
    for part in [
        "Before, it had no choice of its own and used Acme (shared by this server)",
        "Every agent of this thread works with that account now, whoever talks to it",
        "`none:acme`",
    ] {
        assert!(view.contains(part), "{part}: {}", view.render());
    }
    assert_eq!(
        (token(&setup, &thread).await, token(&setup, &other).await),
        (work.access.clone(), shared.access.clone())
    );
    uses(&ann, &other, "acme/work", "from now on").await;
    uses(&ann, &thread, "acme", "This thread uses Acme (shared by this server) from now on").await;
    assert_eq!((token(&setup, &thread).await, token(&setup, &other).await), (shared.access, work.access));
    uses(&ann, &thread, "acme", "already").await;
    uses(&ann, &thread, "none:acme", "has no choice of its own for Acme any more").await;
    uses(&ann, &thread, "nobody", "is not known here").await;
    assert!(setup.discord.channel_messages(&thread).is_empty());
    setup.discord.assert_clean();
}

/// U7: two members of one thread; another's own is theirs to give and to take away, or an admin's; what a stranger to it
/// asks for is told neither there nor not there.
#[tokio::test]
async fn what_is_anothers_own_is_not_for_me_to_change() {
    let setup = Setup::new().await;
    let (bot, ann, thread) = ann_and_a_thread(&setup).await;
    let (bob, admin) = (setup.discord.member("bob"), setup.discord.member("ada").manage_guild());
    let shared = signed_in(&setup, "acme", &Person::ben(), &bob).await;
    let own = format!("acme@{}", ann.id());
    let work = signed_in(&setup, &own, &Person::ada(), &ann).await;
    for tenant in [own.clone(), format!("acme/none@{}", ann.id())] {
        uses(&bob, &thread, &tenant, "You can't have this thread use that").await;
    }
    uses(&ann, &thread, &own, "from now on").await;
    for tenant in ["acme", "none:acme"] {
        uses(&bob, &thread, tenant, &format!("This thread uses a sign-in of <@{}>", ann.id())).await;
    }
    let status = bob.slash("/auth status").in_thread(&thread).send().await;
    let view = status.sees_text("works", SOON).await;
    assert!(view.button("Use another").is_none(), "{}", view.render());
    bob.forge_select(&view, "lk1:pick-use:", &["acme"]).await.sees_text("Only they or an admin", SOON).await;
    assert_eq!(token(&setup, &thread).await, work.access);
    uses(&admin, &thread, "acme", "from now on").await;
    assert_eq!(token(&setup, &thread).await, shared.access);
    let said = bot.said();
    assert!(said.contains("thread bound") && said.contains("denied"), "the audit trail: {said}");
    setup.discord.assert_clean();
}

/// U7: nobody is offered what is another's; those that are not used yet come first, and what is offered is understood.
#[tokio::test]
async fn choices_are_what_the_member_may_use() {
    let admits = |discord: &latchkey_test_discord::Discord| {
        format!("members = {{ roles = [\"{}\"] }}", discord.role("agents"))
    };
    let setup = Setup::plan().access(admits).acme("aliases = [\"am\"]").start().await;
    let role = setup.discord.role("agents");
    let _bot = Bot::start(&setup).await;
    let thread = setup.thread("fix-ci");
    let ann = setup.discord.member("ann").roles([role]);
    let bob = setup.discord.member("bob").roles([role]);
    let (stranger, admin) = (setup.discord.member("eve"), setup.discord.member("ada").manage_guild());
    let anns = format!("acme/work@{}", ann.id());
    signed_in(&setup, "acme", &Person::ben(), &bob).await;
    signed_in(&setup, &anns, &Person::ada(), &ann).await;
    let pair = |label: &str, value: &str| (label.to_owned(), value.to_owned());
    let shared = pair("Acme (shared by this server): in use here", "acme");
    let own = pair("Acme, profile work (your own): works", &anns);
    assert_eq!(offered(&ann, &thread, "").await, [own.clone(), shared.clone()]);
    assert_eq!(offered(&ann, &thread, "am/w").await, [own]);
    assert_eq!(offered(&bob, &thread, "").await, std::slice::from_ref(&shared));
    assert_eq!(offered(&stranger, &thread, "").await, []);
    let of_ann = format!("Acme, profile work (of {}): works", ann.id());
    assert_eq!(offered(&admin, &thread, "").await, [pair(&of_ann, &anns), shared]);
    uses(&ann, &thread, &anns, "from now on").await;
    let none = pair("Acme: no choice of this thread's own", "none:acme");
    assert_eq!(offered(&ann, &thread, "none").await, [none]);
    for (member, command, count) in
        [(&bob, "/auth logout", 1), (&ann, "/auth logout", 1), (&admin, "/auth logout", 2)]
    {
        let choices = member.autocomplete(command).focused("tenant", "").in_thread(&thread).send().await;
        assert_eq!(choices.len(), count, "{}: {choices:?}", member.name());
    }
    setup.discord.assert_clean();
}

/// What is not signed in says so with the way to sign in, which binds the thread.
#[tokio::test]
async fn what_is_not_signed_in_offers_the_sign_in() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let used = ann.slash("/auth use").option("tenant", "acme/new").in_thread(&thread).send().await;
    used.sees_text("Acme, profile new (your own) is not signed in", SOON).await;
    let login = used.click("Sign in").await;
    login.sees_text(OPEN, SOON).await;
    setup.authority.approve_device(&login.link(OPEN), &Person::ada()).await;
    login.sees_text("Signed in to Acme", NEXT_POLL).await;
    assert!(setup.authority.accepts(&token(&setup, &thread).await));
    setup.discord.assert_clean();
}

/// `bind: false` leaves the thread alone, although it comes as an afterthought, over a restart, through "Try another way" and "Sign in again" too.
#[tokio::test]
async fn a_login_that_is_not_to_bind_never_does() {
    let setup = Setup::new().await;
    let (bot, ann, thread) = ann_and_a_thread(&setup).await;
    super::login(&ann, &thread).await;
    let login = ann.slash("/auth login").option("bind", "false").in_thread(&thread).send().await;
    login.sees_text("What this thread uses stays as it is", SOON).await;
    login.click("Try another way").await.sees_text("Paste the answer", SOON).await;
    login.click("Try another way").await.sees_text("this code", SOON).await;
    let _bot = bot.restart(&setup).await;
    setup.authority.deny_device(&login.link(OPEN)).await;
    login.sees_text("Sign in again", NEXT_POLL).await;
    let again = login.click("Sign in again").await;
    again.sees_text(OPEN, SOON).await;
    setup.authority.approve_device(&again.link(OPEN), &Person::ada()).await;
    again.sees_text("Signed in to Acme", NEXT_POLL).await;
    assert_eq!(setup.cli(&["token", "acme", "--thread", &thread.id().to_string()]).await.code, 3);

    let status = ann.slash("/auth status").in_thread(&thread).send().await;
    status.sees_text("There is a sign-in that it could use", SOON).await;
    status.click("Use another").await.sees_text("Which sign-in of Acme", SOON).await;
    status.select("Acme (your own): works").await.sees_text("from now on", SOON).await;
    assert!(setup.authority.accepts(&token(&setup, &thread).await));
    status.click("Show status").await.sees_text("chosen for this thread", SOON).await;
    setup.discord.assert_clean();
}
