//! The laws of the auth file: merging, refusing, sweeping, and the room for a rescue.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::credential::{Credential, CredentialKind};
use crate::pending::{LoginKind, LoginStatus, PendingLogin, Watcher};
use crate::secret::Secret;
use crate::store::{EntryError, LockError, update};

mod sealing;

const NOW: i64 = 1_800_000_000;

struct Ground {
    _temp: tempfile::TempDir,
    path: PathBuf,
}

impl Ground {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        std::fs::set_permissions(temp.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let path = temp.path().join("auth.json");
        Self { _temp: temp, path }
    }

    /// Another store on the same file: what another process has.
    fn open(&self) -> Arc<FileStore> {
        Arc::new(FileStore::open(&self.path, false, Clock::starting_at(NOW)).unwrap())
    }
}

fn key(text: &str) -> TenantKey {
    text.parse().unwrap()
}

fn credential(token: &str) -> Credential {
    Credential::new(CredentialKind::OAuth, "codex".parse().unwrap(), Secret::new(token), NOW)
}

async fn put(store: &FileStore, tenant: &str, token: &str) -> Result<(), StoreError> {
    let (tenant, credential) = (key(tenant), credential(token));
    let touches = Touches::tenant(&tenant);
    let put = update(store, touches, move |view| -> Result<(), EntryError> {
        view.put_tenant(&tenant, credential);
        Ok(())
    });
    put.await.map(|done| done.unwrap())
}

fn token(store: &FileStore, tenant: &str) -> Option<String> {
    let found = store.snapshot().unwrap().tenant(&key(tenant)).unwrap();
    found.map(|credential| credential.access_token.expose().to_owned())
}

/// F1
#[tokio::test]
async fn writers_that_do_not_know_of_one_another_merge() {
    let ground = Ground::new();
    let (one, two) = (ground.open(), ground.open());
    let mut tasks = Vec::new();
    for number in 0..40 {
        let store = Arc::clone(if number % 2 == 0 { &one } else { &two });
        tasks.push(tokio::spawn(async move { put(&store, &format!("codex/p{number}"), "a").await }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(one.snapshot().unwrap().tenants().count(), 40);
    assert_eq!(two.snapshot().unwrap().tenants().count(), 40);
}

/// F3, F5
#[tokio::test]
async fn the_file_is_private_versioned_and_leaves_no_temporary() {
    let ground = Ground::new();
    let store = ground.open();
    let leftover = ground.path.with_file_name("auth.json.new-killed");
    std::fs::write(&leftover, "half").unwrap();
    put(&store, "codex", "a").await.unwrap();
    assert_eq!(std::fs::metadata(&ground.path).unwrap().permissions().mode() & 0o777, 0o600);
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(&ground.path).unwrap()).unwrap();
    assert_eq!(file["version"], 1);
    let names = std::fs::read_dir(ground.path.parent().unwrap()).unwrap();
    let mut names: Vec<_> = names.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["auth.json", "auth.json.lock", "auth.json.locks"]);
}

/// F6
#[tokio::test]
async fn an_unreadable_file_is_an_error_and_stays_with_a_copy_aside() {
    let ground = Ground::new();
    let store = ground.open();
    std::fs::write(&ground.path, b"{\"version\": 1, half").unwrap();
    assert!(matches!(store.snapshot(), Err(StoreError::Corrupt { .. })));
    for _ in 0..2 {
        assert!(matches!(put(&store, "codex", "a").await, Err(StoreError::Corrupt { .. })));
    }
    std::fs::write(&ground.path, b"other half").unwrap();
    assert!(put(&store, "codex", "a").await.is_err());
    assert_eq!(std::fs::read(&ground.path).unwrap(), b"other half");
    let copies = std::fs::read_dir(ground.path.parent().unwrap()).unwrap();
    let copies =
        copies.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().contains("corrupt")).count();
    assert_eq!(copies, 2, "one copy for each content");

    std::fs::write(&ground.path, b"{\"version\": 9}").unwrap();
    assert!(matches!(put(&store, "codex", "a").await, Err(StoreError::Newer { .. })));
    assert_eq!(std::fs::read(&ground.path).unwrap(), b"{\"version\": 9}");
}

