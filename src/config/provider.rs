//! One provider's table, made into a descriptor.
//!
//! Owns the keys of `[providers.<name>]` and of the built-in files, which are the same, and the secrets they point to.
//! Invariant: the operator's value beats the built-in one, the environment's client id beats both (VENDORS), and no
//! secret stands in the configuration's own text (T14). Must not: have an opinion on any one provider.

mod endpoints;

use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use self::endpoints::{iss_promised, required_endpoints};
use super::Env;
use super::problem::Problem;
use super::reader::{Problems, Section};
use crate::provider::{
    AccountClaims, BodyFormat, ClientAuth, DeviceProtocol, Flow, PasteShape, Provider, Reuse,
    RevocationScope, Share, UserCodeProtocol, builtin,
};
use crate::secret::Secret;
use crate::tenant::ProviderName;

const FLOWS: &[(&str, Flow)] =
    &[("device", Flow::Device), ("paste", Flow::Paste), ("callback", Flow::Callback)];
const CLIENT_AUTHS: &[(&str, ClientAuth)] =
    &[("basic", ClientAuth::Basic), ("post", ClientAuth::Post), ("none", ClientAuth::None)];
const PASTES: &[(&str, PasteShape)] =
    &[("url", PasteShape::Url), ("code#state", PasteShape::CodeHashState), ("code", PasteShape::Code)];
const REVOCATIONS: &[(&str, RevocationScope)] =
    &[("token", RevocationScope::Token), ("grant", RevocationScope::Grant), ("none", RevocationScope::None)];
const REUSES: &[(&str, Reuse)] = &[("strict", Reuse::Strict), ("lenient", Reuse::Lenient)];
const SHARES: &[(&str, Share)] = &[("member", Share::Member), ("guild", Share::Guild)];
const BODIES: &[(&str, BodyFormat)] = &[("form", BodyFormat::Form), ("json", BodyFormat::Json)];

/// The environment variable that overrides the client identifier of `name`.
#[must_use]
pub fn client_id_variable(name: &ProviderName) -> String {
    let upper = name.as_str().to_ascii_uppercase();
    let word: String = upper.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("LATCHKEY_{word}_CLIENT_ID")
}

/// Reads the table of one provider. None if a problem was found without which there is no descriptor.
pub(super) fn read(
    name: &str,
    span: Range<usize>,
    table: &DeTable<'_>,
    env: Env<'_>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<Problem>,
) -> Option<Provider> {
    let path = format!("providers.{name}");
    let name: ProviderName = match name.parse() {
        Ok(name) => name,
        Err(error) => {
            problems.add(Some(span), &path, error.to_string(), "rename the table");
            return None;
        }
    };
    let built_in = builtin(name.as_str()).and_then(|builtin| match DeTable::parse(builtin.text) {
        Ok(table) => Some(table),
        Err(error) => {
            problems.add(
                None,
                &path,
                format!("the built-in file is broken: {}", error.message()),
                "report this",
            );
            None
        }
    });
    let fallback = built_in.as_ref().map(toml::Spanned::get_ref);
    let mut section = Section::new(path, Some(span), Some(table), fallback);
    let provider = resolve(&mut section, name, env, problems, warnings);
    section.finish(problems);
    provider
}

