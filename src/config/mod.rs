//! `latchkey.toml`: find it, read it, say what is wrong and where.
//!
//! Owns the configuration as a whole. Invariants: an unknown key is an error that names the nearest known one; all
//! problems of a file are reported together, each with its place and remedy; no secret stands in the text (T14). Reading
//! is cheap, since every `latchkey token` begins with it. Must not: touch the store, or keep the environment.

mod callback;
mod consumers;
mod problem;
mod provider;
mod reader;
mod sections;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use consumers::{Admitted, AllowRule, FeedConfig, FeedProgram, TokensConfig};
pub use problem::{ConfigError, Problem};
pub use provider::client_id_variable;
pub use sections::{
    Access, AuditSink, CREDENTIALS_VARIABLE, DiscordConfig, HttpConfig, Limits, LogConfig, LogFormat,
    OpsConfig, Rule, SealKeySource, StoreConfig, TOKEN_VARIABLE, TokenSource, TokenSourceError,
};

use crate::provider::Catalog;
use reader::{Problems, Section};

/// Looks up an environment variable; one that is set to nothing counts as not set.
pub type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The variable that names the configuration file.
pub const CONFIG_VARIABLE: &str = "LATCHKEY_CONFIG";
/// Where the file is looked for when nobody names it.
const PLACES: &[&str] = &["latchkey.toml", "/etc/latchkey/latchkey.toml"];

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The bot; absent where only the command line is used.
    pub discord: Option<DiscordConfig>,
    /// Who may do what.
    pub access: Access,
    /// Where credentials are kept.
    pub store: StoreConfig,
    /// The sign-in page.
    pub http: Option<HttpConfig>,
    /// Health and metrics.
    pub ops: Option<OpsConfig>,
    /// What is logged, and how.
    pub log: LogConfig,
    /// The token socket.
    pub tokens: Option<TokensConfig>,
    /// Files of other programs that are kept up to date.
    pub feeds: Vec<FeedConfig>,
    /// Bounds.
    pub limits: Limits,
    /// The providers on offer.
    pub providers: Catalog,
    /// What is amiss without making the configuration unusable.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// The environment variables that hold secrets of the bot and of the providers, set or not.
    #[must_use]
    pub fn secret_variables(&self) -> BTreeSet<&str> {
        let of_providers = self.providers.iter().flat_map(|provider| {
            let sources = [&provider.api_key, &provider.env_token].into_iter().flatten();
            let named = sources.map(|source| source.variable.as_str());
            named.chain(provider.client_secret_variable.as_deref())
        });
        let seal_key = match &self.store.seal_key {
            Some(SealKeySource::Environment(variable)) => Some(variable.as_str()),
            _ => None,
        };
        of_providers.chain([TOKEN_VARIABLE]).chain(seal_key).collect()
    }

    /// The same with the sign-in page `http`: for whoever serves that one and cannot move it.
    #[must_use]
    pub fn with_page(mut self, http: Option<HttpConfig>) -> Self {
        let public_url = http.as_ref().and_then(|http| http.public_url.as_ref());
        let moved = self.providers.iter().map(|provider| {
            let mut provider = (**provider).clone();
            provider.callback_uri = public_url.map(|public_url| callback::address(public_url, &provider));
            provider
        });
        // Their names are as they were: there is nothing to clash.
        if let Ok(providers) = Catalog::new(moved) {
            self.providers = providers;
        }
        self.http = http;
        self
    }

    /// Reads the file at `path`, with the environment of this process.
    ///
    /// # Errors
    /// When it cannot be read, or with all that is wrong in it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
        Self::parse(&text, path, &environment)
    }

    /// Reads `text`; `path` is for messages.
    ///
    /// # Errors
    /// With all that is wrong in it.
    pub fn parse(text: &str, path: &Path, env: Env<'_>) -> Result<Self, ConfigError> {
        let env = &|name: &str| env(name).filter(|value| !value.trim().is_empty());
        let mut problems = Problems::new(text);
        let invalid = |problems: Problems<'_>| {
            Err(ConfigError::Invalid { path: path.to_owned(), problems: problems.into_vec() })
        };
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            for error in errors {
                problems.add(error.span(), "", error.message(), "correct the TOML there");
            }
            return invalid(problems);
        }
        let mut root = Section::root(document.get_ref());
        let mut warnings = Vec::new();
        let http = sections::http(&mut root, &mut problems);
        let public_url = http.as_ref().and_then(|http| http.public_url.as_ref());
        let providers = providers(&mut root, public_url, env, &mut problems, &mut warnings);
        let config = Self {
            discord: sections::discord(&mut root, &mut problems),
            access: sections::access(&mut root, &mut problems),
            store: sections::store(&mut root, &mut problems),
            ops: sections::ops(&mut root, &mut problems),
            log: sections::log(&mut root, &mut problems),
            tokens: consumers::tokens(&mut root, &providers, &mut problems),
            feeds: consumers::feeds(&mut root, &providers, &mut problems),
            limits: sections::limits(&mut root, &mut problems),
            providers,
            http,
            warnings,
        };
        root.finish(&mut problems);
        if let (Some(http), Some(ops)) = (&config.http, &config.ops)
            && http.listen == ops.listen
        {
            let remedy = "health and metrics must not be reachable where sign-ins are: choose another port";
            problems.add(None, "ops.listen", "is the same address as http.listen", remedy);
        }
        if problems.is_empty() { Ok(config) } else { invalid(problems) }
    }
}

/// The environment of this process. What is not UTF-8 in a variable is marked as such, so that it is not taken for nothing.
fn environment(name: &str) -> Option<String> {
    Some(std::env::var_os(name)?.to_string_lossy().into_owned())
}

fn providers(
    root: &mut Section<'_, '_>,
    public_url: Option<&url::Url>,
    env: Env<'_>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<Problem>,
) -> Catalog {
    let Some(section) = root.table("providers", problems) else { return Catalog::default() };
    let mut found = Vec::new();
    for (name, span, table) in section.entries(problems) {
        if let Some(mut provider) = provider::read(&name, span, table, env, problems, warnings) {
            callback::resolve(&mut provider, public_url, warnings);
            found.push(provider);
        }
    }
    Catalog::new(found).unwrap_or_else(|clashes| {
        for clash in clashes {
            let key = format!("providers.{}", clash.second);
            problems.add(
                section.span.clone(),
                &key,
                clash.to_string(),
                "each name must lead to one provider",
            );
        }
        Catalog::default()
    })
}

/// Finds the configuration file: `explicit` (from `--config`), `$LATCHKEY_CONFIG`, `./latchkey.toml`,
/// `/etc/latchkey/latchkey.toml`. One that is named must exist; there is no falling through from it.
///
/// # Errors
/// When there is none, with where it was looked for.
pub fn locate(explicit: Option<&Path>, env: Env<'_>) -> Result<PathBuf, ConfigError> {
    let named = explicit
        .map(Path::to_owned)
        .or_else(|| env(CONFIG_VARIABLE).filter(|value| !value.trim().is_empty()).map(PathBuf::from));
    let looked = match named {
        Some(named) => vec![named],
        None => PLACES.iter().map(PathBuf::from).collect(),
    };
    match looked.iter().find(|path| path.is_file()) {
        Some(found) => Ok(found.clone()),
        None => Err(ConfigError::NotFound { looked }),
    }
}

#[cfg(test)]
mod tests;
