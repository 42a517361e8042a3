//! How a login ends: cancelled, expired, or by the provider's word.

use super::*;

/// C1, C2, C4: a cancel in the middle of the exchange wins, and what was obtained is revoked where nothing is in use.
#[tokio::test]
async fn a_cancel_during_the_exchange_wins() {
    let host = Host::with("revocation = \"token\"\n");
    host.authority.set(|settings| settings.revocation = Revocation::Token);
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    let held = host.authority.hold_reply(Endpoint::Token);
    let pasting = tokio::spawn({
        let (logins, id) = (logins.clone(), login.id.clone());
        async move { logins.paste(&user("42"), &id, &answer).await }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    assert_eq!(host.login(&login.id).unwrap().status, LoginStatus::Exchanging);
    assert!(matches!(logins.cancel(&user("42"), false, &login.id).await, Ok(Cancelled::Now(_))));
    // The next start need not wait for the provider.
    let again = logins.start(request("42", LoginKind::Paste)).await.unwrap();
    assert_ne!(again.login.id, login.id);
    held.release();
    assert_eq!(pasting.await.unwrap().unwrap(), Answered::Over);
    assert!(host.held("acme").is_none());
    assert_eq!(host.authority.revocations(), 1);
}

/// C3, C8, C11
#[tokio::test]
async fn cancelling_is_for_the_owner_or_an_admin_and_changes_nothing_that_is_over() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    assert_eq!(logins.cancel(&user("43"), false, &login.id).await.unwrap(), Cancelled::NotYours);
    assert_eq!(logins.cancel(&user("43"), false, &"none".to_owned()).await.unwrap(), Cancelled::Unknown);
    let Cancelled::Now(ended) = logins.cancel(&user("43"), true, &login.id).await.unwrap() else { panic!() };
    assert_eq!(ended.reason, Some(EndReason::CancelledBy(user("43"))));
    let again = logins.cancel(&user("42"), false, &login.id).await.unwrap();
    assert_eq!(again, Cancelled::Already(LoginStatus::Cancelled));
}

/// C6
#[tokio::test]
async fn an_expired_login_is_over_for_every_reader_before_any_sweep() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    host.clock.jump(841);
    assert_eq!(host.login(&login.id).unwrap().status, LoginStatus::Pending, "nobody has written");
    assert!(logins.open_logins(&user("42"), false, None).unwrap().is_empty());
    let late = logins.paste(&user("42"), &login.id, &answer).await;
    assert!(matches!(late, Err(PasteError::Over(LoginStatus::Expired))), "{late:?}");
    let cancelled = logins.cancel(&user("42"), false, &login.id).await.unwrap();
    assert_eq!(cancelled, Cancelled::Already(LoginStatus::Expired));
    assert_ne!(logins.start(request("42", LoginKind::Paste)).await.unwrap().login.id, login.id);
}

/// C1, S13: expiry does not end an exchange; only its bound does.
#[tokio::test]
async fn an_exchange_is_frozen_for_its_bound_and_no_longer() {
    for (passed, status) in [(149, LoginStatus::Exchanging), (152, LoginStatus::Failed)] {
        let host = Host::new();
        let logins = host.logins();
        let login = host.paste_login(&logins, "42").await;
        let store = host.store();
        let id = login.id.clone();
        host.clock.jump(839);
        update(&*store, Touches::nothing().and_all_logins(), move |view| {
            let mut login = view.login_by_id(&id).unwrap();
            login.status = LoginStatus::Exchanging;
            view.put_login(login);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
        host.clock.jump(passed);
        logins.sweep().await.unwrap();
        assert_eq!(host.login(&login.id).unwrap().status, status, "after {passed} s");
    }
}

/// C12: a no that arrives while a code is being spent ends nothing.
#[tokio::test]
async fn a_late_no_does_not_end_an_exchange() {
    for code in ["access_denied", "server_error"] {
        let host = Host::new();
        let logins = host.logins();
        let login = host.paste_login(&logins, "42").await;
        let answer = host.answer(&login, &Person::ada()).await;
        let held = host.authority.hold_reply(Endpoint::Token);
        let pasting = tokio::spawn({
            let (logins, id) = (logins.clone(), login.id.clone());
            async move { logins.paste(&user("42"), &id, &answer).await }
        });
        assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
        // Looked at while it was pending still.
        let late = logins.0.refused_at_provider(&login, code, String::new()).await;
        assert!(matches!(late, Err(PasteError::InUse)), "{late:?}");
        held.release();
        assert_eq!(pasting.await.unwrap().unwrap(), Answered::Succeeded, "{code}");
        let late = logins.0.refused_at_provider(&login, code, String::new()).await;
        assert!(matches!(late, Err(PasteError::Over(LoginStatus::Succeeded))), "{late:?}");
    }
}
