//! A restore is one locked write, judged anew inside it.

use std::time::Duration;

use latchkey_test_authority::Person;

use super::*;
use crate::backup::{Rest, print, read};
use crate::credential::Credential;
use crate::gate::{Gate, TokenError, Want};
use crate::testing::{Host, key};

fn copy_of(host: &Host) -> Arc<Copy> {
    let (_, text) = print(&host.store().snapshot().unwrap(), host.clock.now()).unwrap();
    Arc::new(read(&text).unwrap())
}

fn replacing() -> Wish {
    Wish { only: Vec::new(), replace: true }
}

async fn restored(host: &Host, copy: &Arc<Copy>, wish: &Wish) -> Plan {
    restore(&*host.store(), copy, wish, &User::Local(1), host.clock.now()).await.unwrap()
}

/// A restore that has come to wait for the lock of `tenant`, which it is given after `meanwhile`.
async fn restored_late(
    host: &Host,
    copy: &Arc<Copy>,
    tenant: &TenantKey,
    meanwhile: impl AsyncFnOnce(),
) -> Plan {
    let store = host.store();
    let lock = store.refresh_lock(tenant, Duration::from_secs(5)).await.unwrap();
    let (ours, copy, now) = (host.store(), Arc::clone(copy), host.clock.now());
    let waits = Arc::clone(&ours);
    let restoring =
        tokio::spawn(async move { restore(&*ours, &copy, &replacing(), &User::Local(1), now).await });
    while waits.locks_waited_for() == 0 && !restoring.is_finished() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!restoring.is_finished(), "it did not wait for the lock");
    meanwhile().await;
    drop(lock);
    restoring.await.unwrap().unwrap()
}

/// F5, F15: a new host, or one whose store is gone: all of it is there again, what is not known of it too; the store has a name of
/// its own. What is restored is left the second time.
#[tokio::test]
async fn all_of_a_copy_comes_back_into_an_empty_store_of_another_name() {
    let old = Host::new();
    for number in 0..70 {
        old.serving(&key(&format!("acme/p{number}")), &Person::ada()).await;
    }
    let text = std::fs::read_to_string(&old.path).unwrap();
    let threads = "\"threads\": {\"42\": {\"tenants\": {\"acme\": \"acme/p1\"}, \"later\": 1, \"updated_at\": 5}, \
        \"43\": \"?\"},\n  \"vaults\": {\"a\":   1}";
    let extended = text
        .replacen("\"generation\": 1,", "\"generation\": 1, \"later\": [1.00, 2],", 1)
        .replace("\"threads\": {}", threads);
    std::fs::write(&old.path, extended).unwrap();
    let copy = copy_of(&old);
    let new = Host::new();
    let plan = restored(&new, &copy, &Wish::default()).await;
    assert_eq!(plan.restored(), 70);
    assert!(plan.items.iter().all(|item| item.fate == Fate::Restored));
    assert_eq!((plan.threads.restored, plan.unknown.restored), (2, 1));
    let (theirs, ours) = (old.store().snapshot().unwrap(), new.store().snapshot().unwrap());
    let fields = |document: &Document| -> Vec<_> {
        let same = |held: &Credential| Credential { updated_at: None, ..held.clone() };
        document.tenants().map(|(key, held)| (key, same(&held))).collect()
    };
    assert_eq!(fields(&ours), fields(&theirs));
    assert!(ours.store_id().is_some());
    assert_ne!(ours.store_id(), theirs.store_id());
    let text = std::fs::read_to_string(&new.path).unwrap();
    for piece in ["\"later\": [1.00, 2]", "\"later\": 1", "\"43\": \"?\"", "\"vaults\": {\"a\":   1}"] {
        assert!(text.contains(piece), "{piece} is lost: {text}");
    }
    let again = restored(&new, &copy, &replacing()).await;
    assert!(again.is_empty(), "{again:?}");
    assert_eq!(again.threads, Rest { restored: 0, here: 2, over: 0 });
    assert_eq!(std::fs::read_to_string(&new.path).unwrap(), text);
}

