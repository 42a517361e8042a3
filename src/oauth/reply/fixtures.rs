//! The odd replies of the field, each on a line: where it was seen (or what is odd about it), what it said, and what it is
//! read as (T8).
//!
//! Owns the table. A reply that a server is found to give is written down here before the reader is changed. Times count
//! from [`NOW`]; `R`, `C` and `D` are what was asked with: a refresh token, a code, a poll of a device login; `S` is the start
//! of one.

use std::fmt::Write as _;

use crate::oauth::device;
use crate::oauth::http::Reply;
use crate::oauth::refusal::{Presented, RefusalKind};
use crate::oauth::token::testing::provider;
use crate::oauth::token::{Grant, Outcome, judge};
use crate::oauth::{DeviceOutcome, DeviceStart, UnknownCause};

/// 2025-11-21T14:13:20Z
const NOW: i64 = 1_763_734_400;

type Fixture = (&'static str, char, u16, &'static str, &'static str);

#[rustfmt::skip]
const TABLE: &[Fixture] = &[
    // The standard, to compare with.
    ("RFC 6749 5.1", 'R', 200, r#"{"access_token":"at","token_type":"Bearer","expires_in":3600,"refresh_token":"rt","scope":"a b"}"#, "at rt Bearer [a b] +3600"),
    ("RFC 6749 5.2", 'R', 400, r#"{"error":"invalid_grant","error_description":"gone"}"#, "dead InvalidGrant: invalid_grant, gone"),
    // Successes that look otherwise.
    ("created, not OK", 'C', 201, r#"{"access_token":"at","token_type":"Bearer","expires_in":60}"#, "at - Bearer ? +60"),
    ("no token type", 'C', 200, r#"{"access_token":"at","expires_in":60}"#, "at - Bearer ? +60"),
    ("GitHub", 'D', 200, r#"{"access_token":"at","token_type":"bearer","scope":"repo,read:org"}"#, "at - Bearer [repo read:org] ?"),
    ("GitHub without Accept", 'D', 200, "access_token=at&scope=repo%2Cuser&token_type=bearer", "at - Bearer [repo user] ?"),
    ("Shopify", 'C', 200, r#"{"access_token":"at","scope":"write_orders,read_customers"}"#, "at - Bearer [write_orders read_customers] ?"),
    ("Twitch", 'R', 200, r#"{"access_token":"at","refresh_token":"rt","scope":["a","b"],"token_type":"bearer","expires_in":14000}"#, "at rt Bearer [a b] +14000"),
    ("a server that says scopes", 'R', 200, r#"{"access_token":"at","scopes":["a"]}"#, "at - Bearer [a] ?"),
    ("a DPoP server", 'R', 200, r#"{"access_token":"at","token_type":"DPoP"}"#, "at - DPoP ? ?"),
    ("Apigee", 'R', 200, r#"{"status":"approved","access_token":"at","expires_in":"3599","issued_at":"1763734400000","token_type":"BearerToken"}"#, "at - BearerToken ? +3599"),
    ("Qwen", 'D', 200, r#"{"status":"success","access_token":"at","refresh_token":"rt","token_type":"Bearer","resource_url":"portal.qwen.ai","expires_in":21600}"#, "at rt Bearer ? +21600"),
    ("MiniMax", 'D', 200, r#"{"status":"success","access_token":"at","refresh_token":"rt","expired_in":1763738000000,"resource_url":"https://api.minimax.io"}"#, "at rt Bearer ? +3600"),
    ("MiniMax, as its clients fear", 'R', 200, r#"{"status":"success","access_token":"at","refresh_token":"rt","expired_in":1763738000}"#, "at rt Bearer ? +3600"),
    ("MiniMax, as its clients hope", 'R', 200, r#"{"status":"success","access_token":"at","expired_in":900,"base_resp":{"status_code":0,"status_msg":"success"}}"#, "at - Bearer ? +900"),
    // Lifetimes.
    ("Azure AD v1", 'R', 200, r#"{"access_token":"at","expires_in":"3599","expires_on":"1763737999"}"#, "at - Bearer ? +3599"),
    ("Azure managed identity", 'R', 200, r#"{"access_token":"at","expires_on":"1763738000"}"#, "at - Bearer ? +3600"),
    ("a float", 'R', 200, r#"{"access_token":"at","expires_in":3600.5}"#, "at - Bearer ? +3600"),
    ("a float as text", 'R', 200, r#"{"access_token":"at","expires_in":"3600.0"}"#, "at - Bearer ? +3600"),
    ("zero for never", 'R', 200, r#"{"access_token":"at","expires_in":0}"#, "at - Bearer ? ?"),
    ("minus one for never", 'R', 200, r#"{"access_token":"at","expires_in":-1}"#, "at - Bearer ? ?"),
    ("null", 'R', 200, r#"{"access_token":"at","expires_in":null}"#, "at - Bearer ? ?"),
    ("words", 'R', 200, r#"{"access_token":"at","expires_in":"never"}"#, "at - Bearer ? ?"),
    ("a boolean", 'R', 200, r#"{"access_token":"at","expires_in":true}"#, "at - Bearer ? ?"),
    ("68 years", 'R', 200, r#"{"access_token":"at","expires_in":2147483647}"#, "at - Bearer ? +2147483647"),
    ("all bits", 'R', 200, r#"{"access_token":"at","expires_in":18446744073709551615}"#, "at - Bearer ? end of time"),
    ("beyond all bits", 'R', 200, r#"{"access_token":"at","expires_in":1e300}"#, "at - Bearer ? end of time"),
    ("Strava", 'R', 200, r#"{"access_token":"at","expires_at":1763756000,"expires_in":21600}"#, "at - Bearer ? +21600"),
    ("GitHub Copilot", 'R', 200, r#"{"access_token":"at","expires_at":1763736200,"refresh_in":1500}"#, "at - Bearer ? +1800"),
    ("a time in milliseconds", 'R', 200, r#"{"access_token":"at","expires_at":1763738000000}"#, "at - Bearer ? +3600"),
    ("a date", 'R', 200, r#"{"access_token":"at","expires_at":"2025-11-21T15:13:20Z"}"#, "at - Bearer ? +3600"),
    ("a date elsewhere", 'R', 200, r#"{"access_token":"at","expires_at":"2025-11-21T16:13:20.125+01:00"}"#, "at - Bearer ? +3600"),
    ("over as it comes", 'R', 200, r#"{"access_token":"at","expires_at":1763734400}"#, "at - Bearer ? ?"),
    ("over since 1970", 'R', 200, r#"{"access_token":"at","expires_at":3600}"#, "at - Bearer ? ?"),
    ("MiniMax, over", 'R', 200, r#"{"status":"success","access_token":"at","expired_in":1763734399000}"#, "at - Bearer ? ?"),
    ("zero, and a time", 'R', 200, r#"{"access_token":"at","expires_in":0,"expires_at":1763738000}"#, "at - Bearer ? +3600"),
    // Tokens.
    ("line ends and blanks around tokens", 'R', 200, "{\"access_token\":\" at\\r\\n\",\"refresh_token\":\"\\trt \"}\r\n", "at rt Bearer ? ?"),
    ("a byte order mark", 'R', 200, "\u{feff}{\"access_token\":\"at\",\"expires_in\":60}", "at - Bearer ? +60"),
    ("said twice: the last word counts", 'R', 200, r#"{"access_token":"old","access_token":"at","expires_in":1,"expires_in":60}"#, "at - Bearer ? +60"),
    ("a form that says it twice", 'R', 200, "access_token=old&access_token=at", "at - Bearer ? ?"),
    ("blank refresh token", 'R', 200, r#"{"access_token":"at","refresh_token":""}"#, "at - Bearer ? ?"),
    ("null refresh token", 'R', 200, r#"{"access_token":"at","refresh_token":null}"#, "at - Bearer ? ?"),
    ("whole number", 'R', 200, r#"{"access_token":12345678901234567890}"#, "12345678901234567890 - Bearer ? ?"),
    ("a number that lost digits", 'R', 200, r#"{"access_token":12345678901234567890123}"#, "no token"),
    ("a space inside", 'R', 200, r#"{"access_token":"a t"}"#, "no token"),
    ("a line end inside", 'R', 200, r#"{"access_token":"a\nt"}"#, "no token"),
    ("a malformed refresh token spoils all", 'R', 200, r#"{"access_token":"at","refresh_token":"r t"}"#, "no token"),
    ("empty", 'R', 200, r#"{"access_token":""}"#, "no token"),
    ("null", 'R', 200, r#"{"access_token":null}"#, "no token"),
    ("an object", 'R', 200, r#"{"access_token":{"value":"at"}}"#, "no token"),
    ("another name is not guessed", 'R', 200, r#"{"token":"at"}"#, "no token"),
    ("camel case is not guessed", 'R', 200, r#"{"accessToken":"at"}"#, "no token"),
    ("a list", 'R', 200, r#"[{"access_token":"at"}]"#, "no token"),
    ("nothing", 'R', 200, "", "no token"),
    ("nothing, said plainly", 'R', 204, "", "no token"),
    ("half of it", 'R', 200, r#"{"access_token":"at","expi"#, "no token"),
    ("Qwen's firewall: a page with HTTP 200", 'R', 200, "<!doctype html><script>var arg1='x'</script>", "no token"),
    // Errors in all their places.
    ("GitHub: errors with HTTP 200", 'D', 200, r#"{"error":"authorization_pending","error_description":"still pending"}"#, "pending"),
    ("GitHub, the same in a form", 'D', 200, "error=authorization_pending&error_uri=https%3A%2F%2Fdocs.example", "pending"),
    ("GitHub", 'C', 200, r#"{"error":"bad_verification_code","error_description":"incorrect or expired"}"#, "dead InvalidGrant: bad_verification_code, incorrect or expired"),
    ("GitHub, refresh", 'R', 200, r#"{"error":"bad_refresh_token","error_description":"incorrect or expired"}"#, "dead InvalidGrant: bad_refresh_token, incorrect or expired"),
    ("GitHub", 'D', 200, r#"{"error":"incorrect_client_credentials"}"#, "operator: incorrect_client_credentials, -"),
    ("an error beside a token", 'R', 200, r#"{"access_token":"at","error":"invalid_grant"}"#, "dead InvalidGrant: invalid_grant, -"),
    ("an error that is none", 'R', 200, r#"{"access_token":"at","error":null,"errors":[]}"#, "at - Bearer ? ?"),
    ("OpenAI", 'R', 401, r#"{"error":{"message":"Your refresh token has already been used.","type":"invalid_request_error","param":null,"code":"refresh_token_reused"}}"#, "dead Reused: refresh_token_reused, Your refresh token has already been used."),
    ("OpenAI", 'R', 401, r#"{"error":{"code":"refresh_token_expired"}}"#, "dead InvalidGrant: refresh_token_expired, -"),
    ("Qwen, refresh", 'R', 400, r#"{"error":"invalid_request","error_description":"Invalid refresh token or client_id"}"#, "dead InvalidGrant: invalid_request, Invalid refresh token or client_id"),
    ("a request that is malformed", 'R', 400, r#"{"error":"invalid_request","error_description":"refresh_token is required"}"#, "operator: invalid_request, refresh_token is required"),
    ("MiniMax, client unknown", 'R', 400, r#"{"error":"invalid_request","error_description":"client_id is required"}"#, "operator: invalid_request, client_id is required"),
    ("MiniMax's older address", 'R', 307, "", "operator: -, -"),
    ("Google APIs", 'R', 400, r#"{"error":{"code":400,"message":"Bad","status":"INVALID_ARGUMENT"}}"#, "operator: 400, Bad"),
    ("Google", 'R', 400, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#, "dead InvalidGrant: invalid_grant, Token has been expired or revoked."),
    ("a list of errors", 'R', 400, r#"{"errors":[{"code":"invalid_grant","message":"gone"},{"code":"x"}]}"#, "dead InvalidGrant: invalid_grant, gone"),
    ("a list with HTTP 200", 'R', 200, r#"{"errors":[{"error":"invalid_client","detail":"who?"}]}"#, "operator: invalid_client, who?"),
    ("a list of texts", 'R', 400, r#"{"errors":["invalid_grant"]}"#, "dead InvalidGrant: invalid_grant, -"),
    ("camel case at the top", 'R', 400, r#"{"errorCode":"invalid_grant","message":"gone"}"#, "dead InvalidGrant: invalid_grant, gone"),
    ("MiniMax", 'R', 200, r#"{"status":"error","base_resp":{"status_code":1004,"status_msg":"invalid refresh token"}}"#, "dead InvalidGrant: invalid_refresh_token, invalid refresh token"),
    ("MiniMax, a number alone", 'R', 200, r#"{"status":"error","base_resp":{"status_code":2013}}"#, "operator: 2013, -"),
    ("MiniMax, prose", 'R', 200, r#"{"status":"error","base_resp":{"status_code":1,"status_msg":"this refresh token has already been used"}}"#, "dead Reused: 1, this refresh token has already been used"),
    ("MiniMax without a status", 'R', 200, r#"{"base_resp":{"status_code":1000,"status_msg":"unknown error, try later"}}"#, "operator: 1000, unknown error, try later"),
    ("failed, and not why", 'R', 200, r#"{"status":"failed"}"#, "operator: -, -"),
    ("a firewall's odd words", 'R', 403, r#"{"error":"blocked","detail":"region"}"#, "operator: blocked, region"),
    ("a firewall's page", 'R', 403, "<html>Attention Required! | Cloudflare</html>", "transient"),
    ("not a word", 'R', 400, "", "operator: -, -"),
    ("text", 'R', 400, "invalid request", "operator: -, -"),
    ("a proxy's page", 'R', 503, "<html><h1>503 Service Temporarily Unavailable</h1></html>", "transient"),
    ("a gateway's page", 'R', 502, "<html><h1>502 Bad Gateway</h1></html>", "gateway"),
    ("a page in place of an answer", 'R', 500, "<html>oops</html>", "gateway"),
    ("a failing server is no judge", 'R', 503, r#"{"error":"invalid_grant"}"#, "transient"),
    // Device logins.
    ("RFC 8628 3.5", 'D', 400, r#"{"error":"slow_down"}"#, "slow down"),
    ("Qwen", 'D', 429, r#"{"error":"slow_down","error_description":"polling too frequently"}"#, "slow down"),
    ("Google", 'D', 428, r#"{"error":"authorization_pending","error_description":"Precondition Required"}"#, "pending"),
    ("Microsoft", 'D', 400, r#"{"error":"authorization_declined"}"#, "denied"),
    ("Grok", 'D', 403, r#"{"error":"authorization_denied"}"#, "denied"),
    ("Google", 'D', 403, r#"{"error":"access_denied"}"#, "denied"),
    ("RFC 8628 3.5", 'D', 400, r#"{"error":"expired_token"}"#, "expired"),
    ("a nested code", 'D', 400, r#"{"error":{"code":"authorization_pending"}}"#, "pending"),
    ("a proxy's page", 'D', 503, "<html>503</html>", "back off"),
    ("Qwen's firewall: a page with HTTP 200", 'D', 200, "<!doctype html><script>var arg1='x'</script>", "back off"),
    ("a success that grants nothing", 'D', 200, "{}", "operator: -, -"),
    ("a poll of a code that is gone", 'D', 400, r#"{"error":"invalid_grant"}"#, "dead InvalidGrant: invalid_grant, -"),
    ("RFC 8628 3.2", 'S', 200, r#"{"device_code":"dc","user_code":"AB","verification_uri":"https://id.example/d","expires_in":1800,"interval":5}"#, "AB dc https://id.example/d +1800 each 5"),
    ("interval as text", 'S', 200, r#"{"device_code":"dc","user_code":"AB","verification_uri":"https://id.example/d","expires_in":"900","interval":"7"}"#, "AB dc https://id.example/d +900 each 7"),
    ("interval null", 'S', 200, r#"{"device_code":"dc","user_code":"AB","verification_uri":"https://id.example/d","interval":null}"#, "AB dc https://id.example/d ? each 5"),
    ("interval 0", 'S', 200, r#"{"device_code":"dc","user_code":"AB","verification_uri":"https://id.example/d","interval":0}"#, "AB dc https://id.example/d ? each 3"),
    ("a user code of digits", 'S', 201, r#"{"device_code":"dc","user_code":123456,"verification_uri":"https://id.example/d"}"#, "123456 dc https://id.example/d ? each 5"),
    ("Google's verification_url", 'S', 200, r#"{"device_code":"dc","user_code":"AB","verification_url":"https://id.example/d"}"#, "AB dc https://id.example/d ? each 5"),
    ("a time for a lifetime", 'S', 200, r#"{"device_code":"dc","user_code":"AB","verification_uri":"https://id.example/d","expires_at":"2025-11-21T14:28:20Z"}"#, "AB dc https://id.example/d +900 each 5"),
    ("GitHub, switched off", 'S', 200, r#"{"error":"device_flow_disabled"}"#, "device sign-in is switched off at Acme: choose another way"),
    ("a list of errors", 'S', 200, r#"{"errors":[{"code":"invalid_client"}]}"#, "the provider does not accept our client id or secret (invalid_client)"),
    ("MiniMax", 'S', 200, r#"{"base_resp":{"status_code":2013,"status_msg":"invalid params"}}"#, "the provider refuses the request (HTTP 200, invalid_params): invalid params"),
];

/// T8, T9, G16
#[test]
fn each_odd_reply_of_the_field_has_its_reading() {
    let mut wrong = String::new();
    for (seen_at, asked, status, body, expected) in TABLE {
        let found = reading(*asked, &Reply::of(*status, None, body));
        if found != *expected {
            let _ =
                writeln!(wrong, "{seen_at}: {status} {body}\n  is read as {found}\n  and not as {expected}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// T8: a name says where it was seen; one that stands twice beside the same reply says it twice.
#[test]
fn no_reply_is_written_down_twice() {
    let mut seen = std::collections::BTreeSet::new();
    for (seen_at, asked, status, body, _) in TABLE {
        assert!(!seen_at.is_empty() && seen.insert((asked, status, body)), "{seen_at}: {status} {body}");
    }
}

fn reading(asked: char, reply: &Reply) -> String {
    let provider = provider("https://id.example/token");
    let presented = match asked {
        'R' => Presented::RefreshToken,
        'C' => Presented::Code,
        'D' => return polled(device::sort(reply, &provider, &[], NOW)),
        _ => {
            return device::read_start(reply, &provider, NOW)
                .map_or_else(|error| error.to_string(), |start| started(&start));
        }
    };
    outcome(judge(reply, presented, &provider, &[], NOW))
}

fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Granted(grant) => granted(&grant),
        Outcome::Refused(refusal) => {
            let words = format!(
                "{}, {}",
                refusal.code.as_deref().unwrap_or("-"),
                refusal.said.as_deref().unwrap_or("-")
            );
            match refusal.kind {
                RefusalKind::Transient { .. } => "transient".to_owned(),
                RefusalKind::Dead(reason) => format!("dead {reason:?}: {words}"),
                RefusalKind::NoAccess => format!("no access: {words}"),
                RefusalKind::Operator => format!("operator: {words}"),
            }
        }
        Outcome::Unknown(UnknownCause::NoToken { .. }) => "no token".to_owned(),
        Outcome::Unknown(UnknownCause::Gateway { .. }) => "gateway".to_owned(),
        other => format!("{other:?}"),
    }
}

fn granted(grant: &Grant) -> String {
    let expires = match grant.expires_at {
        None => "?".to_owned(),
        Some(i64::MAX) => "end of time".to_owned(),
        Some(at) => format!("+{}", at - NOW),
    };
    format!(
        "{} {} {} {} {expires}",
        grant.access_token.expose(),
        grant.refresh_token.as_ref().map_or("-", |token| token.expose()),
        grant.token_type,
        grant.scopes.as_ref().map_or("?".to_owned(), |scopes| format!("[{}]", scopes.join(" "))),
    )
}

fn polled(polled: DeviceOutcome) -> String {
    match polled {
        DeviceOutcome::Pending => "pending".to_owned(),
        DeviceOutcome::SlowDown => "slow down".to_owned(),
        DeviceOutcome::Denied => "denied".to_owned(),
        DeviceOutcome::Expired => "expired".to_owned(),
        DeviceOutcome::BackOff { .. } => "back off".to_owned(),
        DeviceOutcome::Granted(grant) => granted(&grant),
        DeviceOutcome::Failed(refusal) => outcome(Outcome::Refused(refusal)),
        code @ DeviceOutcome::Code { .. } => format!("{code:?}"),
    }
}

fn started(start: &DeviceStart) -> String {
    let expires = start.expires_in.map_or("?".to_owned(), |seconds| format!("+{seconds}"));
    format!(
        "{} {} {} {expires} each {}",
        start.user_code,
        start.device_code.expose(),
        start.verification_uri,
        start.interval
    )
}
