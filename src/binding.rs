//! Which tenants a thread uses, and what is owed to providers: the two small records beside tenants and logins.
//!
//! Owns [`Binding`] (at most one tenant per provider), whose binding nobody else may change, and [`OwedRevocation`] (T12).
//! Must not: decide who may use which tenant (`broker/rights.rs` does).

use std::collections::BTreeMap;

use crate::clock::{SKEW_ALLOWED, UnixSeconds};
use crate::credential::{Account, Credential, Registration};
use crate::secret::{Secret, random_id};
use crate::tenant::{ProviderName, TenantKey, User, UserId};

/// The tenants that a thread is bound to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Binding {
    /// One tenant per provider.
    pub tenants: BTreeMap<ProviderName, TenantKey>,
    /// When one of its agents last asked for a token and had to be refused, since somebody must sign in; to the hour.
    pub asked_at: Option<UnixSeconds>,
    /// What the thread has been told of its tenants, as opaque marks.
    pub told: Vec<String>,
    /// When it last changed.
    pub updated_at: UnixSeconds,
}

/// Whose personal tenant stands in the way of `user`'s changing what a thread is `bound` to: its owner and an admin may.
#[must_use]
pub fn holder_in_the_way<'a>(user: &User, admin: bool, bound: Option<&'a TenantKey>) -> Option<&'a UserId> {
    bound?.user.as_ref().filter(|holder| !admin && Some(*holder) != user.discord())
}

/// How long an owed revocation is tried again, in seconds (T12).
pub const REVOCATION_OWED_FOR: i64 = 24 * 60 * 60;

/// The first pause before an owed revocation is tried again, in seconds; it doubles up to an hour.
pub(crate) const OWED_PAUSE: i64 = 60;

/// A revocation that could not be done yet (T12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedRevocation {
    /// Its name: random, or that of the login whose tokens they were.
    pub id: String,
    /// The provider that must hear of it.
    pub provider: ProviderName,
    /// The slot the token came from, for the audit line.
    pub tenant: TenantKey,
    /// The client that the token was issued to.
    pub client_id: Option<String>,
    /// That client, where its issuer registered it for us: nothing else holds it any more.
    pub registration: Option<Registration>,
    /// The token endpoint that issued it.
    pub token_endpoint: Option<String>,
    /// Whose it is: a newer sign-in of the same account is not put at risk.
    pub account: Account,
    /// The token to revoke.
    pub token: Secret,
    /// Whether it is a refresh token.
    pub is_refresh: bool,
    /// How often it was tried.
    pub attempts: u32,
    /// When it became owed.
    pub owed_at: UnixSeconds,
    /// Not before this time is it tried again.
    pub retry_at: UnixSeconds,
}

impl OwedRevocation {
    /// The end of the tokens of `credential`, of which the first try is about to be made or has just failed.
    pub(crate) fn of(tenant: &TenantKey, credential: &Credential, now: UnixSeconds) -> Self {
        Self {
            id: random_id(),
            provider: tenant.provider.clone(),
            tenant: tenant.clone(),
            client_id: credential.client_id.clone(),
            registration: credential.registration.clone(),
            token_endpoint: credential.token_endpoint.clone(),
            account: credential.account.clone(),
            token: credential.refresh_token.as_ref().unwrap_or(&credential.access_token).clone(),
            is_refresh: credential.refresh_token.is_some(),
            attempts: 0,
            owed_at: now,
            // Not by the timer while the first try is under way.
            retry_at: now + OWED_PAUSE * 3,
        }
    }

    /// Whether it has been owed for so long that it is given up (T12). One from a time that is still to come is kept as long
    /// from there: the clock was set back, and the provider has not heard (S14).
    pub(crate) fn is_over(&self, now: UnixSeconds) -> bool {
        now.saturating_sub(self.owed_at).saturating_abs() > REVOCATION_OWED_FOR
    }

    /// Whether it is to be tried now. A pause that reaches further than any server may ask, or was begun at a time that is
    /// still to come, is a clock's fault and holds nobody (S14).
    pub(crate) fn is_due(&self, now: UnixSeconds) -> bool {
        let wait = self.retry_at.saturating_sub(now);
        let is_believed =
            wait <= REVOCATION_OWED_FOR + SKEW_ALLOWED && self.owed_at.saturating_sub(now) <= SKEW_ALLOWED;
        !self.is_over(now) && (wait <= 0 || !is_believed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::CredentialKind;

    /// T12, S14
    #[test]
    fn an_owed_revocation_is_tried_from_its_time_on_whatever_the_clock_did() {
        const NOW: i64 = 1_800_000_000;
        let tenant: TenantKey = "acme".parse().unwrap();
        let provider = tenant.provider.clone();
        let held = Credential::new(CredentialKind::OAuth, provider, Secret::new("at"), NOW);
        let day = REVOCATION_OWED_FOR;
        for (what, owed_at, retry_at, is_due, is_over) in [
            ("its pause holds", NOW, NOW + 60, false, false),
            ("its time has come", NOW - 60, NOW, true, false),
            ("as long as a server may ask", NOW, NOW + day, false, false),
            ("further than any server may ask", NOW - 60, NOW + day + 61, true, false),
            ("for ever", NOW, i64::MAX, true, false),
            ("the clock was set back", NOW + 61, NOW + 120, true, false),
            ("two clocks that differ a little", NOW + 60, NOW + 120, false, false),
            ("a day is not over", NOW - day, NOW, true, false),
            ("a day is over", NOW - day - 1, NOW, false, true),
            ("set back by more than a day", NOW + day + 1, NOW, false, true),
            ("no stamp at all", 0, 0, false, true),
        ] {
            let owed = OwedRevocation { owed_at, retry_at, ..OwedRevocation::of(&tenant, &held, NOW) };
            assert_eq!((owed.is_due(NOW), owed.is_over(NOW)), (is_due, is_over), "{what}");
        }
    }
}
