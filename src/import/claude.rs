//! Claude Code: `{claudeAiOauth: {accessToken, refreshToken, expiresAt (milliseconds), scopes, subscriptionType}}`.

use serde_json::Value;

use super::json::Node;
use super::{Found, ImportError, Tokens};

const SIGN_IN: &str = "claudeAiOauth";

pub(super) fn read(root: &Value) -> Result<Vec<Found>, ImportError> {
    let root = Node::of("", root)?;
    let mut found = Vec::new();
    if let Some(kept) = root.object(SIGN_IN)? {
        found.push(match kept.secret("accessToken")? {
            Some(access_token) => {
                let mut tokens = Tokens::new("claude", access_token);
                tokens.refresh_token = kept.secret("refreshToken")?;
                tokens.expires_at = kept.stamp("expiresAt", 1_000)?;
                tokens.scopes = kept.scopes("scopes")?;
                tokens.found(SIGN_IN)
            }
            None => Found::left_out(SIGN_IN, "it has no access token"),
        });
    }
    for (name, _) in root.members().filter(|(name, _)| *name != SIGN_IN) {
        found.push(Found::left_out(name, "it is no sign-in to Claude"));
    }
    Ok(found)
}
