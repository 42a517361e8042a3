//! The audit trail: one line for each login, refresh, logout, revocation and denial.
//!
//! Owns the texts and the log target `latchkey::audit`, by which the program sends them to a place of their own, and counts what
//! is told here alone. Each line says who, which tenant and what came of it; its name is its stable word for programs, as the
//! names of its fields are (docs/operations.md has them all). Invariant: no secret is in any of them, by type (Z3).

use crate::clock::UnixSeconds;
use crate::credential::Objection;
use crate::metrics;
use crate::oauth::Outcome;
use crate::pending::{EndReason, LoginStatus, PendingLogin};
use crate::tenant::{ProviderName, TenantKey, ThreadId, User};

/// The target of all lines.
pub const TARGET: &str = "latchkey::audit";

/// A refresh has ended.
pub(crate) fn refresh(tenant: &TenantKey, outcome: &Outcome) {
    let (word, reason) = outcome.words();
    let is_granted = matches!(outcome, Outcome::Granted(_));
    let reason = (!is_granted).then_some(reason);
    let detail = (!is_granted).then(|| outcome.to_string());
    tracing::info!(name: "refresh", target: TARGET, %tenant, outcome = %word, reason, detail, "refresh");
}

/// A refresh came back for somebody else (I4).
pub(crate) fn identity_refused(tenant: &TenantKey) {
    tracing::warn!(name: "identity_refused", target: TARGET, %tenant, "refresh refused: another account");
}

/// Tokens were dropped without being stored.
pub(crate) fn dropped(tenant: &TenantKey, what: &str) {
    tracing::info!(name: "dropped", target: TARGET, %tenant, what, "dropped");
}

/// A credential came from another program's file.
pub(crate) fn imported(user: &User, tenant: &TenantKey) {
    tracing::info!(name: "imported", target: TARGET, %user, %tenant, "imported");
}

/// A credential from another program's file was refused (I7).
pub(crate) fn import_refused(user: &User, tenant: &TenantKey, why: &Objection) {
    tracing::warn!(name: "import_refused", target: TARGET, %user, %tenant, %why, "import refused");
}

/// Another program's file was given an access token, or lost it (Z3).
pub(crate) fn fed(feed: &str, tenant: &TenantKey, outcome: &'static str) {
    metrics::fed(feed, outcome);
    tracing::info!(name: "feed", target: TARGET, feed, %tenant, outcome, "feed");
}

/// A refresh token stood in another program's file that we keep, and left it.
pub(crate) fn feed_found_refresh_token(feed: &str, tenant: &TenantKey) {
    tracing::warn!(name: "feed_found_refresh_token", target: TARGET, feed, %tenant, "feed: a refresh token was found, kept aside and not used");
}

/// A login was started.
pub(crate) fn login_started(login: &PendingLogin) {
    metrics::login_started(login);
    let kind = login.kind.as_str();
    tracing::info!(name: "login_started", target: TARGET, user = %login.user, tenant = %login.tenant, login = %login.id, kind, "login started");
}

/// A login has ended.
pub(crate) fn login_ended(login: &PendingLogin, status: LoginStatus) {
    metrics::login_ended(login);
    let (kind, reason) = (login.kind.as_str(), login.reason.as_ref().map(EndReason::as_str));
    tracing::info!(name: "login_ended", target: TARGET, user = %login.user, tenant = %login.tenant, login = %login.id, kind, outcome = %status, reason, "login ended");
}

/// A sign-in with another account waits for an admin's word (I5).
pub(crate) fn waits_for_admin(login: &PendingLogin) {
    tracing::info!(name: "login_waits", target: TARGET, user = %login.user, tenant = %login.tenant, login = %login.id, "login waits for an admin");
}

/// An admin gave their word on it (Z3).
pub(crate) fn admin_decided(admin: &User, login: &PendingLogin, word: &str) {
    tracing::info!(name: "admin_decided", target: TARGET, %admin, user = %login.user, tenant = %login.tenant, login = %login.id, outcome = word, "another account");
}

/// Somebody tried what is not theirs (C11).
pub(crate) fn denied(user: &User, what: &str) {
    metrics::denied();
    tracing::warn!(name: "denied", target: TARGET, %user, what, "denied");
}

