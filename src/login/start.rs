//! Starting a login, or joining the one that is live.
//!
//! Owns steps 2 and 3 of a login's life: reserve in one write, ask the provider outside all store locks, commit or roll
//! back. Invariants: N simultaneous starts make one authorization request (S1); a refused start leaves nothing behind
//! (S4); a repeat joins (S3). The login's lock is held from before the reservation until the login is open (S13).

mod error;

use std::time::Duration;

pub use self::error::StartError;
use super::registering::{REGISTRATIONS, unregistered};
use super::reserve::{Reserved, watch};
use super::{Handover, Inner, Logins, is_open, step};
use crate::audit;
use crate::login::machine::{Event, next};
use crate::oauth::{self, AuthorizeError, DISCOVERY_BOUND, EXCHANGE_BOUND, REGISTRATION_BOUND, StartClass};
use crate::pending::{EndReason, LoginId, LoginKind, LoginStatus, PendingLogin, Watcher, life};
use crate::provider::{Flow, Provider, Resolved};
use crate::secret::Secret;
use crate::store::{KernelLock, STORE_WAIT, StoreError, Touches, has_ended, update};
use crate::tenant::{TenantKey, ThreadId, User};

/// How long a start waits for the end of earlier work on the same key, which a cancelled exchange may still do.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(150);
/// How long a caller who joined waits for the start of another to end: what that may need between its two writes, and for the
/// second.
const JOIN_WAIT: Duration = Duration::from_secs(
    DISCOVERY_BOUND.as_secs()
        + REGISTRATIONS * REGISTRATION_BOUND.as_secs()
        + EXCHANGE_BOUND.as_secs()
        + STORE_WAIT.as_secs(),
);

/// What a start is for.
#[derive(Debug, Clone)]
pub struct StartRequest {
    /// Who signs in.
    pub user: User,
    /// Where the credential goes.
    pub tenant: TenantKey,
    /// How, where the member chose; else the provider's first.
    pub kind: Option<LoginKind>,
    /// Who is to be told how it goes on.
    pub watcher: Option<Watcher>,
    /// The thread to bind on success.
    pub bind: Option<ThreadId>,
    /// Whether `user` is an admin.
    pub by_admin: bool,
    /// What `user` reads, as a language tag (BCP 47).
    pub locale: Option<String>,
    /// Where a pasted answer arrives instead of at the provider's own redirect URI for that: an address of this host that the
    /// caller listens on (RFC 8252 section 7.3). A login that is joined keeps its own.
    pub redirect_uri: Option<String>,
}

/// A login that is open, or has just ended.
#[derive(Debug)]
pub struct Started {
    /// The login.
    pub login: PendingLogin,
    /// Whether it was live before (S3).
    pub joined: bool,
    /// The token of the message that showed this login in this thread before, or showed the one that this login takes the
    /// place of: that message is no longer the live one (U5).
    pub older: Option<Secret>,
    /// For a device login started here: hand this to the worker that polls it.
    pub handover: Option<Handover>,
}

impl Logins {
    /// Starts a login, or joins the live one of this person at this tenant.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(&self, request: StartRequest) -> Result<Started, StartError> {
        let inner = &self.0;
        let name = &request.tenant.provider;
        let catalog = inner.offer.now();
        let provider =
            catalog.get(name).ok_or_else(|| StartError::UnknownProvider { provider: name.to_string() })?;
        if let Some(missing) = &provider.client_missing {
            return Err(StartError::Operator { why: format!("{}: {missing}", provider.name) });
        }
        let kind = choose(provider, request.kind)
            .ok_or_else(|| StartError::NoFlow { provider: provider.title.clone() })?;
        // A join needs no lock, and must not keep an answer from being pasted.
        let now = inner.clock.now();
        let found = inner.store.snapshot()?.login(&request.user, &request.tenant).ok().flatten();
        let is_live = |found: &PendingLogin| !has_ended(found, now) && found.status != LoginStatus::Starting;
        let mut lock = match found.as_deref() {
            Some(found) if is_live(found) => None,
            _ => inner.store.try_login_lock(&request.user, &request.tenant)?,
        };
        for attempt in 0..=LOCK_TRIES {
            match inner.reserve(&request, kind, lock.is_some()).await? {
                Reserved::Live(login, older) => {
                    return Ok(Started { login, joined: true, older, handover: None });
                }
                Reserved::New(login, older) => {
                    // A reservation is made only with the lock.
                    let Some(lock) = lock else { break };
                    return inner.open(login, older, request.kind, provider, lock).await;
                }
                Reserved::Opening(id) => {
                    lock = inner.store.try_login_lock(&request.user, &request.tenant)?;
                    if lock.is_none() {
                        return inner.wait_for_opening(&request, &id).await;
                    }
                }
                Reserved::Busy => {
                    lock = inner.store.try_login_lock(&request.user, &request.tenant)?;
                    if lock.is_none() && attempt < LOCK_TRIES {
                        tokio::time::sleep(LOCK_PAUSE).await;
                    }
                }
            }
        }
        Err(StartError::WindingUp)
    }
}

