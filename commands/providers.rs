//! `latchkey providers`: what there is to sign in to, what each still needs, and the lines to write for it.
//!
//! Owns the table and its JSON form, whose field names are stable. Invariants: it needs no store and asks nobody; built-ins are
//! listed whatever is wrong with the configuration; the names of environment variables are shown, their values never.

use std::collections::BTreeSet;
use std::path::Path;

use latchkey::broker::{FromEnvironment, from_environment};
use latchkey::config::{self, Config, ConfigError};
use latchkey::provider::{BUILTINS, Builtin, Closed, EnvSource, Flow, Provider, Share, UNSUPPORTED, builtin};

use crate::exit::{Code, Exit};
use crate::{setup, terminal};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey providers
  latchkey providers --json | jq -r '.providers[] | select(.state == \"ready\") | .name'

Every provider that is built in or configured stands in the list:

  ready            members can sign in, by the ways under SIGN-IN, the preferred one first
  key only         nobody can sign in; the key or token from the environment is handed out
  not ready        something is missing; the lines below it say what
  not configured   the lines to write into latchkey.toml for it stand below it

\"to do\" is what must be done before anything works there; \"closed\" is a way to sign in that could be opened besides.

FOR says whose a sign-in is: each member's own (share = \"member\"), or one for the server (share = \"guild\").
\"untried\" marks values that were read from public sources and never tried with the live vendor; every one of them can \
be overridden in the provider's table.

It reads the configuration and the environment alone. `latchkey check` goes further, and asks issuers for their metadata.")]
pub struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, serde::Serialize)]
struct Shown {
    /// The file that was read; null where there is none.
    configuration: Option<String>,
    /// Why it cannot be used.
    error: Option<String>,
    providers: Vec<Row>,
    unsupported: Vec<Never>,
}

#[derive(Debug, serde::Serialize)]
struct Row {
    name: String,
    title: String,
    state: &'static str,
    built_in: bool,
    untried: bool,
    share: &'static str,
    /// Open ways to sign in, preferred first.
    sign_in: Vec<&'static str>,
    /// Those of them that are open only if the provider's metadata, which is not asked here, has their endpoints.
    discovers: Vec<&'static str>,
    closed: Vec<Shut>,
    missing: Vec<String>,
    /// In order of precedence; the first that is set is in force.
    sources: Vec<Source>,
    terms_in_doubt: Option<String>,
    terms_accepted: bool,
    /// What to write to have it; empty where it is configured.
    write: Vec<String>,
}

#[derive(Debug, serde::Serialize)]
struct Shut {
    flow: &'static str,
    why: &'static str,
    /// The same in words, with what would open it.
    since: String,
}

#[derive(Debug, serde::Serialize)]
struct Source {
    kind: &'static str,
    variable: Option<String>,
    state: Option<&'static str>,
}

#[derive(Debug, serde::Serialize)]
struct Never {
    name: &'static str,
    title: &'static str,
    why: &'static str,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let is_named = config.is_some() || setup::environment("LATCHKEY_CONFIG").is_some();
    let path = config::locate(config, &setup::environment);
    let loaded = path.as_ref().map_err(ConfigError::clone).and_then(|path| Config::load(path));
    let shown = shown(path.ok().as_deref(), &loaded, &setup::environment);
    let text = if arguments.json {
        serde_json::to_string_pretty(&shown).map_err(|error| Exit::new(Code::Internal, error))?
    } else {
        text(&shown)
    };
    terminal::print(&text)?;
    match loaded {
        Ok(_) => Ok(()),
        // Whoever begins asks this first, and has no file yet.
        Err(ConfigError::NotFound { .. }) if !is_named => Ok(()),
        Err(error) => Err(Exit::new(Code::Usage, error)),
    }
}

fn shown(path: Option<&Path>, loaded: &Result<Config, ConfigError>, env: config::Env<'_>) -> Shown {
    let config = loaded.as_ref().ok();
    let configured: Vec<_> = config.into_iter().flat_map(|config| config.providers.iter()).collect();
    let taken: BTreeSet<_> = configured
        .iter()
        .filter_map(|provider| builtin(provider.name.as_str()))
        .map(|known| known.name)
        .collect();
    let mut rows: Vec<_> = configured.iter().map(|provider| row(provider, None)).collect();
    let page = config.and_then(|config| config.http.as_ref()?.public_url.as_ref()).map(ToString::to_string);
    rows.extend(
        BUILTINS
            .iter()
            .filter(|builtin| !taken.contains(builtin.name))
            .filter_map(|builtin| Some(row(&preview(builtin, page.as_deref(), env)?, Some(builtin)))),
    );
    Shown {
        configuration: path.map(|path| path.display().to_string()),
        error: loaded.as_ref().err().map(ToString::to_string),
        providers: rows,
        unsupported: UNSUPPORTED
            .iter()
            .map(|vendor| Never { name: vendor.name, title: vendor.title, why: vendor.why("en") })
            .collect(),
    }
}

