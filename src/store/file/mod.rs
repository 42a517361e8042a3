//! The auth file: the store of one host.
//!
//! Owns [`FileStore`]: reads without locks (`reader`), writes on one thread (`writer`), locks on sidecars ([`lock`]).
//! Invariant: every write goes through one locked re-read, mutate, replace (F1), so that writers in other processes
//! merge. Must not: hold the store lock across anything but memory and this disk (G6).

mod aside;
mod ground;
mod keyring;
pub mod lock;
mod metadata;
mod probe;
mod queue;
mod reader;
mod replace;
mod rescue;
mod survey;
mod waiting;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::sync::{oneshot, watch};

use self::ground::Places;
use self::keyring::Keyring;
use self::lock::{Holder, KernelLock, LockError};
use self::queue::{Desk, Job, Place};
use self::reader::Reader;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) use self::rescue::{print as print_rescue, understand as understand_rescue};
pub use self::survey::Survey;
use self::waiting::Waiting;
use self::writer::Writer;
use super::seal::{Keys, Pass, Seal};
use super::{Document, Keep, Mutation, Rescue, STORE_WAIT, Store, StoreError, StoreFuture, Touches};
use crate::clock::Clock;
use crate::config::{Env, StoreConfig};
use crate::metrics;
use crate::secret::hex;
use crate::tenant::{TenantKey, User};

/// How often the file is looked at for changes by other processes (F18). A look is one `stat`, about a microsecond, which
/// is cheaper than being wrong about what a file system reports.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A store in one file.
#[derive(Debug)]
pub struct FileStore {
    places: Places,
    clock: Clock,
    /// How long an update waits for the store lock.
    wait: Duration,
    reader: Arc<Reader>,
    waiting: Waiting,
    /// A refresh lock that came with this process, until it is asked for.
    handed: Mutex<Option<(PathBuf, KernelLock)>>,
    changed: watch::Sender<u64>,
    /// A number that rises when a write has failed.
    failed: watch::Sender<u64>,
    /// The way to the writing thread, which starts at the first write.
    desk: Desk,
    /// Whether it makes nothing where no store is.
    only_looks: bool,
    /// Set by the first who wants to hear of changes; the task that looks at the file ends when this is dropped.
    watched: OnceLock<Arc<()>>,
}

impl FileStore {
    /// Opens the store at `path`, making missing folders.
    ///
    /// # Errors
    /// When the place cannot be trusted (F4, F15), with the remedy.
    pub fn open(path: &Path, allow_unverified_locks: bool, clock: Clock) -> Result<Self, StoreError> {
        Ok(Self::on(ground::prepare(path, allow_unverified_locks)?, clock))
    }

    fn on(places: Places, clock: Clock) -> Self {
        Self {
            places,
            clock,
            wait: STORE_WAIT,
            reader: Arc::new(Seal::default().into()),
            waiting: Waiting::default(),
            handed: Mutex::default(),
            changed: watch::Sender::new(0),
            failed: watch::Sender::new(0),
            desk: Desk::default(),
            only_looks: false,
            watched: OnceLock::new(),
        }
    }

    /// The same, as the configuration has it, with the keys that seal it.
    ///
    /// # Errors
    /// Likewise, and when the keys cannot be used: nothing is then written in clear that is to be sealed.
    pub fn configured(config: &StoreConfig, env: Env<'_>, clock: Clock) -> Result<Self, StoreError> {
        let source = config.seal_key.as_ref();
        let keys = source.map(|source| Keys::load(source, env)).transpose()?;
        let store = Self::open(&config.path, config.allow_unverified_locks, clock)?;
        Ok(store.with_keys(keys, config, env))
    }

    /// The same, to look at: where there is no store yet, nothing is made.
    ///
    /// # Errors
    /// Likewise.
    pub fn looked_at(config: &StoreConfig, env: Env<'_>, clock: Clock) -> Result<Self, StoreError> {
        let keys = config.seal_key.as_ref().map(|source| Keys::load(source, env)).transpose()?;
        let places = ground::foresee(&config.path, config.allow_unverified_locks)?;
        Ok(Self { only_looks: true, ..Self::on(places, clock) }.with_keys(keys, config, env))
    }

    fn with_keys(self, keys: Option<Keys>, config: &StoreConfig, env: Env<'_>) -> Self {
        let Some(keys) = keys else { return self };
        let file = config.seal_key.as_ref().and_then(|source| Keys::file_of(source, env));
        Self { reader: Arc::new(Keyring::new(keys.into(), file).into()), ..self }
    }

