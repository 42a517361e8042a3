//! Which tenant a thread is to use: `/auth use`.
//!
//! Owns the change of a thread's binding by hand, what may be chosen, and what somebody means by a name. Invariants: the
//! judgement is `rights`'; one update, which looks at what it changes; a refusal tells nobody whether somebody else's
//! tenant exists (U7). Must not: touch the tenant itself, or what another thread is bound to.

use std::sync::Arc;

use super::resolve::cut;
use super::serving::{FromEnvironment, Reason, Serving, from_environment};
use super::{Broker, Caller, TenantStatus};
use crate::audit;
use crate::binding::Binding;
use crate::provider::Provider;
use crate::rights::{Act, holder_in_the_way, is_own, may};
use crate::store::{Document, StoreError, Touches, View, update};
use crate::tenant::{ProviderName, TenantKey, ThreadId, UserId};

/// What a change of a thread's binding did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The provider that it is about.
    pub provider: ProviderName,
    /// What served the thread before, if anything did.
    pub before: Option<Serving>,
    /// What serves it now, if anything does.
    pub now: Option<Serving>,
    /// What the environment gives instead, whatever the thread is bound to (G25).
    pub environment: Option<FromEnvironment>,
}

/// Why a thread's binding was not changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BindError {
    /// Somebody else's, or nobody's: which of the two is not told.
    #[error("{tenant} is another member's: use a shared one or your own")]
    NotYours {
        /// What was asked for.
        tenant: TenantKey,
    },
    /// There is no such sign-in.
    #[error("{tenant} is not signed in: sign in first")]
    NotSignedIn {
        /// The slot.
        tenant: TenantKey,
    },
    /// Its provider is not configured.
    #[error("provider {provider} is not configured: add it to latchkey.toml")]
    NotOffered {
        /// The provider.
        provider: ProviderName,
    },
    /// The thread uses what is another member's.
    #[error("the thread uses what is {owner}'s own: they or an admin can change that")]
    HeldBy {
        /// Whose.
        owner: UserId,
    },
    /// The store could not be used; nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A tenant that somebody may have a thread use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Which, and how it is.
    pub status: TenantStatus,
    /// Whether it serves the thread already.
    pub serves: bool,
}

/// What a change looks at before it is made.
struct Place {
    thread: ThreadId,
    parent: Option<ThreadId>,
    provider: ProviderName,
}

impl Place {
    /// What serves the thread, as this update sees it; `own` is its own binding.
    fn serving(&self, view: &View<'_>, own: &Binding) -> Option<Serving> {
        if let Some(tenant) = own.tenants.get(&self.provider) {
            return Some(Serving { tenant: tenant.clone(), reason: Reason::Thread });
        }
        // One that cannot be understood serves nobody, and is told in status.
        let channel = self.parent.as_ref().and_then(|parent| view.binding(parent).ok());
        if let Some(tenant) = channel.and_then(|binding| binding.tenants.get(&self.provider).cloned()) {
            return Some(Serving { tenant, reason: Reason::Channel });
        }
        let shared = TenantKey::shared(self.provider.clone());
        let is_there = view.tenant(&shared).is_ok_and(|held| held.is_some());
        is_there.then_some(Serving { tenant: shared, reason: Reason::Server })
    }
}

impl Broker {
    /// Has `thread`, which hangs from `parent`, use `tenant` in place of what it uses of that provider.
    ///
    /// # Errors
    /// See [`BindError`].
    pub async fn bind(
        &self,
        caller: &Caller,
        thread: &ThreadId,
        parent: Option<&ThreadId>,
        tenant: &TenantKey,
    ) -> Result<Bound, BindError> {
        if !may(caller, Act::Use, tenant).is_yes() {
            audit::denied(&caller.user, "using somebody else's tenant");
            return Err(BindError::NotYours { tenant: tenant.clone() });
        }
        self.rebind(caller, thread, parent, &tenant.provider, Some(tenant.clone())).await
    }

    /// Takes from `thread` its own choice for `provider`: what its channel is bound to serves it then, else what the guild
    /// shares, else nothing.
    ///
    /// # Errors
    /// See [`BindError`].
    pub async fn unbind(
        &self,
        caller: &Caller,
        thread: &ThreadId,
        parent: Option<&ThreadId>,
        provider: &ProviderName,
    ) -> Result<Bound, BindError> {
        self.rebind(caller, thread, parent, provider, None).await
    }

