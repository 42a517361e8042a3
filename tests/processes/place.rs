//! A folder for an auth file, with no server: what tests of the store alone stand on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use latchkey::clock::Clock;
use latchkey::credential::{Credential, CredentialKind};
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::seal::{Keys, add_key, new_key};
use latchkey::store::{StoreError, Touches, update};
use latchkey::tenant::TenantKey;

/// A folder for an auth file, with no server.
pub struct Ground {
    temp: tempfile::TempDir,
}

/// The name of the file of keys, in the folder above the auth file's.
pub const KEYS: &str = "seal.keys";

/// The keys that seal the auth file `file`, if the test has made any: for workers, who know no more than that file.
pub fn keys_for(file: &Path) -> Option<PathBuf> {
    let keys = file.parent()?.parent()?.join(KEYS);
    keys.is_file().then_some(keys)
}

impl Ground {
    pub fn new() -> Self {
        Self { temp: tempfile::tempdir().unwrap() }
    }

    /// With a key, by which everybody seals.
    pub fn sealed() -> Self {
        let ground = Self::new();
        add_key(&ground.temp.path().join(KEYS), &new_key(None).unwrap()).unwrap();
        ground
    }

    pub fn folder(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    pub fn file(&self) -> PathBuf {
        self.folder().join("auth.json")
    }

    pub fn store(&self) -> Arc<FileStore> {
        open(&self.file())
    }

    /// The names in the folder.
    pub fn names(&self) -> Vec<String> {
        names(&self.folder())
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

pub fn is_lock(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "lock")
}

pub fn open(file: &Path) -> Arc<FileStore> {
    Arc::new(open_on(file, &Clock::system()))
}

/// The store at `file`, with its keys if it has any, on this clock.
pub fn open_on(file: &Path, clock: &Clock) -> FileStore {
    let store = FileStore::open(file, false, clock.clone()).unwrap();
    match keys_for(file) {
        Some(keys) => store.sealed_by(Keys::in_file(&keys).unwrap()),
        None => store,
    }
}

/// Stores a tenant with this token.
pub async fn put(store: &FileStore, tenant: &TenantKey, token: &str) -> Result<(), StoreError> {
    let (key, now) = (tenant.clone(), Clock::system().now());
    let credential = Credential::new(CredentialKind::OAuth, tenant.provider.clone(), Secret::new(token), now);
    let put = update(store, Touches::tenant(tenant), move |view| {
        view.put_tenant(&key, credential);
        Ok::<_, ()>(())
    });
    put.await.map(|done| done.unwrap())
}
