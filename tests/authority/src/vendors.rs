//! Settings of servers that behave as those of some vendors do.
//!
//! Owns the values alone: what they stand for is in `settings`, what is done about them in the file of each endpoint.

use std::time::Duration;

use crate::settings::{
    Answer, Bodies, ExpiresIn, IdToken, Interval, RefreshTokens, ReplyShape, Reuse, ReuseError, Revocation,
    Rotation, ScopeShape, Settings, UserinfoShape,
};

impl Settings {
    /// A server that behaves as codex's does: its own device protocol, account claim, nested reuse error.
    #[must_use]
    pub fn codex() -> Self {
        Self {
            reuse_error: ReuseError::Nested,
            interval: Interval::Text("5".into()),
            bodies: Bodies::Either,
            reply: ReplyShape { account_claim: true, ..ReplyShape::default() },
            ..Self::default()
        }
    }

    /// A server that behaves as Qwen's does: device logins with PKCE, and a `resource_url` beside the tokens. Any client id
    /// is taken, and nothing is revoked.
    #[must_use]
    pub fn qwen() -> Self {
        let extra = serde_json::Map::from_iter([("resource_url".to_owned(), "portal.qwen.example".into())]);
        Self {
            any_client: true,
            device_pkce: true,
            reply: ReplyShape {
                scope: ScopeShape::Missing,
                id_token: IdToken::None,
                extra,
                ..ReplyShape::default()
            },
            ..Self::default()
        }
    }

    /// A server that behaves as `MiniMax`'s does: the user-code grant, intervals in milliseconds, replies with `status`. Any
    /// client id is taken.
    #[must_use]
    pub fn minimax() -> Self {
        let extra =
            serde_json::Map::from_iter([("resource_url".to_owned(), "https://api.minimax.example".into())]);
        Self {
            any_client: true,
            status_replies: true,
            reuse_error: ReuseError::Prose,
            interval: Interval::Number(2_000),
            // It is not known to enforce any.
            enforced_interval: Duration::ZERO,
            reply: ReplyShape {
                token_type: None,
                expires_in: ExpiresIn::Missing,
                scope: ScopeShape::Missing,
                id_token: IdToken::None,
                extra,
                ..ReplyShape::default()
            },
            ..Self::default()
        }
    }

    /// A server that behaves as GitHub's does for Copilot: a device login whose token lasts and has no refresh token, the
    /// exchange, and who it is at `/user`.
    #[must_use]
    pub fn copilot() -> Self {
        Self {
            iss_in_answer: false,
            complete_uri: false,
            interval: Interval::Number(3),
            enforced_interval: Duration::from_millis(2_500),
            access_lifetime: Duration::from_hours(24 * 365),
            refresh_tokens: RefreshTokens::Never,
            userinfo: UserinfoShape::GitHub,
            reply: ReplyShape {
                token_type: Some("bearer".to_owned()),
                expires_in: ExpiresIn::Missing,
                scope: ScopeShape::Commas,
                id_token: IdToken::None,
                ..ReplyShape::default()
            },
            ..Self::default()
        }
    }

    /// A server that behaves as Google's does.
    #[must_use]
    pub fn google() -> Self {
        Self {
            answer: Answer::BareCode,
            iss_in_answer: false,
            rotation: Rotation::Omit,
            reuse: Reuse::Lenient,
            revocation: Revocation::PersonAndClient,
            dead_words: "Token has been expired or revoked.".to_owned(),
            userinfo: UserinfoShape::Google,
            reply: ReplyShape { account_claim: false, ..ReplyShape::default() },
            ..Self::default()
        }
    }
}
