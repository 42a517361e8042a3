//! What a change sees while it runs: its own copy of what it said it touches.
//!
//! Owns the overlay over a [`Document`]: reads fall through to the document, writes stay here until the store adopts
//! them. Invariant: nothing outside the update's [`Touches`] is seen or changed; reaching outside is a bug and
//! panics, which drops that update alone (F17).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::{Changes, Document, EntryError, RawEntry};
use super::owing::owed_by;
use super::touches::Touches;
use crate::binding::{Binding, OwedRevocation};
use crate::clock::UnixSeconds;
use crate::credential::Credential;
use crate::pending::{LoginId, PendingLogin};
use crate::tenant::{TenantKey, ThreadId, User};

/// One update's window on the store.
#[derive(Debug)]
pub struct View<'a> {
    base: &'a Document,
    touches: Touches,
    now: UnixSeconds,
    changes: Changes,
}

impl<'a> View<'a> {
    pub(super) fn new(base: &'a Document, touches: Touches, now: UnixSeconds) -> Self {
        Self { base, touches, now, changes: Changes::default() }
    }

    pub(super) fn into_changes(mut self) -> Changes {
        for (name, after) in &self.changes.pending {
            let Some(before) = self.base.login_at(name) else { continue };
            let stored = self.changes.tenants.get(&before.tenant.to_string()).and_then(Option::as_ref);
            let owed = owed_by(&before, after.as_ref(), stored, self.now);
            self.changes.owed.extend(owed);
        }
        self.changes
    }

    /// The time of this write, in unix seconds.
    #[must_use]
    pub fn now(&self) -> UnixSeconds {
        self.now
    }

    /// All that is stored, as it was before this change.
    ///
    /// # Panics
    /// When the update did not say that it touches everything.
    #[must_use]
    pub fn before(&self) -> &Document {
        assert!(self.touches.is_everything(), "bug: update looks at everything without naming it");
        self.base
    }

    /// Stores `credential` under `tenant`, as it stood in a copy of a store: what is not known of its `text` there comes along,
    /// instead of what is not known of the entry that it replaces (F5).
    ///
    /// # Panics
    /// When the update did not say that it touches this tenant.
    pub fn put_copied_tenant(&mut self, tenant: &TenantKey, credential: Credential, text: String) {
        self.put_tenant(tenant, credential);
        self.changes.texts.insert(tenant.to_string(), text);
    }

    /// Adds an entry that stood in a copy of a store (F5). It must not be a tenant's that is understood, which has its own way.
    ///
    /// # Panics
    /// When the update did not say that it touches everything.
    pub fn put_copied(&mut self, entry: RawEntry<'_>) {
        assert!(self.touches.is_everything(), "bug: update copies an entry without naming everything");
        self.changes.copied.push(entry.owned());
    }

    /// The tenant's credential, if it has one.
    ///
    /// # Errors
    /// When the entry is there and cannot be understood: it is not to be overwritten unseen.
    ///
    /// # Panics
    /// When the update did not say that it touches this tenant.
    pub fn tenant(&self, tenant: &TenantKey) -> Result<Option<Credential>, EntryError> {
        assert!(self.touches.has_tenant(tenant), "bug: update reads tenant {tenant} without naming it");
        match self.changes.tenants.get(&tenant.to_string()) {
            Some(changed) => Ok(changed.clone()),
            None => Ok(self.base.tenant(tenant)?.map(|shared| (*shared).clone())),
        }
    }

    /// All readable tenants, in order of their keys. One that cannot be understood is not among them.
    ///
    /// # Panics
    /// When the update did not say that it touches all of them.
    #[must_use]
    pub fn tenants(&self) -> Vec<(TenantKey, Arc<Credential>)> {
        assert!(self.touches.has_all_tenants(), "bug: update reads all tenants without naming them");
        let mut tenants: BTreeMap<_, _> =
            self.base.tenants().map(|(key, held)| (key.to_string(), (key, held))).collect();
        for (name, changed) in &self.changes.tenants {
            match (changed, name.parse()) {
                (Some(held), Ok(key)) => drop(tenants.insert(name.clone(), (key, Arc::new(held.clone())))),
                _ => drop(tenants.remove(name)),
            }
        }
        tenants.into_values().collect()
    }

    /// Stores `credential` under `tenant`.
    ///
    /// # Panics
    /// When the update did not say that it touches this tenant.
    pub fn put_tenant(&mut self, tenant: &TenantKey, mut credential: Credential) {
        assert!(self.touches.has_tenant(tenant), "bug: update writes tenant {tenant} without naming it");
        credential.updated_at = Some(self.now);
        self.changes.tenants.insert(tenant.to_string(), Some(credential));
    }

    /// Removes the tenant's credential, and nothing else (F13).
    ///
    /// # Panics
    /// When the update did not say that it touches this tenant.
    pub fn remove_tenant(&mut self, tenant: &TenantKey) {
        assert!(self.touches.has_tenant(tenant), "bug: update removes tenant {tenant} without naming it");
        self.changes.tenants.insert(tenant.to_string(), None);
    }

    /// The login of `user` at `tenant`, if there is one.
    ///
    /// # Errors
    /// When the entry cannot be understood.
    ///
    /// # Panics
    /// When the update did not say that it touches this login.
    pub fn login(&self, user: &User, tenant: &TenantKey) -> Result<Option<PendingLogin>, EntryError> {
        assert!(
            self.touches.has_login(user, tenant),
            "bug: update reads login {user}/{tenant} without naming it"
        );
        match self.changes.pending.get(&login_key(user, tenant)) {
            Some(changed) => Ok(changed.clone()),
            None => Ok(self.base.login(user, tenant)?.map(|shared| (*shared).clone())),
        }
    }

