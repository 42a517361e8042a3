//! The servers from Debian through their harness: the judges themselves are judged here.
#![expect(clippy::unwrap_used, reason = "a test that cannot ask its server has failed")]

mod support;

use std::path::PathBuf;

use latchkey_test_authority::{CLIENT, DjangoToolkit, Glewlwyd};
use serde_json::Value;
use support::{Login, exchange_at, post_form, query, read, refresh_at};

/// What came of a first refresh, of its repetition, and of the token that the first one gave; and the refreshes that were
/// seen at the door.
async fn reuse(token_endpoint: &str, tokens: &Value) -> [u16; 3] {
    let first = tokens["refresh_token"].as_str().unwrap();
    let (status, winner) = refresh_at(token_endpoint, CLIENT, first).await.unwrap();
    assert_ne!(winner["refresh_token"], tokens["refresh_token"]);
    let (again, _) = refresh_at(token_endpoint, CLIENT, first).await.unwrap();
    let next = winner["refresh_token"].as_str().unwrap();
    [status, again, refresh_at(token_endpoint, CLIENT, next).await.unwrap().0]
}

fn is_running(pid: u32) -> bool {
    PathBuf::from(format!("/proc/{pid}")).exists()
}

/// G1, G2
#[tokio::test]
async fn glewlwyd_ends_the_chain_on_reuse() {
    let server = Glewlwyd::start().await;
    let login = Login::at(&format!("{}/auth", server.issuer()), CLIENT, "openid");
    let refused = server.sign_in(&login.url).await;
    assert_eq!(query(&refused, "error_description"), "nonce required");
    let redirected = server.sign_in(&format!("{}&nonce=n", login.url)).await;
    let endpoint = format!("{}/token", server.issuer());
    let (status, tokens) = exchange_at(&endpoint, CLIENT, &login, &query(&redirected, "code")).await;
    assert_eq!((status, query(&redirected, "iss")), (200, server.issuer()));
    assert!(server.accepts(tokens["access_token"].as_str().unwrap()).await);
    assert_eq!(reuse(&endpoint, &tokens).await, [200, 400, 400]);
    assert_eq!(server.front().refreshes(), [Some(200), Some(400), Some(400)]);
    assert!(server.front().secrets().contains(&login.verifier));
}

/// T11
#[tokio::test]
async fn glewlwyd_grants_by_device_code() {
    let server = Glewlwyd::start().await;
    let form = [("client_id", CLIENT), ("scope", "openid")];
    let asked = post_form(&format!("{}/device_authorization", server.issuer()), &form).await.unwrap();
    let (status, started) = read(asked).await;
    assert_eq!(status, 200, "{started}");
    server.approve_device(started["verification_uri_complete"].as_str().unwrap()).await;
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", started["device_code"].as_str().unwrap()),
        ("client_id", CLIENT),
    ];
    let polled = post_form(&format!("{}/token", server.issuer()), &form).await.unwrap();
    assert_eq!(read(polled).await.0, 200);
}

/// G1, G2
#[tokio::test]
async fn django_refuses_reuse_and_ends_nothing() {
    let server = DjangoToolkit::start().await;
    let login = Login::at(&format!("{}/authorize/", server.issuer()), CLIENT, "openid");
    let redirected = server.sign_in(&login.url).await;
    let endpoint = format!("{}/token/", server.issuer());
    let (status, tokens) = exchange_at(&endpoint, CLIENT, &login, &query(&redirected, "code")).await;
    assert_eq!(status, 200, "{tokens}");
    assert!(server.accepts(tokens["access_token"].as_str().unwrap()).await);
    assert_eq!(reuse(&endpoint, &tokens).await, [200, 400, 200]);
    assert_eq!(server.front().refreshes(), [Some(200), Some(400), Some(200)]);
}

#[tokio::test]
async fn the_processes_end_with_their_handles() {
    let (glewlwyd, django) = (Glewlwyd::start().await, DjangoToolkit::start().await);
    let pids = [glewlwyd.pid(), django.pid()];
    assert!(pids.into_iter().all(is_running));
    let behind = [format!("{}/token", glewlwyd.issuer()), format!("{}/token/", django.issuer())];
    drop((glewlwyd, django));
    assert!(!pids.into_iter().any(is_running));
    for address in behind {
        assert_eq!(
            post_form(&address, &[("a", "b")]).await.unwrap().status(),
            502,
            "nobody is behind the door"
        );
    }
}
