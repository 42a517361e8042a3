//! Whether a provider's endpoints are configured, or can be discovered.
//!
//! Owns what must hold of an issuer that is to be asked (RFC 8414 section 2, T13). Must not: ask it.

use url::Url;

use crate::config::reader::{Problems, Section};
use crate::provider::{Reach, is_safe};

/// Those that are configured, by the names of RFC 8414 and `OpenID` Connect Discovery.
pub(super) struct Endpoints {
    pub(super) token: Option<Url>,
    pub(super) device_authorization: Option<Url>,
    pub(super) authorization: Option<Url>,
    pub(super) revocation: Option<Url>,
    pub(super) registration: Option<Url>,
    pub(super) userinfo: Option<Url>,
}

impl Endpoints {
    pub(super) fn read(section: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        Self {
            token: section.endpoint("token_endpoint", problems),
            device_authorization: section.endpoint("device_authorization_endpoint", problems),
            authorization: section.endpoint("authorization_endpoint", problems),
            revocation: section.endpoint("revocation_endpoint", problems),
            registration: section.endpoint("registration_endpoint", problems),
            userinfo: section.endpoint("userinfo_endpoint", problems),
        }
    }

    /// Whether one is written that a sign-in or a refresh begins with, be it wrongly.
    pub(super) fn are_any(section: &mut Section<'_, '_>) -> bool {
        ["token_endpoint", "device_authorization_endpoint", "authorization_endpoint"]
            .into_iter()
            .any(|key| section.get(key).is_some())
    }
}

/// The token endpoint, where it is configured; there must be that or an issuer to ask, which an MCP server names itself. An
/// issuer that is asked, for that or for other endpoints, must be one that may be. The outer `None` is a problem.
#[expect(clippy::option_option, reason = "a problem was found, or there is nothing to be found")]
pub(super) fn required_endpoints(
    section: &mut Section<'_, '_>,
    found: Option<Url>,
    issuer: Option<&str>,
    is_mcp: bool,
    discovers: bool,
    problems: &mut Problems<'_>,
) -> Option<Option<Url>> {
    if found.is_some() && !discovers {
        return Some(found);
    }
    if found.is_none() && section.get("token_endpoint").is_some() {
        return None;
    }
    let Some(issuer) = issuer else {
        if is_mcp {
            return Some(found);
        }
        let remedy = "name the issuer, or token_endpoint, and device_authorization_endpoint or authorization_endpoint with redirect_uri";
        section.missing("token_endpoint", "missing", remedy, problems);
        return None;
    };
    let span = section.get("issuer").and_then(|found| found.span);
    let key = section.key("issuer");
    match Url::parse(issuer) {
        Ok(url) if is_plain(&url) && Reach::of_issuer(&url).admits(&url) => Some(found),
        Ok(url) if is_plain(&url) && is_safe(&url) => {
            let remedy =
                "name its endpoints: only metadata of public issuers, or of this host's own, is asked for";
            problems.add(span, &key, "is an address of a private network", remedy);
            None
        }
        _ => {
            let remedy = "write the issuer as its metadata does, or name its endpoints";
            problems.add(
                span,
                &key,
                "is not an https address without query and fragment (http only on this host)",
                remedy,
            );
            None
        }
    }
}

/// RFC 8414 section 2.
fn is_plain(issuer: &Url) -> bool {
    let has_user = !issuer.username().is_empty() || issuer.password().is_some();
    issuer.query().is_none() && issuer.fragment().is_none() && !has_user
}

/// RFC 9207, as RFC 8414 metadata spells it.
pub(super) fn iss_promised(
    section: &mut Section<'_, '_>,
    has_issuer: bool,
    problems: &mut Problems<'_>,
) -> bool {
    const KEY: &str = "authorization_response_iss_parameter_supported";
    let promised = section.boolean(KEY, problems).unwrap_or(false);
    if promised && !has_issuer {
        section.missing(KEY, "needs the issuer to compare with", "configure issuer", problems);
    }
    promised
}
