//! How long a sign-in waits for an admin, and what holds then.

use super::*;

/// I5, S11, C6, T12: it waits a day and no longer, by a clock of its own; then it is over for every reader, and the sweep
/// lets the tokens go.
#[tokio::test]
async fn it_waits_a_day() {
    let host = Host::new();
    let (logins, id) = host.ann_waits().await;
    let seen = Host::seen(&logins, &id);
    host.clock.jump(CONFIRMING_LIFE - 30);
    logins.sweep().await.unwrap();
    assert_eq!(host.login(&id).unwrap().status, LoginStatus::Confirming);
    let again = logins.start(request(ANN, LoginKind::Paste)).await.unwrap();
    assert_eq!((again.joined, &again.login.id), (true, &id), "a repeat shows the one that waits (S3)");
    host.clock.jump(60);
    let late = over(logins.confirm(&user(ADMIN), true, &id, seen).await.unwrap());
    assert_eq!((late.status, late.reason), (LoginStatus::Expired, Some(EndReason::Unconfirmed)));
    let swept = host.login(&id).unwrap();
    assert_eq!(
        (swept.status, swept.reason, swept.confirming),
        (LoginStatus::Expired, Some(EndReason::Unconfirmed), None)
    );
    assert_eq!(host.owed().len(), 1);
    assert_eq!(host.shared_account(), email(&Person::ada()));
}

/// I5: what nothing could refresh is not waited for beyond its own end; a stamp from the future is none (S14).
#[tokio::test]
async fn it_waits_no_longer_than_it_is_worth() {
    let host = Host::new();
    let (_, id) = host.ann_waits().await;
    let login = host.login(&id).unwrap();
    let waiting = *login.confirming.clone().unwrap();
    let with = |refresh: bool, ends: Option<i64>, since: i64| {
        let mut waiting = Confirming { since, ..waiting.clone() };
        waiting.credential.refresh_token = waiting.credential.refresh_token.filter(|_| refresh);
        waiting.credential.expires_at = ends;
        let mut login = login.clone();
        login.wait_for_admin(waiting);
        login
    };
    for (refresh, ends, since, at, over) in [
        (true, Some(1_100), 1_000, 1_200, false),
        (false, Some(1_100), 1_000, 1_099, false),
        (false, Some(1_100), 1_000, 1_100, true),
        (false, None, 1_000, 1_200, false),
        (true, None, 1_000, 1_000 + CONFIRMING_LIFE, true),
        (true, None, 1_061, 1_000, true),
        (true, None, 1_060, 1_000, false),
        (true, None, 0, 1_000, true),
    ] {
        assert_eq!(has_ended(&with(refresh, ends, since), at), over, "{refresh} {ends:?} {since} {at}");
    }
}

/// I9: one refresh token has one place, whatever an admin says, before and after they are asked.
#[tokio::test]
async fn a_token_that_another_slot_holds_is_refused() {
    let host = Host::new();
    let (logins, id) = host.ann_waits().await;
    let waiting = host.login(&id).unwrap().confirming.unwrap().credential;
    host.put(&key("acme/other"), waiting.clone()).await;
    let done = over(logins.confirm(&user(ADMIN), true, &id, Host::seen(&logins, &id)).await.unwrap());
    let held_elsewhere = EndReason::HeldElsewhere(key("acme/other"));
    assert_eq!((done.status, done.reason), (LoginStatus::Failed, Some(held_elsewhere.clone())));
    assert_eq!(host.shared_account(), email(&Person::ada()));
    host.front().retry_owed().await.unwrap();
    let refresh = waiting.refresh_token.unwrap();
    assert!(host.authority.would_refresh(refresh.expose()), "the other slot's is not ended with it");

    host.authority.set(|settings| {
        settings.reply.extra.insert("refresh_token".to_owned(), refresh.expose().into());
    });
    let (pasted, _) = host.signs_in(&logins, BOB, false, &Person::ben()).await;
    assert_eq!(pasted, Answered::Failed(held_elsewhere), "it is not even asked about");
}

/// S11, U5: an interaction token is kept as long as it may be good for something, and no longer; the login waits on.
#[tokio::test]
async fn interaction_tokens_do_not_outlive_their_messages() {
    let host = Host::new();
    let (logins, id) = host.ann_waits().await;
    for (passed, kept) in [(0, true), (ANCIENT_AGE - 60, true), (120, false)] {
        host.clock.jump(passed);
        logins.sweep().await.unwrap();
        let login = host.login(&id).unwrap();
        let keeps: Vec<_> = login.watchers.iter().map(|watcher| watcher.interaction.is_some()).collect();
        assert_eq!((login.status, keeps), (LoginStatus::Confirming, vec![kept]), "after {passed} s more");
    }
    let text = host.text();
    logins.sweep().await.unwrap();
    assert_eq!(host.text(), text, "once");
}

/// I5: what somebody had a thread use while a sign-in waited stays when an admin agrees to that.
#[tokio::test]
async fn an_approval_changes_no_binding_that_was_chosen_meanwhile() {
    for (since, bound_to) in [(0, "acme"), (60, "acme/other")] {
        let host = Host::new();
        let (logins, id) = host.ann_waits().await;
        host.clock.jump(since);
        let store = host.store();
        let chosen = update(&*store, Touches::thread(&thread("7")), |view| {
            let mut binding = view.binding(&thread("7")).unwrap();
            binding.tenants.insert(key("acme").provider, key("acme/other"));
            view.put_binding(&thread("7"), binding);
            Ok::<_, ()>(())
        });
        chosen.await.unwrap().unwrap();
        over(logins.confirm(&user(ADMIN), true, &id, Host::seen(&logins, &id)).await.unwrap());
        let bound = host.store().snapshot().unwrap().binding(&thread("7")).unwrap().unwrap();
        assert_eq!(bound.tenants[&key("acme").provider], key(bound_to), "{since} s later");
    }
}
