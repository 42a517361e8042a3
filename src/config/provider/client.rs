//! Our client at a provider: its identifier and its secret.
//!
//! Owns where both may come from (VENDORS: the environment beats the configuration, which beats the built-in file). Invariants:
//! no secret stands readable in the configuration's own text (T14); what is not to be had is a warning and not a problem, since a
//! program that only reads tokens needs none of it. Must not: have an opinion on any one provider.

use std::path::Path;

use crate::config::Env;
use crate::config::problem::Problem;
use crate::config::reader::{Problems, Section};
use crate::provider::{ClientAuth, EnvSource, EnvValue};
use crate::secret::Secret;
use crate::secret::obscured;
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
    /// The environment variable that it is to come from.
    pub(super) variable: Option<String>,
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
    let id = env(&variable).map(|id| id.trim().to_owned()).or(configured);
    let mut client = secret(section, env, problems, warnings);
    client.id = id;
    if client.id.is_none() && !registers && section.get("client_id").is_none() {
        let what = "the client id is missing".to_owned();
        let remedy =
            format!("register a client with the provider and write client_id = \"…\", or set {variable}");
        client.missing = Some(format!("{what}: {remedy}"));
        let remedy = format!("{remedy}; until then nobody can sign in here and no token is refreshed");
        warnings.push(Problem { line: None, column: None, key: section.key("client_id"), what, remedy });
    }
    client
}

/// Where the secret is; of the three ways, one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Env,
    File,
    Obscured,
}

/// The way that the operator chose, else the built-in one.
fn chosen(section: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Option<(&'static str, Way)> {
    const WAYS: [(&str, Way); 3] = [
        ("client_secret_env", Way::Env),
        ("client_secret_file", Way::File),
        ("client_secret_obscured", Way::Obscured),
    ];
    let (mut own, mut built_in) = (Vec::new(), None);
    for (key, way) in WAYS {
        match section.get(key) {
            Some(found) if found.span.is_some() => own.push((key, way)),
            Some(_) => built_in = Some((key, way)),
            None => {}
        }
    }
    if let [(first, _), (second, _), ..] = own[..] {
        section.missing(second, &format!("{first} is there too"), "keep one of them", problems);
        return None;
    }
    own.first().copied().or(built_in)
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
        "put it into an environment variable or a file, and name that as client_secret_env or client_secret_file; or write it \
         as client_secret_obscured, which only hides it from scanners and is no encryption",
        problems,
    );
    let none = |auth| Client { id: None, auth, secret: None, variable: None, missing: None };
    let auth = section.choice("client_auth", CLIENT_AUTHS, problems);
    let Some((key, way)) = chosen(section, problems) else {
        // A built-in says how a secret would be shown, without needing one.
        let own = section.get("client_auth").is_some_and(|found| found.span.is_some());
        if own && matches!(auth, Some(ClientAuth::Basic | ClientAuth::Post)) {
            let remedy = "name client_secret_env, client_secret_file or client_secret_obscured, or write client_auth = \"none\"";
            section.missing("client_auth", "needs a client secret", remedy, problems);
        }
        return none(ClientAuth::None);
    };
    let auth = auth.unwrap_or(ClientAuth::Basic);
    let Some(text) = section.string(key, problems) else { return none(auth) };
    let variable = (way == Way::Env).then(|| text.clone());
    let read = match way {
        Way::Env => env(&text)
            .map(|value| Secret::new(value.trim()))
            .ok_or_else(|| format!("the environment variable {text} is not set")),
        Way::File => read_secret(Path::new(&text)).map_err(|reason| format!("cannot read {text}: {reason}")),
        Way::Obscured => match revealed(&text) {
            Ok(secret) => Ok(secret),
            Err(what) => {
                let span = section.get(key).and_then(|found| found.span);
                let remedy =
                    "write what `latchkey obscure` prints, which only hides the secret from scanners";
                problems.add(span, &section.key(key), what, remedy);
                return none(auth);
            }
        },
    };
    match read {
        Ok(secret) => Client { secret: Some(secret), variable, ..none(auth) },
        Err(what) => {
            let remedy = "provide it, or name another place as client_secret_env, client_secret_file or client_secret_obscured";
            let missing = format!("the client secret is missing: {what}: {remedy}");
            let remedy = format!("{remedy}; until then nobody can sign in here and no token is refreshed");
            warnings.push(Problem { line: None, column: None, key: section.key(key), what, remedy });
            Client { missing: Some(missing), variable, ..none(auth) }
        }
    }
}

/// The client secret that `obscured` hides: visible characters and spaces (RFC 6749 appendix A.2).
fn revealed(obscured: &str) -> Result<Secret, String> {
    let secret = obscured::reveal(obscured).map_err(|error| error.to_string())?;
    if secret.expose().trim().is_empty() {
        return Err("it hides an empty text".to_owned());
    }
    obscured::client_secret(secret.expose()).map_err(|error| error.to_string())
}

/// The secret in a file, without the line end that editors add.
pub(in crate::config) fn read_secret(path: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let text = text.trim();
    if text.is_empty() { Err("the file is empty".to_owned()) } else { Ok(Secret::new(text)) }
}

/// The environment variable that `key` names, with what is in it (G25). What the operator named and cannot be used is told.
pub(super) fn from_env(
    section: &mut Section<'_, '_>,
    key: &'static str,
    env: Env<'_>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<Problem>,
) -> Option<EnvSource> {
    let variable = section.string(key, problems)?;
    let found = env(&variable);
    let source = EnvSource::new(variable, found.as_deref());
    let own = section.get(key).is_some_and(|found| found.span.is_some());
    let variable = &source.variable;
    let told = match source.value {
        EnvValue::Unset if own => Some((
            format!("the environment variable {variable} is not set, or blank"),
            "set it where this program runs, or take the line out; nothing of it is served meanwhile",
        )),
        EnvValue::Malformed => Some((
            format!("what {variable} holds has white space inside, or characters that are not ASCII"),
            "correct or unset it; until then nothing is served here, since it stands above every sign-in",
        )),
        EnvValue::Unset | EnvValue::Set(_) => None,
    };
    if let Some((what, remedy)) = told {
        warnings.push(Problem {
            line: None,
            column: None,
            key: section.key(key),
            what,
            remedy: remedy.to_owned(),
        });
    }
    Some(source)
}
