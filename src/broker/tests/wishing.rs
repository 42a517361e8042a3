//! "Refresh now".

use super::super::RefreshError;
use super::*;
use crate::gate::TokenError;

/// G15, G1: many who wish at once are one refresh; within a minute there is no second; then there is.
#[tokio::test]
async fn a_wished_refresh_is_one_for_all_and_not_again_within_a_minute() {
    let host = House::new();
    host.sign_in("acme", &Person::ada(), "42").await;
    let tenant = key("acme");
    let me = caller("42");
    let wishes = (0..20).map(|_| {
        let (broker, me, tenant) = (host.broker.clone(), me.clone(), tenant.clone());
        async move { broker.refresh(&me, &tenant).await }
    });
    let mut all = tokio::task::JoinSet::new();
    wishes.for_each(|wish| drop(all.spawn(wish)));
    for done in all.join_all().await {
        assert_eq!(done.unwrap().generation, 2);
    }
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    let again = host.broker.refresh(&me, &tenant).await;
    assert!(matches!(again, Err(RefreshError::Token(TokenError::Rejected { .. }))), "{again:?}");
    host.clock.jump(61);
    assert_eq!(host.broker.refresh(&me, &tenant).await.unwrap().generation, 3);
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
}

/// U6, G16: an owner's and an admin's; what is backing off waits.
#[tokio::test]
async fn a_refresh_is_the_owners_or_an_admins_wish_and_obeys_the_gate() {
    let host = House::new();
    host.sign_in("acme@42", &Person::ada(), "42").await;
    let tenant = key("acme@42");
    let refused = host.broker.refresh(&caller("43"), &tenant).await;
    assert!(matches!(refused, Err(RefreshError::NotYours { .. })), "{refused:?}");
    assert_eq!(host.authority.refreshes(), 0);
    host.authority.answer_next(Endpoint::Token, 1, Canned::html(503));
    for _ in 0..2 {
        let failed = host.broker.refresh(&caller("42"), &tenant).await;
        assert!(matches!(failed, Err(RefreshError::Token(TokenError::BackOff { .. }))), "{failed:?}");
    }
    assert_eq!(host.authority.refreshes(), 1, "the second try waits for its time");
    host.clock.jump(60);
    let admin = Caller { admin: true, ..caller("1") };
    assert_eq!(host.broker.refresh(&admin, &tenant).await.unwrap().generation, 2);
}

/// I8: what is served as it is stays as it is.
#[tokio::test]
async fn what_has_no_refresh_token_is_not_refreshed() {
    let host = House::new();
    host.sign_in("acme", &Person::ada(), "42").await;
    let mut held = host.host.stored(&key("acme")).unwrap();
    held.refresh_token = None;
    host.host.put(&key("acme"), held).await;
    let refused = host.broker.refresh(&caller("42"), &key("acme")).await;
    assert!(matches!(refused, Err(RefreshError::NotRefreshable { .. })), "{refused:?}");
    let gone = host.broker.refresh(&caller("42"), &key("acme/none@42")).await;
    assert!(matches!(gone, Err(RefreshError::Token(TokenError::NeverSignedIn { .. }))), "{gone:?}");
    assert_eq!(host.authority.requests().len(), 0);
}