    /// The same, sealed by `keys`. Before anything is read or written.
    #[must_use]
    pub fn sealed_by(self, keys: Keys) -> Self {
        Self { reader: Arc::new(Seal::from(keys).into()), ..self }
    }

    /// Seals all that is secret with the first key, at once and whether or not anything else changes.
    ///
    /// # Errors
    /// As an update.
    pub async fn seal_now(&self) -> Result<(), StoreError> {
        self.pass(Pass::Seal).await
    }

    /// Writes all that is sealed in clear. The next update of whoever has keys seals it again.
    ///
    /// # Errors
    /// As an update, and when not everything opens; nothing is changed then.
    pub async fn open_for_good(&self) -> Result<(), StoreError> {
        self.pass(Pass::Open).await
    }

    async fn pass(&self, pass: Pass) -> Result<(), StoreError> {
        self.submit_bounded(Touches::nothing(), Box::new(|_| Keep::Nothing), Some(pass)).await
    }

    /// Whether there is a store at `path` already, so that opening it makes nothing.
    #[must_use]
    pub fn is_at(path: &Path) -> bool {
        path.is_file() && ground::locks_beside(path).is_some_and(|locks| locks.is_dir())
    }

    /// The auth file's canonical path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.places.file
    }

    /// Whether `path` names a part of this store: its file, its lock, or anything in its folders. Whoever replaced one would break it.
    #[must_use]
    pub fn is_part(&self, path: &Path) -> bool {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (Ok(folder), Some(name)) = (folder.canonicalize(), path.file_name()) else { return false };
        let (path, places) = (folder.join(name), &self.places);
        [&places.file, &places.store_lock].contains(&&path)
            || [&places.locks, &places.metadata].iter().any(|own| path.starts_with(own))
    }

    /// A lock of its own in the lock folder, by a name that is no tenant's: the bot's (W6).
    ///
    /// # Errors
    /// When it cannot be had within `bound`.
    pub async fn named_lock(&self, name: &str, bound: Duration) -> Result<KernelLock, StoreError> {
        Ok(self.waiting.acquire(&self.lock_path(name), bound).await?)
    }

    /// Whether somebody has the lock of that name. Makes and signs none.
    #[must_use]
    pub fn is_locked(&self, name: &str) -> bool {
        lock::is_held(&self.lock_path(name))
    }

    /// How many locks this process waits for.
    #[must_use]
    pub fn locks_waited_for(&self) -> usize {
        self.waiting.len()
    }

    /// The tenant's refresh lock, as [`Store::refresh_lock`] gives it, where there is no runtime to wait in.
    ///
    /// # Errors
    /// When it cannot be had within `bound`.
    pub fn wait_for_refresh_lock(
        &self,
        tenant: &TenantKey,
        bound: Duration,
    ) -> Result<KernelLock, LockError> {
        KernelLock::wait_bounded(&self.lock_path(&tenant.lock_name()), bound)
    }

    /// Takes over the tenant's refresh lock that came with `file`; the next who asks for the lock gets it. A file that is
    /// something else changes nothing.
    ///
    /// # Errors
    /// When the lock file cannot be used.
    pub fn take_over_refresh_lock(&self, tenant: &TenantKey, file: File) -> Result<(), LockError> {
        let path = self.lock_path(&tenant.lock_name());
        if let Some(lock) = KernelLock::taken_over(file, &path)? {
            *self.handed.lock().unwrap_or_else(PoisonError::into_inner) = Some((path, lock));
        }
        Ok(())
    }

    fn handed_lock(&self, path: &Path) -> Option<KernelLock> {
        let mut handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
        handed.take_if(|(of, _)| of == path).map(|(_, lock)| lock)
    }

    fn lock_path(&self, name: &str) -> PathBuf {
        self.places.locks.join(format!("{name}.lock"))
    }

    fn submit(&self, job: Job) -> Result<Place<'_>, StoreError> {
        let submitted = self.desk.submit(job, |queue| {
            let writer = Writer {
                places: self.places.clone(),
                clock: self.clock.clone(),
                reader: Arc::clone(&self.reader),
                changed: self.changed.clone(),
                failed: self.failed.clone(),
                in_doubt: false,
            };
            let thread = std::thread::Builder::new().name("latchkey-store".to_owned());
            thread.spawn(move || writer.run(&queue)).map(drop)
        });
        submitted.map_err(|e| StoreError::io("start a thread to write", &self.places.file, &e))
    }

    async fn submit_bounded(
        &self,
        touches: Touches,
        mutation: Mutation,
        pass: Option<Pass>,
    ) -> Result<(), StoreError> {
        let (answer, mut answered) = oneshot::channel();
        let place = self.submit(Job { touches, mutation, pass, answer })?;
        let result = match tokio::time::timeout(self.wait, &mut answered).await {
            Ok(result) => result,
            Err(_) if place.withdraw() => {
                metrics::waited(metrics::Lock::Store, self.wait, false);
                self.failed.send_modify(|count| *count += 1);
                return Err(StoreError::Lock(lock::timed_out(&self.places.store_lock, self.wait)));
            }
            // It is being written this moment: the answer is the disk's, not another process's.
            Err(_) => answered.await,
        };
        result.unwrap_or(Err(StoreError::WriterPanicked))
    }

    /// Starts looking at the file, with what it holds now as the state that is known: whoever subscribes reads after.
    fn watch_file(&self) {
        self.watched.get_or_init(|| {
            let alive = Arc::new(());
            let still_there = Arc::downgrade(&alive);
            let (path, reader, changed) =
                (self.places.file.clone(), Arc::clone(&self.reader), self.changed.clone());
            let mut last = reader.read(&path).ok();
            tokio::spawn(async move {
                let mut ticks = tokio::time::interval(LOOK_EVERY);
                while still_there.strong_count() > 0 {
                    ticks.tick().await;
                    // An unreadable file is for whoever asks for it next to report.
                    let Ok(now) = reader.read(&path) else { continue };
                    if !last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &now)) {
                        last = Some(now);
                        changed.send_modify(|count| *count += 1);
                    }
                }
            });
            alive
        });
    }
}

