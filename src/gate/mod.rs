//! The gate: one refresh per tenant, in this process and across processes.
//!
//! Owns [`Gate::token`] and the flights behind it. A caller whose token is fresh pays one `stat`; all others join the
//! tenant's flight. Invariants: a flight is an owned task, and callers come and go (G9); a tenant has at most one
//! flight in a process, and the kernel lock makes it one on the host (G1); no map entry outlives its flight (G8); a slow
//! tenant delays no other (G4). Must not: know Discord, or hand out a refresh token.

mod alarm;
mod error;
mod keep;
mod merge;
mod outcome;
pub mod policy;
mod refresh;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::alarm::{WITHIN as ALARM_WITHIN, is_raised as alarm_is_raised};
pub use self::error::{Class, TokenError};
pub(crate) use self::policy::PROBE_AFTER;
pub use self::policy::{CALLER_DEADLINE, LOCK_WAIT, MIN_VALID, Want};
use self::policy::{Step, decide, satisfies};
use crate::clock::{Clock, UnixSeconds};
use crate::credential::{Credential, CredentialState};
use crate::directory::Directory;
use crate::fault;
use crate::oauth;
use crate::provider::{Catalog, Offer, Provider};
use crate::store::{Store, StoreError};
use crate::tenant::{ProviderName, TenantKey};

/// Where a flight ends.
type Landing = Result<Arc<Credential>, TokenError>;

/// Lets one refresh per tenant through. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    offer: Offer,
    directory: Directory,
    client: oauth::Client,
    clock: Clock,
    /// One receiver per flight under way. Locked for a look-up or an insertion, never across a wait.
    flights: Mutex<HashMap<TenantKey, watch::Receiver<Option<Landing>>>>,
    tasks: TaskTracker,
    /// Once cancelled, no exchange is started any more (G29).
    closing: CancellationToken,
}

