//! Tests of documents, and of what they add to a provider.

use serde_json::{Value, json};

use super::*;
use crate::oauth::token::testing::provider;

const ISSUER: &str = "https://id.example";

fn document(change: &Value) -> Vec<u8> {
    let mut document = json!({
        "issuer": ISSUER,
        "token_endpoint": "https://id.example/token",
        "authorization_endpoint": "https://id.example/authorize",
        "device_authorization_endpoint": "https://id.example/device",
        "revocation_endpoint": "https://id.example/revoke",
        "registration_endpoint": "https://id.example/register",
        "userinfo_endpoint": "https://id.example/userinfo",
        "scopes_supported": ["openid", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
        "client_id_metadata_document_supported": true,
        "jwks_uri": 7,
    });
    for (name, value) in change.as_object().unwrap() {
        document[name] = value.clone();
    }
    document.to_string().into_bytes()
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

/// T13, T1
#[test]
fn a_document_is_read_for_what_is_used_of_it() {
    let all = Metadata {
        token_endpoint: Some(url("https://id.example/token")),
        authorization_endpoint: Some(url("https://id.example/authorize")),
        device_authorization_endpoint: Some(url("https://id.example/device")),
        revocation_endpoint: Some(url("https://id.example/revoke")),
        registration_endpoint: Some(url("https://id.example/register")),
        userinfo_endpoint: Some(url("https://id.example/userinfo")),
        scopes_supported: vec!["openid".to_owned(), "offline_access".to_owned()],
        client_auth_methods: vec!["client_secret_basic".to_owned(), "none".to_owned()],
        takes_s256: true,
        grants_by_code: true,
        grants_by_device: true,
        iss_promised: false,
    };
    assert_eq!(read(&document(&json!({})), ISSUER), Ok(all.clone()), "what is not listed is not denied");
    let change = json!({
        "code_challenge_methods_supported": ["plain"],
        "grant_types_supported": ["refresh_token"],
        "authorization_response_iss_parameter_supported": true,
        "revocation_endpoint": null,
    });
    let barred = Metadata {
        takes_s256: false,
        grants_by_code: false,
        grants_by_device: false,
        iss_promised: true,
        revocation_endpoint: None,
        ..all
    };
    assert_eq!(read(&document(&change), ISSUER), Ok(barred));
}

/// T13, T7
#[test]
fn a_document_that_must_not_be_used_is_refused_with_the_reason() {
    for issuer in
        ["https://id.example/", "https://ID.example", "https://id.example:443", "http://id.example", ""]
    {
        let refused = read(&document(&json!({ "issuer": issuer })), ISSUER);
        let (found, configured) = (issuer.to_owned(), ISSUER.to_owned());
        assert_eq!(refused, Err(MetadataError::OtherIssuer { found, configured }));
    }
    for member in [
        "token_endpoint",
        "authorization_endpoint",
        "device_authorization_endpoint",
        "revocation_endpoint",
        "registration_endpoint",
        "userinfo_endpoint",
    ] {
        for found in [
            "http://id.example/x",
            "https://10.0.0.1/x",
            "https://169.254.169.254/latest",
            "https://[::1]/x",
            "https://localhost/x",
            "http://127.0.0.1/x",
            "https://user@id.example/x",
            "https://id.example/x#y",
            "/token",
            "",
        ] {
            let refused = read(&document(&json!({ member: found })), ISSUER);
            assert_eq!(refused, Err(MetadataError::OutOfReach { member, found: mask::plain(found) }));
        }
    }
    for (member, value) in
        [("issuer", json!(1)), ("token_endpoint", json!([])), ("grant_types_supported", json!("code"))]
    {
        let refused = read(&document(&json!({ member: value })), ISSUER);
        assert!(matches!(refused, Err(MetadataError::Malformed(_))), "{refused:?}");
    }
    for text in ["", "<html>", "[]", "null", "{", "\u{feff}{}"] {
        assert_eq!(read(text.as_bytes(), ISSUER), Err(MetadataError::NotJson), "{text}");
    }
}

/// T13: an issuer on this host names addresses of this host, and no others.
#[test]
fn a_loopback_issuer_names_loopback_endpoints() {
    let issuer = "http://127.0.0.1:4444";
    let of = |endpoint: &str| {
        let text = json!({ "issuer": issuer, "token_endpoint": endpoint }).to_string();
        read(text.as_bytes(), issuer).map(|metadata| metadata.token_endpoint.map(|url| url.to_string()))
    };
    assert_eq!(of("http://localhost:1/t"), Ok(Some("http://localhost:1/t".to_owned())));
    for elsewhere in ["https://id.example/t", "http://10.0.0.1/t", "https://1.1.1.1/t"] {
        assert!(of(elsewhere).is_err(), "{elsewhere}");
    }
}

fn discovering() -> Provider {
    let mut provider = (*provider("https://unused.example")).clone();
    provider.issuer = Some(ISSUER.to_owned());
    provider.token_endpoint = None;
    provider.discovers = true;
    provider.redirect_uri = Some("http://127.0.0.1:1/cb".to_owned());
    provider.flows = vec![Flow::Device, Flow::Paste];
    provider
}

fn resolved(provider: &Provider, change: &Value) -> Resolved {
    resolve(provider, &read(&document(change), ISSUER).unwrap()).unwrap()
}

/// T13: one by one; and only what was found is kept from the private network.
#[test]
fn a_configured_endpoint_beats_a_discovered_one() {
    let inner = url("https://10.0.0.1/device");
    let provider = Provider { device_authorization_endpoint: Some(inner.clone()), ..discovering() };
    let resolved = resolved(&provider, &json!({ "authorization_response_iss_parameter_supported": true }));
    assert_eq!(resolved.token_endpoint, url("https://id.example/token"));
    assert_eq!(resolved.device_authorization_endpoint, Some(inner.clone()));
    assert_eq!(resolved.revocation_endpoint, Some(url("https://id.example/revoke")));
    assert_eq!(resolved.userinfo_endpoint, Some(url("https://id.example/userinfo")));
    assert_eq!(resolved.registration_endpoint, Some(url("https://id.example/register")));
    assert_eq!(resolved.client_auth_methods(), ["client_secret_basic", "none"]);
    assert!(resolved.iss_promised);
    for (endpoint, reach) in [
        (inner.as_str(), Reach::Anywhere),
        ("https://id.example/token", Reach::Public),
        ("https://id.example/revoke", Reach::Public),
        ("https://id.example/register", Reach::Public),
        ("https://id.example/userinfo", Reach::Public),
    ] {
        assert_eq!(resolved.reach(&url(endpoint)), reach, "{endpoint}");
    }
    let captured = provider.at(url("https://id.example/older"), "latchkey".to_owned());
    assert_eq!(captured.reach(&captured.token_endpoint), Reach::Public, "a login's own, found at its start");
    let none = read(&document(&json!({ "token_endpoint": null })), ISSUER).unwrap();
    assert_eq!(resolve(&provider, &none), Err(MetadataError::NoTokenEndpoint));
}

/// T1, T13: what the metadata leaves of the ways to sign in.
#[test]
fn the_metadata_takes_out_ways_that_are_not_there() {
    let ways = |provider: &Provider, change: &Value| {
        let resolved = resolved(provider, change);
        (resolved.flows.clone(), resolved.barred().map(|(flow, _)| flow).collect::<Vec<_>>())
    };
    let (both, device, paste) = (vec![Flow::Device, Flow::Paste], vec![Flow::Device], vec![Flow::Paste]);
    let grants = |list: &[&str]| json!({ "grant_types_supported": list });
    for (change, left, out) in [
        (json!({}), &both, &vec![]),
        (json!({ "code_challenge_methods_supported": ["plain", "S256"] }), &both, &vec![]),
        (json!({ "code_challenge_methods_supported": ["plain"] }), &device, &paste),
        (json!({ "code_challenge_methods_supported": [] }), &device, &paste),
        (json!({ "device_authorization_endpoint": null }), &paste, &device),
        (json!({ "authorization_endpoint": null }), &device, &paste),
        (grants(&["authorization_code"]), &paste, &device),
        (grants(&[DEVICE_GRANT]), &device, &paste),
        (grants(&[]), &vec![], &both),
    ] {
        assert_eq!(ways(&discovering(), &change), (left.clone(), out.clone()), "{change}");
    }
    // An endpoint that the operator has named counts for more than a list; S256 does not (T1).
    let named = Provider {
        device_authorization_endpoint: Some(url("https://id.example/d")),
        authorization_endpoint: Some(url("https://id.example/a")),
        ..discovering()
    };
    assert_eq!(ways(&named, &grants(&[])), (both, vec![]));
    assert_eq!(ways(&named, &json!({ "code_challenge_methods_supported": ["plain"] })), (device, paste));
}
