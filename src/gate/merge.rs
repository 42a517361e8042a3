//! What a refresh makes of a credential.
//!
//! Owns which parts a reply replaces. Invariant: what it leaves out stays (G23). Must not: judge whose the tokens are.

use crate::clock::UnixSeconds;
use crate::credential::{Credential, CredentialState};
use crate::oauth::Grant;

/// The credential that a grant makes of `stored`: what the reply leaves out stays (G23).
pub(super) fn merge(
    stored: &Credential,
    grant: Grant,
    forced_at: Option<UnixSeconds>,
    now: UnixSeconds,
) -> Credential {
    let mut renewed = stored.clone();
    renewed.generation = stored.generation.saturating_add(1);
    renewed.access_token = grant.access_token;
    renewed.refresh_token = grant.refresh_token.or(renewed.refresh_token);
    renewed.id_token = grant.id_token.or(renewed.id_token);
    renewed.token_type = grant.token_type;
    renewed.scopes = grant.scopes.unwrap_or(renewed.scopes);
    renewed.expires_at = grant.expires_at;
    renewed.extra.extend(grant.extra);
    renewed.account.id = grant.account.id.or(renewed.account.id);
    renewed.account.email = grant.account.email.or(renewed.account.email);
    renewed.obtained_at = Some(now);
    renewed.state = CredentialState::Ok;
    renewed.intent = None;
    renewed.forced_at = forced_at;
    renewed.retry_at = None;
    renewed.failures = 0;
    renewed.last_error = None;
    renewed.operators_error = false;
    renewed.no_access = false;
    renewed
}
