//! A tenant's entry: `tenants.<tenant>`.
//!
//! Owns the field names of a credential. An entry with only `kind`, `provider`, `access_token`, `refresh_token` and
//! `expires_at` is whole; the rest is filled in at its next write.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::entry::{Parts, if_readable, texts};
use super::registration::RegistrationWire;
use super::{AccountWire, Record, Wire, named, parse, print, seconds, some_secret, some_text, text_of};
use crate::credential::{Account, Credential, CredentialKind, CredentialState, Intent, Suspension, Unserved};
use crate::secret::{Secret, TokenHash};
use crate::store::seal::Secrets;
use crate::tenant::NameError;

#[derive(Serialize, Deserialize)]
pub(super) struct IntentWire {
    credential_id: String,
    generation: u64,
    refresh_sha256: String,
    attempt: u32,
    sent_at: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SuspensionWire {
    #[serde(default, deserialize_with = "seconds")]
    at: Option<i64>,
    reason: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TenantWire {
    access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    created_at: Option<i64>,
    #[serde(default)]
    credential_id: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "texts")]
    extra: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failures: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    forced_at: Option<i64>,
    #[serde(default)]
    generation: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guild: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intent: Option<IntentWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    last_error_is_operators: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    last_error_is_no_access: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    last_used_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    obtained_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    provider: String,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_readable")]
    registration: Option<RegistrationWire>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_readable")]
    resource: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    retry_at: Option<i64>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suspended: Option<SuspensionWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<String>,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    updated_at: Option<i64>,
}

impl Wire for IntentWire {}

impl Wire for SuspensionWire {}

impl IntentWire {
    fn is_of_the_same_try(&self, before: &Self) -> bool {
        (&self.credential_id, self.generation, self.attempt, self.sent_at)
            == (&before.credential_id, before.generation, before.attempt, before.sent_at)
    }
}

impl Wire for TenantWire {
    fn keep_parts(&self, before: &Self, parts: &mut Parts<'_>) {
        parts.part("account", self.account.as_ref(), before.account.as_ref(), AccountWire::is_same);
        if self.is_of_the_same_sign_in(before) || before.credential_id.is_none() {
            parts.texts("extra");
        }
        parts.part("intent", self.intent.as_ref(), before.intent.as_ref(), IntentWire::is_of_the_same_try);
        RegistrationWire::keep(parts, self.registration.as_ref(), before.registration.as_ref());
        if before.resource.is_none() {
            parts.unread("resource");
        }
        parts.part("suspended", self.suspended.as_ref(), before.suspended.as_ref(), |now, before| {
            now.at == before.at
        });
    }
}

impl TenantWire {
    pub(super) const SECRETS: Secrets = Secrets::Fields(&[
        ("access_token", Secrets::Here),
        ("refresh_token", Secrets::Here),
        ("id_token", Secrets::Here),
        ("extra", Secrets::Each(&Secrets::Here)),
        ("registration", RegistrationWire::SECRETS),
    ]);

    /// Whether both are the same sign-in, as far as they say which.
    pub(super) fn is_of_the_same_sign_in(&self, other: &Self) -> bool {
        self.credential_id.is_some() && self.credential_id == other.credential_id
    }
}

impl Record for Credential {
    const SECRETS: Secrets = TenantWire::SECRETS;

    fn read(raw: &str) -> Result<Self, String> {
        parse::<TenantWire>(raw)?.credential()
    }

    fn write(&self, before: Option<&str>) -> Box<RawValue> {
        let mut wire = TenantWire::of(self);
        if let Some(before) = before.and_then(|before| parse::<TenantWire>(before).ok()) {
            wire.keep_reason(before);
        }
        print(&wire, before)
    }
}