impl Gate {
    /// A gate over `store`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        offer: impl Into<Offer>,
        directory: Directory,
        client: oauth::Client,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            offer: offer.into(),
            directory,
            client,
            clock,
            flights: Mutex::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        }))
    }

    /// A credential of `tenant` that gives `want` what it needs, refreshed if it must be. Waits at most `deadline`,
    /// which ends this wait and not the refresh (G10). Dropping the future cancels nothing (G9).
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn token(&self, tenant: &TenantKey, mut want: Want, mut deadline: Duration) -> Landing {
        if want.settled {
            let ends = Instant::now() + deadline;
            // What is there serves if the other takes longer than the caller may.
            let _ = tokio::time::timeout_at(ends, self.settle(tenant)).await;
            deadline = ends.saturating_duration_since(Instant::now());
        }
        // What is fresh needs no timer.
        let found = self.0.stored(tenant)?;
        if let Some(settled) = self.0.without_lock(tenant, &found, &want)? {
            return Ok(settled);
        }
        want.arrived.get_or_insert_with(|| found.version());
        match tokio::time::timeout(deadline, self.refreshed(tenant, &want)).await {
            Ok(landing) => landing,
            Err(_) => Err(TokenError::TimedOut {
                tenant: tenant.clone(),
                seconds: deadline.as_secs(),
                holder: self.0.store.refresh_holder(tenant),
            }),
        }
    }

    /// Waits for a refresh of `tenant` that is under way, here or in another process; how it ends is in the store.
    async fn settle(&self, tenant: &TenantKey) {
        let flight = self.0.flights.lock().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned();
        if let Some(mut flight) = flight {
            drop(flight.wait_for(Option::is_some).await);
        } else if self.0.store.refresh_holder(tenant).is_some() {
            tokio::select! {
                lock = self.0.store.refresh_lock(&locked_as(tenant), LOCK_WAIT) => drop(lock),
                () = self.0.closing.cancelled() => {}
            }
        }
    }

    /// What a flight brings, or what is there by then.
    async fn refreshed(&self, tenant: &TenantKey, want: &Want) -> Landing {
        // A joined flight may have been started for another want (another rejected token, say): one more, at most (G8).
        let mut last_flight = false;
        loop {
            let (landing, ours) = self.join_or_start(tenant, want).await;
            match landing {
                Ok(landed) if satisfies(&landed, want, self.0.clock.now()) => return Ok(landed),
                Ok(landed) if last_flight => return self.0.best(tenant, landed, want),
                Ok(_) => last_flight = true,
                // Said to the want that the flight was started for, which was another's.
                Err(TokenError::Rejected { .. } | TokenError::Held { .. }) if !ours && !last_flight => {
                    last_flight = true;
                }
                // The store may have become fresh by another's hand meanwhile (G26).
                Err(error) => {
                    return match self.0.stored(tenant) {
                        Ok(stored) if satisfies(&stored, want, self.0.clock.now()) => Ok(stored),
                        _ => Err(error),
                    };
                }
            }
            let found = self.0.stored(tenant)?;
            if let Some(settled) = self.0.without_lock(tenant, &found, want)? {
                return Ok(settled);
            }
        }
    }

    /// Refreshes `tenant` ahead of need, if it is past its refresh point. Returns at once.
    pub fn refresh_ahead(&self, tenant: &TenantKey) {
        drop(self.0.flight(tenant, &Want::ahead()));
    }

    /// Whether so many tenants of this provider died at once that people should not be asked yet (G17).
    ///
    /// # Errors
    /// The store's.
    pub fn alarm_raised(&self, provider: &ProviderName) -> Result<bool, StoreError> {
        Ok(alarm::is_raised(&*self.0.store.snapshot()?, provider, self.0.clock.now()))
    }

    /// Lets running flights finish and store what they got; starts no exchange any more (W5, G29). Flights that still wait
    /// for a lock end at once; one that exchanges takes two exchange bounds at most, and as long as the disk refuses the
    /// rotated token.
    pub async fn drain(&self) {
        self.0.closing.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// When `credential` is due for a refresh ahead of need, not before its back-off ends; for a dead one, when its one
    /// probe is due (G17). None where nothing is to be done ahead.
    #[must_use]
    pub fn due(&self, credential: &Credential) -> Option<UnixSeconds> {
        policy::due(credential, self.0.clock.now())
    }

    /// How many flights are under way.
    #[must_use]
    pub fn flights(&self) -> usize {
        self.0.flights.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Where the tenant's flight ends, and whether it was started here.
    async fn join_or_start(&self, tenant: &TenantKey, want: &Want) -> (Landing, bool) {
        let (mut landing, ours) = self.0.flight(tenant, want);
        // The sender goes only after it has sent.
        let landed = landing.wait_for(Option::is_some).await.ok().and_then(|landed| (*landed).clone());
        (landed.unwrap_or_else(|| Err(TokenError::Panicked { tenant: tenant.clone() })), ours)
    }
}

impl Inner {
    fn stored(&self, tenant: &TenantKey) -> Landing {
        let found = self.store.snapshot()?.tenant(tenant)?;
        found.ok_or_else(|| TokenError::NeverSignedIn { tenant: tenant.clone() })
    }

    fn provider(&self, tenant: &TenantKey) -> Result<Arc<Provider>, TokenError> {
        provider_of(&self.offer.now(), tenant)
    }

    /// What can be said without the refresh lock (see [`look`]).
    fn without_lock(
        &self,
        tenant: &TenantKey,
        credential: &Arc<Credential>,
        want: &Want,
    ) -> Result<Option<Arc<Credential>>, TokenError> {
        look(&self.offer.now(), tenant, credential, want, self.clock.now())
    }

    /// After the last flight: what it brought will do if it serves at all, since a provider may never grant the minimum.
    fn best(&self, tenant: &TenantKey, landed: Arc<Credential>, want: &Want) -> Landing {
        let shortest = Want { min_valid: 1, ahead: false, ..want.clone() };
        if satisfies(&landed, &shortest, self.clock.now()) {
            return Ok(landed);
        }
        let tenant = tenant.clone();
        let is_rejected = policy::is_rejected(&landed, want);
        Err(if is_rejected { TokenError::Rejected { tenant } } else { TokenError::EndedAlready { tenant } })
    }

    /// The tenant's flight: the one under way, or a new one for `want`, and whether it is new.
    fn flight(self: &Arc<Self>, tenant: &TenantKey, want: &Want) -> (watch::Receiver<Option<Landing>>, bool) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(tenant) {
            return (flight.clone(), false);
        }
        let (sender, receiver) = watch::channel(None);
        flights.insert(tenant.clone(), receiver.clone());
        let runway = Runway { inner: Arc::clone(self), tenant: tenant.clone(), sender };
        let want = want.clone();
        self.tasks.spawn(async move {
            // Published before the lock is let go: whoever takes it next sees what this flight has done (G28).
            let (landing, lock) = refresh::fly(&runway.inner, &runway.tenant, &want).await;
            runway.land(landing);
            fault::reached(fault::Step::AfterPublish);
            drop(lock);
        });
        (receiver, true)
    }
}

