//! One request to an authorization server: its fields, and how our client, or the token that it shows, is presented.
//!
//! Owns client authentication (RFC 6749 section 2.3), the encoding of bodies, and the headers of requests by token.
//! Invariants: every secret that goes out is on the list by which the answer is masked (T10); a request that cannot be made
//! whole is not made. Must not: send anything.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::provider::{BodyFormat, ClientAuth, Reach, Resolved};
use crate::secret::Secret;

const AUTHORIZATION_NAME: &str = "Authorization";

pub(crate) struct Post {
    url: Url,
    reach: Reach,
    format: BodyFormat,
    /// Values are kept as secrets whatever they are, so that none is printed and all are wiped.
    fields: Vec<(&'static str, Secret)>,
    /// A body of its own, in place of fields.
    document: Option<Value>,
    basic: Option<Secret>,
    secrets: Vec<Secret>,
}

impl Post {
    /// A request that says who our client is, in the way the provider wants it.
    pub(crate) fn by_client(provider: &Resolved, url: &Url, format: BodyFormat) -> Self {
        let mut post = Self::anonymous(provider, url, format);
        match (provider.client_auth, &provider.client_secret) {
            (ClientAuth::Basic, Some(secret)) => post.authenticate(&provider.client_id, secret),
            (ClientAuth::Post, Some(secret)) => {
                post = post.text("client_id", &provider.client_id).secret("client_secret", secret);
            }
            _ => post = post.text("client_id", &provider.client_id),
        }
        post
    }

    /// A request that does not.
    pub(crate) fn anonymous(provider: &Resolved, url: &Url, format: BodyFormat) -> Self {
        let reach = provider.reach(url);
        Self {
            url: url.clone(),
            reach,
            format,
            fields: Vec::new(),
            document: None,
            basic: None,
            secrets: Vec::new(),
        }
    }

    /// A request that does not, with a JSON document that holds no secret.
    pub(crate) fn document(provider: &Resolved, url: &Url, document: Value) -> Self {
        Self { document: Some(document), ..Self::anonymous(provider, url, BodyFormat::Json) }
    }

    pub(crate) fn text(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, Secret::new(value)));
        self
    }

    pub(crate) fn secret(mut self, name: &'static str, value: &Secret) -> Self {
        self.fields.push((name, value.clone()));
        self.secrets.push(value.clone());
        self
    }

    /// A secret that the answer may repeat although this request does not carry it.
    pub(crate) fn hiding(mut self, secret: &Secret) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    /// RFC 6749 section 2.3.1: identifier and secret are form-encoded each, before they are joined.
    fn authenticate(&mut self, client_id: &str, secret: &Secret) {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(client_id), encode(secret.expose()));
        let encoded = BASE64_STANDARD.encode(pair);
        self.basic = Some(Secret::new(format!("Basic {encoded}")));
        self.secrets.push(secret.clone());
        self.secrets.push(Secret::new(encoded));
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// How far it may go.
    pub(crate) fn reach(&self) -> Reach {
        self.reach
    }

    pub(crate) fn basic(&self) -> Option<&Secret> {
        self.basic.as_ref()
    }

    /// Every secret that the answer to this request may repeat.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Content type and body.
    pub(crate) fn encode(&self) -> (&'static str, Vec<u8>) {
        if let Some(document) = &self.document {
            return ("application/json", document.to_string().into_bytes());
        }
        let pairs = self.fields.iter().map(|(name, value)| (*name, value.expose()));
        match self.format {
            BodyFormat::Form => {
                let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                ("application/x-www-form-urlencoded", body.into_bytes())
            }
            BodyFormat::Json => {
                let body: serde_json::Map<String, serde_json::Value> =
                    pairs.map(|(name, value)| (name.to_owned(), value.into())).collect();
                ("application/json", serde_json::Value::Object(body).to_string().into_bytes())
            }
        }
    }
}

/// A GET that shows a token (RFC 6750 section 2.1, or a scheme of the server's own).
pub(crate) struct Get {
    url: Url,
    reach: Reach,
    headers: Vec<(String, String)>,
    authorization: Secret,
    secrets: Vec<Secret>,
    bound: Option<Duration>,
}

impl Get {
    /// A request that shows `token` by `scheme`.
    pub(crate) fn by_token(provider: &Resolved, url: &Url, scheme: &str, token: &Secret) -> Self {
        let authorization = Secret::new(format!("{scheme} {}", token.expose()));
        let secrets = vec![token.clone()];
        let (url, reach) = (url.clone(), provider.reach(url));
        Self { url, reach, headers: Vec::new(), authorization, secrets, bound: None }
    }

    /// With these headers too.
    pub(crate) fn with_headers(mut self, headers: &[(String, String)]) -> Self {
        self.headers.extend_from_slice(headers);
        self
    }

    /// Given up after `bound`, where a lost reply loses nothing.
    pub(crate) fn within(mut self, bound: Duration) -> Self {
        self.bound = Some(bound);
        self
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// How far it may go.
    pub(crate) fn reach(&self) -> Reach {
        self.reach
    }

    /// Its own bound, if it has one.
    pub(crate) fn bound(&self) -> Option<Duration> {
        self.bound
    }

    /// Every secret that this request carries.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Its headers, of which the descriptor's cannot take the token's place.
    ///
    /// # Errors
    /// The name of one that cannot be sent: then none of it may be.
    pub(crate) fn headers(&self) -> Result<HeaderMap, &str> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            let known = HeaderName::try_from(name).map_err(|_| &**name)?;
            headers.insert(known, HeaderValue::try_from(value).map_err(|_| &**name)?);
        }
        let mut value = HeaderValue::from_str(self.authorization.expose()).map_err(|_| AUTHORIZATION_NAME)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::testing::provider;

    fn confidential(auth: ClientAuth) -> Resolved {
        let mut provider = provider("https://id.example/token");
        provider.client_id = "my app".to_owned();
        provider.client_secret = Some(Secret::new("s:ä"));
        provider.client_auth = auth;
        provider
    }

    fn body_of(provider: &Resolved, format: BodyFormat) -> (Option<String>, String) {
        let post = Post::by_client(provider, &provider.token_endpoint, format)
            .text("grant_type", "refresh_token")
            .secret("refresh_token", &Secret::new("r+1"));
        let basic = post.basic().map(|text| text.expose().to_owned());
        (basic, String::from_utf8(post.encode().1).unwrap())
    }

    /// T8: what RFC 6749 section 2.3.1 says of clients with a secret.
    #[test]
    fn a_client_shows_who_it_is_in_one_place() {
        let encoded = BASE64_STANDARD.encode("my+app:s%3A%C3%A4");
        assert_eq!(
            body_of(&confidential(ClientAuth::Basic), BodyFormat::Form),
            (Some(format!("Basic {encoded}")), "grant_type=refresh_token&refresh_token=r%2B1".to_owned())
        );
        assert_eq!(
            body_of(&confidential(ClientAuth::Post), BodyFormat::Form),
            (
                None,
                "client_id=my+app&client_secret=s%3A%C3%A4&grant_type=refresh_token&refresh_token=r%2B1"
                    .to_owned()
            )
        );
        assert_eq!(
            body_of(&confidential(ClientAuth::None), BodyFormat::Json),
            (None, r#"{"client_id":"my app","grant_type":"refresh_token","refresh_token":"r+1"}"#.to_owned())
        );
    }
}
