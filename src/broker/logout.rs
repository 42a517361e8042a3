//! Logging out: here at once, at the provider as soon as it can be done.
//!
//! Owns who may log out what, the removal, and what is owed to providers afterwards (T12). Invariants: the local removal
//! never waits for a provider; what is owed is written in the same write as the removal, so that a crash forgets nothing;
//! logins and refreshes of the tenant that are under way lose (C1, G22).

use super::Broker;
use super::serving::threads_bound_to;
use crate::audit;
use crate::binding::{OWED_PAUSE, OwedRevocation, REVOCATION_OWED_FOR};
use crate::credential::{Credential, CredentialKind};
use crate::login::machine::{Event, next};
use crate::pending::EndReason;
use crate::revocation::{self, Ended};
use crate::rights::{Act, may};
use crate::store::{StoreError, Touches, update};
use crate::tenant::{TenantKey, ThreadId};

use super::{Caller, TenantStatus};

/// The longest pause before an owed revocation is tried again, in seconds.
const OWED_PAUSE_CAP: i64 = 3_600;

/// What a logout would do, for its confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutPreview {
    /// What is logged out.
    pub status: TenantStatus,
    /// Other tenants whose sign-in would end with it at the provider (T12).
    pub would_end: Vec<TenantKey>,
    /// Whether the provider will be told.
    pub revokes: bool,
    /// The threads that are bound to it.
    pub threads: Vec<ThreadId>,
}

/// What a logout did. The tenant is gone from here in every case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedOut {
    /// The tenant.
    pub tenant: TenantKey,
    /// What became of its tokens at the provider.
    pub at_provider: Ended,
    /// Other tenants whose sign-in ended with it there, or will once the provider hears of it.
    pub would_end: Vec<TenantKey>,
    /// The threads that stay bound to it, and have nothing until somebody signs in again.
    pub threads: Vec<ThreadId>,
}

