//! The token endpoint: codes, refresh tokens and device codes become tokens (RFC 6749, RFC 7636, RFC 8628).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::device;
use crate::incoming::{BodyKind, Incoming};
use crate::ledger::{End, Refused};
use crate::person::Client;
use crate::reply::Reply;
use crate::settings::{Bodies, ReuseError};
use crate::state::State;
use crate::token_reply::{self, Occasion};
use crate::user_code_grant::{self, USER_CODE};

/// The grant type of the device flow.
pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Answers a request to the token endpoint.
pub(crate) fn answer(state: &mut State, incoming: &Incoming) -> Reply {
    let reply = decide(state, incoming);
    if state.settings.status_replies { user_code_grant::with_status(state, reply) } else { reply }
}

fn decide(state: &mut State, incoming: &Incoming) -> Reply {
    if incoming.method != "POST" {
        return Reply::error(405, "invalid_request", "POST only").header("allow", "POST");
    }
    for name in ["code", "refresh_token", "device_code", "code_verifier", "client_secret"] {
        state.secrets.note(incoming.field(name).unwrap_or_default());
    }
    let readable = matches!(
        (incoming.body, state.settings.bodies),
        (BodyKind::Form, Bodies::Form | Bodies::Either) | (BodyKind::Json, Bodies::Json | Bodies::Either)
    );
    if !readable {
        return Reply::error(400, "invalid_request", "the body is not in a form that is taken here");
    }
    if !incoming.query.is_empty() {
        return Reply::error(400, "invalid_request", "parameters belong into the body");
    }
    if let Some(name) = Incoming::duplicate(&incoming.form) {
        return Reply::error(400, "invalid_request", &format!("{name} was sent twice"));
    }
    let client = match state.authenticate(incoming) {
        Ok(client) => client,
        Err(reply) => return reply,
    };
    match incoming.field("grant_type") {
        Some("authorization_code") => exchange(state, incoming, &client),
        Some("refresh_token") => refresh(state, incoming, &client),
        Some(DEVICE_CODE) => device::poll(state, incoming, &client, "device_code"),
        Some(USER_CODE) => device::poll(state, incoming, &client, "user_code"),
        Some(_) => Reply::error(400, "unsupported_grant_type", "this grant type is not served"),
        None => Reply::error(400, "invalid_request", "grant_type is missing"),
    }
}

fn exchange(state: &mut State, incoming: &Incoming, client: &Client) -> Reply {
    let Some(text) = incoming.field("code") else {
        return Reply::error(400, "invalid_request", "code is missing");
    };
    let invalid = |why: &str| Reply::error(400, "invalid_grant", why);
    let Some(code) = state.codes.get(text).cloned() else {
        return invalid("the code is unknown");
    };
    if let Some(grant) = code.spent {
        state.ledger.end(grant, End::Revoked);
        return invalid("the code was used before");
    }
    if code.request.client != client.id {
        return invalid("the code belongs to another client");
    }
    if code.expires <= state.now() {
        return invalid("the code has expired");
    }
    if incoming.field("redirect_uri") != Some(code.request.redirect_uri.as_str()) {
        return invalid("redirect_uri differs from the authorization request");
    }
    let Some(verifier) = incoming.field("code_verifier") else {
        return Reply::error(400, "invalid_request", "code_verifier is missing");
    };
    if !well_formed(verifier) {
        return Reply::error(400, "invalid_request", "code_verifier is malformed");
    }
    if challenge_of(verifier) != code.request.challenge {
        return invalid("code_verifier does not match the challenge");
    }
    let now = state.now();
    let grant = state.ledger.open(&client.id, &code.person, &code.request.scopes, &state.settings);
    state.codes.entry(text.to_owned()).and_modify(|code| code.spent = Some(grant));
    let issued = state.ledger.issue(grant, &state.settings, &mut state.secrets, now);
    token_reply::granted(state, &issued, Occasion::SignIn(code.request.nonce.as_deref()))
}

fn refresh(state: &mut State, incoming: &Incoming, client: &Client) -> Reply {
    let Some(token) = incoming.field("refresh_token") else {
        return Reply::error(400, "invalid_request", "refresh_token is missing");
    };
    if let (Some(wanted), Some(grant)) = (incoming.field("scope"), state.ledger.grant_of(token)) {
        let held = &state.ledger.grant(grant).scopes;
        if !wanted.split_ascii_whitespace().all(|scope| held.iter().any(|has| has == scope)) {
            return Reply::error(400, "invalid_scope", "more scopes than were granted");
        }
    }
    let now = state.now();
    match state.ledger.refresh(token, &client.id, &state.settings, &mut state.secrets, now) {
        Ok(issued) => token_reply::granted(state, &issued, Occasion::Refresh),
        Err(Refused::Reused) => reused(state.settings.reuse_error),
        Err(Refused::Unknown | Refused::OtherClient | Refused::Ended(_)) => {
            Reply::error(400, "invalid_grant", &state.settings.dead_words)
        }
    }
}

fn reused(spelling: ReuseError) -> Reply {
    match spelling {
        ReuseError::Plain => Reply::error(400, "invalid_grant", "the refresh token is not valid"),
        ReuseError::Prose => {
            Reply::error(400, "invalid_grant", "Refresh token has already been used; sign in again.")
        }
        ReuseError::Nested => Reply::json(
            401,
            &json!({"error": {
                "message": "Your refresh token has already been used to generate a new access token. Sign in again.",
                "type": "invalid_request_error",
                "param": null,
                "code": "refresh_token_reused",
            }}),
        )
        .named("refresh_token_reused"),
        ReuseError::ProseOnly => {
            Reply::json(400, &json!({"message": "This refresh token was already used."})).named("reused")
        }
    }
}

/// The S256 challenge of a verifier (RFC 7636, section 4.2).
pub(crate) fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

pub(crate) fn well_formed(verifier: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_the_one_of_the_standard() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(well_formed(verifier));
        assert_eq!(challenge_of(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
