//! Claude Code's `.credentials.json`.
//!
//! Owns what Claude Code is told there. Without a refresh token it asks no token endpoint, whatever the time; after a refusal
//! it reads the file again. Must not: leave a refresh token beside our access token, or touch the sign-ins to MCP servers that
//! stand in the same file.

use serde_json::Value;

use super::edit::{self, Edit, Fed, Offer, Refusal};

const SIGN_IN: &str = "claudeAiOauth";
const REFRESH_TOKEN: &str = "refreshToken";
const SCOPES: &str = "scopes";
/// What the token must be good for at the least: without it Claude Code takes nobody for signed in.
const INFERENCE: &str = "user:inference";

pub(super) fn put(text: Option<&str>, offer: &Offer) -> Result<Fed, Refusal> {
    let mut file = edit::members(text)?;
    let mut kept = edit::object(&file, SIGN_IN)?.unwrap_or_default();
    let held_refresh_token = kept.holds(REFRESH_TOKEN);
    kept.set("accessToken", &Value::from(offer.access_token.expose()));
    kept.set(REFRESH_TOKEN, &Value::from(""));
    // In milliseconds.
    kept.set("expiresAt", &Value::from(offer.expires_at.map(|at| at.saturating_mul(1_000))));
    if !offer.scopes.is_empty() {
        kept.set(SCOPES, &Value::from(offer.scopes.clone()));
    } else if !kept.holds(SCOPES) {
        kept.set(SCOPES, &Value::from(vec![INFERENCE]));
    }
    edit::mark(&mut kept);
    file.set_object(SIGN_IN, &kept);
    Ok(Fed { edit: edit::edit(&file), held_refresh_token })
}

/// Takes what [`put`] put there out again.
pub(super) fn take_out(text: &str) -> Result<Edit, Refusal> {
    let mut file = edit::members(Some(text))?;
    if edit::object(&file, SIGN_IN)?.is_some_and(|kept| edit::is_ours(&kept, REFRESH_TOKEN)) {
        file.remove(SIGN_IN);
    }
    Ok(edit::edit(&file))
}

/// Whether a refresh token stands there.
pub(super) fn holds_refresh_token(text: &str) -> Result<bool, Refusal> {
    let kept = edit::object(&edit::members(Some(text))?, SIGN_IN)?;
    Ok(kept.is_some_and(|kept| kept.holds(REFRESH_TOKEN)))
}

#[cfg(test)]
mod tests;
