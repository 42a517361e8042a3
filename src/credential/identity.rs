//! Whose a credential is, and the one gate through which every credential comes into a slot (I1).
//!
//! Owns [`Account`], the rules of which account may follow which (I2, I3), and [`admit`], which every sign-in, refresh,
//! rescue, import and restore asks inside the write that stores it. Invariant: what is refused changes nothing on either side, and
//! an [`Objection`] holds no secret (I7). Must not: decide who may ask (I6 is the login's and the front door's).

use std::sync::Arc;

use super::{Credential, CredentialKind, CredentialState};
use crate::tenant::TenantKey;
use crate::text::is_unseen;

/// The longest e-mail address there can be (RFC 5321), in characters; an account id is shorter (OpenID: 255).
const NAME_CAP: usize = 320;

/// Who the provider says has signed in. A blank part is an absent part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The provider's own stable id of the account (OpenID's `sub`, say). Its case matters.
    pub id: Option<String>,
    /// The e-mail address, as the provider spelled it.
    pub email: Option<String>,
}

impl Account {
    /// An account from what a provider said, with blank parts dropped and white space trimmed. A part that is too long, or
    /// has characters that nobody sees, is nobody's name: it is dropped too, since people compare accounts by eye.
    #[must_use]
    pub fn new(id: Option<&str>, email: Option<&str>) -> Self {
        let is_name = |part: &&str| {
            !part.is_empty() && part.chars().count() <= NAME_CAP && !part.chars().any(is_unseen)
        };
        let clean = |part: Option<&str>| part.map(str::trim).filter(is_name).map(str::to_owned);
        Self { id: clean(id), email: clean(email) }
    }

    /// Whether nothing is known of who this is.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.id.is_none() && self.email.is_none()
    }

    /// How to name the account to its owner: the e-mail address, else the id.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.email.as_deref().or(self.id.as_deref())
    }

    /// Whether both are one account: `None` where they have nothing in common to compare. The account id outranks the
    /// e-mail address.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> Option<bool> {
        match (&self.id, &other.id) {
            (Some(a), Some(b)) => Some(a == b),
            _ => match (&self.email, &other.email) {
                (Some(a), Some(b)) => Some(a.to_lowercase() == b.to_lowercase()),
                _ => None,
            },
        }
    }
}

/// The strict rule (I2): may tokens of `incoming` replace those of `existing`?
///
/// Nothing known may become something known, never the reverse, and an id is not taken for an e-mail address.
#[must_use]
pub fn may_replace(existing: &Account, incoming: &Account) -> bool {
    existing.is_same(incoming).unwrap_or_else(|| existing.is_unknown())
}

/// The copy rule (I3): may what came for `incoming` be kept with `existing`, when the reply may leave identity out, as
/// a refresh does (G23)? Refuses only what is known to be another account, or cannot be compared at all.
#[must_use]
pub fn may_copy(existing: &Account, incoming: &Account) -> bool {
    existing.is_same(incoming).unwrap_or_else(|| existing.is_unknown() || incoming.is_unknown())
}

/// By what way a credential comes into a slot.
#[derive(Debug, Clone, Copy)]
pub enum Way<'a> {
    /// Somebody has signed in; `stored` is every tenant there is.
    SignIn {
        /// In order of their keys.
        stored: &'a [(TenantKey, Arc<Credential>)],
    },
    /// The slot's own credential was refreshed. Its refresh token is looked for in no other slot: the old one is spent, and
    /// to drop the new one for its likeness to another would lose the sign-in.
    Refresh {
        /// The account in the reply, which may leave it out (G23).
        said: &'a Account,
    },
    /// It stood in another program's file; `stored` is every tenant there is.
    Import {
        /// In order of their keys.
        stored: &'a [(TenantKey, Arc<Credential>)],
    },
    /// It stood in a copy of a store; `stored` is every tenant there is. Which of the two is to stay is for who restores to judge.
    Restore {
        /// In order of their keys.
        stored: &'a [(TenantKey, Arc<Credential>)],
    },
}

