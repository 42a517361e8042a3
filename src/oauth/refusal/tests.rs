//! Tests of what a refusal means.

use RefusalKind::{Dead, Operator};

use super::*;
use crate::oauth::token::testing::provider;

const TRANSIENT: RefusalKind = RefusalKind::Transient { retry_after: None };
const INVALID_GRANT: RefusalKind = Dead(DeadReason::InvalidGrant);
const REUSED: RefusalKind = Dead(DeadReason::Reused);
const REVOKED: RefusalKind = Dead(DeadReason::Revoked);

fn verdict(status: u16, body: &str, presented: Presented, secrets: &[Secret]) -> Verdict {
    let reply = Reply::of(status, None, body);
    let members = Members::read(body.as_bytes());
    let mut provider = provider("https://id.example/token");
    provider.reuse_prose = vec!["Ticket Spent Twice".to_owned()];
    classify(&reply, members.as_ref(), presented, &provider, secrets, 0)
}

/// What a refresh's refusal means; None if the outcome is unknown.
fn kind(status: u16, body: &str) -> Option<RefusalKind> {
    match verdict(status, body, Presented::RefreshToken, &[]) {
        Verdict::Refused(refusal) => Some(refusal.kind),
        Verdict::Unknown(_) => None,
    }
}

fn refusal(status: u16, body: &str, presented: Presented, secrets: &[Secret]) -> Refusal {
    match verdict(status, body, presented, secrets) {
        Verdict::Refused(refusal) => refusal,
        Verdict::Unknown(cause) => panic!("unknown: {cause}"),
    }
}

/// G16: nobody is asked to sign in because a server is out of order.
#[test]
fn a_server_out_of_order_is_transient_or_unknown() {
    for status in [408, 425, 429, 500, 503] {
        for body in ["", "{}", r#"{"error":"invalid_grant"}"#, r#"{"error":"refresh_token_reused"}"#] {
            assert_eq!(kind(status, body), Some(TRANSIENT), "{status} {body}");
        }
    }
    for status in [502, 504, 501, 505, 520, 522, 524, 599] {
        for body in ["", "<html>Bad gateway</html>", r#"{"error":"invalid_grant"}"#] {
            assert_eq!(kind(status, body), None, "{status} {body}");
        }
    }
    assert_eq!(kind(500, " <!DOCTYPE html><title>refresh token already used"), None);
    assert_eq!(kind(503, "<html>"), Some(TRANSIENT));
    assert_eq!(kind(403, "<html>Attention required: invalid_grant"), Some(TRANSIENT));
}

