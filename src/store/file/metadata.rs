//! The cache of providers' metadata, beside the auth file: `auth.json.metadata/<sha256 of the issuer>.json`.
//!
//! Owns folder and files. Invariants: a file is replaced as a whole; what others could have written is not read (F4).
//! There is no secret in it and nothing that could not be found anew, so it needs no lock. Must not: understand it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use sha2::{Digest, Sha256};

use super::ground::{Places, check_folder, make_folder};
use crate::secret::hex;
use crate::store::StoreError;

/// The most that is read of a file, in bytes: a document of the largest size, and what stands around it.
const CAP: u64 = 1024 * 1024 + 64 * 1024;
/// What temporary files begin with.
const TEMPORARY: &str = ".new-";
/// How old a temporary file is when its writer must be dead.
const LEFTOVER: Duration = Duration::from_mins(10);
/// Files that stay: servers outside name issuers, and may name another one each time.
const MOST_FILES: usize = 256;

fn path(places: &Places, issuer: &str) -> PathBuf {
    places.metadata.join(format!("{}.json", hex(&Sha256::digest(issuer.as_bytes()))))
}

/// What is kept of `issuer`, if anything.
pub(super) fn read(places: &Places, issuer: &str) -> Result<Option<String>, StoreError> {
    let path = path(places, issuer);
    match std::fs::symlink_metadata(&places.metadata) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => check_folder(&places.metadata)?,
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match rustix::fs::open(&path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(StoreError::io("read", &path, &error.into())),
    };
    let failed = |error: &io::Error| StoreError::io("read", &path, error);
    check_file(&path, &file.metadata().map_err(|e| failed(&e))?)?;
    let mut bytes = Vec::new();
    file.take(CAP).read_to_end(&mut bytes).map_err(|e| failed(&e))?;
    Ok(String::from_utf8(bytes).ok())
}

fn check_file(path: &Path, found: &std::fs::Metadata) -> Result<(), StoreError> {
    let is_ours =
        found.is_file() && found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0;
    if is_ours {
        return Ok(());
    }
    Err(StoreError::Unsafe(format!(
        "{} is not a file that only the user who runs Latchkey can write: remove it",
        path.display()
    )))
}

/// Puts `text` in the place of what is kept of `issuer`.
pub(super) fn write(places: &Places, issuer: &str, text: &str) -> Result<(), StoreError> {
    let (folder, path) = (&places.metadata, path(places, issuer));
    make_folder(folder)?;
    check_folder(folder)?;
    remove_leftovers(folder);
    // 0600 from its creation.
    let written = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)
    });
    written.map_err(|e| StoreError::io("write", &path, &e))?;
    remove_oldest(folder);
    Ok(())
}

/// Removes what was written longest ago where there are too many files: it is found anew by whoever needs it.
fn remove_oldest(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let entries = entries.flatten().filter(|e| !e.file_name().to_string_lossy().starts_with(TEMPORARY));
    let mut files: Vec<_> =
        entries.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
    files.sort();
    for (_, path) in files.iter().take(files.len().saturating_sub(MOST_FILES)) {
        if let Err(error) = std::fs::remove_file(path) {
            tracing::warn!(%error, file = %path.display(), "could not remove old metadata");
        }
    }
}

/// Removes what writers that were killed left behind.
fn remove_leftovers(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(TEMPORARY)) {
        let age =
            entry.metadata().and_then(|found| found.modified()).map(|at| at.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > LEFTOVER)
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::warn!(%error, file = %entry.path().display(), "could not remove a leftover temporary file");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::clock::Clock;
    use crate::store::Store;
    use crate::store::file::FileStore;

    const ISSUER: &str = "https://id.example";

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// T13
    #[test]
    fn issuers_without_end_do_not_fill_the_folder() {
        let temp = tempfile::tempdir().unwrap();
        let store = FileStore::open(&temp.path().join("auth.json"), true, Clock::system()).unwrap();
        let issuer = |number: usize| format!("https://{number}.example");
        for number in 0..=MOST_FILES {
            store.write_metadata(&issuer(number), "kept").unwrap();
        }
        let left = (0..=MOST_FILES).filter(|number| store.read_metadata(&issuer(*number)).unwrap().is_some());
        assert!(left.eq(1..=MOST_FILES), "the oldest goes");
    }

    /// T13, F3, F4
    #[test]
    fn what_is_kept_is_private_and_replaced_as_a_whole() {
        let temp = tempfile::tempdir().unwrap();
        let store = FileStore::open(&temp.path().join("auth.json"), true, Clock::system()).unwrap();
        assert_eq!(store.read_metadata(ISSUER).unwrap(), None);
        assert!(!store.places.metadata.exists(), "nothing is made before there is something to keep");
        for text in ["a longer text", "short"] {
            store.write_metadata(ISSUER, text).unwrap();
            assert_eq!(store.read_metadata(ISSUER).unwrap().as_deref(), Some(text));
        }
        assert_eq!(
            store.read_metadata("https://id.example/").unwrap(),
            None,
            "another spelling, another issuer"
        );
        let file = path(&store.places, ISSUER);
        assert_eq!((mode(&store.places.metadata), mode(&file)), (0o700, 0o600));
        assert_eq!(
            std::fs::read_dir(&store.places.metadata).unwrap().count(),
            1,
            "no temporary file is left"
        );
    }

    /// T13, F4
    #[test]
    fn what_others_could_have_written_is_not_read() {
        let temp = tempfile::tempdir().unwrap();
        let store = FileStore::open(&temp.path().join("auth.json"), true, Clock::system()).unwrap();
        store.write_metadata(ISSUER, "kept").unwrap();
        let (folder, file) = (store.places.metadata.clone(), path(&store.places, ISSUER));
        for (at, mode, before) in [(&file, 0o622, 0o600), (&folder, 0o777, 0o700)] {
            std::fs::set_permissions(at, PermissionsExt::from_mode(mode)).unwrap();
            assert!(store.read_metadata(ISSUER).is_err(), "{}", at.display());
            std::fs::set_permissions(at, PermissionsExt::from_mode(before)).unwrap();
        }
        let elsewhere = temp.path().join("elsewhere");
        std::fs::rename(&file, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        assert!(store.read_metadata(ISSUER).is_err(), "a symbolic link");
    }
}
