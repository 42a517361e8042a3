//! The HTTP client of all requests that carry secrets: for tokens, their exchange and end, for userinfo and registration.
//!
//! Owns time, size and route of one request. Invariant: one call sends at most one request, over a connection of its
//! own, to an HTTPS or loopback address, follows no redirect (T7), and tells "never sent" from "sent, outcome unknown"
//! (G16). Must not: retry, interpret bodies, or print them.

use std::error::Error as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use tokio::time::timeout;
use url::Url;

use super::guard::{Guarded, NotPublic};
use super::mask;
use super::request::{Get, Post};
use crate::clock::UnixSeconds;
use crate::provider::{Reach, is_loopback, is_safe};

/// Seconds for name, connection and TLS together (G11).
const CONNECT_SECONDS: u64 = 10;
/// Seconds for the whole reply, a dribbling one included (G11).
const REPLY_SECONDS: u64 = 120;
/// How long name look-up, connection and TLS may take together (G11).
pub const CONNECT_BOUND: Duration = Duration::from_secs(CONNECT_SECONDS);
/// How long the whole reply may take. Long, because giving up early loses a rotated token (G11).
pub const REPLY_BOUND: Duration = Duration::from_secs(REPLY_SECONDS);
/// How long one exchange may take, all in all: the base of every other wait (G10).
pub const EXCHANGE_BOUND: Duration = Duration::from_secs(CONNECT_SECONDS + REPLY_SECONDS);
/// The most that is read of a reply's body, in bytes (T7).
pub const BODY_CAP: usize = 64 * 1024;
/// The longest wait that a server can ask for with `Retry-After`; more is cut to this.
pub const RETRY_AFTER_CAP: Duration = Duration::from_hours(24);

const AGENT: &str = concat!("latchkey/", env!("CARGO_PKG_VERSION"));

/// Why a request was not sent. Nothing happened at the provider, nothing is used up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Plain HTTP to somewhere else than this host (T7).
    #[error(
        "{host} is not reached over https: only an address on this host may use http; correct the endpoint"
    )]
    Insecure {
        /// Where it should have gone.
        host: String,
    },
    /// An endpoint that metadata named, at an address that only the operator may name (T13).
    #[error(
        "{host} is not an address that this issuer's metadata may name; if it is right, configure that endpoint by name"
    )]
    OutOfReach {
        /// Where it should have gone.
        host: String,
    },
    /// A name that metadata has, and that leads into a network that only the operator may name (T13).
    #[error("{why}")]
    NotPublic {
        /// Which name, and where it leads.
        why: String,
    },
    /// A header that cannot be sent.
    #[error("the header {name} cannot be sent: correct the configuration of this provider")]
    Unsendable {
        /// Its name, fit to show.
        name: String,
    },
    /// No connection in time.
    #[error("no connection to {host} within {seconds} s")]
    ConnectTimedOut {
        /// Where it should have gone.
        host: String,
        /// The bound, in seconds.
        seconds: u64,
    },
    /// Name look-up, connection or TLS failed.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// Where it should have gone.
        host: String,
        /// What the system says.
        reason: String,
    },
}

impl TransportError {
    /// Whether only the operator can do something about it: the endpoint is at fault, not the way to it.
    #[must_use]
    pub fn is_operators(&self) -> bool {
        match self {
            Self::Insecure { .. }
            | Self::OutOfReach { .. }
            | Self::NotPublic { .. }
            | Self::Unsendable { .. } => true,
            Self::ConnectTimedOut { .. } | Self::Unreachable { .. } => false,
        }
    }
}

/// Why the outcome of a request that was sent is not known. The provider may have done what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownCause {
    /// No whole reply in time.
    #[error("no whole answer within {seconds} s")]
    TimedOut {
        /// The bound, in seconds.
        seconds: u64,
    },
    /// The connection ended before the reply did.
    #[error("the connection was lost before the answer was whole: {reason}")]
    ConnectionLost {
        /// What the system says.
        reason: String,
    },
    /// A success whose body is larger than [`BODY_CAP`].
    #[error("the answer is larger than 64 KiB and was dropped")]
    TooLarge,
    /// Something between us and the provider answered in its place.
    #[error("a gateway answered in the provider's place (HTTP {status})")]
    Gateway {
        /// The HTTP status.
        status: u16,
    },
    /// A success without an access token that can be used (C9).
    #[error("the provider answered HTTP {status} without a usable access token")]
    NoToken {
        /// The HTTP status.
        status: u16,
    },
}

