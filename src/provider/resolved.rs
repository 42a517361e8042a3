//! A provider whose endpoints are known: what requests are made by.
//!
//! Owns [`Resolved`]. Invariants: only a resolved provider is used for a request, by type; an endpoint that the operator
//! did not write is known as such, since it may lead to fewer places (T13). Must not: find endpoints out (`oauth` does).

use std::ops::Deref;

use url::Url;

use super::{ClientAuth, Flow, Provider, Reach};
use crate::credential::{Credential, Registration};

/// A provider with its endpoints: configured ones, else those that its metadata names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    provider: Provider,
    /// Where tokens are issued.
    pub token_endpoint: Url,
    /// Our client's identifier there. Blank where it is missing, and then nothing is sent.
    pub client_id: String,
    /// How clients may authenticate at the token endpoint, where its metadata says.
    client_auth_methods: Vec<String>,
    /// The scopes that the metadata lists.
    scopes_supported: Vec<String>,
    /// Ways to sign in that are configured, or could be, and what in the metadata speaks against each.
    barred: Vec<(Flow, &'static str)>,
}

impl Deref for Resolved {
    type Target = Provider;

    fn deref(&self) -> &Provider {
        &self.provider
    }
}

#[cfg(test)]
impl std::ops::DerefMut for Resolved {
    fn deref_mut(&mut self) -> &mut Provider {
        &mut self.provider
    }
}

impl Resolved {
    pub(crate) fn new(mut provider: Provider, token_endpoint: Url) -> Self {
        provider.token_endpoint = Some(token_endpoint.clone());
        let client_id = provider.client_id.clone().unwrap_or_default();
        Self {
            provider,
            token_endpoint,
            client_id,
            client_auth_methods: Vec::new(),
            scopes_supported: Vec::new(),
            barred: Vec::new(),
        }
    }

