//! One provider's table, made into a descriptor.
//!
//! Owns the keys of `[providers.<name>]` and of the built-in files, which are the same, and the secrets they point to.
//! Invariant: the operator's value beats the built-in one, the environment's client id beats both (VENDORS), and no
//! secret stands in the configuration's own text (T14). Must not: have an opinion on any one provider.

mod client;
mod endpoints;
mod protocols;

use std::ops::Range;

use toml::de::DeTable;
use url::Url;

pub use self::client::client_id_variable;
use self::client::from_env;
pub(super) use self::client::read_secret;
use self::endpoints::{Endpoints, iss_promised, required_endpoints};
use super::Env;
use super::problem::Problem;
use super::reader::{Problems, Section};
use crate::provider::{
    BodyFormat, Flow, PasteShape, Provider, Reuse, RevocationScope, Share, Unsupported, builtin, unsupported,
};
use crate::tenant::ProviderName;

const FLOWS: &[(&str, Flow)] =
    &[("device", Flow::Device), ("paste", Flow::Paste), ("callback", Flow::Callback)];
const PASTES: &[(&str, PasteShape)] =
    &[("url", PasteShape::Url), ("code#state", PasteShape::CodeHashState), ("code", PasteShape::Code)];
const REVOCATIONS: &[(&str, RevocationScope)] =
    &[("token", RevocationScope::Token), ("grant", RevocationScope::Grant), ("none", RevocationScope::None)];
const REUSES: &[(&str, Reuse)] = &[("strict", Reuse::Strict), ("lenient", Reuse::Lenient)];
const SHARES: &[(&str, Share)] = &[("member", Share::Member), ("guild", Share::Guild)];
const BODIES: &[(&str, BodyFormat)] = &[("form", BodyFormat::Form), ("json", BodyFormat::Json)];

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

/// Whether the operator named less than what a sign-in by one of the `flows` needs; by any, where none is listed.
fn is_something_left(endpoints: &Endpoints, flows: Option<&[Flow]>) -> bool {
    let lacks = |flow: &Flow| match flow {
        Flow::Device => endpoints.device_authorization.is_none(),
        Flow::Paste | Flow::Callback => endpoints.authorization.is_none(),
    };
    let begins_nowhere = lacks(&Flow::Device) && lacks(&Flow::Paste);
    endpoints.token.is_none() || flows.map_or(begins_nowhere, |flows| flows.iter().any(lacks))
}

fn resolve(
    section: &mut Section<'_, '_>,
    name: ProviderName,
    env: Env<'_>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<Problem>,
) -> Option<Provider> {
    let mcp_url = mcp_url(section, &name, problems);
    let issuer = section.string("issuer", problems);
    let endpoints = Endpoints::read(section, problems, warnings);
    let api_key = from_env(section, "api_key_env", env, problems, warnings);
    let env_token = from_env(section, "token_env", env, problems, warnings);
    let redirect_uri = section.string("redirect_uri", problems);
    let loopback_redirect_uri = loopback(section, problems);
    let aliases = section.strings("aliases", problems).unwrap_or_default();
    let terms_risk = section.texts("terms_risk", problems);
    let accepted = section.boolean("accept_terms_risk", problems).unwrap_or(false);
    let listed = section.choices("flows", FLOWS, problems);
    let discovers =
        (issuer.is_some() || mcp_url.is_some()) && is_something_left(&endpoints, listed.as_deref());
    let mut flows = listed.unwrap_or_else(|| possible_flows(&endpoints, discovers, redirect_uri.is_some()));
    let is_barred = terms_risk.is_some() && !accepted;
    let awaiting_terms = if is_barred { std::mem::take(&mut flows) } else { Vec::new() };
    let is_bare = section.get("issuer").is_none() && !name.is_mcp() && !Endpoints::are_any(section);
    // What only hands on a key needs nobody to sign in to.
    let is_key_alone = is_bare && (api_key.is_some() || env_token.is_some());
    let token_endpoint = match unsupported(name.as_str()) {
        _ if is_key_alone => Some(None),
        Some(vendor) if is_bare => {
            refuse(section, vendor, problems);
            None
        }
        _ => required_endpoints(
            section,
            endpoints.token.clone(),
            issuer.as_deref(),
            mcp_url.is_some(),
            discovers,
            problems,
        ),
    };
    let needs_no_client = endpoints.registration.is_some() || discovers || is_key_alone;
    let client = client::read(section, &name, needs_no_client, env, problems, warnings);
    let (identity, account_claims) = protocols::identity(section, &endpoints, discovers, problems);
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
        device: protocols::device(section, problems),
        refresh: protocols::refresh(section, endpoints.are_elsewhere, problems),
        authorize_params: section.pairs("authorize_params", problems).unwrap_or_default(),
        token_body: section.choice("token_body", BODIES, problems).unwrap_or(BodyFormat::Form),
        exchange_sends_state: section.boolean("exchange_sends_state", problems).unwrap_or(false),
        refresh_sends_scope: section.boolean("refresh_sends_scope", problems).unwrap_or(false),
        identity,
        account_claims,
        keep: section.strings("keep", problems).unwrap_or_default(),
        resource: section.string("resource", problems),
        device_notice: section.texts("device_notice", problems),
        iss_promised: iss_promised(section, issuer.is_some(), problems),
        terms_risk,
        awaiting_terms,
        // Who publishes metadata for such scopes is an OpenID provider, and those take a nonce; some demand it.
        nonce: section.boolean("nonce", problems).unwrap_or(discovers),
        empty_refusal: protocols::empty_refusal(section, problems),
        transient_codes: section.strings("transient_codes", problems).unwrap_or_default(),
        reuse_prose: section.strings("reuse_prose", problems).unwrap_or_default(),
        client_auth: client.auth,
        client_secret: client.secret,
        client_secret_variable: client.variable,
        client_missing: client.missing,
        client_id: client.id,
        // Last, so that every key has been asked for when one of these ends the reading.
        token_endpoint: token_endpoint?,
        discovers,
        found: Vec::new(),
        name,
        issuer,
        device_authorization_endpoint: endpoints.device_authorization,
        authorization_endpoint: endpoints.authorization,
        revocation_endpoint: endpoints.revocation,
        registration_endpoint: endpoints.registration,
        userinfo_endpoint: endpoints.userinfo,
        mcp_url,
        redirect_uri,
        loopback_redirect_uri,
        api_key,
        env_token,
    };
    if provider.awaiting_terms.is_empty() {
        ways_in(section, &provider, problems);
    } else {
        warnings.push(barred(section, &provider));
    }
    Some(provider)
}

