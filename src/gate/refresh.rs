//! One flight: from the refresh lock to a durable new token.
//!
//! Owns the exchange and what is written down around it (steps 3 to 5 of the gate); `keep.rs` has the last step,
//! `outcome.rs` what comes of a try without tokens. Invariants:
//! the refresh token is read inside the refresh lock (G7); an intent is durable before each send (G19); the lock is not let
//! go before the rotation is durable (G21); at most two exchanges (G10); a save compares credential id and generation (G22).
//! Must not: hold the store lock across the network (G6); send without room for the reply.

use std::time::{Duration, Instant};

use super::merge::merge;
use super::policy::{self, EXCHANGES_A_FLIGHT, LOCK_WAIT, Step, decide};
use super::{Inner, Landing, TokenError, Want, locked_as, refused};
use crate::audit;
use crate::credential::{Credential, Intent, Way, admit};
use crate::fault;
use crate::metrics;
use crate::oauth::{self, Grant, Outcome};
use crate::provider::{Provider, Resolved};
use crate::store::{KernelLock, LockError, StoreError, at_the_disk};
use crate::tenant::TenantKey;

/// The pause before a second exchange of one flight.
const BETWEEN_EXCHANGES: Duration = Duration::from_millis(500);
/// Why a credential whose refresh got no answer is not tried again (G19).
const GIVEN_UP: &str =
    "its last refresh got no answer, and a newer sign-in of this account would be lost by another try";

/// Whether the loop of a flight is at its end.
pub(super) enum Next {
    Land(Landing),
    LookAgain,
}

/// Flies. Gives the lock back with the landing, so that it is let go after the landing is published (G28).
pub(super) async fn fly(inner: &Inner, tenant: &TenantKey, want: &Want) -> (Landing, Option<KernelLock>) {
    fault::reached(fault::Step::BeforeLock);
    let locked = locked_as(tenant);
    let lock = tokio::select! {
        // A lock that is free is taken all the same: what an earlier holder kept aside is seen to now, or perhaps never.
        biased;
        lock = inner.store.refresh_lock(&locked, LOCK_WAIT) => lock,
        // Nothing was sent, and nothing will be (G29): there is no reason to wait for another process.
        () = inner.closing.cancelled() => return (Err(TokenError::Closing), None),
    };
    match lock {
        Ok(lock) => {
            fault::reached(fault::Step::WithLock);
            let landing = Flight { inner, tenant, want, lock: &lock }.run().await;
            (landing, Some(lock))
        }
        Err(StoreError::Lock(source @ LockError::TimedOut { .. })) => {
            (Err(TokenError::Lock { tenant: tenant.clone(), source }), None)
        }
        Err(error) => (Err(error.into()), None),
    }
}

pub(super) struct Flight<'a> {
    pub(super) inner: &'a Inner,
    pub(super) tenant: &'a TenantKey,
    want: &'a Want,
    pub(super) lock: &'a KernelLock,
}

