//! What every command begins with: the configuration and the store.
//!
//! Owns their opening and the exit codes of its failures. Must not: start a runtime.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use latchkey::broker::Broker;
use latchkey::clock::Clock;
use latchkey::config::{self, Config};
use latchkey::oauth;
use latchkey::store::StoreError;
use latchkey::store::file::FileStore;

use crate::exit::{Code, Exit};
use crate::token::BEARER_FILE;

/// The configuration, with the file it came from.
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// Where it stands, to be passed on to a child.
    pub path: PathBuf,
}

/// The environment of this process; what is set to nothing or is not text counts as not set.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Finds and reads the configuration.
pub fn load(explicit: Option<&Path>) -> Result<Loaded, Exit> {
    let usage = |error: config::ConfigError| Exit::new(Code::Usage, error);
    let path = config::locate(explicit, &environment).map_err(usage)?;
    let config = Config::load(&path).map_err(usage)?;
    Ok(Loaded { config, path })
}

/// Opens the store.
pub fn open_store(config: &Config) -> Result<Arc<FileStore>, Exit> {
    Ok(file_store(config)?)
}

/// The same, with what is wrong with it.
pub fn file_store(config: &Config) -> Result<Arc<FileStore>, StoreError> {
    FileStore::configured(&config.store, &environment, Clock::system()).map(Arc::new)
}

/// Whether there is no auth file yet. Where that cannot be told, opening it says why.
pub fn is_without_store(config: &Config) -> bool {
    let found = config.store.path.symlink_metadata();
    found.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// The same, to look at: nothing is made.
pub fn store_to_look_at(config: &Config) -> Result<Arc<FileStore>, StoreError> {
    FileStore::looked_at(&config.store, &environment, Clock::system()).map(Arc::new)
}

/// The lock that the only bot of a store and a server holds (W6).
pub fn bot_lock(guild: u64) -> String {
    format!("bot-{guild}")
}

/// Whether a bot of this store and server runs, wherever that is.
pub fn is_bot_running(config: &Config, store: Option<&FileStore>) -> bool {
    let both = store.zip(config.discord.as_ref());
    both.is_some_and(|(store, discord)| store.is_locked(&bot_lock(discord.guild)))
}

/// What keeps this user from the store, for somebody whose store it need not be: nobody is told to take over another user's.
pub fn kept_from_store(error: &StoreError) -> String {
    match error {
        StoreError::AnotherUsers { folder, owner, me } => {
            format!("{folder} is another user's store: it belongs to user {owner}, and this is user {me}")
        }
        error => error.to_string(),
    }
}

/// By what a service manager talks with this process alone: whoever inherits it could speak for us, or read our credentials.
const OF_THE_SERVICE: [&str; 4] =
    ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", config::CREDENTIALS_VARIABLE];

/// Has `command` inherit none of the secrets of the bot and of the providers.
pub fn keep_secrets_from(command: &mut Command, config: Option<&Config>) {
    let named = config.map(Config::secret_variables).unwrap_or_default();
    for secret in named.into_iter().chain([config::TOKEN_VARIABLE, BEARER_FILE]).chain(OF_THE_SERVICE) {
        command.env_remove(secret);
    }
}

/// A broker over `store`.
pub fn broker(config: &Config, store: Arc<FileStore>) -> Broker {
    Broker::new(store, config.providers.clone(), oauth::Client::new(), Clock::system(), config.limits)
}
