//! What is wrong with `latchkey.toml`.
//!
//! Owns the findings on the configuration as a text. Invariant: each stands with file, line and column, where it stands anywhere.
//! Must not: quote a value.

use std::path::Path;

use latchkey::config::{Config, ConfigError, Problem, TOKEN_VARIABLE};
use latchkey::provider::{EnvSource, EnvValue};

use super::finding::{Finding, Level};
use crate::exit::Code;
use crate::setup;

const PART: &str = "configuration";

/// It is as it should be, but for some warnings.
pub(super) fn loaded(config: &Config, path: &Path) -> Vec<Finding> {
    let valid = Finding::ok(PART, format!("{} is valid", path.display()));
    let told = config.warnings.iter().filter(|warning| !is_told_of_its_provider(config, &warning.key));
    let warned = told.map(|problem| shown(Level::Warning, path, problem));
    std::iter::once(valid).chain(warned).collect()
}

/// There is none that can be used; what comes after it is only to be said in outline.
pub(super) fn unloaded(error: &ConfigError) -> Vec<Finding> {
    let told = |error: &ConfigError| Finding::told(Level::Problem, PART, Code::Usage, &error.to_string());
    match error {
        ConfigError::Invalid { path, problems } => {
            problems.iter().map(|problem| shown(Level::Problem, path, problem)).collect()
        }
        ConfigError::Unreadable { path, reason } => {
            let remedy = "let the user that Latchkey runs as read it";
            let what = format!("it cannot be read: {reason}");
            vec![Finding::problem(PART, Code::Usage, what, remedy).at(path.display())]
        }
        ConfigError::NotFound { .. } => {
            let mut todo = vec![told(error)];
            let token = "in that file, write the id of your server as guild under [discord]";
            if setup::environment(TOKEN_VARIABLE).is_none() {
                todo.push(Finding::warning(
                    "discord",
                    "the bot's token is not in $DISCORD_TOKEN",
                    format!(
                        "make an application at https://discord.com/developers/applications, copy its bot's token into DISCORD_TOKEN, or \
                         into a file that token_file names; {token}"
                    ),
                ));
            } else {
                todo.push(Finding::warning("discord", "no server is named yet", token));
            }
            todo.push(Finding::warning(
                "access",
                "nobody is admitted yet",
                "name roles or users under [access] members",
            ));
            todo.push(Finding::warning(
                "providers",
                "there is nothing to sign in to yet",
                "`latchkey providers` lists what there is, with the lines to write; then run `latchkey check` again",
            ));
            todo
        }
    }
}

fn shown(level: Level, path: &Path, problem: &Problem) -> Finding {
    let Problem { line, column, key, what, remedy } = problem;
    let what = if key.is_empty() { what.clone() } else { format!("{key}: {what}") };
    let found = match level {
        Level::Problem => Finding::problem(PART, Code::Usage, what, remedy),
        Level::Warning | Level::Ok => Finding::warning(PART, what, remedy),
    };
    let place = [*line, *column].into_iter().flatten().map(|number| format!(":{number}"));
    found.at(place.fold(path.display().to_string(), |place, part| place + &part))
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

pub(super) fn is_malformed(source: &EnvSource) -> bool {
    source.value == EnvValue::Malformed
}
