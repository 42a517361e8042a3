//! A thread's entry (`threads.<thread id>`) and an owed revocation's (`revocations[]`).
//!
//! Owns their field names.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::entry::Parts;
use super::registration::RegistrationWire;
use super::{AccountWire, Record, Wire, named, parse, print, seconds, some_text};
use crate::binding::{Binding, OwedRevocation};
use crate::credential::Account;
use crate::secret::Secret;
use crate::store::seal::Secrets;
use crate::tenant::NameError;

#[derive(Serialize, Deserialize)]
pub(super) struct ThreadWire {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    asked_at: Option<i64>,
    #[serde(default)]
    tenants: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    told: Vec<String>,
    #[serde(default, deserialize_with = "seconds")]
    updated_at: Option<i64>,
}

impl Wire for ThreadWire {}

impl Record for Binding {
    const SECRETS: Secrets = Secrets::Fields(&[]);

    fn read(raw: &str) -> Result<Self, String> {
        let wire: ThreadWire = parse(raw)?;
        let tenants = wire
            .tenants
            .into_iter()
            .map(|(provider, tenant)| Ok::<_, NameError>((provider.parse()?, tenant.parse()?)));
        Ok(Self {
            tenants: tenants.collect::<Result<_, _>>().map_err(|e| named(&e))?,
            asked_at: wire.asked_at,
            told: wire.told,
            updated_at: wire.updated_at.unwrap_or(0),
        })
    }

    fn write(&self, before: Option<&str>) -> Box<RawValue> {
        let wire = ThreadWire {
            tenants: self.tenants.iter().map(|(p, t)| (p.to_string(), t.to_string())).collect(),
            asked_at: self.asked_at,
            told: self.told.clone(),
            updated_at: Some(self.updated_at),
        };
        print(&wire, before)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct RevocationWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountWire>,
    #[serde(default)]
    attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    id: String,
    #[serde(default)]
    is_refresh: bool,
    #[serde(default, deserialize_with = "seconds")]
    owed_at: Option<i64>,
    provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registration: Option<RegistrationWire>,
    #[serde(default, deserialize_with = "seconds")]
    retry_at: Option<i64>,
    tenant: String,
    token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<String>,
}

impl Wire for RevocationWire {
    fn keep_parts(&self, before: &Self, parts: &mut Parts<'_>) {
        parts.part("account", self.account.as_ref(), before.account.as_ref(), AccountWire::is_same);
        let (now, before) = (self.registration.as_ref(), before.registration.as_ref());
        parts.part("registration", now, before, RegistrationWire::is_same);
    }
}

impl Record for OwedRevocation {
    const SECRETS: Secrets =
        Secrets::Fields(&[("token", Secrets::Here), ("registration", RegistrationWire::SECRETS)]);

    /// Its id: it stands in a list, and has no key.
    fn bound_to<'a>(_: &'a str, raw: &str) -> Cow<'a, str> {
        #[derive(Deserialize)]
        struct Named {
            id: String,
        }
        serde_json::from_str(raw).map_or(Cow::Borrowed(""), |Named { id }| Cow::Owned(id))
    }

    fn read(raw: &str) -> Result<Self, String> {
        let wire: RevocationWire = parse(raw)?;
        Ok(Self {
            id: wire.id,
            provider: wire.provider.parse().map_err(|e| named(&e))?,
            tenant: wire.tenant.parse().map_err(|e| named(&e))?,
            client_id: some_text(wire.client_id),
            registration: wire.registration.map(RegistrationWire::registration),
            token: Secret::from(wire.token),
            token_endpoint: some_text(wire.token_endpoint),
            account: wire.account.map(Account::from).unwrap_or_default(),
            is_refresh: wire.is_refresh,
            attempts: wire.attempts,
            owed_at: wire.owed_at.unwrap_or(0),
            retry_at: wire.retry_at.unwrap_or(0),
        })
    }

    fn write(&self, before: Option<&str>) -> Box<RawValue> {
        let wire = RevocationWire {
            account: AccountWire::of(&self.account),
            attempts: self.attempts,
            client_id: self.client_id.clone(),
            id: self.id.clone(),
            is_refresh: self.is_refresh,
            owed_at: Some(self.owed_at),
            provider: self.provider.to_string(),
            registration: self.registration.as_ref().map(RegistrationWire::of),
            retry_at: Some(self.retry_at),
            tenant: self.tenant.to_string(),
            token: self.token.expose().to_owned(),
            token_endpoint: self.token_endpoint.clone(),
        };
        print(&wire, before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::{Credential, CredentialKind, Registration};
    use crate::testing::key;

    /// T12, F5: a debt keeps the client that was registered for its tokens, and what is not known of that.
    #[test]
    fn a_debt_reads_back_with_the_client_that_can_settle_it() {
        let mut held = Credential::new(CredentialKind::OAuth, key("acme").provider, Secret::new("at"), 100);
        held.registration = Some(Registration {
            issuer: "https://id.example".to_owned(),
            client_id: "c-1".to_owned(),
            client_secret: Some(Secret::new("s-1")),
            secret_expires_at: Some(900),
            auth_method: "client_secret_post".to_owned(),
            redirect_uris: vec!["http://127.0.0.1:8765/callback".to_owned()],
            registered_at: Some(100),
        });
        let owed = OwedRevocation::of(&key("acme"), &held, 200);
        let text = owed.write(None);
        assert_eq!(OwedRevocation::read(text.get()), Ok(owed.clone()));
        let later = text.get().replace("\"client_id\": \"c-1\"", "\"client_id\": \"c-1\", \"later\": 1");
        assert!(owed.write(Some(&later)).get().contains("\"later\": 1"));
        let without = OwedRevocation { registration: None, ..owed };
        assert!(!without.write(None).get().contains("registration"));
    }
}
