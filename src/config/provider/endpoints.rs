//! Whether a provider's endpoints are configured, or can be discovered.
//!
//! Owns what must hold of an issuer that is to be asked (RFC 8414 section 2, T13). Invariant: where the operator has put the
//! token endpoint elsewhere, no built-in endpoint of another host is sent what that one issues. Must not: ask anybody.

use url::Url;

use crate::config::problem::Problem;
use crate::config::reader::{Problems, Section, nearest};
use crate::provider::{BUILTINS, Reach, is_bare, is_safe};

/// Those that are configured, by the names of RFC 8414 and `OpenID` Connect Discovery.
pub(super) struct Endpoints {
    pub(super) token: Option<Url>,
    pub(super) device_authorization: Option<Url>,
    pub(super) authorization: Option<Url>,
    pub(super) revocation: Option<Url>,
    pub(super) registration: Option<Url>,
    pub(super) userinfo: Option<Url>,
    /// Whether the token endpoint is the operator's, at another host than the built-in's: what else is built in and takes
    /// secrets is not meant then.
    pub(super) are_elsewhere: bool,
}

impl Endpoints {
    pub(super) fn read(
        section: &mut Section<'_, '_>,
        problems: &mut Problems<'_>,
        warnings: &mut Vec<Problem>,
    ) -> Self {
        let token = section.endpoint("token_endpoint", problems);
        let built_in = section.built_in("token_endpoint").and_then(|text| Url::parse(text).ok());
        let are_elsewhere =
            token.as_ref().zip(built_in).is_some_and(|(token, built_in)| token.host() != built_in.host());
        // What the operator has said of these makes them needless.
        let settled = [("revocation_endpoint", "revocation"), ("userinfo_endpoint", "identity")]
            .into_iter()
            .filter_map(|(endpoint, by)| section.is_own(by).then_some(endpoint))
            .collect::<Vec<_>>();
        let mut with_secrets = |name, instead: Option<&str>| {
            let found = section.endpoint(name, problems)?;
            if !are_elsewhere || section.is_own(name) {
                return Some(found);
            }
            if let Some(instead) = instead.filter(|_| !settled.contains(&name)) {
                warnings.push(Problem {
                    line: None,
                    column: None,
                    key: section.key(name),
                    what: "the built-in one is not used, since token_endpoint is at another host".to_owned(),
                    remedy: format!("write it too, or {instead}"),
                });
            }
            None
        };
        let revocation = with_secrets("revocation_endpoint", Some("revocation = \"none\""));
        let registration = with_secrets("registration_endpoint", None);
        let userinfo = with_secrets("userinfo_endpoint", Some("identity = \"id_token\""));
        Self {
            token,
            device_authorization: section.endpoint("device_authorization_endpoint", problems),
            authorization: section.endpoint("authorization_endpoint", problems),
            revocation,
            registration,
            userinfo,
            are_elsewhere,
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
        let name = section.path.rsplit('.').next().unwrap_or_default();
        let known = BUILTINS.iter().map(|builtin| builtin.name).collect();
        let remedy = match nearest(name, &known) {
            Some(known) => format!("did you mean the built-in [providers.{known}]? Else {remedy}"),
            None => remedy.to_owned(),
        };
        section.missing("token_endpoint", "missing", &remedy, problems);
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
    issuer.query().is_none() && is_bare(issuer)
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
