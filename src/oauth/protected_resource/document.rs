//! What an MCP server publishes of itself (RFC 9728 section 2), and what is believed of it.
//!
//! Owns the reading of that document. Invariants: it is of the server that is configured, or of a part of its address
//! that the server is below (section 3.3); the authorization servers that it names are within the server's reach (T7, T13).
//! Must not: fetch.

use serde::Deserialize;
use url::Url;

use crate::oauth::mask;
use crate::provider::{Reach, is_bare};

/// Authorization servers of one document that are looked at; those behind are left out.
const MOST_ISSUERS: usize = 4;
/// Scopes that are asked for on a server's word alone; those behind are left out.
const MOST_SCOPES: usize = 64;

/// The longest address that is taken, in bytes: issuers are kept by theirs.
const LONGEST_ADDRESS: usize = 2_048;

/// What is used of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceMetadata {
    /// What tokens are to be for (RFC 8707), as the server spells it.
    pub resource: String,
    /// The issuers that give tokens for it, in the server's order.
    pub issuers: Vec<String>,
    /// The scopes that it knows.
    pub scopes: Vec<String>,
}

/// Why a document must not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// It is no JSON object at all.
    #[error("it is no JSON object")]
    NotJson,
    /// A member has a type that the standard does not give it, or stands there twice.
    #[error("it is malformed ({0}); tell whoever runs the server, or write its issuer")]
    Malformed(String),
    /// RFC 9728 section 3.3.
    #[error(
        "it is the document of {found:?}, and {configured:?} is configured; if that is the same server, write its address, or its issuer"
    )]
    OtherResource {
        /// What it says.
        found: String,
        /// What the operator says.
        configured: String,
    },
    /// Something that nobody outside may name (T7, T13).
    #[error(
        "its {member} {found:?} is not an https address of the public network (for a server on this host: an address of this host); if it is right, write its issuer or endpoints"
    )]
    OutOfReach {
        /// What is named.
        member: &'static str,
        /// What it says.
        found: String,
    },
}

#[derive(Deserialize)]
struct Wire {
    resource: Option<String>,
    authorization_servers: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
}

/// Reads the document `text` of `server`.
///
/// # Errors
/// When it must not be used.
pub fn read(text: &[u8], server: &Url) -> Result<ResourceMetadata, ResourceError> {
    let is_object = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let wire: Wire = match serde_json::from_slice(text) {
        Ok(wire) if is_object => wire,
        Err(error) if is_object && error.is_data() => {
            return Err(ResourceError::Malformed(mask::plain(&error.to_string())));
        }
        _ => return Err(ResourceError::NotJson),
    };
    let resource = wire.resource.unwrap_or_default();
    if !covers(&resource, server) {
        let (found, configured) = (mask::plain(&resource), mask::plain(server.as_str()));
        return Err(ResourceError::OtherResource { found, configured });
    }
    let mut issuers = wire.authorization_servers.unwrap_or_default();
    issuers.truncate(MOST_ISSUERS);
    for issuer in &issuers {
        may_name("authorization_servers", issuer, server)?;
    }
    Ok(ResourceMetadata { resource, issuers, scopes: scopes(&wire.scopes_supported.unwrap_or_default()) })
}

/// The address `text` that `server` names as `member`, if it may.
///
/// # Errors
/// When it is out of the server's reach.
pub fn may_name(member: &'static str, text: &str, server: &Url) -> Result<Url, ResourceError> {
    let is_short = text.len() <= LONGEST_ADDRESS;
    let url =
        Url::parse(text).ok().filter(|url| is_short && is_bare(url) && Reach::of_issuer(server).admits(url));
    url.ok_or_else(|| ResourceError::OutOfReach { member, found: mask::plain(text) })
}

/// Whether `resource` is `server`, or an address of the same origin that it is below.
fn covers(resource: &str, server: &Url) -> bool {
    let is_short = resource.len() <= LONGEST_ADDRESS || resource == server.as_str();
    let Some(resource) = Url::parse(resource).ok().filter(|_| is_short) else { return false };
    let folder = |url: &Url| format!("{}/", url.path().trim_end_matches('/'));
    let is_below = folder(server).starts_with(&folder(&resource));
    let same_query = resource.query().is_none() || resource.query() == server.query();
    resource.origin() == server.origin() && is_below && same_query && is_bare(&resource)
}

