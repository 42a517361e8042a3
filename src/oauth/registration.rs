//! Having an authorization server make us a client (RFC 7591).
//!
//! Owns one registration request and the reading of its answer. Invariants: what the server answers counts, not what was
//! asked for; a client that could not be used is none; a secret that came is in no error (T10). Must not: decide when to
//! register, or keep what came (`login` does).

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::device::DEVICE_GRANT;
use super::http::{Client, Reply, SendError};
use super::mask;
use super::reply::Members;
use super::request::Post;
use crate::clock::UnixSeconds;
use crate::credential::Registration;
use crate::provider::{Flow, Resolved, is_loopback};

/// How long a registration takes at most. What is lost with an answer that comes later is a client that nobody uses.
pub const REGISTRATION_BOUND: Duration = Duration::from_secs(30);

/// How we can authenticate, in the order in which we ask for it: a secret that is not there cannot be lost.
const METHODS: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];

/// Why there is no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// The server says nothing of registration.
    #[error("{provider} registers no clients by itself: register one there and write its client_id")]
    NotOffered {
        /// The provider's title.
        provider: String,
    },
    /// The server takes none of our redirect URIs.
    #[error(
        "the server registers no client for {uris} ({said}): write a redirect_uri that it takes, or a client_id"
    )]
    RedirectUri {
        /// What was asked for.
        uris: String,
        /// What it says.
        said: String,
    },
    /// The server says no.
    #[error("the server registers no client for us ({said}): register one there and write its client_id")]
    Refused {
        /// What it says.
        said: String,
    },
    /// The server says yes, and gives what cannot be used.
    #[error(
        "the server's answer to a registration cannot be used ({why}): register a client there and write its client_id"
    )]
    Unusable {
        /// What is wrong with it.
        why: String,
    },
    /// Trying again may help.
    #[error("a client could not be registered: {why}")]
    Transient {
        /// What happened.
        why: String,
    },
    /// The endpoint must not be asked.
    #[error("a client could not be registered: {why}")]
    NotAsked {
        /// What is wrong with it.
        why: String,
    },
}

/// Registers a client with the issuer of `provider`, to be answered at these `redirect_uris`, of which one is `wanted` now.
/// One request at most.
///
/// # Errors
/// See [`RegistrationError`].
pub async fn register(
    client: &Client,
    provider: &Resolved,
    redirect_uris: &[String],
    wanted: Option<&str>,
    now: UnixSeconds,
) -> Result<Registration, RegistrationError> {
    let endpoint = provider
        .registration_endpoint
        .as_ref()
        .ok_or_else(|| RegistrationError::NotOffered { provider: provider.title.clone() })?;
    let post = Post::document(provider, endpoint, wish(provider, redirect_uris));
    let reply = match tokio::time::timeout(REGISTRATION_BOUND, client.send(&post)).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(SendError::NotSent(error))) if error.is_operators() => {
            return Err(RegistrationError::NotAsked { why: error.to_string() });
        }
        Ok(Err(SendError::NotSent(error))) => {
            return Err(RegistrationError::Transient { why: error.to_string() });
        }
        Ok(Err(SendError::Unknown(cause))) => {
            return Err(RegistrationError::Transient { why: cause.to_string() });
        }
        Err(_) => {
            let why = format!("no whole answer within {} s", REGISTRATION_BOUND.as_secs());
            return Err(RegistrationError::Transient { why });
        }
    };
    let made = judge(&reply, provider, redirect_uris, now)?;
    if wanted.is_some_and(|wanted| !made.takes(wanted)) {
        let why = "it is for other redirect URIs than the one that is needed".to_owned();
        return Err(RegistrationError::Unusable { why });
    }
    Ok(made)
}

/// What we would like to be (RFC 7591 section 2).
fn wish(provider: &Resolved, redirect_uris: &[String]) -> Value {
    let by_code = !redirect_uris.is_empty();
    let mut grants = vec!["refresh_token"];
    if by_code {
        grants.insert(0, "authorization_code");
    }
    if provider.offered_flows().any(|flow| flow == Flow::Device) {
        grants.push(DEVICE_GRANT);
    }
    let mut wish = json!({
        "client_name": "Latchkey",
        "redirect_uris": redirect_uris,
        "grant_types": grants,
        "response_types": if by_code { vec!["code"] } else { vec![] },
        "token_endpoint_auth_method": method(provider).unwrap_or("none"),
    });
    // Strict servers refuse a client with a scope that they do not list, such as one of a server behind them; lenient ones
    // let a client ask only for what it was registered with.
    if !provider.scopes.is_empty() && provider.lists_its_scopes() {
        wish["scope"] = provider.scopes.join(" ").into();
    }
    // Strict servers take an address on this host from native applications alone (OpenID Connect Registration section 2).
    let is_native = |uri: &String| Url::parse(uri).is_ok_and(|url| is_loopback(&url) || url.host().is_none());
    if redirect_uris.iter().any(is_native) {
        wish["application_type"] = "native".into();
    }
    wish
}

