//! Providers: an authorization server plus our client there, as data.
//!
//! Owns [`Provider`], the descriptor as configured, [`Resolved`], the same with its endpoints known, and the [`Catalog`] of
//! those that the operator offers. Invariant: what makes one provider differ from another is a field here; no provider's name
//! stands in an `if` anywhere. Must not: read files or the environment (`config` does), or speak to anybody (`oauth` does).

mod address;
mod builtin;
mod catalog;
mod protocol;
mod resolved;
mod source;
mod texts;

use url::Url;

pub use address::{Reach, is_answerable_here, is_bare, is_loopback, is_loopback_http, is_public, is_safe};
pub use builtin::{BUILTINS, Builtin, UNSUPPORTED, Unsupported, builtin, unsupported};
pub use catalog::{Catalog, Clash, Offer};
pub use protocol::{
    AccountClaims, DeviceProtocol, Exchange, IdentitySource, RefreshProtocol, UserCodeProtocol,
};
pub use resolved::Resolved;
pub use source::{EnvSource, EnvValue};
pub use texts::Texts;

use crate::secret::Secret;
use crate::tenant::ProviderName;

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flow {
    /// A code typed on another device: RFC 8628, or the provider's own protocol ([`DeviceProtocol`]).
    Device,
    /// The authorization code grant with PKCE (RFC 6749, 7636), its answer pasted back.
    Paste,
    /// The same, answered to a page that Latchkey serves; offered once it is known where that page is.
    Callback,
}

impl Flow {
    /// The word used in configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Paste => "paste",
            Self::Callback => "callback",
        }
    }
}

/// How our client shows at the token endpoint who it is (RFC 6749 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// HTTP Basic with identifier and secret.
    Basic,
    /// Identifier and secret in the body.
    Post,
    /// A public client: only the identifier, in the body.
    None,
}

/// What the provider's page gives people to copy (T3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasteShape {
    /// The address of the page that the browser ended on.
    Url,
    /// `code#state`; a whole address is understood too.
    CodeHashState,
    /// The code alone: nothing ties it to this login but the verifier.
    Code,
}

/// What revoking one token ends (T12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationScope {
    /// That token and what was derived from it.
    Token,
    /// The whole grant of user and client: other credentials of theirs die with it.
    Grant,
    /// Nothing is to be revoked.
    None,
}

/// What a second use of a refresh token does (G19).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// It ends the whole family.
    Strict,
    /// It is tolerated for a while.
    Lenient,
}

/// What a refusal that says nothing at all means, where a refresh token was presented: no error code, which RFC 6749
/// section 5.2 asks for, and no other word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyRefusal {
    /// That our client or its configuration is refused, as far as one can tell.
    Operator,
    /// That the token is spent or has ended: this server has no other way to say so.
    Dead,
}

/// Whose a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// One for each member.
    Member,
    /// One for the guild.
    Guild,
}

/// How request bodies to the token endpoint are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded`, as RFC 6749 wants it.
    Form,
    /// A JSON object.
    Json,
}