/// G5, G7: no refresh is under way on a tenant that is replaced.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_restored_only_under_its_refresh_lock() {
    let host = Host::new();
    let tenant = key("acme");
    host.serving(&tenant, &Person::ada()).await;
    let copy = copy_of(&host);
    host.serving(&tenant, &Person::ada()).await;
    let other = host.stored(&tenant).unwrap();
    let plan = restored_late(&host, &copy, &tenant, async || {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(host.stored(&tenant).unwrap(), other, "written under somebody else's lock");
    });
    assert_eq!(plan.await.restored(), 1);
    let copied = copy.entries.tenant(&tenant).unwrap().unwrap();
    assert_eq!(host.stored(&tenant).unwrap().version(), copied.version());
}

/// G2, G22: whatever happened since the plan was made counts: here, a refresh that ended while the restore waited for its lock. The
/// spent token stays out.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_refreshed_while_the_restore_waited_is_left() {
    let host = Host::new();
    let tenant = key("acme");
    host.serving(&tenant, &Person::ada()).await;
    let copy = copy_of(&host);
    // The store has gone back to an older state, so that the copy is the newer.
    let mut older = host.stored(&tenant).unwrap();
    older.generation = 0;
    host.put(&tenant, older.clone()).await;
    let refreshed = Credential { generation: 4, refresh_token: Some("rt-newest".into()), ..older };
    let plan =
        restored_late(&host, &copy, &tenant, async || host.put(&tenant, refreshed.clone()).await).await;
    assert_eq!(plan.items[0].fate, Fate::Left(Left::NewerHere { here: 4, copy: 1 }));
    assert_eq!(host.stored(&tenant).unwrap().refresh_token, refreshed.refresh_token);
}

/// G17, G19: a token that was spent after the copy was made asks for a new sign-in when it is presented, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_spent_token_of_an_old_copy_asks_for_a_new_sign_in() {
    let (old, new) = (Host::new(), Host::new());
    let tenant = key("acme");
    old.expired(&tenant, &Person::ada()).await;
    let copy = copy_of(&old);
    let gate = |host: &Host| {
        let store: Arc<dyn Store> = host.store();
        let client = crate::oauth::Client::new();
        let directory =
            crate::directory::Directory::new(Arc::clone(&store), client.clone(), host.clock.clone());
        Gate::new(store, old.catalog.clone(), directory, client, host.clock.clone())
    };
    let first = gate(&old).token(&tenant, Want::default(), Duration::from_secs(30)).await;
    assert!(first.is_ok(), "{first:?}");
    restored(&new, &copy, &Wish::default()).await;
    for _ in 0..2 {
        let error = gate(&new).token(&tenant, Want::default(), Duration::from_secs(30)).await.unwrap_err();
        assert!(matches!(error, TokenError::NeedsLogin { .. }), "{error}");
    }
    assert_eq!((old.authority.refreshes(), old.authority.reuses()), (2, 1));
}

/// Keys that name one tenant in two spellings: only the canonical one has a lock to wait for, and both come back.
#[tokio::test]
async fn two_spellings_of_one_tenant_do_not_wait_for_each_other() {
    let (old, new) = (Host::new(), Host::new());
    old.serving(&key("acme"), &Person::ada()).await;
    let text = std::fs::read_to_string(&old.path).unwrap();
    let both = text.replacen("\"tenants\": {", "\"tenants\": {\n    \"Acme\": {\"kind\": \"later\"},", 1);
    std::fs::write(&old.path, both).unwrap();
    let copy = copy_of(&old);
    let wish = Wish::default();
    let restoring = restored(&new, &copy, &wish);
    let plan = tokio::time::timeout(Duration::from_secs(10), restoring).await.unwrap();
    let fates: Vec<_> = plan.items.into_iter().map(|item| (item.key, item.fate)).collect();
    assert_eq!(fates, [("Acme".to_owned(), Fate::RestoredUnread), ("acme".to_owned(), Fate::Restored)]);
    let text = std::fs::read_to_string(&new.path).unwrap();
    assert!(text.contains("\"Acme\": {\"kind\": \"later\"}") && text.contains("\"acme\": {"), "{text}");
}
