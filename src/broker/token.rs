//! Handing out access tokens.
//!
//! Owns the precedence of sources (G25): API key, token from the environment, stored credential, with no silent fall
//! through. Invariant: only access tokens leave here (Z2). Must not: write on the way of a fresh token (G24); that a
//! tenant is in use is noted afterwards, once a day.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Broker;
use super::serving::{FromEnvironment, in_force};
use crate::clock::UnixSeconds;
use crate::credential::Credential;
use crate::gate::{self, TokenError, Want};
use crate::provider::{Catalog, EnvSource};
use crate::secret::Secret;
use crate::store::{Document, StoreError, Touches, update};
use crate::tenant::{ProviderName, TenantKey, ThreadId};

const A_DAY: i64 = 24 * 60 * 60;
const AN_HOUR: i64 = 60 * 60;

/// An access token to use, with what its user must know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshToken {
    /// Whose.
    pub tenant: TenantKey,
    /// The token itself.
    pub access_token: Secret,
    /// How it is presented; `Bearer` mostly.
    pub token_type: String,
    /// When it ends, in unix seconds, where that is known.
    pub expires_at: Option<UnixSeconds>,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// One up at every replacement; 0 for what comes from the environment.
    pub generation: u64,
    /// What its user needs beside it, by the names that the descriptor keeps.
    pub extra: BTreeMap<String, String>,
    /// Whether today's first use is still to be noted.
    pub unnoted: bool,
}

impl FreshToken {
    fn stored(tenant: &TenantKey, credential: &Credential, now: UnixSeconds) -> Self {
        Self {
            tenant: tenant.clone(),
            access_token: credential.access_token.clone(),
            token_type: credential.token_type.clone(),
            expires_at: credential.expires_at,
            scopes: credential.scopes.clone(),
            generation: credential.generation,
            extra: credential.extra.clone(),
            unnoted: credential.last_used_at != Some(today(now)),
        }
    }

    fn environment(tenant: &TenantKey, token: &Secret) -> Self {
        Self {
            tenant: tenant.clone(),
            access_token: token.clone(),
            token_type: "Bearer".to_owned(),
            expires_at: None,
            scopes: Vec::new(),
            generation: 0,
            extra: BTreeMap::new(),
            unnoted: false,
        }
    }
}

fn today(now: UnixSeconds) -> UnixSeconds {
    now - now.rem_euclid(A_DAY)
}

/// What the environment gives for `provider` (G25).
fn from_environment<'a>(
    catalog: &'a Catalog,
    provider: &ProviderName,
) -> Option<(FromEnvironment, &'a EnvSource)> {
    in_force(catalog.get(provider)?)
}

/// The token, if it can be handed out at once: no runtime, no lock, no request. `None` if a flight must see to it; then
/// with the version that was found, for [`Want::arrived`].
///
/// # Errors
/// A refusal that no flight would change.
pub fn fresh_now(
    document: &Document,
    catalog: &Catalog,
    tenant: &TenantKey,
    want: &Want,
    now: UnixSeconds,
) -> Result<Result<FreshToken, (String, u64)>, TokenError> {
    if let Some(source) = from_environment(catalog, &tenant.provider) {
        return environment_token(tenant, source, want).map(Ok);
    }
    let credential =
        document.tenant(tenant)?.ok_or_else(|| TokenError::NeverSignedIn { tenant: tenant.clone() })?;
    let fresh = gate::look(catalog, tenant, &credential, want, now)?;
    Ok(fresh.map(|fresh| FreshToken::stored(tenant, &fresh, now)).ok_or_else(|| credential.version()))
}

/// A token from the environment that the provider rejects, or that is none, is the operator's matter, and nothing lower stands
/// in (G25).
fn environment_token(
    tenant: &TenantKey,
    (kind, source): (FromEnvironment, &EnvSource),
    want: &Want,
) -> Result<FreshToken, TokenError> {
    let refused = |why: String| Err(TokenError::Operator { tenant: tenant.clone(), why });
    let (noun, variable) = (kind.noun(), &source.variable);
    let Some(token) = source.secret() else {
        return refused(format!(
            "the {noun} in {variable} cannot be used, since it has white space inside or characters that are not ASCII: \
             correct or unset it"
        ));
    };
    if want.rejected == Some(token.hash()) {
        return refused(format!("the provider rejects the {noun} in {variable}: replace or unset it"));
    }
    Ok(FreshToken::environment(tenant, token))
}

impl Broker {
    /// A fresh access token of `tenant`, refreshed if it must be. Waits at most `deadline`.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn token(
        &self,
        tenant: &TenantKey,
        want: Want,
        deadline: Duration,
    ) -> Result<FreshToken, TokenError> {
        if let Some(source) = from_environment(&self.catalog(), &tenant.provider) {
            return environment_token(tenant, source, &want);
        }
        let credential: Arc<Credential> = self.gate.token(tenant, want, deadline).await?;
        let now = self.clock.now();
        let token = FreshToken::stored(tenant, &credential, now);
        if self.gate.due(&credential).is_some_and(|due| due <= now) {
            self.gate.refresh_ahead(tenant);
        }
        Ok(token)
    }

    /// Notes that `tenant` is in use today, so that it is kept fresh. At most one write a day.
    ///
    /// # Errors
    /// The store's.
    pub async fn note_use(&self, tenant: &TenantKey) -> Result<(), StoreError> {
        let key = tenant.clone();
        let noted = update(&*self.store, Touches::tenant(tenant), move |view| {
            if let Some(mut credential) = view.tenant(&key)? {
                let today = today(view.now());
                if credential.last_used_at != Some(today) {
                    credential.last_used_at = Some(today);
                    view.put_tenant(&key, credential);
                }
            }
            Ok::<_, StoreError>(())
        });
        noted.await?
    }

    /// Notes that an agent of `thread` asked for a token and was refused, since somebody must sign in: then the thread is
    /// told, however quiet it has been (W4). At most one write an hour.
    ///
    /// # Errors
    /// The store's.
    pub async fn note_asked(&self, thread: &ThreadId) -> Result<(), StoreError> {
        let now = self.clock.now();
        let is_noted =
            |at: Option<UnixSeconds>| at.is_some_and(|at| (0..AN_HOUR).contains(&now.saturating_sub(at)));
        if self.store.snapshot()?.binding(thread)?.is_some_and(|binding| is_noted(binding.asked_at)) {
            return Ok(());
        }
        let key = thread.clone();
        let noted = update(&*self.store, Touches::thread(thread), move |view| {
            let mut binding = view.binding(&key)?;
            binding.asked_at = Some(view.now());
            view.put_binding(&key, binding);
            Ok::<_, StoreError>(())
        });
        noted.await?
    }
}
