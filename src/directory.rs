//! The endpoints of every provider: configured, or discovered from its issuer and kept (T13).
//!
//! Owns the step from a [`Provider`] to a [`Resolved`] one, and what is kept of metadata: in memory, and in the store's
//! cache for other processes and for one-shot commands. Invariants: in this process an issuer is asked by one task at a
//! time; a kept document is read as strictly as one that comes; where the issuer cannot be reached, what was found before
//! goes on being used. Must not: be asked for a token that is fresh (G24), or while the store lock is held (G6).

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod kept;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use self::kept::Kept;
use crate::clock::{Clock, UnixSeconds};
use crate::oauth::discovery::metadata::{self, Metadata};
use crate::oauth::discovery::{Found, discover};
use crate::oauth::{Client, DiscoveryError};
use crate::provider::{Provider, Resolved, RevocationScope};
use crate::store::{Store, at_the_disk};

/// Seconds for which an issuer that failed is not asked again, while what was found before serves.
const STALE_FOR: i64 = 60;
/// Seconds for which an issuer that failed is not asked again where nothing was found before: those who waited for one
/// answer share it.
const FAILED_FOR: i64 = 3;

/// Knows every provider's endpoints. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Directory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    client: Client,
    clock: Clock,
    /// By issuer. Locked for a look-up, never across a wait.
    issuers: Mutex<HashMap<String, Arc<Issuer>>>,
}

/// One issuer. Its lock is held across the request: whoever comes meanwhile waits for that answer.
type Issuer = tokio::sync::Mutex<Known>;

#[derive(Debug, Default)]
struct Known {
    kept: Option<Kept>,
    failed: Option<(UnixSeconds, DiscoveryError)>,
}

/// What was found of a provider, for somebody who wants to know.
#[derive(Debug, Clone)]
pub struct Looked {
    /// The provider with its endpoints.
    pub provider: Resolved,
    /// Where its metadata stands.
    pub url: url::Url,
    /// Why what was found before had to do.
    pub stale: Option<DiscoveryError>,
}

impl Directory {
    /// A directory that keeps what it finds in the cache of `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, client: Client, clock: Clock) -> Self {
        Self(Arc::new(Inner { store, client, clock, issuers: Mutex::default() }))
    }

    /// `provider` with all its endpoints.
    ///
    /// # Errors
    /// When they are to be discovered, and neither the issuer nor the cache gives them.
    pub async fn resolve(&self, provider: &Provider) -> Result<Resolved, DiscoveryError> {
        if let Some(configured) = provider.as_configured().filter(|_| !provider.discovers) {
            return Ok(configured);
        }
        let (kept, _) = self.0.kept(provider, false).await?;
        put_together(provider, &kept)
    }

    /// `provider` with its token endpoint.
    ///
    /// # Errors
    /// As [`Directory::resolve`], unless the token endpoint is configured.
    pub async fn resolve_for_tokens(&self, provider: &Provider) -> Result<Resolved, DiscoveryError> {
        match provider.as_configured() {
            Some(configured) => Ok(configured),
            None => self.resolve(provider).await,
        }
    }

    /// `provider` with its revocation endpoint, if it has one.
    ///
    /// # Errors
    /// As [`Directory::resolve`], unless that endpoint is configured or nothing is to be revoked.
    pub async fn resolve_for_revocation(&self, provider: &Provider) -> Result<Resolved, DiscoveryError> {
        let is_settled =
            provider.revocation_endpoint.is_some() || provider.revocation == RevocationScope::None;
        match provider.as_configured().filter(|_| is_settled) {
            Some(configured) => Ok(configured),
            None => self.resolve(provider).await,
        }
    }

    /// Asks the issuer of `provider` now, whatever is kept. `None` where nothing is to be discovered.
    ///
    /// # Errors
    /// As [`Directory::resolve`].
    pub async fn look(&self, provider: &Provider) -> Result<Option<Looked>, DiscoveryError> {
        if !provider.discovers {
            return Ok(None);
        }
        let (kept, stale) = self.0.kept(provider, true).await?;
        let resolved = put_together(provider, &kept)?;
        Ok(Some(Looked { provider: resolved, url: kept.url, stale }))
    }
}

