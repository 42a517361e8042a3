//! A store whose writes or locks can be made to fail: what a full disk, or a bug, does.

use super::*;

/// The store, and what is to go wrong in it.
#[derive(Debug)]
pub(super) struct Faulty {
    pub(super) sound: Arc<FileStore>,
    /// Writes that still go through.
    pub(super) writes_left: std::sync::atomic::AtomicUsize,
    pub(super) panic_at_the_lock: std::sync::atomic::AtomicBool,
    /// Whether there is no room to set aside, and none to write into.
    pub(super) no_room: std::sync::atomic::AtomicBool,
    /// What another process writes just before, or just after, the write that leaves so many.
    pub(super) overtaking: std::sync::Mutex<Option<(usize, Overtaking)>>,
}

#[derive(Debug)]
pub(super) enum Overtaking {
    Before(TenantKey, Credential),
    After(TenantKey, Credential),
}

async fn put(store: &FileStore, tenant: TenantKey, credential: Credential) -> Result<(), StoreError> {
    let put = update(store, Touches::tenant(&tenant.clone()), move |view| {
        view.put_tenant(&tenant, credential);
        Ok::<_, StoreError>(())
    });
    put.await?
}

impl Faulty {
    pub(super) fn new(sound: Arc<FileStore>, writes_left: usize) -> Arc<Self> {
        Arc::new(Self {
            sound,
            writes_left: writes_left.into(),
            panic_at_the_lock: false.into(),
            no_room: false.into(),
            overtaking: std::sync::Mutex::default(),
        })
    }

    fn room(&self) -> Result<(), StoreError> {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let no_room = self.no_room.load(std::sync::atomic::Ordering::SeqCst);
        if no_room { Err(StoreError::io("write", std::path::Path::new("auth.json"), &full)) } else { Ok(()) }
    }
}

impl Store for Faulty {
    fn snapshot(&self) -> Result<Arc<Document>, StoreError> {
        self.sound.snapshot()
    }

    fn current(&self, lock: &KernelLock) -> Result<Arc<Document>, StoreError> {
        self.sound.current(lock)
    }

    fn apply(&self, touches: Touches, mutation: Mutation) -> StoreFuture<'_, Result<(), StoreError>> {
        use std::sync::atomic::Ordering::SeqCst;
        let Ok(left) = self.writes_left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) else {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Box::pin(async move {
                Err(StoreError::io("write", std::path::Path::new("auth.json"), &full))
            });
        };
        let overtaking = self.overtaking.lock().unwrap().take_if(|(at, _)| *at == left);
        match overtaking {
            None => self.sound.apply(touches, mutation),
            Some((_, Overtaking::Before(tenant, credential))) => Box::pin(async move {
                put(&self.sound, tenant, credential).await?;
                self.sound.apply(touches, mutation).await
            }),
            Some((_, Overtaking::After(tenant, credential))) => Box::pin(async move {
                self.sound.apply(touches, mutation).await?;
                put(&self.sound, tenant, credential).await
            }),
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.sound.changes()
    }

    fn refresh_lock<'a>(
        &'a self,
        tenant: &TenantKey,
        bound: Duration,
    ) -> StoreFuture<'a, Result<KernelLock, StoreError>> {
        assert!(!self.panic_at_the_lock.swap(false, std::sync::atomic::Ordering::SeqCst), "a bug");
        self.sound.refresh_lock(tenant, bound)
    }

    fn refresh_holder(&self, tenant: &TenantKey) -> Option<Holder> {
        self.sound.refresh_holder(tenant)
    }

    fn try_login_lock(&self, user: &User, tenant: &TenantKey) -> Result<Option<KernelLock>, StoreError> {
        self.sound.try_login_lock(user, tenant)
    }

    fn set_rescue_aside(&self, lock: &KernelLock, tenant: &TenantKey) -> Result<(), StoreError> {
        self.room().and_then(|()| self.sound.set_rescue_aside(lock, tenant))
    }

    fn write_rescue(&self, lock: &KernelLock, tenant: &TenantKey, saved: &Rescue) -> Result<(), StoreError> {
        self.room().and_then(|()| self.sound.write_rescue(lock, tenant, saved))
    }

    fn read_rescue(&self, lock: &KernelLock, tenant: &TenantKey) -> Result<Option<Rescue>, StoreError> {
        self.sound.read_rescue(lock, tenant)
    }

    fn clear_rescue(&self, lock: &KernelLock, tenant: &TenantKey) -> Result<(), StoreError> {
        self.sound.clear_rescue(lock, tenant)
    }

    fn read_metadata(&self, issuer: &str) -> Result<Option<String>, StoreError> {
        self.sound.read_metadata(issuer)
    }

    fn write_metadata(&self, issuer: &str, text: &str) -> Result<(), StoreError> {
        self.sound.write_metadata(issuer, text)
    }
}
