//! Kernel locks on sidecar files (flock, through `fs4`).
//!
//! Owns the only code that takes a lock. Invariants: a lock file is never the auth file, never unlinked, never renamed,
//! never followed through a symbolic link (F2); the kernel frees a lock when its holder dies (G12). Must not: fall through
//! when locking fails (G13), or wait on a thread that is not its caller's to block (`waiting` has those).

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt as _, MetadataExt};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fs4::{FileExt, TryLockError};
use rustix::fs::{Mode, OFlags};

use crate::fault::{Operation, attempt};
use crate::store::remedy;

/// A lock that is held. Dropping it lets go.
#[derive(Debug)]
#[must_use = "the lock is let go when this is dropped"]
pub struct KernelLock {
    file: File,
}

/// Who holds a lock, as far as its file tells. Informative only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process id that the holder wrote down.
    pub pid: u32,
    /// Whether that process is stopped, by SIGSTOP or a debugger.
    pub stopped: bool,
}

/// Why a lock could not be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LockError {
    /// Somebody else kept it for all the time we had.
    #[error("waited {} s for {path}, held by {}", .waited.as_secs(), describe(.holder.as_ref()))]
    TimedOut {
        /// The lock file.
        path: String,
        /// How long was waited.
        waited: Duration,
        /// Who had it, if that is known.
        holder: Option<Holder>,
    },
    /// The lock file cannot be used.
    #[error("cannot lock {path}: {why}; {remedy}")]
    Unusable {
        /// The lock file.
        path: String,
        /// What the system said.
        why: String,
        /// What puts it right.
        remedy: &'static str,
    },
}

/// What puts a lock file right that the system refuses for a reason of its own.
const WRITABLE: &str = "the folder must be writable for the user that runs Latchkey, and on a local disk";

fn describe(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder { pid, stopped: false }) => format!("process {pid}; try again"),
        Some(Holder { pid, stopped: true }) => {
            format!("process {pid}, which is stopped: let it go on with `kill -CONT {pid}`")
        }
        None => "a process that left no name; try again".to_owned(),
    }
}

impl LockError {
    pub(super) fn unusable(path: &Path, error: &io::Error) -> Self {
        let remedy = remedy(error).unwrap_or(WRITABLE);
        Self::Unusable { path: path.display().to_string(), why: error.to_string(), remedy }
    }
}

impl KernelLock {
    /// Takes the lock at `path`, waiting in the kernel for as long as it takes. For threads of our own only.
    pub(super) fn wait(path: &Path) -> Result<Self, LockError> {
        loop {
            let file = open(path).map_err(|e| LockError::unusable(path, &e))?;
            FileExt::lock(&file).map_err(|e| LockError::unusable(path, &e))?;
            if let Some(lock) = Self::confirmed(file, path)?.inspect(Self::sign) {
                return Ok(lock);
            }
        }
    }

    /// Takes the lock at `path` if nobody has it.
    pub(crate) fn attempt(path: &Path) -> Result<Option<Self>, LockError> {
        loop {
            let file = open(path).map_err(|e| LockError::unusable(path, &e))?;
            match FileExt::try_lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(LockError::unusable(path, &e)),
            }
            if let Some(lock) = Self::confirmed(file, path)?.inspect(Self::sign) {
                return Ok(Some(lock));
            }
        }
    }

    /// Takes the lock at `path`, waiting in the kernel on a thread of its own and here for at most `bound`, where there is no
    /// runtime. A lock that comes later is let go at once (G31).
    pub(super) fn wait_bounded(path: &Path, bound: Duration) -> Result<Self, LockError> {
        if let Some(lock) = Self::attempt(path)? {
            return Ok(lock);
        }
        let (sender, receiver) = mpsc::channel();
        let waited_for = path.to_owned();
        waiter()
            // Nobody may be there any more: then it is let go.
            .spawn(move || drop(sender.send(Self::wait(&waited_for))))
            .map_err(|e| LockError::unusable(path, &e))?;
        receiver.recv_timeout(bound).unwrap_or_else(|_| Err(timed_out(path, bound)))
    }

    /// The file whose open description has the lock: whoever inherits it has the lock with it.
    #[must_use]
    pub fn into_file(self) -> File {
        self.file
    }

    /// The lock at `path` that another process took and handed over with `file`; none if `file` is something else.
    pub(super) fn taken_over(file: File, path: &Path) -> Result<Option<Self>, LockError> {
        match (file.metadata(), std::fs::symlink_metadata(path)) {
            (Ok(ours), Ok(found)) if (ours.dev(), ours.ino()) == (found.dev(), found.ino()) => {}
            _ => return Ok(None),
        }
        // Of the same open description, this asks for what is held already.
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Self::confirmed(file, path)?.inspect(Self::sign)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(LockError::unusable(path, &e)),
        }
    }

    /// The lock, unless somebody removed its file meanwhile: a lock on a file that others cannot find protects nothing.
    fn confirmed(file: File, path: &Path) -> Result<Option<Self>, LockError> {
        let ours = file.metadata().map_err(|e| LockError::unusable(path, &e))?;
        let found = match std::fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(LockError::unusable(path, &e)),
        };
        if (ours.dev(), ours.ino()) != (found.dev(), found.ino()) {
            return Ok(None);
        }
        Ok(Some(Self { file }))
    }

    /// Leaves our process id for whoever waits in vain. That it cannot be written changes nothing.
    fn sign(&self) {
        let line = format!("{:<10}\n", std::process::id());
        if let Err(error) = self.file.write_all_at(line.as_bytes(), 0) {
            tracing::debug!(%error, "could not write the holder's process id into a lock file");
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    attempt(Operation::OpenLock)?;
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fd = rustix::fs::open(path, flags, Mode::from_raw_mode(0o600))?;
    let stat = rustix::fs::fstat(fd.as_fd())?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(File::from(fd))
}

/// The error for a lock that was waited for in vain.
pub(super) fn timed_out(path: &Path, waited: Duration) -> LockError {
    LockError::TimedOut { path: path.display().to_string(), waited, holder: holder(path) }
}

/// Who holds the lock at `path`, if anybody does and has left a name.
pub(super) fn holder(path: &Path) -> Option<Holder> {
    let file = File::open(path).ok()?;
    // Had for a moment and let go unsigned, this shows that the name in the file is an old one.
    if FileExt::try_lock_shared(&file).is_ok() {
        return None;
    }
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    let pid: u32 = text.trim().parse().ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The state stands behind the command name, which is in parentheses and may hold anything.
    let state = stat.rsplit_once(')')?.1.trim_start().chars().next()?;
    Some(Holder { pid, stopped: matches!(state, 'T' | 't') })
}

/// Whether somebody has the lock at `path`. Where there is none, nobody has.
pub(super) fn is_held(path: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = rustix::fs::open(path, flags, Mode::empty()).map(File::from);
    // Had for a moment, a shared one keeps nobody but a writer from it, and no longer than this.
    file.is_ok_and(|file| matches!(FileExt::try_lock_shared(&file), Err(TryLockError::WouldBlock)))
}

/// A thread that waits for a lock.
pub(super) fn waiter() -> thread::Builder {
    thread::Builder::new().name("latchkey-lock".to_owned()).stack_size(128 * 1024)
}

#[cfg(test)]
mod tests;
