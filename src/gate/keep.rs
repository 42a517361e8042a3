//! Keeping what a refresh has brought: in the store, else in the room set aside.
//!
//! Owns the save and its compare-and-set (G22), the rescue (G21), and what becomes of tokens that came too late. Invariant:
//! a rotated token is durable before anybody gets it, and the tenant's lock is held until then. Must not: ask a provider
//! for anything but the end of what was dropped.

use std::sync::Arc;
use std::time::Duration;

use super::TokenError;
use super::refresh::{Flight, Next};
use crate::audit;
use crate::credential::{Credential, CredentialKind, CredentialState, Way, admit};
use crate::fault;
use crate::metrics;
use crate::provider::Provider;
use crate::revocation;
use crate::store::{Rescue, StoreError, Touches, at_the_disk, update};

/// The pauses between tries to write down what the provider has answered, while the lock is held (G21).
pub(super) const SAVE_PAUSES: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(1), Duration::from_secs(2)];

/// The pause between further tries, while the token is nowhere but in memory.
const SAVE_AGAIN: Duration = Duration::from_secs(5);

/// What became of a compare-and-set.
enum Saved {
    Stored,
    Superseded,
}

impl Flight<'_> {
    /// Makes the rotated credential durable: in the store, else in the room set aside (G21). Does not give up before it is
    /// in one of the two, and the lock is held until then; callers have deadlines of their own.
    pub(super) async fn save(
        &self,
        stored: &Credential,
        renewed: Credential,
        provider: &Provider,
    ) -> Result<Next, TokenError> {
        let rescue = Rescue { replaces: stored.version(), credential: renewed };
        let (mut kept_aside, mut unsaved) = (false, None);
        let mut tries = 0_usize;
        loop {
            let why = match self.compare_and_set(&rescue).await {
                Ok(Saved::Stored) => {
                    fault::reached(fault::Step::AfterSave);
                    return Ok(Next::Land(Ok(Arc::new(rescue.credential))));
                }
                Ok(Saved::Superseded) => {
                    tracing::info!(tenant = %self.tenant, "a logout or a newer sign-in came first; the refreshed tokens are dropped");
                    self.revoke_dropped(provider, rescue.credential);
                    return Ok(Next::LookAgain);
                }
                Err(error) => error.to_string(),
            };
            unsaved.get_or_insert_with(|| metrics::unsaved(self.tenant));
            if !kept_aside {
                match at_the_disk(|| self.inner.store.write_rescue(self.lock, self.tenant, &rescue)) {
                    Ok(()) => {
                        kept_aside = true;
                        fault::reached(fault::Step::AfterRescue);
                    }
                    Err(error) => {
                        tracing::error!(tenant = %self.tenant, %error, "a rotated token could not be kept aside");
                    }
                }
            }
            tracing::error!(tenant = %self.tenant, %why, kept_aside, "a rotated token could not be stored");
            let pause = SAVE_PAUSES.get(tries);
            tries = tries.saturating_add(1);
            match pause {
                Some(pause) => tokio::time::sleep(*pause).await,
                None if kept_aside => return Err(TokenError::Unsaved { tenant: self.tenant.clone(), why }),
                None => tokio::time::sleep(SAVE_AGAIN).await,
            }
        }
    }

    /// Has tokens that were not stored revoked where that ends nothing in use (T12), without keeping the lock for it.
    fn revoke_dropped(&self, provider: &Provider, dropped: Credential) {
        audit::dropped(self.tenant, "refreshed tokens, after a logout or a newer sign-in");
        let (store, client, provider) =
            (Arc::clone(&self.inner.store), self.inner.client.clone(), provider.clone());
        let directory = self.inner.directory.clone();
        let (tenant, now) = (self.tenant.clone(), self.inner.clock.now());
        self.inner.tasks.spawn(async move {
            revocation::of_dropped(&store, &client, &directory, &provider, &tenant, &dropped, now).await;
        });
    }

    /// Finishes what an earlier holder left in the room (G21).
    pub(super) async fn finish_rescue(&self) -> Result<(), TokenError> {
        let found = at_the_disk(|| self.inner.store.read_rescue(self.lock, self.tenant))?;
        let Some(rescue) = found else { return Ok(()) };
        match self.compare_and_set(&rescue).await {
            Ok(Saved::Stored) => {
                tracing::info!(tenant = %self.tenant, "stored a rotated token that was kept aside");
            }
            Ok(Saved::Superseded) => {
                tracing::info!(tenant = %self.tenant, "a token kept aside was superseded by a logout or a newer sign-in");
                if let Ok(provider) = self.inner.provider(self.tenant) {
                    self.revoke_dropped(&provider, rescue.credential);
                }
            }
            Err(error) => {
                return Err(TokenError::Unsaved { tenant: self.tenant.clone(), why: error.to_string() });
            }
        }
        Ok(self.inner.store.clear_rescue(self.lock, self.tenant)?)
    }

    async fn compare_and_set(&self, rescue: &Rescue) -> Result<Saved, StoreError> {
        let (tenant, rescue) = (self.tenant.clone(), rescue.clone());
        let saved = update(&*self.inner.store, Touches::tenant(self.tenant), move |view| {
            let Some(mut current) = view.tenant(&tenant)? else { return Ok(Saved::Superseded) };
            if current.version() == rescue.replaces {
                let way = Way::Refresh { said: &rescue.credential.account };
                if let Err(objection) = admit(&tenant, Some(&current), &rescue.credential, way) {
                    // Somebody changed it by hand. A key is theirs to put there; a sign-in's refresh token is spent, and to
                    // present it again would be reuse (I4).
                    if current.kind == CredentialKind::OAuth {
                        current.state = CredentialState::NeedsLogin;
                        current.intent = None;
                        current.last_error = Some(format!("a refresh was not stored: {objection}"));
                        view.put_tenant(&tenant, current);
                    }
                    return Ok(Saved::Superseded);
                }
                let mut renewed = rescue.credential;
                // What others write down of a tenant without new tokens is not the refresh's to take back (F1).
                renewed.last_used_at = renewed.last_used_at.max(current.last_used_at);
                renewed.owner = current.owner;
                (renewed.guild, renewed.suspended) = (current.guild, current.suspended);
                view.put_tenant(&tenant, renewed);
                return Ok(Saved::Stored);
            }
            // A save before this one may have gone through although its answer was lost.
            let already = current.version() == rescue.credential.version()
                && current.refresh_token == rescue.credential.refresh_token;
            Ok::<_, StoreError>(if already { Saved::Stored } else { Saved::Superseded })
        });
        saved.await?
    }
}
