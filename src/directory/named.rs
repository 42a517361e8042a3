//! What an MCP server said of its authorization server, as it is kept in memory and in the store's cache.
//!
//! Owns the form in the cache, and what it adds to a provider. Invariant: whatever the bytes are, what is read of them is
//! what would also be taken from the server; everything else is nothing. Must not: read a file.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use super::kept::is_fresh;
use super::known::Answer;
use crate::clock::UnixSeconds;
use crate::oauth::discovery::METADATA_CAP;
use crate::oauth::discovery::metadata::Metadata;
use crate::oauth::protected_resource::document::{self, ResourceMetadata};
use crate::provider::Provider;

/// The version of the form. Another one's files are replaced.
const VERSION: u32 = 1;
/// The scope that has servers give a refresh token.
const OFFLINE: &str = "offline_access";

/// Which authorization server gives tokens for a server, and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// The issuer that was found to be one.
    pub(crate) issuer: String,
    /// What the server publishes, with its text; nothing where the server is older than that standard.
    pub(crate) document: Option<(String, ResourceMetadata)>,
    /// The scopes that its challenge asked for.
    scopes: Option<Vec<String>>,
    asked_at: UnixSeconds,
    said_at: UnixSeconds,
    fresh_until: UnixSeconds,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    version: u32,
    server: String,
    issuer: String,
    asked_at: i64,
    said_at: i64,
    fresh_until: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    document: Option<Box<RawValue>>,
}

/// The name under which the cache holds what is known of `server`. No issuer has a space in it.
pub(crate) fn name(server: &Url) -> String {
    format!("server {server}")
}

/// The issuers that may give tokens for `server`: those that its document names, else its own origin, as the first
/// specification of MCP had it.
pub(super) fn candidates(server: &Url, document: Option<&ResourceMetadata>) -> Vec<String> {
    match document.map(|document| document.issuers.clone()).filter(|issuers| !issuers.is_empty()) {
        Some(issuers) => issuers,
        None => vec![server.origin().ascii_serialization()],
    }
}

/// The same issuer by its other spelling: with or without a slash at its end. Server and issuer often differ in that.
pub(super) fn other_spelling(issuer: &str) -> String {
    issuer.strip_suffix('/').map_or_else(|| format!("{issuer}/"), str::to_owned)
}

impl Named {
    pub(super) fn of(
        issuer: String,
        document: Option<(String, ResourceMetadata)>,
        scopes: Option<Vec<String>>,
        now: UnixSeconds,
        fresh_for: i64,
    ) -> Self {
        let fresh_until = now.saturating_add(fresh_for);
        Self { issuer, document, scopes, asked_at: now, said_at: now, fresh_until }
    }

    /// `provider` with what the server said, in the places that are not configured.
    pub(super) fn fill(&self, provider: &Provider) -> Provider {
        let mut filled = provider.clone();
        filled.issuer = Some(self.issuer.clone());
        let document = self.document.as_ref().map(|(_, document)| document);
        // A server without a document knows nothing of resources, and neither does its authorization server.
        filled.resource = filled.resource.or_else(|| Some(document?.resource.clone()));
        if filled.scopes.is_empty() {
            let known = || Some(document?.scopes.clone());
            filled.scopes = self.scopes.clone().or_else(known).unwrap_or_default();
        }
        filled
    }

    /// The bytes for the cache.
    pub(crate) fn print(&self, server: &Url) -> Option<String> {
        let document = match &self.document {
            Some((text, _)) => Some(RawValue::from_string(text.trim().to_owned()).ok()?),
            None => None,
        };
        let wire = Wire {
            version: VERSION,
            server: server.to_string(),
            issuer: self.issuer.clone(),
            asked_at: self.asked_at,
            said_at: self.said_at,
            fresh_until: self.fresh_until,
            scopes: self.scopes.clone(),
            document,
        };
        serde_json::to_string(&wire).ok()
    }

    /// What the cache holds of `server`, if the server could have said that.
    pub(crate) fn read(bytes: &[u8], server: &Url) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(bytes).ok()?;
        let document = match &wire.document {
            Some(raw) if raw.get().len() > METADATA_CAP => return None,
            Some(raw) => {
                let text = raw.get();
                Some((text.to_owned(), document::read(text.as_bytes(), server).ok()?))
            }
            None => None,
        };
        let named = candidates(server, document.as_ref().map(|(_, document)| document));
        let is_named = named.contains(&wire.issuer) || named.contains(&other_spelling(&wire.issuer));
        if wire.version != VERSION || wire.server != server.as_str() || !is_named {
            return None;
        }
        Some(Self {
            issuer: wire.issuer,
            document,
            scopes: wire.scopes.map(|scopes| document::scopes(&scopes)),
            asked_at: wire.asked_at,
            said_at: wire.said_at,
            fresh_until: wire.fresh_until,
        })
    }
}

impl Answer for Named {
    fn is_fresh(&self, now: UnixSeconds) -> bool {
        is_fresh(self.asked_at, self.fresh_until, now)
    }

    fn was_said_after(&self, time: UnixSeconds) -> bool {
        self.said_at > time
    }

    fn put_off(self, now: UnixSeconds, seconds: i64) -> Self {
        Self { asked_at: now, fresh_until: now.saturating_add(seconds), ..self }
    }
}

