//! Where a provider differs on the wire: `[device]`, `[refresh]`, who tells whose the tokens are, and what its silence means.
//!
//! Owns the keys of those. Must not: have an opinion on any one provider.

use reqwest::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING,
};

use super::endpoints::Endpoints;
use crate::config::reader::{Problems, Section};
use crate::provider::{
    AccountClaims, DeviceProtocol, EmptyRefusal, Exchange, IdentitySource, RefreshProtocol, UserCodeProtocol,
};

const IDENTITIES: &[(&str, IdentitySource)] = &[
    ("id_token", IdentitySource::IdToken),
    ("reply", IdentitySource::Reply),
    ("userinfo", IdentitySource::Userinfo),
];

/// Who tells whose the tokens are, and where that names the account.
pub(super) fn identity(
    section: &mut Section<'_, '_>,
    endpoints: &Endpoints,
    discovers: bool,
    problems: &mut Problems<'_>,
) -> (IdentitySource, AccountClaims) {
    let standard = AccountClaims::default();
    let claims = AccountClaims {
        id: section.strings("account_claim", problems).unwrap_or(standard.id),
        email: section.strings("email_claim", problems).unwrap_or(standard.email),
    };
    let identity = section.choice("identity", IDENTITIES, problems).unwrap_or(IdentitySource::IdToken);
    if identity == IdentitySource::Userinfo && endpoints.userinfo.is_none() && !discovers {
        if endpoints.are_elsewhere && !section.is_own("identity") {
            return (IdentitySource::IdToken, claims);
        }
        let what = "\"userinfo\" needs userinfo_endpoint";
        section.missing("identity", what, "name it, or write identity = \"id_token\"", problems);
    }
    (identity, claims)
}

