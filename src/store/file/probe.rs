//! Whether this store could be read and written now, found out without writing anything that stays.
//!
//! Owns the probe and what may be asked for metrics without a lock. Invariant: nothing of the store is changed, and its lock is
//! not held while the disk is tried, so that a slow disk delays nobody because of us. Must not: spend anything (G27).

use std::io::Write;
use std::sync::Arc;

use tokio::sync::watch;

use super::{FileStore, rescue};
use crate::store::{Document, StoreError};
use crate::tenant::TenantKey;

/// As much as a disk needs to have room for.
const BLOCK: [u8; 4_096] = [0; 4_096];

impl FileStore {
    /// Tries whether the store's lock can be had, its folder be written, and the auth file be understood, without which nothing is
    /// written.
    ///
    /// # Errors
    /// As a write would fail, with the remedy.
    pub async fn probe(&self) -> Result<(), StoreError> {
        drop(self.waiting.acquire(&self.places.store_lock, self.wait).await?);
        let (places, reader) = (self.places.clone(), Arc::clone(&self.reader));
        let tried = tokio::task::spawn_blocking(move || {
            let written = || {
                // The system takes a file without a name away by itself, whatever becomes of us.
                let mut file = tempfile::tempfile_in(&places.folder)?;
                file.write_all(&BLOCK)?;
                file.sync_all()
            };
            written().map_err(|error| StoreError::io("write in", &places.folder, &error))?;
            reader.read(&places.file).map(drop)
        });
        tried.await.map_err(|_| StoreError::WriterPanicked)?
    }

    /// A number that rises when a write to the store has failed.
    #[must_use]
    pub fn failures(&self) -> watch::Receiver<u64> {
        self.failed.subscribe()
    }

    /// Tenants of `document` whose rotated token is kept aside, by any process, since the auth file could not take it (G21).
    #[must_use]
    pub fn kept_aside(&self, document: &Document) -> Vec<TenantKey> {
        let tenants = document.tenants().map(|(tenant, _)| tenant);
        tenants.filter(|tenant| rescue::is_in_use(&self.places, tenant)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Places;
    use super::*;
    use crate::clock::Clock;
    use crate::credential::{Credential, CredentialKind};
    use crate::secret::Secret;
    use crate::store::{LockError, Rescue, Store, Touches, update};
    use crate::testing::key;

    fn store(folder: &std::path::Path) -> FileStore {
        FileStore::open(&folder.join("auth.json"), true, Clock::system()).unwrap()
    }

    /// Z4, G27: the probe leaves nothing behind, fails where a write would, and says the remedy.
    #[tokio::test]
    async fn a_probe_tells_what_a_write_would_and_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("data");
        let store = store(&folder);
        let names = || {
            let mut names: Vec<_> =
                std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        store.probe().await.unwrap();
        let before = names();
        store.probe().await.unwrap();
        assert_eq!(names(), before);
        assert!(!folder.join("auth.json").exists(), "nothing was stored");

        std::fs::rename(&folder, temp.path().join("away")).unwrap();
        let text = store.probe().await.unwrap_err().to_string();
        assert!(text.starts_with("cannot lock") && text.contains("the folder must be writable"), "{text}");
        // The lock is there, and the disk takes nothing: what the second half of a probe is for.
        let full =
            FileStore { places: Places { folder: "/dev/null".into(), ..store.places.clone() }, ..store };
        std::fs::rename(temp.path().join("away"), &folder).unwrap();
        let text = full.probe().await.unwrap_err().to_string();
        assert!(text.starts_with("cannot write in /dev/null"), "{text}");
    }

    /// Z4, F6: over a file that nothing can be done with, a place that can be written is no store that works.
    #[tokio::test]
    async fn a_file_that_cannot_be_understood_fails_the_probe() {
        let temp = tempfile::tempdir().unwrap();
        let store = store(temp.path());
        for (text, words) in [("{\"version\":99}", "version"), ("{half", "is not a readable auth file")] {
            std::fs::write(temp.path().join("auth.json"), text).unwrap();
            let error = store.probe().await.unwrap_err();
            assert_eq!(error.to_string(), store.snapshot().unwrap_err().to_string());
            assert!(error.to_string().contains(words), "{error}");
        }
        std::fs::remove_file(temp.path().join("auth.json")).unwrap();
        store.probe().await.unwrap();
    }

    /// F10: a lock that somebody keeps is found out within the bound that a write has.
    #[tokio::test(start_paused = true)]
    async fn a_store_lock_that_is_kept_fails_the_probe() {
        let temp = tempfile::tempdir().unwrap();
        let store = store(temp.path());
        let held = super::super::lock::KernelLock::attempt(&store.places.store_lock).unwrap().unwrap();
        let error = store.probe().await.unwrap_err();
        assert!(matches!(error, StoreError::Lock(LockError::TimedOut { .. })), "{error}");
        drop(held);
    }

    /// G21: what any process has kept aside is seen without a lock; room that is only set aside is not.
    #[tokio::test]
    async fn what_is_kept_aside_is_seen() {
        let temp = tempfile::tempdir().unwrap();
        let store = store(temp.path());
        let tenant = key("acme");
        let credential =
            Credential::new(CredentialKind::OAuth, tenant.provider.clone(), Secret::new("token"), 0);
        let (put, stored) = (tenant.clone(), credential.clone());
        update(&store, Touches::tenant(&tenant), move |view| {
            view.put_tenant(&put, stored);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
        let document = store.snapshot().unwrap();
        let lock = store.refresh_lock(&tenant, std::time::Duration::from_secs(5)).await.unwrap();
        assert_eq!(store.kept_aside(&document), []);
        store.set_rescue_aside(&lock, &tenant).unwrap();
        assert_eq!(store.kept_aside(&document), []);
        store.write_rescue(&lock, &tenant, &Rescue { replaces: ("id".to_owned(), 1), credential }).unwrap();
        assert_eq!(store.kept_aside(&document), std::slice::from_ref(&tenant));
        store.clear_rescue(&lock, &tenant).unwrap();
        assert_eq!(store.kept_aside(&document), []);
    }
}
