//! What is said over the wire where providers differ: the device flow, the refresh, and whose the tokens are.
//!
//! Owns the choices and their parts, as data. A provider that differs otherwise gets one more value here, and never its
//! name into an `if`.

use url::Url;

/// What is said over the wire in the device flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceProtocol {
    /// RFC 8628.
    Rfc8628 {
        /// Whether start and poll carry a code challenge and its verifier (RFC 7636), as some servers demand.
        pkce: bool,
    },
    /// A start that gives a user code, and a poll, both JSON, whose answer is an authorization code with its verifier,
    /// to be spent at the token endpoint.
    UserCode(Box<UserCodeProtocol>),
    /// A start with code challenge and state that gives a user code, which is itself what the token endpoint is polled
    /// with (grant type `urn:ietf:params:oauth:grant-type:user_code`); replies say in `status` how it stands.
    UserCodeGrant,
}

/// The parts of [`DeviceProtocol::UserCode`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCodeProtocol {
    /// Where to ask whether the person is done.
    pub poll_endpoint: Url,
    /// The page where the person types the user code.
    pub verification_uri: Url,
    /// The redirect URI to name when the code is spent.
    pub exchange_redirect_uri: String,
    /// HTTP statuses of a poll that mean "not yet", unless the body says otherwise.
    pub pending_statuses: Vec<u16>,
    /// Error codes that mean "not yet".
    pub pending_codes: Vec<String>,
}

/// How a credential gets its next access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshProtocol {
    /// With its refresh token (RFC 6749 section 6).
    RefreshToken,
    /// The token of the sign-in lasts and is kept in the refresh token's place; shown to another endpoint, it brings
    /// access tokens that do not last. The first of them is fetched at the sign-in.
    Exchange(Box<Exchange>),
}

/// The parts of [`RefreshProtocol::Exchange`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Where access tokens are to be had, by GET.
    pub endpoint: Url,
    /// The authentication scheme of the sign-in's token in the `Authorization` header: `Bearer`, or the server's own.
    pub scheme: String,
    /// Further headers that the endpoint wants.
    pub headers: Vec<(String, String)>,
}

/// What tells whose tokens came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentitySource {
    /// The claims of the id token.
    IdToken,
    /// Members of the token endpoint's reply.
    Reply,
    /// A request with the new access token (or, with [`RefreshProtocol::Exchange`], the sign-in's own token), once at each
    /// sign-in: OpenID Connect Core section 5.3, or whatever the provider has in its place.
    Userinfo,
}

/// Where the account is named in what [`IdentitySource`] points to: paths of member names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountClaims {
    /// Leads to the account's stable identifier; `sub` where it leads nowhere.
    pub id: Vec<String>,
    /// Leads to the e-mail address; `email` where it leads nowhere.
    pub email: Vec<String>,
}

impl Default for AccountClaims {
    fn default() -> Self {
        Self { id: vec!["sub".to_owned()], email: vec!["email".to_owned()] }
    }
}
