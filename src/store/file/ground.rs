//! Whether a place can be trusted to hold the auth file.
//!
//! Owns the checks of folder, file, file system and mounts before anything is locked or written (F4, F15), and the
//! `store_id` that file and lock folder share. Invariant: what cannot be trusted is refused with the remedy; nothing
//! runs unprotected in silence. Must not: lock or write the auth file.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, StatxFlags};

use crate::store::StoreError;

/// Where the parts of a file store are.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// The auth file.
    pub file: PathBuf,
    /// Its folder.
    pub folder: PathBuf,
    /// The store lock, beside the file.
    pub store_lock: PathBuf,
    /// The folder of the other locks and of the rescue files.
    pub locks: PathBuf,
    /// The folder of the cache of metadata; made at the first use.
    pub metadata: PathBuf,
}

impl Places {
    fn new(folder: PathBuf, name: &OsStr) -> Self {
        let beside = |suffix: &str| beside(&folder, name, suffix);
        Self {
            file: folder.join(name),
            store_lock: beside(".lock"),
            locks: beside(LOCKS),
            metadata: beside(".metadata"),
            folder,
        }
    }
}

/// File systems whose flock is known to hold between all processes that see the file (F15), by `statfs` magic.
const TRUSTED: [(u64, &str); 7] = [
    (0xEF53, "ext4"),
    (0x5846_5342, "xfs"),
    (0x9123_683E, "btrfs"),
    (0x2FC1_2FC1, "zfs"),
    (0xF2F5_2010, "f2fs"),
    (0x0102_1994, "tmpfs"),
    (0x794C_7630, "overlay"),
];

const LOCKS: &str = ".locks";

fn beside(folder: &Path, name: &OsStr, suffix: &str) -> PathBuf {
    let mut sibling = name.to_owned();
    sibling.push(suffix);
    folder.join(sibling)
}

/// Where the lock folder of the auth file `path` would be, unchecked.
pub(super) fn locks_beside(path: &Path) -> Option<PathBuf> {
    Some(beside(path.parent()?, path.file_name()?, LOCKS))
}

/// Checks the ground at `path` and gives the places on it. Makes missing folders, 0700.
pub(super) fn prepare(path: &Path, allow_unverified_locks: bool) -> Result<Places, StoreError> {
    let (given, name) = split(path)?;
    make_folder(given)?;
    let places = places_in(given, name)?;
    check_file_system(&places.folder, allow_unverified_locks)?;
    make_folder(&places.locks)?;
    check_folder(&places.locks)?;
    check_file(&places)?;
    check_mounts(&places)?;
    Ok(places)
}

/// The same judgement of what is there, and nothing is made.
pub(super) fn foresee(path: &Path, allow_unverified_locks: bool) -> Result<Places, StoreError> {
    let (given, name) = split(path)?;
    if is_missing(given) {
        let folder = std::path::absolute(given).map_err(|e| StoreError::io("find", given, &e))?;
        if let Some(above) = folder.ancestors().find(|above| above.exists()) {
            check_file_system(above, allow_unverified_locks)?;
        }
        return Ok(Places::new(folder, name));
    }
    let places = places_in(given, name)?;
    check_file_system(&places.folder, allow_unverified_locks)?;
    if !is_missing(&places.locks) {
        check_folder(&places.locks)?;
    }
    check_file(&places)?;
    check_mounts(&places)?;
    Ok(places)
}

/// The folder that was named, and the auth file's name in it.
fn split(path: &Path) -> Result<(&Path, &OsStr), StoreError> {
    let name = path.file_name().ok_or_else(|| {
        StoreError::Unsafe(format!("{} names no file: give the path of the auth file", path.display()))
    })?;
    Ok(match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => (parent, name),
        _ => (Path::new("."), name),
    })
}

fn places_in(given: &Path, name: &OsStr) -> Result<Places, StoreError> {
    check_folder(given)?;
    let folder = given.canonicalize().map_err(|e| StoreError::io("find", given, &e))?;
    Ok(Places::new(folder, name))
}

