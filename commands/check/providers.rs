//! What can be said of each provider: whether it can be reached, what is missing, which ways to sign in are open.
//!
//! Owns the findings on `[providers]`. Invariants: an issuer is asked for its metadata alone, and an endpoint for nothing at all:
//! no grant is spent (G27), and nothing is sent that a vendor could take for a sign-in. Must not: go where metadata points,
//! but for what the library's guarded client asks there.

use std::collections::BTreeSet;
use std::sync::Arc;

use latchkey::broker::in_force;
use latchkey::clock::Clock;
use latchkey::config::Config;
use latchkey::directory::{Directory, Looked};
use latchkey::oauth::{Client, DiscoveryError};
use latchkey::provider::{EnvSource, Flow, Provider};
use latchkey::store::Store;
use latchkey::store::file::FileStore;
use tokio::task::JoinSet;
use url::Url;

use super::clock::Reading;
use super::configuration::is_malformed;
use super::finding::{Finding, Level};
use super::{WHOLE, ask};
use crate::exit::Code;

const PART: &str = "providers";

/// All of them, asked at once.
pub(super) async fn look(
    config: &Config,
    store: Option<&Arc<FileStore>>,
    is_offline: bool,
) -> (Vec<Finding>, Vec<Reading>) {
    if config.providers.is_empty() {
        let remedy = "add a table such as [providers.codex]; `latchkey providers` lists what there is";
        return (vec![Finding::problem(PART, Code::Usage, "none is configured", remedy)], Vec::new());
    }
    let mut asked = JoinSet::new();
    for (number, provider) in config.providers.iter().enumerate() {
        let (provider, store) = (Arc::clone(provider), store.cloned());
        asked.spawn(async move {
            let (found, readings) = one(&provider, store, is_offline).await;
            (number, found, readings)
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(number, ..)| *number);
    let (mut found, mut readings) = (Vec::new(), Vec::new());
    for (_, of_one, read) in answers {
        found.extend(of_one);
        readings.extend(read);
    }
    (found, readings)
}

async fn one(
    provider: &Provider,
    store: Option<Arc<FileStore>>,
    is_offline: bool,
) -> (Vec<Finding>, Vec<Reading>) {
    let mut found = sources(provider);
    let name = &provider.name;
    if let Some(missing) = &provider.client_missing {
        found.push(unprovided(provider, missing));
        return (found, Vec::new());
    }
    if !provider.discovers {
        found.push(offered(provider, provider.offered_flows(), ""));
        found.extend(client(provider));
        if is_offline || !provider.is_open() {
            return (found, Vec::new());
        }
        let (reached, readings) = reached(provider).await;
        found.extend(reached);
        return (found, readings);
    }
    let Some(store) = store else {
        let what = format!("{name}: its issuer was not asked, since there is no store to keep the answer in");
        found.push(Finding::warning(PART, what, "mend the store first"));
        return (found, Vec::new());
    };
    let directory = Directory::new(store as Arc<dyn Store>, Client::new(), Clock::system());
    if is_offline {
        let known = directory.known(provider).is_some();
        let what = if known { "what was discovered before is kept" } else { "nothing was discovered yet" };
        found.push(Finding::ok(PART, format!("{name}: {what}; its issuer was not asked")));
        return (found, Vec::new());
    }
    match tokio::time::timeout(WHOLE, directory.look(provider)).await {
        Ok(Ok(Some(looked))) => found.extend(discovered(&looked)),
        Ok(Ok(None)) => {}
        Ok(Err(error)) => found.extend(undiscovered(provider, &error)),
        Err(_) => found.push(Finding::problem(
            PART,
            Code::Transient,
            format!("{name}: its endpoints were not discovered within {} s", WHOLE.as_secs()),
            "check the network and the issuer, or name the endpoints",
        )),
    }
    (found, Vec::new())
}

/// Whether what the operator or a descriptor names can be reached.
async fn reached(provider: &Provider) -> (Vec<Finding>, Vec<Reading>) {
    let named =
        [&provider.token_endpoint, &provider.device_authorization_endpoint, &provider.userinfo_endpoint];
    let places: BTreeSet<Url> = named.into_iter().flatten().map(ask::origin).collect();
    let mut asked = JoinSet::new();
    for place in places {
        asked.spawn(async move { (ask::reach(&place).await, place) });
    }
    let (mut found, mut readings) = (Vec::new(), Vec::new());
    let name = &provider.name;
    let mut answers = asked.join_all().await;
    answers.sort_by(|(_, one), (_, other)| one.cmp(other));
    for (answer, place) in answers {
        match answer {
            Ok(reading) => readings.extend(reading),
            Err(why) => {
                let what = format!("{name}: {} cannot be reached: {why}", ask::shown(&place));
                let remedy =
                    "check the network, the firewall and the proxy (HTTPS_PROXY), or correct the endpoint";
                found.push(
                    match served(provider) {
                        Some(_) => Finding::warning(PART, what, remedy),
                        None => Finding::problem(PART, Code::Transient, what, remedy),
                    }
                    .at(place),
                );
            }
        }
    }
    (found, readings)
}

/// What of the environment cannot be used, and who has accepted what (G25).
fn sources(provider: &Provider) -> Vec<Finding> {
    let mut found = Vec::new();
    let name = &provider.name;
    for (noun, source) in [("API key", &provider.api_key), ("token", &provider.env_token)] {
        if let Some(EnvSource { variable, .. }) = source.as_ref().filter(|source| is_malformed(source)) {
            let what = format!(
                "{name}: the {noun} in {variable} cannot be used, since it has white space inside or characters that are not ASCII"
            );
            let remedy = "correct or unset it: nothing below it is served meanwhile";
            found.push(Finding::problem(PART, Code::Usage, what, remedy));
        }
    }
    if let Some(doubt) = provider.terms_risk.as_ref().filter(|_| provider.is_open()) {
        let doubt = doubt.for_reader("en");
        found.push(Finding::ok(PART, format!("{name}: accept_terms_risk is set, although: {doubt}")));
    }
    found
}

/// A client of ours that is not whole: nobody signs in and nothing is refreshed, which matters less where the environment
/// serves.
fn unprovided(provider: &Provider, missing: &str) -> Finding {
    let name = &provider.name;
    match served(provider) {
        Some(served) => {
            Finding::warning(PART, format!("{name}: {served}, and nobody can sign in"), missing.to_owned())
        }
        None => Finding::told(Level::Problem, PART, Code::Usage, &format!("{name}: {missing}")),
    }
}

/// What the environment has served in place of a sign-in.
fn served(provider: &Provider) -> Option<String> {
    let (kind, source) = in_force(provider)?;
    source.secret()?;
    Some(format!("the {} in {} is served before any sign-in", kind.noun(), source.variable))
}

/// What the ways to sign in are, and what is served without one.
fn offered(provider: &Provider, flows: impl Iterator<Item = Flow>, behind: &str) -> Finding {
    let ways: Vec<_> = flows.map(Flow::as_str).collect();
    let name = &provider.name;
    let above = served(provider);
    let is_served = above.is_some();
    let served = above.map(|served| format!("{served}; ")).unwrap_or_default();
    if ways.is_empty() && !is_served {
        let remedy = format!("`latchkey providers {name}` says what is in the way");
        Finding::warning(PART, format!("{name} offers no way to sign in{behind}"), remedy)
    } else if ways.is_empty() {
        Finding::ok(PART, format!("{name}: {served}there is no way to sign in{behind}"))
    } else {
        Finding::ok(PART, format!("{name}: {served}sign-in by {}{behind}", ways.join(", ")))
    }
}

fn discovered(looked: &Looked) -> Vec<Finding> {
    let (provider, url) = (&looked.provider, &looked.url);
    let mut found = vec![offered(provider, provider.offered_flows(), &format!("; endpoints from {url}"))];
    found.extend(client(provider));
    for (flow, why) in provider.barred() {
        let (name, flow) = (&provider.name, flow.as_str());
        let remedy = "name what is missing, or leave that way out of flows";
        found.push(Finding::warning(PART, format!("{name}: no sign-in by {flow}, since {why}"), remedy));
    }
    if let Some(error) = &looked.stale {
        let what = format!("{}: {error}; what was found before goes on being used", provider.name);
        found.push(Finding::warning(PART, what, "check the network and the issuer"));
    }
    found
}

/// Whether our client is to be registered at the first sign-in (RFC 7591), and whether it can be.
fn client(provider: &Provider) -> Option<Finding> {
    let name = &provider.name;
    if !provider.registers() {
        return None;
    }
    if provider.registration_endpoint.is_some() {
        return Some(Finding::ok(PART, format!("{name}: a client is registered at the first sign-in")));
    }
    let remedy = "register a client there and write its client_id; until then nobody can sign in";
    let what = format!("{name}: the server registers no clients by itself");
    Some(Finding::problem(PART, Code::Usage, what, remedy))
}

/// That nothing was discovered, which bars only those ways to sign in that need it.
fn undiscovered(provider: &Provider, error: &DiscoveryError) -> Vec<Finding> {
    let name = &provider.name;
    let (remedy, code) = if error.is_passing() {
        (Some("check the network and the issuer, or name the endpoints"), Code::Transient)
    } else {
        (None, Code::Usage)
    };
    let why = remedy.map_or_else(|| error.to_string(), |remedy| format!("{error}; {remedy}"));
    let is_settled = |flow: &Flow| *flow == Flow::Device && provider.is_settled_for_device();
    let (open, barred): (Vec<_>, Vec<_>) = provider.offered_flows().partition(is_settled);
    if open.is_empty() {
        return vec![Finding::told(Level::Problem, PART, code, &format!("{name}: {why}"))];
    }
    let mut found = vec![offered(provider, open.into_iter(), "")];
    let barred: Vec<_> = barred.into_iter().map(Flow::as_str).collect();
    if !barred.is_empty() {
        let what = format!("{name}: no sign-in by {}, since {why}", barred.join(", "));
        found.push(Finding::told(Level::Warning, PART, code, &what));
    }
    found
}
