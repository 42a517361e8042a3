//! The audit trail: one line for each login, refresh, logout, revocation and denial.
//!
//! Owns the texts and the log target `latchkey::audit`, by which an operator sends them to a place of their own. Each
//! line says who, which tenant and what came of it. Invariant: no secret is in any of them, by type (Z3).

use crate::clock::UnixSeconds;
use crate::credential::Objection;
use crate::oauth::Outcome;
use crate::pending::{LoginStatus, PendingLogin};
use crate::tenant::{ProviderName, TenantKey, ThreadId, User};

/// A refresh has ended.
pub(crate) fn refresh(tenant: &TenantKey, outcome: &Outcome) {
    tracing::info!(target: "latchkey::audit", %tenant, %outcome, "refresh");
}

/// A refresh came back for somebody else (I4).
pub(crate) fn identity_refused(tenant: &TenantKey) {
    tracing::warn!(target: "latchkey::audit", %tenant, "refresh refused: another account");
}

/// Tokens were dropped without being stored.
pub(crate) fn dropped(tenant: &TenantKey, what: &str) {
    tracing::info!(target: "latchkey::audit", %tenant, what, "dropped");
}

/// A credential came from another program's file.
pub(crate) fn imported(user: &User, tenant: &TenantKey) {
    tracing::info!(target: "latchkey::audit", %user, %tenant, "imported");
}

/// A credential from another program's file was refused (I7).
pub(crate) fn import_refused(user: &User, tenant: &TenantKey, why: &Objection) {
    tracing::warn!(target: "latchkey::audit", %user, %tenant, %why, "import refused");
}

/// Another program's file was given an access token, or lost it (Z3).
pub(crate) fn fed(feed: &str, tenant: &TenantKey, outcome: &str) {
    tracing::info!(target: "latchkey::audit", feed, %tenant, outcome, "feed");
}

/// A refresh token stood in another program's file that we keep, and left it.
pub(crate) fn feed_found_refresh_token(feed: &str, tenant: &TenantKey) {
    tracing::warn!(target: "latchkey::audit", feed, %tenant, "feed: a refresh token was found, kept aside and not used");
}

/// A login was started.
pub(crate) fn login_started(login: &PendingLogin) {
    tracing::info!(target: "latchkey::audit", user = %login.user, tenant = %login.tenant, login = %login.id, "login started");
}

/// A login has ended.
pub(crate) fn login_ended(login: &PendingLogin, status: LoginStatus) {
    tracing::info!(target: "latchkey::audit", user = %login.user, tenant = %login.tenant, login = %login.id, %status, "login ended");
}

/// A sign-in with another account waits for an admin's word (I5).
pub(crate) fn waits_for_admin(login: &PendingLogin) {
    tracing::info!(target: "latchkey::audit", user = %login.user, tenant = %login.tenant, login = %login.id, "login waits for an admin");
}

/// An admin gave their word on it (Z3).
pub(crate) fn admin_decided(admin: &User, login: &PendingLogin, word: &str) {
    tracing::info!(target: "latchkey::audit", %admin, user = %login.user, tenant = %login.tenant, login = %login.id, word, "another account");
}

/// Somebody tried what is not theirs (C11).
pub(crate) fn denied(user: &User, what: &str) {
    tracing::warn!(target: "latchkey::audit", %user, what, "denied");
}

/// A member's own tenant is served no more, or again (U7).
pub(crate) fn membership(tenant: &TenantKey, outcome: &str) {
    tracing::info!(target: "latchkey::audit", %tenant, outcome, "membership");
}

/// A tenant was logged out.
pub(crate) fn logout(user: &User, tenant: &TenantKey) {
    tracing::info!(target: "latchkey::audit", %user, %tenant, "logout");
}

/// A thread was bound to another tenant, or has no choice of its own any more.
pub(crate) fn bound(user: &User, thread: &ThreadId, provider: &ProviderName, tenant: Option<&TenantKey>) {
    let tenant = tenant.map_or_else(|| "none".to_owned(), ToString::to_string);
    tracing::info!(target: "latchkey::audit", %user, %thread, %provider, tenant, "thread bound");
}

/// Somebody wished for a refresh; what came of it is its own line.
pub(crate) fn refresh_wished(user: &User, tenant: &TenantKey) {
    tracing::info!(target: "latchkey::audit", %user, %tenant, "refresh asked for");
}

/// A revocation that was owed is given up: the provider never heard of it (T12). Louder than the others, since whichever
/// process meets it says it once and nobody after.
pub(crate) fn revocation_given_up(tenant: &TenantKey) {
    let outcome = "given up: it could not be done for a day";
    tracing::warn!(target: "latchkey::audit", %tenant, outcome, "revocation");
}

/// A revocation was done, is owed, was given up or was left out on purpose (T12).
pub(crate) fn revocation(tenant: &TenantKey, outcome: &str) {
    tracing::info!(target: "latchkey::audit", %tenant, outcome, "revocation");
}

/// The operator had the configuration read anew (Z3).
pub(crate) fn reloaded(taken_over: bool) {
    let outcome = if taken_over { "taken over" } else { "refused: the one before stays in force" };
    tracing::info!(target: "latchkey::audit", outcome, "configuration reloaded");
}

/// A program got tokens over the socket: the first of an hour, or how many in the whole of the hour since `hour`.
pub(crate) fn handed_out(consumer: &str, tenant: &str, count: u64, hour: Option<UnixSeconds>) {
    tracing::info!(target: "latchkey::audit", consumer, tenant, count, hour, "token handed out");
}

/// A program asked over the socket for what it may not have; counted as [`handed_out`] is.
pub(crate) fn not_handed_out(consumer: &str, tenant: &str, count: u64, hour: Option<UnixSeconds>) {
    tracing::warn!(target: "latchkey::audit", consumer, tenant, count, hour, "token refused: not allowed");
}

/// All that is stored was written into an encrypted file.
pub fn exported(user: &User, tenants: usize) {
    tracing::info!(target: "latchkey::audit", %user, tenants, "exported");
}

/// A credential came back from such a file, which was made at `made_at`.
pub(crate) fn restored(user: &User, tenant: &TenantKey, made_at: UnixSeconds) {
    tracing::info!(target: "latchkey::audit", %user, %tenant, made_at, "restored");
}

/// A credential of such a file was refused (I7).
pub(crate) fn restore_refused(user: &User, tenant: &TenantKey, why: &Objection) {
    tracing::warn!(target: "latchkey::audit", %user, %tenant, %why, "restore refused");
}