/// What `builtin` would be with nothing written but what it needs.
fn preview(builtin: &Builtin, public_url: Option<&str>, env: config::Env<'_>) -> Option<Provider> {
    let http = public_url.map(|url| format!("[http]\npublic_url = {url:?}\n")).unwrap_or_default();
    let text = format!("{http}[providers.{}]\n{}\n", builtin.table, builtin.needs);
    let config = Config::parse(&text, Path::new("built in"), env).ok()?;
    config.providers.iter().next().map(|provider| (**provider).clone())
}

fn row(provider: &Provider, unwritten: Option<&Builtin>) -> Row {
    let known = builtin(provider.name.as_str());
    let is_open = provider.is_open();
    let sources = [("api_key", provider.api_key.as_ref()), ("token", provider.env_token.as_ref())];
    let variables = sources.into_iter().filter_map(|(kind, found)| Some((kind, found?)));
    let given = from_environment(provider);
    let named = |(kind, found): (&'static str, &EnvSource)| Source {
        kind,
        variable: Some(found.variable.clone()),
        state: Some(found.state()),
    };
    let has_flows = !provider.flows.is_empty() || !provider.awaiting_terms.is_empty();
    let sign_in = has_flows.then_some(Source { kind: "sign_in", variable: None, state: None });
    let offered: Vec<_> = if is_open { provider.offered_flows().collect() } else { Vec::new() };
    let words = |flows: &[Flow]| flows.iter().copied().map(Flow::as_str).collect::<Vec<_>>();
    let to_find = |flow: &Flow| provider.discovers && provider.is_to_find(*flow);
    let terms_accepted = provider.terms_risk.is_some() && provider.awaiting_terms.is_empty();
    Row {
        name: unwritten.map_or_else(|| provider.name.to_string(), |builtin| builtin.name.to_owned()),
        title: match unwritten {
            // Each has the name of its own table.
            Some(_) if provider.name.is_mcp() => "an MCP server".to_owned(),
            _ => provider.title.clone(),
        },
        state: match unwritten {
            Some(_) => "not_configured",
            // It stands above every sign-in.
            None if given == Some(FromEnvironment::Unusable) => "not_ready",
            None if is_open => "ready",
            None if given.is_some() => "key_only",
            None => "not_ready",
        },
        built_in: known.is_some(),
        untried: known.is_some_and(|known| !known.tried),
        share: match provider.share {
            Share::Member => "member",
            Share::Guild => "guild",
        },
        sign_in: words(&offered),
        discovers: words(&offered.iter().copied().filter(to_find).collect::<Vec<_>>()),
        closed: provider
            .closed_flows()
            .map(|(flow, why)| Shut { flow: flow.as_str(), why: word(why), since: since(provider, why) })
            .collect(),
        missing: missing(provider, is_open || given.is_some_and(|given| given != FromEnvironment::Unusable)),
        sources: variables.map(named).chain(sign_in).collect(),
        terms_in_doubt: provider.terms_risk.as_ref().map(|risk| risk.for_reader("en").to_owned()),
        terms_accepted,
        write: unwritten.map(|builtin| to_write(builtin, provider)).unwrap_or_default(),
    }
}

fn word(why: Closed) -> &'static str {
    match why {
        Closed::Terms => "terms",
        Closed::Client => "client",
        Closed::Page => "page",
    }
}

/// What is in the way, with what would open it.
fn since(provider: &Provider, why: Closed) -> String {
    match why {
        Closed::Terms => {
            "the doubt about its terms is not accepted: write accept_terms_risk = true".to_owned()
        }
        Closed::Client => provider.client_missing.clone().unwrap_or_default(),
        Closed::Page => "no page of ours is served: write public_url = \"https://…\" under [http]".to_owned(),
    }
}

/// What an operator has still to provide. `works` says that somebody can sign in or is served without: then nothing needs to be
/// done for what is closed.
fn missing(provider: &Provider, works: bool) -> Vec<String> {
    let mut missing: Vec<_> = if works {
        Vec::new()
    } else {
        let closed = provider.closed_flows().map(|(_, why)| since(provider, why));
        provider.client_missing.clone().into_iter().chain(closed).collect()
    };
    missing.dedup();
    let sources = || [&provider.api_key, &provider.env_token].into_iter().flatten();
    let malformed = sources().filter(|source| source.state() == "malformed").map(|source| {
        format!(
            "{} holds no key or token: it has white space inside, or characters that are not ASCII",
            source.variable
        )
    });
    missing.extend(malformed);
    let can_sign_in = !provider.flows.is_empty() || !provider.awaiting_terms.is_empty();
    let variables: Vec<_> = sources().map(|source| source.variable.as_str()).collect();
    if !can_sign_in && !variables.is_empty() && !sources().any(EnvSource::is_set) {
        missing.push(format!("nothing is served before {} is set", variables.join(" or ")));
    }
    missing
}

