//! Where everything stands, in the shape of `latchkey status --json` and of the token socket: a contract.
//!
//! Owns [`Overview`] and its parts. Invariants: reading it spends nothing (G27) and it holds no secret; members are added to it,
//! never taken away or given another meaning. Must not: choose words for people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::serving::{FromEnvironment, in_force};
use super::status::{Known, LoginStatusView, OwedView, TenantStatus};
use crate::clock::UnixSeconds;
use crate::provider::{Catalog, Provider};
use crate::store::{Document, has_ended};
use crate::tenant::TenantKey;

/// All that there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// What the environment gives, by provider (G25).
    pub sources: Vec<SourceView>,
    /// Every tenant, in order of its key.
    pub tenants: Vec<TenantView>,
    /// Every login under way.
    pub logins: Vec<LoginView>,
    /// What cannot be understood, in words.
    pub damaged: Vec<String>,
    /// Every revocation that is owed to a provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revocations: Vec<RevocationView>,
}

impl Overview {
    /// What `document` holds at `now`, of the tenants that `admits` lets through.
    #[must_use]
    pub fn of(
        document: &Document,
        catalog: &Catalog,
        known: Known<'_>,
        admits: &dyn Fn(&TenantKey) -> bool,
        now: UnixSeconds,
    ) -> Self {
        let tenants = document
            .tenants()
            .filter(|(key, _)| admits(key))
            .map(|(key, held)| TenantStatus::of(document, &key, &held, catalog, known, now))
            .map(|status| TenantView::of(status, catalog));
        let open = document.logins().filter(|login| !has_ended(login, now) && admits(&login.tenant));
        let shared = |provider: &Provider| admits(&TenantKey::shared(provider.name.clone()));
        let sources = catalog.iter().filter(|provider| shared(provider));
        let owed = document.owed().filter(|owed| admits(&owed.tenant));
        Self {
            sources: sources.filter_map(|provider| SourceView::of(provider, document, admits)).collect(),
            tenants: tenants.collect(),
            logins: open.map(|login| LoginStatusView::from(&*login).into()).collect(),
            damaged: Vec::new(),
            revocations: owed.map(|owed| OwedView::from(&*owed).into()).collect(),
        }
    }

    /// The same, with what cannot be understood: for whoever may know of everything.
    #[must_use]
    pub fn whole(document: &Document, catalog: &Catalog, known: Known<'_>, now: UnixSeconds) -> Self {
        let damaged = document.damaged().iter().map(ToString::to_string).collect();
        Self { damaged, ..Self::of(document, catalog, known, &|_| true, now) }
    }
}

/// A source that stands above every sign-in at its provider, and what lies unused below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceView {
    /// Whose.
    pub provider: String,
    /// `api_key` or `token`.
    pub kind: String,
    /// The environment variable.
    pub variable: String,
    /// Whether it can be used.
    pub state: String,
    /// Variables below it.
    pub unused_variables: Vec<String>,
    /// Tenants below it.
    pub unused_sign_ins: Vec<String>,
}

impl SourceView {
    fn of(provider: &Provider, document: &Document, admits: &dyn Fn(&TenantKey) -> bool) -> Option<Self> {
        let (kind, source) = in_force(provider)?;
        let below = provider.env_token.iter().filter(|below| *below != source && below.is_set());
        let sign_ins = document.tenants().filter(|(key, _)| key.provider == provider.name && admits(key));
        Some(Self {
            provider: provider.name.to_string(),
            kind: word(kind).to_owned(),
            variable: source.variable.clone(),
            state: source.state().to_owned(),
            unused_variables: below.map(|below| below.variable.clone()).collect(),
            unused_sign_ins: sign_ins.map(|(key, _)| key.to_string()).collect(),
        })
    }
}

fn word(kind: FromEnvironment) -> &'static str {
    match kind {
        FromEnvironment::ApiKey => "api_key",
        FromEnvironment::Token | FromEnvironment::Unusable => "token",
    }
}

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantView {
    /// Which slot.
    pub tenant: String,
    /// What is handed out for it: `api_key`, `token`, or `sign_in`.
    pub source: String,
    /// See [`super::Health::as_str`].
    pub health: String,
    /// Whose account, as the provider names it.
    pub account: Option<String>,
    /// Who signed in.
    pub owner: Option<String>,
    /// When the access token ends, in unix seconds.
    pub expires_at: Option<UnixSeconds>,
    /// When the tokens last came.
    pub obtained_at: Option<UnixSeconds>,
    /// When the next try is due, after a failure.
    pub retry_at: Option<UnixSeconds>,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// How often the tokens were replaced.
    pub generation: u64,
    /// Whether the last failure is the operator's to mend.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub operators_error: bool,
    /// Whether the provider gives the account no access, though its sign-in is good.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_access: bool,
    /// What its users need beside the token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
}

impl TenantView {
    fn of(status: TenantStatus, providers: &Catalog) -> Self {
        let above = providers.get(&status.tenant.provider).and_then(|provider| in_force(provider));
        Self {
            tenant: status.tenant.to_string(),
            source: above.map_or("sign_in", |(kind, _)| word(kind)).to_owned(),
            health: status.health.as_str().to_owned(),
            account: status.account,
            owner: status.owner.map(|owner| owner.to_string()),
            expires_at: status.expires_at,
            obtained_at: status.obtained_at,
            retry_at: status.retry_at,
            last_error: status.last_error,
            generation: status.generation,
            operators_error: status.operators_error,
            no_access: status.no_access,
            extra: status.extra,
        }
    }
}

/// One login under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginView {
    /// Which slot.
    pub tenant: String,
    /// Who signs in.
    pub user: String,
    /// See [`crate::pending::LoginStatus::as_str`].
    pub status: String,
    /// When it ends by itself, in unix seconds.
    pub expires_at: UnixSeconds,
}

impl From<LoginStatusView> for LoginView {
    fn from(login: LoginStatusView) -> Self {
        Self {
            tenant: login.tenant.to_string(),
            user: login.user.to_string(),
            status: login.status.as_str().to_owned(),
            expires_at: login.expires_at,
        }
    }
}

/// One revocation that is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationView {
    /// The slot whose tokens these were.
    pub tenant: String,
    /// When it became owed, in unix seconds.
    pub owed_at: UnixSeconds,
    /// When the next try is due.
    pub retry_at: UnixSeconds,
    /// When it is given up.
    pub ends_at: UnixSeconds,
}

impl From<OwedView> for RevocationView {
    fn from(owed: OwedView) -> Self {
        let OwedView { tenant, owed_at, retry_at, ends_at } = owed;
        Self { tenant: tenant.to_string(), owed_at, retry_at, ends_at }
    }
}
