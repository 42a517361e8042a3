//! Tests of what is asked for, and of every answer a server may give.

use wiremock::matchers::{header, method as http_method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::oauth::token::testing::provider;
use crate::secret::Secret;

const PASTE: &str = "http://127.0.0.1:8765/callback";
const PAGE: &str = "https://login.example/callback/acme";
const NOW: i64 = 1_800_000_000;

fn uris(list: &[&str]) -> Vec<String> {
    list.iter().map(|uri| (*uri).to_owned()).collect()
}

fn acme(taken: &[&str]) -> Resolved {
    let mut acme = provider("https://id.example/token").taking(&uris(taken), &[]);
    acme.flows = vec![Flow::Paste];
    acme
}

/// RFC 7591 section 2
#[test]
fn what_is_asked_for_is_what_will_be_used() {
    assert_eq!(
        wish(&acme(&[]), &uris(&[PAGE, PASTE])),
        json!({
            "client_name": "Latchkey",
            "redirect_uris": [PAGE, PASTE],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": "openid offline_access",
            "application_type": "native",
        })
    );
    let mut device = acme(&["private_key_jwt", "client_secret_post"]);
    device.flows = vec![Flow::Device];
    device.scopes.clear();
    assert_eq!(
        wish(&device, &[]),
        json!({
            "client_name": "Latchkey",
            "redirect_uris": [],
            "grant_types": ["refresh_token", DEVICE_GRANT],
            "response_types": [],
            "token_endpoint_auth_method": "client_secret_post",
        })
    );
    for (listed, is_named) in [(&["openid", "offline_access", "more"][..], true), (&["openid"], false)] {
        let strict = acme(&[]).taking(&[], &uris(listed));
        assert_eq!(wish(&strict, &uris(&[PASTE])).get("scope").is_some(), is_named, "{listed:?}");
    }
    assert_eq!(
        wish(&acme(&[]), &uris(&[PAGE])).get("application_type"),
        None,
        "a page of ours is of the web"
    );
    for (taken, ours) in [
        (&[][..], Some("none")),
        (&["client_secret_post", "client_secret_basic", "none"], Some("none")),
        (&["client_secret_post", "client_secret_basic"], Some("client_secret_basic")),
        (&["private_key_jwt"], None),
    ] {
        assert_eq!(method(&acme(taken)), ours, "{taken:?}");
    }
}

fn judged(status: u16, body: &str) -> Result<Registration, RegistrationError> {
    judge(&Reply::of(status, None, body), &acme(&[]), &uris(&[PASTE]), NOW)
}

fn made() -> Registration {
    Registration {
        issuer: "https://id.example".to_owned(),
        client_id: "c-1".to_owned(),
        client_secret: None,
        secret_expires_at: None,
        auth_method: "none".to_owned(),
        redirect_uris: uris(&[PASTE]),
        registered_at: Some(NOW),
    }
}

/// T8: the server may change what was asked for, and what it answers counts.
#[test]
fn what_the_server_answers_counts() {
    let secret = Some(Secret::new("s-1"));
    let basic = || "client_secret_basic".to_owned();
    for (status, body, expected) in [
        (201, r#"{"client_id":"c-1"}"#, made()),
        (200, r#"{"client_id":" c-1 ","client_secret_expires_at":7}"#, made()),
        (
            201,
            r#"{"client_id":"c-1","client_id_issued_at":"9","redirect_uris":["http://127.0.0.1/callback"]}"#,
            Registration {
                registered_at: Some(9),
                redirect_uris: uris(&["http://127.0.0.1/callback"]),
                ..made()
            },
        ),
        (
            201,
            r#"{"client_id":"c-1","client_secret":"s-1","client_secret_expires_at":0}"#,
            Registration { client_secret: secret.clone(), auth_method: basic(), ..made() },
        ),
        (
            201,
            r#"{"client_id":"c-1","client_secret":"s-1","client_secret_expires_at":1800000060,
                "token_endpoint_auth_method":"client_secret_post"}"#,
            Registration {
                client_secret: secret.clone(),
                auth_method: "client_secret_post".to_owned(),
                secret_expires_at: Some(NOW + 60),
                ..made()
            },
        ),
        (
            201,
            r#"{"client_id":"c-1","client_secret":"s-1","client_secret_expires_at":1,"token_endpoint_auth_method":"none"}"#,
            made(),
        ),
    ] {
        assert_eq!(judged(status, body), Ok(expected), "{body}");
    }
    let by_post = acme(&["client_secret_post"]);
    let reply = Reply::of(201, None, r#"{"client_id":"c-1","client_secret":"s-1"}"#);
    let read = judge(&reply, &by_post, &[], NOW).unwrap();
    assert_eq!(read.auth_method, "client_secret_post", "what is not said is what the metadata has");
}

/// T10, Z1: every refusal has its remedy, and nothing that came is in it.
#[test]
fn a_refusal_is_told_with_its_remedy() {
    for (status, body, expected) in [
        (
            400,
            r#"{"error":"invalid_redirect_uri","error_description":"@everyone: https only"}"#,
            "the server registers no client for http://127.0.0.1:8765/callback (invalid_redirect_uri: \
             @\u{200b}everyone: https only): write a redirect_uri that it takes, or a client_id",
        ),
        (
            400,
            r#"{"error":"invalid_client_metadata"}"#,
            "the server registers no client for us (invalid_client_metadata): register one there and write its client_id",
        ),
        (
            403,
            "<html>",
            "the server registers no client for us (HTTP 403): register one there and write its client_id",
        ),
        (
            302,
            "",
            "the server registers no client for us (HTTP 302): register one there and write its client_id",
        ),
        (503, "", "a client could not be registered: the server answers HTTP 503"),
        (429, "{}", "a client could not be registered: the server answers HTTP 429"),
    ] {
        assert_eq!(judged(status, body).map_err(|error| error.to_string()), Err(expected.to_owned()));
    }
    for (body, why) in [
        ("<html>", "it is no JSON object"),
        (r#"{"client_secret":"hush-hush"}"#, "it has no client_id"),
        (
            r#"{"client_id":"a\nb","client_secret":"hush-hush"}"#,
            "its client_id has characters that no client_id has",
        ),
        (r#"{"client_id":"c","client_secret":"hush hush"}"#, "its client_secret is malformed"),
        (
            r#"{"client_id":"c","client_secret":"hush-hush","token_endpoint_auth_method":"private_key_jwt"}"#,
            "it wants us to authenticate by private_key_jwt, which we cannot",
        ),
        (
            r#"{"client_id":"c","token_endpoint_auth_method":"client_secret_basic"}"#,
            "it wants us to show a secret, and gives none",
        ),
    ] {
        let error = judged(201, body).unwrap_err();
        assert_eq!(error, RegistrationError::Unusable { why: why.to_owned() });
        assert!(!format!("{error} {error:?}").contains("hush"), "a secret is shown");
    }
}

/// T7: one request, as JSON, which follows nothing.
#[tokio::test]
async fn one_request_is_made_and_nothing_followed() {
    let elsewhere = MockServer::start().await;
    let server = MockServer::start().await;
    let answers = [
        ResponseTemplate::new(201).set_body_string(r#"{"client_id":"c-1"}"#),
        ResponseTemplate::new(307).insert_header("location", elsewhere.uri().as_str()),
    ];
    for answer in answers {
        Mock::given(http_method("POST"))
            .and(path("/register"))
            .and(header("content-type", "application/json"))
            .respond_with(answer)
            .up_to_n_times(1)
            .expect(1)
            .mount(&server)
            .await;
    }
    let mut acme = acme(&[]);
    let all = uris(&[PASTE]);
    let asked = |acme: Resolved, wanted: &'static str| {
        let all = all.clone();
        async move { register(&Client::new(), &acme, &all, Some(wanted), NOW).await }
    };
    assert!(matches!(asked(acme.clone(), PASTE).await, Err(RegistrationError::NotOffered { .. })));
    acme.registration_endpoint = Url::parse(&format!("{}/register", server.uri())).ok();
    assert_eq!(asked(acme.clone(), PASTE).await, Ok(made()));
    assert!(matches!(asked(acme.clone(), PASTE).await, Err(RegistrationError::Refused { .. })));
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 0, "a redirect was followed");
    // What metadata named, and must not lead there.
    acme.found = acme.registration_endpoint.clone().into_iter().collect();
    assert!(matches!(asked(acme, PASTE).await, Err(RegistrationError::NotAsked { .. })));
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

/// A client for other addresses than the one that is needed now is none; of one on this host the port is open (RFC 8252
/// section 7.3).
#[tokio::test]
async fn a_client_for_other_addresses_is_none() {
    for (theirs, serves) in [("https://else.example/", false), ("http://127.0.0.1/callback", true)] {
        let server = MockServer::start().await;
        let body = json!({ "client_id": "c-1", "redirect_uris": [theirs] });
        Mock::given(path("/register"))
            .respond_with(ResponseTemplate::new(201).set_body_json(body))
            .mount(&server)
            .await;
        let mut acme = acme(&[]);
        acme.registration_endpoint = Url::parse(&format!("{}/register", server.uri())).ok();
        let made = register(&Client::new(), &acme, &uris(&[PASTE]), Some(PASTE), NOW).await;
        assert_eq!(made.is_ok(), serves, "{made:?}");
        assert!(serves || matches!(made, Err(RegistrationError::Unusable { .. })), "{made:?}");
    }
}
