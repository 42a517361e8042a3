//! Tenants that know nothing of one another: one that is slow, stuck or locked delays nobody else, and nothing that does
//! not refresh.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use latchkey::broker::Caller;
use latchkey::gate::Want;
use latchkey::store::{Store, Touches, update};
use latchkey::tenant::User;
use latchkey_test_authority::{Endpoint, Person};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::asking::{A_WHILE, ask, at_once};
use crate::host::{Host, LONG, key};

const TENANTS: usize = 200;

fn name(number: usize) -> String {
    format!("acme/t{number}")
}

/// A host with so many expired tenants; the reply to the first one's refresh is held.
async fn crowd(host: &Host) -> latchkey_test_authority::Gate {
    let mut stuck = None;
    for number in 0..TENANTS {
        let tokens = host.expired(&name(number)).await;
        stuck.get_or_insert_with(|| host.authority.hold_reply_to(&tokens.refresh));
    }
    stuck.unwrap()
}

/// G4: two hundred tenants at once in one process, one of them stuck at the provider.
#[tokio::test(flavor = "multi_thread")]
async fn one_stuck_tenant_of_two_hundred_delays_none_in_one_process() {
    let host = Host::new();
    let gate = crowd(&host).await;
    let broker = host.broker();
    let mut tasks = JoinSet::new();
    for number in 0..TENANTS {
        let broker = broker.clone();
        tasks.spawn(
            async move { (number, broker.token(&key(&name(number)), Want::default(), LONG * 2).await) },
        );
    }
    for _ in 1..TENANTS {
        let (number, token) = tasks.join_next().await.unwrap().unwrap();
        assert!(host.authority.accepts(token.unwrap().access_token.expose()));
        assert_ne!(number, 0, "its reply is held");
    }
    assert_eq!((gate.waiting(), broker.gate().flights()), (1, 1));
    gate.release();
    let (number, token) = tasks.join_next().await.unwrap().unwrap();
    assert!(number == 0 && token.is_ok(), "{token:?}");
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (TENANTS, 0));
    broker.drain().await;
    assert_eq!(broker.gate().flights(), 0);
}

/// G4: the same with a process for each of them, as many at a time as this machine can bear.
#[tokio::test(flavor = "multi_thread")]
async fn one_stuck_tenant_of_two_hundred_delays_none_across_processes() {
    let host = Arc::new(Host::new());
    let gate = crowd(&host).await;
    let first = tokio::spawn({
        let host = Arc::clone(&host);
        async move { ask(&host, &["token", &name(0), "--timeout", "110s"], &[]).await }
    });
    host.until("the refresh that is held", || gate.waiting() == 1).await;
    let room = Arc::new(Semaphore::new(16));
    let mut others = JoinSet::new();
    for number in 1..TENANTS {
        let (host, room) = (Arc::clone(&host), Arc::clone(&room));
        others.spawn(async move {
            let _place = room.acquire().await.unwrap();
            ask(&host, &["token", &name(number)], &[]).await
        });
    }
    for answer in others.join_all().await {
        assert!(host.authority.accepts(answer.token()));
    }
    assert!(!first.is_finished() && gate.waiting() == 1);
    gate.release();
    assert!(host.authority.accepts(first.await.unwrap().token()));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (TENANTS, 0));
}

/// G4: while one tenant's refresh hangs, another's takes as long as it always does, and a fresh token, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_takes_its_ordinary_time_beside_one_that_hangs() {
    let host = Host::new();
    let middle = async |tenants: [&str; 5]| {
        let mut times = Vec::new();
        for tenant in tenants {
            host.expired(tenant).await;
            let begun = Instant::now();
            assert!(host.authority.accepts(ask(&host, &["token", tenant], &[]).await.token()));
            ask(&host, &["token", tenant], &[]).await.token();
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        times[2]
    };
    let alone = middle(["acme/a", "acme/b", "acme/c", "acme/d", "acme/e"]).await;
    let stuck = host.expired("acme").await;
    let gate = host.authority.hold_reply_to(&stuck.refresh);
    let hanging = at_once(&host, 1, &["token", "acme", "--timeout", "110s"], &[]);
    let beside = async {
        host.until("the refresh that is held", || gate.waiting() == 1).await;
        let beside = middle(["acme/f", "acme/g", "acme/h", "acme/i", "acme/j"]).await;
        assert_eq!(gate.waiting(), 1);
        gate.release();
        beside
    };
    let (hung, beside) = tokio::join!(hanging, beside);
    assert!(host.authority.accepts(hung[0].token()));
    // The machine may be loaded by others: what counts is that nobody waits for the one that hangs.
    assert!(beside < alone * 5 + Duration::from_secs(5), "{alone:?} alone, {beside:?} beside one that hangs");
}