/// Whether nothing is at `path`, not even a link that leads nowhere.
pub(super) fn is_missing(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
}

pub(super) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    match DirBuilder::new().recursive(true).mode(0o700).create(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            Err(StoreError::io("make the folder", folder, &e))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_folder(folder: &Path) -> Result<(), StoreError> {
    let found = std::fs::symlink_metadata(folder).map_err(|e| StoreError::io("look at", folder, &e))?;
    let shown = folder.display();
    let me = rustix::process::geteuid().as_raw();
    let problem = if found.is_symlink() {
        format!("{shown} is a symbolic link: configure the folder that it leads to")
    } else if !found.is_dir() {
        format!("{shown} is not a folder: move it away, or configure another place")
    } else if found.uid() != me {
        return Err(StoreError::AnotherUsers { folder: shown.to_string(), owner: found.uid(), me });
    } else if found.mode() & 0o022 != 0 {
        let mode = found.mode() & 0o777;
        format!("{shown} can be written by others (mode {mode:o}): `chmod 700 {shown}`")
    } else {
        return Ok(());
    };
    Err(StoreError::Unsafe(problem))
}

/// The file system of `folder`, if it is one whose locks are known to hold.
pub(super) fn file_system(folder: &Path) -> Result<Option<&'static str>, StoreError> {
    let magic = magic_of(folder)?;
    Ok(TRUSTED.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name))
}

fn magic_of(folder: &Path) -> Result<u64, StoreError> {
    let system = rustix::fs::statfs(folder).map_err(|e| StoreError::io("look at", folder, &e.into()))?;
    // The type's width differs between platforms; the magics fit in 32 bits.
    #[expect(clippy::cast_sign_loss, reason = "a magic number, not a quantity")]
    let magic = (system.f_type as u64) & 0xFFFF_FFFF;
    Ok(magic)
}

fn check_file_system(folder: &Path, allowed: bool) -> Result<(), StoreError> {
    let magic = magic_of(folder)?;
    if allowed || TRUSTED.iter().any(|(known, _)| *known == magic) {
        return Ok(());
    }
    let names = TRUSTED.map(|(_, name)| name).join(", ");
    Err(StoreError::Unsafe(format!(
        "{} is on a file system (type {magic:#x}) whose locks are not known to hold: put the store on one of {names}, \
         or set `allow_unverified_locks = true` under [store] if you know that all processes share its locks",
        folder.display()
    )))
}

/// The auth file must be a plain file in that folder, and not a link: others would lock beside another one (F15).
fn check_file(places: &Places) -> Result<(), StoreError> {
    let shown = places.file.display();
    match std::fs::symlink_metadata(&places.file) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(StoreError::io("look at", &places.file, &e)),
        Ok(found) if found.is_symlink() => {
            return Err(StoreError::Unsafe(format!(
                "{shown} is a symbolic link: configure the path that it leads to, so that all programs lock beside one file"
            )));
        }
        Ok(found) if !found.is_file() => {
            return Err(StoreError::Unsafe(format!("{shown} is not a regular file: move it away")));
        }
        Ok(_) => {}
    }
    Ok(())
}

/// File, locks and folder must be of one mount: a file that is mounted over cannot be replaced, and locks that are
/// mounted over are not those that others take (F15).
fn check_mounts(places: &Places) -> Result<(), StoreError> {
    // A kernel without mount ids (before 5.8) or without statx cannot tell; there a rename would fail with EBUSY.
    let mount = |path: &Path| {
        let folder = rustix::fs::CWD;
        let found = rustix::fs::statx(folder.as_fd(), path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::MNT_ID);
        found.ok().map(|found| found.stx_mnt_id)
    };
    let Some(folder) = mount(&places.folder) else { return Ok(()) };
    for part in [&places.file, &places.store_lock, &places.locks] {
        if mount(part).is_some_and(|mount| mount != folder) {
            return Err(StoreError::Unsafe(format!(
                "{} is mounted over: mount its folder {} as a whole instead, so that the file can be replaced and all \
                 programs share its locks",
                part.display(),
                places.folder.display()
            )));
        }
    }
    Ok(())
}

