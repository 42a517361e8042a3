//! What a refusal means for the credential.
//!
//! Owns the step from a whole reply that grants nothing to [`Refusal`] (G16, G17). Invariant: only [`RefusalKind::Dead`]
//! leads to asking people to sign in, so it is said only on the authorization server's own word about the token; every
//! doubt falls to another side. Must not: act on it.

use std::time::Duration;

use super::http::{Reply, UnknownCause};
use super::mask;
use super::reply::Members;
use crate::clock::UnixSeconds;
use crate::provider::{EmptyRefusal, Provider};
use crate::secret::Secret;

/// A definite answer that grants nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// What it means.
    pub kind: RefusalKind,
    /// The HTTP status; 0 if nothing was sent, since our own configuration is at fault.
    pub status: u16,
    /// The error code, as sent, if one was and it can be shown.
    pub code: Option<String>,
    /// What to log, in our words and the server's: no secret, at most 200 characters, one line (T10).
    pub text: String,
    /// The server's own description, where it gave one, by the same rule: what is shown to people who read another language.
    pub said: Option<String>,
}

impl Refusal {
    /// The server's own words: its description, else its error code.
    #[must_use]
    pub fn own_words(&self) -> Option<&str> {
        self.said.as_deref().or(self.code.as_deref())
    }

    /// Whether the server says that it does not know our client (RFC 6749 section 5.2). Of one that it made itself it has
    /// forgotten that, and no operator can mend it.
    #[must_use]
    pub fn disowns_client(&self) -> bool {
        self.code.as_deref() == Some("invalid_client")
    }
}

/// What a refusal means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalKind {
    /// Later may go better. The credential stays as it is.
    Transient {
        /// How long the server asks us to wait, at most a day.
        retry_after: Option<Duration>,
    },
    /// The grant is gone: only a new sign-in helps.
    Dead(DeadReason),
    /// The sign-in is good, and its account may not have what is asked for: neither waiting nor signing in anew helps. The
    /// credential stays.
    NoAccess,
    /// Our client or its configuration is refused: neither waiting nor signing in helps. The credential stays.
    Operator,
}

impl RefusalKind {
    /// Its word, for metrics and audit lines.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::Dead(DeadReason::InvalidGrant) => "invalid_grant",
            Self::Dead(DeadReason::Reused) => "reused",
            Self::Dead(DeadReason::Revoked) => "revoked",
            Self::NoAccess => "no_access",
            Self::Operator => "operator",
        }
    }
}

/// Why a grant is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadReason {
    /// `invalid_grant` without more, or a 401 in an exchange: expired, perhaps, or spent. Worth one more probe later (G17).
    InvalidGrant,
    /// The refresh token was presented a second time.
    Reused,
    /// Revoked, by the person or the provider.
    Revoked,
}

/// What the request presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presented {
    RefreshToken,
    Code,
    DeviceCode,
    /// The token of a sign-in, where that is exchanged for access tokens.
    SignIn,
}

/// A reply that grants nothing, sorted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Refused(Refusal),
    Unknown(UnknownCause),
}

/// Sorts a reply that is not a grant.
///
/// By status first: 429, 500 and 503 are transient, the other 5xx are gateways' (502, 504, Cloudflare's 52x) and leave
/// the outcome unknown, as does a 500 that is a page and not an answer; a 5xx is never "dead", since a server that fails
/// is no judge of a token. Then by code. What is left are 4xx and redirects that this table does not know:
///
/// - 408 and 425 ask to be tried again; so does a 403 that is a web page, since a firewall sent it and not the token
///   endpoint. They are transient.
/// - An error that the descriptor lists as passing is, whatever its status.
/// - A 400 without a word to a refresh token is what the descriptor says, since one server at least has no other for a
///   token that has ended.
/// - Everything else (400 with an empty body elsewhere, 401 or 403 with odd JSON, 404, 405, a redirect) is the operator's: it is
///   definite, so that repeating it is pointless, and it does not speak of the token, so that asking people to sign in
///   would be a guess, and would hit every one of them at once when an endpoint moves.
pub(crate) fn classify(
    reply: &Reply,
    members: Option<&Members>,
    presented: Presented,
    provider: &Provider,
    secrets: &[Secret],
    now: UnixSeconds,
) -> Verdict {
    let status = reply.status;
    let page = members.is_none() && looks_like_page(reply.body.as_deref());
    match status {
        500 if page => return Verdict::Unknown(UnknownCause::Gateway { status }),
        429 | 500 | 503 => {}
        500.. => return Verdict::Unknown(UnknownCause::Gateway { status }),
        _ => {}
    }
    let code = members.and_then(Members::error_code);
    let transient = RefusalKind::Transient { retry_after: reply.retry_after(now) };
    let passes = members.is_some_and(|members| members.has_code(&provider.transient_codes));
    let kind = if passes || matches!(status, 408 | 425 | 429 | 500 | 503) || (status == 403 && page) {
        transient
    } else {
        let said = match members {
            Some(members) => members.all_text(),
            None if page => String::new(),
            None => reply.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned(),
        };
        match by_words(code.as_deref(), &said, presented, provider) {
            ByWords::Operator
                if status == 400
                    && presented == Presented::RefreshToken
                    && provider.empty_refusal == EmptyRefusal::Dead
                    && reply.body.as_deref().is_some_and(|body| body.trim_ascii().is_empty()) =>
            {
                RefusalKind::Dead(DeadReason::InvalidGrant)
            }
            ByWords::Transient => transient,
            ByWords::Dead(reason) => RefusalKind::Dead(reason),
            ByWords::Operator => RefusalKind::Operator,
        }
    };
    let description = members.and_then(Members::error_text);
    refused(kind, status, code.as_deref(), description.as_deref(), presented, secrets)
}

