//! `watch`: what there is, and then what changes.

use latchkey::store::Touches;

use super::*;

fn about(event: &Value) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&event["event"]), text(&event["about"]), text(&event["state"]["health"]))
}

fn told(event: &str, tenant: &str, health: &str) -> (String, String, String) {
    (event.to_owned(), tenant.to_owned(), health.to_owned())
}

/// G27: a watcher is told of all, then of each change once: by the bot, by another process, by time; of logins too.
#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_hears_what_there_is_and_then_what_changes() {
    let (setup, socket) = setup("").await;
    for tenant in ["acme@1", "acme"] {
        seed(&setup, tenant, false).await;
    }
    let mut bot = Bot::start(&setup).await;
    let (mut all, mut one) = (Caller::connect(&socket).await, Caller::connect(&socket).await);
    let mut heard = vec![about(&all.ask(json!({"id": 1, "op": "watch"})).await)];
    for _ in 0..2 {
        heard.push(about(&all.hear().await.unwrap()));
    }
    assert_eq!(
        heard,
        [told("tenant", "acme", "fresh"), told("tenant", "acme@1", "fresh"), told("synced", "", "")]
    );
    assert_eq!(
        about(&one.ask(json!({"op": "watch", "tenant": "acme@1"})).await),
        told("tenant", "acme@1", "fresh")
    );
    assert_eq!(about(&one.hear().await.unwrap()), told("synced", "", ""));

    setup.expire("acme").await;
    assert_eq!(about(&all.hear().await.unwrap()), told("tenant", "acme", "stale"));
    let mut asking = Caller::connect(&socket).await;
    assert_eq!(asking.ask(json!({"op": "token", "tenant": "acme"})).await["generation"], 2);
    // Its intent may be seen before its outcome, which changes nothing that is told.
    let refreshed = all.hear().await.unwrap();
    assert_eq!(
        (about(&refreshed), &refreshed["state"]["generation"]),
        (told("tenant", "acme", "fresh"), &json!(2))
    );

    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = crate::members::login(&ann, &thread).await;
    let mine = format!("acme@{}", ann.id());
    let begun = all.hear().await.unwrap();
    assert_eq!(
        (about(&begun), &begun["login"]["user"]),
        (told("login", &mine, ""), &json!(ann.id().to_string()))
    );
    login.click("Cancel").await;
    loop {
        let event = all.hear().await.unwrap();
        if event["event"] == "login_gone" {
            assert_eq!((&event["about"], &event["id"]), (&json!(mine), &json!(1)));
            break;
        }
        assert_eq!(event["event"], "login", "{event}");
    }

    for tenant in ["acme", "acme@1"] {
        let tenant: TenantKey = tenant.parse().unwrap();
        let store = store(&setup);
        let removed = update(&store, Touches::tenant(&tenant.clone()), move |view| {
            view.remove_tenant(&tenant);
            Ok::<_, ()>(())
        });
        removed.await.unwrap().unwrap();
    }
    for watched in [&mut all, &mut one] {
        let gone = loop {
            let event = watched.hear().await.unwrap();
            if event["about"] == "acme@1" {
                break event;
            }
        };
        assert_eq!(about(&gone), told("tenant_gone", "acme@1", ""));
    }

    assert!(bot.stop().await.success());
    for watched in [&mut all, &mut one] {
        assert_eq!(watched.hear().await.unwrap()["error"], "closing");
        assert_eq!(watched.hear().await, None);
    }
    setup.authority.assert_no_secret_in(&format!("{}{}", all.heard, one.heard));
}
