//! What comes of a try that brought no tokens: a credential that waits, is uncertain, or has ended.
//!
//! Owns the marks on the credential and the words of why. Invariants: a change is for the credential that was looked at, and
//! for no other that stands there by now (G17, G22); what is known of an ended sign-in is written down, if need be after
//! several tries (G19); a back-off is durable (G16). Must not: send anything.

use std::time::Duration;

use super::keep::SAVE_PAUSES;
use super::policy::{BACK_OFF_CAP, PROBE_AFTER, UNCERTAIN_CAP, back_off};
use super::refresh::{Flight, Next};
use super::{TokenError, alarm};
use crate::clock::UnixSeconds;
use crate::credential::{Credential, CredentialState, Intent};
use crate::oauth::{DeadReason, Refusal, RefusalKind};
use crate::store::{StoreError, Touches, update};

/// Why a credential is not refreshed whose client the server does not take, and which has ended by our clock.
const REGISTRATION_OVER: &str = "the client that the server registered for it has ended, so that it cannot be refreshed; sign in again, which registers another";
/// The same, of a client that has not: the server has forgotten it.
const REGISTRATION_LOST: &str =
    "the server no longer knows the client that it registered for it; sign in again, which registers another";

/// Whose matter it is that a try brought nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Nobody's: it may pass.
    Nobodys,
    /// The operator's.
    Operators,
    /// The account's, at the provider.
    Accounts,
}