/// The `store_id` of the lock folder, if it has one.
pub(super) fn folder_id(places: &Places) -> Result<Option<String>, StoreError> {
    let path = places.locks.join("store_id");
    match File::open(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(StoreError::io("read", &path, &e)),
        Ok(file) => {
            let mut id = String::new();
            file.take(256).read_to_string(&mut id).map_err(|e| StoreError::io("read", &path, &e))?;
            Ok(Some(id.trim().to_owned()).filter(|id| !id.is_empty()))
        }
    }
}

/// Writes the lock folder's `store_id`, whole or not at all: half of one would be another store's. Under the store lock only.
pub(super) fn write_folder_id(places: &Places, id: &str) -> Result<(), StoreError> {
    let (path, new) = (places.locks.join("store_id"), places.locks.join("store_id.new"));
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(format!("{id}\n").as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&new, &path))
        .and_then(|()| File::open(&places.locks)?.sync_all());
    written.map_err(|e| StoreError::io("write", &path, &e))
}

/// The error for a lock folder that belongs to another file (F15).
pub(super) fn foreign(places: &Places) -> StoreError {
    StoreError::Unsafe(format!(
        "{} and its lock folder {} belong to different stores (their store_id differs), so other programs may lock \
         elsewhere: mount or restore both together, or remove the lock folder while nothing runs",
        places.file.display(),
        places.locks.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn refusal(path: &Path) -> String {
        prepare(path, false).map(drop).unwrap_err().to_string()
    }

    /// F4
    #[test]
    fn missing_folders_are_made_private() {
        let temp = tempfile::tempdir().unwrap();
        let places = prepare(&temp.path().join("a/b/auth.json"), false).unwrap();
        for folder in [&places.folder, &places.locks] {
            assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    /// F4: whoever only looks makes nothing, on whatever of the place is there already, and judges it as before.
    #[test]
    fn whoever_only_looks_makes_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a/b/auth.json");
        assert_eq!(foresee(&path, false).unwrap().file, path);
        assert!(!temp.path().join("a").exists());
        make_folder(&temp.path().join("a/b")).unwrap();
        let foreseen = foresee(&path, false).unwrap();
        assert!(!foreseen.locks.exists());
        assert_eq!(foreseen.locks, prepare(&path, false).unwrap().locks);
        std::fs::set_permissions(&foreseen.locks, PermissionsExt::from_mode(0o770)).unwrap();
        assert!(foresee(&path, false).unwrap_err().to_string().contains("chmod 700"));
    }

    /// F4, F15
    #[test]
    fn a_place_that_others_can_change_is_refused_with_the_remedy() {
        let temp = tempfile::tempdir().unwrap();
        let real = temp.path().join("real");
        std::fs::create_dir(&real).unwrap();

        let link = temp.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(refusal(&link.join("auth.json")).contains("is a symbolic link: configure the folder"));

        std::os::unix::fs::symlink("elsewhere", real.join("auth.json")).unwrap();
        std::fs::set_permissions(&real, PermissionsExt::from_mode(0o700)).unwrap();
        assert!(refusal(&real.join("auth.json")).contains("is a symbolic link: configure the path"));

        for mode in [0o770, 0o707, 0o1777] {
            std::fs::set_permissions(&real, PermissionsExt::from_mode(mode)).unwrap();
            assert!(refusal(&real.join("auth.json")).contains("chmod 700"), "{mode:o}");
        }
    }

    /// F15
    #[test]
    fn a_file_system_with_unknown_locks_is_refused_unless_allowed() {
        assert!(check_file_system(Path::new("/proc"), false).is_err());
        assert!(check_file_system(Path::new("/proc"), true).is_ok());
    }
}
