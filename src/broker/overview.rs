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
    /// Every revocation that is owed to a provider; an older bot names none.
    #[serde(default)]
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::broker::Health;
    use crate::credential::Unserved;
    use crate::pending::LoginStatus;

    /// Every member that there can be, with something in it.
    fn full() -> Overview {
        let text = || Some("x".to_owned());
        let source = SourceView {
            provider: "acme".to_owned(),
            kind: "token".to_owned(),
            variable: "TOKEN".to_owned(),
            state: "set".to_owned(),
            unused_variables: Vec::new(),
            unused_sign_ins: Vec::new(),
        };
        let tenant = TenantView {
            tenant: "acme".to_owned(),
            source: "token".to_owned(),
            health: "fresh".to_owned(),
            account: text(),
            owner: text(),
            expires_at: Some(1),
            obtained_at: Some(1),
            retry_at: Some(1),
            last_error: text(),
            generation: 1,
            operators_error: true,
            no_access: true,
            extra: [("name".to_owned(), "value".to_owned())].into(),
        };
        let login = LoginView {
            tenant: "acme".to_owned(),
            user: "7".to_owned(),
            status: "pending".to_owned(),
            expires_at: 1,
        };
        let owed = RevocationView { tenant: "acme".to_owned(), owed_at: 1, retry_at: 1, ends_at: 1 };
        Overview {
            sources: vec![source],
            tenants: vec![tenant],
            logins: vec![login],
            damaged: vec!["x".to_owned()],
            revocations: vec![owed],
        }
    }

    /// The members of `value` as the page names them: `tenants`, `tenants[].health`.
    fn members(value: &Value) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (list, held) in value.as_object().unwrap() {
            found.insert(list.clone());
            let parts =
                held.as_array().unwrap().iter().filter_map(Value::as_object).flat_map(|part| part.keys());
            found.extend(parts.map(|member| format!("{list}[].{member}")));
        }
        found
    }

    /// Each row of the page's table of this object: the member, and what is said of it.
    fn rows() -> Vec<(String, String)> {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/token-socket.md");
        let page = std::fs::read_to_string(page).unwrap();
        let (_, section) = page.split_once("\n### `status`\n").unwrap();
        let section = section.split("\n### ").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        rows.map(|(member, said)| (member.to_owned(), said.to_owned())).collect()
    }

    /// The contract of `status --json`, in docs/token-socket.md: every member, and no other.
    #[test]
    fn the_page_tells_of_every_member() {
        let told: Vec<_> = rows().into_iter().map(|(member, _)| member).collect();
        let all: BTreeSet<_> = told.iter().cloned().collect();
        assert_eq!(all, members(&serde_json::to_value(full()).unwrap()));
        assert_eq!(all.len(), told.len(), "each once");
        // What may be missing is said to be.
        let mut bare = full();
        let tenant = bare.tenants.first_mut().unwrap();
        (tenant.operators_error, tenant.no_access) = (false, false);
        tenant.extra.clear();
        let always = members(&serde_json::to_value(bare).unwrap());
        for (member, said) in rows() {
            assert_eq!(said.contains("left out"), !always.contains(&member), "{member}: {said}");
        }
        let nothing =
            serde_json::json!({"sources": [], "tenants": [], "logins": [], "damaged": [], "revocations": []});
        assert_eq!(serde_json::to_value(Overview::default()).unwrap(), nothing, "no list is left out");
    }

    /// The same, of the words in it.
    #[test]
    fn the_page_tells_of_every_word() {
        let said = |of: &str| rows().into_iter().find(|(member, _)| member == of).unwrap().1;
        let all = [
            Health::Fresh,
            Health::Stale,
            Health::BackingOff,
            Health::Uncertain,
            Health::NeedsLogin,
            Health::Suspended(Unserved::Left),
            Health::Environment,
            Health::BadEnvironment,
            Health::NotConfigured,
            Health::Misconfigured,
        ];
        for health in all {
            // A new one is missed here by the compiler.
            match health {
                Health::Fresh
                | Health::Stale
                | Health::BackingOff
                | Health::Uncertain
                | Health::NeedsLogin
                | Health::Suspended(_)
                | Health::Environment
                | Health::BadEnvironment
                | Health::NotConfigured
                | Health::Misconfigured => {}
            }
            assert!(said("tenants[].health").contains(&format!("`{}`", health.as_str())), "{health:?}");
        }
        let open =
            [LoginStatus::Starting, LoginStatus::Pending, LoginStatus::Exchanging, LoginStatus::Confirming];
        for status in open {
            assert!(said("logins[].status").contains(&format!("`{}`", status.as_str())), "{status:?}");
        }
        for word in ["sign_in", "api_key", "token"] {
            assert!(said("tenants[].source").contains(&format!("`{word}`")), "{word}");
        }
    }
}