    async fn rebind(
        &self,
        caller: &Caller,
        thread: &ThreadId,
        parent: Option<&ThreadId>,
        provider: &ProviderName,
        wanted: Option<TenantKey>,
    ) -> Result<Bound, BindError> {
        let catalog = self.catalog();
        let Some(configured) = catalog.get(provider) else {
            return Err(BindError::NotOffered { provider: provider.clone() });
        };
        let shared = TenantKey::shared(provider.clone());
        let mut touches = Touches::thread(thread).and_tenant(&shared);
        touches = parent.into_iter().fold(touches, Touches::and_thread);
        touches = wanted.iter().fold(touches, Touches::and_tenant);
        let place = Place { thread: thread.clone(), parent: parent.cloned(), provider: provider.clone() };
        let (who, key) = (caller.clone(), wanted.clone());
        let rebound = update(&*self.store, touches, move |view| {
            let mut binding = view.binding(&place.thread).map_err(StoreError::from)?;
            if let Some(owner) = holder_in_the_way(&who, binding.tenants.get(&place.provider)) {
                return Err(BindError::HeldBy { owner: owner.clone() });
            }
            if let Some(tenant) = &key
                && view.tenant(tenant).map_err(StoreError::from)?.is_none()
            {
                return Err(BindError::NotSignedIn { tenant: tenant.clone() });
            }
            let before = place.serving(view, &binding);
            let old = match key {
                Some(tenant) => binding.tenants.insert(place.provider.clone(), tenant),
                None => binding.tenants.remove(&place.provider),
            };
            let now = place.serving(view, &binding);
            let changed = old.as_ref() != binding.tenants.get(&place.provider);
            if changed {
                view.put_binding(&place.thread, binding);
            }
            Ok((before, now, changed))
        });
        let rebound = rebound.await?;
        if let Err(BindError::HeldBy { .. }) = &rebound {
            audit::denied(&caller.user, "changing a thread that uses somebody else's tenant");
        }
        let (before, now, changed) = rebound?;
        if changed {
            audit::bound(&caller.user, thread, provider, wanted.as_ref());
        }
        let environment = from_environment(configured);
        Ok(Bound { provider: provider.clone(), before, now, environment })
    }

    /// The tenants that `caller` may have `thread` use, of `provider` or of all: those that it does not use yet first, and
    /// of these what works before what does not, one's own before what is shared before others'.
    ///
    /// # Errors
    /// The store's.
    pub fn usable(
        &self,
        caller: &Caller,
        thread: &ThreadId,
        parent: Option<&ThreadId>,
        provider: Option<&ProviderName>,
    ) -> Result<Vec<Choice>, StoreError> {
        let document = self.store.snapshot()?;
        let offered = document.tenants().filter(|(key, _)| {
            may(caller, Act::Use, key).is_yes()
                && provider.is_none_or(|provider| *provider == key.provider)
                && self.catalog().get(&key.provider).is_some()
        });
        let mut choices: Vec<_> = offered
            .map(|(key, held)| {
                let serving = super::serving::serving(&document, &key.provider, Some(thread), parent);
                let status = self.status_of(&document, &key, &held);
                Choice { serves: serving.is_ok_and(|serving| serving.tenant == key), status }
            })
            .collect();
        choices.sort_by_cached_key(|choice| {
            let tenant = &choice.status.tenant;
            let whose = (!is_own(caller, tenant), tenant.user.is_some());
            (choice.serves, !choice.status.health.works(), whose, tenant.to_string())
        });
        Ok(choices)
    }

    /// The tenant that `caller` means by `text`: one that is stored under that very name, else one's own without the `@id`,
    /// else the slot that a sign-in of theirs would fill. Names and aliases of providers are understood, and their titles.
    ///
    /// # Errors
    /// The store's.
    pub fn meant(&self, caller: &Caller, text: &str) -> Result<Option<TenantKey>, StoreError> {
        let document = self.store.snapshot()?;
        let text = text.trim();
        // A tenant whose provider is no longer configured has its exact name only.
        if let Ok(key) = text.parse::<TenantKey>()
            && holds(&document, &key)
        {
            return Ok(Some(key));
        }
        let Some((provider, rest)) = self.provider_in(text) else { return Ok(None) };
        let rest = match (rest.strip_suffix("@me"), caller.user.discord()) {
            (Some(rest), Some(me)) => format!("{rest}@{me}"),
            _ => rest.to_owned(),
        };
        let Ok(named) = format!("{}{rest}", provider.name).parse::<TenantKey>() else { return Ok(None) };
        if named.user.is_some() || holds(&document, &named) {
            return Ok(Some(named));
        }
        let own = TenantKey { user: caller.user.discord().cloned(), ..named.clone() };
        if holds(&document, &own) {
            return Ok(Some(own));
        }
        Ok(Some(Self::slot(&provider, named.profile, &caller.user)))
    }

    /// The provider that `text` begins with, and what follows its name.
    fn provider_in<'a>(&self, text: &'a str) -> Option<(Arc<Provider>, &'a str)> {
        let (name, rest) = cut(text);
        let catalog = self.catalog();
        let titled = || {
            let title = name.trim().to_lowercase();
            catalog.iter().find(|provider| provider.title.to_lowercase() == title)
        };
        let provider = catalog.find(name.trim()).or_else(titled)?;
        Some((Arc::clone(provider), rest))
    }
}

/// Whether anything is stored under `tenant`, be it damaged.
fn holds(document: &Document, tenant: &TenantKey) -> bool {
    !matches!(document.tenant(tenant), Ok(None))
}
