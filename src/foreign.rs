//! A file that belongs to another program: found, read, kept aside.
//!
//! Owns how such a file is touched; `replace` how it is replaced. Invariants: its folder is opened once, and all that is done there is
//! done by that descriptor; a copy that is kept aside is durable before the file changes, and replaces no earlier copy. Must not: know
//! what stands in it.

mod replace;

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawMode};
use rustix::io::Errno;

pub use replace::Prepared;
#[cfg(test)]
pub(crate) use replace::at_moments;

/// The largest file that is read, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;
/// What a file that holds a token may allow at most: nothing to other users.
pub const MOST_MODE: u32 = 0o660;
/// What is put behind the name of a file that is kept aside.
pub const ASIDE: &str = "replaced";

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
    /// A folder on the way to it is one, which is no better.
    #[error("{0} is a symbolic link, which is not followed: name the path that it leads to (see `realpath`)")]
    LinkOnTheWay(PathBuf),
    /// Everybody may put a file of their own there, and would get the token in it.
    #[error(
        "everybody may write its folder, and so put a file of their own in its place: keep it in a folder that others cannot write"
    )]
    OpenFolder,
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
    /// A new file could not be given to the old one's owner.
    #[error(
        "it belongs to a user or a group that only root may give a file to: make it anew as the user that Latchkey runs as, or run \
         Latchkey as root (docs/feeds.md)"
    )]
    Owner,
    /// Somebody wrote it between our reading and our writing.
    #[error("its program wrote it at the same time; it is tried again")]
    Changed,
    /// Somebody wrote it again while what they had written was put back.
    #[error(
        "its program wrote it several times at the same time, and what stood there for a moment is kept as {0}: see which of them is \
         wanted, and delete the other"
    )]
    ChangedTwice(PathBuf),
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

fn failed<E: Into<io::Error>>(what: &'static str) -> impl Fn(E) -> ForeignError {
    move |source| ForeignError::Io { what, source: source.into() }
}

/// The place of a file: its folder, held open, and its name in there.
#[derive(Debug)]
pub struct Place {
    folder: File,
    name: OsString,
    /// As it was named, for messages.
    path: PathBuf,
}

/// What stood in a file.
#[derive(Debug)]
pub struct Found {
    /// All of it.
    pub bytes: Vec<u8>,
    metadata: Metadata,
}

/// A copy that is kept aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Where.
    pub path: PathBuf,
    /// Whether it was made just now; else the same bytes were kept before.
    pub is_new: bool,
}

/// For folders on the way: to pass through one asks for no right to read it.
#[cfg(target_os = "linux")]
const PASSING: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PASSING: OFlags = OFlags::RDONLY;
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

impl Place {
    /// The place of a file in a folder that others may own.
    ///
    /// # Errors
    /// See [`ForeignError`]. No link is followed, in any part of `path`: whoever owns a folder on the way could lead us anywhere by
    /// one.
    pub fn open(path: &Path) -> Result<Self, ForeignError> {
        let place = Self::walk(path)?;
        let found = place.folder.metadata().map_err(failed("open its folder"))?;
        if found.mode() & 0o002 != 0 {
            return Err(ForeignError::OpenFolder);
        }
        Ok(place)
    }

    /// The place of a file that somebody has just named for themselves, so that its folder is not judged.
    ///
    /// # Errors
    /// See [`ForeignError`].
    pub fn of_caller(path: &Path) -> Result<Self, ForeignError> {
        Self::walk(&path.canonicalize().map_err(failed("find it"))?)
    }

    fn walk(path: &Path) -> Result<Self, ForeignError> {
        let name = path.file_name().ok_or(ForeignError::NotAFile)?.to_owned();
        let opened = failed("open its folder");
        let start = if path.is_absolute() { "/" } else { "." };
        let mut folder = rustix::fs::open(start, PASSING | FOLDER, Mode::empty()).map_err(&opened)?;
        let mut way = PathBuf::new();
        for component in self::folder(path).components() {
            way.push(component);
            let part = match component {
                Component::Normal(part) => part,
                Component::ParentDir => OsStr::new(".."),
                _ => continue,
            };
            folder = pass(&folder, part, &way)?;
        }
        let folder =
            rustix::fs::openat(&folder, ".", FOLDER | OFlags::RDONLY, Mode::empty()).map_err(&opened)?;
        Ok(Self { folder: folder.into(), name, path: path.to_owned() })
    }