/// The lines that make a built-in a configured one.
fn to_write(builtin: &Builtin, provider: &Provider) -> Vec<String> {
    let mut lines = vec![format!("[providers.{}]", builtin.table)];
    lines.extend((!builtin.needs.is_empty()).then(|| builtin.needs.to_owned()));
    let lacks_id = provider.client_missing.is_some() && provider.client_id.is_none();
    lines.extend(lacks_id.then(|| "client_id = \"…\"".to_owned()));
    lines.extend((!provider.awaiting_terms.is_empty()).then(|| "accept_terms_risk = true".to_owned()));
    lines
}

fn text(shown: &Shown) -> String {
    let mut lines = vec![match (&shown.configuration, &shown.error) {
        (Some(path), None) => format!("Configured in {path}, or built in:"),
        (Some(path), Some(_)) => format!("{path} cannot be used, for the reasons given below. Built in:"),
        (None, _) => "There is no configuration yet: write a latchkey.toml. Built in:".to_owned(),
    }];
    lines.push(String::new());
    let heads = ["PROVIDER", "TITLE", "STATE", "FOR", "SIGN-IN"].map(str::to_owned);
    let cells: Vec<_> = shown.providers.iter().map(cells).collect();
    let width = |column: usize| {
        cells.iter().chain([&heads]).map(|row| row[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..heads.len()).map(width).collect();
    let aligned = |row: &[String; 5]| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.push(aligned(&heads));
    for (row, cells) in shown.providers.iter().zip(&cells) {
        lines.push(aligned(cells));
        lines.extend(notes(row).iter().map(|note| format!("    {note}")));
    }
    lines.push(String::new());
    lines.push("Not supported; a table of that name may define a provider of your own:".to_owned());
    lines.push(String::new());
    let never = shown.unsupported.iter();
    lines.extend(never.map(|vendor| format!("{} ({}): {}", vendor.name, vendor.title, vendor.why)));
    lines.join("\n")
}

fn cells(row: &Row) -> [String; 5] {
    let state = match row.state {
        "not_configured" => "not configured",
        "key_only" => "key only",
        "not_ready" => "not ready",
        other => other,
    };
    let untried = if row.untried { ", untried" } else { "" };
    let whose = if row.share == "guild" { "the server" } else { "each member" };
    let ways = if row.sign_in.is_empty() {
        "none".to_owned()
    } else if row.sign_in == row.discovers && row.sign_in.len() > 1 {
        format!("{} (if its metadata has them)", row.sign_in.join(", "))
    } else {
        let marked = |way: &&str| {
            let mark = if row.discovers.contains(way) { " (if its metadata has it)" } else { "" };
            format!("{way}{mark}")
        };
        row.sign_in.iter().map(marked).collect::<Vec<_>>().join(", ")
    };
    [row.name.clone(), row.title.clone(), format!("{state}{untried}"), whose.to_owned(), ways]
}

/// What is to be said below a row.
fn notes(row: &Row) -> Vec<String> {
    let mut notes = Vec::new();
    let sources: Vec<_> = row.sources.iter().map(source).collect();
    // A sign-in alone goes without saying.
    if row.sources.iter().any(|source| source.variable.is_some()) {
        notes.push(format!("served: {}", sources.join(", then ")));
    }
    notes.extend(row.missing.iter().map(|what| format!("to do: {what}")));
    let closed = row.closed.iter().filter(|shut| !row.missing.contains(&shut.since));
    notes.extend(closed.map(|shut| format!("closed: {}, since {}", shut.flow, shut.since)));
    notes.extend(row.terms_in_doubt.as_ref().map(|doubt| {
        let accepted = if row.terms_accepted { ", accepted" } else { "" };
        format!("terms in doubt{accepted}: {doubt}")
    }));
    notes.extend((!row.write.is_empty()).then(|| format!("write: {}", row.write.join("\n           "))));
    notes
}

fn source(source: &Source) -> String {
    let noun = match source.kind {
        "api_key" => "the API key",
        "token" => "the token",
        _ => return "a sign-in".to_owned(),
    };
    let state = match source.state {
        Some("unset") => "not set",
        other => other.unwrap_or_default(),
    };
    format!("{noun} in {} ({state})", source.variable.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests;