fn resolve(
    section: &mut Section<'_, '_>,
    name: ProviderName,
    env: Env<'_>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<Problem>,
) -> Option<Provider> {
    let issuer = section.string("issuer", problems);
    let token_endpoint = section.endpoint("token_endpoint", problems);
    let device_authorization_endpoint = section.endpoint("device_authorization_endpoint", problems);
    let authorization_endpoint = section.endpoint("authorization_endpoint", problems);
    let revocation_endpoint = section.endpoint("revocation_endpoint", problems);
    let configured = section.string("client_id", problems);
    let client_id = env(&client_id_variable(&name)).or(configured);
    let client = client_secret(section, env, problems, warnings);
    let api_key = from_env(section, "api_key_env", env, problems);
    let env_token = from_env(section, "token_env", env, problems);
    let redirect_uri = section.string("redirect_uri", problems);
    let aliases = section.strings("aliases", problems).unwrap_or_default();
    let terms_risk = section.texts("terms_risk", problems);
    let accepted = section.boolean("accept_terms_risk", problems).unwrap_or(false);
    let listed = section.choices("flows", FLOWS, problems);
    let lacks_endpoint = |flow: &Flow| match flow {
        Flow::Device => device_authorization_endpoint.is_none(),
        Flow::Paste | Flow::Callback => authorization_endpoint.is_none(),
    };
    let discovers = issuer.is_some()
        && (token_endpoint.is_none()
            || listed.as_ref().map_or(
                device_authorization_endpoint.is_none() && authorization_endpoint.is_none(),
                |flows| flows.iter().any(lacks_endpoint),
            ));
    let possible = |endpoint: bool| endpoint || discovers;
    let mut flows = listed.unwrap_or_else(|| {
        let device = possible(device_authorization_endpoint.is_some()).then_some(Flow::Device);
        let paste = possible(authorization_endpoint.is_some()) && redirect_uri.is_some();
        device.into_iter().chain(paste.then_some(Flow::Paste)).collect()
    });
    let sign_in_is_barred = terms_risk.is_some() && !accepted;
    if sign_in_is_barred {
        flows.clear();
    }
    let token_endpoint = required_endpoints(section, token_endpoint, issuer.as_deref(), discovers, problems);
    let client_id = required_client_id(section, client_id, &name, problems);
    let provider = Provider {
        title: section.string("title", problems).unwrap_or_else(|| name.to_string()),
        aliases: aliases.iter().map(|alias| alias.to_ascii_lowercase()).collect(),
        scopes: section.strings("scopes", problems).unwrap_or_default(),
        flows,
        callback_uri: None,
        paste: section.choice("paste", PASTES, problems).unwrap_or(PasteShape::Url),
        revocation: section.choice("revocation", REVOCATIONS, problems).unwrap_or(RevocationScope::Grant),
        reuse: section.choice("reuse", REUSES, problems).unwrap_or(Reuse::Strict),
        token_lifetime: section.number("token_lifetime", 1, problems),
        share: section.choice("share", SHARES, problems).unwrap_or(Share::Member),
        bind: section.boolean("bind", problems).unwrap_or(true),
        device: device(section, problems),
        authorize_params: section.pairs("authorize_params", problems).unwrap_or_default(),
        token_body: section.choice("token_body", BODIES, problems).unwrap_or(BodyFormat::Form),
        exchange_sends_state: section.boolean("exchange_sends_state", problems).unwrap_or(false),
        refresh_sends_scope: section.boolean("refresh_sends_scope", problems).unwrap_or(false),
        account_claims: claims(section, problems),
        device_notice: section.texts("device_notice", problems),
        iss_promised: iss_promised(section, issuer.is_some(), problems),
        terms_risk,
        reuse_prose: section.strings("reuse_prose", problems).unwrap_or_default(),
        client_auth: client.auth,
        client_secret: client.secret,
        client_secret_missing: client.missing,
        // Last, so that every key has been asked for when one of these ends the reading.
        token_endpoint: token_endpoint?,
        client_id: client_id?,
        discovers,
        found: Vec::new(),
        name,
        issuer,
        device_authorization_endpoint,
        authorization_endpoint,
        revocation_endpoint,
        redirect_uri,
        api_key,
        env_token,
    };
    if let Some(risk) = provider.terms_risk.as_ref().filter(|_| sign_in_is_barred) {
        warnings.push(Problem {
            line: None,
            key: section.key("accept_terms_risk"),
            what: format!("nobody can sign in: {}", risk.for_reader("en")),
            remedy: "set accept_terms_risk = true if you accept that; a token from the environment is served either way"
                .to_owned(),
        });
    } else {
        ways_in(section, &provider, problems);
    }
    Some(provider)
}

fn required_client_id(
    section: &mut Section<'_, '_>,
    found: Option<String>,
    name: &ProviderName,
    problems: &mut Problems<'_>,
) -> Option<String> {
    if found.is_none() && section.get("client_id").is_none() {
        let remedy = format!(
            "register a client with the provider and write client_id = \"…\", or set {}",
            client_id_variable(name)
        );
        section.missing("client_id", "missing", &remedy, problems);
    }
    found
}

/// Whether each flow has what it needs.
fn ways_in(section: &mut Section<'_, '_>, provider: &Provider, problems: &mut Problems<'_>) {
    let span = section.get("flows").and_then(|found| found.span).or_else(|| section.span.clone());
    let key = section.key("flows");
    let mut lacks = |flow: &str, what: &str| {
        let remedy = format!("configure {what}, or take \"{flow}\" out of flows");
        problems.add(span.clone(), &key, format!("\"{flow}\" needs {what}"), remedy);
    };
    for flow in &provider.flows {
        match flow {
            Flow::Device if !provider.discovers && provider.device_authorization_endpoint.is_none() => {
                lacks("device", "device_authorization_endpoint");
            }
            Flow::Paste | Flow::Callback
                if !provider.discovers && provider.authorization_endpoint.is_none() =>
            {
                lacks(flow.as_str(), "authorization_endpoint");
            }
            Flow::Paste if provider.redirect_uri.is_none() => lacks("paste", "redirect_uri"),
            _ => {}
        }
    }
    if let Some(redirect_uri) = &provider.redirect_uri
        && url::Url::parse(redirect_uri).map_or(true, |url| url.cannot_be_a_base())
    {
        let found = section.get("redirect_uri").and_then(|found| found.span);
        let remedy = "write the redirect URI as it is registered with the provider";
        problems.add(found, &section.key("redirect_uri"), "is not an address", remedy);
    }
    let by_environment = provider.api_key.is_some()
        || provider.env_token.is_some()
        || section.get("api_key_env").is_some()
        || section.get("token_env").is_some();
    if provider.flows.is_empty() && !by_environment {
        let remedy = "configure device_authorization_endpoint, or authorization_endpoint with redirect_uri";
        problems.add(span, &key, "there is no way to sign in", remedy);
    }
}