impl Store for FileStore {
    fn snapshot(&self) -> Result<Arc<Document>, StoreError> {
        self.reader.read(&self.places.file)
    }

    fn current(&self, _lock: &KernelLock) -> Result<Arc<Document>, StoreError> {
        self.reader.read_anew(&self.places.file)
    }

    fn apply(&self, touches: Touches, mutation: Mutation) -> StoreFuture<'_, Result<(), StoreError>> {
        Box::pin(self.submit_bounded(touches, mutation, None))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        let receiver = self.changed.subscribe();
        self.watch_file();
        receiver
    }

    fn refresh_lock<'a>(
        &'a self,
        tenant: &TenantKey,
        bound: Duration,
    ) -> StoreFuture<'a, Result<KernelLock, StoreError>> {
        let path = self.lock_path(&tenant.lock_name());
        Box::pin(async move {
            if let Some(lock) = self.handed_lock(&path) {
                return Ok(lock);
            }
            let since = Instant::now();
            let lock = self.waiting.acquire(&path, bound).await;
            metrics::waited(metrics::Lock::Refresh, since.elapsed(), lock.is_ok());
            Ok(lock?)
        })
    }

    fn refresh_holder(&self, tenant: &TenantKey) -> Option<Holder> {
        lock::holder(&self.lock_path(&tenant.lock_name())).filter(|holder| holder.pid != std::process::id())
    }

    fn try_login_lock(&self, user: &User, tenant: &TenantKey) -> Result<Option<KernelLock>, StoreError> {
        // One lock per person and slot, so that the folder is bounded by keys, not by sign-ins.
        let name = hex(&Sha256::digest(format!("login\0{user}\0{tenant}").as_bytes()));
        Ok(KernelLock::attempt(&self.lock_path(&name))?)
    }

    fn set_rescue_aside(&self, _lock: &KernelLock, tenant: &TenantKey) -> Result<(), StoreError> {
        rescue::set_aside(&self.places, tenant)
    }

    fn write_rescue(&self, _lock: &KernelLock, tenant: &TenantKey, saved: &Rescue) -> Result<(), StoreError> {
        rescue::write(&self.places, &self.reader.keys().seal(), tenant, saved)
    }

    fn read_rescue(&self, _lock: &KernelLock, tenant: &TenantKey) -> Result<Option<Rescue>, StoreError> {
        rescue::read(&self.places, self.reader.keys(), tenant)
    }

    fn clear_rescue(&self, _lock: &KernelLock, tenant: &TenantKey) -> Result<(), StoreError> {
        rescue::clear(&self.places, tenant)
    }

    fn read_metadata(&self, issuer: &str) -> Result<Option<String>, StoreError> {
        metadata::read(&self.places, issuer)
    }

    fn write_metadata(&self, issuer: &str, text: &str) -> Result<(), StoreError> {
        if self.only_looks && !Self::is_at(&self.places.file) {
            return Ok(());
        }
        metadata::write(&self.places, issuer, text)
    }
}

#[cfg(test)]
mod tests;
