//! `latchkey check`: what is wrong, where, and the remedy.
//!
//! Owns the list of findings over configuration, store, locks and providers. Invariants: it changes nothing but missing
//! folders and the cache of metadata; beyond this host it asks only the issuers of providers whose endpoints are to be
//! discovered, and them for their metadata alone, and MCP servers and the documents that they name (RFC 9728). The exit code is the
//! first failed part's.

mod feeds;
mod sealing;
mod tokens;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use latchkey::broker::in_force;
use latchkey::clock::Clock;
use latchkey::config::Config;
use latchkey::directory::{Directory, Looked};
use latchkey::oauth::{Client, DiscoveryError};
use latchkey::provider::{EnvSource, EnvValue, Flow, Provider};
use latchkey::store::Store;
use latchkey::store::file::FileStore;

use crate::exit::{Code, Exit};
use crate::{setup, terminal};

/// How long the store lock is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey check
  latchkey --config ./latchkey.toml check
  latchkey check --json | jq '.findings[] | select(.level != \"ok\")'

It changes nothing and signs nobody in; of issuers whose endpoints are to be discovered it asks the metadata. The exit code \
is 0 if nothing is wrong (warnings count as nothing wrong), else that of the first problem.")]
pub struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    Ok,
    Warning,
    Problem,
}

#[derive(Debug, serde::Serialize)]
struct Finding {
    level: Level,
    part: &'static str,
    text: String,
    #[serde(skip)]
    code: Code,
}

/// What was found so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, level: Level, part: &'static str, text: impl Into<String>, code: Code) {
        self.0.push(Finding { level, part, text: text.into(), code });
    }

    fn ok(&mut self, part: &'static str, text: impl Into<String>) {
        self.add(Level::Ok, part, text, Code::Internal);
    }

    fn warn(&mut self, part: &'static str, text: impl Into<String>) {
        self.add(Level::Warning, part, text, Code::Internal);
    }
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let mut findings = Findings::default();
    match setup::load(config) {
        Ok(loaded) => {
            findings.ok("configuration", format!("{} is valid", loaded.path.display()));
            configuration(&loaded.config, &mut findings);
            let opened = setup::open_store(&loaded.config);
            feeds::feeds(&loaded.config, opened.as_ref().ok(), &mut findings);
            providers(&loaded.config, opened.as_ref().ok(), &mut findings);
            match opened {
                Ok(opened) => store(&loaded.config, &opened, &mut findings),
                Err(exit) => {
                    findings.add(Level::Problem, "store", exit.message.unwrap_or_default(), exit.code);
                }
            }
        }
        Err(exit) => {
            findings.add(Level::Problem, "configuration", exit.message.unwrap_or_default(), exit.code);
        }
    }
    let text = if arguments.json {
        serde_json::to_string_pretty(&serde_json::json!({ "findings": findings.0 }))
            .map_err(|error| Exit::new(Code::Internal, error))?
    } else {
        let line = |finding: &Finding| {
            let mark = match finding.level {
                Level::Ok => "ok      ",
                Level::Warning => "warning ",
                Level::Problem => "PROBLEM ",
            };
            format!("{mark} {}: {}", finding.part, finding.text.replace('\n', "\n          "))
        };
        findings.0.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    terminal::print(&text)?;
    match findings.0.iter().find(|finding| finding.level == Level::Problem) {
        Some(problem) => Err(Exit::silent(problem.code)),
        None => Ok(()),
    }
}

fn configuration(config: &Config, findings: &mut Findings) {
    for warning in config.warnings.iter().filter(|warning| !is_told_of_its_provider(config, &warning.key)) {
        findings.warn("configuration", warning.to_string());
    }
    if config.ops.is_some() {
        findings.warn(
            "configuration",
            "[ops] is read, and nothing is served there by this version yet".to_owned(),
        );
    }
    sign_in_page(config, findings);
    if let Some(tokens) = &config.tokens {
        tokens::look(tokens, &config.store.path, findings);
    }
    match &config.discord {
        None => findings
            .warn("discord", "there is no [discord] table: `latchkey run` needs one, other commands do not"),
        Some(discord) => match discord.token.read(&setup::environment) {
            Ok(_) => findings.ok(
                "discord",
                format!("guild {}, command /{}, token present", discord.guild, discord.command),
            ),
            Err(error) => findings.add(Level::Problem, "discord", error.to_string(), Code::Usage),
        },
    }
    let access = &config.access.members;
    if !access.anyone && access.roles.is_empty() && access.users.is_empty() {
        findings.warn(
            "access",
            "nobody but those with Manage Guild may sign in: name roles or users under [access] members",
        );
    }
}

