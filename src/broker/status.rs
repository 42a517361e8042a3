//! Where a tenant stands, and a thread.
//!
//! Owns [`Health`], the one judgement that status commands, buttons and messages share. Invariant: reading it spends
//! nothing and asks nobody (G27). Must not: choose words (`commands/view.rs` does).

use std::collections::BTreeMap;

use super::serving::{FromEnvironment, Reason, Serving, from_environment, serving, threads_bound_to};
use super::{Broker, Caller};
use crate::binding::{OwedRevocation, REVOCATION_OWED_FOR};
use crate::clock::UnixSeconds;
use crate::credential::{Credential, CredentialState, Unserved};
use crate::gate::policy::{backing_off, due, is_refreshable, mismatch};
use crate::pending::{LoginKind, LoginStatus, PendingLogin};
use crate::provider::{Catalog, Provider, Resolved};
use crate::rights::{Act, is_own, may};
use crate::store::{Document, EntryError, StoreError, has_ended};
use crate::tenant::{ProviderName, TenantKey, ThreadId, User};

/// What says, asking nobody, by which endpoints a provider is refreshed; none where they are yet to be found out.
pub type Known<'a> = &'a dyn Fn(&Provider) -> Option<Resolved>;

/// How a tenant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Its token serves.
    Fresh,
    /// Its token has ended, and is refreshed at the next use.
    Stale,
    /// The last refresh failed; the sign-in is kept and tried again later.
    BackingOff,
    /// Refreshes got no answer; whether the sign-in lives is not known (G19).
    Uncertain,
    /// Somebody must sign in.
    NeedsLogin,
    /// The member whose own it is is no longer served (U7).
    Suspended(Unserved),
    /// Served from the environment, as it is.
    Environment,
    /// Not served, since what the environment holds in its place cannot be used (G25).
    BadEnvironment,
    /// Its provider is no longer configured.
    NotConfigured,
    /// It was issued under other settings of its provider than those of now, and cannot be refreshed under these (G30).
    Misconfigured,
}

impl Health {
    /// Whether programs get a token, as far as is known.
    #[must_use]
    pub fn works(self) -> bool {
        matches!(self, Self::Fresh | Self::Stale | Self::Environment)
    }

    /// How the `credential` of `tenant` is at `now`. It walks over nothing: workers ask for it at each change of the store.
    #[must_use]
    pub fn of(
        tenant: &TenantKey,
        credential: &Credential,
        catalog: &Catalog,
        known: Known<'_>,
        now: UnixSeconds,
    ) -> Self {
        let Some(provider) = catalog.get(&tenant.provider) else { return Self::NotConfigured };
        match from_environment(provider) {
            None => {}
            Some(FromEnvironment::Unusable) => return Self::BadEnvironment,
            Some(FromEnvironment::ApiKey | FromEnvironment::Token) => return Self::Environment,
        }
        match health(credential, now) {
            // While it serves, rests, or once it is dead, that changes nothing.
            health @ (Self::Fresh | Self::NeedsLogin | Self::Suspended(_)) => health,
            health => match mismatch(credential, known(provider).as_deref().unwrap_or(provider)) {
                Some(_) => Self::Misconfigured,
                None => health,
            },
        }
    }

    /// The word in `status --json`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::BackingOff => "backing_off",
            Self::Uncertain => "uncertain",
            Self::NeedsLogin => "needs_login",
            Self::Suspended(_) => "suspended",
            Self::Environment => "environment",
            Self::BadEnvironment => "bad_environment",
            Self::NotConfigured => "not_configured",
            Self::Misconfigured => "misconfigured",
        }
    }
}

/// When a tenant is refreshed next, if nothing comes between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextRefresh {
    /// By itself, ahead of its end: the gate's own refresh point, or the end of its back-off.
    At(UnixSeconds),
    /// When it is asked for next: nobody uses it of late, or no thread is bound to it.
    AtUse,
}

