//! What an operator wants to know of the ground that a store stands on.
//!
//! Owns [`Survey`]. Invariant: it reads and judges nothing but what the store itself goes by. Must not: change anything.

use std::os::unix::fs::MetadataExt;

use super::{FileStore, ground};
use crate::store::{Store, StoreError};

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
}
