//! Tries whose outcome is not known (G19, G20).

use super::*;

/// G19, G10: rotated, and the reply lost. A lenient server forgives the second try.
#[tokio::test]
async fn a_lost_reply_is_followed_by_one_more_try() {
    let host = Host::new();
    host.authority.set(|settings| settings.reuse = Reuse::Lenient);
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseAfter);
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(host.authority.refreshes(), 2);
}

/// G19
#[tokio::test]
async fn two_lost_replies_make_it_uncertain_and_only_a_definite_answer_makes_it_dead() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 3, &Fault::CloseBefore);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    assert_eq!(host.stored(&tenant).unwrap().state, CredentialState::Uncertain);
    assert_eq!(host.authority.refreshes(), 2);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    assert_eq!(host.authority.refreshes(), 2, "the back-off holds");
    host.clock.jump(4_600);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    let stored = host.stored(&tenant).unwrap();
    assert_eq!((host.authority.refreshes(), stored.state), (3, CredentialState::Uncertain));
    host.clock.jump(4_600);
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((landed.state, landed.intent.clone()), (CredentialState::Ok, None));
}

/// G19, G16: what came before two lost replies is not what is told after them; nor after the provider's last word.
#[tokio::test]
async fn whose_matter_the_last_refusal_was_is_told_no_longer_than_it_holds() {
    for (operators, no_access) in [(true, false), (false, true)] {
        let host = Host::new();
        let tenant = key("acme");
        host.expired(&tenant, &Person::ada()).await;
        let mut refused = host.stored(&tenant).unwrap();
        (refused.operators_error, refused.no_access, refused.failures) = (operators, no_access, 1);
        refused.retry_at = Some(host.clock.now());
        host.put(&tenant, refused).await;
        let flags = || host.stored(&tenant).map(|held| (held.state, held.operators_error, held.no_access));
        host.authority.fail_next(Endpoint::Token, 2, &Fault::CloseBefore);
        for _ in 0..2 {
            assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
        }
        assert_eq!(flags(), Some((CredentialState::Uncertain, false, false)));
        host.clock.jump(4_600);
        let mut refused = host.stored(&tenant).unwrap();
        (refused.operators_error, refused.no_access) = (operators, no_access);
        host.put(&tenant, refused).await;
        host.authority.answer_next(Endpoint::Token, 1, Canned::error(400, "invalid_grant", ""));
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
        assert_eq!(flags(), Some((CredentialState::NeedsLogin, false, false)));
    }
}

/// G19: what still serves is not put at risk.
#[tokio::test]
async fn after_a_lost_reply_a_strict_server_is_not_asked_while_the_old_token_serves() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.serving(&tenant, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
    let want = Want { min_valid: 7_200, ..Want::default() };
    assert_eq!(class(&host.gate().token(&tenant, want, LONG).await), Class::Transient);
    let served = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(served.access_token.expose(), old.access);
    assert_eq!(host.authority.refreshes(), 1);
    host.clock.jump(3_601);
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
}

/// G19: a newer sign-in of the same account would be ended by a second use.
#[tokio::test]
async fn a_newer_sign_in_of_the_same_account_is_not_put_at_risk() {
    let host = Host::new();
    let (tenant, newer) = (key("acme"), key("acme/newer"));
    host.expired(&tenant, &Person::ada()).await;
    let mut lost = host.stored(&tenant).unwrap();
    lost.intent = Some(crate::credential::Intent {
        credential_id: lost.id.clone(),
        generation: lost.generation,
        refresh_sha256: lost.refresh_token.as_ref().unwrap().hash(),
        attempt: 1,
        sent_at: host.clock.now() - 5,
    });
    host.put(&tenant, lost).await;
    host.serving(&newer, &Person::ada()).await;
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    assert_eq!(host.authority.refreshes(), 0);
}

