//! A metadata document (RFC 8414 section 2), read and put behind what is configured.
//!
//! Owns what is believed of it. Invariants: its issuer is the configured one, character by character (section 3.3); each
//! endpoint of it is within the issuer's reach (T7, T13); a configured endpoint beats its own, one by one. Must not:
//! fetch, or resolve a name.

use serde::Deserialize;
use url::Url;

use crate::oauth::device::DEVICE_GRANT;
use crate::oauth::mask;
use crate::provider::{Flow, Provider, Reach, Resolved, is_bare};

/// What is used of a document.
#[expect(clippy::struct_excessive_bools, reason = "each is a statement of its own")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Where tokens are issued.
    pub token_endpoint: Option<Url>,
    /// Where a browser is sent.
    pub authorization_endpoint: Option<Url>,
    /// Where a device login starts.
    pub device_authorization_endpoint: Option<Url>,
    /// Where tokens are revoked.
    pub revocation_endpoint: Option<Url>,
    /// Where clients are registered (RFC 7591).
    pub registration_endpoint: Option<Url>,
    /// Where the access token tells whose it is (OpenID Connect Core section 5.3).
    pub userinfo_endpoint: Option<Url>,
    /// The scopes that the server knows, if it says.
    pub scopes_supported: Vec<String>,
    /// How clients may authenticate at the token endpoint, if it says.
    pub client_auth_methods: Vec<String>,
    /// Whether the server, if it says which code challenges it takes, takes S256 (T1).
    pub takes_s256: bool,
    /// Whether it grants by authorization code, if it says what it grants by.
    pub grants_by_code: bool,
    /// Whether it grants by device code, if it says what it grants by.
    pub grants_by_device: bool,
    /// Whether it promises `iss` in its answers (RFC 9207).
    pub iss_promised: bool,
}

/// Why a document must not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// It is no JSON object at all: a web page, say.
    #[error("it is no JSON object")]
    NotJson,
    /// A member has a type that the standard does not give it, or stands there twice.
    #[error("it is malformed ({0}); tell the provider, or name the endpoints")]
    Malformed(String),
    /// RFC 8414 section 3.3.
    #[error(
        "it is the document of {found:?}, and {configured:?} is configured; if that is the same server, write its spelling"
    )]
    OtherIssuer {
        /// What it says.
        found: String,
        /// What the operator says.
        configured: String,
    },
    /// An endpoint that nobody outside may name (T7, T13).
    #[error(
        "its {member} {found:?} is not an https address of the public network (for an issuer on this host: an address of this host); if it is right, name the endpoints"
    )]
    OutOfReach {
        /// Which endpoint.
        member: &'static str,
        /// What it says.
        found: String,
    },
    /// It names no token endpoint, and none is configured.
    #[error("it names no token_endpoint; configure that")]
    NoTokenEndpoint,
}

