//! What a tenant holds, and the identity gate that every replacement passes.
//!
//! Owns [`Credential`] (tokens, expiry, account, owner, state of its refresh); [`identity`] has the gate. Invariant:
//! `generation` rises by one at every replacement of the tokens and at nothing else; `id` changes only with a sign-in or
//! an import. Must not: know files or networks.

pub mod identity;
mod registration;

use std::collections::BTreeMap;

pub use self::identity::{Account, Objection, Way, admit};
pub use self::registration::Registration;
use crate::clock::UnixSeconds;
use crate::secret::{Secret, TokenHash, random_id};
use crate::tenant::{ProviderName, User};

/// What was asked for within this many seconds is in use (W2).
const IN_USE_FOR: i64 = 7 * 24 * 60 * 60;

/// How a credential keeps itself fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// From an OAuth sign-in: refreshed with its refresh token.
    OAuth,
    /// Put there by the operator: served as it is, never refreshed or replaced by a refresh (I8).
    Static,
}

/// Where a credential's refresh stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialState {
    /// Nothing known against it.
    Ok,
    /// A definite answer said that it is dead: people must sign in again (G17).
    NeedsLogin,
    /// Two attempts went out and no whole answer came back (G19): tried again, with back-off.
    Uncertain,
}

/// Why a member is no longer served (U7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unserved {
    /// They left the guild.
    Left,
    /// They are there, and no longer admitted.
    NotAdmitted,
}

impl Unserved {
    /// The word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::NotAdmitted => "not_admitted",
        }
    }
}

/// That the one whose own tenant this is was found to be no longer served: the tokens stay, and rest (U7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspension {
    /// Why.
    pub reason: Unserved,
    /// When that was found.
    pub at: UnixSeconds,
}

/// What was written down before a refresh was sent (G19).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The credential whose refresh token was sent.
    pub credential_id: String,
    /// Its generation at that time.
    pub generation: u64,
    /// The hash of the refresh token that was sent.
    pub refresh_sha256: TokenHash,
    /// How often it has been sent, this time included.
    pub attempt: u32,
    /// When.
    pub sent_at: UnixSeconds,
}

/// Tokens of one account at one provider, with all that keeps them fresh.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    /// How it keeps itself fresh.
    pub kind: CredentialKind,
    /// The provider that issued it.
    pub provider: ProviderName,
    /// 128 random bits, new at each sign-in or import.
    pub id: String,
    /// One up at every replacement of the tokens.
    pub generation: u64,
    /// The issuer at the time of issue; compared with the configuration, never followed (G30).
    pub issuer: Option<String>,
    /// The token endpoint at the time of issue; likewise.
    pub token_endpoint: Option<String>,
    /// The client id at the time of issue; likewise.
    pub client_id: Option<String>,
    /// Our client as the issuer registered it, where the operator has none there (RFC 7591).
    pub registration: Option<Registration>,
    /// What the tokens are for, where the request named it (RFC 8707); named again with each refresh.
    pub resource: Option<String>,
    /// What programs use.
    pub access_token: Secret,
    /// What only the gate uses.
    pub refresh_token: Option<Secret>,
    /// The identity token, as it came.
    pub id_token: Option<Secret>,
    /// As the provider said it; `Bearer` where it did not.
    pub token_type: String,
    /// What the token is good for.
    pub scopes: Vec<String>,
    /// What else the reply said that its users need, by the names that the descriptor asks for.
    pub extra: BTreeMap<String, String>,
    /// When these tokens came.
    pub obtained_at: Option<UnixSeconds>,
    /// When the access token ends, where that is known.
    pub expires_at: Option<UnixSeconds>,
    /// Whose it is at the provider.
    pub account: Account,
    /// Who signed in.
    pub owner: Option<User>,
    /// Where its refresh stands.
    pub state: CredentialState,
    /// A refresh that was sent and has no recorded end.
    pub intent: Option<Intent>,
    /// When it was last refreshed because a caller said that its token was rejected (G15).
    pub forced_at: Option<UnixSeconds>,
    /// Not before this time is it tried again (G16).
    pub retry_at: Option<UnixSeconds>,
    /// Refreshes that failed in a row.
    pub failures: u32,
    /// What the last one said, without secrets.
    pub last_error: Option<String>,
    /// Whether that is the operator's to mend: our client or its configuration is refused.
    pub operators_error: bool,
    /// Whether it is nobody's here: the provider gives this account no access, though its sign-in is good.
    pub no_access: bool,
    /// The day it was last asked for, as that day's first second.
    pub last_used_at: Option<UnixSeconds>,
    /// The guild whose member signed in, or was seen there since: only its bot judges whether they are still served (U7).
    pub guild: Option<u64>,
    /// Set while the one whose own tenant this is is not served: nothing is handed out or refreshed (U7).
    pub suspended: Option<Suspension>,
    /// When the slot was first filled by this sign-in.
    pub created_at: Option<UnixSeconds>,
    /// When anything of it last changed.
    pub updated_at: Option<UnixSeconds>,
}

