//! A wall clock that jumps while a refresh is under way.

use super::*;

/// A flight for `tenant` whose reply is held; while it is, the wall clock jumps.
async fn jumped_in_flight(host: &Host, gate: &Gate, tenant: &TenantKey, seconds: i64) {
    let held = host.authority.hold_reply(Endpoint::Token);
    gate.refresh_ahead(tenant);
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    host.clock.jump(seconds);
    held.release();
    for _ in 0..2_000 {
        if gate.flights() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the flight does not land");
}

/// G16, S14: a try that a clock set back has let through is under way. The old back-off is not believed by those who come
/// meanwhile, though its entry was written to just now.
#[tokio::test]
async fn a_back_off_is_over_with_the_next_try() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let mut long_over = host.stored(&tenant).unwrap();
    long_over.expires_at = Some(host.clock.now() - 7_200);
    host.put(&tenant, long_over).await;
    let busy = Canned::html(503).with_header("retry-after", "600");
    host.authority.answer_next(Endpoint::Token, 1, busy);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    host.clock.jump(-3_600);
    let held = host.authority.hold_reply(Endpoint::Token);
    let gate = host.gate();
    gate.refresh_ahead(&tenant);
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    let other = host.gate().token(&tenant, Want::default(), Duration::from_millis(300)).await;
    assert!(matches!(other, Err(TokenError::TimedOut { .. })), "it waits for the try: {other:?}");
    held.release();
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
}

/// T9, S14: a clock that is set back during the request does not lengthen the token's life.
#[tokio::test]
async fn a_clock_set_back_during_the_request_lengthens_no_life() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    jumped_in_flight(&host, &gate, &tenant, -3_600).await;
    let (stored, now) = (host.stored(&tenant).unwrap(), host.clock.now());
    let left = stored.expires_at.unwrap() - now;
    assert!((3_500..=3_600).contains(&left), "{left} s left");
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// T9, G15, S14: one that is set forward makes the new token old as it comes. Said as what it is, and mended at the next
/// call.
#[tokio::test]
async fn a_token_that_ends_on_its_way_is_no_rejection() {
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
    host.clock.jump(3_601);
    // Closed before the first is opened, so that the next request does not slip through.
    let second = host.authority.hold_reply(Endpoint::Token);
    first.release();
    assert!(host.authority.eventually(LONG, |_| second.waiting() == 1).await);
    host.clock.jump(3_601);
    second.release();
    let landed = asking.await.unwrap();
    assert!(matches!(landed, Err(TokenError::EndedAlready { .. })), "{landed:?}");
    assert_eq!(class(&landed), Class::Transient);
    gate.token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (3, 0));
    assert_eq!(host.stored(&tenant).unwrap().state, CredentialState::Ok);
}