/// Asks for a refresh token in the way that `metadata` has for that, where the scopes are not the operator's: without one
/// a member would have to sign in every hour. OpenID Connect Core section 11 wants the person asked then.
pub(super) fn ask_for_offline_access(filled: &mut Provider, configured: &Provider, metadata: &Metadata) {
    let is_known = metadata.scopes_supported.iter().any(|scope| scope == OFFLINE);
    if !configured.scopes.is_empty() || filled.scopes.is_empty() || !is_known {
        return;
    }
    if !filled.scopes.iter().any(|scope| scope == OFFLINE) {
        filled.scopes.push(OFFLINE.to_owned());
    }
    if !filled.authorize_params.iter().any(|(name, _)| name == "prompt") {
        filled.authorize_params.push(("prompt".to_owned(), "consent".to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oauth::discovery::metadata;
    use crate::oauth::token::testing::provider;

    fn server() -> Url {
        Url::parse("https://mcp.example/mcp").unwrap()
    }

    fn named(issuer: &str, document: Option<&str>, scopes: Option<Vec<String>>) -> Named {
        let document =
            document.map(|text| (text.to_owned(), document::read(text.as_bytes(), &server()).unwrap()));
        Named::of(issuer.to_owned(), document, scopes, 1_000, 3_600)
    }

    fn published() -> String {
        json!({ "resource": "https://mcp.example/mcp", "authorization_servers": ["https://id.example"],
            "scopes_supported": ["read", "write"] })
        .to_string()
    }

    /// T13: what is kept reads back, and nothing else is believed.
    #[test]
    fn what_is_kept_reads_back_and_what_a_server_could_not_have_said_is_nothing() {
        let read = |text: &str| Named::read(text.as_bytes(), &server());
        for kept in [
            named("https://id.example", Some(&published()), Some(vec!["read".to_owned()])),
            named("https://id.example/", Some(&published()), None),
            named("https://mcp.example", None, None),
        ] {
            let text = kept.print(&server()).unwrap();
            assert_eq!(read(&text), Some(kept));
            assert_eq!(Named::read(text.as_bytes(), &Url::parse("https://mcp.example/other").unwrap()), None);
            for end in 0..text.len() {
                assert_eq!(read(&text[..end]), None, "half a file");
            }
        }
        for kept in [
            named("https://evil.example", Some(&published()), None),
            named("https://evil.example", None, None),
        ] {
            assert_eq!(read(&kept.print(&server()).unwrap()), None, "an issuer that nobody named");
        }
        let text = named("https://id.example", Some(&published()), None).print(&server()).unwrap();
        let of_another =
            text.replace("\"resource\":\"https://mcp.example", "\"resource\":\"https://o.example");
        assert_ne!(of_another, text);
        assert_eq!(read(&of_another), None);
    }

    /// VENDORS `mcp`: configured beats the challenge, which beats the document.
    #[test]
    fn scopes_and_resource_are_the_operators_then_the_challenges_then_the_documents() {
        let mut configured = (*provider("https://unused.example")).clone();
        configured.issuer = None;
        let text = |scopes: &[&str]| scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>();
        let challenged = named("https://id.example", Some(&published()), Some(text(&["ask"])));
        let filled = challenged.fill(&configured);
        assert_eq!(filled.scopes, configured.scopes);
        configured.scopes.clear();
        assert_eq!(challenged.fill(&configured).scopes, ["ask"]);
        let filled = named("https://id.example", Some(&published()), None).fill(&configured);
        assert_eq!(
            (filled.issuer.as_deref(), filled.resource.as_deref(), filled.scopes),
            (Some("https://id.example"), Some("https://mcp.example/mcp"), text(&["read", "write"]))
        );
        let old = named("https://mcp.example", None, None).fill(&configured);
        assert_eq!((old.resource, old.scopes), (None, vec![]));
        configured.resource = Some("https://mcp.example/own".to_owned());
        assert_eq!(challenged.fill(&configured).resource, configured.resource);
    }

    #[test]
    fn a_refresh_token_is_asked_for_where_the_server_knows_how() {
        let metadata = |scopes: &[&str]| {
            let text = json!({ "issuer": "https://id.example", "scopes_supported": scopes }).to_string();
            metadata::read(text.as_bytes(), "https://id.example").unwrap()
        };
        let mut configured = (*provider("https://unused.example")).clone();
        configured.scopes.clear();
        let asked = |configured: &Provider, known: &[&str]| {
            let mut filled = named("https://id.example", Some(&published()), None).fill(configured);
            ask_for_offline_access(&mut filled, configured, &metadata(known));
            (filled.scopes.join(" "), filled.authorize_params)
        };
        let consent = vec![("prompt".to_owned(), "consent".to_owned())];
        assert_eq!(
            asked(&configured, &["openid", OFFLINE]),
            ("read write offline_access".to_owned(), consent)
        );
        assert_eq!(asked(&configured, &["openid"]), ("read write".to_owned(), vec![]));
        configured.authorize_params = vec![("prompt".to_owned(), "login".to_owned())];
        assert_eq!(asked(&configured, &[OFFLINE]).1, configured.authorize_params);
        configured.scopes = vec!["own".to_owned()];
        assert_eq!(asked(&configured, &[OFFLINE]).0, "own");
    }
}
