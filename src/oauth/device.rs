//! Device logins: one start, one poll.
//!
//! Owns what is said in the device flow, by RFC 8628 or by the provider's own protocol as its descriptor tells. Invariant:
//! [`poll`] sends one request and returns; intervals, deadlines and back-off are the login machine's (T11). Must not:
//! sleep, loop, or spend the authorization code that a [`DeviceOutcome::Code`] carries.

use std::time::Duration;

use url::Url;

use super::http::{Client, Reply, SendError, TransportError, UnknownCause};
use super::mask;
use super::refusal::{self, Presented, Refusal, RefusalKind, Verdict};
use super::reply::Members;
use super::request::Post;
use super::token::{self, Grant, Outcome};
use crate::clock::UnixSeconds;
use crate::provider::{BodyFormat, DeviceProtocol, Provider, Resolved, UserCodeProtocol, is_safe};
use crate::secret::Secret;

/// Seconds between polls where the provider does not say (RFC 8628 section 3.2).
pub const DEFAULT_INTERVAL: u64 = 5;
/// The fewest seconds between polls, whatever the provider says (T11).
pub const INTERVAL_FLOOR: u64 = 3;

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const USER_CODE_CAP: usize = 64;

/// A device login that the provider has opened (RFC 8628 section 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStart {
    /// What polls present.
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
}

/// Why a device login could not be started. Nothing is pending at the provider that anybody could complete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The descriptor has no device authorization endpoint.
    #[error(
        "{provider} has no device sign-in: configure its device_authorization_endpoint, or choose another way"
    )]
    NotOffered {
        /// The provider's title.
        provider: String,
    },
    /// The provider has switched device sign-in off, for this client or altogether.
    #[error("device sign-in is switched off at {provider}: choose another way")]
    Disabled {
        /// The provider's title.
        provider: String,
    },
    /// A definite refusal.
    #[error(transparent)]
    Refused(Refusal),
    /// Nothing was sent.
    #[error(transparent)]
    NotSent(TransportError),
    /// No whole answer. A new start is harmless.
    #[error(transparent)]
    Unknown(UnknownCause),
    /// A success that lacks what it must hold (C9), or holds what cannot be shown.
    #[error("the provider's answer has no usable {what}")]
    Incomplete {
        /// The member at fault.
        what: &'static str,
    },
}

/// Who can do something about a [`StartError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartClass {
    /// Nobody needs to: the next start may work.
    Transient {
        /// How long the server asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The operator.
    Operator,
    /// The person, by another way to sign in.
    Disabled,
}

impl StartError {
    /// Who can do something about it.
    #[must_use]
    pub fn class(&self) -> StartClass {
        match self {
            Self::Disabled { .. } => StartClass::Disabled,
            Self::Refused(Refusal { kind: RefusalKind::Transient { retry_after }, .. }) => {
                StartClass::Transient { retry_after: *retry_after }
            }
            Self::NotSent(error) if error.is_operators() => StartClass::Operator,
            Self::NotOffered { .. } | Self::Refused(_) | Self::Incomplete { .. } => StartClass::Operator,
            Self::NotSent(_) | Self::Unknown(_) => StartClass::Transient { retry_after: None },
        }
    }
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
    let post = match &provider.device {
        DeviceProtocol::Rfc8628 { .. } => {
            let post = Post::by_client(provider, endpoint, BodyFormat::Form);
            if provider.scopes.is_empty() { post } else { post.text("scope", &provider.scopes.join(" ")) }
        }
        DeviceProtocol::UserCodeGrant => {
            return Err(StartError::NotOffered { provider: title() });
        }
        DeviceProtocol::UserCode(_) => {
            Post::anonymous(provider, endpoint, BodyFormat::Json).text("client_id", &provider.client_id)
        }
    };
    let reply = client.send(&post).await.map_err(|error| match error {
        SendError::NotSent(error) => StartError::NotSent(error),
        SendError::Unknown(cause) => StartError::Unknown(cause),
    })?;
    let members = reply.body.as_deref().and_then(Members::read);
    match members {
        Some(members) if reply.is_success() && !members.has_error() => match &provider.device {
            DeviceProtocol::Rfc8628 { .. } => standard_start(&members),
            DeviceProtocol::UserCode(protocol) => user_code_start(&members, protocol),
            DeviceProtocol::UserCodeGrant => Err(StartError::NotOffered { provider: title() }),
        },
        members => Err(start_refused(&reply, members.as_ref(), provider, post.secrets(), now)),
    }
}

