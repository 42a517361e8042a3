//! The device flow of the scripted server, and codex's own.
#![expect(clippy::unwrap_used, reason = "a test that cannot ask its server has failed")]

mod support;

use std::time::Duration;

use latchkey_test_authority::{Authority, CODEX_CLIENT, Interval, Person, Settings};
use serde_json::{Value, json};
use support::{Login, api_status, exchange_at, post_form, post_json, read, refresh_at};

async fn start(authority: &Authority) -> Value {
    let form = [("client_id", "latchkey"), ("scope", "openid offline_access")];
    let (status, body) =
        read(post_form(&authority.device_authorization_endpoint(), &form).await.unwrap()).await;
    assert_eq!(status, 200);
    body
}

async fn poll(authority: &Authority, device_code: &str) -> (u16, Value) {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", device_code),
        ("client_id", "latchkey"),
    ];
    read(post_form(&authority.token_endpoint(), &form).await.unwrap()).await
}

/// A server that enforces no spacing, so that tests need not wait.
fn hurried() -> Authority {
    Authority::start_with(Settings { enforced_interval: Duration::ZERO, ..Settings::default() })
}

/// T11
#[tokio::test]
async fn a_device_login_ends_in_tokens_once() {
    let authority = hurried();
    let started = start(&authority).await;
    assert_eq!(started["interval"], 5);
    let code = started["device_code"].as_str().unwrap();
    assert_eq!(poll(&authority, code).await.1["error"], "authorization_pending");
    authority.approve_device(started["verification_uri_complete"].as_str().unwrap(), &Person::ada()).await;
    let (status, tokens) = poll(&authority, code).await;
    assert_eq!(status, 200);
    assert_eq!(api_status(&authority, &tokens).await, 200);
    assert_eq!((authority.device_polls(), authority.polls_after_end()), (2, 0));

    assert_eq!(poll(&authority, code).await.1["error"], "invalid_grant");
    assert_eq!(api_status(&authority, &tokens).await, 401);
    assert_eq!((authority.device_starts(), authority.polls_after_end()), (1, 1));
}

/// T11
#[tokio::test]
async fn polling_too_fast_is_told_to_slow_down() {
    let authority = Authority::start_with(Settings {
        enforced_interval: Duration::from_millis(400),
        slow_down_adds: Duration::from_millis(400),
        ..Settings::default()
    });
    let started = start(&authority).await;
    let code = started["device_code"].as_str().unwrap();
    assert_eq!(poll(&authority, code).await.1["error"], "authorization_pending");
    assert_eq!(poll(&authority, code).await.1["error"], "slow_down");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(poll(&authority, code).await.1["error"], "slow_down");
    let closest = authority.closest_polls(started["user_code"].as_str().unwrap()).unwrap();
    assert!(closest < Duration::from_millis(400), "{closest:?}");
}

/// T8, T11
#[tokio::test]
async fn device_answers_take_odd_shapes() {
    let authority = Authority::start();
    authority.set(|settings| {
        settings.interval = Interval::Missing;
        settings.complete_uri = false;
        settings.device_answer.insert("expires_in".into(), Value::Null);
        settings.device_answer.insert("message".into(), "hello".into());
    });
    let started = start(&authority).await;
    let members: Vec<&str> = started.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["device_code", "message", "user_code", "verification_uri"]);
}

/// T11
#[tokio::test]
async fn denial_and_expiry_have_words_of_their_own() {
    let authority = hurried();
    let started = start(&authority).await;
    authority.deny_device(started["user_code"].as_str().unwrap()).await;
    let denied = poll(&authority, started["device_code"].as_str().unwrap()).await;
    assert_eq!((denied.0, denied.1["error"].as_str()), (400, Some("access_denied")));

    let started = start(&authority).await;
    authority.set(|settings| settings.clock_shift = 601);
    let expired = poll(&authority, started["device_code"].as_str().unwrap()).await;
    assert_eq!(expired.1["error"], "expired_token");
}

#[tokio::test]
async fn codex_hands_out_a_code_and_its_verifier() {
    let authority =
        Authority::start_with(Settings { enforced_interval: Duration::ZERO, ..Settings::codex() });
    let (status, started) =
        post_json(&authority.codex_start_url(), &json!({"client_id": CODEX_CLIENT})).await;
    assert_eq!((status, started["interval"].as_str()), (200, Some("5")));
    let ask = json!({"device_auth_id": started["device_auth_id"], "user_code": started["user_code"]});
    let (status, pending) = post_json(&authority.codex_poll_url(), &ask).await;
    assert_eq!((status, pending["error"]["code"].as_str()), (403, Some("deviceauth_authorization_pending")));

    authority.approve_device(started["user_code"].as_str().unwrap(), &Person::ada()).await;
    let (status, answer) = post_json(&authority.codex_poll_url(), &ask).await;
    assert_eq!(status, 200);
    let login = Login {
        url: String::new(),
        state: String::new(),
        verifier: answer["code_verifier"].as_str().unwrap().into(),
        redirect_uri: authority.codex_callback(),
    };
    let (status, again) = post_json(&authority.codex_poll_url(), &ask).await;
    assert_eq!((status, again["error"]["code"].as_str()), (403, Some("deviceauth_used")));
    assert_eq!((authority.device_polls(), authority.polls_after_end()), (3, 1));
    let code = answer["authorization_code"].as_str().unwrap();
    let (status, tokens) = exchange_at(&authority.url("/oauth/token"), CODEX_CLIENT, &login, code).await;
    assert_eq!(status, 200);
    assert_eq!(claims(&tokens)["https://api.openai.com/auth"], json!({"chatgpt_account_id": "acct-ada"}));

    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(refresh_at(&authority.token_endpoint(), CODEX_CLIENT, token).await.unwrap().0, 200);
    let (status, reused) = refresh_at(&authority.token_endpoint(), CODEX_CLIENT, token).await.unwrap();
    assert_eq!((status, reused["error"]["code"].as_str()), (401, Some("refresh_token_reused")));
}

fn claims(tokens: &Value) -> Value {
    use base64::Engine as _;
    let token = tokens["id_token"].as_str().unwrap();
    let part = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
