//! Who asks: many at once, those who leave, those who come with another want.

use super::*;

/// G1, G8: a thousand tasks in one process, and another "process" beside them.
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_for_a_thousand_callers() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.expired(&tenant, &Person::ada()).await;
    let gates = [host.gate(), host.gate()];
    let mut callers = JoinSet::new();
    for number in 0..1_000 {
        let (gate, tenant) = (gates[number % 2].clone(), tenant.clone());
        callers.spawn(async move { gate.token(&tenant, Want::default(), LONG).await.unwrap() });
    }
    let tokens: Vec<_> = callers.join_all().await;
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    assert!(tokens.iter().all(|credential| credential.access_token == tokens[0].access_token));
    assert_ne!(tokens[0].access_token.expose(), old.access);
    for gate in gates {
        gate.drain().await;
        assert_eq!(gate.flights(), 0, "no map entry is left behind");
    }
    assert!(host.authority.would_refresh(host.stored(&tenant).unwrap().refresh_token.unwrap().expose()));
}

/// G24: nothing is asked, nothing is locked.
#[tokio::test]
async fn a_fresh_token_costs_no_request_and_no_lock() {
    let host = Host::new();
    let tenant = key("acme");
    let tokens = host.serving(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let _held = host.store().refresh_lock(&tenant, LONG).await.unwrap();
    let got = gate.token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(got.access_token.expose(), tokens.access);
    assert_eq!(host.authority.requests().len(), 0);
}

/// G9, G10
#[tokio::test]
async fn callers_come_and_go_and_the_reply_is_stored_all_the_same() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let held = host.authority.hold_reply(Endpoint::Token);
    let left = gate.token(&tenant, Want::default(), Duration::from_millis(100)).await;
    assert_eq!(class(&left), Class::Transient, "{left:?}");
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    held.release();
    gate.drain().await;
    let stored = host.stored(&tenant).unwrap();
    assert_ne!(stored.access_token.expose(), old.access);
    assert_eq!((stored.generation, host.authority.refreshes()), (2, 1));
}

/// G4
#[tokio::test]
async fn a_stuck_tenant_delays_no_other() {
    let mut host = Host::new();
    let elsewhere = Authority::start();
    let other = format!(
        "[providers.other]\ntoken_endpoint = {:?}\nclient_id = {CLIENT:?}\nflows = [\"device\"]\n\
         device_authorization_endpoint = {:?}\n",
        elsewhere.token_endpoint(),
        elsewhere.device_authorization_endpoint()
    );
    host.catalog = catalog(&host.authority, &other);
    let (stuck, quick) = (key("acme"), key("other"));
    host.expired(&stuck, &Person::ada()).await;
    let tokens = elsewhere.mint_expired(&Person::ada(), CLIENT, &["openid"]);
    let mut credential = host.credential(&tokens, &Person::ada());
    credential.provider = quick.provider.clone();
    credential.expires_at = Some(0);
    host.put(&quick, credential).await;

    let gate = host.gate();
    let held = host.authority.hold(Endpoint::Token);
    let waiting = tokio::spawn({
        let (gate, stuck) = (gate.clone(), stuck.clone());
        async move { gate.token(&stuck, Want::default(), LONG).await }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    gate.token(&quick, Want::default(), LONG).await.unwrap();
    assert!(!waiting.is_finished());
    held.release();
    waiting.await.unwrap().unwrap();
}

/// G14
#[tokio::test]
async fn a_401_seen_by_many_makes_one_refresh_and_late_comers_adopt_it() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.serving(&tenant, &Person::ada()).await;
    let gates = [host.gate(), host.gate()];
    let mut callers = JoinSet::new();
    for number in 0..20 {
        let (gate, tenant, old) = (gates[number % 2].clone(), tenant.clone(), old.access.clone());
        callers.spawn(async move { gate.token(&tenant, rejected(&old), LONG).await.unwrap() });
    }
    let tokens = callers.join_all().await;
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    let late = host.gate().token(&tenant, rejected(&old.access), LONG).await.unwrap();
    assert_eq!(late.access_token, tokens[0].access_token);
    assert_eq!(host.authority.refreshes(), 1);
}

/// G15
#[tokio::test]
async fn a_token_from_a_forced_refresh_is_not_forced_again_for_a_minute() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.serving(&tenant, &Person::ada()).await;
    let new = host.gate().token(&tenant, rejected(&old.access), LONG).await.unwrap();
    let again = host.gate().token(&tenant, rejected(new.access_token.expose()), LONG).await;
    assert_eq!(class(&again), Class::Denied, "{again:?}");
    assert_eq!(host.authority.refreshes(), 1);
    host.clock.jump(61);
    host.gate().token(&tenant, rejected(new.access_token.expose()), LONG).await.unwrap();
    assert_eq!(host.authority.refreshes(), 2);
}

/// G15: never a loop.
#[tokio::test]
async fn a_minimum_that_is_never_granted_costs_one_refresh() {
    let host = Host::new();
    let tenant = key("acme");
    host.serving(&tenant, &Person::ada()).await;
    let want = Want { min_valid: 1_000_000, ..Want::default() };
    for _ in 0..50 {
        host.gate().token(&tenant, want.clone(), LONG).await.unwrap();
    }
    assert_eq!(host.authority.refreshes(), 1);
    host.clock.jump(61);
    host.gate().token(&tenant, want, LONG).await.unwrap();
    assert_eq!(host.authority.refreshes(), 2);
}

