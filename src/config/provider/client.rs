//! Our client at a provider: its identifier and its secret.
//!
//! Owns where both may come from (VENDORS: the environment beats the configuration, which beats the built-in file). Invariants:
//! no secret stands in the configuration's own text (T14); what is not to be had is a warning and not a problem, since a
//! program that only reads tokens needs none of it. Must not: have an opinion on any one provider.

use std::path::Path;

use crate::config::Env;
use crate::config::problem::Problem;
use crate::config::reader::{Problems, Section};
use crate::provider::ClientAuth;
use crate::secret::Secret;
use crate::tenant::ProviderName;

const CLIENT_AUTHS: &[(&str, ClientAuth)] =
    &[("basic", ClientAuth::Basic), ("post", ClientAuth::Post), ("none", ClientAuth::None)];

/// The environment variable that overrides the client identifier of `name`.
#[must_use]
pub fn client_id_variable(name: &ProviderName) -> String {
    let upper = name.as_str().to_ascii_uppercase();
    let word: String = upper.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("LATCHKEY_{word}_CLIENT_ID")
}

/// What is known of our client.
pub(super) struct Client {
    pub(super) id: Option<String>,
    pub(super) auth: ClientAuth,
    pub(super) secret: Option<Secret>,
    /// What of it is needed and not to be had.
    pub(super) missing: Option<String>,
}

/// Reads it. `registers` says that a server may make one where none is configured.
pub(super) fn read(
    section: &mut Section<'_, '_>,
    name: &ProviderName,
    registers: bool,
    env: Env<'_>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<Problem>,
) -> Client {
    let configured = section.string("client_id", problems);
    let variable = client_id_variable(name);
    let id = env(&variable).or(configured);
    let mut client = secret(section, env, problems, warnings);
    client.id = id;
    if client.id.is_none() && !registers && section.get("client_id").is_none() {
        let what = "the client id is missing".to_owned();
        let remedy =
            format!("register a client with the provider and write client_id = \"…\", or set {variable}");
        client.missing = Some(format!("{what}: {remedy}"));
        let remedy = format!("{remedy}; until then nobody can sign in here and no token is refreshed");
        warnings.push(Problem { line: None, key: section.key("client_id"), what, remedy });
    }
    client
}

fn secret(
    section: &mut Section<'_, '_>,
    env: Env<'_>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<Problem>,
) -> Client {
    section.refuse(
        "client_secret",
        "a secret must not stand in the configuration",
        "put it into an environment variable or a file, and name that as client_secret_env or client_secret_file",
        problems,
    );
    let none = |auth| Client { id: None, auth, secret: None, missing: None };
    let variable = section.string("client_secret_env", problems);
    let file = section.string("client_secret_file", problems);
    let auth = section.choice("client_auth", CLIENT_AUTHS, problems);
    let read = match (&variable, &file) {
        (Some(_), Some(_)) => {
            let what = "client_secret_env is there too";
            section.missing("client_secret_file", what, "keep one of the two", problems);
            return none(ClientAuth::Basic);
        }
        (Some(variable), None) => env(variable).map(Secret::new).ok_or_else(|| {
            (section.key("client_secret_env"), format!("the environment variable {variable} is not set"))
        }),
        (None, Some(file)) => read_secret(Path::new(file))
            .map_err(|reason| (section.key("client_secret_file"), format!("cannot read {file}: {reason}"))),
        (None, None) => {
            // A built-in says how a secret would be shown, without needing one.
            let own = section.get("client_auth").is_some_and(|found| found.span.is_some());
            if own && matches!(auth, Some(ClientAuth::Basic | ClientAuth::Post)) {
                let remedy = "name client_secret_env or client_secret_file, or write client_auth = \"none\"";
                section.missing("client_auth", "needs a client secret", remedy, problems);
            }
            return none(ClientAuth::None);
        }
    };
    let auth = auth.unwrap_or(ClientAuth::Basic);
    match read {
        Ok(secret) => Client { secret: Some(secret), ..none(auth) },
        Err((key, what)) => {
            let missing = format!("the client secret is missing: {what}");
            let remedy = "provide it, else nobody can sign in here and no token is refreshed".to_owned();
            warnings.push(Problem { line: None, key, what, remedy });
            Client { missing: Some(missing), ..none(auth) }
        }
    }
}

/// The secret in a file, without the line end that editors add.
pub(in crate::config) fn read_secret(path: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let text = text.trim();
    if text.is_empty() { Err("the file is empty".to_owned()) } else { Ok(Secret::new(text)) }
}

/// The secret in the environment variable that `key` names, if it is set (G25).
pub(super) fn from_env(
    section: &mut Section<'_, '_>,
    key: &'static str,
    env: Env<'_>,
    problems: &mut Problems<'_>,
) -> Option<Secret> {
    env(&section.string(key, problems)?).map(Secret::new)
}
