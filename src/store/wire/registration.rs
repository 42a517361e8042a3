//! Our client as a server registered it: `registration` of a tenant's entry and of a login's.
//!
//! Owns its field names, which are those of RFC 7591 section 3.2.1 where that has one.

use serde::{Deserialize, Serialize};

use super::entry::Parts;
use super::{Wire, seconds, some_secret, text_of};
use crate::credential::Registration;
use crate::store::seal::Secrets;

#[derive(Serialize, Deserialize)]
pub(super) struct RegistrationWire {
    client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    client_id_issued_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    client_secret_expires_at: Option<i64>,
    issuer: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    redirect_uris: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_method: Option<String>,
}

impl Wire for RegistrationWire {}

impl RegistrationWire {
    pub(super) const SECRETS: Secrets = Secrets::Fields(&[("client_secret", Secrets::Here)]);

    pub(super) fn of(registration: &Registration) -> Self {
        Self {
            client_id: registration.client_id.clone(),
            client_id_issued_at: registration.registered_at,
            client_secret: text_of(registration.client_secret.as_ref()),
            client_secret_expires_at: registration.secret_expires_at,
            issuer: registration.issuer.clone(),
            redirect_uris: registration.redirect_uris.clone(),
            token_endpoint_auth_method: Some(registration.auth_method.clone()),
        }
    }

    /// Keeps of the entry's `registration` what this program does not know: fields of the same client, and what is none.
    pub(super) fn keep(parts: &mut Parts<'_>, now: Option<&Self>, before: Option<&Self>) {
        if before.is_none() {
            parts.unread("registration");
        }
        parts.part("registration", now, before, Self::is_same);
    }

    /// Whether both are the same client.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.issuer, &self.client_id) == (&other.issuer, &other.client_id)
    }

    pub(super) fn registration(self) -> Registration {
        let client_secret = some_secret(self.client_secret);
        let usual = if client_secret.is_some() { "client_secret_basic" } else { "none" };
        Registration {
            issuer: self.issuer,
            client_id: self.client_id,
            client_secret,
            // As the standard has it, 0 means never.
            secret_expires_at: self.client_secret_expires_at.filter(|at| *at > 0),
            auth_method: self.token_endpoint_auth_method.unwrap_or_else(|| usual.to_owned()),
            redirect_uris: self.redirect_uris,
            registered_at: self.client_id_issued_at,
        }
    }
}