/// Why nothing was logged out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogoutError {
    /// There is no sign-in.
    #[error("{tenant} is not signed in")]
    NotSignedIn {
        /// The slot.
        tenant: TenantKey,
    },
    /// Somebody else's.
    #[error("{tenant} was signed in by somebody else; they or an admin can log it out")]
    NotYours {
        /// The slot.
        tenant: TenantKey,
    },
    /// The store could not be used; nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Broker {
    /// What logging `tenant` out would do.
    ///
    /// # Errors
    /// See [`LogoutError`].
    pub fn preview_logout(&self, caller: &Caller, tenant: &TenantKey) -> Result<LogoutPreview, LogoutError> {
        let document = self.store.snapshot()?;
        let held = document.tenant(tenant).map_err(StoreError::from)?;
        let owner = held.as_ref().and_then(|held| held.owner.as_ref());
        // Nobody is told whether a slot that is another's holds anything.
        let is_anothers = tenant.user.is_some() || held.is_some();
        if is_anothers && !may(caller, Act::Manage { owner }, tenant).is_yes() {
            audit::denied(&caller.user, "logging out somebody else's tenant");
            return Err(LogoutError::NotYours { tenant: tenant.clone() });
        }
        let held = held.ok_or_else(|| LogoutError::NotSignedIn { tenant: tenant.clone() })?;
        let catalog = self.catalog();
        let provider = catalog.get(&tenant.provider);
        let revokes = held.kind == CredentialKind::OAuth && provider.is_some_and(|p| p.may_revoke());
        let would_end =
            provider.filter(|_| revokes).map(|p| revocation::would_end(&document, tenant, &held, p));
        Ok(LogoutPreview {
            status: self.status_of(&document, tenant, &held),
            would_end: would_end.unwrap_or_default(),
            revokes,
            threads: threads_bound_to(&document, tenant),
        })
    }

    /// The tenants that `caller` may log out, in order of their keys.
    ///
    /// # Errors
    /// The store's.
    pub fn tenants_to_log_out(&self, caller: &Caller) -> Result<Vec<TenantKey>, StoreError> {
        let document = self.store.snapshot()?;
        Ok(document
            .tenants()
            .filter(|(key, held)| may(caller, Act::Manage { owner: held.owner.as_ref() }, key).is_yes())
            .map(|(key, _)| key)
            .collect())
    }

    /// Logs `tenant` out: removes it here, then ends it at the provider, or owes that.
    ///
    /// # Errors
    /// See [`LogoutError`].
    pub async fn logout(&self, caller: &Caller, tenant: &TenantKey) -> Result<LoggedOut, LogoutError> {
        let LogoutPreview { revokes, would_end, threads, .. } = self.preview_logout(caller, tenant)?;
        let (key, who) = (tenant.clone(), caller.clone());
        let touches = Touches::tenant(tenant).and_logins_at(tenant).and_revocations();
        let removed = update(&*self.store, touches, move |view| {
            let held = view.tenant(&key).map_err(StoreError::from)?;
            let held = held.ok_or_else(|| LogoutError::NotSignedIn { tenant: key.clone() })?;
            if !may(&who, Act::Manage { owner: held.owner.as_ref() }, &key).is_yes() {
                return Err(LogoutError::NotYours { tenant: key });
            }
            view.remove_tenant(&key);
            for mut login in view.logins().into_iter().filter(|login| login.tenant == key) {
                if let Some(status) = next(login.status, Event::Cancel) {
                    login.status = status;
                    login.reason = Some(EndReason::Removed);
                    view.put_login(login);
                }
            }
            let owed = revokes.then(|| OwedRevocation::of(&key, &held, view.now()));
            if let Some(owed) = &owed {
                view.owe(owed.clone());
            }
            Ok((held, owed))
        });
        let (held, owed) = removed.await??;
        audit::logout(&caller.user, tenant);
        let at_provider = match owed {
            Some(owed) => self.settle(&owed, &held).await,
            None => Ended::NotOffered,
        };
        // A refreshed token that could not be stored yet may lie aside: whoever takes the lock next sees to it, now (G21).
        self.gate.refresh_ahead(tenant);
        Ok(LoggedOut { tenant: tenant.clone(), at_provider, would_end, threads })
    }

    /// Removes what stands under `tenant` where it cannot be understood, and nothing else; what it holds cannot be ended at its provider.
    /// Says whether it did: what can be understood is left, for [`Broker::logout`].
    ///
    /// # Errors
    /// See [`LogoutError`].
    pub async fn discard(&self, caller: &Caller, tenant: &TenantKey) -> Result<bool, LogoutError> {
        // Whose it is cannot be read.
        if !caller.admin {
            audit::denied(&caller.user, "removing an entry that cannot be understood");
            return Err(LogoutError::NotYours { tenant: tenant.clone() });
        }
        let key = tenant.clone();
        let removed = update(&*self.store, Touches::tenant(tenant), move |view| match view.tenant(&key) {
            Ok(None) => Err(LogoutError::NotSignedIn { tenant: key }),
            Ok(Some(_)) => Ok(false),
            Err(_) => {
                view.remove_tenant(&key);
                Ok(true)
            }
        });
        let is_removed = removed.await??;
        if is_removed {
            audit::logout(&caller.user, tenant);
        }
        Ok(is_removed)
    }

    /// Tries an owed revocation once, and writes down what came of it.
    async fn settle(&self, owed: &OwedRevocation, held: &Credential) -> Ended {
        let catalog = self.catalog();
        let Some(provider) = catalog.get(&owed.provider) else {
            return Ended::Owed { why: "its provider is not configured".to_owned(), retry_after: None };
        };
        let provider = match &owed.client_id {
            Some(client) => provider.by(client.clone()),
            None => (**provider).clone(),
        };
        let now = self.clock.now();
        let ended =
            revocation::revoke(&self.client, &self.directory, &provider, &owed.tenant, held, now).await;
        let mut again = owed.clone();
        let settled = update(&*self.store, Touches::nothing().and_revocations(), {
            let retry_after = match &ended {
                Ended::Owed { retry_after, .. } => Some(retry_after.unwrap_or(0)),
                _ => None,
            };
            move |view| {
                // What was settled or given up meanwhile does not come back.
                let is_owed = view.owed().iter().any(|owed| owed.id == again.id);
                match retry_after {
                    Some(asked) if is_owed => {
                        let now = view.now();
                        again.attempts = again.attempts.saturating_add(1);
                        let own = (OWED_PAUSE << again.attempts.min(6)).min(OWED_PAUSE_CAP);
                        again.retry_at = now.saturating_add(own.max(asked.min(REVOCATION_OWED_FOR)));
                        // From here on by the clock as it is now (S14).
                        again.owed_at = again.owed_at.min(now);
                        view.owe(again);
                    }
                    Some(_) => {}
                    None => view.settle(&again.id),
                }
                Ok::<_, StoreError>(())
            }
        });
        if let Err(error) = settled.await {
            // It stays owed, and revoking twice is harmless.
            tracing::warn!(tenant = %owed.tenant, %error, "what became of a revocation could not be written down");
        }
        ended
    }

    /// Tries the revocations that are owed and due.
    ///
    /// # Errors
    /// The store's.
    pub async fn retry_owed(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let due: Vec<_> = self.store.snapshot()?.owed().filter(|owed| owed.is_due(now)).collect();
        for owed in due {
            let mut held = Credential::new(
                CredentialKind::OAuth,
                owed.provider.clone(),
                owed.token.clone(),
                owed.owed_at,
            );
            held.refresh_token = owed.is_refresh.then(|| owed.token.clone());
            held.client_id.clone_from(&owed.client_id);
            held.registration.clone_from(&owed.registration);
            held.token_endpoint.clone_from(&owed.token_endpoint);
            held.account = owed.account.clone();
            // The member agreed to what the logout would end then; what was signed in since is not theirs to lose.
            let catalog = self.catalog();
            let provider = catalog.get(&owed.provider);
            let document = self.store.snapshot()?;
            if provider.is_some_and(|p| revocation::puts_at_risk(&document, &owed.tenant, &held, p)) {
                audit::revocation(&owed.tenant, "given up: it would end a newer sign-in");
                let id = owed.id.clone();
                let given_up = update(&*self.store, Touches::nothing().and_revocations(), move |view| {
                    view.settle(&id);
                    Ok::<_, StoreError>(())
                });
                given_up.await??;
                continue;
            }
            self.settle(&owed, &held).await;
        }
        Ok(())
    }
}
