//! From an MCP server to the authorization server that gives tokens for it (RFC 9728, and the MCP authorization
//! specification).
//!
//! Owns the asking: the server itself, whose challenge may say where its document stands, then the well-known places.
//! Invariants: no token is ever sent; nothing is followed; an answer reads at most [`METADATA_CAP`], and all of it ends within
//! [`LOCATING_BOUND`] (T7); what the server names is within its reach (T13). Must not: keep anything (`directory` does).
//!
//! [`METADATA_CAP`]: super::discovery::METADATA_CAP

pub mod challenge;
pub mod document;

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use url::Url;

use self::document::{ResourceError, ResourceMetadata};
use super::discovery::{Answer, DiscoveryError, PLACE_SECONDS, fetch, freshness};
use super::http::{Client, SendError, UnknownCause, host_of};
use super::mask;
use crate::provider::{Reach, is_bare};

/// How long asking a server takes at most, its documents included.
pub const LOCATING_BOUND: Duration = Duration::from_secs(20);

/// What a server says without a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its document, with where it stands and its text; none of servers that are older than that standard.
    pub document: Option<(Url, String, ResourceMetadata)>,
    /// The scopes that its challenge asks for.
    pub scopes: Option<Vec<String>>,
    /// For how many seconds this need not be asked for again.
    pub fresh_for: i64,
    /// The places without a document, and what they answered.
    pub tried: String,
}

/// Asks `server`.
///
/// # Errors
/// [`DiscoveryError::Unreachable`] and [`DiscoveryError::ServerRefused`].
pub async fn ask(client: &Client, server: &Url) -> Result<Told, DiscoveryError> {
    let asking = Asking { client, server, patience: Duration::from_secs(PLACE_SECONDS) };
    match tokio::time::timeout(LOCATING_BOUND, asking.whole()).await {
        Ok(told) => told,
        Err(_) => Err(asking.unreachable(format!("no answer within {} s", LOCATING_BOUND.as_secs()))),
    }
}

/// The well-known places of `server`'s document (section 3.1): by its path, then at the root, where some have it.
#[must_use]
pub fn places(server: &Url) -> Vec<Url> {
    let path = server.path().trim_end_matches('/');
    let mut places = Vec::new();
    for (path, query) in [(path, server.query()), ("", None)] {
        let mut url = server.clone();
        url.set_path(&format!("/.well-known/oauth-protected-resource{path}"));
        url.set_query(query);
        if !places.contains(&url) {
            places.push(url);
        }
    }
    places
}

/// What the challenges say: where the document stands, and which scopes are wanted.
fn challenged(headers: &HeaderMap) -> Option<(Option<String>, Option<Vec<String>>)> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let bearers: Vec<_> = values.flat_map(challenge::read).filter(|one| one.scheme == "bearer").collect();
    let of_all = |name: &str| bearers.iter().find_map(|one| one.parameter(name)).map(str::to_owned);
    let scopes = of_all("scope").map(|text| document::scopes(&text.split(' ').collect::<Vec<_>>()));
    (!bearers.is_empty())
        .then(|| (of_all("resource_metadata"), scopes.filter(|scopes: &Vec<String>| !scopes.is_empty())))
}

struct Asking<'a> {
    client: &'a Client,
    server: &'a Url,
    /// How long one answer may take.
    patience: Duration,
}