/// Those of `words` that are scopes (RFC 6749 section 3.3), each once.
#[must_use]
pub fn scopes<T: AsRef<str>>(words: &[T]) -> Vec<String> {
    let is_scope = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
    };
    let mut found: Vec<String> = Vec::new();
    for word in words.iter().map(AsRef::as_ref).filter(|word| is_scope(word)) {
        if found.len() < MOST_SCOPES && !found.iter().any(|other| other == word) {
            found.push(word.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn server(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    /// RFC 9728 section 3.3
    #[test]
    fn a_document_is_of_the_server_or_of_what_it_is_below() {
        let at = server("https://mcp.example/a/mcp?team=1");
        for (resource, is_its_own) in [
            ("https://mcp.example/a/mcp?team=1", true),
            ("https://mcp.example/a/mcp", true),
            ("https://mcp.example/a/mcp/", true),
            ("https://mcp.example/a", true),
            ("https://mcp.example", true),
            ("https://MCP.example:443/", true),
            ("https://mcp.example/a/mcp?team=2", false),
            ("https://mcp.example/a/mc", false),
            ("https://mcp.example/a/mcp/more", false),
            ("https://mcp.example/b", false),
            ("https://mcp.example:8443/", false),
            ("http://mcp.example/", false),
            ("https://other.example/a/mcp", false),
            ("https://user@mcp.example/", false),
            ("https://mcp.example/#a", false),
            ("mcp.example", false),
            ("", false),
        ] {
            let text = json!({ "resource": resource }).to_string();
            let read = read(text.as_bytes(), &at);
            let configured = mask::plain(at.as_str());
            let expected = if is_its_own {
                Ok(ResourceMetadata { resource: resource.to_owned(), issuers: vec![], scopes: vec![] })
            } else {
                Err(ResourceError::OtherResource { found: mask::plain(resource), configured })
            };
            assert_eq!(read, expected, "{resource}");
        }
    }

    /// T13, T7: a public server never leads into a private network, and one of this host never beyond it.
    #[test]
    fn a_server_names_authorization_servers_within_its_reach() {
        let named = |at: &str, issuer: &str| {
            let text = json!({ "resource": at, "authorization_servers": ["https://1.1.1.1", issuer] });
            let own = if at.starts_with("https") { "https://1.1.1.1" } else { "http://127.0.0.1:1" };
            let text = text.to_string().replace("https://1.1.1.1", own);
            read(text.as_bytes(), &server(at)).map(|read| read.issuers.len())
        };
        for issuer in ["https://id.example/t", "https://8.8.8.8"] {
            assert_eq!(named("https://mcp.example/mcp", issuer), Ok(2), "{issuer}");
        }
        let member = "authorization_servers";
        for found in [
            "http://id.example",
            "https://10.0.0.1",
            "https://169.254.169.254/latest",
            "https://localhost",
            "http://127.0.0.1:1",
            "https://[::1]",
            "https://me@id.example",
            "id.example",
            "",
        ] {
            let refused = Err(ResourceError::OutOfReach { member, found: mask::plain(found) });
            assert_eq!(named("https://mcp.example/mcp", found), refused, "{found}");
        }
        let of_length = |length: usize| format!("{:a<length$}", "https://id.example/");
        assert_eq!(named("https://mcp.example/mcp", &of_length(LONGEST_ADDRESS)), Ok(2));
        assert!(named("https://mcp.example/mcp", &of_length(LONGEST_ADDRESS + 1)).is_err());
        assert_eq!(named("http://127.0.0.1:9/mcp", "http://localhost:7"), Ok(2));
        assert!(named("http://127.0.0.1:9/mcp", "https://id.example").is_err());
        assert!(named("http://127.0.0.1:9/mcp", "http://10.0.0.1").is_err());
    }

    #[test]
    fn what_is_no_document_is_refused_and_what_is_no_scope_left_out() {
        let at = server("https://mcp.example/mcp");
        for text in ["", "<html>", "[]", "null", "{"] {
            assert_eq!(read(text.as_bytes(), &at), Err(ResourceError::NotJson), "{text}");
        }
        let odd =
            json!({ "resource": at.as_str(), "authorization_servers": "https://id.example" }).to_string();
        assert!(matches!(read(odd.as_bytes(), &at), Err(ResourceError::Malformed(_))));
        assert_eq!(scopes(&["read", "a b", "", "write", "read", "q\"", "ä", "x\n"]), ["read", "write"]);
        let many: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        assert_eq!(scopes(&many).len(), MOST_SCOPES);
    }
}