/// One tenant, as told to people. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantStatus {
    /// Which.
    pub tenant: TenantKey,
    /// The provider's name for people.
    pub provider_title: String,
    /// How it is.
    pub health: Health,
    /// Whose account, as the provider names it.
    pub account: Option<String>,
    /// Who signed in.
    pub owner: Option<User>,
    /// When the access token ends.
    pub expires_at: Option<UnixSeconds>,
    /// When the tokens last came.
    pub obtained_at: Option<UnixSeconds>,
    /// When the next try is due, after a failure.
    pub retry_at: Option<UnixSeconds>,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// Whether that is the operator's to mend.
    pub operators_error: bool,
    /// Whether the provider gives the account no access, though its sign-in is good.
    pub no_access: bool,
    /// When it is refreshed next; none where it never is, must be signed in first, or rests.
    pub next_refresh: Option<NextRefresh>,
    /// Whether it can be refreshed at all.
    pub refreshable: bool,
    /// How often the tokens were replaced.
    pub generation: u64,
    /// What its users need beside the token, by the names that the descriptor keeps.
    pub extra: BTreeMap<String, String>,
}

impl TenantStatus {
    /// The status of `credential` at `now`.
    #[must_use]
    pub fn of(
        document: &Document,
        tenant: &TenantKey,
        credential: &Credential,
        catalog: &Catalog,
        known: Known<'_>,
        now: UnixSeconds,
    ) -> Self {
        let title = catalog.get(&tenant.provider).map(|provider| provider.title.clone());
        Self {
            tenant: tenant.clone(),
            provider_title: title.unwrap_or_else(|| tenant.provider.to_string()),
            health: Health::of(tenant, credential, catalog, known, now),
            account: credential.account.label().map(str::to_owned),
            owner: credential.owner.clone(),
            expires_at: credential.expires_at,
            obtained_at: credential.obtained_at,
            retry_at: backing_off(credential, now),
            last_error: credential.last_error.clone(),
            operators_error: credential.operators_error,
            no_access: credential.no_access,
            next_refresh: next_refresh(document, tenant, credential, now),
            refreshable: is_refreshable(credential),
            generation: credential.generation,
            extra: credential.extra.clone(),
        }
    }
}

/// When `credential` is refreshed next: workers keep what threads are bound to and use fresh ahead of need (W2).
fn next_refresh(
    document: &Document,
    tenant: &TenantKey,
    credential: &Credential,
    now: UnixSeconds,
) -> Option<NextRefresh> {
    if credential.state == CredentialState::NeedsLogin || credential.suspended.is_some() {
        return None;
    }
    let due = due(credential, now);
    let is_kept_fresh = credential.is_in_use(now) && !threads_bound_to(document, tenant).is_empty();
    match due {
        Some(at) if is_kept_fresh => Some(NextRefresh::At(at)),
        _ => is_refreshable(credential).then_some(NextRefresh::AtUse),
    }
}

/// How `credential` is at `now`, by itself.
#[must_use]
pub fn health(credential: &Credential, now: UnixSeconds) -> Health {
    if let Some(suspension) = credential.suspended {
        return Health::Suspended(suspension.reason);
    }
    let serves = credential.expires_at.is_none_or(|at| at > now);
    let refreshable = is_refreshable(credential);
    match credential.state {
        CredentialState::NeedsLogin => Health::NeedsLogin,
        CredentialState::Uncertain => Health::Uncertain,
        CredentialState::Ok if serves => Health::Fresh,
        CredentialState::Ok if !refreshable => Health::NeedsLogin,
        CredentialState::Ok if backing_off(credential, now).is_some() => Health::BackingOff,
        CredentialState::Ok => Health::Stale,
    }
}

/// One login under way, as told to people. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginStatusView {
    /// Its name.
    pub id: String,
    /// Who signs in.
    pub user: User,
    /// Where it goes.
    pub tenant: TenantKey,
    /// How.
    pub kind: LoginKind,
    /// Where it stands.
    pub status: LoginStatus,
    /// When it ends by itself.
    pub expires_at: UnixSeconds,
}

impl From<&PendingLogin> for LoginStatusView {
    fn from(login: &PendingLogin) -> Self {
        Self {
            id: login.id.clone(),
            user: login.user.clone(),
            tenant: login.tenant.clone(),
            kind: login.kind,
            status: login.status,
            expires_at: login.expires_at,
        }
    }
}

/// A revocation that is owed to a provider, as told to people. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedView {
    /// The slot whose tokens these were: logged out, replaced, or refused.
    pub tenant: TenantKey,
    /// When it became owed.
    pub owed_at: UnixSeconds,
    /// When the next try is due.
    pub retry_at: UnixSeconds,
    /// When it is given up.
    pub ends_at: UnixSeconds,
}