/// G3: one lock file for each tenant, whoever takes it, named by a hash that nothing can break out of.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_file_is_named_by_the_hash_of_its_tenant() {
    let host = Host::new();
    let tenants = ["acme", "acme/b-c", "acme/b@7", "acme@7", "acme/..@1"];
    let mut expected = BTreeSet::new();
    for tenant in tenants {
        host.expired(tenant).await;
        let (provider, rest) = tenant.split_at(4);
        let (profile, user) = rest.split_once('@').unwrap_or((rest, ""));
        let text = format!("{provider}\0{}\0{user}", profile.trim_start_matches('/'));
        let hash = Sha256::digest(text.as_bytes());
        expected.insert(format!("{hash:x}.lock"));
        host.broker().token(&key(tenant), Want::default(), LONG).await.unwrap();
        ask(&host, &["token", tenant], &[]).await.token();
    }
    let locks = std::fs::read_dir(host.auth.with_file_name("auth.json.locks")).unwrap();
    let found: BTreeSet<_> = locks.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(expected.is_subset(&found), "{expected:?} {found:?}");
    assert_eq!(expected.len(), tenants.len());
    let per_tenant = found.iter().filter(|name| name.len() == 64 + ".lock".len()).count();
    assert_eq!(per_tenant, tenants.len(), "and no other: {found:?}");
}

/// G5: whatever does not refresh goes through while a tenant's refresh lock is held: a fresh token, status, check, a
/// sign-in from start to end, a cancel, a logout. Only a refresh waits.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_refresh_waits_for_the_refresh_lock() {
    let host = Host::new();
    let fresh = host.serving("acme").await;
    let lock = host.store().refresh_lock(&key("acme"), LONG).await.unwrap();
    let broker = host.broker();
    let me = Caller { user: User::Local(1), admin: true };

    assert_eq!(ask(&host, &["token", "acme"], &[]).await.token(), fresh.access);
    assert_eq!(host.status("acme", &[]).await["health"], "fresh");
    ask(&host, &["check"], &[]).await.token();
    let waiting = ask(&host, &["token", "acme", "--min-valid", "2h", "--timeout", "1s"], &[]).await;
    assert_eq!(waiting.end(), (Some(4), ""), "{}", waiting.said);

    let cancelled = host.paste_login(&broker, "acme").await;
    broker.logins().cancel(&me.user, false, &cancelled.id).await.unwrap();
    host.sign_in(&broker, "acme").await;
    let signed_in = host.stored("acme").unwrap();
    assert_eq!(ask(&host, &["token", "acme"], &[]).await.token(), signed_in.access_token.expose());
    broker.logout(&me, &key("acme")).await.unwrap();
    assert_eq!(host.stored("acme"), None);
    assert_eq!(host.authority.refreshes(), 0, "the refresh waited for the lock");
    drop(lock);
}

/// G5: and a refresh waits for nobody's sign-in: the login's lock is not its.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_does_not_wait_for_a_sign_in() {
    let host = Host::new();
    host.expired("acme").await;
    let user = User::Local(1);
    let lock = host.store().try_login_lock(&user, &key("acme")).unwrap().unwrap();
    assert!(host.authority.accepts(ask(&host, &["token", "acme"], &[]).await.token()));
    drop(lock);

    // Nor for one that is spending its code this moment, which holds that lock.
    host.expired("acme").await;
    let broker = host.broker();
    let login = host.paste_login(&broker, "acme").await;
    let answer = host.authority.sign_in(login.authorize_url.unwrap().expose(), &Person::ada()).await;
    let gate = host.authority.hold_reply(Endpoint::Token);
    let pasting = tokio::spawn(async move { broker.logins().paste(&user, &login.id, &answer).await });
    host.until("the code", || host.authority.exchanges() == 1 && gate.waiting() == 1).await;
    let asking = ask(&host, &["token", "acme"], &[]);
    let release = async {
        // It was sent, although the sign-in is not over.
        host.until("the refresh", || host.authority.refreshes() == 2 && gate.waiting() == 2).await;
        gate.release();
    };
    let (token, ()) = tokio::join!(asking, release);
    pasting.await.unwrap().unwrap();
    // Whichever came last in, what is stored serves; the refresh of what was replaced is dropped (G22).
    assert_eq!(token.code, Some(0), "{}", token.said);
    assert!(host.authority.accepts(host.stored("acme").unwrap().access_token.expose()));
    assert_eq!(host.authority.reuses(), 0);
}

