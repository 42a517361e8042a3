//! The client by which a login is started, where the operator has none there (RFC 7591).
//!
//! Owns when a server is asked to register one, and when the tenant's own is used again. Invariants: a registration is used by
//! the tenant that it was made for alone, and at the issuer that made it; no sign-in is started by one whose credential is
//! dead, or which its server has said it does not know. Must not: write one down; that is the login's, and then the
//! credential's.

use super::{Inner, StartError};
use crate::credential::{CredentialState, Registration};
use crate::oauth::registration::register;
use crate::oauth::{Refusal, RegistrationError};
use crate::pending::{LONGEST_LIFE, LoginKind, PendingLogin};
use crate::provider::{Flow, Resolved};

/// Registrations that one start asks for at most.
pub(super) const REGISTRATIONS: u64 = 2;

impl Inner {
    /// Our client there: the one that this tenant has, if it still serves, else a new one (RFC 7591).
    pub(super) async fn registration(
        &self,
        login: &PendingLogin,
        provider: &Resolved,
    ) -> Result<Registration, RegistrationError> {
        let own = |flow: Flow| match flow {
            Flow::Device => None,
            Flow::Paste => login.redirect_uri.clone().or_else(|| provider.redirect_uri.clone()),
            Flow::Callback => provider.callback_uri.clone(),
        };
        let wanted = match login.kind {
            LoginKind::Device => None,
            LoginKind::Paste => own(Flow::Paste),
            LoginKind::Callback => own(Flow::Callback),
        };
        let now = self.clock.now();
        // One that ends before this login may be completed serves nobody.
        let late = now.saturating_add(LONGEST_LIFE);
        let held =
            self.store.snapshot().ok().and_then(|document| document.tenant(&login.tenant).ok().flatten());
        // A sign-in that has ended may have ended with its client, and one that the server refuses may be refused for it.
        let held = held.filter(|held| held.state != CredentialState::NeedsLogin && !held.operators_error);
        let held = held.and_then(|held| held.registration.clone());
        let (tenant, issuer) = (&login.tenant, provider.registrar());
        let serves = |own: &Registration| own.serves(&issuer, wanted.as_deref(), late);
        if let Some(held) = held.filter(|held| serves(held) && !self.clients.is_forgotten(tenant, held)) {
            return Ok(held);
        }
        // Whoever starts anew, since the last start came to nothing, needs no other client.
        if let Some(made) = self.clients.find(tenant, &issuer, now, serves) {
            return Ok(made);
        }
        let mut all: Vec<String> = Vec::new();
        for uri in provider.offered_flows().filter_map(own) {
            if !all.contains(&uri) {
                all.push(uri);
            }
        }
        let made = register(&self.client, provider, &all, wanted.as_deref(), now).await;
        let made = match (made, wanted) {
            // Some take addresses of one kind only: then the one that is needed now has to do.
            (Err(RegistrationError::RedirectUri { .. }), Some(wanted)) if all.len() > 1 => {
                let one = std::slice::from_ref(&wanted);
                register(&self.client, provider, one, Some(&wanted), now).await
            }
            (made, _) => made,
        }?;
        self.clients.keep(tenant, &made, now);
        Ok(made)
    }

    /// Notes it if `refusal` says that the server does not know the client that it made for `login`: the next start has
    /// another made. Whether it does.
    pub(super) fn is_forgotten(&self, login: &PendingLogin, refusal: &Refusal) -> bool {
        let client = login.registration.as_ref().filter(|_| refusal.disowns_client());
        if let Some(client) = client {
            tracing::warn!(login = %login.id, "the server does not know the client that it registered for this sign-in");
            self.clients.forget(&login.tenant, client, self.clock.now());
        }
        client.is_some()
    }
}

/// What it means for a start that no client could be had.
pub(super) fn unregistered(error: RegistrationError) -> StartError {
    let why = error.to_string();
    match error {
        RegistrationError::Transient { .. } => StartError::Transient { why },
        RegistrationError::RedirectUri { said, .. } | RegistrationError::Refused { said } => {
            StartError::Refused { why, said: Some(said) }
        }
        RegistrationError::NotOffered { .. }
        | RegistrationError::Unusable { .. }
        | RegistrationError::NotAsked { .. } => StartError::Operator { why },
    }
}