/// Whether what the key `key` is about is told as a finding on its provider, which weighs it.
fn is_told_of_its_provider(config: &Config, key: &str) -> bool {
    config.providers.iter().any(|provider| {
        let about = key.strip_prefix(&format!("providers.{}.", provider.name));
        about.is_some_and(|about| match about {
            "api_key_env" => provider.api_key.as_ref().is_some_and(is_malformed),
            "token_env" => provider.env_token.as_ref().is_some_and(is_malformed),
            about => about.starts_with("client_") && provider.client_missing.is_some(),
        })
    })
}

fn is_malformed(source: &EnvSource) -> bool {
    source.value == EnvValue::Malformed
}

/// What can be said of the sign-in page from here: whether its address can be had, and what to register.
fn sign_in_page(config: &Config, findings: &mut Findings) {
    let Some(http) = &config.http else { return };
    let Some(public_url) = &http.public_url else {
        return findings.warn(
            "http",
            "[http] has no public_url, so no sign-in page is served: write the address at which browsers reach it",
        );
    };
    match std::net::TcpListener::bind(http.listen) {
        Ok(_) => {
            findings.ok("http", format!("the sign-in page is served on {} as {public_url}", http.listen));
        }
        // By a running bot, most likely.
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => findings.warn(
            "http",
            format!(
                "{} is in use: by a bot that runs already, or choose another listen under [http]",
                http.listen
            ),
        ),
        Err(error) => findings.add(
            Level::Problem,
            "http",
            format!("cannot listen on {}: {error}; choose another listen under [http]", http.listen),
            Code::Usage,
        ),
    }
    for provider in config.providers.iter().filter(|provider| provider.flows.contains(&Flow::Callback)) {
        if let Some(address) = &provider.callback_uri {
            findings.ok("http", format!("{}: register the redirect URI {address} there", provider.name));
        }
    }
}

fn providers(config: &Config, store: Option<&Arc<FileStore>>, findings: &mut Findings) {
    if config.providers.is_empty() {
        findings.add(
            Level::Problem,
            "providers",
            "none is configured: add a table such as [providers.codex]",
            Code::Usage,
        );
    }
    for provider in config.providers.iter() {
        sources(provider, findings);
        if let Some(missing) = &provider.client_missing {
            unprovided(provider, missing, findings);
        } else if !provider.discovers {
            offered(provider, provider.offered_flows(), "", findings);
            client(provider, findings);
        } else if let Some(store) = store {
            match look(provider, store) {
                Ok(Ok(Some(looked))) => discovered(&looked, findings),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => undiscovered(provider, &error, findings),
                Err(exit) => {
                    findings.add(Level::Problem, "providers", exit.message.unwrap_or_default(), exit.code);
                }
            }
        } else {
            findings.warn(
                "providers",
                format!(
                    "{}: its issuer was not asked, since there is no store to keep the answer in",
                    provider.name
                ),
            );
        }
    }
}

/// What of the environment cannot be used, and who has accepted what (G25).
fn sources(provider: &Provider, findings: &mut Findings) {
    let name = &provider.name;
    for (noun, source) in [("API key", &provider.api_key), ("token", &provider.env_token)] {
        if let Some(EnvSource { variable, .. }) = source.as_ref().filter(|source| is_malformed(source)) {
            let text = format!(
                "{name}: the {noun} in {variable} cannot be used, since it has white space inside or characters that are \
                 not ASCII; correct or unset it: nothing below it is served meanwhile"
            );
            findings.add(Level::Problem, "providers", text, Code::Usage);
        }
    }
    if let Some(doubt) = provider.terms_risk.as_ref().filter(|_| provider.is_open()) {
        let doubt = doubt.for_reader("en");
        findings.ok("providers", format!("{name}: accept_terms_risk is set, although: {doubt}"));
    }
}

/// A client of ours that is not whole: nobody signs in and nothing is refreshed, which matters less where the environment
/// serves.
fn unprovided(provider: &Provider, missing: &str, findings: &mut Findings) {
    let name = &provider.name;
    match served(provider) {
        Some(served) => findings.warn("providers", format!("{name}: {served}; {missing}")),
        None => findings.add(Level::Problem, "providers", format!("{name}: {missing}"), Code::Usage),
    }
}

/// What the environment has served in place of a sign-in.
fn served(provider: &Provider) -> Option<String> {
    let (kind, source) = in_force(provider)?;
    source.secret()?;
    Some(format!("the {} in {} is served before any sign-in", kind.noun(), source.variable))
}

