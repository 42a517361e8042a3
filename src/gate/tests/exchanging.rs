//! The exchange in place of a refresh: the same gate, another request.

use latchkey_test_authority::CopilotAccess;

use super::*;

/// A host whose provider exchanges, with a sign-in whose access token has ended. The sign-in's token comes with it.
async fn exchanging() -> (Host, String) {
    let mut host = Host::new();
    host.authority.set(|settings| {
        let interval = settings.interval.clone();
        *settings = Settings { interval, ..Settings::copilot() };
    });
    let more = format!(
        "reuse = \"lenient\"\nkeep = [\"endpoints.api\"]\n[providers.acme.refresh]\nprotocol = \"exchange\"\nendpoint = {:?}\n\
         scheme = \"token\"\nheaders = {{ Editor-Version = \"test/1\" }}\n",
        host.authority.copilot_url()
    );
    host.catalog = catalog(&host.authority, &more);
    let sign_in = host.authority.mint(&Person::ada(), CLIENT, &["read:user"]);
    let mut credential = host.credential(&sign_in, &Person::ada());
    credential.refresh_token = Some(Secret::new(&*sign_in.access));
    credential.access_token = Secret::new("tid=old");
    credential.expires_at = Some(host.clock.now() - 1);
    credential.extra = [("endpoints.api".to_owned(), "https://old.example".to_owned())].into();
    host.put(&key("acme"), credential).await;
    (host, sign_in.access)
}

/// G1, G20, G23: one GET for everybody; the sign-in's token stays in its place, and what the reply leaves out with it.
#[tokio::test(flavor = "multi_thread")]
async fn one_exchange_for_all_and_the_sign_ins_token_stays() {
    let (host, sign_in) = exchanging().await;
    let tenant = key("acme");
    let gate = host.gate();
    host.authority.latency(Endpoint::CopilotToken, Duration::from_millis(300));
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let (gate, tenant) = (gate.clone(), tenant.clone());
        tasks.spawn(async move { gate.token(&tenant, Want::default(), LONG).await.unwrap().generation });
    }
    assert_eq!(tasks.join_all().await, [2; 100]);
    assert_eq!((host.authority.copilot_exchanges(), host.authority.refreshes()), (1, 0));
    let held = host.stored(&tenant).unwrap();
    assert!(host.authority.accepts(held.access_token.expose()));
    let left = held.expires_at.unwrap() - host.clock.now();
    assert!((1_790..=1_800).contains(&left), "{left}");
    assert_eq!(held.refresh_token.as_ref().map(Secret::expose), Some(sign_in.as_str()));
    assert_eq!((held.account.id.as_deref(), held.intent), (Some("ada"), None));
    assert!(held.extra["endpoints.api"].ends_with("/copilot"), "{:?}", held.extra);

    host.authority.set(|settings| {
        settings.copilot.extra.insert("endpoints".to_owned(), serde_json::Value::Null);
    });
    let again = host.gate().token(&tenant, rejected(held.access_token.expose()), LONG).await.unwrap();
    assert_eq!((again.generation, &again.extra), (3, &held.extra));
}

/// G16, T10: no access asks nobody to sign in again; every process hears it, and it is asked again later.
#[tokio::test]
async fn no_access_is_told_as_that_and_ends_with_the_providers_word() {
    let (host, sign_in) = exchanging().await;
    let tenant = key("acme");
    host.authority.set(|settings| settings.copilot.access = CopilotAccess::NoPlan);
    for _ in 0..3 {
        let landing = host.gate().token(&tenant, Want::default(), LONG).await;
        assert_eq!(class(&landing), Class::Denied);
        let text = landing.unwrap_err().to_string();
        assert!(
            text.contains("has no access") && text.contains("No access to GitHub Copilot found"),
            "{text}"
        );
        assert!(!text.contains(&sign_in) && !text.contains("sign in again"), "{text}");
    }
    assert_eq!(host.authority.copilot_exchanges(), 1);
    let held = host.stored(&tenant).unwrap();
    assert_eq!((held.state, held.no_access, held.operators_error), (CredentialState::Ok, true, false));
    host.authority.set(|settings| settings.copilot.access = CopilotAccess::Plan);
    host.clock.jump(400);
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((landed.no_access, landed.last_error.clone(), landed.retry_at), (false, None, None));
}

/// G16, G17: a dead sign-in is told at once, and probed once more, later; a server out of order ends nothing.
#[tokio::test]
async fn a_dead_sign_in_needs_a_new_one_and_trouble_does_not() {
    let (host, sign_in) = exchanging().await;
    let tenant = key("acme");
    host.authority.answer_next(Endpoint::CopilotToken, 1, Canned::html(503).with_header("retry-after", "30"));
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    host.clock.jump(60);
    host.authority.revoke_grant(&sign_in);
    for _ in 0..3 {
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    }
    assert_eq!(host.authority.copilot_exchanges(), 2);
    for _ in 0..3 {
        host.clock.jump(10_000);
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    }
    assert_eq!(host.authority.copilot_exchanges(), 3, "one probe");
}

/// G17: a 401 in error ends no sign-in for good: the probe finds it alive.
#[tokio::test]
async fn a_probe_finds_what_was_called_dead_in_error() {
    let (host, _) = exchanging().await;
    let tenant = key("acme");
    host.authority.answer_next(Endpoint::CopilotToken, 1, Canned::new(401, "application/json", "{}"));
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    host.clock.jump(10_000);
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(host.authority.copilot_exchanges(), 2);
}

/// G19: nothing is used up by a lost answer, so one more try follows at once.
#[tokio::test]
async fn a_lost_answer_is_followed_by_one_more_try() {
    let (host, _) = exchanging().await;
    host.authority.fail_next(Endpoint::CopilotToken, 1, &Fault::CloseAfter);
    host.gate().token(&key("acme"), Want::default(), LONG).await.unwrap();
    assert_eq!(host.authority.copilot_exchanges(), 2);
}

/// I4: an id token of another subject ends the sign-in, also where another request told whose it is.
#[tokio::test]
async fn another_subject_in_a_refreshed_id_token_is_not_stored() {
    let mut host = Host::new();
    let more =
        format!("identity = \"userinfo\"\nuserinfo_endpoint = {:?}\n", host.authority.userinfo_endpoint());
    host.catalog = catalog(&host.authority, &more);
    let tenant = key("acme");
    let tokens = host.expired(&tenant, &Person::ada()).await;
    let mut credential = host.stored(&tenant).unwrap();
    credential.id_token = tokens.id_token.map(Secret::new);
    host.put(&tenant, credential).await;
    host.authority.set(|settings| settings.refresh_as = Some(Person::ben()));
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    assert_eq!(host.authority.requests_to(Endpoint::Userinfo).len(), 0, "a refresh asks nobody (G23)");
}
