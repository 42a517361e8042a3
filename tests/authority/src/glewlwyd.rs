//! Debian's `glewlwyd` as a real authorization server: a program in C whose pages are a script over its API.
//!
//! Strict: PKCE is required, a refresh token serves once, and its second use ends the chain. What must hold: it has a
//! folder and a database of its own, listens on loopback only, and ends with its handle. Every wait is bounded.

mod people;
mod process;

use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::browser::background;
use crate::front::Front;
use crate::person::{CLIENT, REDIRECT};
use crate::{Browser, CONFIDENTIAL};
use process::Process;

/// How often, and after which pause, a server that has just started is asked whether it answers.
const AWAITED: usize = 40;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(250);

/// A running `glewlwyd`, with the person `ada` and the clients [`CLIENT`] and [`CONFIDENTIAL`].
#[derive(Debug)]
pub struct Glewlwyd {
    front: Front,
    process: Process,
}

impl Glewlwyd {
    /// Starts the server and sets it up by its own API, as its administrator would.
    pub async fn start() -> Self {
        let front = match Front::open().await {
            Ok(front) => front,
            Err(why) => panic!("glewlwyd cannot run: {why}"),
        };
        let origin = front.origin().to_owned();
        let started = background(async move { spawn_blocking(move || Process::start(&origin)).await });
        let process = match started.await {
            Ok(Ok(process)) => process,
            Ok(Err(why)) => panic!("glewlwyd cannot run: {why}"),
            Err(panicked) => panic!("the start of glewlwyd panicked: {panicked}"),
        };
        front.lead_to(process.address);
        let server = Self { front, process };
        server.set_up().await;
        server
    }

    /// What went by: requests without a browser, and secrets.
    #[must_use]
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// The issuer, as its metadata spells it.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/api/oidc", self.front.origin())
    }

    /// The id of the process that holds it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it has written.
    #[must_use]
    pub fn said(&self) -> String {
        self.process.said()
    }

    /// Whether its userinfo endpoint accepts an access token.
    pub async fn accepts(&self, token: &str) -> bool {
        crate::front::accepts(&format!("{}/userinfo", self.issuer()), token).await
    }

    async fn set_up(&self) {
        let mut admin = Browser::new();
        let session = json!({"username": "admin", "password": "password"});
        // It says that it has started a moment before it answers.
        let auth = format!("{}/api/auth/", self.front.origin());
        for _ in 0..AWAITED {
            if admin.send_json(reqwest::Method::POST, &auth, &session).await.status == 200 {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.post(&mut admin, "auth/", &session).await;
        self.post(&mut admin, "mod/plugin/", &plugin(&self.issuer())).await;
        let ada = json!({"username": "ada", "name": "Ada", "email": "ada@example.test", "password": "any-password",
            "scope": ["openid", "g_profile"], "enabled": true});
        self.post(&mut admin, "user/", &ada).await;
        self.post(&mut admin, "client/", &client(CLIENT, None)).await;
        self.post(&mut admin, "client/", &client(CONFIDENTIAL.0, Some(CONFIDENTIAL.1))).await;
    }

    async fn post(&self, browser: &mut Browser, path: &str, body: &Value) {
        let address = format!("{}/api/{path}", self.front.origin());
        let page = browser.send_json(reqwest::Method::POST, &address, body).await;
        assert_eq!(page.status, 200, "glewlwyd refuses {path}: {} {}", page.body, self.said());
    }
}

/// The OpenID plugin, as strict as it can be set.
fn plugin(issuer: &str) -> Value {
    json!({"module": "oidc", "name": "oidc", "display_name": "OpenID", "enabled": true, "parameters": {
        "iss": issuer,
        "oauth-as-iss-id": true,
        "jwt-type": "sha", "jwt-key-size": "256", "key": "the-key-of-these-tests-alone",
        "access-token-duration": 3600, "refresh-token-duration": 1_209_600, "code-duration": 600,
        "refresh-token-rolling": true, "refresh-token-one-use": "always",
        "allow-non-oidc": true,
        "auth-type-code-enabled": true, "auth-type-code-revoke-replayed": true,
        "auth-type-device-enabled": true, "auth-type-refresh-enabled": true, "auth-type-client-enabled": true,
        "auth-type-token-enabled": false, "auth-type-implicit-enabled": false, "auth-type-password-enabled": false,
        "device-authorization-expiration": 600, "device-authorization-interval": 3,
        "pkce-allowed": true, "pkce-required": true, "pkce-method-plain-allowed": false,
        "introspection-revocation-allowed": true, "introspection-revocation-allow-target-client": true,
        "register-client-allowed": true, "register-client-auth-scope": [], "register-client-credentials-scope": [],
        "name-claim": "mandatory", "email-claim": "mandatory",
    }})
}

fn client(id: &str, secret: Option<&str>) -> Value {
    // Revocation is for clients that may have tokens of their own.
    let types = ["code", "refresh_token", "device_authorization", "client_credentials"];
    json!({"client_id": id, "name": id, "enabled": true, "confidential": secret.is_some(),
        "client_secret": secret.unwrap_or_default(), "redirect_uri": [REDIRECT],
        "authorization_type": if secret.is_some() { &types[..] } else { &types[..3] },
        "token_endpoint_auth_method": if secret.is_some() { json!(["client_secret_basic"]) } else { json!([]) },
        "scope": if secret.is_some() { json!(["openid"]) } else { json!([]) }})
}