impl Flight<'_> {
    async fn run(&self) -> Landing {
        self.finish_rescue().await?;
        let mut exchanges = 0;
        let mut resolved = None;
        let landing = loop {
            match self.step(&mut exchanges, &mut resolved).await {
                Ok(Next::LookAgain) => {}
                Ok(Next::Land(landing)) => break landing,
                Err(error) => break Err(error),
            }
        };
        // Also what a holder that died before us set aside and did not use, though we have sent nothing.
        if !matches!(landing, Err(TokenError::Unsaved { .. }))
            && let Err(error) = self.inner.store.clear_rescue(self.lock, self.tenant)
        {
            tracing::warn!(tenant = %self.tenant, %error, "the room set aside for a refresh could not be given back");
        }
        landing
    }

    async fn step(&self, exchanges: &mut u32, resolved: &mut Option<Resolved>) -> Result<Next, TokenError> {
        let now = self.inner.clock.now();
        let document = at_the_disk(|| self.inner.store.current(self.lock))?;
        let stored = document.tenant(self.tenant)?;
        let Some(stored) = stored else {
            return Err(TokenError::NeverSignedIn { tenant: self.tenant.clone() });
        };
        let configured = self.inner.provider(self.tenant)?;
        if resolved.is_none() {
            *resolved = configured.as_configured();
        }
        let provider: &Provider = resolved.as_deref().unwrap_or(&configured);
        let sibling = policy::newer_sibling(&document, self.tenant, &stored, now);
        match decide(&stored, provider, self.want, now, true, sibling) {
            Step::Serve => Ok(Next::Land(Ok(stored))),
            Step::Refresh { attempt, forced } => {
                let Some(provider) = resolved else {
                    return self.discover(&stored, &configured, resolved).await;
                };
                // Two unknown tries of one refresh token end the flight by themselves; here other tokens stand by now.
                if *exchanges == EXCHANGES_A_FLIGHT {
                    return Err(TokenError::Overtaken { tenant: self.tenant.clone() });
                }
                if self.inner.closing.is_cancelled() {
                    return Err(TokenError::Closing);
                }
                if *exchanges > 0 {
                    tokio::select! {
                        () = tokio::time::sleep(BETWEEN_EXCHANGES) => {}
                        () = self.inner.closing.cancelled() => return Err(TokenError::Closing),
                    }
                }
                // By the client that was registered for it, and by no other.
                let provider = provider.for_credential(&stored);
                *exchanges += 1;
                self.exchange(&stored, &provider, attempt, forced).await
            }
            Step::MarkUncertain => self.mark_uncertain(&stored, "no answer to two tries in a row").await,
            Step::GiveUp => self.mark_dead(&stored, GIVEN_UP, false).await,
            refusal => Err(refused(self.tenant, &stored, &refusal, now)),
        }
    }

    /// Finds the token endpoint, before anything is written down of a try. Nothing is sent by one that cannot be had, nor to
    /// one that is not the credential's own, which the next look tells (G30).
    async fn discover(
        &self,
        stored: &Credential,
        configured: &Provider,
        resolved: &mut Option<Resolved>,
    ) -> Result<Next, TokenError> {
        let found = tokio::select! {
            found = self.inner.directory.resolve_for_tokens(configured) => found,
            () = self.inner.closing.cancelled() => return Err(TokenError::Closing),
        };
        match found {
            Ok(found) => {
                *resolved = Some(found);
                Ok(Next::LookAgain)
            }
            Err(error) if error.is_passing() => {
                self.put_back(stored, stored.intent.clone(), error.to_string(), None).await
            }
            Err(error) => self.operators(stored, stored.intent.clone(), error.to_string()).await,
        }
    }

    async fn exchange(
        &self,
        stored: &Credential,
        provider: &Resolved,
        attempt: u32,
        forced: bool,
    ) -> Result<Next, TokenError> {
        let Some(refresh_token) = &stored.refresh_token else { return Ok(Next::LookAgain) };
        at_the_disk(|| self.inner.store.set_rescue_aside(self.lock, self.tenant))?;
        fault::reached(fault::Step::AfterRoom);
        let now = self.inner.clock.now();
        let (before, retry_before) = (stored.intent.clone(), stored.retry_at);
        let intent = Intent {
            credential_id: stored.id.clone(),
            generation: stored.generation,
            refresh_sha256: refresh_token.hash(),
            attempt,
            sent_at: now,
        };
        let recorded = self.change(stored, move |credential| {
            credential.intent = Some(intent);
            // It is over, or was a clock's fault: whoever reads this between here and the outcome is not to believe it.
            credential.retry_at = None;
        });
        let recorded = recorded.await?;
        if !recorded {
            return Ok(Next::LookAgain);
        }
        fault::reached(fault::Step::AfterIntent);
        if self.inner.closing.is_cancelled() {
            // The write may have waited for its lock. Nothing is sent any more (G29), so nothing is to be said of a try.
            let undone = self.change(stored, move |credential| {
                credential.intent = before;
                credential.retry_at = retry_before;
            });
            undone.await?;
            return Err(TokenError::Closing);
        }
        if stored.open_intent().is_some() {
            // A sign-in that came since the look would be ended by a second use (G19). What comes from here on cannot be known.
            let document = at_the_disk(|| self.inner.store.current(self.lock))?;
            if document.tenant(self.tenant)?.is_none_or(|current| current.version() != stored.version()) {
                return Ok(Next::LookAgain);
            }
            if policy::newer_sibling(&document, self.tenant, stored, now) {
                return self.mark_dead(stored, GIVEN_UP, false).await;
            }
        }
        let sent = Instant::now();
        let outcome = oauth::refresh(&self.inner.client, provider, refresh_token, &stored.scopes, now).await;
        fault::reached(fault::Step::AfterReply);
        metrics::refreshed(self.tenant, &outcome, sent.elapsed());
        audit::refresh(self.tenant, &outcome);
        match outcome {
            Outcome::Granted(mut grant) => {
                // A clock that was set back while the answer was on its way must not lengthen the token's life (T9).
                let set_back = now.saturating_sub(self.inner.clock.now()).max(0);
                grant.expires_at = grant.expires_at.map(|at| at.saturating_sub(set_back));
                self.granted(stored, provider, grant, forced).await
            }
            Outcome::NotSent(error) if error.is_operators() => {
                self.operators(stored, before, error.to_string()).await
            }
            Outcome::NotSent(error) => self.put_back(stored, before, error.to_string(), None).await,
            Outcome::Refused(refusal) => self.refused(stored, before, refusal).await,
            Outcome::Unknown(cause) if attempt == 1 => {
                tracing::warn!(tenant = %self.tenant, %cause, "the outcome of a refresh is not known");
                let why = cause.to_string();
                self.change(stored, move |credential| credential.last_error = Some(why)).await?;
                Ok(Next::LookAgain)
            }
            Outcome::Unknown(cause) => self.mark_uncertain(stored, &cause.to_string()).await,
        }
    }

    async fn granted(
        &self,
        stored: &Credential,
        provider: &Resolved,
        grant: Grant,
        forced: bool,
    ) -> Result<Next, TokenError> {
        // As OpenID Connect Core section 12.2 asks: with the issuer of the identity token that came with the sign-in. How the
        // configuration spells its issuer says nothing of that.
        let signed_in_at = stored.id_token.as_ref().and_then(oauth::issuer_of);
        let same_issuer = signed_in_at.is_none() || grant.issuer.is_none() || signed_in_at == grant.issuer;
        let said = grant.account.clone();
        let same_subject = match (&stored.id_token, &grant.id_token) {
            (Some(before), Some(now)) => oauth::is_same_subject(before, now),
            _ => true,
        };
        let now = self.inner.clock.now();
        let mut renewed = merge(stored, grant, forced.then_some(now), now);
        // What was imported, or written by hand, need not say where it was issued; from here on it is held to that (G30).
        renewed.token_endpoint.get_or_insert_with(|| provider.token_endpoint.to_string());
        let admitted = admit(self.tenant, Some(stored), &renewed, Way::Refresh { said: &said });
        if !same_issuer || !same_subject || admitted.is_err() {
            tracing::error!(tenant = %self.tenant, "a refresh came back for another account; its tokens were dropped");
            audit::identity_refused(self.tenant);
            let why = "the provider answered a refresh with another account's tokens";
            return self.mark_dead(stored, why, false).await;
        }
        self.save(stored, renewed, provider).await
    }
}
