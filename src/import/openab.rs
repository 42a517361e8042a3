//! openab's agent: a map of tenants to records, or one codex credential at the top, as older ones wrote it.
//!
//! A record is a sign-in `{access_token, refresh_token, expires_at (seconds; the largest number for never), provider}`, a
//! sign-in under way `{verifier, state, …}`, or an MCP server's `{client_id, token_response, granted_scopes,
//! token_received_at}`. An MCP server gets the prefix that keeps it apart from every provider (F12).

use serde_json::Value;

use super::json::Node;
use super::{Found, ImportError, Tokens};
use crate::tenant::TenantKey;

const MCP: &str = "mcp:";

pub(super) fn read(root: &Value) -> Result<Vec<Found>, ImportError> {
    let root = Node::of("", root)?;
    let is_legacy = root.members().any(|(name, value)| name == "access_token" && value.is_string());
    if is_legacy {
        let place = "the whole file (one codex sign-in)";
        return Ok(sign_in(&root, "codex")?.map(|tokens| tokens.found(place)).into_iter().collect());
    }
    root.members().map(|(name, value)| record(name, value)).collect()
}

fn record(name: &str, value: &Value) -> Result<Found, ImportError> {
    let record = Node::of(name, value)?;
    if record.has("token_response") {
        return mcp(&record, name);
    }
    // Before what else it holds: a sign-in under way belongs to whoever started it.
    if record.has("verifier") || !record.has("access_token") {
        return Ok(Found::left_out(name, "it is a sign-in under way, or none: start that one anew"));
    }
    let Some(mut tokens) = sign_in(&record, name)? else {
        return Ok(Found::left_out(name, "its access token is empty"));
    };
    match slot(name) {
        Ok((provider, profile, user)) => {
            tokens.provider = record.text("provider")?.unwrap_or(provider);
            (tokens.profile, tokens.user) = (profile, user);
            Ok(tokens.found(name))
        }
        Err(why) => Ok(Found::left_out(name, why)),
    }
}

fn sign_in(record: &Node<'_>, provider: &str) -> Result<Option<Tokens>, ImportError> {
    let Some(access_token) = record.secret("access_token")? else { return Ok(None) };
    let mut tokens = Tokens::new(provider, access_token);
    tokens.refresh_token = record.secret("refresh_token")?;
    tokens.id_token = record.secret("id_token")?;
    tokens.account_id = record.text("account_id")?;
    tokens.expires_at = record.stamp("expires_at", 1)?;
    Ok(Some(tokens))
}

fn mcp(record: &Node<'_>, name: &str) -> Result<Found, ImportError> {
    let Some(reply) = record.object("token_response")? else {
        return Ok(Found::left_out(name, "it has no tokens"));
    };
    let Some(access_token) = reply.secret("access_token")? else {
        return Ok(Found::left_out(name, "it has no access token"));
    };
    let full = if name.starts_with(MCP) { name.to_owned() } else { format!("{MCP}{name}") };
    let (provider, profile, user) = match slot(&full) {
        Ok(slot) => slot,
        Err(why) => return Ok(Found::left_out(name, why)),
    };
    let mut tokens = Tokens::new(&provider, access_token);
    (tokens.profile, tokens.user) = (profile, user);
    tokens.refresh_token = reply.secret("refresh_token")?;
    tokens.id_token = reply.secret("id_token")?;
    tokens.token_type = reply.text("token_type")?;
    tokens.obtained_at = record.stamp("token_received_at", 1)?;
    let life = reply.stamp("expires_in", 1)?;
    tokens.expires_at = tokens.obtained_at.zip(life).map(|(from, life)| from.saturating_add(life));
    let (granted, said) = (record.scopes("granted_scopes")?, reply.scopes("scope")?);
    tokens.scopes = if granted.is_empty() { said } else { granted };
    tokens.client_id = record.text("client_id")?;
    Ok(tokens.found(name))
}

/// Provider, profile and user of a tenant's name.
fn slot(name: &str) -> Result<(String, Option<String>, Option<String>), String> {
    let key: TenantKey = name.parse().map_err(|error| format!("{error}"))?;
    let text = |part: Option<&dyn std::fmt::Display>| part.map(ToString::to_string);
    Ok((
        key.provider.to_string(),
        text(key.profile.as_ref().map(|part| part as _)),
        text(key.user.as_ref().map(|part| part as _)),
    ))
}
