//! The tenants that somebody may know of: `/auth list`.
//!
//! Owns what is listed for whom. Invariant: nobody is told of another member's personal tenant but an admin (U7).

use super::serving::{FromEnvironment, from_environment, threads_bound_to};
use super::{Broker, Caller, TenantStatus};
use crate::rights::{Act, is_own, may};
use crate::store::StoreError;
use crate::tenant::{ProviderName, ThreadId};

/// One tenant of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Which, and how it is.
    pub status: TenantStatus,
    /// What the environment gives in its place (G25).
    pub environment: Option<FromEnvironment>,
    /// The threads that are bound to it, for whom that concerns.
    pub threads: Vec<ThreadId>,
}

/// What `/auth list` tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// One's own, then the shared ones, then others'; each in order of its key.
    pub tenants: Vec<Listed>,
    /// Providers that the environment serves, and of which nothing is stored that could be listed.
    pub environment: Vec<(ProviderName, FromEnvironment)>,
}

impl Broker {
    /// One's own tenants and the shared ones; for an admin all.
    ///
    /// # Errors
    /// The store's.
    pub fn list(&self, caller: &Caller) -> Result<List, StoreError> {
        let document = self.store.snapshot()?;
        let catalog = self.catalog();
        let above = |name: &ProviderName| catalog.get(name).and_then(|p| from_environment(p));
        let known = document.tenants().filter(|(key, _)| may(caller, Act::Use, key).is_yes());
        let mut tenants: Vec<_> = known
            .map(|(key, held)| {
                let concerns = may(caller, Act::Manage { owner: held.owner.as_ref() }, &key).is_yes();
                let threads = if concerns { threads_bound_to(&document, &key) } else { Vec::new() };
                let status = self.status_of(&document, &key, &held);
                Listed { environment: above(&key.provider), threads, status }
            })
            .collect();
        tenants.sort_by_cached_key(|listed| {
            let tenant = &listed.status.tenant;
            (!is_own(caller, tenant), tenant.user.is_some(), tenant.to_string())
        });
        let is_listed = |name: &ProviderName| tenants.iter().any(|l| l.status.tenant.provider == *name);
        let silent = catalog.iter().filter(|provider| !is_listed(&provider.name));
        let environment = silent
            .filter_map(|provider| Some((provider.name.clone(), from_environment(provider)?)))
            .collect();
        Ok(List { tenants, environment })
    }
}