/// F9
#[tokio::test]
async fn an_unchanged_file_is_not_parsed_again_and_a_replaced_one_is() {
    let ground = Ground::new();
    let (one, two) = (ground.open(), ground.open());
    put(&one, "codex", "a").await.unwrap();
    let first = two.snapshot().unwrap();
    assert!(Arc::ptr_eq(&first, &two.snapshot().unwrap()));
    put(&one, "codex", "b").await.unwrap();
    assert_eq!(token(&two, "codex").as_deref(), Some("b"));
}

/// F10, F17
#[tokio::test]
async fn a_wait_for_the_store_lock_is_bounded_and_what_was_given_up_is_not_written() {
    let ground = Ground::new();
    let mut store = Arc::into_inner(ground.open()).unwrap();
    put(&store, "codex", "a").await.unwrap();
    store.wait = Duration::from_millis(50);
    let held = KernelLock::wait(&store.places.store_lock).unwrap();
    let refused = put(&store, "codex", "b").await;
    assert!(matches!(refused, Err(StoreError::Lock(LockError::TimedOut { .. }))), "{refused:?}");
    drop(held);
    store.wait = STORE_WAIT;
    put(&store, "codex/other", "c").await.unwrap();
    assert_eq!(token(&store, "codex").as_deref(), Some("a"));
}

/// F17
#[tokio::test]
async fn an_error_or_a_panic_drops_that_change_alone() {
    let ground = Ground::new();
    let store = ground.open();
    let held = KernelLock::wait(&store.places.store_lock).unwrap();
    let tenant = key("codex/bad");
    let refuse = {
        let tenant = tenant.clone();
        update(&*store, Touches::tenant(&tenant), move |view| {
            view.put_tenant(&tenant, credential("refused"));
            Err::<(), _>("no")
        })
    };
    let panic = update(&*store, Touches::tenant(&tenant), move |view| -> Result<(), ()> {
        view.put_tenant(&key("codex/bad"), credential("panicked"));
        panic!("a bug")
    });
    let outside = update(&*store, Touches::tenant(&tenant), move |view| -> Result<(), ()> {
        view.put_tenant(&key("codex/else"), credential("outside"));
        Ok(())
    });
    let good = put(&store, "codex", "good");
    let release = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        drop(held);
    };
    let (refuse, panic, outside, good, ()) = tokio::join!(refuse, panic, outside, good, release);
    assert_eq!(refuse.unwrap(), Err("no"));
    assert!(matches!(panic, Err(StoreError::Panicked)));
    assert!(matches!(outside, Err(StoreError::Panicked)), "touching what was not named is a bug");
    good.unwrap();
    let kept: Vec<_> = store.snapshot().unwrap().tenants().map(|(key, _)| key.to_string()).collect();
    assert_eq!(kept, ["codex"]);
}

/// F18
#[tokio::test]
async fn changes_by_others_are_noticed() {
    let ground = Ground::new();
    let (one, two) = (ground.open(), ground.open());
    let mut changes = two.changes();
    put(&one, "codex", "a").await.unwrap();
    tokio::time::timeout(Duration::from_secs(2), changes.changed()).await.unwrap().unwrap();
}

/// F15
#[tokio::test]
async fn a_lock_folder_of_another_store_is_refused() {
    let (ground, other) = (Ground::new(), Ground::new());
    put(&ground.open(), "codex", "a").await.unwrap();
    put(&other.open(), "codex", "b").await.unwrap();
    std::fs::copy(&other.path, &ground.path).unwrap();
    let refused = put(&ground.open(), "codex", "c").await;
    assert!(matches!(&refused, Err(StoreError::Unsafe(text)) if text.contains("store_id")), "{refused:?}");
}

