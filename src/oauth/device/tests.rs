//! Tests of the device flow, standard and the provider's own.

use std::sync::LazyLock;

use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::oauth::refusal::DeadReason;
use crate::oauth::token::testing::provider;
use crate::provider::UserCodeProtocol;

mod pkce;
mod user_code_grant;

fn standard(server: &MockServer) -> Resolved {
    let mut provider = provider(&format!("{}/token", server.uri()));
    provider.device_authorization_endpoint = Url::parse(&format!("{}/device", server.uri())).ok();
    provider
}

fn own_protocol(server: &MockServer) -> Resolved {
    let mut provider = standard(server);
    provider.device = DeviceProtocol::UserCode(Box::new(UserCodeProtocol {
        poll_endpoint: Url::parse(&format!("{}/poll", server.uri())).unwrap(),
        verification_uri: Url::parse("https://id.example/codex/device").unwrap(),
        exchange_redirect_uri: "https://id.example/deviceauth/callback".to_owned(),
        pending_statuses: vec![403, 404],
        pending_codes: vec!["deviceauth_authorization_pending".to_owned()],
    }));
    provider
}

async fn answering(at: &str, content: &str, body: &str, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(at))
        .and(header("content-type", content))
        .and(body_string(body))
        .respond_with(answer)
        .expect(1)
        .mount(&server)
        .await;
    server
}

fn json(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_string(body)
}

async fn started(answer: ResponseTemplate) -> Result<DeviceStart, StartError> {
    let body = "client_id=latchkey&scope=openid+offline_access";
    let server = answering("/device", "application/x-www-form-urlencoded", body, answer).await;
    start(&Client::new(), &standard(&server), 0).await
}

async fn started_own(answer: ResponseTemplate) -> Result<DeviceStart, StartError> {
    let server = answering("/device", "application/json", r#"{"client_id":"latchkey"}"#, answer).await;
    start(&Client::new(), &own_protocol(&server), 0).await
}

/// A poll without a verifier.
fn presented() -> DevicePoll<'static> {
    static CODE: LazyLock<Secret> = LazyLock::new(|| Secret::new("dc"));
    DevicePoll { device_code: &CODE, user_code: "AB-12", verifier: None }
}

async fn polled(answer: ResponseTemplate) -> DeviceOutcome {
    let body =
        "client_id=latchkey&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=dc";
    let server = answering("/token", "application/x-www-form-urlencoded", body, answer).await;
    let presented = presented();
    poll(&Client::new(), &standard(&server), presented, 1_000).await
}

async fn polled_own(answer: ResponseTemplate) -> DeviceOutcome {
    let body = r#"{"device_auth_id":"dc","user_code":"AB-12"}"#;
    let server = answering("/poll", "application/json", body, answer).await;
    let presented = presented();
    poll(&Client::new(), &own_protocol(&server), presented, 1_000).await
}