fn start_refused(
    reply: &Reply,
    members: Option<&Members>,
    provider: &Provider,
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

fn standard_start(members: &Members) -> Result<DeviceStart, StartError> {
    let page = members.text("verification_uri").or_else(|| members.text("verification_url"));
    let complete =
        members.text("verification_uri_complete").or_else(|| members.text("verification_url_complete"));
    Ok(DeviceStart {
        device_code: secret(members, &["device_code"], "device code")?,
        user_code: user_code(members, &["user_code"])?,
        verification_uri: page
            .as_deref()
            .and_then(safe_page)
            .ok_or(StartError::Incomplete { what: "verification URI (it must be https)" })?,
        verification_uri_complete: complete.as_deref().and_then(safe_page),
        expires_in: members.seconds("expires_in"),
        interval: interval(members),
    })
}

fn user_code_start(members: &Members, protocol: &UserCodeProtocol) -> Result<DeviceStart, StartError> {
    Ok(DeviceStart {
        device_code: secret(members, &["device_auth_id"], "device code")?,
        user_code: user_code(members, &["user_code", "usercode"])?,
        verification_uri: protocol.verification_uri.to_string(),
        verification_uri_complete: None,
        expires_in: members.seconds("expires_in"),
        interval: interval(members),
    })
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

fn interval(members: &Members) -> u64 {
    members.seconds("interval").unwrap_or(DEFAULT_INTERVAL).max(INTERVAL_FLOOR)
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
        DeviceProtocol::Rfc8628 { .. } | DeviceProtocol::UserCodeGrant => {
            Post::by_client(provider, &provider.token_endpoint, provider.token_body)
                .text("grant_type", DEVICE_GRANT)
                .secret("device_code", poll.device_code)
        }
        DeviceProtocol::UserCode(protocol) => {
            Post::anonymous(provider, &protocol.poll_endpoint, BodyFormat::Json)
                .secret("device_auth_id", poll.device_code)
                .text("user_code", poll.user_code)
        }
    };
    let reply = match client.send(&post).await {
        Ok(reply) => reply,
        Err(SendError::NotSent(error)) if error.is_operators() => {
            return DeviceOutcome::Failed(refusal::unready(&error.to_string()));
        }
        Err(_) => return DeviceOutcome::BackOff { retry_after: None },
    };
    if let Some(outcome) = not_yet_or_over(&reply, &provider.device) {
        return outcome;
    }
    match &provider.device {
        DeviceProtocol::UserCode(protocol) if reply.is_success() => code_of(&reply, protocol),
        _ => settled(token::judge(&reply, Presented::DeviceCode, provider, post.secrets(), now), &reply, now),
    }
}

/// The answers that are this flow's own. Codes count before statuses, and both before anything general.
fn not_yet_or_over(reply: &Reply, protocol: &DeviceProtocol) -> Option<DeviceOutcome> {
    if reply.status >= 500 {
        return None;
    }
    let code = reply.body.as_deref().and_then(Members::read).and_then(|members| members.error_code());
    match code.as_deref() {
        Some("authorization_pending") => return Some(DeviceOutcome::Pending),
        Some("slow_down") => return Some(DeviceOutcome::SlowDown),
        Some("access_denied" | "authorization_denied") => return Some(DeviceOutcome::Denied),
        Some("expired_token") => return Some(DeviceOutcome::Expired),
        _ => {}
    }
    let DeviceProtocol::UserCode(protocol) = protocol else { return None };
    let by_code = code.is_some_and(|code| protocol.pending_codes.contains(&code));
    (by_code || protocol.pending_statuses.contains(&reply.status)).then_some(DeviceOutcome::Pending)
}

/// The authorization code that a poll of [`DeviceProtocol::UserCode`] answers with.
fn code_of(reply: &Reply, protocol: &UserCodeProtocol) -> DeviceOutcome {
    let members = reply.body.as_deref().and_then(Members::read);
    let secret = |name: &str| members.as_ref()?.secret(name).ok().flatten();
    match (secret("authorization_code"), secret("code_verifier")) {
        (Some(code), Some(verifier)) => {
            DeviceOutcome::Code { code, verifier, redirect_uri: protocol.exchange_redirect_uri.clone() }
        }
        _ => failed(reply.status, "the provider's answer has no code and verifier"),
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

#[cfg(test)]
mod tests;
