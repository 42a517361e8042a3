//! The scripted server's clients, metadata and clocks: what the settings promise.
#![expect(clippy::unwrap_used, reason = "a test that cannot ask its server has failed")]

mod support;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_test_authority::{
    Authority, Bodies, CLIENT, Canned, Client, Endpoint, Person, RefreshTokens, ReuseError, Rotation,
    Settings,
};
use serde_json::{Value, json};
use support::{Login, exchange, http, post_form, post_json, query, read, refresh, refresh_at};

async fn document(authority: &Authority, path: &str) -> (u16, Value) {
    let address = format!("http://{}{path}", authority.address());
    read(http().get(address).send().await.unwrap()).await
}

/// T13
#[tokio::test]
async fn metadata_stands_where_the_issuer_puts_it() {
    let authority = Authority::start();
    let (status, root) = document(&authority, "/.well-known/oauth-authorization-server").await;
    assert_eq!((status, root["issuer"].as_str()), (200, Some(authority.issuer().as_str())));
    assert_eq!(root["authorization_response_iss_parameter_supported"], true);

    authority.set(|settings| {
        settings.issuer_path = "/tenant".into();
        settings.metadata.insert("device_authorization_endpoint".into(), Value::Null);
    });
    for path in [
        "/.well-known/oauth-authorization-server/tenant",
        "/.well-known/openid-configuration/tenant",
        "/tenant/.well-known/openid-configuration",
    ] {
        let (status, metadata) = document(&authority, path).await;
        assert_eq!((status, metadata["issuer"].as_str()), (200, Some(authority.issuer().as_str())), "{path}");
        assert!(metadata["token_endpoint"].as_str().unwrap().ends_with("/tenant/token"));
        assert!(metadata.get("device_authorization_endpoint").is_none());
    }
    assert_eq!(document(&authority, "/.well-known/oauth-authorization-server").await.0, 404);
    authority.set(|settings| settings.issuer_path = "/".into());
    assert!(authority.issuer().ends_with('/') && !authority.token_endpoint().contains("//token"));
    let (_, resource) = document(&authority, "/.well-known/oauth-protected-resource/api").await;
    assert_eq!(resource["authorization_servers"], json!([authority.issuer()]));
}

#[tokio::test]
async fn a_confidential_client_must_authenticate() {
    let authority = Authority::start();
    authority.register(Client::confidential("bot", "pass:word", &["http://127.0.0.1:8765/cb"]));
    let first = authority.mint(&Person::ada(), "bot", &[]);
    let form = [("grant_type", "refresh_token"), ("refresh_token", first.refresh.as_str())];
    let ask = |form: Vec<(&'static str, String)>, basic: Option<&str>| {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = http().post(authority.token_endpoint());
        let request = match basic {
            Some(pair) => request.header("authorization", format!("Basic {}", STANDARD.encode(pair))),
            None => request,
        };
        request.header("content-type", "application/x-www-form-urlencoded").body(body).send()
    };
    let owned: Vec<(&'static str, String)> =
        form.iter().map(|(name, value)| (*name, (*value).into())).collect();
    let mut unauthenticated = owned.clone();
    unauthenticated.push(("client_id", "bot".into()));
    assert_eq!(ask(unauthenticated, None).await.unwrap().status(), 401);
    let wrong = ask(owned.clone(), Some("bot:wrong")).await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert!(wrong.headers().contains_key("www-authenticate"));
    let (status, tokens) = read(ask(owned, Some("bot:pass%3Aword")).await.unwrap()).await;
    assert_eq!(status, 200);
    let post = vec![
        ("grant_type", "refresh_token".into()),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap().to_owned()),
        ("client_id", "bot".into()),
        ("client_secret", "pass:word".into()),
    ];
    assert_eq!(ask(post, None).await.unwrap().status(), 200);
}

#[tokio::test]
async fn another_client_cannot_use_a_refresh_token() {
    let authority = Authority::start();
    authority.register(Client::public("other", &[]));
    let tokens = authority.mint(&Person::ada(), CLIENT, &[]);
    assert_eq!(refresh_at(&authority.token_endpoint(), "other", &tokens.refresh).await.unwrap().0, 400);
    assert_eq!(refresh_at(&authority.token_endpoint(), "nobody", &tokens.refresh).await.unwrap().0, 401);
    assert!(authority.would_refresh(&tokens.refresh));
}

#[tokio::test]
async fn refresh_tokens_may_stay_or_be_missing() {
    let authority = Authority::start();
    let tokens = authority.mint(&Person::ada(), CLIENT, &[]);
    authority.set(|settings| settings.rotation = Rotation::Omit);
    for _ in 0..2 {
        let (status, body) = refresh(&authority, &tokens.refresh).await;
        assert_eq!((status, body.get("refresh_token")), (200, None));
    }
    authority.set(|settings| settings.rotation = Rotation::Same);
    assert_eq!(refresh(&authority, &tokens.refresh).await.1["refresh_token"], tokens.refresh.as_str());
    assert_eq!(authority.reuses(), 0);
    authority.set(|settings| settings.refresh_tokens = RefreshTokens::OfflineAccess);
    assert_eq!(authority.mint(&Person::ada(), CLIENT, &["openid"]).refresh, "");
}