impl Asking<'_> {
    fn unreachable(&self, why: String) -> DiscoveryError {
        DiscoveryError::Unreachable { issuer: mask::plain(self.server.as_str()), why }
    }

    /// The operator has written the server's own origin; beyond it goes only what a server may name.
    fn reach(&self, url: &Url) -> Reach {
        if url.origin() == self.server.origin() { Reach::Anywhere } else { Reach::of_issuer(self.server) }
    }

    async fn whole(&self) -> Result<Told, DiscoveryError> {
        // A server that gives the knock no answer may have a document all the same.
        let (challenge, unanswered) = match self.knock().await {
            Ok(headers) => (challenged(&headers), None),
            Err(error) => (None, Some(error)),
        };
        let (named, scopes) = challenge.unwrap_or_default();
        let mut places = places(self.server);
        if let Some(named) = named.filter(|named| Url::parse(named).is_ok()) {
            let url = document::may_name("resource_metadata", &named, self.server)
                .or_else(|refused| self.own(&named).ok_or(refused))
                .map_err(|source| refused_at(self.server, source))?;
            places.retain(|place| *place != url);
            places.insert(0, url);
        }
        let (mut refused, mut failing, mut tried) = (None, None, Vec::new());
        for url in places {
            let shown = mask::plain(url.as_str());
            let answer = fetch(self.client, &url, self.reach(&url), None, self.patience).await;
            match answer.map_err(|error| self.unreachable(error.to_string()))? {
                Answer::Text { text, fresh_for, .. } => match document::read(&text, self.server) {
                    Ok(read) => {
                        let text = String::from_utf8_lossy(&text).into_owned();
                        let document = Some((url, text, read));
                        return Ok(Told { document, scopes, fresh_for, tried: String::new() });
                    }
                    Err(ResourceError::NotJson) => tried.push(format!("{shown}: no JSON object")),
                    Err(source) => {
                        refused.get_or_insert_with(|| refused_at(&url, source));
                    }
                },
                Answer::Unchanged { .. } => tried.push(format!("{shown}: HTTP 304 to nothing")),
                Answer::Nothing(why) => tried.push(format!("{shown}: {why}")),
                Answer::Failing(why) => failing = Some(why),
            }
        }
        match (refused, unanswered, failing) {
            (Some(refused), ..) => Err(refused),
            (None, Some(unanswered), _) => Err(unanswered),
            (None, None, Some(why)) => Err(self.unreachable(why)),
            (None, None, None) => {
                let fresh_for = freshness::DEFAULT;
                Ok(Told { document: None, scopes, fresh_for, tried: tried.join("; ") })
            }
        }
    }

    /// An address of the server's own origin, which the operator has written, wherever that is.
    fn own(&self, text: &str) -> Option<Url> {
        Url::parse(text).ok().filter(|url| is_bare(url) && url.origin() == self.server.origin())
    }

    /// Comes to the server as a client of MCP does that has no token yet, and gives the headers of its answer. Servers that
    /// speak the older transport take no POST there, so that a GET follows where the first answer is neither yes nor
    /// a challenge.
    async fn knock(&self) -> Result<HeaderMap, DiscoveryError> {
        let client = self
            .client
            .towards(self.server, Reach::Anywhere)
            .map_err(|error| self.unreachable(error.to_string()))?;
        let accept = HeaderValue::from_static("application/json, text/event-stream");
        let post = client
            .post(self.server.clone())
            .header(ACCEPT, accept.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(hello());
        let (status, headers) = self.send(post).await?;
        if (200..300).contains(&status) || challenged(&headers).is_some() {
            return Ok(headers);
        }
        Ok(self.send(client.get(self.server.clone()).header(ACCEPT, accept)).await?.1)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<(u16, HeaderMap), DiscoveryError> {
        match tokio::time::timeout(self.patience, request.send()).await {
            // The body is not read: it may never end.
            Ok(Ok(response)) => Ok((response.status().as_u16(), response.headers().clone())),
            Ok(Err(error)) => Err(self.unreachable(match self.client.sort(&error, host_of(self.server)) {
                SendError::NotSent(error) => error.to_string(),
                SendError::Unknown(cause) => cause.to_string(),
            })),
            Err(_) => {
                let seconds = self.patience.as_secs();
                Err(self.unreachable(UnknownCause::TimedOut { seconds }.to_string()))
            }
        }
    }
}

fn refused_at(url: &Url, source: ResourceError) -> DiscoveryError {
    DiscoveryError::ServerRefused { url: mask::plain(url.as_str()), source }
}

/// The first message of MCP.
fn hello() -> String {
    let client = serde_json::json!({ "name": "latchkey", "version": env!("CARGO_PKG_VERSION") });
    let parameters =
        serde_json::json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters }).to_string()
}

#[cfg(test)]
mod tests;