/// T11, T8: intervals as text, absent, or too short; Google's spelling; odd pages.
#[tokio::test]
async fn a_start_is_read_leniently() {
    let expected = DeviceStart {
        device_code: Secret::new("dc"),
        user_code: "AB-12".to_owned(),
        verification_uri: "https://id.example/device".to_owned(),
        verification_uri_complete: None,
        expires_in: Some(900),
        interval: 5,
        verifier: None,
    };
    let rest = r#""device_code":"dc","user_code":"AB-12","verification_uri":"https://id.example/device""#;
    for (body, expected) in [
        (format!(r#"{{{rest},"expires_in":900}}"#), expected.clone()),
        (
            format!(r#"{{{rest},"expires_in":"1800","interval":"7"}}"#),
            DeviceStart { expires_in: Some(1_800), interval: 7, ..expected.clone() },
        ),
        (
            format!(r#"{{{rest},"interval":0,"verification_uri_complete":"https://id.example/device?c=AB-12"}}"#),
            DeviceStart {
                expires_in: None,
                interval: INTERVAL_FLOOR,
                verification_uri_complete: Some("https://id.example/device?c=AB-12".to_owned()),
                ..expected.clone()
            },
        ),
        (
            format!(r#"{{{rest},"expires_in":900,"verification_uri_complete":"javascript:alert(1)"}}"#),
            expected.clone(),
        ),
        (
            r#"{"device_code":"dc","user_code":"AB-12","expires_in":900,"verification_url":"https://id.example/device"}"#
                .to_owned(),
            expected,
        ),
    ] {
        assert_eq!(started(json(200, &body)).await, Ok(expected), "{body}");
    }
}

/// C9, T7
#[tokio::test]
async fn a_start_that_cannot_be_completed_is_none() {
    for (code, user_code, page) in [
        ("", "AB", "https://id.example/"),
        ("dc", "", "https://id.example/"),
        ("dc", "A`B", "https://id.example/"),
        ("dc", "A\u{202e}B", "https://id.example/"),
        ("dc", "AB", ""),
        ("dc", "AB", "http://id.example/"),
        ("dc", "AB", "https://me@id.example/"),
        ("dc", "AB", "data:text/html,x"),
    ] {
        let body = serde_json::json!({"device_code": code, "user_code": user_code, "verification_uri": page});
        let result = started(json(200, &body.to_string())).await;
        assert!(matches!(result, Err(StartError::Incomplete { .. })), "{body}: {result:?}");
    }
}

/// S4, G16: who can do something about it.
#[tokio::test]
async fn a_refused_start_is_classed() {
    let transient =
        |seconds: Option<u64>| StartClass::Transient { retry_after: seconds.map(Duration::from_secs) };
    for (answer, class) in [
        (json(503, "").insert_header("retry-after", "9"), transient(Some(9))),
        (json(429, ""), transient(None)),
        (json(502, "<html>"), transient(None)),
        (json(401, r#"{"error":"invalid_client"}"#), StartClass::Operator),
        (json(400, ""), StartClass::Operator),
        (json(404, ""), StartClass::Operator),
        (json(200, "<html>"), StartClass::Operator),
        (json(200, r#"{"error":"device_flow_disabled"}"#), StartClass::Disabled),
    ] {
        assert_eq!(started(answer).await.map_err(|error| error.class()), Err(class));
    }
    assert_eq!(
        started_own(json(404, "")).await,
        Err(StartError::Disabled { provider: "Acme".to_owned() }),
        "an endpoint that hides is one that is switched off"
    );
    let mut none = provider("http://127.0.0.1:1/token");
    assert!(matches!(start(&Client::new(), &none, 0).await, Err(StartError::NotOffered { .. })));
    none.device_authorization_endpoint = Url::parse("http://127.0.0.1:1/device").ok();
    let unreachable = start(&Client::new(), &none, 0).await;
    assert_eq!(unreachable.map_err(|error| error.class()), Err(transient(None)));
}

/// T11
#[tokio::test]
async fn a_poll_is_sorted() {
    let back_off =
        |seconds: Option<u64>| DeviceOutcome::BackOff { retry_after: seconds.map(Duration::from_secs) };
    for (answer, expected) in [
        (json(400, r#"{"error":"authorization_pending"}"#), DeviceOutcome::Pending),
        (json(200, r#"{"error":"authorization_pending"}"#), DeviceOutcome::Pending),
        (json(200, "error=authorization_pending&interval=5"), DeviceOutcome::Pending),
        (json(400, r#"{"error":"slow_down"}"#), DeviceOutcome::SlowDown),
        (json(429, r#"{"error":"slow_down"}"#), DeviceOutcome::SlowDown),
        (json(400, r#"{"error":"access_denied"}"#), DeviceOutcome::Denied),
        (json(403, r#"{"error":"authorization_denied"}"#), DeviceOutcome::Denied),
        (json(400, r#"{"error":"expired_token"}"#), DeviceOutcome::Expired),
        (json(429, "").insert_header("retry-after", "20"), back_off(Some(20))),
        (json(503, r#"{"error":"access_denied"}"#), back_off(None)),
        (json(500, ""), back_off(None)),
        (json(502, "<html>"), back_off(None)),
        (json(504, "").insert_header("retry-after", "4"), back_off(Some(4))),
    ] {
        assert_eq!(polled(answer).await, expected);
    }
    let granted = polled(json(200, r#"{"access_token":"at","expires_in":60}"#)).await;
    assert!(matches!(granted, DeviceOutcome::Granted(grant) if grant.expires_at == Some(1_060)));
}

/// C9, G16
#[tokio::test]
async fn a_poll_that_cannot_succeed_fails() {
    for (answer, kind) in [
        (json(400, r#"{"error":"invalid_grant"}"#), RefusalKind::Dead(DeadReason::InvalidGrant)),
        (json(401, r#"{"error":"invalid_client"}"#), RefusalKind::Operator),
        (json(400, r#"{"error":"unsupported_grant_type"}"#), RefusalKind::Operator),
        (json(200, "{}"), RefusalKind::Operator),
        (json(200, r#"{"access_token":" "}"#), RefusalKind::Operator),
    ] {
        let outcome = polled(answer).await;
        assert!(matches!(&outcome, DeviceOutcome::Failed(refusal) if refusal.kind == kind), "{outcome:?}");
    }
}

/// T11: a lost connection is not the end.
#[tokio::test]
async fn a_poll_that_is_not_answered_backs_off() {
    let presented = presented();
    let outcome = poll(&Client::new(), &provider("http://127.0.0.1:1/token"), presented, 0).await;
    assert_eq!(outcome, DeviceOutcome::BackOff { retry_after: None });
    let outcome = poll(&Client::new(), &provider("http://id.example/token"), presented, 0).await;
    assert!(matches!(outcome, DeviceOutcome::Failed(_)), "{outcome:?}");
}

/// T8: the page is the descriptor's, the identifier is the device code.
#[tokio::test]
async fn the_own_protocol_starts_in_json() {
    for name in ["user_code", "usercode"] {
        let body = format!(r#"{{"device_auth_id":"dc","{name}":"AB-12","interval":"5"}}"#);
        let expected = DeviceStart {
            device_code: Secret::new("dc"),
            user_code: "AB-12".to_owned(),
            verification_uri: "https://id.example/codex/device".to_owned(),
            verification_uri_complete: None,
            expires_in: None,
            interval: 5,
            verifier: None,
        };
        assert_eq!(started_own(json(200, &body)).await, Ok(expected));
    }
}

/// T11, C9
#[tokio::test]
async fn the_own_protocol_polls_by_status_and_code() {
    let code = DeviceOutcome::Code {
        code: Secret::new("c"),
        verifier: Secret::new("v"),
        redirect_uri: "https://id.example/deviceauth/callback".to_owned(),
    };
    for (answer, expected) in [
        (json(403, ""), DeviceOutcome::Pending),
        (json(404, r#"{"detail":"?"}"#), DeviceOutcome::Pending),
        (json(400, r#"{"error":{"code":"deviceauth_authorization_pending"}}"#), DeviceOutcome::Pending),
        (json(403, r#"{"error":{"code":"access_denied"}}"#), DeviceOutcome::Denied),
        (json(403, r#"{"error":"expired_token"}"#), DeviceOutcome::Expired),
        (json(429, ""), DeviceOutcome::BackOff { retry_after: None }),
        (json(500, ""), DeviceOutcome::BackOff { retry_after: None }),
        (json(200, "<p>"), DeviceOutcome::BackOff { retry_after: None }),
        (json(200, r#"{"authorization_code":"c","code_verifier":"v","code_challenge":"x"}"#), code),
    ] {
        assert_eq!(polled_own(answer).await, expected);
    }
    for body in ["{}", r#"{"authorization_code":"c"}"#, r#"{"code_verifier":"v","authorization_code":""}"#] {
        let outcome = polled_own(json(200, body)).await;
        assert!(matches!(outcome, DeviceOutcome::Failed(_)), "{body}: {outcome:?}");
    }
    assert!(matches!(polled_own(json(401, "")).await, DeviceOutcome::Failed(_)));
}

/// T13, T11: a name that leads inside is asked for no poll, and going on would never help.
#[tokio::test]
async fn a_poll_does_not_follow_a_name_into_our_own_network() {
    let mut provider = provider("https://id.example/token");
    let endpoint = provider.token_endpoint.clone();
    provider.found.push(endpoint);
    let client = Client::with_names(crate::oauth::Always(vec!["169.254.169.254"]));
    let device_code = Secret::new("dc");
    let polled =
        poll(&client, &provider, DevicePoll { device_code: &device_code, user_code: "A", verifier: None }, 0)
            .await;
    let DeviceOutcome::Failed(refusal) = polled else { panic!("{polled:?}") };
    assert_eq!((refusal.kind, refusal.status), (RefusalKind::Operator, 0));
    assert!(refusal.text.starts_with("id.example leads to 169.254.169.254"), "{}", refusal.text);
}