impl UnknownCause {
    /// Its word, for metrics and audit lines.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TimedOut { .. } => "timed_out",
            Self::ConnectionLost { .. } => "connection_lost",
            Self::TooLarge => "too_large",
            Self::Gateway { .. } => "gateway",
            Self::NoToken { .. } => "no_token",
        }
    }
}

/// What became of a request that got no whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SendError {
    NotSent(TransportError),
    Unknown(UnknownCause),
}

/// One whole reply. Without `Debug`, since the body holds tokens.
pub(crate) struct Reply {
    pub(crate) status: u16,
    retry_after: Option<String>,
    /// The server's own time, where it tells it.
    date: Option<String>,
    /// None if it was larger than [`BODY_CAP`]: then it is dropped whole (T10).
    pub(crate) body: Option<Vec<u8>>,
}

impl Reply {
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn of(status: u16, retry_after: Option<&str>, body: &str) -> Self {
        let (retry_after, body) = (retry_after.map(str::to_owned), Some(body.as_bytes().to_vec()));
        Self { status, retry_after, date: None, body }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The time by the server's own clock, where it tells it, else `ours`: that may be an hour off (T9).
    pub(crate) fn now(&self, ours: UnixSeconds) -> UnixSeconds {
        let theirs = || {
            let date = httpdate::parse_http_date(self.date.as_deref()?.trim()).ok()?;
            i64::try_from(date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs()).ok()
        };
        theirs().unwrap_or(ours)
    }

    /// Whether it asks to be left alone for a while.
    pub(crate) fn asks_to_wait(&self) -> bool {
        self.retry_after.is_some()
    }

    #[cfg(test)]
    pub(crate) fn at(mut self, date: &str) -> Self {
        self.date = Some(date.to_owned());
        self
    }

    /// What `Retry-After` asks for (RFC 9110 section 10.2.3): seconds, or a date. A date is of the server's clock, so it is
    /// compared with that, if the reply tells it: ours may be an hour off.
    pub(crate) fn retry_after(&self, now: UnixSeconds) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        let seconds = if let Ok(seconds) = text.parse::<u64>() {
            seconds
        } else {
            let until = httpdate::parse_http_date(text).ok()?;
            let theirs = self.date.as_deref().and_then(|date| httpdate::parse_http_date(date.trim()).ok());
            let ours = || SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(now).ok()?));
            // A date that has passed asks for no wait.
            until.duration_since(theirs.or_else(ours)?).map_or(0, |wait| wait.as_secs())
        };
        Some(Duration::from_secs(seconds).min(RETRY_AFTER_CAP))
    }
}