fn put_together(provider: &Provider, kept: &Kept) -> Result<Resolved, DiscoveryError> {
    let metadata: &Metadata = &kept.metadata;
    metadata::resolve(provider, metadata)
        .map_err(|source| DiscoveryError::Refused { url: kept.url.to_string(), source })
}

impl Inner {
    /// The metadata of the provider's issuer: what is fresh, else what the issuer says, else what was found before and why.
    async fn kept(
        &self,
        provider: &Provider,
        ask_now: bool,
    ) -> Result<(Kept, Option<DiscoveryError>), DiscoveryError> {
        let issuer = provider.issuer.as_deref().unwrap_or_default();
        let slot = {
            let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(issuers.entry(issuer.to_owned()).or_default())
        };
        let mut known = slot.lock().await;
        let now = self.clock.now();
        let is_fresh = |known: &Known| known.kept.as_ref().is_some_and(|kept| kept.is_fresh(now));
        if !is_fresh(&known)
            && let Some(found) = self.read_cache(issuer)
            && (known.kept.is_none() || found.is_fresh(now))
        {
            // Another process may have asked since.
            known.kept = Some(found);
        }
        if let Some(kept) = known.kept.as_ref().filter(|kept| !ask_now && kept.is_fresh(now)) {
            return Ok((kept.clone(), None));
        }
        if let Some((at, error)) = &known.failed
            && !ask_now
            && now.abs_diff(*at) < FAILED_FOR.unsigned_abs()
        {
            return Err(error.clone());
        }
        let before = known.kept.as_ref().map(|kept| (&kept.url, &kept.validators));
        // On the heap: it is rarely gone, and would be a part of every future that may come here.
        let found = Box::pin(discover(&self.client, issuer, before)).await;
        let now = self.clock.now();
        known.failed = None;
        let (kept, stale) = match (found, known.kept.take()) {
            (Ok(Found::Document(document)), _) => (Kept::of(*document, now), None),
            (Ok(Found::Unchanged { fresh_for }), Some(kept)) => (kept.renewed(now, fresh_for), None),
            (Err(error), Some(kept)) if error.leaves_the_old() => {
                tracing::warn!(issuer, %error, "the metadata found before goes on being used");
                (kept.renewed(now, STALE_FOR), Some(error))
            }
            (Ok(Found::Unchanged { .. }), None) => {
                let why = "it answers that nothing has changed, to nothing".to_owned();
                return Err(DiscoveryError::Unreachable { issuer: issuer.to_owned(), why });
            }
            (Err(error), kept) => {
                // A document that is refused takes the place of no other, and nothing is done by the other either.
                known.kept = kept.map(|kept| kept.renewed(now, 0));
                known.failed = Some((now, error.clone()));
                return Err(error);
            }
        };
        self.write_cache(issuer, &kept);
        known.kept = Some(kept.clone());
        Ok((kept, stale))
    }

    fn read_cache(&self, issuer: &str) -> Option<Kept> {
        match at_the_disk(|| self.store.read_metadata(issuer)) {
            // What is damaged is found anew, and replaced by that.
            Ok(text) => Kept::read(text?.as_bytes(), issuer),
            Err(error) => {
                tracing::warn!(issuer, %error, "the cache of metadata cannot be read");
                None
            }
        }
    }

    fn write_cache(&self, issuer: &str, kept: &Kept) {
        let Some(text) = kept.print(issuer) else { return };
        if let Err(error) = at_the_disk(|| self.store.write_metadata(issuer, &text)) {
            tracing::warn!(issuer, %error, "metadata cannot be kept for other processes");
        }
    }
}

#[cfg(test)]
mod tests;