/// G16, T8: a 400 without a word speaks of the token only where the descriptor says so, and only to a refresh token.
#[test]
fn silence_means_what_the_descriptor_says() {
    let mut provider = provider("https://id.example/token");
    let mut judged = |meaning: EmptyRefusal, status: u16, body: &str, presented: Presented| {
        provider.empty_refusal = meaning;
        let members = Members::read(body.as_bytes());
        match classify(&Reply::of(status, None, body), members.as_ref(), presented, &provider, &[], 0) {
            Verdict::Refused(refusal) => (refusal.kind, refusal.text),
            Verdict::Unknown(cause) => panic!("unknown: {cause}"),
        }
    };
    let dead = "the provider no longer accepts this sign-in (HTTP 400, without a word)";
    let (told, refresh) = (EmptyRefusal::Dead, Presented::RefreshToken);
    assert_eq!(judged(told, 400, "", refresh), (INVALID_GRANT, dead.to_owned()));
    assert_eq!(judged(told, 400, " \r\n", refresh), (INVALID_GRANT, dead.to_owned()));
    for (meaning, status, body, presented) in [
        (EmptyRefusal::Operator, 400, "", refresh),
        (told, 401, "", refresh),
        (told, 404, "", refresh),
        (told, 400, "{}", refresh),
        (told, 400, "<html>", refresh),
        (told, 400, r#"{"error":"invalid_client"}"#, refresh),
        (told, 400, "", Presented::Code),
        (told, 400, "", Presented::DeviceCode),
    ] {
        assert_eq!(judged(meaning, status, body, presented).0, Operator, "{meaning:?} {status} {body}");
    }
}

/// G16, T8: numbers and codes that a descriptor calls passing are, and others are not.
#[test]
fn trouble_that_passes_is_known_by_the_descriptors_codes() {
    let mut provider = provider("https://id.example/token");
    provider.transient_codes = vec!["1002".to_owned(), "backend_busy".to_owned()];
    for (body, expected) in [
        (r#"{"status":"error","base_resp":{"status_code":1002,"status_msg":"too fast"}}"#, TRANSIENT),
        (r#"{"base_resp":{"status_code":1002}}"#, TRANSIENT),
        (r#"{"error":"BACKEND_BUSY"}"#, TRANSIENT),
        (r#"{"error":{"code":1002}}"#, TRANSIENT),
        (r#"{"base_resp":{"status_code":1004,"status_msg":"no such thing as that"}}"#, Operator),
        (r#"{"base_resp":{"status_code":10020}}"#, Operator),
        (r#"{"base_resp":{"status_code":1004,"status_msg":"rate limit"}}"#, TRANSIENT),
    ] {
        let members = Members::read(body.as_bytes());
        let reply = Reply::of(200, None, body);
        let verdict = classify(&reply, members.as_ref(), Presented::RefreshToken, &provider, &[], 0);
        assert!(
            matches!(&verdict, Verdict::Refused(refusal) if refusal.kind == expected),
            "{body}: {verdict:?}"
        );
    }
}

/// G16
#[test]
fn retry_after_is_passed_on() {
    let reply = Reply::of(429, Some("7"), "");
    let provider = provider("https://id.example/token");
    let verdict = classify(&reply, None, Presented::RefreshToken, &provider, &[], 0);
    let expected = RefusalKind::Transient { retry_after: Some(Duration::from_secs(7)) };
    assert!(matches!(verdict, Verdict::Refused(refusal) if refusal.kind == expected));
}

/// G16, G17
#[test]
fn codes_mean_what_they_say() {
    for (code, expected) in [
        ("invalid_grant", INVALID_GRANT),
        ("INVALID_GRANT", INVALID_GRANT),
        ("refresh_token_expired", INVALID_GRANT),
        ("bad_refresh_token", INVALID_GRANT),
        ("refresh_token_reused", REUSED),
        ("refresh_token_invalidated", REVOKED),
        ("token_revoked", REVOKED),
        ("temporarily_unavailable", TRANSIENT),
        ("server_error", TRANSIENT),
        ("slow_down", TRANSIENT),
        ("invalid_client", Operator),
        ("unauthorized_client", Operator),
        ("unsupported_grant_type", Operator),
        ("invalid_scope", Operator),
        ("invalid_request", Operator),
        ("never_heard_of", Operator),
    ] {
        for status in [200, 400, 401, 403] {
            let flat = format!(r#"{{"error":"{code}"}}"#);
            let nested = format!(r#"{{"error":{{"type":"x","code":"{code}","message":null}}}}"#);
            for body in [flat, nested, format!("error={code}")] {
                assert_eq!(kind(status, &body), Some(expected.clone()), "{status} {body}");
            }
        }
    }
}

/// G16: only "dead" asks people to sign in; what is not understood is not dead.
#[test]
fn an_unknown_refusal_is_the_operators() {
    for status in [301, 302, 308, 400, 401, 402, 403, 404, 405, 410, 418, 422] {
        for body in ["", "{}", "nope", r#"{"detail":"expired"}"#, r#"{"error":{"message":"revoked"}}"#, "[1]"]
        {
            assert_eq!(kind(status, body), Some(Operator), "{status} {body}");
        }
    }
    for status in [302, 400, 401, 404, 405] {
        assert_eq!(kind(status, "<html>Token was revoked, refresh token reused"), Some(Operator), "{status}");
    }
}

/// G16: in any case, in JSON, in nested causes.
#[test]
fn reuse_is_known_by_its_prose() {
    for body in [
        r#"{"error":"invalid_grant","error_description":"Refresh Token has ALREADY been used"}"#,
        r#"{"error":"invalid_grant","error_description":"token reuse detected"}"#,
        r#"{"error":"invalid_grant","error_description":"The token was already used."}"#,
        r#"{"error":{"message":"Your refresh token has already been used to generate a new access token."}}"#,
        r#"{"message":"unauthorized","cause":{"inner":[{"reason":"REFRESH-TOKEN_reused"}]}}"#,
        r#"{"error":"unauthorized","error_description":"{\"error\":{\"code\":\"refresh_token_reused\"}}"}"#,
        r#"{"error":"other","detail":"ticket spent  twice"}"#,
        "refresh_token_reused",
    ] {
        for status in [200, 400, 401, 403] {
            assert_eq!(kind(status, body), Some(REUSED), "{status} {body}");
        }
    }
}

/// G17: a list of what may have happened says nothing of what did.
#[test]
fn revocation_is_known_only_by_a_plain_statement() {
    for (text, expected) in [
        ("The token was revoked by the user", REVOKED),
        ("Refresh token has been revoked.", REVOKED),
        ("Token has been expired or revoked.", INVALID_GRANT),
        ("The token has expired or has been revoked", INVALID_GRANT),
        ("It may have been revoked", INVALID_GRANT),
        ("The grant is invalid, expired, revoked, does not match the redirection URI", INVALID_GRANT),
        ("Session not active", INVALID_GRANT),
    ] {
        let body = format!(r#"{{"error":"invalid_grant","error_description":"{text}"}}"#);
        assert_eq!(kind(400, &body), Some(expected), "{text}");
    }
}

/// G16: a code that was spent twice is no refresh token.
#[test]
fn reuse_is_only_said_of_refresh_tokens() {
    let body = r#"{"error":"invalid_grant","error_description":"code has already been used"}"#;
    assert_eq!(refusal(400, body, Presented::Code, &[]).kind, INVALID_GRANT);
    let body = r#"{"error":"bad_verification_code"}"#;
    assert_eq!(refusal(200, body, Presented::Code, &[]).kind, INVALID_GRANT);
    assert_eq!(refusal(200, body, Presented::RefreshToken, &[]).kind, Operator);
}

/// T10: the server's own words come apart from ours, by the same rule.
#[test]
fn the_servers_own_words_are_fit_to_show() {
    let secrets = [Secret::new("rt-1/2")];
    let own_words = |body: &str| {
        let refusal = refusal(401, body, Presented::Code, &secrets);
        refusal.own_words().map(str::to_owned)
    };
    for (body, said) in [
        (
            r#"{"error":"invalid_client","error_description":"bad rt-1%2F2 @here"}"#,
            "bad (secret) @\u{200b}here",
        ),
        (r#"{"error":{"code":"odd","message":"no <@1>"}}"#, "no (@\u{200b}1)"),
        (r#"{"error":"invalid_client"}"#, "invalid_client"),
        (r#"{"error":"x\nrt-1/2"}"#, "x (secret)"),
    ] {
        assert_eq!(own_words(body).as_deref(), Some(said), "{body}");
    }
    assert_eq!(own_words("<html>"), None);
}

/// T10
#[test]
fn what_people_read_is_fixed_by_code() {
    let secrets = [Secret::new("rt-1/2")];
    for (status, body, text) in [
        (429, "", "the provider asks us to slow down (HTTP 429)"),
        (503, r#"{"error_description":"rt-1/2"}"#, "the provider is out of order (HTTP 503)"),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"rt-1/2 is gone"}"#,
            "the provider no longer accepts this sign-in (invalid_grant)",
        ),
        (
            401,
            r#"{"error":"bad_refresh_token"}"#,
            "the provider no longer accepts this sign-in (bad_refresh_token)",
        ),
        (
            401,
            r#"{"error":"refresh_token_reused"}"#,
            "the provider saw the refresh token used twice and ended this sign-in",
        ),
        (
            401,
            r#"{"error":"invalid_client","error_description":"bad rt-1%2F2 @here"}"#,
            "the provider does not accept our client id or secret (invalid_client): bad (secret) @\u{200b}here",
        ),
        (302, "", "the endpoint redirects elsewhere, which is not followed: correct its address (HTTP 302)"),
        (404, "<html>", "the endpoint is not there: correct its address (HTTP 404)"),
        (418, r#"{"error":"x\ny"}"#, "the provider refuses the request (HTTP 418, x y)"),
        (400, "rt-1/2", "the provider refuses the request (HTTP 400)"),
    ] {
        let refusal = refusal(status, body, Presented::RefreshToken, &secrets);
        assert_eq!((refusal.text.as_str(), refusal.status), (text, status), "{body}");
    }
    let long = format!(r#"{{"error":"invalid_request","error_description":"{}"}}"#, "word ".repeat(400));
    assert_eq!(refusal(400, &long, Presented::RefreshToken, &[]).text.chars().count(), 200);
}