/// G26
#[tokio::test]
async fn what_became_fresh_meanwhile_is_used_though_the_refresh_failed() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    host.authority.fail_next(Endpoint::Token, 1, &Fault::ReplyAfter(Canned::html(503)));
    let held = host.authority.hold_reply(Endpoint::Token);
    let refreshing = tokio::spawn({
        let (gate, tenant) = (gate.clone(), tenant.clone());
        async move { gate.token(&tenant, Want::default(), LONG).await }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    let newer = host.serving(&tenant, &Person::ada()).await;
    held.release();
    assert_eq!(refreshing.await.unwrap().unwrap().access_token.expose(), newer.access);
}

/// G29, W5
#[tokio::test]
async fn once_draining_no_exchange_is_started_and_one_under_way_is_stored() {
    let host = Host::new();
    let (first, second) = (key("acme/first"), key("acme/second"));
    host.expired(&first, &Person::ada()).await;
    host.expired(&second, &Person::ben()).await;
    let gate = host.gate();
    let held = host.authority.hold_reply(Endpoint::Token);
    gate.refresh_ahead(&first);
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    let draining = tokio::spawn({
        let gate = gate.clone();
        async move { gate.drain().await }
    });
    tokio::task::yield_now().await;
    assert!(matches!(gate.token(&second, Want::default(), LONG).await, Err(TokenError::Closing)));
    held.release();
    draining.await.unwrap();
    assert_eq!(host.authority.refreshes(), 1);
    assert_eq!(host.stored(&first).unwrap().generation, 2);
}

/// G8
#[tokio::test]
async fn a_flight_that_panics_releases_the_gate() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let store = Faulty::new(host.store(), 100);
    store.panic_at_the_lock.store(true, std::sync::atomic::Ordering::SeqCst);
    let gate = host.gate_over(store);
    assert_eq!(class(&gate.token(&tenant, Want::default(), LONG).await), Class::Bug);
    assert_eq!(gate.flights(), 0);
    gate.token(&tenant, Want::default(), LONG).await.unwrap();
}

/// G24, T9: a token that lives for a minute is used for half of it, and one that has ended as it comes is no storm.
#[tokio::test]
async fn short_lives_are_no_storm() {
    for lifetime in [60, 0] {
        let host = Host::new();
        host.authority.set(|settings| {
            settings.access_lifetime = Duration::from_secs(lifetime);
        });
        let tenant = key("acme");
        host.expired(&tenant, &Person::ada()).await;
        for _ in 0..5 {
            host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
        }
        assert_eq!(host.authority.refreshes(), 1, "{lifetime} s");
    }
}

/// G26: the flight ended with an error, and the store is fresh all the same.
#[tokio::test]
async fn a_flight_that_fails_beside_a_fresh_store_is_no_failure() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let _elsewhere = host.store().refresh_lock(&tenant, LONG).await.unwrap();
    let waiting = tokio::spawn({
        let (gate, tenant) = (gate.clone(), tenant.clone());
        async move { gate.token(&tenant, Want::default(), LONG).await }
    });
    for _ in 0..200 {
        if gate.flights() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let newer = host.serving(&tenant, &Person::ada()).await;
    gate.drain().await;
    assert_eq!(waiting.await.unwrap().unwrap().access_token.expose(), newer.access);
}

/// Z1
#[tokio::test]
async fn a_gate_is_printed_for_debugging_without_a_token() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let landed = gate.token(&tenant, Want::default(), LONG).await.unwrap();
    host.authority.assert_no_secret_in(&format!("{gate:?} {landed:?}"));
}

/// G8: a refusal that a flight got for the want that it was started for is not the last word to one who joined with another.
#[tokio::test]
async fn who_joined_for_something_else_is_not_refused_by_that_flight() {
    let (host, tenant) = (Host::new(), key("acme"));
    host.authority.set(|settings| settings.reuse = Reuse::Lenient);
    let tokens = host.serving(&tenant, &Person::ada()).await;
    let mut stored = host.stored(&tenant).unwrap();
    // Past its refresh point, with a try that got no answer: a strict server is not asked again ahead of need.
    stored.obtained_at = Some(host.clock.now() - 36_000);
    stored.intent = Some(Intent {
        credential_id: stored.id.clone(),
        generation: stored.generation,
        refresh_sha256: Secret::new(&*tokens.refresh).hash(),
        attempt: 1,
        sent_at: host.clock.now() - 10,
    });
    host.put(&tenant, stored).await;
    let gate = host.gate();
    let lock = host.store().refresh_lock(&tenant, LONG).await.unwrap();
    gate.refresh_ahead(&tenant);
    let asking = tokio::spawn({
        let (gate, tenant, want) = (gate.clone(), tenant.clone(), rejected(&tokens.access));
        async move { gate.token(&tenant, want, LONG).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(gate.flights(), 1, "it has joined");
    drop(lock);
    assert_eq!(asking.await.unwrap().unwrap().generation, 2);
    assert_eq!(host.authority.refreshes(), 1);
}

/// G14: whoever cannot ask again waits for a refresh under way, as long as they may; others take what would do.
#[tokio::test]
async fn who_cannot_ask_again_waits_for_a_refresh_under_way() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.serving(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let settled = Want { settled: true, ..Want::default() };
    let held = host.authority.hold_reply(Endpoint::Token);
    let forcing = tokio::spawn({
        let (gate, tenant, rejected) = (gate.clone(), tenant.clone(), rejected(&old.access));
        async move { gate.token(&tenant, rejected, LONG).await }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    let at_once = gate.token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(at_once.access_token.expose(), old.access);
    let impatient = gate.token(&tenant, settled.clone(), Duration::from_millis(50)).await.unwrap();
    assert_eq!(impatient.access_token.expose(), old.access);
    let waiting = gate.token(&tenant, settled, LONG);
    let (waited, ()) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        held.release();
    });
    assert_eq!(waited.unwrap().generation, 2);
    assert_eq!(forcing.await.unwrap().unwrap().generation, 2);
    assert_eq!(host.authority.refreshes(), 1);
}
