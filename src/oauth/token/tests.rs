//! Tests of the token endpoint.

use std::io;
use std::sync::{Arc, Mutex, Once};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;
use wiremock::matchers::{body_string, header, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::testing::provider;
use super::*;
use crate::oauth::refusal::{DeadReason, RefusalKind};
use crate::provider::{AccountClaims, BodyFormat, ClientAuth, IdentitySource};

const NOW: UnixSeconds = 1_000_000;

fn grant(access_token: &str) -> Grant {
    Grant {
        access_token: Secret::new(access_token),
        refresh_token: None,
        id_token: None,
        token_type: "Bearer".to_owned(),
        scopes: None,
        expires_at: None,
        account: Account::default(),
        issuer: None,
        extra: BTreeMap::new(),
    }
}

fn judged(status: u16, body: &str, provider: &Provider) -> Outcome {
    judge(&Reply::of(status, None, body), Presented::RefreshToken, provider, &[], NOW)
}

fn judged_plainly(status: u16, body: &str) -> Outcome {
    judged(status, body, &provider("https://id.example/token"))
}

/// Answers one request with exactly `body`, by a grant.
async fn authority(body: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(header("accept", "application/json"))
        .and(body_string(body))
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"access_token":"at","expires_in":60}"#))
        .expect(1)
        .mount(&server)
        .await;
    server
}

fn granted_for_a_minute() -> Outcome {
    Outcome::Granted(Grant { expires_at: Some(NOW + 60), ..grant("at") })
}

/// T5, T1
#[tokio::test]
async fn a_code_is_spent_with_its_verifier() {
    let server = authority(
        "client_id=latchkey&grant_type=authorization_code&code=c%2F1&redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fcb&code_verifier=ver",
    )
    .await;
    let (code, verifier, state) = (Secret::new("c/1"), Secret::new("ver"), Secret::new("st"));
    let grant = CodeGrant {
        code: &code,
        verifier: &verifier,
        redirect_uri: "http://localhost:1/cb",
        state: Some(&state),
    };
    let outcome = exchange_code(&Client::new(), &provider(&server.uri()), grant, NOW).await;
    assert_eq!(outcome, granted_for_a_minute());
}

/// T8: quirks are data.
#[tokio::test]
async fn a_descriptor_may_want_json_and_the_state() {
    let server = authority(
        r#"{"client_id":"latchkey","code":"c","code_verifier":"v","grant_type":"authorization_code","redirect_uri":"r","state":"s"}"#,
    )
    .await;
    let mut provider = provider(&server.uri());
    provider.token_body = BodyFormat::Json;
    provider.exchange_sends_state = true;
    let (code, verifier, state) = (Secret::new("c"), Secret::new("v"), Secret::new("s"));
    let grant = CodeGrant { code: &code, verifier: &verifier, redirect_uri: "r", state: Some(&state) };
    assert_eq!(exchange_code(&Client::new(), &provider, grant, NOW).await, granted_for_a_minute());
}

