//! The device flow of the scripted server, and codex's own.
#![expect(clippy::unwrap_used, reason = "a test that cannot ask its server has failed")]

mod support;

use std::time::Duration;

use latchkey_test_authority::{Authority, CODEX_CLIENT, Endpoint, ExpiredIn, Interval, Person, Settings};
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
    assert_eq!(
        claims(&tokens)["https://api.openai.com/auth"],
        json!({"chatgpt_account_id": "acct-ada", "chatgpt_user_id": "user-ada" })
    );

    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(refresh_at(&authority.token_endpoint(), CODEX_CLIENT, token).await.unwrap().0, 200);
    let (status, reused) = refresh_at(&authority.token_endpoint(), CODEX_CLIENT, token).await.unwrap();
    assert_eq!((status, reused["error"]["code"].as_str()), (401, Some("refresh_token_reused")));
}

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// T1, T11: where PKCE is demanded, a start without a challenge by S256 opens nothing, and a poll without its verifier gets
/// nothing.
#[tokio::test]
async fn a_device_login_can_demand_pkce() {
    let authority = Authority::start_with(Settings { enforced_interval: Duration::ZERO, ..Settings::qwen() });
    let start = async |fields: &[(&str, &str)]| {
        let form = [&[("client_id", "anybody")], fields].concat();
        read(post_form(&authority.device_authorization_endpoint(), &form).await.unwrap()).await
    };
    for refused in [
        &[][..],
        &[("code_challenge", CHALLENGE)],
        &[("code_challenge", CHALLENGE), ("code_challenge_method", "plain")],
        &[("code_challenge", "short"), ("code_challenge_method", "S256")],
        &[("code_challenge_method", "S256")],
    ] {
        let (status, body) = start(refused).await;
        assert_eq!((status, body["error"].as_str()), (400, Some("invalid_request")), "{refused:?}");
    }
    let (_, started) = start(&[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]).await;
    authority.approve_device(started["user_code"].as_str().unwrap(), &Person::ada()).await;
    let code = started["device_code"].as_str().unwrap();
    let poll = async |verifier: &str| {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", code),
            ("client_id", "anybody"),
            ("code_verifier", verifier),
        ];
        read(post_form(&authority.token_endpoint(), &form).await.unwrap()).await
    };
    for wrong in ["", CHALLENGE, "short"] {
        assert_eq!(poll(wrong).await.1["error"], "invalid_grant", "{wrong}");
    }
    let (status, tokens) = poll(VERIFIER).await;
    assert_eq!((status, tokens["resource_url"].as_str()), (200, Some("portal.qwen.example")));
    assert_eq!(api_status(&authority, &tokens).await, 200);
}

/// VENDORS, T8: `MiniMax`'s own grant, with its errors.
#[tokio::test]
async fn the_user_code_grant_says_in_status_how_it_stands() {
    let authority = Authority::start_with(Settings::minimax());
    let whole = [
        ("response_type", "code"),
        ("client_id", "anybody"),
        ("scope", "profile"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "state-of-the-test"),
    ];
    let start =
        async |form: &[(&str, &str)]| read(post_form(&authority.user_code_url(), form).await.unwrap()).await;
    for left_out in ["response_type", "client_id", "code_challenge", "code_challenge_method", "state"] {
        let form: Vec<_> = whole.into_iter().filter(|(name, _)| *name != left_out).collect();
        let (status, body) = start(&form).await;
        assert_eq!((status, body["base_resp"]["status_code"].as_i64()), (200, Some(2013)), "{left_out}");
    }
    let (_, started) = start(&whole).await;
    assert_eq!(
        (started["state"].as_str(), started["interval"].as_u64()),
        (Some("state-of-the-test"), Some(2_000))
    );
    assert!(started["expired_in"].as_u64().unwrap() > 1_000_000_000_000 && started["device_code"].is_null());
    let code = started["user_code"].as_str().unwrap();
    let poll = async |verifier: &str| {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:user_code"),
            ("user_code", code),
            ("client_id", "anybody"),
            ("code_verifier", verifier),
        ];
        read(post_form(&authority.token_endpoint(), &form).await.unwrap()).await
    };
    let status = |(status, body): (u16, Value)| (status, body["status"].as_str().unwrap().to_owned());
    assert_eq!(status(poll(VERIFIER).await), (200, "pending".to_owned()));
    authority.approve_device(started["verification_uri"].as_str().unwrap(), &Person::ada()).await;
    assert_eq!(status(poll(CHALLENGE).await), (200, "error".to_owned()));
    authority.set(|settings| settings.expired_in = ExpiredIn::Relative);
    let (_, tokens) = poll(VERIFIER).await;
    assert_eq!((tokens["status"].as_str(), tokens["expired_in"].as_u64()), (Some("success"), Some(3_600)));
    assert!(tokens["expires_in"].is_null() && tokens["token_type"].is_null());
    assert_eq!(api_status(&authority, &tokens).await, 200);

    let token = tokens["refresh_token"].as_str().unwrap();
    let (_, again) = refresh_at(&authority.token_endpoint(), "anybody", token).await.unwrap();
    assert_eq!(again["status"], "success");
    assert_eq!(refresh_at(&authority.token_endpoint(), "anybody", token).await.unwrap().1["status"], "error");
    assert_eq!((authority.device_polls(), authority.requests_to(Endpoint::UserCodeStart).len()), (3, 6));
}

fn claims(tokens: &Value) -> Value {
    use base64::Engine as _;
    let token = tokens["id_token"].as_str().unwrap();
    let part = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
