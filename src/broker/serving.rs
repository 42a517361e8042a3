//! Which tenant serves a thread, and why.
//!
//! Owns the order: the thread's binding, else its parent channel's, else the guild's shared slot; and that a key or token
//! from the environment stands above all of them (G25). Invariant: tokens, status and commands ask this one function.

use crate::provider::{EnvSource, Provider};
use crate::store::{Document, EntryError};
use crate::tenant::{ProviderName, TenantKey, ThreadId};

/// Why a tenant serves a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The thread is bound to it.
    Thread,
    /// The channel that the thread hangs from is bound to it.
    Channel,
    /// It is the guild's shared one.
    Server,
}

/// The tenant that serves a thread, for one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// Which. It need not hold a sign-in.
    pub tenant: TenantKey,
    /// Why this one.
    pub reason: Reason,
}

/// What the environment gives for a provider, which stands above every sign-in (G25).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FromEnvironment {
    /// An API key.
    ApiKey,
    /// A token.
    Token,
    /// What is neither, although the operator put it there: it is not handed out, and nothing lower stands in.
    Unusable,
}

impl FromEnvironment {
    /// What it is called, for operators.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::Token | Self::Unusable => "token",
        }
    }
}

/// What the environment gives for `provider`: a key outranks a token.
#[must_use]
pub fn from_environment(provider: &Provider) -> Option<FromEnvironment> {
    let (kind, source) = in_force(provider)?;
    Some(if source.secret().is_some() { kind } else { FromEnvironment::Unusable })
}

/// The source of the environment that stands above every sign-in at `provider`, and what the configuration takes it for. What is
/// set to nothing is no source; what cannot be used is one.
#[must_use]
pub fn in_force(provider: &Provider) -> Option<(FromEnvironment, &EnvSource)> {
    let key = provider.api_key.as_ref().map(|key| (FromEnvironment::ApiKey, key));
    let token = provider.env_token.as_ref().map(|token| (FromEnvironment::Token, token));
    [key, token].into_iter().flatten().find(|(_, source)| source.is_set())
}

/// The tenant of `provider` that serves `thread`, which hangs from `parent`.
///
/// # Errors
/// When a binding that decides it cannot be understood: never a guess.
pub fn serving(
    document: &Document,
    provider: &ProviderName,
    thread: Option<&ThreadId>,
    parent: Option<&ThreadId>,
) -> Result<Serving, EntryError> {
    for (place, reason) in [(thread, Reason::Thread), (parent, Reason::Channel)] {
        let Some(place) = place else { continue };
        let bound = document.binding(place)?.and_then(|binding| binding.tenants.get(provider).cloned());
        if let Some(tenant) = bound {
            return Ok(Serving { tenant, reason });
        }
    }
    Ok(Serving { tenant: TenantKey::shared(provider.clone()), reason: Reason::Server })
}

/// The threads and channels that are bound to `tenant`, in order.
#[must_use]
pub fn threads_bound_to(document: &Document, tenant: &TenantKey) -> Vec<ThreadId> {
    let bound =
        document.bindings().filter(|(_, binding)| binding.tenants.get(&tenant.provider) == Some(tenant));
    bound.map(|(thread, _)| thread).collect()
}