impl Credential {
    /// A credential that has just come into being at `now`, with an id of its own and nothing known beyond its tokens.
    #[must_use]
    pub fn new(kind: CredentialKind, provider: ProviderName, access_token: Secret, now: UnixSeconds) -> Self {
        Self {
            kind,
            provider,
            id: random_id(),
            generation: 1,
            issuer: None,
            token_endpoint: None,
            client_id: None,
            registration: None,
            resource: None,
            access_token,
            refresh_token: None,
            id_token: None,
            token_type: "Bearer".to_owned(),
            scopes: Vec::new(),
            extra: BTreeMap::new(),
            obtained_at: Some(now),
            expires_at: None,
            account: Account::default(),
            owner: None,
            state: CredentialState::Ok,
            intent: None,
            forced_at: None,
            retry_at: None,
            failures: 0,
            last_error: None,
            operators_error: false,
            no_access: false,
            last_used_at: None,
            guild: None,
            suspended: None,
            created_at: Some(now),
            updated_at: Some(now),
        }
    }

    /// The version of the tokens: what a compare-and-set save names (G22).
    #[must_use]
    pub fn version(&self) -> (String, u64) {
        (self.id.clone(), self.generation)
    }

    /// Whether both were issued to one client at one authorization server, under whatever provider's name, or may have
    /// been, where that cannot be told: what is done to one may then end the other.
    #[must_use]
    pub fn is_of_same_client(&self, other: &Self) -> bool {
        let same_server = match (&self.token_endpoint, &other.token_endpoint) {
            // An issuer may move its token endpoint, and is the same server still.
            (Some(ours), Some(theirs)) if ours == theirs => true,
            _ => self.provider == other.provider,
        };
        let same_client = match (&self.client_id, &other.client_id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        same_server && same_client
    }

    /// Whether one token is the other's too: whoever ends it there ends it here.
    #[must_use]
    pub fn shares_a_token(&self, other: &Self) -> bool {
        match (&self.refresh_token, &other.refresh_token) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => self.access_token == other.access_token,
        }
    }

    /// Whether somebody asked for it of late, or it is too new to tell (W2).
    #[must_use]
    pub fn is_in_use(&self, now: UnixSeconds) -> bool {
        let last = self.last_used_at.max(self.created_at);
        last.is_some_and(|at| now.saturating_sub(at) < IN_USE_FOR)
    }

    /// The intent, if it speaks of exactly these tokens.
    #[must_use]
    pub fn open_intent(&self) -> Option<&Intent> {
        self.intent.as_ref().filter(|intent| {
            intent.credential_id == self.id
                && intent.generation == self.generation
                && self.refresh_token.as_ref().is_some_and(|token| token.hash() == intent.refresh_sha256)
        })
    }
}
