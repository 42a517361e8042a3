//! A minimal client, as the product's own would speak.
#![allow(dead_code, reason = "each test program uses its own part")]
#![expect(clippy::unwrap_used, reason = "a test that cannot ask its server has failed")]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey_test_authority::Authority;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

pub const REDIRECT: &str = "http://127.0.0.1:8765/cb";

/// A login under way, with everything the exchange needs.
#[derive(Clone, Debug)]
pub struct Login {
    pub url: String,
    pub state: String,
    pub verifier: String,
    pub redirect_uri: String,
}

impl Login {
    pub fn new(authority: &Authority) -> Self {
        Self::at(&authority.authorization_endpoint(), "latchkey", "openid email offline_access")
    }

    pub fn at(endpoint: &str, client: &str, scope: &str) -> Self {
        let verifier = format!(
            "{:0<43}",
            format!("verifier-{:?}", std::time::SystemTime::now())
                .replace(|c: char| !c.is_ascii_alphanumeric(), "")
        );
        let state = format!("state-{}", &verifier[..40]);
        let url = url_for(endpoint, client, scope, REDIRECT, &state, &verifier);
        Self { url, state, verifier, redirect_uri: REDIRECT.into() }
    }
}

pub fn authorize_url(authority: &Authority, redirect: &str, state: &str, verifier: &str) -> String {
    url_for(&authority.authorization_endpoint(), "latchkey", "openid", redirect, state, verifier)
}

fn url_for(endpoint: &str, client: &str, scope: &str, redirect: &str, state: &str, verifier: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let fields = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", redirect),
        ("scope", scope),
        ("state", state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("prompt", "consent"),
    ];
    Url::parse_with_params(endpoint, fields).unwrap().into()
}

pub fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

pub async fn post_form(url: &str, fields: &[(&str, &str)]) -> reqwest::Result<reqwest::Response> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    http().post(url).header("content-type", "application/x-www-form-urlencoded").body(body).send().await
}

pub async fn post_json(url: &str, body: &Value) -> (u16, Value) {
    let sent = http().post(url).header("content-type", "application/json").body(body.to_string()).send();
    read(sent.await.unwrap()).await
}

pub async fn read(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.text().await.unwrap();
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

pub async fn exchange_at(endpoint: &str, client: &str, login: &Login, code: &str) -> (u16, Value) {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", &login.verifier),
        ("redirect_uri", &login.redirect_uri),
        ("client_id", client),
    ];
    read(post_form(endpoint, &form).await.unwrap()).await
}

pub async fn exchange(authority: &Authority, login: &Login, code: &str) -> (u16, Value) {
    exchange_at(&authority.token_endpoint(), "latchkey", login, code).await
}

pub async fn refresh_at(endpoint: &str, client: &str, token: &str) -> reqwest::Result<(u16, Value)> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", client)];
    Ok(read(post_form(endpoint, &form).await?).await)
}

pub async fn refresh(authority: &Authority, token: &str) -> (u16, Value) {
    refresh_at(&authority.token_endpoint(), "latchkey", token).await.unwrap()
}

pub async fn api_status(authority: &Authority, tokens: &Value) -> u16 {
    let token = tokens["access_token"].as_str().unwrap();
    let answer = http().get(authority.api_url()).header("authorization", format!("Bearer {token}")).send();
    answer.await.unwrap().status().as_u16()
}

pub fn query(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap();
    let value = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    value.unwrap_or_default()
}
