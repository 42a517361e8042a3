//! Discovery: from an issuer to its metadata (RFC 8414, OpenID Connect Discovery 1.0, T13).
//!
//! Owns the addresses that are tried and their order, and one walk over them. Invariants: what is used was said by a
//! document whose issuer is the configured one, character by character; a walk follows no redirect, reads at most
//! [`METADATA_CAP`] of each answer and ends within [`WALK_BOUND`] (T7). Must not: keep anything (`directory` does).

pub mod freshness;
pub mod metadata;

use std::time::Duration;

use reqwest::header::{
    ACCEPT, CACHE_CONTROL, ETAG, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use url::Url;

use self::freshness::{Validators, fresh_for};
use self::metadata::{Metadata, MetadataError};
use super::http::{Client, SendError, TransportError, UnknownCause, host_of};
use super::mask;
use super::protected_resource::LOCATING_BOUND;
use super::protected_resource::document::ResourceError;
use crate::provider::Reach;

/// The most that is read of a metadata document, in bytes (T7).
pub const METADATA_CAP: usize = 1024 * 1024;
/// How many of the addresses at which an issuer's metadata may stand there is time for, should all of them be silent.
const PLACES: u64 = 3;
/// Seconds for one of them.
pub(super) const PLACE_SECONDS: u64 = 10;
/// How long a walk over all of them takes at most.
pub const WALK_BOUND: Duration = Duration::from_secs(PLACES * PLACE_SECONDS);
/// How long it takes at most until a provider's endpoints are known, where an MCP server has to be asked first.
pub const DISCOVERY_BOUND: Duration = Duration::from_secs(LOCATING_BOUND.as_secs() + WALK_BOUND.as_secs());

/// Why an issuer's endpoints are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// Nothing could be asked, or no whole answer came.
    #[error("the metadata of {issuer} cannot be had: {why}")]
    Unreachable {
        /// The issuer.
        issuer: String,
        /// What happened.
        why: String,
    },
    /// The issuer is not an address that may be asked.
    #[error("the issuer {issuer} cannot be asked for its metadata: {why}; correct it, or name the endpoints")]
    NotAsked {
        /// The issuer.
        issuer: String,
        /// What is wrong with it.
        why: String,
    },
    /// No document at any of the addresses.
    #[error("{issuer} publishes no metadata ({tried}): correct the issuer, or name the endpoints")]
    NotFound {
        /// The issuer.
        issuer: String,
        /// Each address, with what it answered.
        tried: String,
    },
    /// There is a document, and it must not be used.
    #[error("the metadata at {url} is refused: {source}")]
    Refused {
        /// Where it stands.
        url: String,
        /// What is wrong with it.
        source: MetadataError,
    },
    /// What an MCP server says of itself must not be used.
    #[error("what {url} says of its authorization server is refused: {source}")]
    ServerRefused {
        /// Where it says so.
        url: String,
        /// What is wrong with it.
        source: ResourceError,
    },
    /// An MCP server says nothing of an authorization server, and is none itself.
    #[error("{server} names no authorization server ({tried}): correct its url, or write its issuer")]
    Unnamed {
        /// The server.
        server: String,
        /// Each address, with what it answered.
        tried: String,
    },
}

impl DiscoveryError {
    /// The document at `url` must not be used.
    pub(crate) fn refused(url: &Url, source: MetadataError) -> Self {
        Self::Refused { url: mask::plain(url.as_str()), source }
    }

    /// Whether trying again later may help without anybody doing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Whether what was found before may go on being used: nobody has said anything against it.
    #[must_use]
    pub fn leaves_the_old(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NotFound { .. } | Self::Unnamed { .. })
    }
}

/// What a walk has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// What was known before still holds, for so many seconds more.
    Unchanged {
        /// Seconds.
        fresh_for: i64,
    },
    /// A document.
    Document(Box<Document>),
}

/// A metadata document as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Where it stands.
    pub url: Url,
    /// Its text.
    pub text: String,
    /// What it says.
    pub metadata: Metadata,
    /// By what to ask whether it has changed.
    pub validators: Validators,
    /// For how many seconds it need not be asked for again.
    pub fresh_for: i64,
}

/// The addresses at which the metadata of `issuer` may stand, in the order in which they are tried: RFC 8414 section 3.1,
/// then OpenID's document by the same rule (section 5), then as OpenID Connect Discovery section 4 has it. A slash at the
/// end of the issuer's path is left out, as both say. The last, with a slash behind it, is where web frameworks that end
/// each address so have it, and they redirect to it, which is not followed.
#[must_use]
pub fn places(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let mut places = Vec::new();
    for place in [
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
        format!("{path}/.well-known/openid-configuration"),
        format!("{path}/.well-known/openid-configuration/"),
    ] {
        let mut url = issuer.clone();
        url.set_path(&place);
        if !places.contains(&url) {
            places.push(url);
        }
    }
    places
}

/// Looks for the metadata of `issuer`. What is `known` is asked for first, and only whether it has changed.
///
/// # Errors
/// See [`DiscoveryError`].
pub async fn discover(
    client: &Client,
    issuer: &str,
    known: Option<(&Url, &Validators)>,
) -> Result<Found, DiscoveryError> {
    let not_asked = |why: &str| DiscoveryError::NotAsked { issuer: mask::plain(issuer), why: why.to_owned() };
    let address = Url::parse(issuer).map_err(|_| not_asked("it is not an address"))?;
    let reach = Reach::of_issuer(&address);
    if !reach.admits(&address) {
        return Err(not_asked("it is not an https address of the public network, nor one of this host"));
    }
    let walk = Walk { client, issuer, reach, patience: Duration::from_secs(PLACE_SECONDS) };
    match tokio::time::timeout(WALK_BOUND, walk.over(places(&address), known)).await {
        Ok(found) => found,
        Err(_) => Err(walk.unreachable(format!("no answer within {} s", WALK_BOUND.as_secs()))),
    }
}