    /// The login called `id`, among those that the update touches.
    #[must_use]
    pub fn login_by_id(&self, id: &LoginId) -> Option<PendingLogin> {
        self.logins().into_iter().find(|login| &login.id == id)
    }

    /// All readable logins that the update touches.
    #[must_use]
    pub fn logins(&self) -> Vec<PendingLogin> {
        let unchanged = self.base.logins().filter(|login| {
            self.touches.has_login(&login.user, &login.tenant)
                && !self.changes.pending.contains_key(&login_key(&login.user, &login.tenant))
        });
        let changed = self.changes.pending.values().flatten();
        unchanged.map(|shared| (*shared).clone()).chain(changed.cloned()).collect()
    }

    /// Stores `login` under its user and tenant.
    ///
    /// # Panics
    /// When the update did not say that it touches this login.
    pub fn put_login(&mut self, mut login: PendingLogin) {
        let (user, tenant) = (&login.user, &login.tenant);
        assert!(
            self.touches.has_login(user, tenant),
            "bug: update writes login {user}/{tenant} without naming it"
        );
        login.updated_at = self.now;
        if login.status.is_terminal() {
            login.strip();
        }
        self.changes.pending.insert(login_key(&login.user, &login.tenant), Some(login));
    }

    /// Removes the login of `user` at `tenant`.
    ///
    /// # Panics
    /// When the update did not say that it touches this login.
    pub fn remove_login(&mut self, user: &User, tenant: &TenantKey) {
        assert!(
            self.touches.has_login(user, tenant),
            "bug: update removes login {user}/{tenant} without naming it"
        );
        self.changes.pending.insert(login_key(user, tenant), None);
    }

    /// The thread's binding; empty where it has none.
    ///
    /// # Errors
    /// When the entry cannot be understood.
    ///
    /// # Panics
    /// When the update did not say that it touches this thread.
    pub fn binding(&self, thread: &ThreadId) -> Result<Binding, EntryError> {
        assert!(self.touches.has_thread(thread), "bug: update reads thread {thread} without naming it");
        match self.changes.threads.get(thread.as_str()) {
            Some(changed) => Ok(changed.clone().unwrap_or_default()),
            None => Ok(self.base.binding(thread)?.map(|shared| (*shared).clone()).unwrap_or_default()),
        }
    }

    /// Stores the thread's binding.
    ///
    /// # Panics
    /// When the update did not say that it touches this thread.
    pub fn put_binding(&mut self, thread: &ThreadId, mut binding: Binding) {
        assert!(self.touches.has_thread(thread), "bug: update writes thread {thread} without naming it");
        binding.updated_at = self.now;
        self.changes.threads.insert(thread.to_string(), Some(binding));
    }

    /// Removes what is stored of the thread.
    ///
    /// # Panics
    /// When the update did not say that it touches this thread.
    pub fn remove_binding(&mut self, thread: &ThreadId) {
        assert!(self.touches.has_thread(thread), "bug: update removes thread {thread} without naming it");
        self.changes.threads.insert(thread.to_string(), None);
    }

    /// The revocations that are owed.
    ///
    /// # Panics
    /// When the update did not say that it touches them.
    #[must_use]
    pub fn owed(&self) -> Vec<OwedRevocation> {
        assert!(self.touches.has_revocations(), "bug: update reads revocations without naming them");
        let kept = self.base.owed().filter(|owed| !self.changes.settled.contains(&owed.id));
        kept.map(|shared| (*shared).clone()).chain(self.changes.owed.iter().cloned()).collect()
    }

    /// Adds a revocation that is owed, or replaces the one of the same id.
    ///
    /// # Panics
    /// When the update did not say that it touches them.
    pub fn owe(&mut self, owed: OwedRevocation) {
        self.settle(&owed.id);
        self.changes.owed.push(owed);
    }

    /// Removes a revocation that is done or given up.
    ///
    /// # Panics
    /// When the update did not say that it touches them.
    pub fn settle(&mut self, id: &str) {
        assert!(self.touches.has_revocations(), "bug: update settles a revocation without naming them");
        self.changes.owed.retain(|owed| owed.id != id);
        self.changes.settled.insert(id.to_owned());
    }
}

/// The key of a login in the file.
pub(super) fn login_key(user: &User, tenant: &TenantKey) -> String {
    format!("{user}/{tenant}")
}

#[cfg(test)]
mod tests {
    use latchkey_test_authority::Person;

    use super::*;
    use crate::store::{Store, update};
    use crate::testing::{Host, key};

    /// F1, I9: every tenant, as it will be after this change.
    #[tokio::test]
    async fn a_view_of_all_tenants_shows_what_was_changed_in_it() {
        let host = Host::new();
        for tenant in ["acme", "acme/b", "acme/c"] {
            host.serving(&key(tenant), &Person::ada()).await;
        }
        let store = host.store();
        let seen = update(&*store, Touches::nothing().and_all_tenants(), |view| {
            let moved = view.tenant(&key("acme/b"))?.unwrap();
            view.remove_tenant(&key("acme/b"));
            view.put_tenant(&key("acme/a"), moved);
            Ok::<_, EntryError>(view.tenants())
        });
        let seen: Vec<_> = seen.await.unwrap().unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(seen, ["acme", "acme/a", "acme/c"].map(key));
        let stored: Vec<_> = store.snapshot().unwrap().tenants().map(|(key, _)| key).collect();
        assert_eq!(stored, seen);
    }
}