/// G6: while the provider is asked, the store is free for everybody: in this process and in others.
#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_free_while_the_provider_is_asked() {
    let host = Host::new();
    let stuck = host.expired("acme").await;
    let gate = host.authority.hold_reply_to(&stuck.refresh);
    let broker = host.broker();
    broker.gate().refresh_ahead(&key("acme"));
    host.until("the refresh that is held", || gate.waiting() == 1).await;
    // By this process's own store, by another's, on another tenant and on the very one.
    for store in [Arc::clone(broker.store()), host.store() as Arc<dyn Store>] {
        let touches = Touches::tenant(&key("acme")).and_tenant(&key("acme/other"));
        let noted = update(&*store, touches, |view| {
            let mut credential = view.tenant(&key("acme")).unwrap().unwrap();
            credential.scopes.push("noted".to_owned());
            view.put_tenant(&key("acme"), credential.clone());
            view.put_tenant(&key("acme/other"), credential);
            Ok::<_, ()>(())
        });
        tokio::time::timeout(LONG, noted).await.unwrap().unwrap().unwrap();
    }
    host.expired("acme/third").await;
    ask(&host, &["token", "acme/third"], &[]).await.token();
    assert_eq!(gate.waiting(), 1);
    gate.release();
    host.eventually("acme", |held| held.generation == 2);
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
}

/// G24, G29: past its refresh point a token is served at once; a process that lives on refreshes it in the background,
/// once for all who ask, and a one-shot command does not.
#[tokio::test(flavor = "multi_thread")]
async fn past_its_refresh_point_a_token_is_served_and_refreshed_behind_it() {
    let host = Host::new();
    let old = host.serving("acme").await;
    // Nine tenths of its life are over: past the point of every tenant, however it is spread.
    host.change("acme", |held| {
        held.obtained_at = held.obtained_at.map(|at| at - 3_600);
        held.expires_at = held.expires_at.map(|at| at - 3_200);
    })
    .await;
    for answer in at_once(&host, 5, &["token", "acme"], &[]).await {
        assert_eq!(answer.token(), old.access);
    }
    assert_eq!(host.authority.requests().len(), 0, "a one-shot command starts none");
    let gate = host.authority.hold_reply(Endpoint::Token);
    let broker = host.broker();
    for _ in 0..200 {
        let token = broker.token(&key("acme"), Want::default(), LONG).await.unwrap();
        assert_eq!(token.access_token.expose(), old.access);
    }
    host.until("the refresh behind it", || gate.waiting() == 1).await;
    gate.release();
    let held = host.eventually("acme", |held| held.generation == 2);
    let token = broker.token(&key("acme"), Want::default(), LONG).await.unwrap();
    assert_eq!(token.access_token, held.access_token);
    broker.drain().await;
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G27: looking spends nothing, whatever state a tenant is in, and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn status_and_check_spend_nothing() {
    use latchkey::credential::CredentialState as State;
    let host = Host::new();
    for (tenant, state, retry_at) in [
        ("acme", State::Ok, None),
        ("acme/probe", State::NeedsLogin, Some(1)),
        ("acme/dead", State::NeedsLogin, None),
        ("acme/unsure", State::Uncertain, Some(1)),
        ("acme/late", State::Ok, Some(1)),
    ] {
        host.expired(tenant).await;
        host.change(tenant, move |held| (held.state, held.retry_at) = (state, retry_at)).await;
    }
    let before = host.bytes();
    for arguments in [&["status"][..], &["status", "--json"], &["check"], &["check", "--json"]] {
        for answer in at_once(&host, 3, arguments, &[]).await {
            assert_eq!(answer.code, Some(0), "{}", answer.said);
        }
    }
    tokio::time::sleep(A_WHILE).await;
    assert_eq!((host.bytes(), host.authority.requests().len()), (before, 0));
}