/// The refusal, in words that are fit to show.
fn refused(
    kind: RefusalKind,
    status: u16,
    code: Option<&str>,
    description: Option<&str>,
    presented: Presented,
    secrets: &[Secret],
) -> Verdict {
    let text = words(&kind, status, code, description, presented);
    let safe = |text: &str| mask::safe(text, secrets);
    Verdict::Refused(Refusal {
        kind,
        status,
        code: code.map(safe),
        text: safe(&text),
        said: description.map(safe),
    })
}

/// Sorts a reply to the exchange of a sign-in's token that brings nothing. Where [`classify`] has to guess, such an endpoint
/// is plain: it is an API, which says 401 of the token (RFC 9110 section 15.5.2), and 403 or 404 of what its account may do.
/// The 401 is worth a probe all the same, since it may be the endpoint that errs. A 403 that asks to wait, or speaks of a
/// rate limit, is no such word, nor is a 404 without words, and a page is nobody's.
pub(crate) fn of_exchange(
    reply: &Reply,
    members: Option<&Members>,
    provider: &Provider,
    secrets: &[Secret],
    now: UnixSeconds,
) -> Verdict {
    let status = reply.status;
    let is_page = members.is_none() && looks_like_page(reply.body.as_deref());
    let details = members.and_then(|members| members.claims().text_at(&["error_details", "message"]));
    let description = details.or_else(|| members.and_then(Members::error_text));
    let code = members.and_then(Members::error_code);
    let is_limit = reply.asks_to_wait()
        || description.as_deref().is_some_and(|said| said.to_ascii_lowercase().contains("rate limit"));
    let kind = match status {
        401 if !is_page => RefusalKind::Dead(DeadReason::InvalidGrant),
        403 if is_limit => RefusalKind::Transient { retry_after: reply.retry_after(now) },
        403 if members.is_some() => RefusalKind::NoAccess,
        404 if code.is_some() || description.is_some() => RefusalKind::NoAccess,
        _ => return classify(reply, members, Presented::SignIn, provider, secrets, now),
    };
    refused(kind, status, code.as_deref(), description.as_deref(), Presented::SignIn, secrets)
}

/// A refusal of our own: the request was not sent, since the configuration does not suffice for it.
pub(crate) fn unready(what: &str) -> Refusal {
    Refusal { kind: RefusalKind::Operator, status: 0, code: None, text: mask::plain(what), said: None }
}

/// A refusal of our own: the code led to the id token of another sign-in.
pub(crate) fn of_another_sign_in() -> Refusal {
    let text = "the provider answers with the id token of another sign-in (its nonce differs)";
    let kind = RefusalKind::Dead(DeadReason::InvalidGrant);
    Refusal { kind, status: 0, code: None, text: mask::plain(text), said: None }
}

enum ByWords {
    Transient,
    Dead(DeadReason),
    Operator,
}

fn by_words(code: Option<&str>, said: &str, presented: Presented, provider: &Provider) -> ByWords {
    let said = folded(said);
    let code = code.unwrap_or_default().to_ascii_lowercase();
    let refresh = presented == Presented::RefreshToken;
    if refresh && tells_of_reuse(&said, code == "invalid_grant", &provider.reuse_prose) {
        return ByWords::Dead(DeadReason::Reused);
    }
    match code.as_str() {
        "invalid_grant" if tells_of_revocation(&said) => ByWords::Dead(DeadReason::Revoked),
        "token_revoked" | "refresh_token_revoked" | "refresh_token_invalidated" if refresh => {
            ByWords::Dead(DeadReason::Revoked)
        }
        "invalid_grant" => ByWords::Dead(DeadReason::InvalidGrant),
        "refresh_token_expired" | "invalid_refresh_token" | "bad_refresh_token" if refresh => {
            ByWords::Dead(DeadReason::InvalidGrant)
        }
        // Qwen has no other word for a refresh token that has ended.
        "invalid_request" if refresh && said.contains("invalid refresh token") => {
            ByWords::Dead(DeadReason::InvalidGrant)
        }
        "bad_verification_code" if !refresh => ByWords::Dead(DeadReason::InvalidGrant),
        "temporarily_unavailable"
        | "server_error"
        | "slow_down"
        | "rate_limit"
        | "rate_limited"
        | "rate_limit_exceeded"
        | "too_many_requests" => ByWords::Transient,
        _ => ByWords::Operator,
    }
}

