//! What a provider answers, and whose matter that is.

use super::*;

/// G16
#[tokio::test]
async fn a_busy_server_is_left_alone_for_as_long_as_it_asks_by_every_process() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let busy = Canned::html(503).with_header("retry-after", "120");
    host.authority.answer_next(Endpoint::Token, 1, busy);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    host.clock.jump(115);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    assert_eq!(host.authority.refreshes(), 1);
    host.clock.jump(10);
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((landed.retry_at, landed.failures, landed.intent.clone()), (None, 0, None));
    assert_eq!(host.authority.reuses(), 0);
}

/// G16
#[tokio::test]
async fn what_was_not_sent_is_not_counted() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.go_down();
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    let stored = host.stored(&tenant).unwrap();
    assert_eq!((stored.intent, stored.state, stored.failures), (None, CredentialState::Ok, 1));
    host.authority.come_back();
    host.clock.jump(10);
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G17, G18
#[tokio::test]
async fn a_dead_grant_is_tried_by_nobody_else_but_for_one_probe() {
    let host = Host::new();
    let tenant = key("acme");
    let tokens = host.expired(&tenant, &Person::ada()).await;
    host.authority.expire_grant(&tokens.refresh);
    for _ in 0..3 {
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    }
    assert_eq!(host.authority.refreshes(), 1);
    assert!(host.stored(&tenant).unwrap().refresh_token.is_some(), "the refresh token is kept");
    host.clock.jump(601);
    for _ in 0..3 {
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    }
    assert_eq!(host.authority.refreshes(), 2, "one probe");
    host.clock.jump(10_000);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    assert_eq!(host.authority.refreshes(), 2);

    host.serving(&tenant, &Person::ada()).await;
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
}

/// G16, G17: reuse is told in many ways, and none of them is probed.
#[tokio::test]
async fn reuse_is_known_by_code_by_prose_and_when_nested() {
    for spelling in [ReuseError::Prose, ReuseError::Nested, ReuseError::ProseOnly] {
        let host = Host::new();
        host.authority.set(|settings| settings.reuse_error = spelling);
        let tenant = key("acme");
        let tokens = host.expired(&tenant, &Person::ada()).await;
        let client = oauth::Client::new();
        let provider = host.catalog.get(&tenant.provider).unwrap();
        // Somebody else spends it behind our back.
        oauth::refresh(&client, &provider.as_configured().unwrap(), &Secret::new(&*tokens.refresh), &[], 0)
            .await;
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
        assert_eq!(host.stored(&tenant).unwrap().retry_at, None, "{spelling:?}");
    }
}

/// I4
#[tokio::test]
async fn a_refresh_that_comes_back_for_somebody_else_is_not_stored() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.expired(&tenant, &Person::ada()).await;
    host.authority.set(|settings| settings.refresh_as = Some(Person::ben()));
    let landed = host.gate().token(&tenant, Want::default(), LONG).await;
    assert_eq!(class(&landed), Class::NeedsLogin, "{landed:?}");
    let stored = host.stored(&tenant).unwrap();
    assert_eq!(stored.access_token.expose(), old.access);
    assert_eq!((stored.state, stored.retry_at), (CredentialState::NeedsLogin, None));
}

/// G23
#[tokio::test]
async fn what_a_reply_leaves_out_stays() {
    let host = Host::new();
    host.authority.set(|settings| {
        settings.rotation = Rotation::Omit;
        settings.reply.scope = latchkey_test_authority::ScopeShape::Missing;
        settings.reply.id_token = latchkey_test_authority::IdToken::None;
    });
    let tenant = key("acme");
    let old = host.expired(&tenant, &Person::ada()).await;
    let mut credential = host.stored(&tenant).unwrap();
    credential.scopes = vec!["openid".to_owned()];
    host.put(&tenant, credential.clone()).await;
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(landed.refresh_token.as_ref().unwrap().expose(), old.refresh);
    assert_eq!((&landed.scopes, &landed.account), (&credential.scopes, &credential.account));
    assert_ne!(landed.access_token.expose(), old.access);
}

