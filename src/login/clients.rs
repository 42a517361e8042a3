//! What this process knows of registered clients beside those that credentials have.
//!
//! Owns the clients of starts that no sign-in came of, so that who starts again and again has one made, and which clients a
//! server has said it does not know. Invariants: a client is its tenant's and its issuer's; it is forgotten when a sign-in
//! comes of it, which keeps it from then on, or after an hour. In memory alone: a login that is over keeps no secret (C5).
//! Must not: register.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::clock::UnixSeconds;
use crate::credential::Registration;
use crate::tenant::TenantKey;

/// Seconds for which a client is used by further starts.
const USED_AGAIN_FOR: i64 = 60 * 60;
/// Seconds for which it is known that a server does not know one: by then its refresh has said so too.
const FORGOTTEN_FOR: i64 = 24 * 60 * 60;
/// Clients of one tenant at one issuer: some servers make one for each redirect URI.
const MOST: usize = 4;

/// By tenant and issuer.
#[derive(Debug, Default)]
pub(super) struct Clients(Mutex<HashMap<(TenantKey, String), Known>>);

#[derive(Debug, Default)]
struct Known {
    made: Vec<(UnixSeconds, Registration)>,
    /// The identifier of the one that the server forgot last.
    forgotten: Option<(UnixSeconds, String)>,
}

impl Clients {
    /// A client of `tenant` that was made at `issuer` lately and that `serves`.
    pub(super) fn find(
        &self,
        tenant: &TenantKey,
        issuer: &str,
        now: UnixSeconds,
        serves: impl Fn(&Registration) -> bool,
    ) -> Option<Registration> {
        self.with(tenant, issuer, |known| {
            known.tidy(now);
            known.made.iter().map(|(_, made)| made).find(|made| serves(made)).cloned()
        })
    }

    /// Whether the server has said that it does not know `client` of `tenant`.
    pub(super) fn is_forgotten(&self, tenant: &TenantKey, client: &Registration) -> bool {
        self.with(tenant, &client.issuer, |known| {
            known.forgotten.as_ref().is_some_and(|(_, forgotten)| *forgotten == client.client_id)
        })
    }

    /// Keeps `client`, which was made for a start at `tenant`.
    pub(super) fn keep(&self, tenant: &TenantKey, client: &Registration, now: UnixSeconds) {
        self.tidy(now);
        self.with(tenant, &client.issuer, |known| {
            known.made.truncate(MOST - 1);
            known.made.insert(0, (now, client.clone()));
        });
    }

    /// Lets go of `client`: a sign-in came of it.
    pub(super) fn let_go(&self, tenant: &TenantKey, client: &Registration) {
        self.with(tenant, &client.issuer, |known| {
            known.made.retain(|(_, made)| made.client_id != client.client_id);
        });
    }

    /// Notes that the server does not know `client`.
    pub(super) fn forget(&self, tenant: &TenantKey, client: &Registration, now: UnixSeconds) {
        self.let_go(tenant, client);
        self.with(tenant, &client.issuer, |known| known.forgotten = Some((now, client.client_id.clone())));
    }

    /// Lets go of all that is old: servers may name other issuers as often as they like.
    fn tidy(&self, now: UnixSeconds) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, known| {
            known.tidy(now);
            !known.is_empty()
        });
    }

    fn with<R>(&self, tenant: &TenantKey, issuer: &str, work: impl FnOnce(&mut Known) -> R) -> R {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant.clone(), issuer.to_owned());
        let known = all.entry(key.clone()).or_default();
        let done = work(known);
        if known.is_empty() {
            all.remove(&key);
        }
        done
    }
}

impl Known {
    fn tidy(&mut self, now: UnixSeconds) {
        let is_within = |at: UnixSeconds, seconds: i64| now.abs_diff(at) <= seconds.unsigned_abs();
        self.made.retain(|(at, _)| is_within(*at, USED_AGAIN_FOR));
        self.forgotten = self.forgotten.take().filter(|(at, _)| is_within(*at, FORGOTTEN_FOR));
    }

    fn is_empty(&self) -> bool {
        self.made.is_empty() && self.forgotten.is_none()
    }
}