    /// What stands in the file; nothing where there is none.
    ///
    /// # Errors
    /// See [`ForeignError`]. Nothing is waited for.
    pub fn read(&self) -> Result<Option<Found>, ForeignError> {
        self.look(&self.name)
    }

    fn look(&self, name: &OsStr) -> Result<Option<Found>, ForeignError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.folder, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(ForeignError::Link),
            Err(error) => return Err(failed("read it")(error)),
        };
        let metadata = file.metadata().map_err(failed("read it"))?;
        if !metadata.is_file() {
            return Err(ForeignError::NotAFile);
        }
        if metadata.nlink() > 1 {
            return Err(ForeignError::ManyNames);
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed("read it"))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(ForeignError::TooLarge);
        }
        Ok(Some(Found { bytes, metadata }))
    }

    /// Whether a new file in this folder could be given the owner and the group of `found`, as far as that can be told without making
    /// one.
    ///
    /// # Errors
    /// [`ForeignError::Owner`] if not.
    pub fn can_keep_owner(&self, found: &Found) -> Result<(), ForeignError> {
        let user = rustix::process::geteuid();
        if user.is_root() {
            return Ok(());
        }
        let folder = self.folder.metadata().map_err(failed("open its folder"))?;
        let group = found.metadata.gid();
        let is_inherited = folder.mode() & 0o2000 != 0 && folder.gid() == group;
        let is_in_group = || {
            rustix::process::getgroups().is_ok_and(|groups| groups.iter().any(|one| one.as_raw() == group))
        };
        let keeps_group = is_inherited || rustix::process::getegid().as_raw() == group || is_in_group();
        if found.metadata.uid() == user.as_raw() && keeps_group { Ok(()) } else { Err(ForeignError::Owner) }
    }

    /// Keeps `bytes` in a file of its own beside this one, for its maker alone, unless a copy of the same bytes is there. Its name is
    /// that of the file, `suffix`, and a number where that is taken.
    ///
    /// # Errors
    /// The system's.
    pub fn keep_aside(&self, bytes: &[u8], suffix: &str) -> io::Result<Aside> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        for name in self.names_aside(suffix) {
            let aside = |is_new| Aside { path: self.path.with_file_name(&name), is_new };
            match rustix::fs::openat(&self.folder, &name, flags, Mode::from_raw_mode(0o600)) {
                Err(Errno::EXIST) => {
                    if matches!(self.look(&name), Ok(Some(found)) if found.bytes == bytes) {
                        return Ok(aside(false));
                    }
                }
                Err(error) => return Err(error.into()),
                Ok(file) => {
                    let mut file = File::from(file);
                    let kept = file.write_all(bytes).and_then(|()| file.sync_all());
                    if let Err(error) = kept.and_then(|()| self.folder.sync_all()) {
                        // Half a copy would only be in the way of a whole one.
                        let _ = rustix::fs::unlinkat(&self.folder, &name, AtFlags::empty());
                        return Err(error);
                    }
                    return Ok(aside(true));
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn names_aside(&self, suffix: &str) -> impl Iterator<Item = OsString> {
        (1..u32::MAX).map(move |number| {
            let mut name = self.name.clone();
            name.push(if number == 1 { format!(".{suffix}") } else { format!(".{suffix}-{number}") });
            name
        })
    }
}

/// The folder `part` of `folder`; `way` is what has been named up to there.
fn pass(folder: &OwnedFd, part: &OsStr, way: &Path) -> Result<OwnedFd, ForeignError> {
    rustix::fs::openat(folder, part, PASSING | FOLDER, Mode::empty()).map_err(|error| {
        let found = rustix::fs::statat(folder, part, AtFlags::SYMLINK_NOFOLLOW);
        let kind = found.map(|found| FileType::from_raw_mode(found.st_mode as RawMode));
        match kind {
            Ok(FileType::Symlink) => ForeignError::LinkOnTheWay(way.to_owned()),
            _ => failed("open its folder")(error),
        }
    })
}

/// The folder that `path` is in.
#[must_use]
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether `name` is that of a temporary file which was made to replace the file `of`.
fn is_temporary(name: &[u8], of: &OsStr) -> bool {
    name.starts_with(temporary(of, "").as_bytes())
}

fn temporary(of: &OsStr, behind: &str) -> OsString {
    let mut name = OsString::from(".latchkey-");
    name.push(of);
    name.push("-");
    name.push(behind);
    name
}

#[cfg(test)]
mod tests;