impl TenantWire {
    /// What it says.
    pub(super) fn credential(self) -> Result<Credential, String> {
        let wire = self;
        if wire.access_token.is_empty() {
            return Err("\"access_token\" is empty".to_owned());
        }
        let kind = match wire.kind.as_str() {
            "oauth" => CredentialKind::OAuth,
            "static" => CredentialKind::Static,
            _ => return Err("\"kind\" is neither \"oauth\" nor \"static\"".to_owned()),
        };
        let state = match wire.state.as_deref() {
            None | Some("ok") => CredentialState::Ok,
            Some("needs_login") => CredentialState::NeedsLogin,
            Some("uncertain") => CredentialState::Uncertain,
            Some(_) => return Err("\"state\" is none of \"ok\", \"needs_login\", \"uncertain\"".to_owned()),
        };
        let intent = wire.intent.map(|i| {
            let refresh_sha256 =
                TokenHash::parse(&i.refresh_sha256).map_err(|e| format!("\"intent\": {e}"))?;
            let IntentWire { credential_id, generation, attempt, sent_at, .. } = i;
            Ok::<_, String>(Intent { credential_id, generation, refresh_sha256, attempt, sent_at })
        });
        let refresh_token = some_secret(wire.refresh_token);
        // Filled in at the next write; the same at every reading until then.
        let id = some_text(wire.credential_id).unwrap_or_else(|| {
            let token = refresh_token.as_ref().map_or(wire.access_token.as_str(), Secret::expose);
            TokenHash::of(token).to_string().chars().take(32).collect()
        });
        Ok(Credential {
            kind,
            provider: wire.provider.parse().map_err(|e: NameError| named(&e))?,
            id,
            generation: wire.generation.unwrap_or(0),
            issuer: some_text(wire.issuer),
            token_endpoint: some_text(wire.token_endpoint),
            client_id: some_text(wire.client_id),
            registration: wire.registration.map(RegistrationWire::registration),
            resource: some_text(wire.resource),
            access_token: Secret::from(wire.access_token),
            refresh_token,
            id_token: some_secret(wire.id_token),
            token_type: some_text(wire.token_type).unwrap_or_else(|| "Bearer".to_owned()),
            scopes: wire.scopes,
            extra: wire.extra,
            obtained_at: wire.obtained_at,
            expires_at: wire.expires_at,
            account: wire.account.map(Account::from).unwrap_or_default(),
            owner: some_text(wire.owner).map(|o| o.parse()).transpose().map_err(|e| named(&e))?,
            state,
            intent: intent.transpose()?,
            forced_at: wire.forced_at,
            retry_at: wire.retry_at,
            failures: wire.failures.unwrap_or(0),
            last_error: some_text(wire.last_error),
            operators_error: wire.last_error_is_operators,
            no_access: wire.last_error_is_no_access,
            last_used_at: wire.last_used_at,
            guild: some_text(wire.guild)
                .map(|id| id.parse().map_err(|_| "\"guild\" is not a Discord id".to_owned()))
                .transpose()?,
            // A reason of a later version says at least that nothing is to be handed out.
            suspended: wire.suspended.map(|found| Suspension {
                reason: if found.reason == "left" { Unserved::Left } else { Unserved::NotAdmitted },
                at: found.at.unwrap_or(0),
            }),
            created_at: wire.created_at,
            updated_at: wire.updated_at,
        })
    }

    /// Keeps the word of a later version for why a tenant rests, as long as it is that rest (F5).
    fn keep_reason(&mut self, before: Self) {
        if let (Some(now), Some(before)) = (&mut self.suspended, before.suspended)
            && now.at.unwrap_or(0) == before.at.unwrap_or(0)
            && ![Unserved::Left, Unserved::NotAdmitted].iter().any(|known| known.as_str() == before.reason)
            && now.reason == Unserved::NotAdmitted.as_str()
        {
            now.reason = before.reason;
        }
    }

    /// `credential`, in the file's words.
    pub(super) fn of(credential: &Credential) -> Self {
        Self {
            access_token: credential.access_token.expose().to_owned(),
            account: AccountWire::of(&credential.account),
            client_id: credential.client_id.clone(),
            created_at: credential.created_at,
            credential_id: Some(credential.id.clone()),
            expires_at: credential.expires_at,
            extra: credential.extra.clone(),
            failures: (credential.failures > 0).then_some(credential.failures),
            forced_at: credential.forced_at,
            generation: Some(credential.generation),
            guild: credential.guild.map(|id| id.to_string()),
            id_token: text_of(credential.id_token.as_ref()),
            intent: credential.intent.as_ref().map(|i| IntentWire {
                credential_id: i.credential_id.clone(),
                generation: i.generation,
                refresh_sha256: i.refresh_sha256.to_string(),
                attempt: i.attempt,
                sent_at: i.sent_at,
            }),
            issuer: credential.issuer.clone(),
            kind: match credential.kind {
                CredentialKind::OAuth => "oauth",
                CredentialKind::Static => "static",
            }
            .to_owned(),
            last_error: credential.last_error.clone(),
            last_error_is_operators: credential.operators_error,
            last_error_is_no_access: credential.no_access,
            last_used_at: credential.last_used_at,
            obtained_at: credential.obtained_at,
            owner: credential.owner.as_ref().map(ToString::to_string),
            provider: credential.provider.to_string(),
            refresh_token: text_of(credential.refresh_token.as_ref()),
            registration: credential.registration.as_ref().map(RegistrationWire::of),
            resource: credential.resource.clone(),
            retry_at: credential.retry_at,
            scopes: credential.scopes.clone(),
            state: Some(
                match credential.state {
                    CredentialState::Ok => "ok",
                    CredentialState::NeedsLogin => "needs_login",
                    CredentialState::Uncertain => "uncertain",
                }
                .to_owned(),
            ),
            suspended: credential.suspended.map(|suspension| SuspensionWire {
                at: Some(suspension.at),
                reason: suspension.reason.as_str().to_owned(),
            }),
            token_endpoint: credential.token_endpoint.clone(),
            token_type: Some(credential.token_type.clone()),
            updated_at: credential.updated_at,
        }
    }
}
