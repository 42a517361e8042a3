//! A program asks for a token: by a name, perhaps in a thread, perhaps ready to wait for a person.
//!
//! Owns the whole of that question, for the token socket and the command line alike: which tenant is meant, may this program
//! have it, is it fresh or to be refreshed, and waiting while somebody signs in (S10). Invariant: nobody is handed a tenant
//! that they were not admitted to, whatever the name leads to by the time it is served. Must not: know sockets or users of this host.

use std::time::Duration;

use tokio::time::Instant;

use super::Broker;
use super::resolve::{ResolveError, resolve};
use super::serving::{Reason, from_environment, serving};
use super::token::{FreshToken, fresh_now};
use crate::clock::UnixSeconds;
use crate::gate::{Class, TokenError, Want};
use crate::provider::{Catalog, Provider};
use crate::store::{Document, StoreError, has_ended};
use crate::tenant::{TenantKey, ThreadId, UserId};

/// What a program asks for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// A tenant, or a provider's name or alias.
    pub target: String,
    /// The member whose own sign-in is meant.
    pub user: Option<UserId>,
    /// The thread that asks: its binding says which tenant.
    pub thread: Option<ThreadId>,
    /// The channel that the thread hangs from, where that is known.
    pub parent: Option<ThreadId>,
    /// What the token must be good for.
    pub want: Want,
    /// Whether to wait for a sign-in that is under way (S10).
    pub wait: bool,
}

/// Why there was no token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AskError {
    /// No tenant is meant by that.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The tenant gives none.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// This program may not have it.
    #[error(
        "{tenant} is not among the tenants that this caller is allowed; ask the operator to add it to allow under [tokens]"
    )]
    NotAllowed {
        /// Which.
        tenant: TenantKey,
    },
    /// A sign-in that was waited for came to nothing.
    #[error("the sign-in that was waited for ended without a token")]
    SignInEnded,
    /// Nobody signed in in time.
    #[error("nobody finished signing in within {seconds} s; the sign-in goes on")]
    NobodyCame {
        /// What the caller was willing to wait.
        seconds: u64,
    },
}

impl AskError {
    /// Who can do something about it.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Resolve(ResolveError::Store(error)) => TokenError::Store(error.clone()).class(),
            Self::Resolve(ResolveError::NoneHere { .. }) | Self::SignInEnded => Class::NeedsLogin,
            Self::Resolve(ResolveError::Name(_) | ResolveError::UnknownProvider { .. }) => Class::Operator,
            Self::Token(error) => error.class(),
            Self::NotAllowed { .. } => Class::Denied,
            Self::NobodyCame { .. } => Class::Transient,
        }
    }
}

impl From<StoreError> for AskError {
    fn from(error: StoreError) -> Self {
        Self::Token(error.into())
    }
}

