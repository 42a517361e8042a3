//! The file that holds the keys.
//!
//! Owns its reading and its growing by a key. Invariants: a file that others on this host can write is refused, since they
//! could have theirs seal; one that others can read is only told, since secrets of containers look like that; a new line
//! comes in whole or not at all. Links are followed when it is read: that is how secrets are mounted.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use secrecy::zeroize::Zeroizing;

use super::keys::{KeyFile, Keys, KeysError};
use crate::secret::Secret;

/// The most bytes that are read.
const LARGEST: u64 = 64 * 1024;

/// What there is to say of the file at `path`.
///
/// # Errors
/// When it cannot be read, or others could have written it.
pub fn look_at_file(path: &Path) -> Result<KeyFile, KeysError> {
    let found = opened(path)?.metadata().map_err(|error| refused(path, &error))?;
    Ok(KeyFile { path: path.to_owned(), is_read_by_all: found.mode() & 0o004 != 0 })
}

fn missing(path: &Path, why: &str) -> KeysError {
    KeysError::Missing { place: path.display().to_string(), why: why.to_owned() }
}

/// Why the system refuses it, with the remedy.
fn refused(path: &Path, error: &std::io::Error) -> KeysError {
    let shown = path.display();
    let remedy = match error.kind() {
        std::io::ErrorKind::PermissionDenied => format!(
            "the user that runs Latchkey must be able to read it, and to pass through its folder: give it that user's group and \
             `chmod 640 {shown}`"
        ),
        std::io::ErrorKind::NotFound => format!(
            "correct the path under [store], put the file back from where a copy is kept, or, if nothing is sealed yet, make it: \
             `latchkey seal key --add {shown}`"
        ),
        _ => "check this disk and the rights on it".to_owned(),
    };
    missing(path, &format!("{error}; {remedy}"))
}

fn opened(path: &Path) -> Result<File, KeysError> {
    let file = opened_whosever(path)?;
    let found = file.metadata().map_err(|error| refused(path, &error))?;
    let (shown, me, owner) = (path.display(), rustix::process::geteuid().as_raw(), found.uid());
    let remedy = match owner {
        0 => return Ok(file),
        _ if owner == me => return Ok(file),
        // The file of the bot's user, mostly: given to root, it would be taken from the bot.
        _ if me == 0 => "run this as that user, as `runuser -u NAME -- latchkey …` does".to_owned(),
        _ => format!("`chown {me} {shown}`"),
    };
    Err(KeysError::Unsafe(format!(
        "{shown} belongs to user {owner}, who could write it, and this is user {me}: {remedy}"
    )))
}

/// The file at `path`, which nobody but its owner can write, whoever that is.
fn opened_whosever(path: &Path) -> Result<File, KeysError> {
    // Without waiting, should it be a pipe.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::open(path, flags, Mode::empty())
        .map(File::from)
        .map_err(|error| refused(path, &error.into()))?;
    let found = file.metadata().map_err(|error| refused(path, &error))?;
    let shown = path.display();
    if !found.is_file() {
        return Err(missing(path, "it is not a regular file"));
    }
    if found.mode() & 0o022 != 0 {
        let mode = found.mode() & 0o777;
        return Err(KeysError::Unsafe(format!(
            "{shown} can be written by others (mode {mode:o}): `chmod 600 {shown}`"
        )));
    }
    Ok(file)
}

/// The text of the file at `path`.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, KeysError> {
    text_of(&opened(path)?, path)
}

fn text_of(file: &File, path: &Path) -> Result<Zeroizing<String>, KeysError> {
    let mut text = Zeroizing::new(String::with_capacity(4 * 1024));
    let read = file.take(LARGEST + 1).read_to_string(&mut text);
    read.map_err(|error| refused(path, &error))?;
    if text.len() as u64 > LARGEST {
        return Err(missing(path, "it is larger than 64 KiB, which no list of keys is"));
    }
    Ok(text)
}

