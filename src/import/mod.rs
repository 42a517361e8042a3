//! What other programs keep: their files, read into credentials to be.
//!
//! Owns one pure parser per program (`bytes → Result<Vec<Found>, ImportError>`, F11) and the list of programs. Invariants:
//! bytes beyond [`MOST_BYTES`] are refused; an error names the place and never a value; a record that cannot be used is
//! listed with the reason, never passed over in silence; endpoints and issuers in a file are not even read. Must not: read
//! files, or decide where a credential goes (`broker/import.rs` does).

mod claude;
mod codex;
mod hermes;
mod json;
mod openab;
mod take;

use std::fmt;
use std::path::PathBuf;

pub use self::take::blank;
use crate::clock::UnixSeconds;
use crate::secret::Secret;

/// The largest file that is read, in bytes.
pub const MOST_BYTES: usize = 1024 * 1024;

/// A program whose file can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `OpenAI`'s codex.
    Codex,
    /// Claude Code.
    Claude,
    /// Hermes.
    Hermes,
    /// openab's agent.
    Openab,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Codex, Self::Claude, Self::Hermes, Self::Openab];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::Claude => "claude",
            Self::Hermes => "hermes",
            Self::Openab => "openab",
        }
    }

    /// Where it keeps its file, below the home folder.
    #[must_use]
    pub fn usual_place(self) -> PathBuf {
        PathBuf::from(match self {
            Self::Codex => ".codex/auth.json",
            Self::Claude => ".claude/.credentials.json",
            Self::Hermes => ".hermes/auth.json",
            Self::Openab => ".openab/agent/auth.json",
        })
    }

    /// Reads its file.
    ///
    /// # Errors
    /// When the file as a whole is none of this program's.
    pub fn parse(self, bytes: &[u8]) -> Result<Vec<Found>, ImportError> {
        if bytes.len() > MOST_BYTES {
            return Err(ImportError::TooLarge);
        }
        let root = json::root(bytes)?;
        match self {
            Self::Codex => codex::read(&root),
            Self::Claude => claude::read(&root),
            Self::Hermes => hermes::read(&root),
            Self::Openab => openab::read(&root),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a file cannot be imported from. Nothing was read further, and nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Larger than any such file.
    #[error("the file is larger than {MOST_BYTES} bytes: is it the right one?")]
    TooLarge,
    /// Not text.
    #[error("the file is not UTF-8 text, from byte {at} on")]
    NotText {
        /// Bytes that are.
        at: usize,
    },
    /// Not JSON.
    #[error(
        "the file is not JSON, at line {line}, column {column}; it may be half written: try again, or repair it"
    )]
    NotJson {
        /// Counted from one.
        line: usize,
        /// Counted from one.
        column: usize,
    },
    /// JSON, and not of the expected shape.
    #[error("{place} is {found}, where {expected} is expected: is it the right file?")]
    Shape {
        /// Where, as names joined by dots.
        place: String,
        /// What is expected there.
        expected: &'static str,
        /// What stands there, by its sort.
        found: &'static str,
    },
}

/// One record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where in the file, as names joined by dots.
    pub place: String,
    /// What it is.
    pub content: Content,
}

/// What a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A sign-in or a key.
    Tokens(Box<Tokens>),
    /// Nothing to import, for this reason.
    LeftOut(String),
}

/// A sign-in or a key, as a file tells it. The provider's word counts for all that is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The provider, by whatever name or alias the file has for it, `mcp:` before a server's.
    pub provider: String,
    /// Which of several accounts there, already in its canonical spelling.
    pub profile: Option<String>,
    /// Whose slot, where the file says: digits.
    pub user: Option<String>,
    /// Whether it is a key that is never refreshed.
    pub is_key: bool,
    /// The access token, or the key.
    pub access_token: Secret,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
    /// The identity token.
    pub id_token: Option<Secret>,
    /// As the file says it.
    pub token_type: Option<String>,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// When these tokens came, in unix seconds.
    pub obtained_at: Option<UnixSeconds>,
    /// When the access token ends, in unix seconds.
    pub expires_at: Option<UnixSeconds>,
    /// The account's id, where the file has it apart from any token.
    pub account_id: Option<String>,
    /// The client that the tokens were issued to, where the file says: compared with the configured one, never used.
    pub client_id: Option<String>,
}

impl Tokens {
    fn new(provider: &str, access_token: Secret) -> Self {
        Self {
            provider: provider.to_owned(),
            profile: None,
            user: None,
            is_key: false,
            access_token,
            refresh_token: None,
            id_token: None,
            token_type: None,
            scopes: Vec::new(),
            obtained_at: None,
            expires_at: None,
            account_id: None,
            client_id: None,
        }
    }

    fn key(provider: &str, key: Secret) -> Self {
        Self { is_key: true, ..Self::new(provider, key) }
    }

    fn found(self, place: impl Into<String>) -> Found {
        Found { place: place.into(), content: Content::Tokens(Box::new(self)) }
    }
}

impl Found {
    fn left_out(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self { place: place.into(), content: Content::LeftOut(why.into()) }
    }
}

#[cfg(test)]
mod tests;