/// T5: an id token that was made for another sign-in spoils the exchange; one that says nothing of it does not, nor does any
/// where no nonce was sent.
#[tokio::test]
async fn an_id_token_of_another_sign_in_is_refused() {
    let id_token = |claims: &str| format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims));
    let mut provider = provider("https://id.example/token");
    provider.nonce = true;
    let own = super::authorize::nonce(&provider, "v").unwrap();
    for (claims, sends, is_granted) in [
        (format!(r#"{{"nonce":"{own}"}}"#), true, true),
        (r#"{"nonce":"another"}"#.to_owned(), true, false),
        (r#"{"nonce":"another"}"#.to_owned(), false, true),
        ("{}".to_owned(), true, true),
    ] {
        let server = MockServer::start().await;
        let body = format!(r#"{{"access_token":"at","id_token":"{}"}}"#, id_token(&claims));
        let answer = ResponseTemplate::new(200).set_body_string(body);
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        let mut provider = super::testing::provider(&server.uri());
        provider.nonce = sends;
        let (code, verifier) = (Secret::new("c"), Secret::new("v"));
        let grant = CodeGrant { code: &code, verifier: &verifier, redirect_uri: "r", state: None };
        let outcome = exchange_code(&Client::new(), &provider, grant, NOW).await;
        assert_eq!(matches!(outcome, Outcome::Granted(_)), is_granted, "{claims} {outcome:?}");
        if !is_granted {
            assert_eq!(
                outcome.to_string(),
                "the provider answers with the id token of another sign-in (its nonce differs)"
            );
        }
    }
}

/// G2, T8
#[tokio::test]
async fn a_refresh_names_scopes_only_where_they_are_wanted() {
    let scopes = ["a".to_owned(), "b".to_owned()];
    for (wanted, body) in [
        (false, "client_id=latchkey&grant_type=refresh_token&refresh_token=rt"),
        (true, "client_id=latchkey&grant_type=refresh_token&refresh_token=rt&scope=a+b"),
    ] {
        let server = authority(body).await;
        let mut provider = provider(&server.uri());
        provider.refresh_sends_scope = wanted;
        let outcome = refresh(&Client::new(), &provider, &Secret::new("rt"), &scopes, NOW).await;
        assert_eq!(outcome, granted_for_a_minute());
    }
}

/// T14: without its secret a confidential client does not even try.
#[tokio::test]
async fn nothing_is_sent_while_the_client_secret_is_missing() {
    let server = MockServer::start().await;
    let mut provider = provider(&server.uri());
    provider.client_auth = ClientAuth::Basic;
    provider.client_missing = Some("the client secret is missing: set ACME_SECRET".to_owned());
    let outcome = refresh(&Client::new(), &provider, &Secret::new("rt"), &[], NOW).await;
    assert!(
        matches!(&outcome, Outcome::Refused(refusal) if refusal.kind == RefusalKind::Operator && refusal.status == 0)
    );
    assert_eq!(outcome.to_string(), "the client secret is missing: set ACME_SECRET");
    assert!(server.received_requests().await.unwrap().is_empty());
}

/// T8, T9: a whole grant, and all that may be odd about one.
#[test]
fn grants_are_read_leniently() {
    let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"iss":"https://id.example","sub":"u1","email":"a@b.c"}"#);
    let id_token = format!("e30.{claims}.c2ln");
    let whole = format!(
        r#"{{"access_token":"at","refresh_token":"rt","id_token":"{id_token}","token_type":"bearer","expires_in":3600,"scope":"a b","new":{{"x":1}}}}"#
    );
    let expected = Grant {
        refresh_token: Some(Secret::new("rt")),
        id_token: Some(Secret::new(id_token)),
        scopes: Some(vec!["a".to_owned(), "b".to_owned()]),
        expires_at: Some(NOW + 3_600),
        account: Account::new(Some("u1"), Some("a@b.c")),
        issuer: Some("https://id.example".to_owned()),
        ..grant("at")
    };
    assert_eq!(judged_plainly(201, &whole), Outcome::Granted(expected));
    for (body, expected) in [
        (r#"{"access_token":" at\n"}"#, grant("at")),
        (r#"{"access_token":"at","refresh_token":"","id_token":"rubbish","error":""}"#, {
            Grant { id_token: Some(Secret::new("rubbish")), ..grant("at") }
        }),
        (
            r#"{"access_token":"at","token_type":"DPoP"}"#,
            Grant { token_type: "DPoP".to_owned(), ..grant("at") },
        ),
        (r#"{"access_token":"at","expires_in":"60"}"#, Grant { expires_at: Some(NOW + 60), ..grant("at") }),
        (
            r#"{"access_token":"at","expires_in":18446744073709551615}"#,
            Grant { expires_at: Some(UnixSeconds::MAX), ..grant("at") },
        ),
        ("access_token=at&token_type=bearer&scope=x%2Cy", {
            Grant { scopes: Some(vec!["x".to_owned(), "y".to_owned()]), ..grant("at") }
        }),
    ] {
        assert_eq!(judged_plainly(200, body), Outcome::Granted(expected), "{body}");
    }
}

/// T8, RFC 6749 section 11.1: a token type stands in a header, and is one word there.
#[test]
fn a_token_type_that_is_no_word_says_nothing() {
    let named = |name: &str| {
        let body = serde_json::json!({"access_token": "at", "token_type": name}).to_string();
        match judged_plainly(200, &body) {
            Outcome::Granted(grant) => grant.token_type,
            other => panic!("{other}"),
        }
    };
    let long = "x".repeat(101);
    for (name, expected) in [
        ("Bearer x\r\nX-Evil: 1", "Bearer"),
        ("\u{1b}[31mMAC", "Bearer"),
        ("of two", "Bearer"),
        (&long, "Bearer"),
        ("DPoP", "DPoP"),
        ("https://t.example/mac", "https://t.example/mac"),
    ] {
        assert_eq!(named(name), expected, "{name:?}");
    }
}

/// T9: never "for ever" silently.
#[test]
fn without_expires_in_the_descriptor_decides_or_it_is_unknown() {
    let mut provider = provider("https://id.example/token");
    let body = r#"{"access_token":"at","expires_in":null}"#;
    assert_eq!(judged(200, body, &provider), Outcome::Granted(grant("at")));
    provider.token_lifetime = Some(900);
    let expected = Grant { expires_at: Some(NOW + 900), ..grant("at") };
    assert_eq!(judged(200, body, &provider), Outcome::Granted(expected));
}

/// C9, G16: the refresh token may be spent, and there is nothing to store.
#[test]
fn a_success_without_a_token_is_unknown() {
    for body in [
        "",
        "{}",
        "<html>hello</html>",
        r#"{"access_token":""}"#,
        r#"{"access_token":null}"#,
        r#"{"access_token":["at"]}"#,
        r#"{"access_token":"a\r\nb"}"#,
        r#"{"access_token":"at","refresh_token":"r t"}"#,
        r#"{"refresh_token":"rt"}"#,
    ] {
        let unknown = Outcome::Unknown(UnknownCause::NoToken { status: 200 });
        assert_eq!(judged_plainly(200, body), unknown, "{body}");
    }
    let mut oversize = Reply::of(200, None, "");
    oversize.body = None;
    let provider = provider("https://id.example/token");
    let outcome = judge(&oversize, Presented::Code, &provider, &[], NOW);
    assert_eq!(outcome, Outcome::Unknown(UnknownCause::TooLarge));
}

/// T8
#[test]
fn a_success_with_an_error_is_a_refusal() {
    let body = r#"{"error":"invalid_grant","access_token":"at"}"#;
    let dead = RefusalKind::Dead(DeadReason::InvalidGrant);
    assert!(matches!(judged_plainly(200, body), Outcome::Refused(refusal) if refusal.kind == dead));
}

/// Everything that is logged while `work` runs, at the finest level.
/// I4, G23: whose the tokens are is read where the descriptor says, and nowhere else.
#[test]
fn the_account_is_read_where_the_descriptor_says() {
    let id_token = format!("e30.{}.x", BASE64_URL_SAFE_NO_PAD.encode(r#"{"sub":"of-the-id-token"}"#));
    let body = format!(
        r#"{{"access_token":"at","id_token":"{id_token}","account":{{"uuid":"u-1","email_address":"a@b.c"}}}}"#
    );
    let mut claude = provider("https://id.example/token");
    claude.account_claims = AccountClaims {
        id: ["account", "uuid"].map(str::to_owned).into(),
        email: ["account", "email_address"].map(str::to_owned).into(),
    };
    for (source, account) in [
        (IdentitySource::IdToken, Account::new(Some("of-the-id-token"), None)),
        (IdentitySource::Reply, Account::new(Some("u-1"), Some("a@b.c"))),
        (IdentitySource::Userinfo, Account::default()),
    ] {
        claude.identity = source;
        let Outcome::Granted(grant) = judged(200, &body, &claude) else { panic!("not granted") };
        assert_eq!(grant.account, account, "{source:?}");
    }
}

/// Z2: what is kept of a reply are the texts that the descriptor names, and never a token.
#[test]
fn what_is_kept_of_a_reply_is_named_and_no_secret() {
    let mut qwen = provider("https://id.example/token");
    let names = [
        "resource_url",
        "endpoints.api",
        "a.b",
        "number",
        "absent",
        "refresh_token",
        "echo",
        "lines",
        "own.token",
    ];
    qwen.keep = names.map(str::to_owned).into();
    let body = r#"{"access_token":"at-1","refresh_token":"rt-1","resource_url":" portal.example ","number":7,
        "endpoints":{"api":"https://api.example"},"a.b":"dotted","echo":"see rt-1","lines":"a\nb","own":{"token":"x"}}"#;
    let Outcome::Granted(grant) = judged(200, body, &qwen) else { panic!("not granted") };
    let kept =
        [("a.b", "dotted"), ("endpoints.api", "https://api.example"), ("resource_url", "portal.example")];
    assert_eq!(grant.extra, kept.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
}

async fn logged(work: impl Future<Output = String>) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    // A place that a test on another thread comes to first, with nobody listening, would be taken for one that nobody ever
    // listens to. Somebody always does, and keeps nothing.
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    });
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || written.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let shown = work.await;
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    format!("{log}{shown}")
}

/// Z1, T10: on success and on a refusal that repeats all it was sent.
#[tokio::test]
async fn no_secret_is_logged_or_printed() {
    let server = MockServer::start().await;
    for status in [200, 400] {
        let body = r#"{"access_token":"at-secret","refresh_token":"rt2-secret","error":ERR,"error_description":"rt-secret cs-secret rt%2Dsecret"}"#
            .replace("ERR", if status == 200 { "null" } else { "\"what_rt-secret\"" });
        let answer = ResponseTemplate::new(status).set_body_string(body);
        Mock::given(method("POST")).respond_with(answer).up_to_n_times(1).mount(&server).await;
        let mut provider = provider(&server.uri());
        provider.client_secret = Some(Secret::new("cs-secret"));
        provider.client_auth = ClientAuth::Basic;
        let log = logged(async {
            let outcome = refresh(&Client::new(), &provider, &Secret::new("rt-secret"), &[], NOW).await;
            format!("{outcome:?} {outcome} {provider:?}")
        })
        .await;
        assert!(log.contains("the authorization server answered"), "{log}");
        assert!(!log.contains("-secret"), "{log}");
    }
}

proptest! {
    /// C9, T8: whatever comes, no grant without an access token, and no panic.
    #[test]
    fn nothing_is_granted_without_an_access_token(
        status in 100_u16..600,
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let body = String::from_utf8_lossy(&body).replace("access_token", "");
        prop_assert!(!matches!(judged_plainly(status, &body), Outcome::Granted(_)));
    }

    /// C9
    #[test]
    fn nothing_is_granted_by_other_members(
        status in 200_u16..300,
        body in r#"\{"(access_tokens?|ACCESS_TOKEN|token|refresh_token|id_token)":("[ -~&&[^"\\]]{0,20}"|null|7)(,"access_token":(" *"|null|\{\}|true))?\}"#,
    ) {
        let outcome = judged_plainly(status, &body);
        let own = body.starts_with("{\"access_token\":");
        prop_assert!(own || !matches!(outcome, Outcome::Granted(_)), "{}", body);
    }
}