fn choose(provider: &Provider, wanted: Option<LoginKind>) -> Option<LoginKind> {
    let mut offered = provider.offered_flows().map(|flow| match flow {
        Flow::Device => LoginKind::Device,
        Flow::Paste => LoginKind::Paste,
        Flow::Callback => LoginKind::Callback,
    });
    match wanted {
        Some(kind) => offered.find(|offered| *offered == kind),
        None => offered.next(),
    }
}

/// Why a way to sign in that is configured cannot be gone: what the metadata says, for the operator.
fn no_way_left(provider: &Resolved) -> StartError {
    let barred: Vec<_> = provider.barred().map(|(flow, why)| format!("{}: {why}", flow.as_str())).collect();
    let title = provider.title.clone();
    if barred.is_empty() {
        return StartError::NoFlow { provider: title };
    }
    StartError::Operator { why: format!("{title} offers no such way to sign in ({})", barred.join("; ")) }
}

impl Inner {
    /// Asks the provider, outside every store lock (S2), and commits or rolls back.
    async fn open(
        &self,
        reserved: PendingLogin,
        older: Option<Secret>,
        wanted: Option<LoginKind>,
        provider: &Provider,
        lock: KernelLock,
    ) -> Result<Started, StartError> {
        let mut lock = Some(lock);
        let asking = Box::pin(self.ask(reserved.clone(), wanted, provider));
        let opened = match self.unless_over(&reserved, &mut lock, asking).await {
            Ok(opened) => opened,
            Err(error) => {
                if let Err(store) = self.roll_back(&reserved).await {
                    // The next look ends it, since its lock is free; what the provider said matters more here.
                    tracing::warn!(login = %reserved.id, %store, "a login that was refused could not be rolled back");
                }
                return Err(error);
            }
        };
        let id = reserved.id.clone();
        let committed = update(&*self.store, Touches::logins_at(&reserved.tenant), move |view| {
            let Some(mut stored) = view.login_by_id(&id) else { return Ok(None) };
            // A cancel that came meanwhile stands (C1).
            if let Some(status) = next(stored.status, Event::Opened) {
                // What others write into a reservation: who watches it, and which earlier questions are closed.
                let PendingLogin { watchers, asked, .. } = stored;
                stored = PendingLogin { status, watchers, asked, ..opened };
                view.put_login(stored.clone());
            }
            Ok::<_, StoreError>(Some(stored))
        });
        let login = committed.await??.ok_or(StartError::JoinedFailed)?;
        audit::login_started(&login);
        let polled = login.kind == LoginKind::Device && is_open(login.status);
        let handover = lock.filter(|_| polled).map(|lock| Handover { login: login.clone(), lock });
        Ok(Started { login, joined: false, older, handover })
    }

    /// Finds the provider's endpoints, and opens the login there: by the first way that they leave, where none is wanted.
    async fn ask(
        &self,
        mut login: PendingLogin,
        wanted: Option<LoginKind>,
        provider: &Provider,
    ) -> Result<PendingLogin, StartError> {
        let resolved = match choose(provider, wanted) {
            Some(LoginKind::Device) => self.directory.resolve_for_device(provider).await,
            _ => self.directory.resolve(provider).await,
        };
        let mut provider = resolved.map_err(|error| {
            let why = error.to_string();
            if error.is_passing() { StartError::Transient { why } } else { StartError::Operator { why } }
        })?;
        login.kind = choose(&provider, wanted).ok_or_else(|| no_way_left(&provider))?;
        if provider.registers() {
            let registration = self.registration(&login, &provider).await.map_err(unregistered)?;
            provider = provider.with_registration(&registration);
            login.registration = Some(registration);
        }
        match login.kind {
            LoginKind::Device => {
                self.open_device(PendingLogin { redirect_uri: None, ..login }, &provider).await
            }
            LoginKind::Paste => {
                let answered_at = login.redirect_uri.take().or_else(|| provider.redirect_uri.clone());
                open_code(login, &provider, answered_at.as_deref())
            }
            LoginKind::Callback => open_code(login, &provider, provider.callback_uri.as_deref()),
        }
    }

