//! What an update says it will look at and change.
//!
//! Owns [`Touches`]. Over a file it is checked; over database rows it will be what gets locked.

use std::collections::BTreeSet;

use crate::tenant::{TenantKey, ThreadId, User};

/// The part of the store that an update sees. Start with [`Touches::nothing`] or one of the others, and add to it.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of the store that is named or not")]
pub struct Touches {
    tenants: BTreeSet<TenantKey>,
    all_tenants: bool,
    logins_at: BTreeSet<TenantKey>,
    logins_of: BTreeSet<User>,
    all_logins: bool,
    threads: BTreeSet<ThreadId>,
    revocations: bool,
    everything: bool,
}

impl Touches {
    /// Nothing yet; an update that touches no more is a sweep.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// All that is stored: for bringing back a copy of it.
    #[must_use]
    pub fn everything() -> Self {
        Self { everything: true, ..Self::nothing() }
    }

    /// One tenant's credential.
    #[must_use]
    pub fn tenant(tenant: &TenantKey) -> Self {
        Self::nothing().and_tenant(tenant)
    }

    /// The pending logins of one tenant, whoever's.
    #[must_use]
    pub fn logins_at(tenant: &TenantKey) -> Self {
        Self::nothing().and_logins_at(tenant)
    }

    /// One thread's binding.
    #[must_use]
    pub fn thread(thread: &ThreadId) -> Self {
        Self::nothing().and_thread(thread)
    }

    /// Adds a tenant's credential.
    #[must_use]
    pub fn and_tenant(mut self, tenant: &TenantKey) -> Self {
        self.tenants.insert(tenant.clone());
        self
    }

    /// Adds every tenant's credential: for a change that must look at all of them (I9).
    #[must_use]
    pub fn and_all_tenants(mut self) -> Self {
        self.all_tenants = true;
        self
    }

    /// Adds the pending logins of a tenant.
    #[must_use]
    pub fn and_logins_at(mut self, tenant: &TenantKey) -> Self {
        self.logins_at.insert(tenant.clone());
        self
    }

    /// Adds the pending logins of a person.
    #[must_use]
    pub fn and_logins_of(mut self, user: &User) -> Self {
        self.logins_of.insert(user.clone());
        self
    }

    /// Adds all pending logins.
    #[must_use]
    pub fn and_all_logins(mut self) -> Self {
        self.all_logins = true;
        self
    }

    /// Adds a thread's binding.
    #[must_use]
    pub fn and_thread(mut self, thread: &ThreadId) -> Self {
        self.threads.insert(thread.clone());
        self
    }

    /// Adds the revocations that are owed.
    #[must_use]
    pub fn and_revocations(mut self) -> Self {
        self.revocations = true;
        self
    }

    pub(super) fn has_tenant(&self, tenant: &TenantKey) -> bool {
        self.everything || self.all_tenants || self.tenants.contains(tenant)
    }

    pub(super) fn has_all_tenants(&self) -> bool {
        self.everything || self.all_tenants
    }

    pub(super) fn has_login(&self, user: &User, tenant: &TenantKey) -> bool {
        self.everything || self.all_logins || self.logins_at.contains(tenant) || self.logins_of.contains(user)
    }

    pub(super) fn has_thread(&self, thread: &ThreadId) -> bool {
        self.everything || self.threads.contains(thread)
    }

    pub(super) fn has_revocations(&self) -> bool {
        self.everything || self.revocations
    }

    pub(super) fn is_everything(&self) -> bool {
        self.everything
    }
}
