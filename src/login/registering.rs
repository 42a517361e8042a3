//! The client by which a login is started, where the operator has none there (RFC 7591).
//!
//! Owns when a server is asked to register one, and when the tenant's own is used again. Invariant: a registration is used by
//! the tenant that it was made for alone, and at the issuer that made it. Must not: keep one; that is the login's, and then
//! the credential's.

use super::{Inner, StartError};
use crate::credential::Registration;
use crate::oauth::RegistrationError;
use crate::oauth::registration::register;
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
            Flow::Paste => provider.redirect_uri.clone(),
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
        // What the server did not know any more at the last refresh, it does not know now.
        let held = held.filter(|held| !held.operators_error).and_then(|held| held.registration.clone());
        if let Some(held) = held.filter(|held| held.serves(&provider.registrar(), wanted.as_deref(), late)) {
            return Ok(held);
        }
        let mut all: Vec<String> = Vec::new();
        for uri in provider.offered_flows().filter_map(own) {
            if !all.contains(&uri) {
                all.push(uri);
            }
        }
        let made = register(&self.client, provider, &all, wanted.as_deref(), now).await;
        match (made, wanted) {
            // Some take addresses of one kind only: then the one that is needed now has to do.
            (Err(RegistrationError::RedirectUri { .. }), Some(wanted)) if all.len() > 1 => {
                let one = std::slice::from_ref(&wanted);
                register(&self.client, provider, one, Some(&wanted), now).await
            }
            (made, _) => made,
        }
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
