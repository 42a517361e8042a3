//! The endpoints of every provider: configured, or discovered from its issuer and kept (T13).
//!
//! Owns the step from a [`Provider`] to a [`Resolved`] one, and what is kept of metadata: in memory, and in the store's
//! cache for other processes and for one-shot commands. Invariants: in this process an issuer is asked by one task at a
//! time; a kept document is read as strictly as one that comes; where the issuer cannot be reached, what was found before
//! goes on being used, unless the issuer has shown one that is refused since. Must not: be asked for a token that is fresh
//! (G24), or while the store lock is held (G6).

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod kept;
mod known;
pub(crate) mod named;
mod servers;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use self::kept::Kept;
use self::known::{Answer, Known};
use self::servers::{Endpoints, Servers};
use crate::clock::{Clock, UnixSeconds};
use crate::oauth::discovery::metadata;
use crate::oauth::discovery::{Found, discover};
use crate::oauth::{Client, DiscoveryError};
use crate::provider::{Flow, Provider, Resolved, RevocationScope};
use crate::store::{Store, at_the_disk};

/// Seconds for which an issuer that failed is not asked again, while what was found before serves.
const STALE_FOR: i64 = 60;
/// Seconds for which an issuer that failed is not asked again where nothing was found before: those who waited for one
/// answer share it.
const FAILED_FOR: i64 = 3;
/// Issuers that are remembered at once: MCP servers name whom they like, and may name another one each time.
const MOST_ISSUERS: usize = 256;

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
    servers: Servers,
}