/// G16
#[tokio::test]
async fn reuse_is_spelt_as_set() {
    for (spelling, status, part) in [
        (ReuseError::Plain, 400, "not valid"),
        (ReuseError::Prose, 400, "already been used"),
        (ReuseError::Nested, 401, "refresh_token_reused"),
        (ReuseError::ProseOnly, 400, "message"),
    ] {
        let authority = Authority::start_with(Settings { reuse_error: spelling, ..Settings::default() });
        let tokens = authority.mint(&Person::ada(), CLIENT, &[]);
        refresh(&authority, &tokens.refresh).await;
        let (found, body) = refresh(&authority, &tokens.refresh).await;
        assert_eq!(found, status);
        assert!(body.to_string().contains(part), "{body}");
    }
}

/// I4
#[tokio::test]
async fn a_refresh_can_answer_for_somebody_else() {
    let authority = Authority::start();
    let tokens = authority.mint(&Person::ada(), CLIENT, &[]);
    authority.set(|settings| settings.refresh_as = Some(Person::ben()));
    let (_, body) = refresh(&authority, &tokens.refresh).await;
    let claims = body["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap()["sub"], "ben");
}

#[tokio::test]
async fn clocks_and_lifetimes_are_the_servers_own() {
    let authority = Authority::start();
    let tokens = authority.mint(&Person::ada(), CLIENT, &[]);
    assert!(authority.accepts(&tokens.access));
    authority.set(|settings| settings.clock_shift = 3601);
    assert!(!authority.accepts(&tokens.access));
    authority.set(|settings| settings.clock_shift = 0);
    let expired = authority.mint_expired(&Person::ada(), CLIENT, &[]);
    assert!(!authority.accepts(&expired.access) && authority.would_refresh(&expired.refresh));
    authority.expire_grant(&expired.refresh);
    assert_eq!(refresh(&authority, &expired.refresh).await.1["error"], "invalid_grant");
    assert_eq!(authority.reuses(), 0);
}

#[tokio::test]
async fn json_bodies_are_taken_where_set() {
    let authority = Authority::start();
    let tokens = authority.mint(&Person::ada(), CLIENT, &[]);
    let body = json!({"grant_type": "refresh_token", "refresh_token": tokens.refresh, "client_id": CLIENT});
    assert_eq!(post_json(&authority.token_endpoint(), &body).await.0, 400);
    authority.set(|settings| settings.bodies = Bodies::Either);
    assert_eq!(post_json(&authority.token_endpoint(), &body).await.0, 200);
}

/// T6
#[tokio::test]
async fn parameters_sent_twice_are_refused() {
    let authority = Authority::start();
    let tokens = authority.mint(&Person::ada(), CLIENT, &[]);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
        ("client_id", CLIENT),
        ("client_id", CLIENT),
    ];
    let answer = post_form(&authority.token_endpoint(), &form).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(authority.would_refresh(&tokens.refresh));
}

/// G16: a request that was never sent is told from one whose outcome is unknown.
#[tokio::test]
async fn a_server_that_is_down_refuses_connections_and_comes_back() {
    let authority = Authority::start();
    let tokens = authority.mint(&Person::ada(), CLIENT, &[]);
    authority.go_down();
    let error = refresh_at(&authority.token_endpoint(), CLIENT, &tokens.refresh).await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    authority.come_back();
    assert_eq!(refresh(&authority, &tokens.refresh).await.0, 200);
    assert_eq!(authority.refreshes(), 1);
}

#[tokio::test]
async fn big_bodies_and_redirects_are_sent_whole() {
    let authority = Authority::start();
    let tokens = authority.mint(&Person::ada(), CLIENT, &[]);
    authority.answer_next(Endpoint::Token, 1, Canned::oversized(1 << 20));
    authority.answer_next(Endpoint::Token, 1, Canned::redirect(307, "http://127.0.0.1:9/elsewhere"));
    let form = [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh), ("client_id", CLIENT)];
    let big = post_form(&authority.token_endpoint(), &form).await.unwrap().bytes().await.unwrap();
    assert!(big.len() > 1_000_000);
    let moved = post_form(&authority.token_endpoint(), &form).await.unwrap();
    assert_eq!((moved.status().as_u16(), moved.headers()["location"].to_str().unwrap().len()), (307, 28));
    assert!(authority.would_refresh(&tokens.refresh));
}

#[tokio::test]
async fn what_people_are_asked_is_remembered_by_their_browser() {
    let authority = Authority::start();
    let mut browser = latchkey_test_authority::Browser::new();
    let stranger = Person::new("eve", "eve@example.test");
    authority.sign_in_with(&mut browser, &Login::new(&authority).url, &stranger).await;
    let login = Login::new(&authority);
    let page = browser.get(&login.url).await;
    let answer = browser.submit(&page, &[("decision", "approve")]).await;
    let code = query(&answer.location.unwrap(), "code");
    assert_eq!(exchange(&authority, &login, &code).await.0, 200);
    assert!(page.body.contains("eve@example.test"));
}

/// A test whose clock is paused still walks pages and waits by the machine's clock.
#[tokio::test(start_paused = true)]
async fn people_and_waits_do_not_mind_a_paused_clock() {
    let authority = Authority::start();
    authority.latency(Endpoint::Authorize, Duration::from_millis(60));
    let begun = Instant::now();
    let redirected = authority.sign_in(&Login::new(&authority).url, &Person::ada()).await;
    assert!(redirected.contains("code="));
    assert!(!authority.eventually(Duration::from_millis(50), |_| false).await);
    assert!(begun.elapsed() > Duration::from_millis(170));
}
