//! Where the token socket stands: its folder, its name, and who may reach it.
//!
//! Owns taking the path and leaving it. Invariants: one bot has it, by a kernel lock beside it that dies with the bot; mode and
//! group are set before anybody can connect; nothing but a socket that nobody serves is ever replaced. Must not: answer
//! anybody.

use std::fs::{DirBuilder, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixSocket, UnixStream};

use super::bearer::BearerError;
use crate::config::TokensConfig;
use crate::store::{KernelLock, LockError};

/// The longest path, in bytes: what the kernel takes, less the ending under which the socket is made ready.
const LONGEST: usize = 107 - READYING.len();
/// The ending of a socket that nobody can connect to yet.
const READYING: &str = ".new";
/// Connections that wait in the kernel until they are accepted.
const BACKLOG: u32 = 1_024;
/// How long it is tried whether another program answers at the path.
const PROBE: Duration = Duration::from_secs(1);

/// Why no tokens can be served.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BindError {
    /// The path is none.
    #[error("cannot serve tokens: {0} names no file; write socket = \"data/latchkey.sock\" under [tokens]")]
    NoName(String),
    /// The kernel has no room for it.
    #[error(
        "cannot serve tokens: {path} is {bytes} bytes long, and the path of a socket may have {LONGEST}; choose a shorter \
         socket under [tokens]"
    )]
    TooLong {
        /// The whole of it.
        path: String,
        /// Its length.
        bytes: usize,
    },
    /// The folder cannot be trusted.
    #[error("cannot serve tokens: {0}")]
    Folder(String),
    /// Something else stands there.
    #[error("cannot serve tokens: {0} is no socket; move it away, or choose another socket under [tokens]")]
    Occupied(String),
    /// Another Latchkey serves there.
    #[error(
        "cannot serve tokens: another Latchkey serves {0}; stop it, or choose another socket under [tokens]"
    )]
    Served(String),
    /// Another program serves there.
    #[error(
        "cannot serve tokens: another program listens at {0}; stop it, or choose another socket under [tokens]"
    )]
    Foreign(String),
    /// There is no such group.
    #[error(
        "cannot serve tokens: group {0:?} is not in /etc/group; correct group under [tokens], or write its number"
    )]
    NoGroup(String),
    /// The socket cannot be given to it.
    #[error(
        "cannot serve tokens: the socket cannot be given to group {group} ({reason}); make the bot's user a member of it and \
         start the bot anew, or choose another group under [tokens]"
    )]
    NotOurGroup {
        /// As configured.
        group: String,
        /// What the system says.
        reason: String,
    },
    /// The lock beside it cannot be used.
    #[error("cannot serve tokens: {0}")]
    Lock(LockError),
    /// The bearer token cannot be used.
    #[error("cannot serve tokens: {0}")]
    Bearer(#[from] BearerError),
    /// Something else.
    #[error("cannot serve tokens: cannot {action} {path}: {reason}; choose another socket under [tokens]")]
    System {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: String,
        /// What the system says.
        reason: String,
    },
}

impl BindError {
    fn system(action: &'static str, path: &Path, error: &io::Error) -> Self {
        Self::System { action, path: path.display().to_string(), reason: error.to_string() }
    }
}

/// What stands at the socket's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Nothing, or a socket that a killed bot left: both are put right at the bot's start.
    Free,
    /// A socket that somebody answers.
    Served,
}

/// The socket, while it is ours: whoever connects is heard. It goes from its folder when this is dropped.
#[derive(Debug)]
pub struct Bound {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of ours, by which another one at the path is known.
    mark: (u64, u64),
    lock: Option<KernelLock>,
}

impl Bound {
    /// Its canonical path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }

    /// Takes the socket away, so that callers know at once that nobody answers there. The lock stays with the caller: the bot
    /// is not gone yet.
    pub(super) fn leave(mut self) -> Option<KernelLock> {
        self.lock.take()
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let is_ours = |found: Metadata| (found.dev(), found.ino()) == self.mark;
        if std::fs::symlink_metadata(&self.path).is_ok_and(is_ours)
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the token socket could not be removed");
        }
    }
}

/// Takes the place that `config` names: makes the folder where it is missing, and replaces what a killed bot left.
///
/// # Errors
/// When it cannot be had; the text names the remedy.
pub async fn bind(config: &TokensConfig) -> Result<Bound, BindError> {
    let given = folder_of(&config.socket)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(given)
        .map_err(|error| BindError::system("make the folder", given, &error))?;
    let path = placed(config)?;
    let group = config.group.as_deref().map(group).transpose()?;
    let beside = |ending: &str| {
        let mut beside = path.clone().into_os_string();
        beside.push(ending);
        PathBuf::from(beside)
    };
    // The kernel lets go of it however its holder ends, so that a socket without it is dead for certain.
    let lock = KernelLock::attempt(&beside(".lock")).map_err(BindError::Lock)?;
    let lock = lock.ok_or_else(|| BindError::Served(path.display().to_string()))?;
    let ready = beside(READYING);
    for left in [&path, &ready] {
        if stands(left).await? == Stands::Served {
            return Err(BindError::Foreign(left.display().to_string()));
        }
    }
    let bound = make(config, group, &ready, path, lock);
    if bound.is_err() {
        // It may not be there; and if it stays, the next start removes it.
        drop(std::fs::remove_file(&ready));
    }
    bound
}