/// What the ways to sign in are, and what is served without one.
fn offered(provider: &Provider, flows: impl Iterator<Item = Flow>, behind: &str, findings: &mut Findings) {
    let ways: Vec<_> = flows.map(Flow::as_str).collect();
    let name = &provider.name;
    let above = served(provider);
    let is_served = above.is_some();
    let served = above.map(|served| format!("{served}; ")).unwrap_or_default();
    if ways.is_empty() && !is_served {
        findings.warn("providers", format!("{name} offers no way to sign in{behind}"));
    } else if ways.is_empty() {
        findings.ok("providers", format!("{name}: {served}there is no way to sign in{behind}"));
    } else {
        findings.ok("providers", format!("{name}: {served}sign-in by {}{behind}", ways.join(", ")));
    }
}

fn discovered(looked: &Looked, findings: &mut Findings) {
    let (provider, url) = (&looked.provider, &looked.url);
    offered(provider, provider.offered_flows(), &format!("; endpoints from {url}"), findings);
    client(provider, findings);
    for (flow, why) in provider.barred() {
        let (name, flow) = (&provider.name, flow.as_str());
        let remedy = "name what is missing, or leave that way out of flows";
        findings.warn("providers", format!("{name}: no sign-in by {flow}, since {why}; {remedy}"));
    }
    if let Some(error) = &looked.stale {
        let name = &provider.name;
        findings.warn("providers", format!("{name}: {error}; what was found before goes on being used"));
    }
}

/// Whether our client is to be registered at the first sign-in (RFC 7591), and whether it can be.
fn client(provider: &Provider, findings: &mut Findings) {
    let name = &provider.name;
    if !provider.registers() {
        return;
    }
    if provider.registration_endpoint.is_some() {
        findings.ok("providers", format!("{name}: a client is registered at the first sign-in"));
    } else {
        let remedy = "register a client there and write its client_id; until then nobody can sign in";
        let what = "the server registers no clients by itself";
        findings.add(Level::Problem, "providers", format!("{name}: {what}: {remedy}"), Code::Usage);
    }
}

/// That nothing was discovered, which bars only those ways to sign in that need it.
fn undiscovered(provider: &Provider, error: &DiscoveryError, findings: &mut Findings) {
    let name = &provider.name;
    let (why, code) = if error.is_passing() {
        let remedy = "check the network and the issuer, or name the endpoints";
        (format!("{error}; {remedy}"), Code::Transient)
    } else {
        (error.to_string(), Code::Usage)
    };
    let is_settled = |flow: &Flow| *flow == Flow::Device && provider.is_settled_for_device();
    let (open, barred): (Vec<_>, Vec<_>) = provider.offered_flows().partition(is_settled);
    if open.is_empty() {
        return findings.add(Level::Problem, "providers", format!("{name}: {why}"), code);
    }
    offered(provider, open.into_iter(), "", findings);
    let barred: Vec<_> = barred.into_iter().map(Flow::as_str).collect();
    if !barred.is_empty() {
        findings.warn("providers", format!("{name}: no sign-in by {}, since {why}", barred.join(", ")));
    }
}

/// Asks the issuer of `provider` for its metadata.
fn look(provider: &Provider, store: &Arc<FileStore>) -> Result<Result<Option<Looked>, DiscoveryError>, Exit> {
    let directory = Directory::new(Arc::clone(store) as Arc<dyn Store>, Client::new(), Clock::system());
    Ok(runtime()?.block_on(directory.look(provider)))
}

fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Exit::new(Code::Internal, error))
}

fn store(config: &Config, store: &FileStore, findings: &mut Findings) {
    match store.snapshot() {
        Ok(document) => {
            let (tenants, logins) = (document.tenants().count(), document.logins().count());
            let path = store.path().display();
            findings.ok("store", format!("{path} (tenants: {tenants}, logins: {logins})"));
            for damaged in document.damaged() {
                findings.add(Level::Problem, "store", damaged.to_string(), Code::Store);
            }
            for (level, text) in sealing::found(config, Some(&document.seal_standing())) {
                findings.add(level, "sealing", text, Code::Store);
            }
            for (tenant, _) in document.tenants() {
                if config.providers.get(&tenant.provider).is_none() {
                    findings.warn("store", format!("{tenant} is stored and its provider is not configured"));
                }
            }
        }
        Err(error) => findings.add(Level::Problem, "store", error.to_string(), Code::Store),
    }
    match lock(store) {
        Ok(()) => findings.ok("locks", "the store can be locked"),
        Err(exit) => findings.add(Level::Problem, "locks", exit.message.unwrap_or_default(), exit.code),
    }
}

fn lock(store: &FileStore) -> Result<(), Exit> {
    drop(runtime()?.block_on(store.named_lock("check", LOCK_WAIT))?);
    Ok(())
}