/// What a refusal without a word means.
pub(super) fn empty_refusal(section: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> EmptyRefusal {
    const MEANINGS: &[(&str, EmptyRefusal)] =
        &[("operator", EmptyRefusal::Operator), ("dead", EmptyRefusal::Dead)];
    section.choice("empty_refusal", MEANINGS, problems).unwrap_or(EmptyRefusal::Operator)
}

#[derive(Clone, Copy)]
enum Refresh {
    RefreshToken,
    Exchange,
}

/// The standard protocol if a problem was found.
pub(super) fn refresh(
    section: &mut Section<'_, '_>,
    is_elsewhere: bool,
    problems: &mut Problems<'_>,
) -> RefreshProtocol {
    const PROTOCOLS: &[(&str, Refresh)] =
        &[("refresh_token", Refresh::RefreshToken), ("exchange", Refresh::Exchange)];
    let Some(mut table) = section.table("refresh", problems) else { return RefreshProtocol::RefreshToken };
    let protocol = table.choice("protocol", PROTOCOLS, problems).unwrap_or(Refresh::RefreshToken);
    // Asked for under either protocol, so that overriding the protocol alone leaves no unknown keys behind.
    let endpoint = table.endpoint("endpoint", problems);
    let is_stray = is_elsewhere && !table.is_own("endpoint");
    let scheme = scheme(&mut table, problems);
    let headers = headers(&mut table, problems);
    if is_stray && matches!((protocol, &endpoint), (Refresh::Exchange, Some(_))) {
        stray(section, "refresh.endpoint", problems);
    }
    let refresh = match (protocol, endpoint) {
        (Refresh::RefreshToken, _) => RefreshProtocol::RefreshToken,
        (Refresh::Exchange, Some(endpoint)) => {
            RefreshProtocol::Exchange(Box::new(Exchange { endpoint, scheme, headers }))
        }
        (Refresh::Exchange, None) => {
            let remedy = "name it, or write protocol = \"refresh_token\"";
            table.missing("protocol", "\"exchange\" needs endpoint", remedy, problems);
            RefreshProtocol::RefreshToken
        }
    };
    table.finish(problems);
    refresh
}

/// That a built-in endpoint would be sent secrets of the server at the operator's token endpoint. Told where that stands.
fn stray(section: &mut Section<'_, '_>, endpoint: &str, problems: &mut Problems<'_>) {
    let span = section.get("token_endpoint").and_then(|found| found.span);
    let what =
        format!("is at another host than the built-in one, while {endpoint} is still the built-in one's");
    problems.add(span, &section.key("token_endpoint"), what, format!("write {endpoint} too"));
}

/// One token (RFC 9110 section 11.1), as header names are.
fn scheme(table: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> String {
    let scheme = table.string("scheme", problems).unwrap_or_else(|| "Bearer".to_owned());
    if HeaderName::try_from(&scheme).is_err() {
        let span = table.get("scheme").and_then(|found| found.span);
        let remedy = "write what stands before the token, such as \"Bearer\"";
        problems.add(span, &table.key("scheme"), "is not one word of ASCII letters and digits", remedy);
    }
    scheme
}

/// Headers that can be sent, and that are not the request's own.
fn headers(table: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Vec<(String, String)> {
    const OWN: [HeaderName; 6] = [HOST, AUTHORIZATION, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, COOKIE];
    let headers = table.pairs("headers", problems).unwrap_or_default();
    for (name, value) in &headers {
        let is_sendable =
            value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) && HeaderValue::try_from(value).is_ok();
        let (what, remedy) = match HeaderName::try_from(name) {
            Err(_) => (format!("{name:?} is no header's name"), "correct or remove it"),
            Ok(known) if OWN.contains(&known) => (format!("the request has its own {name}"), "take it out"),
            Ok(_) if !is_sendable => (
                format!("the value of {name} cannot be sent"),
                "write visible ASCII characters and spaces alone",
            ),
            Ok(_) => continue,
        };
        let span = table.get("headers").and_then(|found| found.span);
        problems.add(span, &table.key("headers"), what, remedy);
    }
    headers
}

#[derive(Clone, Copy)]
enum Device {
    Rfc8628,
    UserCode,
    UserCodeGrant,
}

/// The standard protocol if a problem was found.
pub(super) fn device(section: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> DeviceProtocol {
    const PROTOCOLS: &[(&str, Device)] = &[
        ("rfc8628", Device::Rfc8628),
        ("user_code", Device::UserCode),
        ("user_code_grant", Device::UserCodeGrant),
    ];
    let standard = DeviceProtocol::Rfc8628 { pkce: false };
    let Some(mut table) = section.table("device", problems) else { return standard };
    let protocol = table.choice("protocol", PROTOCOLS, problems).unwrap_or(Device::Rfc8628);
    // Asked for under any protocol, as above.
    let pkce = table.boolean("pkce", problems).unwrap_or(false);
    let poll_endpoint = table.endpoint("poll_endpoint", problems);
    let verification_uri = table.endpoint("verification_uri", problems);
    let exchange_redirect_uri = table.string("exchange_redirect_uri", problems);
    let statuses = table.numbers("pending_statuses", problems).unwrap_or_default();
    let pending_codes = table.strings("pending_codes", problems).unwrap_or_default();
    let device = match (protocol, poll_endpoint, verification_uri, exchange_redirect_uri) {
        (Device::Rfc8628, ..) => DeviceProtocol::Rfc8628 { pkce },
        (Device::UserCodeGrant, ..) => DeviceProtocol::UserCodeGrant,
        (Device::UserCode, Some(poll_endpoint), Some(verification_uri), Some(exchange_redirect_uri)) => {
            DeviceProtocol::UserCode(Box::new(UserCodeProtocol {
                poll_endpoint,
                verification_uri,
                exchange_redirect_uri,
                pending_statuses: statuses.iter().filter_map(|status| u16::try_from(*status).ok()).collect(),
                pending_codes,
            }))
        }
        (Device::UserCode, ..) => {
            let what = "\"user_code\" needs poll_endpoint, verification_uri and exchange_redirect_uri";
            table.missing("protocol", what, "name all three, or write protocol = \"rfc8628\"", problems);
            standard
        }
    };
    table.finish(problems);
    device
}
