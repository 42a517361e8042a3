//! Logins: from `/auth login` to a stored credential, or to an end that is told.
//!
//! Owns starting (`start`), completing (`paste`, `callback`, `device`, `complete`), confirming, cancelling and resuming. Invariants:
//! check, reserve and insert are one critical section (S2); one process works on a login at a time, by its lock (S13); every
//! change of status asks [`machine`]; "still pending?" and "store the credential" are one write (C2). Must not:
//! know Discord; hold the store across the network.

mod answer;
mod asking;
mod callback;
mod cancel;
mod clients;
mod complete;
mod confirm;
mod device;
mod finish;
mod limit;
pub mod machine;
mod paste;
mod reason;
mod registering;
mod reserve;
mod resume;
mod start;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::answer::{Answered, PasteError};
pub use self::asking::ToAsk;
pub use self::callback::{Arrival, CallbackError};
pub use self::cancel::Cancelled;
pub use self::confirm::{Confirmation, Question, Seen};
use self::machine::{Event, next};
pub use self::start::{StartError, StartRequest, Started};
use crate::audit;
use crate::clock::Clock;
use crate::config::Limits;
use crate::directory::Directory;
use crate::oauth;
use crate::pending::{EndReason, LoginId, LoginStatus, PendingLogin};
use crate::provider::{Offer, Resolved};
use crate::store::{KernelLock, Store, StoreError, Touches, View, update};
use crate::tenant::TenantKey;

/// The login machine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Logins(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    offer: Offer,
    directory: Directory,
    client: oauth::Client,
    clock: Clock,
    limit: limit::Limit,
    clients: clients::Clients,
    /// The pauses between tries of one request while a person waits for their sign-in.
    pauses: [Duration; 2],
    /// The guild that this process serves, if it is a bot.
    guild: OnceLock<u64>,
    /// Exchanges under way: owned here, so that a caller who leaves cancels nothing.
    tasks: TaskTracker,
    /// Once cancelled, no exchange is started any more (W5).
    closing: CancellationToken,
}

/// A device login with the lock that makes this process the one that polls it.
#[derive(Debug)]
#[must_use = "a login that is handed over and dropped is polled by nobody until the next look"]
pub struct Handover {
    /// The login, as of the handing over.
    pub login: PendingLogin,
    /// Its lock (S13).
    pub lock: KernelLock,
}

impl Logins {
    /// A login machine over `store`, within `limits` (S7).
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        offer: impl Into<Offer>,
        directory: Directory,
        client: oauth::Client,
        clock: Clock,
        limits: Limits,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            offer: offer.into(),
            directory,
            client,
            clock,
            limit: limit::Limit::new(limits),
            clients: clients::Clients::default(),
            pauses: finish::PAUSES,
            guild: OnceLock::new(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        }))
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.limit.in_force()
    }

    /// Notes in all that is started from here on that it is of a member of `guild`, whose bot this process is (U7). Once.
    pub fn serve(&self, guild: u64) {
        // A process serves one guild; a second word changes nothing.
        let _ = self.0.guild.set(guild);
    }

    /// Keeps starts within `limits` from here on (S7).
    pub(crate) fn set_limits(&self, limits: Limits) {
        self.0.limit.set(limits);
    }

    /// Lets exchanges under way finish and store what they got; starts none any more (W5).
    pub async fn drain(&self) {
        self.0.closing.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Makes `watcher` the live one of its thread for the open login `id` of `user`: each press of a button renews the
    /// interaction whose message shows the login (U5). A login that is over or somebody else's stays as it is.
    ///
    /// # Errors
    /// The store's.
    pub async fn renew_watcher(
        &self,
        user: &crate::tenant::User,
        id: &LoginId,
        watcher: crate::pending::Watcher,
    ) -> Result<(), StoreError> {
        let Some(found) = self.0.store.snapshot()?.login_by_id(id) else { return Ok(()) };
        let (id, user) = (id.clone(), user.clone());
        let renewed = update(&*self.0.store, Touches::logins_at(&found.tenant), move |view| {
            if let Some(login) = view.login_by_id(&id).filter(|login| login.user == user) {
                view.put_login(reserve::watch(login, Some(watcher)).0);
            }
            Ok::<_, StoreError>(())
        });
        renewed.await?
    }

    /// Notes that the thread of a watcher has been told how the login ended (C6). One that goes on has told nobody its end.
    ///
    /// # Errors
    /// The store's.
    pub async fn mark_told(
        &self,
        login: &PendingLogin,
        thread: &crate::tenant::ThreadId,
    ) -> Result<(), StoreError> {
        let (id, thread) = (login.id.clone(), thread.clone());
        let told = update(&*self.0.store, Touches::logins_at(&login.tenant), move |view| {
            if let Some(mut login) = view.login_by_id(&id)
                && login.status.is_terminal()
                && !login.told.contains(&thread)
            {
                login.told.push(thread);
                view.put_login(login);
            }
            Ok::<_, StoreError>(())
        });
        told.await?
    }
}

