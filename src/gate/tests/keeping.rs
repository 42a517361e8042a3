//! Keeping what a refresh has brought, when the store cannot or others were first.

use super::*;

/// G22
#[tokio::test]
async fn a_logout_or_a_newer_sign_in_during_a_refresh_wins() {
    for sign_in_again in [false, true] {
        let host = Host::new();
        let tenant = key("acme");
        host.expired(&tenant, &Person::ada()).await;
        let gate = host.gate();
        let held = host.authority.hold_reply(Endpoint::Token);
        let refreshing = tokio::spawn({
            let (gate, tenant) = (gate.clone(), tenant.clone());
            async move { gate.token(&tenant, Want::default(), LONG).await }
        });
        assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
        let newer = if sign_in_again {
            Some(host.serving(&tenant, &Person::ada()).await)
        } else {
            let key = tenant.clone();
            let store = host.store();
            let remove = update(&*store, Touches::tenant(&tenant), move |view| {
                view.remove_tenant(&key);
                Ok::<_, ()>(())
            });
            remove.await.unwrap().unwrap();
            None
        };
        held.release();
        let landed = refreshing.await.unwrap();
        gate.drain().await;
        if let Some(newer) = newer {
            assert_eq!(landed.unwrap().access_token.expose(), newer.access);
            assert_eq!(host.stored(&tenant).unwrap().refresh_token.unwrap().expose(), newer.refresh);
            assert_eq!(
                host.authority.revocations(),
                0,
                "the same account is in use: nothing is revoked (T12)"
            );
        } else {
            assert_eq!(class(&landed), Class::NeedsLogin);
            assert!(host.stored(&tenant).is_none());
            assert_eq!(
                host.authority.revocations(),
                1,
                "nothing is in use: the dropped tokens are revoked (T12)"
            );
        }
    }
}

/// G21
#[tokio::test]
async fn a_rotation_that_cannot_be_stored_is_kept_aside_and_finished_by_the_next_holder() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    // The intent is written; the disk fills up before the save.
    let unlucky = host.gate_over(Faulty::new(host.store(), 1));
    let landed = unlucky.token(&tenant, Want::default(), LONG).await;
    assert!(matches!(landed, Err(TokenError::Unsaved { .. })), "{landed:?}");
    unlucky.drain().await;
    assert_eq!(host.stored(&tenant).unwrap().generation, 1, "no new token was handed out or stored");

    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(landed.generation, 2);
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    assert!(host.authority.would_refresh(landed.refresh_token.as_ref().unwrap().expose()));
    let leftovers = std::fs::read_dir(host.path.with_file_name("auth.json.locks")).unwrap();
    assert!(!leftovers.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(".rescue")));
}

/// G19, G21: without a durable intent nothing is sent.
#[tokio::test]
async fn a_store_that_cannot_be_written_makes_no_request() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let landed = host.gate_over(Faulty::new(host.store(), 0)).token(&tenant, Want::default(), LONG).await;
    assert_eq!(class(&landed), Class::Store);
    assert_eq!(host.authority.requests().len(), 0);
}

/// G21: without room for the reply nothing is sent.
#[tokio::test]
async fn without_room_set_aside_no_request_is_made() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let store = Faulty::new(host.store(), 100);
    store.no_room.store(true, std::sync::atomic::Ordering::SeqCst);
    let landed = host.gate_over(store).token(&tenant, Want::default(), LONG).await;
    assert_eq!(class(&landed), Class::Store);
    assert_eq!((host.authority.requests().len(), host.stored(&tenant).unwrap().intent), (0, None));
}

/// G21: neither the store nor the room can be written. The lock is not let go, and the token is stored once a disk is
/// there again.
#[tokio::test]
async fn a_rotation_that_is_nowhere_but_in_memory_is_not_let_go() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let store = Faulty::new(host.store(), 1);
    let gate = host.gate_over(store.clone());
    let held = host.authority.hold_reply(Endpoint::Token);
    gate.refresh_ahead(&tenant);
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    store.no_room.store(true, std::sync::atomic::Ordering::SeqCst);
    held.release();
    let other = host.gate().token(&tenant, Want::default(), Duration::from_secs(5)).await;
    assert!(matches!(other, Err(TokenError::TimedOut { .. })), "the lock is held: {other:?}");
    store.no_room.store(false, std::sync::atomic::Ordering::SeqCst);
    store.writes_left.store(100, std::sync::atomic::Ordering::SeqCst);
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((landed.generation, host.authority.refreshes(), host.authority.reuses()), (2, 1, 0));
}

