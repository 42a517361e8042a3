//! Where the auth file may stand, and what is no auth file: refused with the remedy, and left as it is.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use latchkey::clock::Clock;
use latchkey::config::Config;
use latchkey::directory::Directory;
use latchkey::gate::{Gate, Want};
use latchkey::oauth;
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::{
    Document, Holder, KernelLock, Mutation, Rescue, Store, StoreError, StoreFuture, Touches, update,
};
use latchkey::tenant::{TenantKey, User};
use latchkey_test_authority::Person;

use crate::disks::Namespace;
use crate::host::{Host, LONG, key, printed, said};
use crate::place::put;

/// What `latchkey token` and `latchkey check` say of a store that they refuse.
fn refusal(host: &Host, inside: Option<&Namespace>) -> String {
    let mut all = String::new();
    for arguments in [&["token", "acme"][..], &["check"]] {
        let command = host.latchkey(arguments);
        let output =
            inside.map_or_else(|| host.latchkey(arguments).output(), |n| n.inside(&command).output());
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(6), "{}", said(&output));
        all += &(printed(&output) + &said(&output));
    }
    assert_eq!(host.authority.requests().len(), 0);
    all
}

/// F5, F6: unreadable is not empty. What is no auth file of ours fails every command, is never written over, and its bytes
/// are copied aside where they are corrupt.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_auth_file_is_refused_and_stays() {
    let whole = {
        let host = Host::new();
        host.expired("acme").await;
        std::fs::read(&host.auth).unwrap()
    };
    let half = &whole[..whole.len() / 2];
    let mut bad_text = whole.clone();
    *bad_text.iter_mut().find(|byte| **byte == b'x' || **byte == b'a').unwrap() = 0xFF;
    let newer = br#"{"version": 3, "tenants": {"acme": {"sealed": "by a newer one"}}}"#;
    for (bytes, why, is_copied) in [
        (half, "is not a readable auth file", true),
        (&*bad_text, "is not a readable auth file", true),
        (b"[]", "is not a readable auth file", true),
        (b"null", "is not a readable auth file", true),
        (b"", "is not a readable auth file", true),
        (b"{}", "it has no \"version\"", true),
        (newer, "has version 3, and this Latchkey understands up to 2: use a newer Latchkey", false),
    ] {
        let host = Host::new();
        host.expired("acme").await;
        std::fs::write(&host.auth, bytes).unwrap();
        let text = refusal(&host, None);
        assert!(text.contains(why) && text.contains(&*host.auth.to_string_lossy()), "{text}");
        let refused = put(&host.store(), &key("acme"), "new").await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
        assert_eq!(std::fs::read(&host.auth).unwrap(), bytes);
        let beside = crate::place::names(host.auth.parent().unwrap());
        let copies: Vec<_> = beside.iter().filter(|name| name.contains(".corrupt-")).collect();
        assert_eq!(copies.len(), usize::from(is_copied), "{beside:?}");
        for copy in copies {
            assert_eq!(std::fs::read(host.auth.with_file_name(copy)).unwrap(), bytes);
        }
    }
}

/// F6: a file over the cap is not read into memory, and not written over.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_over_the_cap_is_refused_and_stays() {
    let host = Host::new();
    host.expired("acme").await;
    let size = 64 * 1024 * 1024 + 1;
    std::fs::File::options().write(true).open(&host.auth).unwrap().set_len(size).unwrap();
    assert!(refusal(&host, None).contains("it is larger than 64 MiB"));
    put(&host.store(), &key("acme"), "new").await.unwrap_err();
    assert_eq!(std::fs::metadata(&host.auth).unwrap().len(), size);
}

