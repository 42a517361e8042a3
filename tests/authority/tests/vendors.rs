//! The scripted server as Copilot's and Google's: what their dialects promise.
#![expect(clippy::unwrap_used, reason = "a test that cannot ask its server has failed")]

mod support;

use latchkey_test_authority::{
    Authority, COPILOT_CLIENT, CopilotAccess, GEMINI_CLIENT, GEMINI_SECRET, Person, Settings,
};
use serde_json::{Value, json};
use support::{http, read};

async fn get(address: String, authorization: &str, editor: bool) -> (u16, Value) {
    let mut request = http().get(address).header("authorization", authorization).header("user-agent", "test");
    if editor {
        request = request.header("editor-version", "test/1");
    }
    read(request.send().await.unwrap()).await
}

async fn post(address: &str, form: &[(&str, &str)]) -> (u16, Value) {
    read(support::post_form(address, form).await.unwrap()).await
}

/// VENDORS
#[tokio::test]
async fn copilot_exchanges_githubs_token_and_no_other() {
    let github = Authority::start_with(Settings::copilot());
    let tokens = github.mint(&Person::ada(), COPILOT_CLIENT, &["read:user"]);
    assert_eq!(tokens.refresh, "");
    let own = format!("token {}", tokens.access);
    let (status, first) = get(github.copilot_url(), &own, true).await;
    assert_eq!(status, 200);
    let token = first["token"].as_str().unwrap();
    assert!(github.accepts(token) && first["endpoints"]["api"].is_string() && first["expires_at"].is_u64());
    assert_eq!(get(github.copilot_url(), &format!("token {token}"), true).await.0, 401);
    assert_eq!(get(github.copilot_url(), &own, false).await.0, 400);
    let (_, second) = get(github.copilot_url(), &own, true).await;
    assert!(second["token"] != first["token"] && github.accepts(token), "a second does not end the first");

    let (status, who) = get(github.url("/user"), &own, false).await;
    assert_eq!((status, &who["id"], &who["email"]), (200, &json!(Person::ada().number()), &Value::Null));

    github.set(|settings| settings.copilot.access = CopilotAccess::NoPlan);
    let (status, refused) = get(github.copilot_url(), &own, true).await;
    assert_eq!((status, &refused["error_details"]["notification_id"]), (403, &json!("not_signed_up")));
    github.set(|settings| settings.copilot.access = CopilotAccess::NotFound);
    assert_eq!(get(github.copilot_url(), &own, true).await.0, 404);
    github.revoke_grant(&tokens.access);
    let (status, refused) = get(github.copilot_url(), &own, true).await;
    assert_eq!((status, &refused["message"]), (401, &json!("Bad credentials")));
    assert!(!github.accepts(token), "what was made of a token dies with it");
    assert_eq!(github.copilot_exchanges(), 7);
}

/// VENDORS, T12, G23
#[tokio::test]
async fn google_keeps_the_refresh_token_and_ends_all_at_once() {
    let google = Authority::google();
    let first = google.mint(&Person::ada(), GEMINI_CLIENT, &[]);
    let second = google.mint(&Person::ada(), GEMINI_CLIENT, &[]);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", first.refresh.as_str()),
        ("client_id", GEMINI_CLIENT),
        ("client_secret", GEMINI_SECRET),
    ];
    let (status, reply) = post(&google.token_endpoint(), &form).await;
    assert_eq!((status, reply.get("refresh_token")), (200, None));
    assert!(google.would_refresh(&first.refresh));
    let bearer = format!("Bearer {}", reply["access_token"].as_str().unwrap());
    let (_, who) = get(google.url("/oauth2/v2/userinfo"), &bearer, false).await;
    assert_eq!(
        (&who["id"], &who["email"], &who["verified_email"]),
        (&json!("ada"), &json!("ada@example.test"), &json!(true))
    );

    let revoke =
        [("token", second.refresh.as_str()), ("client_id", GEMINI_CLIENT), ("client_secret", GEMINI_SECRET)];
    assert_eq!(post(&google.revocation_endpoint(), &revoke).await.0, 200);
    let (status, refused) = post(&google.token_endpoint(), &form).await;
    assert_eq!(
        (status, refused),
        (400, json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."}))
    );
}
