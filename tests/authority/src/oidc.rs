//! `oidc-provider` from npm as the real authorization server: its process, its record, its faults.
//!
//! What must hold: the process is ended by its id when the handle goes, and ends by itself when the test dies
//! (its standard input closes). Everything stays on loopback. Every wait is bounded.

mod install;
mod people;
mod process;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::browser::background;
use process::Process;

/// A running `oidc-provider`.
#[derive(Debug)]
pub struct OidcProvider {
    process: Process,
    http: reqwest::Client,
}

/// What can be chosen at the start of an [`OidcProvider`]. All times in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OidcSettings {
    /// How long access tokens live.
    pub access_ttl: u32,
    /// How long refresh tokens live.
    pub refresh_ttl: u32,
    /// How long device codes live.
    pub device_ttl: u32,
    /// The one way in which clients may authenticate; `None` for all. With one, nobody is registered from the start.
    pub client_auth: Option<&'static str>,
    /// How long it says that the secrets of registered clients live; 0 for ever.
    pub secret_ttl: u32,
}

impl Default for OidcSettings {
    fn default() -> Self {
        Self {
            access_ttl: 3600,
            refresh_ttl: 14 * 24 * 3600,
            device_ttl: 600,
            client_auth: None,
            secret_ttl: 0,
        }
    }
}

/// The endpoints of an [`OidcProvider`] that faults can be scripted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OidcEndpoint {
    /// `/token`
    Token,
    /// `/token/revocation`
    Revocation,
    /// `/device/auth`
    DeviceAuthorization,
}

impl OidcEndpoint {
    fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Revocation => "revocation",
            Self::DeviceAuthorization => "device_authorization",
        }
    }
}

/// What happens to one request in place of the ordinary answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OidcFault {
    /// This status and body (HTML); the request changes nothing.
    Reply(u16, String),
    /// This status and JSON body; the request changes nothing.
    ReplyJson(u16, Value),
    /// The request takes effect, but this status leaves, with a page in HTML.
    ReplyAfter(u16),
    /// The connection is closed; the request changes nothing.
    CloseBefore,
    /// The request takes effect (the token is rotated), then the connection is closed without a reply.
    CloseAfter,
    /// The ordinary answer, this much later.
    Delay(Duration),
}

impl OidcFault {
    fn to_json(&self) -> Value {
        let html = json!({"content-type": "text/html"});
        match self {
            Self::Reply(status, body) => {
                json!({"kind": "reply", "status": status, "headers": html, "body": body})
            }
            Self::ReplyJson(status, body) => json!({"kind": "reply", "status": status,
                "headers": {"content-type": "application/json"}, "body": body.to_string()}),
            Self::ReplyAfter(status) => {
                json!({"kind": "reply_after", "status": status, "headers": html, "body": "<h1>bad gateway</h1>"})
            }
            Self::CloseBefore => json!({"kind": "close_before"}),
            Self::CloseAfter => json!({"kind": "close_after"}),
            Self::Delay(time) => json!({"kind": "delay", "ms": time.as_millis()}),
        }
    }
}

/// A request that reached an [`OidcProvider`] without a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcRequest {
    /// `token`, `revocation` or `device_authorization`.
    pub endpoint: String,
    /// The `grant_type`, at the token endpoint.
    pub grant_type: Option<String>,
    /// The parameters of the body.
    pub fields: serde_json::Map<String, Value>,
    /// The headers, by lower-case name.
    pub headers: serde_json::Map<String, Value>,
    /// The client's port. Two requests over one connection share it.
    pub peer_port: u16,
    /// The status of the answer; `None` while there is none, or if the connection was closed.
    pub status: Option<u16>,
    /// The error code of the answer.
    pub error: Option<String>,
    /// Whether the connection was closed without an answer.
    pub cut: bool,
}

impl OidcProvider {
    /// Starts the server on a free loopback port, after installing its packages if need be.
    pub async fn start() -> Self {
        Self::start_with(OidcSettings::default()).await
    }

