//! What must hold for whatever an authorization server answers, and whatever somebody pastes.

use serde_json::{Map, Value};

use super::answer::{self, AnswerError, Expected};
use super::http::Reply;
use super::refusal::{Presented, RefusalKind};
use super::token::{Outcome, judge};
use crate::provider::{PasteShape, Provider};
use crate::secret::Secret;

/// The refresh token of the request; the seeds have servers repeat it.
const PRESENTED: &str = "rt-presented-0123456789/+=";
const STATUSES: [u16; 12] = [200, 201, 204, 302, 400, 401, 403, 404, 429, 500, 502, 503];
const NOW: i64 = 1_800_000_000;

/// T8, T10, G16, Z1: every answer has one meaning; what is printed of it shows neither what was presented nor what was
/// granted. The first byte says which status and request, the rest is the body.
///
/// # Panics
/// When one of these does not hold.
pub fn token_reply(provider: &Provider, bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let status = STATUSES[usize::from(first / 4) % STATUSES.len()];
    let presented =
        [Presented::RefreshToken, Presented::Code, Presented::DeviceCode][usize::from(first % 4).min(2)];
    let outcome = judged(provider, status, presented, body);
    assert!(outcome == judged(provider, status, presented, body), "one answer has two meanings");
    let shown = format!("{outcome} {outcome:?}");
    match &outcome {
        Outcome::Granted(grant) => {
            assert!((200..300).contains(&status), "a failure grants");
            assert!(!grant.access_token.is_empty(), "an empty token is granted");
            let tokens = [Some(&grant.access_token), grant.refresh_token.as_ref(), grant.id_token.as_ref()];
            let printable = |token: &&Secret| token.expose().bytes().all(|b| b.is_ascii_graphic());
            assert!(tokens.into_iter().flatten().all(|token| printable(&token)), "a token cannot be sent");
            shows_no_token(provider, status, presented, body);
        }
        Outcome::Refused(refusal) => {
            assert!(!shown.contains(PRESENTED), "what was presented is shown: {shown}");
            assert!(refusal.text.chars().count() <= 200 && !refusal.text.chars().any(char::is_control));
            let dead = matches!(refusal.kind, RefusalKind::Dead(_));
            assert!(!dead || status < 500, "a server that fails ends a sign-in");
        }
        Outcome::Unknown(_) => assert!(!shown.contains(PRESENTED), "what was presented is shown: {shown}"),
        Outcome::NotSent(_) => panic!("an answer to what was not sent"),
    }
}

fn judged(provider: &Provider, status: u16, presented: Presented, body: &[u8]) -> Outcome {
    let mut reply = Reply::of(status, None, "");
    reply.body = Some(body.to_vec());
    judge(&reply, presented, provider, &[Secret::new(PRESENTED)], NOW)
}

/// Two grants that differ in their tokens alone are printed alike.
fn shows_no_token(provider: &Provider, status: u16, presented: Presented, body: &[u8]) {
    let Ok(members) = serde_json::from_slice::<Map<String, Value>>(body) else { return };
    let with = |token: &str| {
        let mut members = members.clone();
        for name in ["access_token", "refresh_token"] {
            members.entry(name).and_modify(|value| *value = token.into());
        }
        let body = Value::Object(members).to_string();
        format!("{:?}", judged(provider, status, presented, body.as_bytes()))
    };
    assert!(with("one") == with("another-token"), "a token is shown");
}

/// The state of the login under way.
const STATE: &str = "st4te-of-this-login_0123456789";
const REDIRECTS: [&str; 3] =
    ["http://127.0.0.1:8765/cb", "https://id.example/code/callback", "com.example.app:/oauth"];

/// T2, T3, C11: a code comes out only of an answer to this login, at this address. The first byte says what is expected,
/// the rest is the text.
///
/// # Panics
/// When that does not hold.
pub fn pasted_answer(bytes: &[u8]) {
    let Some((first, text)) = bytes.split_first() else { return };
    let pasted = String::from_utf8_lossy(text);
    let shape = [PasteShape::Url, PasteShape::CodeHashState, PasteShape::Code][usize::from(first % 3)];
    let redirect_uri = REDIRECTS[usize::from(first / 3) % REDIRECTS.len()];
    let (ours, others) = (Secret::new(STATE), Secret::new("another-state"));
    let issuer = (first & 0x80 != 0).then_some("https://id.example");
    let at = |redirect_uri, state| {
        answer::parse(&pasted, shape, &Expected { redirect_uri, state, issuer, issuer_promised: false })
    };
    let Ok(code) = at(redirect_uri, &ours) else { return };
    assert!(!code.is_empty() && code.expose().bytes().all(|b| b.is_ascii_graphic()), "no code at all");
    let text: String = pasted.chars().filter(|c| !c.is_whitespace()).collect();
    let has_no_address = !["code=", "state=", "error="].iter().any(|part| text.contains(part))
        && text.split(['?', '#']).next().is_none_or(|start| !start.contains("://"));
    // The other login has another state: to it this is no answer, unless the page shows nothing but the code.
    let elsewhere = at(redirect_uri, &others);
    let bare = shape == PasteShape::Code && has_no_address && !text.contains('#');
    assert!(bare || elsewhere == Err(AnswerError::StateMismatch), "an answer to any login: {elsewhere:?}");
    // At any other address it is no answer, unless it has none.
    for other in ["http://127.0.0.1:8766/cb", "http://127.0.0.1:8765/other", "https://else.example/cb"] {
        assert!(has_no_address || at(other, &ours).is_err(), "an answer at any address");
    }
}
