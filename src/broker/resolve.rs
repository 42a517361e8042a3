//! Which tenant somebody means.
//!
//! Owns the order: a full tenant key names itself; a provider, or a profile of one, means the thread's binding, else its parent
//! channel's, else the guild's shared slot. Invariant: never a guess: where none of these is there, the candidates are named.

use super::serving::{Reason, from_environment, serving};
use crate::provider::Catalog;
use crate::store::{Document, StoreError};
use crate::tenant::{NameError, TenantKey, ThreadId, UserId};

/// Why no tenant was found.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ResolveError {
    /// The text is no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No provider of that name or alias is configured.
    #[error("provider {name:?} is not configured; configured are: {known}")]
    UnknownProvider {
        /// As given.
        name: String,
        /// What there is.
        known: String,
    },
    /// Nothing serves here.
    #[error("no sign-in of {provider} serves here{}", remedy(provider, .candidates.as_deref(), *.is_open))]
    NoneHere {
        /// Whether somebody can sign in to it.
        is_open: bool,
        /// The provider, with the profile that was named.
        provider: String,
        /// The tenants of that provider and profile, if there are any.
        candidates: Option<String>,
    },
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn remedy(provider: &str, candidates: Option<&str>, is_open: bool) -> String {
    match candidates {
        Some(names) => format!("; name one of these, or bind the thread to it: {names}"),
        None if is_open => format!(": use `latchkey login {provider}`, or /auth login in Discord"),
        None => ", and nobody can sign in to it: see `latchkey providers`".to_owned(),
    }
}

/// The tenant that `text` means: a tenant key, or a provider's name or alias, for `user` where one is named, else in
/// `thread` (and its `parent`), else for the guild.
///
/// # Errors
/// See [`ResolveError`].
pub fn resolve(
    document: &Document,
    catalog: &Catalog,
    text: &str,
    user: Option<&UserId>,
    thread: Option<&ThreadId>,
    parent: Option<&ThreadId>,
) -> Result<TenantKey, ResolveError> {
    let text = text.trim();
    let (name, rest) = cut(text);
    let provider = catalog.find(name).ok_or_else(|| ResolveError::UnknownProvider {
        name: name.chars().take(80).collect(),
        known: list(catalog.iter().map(|provider| provider.name.to_string()))
            .unwrap_or_else(|| "none".to_owned()),
    })?;
    let mut tenant: TenantKey = format!("{}{rest}", provider.name).parse()?;
    if let Some(user) = user.filter(|_| tenant.user.is_none()) {
        tenant.user = Some(user.clone());
    }
    if tenant.user.is_some() {
        return Ok(tenant);
    }
    let serving = serving(document, &tenant.provider, thread, parent).map_err(StoreError::from)?;
    // A profile that is named is that of the thread's own tenant, or the guild's.
    let is_meant = tenant.profile.is_none() || serving.tenant.profile == tenant.profile;
    let shared_is_there = || Ok::<_, StoreError>(document.tenant(&tenant)?.is_some());
    if serving.reason != Reason::Server && is_meant {
        return Ok(serving.tenant);
    }
    if shared_is_there()? || from_environment(provider).is_some() {
        return Ok(tenant);
    }
    let of_provider = document.tenants().map(|(key, _)| key).filter(|key| key.provider == tenant.provider);
    let candidates = of_provider.filter(|key| tenant.profile.is_none() || key.profile == tenant.profile);
    let candidates = list(candidates.map(|key| key.to_string()));
    if tenant.profile.is_some() && candidates.is_none() {
        return Ok(tenant);
    }
    let mut sought = provider.name.to_string();
    if let Some(profile) = &tenant.profile {
        sought = format!("{sought}/{profile}");
    }
    Err(ResolveError::NoneHere { is_open: provider.is_open(), provider: sought, candidates })
}

/// The name or alias of a provider that `text` begins with, and what follows: a profile, a user, or nothing.
pub(super) fn cut(text: &str) -> (&str, &str) {
    text.split_at(text.find(['/', '@']).unwrap_or(text.len()))
}

fn list(names: impl Iterator<Item = String>) -> Option<String> {
    let names: Vec<_> = names.collect();
    (!names.is_empty()).then(|| names.join(", "))
}
