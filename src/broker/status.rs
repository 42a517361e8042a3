//! Where a tenant stands, and a thread.
//!
//! Owns [`Health`], the one judgement that status commands, buttons and messages share. Invariant: reading it spends
//! nothing and asks nobody (G27). Must not: choose words (`commands/view.rs` does).

use super::Broker;
use crate::clock::UnixSeconds;
use crate::credential::{Credential, CredentialKind, CredentialState, Unserved};
use crate::gate::policy::backing_off;
use crate::pending::{LoginKind, LoginStatus, PendingLogin};
use crate::provider::Catalog;
use crate::store::{EntryError, StoreError, has_ended};
use crate::tenant::{TenantKey, ThreadId, User};

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
    /// Its provider is no longer configured.
    NotConfigured,
}

impl Health {
    /// Whether programs get a token, as far as is known.
    #[must_use]
    pub fn works(self) -> bool {
        matches!(self, Self::Fresh | Self::Stale | Self::Environment)
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
            Self::NotConfigured => "not_configured",
        }
    }
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
    /// How often the tokens were replaced.
    pub generation: u64,
}

impl TenantStatus {
    /// The status of `credential` at `now`.
    #[must_use]
    pub fn of(tenant: &TenantKey, credential: &Credential, catalog: &Catalog, now: UnixSeconds) -> Self {
        let provider = catalog.get(&tenant.provider);
        let title = provider.map_or_else(|| tenant.provider.to_string(), |provider| provider.title.clone());
        let environment = provider.is_some_and(|p| p.api_key.is_some() || p.env_token.is_some());
        let health = match provider {
            None => Health::NotConfigured,
            Some(_) if environment => Health::Environment,
            Some(_) => health(credential, now),
        };
        Self {
            tenant: tenant.clone(),
            provider_title: title,
            health,
            account: credential.account.label().map(str::to_owned),
            owner: credential.owner.clone(),
            expires_at: credential.expires_at,
            obtained_at: credential.obtained_at,
            retry_at: backing_off(credential, now),
            last_error: credential.last_error.clone(),
            generation: credential.generation,
        }
    }
}

/// How `credential` is at `now`, by itself.
#[must_use]
pub fn health(credential: &Credential, now: UnixSeconds) -> Health {
    if let Some(suspension) = credential.suspended {
        return Health::Suspended(suspension.reason);
    }
    let serves = credential.expires_at.is_none_or(|at| at > now);
    let refreshable = credential.kind == CredentialKind::OAuth && credential.refresh_token.is_some();
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

/// A thread, as told to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadStatus {
    /// The tenants that serve it: by its binding, else its parent's, else the guild's shared ones.
    pub tenants: Vec<TenantStatus>,
    /// Tenants that it is bound to and that hold no sign-in.
    pub empty: Vec<TenantKey>,
    /// Open logins that it watches or that would fill one of its tenants.
    pub logins: Vec<LoginStatusView>,
    /// Entries of the store that cannot be understood.
    pub damaged: Vec<EntryError>,
}

impl Broker {
    /// Where `thread` stands; `parent` is the channel that it hangs from.
    ///
    /// # Errors
    /// The store's.
    pub fn thread_status(
        &self,
        thread: &ThreadId,
        parent: Option<&ThreadId>,
    ) -> Result<ThreadStatus, StoreError> {
        let document = self.store.snapshot()?;
        let now = self.clock.now();
        let mut status = ThreadStatus {
            tenants: Vec::new(),
            empty: Vec::new(),
            logins: Vec::new(),
            damaged: document.damaged(),
        };
        for provider in self.catalog.iter() {
            let mut bound = None;
            for place in [Some(thread), parent].into_iter().flatten() {
                bound =
                    document.binding(place)?.and_then(|binding| binding.tenants.get(&provider.name).cloned());
                if bound.is_some() {
                    break;
                }
            }
            let is_bound = bound.is_some();
            let tenant = bound.unwrap_or_else(|| TenantKey::shared(provider.name.clone()));
            match document.tenant(&tenant) {
                Ok(Some(credential)) => {
                    status.tenants.push(TenantStatus::of(&tenant, &credential, &self.catalog, now));
                }
                Ok(None) if is_bound => status.empty.push(tenant),
                // A damaged entry is told with the others.
                _ => {}
            }
        }
        let serves = |key: &TenantKey| {
            status.tenants.iter().any(|tenant| tenant.tenant == *key) || status.empty.contains(key)
        };
        let open = document.logins().filter(|login| !has_ended(login, now));
        let here = open.filter(|login| {
            serves(&login.tenant) || login.watchers.iter().any(|watcher| watcher.thread == *thread)
        });
        status.logins = here.map(|login| LoginStatusView::from(&*login)).collect();
        Ok(status)
    }

    /// Every tenant, in order of its key.
    ///
    /// # Errors
    /// The store's.
    pub fn all_tenants(&self) -> Result<Vec<TenantStatus>, StoreError> {
        let document = self.store.snapshot()?;
        let now = self.clock.now();
        Ok(document.tenants().map(|(key, held)| TenantStatus::of(&key, &held, &self.catalog, now)).collect())
    }
}