#[derive(Deserialize)]
struct Wire {
    issuer: Option<String>,
    token_endpoint: Option<String>,
    authorization_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    registration_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    scopes_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    grant_types_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

/// Reads the document `text` of `issuer`.
///
/// # Errors
/// When it must not be used.
pub fn read(text: &[u8], issuer: &str) -> Result<Metadata, MetadataError> {
    let is_object = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let wire: Wire = match serde_json::from_slice(text) {
        Ok(wire) if is_object => wire,
        Err(error) if is_object && error.is_data() => {
            return Err(MetadataError::Malformed(mask::plain(&error.to_string())));
        }
        _ => return Err(MetadataError::NotJson),
    };
    if wire.issuer.as_deref() != Some(issuer) {
        let found = mask::plain(&wire.issuer.unwrap_or_default());
        return Err(MetadataError::OtherIssuer { found, configured: mask::plain(issuer) });
    }
    let reach = Url::parse(issuer).map_or(Reach::Public, |issuer| Reach::of_issuer(&issuer));
    let endpoint = |member: &'static str, text: Option<String>| {
        let Some(text) = text else { return Ok(None) };
        let url = Url::parse(text.trim()).ok().filter(|url| is_bare(url) && reach.admits(url));
        url.map(Some).ok_or_else(|| MetadataError::OutOfReach { member, found: mask::plain(&text) })
    };
    let lists = |list: &Option<Vec<String>>, wanted: &str| {
        list.as_ref().is_none_or(|list| list.iter().any(|item| item == wanted))
    };
    Ok(Metadata {
        token_endpoint: endpoint("token_endpoint", wire.token_endpoint)?,
        authorization_endpoint: endpoint("authorization_endpoint", wire.authorization_endpoint)?,
        device_authorization_endpoint: endpoint(
            "device_authorization_endpoint",
            wire.device_authorization_endpoint,
        )?,
        revocation_endpoint: endpoint("revocation_endpoint", wire.revocation_endpoint)?,
        registration_endpoint: endpoint("registration_endpoint", wire.registration_endpoint)?,
        userinfo_endpoint: endpoint("userinfo_endpoint", wire.userinfo_endpoint)?,
        scopes_supported: wire.scopes_supported.unwrap_or_default(),
        client_auth_methods: wire.token_endpoint_auth_methods_supported.unwrap_or_default(),
        takes_s256: lists(&wire.code_challenge_methods_supported, "S256"),
        grants_by_code: lists(&wire.grant_types_supported, "authorization_code"),
        grants_by_device: lists(&wire.grant_types_supported, DEVICE_GRANT),
        iss_promised: wire.authorization_response_iss_parameter_supported.unwrap_or(false),
    })
}

/// `provider` with what `metadata` names in the places that are not configured, and without the ways to sign in that
/// are then not possible.
///
/// # Errors
/// When there is no token endpoint.
pub fn resolve(provider: &Provider, metadata: &Metadata) -> Result<Resolved, MetadataError> {
    let mut resolved = provider.clone();
    let mut fill = |own: &mut Option<Url>, named: &Option<Url>| {
        if own.is_none()
            && let Some(named) = named
        {
            resolved.found.push(named.clone());
            *own = Some(named.clone());
        }
    };
    fill(&mut resolved.token_endpoint, &metadata.token_endpoint);
    fill(&mut resolved.authorization_endpoint, &metadata.authorization_endpoint);
    fill(&mut resolved.device_authorization_endpoint, &metadata.device_authorization_endpoint);
    fill(&mut resolved.revocation_endpoint, &metadata.revocation_endpoint);
    fill(&mut resolved.registration_endpoint, &metadata.registration_endpoint);
    fill(&mut resolved.userinfo_endpoint, &metadata.userinfo_endpoint);
    resolved.iss_promised |= metadata.iss_promised;
    let token_endpoint = resolved.token_endpoint.clone().ok_or(MetadataError::NoTokenEndpoint)?;
    let bars = |flow: Flow| match flow {
        Flow::Device if resolved.device_authorization_endpoint.is_none() => {
            Some("the metadata names no device_authorization_endpoint")
        }
        Flow::Device if provider.device_authorization_endpoint.is_none() && !metadata.grants_by_device => {
            Some("grant_types_supported in the metadata lacks the device grant")
        }
        Flow::Paste | Flow::Callback if resolved.authorization_endpoint.is_none() => {
            Some("the metadata names no authorization_endpoint")
        }
        Flow::Paste | Flow::Callback if !metadata.takes_s256 => {
            Some("code_challenge_methods_supported in the metadata lacks S256")
        }
        Flow::Paste | Flow::Callback
            if provider.authorization_endpoint.is_none() && !metadata.grants_by_code =>
        {
            Some("grant_types_supported in the metadata lacks authorization_code")
        }
        _ => None,
    };
    let barred = provider.flows.iter().filter_map(|flow| Some((*flow, bars(*flow)?))).collect();
    let resolved = Resolved::new(resolved, token_endpoint).without(barred);
    Ok(resolved.taking(&metadata.client_auth_methods, &metadata.scopes_supported))
}

#[cfg(test)]
mod tests;