/// The client. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    /// To other hosts: HTTPS only, through the proxies that the environment names.
    outside: reqwest::Client,
    /// To this host: never through a proxy, and `localhost` is loopback whatever the resolver says.
    inside: reqwest::Client,
    /// To what metadata names: as outside, and to public addresses only.
    guarded: Guarded,
    connect: Duration,
    reply: Duration,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client with the bounds of G11.
    #[must_use]
    pub fn new() -> Self {
        Self::with_bounds(CONNECT_BOUND, REPLY_BOUND)
    }

    /// A client with other bounds, for tests of what happens when they pass.
    #[must_use]
    pub fn with_bounds(connect: Duration, reply: Duration) -> Self {
        let base = || base(connect);
        let this_host =
            [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
        Self {
            outside: built(base().https_only(true)),
            inside: built(base().no_proxy().resolve_to_addrs("localhost", &this_host)),
            guarded: Guarded::default(),
            connect,
            reply,
        }
    }

    /// The same client with another resolver in front of its guard, for tests of what names may resolve to.
    #[cfg(test)]
    pub(crate) fn with_names(names: impl reqwest::dns::Resolve + 'static) -> Self {
        Self { guarded: Guarded::over(names), ..Self::new() }
    }

    /// Sends `post` once and reads the whole reply.
    pub(crate) async fn send(&self, post: &Post) -> Result<Reply, SendError> {
        let url = post.url();
        let host = host_of(url);
        let client = self.towards(url, post.reach()).map_err(SendError::NotSent)?;
        let (content_type, body) = post.encode();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(mut value) = post.basic().and_then(|text| HeaderValue::from_str(text.expose()).ok()) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let request = client.post(url.clone()).headers(headers).body(body);
        self.whole_reply(request, host, self.connect + self.reply).await
    }

    /// Sends `get` once and reads the whole reply.
    pub(crate) async fn fetch(&self, get: &Get) -> Result<Reply, SendError> {
        let url = get.url();
        let client = self.towards(url, get.reach()).map_err(SendError::NotSent)?;
        let longest = self.connect + self.reply;
        let bound = get.bound().map_or(longest, |bound| bound.min(longest));
        let headers = get
            .headers()
            .map_err(|name| SendError::NotSent(TransportError::Unsendable { name: mask::plain(name) }))?;
        self.whole_reply(client.get(url.clone()).headers(headers), host_of(url), bound).await
    }

    async fn whole_reply(
        &self,
        request: reqwest::RequestBuilder,
        host: String,
        whole: Duration,
    ) -> Result<Reply, SendError> {
        let exchange = async {
            let response = request.send().await?;
            read(response).await
        };
        match timeout(whole, exchange).await {
            Ok(Ok(reply)) => {
                tracing::debug!(%host, status = reply.status, "the authorization server answered");
                Ok(reply)
            }
            Ok(Err(error)) => {
                let error = self.sort(&error, host);
                tracing::debug!(?error, "a request got no whole answer");
                Err(error)
            }
            Err(_) => {
                tracing::debug!(%host, "a request timed out");
                Err(SendError::Unknown(UnknownCause::TimedOut { seconds: whole.as_secs() }))
            }
        }
    }

    /// The way to `url`, if it may be gone that far.
    pub(super) fn towards(&self, url: &Url, reach: Reach) -> Result<&reqwest::Client, TransportError> {
        if !is_safe(url) {
            return Err(TransportError::Insecure { host: host_of(url) });
        }
        if !reach.admits(url) {
            return Err(TransportError::OutOfReach { host: host_of(url) });
        }
        Ok(match reach {
            _ if is_loopback(url) => &self.inside,
            Reach::Public => self.guarded.client(|| base(self.connect).https_only(true)),
            Reach::Anywhere | Reach::Loopback => &self.outside,
        })
    }

    pub(super) fn sort(&self, error: &reqwest::Error, host: String) -> SendError {
        let reason = mask::plain(&root_cause(error));
        if causes(error).any(<dyn std::error::Error>::is::<NotPublic>) {
            SendError::NotSent(TransportError::NotPublic { why: reason })
        } else if error.is_connect() && error.is_timeout() {
            let seconds = self.connect.as_secs();
            SendError::NotSent(TransportError::ConnectTimedOut { host, seconds })
        } else if error.is_connect() || error.is_builder() {
            SendError::NotSent(TransportError::Unreachable { host, reason })
        } else {
            SendError::Unknown(UnknownCause::ConnectionLost { reason })
        }
    }
}

fn base(connect: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .connect_timeout(connect)
}

#[expect(
    clippy::expect_used,
    reason = "fails only if the TLS library cannot start, as reqwest::Client::new does"
)]
pub(super) fn built(builder: reqwest::ClientBuilder) -> reqwest::Client {
    builder.build().expect("the TLS library starts")
}

async fn read(mut response: reqwest::Response) -> reqwest::Result<Reply> {
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (retry_after, date) = (header(RETRY_AFTER), header(DATE));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > BODY_CAP {
            return Ok(Reply { status, retry_after, date, body: None });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, retry_after, date, body: Some(body) })
}

pub(super) fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or("an address without a host").to_owned()
}

fn root_cause(error: &reqwest::Error) -> String {
    // A reqwest error prints its URL; one that has no cause is described by its kind alone.
    causes(error).last().map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

#[cfg(test)]
mod tests;
