//! Names the endpoints of the scripted server and finds the one a path means.
//!
//! Several paths lead to one endpoint, since vendors spell them differently; faults, latency and counters go
//! by endpoint, never by path.

use std::fmt;

/// One endpoint of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// The authorization endpoint: the sign-in page and the form it sends.
    Authorize,
    /// The hosted page that shows a code to copy.
    CodePage,
    /// The device authorization endpoint (RFC 8628, section 3.1).
    DeviceStart,
    /// The verification page of the device flow.
    DevicePage,
    /// The token endpoint; polls of the device flow arrive here too.
    Token,
    /// The revocation endpoint (RFC 7009).
    Revoke,
    /// Metadata (RFC 8414, `OpenID` Connect discovery, RFC 9728).
    Discovery,
    /// Dynamic client registration (RFC 7591).
    Register,
    /// A protected resource.
    Api,
    /// The start of codex's own device protocol.
    CodexStart,
    /// The poll of codex's own device protocol.
    CodexPoll,
    /// The start of the user-code grant; its polls arrive at the token endpoint.
    UserCodeStart,
    /// GitHub's exchange for Copilot.
    CopilotToken,
    /// The userinfo endpoint (`OpenID` Connect Core, section 5.3), or what vendors have in its place.
    Userinfo,
    /// Anything else: 404.
    Unknown,
}

impl Endpoint {
    /// The endpoint that `path` means, `prefix` being the path of the issuer (`""` or `/tenant`).
    pub(crate) fn of(path: &str, prefix: &str) -> Self {
        if path.contains("/.well-known/") {
            return Self::Discovery;
        }
        let Some(rest) = path.strip_prefix(prefix) else {
            return Self::Unknown;
        };
        match rest {
            "/authorize" | "/oauth/authorize" => Self::Authorize,
            "/code" | "/oauth/code/callback" => Self::CodePage,
            "/device_authorization" | "/device/code" => Self::DeviceStart,
            "/device" | "/codex/device" => Self::DevicePage,
            "/token" | "/oauth/token" => Self::Token,
            "/oauth/code" => Self::UserCodeStart,
            "/revoke" | "/oauth/revoke" => Self::Revoke,
            "/register" => Self::Register,
            "/api" => Self::Api,
            "/api/accounts/deviceauth/usercode" => Self::CodexStart,
            "/api/accounts/deviceauth/token" => Self::CodexPoll,
            _ => Self::of_vendor(rest),
        }
    }

    /// The endpoint that a vendor has at `path`.
    fn of_vendor(path: &str) -> Self {
        match path {
            // The last is where the form of the page before it goes.
            "/login/oauth/authorize" | "/o/oauth2/v2/auth" | "/o/oauth2/v2/authorize" => Self::Authorize,
            "/login/device/code"
            | "/oauth2/device/code"
            | "/api/oauth/device_authorization"
            | "/api/v1/oauth2/device/code" => Self::DeviceStart,
            "/login/oauth/access_token"
            | "/oauth2/token"
            | "/v1/oauth/token"
            | "/api/oauth/token"
            | "/api/v1/oauth2/token" => Self::Token,
            "/copilot_internal/v2/token" => Self::CopilotToken,
            "/userinfo" | "/user" | "/oauth2/v2/userinfo" => Self::Userinfo,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self:?}")
    }
}