/// F4, F15: a folder or a file that others can change, or that is elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_trusted_is_refused_with_the_remedy() {
    let host = Host::new();
    host.expired("acme").await;
    let folder = host.auth.parent().unwrap();
    let (real, locks) = (folder.with_file_name("real"), folder.join("auth.json.locks"));
    let rights = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    for path in [folder, &locks] {
        for mode in [0o770, 0o702, 0o777] {
            rights(path, mode);
            let text = refusal(&host, None);
            assert!(text.contains(&format!("(mode {mode:o}): `chmod 700 {}`", path.display())), "{text}");
        }
        rights(path, 0o700);
    }
    std::fs::rename(folder, &real).unwrap();
    std::os::unix::fs::symlink(&real, folder).unwrap();
    let text = refusal(&host, None);
    assert!(text.contains("is a symbolic link: configure the folder that it leads to"), "{text}");
    std::fs::remove_file(folder).unwrap();
    std::fs::rename(&real, folder).unwrap();

    let elsewhere = folder.join("elsewhere.json");
    std::fs::rename(&host.auth, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &host.auth).unwrap();
    let before = std::fs::read(&elsewhere).unwrap();
    let text = refusal(&host, None);
    assert!(text.contains("is a symbolic link: configure the path that it leads to"), "{text}");
    assert_eq!(std::fs::read(&elsewhere).unwrap(), before);
}

/// F4: missing folders are made, for nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn missing_folders_are_made_private() {
    let host = Host::new();
    assert!(!host.auth.parent().unwrap().exists());
    let output = host.latchkey(&["token", "acme"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    for folder in [host.auth.parent().unwrap(), &host.auth.with_file_name("auth.json.locks")] {
        assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o7777, 0o700);
    }
}