/// How we would authenticate there: the first of our ways that the server takes, if it says.
fn method(provider: &Resolved) -> Option<&'static str> {
    let taken = provider.client_auth_methods();
    METHODS.into_iter().find(|ours| taken.is_empty() || taken.iter().any(|theirs| theirs == ours))
}

/// What a whole answer means (sections 3.2.1 and 3.2.2).
fn judge(
    reply: &Reply,
    provider: &Resolved,
    redirect_uris: &[String],
    now: UnixSeconds,
) -> Result<Registration, RegistrationError> {
    let unusable = |why: &str| RegistrationError::Unusable { why: why.to_owned() };
    let Some(body) = &reply.body else { return Err(unusable("it is larger than 64 KiB")) };
    let members = Members::read(body);
    if reply.is_success() && !members.as_ref().is_some_and(Members::has_error) {
        let members = members.ok_or_else(|| unusable("it is no JSON object"))?;
        return registered(&members, body, provider, redirect_uris, now);
    }
    if matches!(reply.status, 408 | 425 | 429 | 500..) {
        let why = format!("the server answers HTTP {}", reply.status);
        return Err(RegistrationError::Transient { why });
    }
    let code = members.as_ref().and_then(Members::error_code);
    let text = members.as_ref().and_then(Members::error_text);
    // Nothing secret was sent, so nothing secret can come back.
    let said = match (&code, &text) {
        (Some(code), Some(text)) => mask::plain(&format!("{code}: {text}")),
        (Some(said), None) | (None, Some(said)) => mask::plain(said),
        (None, None) => format!("HTTP {}", reply.status),
    };
    Err(match code.as_deref() {
        Some("invalid_redirect_uri") => {
            RegistrationError::RedirectUri { uris: mask::plain(&redirect_uris.join(", ")), said }
        }
        _ => RegistrationError::Refused { said },
    })
}

fn registered(
    members: &Members,
    body: &[u8],
    provider: &Resolved,
    asked_for: &[String],
    now: UnixSeconds,
) -> Result<Registration, RegistrationError> {
    let unusable = |why: String| RegistrationError::Unusable { why };
    let client_id = members.text("client_id").ok_or_else(|| unusable("it has no client_id".to_owned()))?;
    // RFC 6749 appendix A.1.
    if !client_id.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err(unusable("its client_id has characters that no client_id has".to_owned()));
    }
    let secret =
        members.secret("client_secret").map_err(|_| unusable("its client_secret is malformed".to_owned()))?;
    let auth_method = match members.text("token_endpoint_auth_method") {
        Some(method) => method,
        None if secret.is_none() => "none".to_owned(),
        None => {
            let taken = provider.client_auth_methods();
            let by_post = taken.iter().all(|method| method != "client_secret_basic")
                && taken.iter().any(|method| method == "client_secret_post");
            if by_post { "client_secret_post" } else { "client_secret_basic" }.to_owned()
        }
    };
    if !METHODS.contains(&auth_method.as_str()) {
        let method = mask::plain(&auth_method);
        return Err(unusable(format!("it wants us to authenticate by {method}, which we cannot")));
    }
    if auth_method != "none" && secret.is_none() {
        return Err(unusable("it wants us to show a secret, and gives none".to_owned()));
    }
    let theirs = serde_json::from_slice::<Value>(body).ok().and_then(|body| addresses(&body));
    let stamp = |name: &str| {
        members.seconds(name).and_then(|seconds| i64::try_from(seconds).ok()).filter(|at| *at > 0)
    };
    // A client that authenticates by nothing needs no secret, and then none is kept.
    let client_secret = secret.filter(|_| auth_method != "none");
    Ok(Registration {
        issuer: provider.registrar(),
        client_id,
        // As the standard has it, 0 means never.
        secret_expires_at: stamp("client_secret_expires_at").filter(|_| client_secret.is_some()),
        client_secret,
        auth_method,
        redirect_uris: theirs.unwrap_or_else(|| asked_for.to_vec()),
        registered_at: stamp("client_id_issued_at").or(Some(now)),
    })
}

/// The redirect URIs of an answer, if it names any.
fn addresses(body: &Value) -> Option<Vec<String>> {
    let list = body.get("redirect_uris")?.as_array()?;
    let texts: Vec<String> = list.iter().filter_map(|uri| uri.as_str().map(str::to_owned)).collect();
    (!texts.is_empty()).then_some(texts)
}

#[cfg(test)]
mod tests;