/// Why a credential does not come into a slot. Each text says what to do, and completes "the slot is left as it is: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// It is a key and the slot holds a sign-in, or the reverse (I8).
    #[error("it holds {}: log it out first if that is to go", match .held {
        CredentialKind::OAuth => "a sign-in, and this is a key",
        CredentialKind::Static => "a key, and this is a sign-in",
    })]
    OtherKind {
        /// What the slot holds.
        held: CredentialKind,
    },
    /// One of the two is another provider's (I8).
    #[error("it holds what another provider issued: log it out first")]
    OtherProvider,
    /// The slot holds another account's credential, or one that cannot be compared with this (I2).
    #[error(
        "it holds another account, or one that cannot be compared with this: log it out first, or use a profile"
    )]
    OtherAccount,
    /// The slot holds these very tokens.
    #[error("it holds these tokens already")]
    Same,
    /// What the slot holds is fresher, or may be (I8).
    #[error("what it holds is fresher, or may be: log it out first if this is to take its place")]
    NotFresher,
    /// Another slot holds this refresh token (I9).
    #[error(
        "{holder} holds this refresh token already, and one rotating token has one place: use that, or sign in anew"
    )]
    HeldElsewhere {
        /// Which.
        holder: TenantKey,
    },
}

/// Whether `incoming` may come into `slot`, which holds `held` (I1). Whoever stores a credential asks inside the same write.
///
/// # Errors
/// What speaks against it.
pub fn admit(
    slot: &TenantKey,
    held: Option<&Credential>,
    incoming: &Credential,
    way: Way<'_>,
) -> Result<(), Objection> {
    if incoming.provider != slot.provider || held.is_some_and(|held| held.provider != incoming.provider) {
        return Err(Objection::OtherProvider);
    }
    match way {
        Way::SignIn { stored } => {
            same_account(held, incoming)?;
            nowhere_else(slot, incoming, stored)
        }
        Way::Refresh { said } => {
            same_kind(held, incoming)?;
            let may = held.is_none_or(|held| may_copy(&held.account, said));
            if may { Ok(()) } else { Err(Objection::OtherAccount) }
        }
        Way::Import { stored } => {
            same_kind(held, incoming)?;
            if held
                .is_some_and(|held| held.shares_a_token(incoming) && !gains_a_refresh_token(incoming, held))
            {
                return Err(Objection::Same);
            }
            same_account(held, incoming)?;
            nowhere_else(slot, incoming, stored)?;
            let may =
                held.is_none_or(|held| is_fresher(incoming, held) || gains_a_refresh_token(incoming, held));
            if may { Ok(()) } else { Err(Objection::NotFresher) }
        }
        Way::Restore { stored } => {
            same_kind(held, incoming)?;
            same_account(held, incoming)?;
            nowhere_else(slot, incoming, stored)
        }
    }
}

fn same_kind(held: Option<&Credential>, incoming: &Credential) -> Result<(), Objection> {
    match held.filter(|held| held.kind != incoming.kind) {
        Some(held) => Err(Objection::OtherKind { held: held.kind }),
        None => Ok(()),
    }
}

fn same_account(held: Option<&Credential>, incoming: &Credential) -> Result<(), Objection> {
    let may = held.is_none_or(|held| may_replace(&held.account, &incoming.account));
    if may { Ok(()) } else { Err(Objection::OtherAccount) }
}

/// I9: one refresh token stands in at most one tenant, since two would spend it behind each other's backs.
fn nowhere_else(
    slot: &TenantKey,
    incoming: &Credential,
    stored: &[(TenantKey, Arc<Credential>)],
) -> Result<(), Objection> {
    let Some(token) = &incoming.refresh_token else { return Ok(()) };
    let holder =
        stored.iter().find(|(key, other)| key != slot && other.refresh_token.as_ref() == Some(token));
    holder.map_or(Ok(()), |(holder, _)| Err(Objection::HeldElsewhere { holder: holder.clone() }))
}

/// Whether `incoming` is the same grant's, with the refresh token that `held` lacks.
fn gains_a_refresh_token(incoming: &Credential, held: &Credential) -> bool {
    held.access_token == incoming.access_token
        && held.refresh_token.is_none()
        && incoming.refresh_token.is_some()
}

/// Whether `incoming` is known to be newer than `held` (I8): by when the tokens came, where both say so, else by when their
/// access tokens end. The generation says nothing here: it counts within one sign-in. What cannot be compared is newer
/// only than a sign-in that is over.
fn is_fresher(incoming: &Credential, held: &Credential) -> bool {
    let newer = match (incoming.obtained_at, held.obtained_at) {
        (Some(ours), Some(theirs)) => Some(ours > theirs),
        _ => incoming.expires_at.zip(held.expires_at).map(|(ours, theirs)| ours > theirs),
    };
    newer.unwrap_or(held.state == CredentialState::NeedsLogin)
}

#[cfg(test)]
mod tests;
