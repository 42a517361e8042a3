//! `oidc-provider` through its harness: the judge itself is judged here.
#![expect(clippy::unwrap_used, reason = "a test that cannot ask its server has failed")]

mod support;

use std::time::Duration;

use latchkey_test_authority::{Browser, OidcEndpoint, OidcFault, OidcProvider, OidcSettings};
use serde_json::Value;
use support::{Login, exchange_at, http, post_form, query, read, refresh_at};

const CLIENT: &str = "latchkey";

fn login(oidc: &OidcProvider) -> Login {
    Login::at(&oidc.authorization_endpoint(), CLIENT, "openid email offline_access")
}

async fn api(oidc: &OidcProvider, token: &str) -> (u16, Value) {
    let asked = http().get(oidc.api_url()).header("authorization", format!("Bearer {token}")).send();
    read(asked.await.unwrap()).await
}

async fn refresh(oidc: &OidcProvider, token: &str) -> (u16, Value) {
    refresh_at(&oidc.token_endpoint(), CLIENT, token).await.unwrap()
}

/// G1, G2
#[tokio::test]
async fn sign_in_refresh_and_reuse() {
    let oidc = OidcProvider::start_with(OidcSettings { access_ttl: 60, ..OidcSettings::default() }).await;
    let login = login(&oidc);
    let redirected = oidc.sign_in(&login.url, "ada").await;
    assert!(redirected.starts_with("http://127.0.0.1:8765/cb?"), "{redirected}");
    assert_eq!(query(&redirected, "iss"), oidc.issuer());
    assert_eq!(query(&redirected, "state"), login.state);
    let (status, tokens) =
        exchange_at(&oidc.token_endpoint(), CLIENT, &login, &query(&redirected, "code")).await;
    assert_eq!((status, tokens["expires_in"].as_u64()), (200, Some(60)));
    let (status, person) = api(&oidc, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(
        (status, person["sub"].as_str(), person["email"].as_str()),
        (200, Some("ada"), Some("ada@example.test"))
    );

    let first = tokens["refresh_token"].as_str().unwrap();
    let (status, winner) = refresh(&oidc, first).await;
    assert_eq!(status, 200);
    assert_ne!(winner["refresh_token"], tokens["refresh_token"]);
    let (status, loser) = refresh(&oidc, first).await;
    assert_eq!((status, loser["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(api(&oidc, winner["access_token"].as_str().unwrap()).await.0, 401);
    assert_eq!(refresh(&oidc, winner["refresh_token"].as_str().unwrap()).await.0, 400);

    assert_eq!((oidc.refreshes().await, oidc.rotations().await, oidc.reuses().await), (3, 1, 1));
    assert_eq!((oidc.exchanges().await, oidc.grant_revoked_events().await), (1, 1));
    let secrets = oidc.secrets().await;
    for secret in [&login.state, &login.verifier, &query(&redirected, "code"), &first.to_owned()] {
        assert!(secrets.contains(secret), "{secret} is not among the secrets");
    }
}

/// G1
#[tokio::test]
async fn of_twenty_refreshes_at_once_one_wins_and_is_revoked() {
    let oidc = OidcProvider::start().await;
    let tokens = oidc.tokens("ada").await;
    oidc.latency(Duration::from_millis(50)).await;
    let asked = (0..20).map(|_| {
        let (endpoint, token) = (oidc.token_endpoint(), tokens.refresh.clone());
        tokio::spawn(async move { refresh_at(&endpoint, CLIENT, &token).await.unwrap() })
    });
    let mut winners = Vec::new();
    for task in asked.collect::<Vec<_>>() {
        let (status, body) = task.await.unwrap();
        if status == 200 {
            winners.push(body);
        }
    }
    assert_eq!((winners.len(), oidc.refreshes().await, oidc.reuses().await), (1, 20, 19));
    assert_eq!(refresh(&oidc, winners[0]["refresh_token"].as_str().unwrap()).await.0, 400);
}

/// T11
#[tokio::test]
async fn a_device_login_is_approved_or_denied() {
    let oidc = OidcProvider::start().await;
    for by_link in [true, false] {
        let started = start_device(&oidc).await;
        assert_eq!(poll(&oidc, &started).await.1["error"], "authorization_pending");
        let name = if by_link { "verification_uri_complete" } else { "user_code" };
        oidc.approve_device(started[name].as_str().unwrap(), "ada").await;
        let (status, tokens) = poll(&oidc, &started).await;
        assert_eq!(status, 200, "{tokens}");
        assert!(tokens["refresh_token"].is_string());
    }
    let started = start_device(&oidc).await;
    oidc.deny_device(started["user_code"].as_str().unwrap()).await;
    assert_eq!(poll(&oidc, &started).await.1["error"], "access_denied");
    assert_eq!(oidc.device_polls().await, 5);
}

/// G19
#[tokio::test]
async fn a_reply_cut_after_rotation_has_spent_the_token() {
    let oidc = OidcProvider::start().await;
    let tokens = oidc.tokens("ada").await;
    oidc.fail_next(OidcEndpoint::Token, 1, &OidcFault::Reply(503, "<h1>busy</h1>".into())).await;
    oidc.fail_next(OidcEndpoint::Token, 1, &OidcFault::CloseAfter).await;
    assert_eq!(refresh(&oidc, &tokens.refresh).await.0, 503);
    assert!(refresh_at(&oidc.token_endpoint(), CLIENT, &tokens.refresh).await.is_err());
    assert_eq!((oidc.rotations().await, oidc.reuses().await), (1, 0));
    assert!(oidc.token_requests().await.last().unwrap().cut);
    assert_eq!(refresh(&oidc, &tokens.refresh).await.0, 400);
    assert_eq!(oidc.reuses().await, 1);
}

#[tokio::test]
async fn a_cancelled_sign_in_comes_back_as_an_error() {
    let oidc = OidcProvider::start().await;
    let redirected = oidc.abort(&login(&oidc).url).await;
    assert_eq!(query(&redirected, "error"), "access_denied");
}

/// T12
#[tokio::test]
async fn two_sign_ins_in_one_browser_share_a_grant() {
    let oidc = OidcProvider::start().await;
    let mut browser = Browser::new();
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let login = login(&oidc);
        let redirected = oidc.sign_in_with(&mut browser, &login.url, "ada").await;
        let code = query(&redirected, "code");
        tokens.push(exchange_at(&oidc.token_endpoint(), CLIENT, &login, &code).await.1);
    }
    let apart = oidc.tokens("ada").await;
    let form = [("token", tokens[0]["refresh_token"].as_str().unwrap()), ("client_id", CLIENT)];
    assert_eq!(post_form(&oidc.revocation_endpoint(), &form).await.unwrap().status(), 200);
    assert_eq!(refresh(&oidc, tokens[1]["refresh_token"].as_str().unwrap()).await.0, 400);
    assert_eq!(refresh(&oidc, &apart.refresh).await.0, 200);
    assert_eq!(oidc.revocations().await, 1);
}

#[tokio::test]
async fn requests_can_be_held_and_grants_ended_by_hand() {
    let oidc = OidcProvider::start().await;
    let tokens = oidc.tokens("ada").await;
    oidc.hold().await;
    let (endpoint, token) = (oidc.token_endpoint(), tokens.refresh.clone());
    let held = tokio::spawn(async move { refresh_at(&endpoint, CLIENT, &token).await.unwrap() });
    let mut waited = 0;
    while oidc.waiting().await == 0 && waited < 200 {
        waited += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    oidc.release().await;
    let (status, next) = held.await.unwrap();
    assert_eq!(status, 200);
    assert!(oidc.expire_access_token(next["access_token"].as_str().unwrap()).await);
    assert_eq!(api(&oidc, next["access_token"].as_str().unwrap()).await.0, 401);
    assert!(oidc.revoke_grant(next["refresh_token"].as_str().unwrap()).await);
    assert_eq!(refresh(&oidc, next["refresh_token"].as_str().unwrap()).await.0, 400);
}

#[tokio::test]
async fn the_process_ends_with_its_handle() {
    let oidc = OidcProvider::start().await;
    let address = oidc.issuer().trim_start_matches("http://").to_owned();
    drop(oidc);
    assert!(std::net::TcpStream::connect(address).is_err());
}

async fn start_device(oidc: &OidcProvider) -> Value {
    let form = [("client_id", CLIENT), ("scope", "openid offline_access")];
    let (status, body) = read(post_form(&oidc.device_authorization_endpoint(), &form).await.unwrap()).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn poll(oidc: &OidcProvider, started: &Value) -> (u16, Value) {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", started["device_code"].as_str().unwrap()),
        ("client_id", CLIENT),
    ];
    read(post_form(&oidc.token_endpoint(), &form).await.unwrap()).await
}
