//! Ending tokens at the provider, where that ends nothing that is still in use.
//!
//! Owns the rule of T12: many servers end the whole grant of user and client when one token is revoked, so Latchkey
//! revokes by itself only where the descriptor says that a token ends alone, or where no stored credential shares
//! issuer, client and (possibly) account. Must not: stand in the way of a local removal.

use std::sync::Arc;

use crate::audit;
use crate::clock::UnixSeconds;
use crate::credential::Credential;
use crate::oauth::{self, RevokeClass, Revoked, TokenHint};
use crate::provider::{Provider, RevocationScope};
use crate::store::{Document, Store};
use crate::tenant::TenantKey;

/// What became of the wish to end a credential's tokens at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// They are no longer valid.
    Done,
    /// This provider offers no revocation.
    NotOffered,
    /// Left alone, since it would end credentials that are in use: these.
    WouldEnd(Vec<TenantKey>),
    /// Could not be done now; may be tried again.
    Owed {
        /// What stood in the way.
        why: String,
        /// Seconds that the server asks us to wait.
        retry_after: Option<i64>,
    },
    /// Will not be done.
    Refused {
        /// What the provider said.
        why: String,
    },
}

/// The other tenants whose credentials a revocation of `credential` would end, by what is known (T12).
#[must_use]
pub fn would_end(
    document: &Document,
    tenant: &TenantKey,
    credential: &Credential,
    provider: &Provider,
) -> Vec<TenantKey> {
    if provider.revocation != RevocationScope::Grant {
        return Vec::new();
    }
    document
        .tenants()
        .filter(|(key, other)| {
            *key != *tenant
                && other.provider == credential.provider
                && other.client_id == credential.client_id
                // An account of which nothing is known may be the same person's.
                && other.account.is_same(&credential.account) != Some(false)
        })
        .map(|(key, _)| key)
        .collect()
}

/// Revokes the tokens of `credential`: the refresh token, which ends its grant, else the access token.
pub async fn revoke(
    client: &oauth::Client,
    provider: &Provider,
    tenant: &TenantKey,
    credential: &Credential,
    now: UnixSeconds,
) -> Ended {
    let (token, hint) = match &credential.refresh_token {
        Some(token) => (token, TokenHint::RefreshToken),
        None => (&credential.access_token, TokenHint::AccessToken),
    };
    let ended = match oauth::revoke(client, provider, token, hint, now).await {
        Ok(Revoked::Done) => Ended::Done,
        Ok(Revoked::NotOffered) => Ended::NotOffered,
        Err(error) => match error.class() {
            RevokeClass::Owed { retry_after } => Ended::Owed {
                why: error.to_string(),
                retry_after: retry_after.and_then(|wait| i64::try_from(wait.as_secs()).ok()),
            },
            RevokeClass::Final => Ended::Refused { why: error.to_string() },
        },
    };
    audit::revocation(tenant, ended.label());
    ended
}

impl Ended {
    fn label(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotOffered => "not offered",
            Self::WouldEnd(_) => "left out: it would end others",
            Self::Owed { .. } => "owed",
            Self::Refused { .. } => "refused",
        }
    }
}

/// Ends tokens that were obtained and not stored (C4, G22), where nothing stored could be ended with them.
pub(crate) async fn of_dropped(
    store: &Arc<dyn Store>,
    client: &oauth::Client,
    provider: &Provider,
    tenant: &TenantKey,
    dropped: &Credential,
    now: UnixSeconds,
) {
    // The slot itself counts too: what stands in it now may be the same person's newer sign-in.
    let others = match store.snapshot() {
        Ok(document) => {
            let mut others = would_end(&document, tenant, dropped, provider);
            if provider.revocation == RevocationScope::Grant
                && document.tenant(tenant).is_ok_and(|held| held.is_some())
            {
                others.push(tenant.clone());
            }
            others
        }
        Err(error) => {
            tracing::warn!(%tenant, %error, "dropped tokens were not revoked, since the store cannot be read");
            return;
        }
    };
    if others.is_empty() {
        revoke(client, provider, tenant, dropped, now).await;
    } else {
        audit::revocation(tenant, Ended::WouldEnd(others).label());
    }
}