/// Somebody who is not admitted used a command or a button (U7).
pub fn not_served(user: &User) {
    metrics::denied();
    tracing::info!(name: "denied", target: TARGET, %user, what = "not served", "denied");
}

/// A member's own tenant is served no more, or again (U7).
pub(crate) fn membership(tenant: &TenantKey, outcome: &str) {
    tracing::info!(name: "membership", target: TARGET, %tenant, outcome, "membership");
}

/// A tenant was logged out.
pub(crate) fn logout(user: &User, tenant: &TenantKey) {
    tracing::info!(name: "logout", target: TARGET, %user, %tenant, "logout");
}

/// A thread was bound to another tenant, or has no choice of its own any more.
pub(crate) fn bound(user: &User, thread: &ThreadId, provider: &ProviderName, tenant: Option<&TenantKey>) {
    let tenant = tenant.map_or_else(|| "none".to_owned(), ToString::to_string);
    tracing::info!(name: "bound", target: TARGET, %user, %thread, %provider, tenant, "thread bound");
}

/// Somebody wished for a refresh; what came of it is its own line.
pub(crate) fn refresh_wished(user: &User, tenant: &TenantKey) {
    tracing::info!(name: "refresh_wished", target: TARGET, %user, %tenant, "refresh asked for");
}

/// A revocation that was owed is given up: the provider never heard of it (T12). Louder than the others, since whichever
/// process meets it says it once and nobody after.
pub(crate) fn revocation_given_up(tenant: &TenantKey) {
    let outcome = "given up: it could not be done for a day";
    tracing::warn!(name: "revocation", target: TARGET, %tenant, outcome, "revocation");
}

/// A revocation was done, is owed, was given up or was left out on purpose (T12).
pub(crate) fn revocation(tenant: &TenantKey, outcome: &str) {
    tracing::info!(name: "revocation", target: TARGET, %tenant, outcome, "revocation");
}

/// The operator had the configuration read anew (Z3).
pub(crate) fn reloaded(taken_over: bool) {
    let outcome = if taken_over { "taken over" } else { "refused: the one before stays in force" };
    tracing::info!(name: "reloaded", target: TARGET, outcome, "configuration reloaded");
}

/// A program got tokens over the socket: the first of an hour, or how many in the whole of the hour since `hour`.
pub(crate) fn handed_out(consumer: &str, tenant: &str, count: u64, hour: Option<UnixSeconds>) {
    tracing::info!(name: "handed_out", target: TARGET, consumer, tenant, count, hour, "token handed out");
}

/// A program asked over the socket for what it may not have; counted as [`handed_out`] is.
pub(crate) fn not_handed_out(consumer: &str, tenant: &str, count: u64, hour: Option<UnixSeconds>) {
    tracing::warn!(name: "not_handed_out", target: TARGET, consumer, tenant, count, hour, "token refused: not allowed");
}

/// All that is stored was written into an encrypted file.
pub fn exported(user: &User, tenants: usize) {
    tracing::info!(name: "exported", target: TARGET, %user, tenants, "exported");
}

/// A credential came back from such a file, which was made at `made_at`.
pub(crate) fn restored(user: &User, tenant: &TenantKey, made_at: UnixSeconds) {
    tracing::info!(name: "restored", target: TARGET, %user, %tenant, made_at, "restored");
}

/// A credential of such a file was refused (I7).
pub(crate) fn restore_refused(user: &User, tenant: &TenantKey, why: &Objection) {
    tracing::warn!(name: "restore_refused", target: TARGET, %user, %tenant, %why, "restore refused");
}

/// A key was put first into a file of keys.
pub fn seal_key_added(user: &User, key: &str) {
    tracing::info!(name: "seal_key_added", target: TARGET, %user, key, "seal key added");
}

/// All that is stored was sealed with the first key, at once.
pub fn sealed(user: &User, key: &str) {
    tracing::info!(name: "sealed", target: TARGET, %user, key, "sealed");
}

/// All that is stored was written in clear.
pub fn opened(user: &User) {
    tracing::warn!(name: "opened", target: TARGET, %user, "opened: everything stands in clear");
}

#[cfg(test)]
mod tests;
