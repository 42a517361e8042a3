//! Tests of the exchange in place of a refresh.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::oauth::UnknownCause;
use crate::oauth::http::TransportError;
use crate::oauth::refusal::{DeadReason, RefusalKind};
use crate::oauth::token::testing::provider;

const NOW: UnixSeconds = 1_795_000_000;
const SIGN_IN: &str = "gho-of-the-sign-in";

fn copilot() -> Resolved {
    let mut provider = provider("https://id.example/token");
    provider.keep = vec!["endpoints.api".to_owned()];
    provider
}

fn judged(reply: &Reply) -> Outcome {
    judge(reply, &copilot(), &[Secret::new(SIGN_IN)], NOW)
}

fn granted_until(expires_at: Option<UnixSeconds>) -> Outcome {
    Outcome::Granted(Grant {
        access_token: Secret::new("tid=1;exp=2"),
        refresh_token: None,
        id_token: None,
        token_type: "Bearer".to_owned(),
        scopes: None,
        expires_at,
        account: Account::default(),
        issuer: None,
        extra: BTreeMap::new(),
    })
}

/// T9, C9: its end is an absolute time of the server's clock, or a lifetime; a reply without a token is none.
#[test]
fn the_end_is_understood_by_the_servers_clock() {
    let an_hour_ahead = "Wed, 18 Nov 2026 12:06:40 GMT";
    for (members, date, expires_at) in [
        (r#""expires_at":1795001500"#, None, Some(NOW + 1_500)),
        (r#""expires_at":"1795001500""#, None, Some(NOW + 1_500)),
        (r#""expires_at":1795001500000"#, None, Some(NOW + 1_500)),
        (r#""expires_at":1795005100,"refresh_in":1200"#, Some(an_hour_ahead), Some(NOW + 1_500)),
        (r#""expires_in":60,"expires_at":1795001500"#, None, Some(NOW + 60)),
        (r#""expires_at":1794999999"#, None, None),
        (r#""refresh_in":1200"#, None, None),
    ] {
        let reply = Reply::of(200, None, &format!(r#"{{"token":"tid=1;exp=2",{members}}}"#));
        let reply = match date {
            Some(date) => reply.at(date),
            None => reply,
        };
        assert_eq!(judged(&reply), granted_until(expires_at), "{members}");
    }
    for body in ["{}", r#"{"token":" "}"#, r#"{"token":"a b"}"#, "<html>", ""] {
        let none = Outcome::Unknown(UnknownCause::NoToken { status: 200 });
        assert_eq!(judged(&Reply::of(200, None, body)), none, "{body}");
    }
}

/// G16, G17, T10: only a 401 ends the sign-in. No access is the account's matter, and a limit, a page or a gateway nobody's.
#[test]
fn each_refusal_means_one_thing() {
    let transient =
        |seconds: Option<u64>| RefusalKind::Transient { retry_after: seconds.map(Duration::from_secs) };
    let no_plan = r#"{"message":"Resource not accessible","error_details":{"message":"No access found"}}"#;
    for (status, retry_after, body, kind) in [
        (401, None, r#"{"message":"Bad credentials"}"#, RefusalKind::Dead(DeadReason::InvalidGrant)),
        (401, None, "", RefusalKind::Dead(DeadReason::InvalidGrant)),
        (401, None, "<html>sign in to this network", RefusalKind::Operator),
        (403, None, no_plan, RefusalKind::NoAccess),
        (404, None, r#"{"message":"Not Found"}"#, RefusalKind::NoAccess),
        (404, None, "<html>", RefusalKind::Operator),
        (404, None, "", RefusalKind::Operator),
        (404, None, "{}", RefusalKind::Operator),
        (403, None, "<html>Attention", transient(None)),
        (403, Some("60"), r#"{"message":"You have exceeded a secondary limit"}"#, transient(Some(60))),
        (403, None, r#"{"message":"API rate limit exceeded for user"}"#, transient(None)),
        (429, Some("7"), "{}", transient(Some(7))),
        (503, None, "", transient(None)),
        (302, None, "", RefusalKind::Operator),
        (400, None, r#"{"message":"missing Editor-Version header"}"#, RefusalKind::Operator),
    ] {
        match judged(&Reply::of(status, retry_after, body)) {
            Outcome::Refused(refusal) => assert_eq!(refusal.kind, kind, "{status} {body}"),
            other => panic!("{status} {body}: {other:?}"),
        }
    }
    for (status, text) in [
        (401, "the provider no longer accepts the token of this sign-in (HTTP 401)"),
        (404, "the endpoint is not there: correct its address (HTTP 404)"),
    ] {
        let Outcome::Refused(refusal) = judged(&Reply::of(status, None, "")) else { panic!("not refused") };
        assert_eq!(refusal.text, text);
    }
    let gateway = Outcome::Unknown(UnknownCause::Gateway { status: 502 });
    assert_eq!(judged(&Reply::of(502, None, "{}")), gateway);
    let Outcome::Refused(refusal) = judged(&Reply::of(403, None, no_plan)) else { panic!("not refused") };
    assert_eq!(
        (refusal.text.as_str(), refusal.own_words()),
        (
            "the account that signed in has no access to this, says the provider (HTTP 403): No access found",
            Some("No access found")
        )
    );
}

/// T10: the sign-in's token comes back in no text.
#[test]
fn an_echo_of_the_token_is_masked() {
    for status in [401, 403, 404, 400] {
        let body = format!(r#"{{"message":"no {SIGN_IN} here","code":"{SIGN_IN}"}}"#);
        let Outcome::Refused(refusal) = judged(&Reply::of(status, None, &body)) else {
            panic!("not refused")
        };
        assert!(!format!("{refusal:?}").contains(SIGN_IN), "{status}: {refusal:?}");
    }
}

/// Z2, T7: the token goes out by the descriptor's scheme, with its headers, which cannot take its place.
#[tokio::test]
async fn the_request_is_the_descriptors() {
    let server = MockServer::start().await;
    let body = r#"{"token":"tid=1;exp=2","expires_in":60}"#;
    Mock::given(method("GET"))
        .and(path("/v2/token"))
        .and(header("authorization", format!("token {SIGN_IN}").as_str()))
        .and(header("editor-version", "vscode/1"))
        .and(header("accept", "application/json"))
        .respond_with(ResponseTemplate::new(200).set_body_string(body))
        .expect(1)
        .mount(&server)
        .await;
    let by = Exchange {
        endpoint: Url::parse(&format!("{}/v2/token", server.uri())).unwrap(),
        scheme: "token".to_owned(),
        headers: [("Editor-Version", "vscode/1"), ("Authorization", "Basic x")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    let outcome = exchange(&Client::new(), &copilot(), &by, &Secret::new(SIGN_IN), NOW).await;
    let Outcome::Granted(mut grant) = outcome else { panic!("{outcome}") };
    assert_eq!(grant.expires_at.take(), Some(NOW + 60));
    assert_eq!(Outcome::Granted(grant), granted_until(None));
}

/// T7, T10: a request that cannot be made whole is not made without what is missing, least of all without its token.
#[tokio::test]
async fn what_cannot_be_sent_whole_is_not_sent() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(200)).expect(0).mount(&server).await;
    for (scheme, header, named) in [
        ("token", ("odd name", "x"), "odd name"),
        ("token", ("Editor-Version", "a\nb"), "Editor-Version"),
        ("a\nb", ("Editor-Version", "x"), "Authorization"),
    ] {
        let by = Exchange {
            endpoint: Url::parse(&server.uri()).unwrap(),
            scheme: scheme.to_owned(),
            headers: vec![(header.0.to_owned(), header.1.to_owned())],
        };
        let outcome = exchange(&Client::new(), &copilot(), &by, &Secret::new(SIGN_IN), NOW).await;
        let error = TransportError::Unsendable { name: named.to_owned() };
        assert!(error.is_operators());
        assert_eq!(outcome, Outcome::NotSent(error));
    }
}

/// T9: what has no end that serves, by our clock, has the descriptor's.
#[test]
fn an_end_that_has_passed_is_not_for_ever() {
    let mut provider = copilot();
    provider.token_lifetime = Some(1_500);
    let reply = Reply::of(200, None, r#"{"token":"tid=1;exp=2","expires_at":1794999999}"#);
    let outcome = judge(&reply, &provider, &[Secret::new(SIGN_IN)], NOW);
    assert_eq!(outcome, granted_until(Some(NOW + 1_500)));
}
