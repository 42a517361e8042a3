//! Many processes, one expired token, one refresh.

use std::collections::BTreeSet;
use std::time::Duration;

use latchkey::credential::CredentialState;
use latchkey::gate::{Class, Want};
use latchkey::secret::Secret;
use latchkey_test_authority::{Canned, Endpoint, Fault};
use tokio::task::JoinSet;

use crate::asking::{A_WHILE, Answer, WallClock, ask, at_once};
use crate::host::{Host, LONG, key};

/// How long the endpoint takes, so that everybody is there before the first is done.
const ENDPOINT: Duration = Duration::from_millis(700);

fn rejecting(token: &str) -> String {
    Secret::new(token).hash().to_string()
}

fn tokens(answers: &[Answer]) -> BTreeSet<String> {
    answers.iter().map(|answer| answer.token().to_owned()).collect()
}

/// G1, G2: twenty processes, and a thousand tasks in another one.
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_for_twenty_processes_and_a_thousand_tasks() {
    one_refresh_for_twenty_processes_and_a_thousand_tasks_on(Host::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn one_refresh_for_twenty_processes_and_a_thousand_tasks_on(new_host: fn() -> Host) {
    let host = new_host();
    let old = host.expired("acme").await;
    host.authority.latency(Endpoint::Token, ENDPOINT);
    let broker = host.broker();
    let mut tasks = JoinSet::new();
    for _ in 0..1_000 {
        let broker = broker.clone();
        tasks.spawn(
            async move { broker.token(&key("acme"), Want::default(), LONG).await.unwrap().access_token },
        );
    }
    let mut all = tokens(&at_once(&host, 20, &["token", "acme"], &[]).await);
    all.extend(tasks.join_all().await.iter().map(|token| token.expose().to_owned()));
    assert_eq!(all.len(), 1, "everybody has the same token: {all:?}");
    assert!(!all.contains(&old.access) && host.authority.accepts(all.first().unwrap()));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    let held = host.stored("acme").unwrap();
    assert!(host.authority.would_refresh(held.refresh_token.unwrap().expose()), "the family lives");
}

/// G2: the same with the lock taken out: refreshed outside it, and read again at the save. This is what everybody suffers
/// from, and the save's compare-and-set is no help: the family is lost at the provider.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_the_family_is_lost() {
    let host = Host::new();
    host.expired("acme").await;
    host.authority.latency(Endpoint::Token, ENDPOINT);
    at_once(&host, 20, &["token", "acme"], &[("FAILPOINTS", "without-refresh-lock=return")]).await;
    assert!(host.authority.refreshes() > 1 && host.authority.reuses() > 0, "the lock is what makes it one");
    let held = host.stored("acme").unwrap();
    assert!(!host.authority.would_refresh(held.refresh_token.unwrap().expose()), "the family is lost");
    assert!(!host.authority.accepts(held.access_token.expose()), "the winner's token with it");
}

/// G14
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_for_twenty_processes_that_saw_the_same_401() {
    one_refresh_for_twenty_processes_that_saw_the_same_401_on(Host::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn one_refresh_for_twenty_processes_that_saw_the_same_401_on(new_host: fn() -> Host) {
    let host = new_host();
    let old = host.serving("acme").await;
    host.authority.latency(Endpoint::Token, ENDPOINT);
    let hash = rejecting(&old.access);
    let printed = tokens(&at_once(&host, 20, &["token", "acme", "--rejected-sha256", &hash], &[]).await);
    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(host.authority.accepts(printed.first().unwrap()) && !printed.contains(&old.access));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G1, G8, G14: both at once: a token that has ended for some and was rejected for others, in processes and in tasks, and
/// some who reject a token that is not the stored one at all.
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_for_those_who_find_it_expired_and_those_who_saw_it_rejected() {
    one_refresh_for_those_who_find_it_expired_and_those_who_saw_it_rejected_on(Host::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn one_refresh_for_those_who_find_it_expired_and_those_who_saw_it_rejected_on(
    new_host: fn() -> Host,
) {
    let host = new_host();
    let old = host.expired("acme").await;
    host.authority.latency(Endpoint::Token, ENDPOINT);
    let broker = host.broker();
    let wants = [None, Some(Secret::new(&*old.access).hash()), Some(Secret::new("at-of-another-day").hash())];
    let mut tasks = JoinSet::new();
    for number in 0..300 {
        let (broker, want) = (broker.clone(), Want { rejected: wants[number % 3], ..Want::default() });
        tasks.spawn(async move { broker.token(&key("acme"), want, LONG).await.unwrap().access_token });
    }
    let (old, other) = (rejecting(&old.access), rejecting("at-of-another-day"));
    let (old, other) =
        (["token", "acme", "--rejected-sha256", &old], ["token", "acme", "--rejected-sha256", &other]);
    let (plain, rejected, others) = tokio::join!(
        at_once(&host, 7, &["token", "acme"], &[]),
        at_once(&host, 7, &old, &[]),
        at_once(&host, 6, &other, &[]),
    );
    let mut all = tokens(&[plain, rejected, others].concat());
    all.extend(tasks.join_all().await.iter().map(|token| token.expose().to_owned()));
    assert_eq!(all.len(), 1, "everybody has the same token: {all:?}");
    assert!(host.authority.accepts(all.first().unwrap()));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G8, G15: some know already that the very token which the flight brings is rejected. One flight more for all of them,
/// and the others keep what the first brought.
#[tokio::test(flavor = "multi_thread")]
async fn another_rejected_token_is_one_more_flight_at_most() {
    let host = Host::new();
    host.expired("acme").await;
    let says = |token: Option<&str>| {
        let extra = token.map(|token| ("access_token".to_owned(), token.into())).into_iter().collect();
        host.authority.set(|settings| settings.reply.extra = extra);
    };
    says(Some("at-known-to-be-bad"));
    let broker = host.broker();
    let gate = host.authority.hold_reply(Endpoint::Token);
    let bad = Secret::new("at-known-to-be-bad").hash();
    let mut tasks = JoinSet::new();
    for number in 0..100 {
        let (broker, rejected) = (broker.clone(), (number % 2 == 1).then_some(bad));
        let want = Want { rejected, ..Want::default() };
        tasks.spawn(
            async move { (rejected, broker.token(&key("acme"), want, LONG).await.unwrap().access_token) },
        );
    }
    let hash = bad.to_string();
    let arguments = ["token", "acme", "--rejected-sha256", &hash];
    let processes = at_once(&host, 5, &arguments, &[]);
    let meanwhile = async {
        host.until("the first flight", || gate.waiting() == 1).await;
        tokio::time::sleep(A_WHILE).await;
        says(None);
        gate.release();
    };
    let (processes, ()) = tokio::join!(processes, meanwhile);
    let held = host.stored("acme").unwrap().access_token;
    for (rejected, token) in tasks.join_all().await {
        assert!(token == held || (rejected.is_none() && token.expose() == "at-known-to-be-bad"));
    }
    assert_eq!(tokens(&processes), BTreeSet::from([held.expose().to_owned()]));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
}

/// G17: a dead sign-in is found dead once. Its one probe is made once, too, whoever comes for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_on_a_dead_sign_in_is_one_request_and_later_one_probe() {
    let host = Host::new();
    let clock = WallClock::of(&host);
    let old = host.expired("acme").await;
    host.authority.expire_grant(&old.refresh);
    host.authority.latency(Endpoint::Token, ENDPOINT);
    for (late, requests) in [(0, 1), (500, 1), (605, 2), (7_200, 2)] {
        clock.set(late);
        for answer in at_once(&host, 20, &["token", "acme"], &clock.environment()).await {
            assert_eq!(answer.end(), (Some(3), ""), "{}", answer.said);
            assert!(answer.said.contains("sign in again"), "{}", answer.said);
        }
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (requests, 0), "{late} s later");
    }
    let held = host.stored("acme").unwrap();
    assert_eq!((held.state, held.retry_at), (CredentialState::NeedsLogin, None));
    assert_eq!(held.refresh_token.unwrap().expose(), old.refresh, "it is kept");

    // G18: and a new sign-in is served to all.
    host.sign_in(&host.broker(), "acme").await;
    assert_eq!(tokens(&at_once(&host, 5, &["token", "acme"], &[]).await).len(), 1);
}

/// G16: the same for a server out of order, in processes and in tasks.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_on_a_server_out_of_order_is_one_request() {
    let host = Host::new();
    host.expired("acme").await;
    host.authority.latency(Endpoint::Token, ENDPOINT);
    host.authority.answer_next(Endpoint::Token, 1, Canned::html(503).with_header("retry-after", "600"));
    let broker = host.broker();
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let broker = broker.clone();
        tasks.spawn(async move { broker.token(&key("acme"), Want::default(), LONG).await });
    }
    for answer in at_once(&host, 20, &["token", "acme"], &[]).await {
        assert_eq!(answer.end(), (Some(4), ""), "{}", answer.said);
    }
    for refused in tasks.join_all().await {
        assert_eq!(refused.unwrap_err().class(), Class::Transient);
    }
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G10, G19: the same for answers that are lost: once, and everybody is served by the second try; twice, and nobody makes
/// a third.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_on_lost_answers_is_two_requests() {
    for lost in [1, 2] {
        let host = Host::new();
        host.expired("acme").await;
        host.authority.latency(Endpoint::Token, ENDPOINT);
        host.authority.fail_next(Endpoint::Token, lost, &Fault::CloseBefore);
        let answers = at_once(&host, 20, &["token", "acme"], &[]).await;
        if lost == 1 {
            assert_eq!(tokens(&answers).len(), 1);
        } else {
            assert!(answers.iter().all(|answer| answer.end() == (Some(4), "")), "{answers:?}");
        }
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
    }
}

/// G9, G10: everybody's patience ends before the answer comes. It is stored all the same, and was asked for once.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_when_everybody_has_left_is_stored() {
    let host = Host::new();
    let old = host.expired("acme").await;
    let gate = host.authority.hold_reply(Endpoint::Token);
    let impatient = ["token", "acme", "--timeout", "1s"];
    for answer in at_once(&host, 20, &impatient, &[]).await {
        assert_eq!(answer.end(), (Some(4), ""), "{}", answer.said);
    }
    host.until("the refresh", || gate.waiting() == 1).await;
    gate.release();
    let held = host.eventually("acme", |held| held.generation == 2);
    assert_ne!(held.access_token.expose(), old.access);
    assert_eq!(ask(&host, &["token", "acme"], &[]).await.token(), held.access_token.expose());
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G24: fresh tokens are no request and no lock at all, though no lock can be opened.
#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_token_is_printed_without_a_request_or_a_lock() {
    let host = Host::new();
    let fresh = host.serving("acme").await;
    // That it is in use is noted once a day, after the token is out; here it is already.
    assert_eq!(ask(&host, &["token", "acme"], &[]).await.token(), fresh.access);
    let before = host.bytes();
    let no_locks = [("FAILPOINTS", "open-lock=return(5)")];
    for answer in at_once(&host, 20, &["token", "acme"], &no_locks).await {
        assert_eq!((answer.token(), answer.said.as_str()), (&*fresh.access, ""));
    }
    assert_eq!((host.bytes(), host.authority.requests().len()), (before, 0));
    // The fault is in force: whoever needs a lock is refused (G13).
    host.expired("acme").await;
    let answer = ask(&host, &["token", "acme"], &no_locks).await;
    assert_eq!((answer.end(), host.authority.requests().len()), ((Some(6), ""), 0), "{}", answer.said);
}

/// G25: a key from the environment never enters the gate, whatever the store holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_for_an_api_key_touches_neither_gate_nor_store() {
    let host = Host::new();
    host.expired("acme").await;
    host.configure("api_key_env = \"TEST_KEY\"");
    let before = host.bytes();
    let environment = [("TEST_KEY", "key-of-the-operator"), ("FAILPOINTS", "open-lock=return(5)")];
    let other = rejecting("at-of-another-day");
    for arguments in [&["token", "acme"][..], &["token", "acme", "--rejected-sha256", &other]] {
        let answers = at_once(&host, 20, arguments, &environment).await;
        assert_eq!(tokens(&answers), BTreeSet::from(["key-of-the-operator".to_owned()]));
    }
    let own = rejecting("key-of-the-operator");
    let answers = at_once(&host, 20, &["token", "acme", "--rejected-sha256", &own], &environment).await;
    assert!(answers.iter().all(|answer| answer.end() == (Some(2), "")), "{answers:?}");
    assert_eq!((host.bytes(), host.authority.requests().len()), (before, 0));
}
