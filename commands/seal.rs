//! `latchkey seal`: the keys that seal what is secret in the store.
//!
//! Owns the commands; what they say of a store's state is `standing`'s. Invariants: a key goes to standard output or into a file of
//! its owner's, and nowhere else; nothing is opened for good without a yes. Must not: refresh, or need a bot.

pub mod standing;

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use latchkey::audit;
use latchkey::clock::Clock;
use latchkey::config::{Config, SealKeySource};
use latchkey::store::file::FileStore;
use latchkey::store::seal::{Keys, KeysError, add_key, new_key};
use latchkey::tenant::User;

use self::standing::{State, judged, lines};
use crate::exit::{Code, Exit};
use crate::{log, setup, terminal};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey seal key --add seal.keys         a key, in a file of your own
  latchkey seal status                      is the store sealed, and with what?
  latchkey seal now                         seal everything, without waiting for the next write

To turn sealing on: make a key as above, write seal_key_file = \"seal.keys\" under [store], and restart the bot. Then a copy \
of the auth file (a backup, a snapshot) is worth nothing without the key. Keep the key out of that backup, and a copy of \
the key somewhere safe: without it everybody signs in again.

It does not protect from programs of the same user, nor from root: who can read the key can read the file.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a new key: print it, or put it first into a file of keys
    #[command(after_help = "Examples:
  latchkey seal key                             print a line, for a variable or a secret store
  latchkey seal key --add /etc/latchkey/seal.keys
  latchkey seal key --id june-2026 --add /etc/latchkey/seal.keys

A list of keys has one a line: a name, a space, and 32 bytes in base64. The first seals, all of them open. So a new key is \
put first, and the old one can go once `latchkey seal status` says that nothing is sealed with it any more.")]
    Key {
        /// Put it first into this file, which is made if there is none, for its owner alone
        #[arg(long, value_name = "FILE")]
        add: Option<PathBuf>,
        /// Its name: 1 to 32 of a-z, 0-9 and '-' [default: a random one]
        #[arg(long, value_name = "NAME")]
        id: Option<String>,
    },
    /// Say how much of the store is sealed, and with which key
    #[command(after_help = "Examples:
  latchkey seal status
  latchkey seal status --json | jq .in_clear

The exit code is 0 if the store can be read, sealed or not, and 6 if it cannot.")]
    Status {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Seal everything with the first key now
    #[command(after_help = "Examples:
  latchkey seal now          after turning sealing on, or after a new key

The first write of any program with the key does the same: this only does not wait for it. It waits for its turn, as any \
writer; a bot goes on meanwhile.")]
    Now,
    /// Write everything in clear again: turn sealing off
    #[command(after_help = "Examples:
  latchkey seal open                     asks first
  latchkey seal open --yes
  latchkey seal open --keys seal.keys    where the configuration names no key any more

In this order: stop the bot; run this; take the seal_key line out of the configuration; start the bot. While that line is \
there, the next write of a program that reads it seals everything again. It changes nothing unless everything opens.")]
    Open {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// The keys are in this file, whatever the configuration says
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
    },
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    match &arguments.command {
        Command::Key { add, id } => {
            // A key may come before the configuration that will name it; with one, the trail tells of it.
            if add.is_some()
                && let Ok(loaded) = setup::load(config)
            {
                heard(&loaded.config);
            }
            key(add.as_deref(), id.as_deref())
        }
        Command::Status { json } => status(&setup::load(config)?.config, *json),
        Command::Now => now(&setup::load(config)?.config),
        Command::Open { yes, keys } => open(&setup::load(config)?.config, *yes, keys.as_deref()),
    }
}

/// Has what changes the store or its keys stand in the audit trail (Z3).
fn heard(config: &Config) {
    log::start(log::ONE_SHOT);
    log::configure(&config.log);
}

/// Who runs this.
fn operator() -> User {
    User::Local(rustix::process::getuid().as_raw())
}

/// What was asked for cannot be a key, or its file is not to be used.
fn refused(error: &KeysError) -> Exit {
    Exit::new(Code::Usage, error)
}

