//! What must hold for whatever an issuer publishes, and whatever lies in the cache.

use url::Url;

use super::kept::Kept;
use super::named::{self, Named};
use crate::oauth::DiscoveryError;
use crate::oauth::discovery::metadata::{self, Metadata, MetadataError};
use crate::oauth::protected_resource::{challenge, document};
use crate::provider::Reach;

const ISSUERS: [&str; 3] = ["https://id.example", "https://id.example/tenant/", "http://127.0.0.1:4444"];

/// T7, T13: a document is that of the issuer and names nothing out of its reach, or it is refused in plain words. The first
/// byte says whose it should be, and whether the rest is a document or a file of the cache.
///
/// # Panics
/// When that does not hold.
pub fn metadata(bytes: &[u8]) {
    let Some((first, text)) = bytes.split_first() else { return };
    let issuer = ISSUERS[usize::from(first % 8) % ISSUERS.len()];
    if first & 0x08 != 0 {
        let Some(kept) = Kept::read(text, issuer) else { return };
        within_reach(&kept.metadata, issuer);
        assert!(kept.url.path().contains("/.well-known/"), "a document from nowhere");
        return;
    }
    let read = metadata::read(text, issuer);
    assert!(read == metadata::read(text, issuer), "one document has two meanings");
    match &read {
        Ok(metadata) => {
            within_reach(metadata, issuer);
            // What is not looked at may hold what no value can: a number beyond all bounds.
            let value = serde_json::from_slice::<serde_json::Value>(text);
            assert!(
                value.map_or(true, |value| value["issuer"] == issuer),
                "another issuer's document is taken"
            );
        }
        Err(MetadataError::NoTokenEndpoint) => panic!("that is not known before it is put to use"),
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.chars().any(char::is_control) && shown.chars().count() < 800, "{shown}");
            // What is told of it stands beside an address that a server may have named.
            let url = String::from_utf8_lossy(text);
            if let Ok(url) = Url::parse(issuer).and_then(|issuer| issuer.join(&url)) {
                let shown = DiscoveryError::refused(&url, error.clone()).to_string();
                assert!(!shown.contains(['<', '[', '*', '`']) && shown.chars().count() < 1_200, "{shown}");
            }
        }
    }
}

const SERVERS: [&str; 3] =
    ["https://mcp.example/a/mcp", "https://mcp.example/?team=1", "http://127.0.0.1:4444/mcp"];

/// T7, T13: a challenge is read, whatever it is; a server's document is that server's and names nobody out of its reach, or it
/// is refused in plain words; so is a file of the cache. The first byte says whose it should be, and what the rest is.
///
/// # Panics
/// When that does not hold.
pub fn mcp_server(bytes: &[u8]) {
    let Some((first, text)) = bytes.split_first() else { return };
    let Ok(server) = Url::parse(SERVERS[usize::from(first % 4) % SERVERS.len()]) else { return };
    let admits =
        |issuer: &String| Url::parse(issuer).is_ok_and(|issuer| Reach::of_issuer(&server).admits(&issuer));
    let fits = |scopes: &[String]| scopes.iter().all(|scope| scope.bytes().all(|b| b.is_ascii_graphic()));
    match first & 0x0c {
        0x00 => {
            let header = String::from_utf8_lossy(text);
            for challenge in challenge::read(&header) {
                let scope = challenge.parameter("scope").unwrap_or_default();
                assert!(
                    !challenge.scheme.is_empty() && header.to_ascii_lowercase().contains(&challenge.scheme)
                );
                assert!(fits(&document::scopes(&scope.split(' ').collect::<Vec<_>>())), "no scope at all");
            }
        }
        0x04 => {
            let Some(kept) = Named::read(text, &server) else { return };
            let own = server.origin().ascii_serialization();
            assert!(
                kept.issuer.trim_end_matches('/') == own || admits(&kept.issuer),
                "an issuer out of reach"
            );
            assert!(kept.print(&server).is_some() && !named::name(&server).is_empty());
        }
        _ => match document::read(text, &server) {
            Ok(read) => {
                assert!(read.issuers.iter().all(admits), "an authorization server is out of reach");
                let resource = Url::parse(&read.resource);
                assert!(
                    resource.is_ok_and(|one| one.origin() == server.origin()),
                    "another server's document"
                );
                assert!(fits(&read.scopes), "no scope at all");
            }
            Err(error) => {
                let shown = error.to_string();
                assert!(!shown.chars().any(char::is_control) && shown.chars().count() < 800, "{shown}");
            }
        },
    }
}

fn within_reach(metadata: &Metadata, issuer: &str) {
    let reach = Url::parse(issuer).map_or(Reach::Public, |issuer| Reach::of_issuer(&issuer));
    let endpoints = [
        &metadata.token_endpoint,
        &metadata.authorization_endpoint,
        &metadata.device_authorization_endpoint,
        &metadata.revocation_endpoint,
        &metadata.registration_endpoint,
        &metadata.userinfo_endpoint,
    ];
    assert!(endpoints.into_iter().flatten().all(|url| reach.admits(url)), "an endpoint is out of reach");
}