impl Inner {
    /// The provider of a login, by the endpoint and client captured at its start, and by what it promised then (C10, T5, T4).
    fn captured(&self, login: &PendingLogin) -> Option<Resolved> {
        let provider = self.offer.of_login(&login.tenant.provider, login.client_id.as_deref())?;
        let mut provider = (*provider).clone();
        provider.iss_promised = login.iss_promised;
        // The authorization server that an MCP server named at the start.
        provider.issuer = provider.issuer.or_else(|| login.issuer.clone());
        let endpoint = login.token_endpoint.as_deref().and_then(|text| url::Url::parse(text).ok());
        let endpoint = endpoint.or_else(|| provider.token_endpoint.clone())?;
        if let Some(registration) = &login.registration {
            provider = provider.registered(registration);
        }
        provider.resource.clone_from(&login.resource);
        let client = login.client_id.clone().or_else(|| provider.client_id.clone())?;
        Some(provider.at(endpoint, client))
    }

    /// Does `work` for `login`, and lets go of its lock as soon as the login is over: whoever starts anew need not wait for
    /// what is left of the old one.
    async fn unless_over<R>(
        &self,
        login: &PendingLogin,
        lock: &mut Option<KernelLock>,
        work: impl Future<Output = R>,
    ) -> R {
        tokio::pin!(work);
        let mut changes = self.store.changes();
        loop {
            tokio::select! {
                done = &mut work => return done,
                changed = changes.changed(), if lock.is_some() => {
                    let stored = self.store.snapshot().map(|document| document.login_by_id(&login.id));
                    let over = stored.is_ok_and(|stored| stored.is_none_or(|stored| stored.status.is_terminal()));
                    if changed.is_err() || over {
                        *lock = None;
                    }
                }
            }
        }
    }

    /// Moves the login by `event`, if it may; gives it as it stands after, or `None` if nothing was changed.
    async fn advance(
        &self,
        id: &LoginId,
        tenant: &TenantKey,
        event: Event,
        reason: Option<EndReason>,
    ) -> Result<Option<PendingLogin>, StoreError> {
        self.advance_if(id, tenant, |_| true, event, reason).await
    }

    /// The same, only where the login `may` move as it stands by then.
    async fn advance_if(
        &self,
        id: &LoginId,
        tenant: &TenantKey,
        may: impl Fn(&PendingLogin) -> bool + Send + 'static,
        event: Event,
        reason: Option<EndReason>,
    ) -> Result<Option<PendingLogin>, StoreError> {
        let id = id.clone();
        let moved = update(&*self.store, Touches::logins_at(tenant), move |view| {
            let login = view.login_by_id(&id).filter(|login| may(login));
            Ok::<_, StoreError>(login.and_then(|login| step(view, login, event, reason)))
        });
        let moved = moved.await??;
        if let Some(login) = moved.as_ref().filter(|login| login.status.is_terminal()) {
            audit::login_ended(login, login.status);
        }
        Ok(moved)
    }
}

/// Moves `login` by `event` within an update. The login after, or `None` where it may not happen.
fn step(
    view: &mut View<'_>,
    mut login: PendingLogin,
    event: Event,
    reason: Option<EndReason>,
) -> Option<PendingLogin> {
    login.status = next(login.status, event)?;
    login.reason = reason;
    view.put_login(login.clone());
    Some(login)
}

/// Whether `status` still waits for something.
fn is_open(status: LoginStatus) -> bool {
    !status.is_terminal()
}

#[cfg(test)]
mod tests;
