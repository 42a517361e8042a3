//! What an operator wants to know of the ground that a store stands on.
//!
//! Owns [`Survey`], and how much is sealed of the file and of what is kept aside. Invariant: it reads and judges nothing but what the store itself goes by. Must not: change anything.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{FileStore, ground, rescue};
use crate::store::seal::{KeptAside, SealStanding};
use crate::store::{Document, Store, StoreError};
use crate::tenant::TenantKey;

/// The ground of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The file system, by its name, where its locks are known to hold (F15).
    pub file_system: Option<&'static str>,
    /// The user that the auth file belongs to, and its permission bits; none while there is no file.
    pub file: Option<(u32, u32)>,
    /// Bytes that this user can still write there.
    pub room: u64,
    /// Files that can still be made there; none where the file system counts none.
    pub files_left: Option<u64>,
}

impl FileStore {
    /// Looks at the ground.
    ///
    /// # Errors
    /// When it cannot be looked at, or file and lock folder belong to different stores (F15).
    pub fn survey(&self) -> Result<Survey, StoreError> {
        let places = &self.places;
        let stored = self.snapshot()?.store_id().map(str::to_owned);
        if let (Some(ours), Some(theirs)) = (stored, ground::folder_id(places)?)
            && ours != theirs
        {
            return Err(ground::foreign(places));
        }
        let failed = |e: rustix::io::Errno| StoreError::io("look at", &places.folder, &e.into());
        let disk = rustix::fs::statvfs(&places.folder).map_err(failed)?;
        let file = match std::fs::symlink_metadata(&places.file) {
            Ok(found) => Some((found.uid(), found.mode() & 0o7777)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(StoreError::io("look at", &places.file, &e)),
        };
        Ok(Survey {
            file_system: ground::file_system(&places.folder)?,
            file,
            room: disk.f_bavail.saturating_mul(disk.f_frsize),
            files_left: (disk.f_files > 0).then_some(disk.f_favail),
        })
    }

    /// How much is sealed, and with what: of the file, and of what is kept aside.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn seal_standing(&self) -> Result<SealStanding, StoreError> {
        let document = self.snapshot()?;
        Ok(SealStanding { kept_aside: kept_aside(&self.places, &document)?, ..document.seal_standing() })
    }
}

/// Every rescue file in use, with the tenant of `document` that it is of.
pub(super) fn kept_aside(places: &ground::Places, document: &Document) -> Result<Vec<KeptAside>, StoreError> {
    let found = rescue::all_in_use(places)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    // One whose entry cannot be understood is stored all the same.
    let damaged = document.damaged().into_iter().filter(|entry| entry.section == "tenants");
    let damaged = damaged.filter_map(|entry| entry.key.parse().ok());
    let stored: Vec<TenantKey> = document.tenants().map(|(tenant, _)| tenant).chain(damaged).collect();
    let tenant_of = |file: &Path| {
        let name = file.file_stem()?.to_str()?;
        stored.iter().find(|tenant| tenant.lock_name() == name).cloned()
    };
    let told = found.into_iter().map(|(file, keys)| KeptAside { tenant: tenant_of(&file), file, keys });
    Ok(told.collect())
}
