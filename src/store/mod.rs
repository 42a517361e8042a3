//! Where tenants, pending logins and bindings live.
//!
//! Owns the [`Store`] trait: read a snapshot, one atomic read-modify-write, a stream of changes, and the locks that go
//! with it. Invariant: an update names what it touches and sees and changes only that ([`View`]); its answer comes
//! after the write is durable. Must not: know the network, OAuth or Discord.

mod document;
pub mod file;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod owing;
pub mod seal;
mod sweep;
mod touches;
mod view;
mod wire;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

pub use self::document::{Document, EntryError, RawEntry, Unreadable};
pub use self::file::lock::{Holder, KernelLock, LockError};
pub(crate) use self::sweep::EXCHANGE_FROZEN;
pub use self::sweep::has_ended;
pub use self::touches::Touches;
pub use self::view::View;
use crate::credential::Credential;
use crate::tenant::{TenantKey, User};

/// How long an update waits for the store lock (F10).
pub const STORE_WAIT: Duration = Duration::from_secs(10);

/// A future that a [`Store`] method gives.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A change to the store: runs on its own copy of what it touches, and says whether that copy is to be kept.
pub type Mutation = Box<dyn FnOnce(&mut View<'_>) -> Keep + Send>;

/// Whether a mutation's changes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Write them.
    Changes,
    /// Drop them; the others of the same write are not affected (F17).
    Nothing,
}

/// Why the store could not be read or written. Nothing that was stored before is lost by any of them (F7).
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A file or folder could not be used. Unreadable is not empty (F6).
    #[error("cannot {action} {path}: {why}; {remedy}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: String,
        /// What the system said.
        why: String,
        /// What puts it right.
        remedy: &'static str,
    },
    /// The bytes are not an auth file; they were left alone.
    #[error("{path} is not a readable auth file: {why}; {aside}repair it, or move it away to start afresh")]
    Corrupt {
        /// The file.
        path: String,
        /// What is wrong with it, and where.
        why: String,
        /// Where a copy was put, as a clause that ends the sentence's middle.
        aside: String,
    },
    /// Written by a newer Latchkey (F5).
    #[error(
        "{path} has version {found}, and this Latchkey understands up to {}: use a newer Latchkey",
        document::SEALED_VERSION
    )]
    Newer {
        /// The file.
        path: String,
        /// Its version.
        found: String,
    },
    /// It is sealed, and the keys that are here do not open it.
    #[error("{path} cannot be opened, and nothing was changed: {why}")]
    Sealed {
        /// The file.
        path: String,
        /// What is wrong with the keys.
        why: seal::SealedError,
    },
    /// The keys that are to seal it cannot be used.
    #[error(transparent)]
    Keys(#[from] seal::KeysError),
    /// It was to be opened for good, and not everything opens.
    #[error(
        "not everything that is sealed opens with the keys that are here (values: {left}), so nothing was changed: `latchkey \
         seal status` tells which keys are missing; add them, or remove those entries"
    )]
    LeftSealed {
        /// How many values.
        left: usize,
    },
    /// It was to be opened for good while something sealed is kept aside.
    #[error(
        "a rotated token that could not be stored yet is kept aside, sealed ({whose}), so nothing was changed: have it stored \
         first, with the keys in place: `latchkey token TENANT` does once its token has run out; what is of no tenant that is \
         stored can be removed"
    )]
    KeptAside {
        /// Of which tenants, or in which files.
        whose: String,
    },
    /// It would become larger than what is read (F7).
    #[error(
        "{path} would grow beyond the {most} MiB that are read, so nothing was changed: sign out tenants that nobody uses \
         (`latchkey status` lists them); sealing adds a third to what is secret"
    )]
    TooLarge {
        /// The file.
        path: String,
        /// The most, in MiB.
        most: u64,
    },
    /// The place cannot be trusted (F4, F15). The text says how to put it right.
    #[error("{0}")]
    Unsafe(String),
    /// Another user's (F4).
    #[error(
        "{folder} belongs to user {owner}, and this is user {me}: {}", as_its_owner(folder, *owner, *me)
    )]
    AnotherUsers {
        /// The folder of the auth file, or that of its locks.
        folder: String,
        /// Whose it is.
        owner: u32,
        /// Who wants it.
        me: u32,
    },
    /// The lock could not be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// One entry cannot be understood; the others are not affected.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A change panicked; it alone was dropped (F17).
    #[error("internal error: a change to the store panicked and was dropped")]
    Panicked,
    /// The store has ended, as the process is about to.
    #[error("the store is closing")]
    Closed,
    /// The thread that writes panicked; the next update has another.
    #[error(
        "internal error: writing the store panicked, and whether this change is stored is not known; try again"
    )]
    WriterPanicked,
}

/// What whoever runs this as `me` does about `place` of `owner`'s. Root is sent to its owner: a store that changes hands is one that
/// the bot refuses.
#[must_use]
pub fn as_its_owner(place: impl std::fmt::Display, owner: u32, me: u32) -> String {
    if me == 0 {
        return format!("run this as its owner: `runuser -u \"$(id -nu {owner})\" -- …`");
    }
    format!("run this as its owner, or `chown {me} {place}` if it is to be yours")
}

