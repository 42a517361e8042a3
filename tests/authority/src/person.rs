//! A person who can sign in, and the clients that may ask them to.

/// The public client that both servers know from the start.
pub const CLIENT: &str = "latchkey";

/// Its redirect URI, at both servers. Nobody listens there unless a test does.
pub const REDIRECT: &str = "http://127.0.0.1:8765/cb";

/// A client with a secret (`client_secret_basic`) and the same redirect URI: its name and its secret, at the real servers.
pub const CONFIDENTIAL: (&str, &str) = ("latchkey-confidential", "sesame-of-the-confidential-client");

/// Somebody with an account at the authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The subject: the account's name at this server.
    pub sub: String,
    /// The e-mail address put into the identity token.
    pub email: String,
}

impl Person {
    /// A person with this subject and e-mail address.
    #[must_use]
    pub fn new(sub: impl Into<String>, email: impl Into<String>) -> Self {
        Self { sub: sub.into(), email: email.into() }
    }

    /// Ada, `ada@example.test`: the person of most tests.
    #[must_use]
    pub fn ada() -> Self {
        Self::new("ada", "ada@example.test")
    }

    /// Ben, `ben@example.test`: somebody else.
    #[must_use]
    pub fn ben() -> Self {
        Self::new("ben", "ben@example.test")
    }

    /// The account id that codex's identity token carries for this person.
    #[must_use]
    pub fn account_id(&self) -> String {
        format!("acct-{}", self.sub)
    }
}

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The `client_id`.
    pub id: String,
    /// The secret of a confidential client, accepted as `client_secret_basic` and `client_secret_post`.
    pub secret: Option<String>,
    /// The redirect URIs, compared whole.
    pub redirect_uris: Vec<String>,
    /// Whether a loopback redirect URI may differ in its port (RFC 8252, section 7.3).
    pub any_loopback_port: bool,
}

impl Client {
    /// A client without a secret.
    #[must_use]
    pub fn public(id: &str, redirect_uris: &[&str]) -> Self {
        Self {
            id: id.into(),
            secret: None,
            redirect_uris: redirect_uris.iter().map(ToString::to_string).collect(),
            any_loopback_port: false,
        }
    }

    /// A client with a secret.
    #[must_use]
    pub fn confidential(id: &str, secret: &str, redirect_uris: &[&str]) -> Self {
        Self { secret: Some(secret.into()), ..Self::public(id, redirect_uris) }
    }

    /// The same client, with any port accepted in a loopback redirect URI.
    #[must_use]
    pub fn with_any_loopback_port(mut self) -> Self {
        self.any_loopback_port = true;
        self
    }

    pub(crate) fn may_redirect_to(&self, wanted: &str) -> bool {
        self.redirect_uris
            .iter()
            .any(|known| known == wanted || (self.any_loopback_port && loopback_without_port(known, wanted)))
    }
}

fn loopback_without_port(known: &str, wanted: &str) -> bool {
    let port_free = |text: &str| {
        let mut url = url::Url::parse(text).ok()?;
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        (url.scheme() == "http" && loopback && url.set_port(None).is_ok()).then_some(url)
    };
    matches!((port_free(known), port_free(wanted)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_port_may_differ_only_where_that_is_set() {
        let strict = Client::public("c", &["http://127.0.0.1:8765/cb"]);
        assert!(strict.may_redirect_to("http://127.0.0.1:8765/cb"));
        assert!(!strict.may_redirect_to("http://127.0.0.1:1/cb"));
        let lax = strict.with_any_loopback_port();
        assert!(lax.may_redirect_to("http://127.0.0.1:1/cb"));
        assert!(!lax.may_redirect_to("http://127.0.0.1:1/other"));
        assert!(!lax.may_redirect_to("https://127.0.0.1:8765/cb"));
    }
}