struct Walk<'a> {
    client: &'a Client,
    issuer: &'a str,
    reach: Reach,
    /// How long one address may take.
    patience: Duration,
}

/// What one address answers.
pub(super) enum Answer {
    Unchanged {
        fresh_for: i64,
    },
    Text {
        text: Vec<u8>,
        validators: Validators,
        fresh_for: i64,
    },
    /// Nothing that could be a document, and why.
    Nothing(String),
    /// No whole answer, or the server says that it fails: why what may stand there is not known.
    Failing(String),
}

impl Walk<'_> {
    fn unreachable(&self, why: String) -> DiscoveryError {
        DiscoveryError::Unreachable { issuer: mask::plain(self.issuer), why }
    }

    async fn over(
        &self,
        mut places: Vec<Url>,
        known: Option<(&Url, &Validators)>,
    ) -> Result<Found, DiscoveryError> {
        // Where it stood before comes first; an address that is none of the issuer's is nobody's business.
        if let Some(at) = known.and_then(|(url, _)| places.iter().position(|place| place == url)) {
            places[..=at].rotate_right(1);
        }
        let (mut refused, mut failing, mut tried) = (None, None, Vec::new());
        let mut known_place_fails = false;
        for url in places {
            let validators = known.filter(|(known, _)| **known == url).map(|(_, validators)| validators);
            let answer = fetch(self.client, &url, self.reach, validators, self.patience).await;
            match answer.map_err(|error| self.unreachable(error.to_string()))? {
                Answer::Unchanged { fresh_for } => return Ok(Found::Unchanged { fresh_for }),
                Answer::Text { text, validators, fresh_for } => match metadata::read(&text, self.issuer) {
                    Ok(metadata) => {
                        let text = String::from_utf8_lossy(&text).into_owned();
                        let document = Document { url, text, metadata, validators, fresh_for };
                        return Ok(Found::Document(Box::new(document)));
                    }
                    Err(MetadataError::NotJson) => {
                        tried.push(format!("{}: no JSON object", mask::plain(url.as_str())));
                    }
                    Err(source) => {
                        refused.get_or_insert(DiscoveryError::refused(&url, source));
                    }
                },
                Answer::Nothing(why) => tried.push(format!("{}: {why}", mask::plain(url.as_str()))),
                Answer::Failing(why) => {
                    known_place_fails |= validators.is_some();
                    failing = Some(why);
                }
            }
        }
        // What stands elsewhere says nothing against a document whose own place is not known to have changed.
        if let Some(refused) = refused.filter(|_| !known_place_fails) {
            return Err(refused);
        }
        Err(match failing {
            Some(why) => self.unreachable(why),
            None => DiscoveryError::NotFound { issuer: mask::plain(self.issuer), tried: tried.join("; ") },
        })
    }
}

/// Asks for the document at `url` once, and by its validators if it is known.
pub(super) async fn fetch(
    client: &Client,
    url: &Url,
    reach: Reach,
    validators: Option<&Validators>,
    patience: Duration,
) -> Result<Answer, TransportError> {
    let http = client.towards(url, reach)?;
    let mut request = http.get(url.clone()).header(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in validators.map(conditions).unwrap_or_default() {
        request = request.header(name, value);
    }
    let whole = async { read(request.send().await?).await };
    Ok(match tokio::time::timeout(patience, whole).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Answer::Failing(match client.sort(&error, host_of(url)) {
            SendError::NotSent(error) => error.to_string(),
            SendError::Unknown(cause) => cause.to_string(),
        }),
        Err(_) => Answer::Failing(UnknownCause::TimedOut { seconds: patience.as_secs() }.to_string()),
    })
}

/// RFC 9110 section 13.1: whether the document is still the one that is known.
fn conditions(validators: &Validators) -> Vec<(HeaderName, HeaderValue)> {
    let pairs = [(IF_NONE_MATCH, &validators.etag), (IF_MODIFIED_SINCE, &validators.last_modified)];
    let value = |text: &Option<String>| HeaderValue::from_str(text.as_deref()?).ok();
    pairs.into_iter().filter_map(|(name, text)| Some((name, value(text)?))).collect()
}

async fn read(mut response: reqwest::Response) -> reqwest::Result<Answer> {
    let status = response.status();
    let header = |name: HeaderName| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let fresh_for = fresh_for(header(CACHE_CONTROL).as_deref());
    let validators = Validators { etag: header(ETAG), last_modified: header(LAST_MODIFIED) };
    if status.as_u16() == 304 {
        return Ok(Answer::Unchanged { fresh_for });
    }
    if status.is_server_error() || status.as_u16() == 429 {
        return Ok(Answer::Failing(format!("the server answers HTTP {}", status.as_u16())));
    }
    if status.is_redirection() {
        let status = status.as_u16();
        return Ok(Answer::Nothing(format!("HTTP {status}, a redirect, which is not followed")));
    }
    if status.as_u16() != 200 {
        return Ok(Answer::Nothing(format!("HTTP {}", status.as_u16())));
    }
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if text.len() + chunk.len() > METADATA_CAP {
            return Ok(Answer::Nothing("larger than 1 MiB".to_owned()));
        }
        text.extend_from_slice(&chunk);
    }
    Ok(Answer::Text { text, validators, fresh_for })
}

#[cfg(test)]
mod tests;
