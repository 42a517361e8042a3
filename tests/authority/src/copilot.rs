//! GitHub's exchange for Copilot: the token of the sign-in goes in by GET, one that lasts half an hour comes out.
//!
//! What must hold: only a GitHub token is exchanged, never a token that came out; only editors are answered.

use serde_json::{Map, Value, json};

use crate::incoming::Incoming;
use crate::ledger::millis;
use crate::reply::Reply;
use crate::settings::{Copilot, CopilotAccess};
use crate::state::State;
use crate::token_reply::overlay;
use crate::{Authority, Endpoint};

/// The client id that Copilot's editors use; registered from the start.
pub const COPILOT_CLIENT: &str = "Iv1.b507a08c87ecfe98";

/// What every token that came out of an exchange begins with.
pub(crate) const DERIVED: &str = "tid=";

/// Answers the exchange.
pub(crate) fn exchange(state: &mut State, incoming: &Incoming) -> Reply {
    if incoming.method != "GET" {
        return problem(405, "Method Not Allowed");
    }
    if incoming.header("user-agent").is_none() {
        return problem(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
        );
    }
    if incoming.header("editor-version").is_none() {
        return problem(400, "bad request: missing Editor-Version header for IDE auth");
    }
    let shown = incoming.header("authorization").and_then(github_token).map(str::to_owned);
    let now = state.now();
    let Some(grant) = shown.and_then(|token| state.ledger.accepts(&token, now)) else {
        return problem(401, "Bad credentials");
    };
    let Copilot { access, lifetime, extra } = state.settings.copilot.clone();
    match access {
        CopilotAccess::Plan => {}
        CopilotAccess::NoPlan => {
            let body = json!({
                "can_signup_for_limited": false,
                "error_details": {
                    "message": "No access to GitHub Copilot found. You are currently logged in as somebody.",
                    "notification_id": "not_signed_up",
                    "title": "Sign up for GitHub Copilot",
                    "url": "https://github.com/github-copilot/signup",
                },
                "message": "Resource not accessible by integration",
            });
            return Reply::json(403, &body).named("not_signed_up");
        }
        CopilotAccess::NotFound => return problem(404, "Not Found"),
    }
    let expires = now + millis(lifetime);
    let token = format!(
        "{DERIVED}{};exp={};sku=monthly_subscriber;chat=1;8kp=1:{}",
        state.secrets.fresh("tid"),
        expires / 1000,
        state.secrets.fresh("mac"),
    );
    state.secrets.note(&token);
    state.ledger.derive(grant, &token, now, expires);
    let mut body = Map::new();
    let api = format!("{}/copilot", state.origin);
    let members = json!({
        "token": token,
        "expires_at": expires / 1000,
        "refresh_in": lifetime.as_secs().saturating_sub(300),
        "endpoints": {"api": api, "proxy": state.origin, "telemetry": state.origin},
        "sku": "monthly_subscriber",
        "individual": true,
        "chat_enabled": true,
        "organization_list": null,
        "limited_user_quotas": null,
    });
    if let Value::Object(members) = members {
        body.extend(members);
    }
    overlay(&mut body, &extra);
    Reply::json(200, &Value::Object(body))
}

/// The token in an `Authorization` header, by either scheme that GitHub takes; none that an exchange brought.
pub(crate) fn github_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("token") || scheme.eq_ignore_ascii_case("bearer");
    (known && !token.starts_with(DERIVED)).then_some(token)
}

/// An error as GitHub's API spells it.
pub(crate) fn problem(status: u16, message: &str) -> Reply {
    let body = json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string()});
    Reply::json(status, &body).named(message)
}

impl Authority {
    /// Where Copilot's tokens are to be had.
    #[must_use]
    pub fn copilot_url(&self) -> String {
        self.url("/copilot_internal/v2/token")
    }

    /// Exchanges that arrived, refused ones included.
    #[must_use]
    pub fn copilot_exchanges(&self) -> usize {
        self.requests_to(Endpoint::CopilotToken).len()
    }
}
