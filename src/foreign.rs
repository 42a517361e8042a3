//! A file that belongs to another program: read, kept aside, replaced whole.
//!
//! Owns how such a file is touched. Invariants: a copy that is kept aside is durable before the file changes, and replaces no
//! earlier copy; a file is replaced whole or not at all, and keeps its owner, its group and its permissions; who else writes it
//! meanwhile is not written over. Must not: know what stands in it.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// The largest file that is read, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;
/// What a file that holds a token may allow at most: nothing to other users.
const MOST_MODE: u32 = 0o660;

/// Why a file was left alone.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The system refused something.
    #[error("cannot {what}: {source}{}", remedy(.source))]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// It is a symbolic link. Whoever may write its folder could lead us anywhere by one.
    #[error("it is a symbolic link, which is not followed: name the file itself")]
    Link,
    /// It is a folder, a pipe or a device.
    #[error("it is no ordinary file: name the file that the program keeps")]
    NotAFile,
    /// Replacing it would tear its names apart.
    #[error("it has a second name (a hard link): keep one of them")]
    ManyNames,
    /// Nothing that a program keeps its sign-in in is that large.
    #[error(
        "it is larger than 1 MiB, so it is not the file that the program keeps its sign-in in: correct the path"
    )]
    TooLarge,
    /// Somebody wrote it between our reading and our writing.
    #[error("its program wrote it at the same time; it is tried again")]
    Changed,
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "; make its folder, as the user whose program it is",
        io::ErrorKind::PermissionDenied => {
            "; the user that Latchkey runs as must be able to write its folder, and to leave the file its owner (docs/feeds.md)"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room on this disk",
        io::ErrorKind::ReadOnlyFilesystem => "; it must be on a file system that can be written",
        io::ErrorKind::ResourceBusy => "; where it is mounted by itself, mount its folder in its place",
        _ => "; check this disk and the rights on it",
    }
}

fn failed(what: &'static str) -> impl Fn(io::Error) -> ForeignError {
    move |source| ForeignError::Io { what, source }
}

/// What stands in the file at `path`; nothing where there is none.
///
/// # Errors
/// See [`ForeignError`]. No link is followed, and nothing is waited for.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, ForeignError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(ForeignError::Link);
        }
        Err(error) => return Err(failed("read it")(error)),
    };
    let found = file.metadata().map_err(failed("read it"))?;
    if !found.is_file() {
        return Err(ForeignError::NotAFile);
    }
    if found.nlink() > 1 {
        return Err(ForeignError::ManyNames);
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed("read it"))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(ForeignError::TooLarge);
    }
    Ok(Some(bytes))
}

/// Puts `new` in the place of `was`, which is what [`read`] gave: in one step, durable, for nobody's eyes but those that the
/// file had before, and never other users'. What was not there is made anew, for its maker alone.
///
/// # Errors
/// See [`ForeignError`]; then the file is as it was.
pub fn put(path: &Path, was: Option<&[u8]>, new: &[u8]) -> Result<(), ForeignError> {
    unchanged(path, was)?;
    if was.is_some() {
        return replace(path, new, MOST_MODE).map_err(failed("replace it"));
    }
    let made = || {
        let file = beside(path, 0o600, new)?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        sync_folder(path)
    };
    match made() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(ForeignError::Changed),
        made => made.map_err(failed("write it")),
    }
}

fn unchanged(path: &Path, was: Option<&[u8]>) -> Result<(), ForeignError> {
    if read(path)?.as_deref() == was { Ok(()) } else { Err(ForeignError::Changed) }
}

/// Keeps `bytes` in a file of its own beside `path`, for its maker alone. Its name is that of `path`, `suffix`, and a number
/// where that is taken.
///
/// # Errors
/// The system's.
pub fn keep_aside(path: &Path, bytes: &[u8], suffix: &str) -> io::Result<PathBuf> {
    for number in 1.. {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(if number == 1 { format!(".{suffix}") } else { format!(".{suffix}-{number}") });
        let aside = path.with_file_name(name);
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(mut file) => {
                file.write_all(bytes)?;
                file.sync_all()?;
                sync_folder(path)?;
                return Ok(aside);
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Puts a file with `bytes` in the place of the one at `path`, with its owner, its group and its permissions, as far as they
/// are within `most`.
///
/// # Errors
/// The system's; then the file is as it was.
pub fn replace(path: &Path, bytes: &[u8], most: u32) -> io::Result<()> {
    let old = std::fs::metadata(path)?;
    let new = beside(path, old.mode() & most, bytes)?;
    let ours = new.as_file().metadata()?;
    if (old.uid(), old.gid()) != (ours.uid(), ours.gid()) {
        std::os::unix::fs::fchown(new.as_file(), Some(old.uid()), Some(old.gid()))?;
    }
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// A file with `bytes` and a name of its own, in the folder of `path`; gone unless it is given another name.
fn beside(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut new = tempfile::Builder::new()
        .prefix(".latchkey-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder(path))?;
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    Ok(new)
}

/// The folder that `path` is in.
#[must_use]
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}
