//! What threads are told of their tenants: in the right ones, once, whatever happens meanwhile (W4, G17); and how a login's
//! end finds its member when nothing can be said in the thread (U5).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use latchkey::binding::Binding;
use latchkey::clock::Clock;
use latchkey::credential::{Account, Credential, CredentialKind, CredentialState};
use latchkey::secret::{Secret, TokenHash};
use latchkey::store::file::FileStore;
use latchkey::store::{Store, Touches, update};
use latchkey::tenant::{TenantKey, ThreadId};
use latchkey_test_authority::{CLIENT, Canned, Endpoint, Person};
use latchkey_test_discord::Channel;

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// What is said of a tenant that needs a sign-in.
pub const NEEDS: &str = "New sign-in needed";
/// What is said of one that works again.
pub const AGAIN: &str = "works again";
/// Longer than a bot takes to say something, if it is going to.
pub const A_WHILE: Duration = Duration::from_secs(3);
/// What is waited for comes within this time on any machine.
const LONG: Duration = Duration::from_mins(1);

fn key(text: &str) -> TenantKey {
    text.parse().unwrap()
}

pub fn store(setup: &Setup) -> FileStore {
    FileStore::open(&setup.store(), true, Clock::system()).unwrap()
}

pub async fn change(setup: &Setup, tenant: &str, change: impl FnOnce(&mut Credential) + Send + 'static) {
    let key = key(tenant);
    update(&store(setup), Touches::tenant(&key), move |view| {
        let mut held = view.tenant(&key).unwrap().unwrap();
        change(&mut held);
        view.put_tenant(&key, held);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
}

pub fn held(setup: &Setup, tenant: &str) -> Credential {
    let document = store(setup).snapshot().unwrap();
    (*document.tenant(&key(tenant)).unwrap().unwrap()).clone()
}

/// A sign-in of Ada's that serves for an hour, was used today, and to which `threads` are bound.
pub async fn put(setup: &Setup, tenant: &str, threads: &[&Channel]) {
    let tokens = setup.authority.mint(&Person::ada(), CLIENT, &["openid", "offline_access"]);
    let (tenant, now) = (key(tenant), Clock::system().now());
    let mut credential =
        Credential::new(CredentialKind::OAuth, tenant.provider.clone(), Secret::new(&*tokens.access), now);
    credential.refresh_token = Some(Secret::new(&*tokens.refresh));
    credential.expires_at = Some(now + 3_600);
    credential.account = Account::new(Some(&Person::ada().sub), Some(&Person::ada().email));
    credential.last_used_at = Some(now - now.rem_euclid(86_400));
    let threads: Vec<ThreadId> = threads.iter().map(|thread| thread.id().into()).collect();
    let touches = threads.iter().fold(Touches::tenant(&tenant), Touches::and_thread);
    update(&store(setup), touches, move |view| {
        for thread in threads {
            let tenants = [(tenant.provider.clone(), tenant.clone())].into();
            view.put_binding(&thread, Binding { tenants, ..Binding::default() });
        }
        view.put_tenant(&tenant, credential);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
}

/// An agent finds its token rejected, and the provider says that the sign-in was revoked.
async fn revoked(setup: &Setup, tenant: &str) {
    let refusal = Canned::error(400, "invalid_grant", "The refresh token has been revoked.");
    setup.authority.answer_next(Endpoint::Token, 1, refusal);
    let rejected = TokenHash::of(held(setup, tenant).access_token.expose()).to_string();
    let agent = setup.cli(&["token", tenant, "--rejected-sha256", &rejected]).await;
    assert_eq!(agent.code, 3, "{}", agent.stderr);
}

/// The public messages in a thread that say `text`.
pub fn said(setup: &Setup, thread: &Channel, text: &str) -> usize {
    setup.discord.channel_messages(thread).iter().filter(|view| view.contains(text)).count()
}

pub async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How often the bot has looked at a thread.
fn looks(setup: &Setup, thread: &Channel) -> usize {
    setup.discord.requests_to(&format!("GET /channels/{}", thread.id())).len()
}

/// Waits until the bot has looked at a thread more often than `before`.
async fn looked_at(setup: &Setup, thread: &Channel, before: usize) {
    eventually("a look at the thread", || looks(setup, thread) > before).await;
}

async fn shared() -> Setup {
    Setup::plan().acme("share = \"guild\"").start().await
}

/// W4: a revoked shared sign-in is told in each thread that is open and alive, once, restarts included; in others when they
/// are used or opened; and where it was told it is told that it works again, and by whom.
#[tokio::test]
async fn a_dead_sign_in_is_told_in_the_right_threads_once_and_so_is_the_new_one() {
    let setup = shared().await;
    let ann = setup.discord.member("ann");
    let [alive, archived, locked, quiet, barred, unbound] =
        ["alive", "archived", "locked", "quiet", "barred", "unbound"].map(|name| setup.thread(name));
    for thread in [&alive, &archived, &locked, &barred, &unbound] {
        ann.says(thread, "good morning");
    }
    setup.discord.archive(&archived);
    setup.discord.lock(&locked);
    setup.discord.mute_bot(&barred, true);
    put(&setup, "acme", &[&alive, &archived, &locked, &quiet, &barred]).await;
    let bot = Bot::start(&setup).await;
    let silent = [&archived, &locked, &quiet, &barred];
    let before = silent.map(|thread| looks(&setup, thread));
    revoked(&setup, "acme").await;

    let told = setup.discord.wait_channel_message(&alive, NEEDS, SOON).await;
    assert!(told.button("Sign in").is_some() && told.pings().is_empty(), "{}", told.render());
    for (thread, before) in silent.into_iter().zip(before) {
        looked_at(&setup, thread, before).await;
    }
    tokio::time::sleep(A_WHILE).await;
    let bot = bot.restart(&setup).await;
    tokio::time::sleep(A_WHILE).await;
    let counts =
        || [&alive, &archived, &locked, &quiet, &barred, &unbound].map(|thread| said(&setup, thread, NEEDS));
    assert_eq!(counts(), [1, 0, 0, 0, 0, 0]);
    assert!(archived.is_archived() && locked.is_archived());
    let tries = setup.discord.requests_to(&format!("POST /channels/{}/messages", barred.id())).len();
    assert!(tries <= 2, "once by each bot: {tries}");

    // Those that were not there come back.
    setup.discord.unarchive(&archived);
    setup.discord.wait_channel_message(&archived, NEEDS, SOON).await;
    for thread in [&quiet, &unbound] {
        ann.slash("/auth status").in_thread(thread).send().await;
        setup.discord.wait_channel_message(thread, NEEDS, SOON).await;
    }
    assert_eq!(counts(), [1, 1, 0, 1, 0, 1]);

    // The button outlives the bot that made it.
    let press = ann.click(&told, "Sign in").await;
    let card = press.sees_text("Open sign-in page", SOON).await;
    assert!(card.is_ephemeral());
    setup.authority.approve_device(&press.link("Open sign-in page"), &Person::ada()).await;
    press.sees_text("Signed in to Acme", NEXT_POLL).await;
    for thread in [&alive, &archived, &quiet, &unbound] {
        let told = setup.discord.wait_channel_message(thread, AGAIN, SOON).await;
        assert!(told.contains(&format!("<@{}>", ann.id())) && told.pings().is_empty(), "{}", told.render());
    }
    tokio::time::sleep(A_WHILE).await;
    let again =
        [&alive, &archived, &locked, &quiet, &barred, &unbound].map(|thread| said(&setup, thread, AGAIN));
    assert_eq!((counts(), again), ([1, 1, 0, 1, 0, 1], [1, 1, 0, 1, 0, 1]));
    // Whoever presses late is not made to sign in again.
    ann.click(&told, "Sign in").await.sees_text("Signed in already", SOON).await;
    drop(bot);
    setup.discord.assert_clean();
}

/// W4, C11: the owner of a personal tenant is called, once, and the button is theirs alone.
#[tokio::test]
async fn the_owner_of_a_dead_sign_in_is_called_and_nobody_else_can_renew_it() {
    let setup = Setup::new().await;
    let (ann, bob, thread) =
        (setup.discord.member("ann"), setup.discord.member("bob"), setup.thread("fix-ci"));
    ann.says(&thread, "good morning");
    let tenant = format!("acme/side@{}", ann.id());
    put(&setup, &tenant, &[&thread]).await;
    let _bot = Bot::start(&setup).await;
    revoked(&setup, &tenant).await;
    let told = setup.discord.wait_channel_message(&thread, NEEDS, SOON).await;
    assert_eq!(told.pings(), [format!("<@{}>", ann.id())]);
    assert!(!told.contains("side") && !told.contains("ada@"), "{}", told.render());
    bob.click(&told, "Sign in").await.sees_text("This sign-in belongs to", SOON).await;
    ann.click(&told, "Sign in").await.sees_text("Open sign-in page", SOON).await;
    setup.discord.assert_clean();
}

/// G17: three that die at once are nobody's fault yet: told are those that their probe finds dead, and no others.
#[tokio::test]
async fn several_that_die_at_once_are_told_after_their_probe_and_those_that_came_back_are_not() {
    let setup = shared().await;
    let ann = setup.discord.member("ann");
    let tenants = ["acme", "acme/b", "acme/c"];
    let threads = tenants.map(|tenant| setup.thread(&tenant.replace('/', "-")));
    for (tenant, thread) in tenants.iter().zip(&threads) {
        ann.says(thread, "good morning");
        put(&setup, tenant, &[thread]).await;
        // They died a hundred seconds ago: nothing but the alarm holds the message back.
        change(&setup, tenant, |held| {
            held.state = CredentialState::NeedsLogin;
            held.retry_at = Some(Clock::system().now() + 500);
        })
        .await;
    }
    let _bot = Bot::start(&setup).await;
    tokio::time::sleep(A_WHILE * 3).await;
    assert_eq!(threads.each_ref().map(|thread| said(&setup, thread, NEEDS)), [0, 0, 0]);
    let refusal = Canned::error(400, "invalid_grant", "no");
    setup.authority.answer_next(Endpoint::Token, 2, refusal);
    for tenant in tenants {
        change(&setup, tenant, |held| held.retry_at = Some(Clock::system().now())).await;
    }
    let is_dead = |tenant: &str| held(&setup, tenant).state == CredentialState::NeedsLogin;
    // While a probe is out there is no time for one either.
    let is_probed =
        |tenant: &str| held(&setup, tenant).retry_at.is_none() && held(&setup, tenant).intent.is_none();
    eventually("the probes", || tenants.iter().all(|tenant| is_probed(tenant))).await;
    let dead = tenants.map(|tenant| usize::from(is_dead(tenant)));
    assert_eq!(dead.iter().sum::<usize>(), 2);
    let counts = || threads.each_ref().map(|thread| said(&setup, thread, NEEDS));
    eventually("told", || counts() == dead).await;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(counts(), dead);
    setup.discord.assert_clean();
}

/// W4: many threads at once wait for one another and for Discord; a sign-in waits for none of them.
#[tokio::test]
async fn a_burst_respects_discords_limits_and_keeps_no_sign_in_waiting() {
    let setup = shared().await;
    let ann = setup.discord.member("ann");
    let threads: Vec<_> = (0..8).map(|n| setup.thread(&format!("thread-{n}"))).collect();
    for thread in &threads {
        ann.says(thread, "good morning");
    }
    put(&setup, "acme", &threads.iter().collect::<Vec<_>>()).await;
    let _bot = Bot::start(&setup).await;
    setup.discord.rate_limit("POST /channels/*/messages", 10_000, 1.0);
    revoked(&setup, "acme").await;
    let route = "POST /channels/*/messages";
    eventually("the first", || !setup.discord.requests_to(route).is_empty()).await;
    let other = setup.thread("another");
    let login = ann.slash("/auth login profile:mine").in_thread(&other).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    assert!(threads.iter().all(|thread| said(&setup, thread, NEEDS) == 0), "they still wait");
    setup.discord.clear_faults();
    eventually("all", || threads.iter().all(|thread| said(&setup, thread, NEEDS) == 1)).await;
    let sent: Vec<_> = setup.discord.requests_to(route);
    let after_refusal = sent.windows(2).find(|two| two[0].status == 429).expect("a refusal");
    assert!(after_refusal[1].at_ms - after_refusal[0].at_ms >= 1_000, "it hurried after a 429");
    let told: BTreeSet<_> =
        sent.iter().filter(|sent| sent.status == 200).map(|sent| sent.path.clone()).collect();
    assert_eq!(told.len(), 8);
    setup.discord.assert_clean();
}

/// W4: a bot that dies between saying and noting it does not make its successor say it twice.
#[tokio::test]
async fn a_crash_between_saying_and_noting_shows_one_message() {
    let setup = shared().await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    ann.says(&thread, "good morning");
    put(&setup, "acme", &[&thread]).await;
    let bot = Bot::start(&setup).await;
    setup.discord.delay_answer("POST /channels/*/messages", 1, Duration::from_secs(10));
    revoked(&setup, "acme").await;
    setup.discord.wait_channel_message(&thread, NEEDS, SOON).await;
    assert!(
        !setup.stored().contains("needs_login 0") && !setup.stored().contains("\"acme needs_login"),
        "noted too soon"
    );
    let _bot = bot.restart(&setup).await;
    eventually("noted", || setup.stored().contains("\"acme needs_login")).await;
    assert_eq!(said(&setup, &thread, NEEDS), 1);
    assert_eq!(setup.discord.requests_to("POST /channels/*/messages").len(), 2);
    setup.discord.assert_clean();
}

/// What becomes of a thread.
type Close = fn(&Setup, &Channel);

/// U5, W1: a login goes on in a thread that is archived, locked, deleted or closed to us; its end is told directly to
/// whoever takes direct messages, and given up for whoever does not. No thread is reopened.
#[tokio::test]
async fn where_nothing_can_be_said_the_member_is_told_directly() {
    for flows in ["[\"device\"]", "[\"paste\"]"] {
        let setup = Setup::plan().acme(&format!("flows = {flows}")).start().await;
        let mut bot = Bot::start(&setup).await;
        let close: [(&str, Close); 5] = [
            ("archived", |setup, thread| setup.discord.archive(thread)),
            ("locked", |setup, thread| setup.discord.lock(thread)),
            ("deleted", |setup, thread| setup.discord.delete(thread)),
            ("barred", |setup, thread| setup.discord.mute_bot(thread, true)),
            ("shy", |setup, thread| setup.discord.archive(thread)),
        ];
        let mut logins = Vec::new();
        for (name, close) in close {
            let (member, thread) = (setup.discord.member(name), setup.thread(name));
            if name != "shy" {
                member.open_dms();
            }
            let login = member.slash("/auth login").in_thread(&thread).send().await;
            login.sees_text("Open sign-in page", SOON).await;
            logins.push((member, thread, login.link("Open sign-in page"), login, close));
        }
        setup.discord.fail("PATCH /webhooks/*", 10_000, 400);
        let pastes = flows.contains("paste");
        if !pastes {
            for (_, thread, _, _, close) in &logins {
                close(&setup, thread);
            }
            // The next bot has never seen these threads open. What is pasted, no other bot could complete.
            bot = bot.restart(&setup).await;
        }
        for (member, thread, link, login, close) in &logins {
            let form = if pastes { Some(login.click("Paste the answer").await) } else { None };
            let answer = match &form {
                Some(_) => setup.authority.sign_in(link, &Person::ada()).await,
                None => String::new(),
            };
            // Nobody can fill in a form of a thread that is gone: the answer comes just before.
            if let Some(form) = form {
                let held = setup.authority.hold(Endpoint::Token);
                form.submit_modal([("Address of the last page", answer.as_str())]).await;
                setup.authority.eventually(SOON, |_| held.waiting() == 1).await;
                close(&setup, thread);
                held.release();
            } else {
                setup.authority.approve_device(link, &Person::ada()).await;
            }
            let tenant = format!("acme@{}", member.id());
            eventually("stored", || setup.stored().contains(&format!("\"{tenant}\": {{"))).await;
            if member.name() == "shy" {
                continue;
            }
            let told = member.sees_direct("is complete", LONG).await;
            assert!(told.links().is_empty() && told.buttons().is_empty(), "{}", told.render());
        }
        let route = "POST /users/@me/channels";
        eventually("all were tried", || setup.discord.requests_to(route).len() >= logins.len()).await;
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(setup.discord.requests_to(route).len(), logins.len(), "once for each");
        for (member, thread, ..) in &logins {
            let expected = usize::from(member.name() != "shy");
            assert_eq!(member.direct_messages().len(), expected, "{}", member.name());
            let shut = ["archived", "locked", "shy"].contains(&member.name());
            assert_eq!(thread.is_archived(), shut, "{}", member.name());
        }
        drop(bot);
        setup.discord.assert_clean();
    }
}

/// W4: a thread that has been quiet is told when one of its agents asks in vain, bound or not.
#[tokio::test]
async fn a_quiet_thread_is_told_when_its_agent_asks_in_vain() {
    let setup = shared().await;
    let [bound, unbound, other] = ["bound", "unbound", "other"].map(|name| setup.thread(name));
    put(&setup, "acme", &[&bound, &other]).await;
    let _bot = Bot::start(&setup).await;
    let before = [&bound, &other].map(|thread| looks(&setup, thread));
    revoked(&setup, "acme").await;
    for (thread, before) in [&bound, &other].into_iter().zip(before) {
        looked_at(&setup, thread, before).await;
    }
    // The token itself would serve on for a while: no agent asks in vain.
    change(&setup, "acme", |held| held.expires_at = Some(Clock::system().now() - 1)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    for thread in [&bound, &unbound] {
        let agent = setup.cli(&["token", "acme", "--thread", &thread.id().to_string()]).await;
        assert_eq!(agent.code, 3, "{}", agent.stderr);
        setup.discord.wait_channel_message(thread, NEEDS, SOON).await;
    }
    assert_eq!(said(&setup, &other, NEEDS), 0);
    setup.discord.assert_clean();
}
