//! MCP servers: which authorization server gives tokens for each (RFC 9728).
//!
//! Owns the step from a provider that has only its server's address to one with an issuer. Invariants: in this process a
//! server is asked by one task at a time; of several authorization servers the one that was chosen before is kept as long as
//! the server names it, since another one's tokens are another sign-in; what was found before goes on being used while the
//! server cannot be reached, unless it has shown something that is refused since. Must not: follow a server from one failing
//! issuer to the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::Inner;
use super::kept::Kept;
use super::known::Known;
use super::named::{self, Named};
use crate::oauth::discovery::metadata::MetadataError;
use crate::oauth::protected_resource::{self, Told};
use crate::oauth::{DISCOVERY_BOUND, DiscoveryError};
use crate::provider::Provider;
use crate::store::{Store, at_the_disk};

/// By address. Locked for a look-up, never across a wait.
pub(super) type Servers = Mutex<HashMap<String, Arc<Server>>>;
/// One server. Its lock is held across the requests: whoever comes meanwhile waits for that answer.
pub(super) type Server = tokio::sync::Mutex<Known<Named>>;

/// The server that has to be asked for the issuer of `provider`, if one has.
fn to_be_asked(provider: &Provider) -> Option<&Url> {
    provider.mcp_url.as_ref().filter(|_| provider.issuer.is_none())
}

/// What was found of a provider.
pub(super) struct Endpoints {
    /// The provider, with its issuer.
    pub(super) provider: Provider,
    /// The issuer's metadata.
    pub(super) kept: Kept,
    /// Why what was found before had to do.
    pub(super) stale: Option<DiscoveryError>,
}

impl Inner {
    /// The issuer of `provider` and its metadata.
    pub(super) async fn endpoints(
        &self,
        provider: &Provider,
        ask_now: bool,
    ) -> Result<Endpoints, DiscoveryError> {
        let Some(server) = to_be_asked(provider) else {
            let provider = provider.naming_its_server();
            let issuer = provider.issuer.clone().unwrap_or_default();
            let (kept, stale) = self.kept(&issuer, ask_now).await?;
            return Ok(Endpoints { provider, kept, stale });
        };
        // On the heap: few providers are a server's, and it would be a part of every future that may come here.
        let finding = Box::pin(async {
            let (named, by_server) = self.named(server, ask_now).await?;
            let (kept, by_issuer) = self.kept(&named.issuer, ask_now && by_server.is_some()).await?;
            Ok(together(&named, provider, kept, by_server.or(by_issuer)))
        });
        tokio::time::timeout(DISCOVERY_BOUND, finding).await.unwrap_or_else(|_| {
            let why = format!("no answer within {} s", DISCOVERY_BOUND.as_secs());
            Err(DiscoveryError::Unreachable { issuer: server.to_string(), why })
        })
    }

    /// The same, as far as that is known without asking anybody.
    pub(super) fn endpoints_found_before(&self, provider: &Provider) -> Option<Endpoints> {
        let Some(server) = to_be_asked(provider) else {
            let provider = provider.naming_its_server();
            let kept = self.found_before(provider.issuer.as_deref()?)?;
            return Some(Endpoints { provider, kept, stale: None });
        };
        let slot = self.server(server);
        let named = match slot.try_lock() {
            Ok(mut known) => {
                if known.kept.is_none() {
                    known.catch_up(|| at_the_disk(|| read_cache(&*self.store, server)), self.clock.now());
                }
                known.kept.clone()
            }
            // While somebody asks, what others know has to do.
            Err(_) => at_the_disk(|| read_cache(&*self.store, server)),
        };
        let named = named?;
        Some(together(&named, provider, self.found_before(&named.issuer)?, None))
    }

