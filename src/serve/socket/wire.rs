//! What goes over the token socket: a contract, told in docs/token-socket.md.
//!
//! Owns the shapes. One JSON object a line each way; the server speaks first. Invariants: what either side does not know in an
//! object it passes over, so that both can grow; no member holds a refresh token (Z2). Must not: derive `Debug` where a
//! token stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::broker::{FreshToken, LoginView, Overview, TenantView};
use crate::clock::UnixSeconds;
use crate::gate::Class;

/// The protocol's name, in the first line of the server.
pub const PROTOCOL: &str = "token-socket";
/// The version that this program speaks.
pub const VERSION: u32 = 1;

/// The first line, from the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`].
    pub latchkey: String,
    /// [`VERSION`].
    pub version: u32,
    /// Which store is served: the `store_id` of the auth file (F15), where one is written already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<String>,
}

/// A request: one line.
#[derive(Default, Serialize, Deserialize)]
pub struct Request {
    /// Comes back with each answer: text or a number of the caller's choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<serde_json::Value>,
    /// `token`, `status` or `watch`.
    #[serde(default)]
    pub op: String,
    /// The bearer token, where the caller's user id says nothing here. Once shown it holds for the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<String>,
    /// `token`: a tenant, or a provider's name or alias. `watch`: only this one, by its full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// `token`: the Discord user whose own sign-in is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `token`: the Discord thread that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// `token`: the channel that it hangs from; the bot knows it itself where it has seen the thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// `token`: seconds that it must still last; 60 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_valid: Option<u64>,
    /// `token`: the SHA-256 of a token that was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_sha256: Option<String>,
    /// `token`: whether to wait for a sign-in that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<bool>,
    /// `token`: whether a refresh that is under way is waited for although the present token would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<bool>,
    /// `token`: seconds to wait in all; 30 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
}

/// An access token, in the shape of `latchkey token --format json`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenBody {
    /// Whose.
    pub tenant: String,
    /// The token itself.
    pub access_token: String,
    /// How it is presented.
    pub token_type: String,
    /// When it ends, in unix seconds, where that is known.
    pub expires_at: Option<UnixSeconds>,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// One up at every replacement.
    pub generation: u64,
    /// What its user needs beside it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
}

impl From<&FreshToken> for TokenBody {
    fn from(token: &FreshToken) -> Self {
        Self {
            tenant: token.tenant.to_string(),
            access_token: token.access_token.expose().to_owned(),
            token_type: token.token_type.clone(),
            expires_at: token.expires_at,
            scopes: token.scopes.clone(),
            generation: token.generation,
            extra: token.extra.clone(),
        }
    }
}

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A word for programs: one of [`Word`], or one that a later version has.
    pub error: String,
    /// The exit code of `latchkey token` in this case.
    pub exit_code: u8,
    /// For people, with the remedy.
    pub message: String,
}

/// An answer: one line, with the `id` of its request beside it and `ok`, which is false for an error alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and written at once")]
pub enum Answer {
    /// To `token`.
    Token(TokenBody),
    /// To `status`.
    Status {
        /// What the caller may know of.
        status: Overview,
    },
    /// To `watch`, one after another: `tenant` (it is new or has changed), `tenant_gone`, `login`, `login_gone`, and `synced`
    /// once all that was there at first has been told.
    Event {
        /// Which of these.
        event: String,
        /// The tenant, as it stands now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<TenantView>,
        /// The login, as it stands now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        login: Option<LoginView>,
        /// Which tenant it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
    /// To any.
    Error(ErrorBody),
}

/// A line of answer.
#[derive(Serialize, Deserialize)]
pub struct Reply {
    /// The request's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<serde_json::Value>,
    /// Whether it is no error.
    pub ok: bool,
    /// The rest of the object.
    #[serde(flatten)]
    pub answer: Answer,
}

/// Why a request came to nothing, in a word for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A bug here.
    Internal,
    /// For the operator.
    Configuration,
    /// The line is no request.
    BadRequest,
    /// There is no such operation.
    UnknownOp,
    /// The line is too long.
    TooLarge,
    /// Somebody must sign in.
    NeedsLogin,
    /// Trying again may help.
    Transient,
    /// Too much is under way.
    Busy,
    /// It took too long.
    TimedOut,
    /// The bot ends.
    Closing,
    /// The provider says no.
    Denied,
    /// We say no.
    NotAllowed,
    /// The store cannot be used.
    Store,
}

impl Word {
    /// All of them, in their order.
    pub const ALL: [Self; 13] = [
        Self::Internal,
        Self::Configuration,
        Self::BadRequest,
        Self::UnknownOp,
        Self::TooLarge,
        Self::NeedsLogin,
        Self::Transient,
        Self::Busy,
        Self::TimedOut,
        Self::Closing,
        Self::Denied,
        Self::NotAllowed,
        Self::Store,
    ];

    /// As it goes over the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Configuration => "configuration",
            Self::BadRequest => "bad_request",
            Self::UnknownOp => "unknown_op",
            Self::TooLarge => "too_large",
            Self::NeedsLogin => "needs_login",
            Self::Transient => "transient",
            Self::Busy => "busy",
            Self::TimedOut => "timed_out",
            Self::Closing => "closing",
            Self::Denied => "denied",
            Self::NotAllowed => "not_allowed",
            Self::Store => "store",
        }
    }

    /// The exit code of `latchkey token` in this case.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Configuration | Self::BadRequest | Self::UnknownOp | Self::TooLarge => 2,
            Self::NeedsLogin => 3,
            Self::Transient | Self::Busy | Self::TimedOut | Self::Closing => 4,
            Self::Denied | Self::NotAllowed => 5,
            Self::Store => 6,
        }
    }
}

impl From<Class> for Word {
    fn from(class: Class) -> Self {
        match class {
            Class::Bug => Self::Internal,
            Class::Operator => Self::Configuration,
            Class::NeedsLogin => Self::NeedsLogin,
            Class::Transient => Self::Transient,
            Class::Denied => Self::Denied,
            Class::Store => Self::Store,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both sides can grow: what is not known is passed over.
    #[test]
    fn what_is_not_known_is_passed_over() {
        let request: Request =
            serde_json::from_str(r#"{"op":"token","tenant":"codex","colour":[1],"id":7}"#).unwrap();
        assert_eq!((request.op.as_str(), request.tenant.as_deref()), ("token", Some("codex")));
        let reply = r#"{"id":7,"ok":true,"tenant":"codex","access_token":"at","token_type":"Bearer","expires_at":null,
            "scopes":[],"generation":3,"colour":1}"#;
        let reply: Reply = serde_json::from_str(reply).unwrap();
        assert!(matches!(reply.answer, Answer::Token(token) if token.generation == 3));
        let error = r#"{"ok":false,"error":"needs_login","exit_code":3,"message":"m","since":1}"#;
        let error: Reply = serde_json::from_str(error).unwrap();
        assert!(matches!(error.answer, Answer::Error(error) if error.exit_code == 3));
    }
}
