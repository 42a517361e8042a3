//! Device logins: one start, one poll.
//!
//! Owns what is the same in every device flow; what is said by each protocol that a descriptor may name stands in a file of
//! its own. Invariant: [`poll`] sends one request and returns; intervals, deadlines and back-off are the login machine's (T11).
//! Must not: sleep, loop, or spend the authorization code that a [`DeviceOutcome::Code`] carries.

mod error;
mod opening;
mod standard;
mod user_code;
mod user_code_grant;

use std::time::Duration;

use url::Url;

pub use error::{StartClass, StartError};
use opening::Opening;
pub(super) use standard::DEVICE_GRANT;

use super::http::{Client, Reply, SendError, UnknownCause};
use super::mask;
use super::refusal::{self, Presented, Refusal, RefusalKind, Verdict};
use super::reply::Members;
use super::request::Post;
use super::token::{self, Grant, Outcome};
use crate::clock::UnixSeconds;
use crate::provider::{DeviceProtocol, Resolved, is_safe};
use crate::secret::Secret;

/// Seconds between polls where the provider does not say (RFC 8628 section 3.2).
pub const DEFAULT_INTERVAL: u64 = 5;
/// The fewest seconds between polls, whatever the provider says (T11).
pub const INTERVAL_FLOOR: u64 = 3;

const USER_CODE_CAP: usize = 64;

/// A device login that the provider has opened (RFC 8628 section 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStart {
    /// What polls present: the user code, in protocols that have no device code.
    pub device_code: Secret,
    /// What the person types: visible ASCII, at most 64 characters, no backtick.
    pub user_code: String,
    /// Where the person types it: HTTPS, or this host.
    pub verification_uri: String,
    /// The same with the code filled in, where the provider has one.
    pub verification_uri_complete: Option<String>,
    /// Seconds until the codes expire, where the provider says.
    pub expires_in: Option<u64>,
    /// Seconds to wait before each poll, the first included.
    pub interval: u64,
    /// The code verifier that each poll must show (RFC 7636), where the start carried its challenge.
    pub verifier: Option<Secret>,
}

/// Starts a device login (RFC 8628 section 3.1, or the descriptor's protocol). `now` is the time before the call.
///
/// # Errors
/// Anything but a complete answer.
pub async fn start(
    client: &Client,
    provider: &Resolved,
    now: UnixSeconds,
) -> Result<DeviceStart, StartError> {
    let title = || provider.title.clone();
    let endpoint = provider
        .device_authorization_endpoint
        .as_ref()
        .ok_or_else(|| StartError::NotOffered { provider: title() })?;
    if let Some(missing) = &provider.client_missing {
        return Err(StartError::Refused(refusal::unready(missing)));
    }
    let opening = match &provider.device {
        DeviceProtocol::Rfc8628 { pkce } => standard::open(provider, endpoint, *pkce),
        DeviceProtocol::UserCode(_) => user_code::open(provider, endpoint),
        DeviceProtocol::UserCodeGrant => user_code_grant::open(provider, endpoint),
    };
    let reply = client.send(&opening.post).await.map_err(|error| match error {
        SendError::NotSent(error) => StartError::NotSent(error),
        SendError::Unknown(cause) => StartError::Unknown(cause),
    })?;
    opened(&reply, opening, provider, now)
}

/// What the whole reply to a start means.
fn opened(
    reply: &Reply,
    opening: Opening,
    provider: &Resolved,
    now: UnixSeconds,
) -> Result<DeviceStart, StartError> {
    let Some(members) = reply.body.as_deref().and_then(Members::read) else {
        return Err(start_refused(reply, None, provider, opening.post.secrets(), now));
    };
    if !reply.is_success() || members.has_error() {
        return Err(start_refused(reply, Some(&members), provider, opening.post.secrets(), now));
    }
    let now = reply.now(now);
    let start = match &provider.device {
        DeviceProtocol::Rfc8628 { .. } => standard::read(&members, now),
        DeviceProtocol::UserCode(protocol) => user_code::read(&members, protocol, now),
        DeviceProtocol::UserCodeGrant => user_code_grant::read(&members, opening.state.as_ref(), now),
    };
    start.map(|start| DeviceStart { verifier: opening.verifier, ..start })
}