impl Flight<'_> {
    /// The server's refusal: what comes of it depends on whose matter it is.
    pub(super) async fn refused(
        &self,
        stored: &Credential,
        before: Option<Intent>,
        refusal: Refusal,
    ) -> Result<Next, TokenError> {
        match refusal.kind {
            RefusalKind::Transient { retry_after } => {
                self.put_back(stored, before, refusal.text, retry_after).await
            }
            RefusalKind::Operator if stored.registration.is_some() && refusal.disowns_client() => {
                let now = self.inner.clock.now();
                let is_over = stored.registration.as_ref().is_some_and(|client| client.has_expired(now));
                let why = if is_over { REGISTRATION_OVER } else { REGISTRATION_LOST };
                self.mark_dead(stored, why, stored.state != CredentialState::NeedsLogin).await
            }
            RefusalKind::Operator => self.operators(stored, before, refusal.text).await,
            RefusalKind::NoAccess => {
                let (tenant, why) = (self.tenant.clone(), refusal.text);
                let noted = self.back_off(stored, before, why.clone(), None, Whose::Accounts).await?;
                Ok(noted.map_or(Next::LookAgain, |_| Next::Land(Err(TokenError::NoAccess { tenant, why }))))
            }
            RefusalKind::Dead(reason) => {
                let plain = reason == DeadReason::InvalidGrant;
                self.mark_dead(stored, &refusal.text, plain && stored.state != CredentialState::NeedsLogin)
                    .await
            }
        }
    }

    /// A try that the operator's configuration stood in the way of.
    pub(super) async fn operators(
        &self,
        stored: &Credential,
        before: Option<Intent>,
        why: String,
    ) -> Result<Next, TokenError> {
        Ok(match self.back_off(stored, before, why.clone(), None, Whose::Operators).await? {
            Some(_) => Next::Land(Err(TokenError::Operator { tenant: self.tenant.clone(), why })),
            None => Next::LookAgain,
        })
    }

    /// A try that used nothing up: the intent before it stands again, and the next waits (G16).
    pub(super) async fn put_back(
        &self,
        stored: &Credential,
        before: Option<Intent>,
        why: String,
        retry_after: Option<Duration>,
    ) -> Result<Next, TokenError> {
        let tenant = self.tenant.clone();
        Ok(match self.back_off(stored, before, why.clone(), retry_after, Whose::Nobodys).await? {
            Some(until) => Next::Land(Err(TokenError::BackOff { tenant, until, why })),
            None => Next::LookAgain,
        })
    }

    /// Writes down when the next try is due; `None` if other tokens stand there by now.
    async fn back_off(
        &self,
        stored: &Credential,
        before: Option<Intent>,
        why: String,
        retry_after: Option<Duration>,
        whose: Whose,
    ) -> Result<Option<UnixSeconds>, TokenError> {
        let failures = stored.failures.saturating_add(1);
        let own = back_off(failures, BACK_OFF_CAP, rand::random());
        let asked = retry_after.map_or(0, |wait| i64::try_from(wait.as_secs()).unwrap_or(i64::MAX));
        let until = self.inner.clock.now().saturating_add(own.max(asked));
        let changed = self.change(stored, move |credential| {
            credential.intent = before;
            credential.failures = failures;
            credential.retry_at = Some(until);
            credential.last_error = Some(why);
            credential.operators_error = whose == Whose::Operators;
            credential.no_access = whose == Whose::Accounts;
        });
        Ok(changed.await?.then_some(until))
    }

    /// Two tries without an answer: said in status, tried again with a durable back-off (G19).
    pub(super) async fn mark_uncertain(&self, stored: &Credential, why: &str) -> Result<Next, TokenError> {
        let failures = stored.failures.saturating_add(1);
        let until =
            self.inner.clock.now() + back_off(failures.saturating_add(5), UNCERTAIN_CAP, rand::random());
        let text = why.to_owned();
        let marked = self
            .change(stored, move |credential| {
                credential.state = CredentialState::Uncertain;
                credential.operators_error = false;
                credential.no_access = false;
                credential.failures = failures;
                credential.retry_at = Some(until);
                credential.last_error = Some(text);
            })
            .await?;
        if !marked {
            return Ok(Next::LookAgain);
        }
        Err(TokenError::BackOff { tenant: self.tenant.clone(), until, why: why.to_owned() })
    }

    /// The provider's own word that this grant is gone. If the store holds other tokens by now, those count (G17).
    pub(super) async fn mark_dead(
        &self,
        stored: &Credential,
        why: &str,
        probe: bool,
    ) -> Result<Next, TokenError> {
        let text = why.to_owned();
        let retry_at = probe.then(|| self.inner.clock.now() + PROBE_AFTER);
        let mark = move |credential: &mut Credential| {
            credential.state = CredentialState::NeedsLogin;
            credential.operators_error = false;
            credential.no_access = false;
            credential.intent = None;
            credential.retry_at = retry_at;
            credential.last_error = Some(text);
        };
        // An answer that is known must not turn into one that is not: the next holder would present a spent token (G19).
        let mut pauses = SAVE_PAUSES.into_iter();
        let marked = loop {
            match (self.change(stored, mark.clone()).await, pauses.next()) {
                (Err(error), Some(pause)) => {
                    tracing::warn!(tenant = %self.tenant, %error, "that a sign-in has ended could not be written down; trying again");
                    tokio::time::sleep(pause).await;
                }
                (marked, _) => break marked?,
            }
        };
        if !marked {
            return Ok(Next::LookAgain);
        }
        let document = self.inner.store.snapshot()?;
        if alarm::is_raised(&document, &self.tenant.provider, self.inner.clock.now()) {
            tracing::error!(provider = %self.tenant.provider, "several sign-ins of one provider ended within a minute: is it the provider?");
        }
        Err(TokenError::NeedsLogin { tenant: self.tenant.clone(), why: why.to_owned() })
    }

    /// Changes the credential's state, if it is still the one that was looked at. Whether it was.
    pub(super) async fn change(
        &self,
        stored: &Credential,
        change: impl FnOnce(&mut Credential) + Send + 'static,
    ) -> Result<bool, StoreError> {
        let (tenant, version) = (self.tenant.clone(), stored.version());
        let changed = update(&*self.inner.store, Touches::tenant(self.tenant), move |view| {
            let Some(mut current) = view.tenant(&tenant)?.filter(|c| c.version() == version) else {
                return Ok(false);
            };
            change(&mut current);
            view.put_tenant(&tenant, current);
            Ok::<_, StoreError>(true)
        });
        changed.await?
    }
}