fn login(status: LoginStatus, created_at: i64) -> PendingLogin {
    PendingLogin {
        status,
        verifier: Some(Secret::new("verifier-secret")),
        state: Some(Secret::new("state-secret")),
        authorize_url: Some(Secret::new("link-secret")),
        device_code: Some(Secret::new("device-secret")),
        user_code: Some(Secret::new("user-code-secret")),
        verification_uri_complete: Some(Secret::new("complete-secret")),
        watchers: vec![Watcher {
            thread: "7".parse().unwrap(),
            interaction: Some(Secret::new("token-secret")),
        }],
        ..PendingLogin::new(
            "l1".to_owned(),
            LoginKind::Paste,
            "42".parse().unwrap(),
            key("codex"),
            created_at,
            created_at + 840,
        )
    }
}

async fn store_login(store: &FileStore, login: PendingLogin) {
    let touches = Touches::logins_at(&login.tenant);
    update(store, touches, move |view| {
        view.put_login(login);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
}

/// C5, C6, C7, S11, S14
#[tokio::test]
async fn any_write_sweeps_what_time_has_ended_and_strips_it() {
    for (created_at, ended) in
        [(NOW, false), (NOW - 839, false), (NOW - 841, true), (0, true), (NOW + 61, true), (NOW + 59, false)]
    {
        let ground = Ground::new();
        let store = ground.open();
        store_login(&store, login(LoginStatus::Pending, created_at)).await;
        update(&*store, Touches::nothing(), |_| Ok::<_, ()>(())).await.unwrap().unwrap();
        let document = store.snapshot().unwrap();
        let found = document.login(&"42".parse().unwrap(), &key("codex")).unwrap().unwrap();
        let expected = if ended { LoginStatus::Expired } else { LoginStatus::Pending };
        assert_eq!(found.status, expected, "created at {created_at}");
        let text = std::fs::read_to_string(&ground.path).unwrap();
        assert_eq!(text.contains("-secret"), !ended, "{text}");
    }
}

/// C6
#[tokio::test]
async fn an_ended_login_goes_some_minutes_after_everybody_was_told_or_after_a_day() {
    for (told, wait, gone) in
        [(true, 299, false), (true, 301, true), (false, 86_399, false), (false, 86_401, true)]
    {
        let ground = Ground::new();
        let store = ground.open();
        let mut over = login(LoginStatus::Cancelled, NOW);
        if told {
            over.told.push("7".parse().unwrap());
        }
        store_login(&store, over).await;
        store.clock.jump(wait);
        update(&*store, Touches::nothing(), |_| Ok::<_, ()>(())).await.unwrap().unwrap();
        assert_eq!(store.snapshot().unwrap().logins().count() == 0, gone, "told {told}, after {wait} s");
    }
}

/// S13
#[tokio::test]
async fn a_login_lock_is_had_once() {
    let ground = Ground::new();
    let (one, two) = (ground.open(), ground.open());
    let user: User = "42".parse().unwrap();
    let held = one.try_login_lock(&user, &key("codex")).unwrap().unwrap();
    assert!(two.try_login_lock(&user, &key("codex")).unwrap().is_none());
    assert!(two.try_login_lock(&user, &key("claude")).unwrap().is_some());
    drop(held);
    assert!(two.try_login_lock(&user, &key("codex")).unwrap().is_some());
}

/// G21
#[tokio::test]
async fn what_is_written_into_the_rescue_room_is_read_back_and_half_of_it_is_not() {
    let ground = Ground::new();
    let store = ground.open();
    let tenant = key("codex");
    let lock = store.refresh_lock(&tenant, STORE_WAIT).await.unwrap();
    assert_eq!(store.read_rescue(&lock, &tenant).unwrap(), None);
    store.set_rescue_aside(&lock, &tenant).unwrap();
    assert_eq!(store.read_rescue(&lock, &tenant).unwrap(), None);
    let rescue = Rescue { replaces: ("id".to_owned(), 3), credential: credential("saved") };
    store.write_rescue(&lock, &tenant, &rescue).unwrap();
    assert_eq!(store.read_rescue(&lock, &tenant).unwrap(), Some(rescue));

    let path = store.places.locks.join(format!("{}.rescue", tenant.lock_name()));
    let mut bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() as u64 >= 256 * 1024, "the room stays set aside");
    bytes.truncate(150);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(store.read_rescue(&lock, &tenant).unwrap(), None);
    store.clear_rescue(&lock, &tenant).unwrap();
    assert!(!path.exists());
}

fn copies(ground: &Ground) -> Vec<PathBuf> {
    let found = std::fs::read_dir(ground.path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = found.filter(|path| path.to_string_lossy().contains(".corrupt-")).collect();
    found.sort();
    found
}

/// F6: bytes that are no text differ too, and what stands under a copy's name and is none is left as it is.
#[tokio::test]
async fn a_copy_of_corrupt_bytes_is_whole_and_overwrites_nothing() {
    let ground = Ground::new();
    let store = ground.open();
    let contents: [&[u8]; 2] = [b"\xff half", b"\xfe half"];
    for bytes in contents {
        std::fs::write(&ground.path, bytes).unwrap();
        for _ in 0..2 {
            let refused = put(&store, "codex", "a").await.unwrap_err().to_string();
            let copy = copies(&ground).into_iter().find(|copy| std::fs::read(copy).unwrap() == bytes);
            let copy = copy.expect("there is a whole copy");
            assert!(refused.contains(&format!("a copy is at {};", copy.display())), "{refused}");
            assert_eq!(std::fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    assert_eq!(copies(&ground).len(), 2);

    let half = copies(&ground).into_iter().find(|copy| std::fs::read(copy).unwrap() == contents[1]).unwrap();
    std::fs::write(&half, b"\xfe h").unwrap();
    let refused = put(&store, "codex", "a").await.unwrap_err().to_string();
    assert!(refused.contains(&format!("a copy is at {}-2;", half.display())), "{refused}");
    assert_eq!(std::fs::read(&half).unwrap(), b"\xfe h", "what stood there stays");
    assert_eq!(copies(&ground).len(), 3);
    assert_eq!(std::fs::read(&ground.path).unwrap(), contents[1]);
}

/// F13
#[tokio::test]
async fn removing_a_tenant_removes_that_tenant_only() {
    let ground = Ground::new();
    let store = ground.open();
    let tenants = ["codex", "codex/a", "codex/a@42", "codex@42", "claude", "mcp:codex"];
    for tenant in tenants {
        put(&store, tenant, tenant).await.unwrap();
    }
    for removed in tenants {
        let before: Vec<_> = store.snapshot().unwrap().tenants().map(|(key, _)| key).collect();
        let gone = key(removed);
        update(&*store, Touches::tenant(&key(removed)), move |view| {
            view.remove_tenant(&gone);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
        let after: Vec<_> = ground.open().snapshot().unwrap().tenants().map(|(key, _)| key).collect();
        let expected: Vec<_> = before.into_iter().filter(|left| *left != key(removed)).collect();
        assert_eq!(after, expected);
    }
}

/// F10: a runtime of one thread goes on while an update waits, and a caller that leaves takes its update along.
#[tokio::test]
async fn a_wait_for_the_store_lock_blocks_nobody_and_ends_with_its_caller() {
    let ground = Ground::new();
    let store = ground.open();
    put(&store, "codex", "a").await.unwrap();
    let held = KernelLock::wait(&store.places.store_lock).unwrap();
    for _ in 0..50 {
        // If the update blocked this thread, the sleep beside it would never end.
        tokio::select! {
            done = put(&store, "codex", "b") => panic!("written without the lock: {done:?}"),
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
    }
    assert!(format!("{store:?}").contains("waiting: 0"), "{store:?}");
    drop(held);
    put(&store, "codex/other", "c").await.unwrap();
    assert_eq!(token(&store, "codex").as_deref(), Some("a"), "nobody waits for those any more");
}