    /// What `server` names: what is fresh, else what it says now, else what it said before and why.
    async fn named(
        &self,
        server: &Url,
        ask_now: bool,
    ) -> Result<(Named, Option<DiscoveryError>), DiscoveryError> {
        let slot = self.server(server);
        let mut known = slot.lock().await;
        let now = self.clock.now();
        known.catch_up(|| at_the_disk(|| read_cache(&*self.store, server)), now);
        if let Some(said) = known.at_hand(now).filter(|_| !ask_now) {
            return said.map(|kept| (kept, None));
        }
        let before = known.kept.as_ref().map(|kept| kept.issuer.clone());
        let found = match protected_resource::ask(&self.client, server).await {
            Ok(told) => self.choose(server, told, before.as_deref(), ask_now).await,
            Err(error) => Err(error),
        };
        self.settle(&mut known, found, &named::name(server), |kept| kept.print(server))
    }

    /// The first issuer whose metadata can be used; the one of `before` first. One that fails to answer ends the search: it
    /// may be the right one, and is back later.
    async fn choose(
        &self,
        server: &Url,
        told: Told,
        before: Option<&str>,
        ask_now: bool,
    ) -> Result<Named, DiscoveryError> {
        let document = told.document.map(|(_, text, document)| (text, document));
        let mut issuers = named::candidates(server, document.as_ref().map(|(_, document)| document));
        let is_before = |issuer: &String| {
            before.is_some_and(|before| *issuer == before || named::other_spelling(issuer) == before)
        };
        if let Some(at) = issuers.iter().position(is_before) {
            issuers[..=at].rotate_right(1);
        }
        let mut first = None;
        for issuer in issuers {
            match self.spelled(issuer, ask_now).await {
                Ok(issuer) => {
                    let now = self.clock.now();
                    return Ok(Named::of(issuer, document, told.scopes, now, told.fresh_for));
                }
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => {
                    first.get_or_insert(error);
                }
            }
        }
        let server = server.to_string();
        Err(match first {
            Some(DiscoveryError::NotFound { tried, .. }) if document.is_none() => {
                let tried = [told.tried, tried].join("; ");
                DiscoveryError::Unnamed { server, tried: tried.trim_matches([';', ' ']).to_owned() }
            }
            Some(error) => error,
            None => DiscoveryError::Unnamed { server, tried: told.tried },
        })
    }

    /// `issuer` as its own metadata spells it, which is to be had by then.
    async fn spelled(&self, issuer: String, ask_now: bool) -> Result<String, DiscoveryError> {
        let Err(error) = self.kept(&issuer, ask_now).await else { return Ok(issuer) };
        let other = named::other_spelling(&issuer);
        match &error {
            DiscoveryError::Refused { source: MetadataError::OtherIssuer { found, .. }, .. }
                if *found == other =>
            {
                self.kept(&other, ask_now).await.map(|_| other)
            }
            _ => Err(error),
        }
    }

    fn server(&self, server: &Url) -> Arc<Server> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(servers.entry(server.to_string()).or_default())
    }
}

/// What is known of `provider` by the cache of `store` alone.
pub(super) fn cached(store: &dyn Store, provider: &Provider) -> Option<Endpoints> {
    let Some(server) = to_be_asked(provider) else {
        let provider = provider.naming_its_server();
        let kept = super::read_cache(store, provider.issuer.as_deref()?)?;
        return Some(Endpoints { provider, kept, stale: None });
    };
    let named = read_cache(store, server)?;
    let kept = super::read_cache(store, &named.issuer)?;
    Some(together(&named, provider, kept, None))
}

fn together(named: &Named, provider: &Provider, kept: Kept, stale: Option<DiscoveryError>) -> Endpoints {
    let mut filled = named.fill(provider);
    named::ask_for_offline_access(&mut filled, provider, &kept.metadata);
    Endpoints { provider: filled, kept, stale }
}

fn read_cache(store: &dyn Store, server: &Url) -> Option<Named> {
    match store.read_metadata(&named::name(server)) {
        Ok(text) => Named::read(text?.as_bytes(), server),
        Err(error) => {
            tracing::warn!(%server, %error, "the cache of metadata cannot be read");
            None
        }
    }
}

#[cfg(test)]
mod tests;
