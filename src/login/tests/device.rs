//! Signing in by a device code.

use super::*;

/// T11, C5, C9: from the start to a stored credential, by a device code.
#[tokio::test]
async fn a_device_login_ends_with_a_stored_credential_and_no_secret_in_its_entry() {
    let host = Host::new();
    let logins = host.logins();
    let started = logins.start(request("42", LoginKind::Device)).await.unwrap();
    let code = started.login.user_code.clone().unwrap();
    host.authority.approve_device(code.expose(), &Person::ada()).await;
    logins.poll(started.handover.unwrap()).await;

    let login = host.login(&started.login.id).unwrap();
    assert_eq!(login.status, LoginStatus::Succeeded);
    let held = host.held("acme").unwrap();
    assert_eq!(held.account.email.as_deref(), Some(&*Person::ada().email));
    assert_eq!((held.owner, held.generation, held.client_id.as_deref()), (Some(user("42")), 1, Some(CLIENT)));
    let first = host.authority.first_poll(code.expose()).unwrap();
    assert!(
        first >= Duration::from_millis(2_900),
        "the first poll waits for the interval, and came after {first:?}"
    );
    let entry = serde_json::from_str::<serde_json::Value>(&host.text()).unwrap()["pending"].to_string();
    host.authority.assert_no_secret_in(&entry);
    assert!(!entry.contains("interaction-of") && !entry.contains(code.expose()), "{entry}");
    let bound = host.store().snapshot().unwrap().binding(&thread("7")).unwrap().unwrap();
    assert_eq!(bound.tenants.values().map(ToString::to_string).collect::<Vec<_>>(), ["acme"]);
}

/// T11
#[tokio::test]
async fn slow_down_is_for_good_and_trouble_ends_nothing() {
    let host = Host::new();
    let logins = host.logins();
    let started = logins.start(request("42", LoginKind::Device)).await.unwrap();
    host.authority.answer_next(Endpoint::Token, 1, Canned::error(400, "slow_down", ""));
    let polling = tokio::spawn({
        let logins = logins.clone();
        let handover = started.handover.unwrap();
        async move { logins.poll(handover).await }
    });
    assert!(host.authority.eventually(LONG, |a| a.device_polls() == 1).await);
    let mut interval = None;
    for _ in 0..200 {
        interval = host.login(&started.login.id).unwrap().interval;
        if interval == Some(8) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(interval, Some(8));
    assert!(matches!(logins.cancel(&user("42"), false, &started.login.id).await, Ok(Cancelled::Now(_))));
    tokio::time::timeout(Duration::from_secs(3), polling).await.expect("a cancel ends the polling").unwrap();
    assert_eq!(host.authority.device_polls(), 1);
}

/// T11
#[tokio::test]
async fn a_no_at_the_provider_and_an_expired_code_end_it_in_their_own_words() {
    for (error, status) in [("access_denied", LoginStatus::Denied), ("expired_token", LoginStatus::Expired)] {
        let host = Host::new();
        let logins = host.logins();
        let started = logins.start(request("42", LoginKind::Device)).await.unwrap();
        host.authority.answer_next(Endpoint::Token, 1, Canned::error(400, error, ""));
        logins.poll(started.handover.unwrap()).await;
        assert_eq!(host.login(&started.login.id).unwrap().status, status);
        assert!(host.held("acme").is_none());
    }
}

/// C6, S11
#[tokio::test]
async fn the_deadline_ends_a_device_login() {
    let host = Host::new();
    let logins = host.logins();
    let started = logins.start(request("42", LoginKind::Device)).await.unwrap();
    host.clock.jump(841);
    logins.poll(started.handover.unwrap()).await;
    assert_eq!(host.login(&started.login.id).unwrap().status, LoginStatus::Expired);
    assert_eq!(host.authority.device_polls(), 0);
}
