//! A descriptor for the tests of this module.

use url::Url;

use crate::provider::{
    AccountClaims, BodyFormat, ClientAuth, DeviceProtocol, EmptyRefusal, Flow, IdentitySource, PasteShape,
    Provider, RefreshProtocol, Resolved, Reuse, RevocationScope, Share,
};

/// A public client whose token endpoint is `token_endpoint`.
pub(crate) fn provider(token_endpoint: &str) -> Resolved {
    let token_endpoint = Url::parse(token_endpoint).unwrap();
    let provider = Provider {
        name: "acme".parse().unwrap(),
        title: "Acme".to_owned(),
        aliases: Vec::new(),
        issuer: Some("https://id.example".to_owned()),
        discovers: false,
        iss_promised: false,
        found: Vec::new(),
        token_endpoint: Some(token_endpoint.clone()),
        device_authorization_endpoint: None,
        authorization_endpoint: None,
        revocation_endpoint: None,
        registration_endpoint: None,
        userinfo_endpoint: None,
        mcp_url: None,
        resource: None,
        client_id: Some("latchkey".to_owned()),
        client_secret: None,
        client_missing: None,
        client_auth: ClientAuth::None,
        scopes: vec!["openid".to_owned(), "offline_access".to_owned()],
        flows: vec![Flow::Device, Flow::Paste],
        loopback_redirect_uri: None,
        redirect_uri: None,
        callback_uri: None,
        paste: PasteShape::Url,
        revocation: RevocationScope::Grant,
        reuse: Reuse::Strict,
        token_lifetime: None,
        api_key: None,
        env_token: None,
        share: Share::Member,
        bind: true,
        device: DeviceProtocol::Rfc8628 { pkce: false },
        authorize_params: Vec::new(),
        refresh: RefreshProtocol::RefreshToken,
        token_body: BodyFormat::Form,
        exchange_sends_state: false,
        refresh_sends_scope: false,
        identity: IdentitySource::IdToken,
        account_claims: AccountClaims::default(),
        keep: Vec::new(),
        terms_risk: None,
        awaiting_terms: Vec::new(),
        device_notice: None,
        nonce: false,
        empty_refusal: EmptyRefusal::Operator,
        transient_codes: Vec::new(),
        reuse_prose: Vec::new(),
    };
    Resolved::new(provider, token_endpoint)
}
