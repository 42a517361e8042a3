//! What must hold for whatever an issuer publishes, and whatever lies in the cache.

use url::Url;

use super::kept::Kept;
use crate::oauth::discovery::metadata::{self, Metadata, MetadataError};
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
        }
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