/// A flight's place in the map. Leaving it, however that comes, clears the place and tells those who wait (G8).
struct Runway {
    inner: Arc<Inner>,
    tenant: TenantKey,
    sender: watch::Sender<Option<Landing>>,
}

impl Runway {
    fn land(&self, landing: Landing) {
        // Out of the map first: whoever comes now starts anew, and everybody who joined has a receiver.
        self.inner.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.tenant);
        self.sender.send_replace(Some(landing));
    }
}

impl Drop for Runway {
    fn drop(&mut self) {
        if self.sender.borrow().is_none() {
            self.land(Err(TokenError::Panicked { tenant: self.tenant.clone() }));
        }
    }
}

/// What can be said of `credential` without the refresh lock and without waiting: that it is fresh, `None` if a flight must
/// see to it, or a refusal that no lock would change. No request, no lock, no runtime (G24).
///
/// # Errors
/// See [`TokenError`].
pub fn look(
    catalog: &Catalog,
    tenant: &TenantKey,
    credential: &Arc<Credential>,
    want: &Want,
    now: UnixSeconds,
) -> Result<Option<Arc<Credential>>, TokenError> {
    if satisfies(credential, want, now) {
        return Ok(Some(Arc::clone(credential)));
    }
    match decide(credential, &*provider_of(catalog, tenant)?, want, now, false, false) {
        Step::Serve => Ok(Some(Arc::clone(credential))),
        Step::Refresh { .. } => Ok(None),
        refusal => Err(refused(tenant, credential, &refusal, now)),
    }
}

/// The tenant whose refresh lock a refresh of `tenant` takes: its own, but for the one fault that takes the lock away.
#[must_use]
pub fn locked_as(tenant: &TenantKey) -> TenantKey {
    if fault::without_refresh_lock() { fault::private(tenant) } else { tenant.clone() }
}

fn provider_of(catalog: &Catalog, tenant: &TenantKey) -> Result<Arc<Provider>, TokenError> {
    catalog.get(&tenant.provider).cloned().ok_or_else(|| TokenError::Operator {
        tenant: tenant.clone(),
        why: format!("provider {} is not configured: add [providers.{0}] to latchkey.toml", tenant.provider),
    })
}

/// The error for a step that refuses.
fn refused(tenant: &TenantKey, credential: &Credential, step: &Step, now: UnixSeconds) -> TokenError {
    let tenant = tenant.clone();
    let why = || credential.last_error.clone();
    match step {
        Step::Rejected => TokenError::Rejected { tenant },
        Step::Suspended(reason) => TokenError::Suspended { tenant, reason: *reason },
        Step::BackOff { .. } if credential.operators_error => {
            let why = why().unwrap_or_else(|| "the provider refuses this client".to_owned());
            TokenError::Operator { tenant, why }
        }
        Step::BackOff { .. } if credential.no_access => {
            let why = why().unwrap_or_else(|| "the provider gives this account no access".to_owned());
            TokenError::NoAccess { tenant, why }
        }
        Step::BackOff { until } => {
            let unsure = credential.state == CredentialState::Uncertain;
            let fallback = if unsure { "the last refresh got no answer" } else { "the last try failed" };
            TokenError::BackOff { tenant, until: *until, why: why().unwrap_or_else(|| fallback.to_owned()) }
        }
        Step::Hold { until } => TokenError::Held { tenant, until: *until },
        Step::Misconfigured { what } => TokenError::Operator { tenant, why: misconfigured(what) },
        Step::NeedsLogin if credential.state != CredentialState::NeedsLogin => {
            let expired = credential.expires_at.is_some_and(|at| at <= now);
            let what = if expired { "the token has expired" } else { "the token will not do" };
            TokenError::NeedsLogin { tenant, why: format!("{what} and there is no refresh token") }
        }
        _ => TokenError::NeedsLogin {
            tenant,
            why: why().unwrap_or_else(|| "the provider refused it".to_owned()),
        },
    }
}

/// What to do about a credential that is not of the configuration's (G30).
fn misconfigured(what: &str) -> String {
    match what {
        "registration" => "no client is configured, and none is written down that it was issued to: write its client_id, \
                           or log out and sign in again"
            .to_owned(),
        "issuer" => "it comes from another issuer than the one that is configured, or that its server names now: restore the \
                     old issuer, or log out and sign in again"
            .to_owned(),
        what => format!(
            "it was issued to another {what} than the one configured now: restore the old {what}, or log out and sign in \
             again"
        ),
    }
}

#[cfg(test)]
mod tests;
