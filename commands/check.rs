//! `latchkey check`: what is wrong, where, and the remedy.
//!
//! Owns the order of the parts, which is the order in which somebody who begins puts them right, and the bounds of all
//! questions. Invariants: where no store is it makes nothing, and beside one only its own lock and the cache of metadata; it registers nothing; it spends no
//! grant (G27); all others are asked at once, and with `--offline` nobody beyond this host is. The exit code is the first
//! problem's.

mod access;
mod ask;
mod clock;
mod configuration;
mod discord;
mod feeds;
mod finding;
mod host;
mod page;
mod providers;
mod sealing;
mod store;
mod tokens;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use latchkey::config::{self, Config, SealKeySource, TokenSource};
use latchkey::store::file::FileStore;

use self::finding::{Finding, Findings};
use crate::exit::{Code, Exit};
use crate::{setup, terminal};

/// How long one question to another host may take.
const QUESTION: Duration = Duration::from_secs(10);
/// How long all questions to Discord may take, or about one provider: the longest that anything here does.
const WHOLE: Duration = Duration::from_secs(25);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey check
  latchkey check --offline
  latchkey --config ./latchkey.toml check
  latchkey check --json | jq '.findings[] | select(.level != \"ok\")'

It looks at everything in the order in which it is to be put right: configuration, Discord, access, providers, store, sealing, \
clock, sign-in page, token socket, feeds. It changes nothing, signs nobody in and refreshes nothing: Discord is asked what the bot \
may do, issuers for their metadata, and other endpoints whether they are there. Whatever does not answer is waited for at most half \
a minute. The exit code is 0 if nothing is wrong (warnings count as nothing wrong), else that of the first problem.")]
pub struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Ask nobody beyond this host
    #[arg(long)]
    offline: bool,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let mut findings = Findings::default();
    let found = config::locate(config, &setup::environment);
    match found.and_then(|path| Ok((Config::load(&path)?, path))) {
        Ok((config, path)) => {
            findings.extend(configuration::loaded(&config, &path));
            look(&config, arguments.offline, &mut findings)?;
        }
        Err(error) => findings.extend(configuration::unloaded(&error)),
    }
    let text = if arguments.json {
        findings.json().map_err(|error| Exit::new(Code::Internal, error))?
    } else {
        findings.text(terminal::is_coloured())
    };
    terminal::print(&text)?;
    findings.first_problem().map_or(Ok(()), |code| Err(Exit::silent(code)))
}

/// All parts, in order.
fn look(config: &Config, is_offline: bool, findings: &mut Findings) -> Result<(), Exit> {
    let opened = setup::store_to_look_at(config);
    let store = opened.as_ref().ok();
    let runtime = runtime()?;
    let asked = runtime.block_on(ask_all(config, store, is_offline));
    // A name that is still being looked up holds nobody up.
    runtime.shutdown_background();
    findings.extend(asked.discord);
    findings.extend(asked.providers);
    match &opened {
        Ok(_) => findings.extend(asked.store),
        Err(error) => findings.add(store::unopened(error, config)),
    }
    findings.extend(sealing::look(config, store.map(|store| &**store)));
    findings.add(asked.clock);
    findings.extend(asked.page);
    if let Some(tokens) = &config.tokens {
        tokens::look(tokens, &config.store.path, findings);
    }
    feeds::feeds(config, store, findings);
    findings.extend(asked.ops);
    findings.extend(host::audit(&config.log));
    findings.add(host::descriptors());
    Ok(())
}

/// What others have answered, by part.
struct Asked {
    discord: Vec<Finding>,
    providers: Vec<Finding>,
    store: Vec<Finding>,
    clock: Finding,
    page: Vec<Finding>,
    ops: Vec<Finding>,
}

/// How to run `check` where systemd hands over what it needs: it gives credentials to units alone.
fn as_the_unit(config: &Config) -> String {
    let token = config.discord.as_ref().and_then(|discord| match &discord.token {
        TokenSource::Credential(name) => Some(name),
        TokenSource::Environment | TokenSource::File(_) => None,
    });
    let key = config.store.seal_key.as_ref().and_then(|key| match key {
        SealKeySource::Credential(name) => Some(name),
        SealKeySource::File(_) | SealKeySource::Environment(_) => None,
    });
    let handed = token.into_iter().chain(key);
    let handed: Vec<_> = handed.map(|name| format!("-p LoadCredential={name}:FILE")).collect();
    let handed = handed.join(" ");
    format!(
        "to look as the unit does, as root: `systemd-run --pipe --wait -p User=latchkey {handed} latchkey check`, with user and FILE as \
         in the unit"
    )
}

async fn ask_all(config: &Config, store: Option<&Arc<FileStore>>, is_offline: bool) -> Asked {
    let discord = async {
        let (mut found, token) = discord::offline(config);
        let admitted = access::offline(config);
        let mut reading = None;
        match (token, &config.discord) {
            (Some(token), _) if is_offline => found.extend(discord::unasked(&token)),
            (Some(token), Some(discord)) => {
                let asked = Box::pin(discord::ask(discord, &config.access, &token));
                let (answered, read) = asked.await;
                found.extend(answered);
                reading = read;
            }
            _ => {}
        }
        found.extend(admitted);
        (found, reading)
    };
    let ground = async {
        match store {
            Some(store) => store::look(config, store).await,
            None => Vec::new(),
        }
    };
    let is_running = setup::is_bot_running(config, store.map(|store| &**store));
    let ops = async {
        match &config.ops {
            Some(ops) => host::ops(ops, is_running).await,
            None => Vec::new(),
        }
    };
    let ((discord, reading), (providers, readings), store, page, ops) = tokio::join!(
        discord,
        providers::look(config, store, is_offline),
        ground,
        page::look(config, store.map(|store| &**store), is_offline, is_running),
        ops
    );
    let readings: Vec<_> = readings.into_iter().chain(reading).collect();
    Asked { discord, providers, store, clock: clock::judge(&readings), page, ops }
}

fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Exit::new(Code::Internal, error))
}