    async fn open_device(
        &self,
        mut login: PendingLogin,
        provider: &Resolved,
    ) -> Result<PendingLogin, StartError> {
        let asked_at = self.clock.now();
        let start = oauth::device::start(&self.client, provider, asked_at).await.map_err(|error| {
            let why = error.to_string();
            if let (StartClass::Operator, oauth::StartError::Refused(refusal)) = (error.class(), &error) {
                if self.is_forgotten(&login, refusal) {
                    let why = "the provider has forgotten the client that it registered for us; try again";
                    return StartError::Transient { why: why.to_owned() };
                }
                return StartError::Refused { why, said: refusal.own_words().map(str::to_owned) };
            }
            match error.class() {
                StartClass::Transient { .. } => StartError::Transient { why },
                StartClass::Disabled => StartError::SwitchedOff { why },
                StartClass::Operator => StartError::Operator { why },
            }
        })?;
        login.device_code = Some(start.device_code);
        login.user_code = Some(Secret::from(start.user_code));
        login.verification_uri = Some(start.verification_uri);
        login.verification_uri_complete = start.verification_uri_complete.map(Secret::from);
        login.verifier = start.verifier;
        login.interval = Some(start.interval);
        // From here, not from the reservation: the first poll waits a whole interval too (T11).
        login.last_poll_at = Some(self.clock.now());
        // Counted from issue (T11); and never beyond what a message can still be told (S11).
        login.expires_at =
            (asked_at + life(start.expires_in)).min(login.created_at + crate::pending::LONGEST_LIFE);
        capture(&mut login, provider);
        Ok(login)
    }

    /// Takes the reservation back. Questions of an earlier login that still stand in threads are kept until they are closed.
    async fn roll_back(&self, reserved: &PendingLogin) -> Result<(), StoreError> {
        let id = reserved.id.clone();
        let removed = update(&*self.store, Touches::logins_at(&reserved.tenant), move |view| {
            let starting = |login: &PendingLogin| login.status == LoginStatus::Starting;
            let Some(mut login) = view.login_by_id(&id).filter(starting) else { return Ok(()) };
            if login.asked.is_empty() {
                view.remove_login(&login.user, &login.tenant);
            } else {
                // Whoever started it has the refusal itself.
                login.watchers.clear();
                step(view, login, Event::Fail, Some(EndReason::NotStarted));
            }
            Ok::<_, StoreError>(())
        });
        removed.await?
    }

    /// Waits until another caller's start is through, and joins what came of it.
    async fn wait_for_opening(&self, request: &StartRequest, id: &LoginId) -> Result<Started, StartError> {
        let mut changes = self.store.changes();
        let opened = async {
            loop {
                match self.store.snapshot()?.login_by_id(id) {
                    None => return Err(StartError::JoinedFailed),
                    Some(login) if login.reason == Some(EndReason::NotStarted) => {
                        return Err(StartError::JoinedFailed);
                    }
                    Some(login) if login.status != LoginStatus::Starting => return Ok(()),
                    Some(_) => changes.changed().await.map_err(|_| StoreError::Closed)?,
                }
            }
        };
        let late =
            || StartError::Transient { why: "another start of this sign-in is still under way".to_owned() };
        tokio::time::timeout(JOIN_WAIT, opened).await.map_err(|_| late())??;
        let (id, watcher) = (id.clone(), request.watcher.clone());
        let joined = update(&*self.store, Touches::logins_at(&request.tenant), move |view| {
            let Some(login) = view.login_by_id(&id) else { return Ok(None) };
            let (login, older) = watch(login, watcher);
            view.put_login(login.clone());
            Ok::<_, StoreError>(Some((login, older)))
        });
        let (login, older) = joined.await??.ok_or(StartError::JoinedFailed)?;
        Ok(Started { login, joined: true, older, handover: None })
    }
}

/// Opens a login by authorization code, to be answered at `redirect_uri`.
fn open_code(
    mut login: PendingLogin,
    provider: &Resolved,
    redirect_uri: Option<&str>,
) -> Result<PendingLogin, StartError> {
    let request = oauth::authorize(provider, redirect_uri)
        .map_err(|error: AuthorizeError| StartError::Operator { why: error.to_string() })?;
    login.verifier = Some(request.verifier);
    login.state = Some(request.state);
    login.authorize_url = Some(Secret::from(request.url));
    login.redirect_uri = Some(request.redirect_uri);
    capture(&mut login, provider);
    Ok(login)
}

/// Writes down where this login will be completed, whatever is reconfigured meanwhile (C10).
fn capture(login: &mut PendingLogin, provider: &Resolved) {
    login.iss_promised = provider.iss_promised;
    login.issuer.clone_from(&provider.issuer);
    login.token_endpoint = Some(provider.token_endpoint.to_string());
    login.client_id = Some(provider.client_id.clone());
    login.resource.clone_from(&provider.resource);
}
