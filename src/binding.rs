//! Which tenants a thread uses, and what is owed to providers: the two small records beside tenants and logins.
//!
//! Owns [`Binding`] (at most one tenant per provider) and [`OwedRevocation`] (T12). Must not: decide who may bind.

use std::collections::BTreeMap;

use crate::clock::UnixSeconds;
use crate::credential::{Account, Credential};
use crate::secret::{Secret, random_id};
use crate::tenant::{ProviderName, TenantKey};

/// The tenants that a thread is bound to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Binding {
    /// One tenant per provider.
    pub tenants: BTreeMap<ProviderName, TenantKey>,
    /// When one of its agents last asked for a token and had to be refused, since somebody must sign in; to the hour.
    pub asked_at: Option<UnixSeconds>,
    /// What the thread has been told of its tenants, as opaque marks.
    pub told: Vec<String>,
    /// When it last changed.
    pub updated_at: UnixSeconds,
}

/// How long an owed revocation is tried again, in seconds (T12).
pub const REVOCATION_OWED_FOR: i64 = 24 * 60 * 60;

/// The first pause before an owed revocation is tried again, in seconds; it doubles up to an hour.
pub(crate) const OWED_PAUSE: i64 = 60;

/// A revocation that could not be done yet (T12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedRevocation {
    /// Its name, random.
    pub id: String,
    /// The provider that must hear of it.
    pub provider: ProviderName,
    /// The slot the token came from, for the audit line.
    pub tenant: TenantKey,
    /// The client that the token was issued to.
    pub client_id: Option<String>,
    /// The token endpoint that issued it.
    pub token_endpoint: Option<String>,
    /// Whose it is: a newer sign-in of the same account is not put at risk.
    pub account: Account,
    /// The token to revoke.
    pub token: Secret,
    /// Whether it is a refresh token.
    pub is_refresh: bool,
    /// How often it was tried.
    pub attempts: u32,
    /// When it became owed.
    pub owed_at: UnixSeconds,
    /// Not before this time is it tried again.
    pub retry_at: UnixSeconds,
}

impl OwedRevocation {
    /// The end of the tokens of `credential`, of which the first try is about to be made or has just failed.
    pub(crate) fn of(tenant: &TenantKey, credential: &Credential, now: UnixSeconds) -> Self {
        Self {
            id: random_id(),
            provider: tenant.provider.clone(),
            tenant: tenant.clone(),
            client_id: credential.client_id.clone(),
            token_endpoint: credential.token_endpoint.clone(),
            account: credential.account.clone(),
            token: credential.refresh_token.as_ref().unwrap_or(&credential.access_token).clone(),
            is_refresh: credential.refresh_token.is_some(),
            attempts: 0,
            owed_at: now,
            // Not by the timer while the first try is under way.
            retry_at: now + OWED_PAUSE * 3,
        }
    }
}
