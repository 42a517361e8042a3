//! Where audit lines go: to the end of a file, or to standard output.
//!
//! Owns the place. Invariants: a line is one write at the end of the file, so that processes do not mix theirs; the file is ours
//! alone, 0600 from creation, and no link is followed; a line that cannot be written ends nothing and holds nothing up, is said
//! once in the log and counted. Must not: look into a line.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use latchkey::foreign::folder;
use latchkey::metrics;
use latchkey::store::as_its_owner;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// Lines that may wait for the reader of standard output; what comes on top is lost.
const WAITING: usize = 4_096;
/// How long the end waits for that reader.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why audit lines cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file cannot be opened.
    #[error("cannot open the audit file {path}: {why}; {remedy}")]
    Unusable {
        /// The file.
        path: String,
        /// What the system says.
        why: String,
        /// What puts it right.
        remedy: &'static str,
    },
    /// Others could write or read it.
    #[error("the audit file {path} {what}; {remedy}")]
    Unsafe {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
        /// What puts it right.
        remedy: String,
    },
    /// The thread that writes cannot be started.
    #[error("cannot start a thread for audit lines: {0}; raise the limit of processes (`ulimit -u`)")]
    NoThread(io::Error),
}

/// The place.
enum Sink {
    File {
        path: PathBuf,
        file: File,
        is_torn: bool,
    },
    /// A thread writes, since whoever reads may be slow.
    Pipe {
        lines: SyncSender<String>,
        left: Arc<AtomicBool>,
    },
}

/// Locked for a line, which for a file is one write into the system's memory.
static SINK: Mutex<Option<Sink>> = Mutex::new(None);
static IS_THERE: AtomicBool = AtomicBool::new(false);
/// Whether it was said already that lines are lost.
static IS_SAID: AtomicBool = AtomicBool::new(false);

fn sink() -> MutexGuard<'static, Option<Sink>> {
    SINK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn put(new: Sink) {
    *sink() = Some(new);
    IS_THERE.store(true, Ordering::Release);
}

/// Whether lines are wanted.
pub fn is_there() -> bool {
    IS_THERE.load(Ordering::Acquire)
}

/// From here on lines go to the end of the file at `path`.
pub fn to_file(path: &Path) -> Result<(), AuditError> {
    // A change of the working directory must not lead to another file when it is opened again.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let file = open(&path)?;
    put(Sink::File { path, file, is_torn: false });
    Ok(())
}

/// From here on lines go to standard output.
pub fn to_standard_output() -> Result<(), AuditError> {
    let (lines, waiting) = sync_channel(WAITING);
    let left = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&left);
    std::thread::Builder::new()
        .name("latchkey-audit".to_owned())
        .spawn(move || {
            print(&waiting, io::stdout());
            done.store(true, Ordering::Release);
        })
        .map_err(AuditError::NoThread)?;
    put(Sink::Pipe { lines, left });
    Ok(())
}

/// From here on lines go nowhere.
pub fn to_nowhere() {
    IS_THERE.store(false, Ordering::Release);
    *sink() = None;
}

/// Writes all that comes. A reader who has left gets nothing more, and that is counted for each line.
fn print(lines: &Receiver<String>, mut output: impl Write) {
    while let Ok(line) = lines.recv() {
        if let Err(error) = output.write_all(line.as_bytes()).and_then(|()| output.flush()) {
            lost(&error.to_string());
        }
    }
}

/// Writes `line`, which ends with a line break.
pub fn write(line: String) {
    let written = match sink().as_mut() {
        None => Ok(()),
        Some(Sink::File { file, is_torn, .. }) => append(file, line, is_torn),
        Some(Sink::Pipe { lines, .. }) => lines.try_send(line).map_err(|error| match error {
            TrySendError::Full(_) => io::Error::other("whoever reads standard output is too slow"),
            TrySendError::Disconnected(_) => io::Error::other("the thread that writes has ended"),
        }),
    };
    // Outside the lock: what is said may be slow.
    if let Err(error) = written {
        lost(&error.to_string());
    }
}

