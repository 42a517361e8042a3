//! Refreshing because somebody wishes it: the button "Refresh now".
//!
//! Owns who may wish it. Invariant: it goes through the gate as any refresh does, and obeys its rules: one at a time, its
//! back-off, and not again within a minute (G1, G15, G16). Must not: be done for merely looking (G27).

use super::serving::from_environment;
use super::{Broker, Caller, TenantStatus};
use crate::audit;
use crate::gate::policy::is_refreshable;
use crate::gate::{CALLER_DEADLINE, TokenError, Want};
use crate::rights::{Act, may};
use crate::store::StoreError;
use crate::tenant::TenantKey;

/// Why nothing was refreshed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RefreshError {
    /// Somebody else's.
    #[error("{tenant} was signed in by somebody else; they or an admin can refresh it")]
    NotYours {
        /// The slot.
        tenant: TenantKey,
    },
    /// There is nothing to refresh it with: a key, or a sign-in without a refresh token; or the environment serves in
    /// its place.
    #[error("{tenant} is served as it is and never refreshed")]
    NotRefreshable {
        /// The slot.
        tenant: TenantKey,
    },
    /// The gate's answer.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        Self::Token(error.into())
    }
}

impl Broker {
    /// Refreshes `tenant` on the word of `caller`, and tells how it is then.
    ///
    /// # Errors
    /// See [`RefreshError`].
    pub async fn refresh(&self, caller: &Caller, tenant: &TenantKey) -> Result<TenantStatus, RefreshError> {
        let held = self.store.snapshot()?.tenant(tenant).map_err(StoreError::from)?;
        let owner = held.as_ref().and_then(|held| held.owner.as_ref());
        if !may(caller, Act::Manage { owner }, tenant).is_yes() {
            audit::denied(&caller.user, "refreshing somebody else's tenant");
            return Err(RefreshError::NotYours { tenant: tenant.clone() });
        }
        let Some(held) = held else {
            return Err(TokenError::NeverSignedIn { tenant: tenant.clone() }.into());
        };
        let catalog = self.catalog();
        let provider = catalog.get(&tenant.provider);
        if !is_refreshable(&held) || provider.is_some_and(|provider| from_environment(provider).is_some()) {
            return Err(RefreshError::NotRefreshable { tenant: tenant.clone() });
        }
        audit::refresh_wished(&caller.user, tenant);
        // Newer than what the caller saw when they pressed, even if it was refreshed a moment ago by another's hand.
        let want = Want { arrived: Some(held.version()), ..Want::anew() };
        let fresh = self.gate.token(tenant, want, CALLER_DEADLINE).await?;
        let document = self.store.snapshot()?;
        Ok(self.status_of(&document, tenant, &fresh))
    }
}
