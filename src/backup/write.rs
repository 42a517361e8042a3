//! Bringing a copy back.
//!
//! Owns the writes. Invariants: nothing is written but what the plan allows, judged anew inside the write; each tenant that is touched
//! is written under its refresh lock, so that no refresh of it is under way (G5, G7); the store keeps its own name (F15). Must not:
//! ask a provider for anything, or revoke what was replaced.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::plan::{Coming, plan};
use super::{Copy, Fate, Item, Left, Plan, Wish};
use crate::audit;
use crate::clock::UnixSeconds;
use crate::store::{Document, RawEntry, Store, StoreError, Touches, update};
use crate::tenant::{TenantKey, User};

/// How long a tenant's refresh is waited for.
const LOCK_BOUND: Duration = Duration::from_secs(30);

/// How many tenants are written at once: each costs an open lock file.
const AT_ONCE: usize = 64;

/// Why a copy was not brought back, or not whole.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RestoreError {
    /// Nothing was changed.
    #[error("{0}; nothing was changed")]
    Unchanged(StoreError),
    /// Some tenants are back.
    #[error(
        "{done} tenants are restored and the others are not: {source}; run it again, and what is restored is left as it is"
    )]
    Partly {
        /// How many.
        done: usize,
        /// What happened then.
        source: StoreError,
    },
}

impl RestoreError {
    /// What the store said.
    #[must_use]
    pub fn store(&self) -> &StoreError {
        match self {
            Self::Unchanged(error) | Self::Partly { source: error, .. } => error,
        }
    }
}

/// What [`restore`] would do to a store that holds `here`. Changes nothing.
#[must_use]
pub fn preview(copy: &Copy, here: &Document, wish: &Wish, now: UnixSeconds) -> Plan {
    plan(copy, here, wish, now).0
}

/// Brings back what of `copy` may come back, for `by`.
///
/// # Errors
/// See [`RestoreError`].
pub async fn restore(
    store: &dyn Store,
    copy: &Arc<Copy>,
    wish: &Wish,
    by: &User,
    now: UnixSeconds,
) -> Result<Plan, RestoreError> {
    let here = store.snapshot().map_err(RestoreError::Unchanged)?;
    let mut whole = preview(copy, &here, wish, now);
    // In one order, so that two restores never wait for each other's locks.
    let wanted: Vec<TenantKey> =
        whole.items.iter().filter(|item| item.fate.is_restored()).filter_map(key_of).collect();
    let mut written: BTreeMap<String, Item> = BTreeMap::new();
    let mut chunks: Vec<&[TenantKey]> = wanted.chunks(AT_ONCE).collect();
    let is_whole = wish.only.is_empty();
    if chunks.is_empty() {
        chunks.push(&[]);
    }
    for (at, chunk) in chunks.iter().enumerate() {
        let is_last = is_whole && at + 1 == chunks.len();
        let done = written.values().filter(|item| item.fate.is_restored()).count();
        let part = part(store, copy, wish, chunk, is_last, now).await.map_err(|source| match done {
            0 => RestoreError::Unchanged(source),
            done => RestoreError::Partly { done, source },
        })?;
        for tenant in part.items.iter().filter(|item| item.fate.is_restored()).filter_map(key_of) {
            audit::restored(by, &tenant, copy.header.created_at);
        }
        written.extend(part.items.into_iter().map(|item| (item.key.clone(), item)));
        if is_last {
            (whole.threads, whole.revocations, whole.unknown) =
                (part.threads, part.revocations, part.unknown);
        }
    }
    for item in &mut whole.items {
        if let Some(written) = written.remove(&item.key) {
            *item = written;
        }
        if let (Some(tenant), Fate::Left(Left::Refused(why))) = (key_of(item), &item.fate) {
            audit::restore_refused(by, &tenant, why);
        }
    }
    Ok(whole)
}

/// The tenant of an item, where its key is in its canonical spelling: another spelling is an entry that is not known, and has no lock
/// of its own.
fn key_of(item: &Item) -> Option<TenantKey> {
    canonical(&item.key)
}

fn canonical(key: &str) -> Option<TenantKey> {
    key.parse().ok().filter(|parsed: &TenantKey| parsed.to_string() == key)
}

/// Writes the tenants `keys`; `with_rest` also what is no readable tenant.
async fn part(
    store: &dyn Store,
    copy: &Arc<Copy>,
    wish: &Wish,
    keys: &[TenantKey],
    with_rest: bool,
    now: UnixSeconds,
) -> Result<Plan, StoreError> {
    let mut locks = Vec::with_capacity(keys.len());
    for key in keys {
        locks.push(store.refresh_lock(key, LOCK_BOUND).await?);
    }
    let (copy, wish, keys) = (Arc::clone(copy), wish.clone(), keys.to_vec());
    let written = update(store, Touches::everything(), move |view| {
        let (mut made, coming) = plan(&copy, view.before(), &wish, now);
        for entry in coming {
            match entry {
                // Whatever is not under its lock now was not to be touched when that was judged, or is another part's.
                Coming::Tenant(slot, credential, text) if keys.contains(&slot) => {
                    view.put_copied_tenant(&slot, *credential, text.to_owned());
                }
                Coming::Raw(entry) if is_among(&keys, entry.key) || (with_rest && !has_a_lock(&entry)) => {
                    view.put_copied(entry);
                }
                _ => {}
            }
        }
        made.items.retain(|item| is_among(&keys, Some(&item.key)) || (with_rest && key_of(item).is_none()));
        Ok::<_, StoreError>(made)
    });
    let made = written.await??;
    drop(locks);
    Ok(made)
}

/// Whether an entry stands where some tenant's lock is to be held.
fn has_a_lock(entry: &RawEntry<'_>) -> bool {
    entry.section == "tenants" && entry.key.and_then(canonical).is_some()
}

fn is_among(keys: &[TenantKey], key: Option<&str>) -> bool {
    key.is_some_and(|key| keys.iter().any(|known| known.to_string() == key))
}

#[cfg(test)]
mod tests;
