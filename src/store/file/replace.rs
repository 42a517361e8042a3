//! Putting a new auth file in the place of the old one, whole and durable or not at all.
//!
//! Owns the sequence: temporary file of a unique name, 0600 from creation, write, fsync, rename, fsync of the folder
//! (F3). Invariant: a failure or a kill at any point leaves the old file or the new one (F7, F8). Must not: be called
//! without the store lock.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::ground::Places;
use super::lock::KernelLock;
use crate::fault::{Operation, Step, attempt, reached};
use crate::store::StoreError;

/// What temporary files begin with, behind the auth file's own name.
const TEMPORARY: &str = ".new-";

fn prefix(places: &Places) -> String {
    format!("{}{TEMPORARY}", places.file.file_name().unwrap_or_default().to_string_lossy())
}

/// A file beside the auth file that holds `bytes`, durably, under a name that goes with it unless it gets another.
pub(super) fn temporary(
    _held: &KernelLock,
    places: &Places,
    bytes: &[u8],
) -> std::io::Result<tempfile::NamedTempFile> {
    // Made and written by hand: what the library wraps around an error hides from `remedy` which one it is.
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let make = |path: &Path| {
        attempt(Operation::MakeTemporary)?;
        Ok(File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(0o600))?))
    };
    let temporary = tempfile::Builder::new().prefix(&prefix(places)).make_in(&places.folder, make)?;
    reached(Step::TemporaryMade);
    attempt(Operation::WriteTemporary).and_then(|()| temporary.as_file().write_all(bytes))?;
    keep_owner(places, temporary.as_file())?;
    reached(Step::TemporaryWritten);
    attempt(Operation::SyncTemporary).and_then(|()| temporary.as_file().sync_all())?;
    reached(Step::TemporaryDurable);
    Ok(temporary)
}

/// Replaces the auth file by `text`. Gives the new file, open for reading.
pub(super) fn replace(held: &KernelLock, places: &Places, text: &str) -> Result<File, StoreError> {
    let failed = |e: &std::io::Error| StoreError::io("write", &places.file, e);
    remove_leftovers(held, places);
    let temporary = temporary(held, places, text.as_bytes()).map_err(|e| failed(&e))?;
    attempt(Operation::Rename).map_err(|e| failed(&e))?;
    let file = temporary.persist(&places.file).map_err(|e| failed(&e.error))?;
    reached(Step::Renamed);
    // Without this the rename itself may be lost with the power.
    sync_folder(held, places)?;
    reached(Step::Replaced);
    Ok(file)
}

/// Makes the auth file's present name durable.
pub(super) fn sync_folder(_held: &KernelLock, places: &Places) -> Result<(), StoreError> {
    attempt(Operation::SyncFolder)
        .and_then(|()| File::open(&places.folder)?.sync_all())
        .map_err(|e| StoreError::io("write", &places.file, &e))
}

/// Gives the new file the old one's owner and group, where they differ from ours.
fn keep_owner(places: &Places, new: &File) -> std::io::Result<()> {
    let Ok(old) = std::fs::metadata(&places.file) else { return Ok(()) };
    let ours = new.metadata()?;
    if (old.uid(), old.gid()) == (ours.uid(), ours.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(new, Some(old.uid()), Some(old.gid()))
}

/// Removes what writers that were killed left behind. Under the store lock, so that nobody is using it.
fn remove_leftovers(_held: &KernelLock, places: &Places) {
    let prefix = prefix(places);
    let Ok(entries) = std::fs::read_dir(&places.folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix)
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::warn!(%error, file = %entry.path().display(), "could not remove a leftover temporary file");
        }
    }
}
