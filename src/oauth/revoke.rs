//! Revocation (RFC 7009).
//!
//! Owns one revocation request and the meaning of its answer: done, owed, or not to be had. Must not: decide whether a
//! token may be revoked, since that may end other credentials (T12).

use std::time::Duration;

use super::http::{Client, SendError, TransportError, UnknownCause};
use super::refusal::{self, Presented, Refusal, RefusalKind, Verdict};
use super::reply::Members;
use super::request::Post;
use crate::clock::UnixSeconds;
use crate::provider::{BodyFormat, Resolved, RevocationScope};
use crate::secret::Secret;

/// What kind of token is revoked (RFC 7009 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenHint {
    /// A refresh token.
    RefreshToken,
    /// An access token.
    AccessToken,
}

impl TokenHint {
    fn as_str(self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh_token",
            Self::AccessToken => "access_token",
        }
    }
}

/// A revocation that needs nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// The token is no longer valid, or never was.
    Done,
    /// This provider revokes nothing: no endpoint, or `revocation = "none"`.
    NotOffered,
}

/// Why a token may still be valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevokeError {
    /// A definite answer.
    #[error(transparent)]
    Refused(Refusal),
    /// The provider does not revoke tokens of this kind.
    #[error("the provider does not revoke this kind of token (unsupported_token_type)")]
    Unsupported,
    /// Nothing was sent.
    #[error(transparent)]
    NotSent(TransportError),
    /// No whole answer. Sending it again is harmless.
    #[error(transparent)]
    Unknown(UnknownCause),
}

/// Whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeClass {
    /// Owed: keep the token and try later (T12).
    Owed {
        /// How long the server asks us to wait.
        retry_after: Option<Duration>,
    },
    /// Trying again is pointless.
    Final,
}

impl RevokeError {
    /// Whether to try again.
    #[must_use]
    pub fn class(&self) -> RevokeClass {
        match self {
            Self::Refused(Refusal { kind: RefusalKind::Transient { retry_after }, .. }) => {
                RevokeClass::Owed { retry_after: *retry_after }
            }
            Self::Refused(_)
            | Self::Unsupported
            | Self::NotSent(TransportError::Insecure { .. } | TransportError::OutOfReach { .. }) => {
                RevokeClass::Final
            }
            Self::NotSent(_) | Self::Unknown(_) => RevokeClass::Owed { retry_after: None },
        }
    }
}

/// Revokes `token`. `now` is the time before the call. One request at most.
///
/// # Errors
/// When the token may still be valid; [`RevokeError::class`] says whether trying again can help.
pub async fn revoke(
    client: &Client,
    provider: &Resolved,
    token: &Secret,
    hint: TokenHint,
    now: UnixSeconds,
) -> Result<Revoked, RevokeError> {
    let Some(endpoint) =
        provider.revocation_endpoint.as_ref().filter(|_| provider.revocation != RevocationScope::None)
    else {
        return Ok(Revoked::NotOffered);
    };
    if let Some(missing) = &provider.client_missing {
        return Err(RevokeError::Refused(refusal::unready(missing)));
    }
    let post = Post::by_client(provider, endpoint, BodyFormat::Form)
        .secret("token", token)
        .text("token_type_hint", hint.as_str());
    let reply = client.send(&post).await.map_err(|error| match error {
        SendError::NotSent(error) => RevokeError::NotSent(error),
        SendError::Unknown(cause) => RevokeError::Unknown(cause),
    })?;
    let members = reply.body.as_deref().and_then(Members::read);
    if reply.is_success() && !members.as_ref().is_some_and(Members::has_error) {
        return Ok(Revoked::Done);
    }
    match members.as_ref().and_then(Members::error_code).as_deref() {
        Some("unsupported_token_type") => return Err(RevokeError::Unsupported),
        // RFC 7009 section 2.2 wants 200 for a token that is not valid; some answer this.
        Some("invalid_token" | "invalid_grant") if reply.status < 500 => return Ok(Revoked::Done),
        _ => {}
    }
    match refusal::classify(&reply, members.as_ref(), Presented::RefreshToken, provider, post.secrets(), now)
    {
        Verdict::Refused(refusal) => Err(RevokeError::Refused(refusal)),
        Verdict::Unknown(cause) => Err(RevokeError::Unknown(cause)),
    }
}

#[cfg(test)]
mod tests {
    use url::Url;
    use wiremock::matchers::{body_string, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::oauth::token::testing::provider;

    async fn revoked(answer: ResponseTemplate) -> Result<Revoked, RevokeError> {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/revoke"))
            .and(body_string("client_id=latchkey&token=rt%2B1&token_type_hint=refresh_token"))
            .respond_with(answer)
            .expect(1)
            .mount(&server)
            .await;
        let mut provider = provider(&server.uri());
        provider.revocation_endpoint = Url::parse(&format!("{}/revoke", server.uri())).ok();
        revoke(&Client::new(), &provider, &Secret::new("rt+1"), TokenHint::RefreshToken, 0).await
    }

    /// T12
    #[tokio::test]
    async fn done_owed_and_final_are_told_apart() {
        let json = |status, body: &str| ResponseTemplate::new(status).set_body_string(body);
        assert_eq!(revoked(json(200, "")).await, Ok(Revoked::Done));
        assert_eq!(revoked(json(400, r#"{"error":"invalid_token"}"#)).await, Ok(Revoked::Done));
        let owed = |seconds: Option<u64>| RevokeClass::Owed { retry_after: seconds.map(Duration::from_secs) };
        for (answer, class) in [
            (json(503, "").insert_header("retry-after", "30"), owed(Some(30))),
            (json(502, "<html>"), owed(None)),
            (json(400, r#"{"error":"unsupported_token_type"}"#), RevokeClass::Final),
            (json(401, r#"{"error":"invalid_client"}"#), RevokeClass::Final),
            (json(200, r#"{"error":"unauthorized_client"}"#), RevokeClass::Final),
            (json(404, ""), RevokeClass::Final),
        ] {
            assert_eq!(revoked(answer).await.map_err(|error| error.class()), Err(class));
        }
    }

    /// T12
    #[tokio::test]
    async fn without_an_endpoint_nothing_is_sent() {
        let mut provider = provider("http://127.0.0.1:1/token");
        let secret = Secret::new("rt");
        for _ in 0..2 {
            let revoked = revoke(&Client::new(), &provider, &secret, TokenHint::AccessToken, 0).await;
            assert_eq!(revoked, Ok(Revoked::NotOffered));
            provider.revocation_endpoint = Url::parse("http://127.0.0.1:1/revoke").ok();
            provider.revocation = RevocationScope::None;
        }
    }
}