    /// Without these ways to sign in.
    #[must_use]
    pub(crate) fn without(mut self, barred: Vec<(Flow, &'static str)>) -> Self {
        self.provider.flows.retain(|flow| barred.iter().all(|(other, _)| other != flow));
        self.barred = barred;
        self
    }

    /// The same, which lets clients authenticate in these ways only, and lists these scopes.
    #[must_use]
    pub(crate) fn taking(mut self, client_auth_methods: &[String], scopes_supported: &[String]) -> Self {
        self.client_auth_methods = client_auth_methods.to_vec();
        self.scopes_supported = scopes_supported.to_vec();
        self
    }

    /// Whether the metadata lists all scopes that are asked for, if it lists any.
    #[must_use]
    pub fn lists_its_scopes(&self) -> bool {
        self.scopes_supported.is_empty()
            || self.scopes.iter().all(|scope| self.scopes_supported.contains(scope))
    }

    /// How clients may authenticate at the token endpoint, in the standard's words; empty where nobody says.
    #[must_use]
    pub fn client_auth_methods(&self) -> &[String] {
        &self.client_auth_methods
    }

    /// The same, by the client that it registered for us.
    #[must_use]
    pub fn with_registration(&self, registration: &Registration) -> Self {
        self.with(self.provider.registered(registration))
    }

    /// The same, as `credential` is refreshed and ended: by its own client, where that was registered for it, and for what
    /// it is for. A client that the operator has configured since is another one, which `mismatch` tells (G30).
    #[must_use]
    pub fn for_credential(&self, credential: &Credential) -> Self {
        let is_own = |registration: &&Registration| match &self.provider.client_id {
            None => self.registers(),
            Some(id) => *id == registration.client_id && self.client_secret.is_none(),
        };
        let mut provider = match credential.registration.as_ref().filter(is_own) {
            Some(registration) => self.provider.registered(registration),
            None => self.provider.clone(),
        };
        // What the operator has configured holds for older tokens too; what a server names may be news to them.
        let configured = provider.resource.take().filter(|_| provider.mcp_url.is_none());
        provider.resource = credential.resource.clone().or(configured);
        self.with(provider)
    }

    /// Whether a client without a secret may be known to the authorization server, by what it says.
    #[must_use]
    pub fn takes_public_clients(&self) -> bool {
        let methods = &self.client_auth_methods;
        methods.is_empty() || methods.iter().any(|method| method == "none")
    }

    /// What is known of the authorization server, with another descriptor.
    fn with(&self, provider: Provider) -> Self {
        let client_id = provider.client_id.clone().unwrap_or_default();
        Self { provider, client_id, ..self.clone() }
    }

    /// The name by which a registration belongs to the server: its issuer, or its token endpoint where no issuer is known.
    #[must_use]
    pub fn registrar(&self) -> String {
        self.issuer.clone().unwrap_or_else(|| self.token_endpoint.to_string())
    }

    /// Ways to sign in that the metadata takes out, each with the reason.
    pub fn barred(&self) -> impl Iterator<Item = (Flow, &'static str)> + '_ {
        self.barred.iter().copied()
    }

    /// How far a request to `endpoint` may go.
    #[must_use]
    pub fn reach(&self, endpoint: &Url) -> Reach {
        if !self.found.contains(endpoint) {
            return Reach::Anywhere;
        }
        self.issuer_url().map_or(Reach::Public, |issuer| Reach::of_issuer(&issuer))
    }
}

impl Provider {
    /// This provider by what is configured alone, if its token endpoint is: enough to refresh, whatever else is to be
    /// discovered.
    #[must_use]
    pub fn as_configured(&self) -> Option<Resolved> {
        Some(Resolved::new(self.naming_its_server(), self.token_endpoint.clone()?))
    }

    /// The same, whose tokens are for its MCP server, if it is one's and nothing else is configured (RFC 8707).
    #[must_use]
    pub fn naming_its_server(&self) -> Self {
        let mut named = self.clone();
        if named.resource.is_none()
            && let Some(server) = &self.mcp_url
        {
            // As the specification of MCP prefers it: without a slash that stands for no path.
            let text = server.as_str();
            let bare = server.path() == "/" && server.query().is_none();
            named.resource = Some(if bare { text.trim_end_matches('/') } else { text }.to_owned());
        }
        named
    }

    /// The same provider as a login or credential captured it: by that token endpoint and client (C10, T5). An endpoint that is
    /// not the configured one may have been found, whatever is configured by now.
    #[must_use]
    pub fn at(&self, token_endpoint: Url, client_id: String) -> Resolved {
        let mut captured = self.by(client_id);
        if self.token_endpoint.as_ref() != Some(&token_endpoint) {
            captured.found.push(token_endpoint.clone());
        }
        Resolved::new(captured, token_endpoint)
    }

    /// The same provider for this client of ours. The secret stays only with the client it belongs to.
    #[must_use]
    pub fn by(&self, client_id: String) -> Self {
        let mut captured = self.clone();
        if captured.client_id.as_ref() != Some(&client_id) {
            captured.client_secret = None;
            captured.client_missing = None;
            captured.client_auth = ClientAuth::None;
            captured.client_id = Some(client_id);
        }
        captured
    }

    /// The same provider for the client that its issuer registered for us.
    #[must_use]
    pub fn registered(&self, registration: &Registration) -> Self {
        let mut captured = self.by(registration.client_id.clone());
        captured.client_secret.clone_from(&registration.client_secret);
        captured.client_auth = match (&registration.client_secret, registration.auth_method.as_str()) {
            (None, _) | (_, "none") => ClientAuth::None,
            (_, "client_secret_post") => ClientAuth::Post,
            _ => ClientAuth::Basic,
        };
        captured
    }

    /// The issuer, as an address.
    #[must_use]
    pub fn issuer_url(&self) -> Option<Url> {
        Url::parse(self.issuer.as_deref()?).ok()
    }
}
