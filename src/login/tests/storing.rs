//! What a completed login puts into the store, and what stands in its way.

use super::*;

/// S9
#[tokio::test]
async fn the_first_of_two_members_completes_the_other() {
    let host = Host::new();
    let logins = host.logins();
    let (ann, bob) = (host.paste_login(&logins, "42").await, host.paste_login(&logins, "43").await);
    assert_ne!(ann.state, bob.state);
    let answer = host.answer(&ann, &Person::ada()).await;
    logins.paste(&user("42"), &ann.id, &answer).await.unwrap();
    let bob = host.login(&bob.id).unwrap();
    assert_eq!((bob.status, bob.reason), (LoginStatus::Succeeded, Some(EndReason::CompletedBy(user("42")))));
}

/// I1, I2, I6
#[tokio::test]
async fn another_account_or_another_members_slot_is_not_replaced() {
    let host = Host::new();
    let logins = host.logins();
    let first = host.paste_login(&logins, "42").await;
    let answer = host.answer(&first, &Person::ada()).await;
    logins.paste(&user("42"), &first.id, &answer).await.unwrap();
    let before = host.held("acme").unwrap();

    let second = host.paste_login(&logins, "42").await;
    let answer = host.answer(&second, &Person::ben()).await;
    let waits = logins.paste(&user("42"), &second.id, &answer).await.unwrap();
    assert_eq!(waits, Answered::Waits);
    assert_eq!(host.held("acme"), Some(before.clone()));

    let mut nameless = before;
    nameless.account = crate::credential::Account::default();
    let store = host.store();
    update(&*store, Touches::tenant(&"acme".parse().unwrap()), move |view| {
        view.put_tenant(&"acme".parse().unwrap(), nameless);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
    let strangers = logins.start(request("43", LoginKind::Paste)).await.unwrap().login;
    let answer = host.answer(&strangers, &Person::ada()).await;
    let waits = logins.paste(&user("43"), &strangers.id, &answer).await.unwrap();
    assert_eq!((waits, host.held("acme").unwrap().owner), (Answered::Waits, Some(user("42"))));
    let admin = logins.start(StartRequest { by_admin: true, ..request("44", LoginKind::Paste) }).await;
    assert!(admin.is_ok(), "{admin:?}");
}

/// C10, T5: what was captured at the start counts, whatever the configuration says by then.
#[tokio::test]
async fn a_reconfiguration_in_the_middle_changes_nothing() {
    let mut host = Host::new();
    let login = host.paste_login(&host.logins(), "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    let elsewhere = Authority::start();
    let provider = host.catalog.get(&login.tenant.provider).unwrap();
    let moved = provider.at(elsewhere.token_endpoint().parse().unwrap(), "another".to_owned());
    host.catalog = crate::provider::Catalog::new([(*moved).clone()]).unwrap();
    assert_eq!(host.logins().paste(&user("42"), &login.id, &answer).await.unwrap(), Answered::Succeeded);
    assert_eq!((host.authority.exchanges(), elsewhere.requests().len()), (1, 0));
}

/// T12: a replaced sign-in is revoked only where a token ends alone.
#[tokio::test]
async fn signing_in_again_revokes_the_old_tokens_only_where_that_ends_nothing_else() {
    for (scope, owes) in [("token", true), ("grant", false)] {
        let host = Host::with(&format!("revocation = {scope:?}\n"));
        let logins = host.logins();
        let mut replaced = Vec::new();
        for _ in 0..2 {
            let held = host.held("acme").and_then(|held| held.refresh_token);
            replaced.extend(held.map(|token| token.expose().to_owned()));
            let login = host.paste_login(&logins, "42").await;
            let answer = host.answer(&login, &Person::ada()).await;
            logins.paste(&user("42"), &login.id, &answer).await.unwrap();
        }
        replaced.retain(|_| owes);
        assert_eq!(host.owed(), replaced, "{scope}: written down, whatever becomes of this process");
        host.authority.answer_next(Endpoint::Revoke, 1, Canned::html(503));
        host.front().retry_owed().await.unwrap();
        assert_eq!(host.owed(), replaced, "{scope}: and not forgotten for one failure");
        host.clock.jump(3_600);
        host.front().retry_owed().await.unwrap();
        assert_eq!(host.owed(), Vec::<String>::new(), "{scope}");
        assert!(replaced.iter().all(|token| !host.authority.would_refresh(token)), "{scope}");
    }
}

/// DESIGN: a binding to somebody else's sign-in stays, but for an admin.
#[tokio::test]
async fn a_thread_bound_to_anothers_sign_in_stays_so() {
    for (by_admin, bound_to) in [(false, "acme@7"), (true, "acme@42")] {
        let host = Host::new();
        let logins = host.logins();
        let store = host.store();
        update(&*store, Touches::thread(&thread("7")), |view| {
            let mut binding = view.binding(&thread("7")).unwrap();
            binding.tenants.insert(key("acme").provider, key("acme@7"));
            view.put_binding(&thread("7"), binding);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
        let request = StartRequest { tenant: key("acme@42"), by_admin, ..request("42", LoginKind::Paste) };
        let login = logins.start(request).await.unwrap().login;
        let answer = host.answer(&login, &Person::ada()).await;
        assert_eq!(logins.paste(&user("42"), &login.id, &answer).await.unwrap(), Answered::Succeeded);
        let bound = host.store().snapshot().unwrap().binding(&thread("7")).unwrap().unwrap();
        assert_eq!(bound.tenants[&key("acme").provider], key(bound_to));
    }
}

/// F5: a damaged entry elsewhere costs a binding at most, never a sign-in.
#[tokio::test]
async fn a_damaged_thread_entry_costs_the_binding_and_not_the_sign_in() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    let damaged = host.text().replace("\"threads\": {}", "\"threads\": {\"7\": {\"tenants\": 5}}");
    std::fs::write(&host.path, damaged).unwrap();
    assert_eq!(logins.paste(&user("42"), &login.id, &answer).await.unwrap(), Answered::Succeeded);
    assert!(host.held("acme").is_some() && host.text().contains("\"tenants\": 5"));
}

/// S3, U5: a thread that has not heard how a login ended follows the next one, and the message it showed is named.
#[tokio::test]
async fn a_new_login_takes_over_who_watched_the_old_one() {
    let host = Host::new();
    let logins = host.logins();
    let first = host.paste_login(&logins, "42").await;
    let watcher = Watcher { thread: thread("8"), interaction: Some(Secret::new("elsewhere")) };
    logins.start(StartRequest { watcher: Some(watcher), ..request("42", LoginKind::Paste) }).await.unwrap();
    host.clock.jump(841);
    let again = StartRequest {
        watcher: Some(Watcher { thread: thread("7"), interaction: Some(Secret::new("newer")) }),
        ..request("42", LoginKind::Paste)
    };
    let second = logins.start(again).await.unwrap();
    assert_ne!(second.login.id, first.id);
    assert_eq!(second.older.as_ref().map(Secret::expose), Some("interaction-of-42"));
    let watching: Vec<_> = second.login.watchers.iter().map(|watcher| watcher.thread.to_string()).collect();
    assert_eq!(watching, ["7", "8"]);
}

/// I9, T12: a provider that gives one refresh token to every sign-in of a person. It stands in one slot, the second is
/// named the first, and what was dropped is not revoked, since it is the first one's too.
#[tokio::test]
async fn a_refresh_token_that_another_slot_holds_is_refused_and_not_revoked() {
    let host = Host::with("revocation = \"token\"\n");
    host.authority.set(|settings| {
        settings.reply.extra.insert("refresh_token".to_owned(), "rt-of-every-sign-in".into());
    });
    let logins = host.logins();
    let sign_in = async |tenant: &str| {
        let request = StartRequest { tenant: key(tenant), ..request("42", LoginKind::Paste) };
        let login = logins.start(request).await.unwrap().login;
        let answer = host.answer(&login, &Person::ada()).await;
        let pasted = logins.paste(&user("42"), &login.id, &answer).await.unwrap();
        (pasted, login.id)
    };
    assert_eq!(sign_in("acme").await.0, Answered::Succeeded);
    let before = host.held("acme");
    let (refused, id) = sign_in("acme/other").await;
    let reason = EndReason::HeldElsewhere(key("acme"));
    assert_eq!(refused, Answered::Failed(reason.clone()));
    assert_eq!(host.login(&id).unwrap().reason, Some(reason), "and it is stored so");
    assert_eq!((host.held("acme/other"), host.held("acme")), (None, before));
    assert_eq!(host.authority.revocations(), 0);
    assert_eq!(sign_in("acme").await.0, Answered::Succeeded, "its own slot may have it again");
    assert_eq!(host.authority.revocations(), 0);
}
