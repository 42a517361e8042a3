//! The front door: login, token, status, logout.
//!
//! Owns what commands and servers call, and who may do what with which tenant. Invariant: a member never completes, sees
//! or replaces what is another's; every entry goes through here. Must not: know Discord, or print anything.

mod ask;
mod bind;
mod import;
mod list;
mod logout;
mod membership;
mod overview;
mod refresh;
mod resolve;
mod serving;
mod status;
mod token;

use std::sync::Arc;

pub use self::ask::{Ask, AskError};
pub use self::bind::{BindError, Bound, Choice};
pub use self::import::{ImportFate, ImportItem, ImportWish};
pub use self::list::{List, Listed};
pub use self::logout::{LoggedOut, LogoutError, LogoutPreview};
pub use self::overview::{LoginView, Overview, RevocationView, SourceView, TenantView};
pub use self::refresh::RefreshError;
pub use self::resolve::{ResolveError, resolve};
pub use self::serving::{FromEnvironment, Reason, Serving, from_environment, in_force, serving};
pub use self::status::{
    Health, Known, LoginStatusView, NextRefresh, OwedView, TenantStatus, ThreadEntry, ThreadStatus, health,
};
pub use self::token::{FreshToken, fresh_now};
use crate::clock::Clock;
use crate::config::Limits;
use crate::directory::Directory;
use crate::gate::Gate;
use crate::login::{Logins, StartError, StartRequest, Started};
use crate::oauth;
use crate::pending::{LoginKind, Watcher};
use crate::provider::{Catalog, Offer, Provider, Share};
pub use crate::rights::{Act, Caller, May, is_own, may};
use crate::store::{Store, StoreError};
use crate::tenant::{Profile, TenantKey, ThreadId, User};

/// What a member asks for with `/auth login`.
#[derive(Debug, Clone)]
pub struct LoginRequest {
    /// Who.
    pub caller: Caller,
    /// The slot to fill: see [`Broker::slot`].
    pub tenant: TenantKey,
    /// How, if they chose.
    pub kind: Option<LoginKind>,
    /// Where to tell how it goes on.
    pub watcher: Option<Watcher>,
    /// The thread to bind on success.
    pub bind: Option<ThreadId>,
    /// Whether to sign in although the slot holds a sign-in that works.
    pub again: bool,
    /// What the caller reads, as a language tag (BCP 47).
    pub locale: Option<String>,
    /// Where a pasted answer arrives instead: an address of this host that the caller listens on (RFC 8252 section 7.3).
    pub redirect_uri: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub enum LoginReply {
    /// There is a working sign-in already.
    SignedIn(Box<TenantStatus>),
    /// A login is open. A device login that was started here comes with its handover: give it to the worker.
    Started(Box<Started>),
}

/// The front door. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Broker {
    store: Arc<dyn Store>,
    offer: Offer,
    directory: Directory,
    client: oauth::Client,
    clock: Clock,
    gate: Gate,
    logins: Logins,
}

impl Broker {
    /// A broker over `store`, for the providers of `catalog`, within `limits`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        catalog: Catalog,
        client: oauth::Client,
        clock: Clock,
        limits: Limits,
    ) -> Self {
        let directory = Directory::new(Arc::clone(&store), client.clone(), clock.clone());
        let offer = Offer::from(catalog);
        Self {
            gate: Gate::new(
                Arc::clone(&store),
                offer.clone(),
                directory.clone(),
                client.clone(),
                clock.clone(),
            ),
            logins: Logins::new(
                Arc::clone(&store),
                offer.clone(),
                directory.clone(),
                client.clone(),
                clock.clone(),
                limits,
            ),
            store,
            offer,
            directory,
            client,
            clock,
        }
    }

    /// The providers on offer now. A decision that looks twice keeps this, and is of one configuration.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        self.offer.now()
    }

    /// Goes on with the providers of `catalog`, within `limits`: for every clone, at once. Logins that are open go on by the client and endpoint that they began with (C10).
    pub fn reconfigure(&self, catalog: &Catalog, limits: Limits) {
        self.offer.replace(catalog);
        self.logins.set_limits(limits);
    }

    /// Their endpoints.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The gate.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The login machine.
    #[must_use]
    pub fn logins(&self) -> &Logins {
        &self.logins
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.logins.limits()
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The wall clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The slot that a sign-in of `user` at `provider` fills: their own, or the guild's.
    #[must_use]
    pub fn slot(provider: &Provider, profile: Option<Profile>, user: &User) -> TenantKey {
        let user = match provider.share {
            Share::Member => user.discord().cloned(),
            Share::Guild => None,
        };
        TenantKey { provider: provider.name.clone(), profile, user }
    }

    /// Starts a login, joins the live one, or says that the slot is signed in already.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn login(&self, request: LoginRequest) -> Result<LoginReply, StartError> {
        if !request.again
            && let Some(status) = self.working(&request.tenant)?
            && self.open_login(&request.caller.user, &request.tenant)?.is_none()
        {
            return Ok(LoginReply::SignedIn(Box::new(status)));
        }
        let started = self.logins.start(StartRequest {
            user: request.caller.user,
            tenant: request.tenant,
            kind: request.kind,
            watcher: request.watcher,
            bind: request.bind,
            by_admin: request.caller.admin,
            locale: request.locale,
            redirect_uri: request.redirect_uri,
        });
        Ok(LoginReply::Started(Box::new(started.await?)))
    }

    fn working(&self, tenant: &TenantKey) -> Result<Option<TenantStatus>, StoreError> {
        let document = self.store.snapshot()?;
        let Some(credential) = document.tenant(tenant)? else { return Ok(None) };
        let status = self.status_of(&document, tenant, &credential);
        Ok(Some(status).filter(|status| status.health.works()))
    }

    fn open_login(&self, user: &User, tenant: &TenantKey) -> Result<Option<String>, StoreError> {
        let mine = self.logins.open_logins(user, false, Some(tenant))?;
        Ok(mine.into_iter().next().map(|login| login.id))
    }

    /// Lets what is under way finish and be stored; starts nothing any more (W5).
    pub async fn drain(&self) {
        tokio::join!(self.gate.drain(), self.logins.drain());
    }
}

#[cfg(test)]
mod tests;