/// Words by which providers are known to say that a refresh token was presented twice.
const REUSE_PROSE: &[&str] = &[
    "refresh token reused",
    "refresh token reuse",
    "reused refresh token",
    "reuse of refresh token",
    "refresh token has already been used",
    "refresh token already used",
    "refresh token was already used",
    "refresh token is already used",
    "refresh token has been used already",
    "refresh token has been reused",
    "refresh token was reused",
];

/// Words that mean it only beside `invalid_grant`.
const REUSE_HINTS: &[&str] = &["reuse", "already been used", "already used", "used already"];

fn tells_of_reuse(said: &str, invalid_grant: bool, own: &[String]) -> bool {
    REUSE_PROSE.iter().any(|known| said.contains(known))
        || own.iter().any(|known| said.contains(&folded(known)))
        || (invalid_grant && REUSE_HINTS.iter().any(|hint| said.contains(hint)))
}

/// Only a plain statement counts: "expired or has been revoked" lists possibilities, and so tells of nothing.
fn tells_of_revocation(said: &str) -> bool {
    ["has been revoked", "was revoked", "is revoked", "has been invalidated"]
        .iter()
        .any(|statement| said.contains(statement) && !said.contains(&format!("or {statement}")))
}

/// Lower case, with every run of spaces and joiners one space, so that prose and codes compare alike.
pub(super) fn folded(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

pub(super) fn looks_like_page(body: Option<&[u8]>) -> bool {
    body.is_some_and(|body| body.trim_ascii_start().starts_with(b"<"))
}

fn words(
    kind: &RefusalKind,
    status: u16,
    code: Option<&str>,
    description: Option<&str>,
    presented: Presented,
) -> String {
    let fixed = match (kind, presented) {
        (RefusalKind::Transient { .. }, _) if status == 429 => {
            return "the provider asks us to slow down (HTTP 429)".to_owned();
        }
        (RefusalKind::Transient { .. }, _) => return format!("the provider is out of order (HTTP {status})"),
        (RefusalKind::Dead(_), Presented::Code | Presented::DeviceCode) => {
            return "the provider no longer accepts this code: it is expired, spent or for another sign-in"
                .to_owned();
        }
        (RefusalKind::Dead(DeadReason::InvalidGrant), Presented::SignIn) => {
            return format!("the provider no longer accepts the token of this sign-in (HTTP {status})");
        }
        (RefusalKind::Dead(DeadReason::InvalidGrant), _) => {
            return match code {
                Some(code) => format!("the provider no longer accepts this sign-in ({code})"),
                None => {
                    format!("the provider no longer accepts this sign-in (HTTP {status}, without a word)")
                }
            };
        }
        (RefusalKind::Dead(DeadReason::Reused), _) => {
            return "the provider saw the refresh token used twice and ended this sign-in".to_owned();
        }
        (RefusalKind::Dead(DeadReason::Revoked), _) => {
            return "this sign-in was revoked at the provider".to_owned();
        }
        (RefusalKind::NoAccess, _) => {
            format!("the account that signed in has no access to this, says the provider (HTTP {status})")
        }
        (RefusalKind::Operator, _) => operator_words(status, code),
    };
    match description {
        Some(description) => format!("{fixed}: {description}"),
        None => fixed,
    }
}

fn operator_words(status: u16, code: Option<&str>) -> String {
    let known = match code.unwrap_or_default() {
        "invalid_client" | "incorrect_client_credentials" => {
            "the provider does not accept our client id or secret"
        }
        "unauthorized_client" => "our client may not use this way of signing in",
        "unsupported_grant_type" => "the provider does not offer this way of signing in",
        "invalid_scope" => "the provider refuses the scopes asked for",
        "invalid_request" => "the provider finds the request malformed",
        "redirect_uri_mismatch" => "the redirect URI is not registered for our client",
        "" if (300..400).contains(&status) => {
            "the endpoint redirects elsewhere, which is not followed: correct its address"
        }
        "" if matches!(status, 404 | 405 | 410) => "the endpoint is not there: correct its address",
        "" => return format!("the provider refuses the request (HTTP {status})"),
        other => return format!("the provider refuses the request (HTTP {status}, {other})"),
    };
    match code {
        Some(code) => format!("{known} ({code})"),
        None => format!("{known} (HTTP {status})"),
    }
}

#[cfg(test)]
mod tests;