/// Puts `line` before the keys in the file at `path`, whose owner, group and mode stay, or makes that file, for its owner alone.
/// Gives the ids of all. Root may do so for another user, since the file stays that user's.
///
/// # Errors
/// When what is there is no list of keys, has a key of that name, or cannot be replaced; it is as it was then.
pub fn add_key(path: &Path, line: &Secret) -> Result<Vec<String>, KeysError> {
    let failed = |error: std::io::Error| missing(path, &format!("cannot write it: {error}"));
    let old = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => {
            return Err(missing(path, "it is a symbolic link: name the file that it leads to"));
        }
        Ok(_) if rustix::process::geteuid().is_root() => Some(opened_whosever(path)?),
        Ok(_) => Some(opened(path)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(refused(path, &error)),
    };
    let before = old.as_ref().map(|old| text_of(old, path)).transpose()?.unwrap_or_default();
    let text = Zeroizing::new(format!("{}\n{}", line.expose(), *before));
    let keys = Keys::parse(&text, &path.display().to_string())?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let make = |path: &Path| {
        std::fs::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
    };
    let mut new = tempfile::Builder::new().prefix(".latchkey-key-").make_in(folder, make).map_err(failed)?;
    if let Some(old) = &old {
        keep_rights(old, new.as_file()).map_err(failed)?;
    }
    new.as_file_mut().write_all(text.as_bytes()).and_then(|()| new.as_file().sync_all()).map_err(failed)?;
    new.persist(path).map_err(|refused| failed(refused.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(keys.ids().map(str::to_owned).collect())
}

/// Gives the new file the old one's owner, group and mode: whoever could read the keys goes on reading them.
fn keep_rights(old: &File, new: &File) -> std::io::Result<()> {
    let (old, ours) = (old.metadata()?, new.metadata()?);
    if (old.uid(), old.gid()) != (ours.uid(), ours.gid()) {
        fchown(new, Some(old.uid()), Some(old.gid()))?;
    }
    new.set_permissions(old.permissions())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::new_key;
    use super::*;

    /// Sealing: who could write the keys could have theirs seal; who can only read them is told of. A mounted secret is a link,
    /// and often readable by all.
    #[test]
    fn a_key_file_that_others_can_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        add_key(&path, &new_key(Some("one")).unwrap()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let link = folder.path().join("link");
        symlink("keys", &link).unwrap();
        for (mode, is_read_by_all) in [(0o600, false), (0o400, false), (0o640, false), (0o444, true)] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(Keys::in_file(&link).unwrap().ids().collect::<Vec<_>>(), ["one"], "{mode:o}");
            assert_eq!(look_at_file(&link), Ok(KeyFile { path: link.clone(), is_read_by_all }), "{mode:o}");
        }
        for mode in [0o660, 0o602, 0o666] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let told = Keys::in_file(&link).unwrap_err().to_string();
            assert!(told.contains("can be written by others") && told.contains("chmod 600"), "{told}");
        }
        let told = Keys::in_file(folder.path()).unwrap_err().to_string();
        assert!(told.contains("it is not a regular file"), "{told}");
    }

    /// Sealing: a new key comes before the others, which go on opening; what is no list of keys stays as it is.
    #[test]
    fn a_new_key_comes_first_and_nothing_else_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let [one, two] = ["one", "two"].map(|id| new_key(Some(id)).unwrap());
        assert_eq!(add_key(&path, &one), Ok(vec!["one".to_owned()]));
        let commented = format!("# of May\n{}", std::fs::read_to_string(&path).unwrap());
        std::fs::write(&path, &commented).unwrap();
        assert_eq!(add_key(&path, &two), Ok(vec!["two".to_owned(), "one".to_owned()]));
        let whole = std::fs::read_to_string(&path).unwrap();
        assert_eq!(whole, format!("{}\n{commented}", two.expose()));
        assert!(add_key(&path, &two).unwrap_err().to_string().contains("a key of this name"));
        let link = folder.path().join("link");
        symlink("keys", &link).unwrap();
        assert!(add_key(&link, &new_key(None).unwrap()).unwrap_err().to_string().contains("symbolic link"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
    }

    /// Sealing: whoever could read the keys before there was a new one reads them after, and nobody else.
    #[test]
    fn a_file_of_keys_keeps_its_owner_its_group_and_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        add_key(&path, &new_key(Some("one")).unwrap()).unwrap();
        let rights = || {
            let found = std::fs::metadata(&path).unwrap();
            (found.uid(), found.gid(), found.mode() & 0o7777)
        };
        let (me, group, _) = rights();
        for (id, mode) in [("two", 0o640), ("three", 0o400)] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            add_key(&path, &new_key(Some(id)).unwrap()).unwrap();
            assert_eq!(rights(), (me, group, mode));
        }
        if !rustix::process::geteuid().is_root() {
            return;
        }
        for (owner, group) in [(0, 65534), (65534, 65533)] {
            std::os::unix::fs::chown(&path, Some(owner), Some(group)).unwrap();
            add_key(&path, &new_key(None).unwrap()).unwrap();
            assert_eq!(rights(), (owner, group, 0o400));
        }
        let told = Keys::in_file(&path).unwrap_err().to_string();
        assert!(told.contains("run this as that user") && !told.contains("chown"), "{told}");
    }

    /// Sealing: a file that is not there, or not for this user, is told with what to do.
    #[test]
    fn what_cannot_be_read_is_told_with_its_remedy() {
        let path = Path::new("/etc/latchkey/seal.keys");
        let told = |kind: std::io::ErrorKind| refused(path, &kind.into()).to_string();
        let denied = told(std::io::ErrorKind::PermissionDenied);
        assert!(denied.contains("chmod 640 /etc/latchkey/seal.keys"), "{denied}");
        let gone = told(std::io::ErrorKind::NotFound);
        assert!(gone.contains("latchkey seal key --add /etc/latchkey/seal.keys"), "{gone}");
    }
}