/// G30
#[tokio::test]
async fn a_credential_of_another_client_is_not_sent_anywhere() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let mut credential = host.stored(&tenant).unwrap();
    credential.client_id = Some("another".to_owned());
    host.put(&tenant, credential.clone()).await;
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Operator);
    assert_eq!(host.authority.requests().len(), 0);
    assert_eq!(host.stored(&tenant).unwrap().state, CredentialState::Ok);
}

/// G16: what is the operator's stays the operator's for those who come during the back-off.
#[tokio::test]
async fn a_refused_client_is_the_operators_matter_for_everybody() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.answer_next(Endpoint::Token, 1, Canned::error(401, "invalid_client", ""));
    for _ in 0..3 {
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Operator);
    }
    assert_eq!((host.authority.refreshes(), host.stored(&tenant).unwrap().state), (1, CredentialState::Ok));
}

/// I4: the issuer is compared with the one that signed in, not with how the configuration spells it.
#[tokio::test]
async fn another_issuer_is_refused_and_another_spelling_of_the_configured_one_is_not() {
    for moved in [false, true] {
        let host = Host::new();
        let tenant = key("acme");
        let at = |path: &str| host.authority.set(|settings| path.clone_into(&mut settings.issuer_path));
        at(if moved { "/elsewhere" } else { "" });
        let tokens = host.expired(&tenant, &Person::ada()).await;
        at("");
        let mut credential = host.stored(&tenant).unwrap();
        credential.id_token = tokens.id_token.as_deref().map(Secret::new);
        host.put(&tenant, credential).await;
        let landed = host.gate().token(&tenant, Want::default(), LONG).await;
        assert_eq!(
            landed.as_ref().err().map(TokenError::class),
            moved.then_some(Class::NeedsLogin),
            "{landed:?}"
        );
    }
}

/// The settings of the scripted server are what these tests think they are.
#[test]
fn the_server_is_strict_unless_told_otherwise() {
    assert_eq!(Settings::default().reuse, Reuse::Strict);
}

/// G16, T13: what only the operator can mend is told as that, and not as something that may pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_found_endpoint_that_leads_inside_is_the_operators_matter() {
    const ISSUER: &str = "https://id.example";
    let mut host = Host::new();
    host.catalog = catalog(
        &host.authority,
        &format!("\n[providers.found]\nissuer = {ISSUER:?}\nclient_id = {CLIENT:?}\n"),
    );
    let (store, tenant, now) = (host.store(), key("found"), host.clock.now());
    let cached = serde_json::json!({
        "version": 1, "issuer": ISSUER, "url": format!("{ISSUER}/.well-known/openid-configuration"),
        "asked_at": now, "fresh_until": now + 900,
        "document": {
            "issuer": ISSUER, "token_endpoint": format!("{ISSUER}/token"),
            "grant_types_supported": ["authorization_code"],
        },
    });
    store.write_metadata(ISSUER, &cached.to_string()).unwrap();
    let tokens = host.authority.mint(&Person::ada(), CLIENT, &["openid"]);
    let mut held = host.credential(&tokens, &Person::ada());
    (held.provider, held.expires_at) = (tenant.provider.clone(), Some(now - 1));
    host.put(&tenant, held).await;
    let client = oauth::Client::with_names(oauth::Always(vec!["10.0.0.1"]));
    let directory = Directory::new(store.clone(), client.clone(), host.clock.clone());
    let gate = Gate::new(store, host.catalog.clone(), directory, client, host.clock.clone());
    let landing = gate.token(&tenant, Want::default(), LONG).await;
    assert_eq!(class(&landing), Class::Operator);
    assert!(landing.unwrap_err().to_string().contains("id.example leads to 10.0.0.1"));
    let stored = host.stored(&tenant).unwrap();
    assert_eq!((stored.operators_error, stored.intent, stored.failures), (true, None, 1));
}
