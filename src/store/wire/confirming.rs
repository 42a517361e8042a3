//! What a login waits with for an admin's word, and where that is asked: `confirming` and `asked` of a login's entry.
//!
//! Owns their field names. The credential is written as it would stand in its tenant. Invariant: a part of which anything
//! cannot be understood makes its login unreadable, so that no admin agrees to what nobody knows.

use serde::{Deserialize, Serialize};

use super::entry::Parts;
use super::tenant::TenantWire;
use super::{Wire, named, seconds};
use crate::pending::{Asked, Confirming};
use crate::store::seal::Secrets;

#[derive(Serialize, Deserialize)]
pub(super) struct ConfirmingWire {
    credential: TenantWire,
    #[serde(default, deserialize_with = "seconds")]
    since: Option<i64>,
}

impl Wire for ConfirmingWire {
    fn keep_parts(&self, before: &Self, parts: &mut Parts<'_>) {
        let (now, before) = (Some(&self.credential), Some(&before.credential));
        parts.part("credential", now, before, TenantWire::is_of_the_same_sign_in);
    }
}

impl ConfirmingWire {
    pub(super) const SECRETS: Secrets = Secrets::Fields(&[("credential", TenantWire::SECRETS)]);

    pub(super) fn of(confirming: &Confirming) -> Self {
        Self { credential: TenantWire::of(&confirming.credential), since: Some(confirming.since) }
    }

    /// Whether both wait with the same sign-in.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.credential.is_of_the_same_sign_in(&other.credential)
    }

    pub(super) fn confirming(self) -> Result<Confirming, String> {
        let credential = self.credential.credential().map_err(|why| format!("\"confirming\": {why}"))?;
        Ok(Confirming { credential, since: self.since.unwrap_or(0) })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct AskedWire {
    #[serde(default, deserialize_with = "seconds")]
    at: Option<i64>,
    login: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    thread: String,
}

impl Wire for AskedWire {}

impl AskedWire {
    pub(super) fn of(asked: &Asked) -> Self {
        Self {
            at: Some(asked.at),
            login: asked.login.clone(),
            message: asked.message.clone(),
            thread: asked.thread.to_string(),
        }
    }

    /// Whether both are the same question.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.login, &self.thread) == (&other.login, &other.thread)
    }

    pub(super) fn asked(self) -> Result<Asked, String> {
        Ok(Asked {
            login: self.login,
            thread: self.thread.parse().map_err(|e| named(&e))?,
            at: self.at.unwrap_or(0),
            message: self.message,
        })
    }
}
