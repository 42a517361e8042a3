//! The userinfo endpoint: whose an access token is (`OpenID` Connect Core, section 5.3), in the spellings of the field.

use serde_json::{Value, json};

use crate::Authority;
use crate::copilot::{github_token, problem};
use crate::incoming::Incoming;
use crate::person::Person;
use crate::reply::Reply;
use crate::settings::UserinfoShape;
use crate::state::State;
use crate::token_reply::overlay;

/// Answers the userinfo endpoint.
pub(crate) fn answer(state: &State, incoming: &Incoming) -> Reply {
    if incoming.method != "GET" {
        return Reply::empty(405);
    }
    let shown = incoming.header("authorization").and_then(|header| match state.settings.userinfo {
        UserinfoShape::GitHub => github_token(header),
        UserinfoShape::OpenId | UserinfoShape::Google => header.strip_prefix("Bearer "),
    });
    let Some(grant) = shown.and_then(|token| state.ledger.accepts(token, state.now())) else {
        return match state.settings.userinfo {
            UserinfoShape::GitHub => problem(401, "Bad credentials"),
            UserinfoShape::Google => Reply::json(
                401,
                &json!({"error": {"code": 401, "message": "Request is missing required authentication credential.",
                    "status": "UNAUTHENTICATED"}}),
            ),
            UserinfoShape::OpenId => Reply::error(401, "invalid_token", "the access token is not valid")
                .header("www-authenticate", "Bearer error=\"invalid_token\""),
        };
    };
    let person = &state.ledger.grant(grant).person;
    let mut body = match state.settings.userinfo {
        UserinfoShape::OpenId => json!({"sub": person.sub, "email": person.email, "email_verified": true}),
        UserinfoShape::Google => {
            json!({"id": person.sub, "email": person.email, "verified_email": true, "picture": "https://example.test/p"})
        }
        // Most people keep their address to themselves.
        UserinfoShape::GitHub => {
            json!({"login": person.sub, "id": person.number(), "type": "User", "email": null})
        }
    };
    if let Value::Object(members) = &mut body {
        overlay(members, &state.settings.userinfo_extra);
    }
    Reply::json(200, &body)
}

impl Person {
    /// The number that GitHub knows this person by.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.sub.bytes().fold(1_000_000, |number, byte| number * 31 % 9_000_000 + u64::from(byte))
    }
}

impl Authority {
    /// The userinfo endpoint.
    #[must_use]
    pub fn userinfo_endpoint(&self) -> String {
        self.url("/userinfo")
    }
}