    /// Starts the server with these settings.
    #[expect(clippy::expect_used, reason = "a test without its server has failed")]
    pub async fn start_with(settings: OidcSettings) -> Self {
        let settings = json!({
            "access_ttl": settings.access_ttl,
            "refresh_ttl": settings.refresh_ttl,
            "device_ttl": settings.device_ttl,
            "client_auth": settings.client_auth,
            "secret_ttl": settings.secret_ttl,
        });
        let started = background(async move {
            spawn_blocking(move || install::ready().and_then(|()| Process::start(&settings))).await
        });
        let process = match started.await.expect("the start of oidc-provider panicked") {
            Ok(process) => process,
            Err(why) => panic!("oidc-provider cannot run: {why}"),
        };
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build();
        Self { process, http: http.expect("make the HTTP client of the control port") }
    }

    /// The issuer, which is also the origin.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.process.issuer
    }

    /// The id of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The authorization endpoint.
    #[must_use]
    pub fn authorization_endpoint(&self) -> String {
        format!("{}/auth", self.issuer())
    }

    /// The token endpoint.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        format!("{}/token", self.issuer())
    }

    /// The device authorization endpoint.
    #[must_use]
    pub fn device_authorization_endpoint(&self) -> String {
        format!("{}/device/auth", self.issuer())
    }

    /// The revocation endpoint.
    #[must_use]
    pub fn revocation_endpoint(&self) -> String {
        format!("{}/token/revocation", self.issuer())
    }

    /// The protected resource (`userinfo`): 200 for a good access token with the scope `openid`, else 401.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}/me", self.issuer())
    }

    /// The address of a small MCP server that takes tokens of this provider, issued for it alone.
    #[must_use]
    pub fn mcp_url(&self) -> &str {
        &self.process.mcp
    }

    /// Whether that server takes this access token.
    pub async fn mcp_accepts(&self, token: &str) -> bool {
        let request = self.http.post(self.mcp_url()).bearer_auth(token).body("{}");
        match background(async move { request.send().await }).await {
            Ok(answer) => answer.status().is_success(),
            Err(error) => panic!("the MCP server: {error:?}\n{}", self.process.complaints()),
        }
    }

    /// Has that server name these authorization servers from now on.
    pub async fn set_mcp_issuers(&self, issuers: &[&str]) {
        self.command("settings", &json!({"mcp_issuers": issuers})).await;
    }

    /// Changes how long it says that the secrets of registered clients live, in seconds.
    pub async fn set_secret_ttl(&self, seconds: u32) {
        self.command("settings", &json!({"secret_ttl": seconds})).await;
    }

    /// The metadata of each client that was registered, in order.
    pub async fn registrations(&self) -> Vec<Value> {
        self.record().await["registrations"].as_array().cloned().unwrap_or_default()
    }

    /// Every request without a browser so far, in order of arrival.
    pub async fn requests(&self) -> Vec<OidcRequest> {
        let record = self.record().await;
        record["requests"].as_array().into_iter().flatten().map(read_request).collect()
    }

    /// The requests to the token endpoint.
    pub async fn token_requests(&self) -> Vec<OidcRequest> {
        let mut requests = self.requests().await;
        requests.retain(|request| request.endpoint == "token");
        requests
    }

    /// Refresh requests that arrived, whatever became of them.
    pub async fn refreshes(&self) -> usize {
        self.grants("refresh_token").await
    }

    /// Code exchanges that arrived.
    pub async fn exchanges(&self) -> usize {
        self.grants("authorization_code").await
    }

    /// Polls of device codes that arrived.
    pub async fn device_polls(&self) -> usize {
        self.grants("urn:ietf:params:oauth:grant-type:device_code").await
    }

    /// Refreshes that gave new tokens, cut replies included.
    pub async fn rotations(&self) -> usize {
        self.number("rotations").await
    }

    /// Refresh tokens that were presented after they had been spent.
    pub async fn reuses(&self) -> usize {
        self.number("reuses").await
    }

    /// Times that somebody opened the authorization endpoint.
    pub async fn authorize_views(&self) -> usize {
        self.number("views").await
    }

    /// Grants that the server revoked: on reuse, on a code used twice, on revocation of a refresh token.
    pub async fn grant_revoked_events(&self) -> usize {
        self.record().await["grants_revoked"].as_array().map_or(0, Vec::len)
    }

    /// Revocation requests that arrived.
    pub async fn revocations(&self) -> usize {
        self.requests().await.iter().filter(|request| request.endpoint == "revocation").count()
    }

    /// Every code, token, device code, verifier and state seen: what no log may contain.
    pub async fn secrets(&self) -> Vec<String> {
        let secrets = self.command("secrets", &json!({})).await;
        secrets.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }

    /// Changes how long access tokens live from now on, in seconds.
    pub async fn set_access_ttl(&self, seconds: u32) {
        self.command("settings", &json!({"access_ttl": seconds})).await;
    }

    /// The next `times` requests to an endpoint meet this fault. Faults queue up behind one another.
    pub async fn fail_next(&self, endpoint: OidcEndpoint, times: usize, fault: &OidcFault) {
        let mut order = fault.to_json();
        order["path"] = endpoint.name().into();
        order["times"] = times.into();
        self.command("fault", &order).await;
    }

    /// Time spent before each request to the three endpoints is acted on.
    pub async fn latency(&self, time: Duration) {
        self.command("latency", &json!({"ms": time.as_millis()})).await;
    }

    /// Holds requests to the three endpoints before they are acted on, until [`OidcProvider::release`].
    pub async fn hold(&self) {
        self.command("hold", &json!({})).await;
    }

    /// Requests that are being held.
    pub async fn waiting(&self) -> usize {
        count(&self.command("waiting", &json!({})).await["waiting"])
    }

    /// Lets held requests go.
    pub async fn release(&self) {
        self.command("release", &json!({})).await;
    }

    /// Ends an access token before its time. False if it was not good.
    pub async fn expire_access_token(&self, token: &str) -> bool {
        self.command("expire", &json!({"token": token})).await["found"] == true
    }

    /// Revokes the grant of a token, as an operator could. False if the token was not good.
    pub async fn revoke_grant(&self, token: &str) -> bool {
        self.command("revoke", &json!({"token": token})).await["found"] == true
    }

    async fn grants(&self, grant_type: &str) -> usize {
        let requests = self.token_requests().await;
        requests.iter().filter(|request| request.grant_type.as_deref() == Some(grant_type)).count()
    }

    async fn number(&self, name: &str) -> usize {
        count(&self.record().await[name])
    }

    async fn record(&self) -> Value {
        self.command("record", &json!({})).await
    }

    async fn command(&self, name: &str, argument: &Value) -> Value {
        let request = self.http.post(format!("{}/{name}", self.process.control)).body(argument.to_string());
        let answer = background(async move { request.send().await?.error_for_status()?.text().await }).await;
        match answer {
            Ok(text) => serde_json::from_str(&text).unwrap_or_default(),
            Err(error) => panic!("oidc-provider's control port: {error:?}\n{}", self.process.complaints()),
        }
    }
}

fn count(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

fn read_request(value: &Value) -> OidcRequest {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let number = |name: &str| value[name].as_u64().and_then(|number| u16::try_from(number).ok());
    let members = |name: &str| value[name].as_object().cloned().unwrap_or_default();
    OidcRequest {
        endpoint: text("endpoint").unwrap_or_default(),
        grant_type: text("grant_type"),
        fields: members("fields"),
        headers: members("headers"),
        peer_port: number("peer_port").unwrap_or_default(),
        status: number("status"),
        error: text("error"),
        cut: value["cut"] == true,
    }
}
