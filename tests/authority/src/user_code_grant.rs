//! `MiniMax`'s grant by user code: the start, and replies that say in `status` how it stands.
//!
//! What must hold: the user code is all that a poll presents, so it is worth nothing without the verifier; an answer of the
//! token endpoint has HTTP status 200 whatever it says. The login itself, its page and its polls are those of `device`.

use serde_json::{Map, Value, json};

use crate::device::{self, challenge, challenged, enter};
use crate::incoming::{BodyKind, Incoming};
use crate::ledger::millis;
use crate::reply::Reply;
use crate::settings::ExpiredIn;
use crate::state::State;

/// The grant type of its polls.
pub(crate) const USER_CODE: &str = "urn:ietf:params:oauth:grant-type:user_code";

/// Answers the start: a challenge and a state become a user code, the page, and the same state.
pub(crate) fn start(state: &mut State, incoming: &Incoming) -> Reply {
    if incoming.method != "POST" || incoming.body != BodyKind::Form {
        return refused("invalid_request", "POST with a form-encoded body only");
    }
    if incoming.field("response_type") != Some("code") {
        return refused("unsupported_response_type", "response_type must be code");
    }
    let Some(client) = incoming.field("client_id").and_then(|id| state.client(id)) else {
        return refused("invalid_client", "unknown client");
    };
    let Some(echo) = incoming.field("state").map(str::to_owned) else {
        return refused("invalid_request", "state is missing");
    };
    let challenge = match challenge(incoming, true) {
        Ok(challenge) => challenge,
        Err(why) => return refused("invalid_request", why),
    };
    state.secrets.note(&echo);
    let user_code = enter(state, None, &client.id, device::scopes(incoming));
    challenged(state, &user_code, challenge);
    let page = state.url("/device");
    let page = if state.settings.complete_uri { format!("{page}?user_code={user_code}") } else { page };
    let mut body = json!({
        "user_code": user_code,
        "verification_uri": page,
        "expired_in": expired_in(state, millis(state.settings.device_lifetime)),
        "state": echo,
    });
    device::finish(&mut body, state);
    Reply::json(200, &body)
}

/// An answer of the token endpoint in this dialect.
pub(crate) fn with_status(state: &State, reply: Reply) -> Reply {
    let members = serde_json::from_slice(&reply.body).unwrap_or_else(|_| Map::new());
    let Some(code) = reply.error else {
        let mut body = Map::from_iter([("status".to_owned(), "success".into())]);
        body.insert("expired_in".into(), expired_in(state, millis(state.settings.access_lifetime)).into());
        body.extend(members);
        return Reply::json(200, &Value::Object(body));
    };
    // How its server tells one that polls too fast is not known: here it is told nothing, and counted.
    let status = if ["authorization_pending", "slow_down"].contains(&&*code) { "pending" } else { "error" };
    let said = members.get("error_description").and_then(Value::as_str).unwrap_or_default();
    let said = match said {
        _ if status == "pending" => "success",
        // Its clients look for these words.
        "the refresh token is not valid" => "invalid refresh token",
        said => said,
    };
    let number = if status == "pending" { 0 } else { 1004 };
    let body = json!({"status": status, "base_resp": {"status_code": number, "status_msg": said}});
    Reply::json(200, &body).named(&code)
}

fn refused(code: &str, why: &str) -> Reply {
    Reply::json(200, &json!({"base_resp": {"status_code": 2013, "status_msg": why}})).named(code)
}

fn expired_in(state: &State, lifetime: i64) -> i64 {
    match state.settings.expired_in {
        ExpiredIn::Millis => state.now() + lifetime,
        ExpiredIn::Seconds => (state.now() + lifetime) / 1000,
        ExpiredIn::Relative => lifetime / 1000,
    }
}
