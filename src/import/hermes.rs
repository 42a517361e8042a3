//! Hermes: `{version: 1, providers: {…}, credential_pool: {"openai-codex": [{id, label, auth_type, priority, source, …}]}}`.
//!
//! The pool's first entry, by priority, fills the provider's own slot; each further one a profile named after its label.
//! `providers` holds copies of what the pool holds, and older files hold it there alone.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::Value;

use super::codex::sign_in;
use super::json::Node;
use super::{Content, Found, ImportError, Tokens};

/// By what ways Hermes itself signs in, today's spellings and the older one. What it borrowed from another program's file
/// belongs there, and has its owner.
const OWN_SOURCES: [&str; 4] = ["manual:device_code", "device_code", "oauth_device", "manual"];

pub(super) fn read(root: &Value) -> Result<Vec<Found>, ImportError> {
    let root = Node::of("", root)?;
    let mut found = Vec::new();
    if let Some(pools) = root.object("credential_pool")? {
        for (name, _) in pools.members() {
            found.extend(pool(&pools, name)?);
        }
    }
    if let Some(singles) = root.object("providers")? {
        for (name, value) in singles.members() {
            let single = Node::of(singles.place_of(name), value)?;
            let copied = single_of(&single, name)?;
            found.extend(copied.filter(|single| !found.iter().any(|pooled| shows_the_same(pooled, single))));
        }
    }
    Ok(found)
}

/// The provider that Hermes means, by a name that the catalog knows.
fn provider(name: &str) -> &str {
    match name {
        "openai-codex" => "codex",
        other => other,
    }
}

fn pool(pools: &Node<'_>, name: &str) -> Result<Vec<Found>, ImportError> {
    let mut entries = Vec::new();
    for (number, value) in pools.list(name)?.iter().enumerate() {
        let entry = Node::of(format!("{}[{number}]", pools.place_of(name)), value)?;
        let priority = entry.stamp("priority", 1)?.unwrap_or(i64::MAX);
        entries.push((priority, Reverse(entry.time("last_refresh")?), number, entry));
    }
    entries.sort_by_key(|(priority, last, number, _)| (*priority, *last, *number));
    let mut taken = BTreeSet::new();
    let read = entries.iter().map(|(.., entry)| read_entry(entry, name, &mut taken));
    read.collect()
}

fn read_entry(
    entry: &Node<'_>,
    name: &str,
    taken: &mut BTreeSet<Option<String>>,
) -> Result<Found, ImportError> {
    let place = entry.place.clone();
    let Some(access_token) = entry.secret("access_token")? else {
        return Ok(Found::left_out(place, "it has no access token"));
    };
    let is_key = entry.text("auth_type")?.is_some_and(|kind| kind == "api_key");
    let source = entry.text("source")?.unwrap_or_default();
    if !is_key && !OWN_SOURCES.contains(&source.as_str()) {
        let why = "Hermes did not sign in there itself: import it from the program that did";
        return Ok(Found::left_out(place, why));
    }
    if is_key && source != "manual" {
        return Ok(Found::left_out(
            place,
            "the key comes from elsewhere: set it where Latchkey reads it (api_key_env)",
        ));
    }
    let mut tokens = Tokens::new(provider(name), access_token);
    tokens.is_key = is_key;
    tokens.refresh_token = entry.secret("refresh_token")?.filter(|_| !is_key);
    tokens.obtained_at = entry.time("last_refresh")?;
    tokens.expires_at = entry.stamp("expires_at_ms", 1_000)?;
    tokens.account_id = entry.text("account_id")?;
    tokens.profile = if taken.is_empty() {
        None
    } else {
        let names = [entry.text("label")?, entry.text("id")?];
        let profiles = names.into_iter().flatten().map(|name| profile(&name));
        match profiles.into_iter().find(|name| !name.is_empty() && !taken.contains(&Some(name.clone()))) {
            Some(profile) => Some(profile),
            None => {
                return Ok(Found::left_out(place, "it has no label or id of its own to make a profile of"));
            }
        }
    };
    taken.insert(tokens.profile.clone());
    Ok(tokens.found(place))
}

/// A label as a profile's name: lower case, and a dash for whatever a name cannot hold.
fn profile(label: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name = label.chars().take(64).map(|c| if fits(c) { c.to_ascii_lowercase() } else { '-' });
    name.collect::<String>().trim_matches('-').to_owned()
}

fn single_of(single: &Node<'_>, name: &str) -> Result<Option<Found>, ImportError> {
    let place = single.place.clone();
    let read = match single.object("tokens")? {
        Some(tokens) => sign_in(single, &tokens)?,
        None => sign_in(single, single)?,
    };
    Ok(read.map(|mut tokens| {
        provider(name).clone_into(&mut tokens.provider);
        tokens.found(place)
    }))
}

fn shows_the_same(pooled: &Found, single: &Found) -> bool {
    match (&pooled.content, &single.content) {
        (Content::Tokens(a), Content::Tokens(b)) => {
            a.refresh_token.is_some() && a.refresh_token == b.refresh_token
                || a.access_token == b.access_token
        }
        _ => false,
    }
}
