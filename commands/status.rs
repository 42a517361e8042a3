//! `latchkey status`: where every tenant stands.
//!
//! Owns the table and its JSON form. Invariant: reading it spends nothing and shows no secret (G27).

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use latchkey::broker::{FromEnvironment, LoginStatusView, TenantStatus, in_force};
use latchkey::clock::{Clock, UnixSeconds};
use latchkey::directory;
use latchkey::provider::{Catalog, Provider};
use latchkey::store::{Document, Store, has_ended};

use crate::exit::{Code, Exit};
use crate::setup;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Shown {
    /// What the environment gives, by provider (G25).
    sources: Vec<ShownSource>,
    tenants: Vec<ShownTenant>,
    logins: Vec<ShownLogin>,
    damaged: Vec<String>,
}

/// A source that stands above every sign-in at its provider, and what lies unused below it.
#[derive(serde::Serialize)]
struct ShownSource {
    provider: String,
    kind: &'static str,
    variable: String,
    state: &'static str,
    unused_variables: Vec<String>,
    unused_sign_ins: Vec<String>,
}

impl ShownSource {
    fn of(provider: &Provider, document: &Document) -> Option<Self> {
        let (kind, source) = in_force(provider)?;
        let below = provider.env_token.iter().filter(|below| *below != source && below.is_set());
        let sign_ins = document.tenants().filter(|(key, _)| key.provider == provider.name);
        Some(Self {
            provider: provider.name.to_string(),
            kind: word(kind),
            variable: source.variable.clone(),
            state: source.state(),
            unused_variables: below.map(|below| below.variable.clone()).collect(),
            unused_sign_ins: sign_ins.map(|(key, _)| key.to_string()).collect(),
        })
    }

    /// The same for people.
    fn line(&self) -> String {
        let noun = if self.kind == "api_key" { "API key" } else { "token" };
        let Self { provider, variable, .. } = self;
        let mut line = if self.state == "set" {
            format!("{provider}: the {noun} in {variable} is what is served: it stands above every sign-in")
        } else {
            format!(
                "{provider}: nothing is served: the {noun} in {variable} stands above every sign-in and cannot be used; \
                 correct or unset it"
            )
        };
        let tokens = self.unused_variables.iter().map(|variable| format!("the token in {variable}"));
        let unused: Vec<_> = tokens.chain(self.unused_sign_ins.iter().cloned()).collect();
        if !unused.is_empty() {
            line.push_str("; unused below it: ");
            line.push_str(&unused.join(", "));
        }
        line
    }
}

fn word(kind: FromEnvironment) -> &'static str {
    match kind {
        FromEnvironment::ApiKey => "api_key",
        FromEnvironment::Token | FromEnvironment::Unusable => "token",
    }
}

#[derive(serde::Serialize)]
struct ShownTenant {
    tenant: String,
    /// What is handed out for it: `api_key`, `token`, or `sign_in`.
    source: &'static str,
    health: &'static str,
    account: Option<String>,
    owner: Option<String>,
    expires_at: Option<UnixSeconds>,
    obtained_at: Option<UnixSeconds>,
    retry_at: Option<UnixSeconds>,
    last_error: Option<String>,
    generation: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extra: BTreeMap<String, String>,
}

impl ShownTenant {
    fn of(status: TenantStatus, providers: &Catalog) -> Self {
        let above = providers.get(&status.tenant.provider).and_then(|provider| in_force(provider));
        Self {
            tenant: status.tenant.to_string(),
            source: above.map_or("sign_in", |(kind, _)| word(kind)),
            health: status.health.as_str(),
            account: status.account,
            owner: status.owner.map(|owner| owner.to_string()),
            expires_at: status.expires_at,
            obtained_at: status.obtained_at,
            retry_at: status.retry_at,
            last_error: status.last_error,
            generation: status.generation,
            extra: status.extra,
        }
    }
}

#[derive(serde::Serialize)]
struct ShownLogin {
    tenant: String,
    user: String,
    status: &'static str,
    expires_at: UnixSeconds,
}

impl From<LoginStatusView> for ShownLogin {
    fn from(login: LoginStatusView) -> Self {
        Self {
            tenant: login.tenant.to_string(),
            user: login.user.to_string(),
            status: login.status.as_str(),
            expires_at: login.expires_at,
        }
    }
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let loaded = setup::load(config)?;
    let store = setup::open_store(&loaded.config)?;
    let now = Clock::system().now();
    let document = store.snapshot()?;
    let providers = &loaded.config.providers;
    let known = |provider: &Provider| directory::cached(&*store, provider);
    let tenants = document
        .tenants()
        .map(|(key, held)| TenantStatus::of(&document, &key, &held, providers, &known, now))
        .map(|status| ShownTenant::of(status, providers));
    let open = document.logins().filter(|login| !has_ended(login, now));
    let shown = Shown {
        sources: providers.iter().filter_map(|provider| ShownSource::of(provider, &document)).collect(),
        tenants: tenants.collect(),
        logins: open.map(|login| LoginStatusView::from(&*login).into()).collect(),
        damaged: document.damaged().iter().map(ToString::to_string).collect(),
    };
    let text = if arguments.json {
        serde_json::to_string_pretty(&shown).map_err(|error| Exit::new(Code::Internal, error))?
    } else {
        table(&shown, now)
    };
    writeln!(std::io::stdout(), "{}", text.trim_end())
        .map_err(|error| Exit::new(Code::Internal, format!("cannot write to standard output: {error}")))
}

fn table(shown: &Shown, now: UnixSeconds) -> String {
    let mut lines: Vec<_> = shown.sources.iter().map(ShownSource::line).collect();
    if shown.tenants.is_empty() {
        lines.push("nobody has signed in yet: use /auth login in Discord".to_owned());
    }
    let width = shown.tenants.iter().map(|tenant| tenant.tenant.len()).max().unwrap_or(0);
    for tenant in &shown.tenants {
        let mut parts = vec![format!("{:<width$}  {:<14}", tenant.tenant, tenant.health)];
        parts.extend(tenant.expires_at.map(|at| format!("token {}", relative(at, now, "ends", "ended"))));
        parts.extend(tenant.account.clone());
        parts.extend(tenant.last_error.clone().map(|error| format!("last refresh: {error}")));
        parts.extend(tenant.retry_at.map(|at| format!("next try {}", relative(at, now, "", ""))));
        lines.push(parts.join("  "));
    }
    for login in &shown.logins {
        let ends = relative(login.expires_at, now, "ends", "ended");
        let is = match login.status {
            "confirming" => "waiting for an admin to agree to another account",
            other => other,
        };
        lines.push(format!("{}  sign-in by {} is {is}, {ends}", login.tenant, login.user));
    }
    lines.extend(shown.damaged.iter().map(|error| format!("damaged: {error}")));
    lines.join("\n")
}

/// A moment as a distance from now.
fn relative(at: UnixSeconds, now: UnixSeconds, future: &str, past: &str) -> String {
    let distance = std::time::Duration::from_secs(at.abs_diff(now));
    let text = if at >= now {
        format!("{future} in {}", humantime::format_duration(distance))
    } else {
        format!("{past} {} ago", humantime::format_duration(distance))
    };
    text.trim_start().to_owned()
}