/// G19: a sign-in of the same account that comes between the look and the second try, at another tenant or at this one, is
/// not put at risk either.
#[tokio::test]
async fn a_sign_in_that_comes_just_before_a_second_try_is_not_put_at_risk() {
    let (tenant, other) = (key("acme"), key("acme/other"));
    for (signed_in, after) in [(&other, false), (&other, true), (&tenant, false), (&tenant, true)] {
        let host = Host::new();
        host.expired(&tenant, &Person::ada()).await;
        let tokens = host.authority.mint(&Person::ada(), CLIENT, &["openid", "offline_access"]);
        let newer = host.credential(&tokens, &Person::ada());
        // The first intent, that it got no answer, and the second intent.
        let store = Faulty::new(host.store(), 100);
        let overtaking = if after { Overtaking::After } else { Overtaking::Before };
        *store.overtaking.lock().unwrap() = Some((98, overtaking(signed_in.clone(), newer)));
        host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
        let landed = host.gate_over(store).token(&tenant, Want::default(), LONG).await;
        let case = format!("{signed_in}, after: {after}");
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0), "{case}");
        if *signed_in == tenant {
            assert_eq!(landed.unwrap().access_token.expose(), tokens.access, "{case}");
        } else {
            assert_eq!(class(&landed), Class::NeedsLogin, "{case}");
        }
    }
}

/// G19, G20: a third try that is killed is followed by a back-off, not by a fourth.
#[tokio::test]
async fn a_killed_try_of_an_uncertain_credential_is_waited_for() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 2, &Fault::CloseBefore);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    host.clock.jump(4_600);
    let mut killed = host.stored(&tenant).unwrap();
    killed.intent = killed.intent.map(|intent| Intent { attempt: 3, sent_at: host.clock.now(), ..intent });
    host.put(&tenant, killed).await;
    let landed = host.gate().token(&tenant, Want::default(), LONG).await;
    assert!(matches!(landed, Err(TokenError::BackOff { .. })), "{landed:?}");
    assert_eq!(host.authority.refreshes(), 2);
    host.clock.jump(4_600);
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
}

/// G19: a definite "not now" to the second try leaves the first as unknown as it was.
#[tokio::test]
async fn a_busy_server_does_not_make_an_unknown_try_known() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
    host.authority.answer_next(Endpoint::Token, 1, Canned::error(503, "temporarily_unavailable", ""));
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    let stored = host.stored(&tenant).unwrap();
    assert_eq!(
        (stored.open_intent().map(|intent| intent.attempt), stored.state),
        (Some(1), CredentialState::Ok)
    );
}

/// G17, G19: a probe that gets no answer was the one.
#[tokio::test]
async fn a_probe_is_sent_once_whatever_comes_of_it() {
    let host = Host::new();
    let tenant = key("acme");
    let tokens = host.expired(&tenant, &Person::ada()).await;
    host.authority.expire_grant(&tokens.refresh);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    let stored = host.stored(&tenant).unwrap();
    assert_eq!(host.gate().due(&stored), stored.retry_at, "somebody will make the probe");
    host.clock.jump(601);
    host.authority.fail_next(Endpoint::Token, 3, &Fault::CloseBefore);
    for _ in 0..3 {
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    }
    assert_eq!((host.authority.refreshes(), host.gate().due(&host.stored(&tenant).unwrap())), (2, None));
}

/// G10, G19: other sign-ins that come during a flight use up its exchanges, and nothing is said against the last of them.
#[tokio::test]
async fn sign_ins_that_overtake_a_flight_are_not_called_uncertain() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let first = host.authority.hold_reply(Endpoint::Token);
    let asking = tokio::spawn({
        let (gate, tenant) = (gate.clone(), tenant.clone());
        async move { gate.token(&tenant, Want::default(), LONG * 3).await }
    });
    assert!(host.authority.eventually(LONG, |_| first.waiting() == 1).await);
    host.expired(&tenant, &Person::ada()).await;
    let second = host.authority.hold_reply(Endpoint::Token);
    first.release();
    assert!(host.authority.eventually(LONG, |_| second.waiting() == 1).await);
    let newest = host.expired(&tenant, &Person::ada()).await;
    second.release();
    let landed = asking.await.unwrap();
    assert!(matches!(landed, Err(TokenError::Overtaken { .. })), "{landed:?}");
    let stored = host.stored(&tenant).unwrap();
    assert_eq!((stored.state, stored.intent, stored.retry_at), (CredentialState::Ok, None, None));
    assert_eq!(stored.refresh_token.unwrap().expose(), newest.refresh);
    gate.token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (3, 0));
}