/// One write at the end. After half a line the next begins anew.
fn append(file: &mut impl Write, mut line: String, is_torn: &mut bool) -> io::Result<()> {
    if *is_torn {
        line.insert(0, '\n');
    }
    let length = loop {
        match file.write(line.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            written => break written?,
        }
    };
    *is_torn = if length == 0 { *is_torn } else { length < line.len() };
    if length < line.len() { Err(io::Error::other("the disk took half a line: is it full?")) } else { Ok(()) }
}

/// Counts a line that is lost, and says so at the first.
fn lost(why: &str) {
    metrics::audit_failed();
    if !IS_SAID.swap(true, Ordering::AcqRel) {
        super::complain(&format!(
            "audit lines are lost: {why}. See to where [log] audit leads; metrics count them, and this is said once"
        ));
    }
}

/// Opens the file anew by its path, as after a rotation. What cannot be opened leaves the one that is open.
///
/// # Errors
/// When it cannot be used.
pub fn reopen() -> Result<(), AuditError> {
    let path = match sink().as_ref() {
        Some(Sink::File { path, .. }) => path.clone(),
        _ => return Ok(()),
    };
    let reopened = open(&path)?;
    if let Some(Sink::File { file, is_torn, .. }) = sink().as_mut() {
        (*file, *is_torn) = (reopened, false);
        // What was wrong before may be right now, and wrong again later.
        IS_SAID.store(false, Ordering::Release);
    }
    Ok(())
}

/// Lets what was told reach standard output, if its reader takes it soon.
pub fn finish() {
    IS_THERE.store(false, Ordering::Release);
    if let Some(Sink::Pipe { lines, left }) = sink().take() {
        drop(lines);
        let end = Instant::now() + GOODBYE;
        while !left.load(Ordering::Acquire) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether the bot could write its lines to `path`. Makes and writes nothing: one that is not there yet is judged by its folder.
pub fn judge(path: &Path) -> Result<(), AuditError> {
    let is_missing =
        std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    if !is_missing {
        return opened(path, OFlags::empty()).map(drop);
    }
    let rights = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::access(folder(path), rights).map_err(|error| unusable(path, error))
}

/// The file, if it is ours alone; made, where there is none.
fn open(path: &Path) -> Result<File, AuditError> {
    opened(path, OFlags::CREATE)
}

fn unusable(path: &Path, error: Errno) -> AuditError {
    let remedy = match error {
        Errno::LOOP => "it must not be a symbolic link: name the file itself as audit under [log]",
        Errno::NOENT => {
            "make its folder, for the user that runs Latchkey, or name another file as audit under [log]"
        }
        Errno::ACCESS | Errno::PERM => "it must belong to the user that runs Latchkey",
        Errno::ROFS => "it must be on a writable file system",
        Errno::ISDIR => "name a file in it as audit under [log]",
        Errno::NOSPC | Errno::DQUOT => "make room on this disk",
        _ => "name another file as audit under [log]",
    };
    AuditError::Unusable { path: path.display().to_string(), why: error.to_string(), remedy }
}

fn opened(path: &Path, made: OFlags) -> Result<File, AuditError> {
    let name = || path.display().to_string();
    let flags = made | OFlags::WRONLY | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NOFOLLOW
        // A pipe without a reader would hold us up; it is refused below.
        | OFlags::NONBLOCK;
    let opened = rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)).map_err(|e| unusable(path, e))?;
    let file = File::from(opened);
    let found = file.metadata().map_err(|error| AuditError::Unusable {
        path: name(),
        why: error.to_string(),
        remedy: "check this disk",
    })?;
    let me = rustix::process::geteuid().as_raw();
    let wrong = |what: String, remedy: String| Err(AuditError::Unsafe { path: name(), what, remedy });
    if !found.is_file() {
        let remedy = "name a file as audit under [log], or \"-\" for standard output";
        return wrong("is no regular file".to_owned(), remedy.to_owned());
    }
    if found.uid() != me {
        let what = format!("belongs to user {}, and this is user {me}", found.uid());
        return wrong(what, as_its_owner(name(), found.uid(), me));
    }
    if found.mode() & 0o022 != 0 {
        let what = format!("can be written by others (mode {:o})", found.mode() & 0o7777);
        return wrong(what, format!("`chmod 600 {}`", name()));
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