impl Ask {
    /// The tenant that is meant, as things stand in `document`.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub fn tenant(&self, document: &Document, catalog: &Catalog) -> Result<TenantKey, ResolveError> {
        let (user, thread, parent) = (self.user.as_ref(), self.thread.as_ref(), self.parent.as_ref());
        resolve(document, catalog, &self.target, user, thread, parent)
    }

    /// The provider that is named, if it is configured.
    #[must_use]
    pub fn provider<'a>(&self, catalog: &'a Catalog) -> Option<&'a Provider> {
        catalog.find(super::resolve::cut(self.target.trim()).0).map(|provider| &**provider)
    }

    /// Whether the channel that the thread hangs from could lead to another tenant than [`Self::tenant`] says: a thread asks that
    /// is bound to nothing of this provider, and its channel was not named.
    ///
    /// # Errors
    /// When the thread's binding cannot be understood.
    pub fn hangs_on_the_channel(&self, document: &Document, catalog: &Catalog) -> Result<bool, StoreError> {
        let (Some(thread), None, None) = (&self.thread, &self.parent, &self.user) else { return Ok(false) };
        let target = self.target.trim();
        let Some(provider) = catalog.find(super::resolve::cut(target).0) else { return Ok(false) };
        if target.contains('@') || from_environment(provider).is_some() {
            return Ok(false);
        }
        let serving = serving(document, &provider.name, Some(thread), None)?;
        Ok(serving.reason == Reason::Server)
    }

    /// Whether that channel is missed here: it could lead elsewhere, and something is bound to a tenant of this provider.
    ///
    /// # Errors
    /// When the thread's binding cannot be understood.
    pub fn misses_the_channel(&self, document: &Document, catalog: &Catalog) -> Result<bool, StoreError> {
        if !self.hangs_on_the_channel(document, catalog)? {
            return Ok(false);
        }
        let provider = catalog.find(super::resolve::cut(self.target.trim()).0);
        Ok(provider.is_some_and(|provider| {
            document.bindings().any(|(_, binding)| binding.tenants.contains_key(&provider.name))
        }))
    }

    /// Whether a sign-in is under way that would answer this.
    #[must_use]
    pub fn sign_in_is_under_way(&self, document: &Document, catalog: &Catalog, now: UnixSeconds) -> bool {
        let tenant = self.tenant(document, catalog).ok();
        let provider = catalog.find(super::resolve::cut(self.target.trim()).0).map(|provider| &provider.name);
        document.logins().any(|login| {
            let fills_it = match &tenant {
                Some(tenant) => login.tenant == *tenant,
                // Nothing serves yet: a sign-in that will bind our thread, or fill the shared slot.
                None => {
                    Some(&login.tenant.provider) == provider
                        && (login.tenant.user.is_none()
                            || (login.bind.is_some() && login.bind == self.thread))
                }
            };
            fills_it && !has_ended(&login, now)
        })
    }

    /// Whether asking again may go better than it did, after somebody signed in: no token counts as different from any (S10).
    ///
    /// # Errors
    /// What no sign-in would change.
    pub fn may_go_on(
        &self,
        document: &Document,
        catalog: &Catalog,
        now: UnixSeconds,
    ) -> Result<bool, TokenError> {
        let Ok(tenant) = self.tenant(document, catalog) else { return Ok(false) };
        let want = Want { rejected: self.want.rejected, min_valid: 1, ..Want::default() };
        match fresh_now(document, catalog, &tenant, &want, now) {
            Ok(_) => Ok(true),
            Err(error) if error.class() == Class::NeedsLogin => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Broker {
    /// A fresh token for what `ask` names, if `admits` lets its tenant through. Waits at most `deadline` in all.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn ask(
        &self,
        ask: &Ask,
        admits: &(dyn Fn(&TenantKey) -> bool + Sync),
        deadline: Duration,
    ) -> Result<FreshToken, AskError> {
        let ends = Instant::now() + deadline;
        let left = || ends.saturating_duration_since(Instant::now());
        loop {
            let asked = self.ask_once(ask, admits, left()).await;
            let refusal = match asked {
                Err(error) if ask.wait && error.class() == Class::NeedsLogin => error,
                asked => return asked,
            };
            self.wait_for_sign_in(ask, refusal, ends, deadline).await?;
        }
    }

    async fn ask_once(
        &self,
        ask: &Ask,
        admits: &(dyn Fn(&TenantKey) -> bool + Sync),
        deadline: Duration,
    ) -> Result<FreshToken, AskError> {
        let tenant = ask.tenant(&*self.store.snapshot()?, &self.catalog())?;
        if !admits(&tenant) {
            return Err(AskError::NotAllowed { tenant });
        }
        Ok(self.token(&tenant, ask.want.clone(), deadline).await?)
    }

    /// Waits while somebody signs in to what is asked for, until the store changes in our favour (S10).
    async fn wait_for_sign_in(
        &self,
        ask: &Ask,
        refusal: AskError,
        ends: Instant,
        deadline: Duration,
    ) -> Result<(), AskError> {
        let mut changes = self.store.changes();
        let mut waited = false;
        loop {
            changes.borrow_and_update();
            let (document, now) = (self.store.snapshot()?, self.clock.now());
            if waited && ask.may_go_on(&document, &self.catalog(), now)? {
                return Ok(());
            }
            if !ask.sign_in_is_under_way(&document, &self.catalog(), now) {
                return Err(if waited { AskError::SignInEnded } else { refusal });
            }
            waited = true;
            match tokio::time::timeout_at(ends, changes.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(StoreError::Closed.into()),
                Err(_) => return Err(AskError::NobodyCame { seconds: deadline.as_secs() }),
            }
        }
    }
}