fn start_refused(
    reply: &Reply,
    members: Option<&Members>,
    provider: &Resolved,
    secrets: &[Secret],
    now: UnixSeconds,
) -> StartError {
    if reply.is_success() && members.is_none() {
        return match &reply.body {
            None => StartError::Unknown(UnknownCause::TooLarge),
            Some(_) => StartError::Incomplete { what: "device code" },
        };
    }
    // GitHub names it; a provider with a protocol of its own answers as if the endpoint were not there.
    let named = members.and_then(Members::error_code).is_some_and(|code| code == "device_flow_disabled");
    let hidden = reply.status == 404 && matches!(provider.device, DeviceProtocol::UserCode(_));
    if named || hidden {
        return StartError::Disabled { provider: provider.title.clone() };
    }
    match refusal::classify(reply, members, Presented::DeviceCode, provider, secrets, now) {
        Verdict::Refused(refusal) => StartError::Refused(refusal),
        Verdict::Unknown(cause) => StartError::Unknown(cause),
    }
}

fn secret(members: &Members, names: &[&str], what: &'static str) -> Result<Secret, StartError> {
    let found = names.iter().find_map(|name| members.secret(name).ok().flatten());
    found.ok_or(StartError::Incomplete { what })
}

fn user_code(members: &Members, names: &[&str]) -> Result<String, StartError> {
    let showable = |text: &String| {
        text.chars().count() <= USER_CODE_CAP
            && text.chars().all(|c| (c.is_ascii_graphic() || c == ' ') && c != '`')
    };
    let found = names.iter().find_map(|name| members.text(name)).filter(showable);
    found.ok_or(StartError::Incomplete { what: "user code" })
}

fn interval(given: Option<u64>) -> u64 {
    given.unwrap_or(DEFAULT_INTERVAL).max(INTERVAL_FLOOR)
}

/// The page that takes the user code, and the same with the code in it, in the spelling of Google, too.
fn page(members: &Members) -> Result<(String, Option<String>), StartError> {
    let find =
        |names: [&str; 2]| names.iter().find_map(|name| members.text(name)).as_deref().and_then(safe_page);
    let page = find(["verification_uri", "verification_url"])
        .ok_or(StartError::Incomplete { what: "verification URI (it must be https)" })?;
    Ok((page, find(["verification_uri_complete", "verification_url_complete"])))
}

/// A page that people may be sent to, in the spelling that needs no escaping.
fn safe_page(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let bare = url.username().is_empty() && url.password().is_none();
    (bare && is_safe(&url)).then(|| url.to_string())
}

/// What a poll presents.
#[derive(Debug, Clone, Copy)]
pub struct DevicePoll<'a> {
    /// From [`DeviceStart`].
    pub device_code: &'a Secret,
    /// From [`DeviceStart`]: some protocols want it back.
    pub user_code: &'a str,
    /// From [`DeviceStart`].
    pub verifier: Option<&'a Secret>,
}

impl DevicePoll<'_> {
    /// `post` with the verifier, where the login has one (RFC 7636 section 4.5).
    fn verified(&self, post: Post) -> Post {
        match self.verifier {
            Some(verifier) => post.secret("code_verifier", verifier),
            None => post,
        }
    }
}

/// What one poll told (RFC 8628 section 3.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceOutcome {
    /// The person is not done.
    Pending,
    /// The same, and the interval grows by five seconds for good.
    SlowDown,
    /// Done.
    Granted(Grant),
    /// Done: this code is now to be spent with [`token::exchange_code`], once.
    Code {
        /// The authorization code.
        code: Secret,
        /// Its verifier, which the provider made.
        verifier: Secret,
        /// The redirect URI to name.
        redirect_uri: String,
    },
    /// The person said no.
    Denied,
    /// The codes expired.
    Expired,
    /// Nothing learnt: go on, later.
    BackOff {
        /// How long the server asks us to wait.
        retry_after: Option<Duration>,
    },
    /// It cannot succeed any more.
    Failed(Refusal),
}