/// G21: room that a killed holder set aside goes with the next holder, though that one has nothing to send.
#[tokio::test(flavor = "multi_thread")]
async fn room_of_a_killed_holder_goes_with_the_next_one() {
    let (host, tenant) = (Host::new(), key("acme"));
    let store = host.store();
    let lock = store.refresh_lock(&tenant, LONG).await.unwrap();
    store.set_rescue_aside(&lock, &tenant).unwrap();
    drop(lock);
    let gate = host.gate();
    gate.refresh_ahead(&tenant);
    let landed = async {
        while gate.flights() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, landed).await.unwrap();
    let locks = std::fs::read_dir(host.path.with_file_name("auth.json.locks")).unwrap().flatten();
    let rooms = locks.filter(|entry| entry.file_name().to_string_lossy().ends_with(".rescue"));
    assert_eq!(rooms.count(), 0);
    assert_eq!(host.authority.refreshes(), 0);
}

/// G21, G22: a rescue that was superseded changes nothing, and what it held is not revoked while the account is in use.
#[tokio::test]
async fn a_rescue_is_compared_before_it_is_stored() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let before = host.stored(&tenant).unwrap();
    let mut kept = before.clone();
    kept.generation += 1;
    kept.access_token = Secret::new("at-kept-aside");
    kept.expires_at = Some(host.clock.now() + 3_600);
    let store = host.store();
    let lock = store.refresh_lock(&tenant, LONG).await.unwrap();
    store.set_rescue_aside(&lock, &tenant).unwrap();
    store.write_rescue(&lock, &tenant, &Rescue { replaces: before.version(), credential: kept }).unwrap();
    drop(lock);
    let newer = host.expired(&tenant, &Person::ada()).await;
    let id = host.stored(&tenant).unwrap().id;
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((landed.id.clone(), landed.generation), (id, 2), "{:?} was refreshed", newer.scopes);
    assert_eq!((host.authority.refreshes(), host.authority.revocations()), (1, 0));
}

/// F1: what others write down of a tenant while its refresh is under way stays, and so it does past a rescue.
#[tokio::test]
async fn what_is_noted_during_a_refresh_stays() {
    let (host, tenant) = (Host::new(), key("acme"));
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let held = host.authority.hold_reply(Endpoint::Token);
    gate.refresh_ahead(&tenant);
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    let mut noted = host.stored(&tenant).unwrap();
    noted.last_used_at = Some(host.clock.now());
    noted.owner = Some(User::Local(7));
    host.put(&tenant, noted.clone()).await;
    held.release();
    gate.token(&tenant, Want::default(), LONG).await.unwrap();
    let stored = host.stored(&tenant).unwrap();
    assert_eq!((stored.generation, stored.last_used_at), (2, noted.last_used_at));
    assert_eq!(stored.owner, noted.owner);
}

/// G19: an answer that is known stays known though the store refuses it for a while: nobody presents the token again.
#[tokio::test]
async fn a_dead_grant_is_written_down_once_the_store_takes_it() {
    let (host, tenant) = (Host::new(), key("acme"));
    let tokens = host.expired(&tenant, &Person::ada()).await;
    host.authority.revoke_grant(&tokens.refresh);
    let store = Faulty::new(host.store(), 1);
    let gate = host.gate_over(store.clone());
    let held = host.authority.hold_reply(Endpoint::Token);
    let asking = tokio::spawn({
        let (gate, tenant) = (gate.clone(), tenant.clone());
        async move { gate.token(&tenant, Want::default(), LONG).await }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    held.release();
    tokio::time::sleep(Duration::from_millis(150)).await;
    store.writes_left.store(100, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(class(&asking.await.unwrap()), Class::NeedsLogin);
    let stored = host.stored(&tenant).unwrap();
    assert_eq!((stored.state, stored.intent), (CredentialState::NeedsLogin, None));
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    assert_eq!(host.authority.refreshes(), 1);
}