/// One issuer. Its lock is held across the request: whoever comes meanwhile waits for that answer.
type Issuer = tokio::sync::Mutex<Known<Kept>>;

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
        Self(Arc::new(Inner { store, client, clock, issuers: Mutex::default(), servers: Mutex::default() }))
    }

    /// `provider` with all its endpoints.
    ///
    /// # Errors
    /// When they are to be discovered, and neither the issuer nor the cache gives them.
    pub async fn resolve(&self, provider: &Provider) -> Result<Resolved, DiscoveryError> {
        if let Some(configured) = provider.as_configured().filter(|_| !provider.discovers) {
            return Ok(configured);
        }
        put_together(&self.0.endpoints(provider, false).await?)
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

    /// `provider` with what a device login needs.
    ///
    /// # Errors
    /// As [`Directory::resolve`], unless all of that is configured: what else is to be discovered is in nobody's way then.
    pub async fn resolve_for_device(&self, provider: &Provider) -> Result<Resolved, DiscoveryError> {
        match provider.as_configured().filter(|_| provider.is_settled_for_device()) {
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

    /// `provider` with its token endpoint, as far as that is known without asking anybody: configured, or found before.
    #[must_use]
    pub fn known(&self, provider: &Provider) -> Option<Resolved> {
        provider.as_configured().or_else(|| put_together(&self.0.endpoints_found_before(provider)?).ok())
    }

    /// The ways to sign in to `provider` that its metadata takes out, as far as that is known without asking anybody.
    #[must_use]
    pub fn barred(&self, provider: &Provider) -> Vec<Flow> {
        let found = provider.discovers.then(|| self.0.endpoints_found_before(provider)).flatten();
        let resolved = found.and_then(|found| put_together(&found).ok());
        resolved.iter().flat_map(Resolved::barred).map(|(flow, _)| flow).collect()
    }

    /// Asks the issuer of `provider` now, whatever is kept. `None` where nothing is to be discovered.
    ///
    /// # Errors
    /// As [`Directory::resolve`].
    pub async fn look(&self, provider: &Provider) -> Result<Option<Looked>, DiscoveryError> {
        if !provider.discovers {
            return Ok(None);
        }
        let found = self.0.endpoints(provider, true).await?;
        let resolved = put_together(&found)?;
        Ok(Some(Looked { provider: resolved, url: found.kept.url, stale: found.stale }))
    }
}

/// What [`Directory::known`] says, by the cache of `store` alone: for a command that looks once and asks nobody.
#[must_use]
pub fn cached(store: &dyn Store, provider: &Provider) -> Option<Resolved> {
    provider.as_configured().or_else(|| put_together(&servers::cached(store, provider)?).ok())
}

fn put_together(found: &Endpoints) -> Result<Resolved, DiscoveryError> {
    metadata::resolve(&found.provider, &found.kept.metadata)
        .map_err(|source| DiscoveryError::refused(&found.kept.url, source))
}

impl Inner {
    /// The metadata of `issuer`: what is fresh, else what the issuer says, else what was found before and why.
    async fn kept(
        &self,
        issuer: &str,
        ask_now: bool,
    ) -> Result<(Kept, Option<DiscoveryError>), DiscoveryError> {
        let slot = self.issuer(issuer);
        let mut known = slot.lock().await;
        let now = self.clock.now();
        self.catch_up(&mut known, issuer, now);
        if let Some(said) = known.at_hand(now).filter(|_| !ask_now) {
            return said.map(|kept| (kept, None));
        }
        let before = known.kept.as_ref().map(|kept| (&kept.url, &kept.validators));
        // On the heap: it is rarely gone, and would be a part of every future that may come here.
        let found = Box::pin(discover(&self.client, issuer, before)).await;
        let now = self.clock.now();
        let found = found.and_then(|found| match (found, &known.kept) {
            (Found::Document(document), _) => Ok(Kept::of(*document, now)),
            (Found::Unchanged { fresh_for }, Some(kept)) => Ok(kept.clone().renewed(now, fresh_for)),
            (Found::Unchanged { .. }, None) => {
                let why = "it answers that nothing has changed, to nothing".to_owned();
                Err(DiscoveryError::Unreachable { issuer: issuer.to_owned(), why })
            }
        });
        self.settle(&mut known, found, issuer, |kept| kept.print(issuer))
    }

    /// Takes what came of asking for `name`, and has other processes know it. What is refused serves none of them either: not
    /// what is in the cache, also where nobody answers later.
    fn settle<A: Answer>(
        &self,
        known: &mut Known<A>,
        found: Result<A, DiscoveryError>,
        name: &str,
        print: impl FnOnce(&A) -> Option<String>,
    ) -> Result<(A, Option<DiscoveryError>), DiscoveryError> {
        match known.settle(found, self.clock.now()) {
            Ok((kept, stale)) => {
                if let Some(error) = &stale {
                    tracing::warn!(name, %error, "what was found before goes on being used");
                }
                if let Some(text) = print(&kept) {
                    self.write_cache(name, &text);
                }
                Ok((kept, stale))
            }
            Err(error) => {
                if !error.leaves_the_old() {
                    self.clear_cache(name);
                }
                Err(error)
            }
        }
    }

    fn issuer(&self, issuer: &str) -> Arc<Issuer> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if issuers.len() >= MOST_ISSUERS && !issuers.contains_key(issuer) {
            make_room(&mut issuers);
        }
        Arc::clone(issuers.entry(issuer.to_owned()).or_default())
    }

    fn catch_up(&self, known: &mut Known<Kept>, issuer: &str, now: UnixSeconds) {
        known.catch_up(|| at_the_disk(|| read_cache(&*self.store, issuer)), now);
    }

    /// What is kept of `issuer`, fresh or not.
    fn found_before(&self, issuer: &str) -> Option<Kept> {
        let slot = self.issuer(issuer);
        // While somebody asks, what others know has to do.
        let Ok(mut known) = slot.try_lock() else {
            return at_the_disk(|| read_cache(&*self.store, issuer));
        };
        if known.kept.is_none() {
            self.catch_up(&mut known, issuer, self.clock.now());
        }
        known.kept.clone()
    }

    /// Has the cache know nothing of `name`. What was not in it needs no file for that.
    fn clear_cache(&self, name: &str) {
        if !matches!(at_the_disk(|| self.store.read_metadata(name)), Ok(None)) {
            self.write_cache(name, "");
        }
    }

    fn write_cache(&self, issuer: &str, text: &str) {
        if let Err(error) = at_the_disk(|| self.store.write_metadata(issuer, text)) {
            tracing::warn!(issuer, %error, "metadata cannot be kept for other processes");
        }
    }
}

/// Drops the issuers that nobody asks and of which nothing is kept; where that is too few, also what the cache has anyway.
fn make_room(issuers: &mut HashMap<String, Arc<Issuer>>) {
    let is_idle = |issuer: &Arc<Issuer>| Arc::strong_count(issuer) == 1;
    issuers.retain(|_, slot| !is_idle(slot) || slot.try_lock().map_or(true, |known| known.kept.is_some()));
    if issuers.len() >= MOST_ISSUERS {
        issuers.retain(|_, slot| !is_idle(slot));
    }
}

fn read_cache(store: &dyn Store, issuer: &str) -> Option<Kept> {
    match store.read_metadata(issuer) {
        // What is damaged is found anew, and replaced by that.
        Ok(text) => Kept::read(text?.as_bytes(), issuer),
        Err(error) => {
            tracing::warn!(issuer, %error, "the cache of metadata cannot be read");
            None
        }
    }
}

#[cfg(test)]
mod tests;
