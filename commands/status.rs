//! `latchkey status`: where every tenant stands.
//!
//! Owns the table and its JSON form. Invariant: reading it spends nothing and shows no secret (G27).

use std::io::Write;
use std::path::Path;

use latchkey::broker::{Overview, SourceView};
use latchkey::clock::{Clock, UnixSeconds};
use latchkey::directory;
use latchkey::provider::Provider;
use latchkey::store::Store;

use crate::exit::{Code, Exit};
use crate::setup;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A source of the environment, for people.
fn line(source: &SourceView) -> String {
    let noun = if source.kind == "api_key" { "API key" } else { "token" };
    let SourceView { provider, variable, .. } = source;
    let mut line = if source.state == "set" {
        format!("{provider}: the {noun} in {variable} is what is served: it stands above every sign-in")
    } else {
        format!(
            "{provider}: nothing is served: the {noun} in {variable} stands above every sign-in and cannot be used; \
             correct or unset it"
        )
    };
    let tokens = source.unused_variables.iter().map(|variable| format!("the token in {variable}"));
    let unused: Vec<_> = tokens.chain(source.unused_sign_ins.iter().cloned()).collect();
    if !unused.is_empty() {
        line.push_str("; unused below it: ");
        line.push_str(&unused.join(", "));
    }
    line
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let loaded = setup::load(config)?;
    let store = setup::open_store(&loaded.config)?;
    let now = Clock::system().now();
    let document = store.snapshot()?;
    let providers = &loaded.config.providers;
    let known = |provider: &Provider| directory::cached(&*store, provider);
    let shown = Overview::whole(&document, providers, &known, now);
    let text = if arguments.json {
        serde_json::to_string_pretty(&shown).map_err(|error| Exit::new(Code::Internal, error))?
    } else {
        table(&shown, now)
    };
    writeln!(std::io::stdout(), "{}", text.trim_end())
        .map_err(|error| Exit::new(Code::Internal, format!("cannot write to standard output: {error}")))
}

fn table(shown: &Overview, now: UnixSeconds) -> String {
    let mut lines: Vec<_> = shown.sources.iter().map(line).collect();
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
        let is = match login.status.as_str() {
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