/// Asks once whether the person is done. `now` is the time before the call.
pub async fn poll(
    client: &Client,
    provider: &Resolved,
    poll: DevicePoll<'_>,
    now: UnixSeconds,
) -> DeviceOutcome {
    if let Some(missing) = &provider.client_missing {
        return DeviceOutcome::Failed(refusal::unready(missing));
    }
    let post = match &provider.device {
        DeviceProtocol::Rfc8628 { .. } => standard::ask(provider, poll),
        DeviceProtocol::UserCode(protocol) => user_code::ask(provider, protocol, poll),
        DeviceProtocol::UserCodeGrant => user_code_grant::ask(provider, poll),
    };
    let reply = match client.send(&post).await {
        Ok(reply) => reply,
        Err(SendError::NotSent(error)) if error.is_operators() => {
            return DeviceOutcome::Failed(refusal::unready(&error.to_string()));
        }
        Err(_) => return DeviceOutcome::BackOff { retry_after: None },
    };
    sort(&reply, provider, post.secrets(), now)
}

/// What the whole reply to a poll means. Codes of the flow count before what is the protocol's own, and both before
/// anything general; only a server that fails, and a firewall that sends a page of its own, say nothing of the login.
pub(super) fn sort(
    reply: &Reply,
    provider: &Resolved,
    secrets: &[Secret],
    now: UnixSeconds,
) -> DeviceOutcome {
    if reply.is_success() && refusal::looks_like_page(reply.body.as_deref()) {
        return DeviceOutcome::BackOff { retry_after: reply.retry_after(now) };
    }
    if reply.status < 500 {
        let members = reply.body.as_deref().and_then(Members::read);
        let own = || match &provider.device {
            DeviceProtocol::Rfc8628 { .. } => None,
            DeviceProtocol::UserCode(protocol) => user_code::sort(reply, members.as_ref(), protocol),
            DeviceProtocol::UserCodeGrant => user_code_grant::sort(reply, members.as_ref()),
        };
        if let Some(outcome) = members.as_ref().and_then(by_code).or_else(own) {
            return outcome;
        }
    }
    settled(token::judge(reply, Presented::DeviceCode, provider, secrets, now), reply, now)
}

/// RFC 8628 section 3.5, and the spellings beside it.
fn by_code(members: &Members) -> Option<DeviceOutcome> {
    match members.error_code()?.as_str() {
        "authorization_pending" => Some(DeviceOutcome::Pending),
        "slow_down" => Some(DeviceOutcome::SlowDown),
        "access_denied" | "authorization_denied" | "authorization_declined" => Some(DeviceOutcome::Denied),
        "expired_token" => Some(DeviceOutcome::Expired),
        _ => None,
    }
}

fn settled(outcome: Outcome, reply: &Reply, now: UnixSeconds) -> DeviceOutcome {
    match outcome {
        Outcome::Granted(grant) => DeviceOutcome::Granted(grant),
        Outcome::Refused(Refusal { kind: RefusalKind::Transient { retry_after }, .. }) => {
            DeviceOutcome::BackOff { retry_after }
        }
        Outcome::Refused(refusal) => DeviceOutcome::Failed(refusal),
        // C9: a whole success without a token ends the login: the device code is spent.
        Outcome::Unknown(cause @ (UnknownCause::NoToken { .. } | UnknownCause::TooLarge)) => {
            failed(reply.status, &cause.to_string())
        }
        Outcome::NotSent(_) | Outcome::Unknown(_) => {
            DeviceOutcome::BackOff { retry_after: reply.retry_after(now) }
        }
    }
}

fn failed(status: u16, text: &str) -> DeviceOutcome {
    DeviceOutcome::Failed(Refusal {
        kind: RefusalKind::Operator,
        status,
        code: None,
        text: mask::plain(text),
        said: None,
    })
}

/// What a reply to a start of RFC 8628 means, for the table of replies.
#[cfg(test)]
pub(super) fn read_start(
    reply: &Reply,
    provider: &Resolved,
    now: UnixSeconds,
) -> Result<DeviceStart, StartError> {
    let endpoint = provider.token_endpoint.clone();
    opened(reply, standard::open(provider, &endpoint, false), provider, now)
}

#[cfg(test)]
mod tests;
