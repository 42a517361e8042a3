//! The authorization request: the address that a browser is sent to (RFC 6749 section 4.1.1, RFC 7636).
//!
//! Owns the making of verifier and state. Invariants: PKCE is S256, always (T1); verifier and state are random, fresh
//! and independent (T2). Must not: keep them, that is the pending login's part.

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};

use crate::provider::Resolved;
use crate::secret::Secret;

/// Random bytes in a verifier: 256 bits, 43 characters (T1).
const VERIFIER_BYTES: u32 = 32;
/// Random bytes in a state: twice what T2 asks for, since some providers refuse short ones.
const STATE_BYTES: u32 = 32;

/// Why no authorization request can be made. All are the operator's to mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeError {
    /// The descriptor has no authorization endpoint.
    #[error("{provider} has no sign-in page: configure its authorization_endpoint, or choose another way")]
    NoEndpoint {
        /// The provider's title.
        provider: String,
    },
    /// The descriptor has no redirect URI, or none that is a URI.
    #[error("{provider} has no redirect URI: configure its redirect_uri, as it is registered there")]
    NoRedirectUri {
        /// The provider's title.
        provider: String,
    },
}

/// One authorization request. `Debug` shows the address without its parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizeRequest {
    /// Where to send the browser.
    pub url: String,
    /// The code verifier.
    pub verifier: Secret,
    /// What the answer must carry.
    pub state: Secret,
    /// Where the answer must arrive, exactly as registered.
    pub redirect_uri: String,
}

impl std::fmt::Debug for AuthorizeRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address carries the state (Z1).
        let page = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("AuthorizeRequest").field("url", &page).finish_non_exhaustive()
    }
}

/// Makes an authorization request of `provider`, to be answered at `redirect_uri`: its own for pasted answers, our page's
/// for a callback.
///
/// # Errors
/// When the descriptor lacks an endpoint, or there is no redirect URI.
pub fn authorize(
    provider: &Resolved,
    redirect_uri: Option<&str>,
) -> Result<AuthorizeRequest, AuthorizeError> {
    let title = || provider.title.clone();
    let endpoint = provider
        .authorization_endpoint
        .clone()
        .ok_or_else(|| AuthorizeError::NoEndpoint { provider: title() })?;
    let redirect_uri =
        redirect_uri.ok_or_else(|| AuthorizeError::NoRedirectUri { provider: title() })?.to_owned();
    let redirect = RedirectUrl::new(redirect_uri.clone())
        .map_err(|_| AuthorizeError::NoRedirectUri { provider: title() })?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256_len(VERIFIER_BYTES);
    let client =
        BasicClient::new(ClientId::new(provider.client_id.clone())).set_auth_uri(AuthUrl::from_url(endpoint));
    let mut request = client
        .authorize_url(|| CsrfToken::new_random_len(STATE_BYTES))
        .set_redirect_uri(std::borrow::Cow::Owned(redirect))
        .set_pkce_challenge(challenge)
        .add_scopes(provider.scopes.iter().cloned().map(Scope::new));
    if let Some(resource) = &provider.resource {
        // RFC 8707 section 2.1.
        request = request.add_extra_param("resource", resource);
    }
    for (name, value) in &provider.authorize_params {
        request = request.add_extra_param(name, value);
    }
    let (url, state) = request.url();
    Ok(AuthorizeRequest {
        url: url.into(),
        verifier: Secret::new(verifier.into_secret()),
        state: Secret::new(state.into_secret()),
        redirect_uri,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use sha2::{Digest, Sha256};
    use url::Url;

    use super::*;
    use crate::oauth::token::testing::provider;

    const REDIRECT: &str = "http://localhost:1455/auth/callback";

    fn paste() -> Resolved {
        let mut provider = provider("https://id.example/token");
        provider.authorization_endpoint = Url::parse("https://id.example/authorize?tenant=7").ok();
        provider.authorize_params = vec![("code".to_owned(), "true".to_owned())];
        provider.resource = Some("https://mcp.example/mcp".to_owned());
        provider
    }

    /// T1, T2, RFC 8707 section 2.1
    #[test]
    fn the_request_is_whole_and_its_secrets_are_fresh() {
        let one = authorize(&paste(), Some(REDIRECT)).unwrap();
        let url = Url::parse(&one.url).unwrap();
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(one.verifier.expose()));
        let expected = [
            ("tenant", "7"),
            ("response_type", "code"),
            ("client_id", "latchkey"),
            ("state", one.state.expose()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("redirect_uri", REDIRECT),
            ("scope", "openid offline_access"),
            ("code", "true"),
            ("resource", "https://mcp.example/mcp"),
        ];
        let found: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        assert_eq!(found.len(), expected.len());
        let found: BTreeMap<String, String> = found.into_iter().collect();
        let expected: BTreeMap<String, String> =
            expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(found, expected);

        let two = authorize(&paste(), Some(REDIRECT)).unwrap();
        assert!(one.verifier != two.verifier && one.state != two.state && one.verifier != one.state);
        for secret in [&one.verifier, &one.state] {
            assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(secret.expose()).map(|bytes| bytes.len()), Ok(32));
        }
    }

    /// Z1
    #[test]
    fn printing_a_request_shows_no_secret() {
        let request = authorize(&paste(), Some(REDIRECT)).unwrap();
        let shown = format!("{request:?}");
        assert!(!shown.contains(request.state.expose()) && shown.contains("https://id.example/authorize"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut provider = paste();
        assert_eq!(
            authorize(&provider, None).map_err(|error| error.to_string()),
            Err("Acme has no redirect URI: configure its redirect_uri, as it is registered there".to_owned())
        );
        provider.authorization_endpoint = None;
        assert!(matches!(authorize(&provider, Some(REDIRECT)), Err(AuthorizeError::NoEndpoint { .. })));
    }
}