/// The ways to sign in where none are listed: those that have, or may yet find, what they need.
fn possible_flows(endpoints: &Endpoints, discovers: bool, redirects: bool) -> Vec<Flow> {
    let device = endpoints.device_authorization.is_some() || discovers;
    let paste = (endpoints.authorization.is_some() || discovers) && redirects;
    device.then_some(Flow::Device).into_iter().chain(paste.then_some(Flow::Paste)).collect()
}

/// `sentence` without its full stop, to go on after.
fn unended(sentence: &str) -> &str {
    sentence.trim_end().trim_end_matches('.')
}

/// That there is no built-in for what the table is named after, and why.
fn refuse(section: &Section<'_, '_>, vendor: &Unsupported, problems: &mut Problems<'_>) {
    let what = format!("{} is not supported: {}", vendor.title, unended(vendor.why("en")));
    let remedy = "take the table out, or name endpoints of your own there";
    problems.add(section.span.clone(), &section.path, what, remedy);
}

/// That the operator has to accept the doubt about the vendor's terms, before anybody can sign in.
fn barred(section: &Section<'_, '_>, provider: &Provider) -> Problem {
    let risk = provider.terms_risk.as_ref().map(|risk| risk.for_reader("en")).unwrap_or_default();
    Problem {
        line: None, column: None,
        key: section.key("accept_terms_risk"),
        what: format!("nobody can sign in: {}", unended(risk)),
        remedy: "set accept_terms_risk = true if you accept that; a token from the environment is served either way"
            .to_owned(),
    }
}

/// The address of an MCP server, which makes a provider one, and which nothing else has (F12).
fn mcp_url(section: &mut Section<'_, '_>, name: &ProviderName, problems: &mut Problems<'_>) -> Option<Url> {
    let url = section.endpoint("url", problems);
    if name.is_mcp() {
        // Whoever names its authorization server needs nothing of the server itself.
        let is_named = ["url", "issuer", "token_endpoint"].iter().any(|key| section.get(key).is_some());
        if !is_named {
            let remedy = "write the address of the MCP server, as its users do";
            section.missing("url", "missing", remedy, problems);
        }
        return url;
    }
    if url.is_some() {
        let remedy =
            format!("name the table [providers.\"mcp:{name}\"], or write issuer for an authorization server");
        section.missing("url", "only an MCP server has one", &remedy, problems);
    }
    None
}

/// Where on this host `latchkey login` is answered. Nothing else is listened on.
fn loopback(section: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Option<String> {
    let written = section.string("loopback_redirect_uri", problems)?;
    let leads_here = Url::parse(&written).is_ok_and(|url| {
        crate::provider::is_loopback_http(&url) && crate::provider::is_bare(&url) && url.query().is_none()
    });
    if !leads_here {
        let found = section.get("loopback_redirect_uri").and_then(|found| found.span);
        let remedy = "write one as it is registered there, like \"http://127.0.0.1:8765/callback\"; port 0 is any that is free";
        problems.add(found, &section.key("loopback_redirect_uri"), "is no http address of this host", remedy);
        return None;
    }
    Some(written)
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
    let by_environment = provider.api_key.is_some() || provider.env_token.is_some();
    if provider.flows.is_empty() && !by_environment {
        let remedy = "configure device_authorization_endpoint, or authorization_endpoint with redirect_uri";
        problems.add(span, &key, "there is no way to sign in", remedy);
    }
}

#[cfg(test)]
mod tests;