/// A provider as configured: built-in values, the operator's and the environment's in one. Requests are made by
/// [`Resolved`].
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name in tenant keys.
    pub name: ProviderName,
    /// Its name for people.
    pub title: String,
    /// Other names understood in input, in lower case, never stored.
    pub aliases: Vec<String>,
    /// The issuer identifier (RFC 8414 section 2), as written.
    pub issuer: Option<String>,
    /// Whether the issuer is asked for the endpoints that are not configured (T13).
    pub discovers: bool,
    /// Whether the server promises to name itself in each answer to an authorization request (RFC 9207, T4).
    pub iss_promised: bool,
    /// Endpoints below that the operator did not write: what metadata named. Empty in the catalog.
    pub found: Vec<Url>,
    /// Where tokens are issued; none where that is to be discovered.
    pub token_endpoint: Option<Url>,
    /// Where a device login starts (RFC 8628 section 3.1).
    pub device_authorization_endpoint: Option<Url>,
    /// Where a browser is sent.
    pub authorization_endpoint: Option<Url>,
    /// Where tokens are revoked (RFC 7009).
    pub revocation_endpoint: Option<Url>,
    /// Where clients are registered (RFC 7591 section 3).
    pub registration_endpoint: Option<Url>,
    /// Where the access token tells whose it is (OpenID Connect Core section 5.3, or the provider's own).
    pub userinfo_endpoint: Option<Url>,
    /// The MCP server that the tokens are for: it names its authorization server, and from there on all is discovered
    /// (RFC 9728).
    pub mcp_url: Option<Url>,
    /// What the tokens are for, named in each request (RFC 8707).
    pub resource: Option<String>,
    /// Our client's identifier there; none where the server is to register us (RFC 7591), or where it is missing.
    pub client_id: Option<String>,
    /// Our client's secret there, if it has one.
    pub client_secret: Option<Secret>,
    /// The environment variable that the configuration names for it.
    pub client_secret_variable: Option<String>,
    /// Set when our client's identifier or secret is needed and was not to be had: what to do about it. Nothing is sent
    /// meanwhile.
    pub client_missing: Option<String>,
    /// How the client authenticates.
    pub client_auth: ClientAuth,
    /// The scopes asked for.
    pub scopes: Vec<String>,
    /// Ways to sign in, preferred first. Where endpoints are to be discovered: those that remain possible.
    pub flows: Vec<Flow>,
    /// The redirect URI of [`Flow::Paste`], exactly as registered.
    pub redirect_uri: Option<String>,
    /// The redirect URI on this host, for a sign-in that a program here waits for (RFC 8252 section 7.3); port 0 is any that is
    /// free. See [`Self::loopback`].
    pub loopback_redirect_uri: Option<String>,
    /// The redirect URI of [`Flow::Callback`]: our own page, where one is served. To be registered with the provider.
    pub callback_uri: Option<String>,
    /// What is there to paste.
    pub paste: PasteShape,
    /// What revoking one token ends.
    pub revocation: RevocationScope,
    /// What a second use of a refresh token does.
    pub reuse: Reuse,
    /// Seconds an access token lasts where replies do not say (T9).
    pub token_lifetime: Option<u64>,
    /// Where an API key may be: served before anything else (G25).
    pub api_key: Option<EnvSource>,
    /// Where a long-lived token may be: served before a stored credential (G25).
    pub env_token: Option<EnvSource>,
    /// Whose a credential is.
    pub share: Share,
    /// Whether a login started in a thread binds it, unless asked otherwise.
    pub bind: bool,
    /// What the device flow speaks.
    pub device: DeviceProtocol,
    /// Further parameters of the authorize URL.
    pub authorize_params: Vec<(String, String)>,
    /// How a credential gets its next access token.
    pub refresh: RefreshProtocol,
    /// How request bodies to the token endpoint are written.
    pub token_body: BodyFormat,
    /// Whether a code exchange also carries `state`.
    pub exchange_sends_state: bool,
    /// Whether a refresh names its scopes.
    pub refresh_sends_scope: bool,
    /// What tells whose tokens came.
    pub identity: IdentitySource,
    /// Where that names the account.
    pub account_claims: AccountClaims,
    /// Members of the token endpoint's reply that users of the token need, kept with the credential.
    pub keep: Vec<String>,
    /// What is in doubt about the vendor's terms, for people to read before they sign in. The operator has accepted it, or
    /// there is no way to sign in.
    pub terms_risk: Option<Texts>,
    /// The ways to sign in that wait for the operator to accept that; [`Self::flows`] is empty meanwhile.
    pub awaiting_terms: Vec<Flow>,
    /// Told to people before they start a device login.
    pub device_notice: Option<Texts>,
    /// Whether an authorization request for the scope `openid` carries a nonce (OpenID Connect Core section 3.1.2.1).
    pub nonce: bool,
    /// What a refusal without a word means.
    pub empty_refusal: EmptyRefusal,
    /// Error codes, or numbers beside them, of trouble that passes, beyond those known of all.
    pub transient_codes: Vec<String>,
    /// Words by which this provider, beyond those known of all, says that a refresh token was used twice; lower case.
    pub reuse_prose: Vec<String>,
}

