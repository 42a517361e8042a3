//! Where a token comes from: the auth file, the bot, or the one and then the other.
//!
//! Owns that decision, as one table. Invariants: who can use the store never depends on a running bot; what the operator named and
//! what is broken there is told, and nothing else stands in. Must not: ask either of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use latchkey::config::{self, Config, ConfigError};
use latchkey::store::file::FileStore;
use latchkey::store::seal::KeysError;
use latchkey::store::{Store, StoreError};

use super::bot::{BEARER_FILE, Bot, SOCKET};
use crate::exit::{Code, Exit};
use crate::setup::{Loaded, environment, file_store, kept_from_store};

/// What there is of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Configuration {
    /// One that can be used.
    Usable,
    /// None, at any of the usual places, that this user may read.
    None,
    /// One that was named and is not there, or that says what it must not.
    Broken,
}

/// What there is of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// One that this user may use.
    Usable,
    /// One that the system or its place keeps from this user (F4, F15), or whose keys are kept from it.
    Closed,
    /// One that is damaged, or none that this program understands (F5, F6).
    Broken,
}

/// Whom to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The file alone.
    File,
    /// The file for what is fresh, the bot for a refresh, and the file again if the bot gives no answer.
    FileThenBot,
    /// The bot alone.
    Bot,
    /// Nobody: what is wrong with the configuration is told.
    BadConfiguration,
    /// Nobody: what is wrong with the store is told.
    BadStore,
}

/// The decision. `socket` says whether one is known.
fn order(configuration: Configuration, ground: Ground, socket: bool) -> Order {
    match (configuration, ground, socket) {
        (Configuration::Broken, _, _) | (Configuration::None, _, false) => Order::BadConfiguration,
        (Configuration::None, _, true) | (Configuration::Usable, Ground::Closed, true) => Order::Bot,
        (Configuration::Usable, Ground::Usable, false) => Order::File,
        (Configuration::Usable, Ground::Usable, true) => Order::FileThenBot,
        (Configuration::Usable, Ground::Closed, false) | (Configuration::Usable, Ground::Broken, _) => {
            Order::BadStore
        }
    }
}

/// Whom to ask, with what it takes.
pub enum Source {
    /// The auth file, and the bot for a refresh where one is known.
    File {
        /// The configuration.
        loaded: Loaded,
        /// The store.
        store: Arc<FileStore>,
        /// The bot.
        bot: Option<Bot>,
    },
    /// The bot alone.
    Bot {
        /// The bot.
        bot: Bot,
        /// The configuration, if there is one.
        loaded: Option<Loaded>,
        /// Why the store is not asked.
        without_store: String,
    },
}

impl Source {
    /// Looks at what there is, and decides.
    pub fn find(explicit: Option<&Path>) -> Result<Self, Exit> {
        let found = config::locate(explicit, &environment)
            .and_then(|path| Ok(Loaded { config: Config::load(&path)?, path }));
        let named = environment(SOCKET).map(PathBuf::from);
        let store_named = found.as_ref().ok().map(|loaded| loaded.config.store.path.clone());
        let bearer_file = environment(BEARER_FILE).map(PathBuf::from);
        let bot_at = |path| Bot { path, bearer_file, store: store_named };
        let loaded = match found {
            Ok(loaded) => loaded,
            Err(error) => {
                let is_named = explicit.is_some() || environment(config::CONFIG_VARIABLE).is_some();
                let order = order(judged(is_named, &error), Ground::Closed, named.is_some());
                return match (order, named) {
                    (Order::Bot, Some(path)) => {
                        Ok(Self::Bot { bot: bot_at(path), loaded: None, without_store: error.to_string() })
                    }
                    _ => Err(Exit::new(Code::Usage, error)),
                };
            }
        };
        let socket = named.or_else(|| loaded.config.tokens.as_ref().map(|tokens| tokens.socket.clone()));
        let opened = opened(&loaded.config);
        let ground = match &opened {
            Ok(_) => Ground::Usable,
            Err(
                StoreError::Io { .. }
                | StoreError::Unsafe(_)
                | StoreError::AnotherUsers { .. }
                | StoreError::Keys(KeysError::Missing { .. }),
            ) => Ground::Closed,
            Err(_) => Ground::Broken,
        };
        match (order(Configuration::Usable, ground, socket.is_some()), opened, socket) {
            (Order::Bot, Err(error), Some(path)) => {
                let without_store = kept_from_store(&error);
                Ok(Self::Bot { bot: bot_at(path), loaded: Some(loaded), without_store })
            }
            (Order::FileThenBot, Ok(store), Some(path)) => {
                Ok(Self::File { loaded, store, bot: Some(bot_at(path)) })
            }
            (_, Ok(store), _) => Ok(Self::File { loaded, store, bot: None }),
            (_, Err(error @ StoreError::AnotherUsers { .. }), _) => {
                let remedy = "ask the operator to serve this user under [tokens], or run this as its owner";
                Err(Exit::new(Code::Store, format!("{}: {remedy}", kept_from_store(&error))))
            }
            (_, Err(error), _) => Err(error.into()),
        }
    }

    /// The configuration, if there is one.
    pub fn config(&self) -> Option<&Config> {
        match self {
            Self::File { loaded, .. } => Some(&loaded.config),
            Self::Bot { loaded, .. } => loaded.as_ref().map(|loaded| &loaded.config),
        }
    }
}

/// The store, if it can be read.
fn opened(config: &Config) -> Result<Arc<FileStore>, StoreError> {
    let store = file_store(config)?;
    store.snapshot()?;
    Ok(store)
}

/// What `error` makes of the configuration. One that nobody named and that this user may not read is another user's.
fn judged(is_named: bool, error: &ConfigError) -> Configuration {
    match error {
        ConfigError::NotFound { .. } | ConfigError::Unreadable { .. } if !is_named => Configuration::None,
        _ => Configuration::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who can use the store needs no bot; who cannot needs one; what is broken is told.
    #[test]
    fn the_table_of_sources() {
        use Configuration as C;
        use Ground as G;
        // Configuration and store: without a socket, and with one.
        for (configuration, ground, without, with) in [
            (C::Usable, G::Usable, Order::File, Order::FileThenBot),
            (C::Usable, G::Closed, Order::BadStore, Order::Bot),
            (C::Usable, G::Broken, Order::BadStore, Order::BadStore),
            (C::None, G::Closed, Order::BadConfiguration, Order::Bot),
            (C::Broken, G::Closed, Order::BadConfiguration, Order::BadConfiguration),
        ] {
            let found = (order(configuration, ground, false), order(configuration, ground, true));
            assert_eq!(found, (without, with), "{configuration:?} {ground:?}");
        }
    }

    /// Only a configuration that nobody named can be missing.
    #[test]
    fn a_configuration_that_was_named_is_never_passed_over() {
        let missing = ConfigError::NotFound { looked: Vec::new() };
        let unreadable = ConfigError::Unreadable { path: PathBuf::new(), reason: String::new() };
        let invalid = ConfigError::Invalid { path: PathBuf::new(), problems: Vec::new() };
        for (is_named, error, expected) in [
            (false, &missing, Configuration::None),
            (false, &unreadable, Configuration::None),
            (false, &invalid, Configuration::Broken),
            (true, &missing, Configuration::Broken),
            (true, &unreadable, Configuration::Broken),
            (true, &invalid, Configuration::Broken),
        ] {
            assert_eq!(judged(is_named, error), expected, "{is_named} {error:?}");
        }
    }
}
