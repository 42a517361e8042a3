//! Ending tokens at the provider, where that ends nothing that is still in use.
//!
//! Owns the rule of T12: many servers end the whole grant of user and client when one token is revoked, so Latchkey
//! revokes by itself only where the descriptor says that a token ends alone, or where no stored credential shares
//! issuer, client and (possibly) account; and never a token that is stored. What waits for an admin's word is stored too.
//! A token is shown only to the server that issued it (G30). Must not: stand in the way of a local removal.

use std::sync::Arc;

use crate::audit;
use crate::binding::{OwedRevocation, REVOCATION_OWED_FOR};
use crate::clock::UnixSeconds;
use crate::credential::{Credential, CredentialKind};
use crate::directory::Directory;
use crate::oauth::{self, RevokeClass, Revoked, TokenHint};
use crate::pending::PendingLogin;
use crate::provider::{Provider, Resolved, RevocationScope};
use crate::store::{Document, Store, StoreError, Touches, update};
use crate::tenant::TenantKey;

/// What became of the wish to end a credential's tokens at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// They are no longer valid.
    Done,
    /// This provider offers no revocation.
    NotOffered,
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
    let others =
        document.tenants().filter(|(key, other)| *key != *tenant && ends(other, credential, provider));
    let mut ending: Vec<_> = others.map(|(key, _)| key).collect();
    for login in waiting_to_end(document, credential, provider) {
        // What waits for this very slot goes with it.
        if login.tenant != *tenant && !ending.contains(&login.tenant) {
            ending.push(login.tenant.clone());
        }
    }
    ending
}

/// The logins that wait for an admin's word with what a revocation of `credential` would end.
fn waiting_to_end<'a>(
    document: &'a Document,
    credential: &'a Credential,
    provider: &'a Provider,
) -> impl Iterator<Item = Arc<PendingLogin>> + 'a {
    document.logins().filter(|login| {
        let waiting = login.confirming.as_ref();
        waiting.is_some_and(|waiting| ends(&waiting.credential, credential, provider))
    })
}

/// Whether `other` ends with `credential`, by what is known.
fn ends(other: &Credential, credential: &Credential, provider: &Provider) -> bool {
    let whole_grant = || {
        other.kind == CredentialKind::OAuth
            && other.is_of_same_client(credential)
            // An account of which nothing is known may be the same person's.
            && other.account.is_same(&credential.account) != Some(false)
    };
    match provider.revocation {
        RevocationScope::None => false,
        // Some providers give one token to every sign-in of a person.
        RevocationScope::Token => other.shares_a_token(credential),
        RevocationScope::Grant => other.shares_a_token(credential) || whole_grant(),
    }
}

/// Whether revoking `credential`, which is stored no more, could end one that is: in another slot, or by now in its own,
/// where what stands may be the same person's newer sign-in, or one that waits for an admin's word at any of them (T12).
#[must_use]
pub fn puts_at_risk(
    document: &Document,
    tenant: &TenantKey,
    credential: &Credential,
    provider: &Provider,
) -> bool {
    let own_slot = document.tenant(tenant);
    let own_is_at_risk = own_slot.map_or(provider.revocation != RevocationScope::None, |held| {
        held.is_some_and(|held| ends(&held, credential, provider))
    });
    // What cannot be read now may be mended, and should live then.
    let unread = document.damaged().iter().any(|entry| entry.section == "tenants");
    let others_are = unread || !would_end(document, tenant, credential, provider).is_empty();
    let waiting_is = waiting_to_end(document, credential, provider).next().is_some();
    own_is_at_risk || waiting_is || (others_are && provider.revocation != RevocationScope::None)
}

/// Revokes the tokens of `credential`: the refresh token, which ends its grant, else the access token. Where that is to be
/// done may have to be discovered first.
pub async fn revoke(
    client: &oauth::Client,
    directory: &Directory,
    provider: &Provider,
    tenant: &TenantKey,
    credential: &Credential,
    now: UnixSeconds,
) -> Ended {
    let (token, hint) = match &credential.refresh_token {
        Some(token) => (token, TokenHint::RefreshToken),
        None => (&credential.access_token, TokenHint::AccessToken),
    };
    let provider = match directory.resolve_for_revocation(provider).await {
        Ok(provider) => provider.for_credential(credential),
        Err(error) => {
            let ended = Ended::Owed { why: error.to_string(), retry_after: None };
            audit::revocation(tenant, ended.label());
            return ended;
        }
    };
    if provider.may_revoke() && is_anothers(credential, &provider) {
        let why = "it was issued by another token endpoint than the provider has now".to_owned();
        let ended = Ended::Refused { why };
        audit::revocation(tenant, ended.label());
        return ended;
    }
    if provider.may_revoke() && provider.registers() {
        // Nobody knows which client it was issued to.
        let ended =
            Ended::Refused { why: "it was issued to a client that is not configured any more".to_owned() };
        audit::revocation(tenant, ended.label());
        return ended;
    }
    let ended = match oauth::revoke(client, &provider, token, hint, now).await {
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

/// Whether `credential` was issued by another server than `provider` is now, as far as that is written down (G30).
fn is_anothers(credential: &Credential, provider: &Resolved) -> bool {
    let issued_at = credential.token_endpoint.as_deref();
    issued_at.is_some_and(|issued_at| issued_at != provider.token_endpoint.as_str())
}

impl Ended {
    fn label(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotOffered => "not offered",
            Self::Owed { .. } => "owed",
            Self::Refused { .. } => "refused",
        }
    }
}

/// Ends tokens that were obtained and not stored (C4, G22), where nothing stored could be ended with them.
pub(crate) async fn of_dropped(
    store: &Arc<dyn Store>,
    client: &oauth::Client,
    directory: &Directory,
    provider: &Provider,
    tenant: &TenantKey,
    dropped: &Credential,
    now: UnixSeconds,
) {
    let at_risk = match store.snapshot() {
        Ok(document) => puts_at_risk(&document, tenant, dropped, provider),
        Err(error) => {
            tracing::warn!(%tenant, %error, "dropped tokens were not revoked, since the store cannot be read");
            return;
        }
    };
    if at_risk {
        audit::revocation(tenant, "left out: it could end a sign-in that is in use");
    } else {
        let ended = revoke(client, directory, provider, tenant, dropped, now).await;
        if let Ended::Owed { retry_after, .. } = ended {
            let mut owed = OwedRevocation::of(tenant, dropped, now);
            let asked = retry_after.unwrap_or(0).min(REVOCATION_OWED_FOR);
            owed.retry_at = owed.retry_at.max(now.saturating_add(asked));
            let noted = update(&**store, Touches::nothing().and_revocations(), move |view| {
                view.owe(owed);
                Ok::<_, StoreError>(())
            });
            if let Err(error) = noted.await.and_then(|noted| noted) {
                tracing::warn!(%tenant, %error, "dropped tokens could not be revoked, nor that be written down");
            }
        }
    }
}

#[cfg(test)]
mod tests;