impl Provider {
    /// Whether an end of a token can be told to the provider, as far as that is known without asking it.
    #[must_use]
    pub fn may_revoke(&self) -> bool {
        self.revocation != RevocationScope::None && (self.revocation_endpoint.is_some() || self.discovers)
    }

    /// Whether the server is to make us a client of our own (RFC 7591): no other is configured, and none is missing.
    #[must_use]
    pub fn registers(&self) -> bool {
        let could = self.discovers || self.registration_endpoint.is_some();
        self.client_id.is_none() && self.client_missing.is_none() && could
    }

    /// Whether an endpoint that a sign-in by `flow` needs is not configured, and hence to be discovered.
    #[must_use]
    pub fn is_to_find(&self, flow: Flow) -> bool {
        let begins_at = match flow {
            Flow::Device => &self.device_authorization_endpoint,
            Flow::Paste | Flow::Callback => &self.authorization_endpoint,
        };
        self.token_endpoint.is_none() || begins_at.is_none()
    }

    /// Whether a device login needs nothing that is to be discovered, be it for other ways to sign in.
    #[must_use]
    pub fn is_settled_for_device(&self) -> bool {
        !self.is_to_find(Flow::Device) && !self.registers()
    }

    /// The ways to sign in that can be offered today, preferred first.
    pub fn offered_flows(&self) -> impl Iterator<Item = Flow> + '_ {
        let served = self.callback_uri.is_some();
        self.flows.iter().copied().filter(move |flow| *flow != Flow::Callback || served)
    }

    /// Where on this host an answer may arrive (RFC 8252 section 7.3): what is registered for that, else the redirect URI of
    /// pasted answers where it leads here.
    #[must_use]
    pub fn loopback(&self) -> Option<&str> {
        let is_heard = |uri: &str| Url::parse(uri).is_ok_and(|url| is_answerable_here(&url));
        let pasted = || self.redirect_uri.as_deref().filter(|uri| is_heard(uri));
        self.loopback_redirect_uri.as_deref().or_else(pasted)
    }

    /// What the page at `redirect_uri` gives to copy: only the provider's own page shows anything but its address.
    #[must_use]
    pub fn paste_at(&self, redirect_uri: &str) -> PasteShape {
        let is_own = self.redirect_uri.as_deref() == Some(redirect_uri);
        let leads_here = Url::parse(redirect_uri).is_ok_and(|url| is_loopback_http(&url));
        if leads_here && !is_own { PasteShape::Url } else { self.paste }
    }

    /// Whether somebody can sign in there today, as far as that is known without asking it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.client_missing.is_none() && self.offered_flows().next().is_some()
    }

    /// The ways to sign in that are configured and not open, with what is in the way.
    pub fn closed_flows(&self) -> impl Iterator<Item = (Flow, Closed)> + '_ {
        let configured = self.flows.iter().filter_map(|flow| match flow {
            _ if self.client_missing.is_some() => Some((*flow, Closed::Client)),
            Flow::Callback if self.callback_uri.is_none() => Some((*flow, Closed::Page)),
            _ => None,
        });
        self.awaiting_terms.iter().map(|flow| (*flow, Closed::Terms)).chain(configured)
    }
}

/// What is in the way of a way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The vendor's terms are in doubt, and the operator has not accepted that.
    Terms,
    /// Our client's identifier or secret is not to be had.
    Client,
    /// No page of ours is served.
    Page,
}
