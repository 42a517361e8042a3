//! codex: `{auth_mode?, OPENAI_API_KEY?, tokens: {id_token, access_token, refresh_token, account_id}, last_refresh}`.

use serde_json::Value;

use super::json::Node;
use super::{Found, ImportError, Tokens};

const PROVIDER: &str = "codex";
const KEY: &str = "OPENAI_API_KEY";

pub(super) fn read(root: &Value) -> Result<Vec<Found>, ImportError> {
    let root = Node::of("", root)?;
    let by_key = root.text("auth_mode")?.is_some_and(|mode| mode.eq_ignore_ascii_case("apikey"));
    let key = root.secret(KEY)?;
    let mut found = Vec::new();
    let tokens = match root.object("tokens")? {
        Some(tokens) => sign_in(&root, &tokens)?,
        None => None,
    };
    if root.has("tokens") && tokens.is_none() {
        found.push(Found::left_out("tokens", "it has no access token"));
    }
    // One slot, one credential: the one that codex itself uses.
    let use_key = key.is_some() && (by_key || tokens.is_none());
    if let Some(tokens) = tokens {
        found.push(if use_key {
            Found::left_out("tokens", "codex is set to use its API key, and a slot holds one of the two")
        } else {
            tokens.found("tokens")
        });
    }
    if let Some(key) = key {
        found.push(if use_key {
            Tokens::key(PROVIDER, key).found(KEY)
        } else {
            Found::left_out(KEY, "codex uses its sign-in, and a slot holds one of the two")
        });
    }
    Ok(found)
}

/// Tokens as codex, and after it others, keep them beside `last_refresh`.
pub(super) fn sign_in(beside: &Node<'_>, tokens: &Node<'_>) -> Result<Option<Tokens>, ImportError> {
    let Some(access_token) = tokens.secret("access_token")? else { return Ok(None) };
    let mut read = Tokens::new(PROVIDER, access_token);
    read.refresh_token = tokens.secret("refresh_token")?;
    read.id_token = tokens.secret("id_token")?;
    read.account_id = tokens.text("account_id")?;
    read.obtained_at = beside.time("last_refresh")?;
    Ok(Some(read))
}