/// Makes the socket under a name of its own, ready for callers, and moves it into its place.
fn make(
    config: &TokensConfig,
    group: Option<u32>,
    ready: &Path,
    path: PathBuf,
    lock: KernelLock,
) -> Result<Bound, BindError> {
    let failed = |action| move |error: io::Error| BindError::system(action, ready, &error);
    match std::fs::remove_file(ready) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("remove")(error)),
        _ => {}
    }
    let socket = UnixSocket::new_stream().map_err(failed("make"))?;
    socket.bind(ready).map_err(failed("make"))?;
    if let Some(group) = group {
        std::os::unix::fs::chown(ready, None, Some(group)).map_err(|error| BindError::NotOurGroup {
            group: config.group.clone().unwrap_or_default(),
            reason: error.to_string(),
        })?;
    }
    let mode = PermissionsExt::from_mode(config.mode);
    std::fs::set_permissions(ready, mode).map_err(failed("set the mode of"))?;
    let found = std::fs::symlink_metadata(ready).map_err(failed("look at"))?;
    let listener = socket.listen(BACKLOG).map_err(failed("listen at"))?;
    std::fs::rename(ready, &path).map_err(|error| BindError::system("put in place", &path, &error))?;
    Ok(Bound { listener, path, mark: (found.dev(), found.ino()), lock: Some(lock) })
}

/// What stands where `config` has the socket, without a change to anything.
///
/// # Errors
/// What [`bind`] would refuse; a folder that is not there yet is no fault.
pub async fn look(config: &TokensConfig) -> Result<(PathBuf, Stands), BindError> {
    let given = folder_of(&config.socket)?;
    config.group.as_deref().map(group).transpose()?;
    if !given.exists() {
        return Ok((config.socket.clone(), Stands::Free));
    }
    let path = placed(config)?;
    let stands = stands(&path).await?;
    Ok((path, stands))
}

fn folder_of(socket: &Path) -> Result<&Path, BindError> {
    if socket.file_name().is_none() {
        return Err(BindError::NoName(socket.display().to_string()));
    }
    Ok(socket.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// The socket's canonical path, in a folder that can be trusted.
fn placed(config: &TokensConfig) -> Result<PathBuf, BindError> {
    let given = folder_of(&config.socket)?;
    let folder = given.canonicalize().map_err(|error| BindError::system("find", given, &error))?;
    let found = std::fs::metadata(&folder).map_err(|error| BindError::system("look at", &folder, &error))?;
    let (shown, me) = (folder.display(), rustix::process::geteuid().as_raw());
    let (owner, mode) = (found.uid(), found.mode());
    if !found.is_dir() {
        return Err(BindError::Folder(format!(
            "{shown} is not a folder; choose another socket under [tokens]"
        )));
    }
    if owner != me && owner != 0 {
        return Err(BindError::Folder(format!(
            "{shown} belongs to user {owner}, who could put another socket there; choose a folder of this user ({me})"
        )));
    }
    if mode & 0o022 != 0 && mode & 0o1000 != 0 {
        // Others cannot take ours away; but while no bot runs they can put their own in its place.
        return Err(BindError::Folder(format!(
            "{shown} can be written by others (mode {:o}), who could put another socket there while no bot runs; choose a \
             folder of the bot's own under [tokens], such as /run/latchkey",
            mode & 0o7777
        )));
    }
    if mode & 0o022 != 0 {
        return Err(BindError::Folder(format!(
            "{shown} can be written by others (mode {:o}), who could put another socket there: `chmod go-w {shown}`",
            mode & 0o7777
        )));
    }
    let path = folder.join(config.socket.file_name().unwrap_or_default());
    let bytes = path.as_os_str().as_bytes().len();
    if bytes > LONGEST {
        return Err(BindError::TooLong { path: path.display().to_string(), bytes });
    }
    Ok(path)
}

/// Whether a socket at `path` is answered.
async fn stands(path: &Path) -> Result<Stands, BindError> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Stands::Free),
        Err(error) => return Err(BindError::system("look at", path, &error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(BindError::Occupied(path.display().to_string()));
        }
        Ok(_) => {}
    }
    match tokio::time::timeout(PROBE, UnixStream::connect(path)).await {
        Ok(Err(error)) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => {
            Ok(Stands::Free)
        }
        // One that we may not reach, or whose queue is full, is somebody's.
        _ => Ok(Stands::Served),
    }
}

/// The number of the group that the socket gets.
///
/// # Errors
/// When the configured one does not exist.
pub fn group_of(config: &TokensConfig) -> Result<u32, BindError> {
    let own = || Ok(rustix::process::getegid().as_raw());
    config.group.as_deref().map_or_else(own, group)
}

/// The number of a group that is given by name or number.
fn group(text: &str) -> Result<u32, BindError> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let path = Path::new("/etc/group");
    let all = std::fs::read_to_string(path).map_err(|error| BindError::system("read", path, &error))?;
    group_in(&all, text).ok_or_else(|| BindError::NoGroup(text.to_owned()))
}

/// The number of the group `name` in a file of the form of `group(5)`.
fn group_in(all: &str, name: &str) -> Option<u32> {
    all.lines().find_map(|line| {
        let mut parts = line.split(':');
        (parts.next() == Some(name)).then(|| parts.nth(1)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests;
