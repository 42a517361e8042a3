//! Our client at an authorization server, as that server registered it (RFC 7591).
//!
//! Owns the record [`Registration`]. Invariants: a registration is its issuer's and no other's; it is kept with the login
//! and the credential that came by it, since only that client can refresh what it was issued. Must not: register (`oauth`
//! does), or decide when to (`login` does).

use url::Url;

use crate::clock::UnixSeconds;
use crate::provider::is_loopback;
use crate::secret::Secret;

/// A client that an authorization server made for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The issuer that made it. With another issuer it means nothing.
    pub issuer: String,
    /// Its identifier there.
    pub client_id: String,
    /// Its secret, where it got one.
    pub client_secret: Option<Secret>,
    /// When the secret ends, in unix seconds; `None` if it does not.
    pub secret_expires_at: Option<UnixSeconds>,
    /// How it authenticates, in the standard's words: `none`, `client_secret_basic` or `client_secret_post`.
    pub auth_method: String,
    /// Where answers to it may go.
    pub redirect_uris: Vec<String>,
    /// When it was made.
    pub registered_at: Option<UnixSeconds>,
}

impl Registration {
    /// Whether it can be used at `issuer` now, for a sign-in that is answered at `redirect_uri`.
    #[must_use]
    pub fn serves(&self, issuer: &str, redirect_uri: Option<&str>, now: UnixSeconds) -> bool {
        self.issuer == issuer
            && redirect_uri.is_none_or(|wanted| self.takes(wanted))
            && !self.has_expired(now)
    }

    /// Whether answers may go to `redirect_uri`. Of an address on this host the port is open (RFC 8252 section 7.3).
    #[must_use]
    pub fn takes(&self, redirect_uri: &str) -> bool {
        self.redirect_uris
            .iter()
            .any(|uri| uri == redirect_uri || is_same_but_for_the_port(uri, redirect_uri))
    }

    /// Whether its secret has ended.
    #[must_use]
    pub fn has_expired(&self, now: UnixSeconds) -> bool {
        self.secret_expires_at.is_some_and(|at| at <= now)
    }
}

/// Whether both are addresses on this host that differ in nothing but the port.
fn is_same_but_for_the_port(one: &str, other: &str) -> bool {
    let portless = |text: &str| {
        let mut url = Url::parse(text).ok().filter(is_loopback)?;
        url.set_port(None).ok()?;
        Some(url)
    };
    portless(one).is_some_and(|one| portless(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_serves_its_issuer_and_addresses_until_it_ends() {
        let made = Registration {
            issuer: "https://id.example".to_owned(),
            client_id: "c".to_owned(),
            client_secret: Some(Secret::new("s")),
            secret_expires_at: Some(100),
            auth_method: "client_secret_basic".to_owned(),
            redirect_uris: vec![
                "http://127.0.0.1:8765/callback".to_owned(),
                "https://login.example/callback".to_owned(),
            ],
            registered_at: Some(1),
        };
        let own = Some("http://127.0.0.1:8765/callback");
        for (issuer, redirect_uri, now, serves) in [
            ("https://id.example", own, 99, true),
            ("https://id.example", None, 99, true),
            ("https://id.example", own, 100, false),
            ("https://id.example/", own, 99, false),
            ("https://id.example", Some("http://127.0.0.1:8765/other"), 99, false),
            ("https://id.example", Some("http://127.0.0.1:9/callback"), 99, true),
            ("https://id.example", Some("http://127.0.0.1/callback"), 99, true),
            ("https://id.example", Some("http://localhost:8765/callback"), 99, false),
            ("https://id.example", Some("https://login.example/callback"), 99, true),
            ("https://id.example", Some("https://login.example:8443/callback"), 99, false),
        ] {
            assert_eq!(made.serves(issuer, redirect_uri, now), serves, "{issuer} {redirect_uri:?} {now}");
        }
        assert!(!Registration { secret_expires_at: None, ..made }.has_expired(i64::MAX));
    }
}