fn key(file: Option<&Path>, id: Option<&str>) -> Result<(), Exit> {
    let line = new_key(id).map_err(|error| refused(&error))?;
    let Some(file) = file else {
        log::say("keep this line secret and safe: without it, what it seals is lost");
        return terminal::print(line.expose());
    };
    let ids = add_key(file, &line).map_err(|error| refused(&error))?;
    let (shown, others) = (file.display(), ids.get(1..).unwrap_or_default());
    let new = ids.first().map_or("", String::as_str);
    audit::seal_key_added(&operator(), new);
    let next = if others.is_empty() {
        let file = file.to_string_lossy();
        format!(
            "\nnext: write seal_key_file = {file:?} under [store], and restart the bot; keep a copy of the file somewhere else"
        )
    } else {
        let others = others.join(", ");
        format!(
            ", before {others}\nnext: `latchkey seal now`, which a running bot follows (one that has the keys as a variable or a \
             credential: restart it first); drop the old line once `latchkey seal status` says that nothing is sealed with it"
        )
    };
    terminal::print(&format!("the key {new} now stands first in {shown}{next}"))
}

fn status(config: &Config, json: bool) -> Result<(), Exit> {
    let store = setup::open_store(config)?;
    let standing = store.seal_standing()?;
    let state = judged(&standing);
    if json {
        let kept_aside: Vec<_> = standing
            .kept_aside
            .iter()
            .map(|aside| {
                serde_json::json!({
                    "tenant": aside.tenant.as_ref().map(ToString::to_string),
                    "file": aside.file,
                    "keys": aside.keys,
                })
            })
            .collect();
        let value = serde_json::json!({
            "state": state,
            "file": standing.file,
            "keys": standing.keys,
            "sealed": standing.sealed,
            "in_clear": standing.in_clear,
            "unopened": standing.unopened,
            "kept_aside": kept_aside,
        });
        let text = serde_json::to_string_pretty(&value).map_err(|error| Exit::new(Code::Internal, error))?;
        return terminal::print(&text);
    }
    terminal::print(&format!("{}\n{}", store.path().display(), lines(&standing).join("\n")))
}

fn now(config: &Config) -> Result<(), Exit> {
    if config.store.seal_key.is_none() {
        let remedy =
            "make one with `latchkey seal key --add FILE`, and write seal_key_file = \"FILE\" under [store]";
        return Err(Exit::new(Code::Usage, format!("no key is configured: {remedy}")));
    }
    let store = setup::open_store(config)?;
    heard(config);
    terminal_runtime()?.block_on(store.seal_now())?;
    let key = store.seal_standing()?.file.unwrap_or_default();
    audit::sealed(&operator(), &key);
    let standing = store.seal_standing()?;
    terminal::print(&lines(&standing).join("\n"))
}

fn open(config: &Config, yes: bool, keys: Option<&Path>) -> Result<(), Exit> {
    let store = match keys {
        Some(file) => {
            let keys = Keys::in_file(file).map_err(|error| refused(&error))?;
            let (path, allowed) = (&config.store.path, config.store.allow_unverified_locks);
            FileStore::open(path, allowed, Clock::system())?.sealed_by(keys)
        }
        None => FileStore::configured(&config.store, &setup::environment, Clock::system())?,
    };
    let standing = store.seal_standing()?;
    if judged(&standing) == State::Off {
        return terminal::print("nothing is sealed: there is nothing to do");
    }
    let line = config.store.seal_key.as_ref().map(line_of);
    if !yes && !agreed(store.path(), line)? {
        return Err(Exit::new(Code::Usage, "nothing was changed"));
    }
    heard(config);
    terminal_runtime()?.block_on(store.open_for_good())?;
    audit::opened(&operator());
    let next = match line {
        Some(line) => format!(
            "next: take {line} out of [store] before anything writes again, since the next write would seal everything"
        ),
        None => "the key can go once no backup needs it".to_owned(),
    };
    terminal::print(&format!("everything in {} stands in clear\n{next}", store.path().display()))
}

/// The key of the configuration that turns sealing on.
fn line_of(source: &SealKeySource) -> &'static str {
    match source {
        SealKeySource::File(_) => "seal_key_file",
        SealKeySource::Environment(_) => "seal_key_env",
        SealKeySource::Credential(_) => "seal_key_credential",
    }
}

fn agreed(path: &Path, line: Option<&str>) -> Result<bool, Exit> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(Exit::new(Code::Usage, "there is nobody to ask: say --yes to write everything in clear"));
    }
    let again = line
        .map(|line| format!(" Stop the bot first: {line} has it seal everything again."))
        .unwrap_or_default();
    log::say(&format!("all tokens in {} will stand in clear.{again} Go on? [y/N]", path.display()));
    let mut answer = String::new();
    input.lock().read_line(&mut answer).map_err(|error| Exit::new(Code::Usage, error))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn terminal_runtime() -> Result<tokio::runtime::Runtime, Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Exit::new(Code::Internal, error))
}