/// F15: what a container does that mounts the file without its folder, or a lock folder of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_or_lock_folder_that_is_mounted_over_is_refused() {
    let ready = "echo ready; exec cat";
    for (script, what) in [
        (r#"cp -p "$0" "$0.other"; mount --bind "$0.other" "$0""#, "auth.json is mounted over"),
        (r#"cp -p "$0" "$0.other"; mount --bind "$0.other" "$0.lock""#, "auth.json.lock is mounted over"),
        (r#"mount -t tmpfs -o mode=0700 tmpfs "$0.locks""#, "auth.json.locks is mounted over"),
    ] {
        let host = Host::new();
        let tokens = host.expired("acme").await;
        let script = format!("set -e; {script}; {ready}");
        let Some(namespace) = Namespace::new(&script, &[&host.auth.to_string_lossy()]) else {
            // No mount can be simulated; what would come of one is the file of another store.
            foreign_locks_are_refused(&host).await;
            continue;
        };
        let text = refusal(&host, Some(&namespace));
        assert!(text.contains(what) && text.contains("mount its folder"), "{text}");
        // Outside, where the folder is as a whole, all is well.
        let output = host.latchkey(&["token", "acme"]).output().unwrap();
        assert!(output.status.success() && printed(&output) != tokens.access, "{}", said(&output));
    }
}

/// F15: file and lock folder that do not belong together.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_folder_of_another_file_is_refused() {
    let host = Host::new();
    host.expired("acme").await;
    foreign_locks_are_refused(&host).await;
}

async fn foreign_locks_are_refused(host: &Host) {
    let other = Host::new();
    other.expired("acme").await;
    let before = std::fs::read(&other.auth).unwrap();
    std::fs::copy(&other.auth, &host.auth).unwrap();
    let output = host.latchkey(&["token", "acme"]).output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert!(
        said(&output).contains("belong to different stores (their store_id differs)"),
        "{}",
        said(&output)
    );
    assert_eq!(std::fs::read(&host.auth).unwrap(), before);
    assert_eq!(host.authority.refreshes() + other.authority.refreshes(), 0);
}

/// A store whose unlocked reads are for ever what they were at first: a file system whose stamps lie.
#[derive(Debug)]
struct Stale {
    sound: Arc<FileStore>,
    first: Arc<Document>,
}

impl Store for Stale {
    fn snapshot(&self) -> Result<Arc<Document>, StoreError> {
        Ok(Arc::clone(&self.first))
    }
    fn current(&self, lock: &KernelLock) -> Result<Arc<Document>, StoreError> {
        self.sound.current(lock)
    }
    fn apply(&self, touches: Touches, mutation: Mutation) -> StoreFuture<'_, Result<(), StoreError>> {
        self.sound.apply(touches, mutation)
    }
    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.sound.changes()
    }
    fn refresh_lock<'a>(
        &'a self,
        tenant: &TenantKey,
        bound: std::time::Duration,
    ) -> StoreFuture<'a, Result<KernelLock, StoreError>> {
        self.sound.refresh_lock(tenant, bound)
    }
    fn refresh_holder(&self, tenant: &TenantKey) -> Option<Holder> {
        self.sound.refresh_holder(tenant)
    }
    fn try_login_lock(&self, user: &User, tenant: &TenantKey) -> Result<Option<KernelLock>, StoreError> {
        self.sound.try_login_lock(user, tenant)
    }
    fn set_rescue_aside(&self, lock: &KernelLock, tenant: &TenantKey) -> Result<(), StoreError> {
        self.sound.set_rescue_aside(lock, tenant)
    }
    fn write_rescue(&self, lock: &KernelLock, tenant: &TenantKey, saved: &Rescue) -> Result<(), StoreError> {
        self.sound.write_rescue(lock, tenant, saved)
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

/// F9, G7: under the refresh lock the store is read anew. What another process has refreshed is taken without a request,
/// whatever an unlocked look says.
#[tokio::test(flavor = "multi_thread")]
async fn under_the_refresh_lock_no_earlier_look_is_believed() {
    let host = Host::new();
    host.expired("acme").await;
    let sound = host.store();
    let stale = Arc::new(Stale { first: sound.snapshot().unwrap(), sound });
    let refreshed = host.latchkey(&["token", "acme"]).output().unwrap();
    assert!(refreshed.status.success(), "{}", said(&refreshed));
    let catalog = Config::load(&host.config).unwrap().providers;
    let client = oauth::Client::new();
    let directory = Directory::new(stale.clone(), client.clone(), Clock::system());
    let gate = Gate::new(stale, catalog, directory, client, Clock::system());
    let landed = gate.token(&key("acme"), Want::default(), LONG).await.unwrap();
    assert_eq!(landed.access_token, Secret::new(printed(&refreshed)));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// F5: what another version of the program has stored survives a refresh by this one, in the parts of the entry too.
#[tokio::test(flavor = "multi_thread")]
async fn what_we_do_not_know_survives_a_refresh() {
    let host = Host::new();
    host.expired("acme").await;
    let tenant = key("acme");
    let store = host.store();
    let named = update(&*store, Touches::tenant(&tenant), move |view| {
        let mut credential = view.tenant(&tenant)?.unwrap();
        credential.account.email = Some(Person::ada().email);
        credential.account.id = Some(Person::ada().sub);
        view.put_tenant(&tenant, credential);
        Ok::<_, StoreError>(())
    });
    named.await.unwrap().unwrap();
    let mut file: serde_json::Value = serde_json::from_slice(&std::fs::read(&host.auth).unwrap()).unwrap();
    file["seal"] = serde_json::json!({"kept": 1});
    file["tenants"]["acme"]["extra"] = serde_json::json!({"kept": [2.50]});
    file["tenants"]["acme"]["account"]["plan"] = "pro".into();
    file["tenants"]["mcp:later"] = serde_json::json!({"kind": "sealed"});
    std::fs::write(&host.auth, serde_json::to_vec(&file).unwrap()).unwrap();
    let output = host.latchkey(&["token", "acme"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let after: serde_json::Value = serde_json::from_slice(&std::fs::read(&host.auth).unwrap()).unwrap();
    let tenant = &after["tenants"]["acme"];
    assert_eq!((&tenant["generation"], &after["seal"]), (&2.into(), &file["seal"]));
    assert_eq!(tenant["extra"], file["tenants"]["acme"]["extra"]);
    assert_eq!(tenant["account"]["plan"], "pro");
    assert_eq!(after["tenants"]["mcp:later"], file["tenants"]["mcp:later"]);
}