struct ClientSecret {
    auth: ClientAuth,
    secret: Option<Secret>,
    missing: Option<String>,
}

/// A secret that is not to be had is a warning, not a problem: a program that only reads tokens needs none.
fn client_secret(
    section: &mut Section<'_, '_>,
    env: Env<'_>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<Problem>,
) -> ClientSecret {
    section.refuse(
        "client_secret",
        "a secret must not stand in the configuration",
        "put it into an environment variable or a file, and name that as client_secret_env or client_secret_file",
        problems,
    );
    let variable = section.string("client_secret_env", problems);
    let file = section.string("client_secret_file", problems);
    let auth = section.choice("client_auth", CLIENT_AUTHS, problems);
    let read = match (&variable, &file) {
        (Some(_), Some(_)) => {
            let what = "client_secret_env is there too";
            section.missing("client_secret_file", what, "keep one of the two", problems);
            return ClientSecret { auth: ClientAuth::Basic, secret: None, missing: None };
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
            return ClientSecret { auth: ClientAuth::None, secret: None, missing: None };
        }
    };
    let auth = auth.unwrap_or(ClientAuth::Basic);
    match read {
        Ok(secret) => ClientSecret { auth, secret: Some(secret), missing: None },
        Err((key, what)) => {
            let missing = format!("the client secret is missing: {what}");
            let remedy = "provide it, else nobody can sign in here and no token is refreshed".to_owned();
            warnings.push(Problem { line: None, key, what, remedy });
            ClientSecret { auth, secret: None, missing: Some(missing) }
        }
    }
}

/// The secret in a file, without the line end that editors add.
pub(super) fn read_secret(path: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let text = text.trim();
    if text.is_empty() { Err("the file is empty".to_owned()) } else { Ok(Secret::new(text)) }
}

/// The secret in the environment variable that `key` names, if it is set (G25).
fn from_env(
    section: &mut Section<'_, '_>,
    key: &'static str,
    env: Env<'_>,
    problems: &mut Problems<'_>,
) -> Option<Secret> {
    env(&section.string(key, problems)?).map(Secret::new)
}

fn claims(section: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> AccountClaims {
    let standard = AccountClaims::default();
    AccountClaims {
        id: section.strings("account_claim", problems).unwrap_or(standard.id),
        email: section.strings("email_claim", problems).unwrap_or(standard.email),
    }
}

#[derive(Clone, Copy)]
enum Protocol {
    Rfc8628,
    UserCode,
}

/// The standard protocol if a problem was found.
fn device(section: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> DeviceProtocol {
    const PROTOCOLS: &[(&str, Protocol)] =
        &[("rfc8628", Protocol::Rfc8628), ("user_code", Protocol::UserCode)];
    let Some(mut table) = section.table("device", problems) else { return DeviceProtocol::Rfc8628 };
    let protocol = table.choice("protocol", PROTOCOLS, problems).unwrap_or(Protocol::Rfc8628);
    // Asked for under either protocol, so that overriding the protocol alone leaves no unknown keys behind.
    let poll_endpoint = table.endpoint("poll_endpoint", problems);
    let verification_uri = table.endpoint("verification_uri", problems);
    let exchange_redirect_uri = table.string("exchange_redirect_uri", problems);
    let statuses = table.numbers("pending_statuses", problems).unwrap_or_default();
    let pending_codes = table.strings("pending_codes", problems).unwrap_or_default();
    let device = match (protocol, poll_endpoint, verification_uri, exchange_redirect_uri) {
        (Protocol::Rfc8628, ..) => DeviceProtocol::Rfc8628,
        (Protocol::UserCode, Some(poll_endpoint), Some(verification_uri), Some(exchange_redirect_uri)) => {
            DeviceProtocol::UserCode(Box::new(UserCodeProtocol {
                poll_endpoint,
                verification_uri,
                exchange_redirect_uri,
                pending_statuses: statuses.iter().filter_map(|status| u16::try_from(*status).ok()).collect(),
                pending_codes,
            }))
        }
        (Protocol::UserCode, ..) => {
            let what = "\"user_code\" needs poll_endpoint, verification_uri and exchange_redirect_uri";
            table.missing("protocol", what, "name all three, or write protocol = \"rfc8628\"", problems);
            DeviceProtocol::Rfc8628
        }
    };
    table.finish(problems);
    device
}

#[cfg(test)]
mod tests;