impl From<&OwedRevocation> for OwedView {
    fn from(owed: &OwedRevocation) -> Self {
        Self {
            tenant: owed.tenant.clone(),
            owed_at: owed.owed_at,
            retry_at: owed.retry_at,
            ends_at: owed.owed_at.saturating_add(REVOCATION_OWED_FOR),
        }
    }
}

/// One provider in a thread, as told to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadEntry {
    /// The tenant that serves the thread, and why this one.
    pub serving: Serving,
    /// What the environment gives in its place (G25).
    pub environment: Option<FromEnvironment>,
    /// How it is; none where nobody has signed in.
    pub held: Option<TenantStatus>,
    /// Whether its entry cannot be understood.
    pub damaged: bool,
    /// Whether there is another tenant that the caller may have the thread use.
    pub another: bool,
}

impl ThreadEntry {
    /// Whether agents of the thread have something to ask for, working or not.
    #[must_use]
    pub fn is_something(&self) -> bool {
        self.serving.reason != Reason::Server
            || self.held.is_some()
            || self.damaged
            || self.environment.is_some()
    }
}

/// A thread, as told to somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadStatus {
    /// One for each provider that serves the thread or could, by a tenant that the caller may use.
    pub entries: Vec<ThreadEntry>,
    /// Providers that one can sign in to and nothing is signed in at, here or of the caller's.
    pub silent: Vec<ProviderName>,
    /// Whether what the thread or its channel is bound to cannot be understood: then agents get nothing here.
    pub unreadable: bool,
    /// Open logins that it watches or that would fill one of its tenants.
    pub logins: Vec<LoginStatusView>,
    /// Revocations that are owed: all for an admin, else those of one's own tenants.
    pub owed: Vec<OwedView>,
    /// Entries of the store that cannot be understood, for an admin.
    pub damaged: Vec<EntryError>,
}

impl Broker {
    /// Where `thread` stands, for `caller`; `parent` is the channel that it hangs from.
    ///
    /// # Errors
    /// The store's.
    pub fn thread_status(
        &self,
        caller: &Caller,
        thread: &ThreadId,
        parent: Option<&ThreadId>,
    ) -> Result<ThreadStatus, StoreError> {
        let document = self.store.snapshot()?;
        let now = self.clock.now();
        let mut status = ThreadStatus::default();
        for provider in self.catalog().iter() {
            let Ok(serving) = serving(&document, &provider.name, Some(thread), parent) else {
                status.unreadable = true;
                continue;
            };
            let tenant = &serving.tenant;
            let held = document.tenant(tenant);
            let damaged = held.is_err();
            let held = held.ok().flatten();
            let held = held.map(|held| self.status_of(&document, tenant, &held));
            let another = document.tenants().any(|(key, _)| {
                key.provider == provider.name && key != *tenant && may(caller, Act::Use, &key).is_yes()
            });
            let environment = from_environment(provider);
            let entry = ThreadEntry { serving, environment, held, damaged, another };
            if entry.is_something() || another {
                status.entries.push(entry);
            } else if provider.is_open() {
                status.silent.push(provider.name.clone());
            }
        }
        let serves = |key: &TenantKey| {
            status.entries.iter().any(|entry| entry.is_something() && entry.serving.tenant == *key)
        };
        let open = document.logins().filter(|login| !has_ended(login, now));
        let here = open.filter(|login| {
            serves(&login.tenant) || login.watchers.iter().any(|watcher| watcher.thread == *thread)
        });
        status.logins = here.map(|login| LoginStatusView::from(&*login)).collect();
        let owed = document.owed().filter(|owed| caller.admin || is_own(caller, &owed.tenant));
        status.owed = owed.map(|owed| OwedView::from(&*owed)).collect();
        status.damaged = if caller.admin { document.damaged() } else { Vec::new() };
        Ok(status)
    }

    /// Every tenant, in order of its key.
    ///
    /// # Errors
    /// The store's.
    pub fn all_tenants(&self) -> Result<Vec<TenantStatus>, StoreError> {
        let document = self.store.snapshot()?;
        let all = document.tenants();
        Ok(all.map(|(key, held)| self.status_of(&document, &key, &held)).collect())
    }

    /// The status of `credential` now.
    pub(super) fn status_of(
        &self,
        document: &Document,
        tenant: &TenantKey,
        credential: &Credential,
    ) -> TenantStatus {
        let known = |provider: &Provider| self.directory.known(provider);
        TenantStatus::of(document, tenant, credential, &self.catalog(), &known, self.clock.now())
    }
}