/// What puts it right that the system refused, where its error tells.
fn remedy(error: &std::io::Error) -> Option<&'static str> {
    use rustix::io::Errno;

    Some(match Errno::from_raw_os_error(error.raw_os_error()?) {
        Errno::NOSPC | Errno::DQUOT => "make room on this disk",
        Errno::ACCESS | Errno::PERM => "it must belong to the user that runs Latchkey",
        Errno::ROFS => "the store must be on a writable file system",
        Errno::MFILE | Errno::NFILE => "raise the limit of open files (`ulimit -n`)",
        Errno::IO => "check this disk: the system's log says more",
        Errno::LOOP => "it must not be a symbolic link",
        _ => return None,
    })
}

/// Does what may wait for the disk, without keeping other tasks of this thread from running, where there are any.
pub(crate) fn at_the_disk<R>(work: impl FnOnce() -> R) -> R {
    match tokio::runtime::Handle::current().runtime_flavor() {
        tokio::runtime::RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

impl StoreError {
    /// Whether trying again later may help without anybody doing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Lock(LockError::TimedOut { .. }) | Self::WriterPanicked | Self::Closed)
    }

    pub(crate) fn io(action: &'static str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let remedy = remedy(error).unwrap_or("check this disk and the rights on it");
        Self::Io { action, path: path.display().to_string(), why: error.to_string(), remedy }
    }
}

/// The place where everything is kept. One implementation over a file today; others pass the same tests.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// What is stored now. Takes no lock; an unchanged file is not parsed again (F9).
    ///
    /// # Errors
    /// When the store cannot be read. Never an empty answer instead (F6).
    fn snapshot(&self) -> Result<Arc<Document>, StoreError>;

    /// What is stored now, read anew whatever was read before: for the holder of a refresh lock (F9, G7).
    ///
    /// # Errors
    /// When the store cannot be read. Never an empty answer instead (F6).
    fn current(&self, lock: &KernelLock) -> Result<Arc<Document>, StoreError>;

    /// One atomic, durable read-modify-write. Use [`update`], which carries a result.
    fn apply(&self, touches: Touches, mutation: Mutation) -> StoreFuture<'_, Result<(), StoreError>>;

    /// A number that rises when the store has changed, by this process or another (F18).
    fn changes(&self) -> watch::Receiver<u64>;

    /// The tenant's refresh lock, waited for at most `bound` (G3, G31).
    fn refresh_lock<'a>(
        &'a self,
        tenant: &TenantKey,
        bound: Duration,
    ) -> StoreFuture<'a, Result<KernelLock, StoreError>>;

    /// Who holds the tenant's refresh lock now, if it is another process and tells. Informative only (G31).
    fn refresh_holder(&self, tenant: &TenantKey) -> Option<Holder>;

    /// The lock of the logins of `user` at `tenant`, if nobody has it (S13).
    ///
    /// # Errors
    /// When the lock file cannot be used; never when it is only taken.
    fn try_login_lock(&self, user: &User, tenant: &TenantKey) -> Result<Option<KernelLock>, StoreError>;

    /// Sets room aside for a rotated credential of `tenant`, so that a full disk loses nothing (G21).
    ///
    /// # Errors
    /// When there is no room: then nothing may be sent.
    fn set_rescue_aside(&self, lock: &KernelLock, tenant: &TenantKey) -> Result<(), StoreError>;

    /// Writes a credential that could not be saved into the room set aside.
    ///
    /// # Errors
    /// When even that fails.
    fn write_rescue(&self, lock: &KernelLock, tenant: &TenantKey, saved: &Rescue) -> Result<(), StoreError>;

    /// What a holder before left in the room, if anything.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read_rescue(&self, lock: &KernelLock, tenant: &TenantKey) -> Result<Option<Rescue>, StoreError>;

    /// Gives the room back.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn clear_rescue(&self, lock: &KernelLock, tenant: &TenantKey) -> Result<(), StoreError>;

    /// What is kept of the metadata of `issuer`, for other processes too. A cache: it may be gone, or damaged.
    ///
    /// # Errors
    /// When it cannot be read, or others could have written it.
    fn read_metadata(&self, issuer: &str) -> Result<Option<String>, StoreError>;

    /// Keeps `text` of `issuer`, in the place of what was kept.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write_metadata(&self, issuer: &str, text: &str) -> Result<(), StoreError>;
}

/// A rotated credential that waits to be saved: it replaces exactly `replaces`, or nothing (G21, G22).
#[derive(Debug, Clone, PartialEq)]
pub struct Rescue {
    /// Credential id and generation at the time of the request.
    pub replaces: (String, u64),
    /// What the reply made of it.
    pub credential: Credential,
}

/// Runs `change` as one atomic, durable update of what `touches` names, and gives its result.
///
/// The outer error is the store's; the inner one is the change's own, and drops its changes.
///
/// # Errors
/// See [`StoreError`]. After an error nothing of the change may be counted on.
pub async fn update<R, E>(
    store: &dyn Store,
    touches: Touches,
    change: impl FnOnce(&mut View<'_>) -> Result<R, E> + Send + 'static,
) -> Result<Result<R, E>, StoreError>
where
    R: Send + 'static,
    E: Send + 'static,
{
    // Written by the store's own thread, read here after it has answered: nobody waits on it.
    let slot = Arc::new(Mutex::new(None));
    let filled = Arc::clone(&slot);
    let mutation: Mutation = Box::new(move |view| {
        let result = change(view);
        let keep = if result.is_ok() { Keep::Changes } else { Keep::Nothing };
        *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        keep
    });
    store.apply(touches, mutation).await?;
    let result = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    result.ok_or(StoreError::Panicked)
}
