//! The laws of a sealed file: sealed as a whole, opened by its keys alone, and refused without a change otherwise.

use super::*;
use crate::store::seal::{KeysError, SealStanding, SealedError};

const ONE: &str = "one AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TWO: &str = "two ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

impl Ground {
    fn sealed(&self, keys: &[&str]) -> FileStore {
        let keys = Keys::parse(&keys.join("\n"), "the keys").unwrap();
        FileStore::open(&self.path, false, Clock::starting_at(NOW)).unwrap().sealed_by(keys)
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text()).unwrap()
    }
}

fn standing(store: &FileStore) -> SealStanding {
    store.snapshot().unwrap().seal_standing()
}

/// How many values each key has sealed.
fn by_key(store: &FileStore) -> Vec<(String, usize)> {
    let standing = standing(store);
    assert_eq!((standing.in_clear, standing.unopened), (0, 0));
    standing.sealed.into_iter().collect()
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> Vec<(String, usize)> {
    expected.map(|(key, count)| (key.to_owned(), count)).to_vec()
}

/// Sealing: the first write with a key seals all that was there, and what knows no sealing refuses the file from then on.
#[tokio::test]
async fn the_first_write_with_a_key_seals_the_whole_file() {
    let ground = Ground::new();
    put(&ground.open(), "codex/a", "at-a").await.unwrap();
    put(&ground.open(), "codex/b", "at-b").await.unwrap();
    let before = ground.text();
    let store = ground.sealed(&[ONE]);
    assert_eq!(token(&store, "codex/a").as_deref(), Some("at-a"), "it is read as it is");
    assert_eq!(ground.text(), before, "and reading changes nothing");
    put(&store, "codex/c", "at-c").await.unwrap();
    let text = ground.text();
    assert!(!text.contains("at-a") && !text.contains("at-b") && !text.contains("at-c"), "{text}");
    assert_eq!((&ground.json()["version"], &ground.json()["sealing"]["key"]), (&2.into(), &"one".into()));
    for store in [store, ground.sealed(&[ONE])] {
        let tokens = ["codex/a", "codex/b", "codex/c"].map(|tenant| token(&store, tenant).unwrap());
        assert_eq!(tokens, ["at-a", "at-b", "at-c"]);
        assert_eq!(by_key(&store), counts([("one", 3)]));
    }
}

/// Without a key nothing is sealed, and the file is what it always was.
#[tokio::test]
async fn without_a_key_the_file_is_of_version_1_and_in_clear() {
    let ground = Ground::new();
    put(&ground.open(), "codex", "at").await.unwrap();
    let json = ground.json();
    assert_eq!((&json["version"], json.get("sealing")), (&1.into(), None));
    assert_eq!(json["tenants"]["codex"]["access_token"], "at");
}

/// Sealing, F6, F7: no key, others, or another of the same name: the store is refused as a whole, with the remedy, and nothing
/// is written: no update, no copy, no rescue.
#[tokio::test]
async fn the_wrong_key_is_refused_and_changes_nothing() {
    let ground = Ground::new();
    put(&ground.sealed(&[ONE]), "codex", "at").await.unwrap();
    let (before, names) = (ground.text(), std::fs::read_dir(ground.path.parent().unwrap()).unwrap().count());
    let impostor = TWO.replace("two", "one");
    let one = || "one".to_owned();
    for (store, why) in [
        (
            FileStore::open(&ground.path, false, Clock::starting_at(NOW)).unwrap(),
            SealedError::NoKey { key: one() },
        ),
        (ground.sealed(&[TWO]), SealedError::Unknown { key: one(), known: "two".to_owned() }),
        (ground.sealed(&[&impostor]), SealedError::Another { key: one() }),
    ] {
        let refused = [
            store.snapshot().map(drop).unwrap_err(),
            put(&store, "codex", "other").await.unwrap_err(),
            store.seal_now().await.unwrap_err(),
            store.open_for_good().await.unwrap_err(),
        ];
        for error in refused {
            let StoreError::Sealed { why: told, .. } = &error else { panic!("{error}") };
            assert_eq!(told, &why);
            assert!(error.to_string().contains("nothing was changed") && !error.is_passing(), "{error}");
        }
        assert_eq!(ground.text(), before);
        assert_eq!(
            std::fs::read_dir(ground.path.parent().unwrap()).unwrap().count(),
            names,
            "nothing beside it"
        );
    }
    assert_eq!(token(&ground.sealed(&[ONE]), "codex").as_deref(), Some("at"));
}

/// Sealing: a new key seals while the old one opens; after the first write the old one can be dropped.
#[tokio::test]
async fn a_new_key_takes_over_with_the_first_write() {
    let ground = Ground::new();
    put(&ground.sealed(&[ONE]), "codex/a", "at-a").await.unwrap();
    let both = ground.sealed(&[TWO, ONE]);
    assert_eq!((token(&both, "codex/a").as_deref(), by_key(&both)), (Some("at-a"), counts([("one", 1)])));
    put(&both, "codex/b", "at-b").await.unwrap();
    assert_eq!(by_key(&both), counts([("two", 2)]));
    let new = ground.sealed(&[TWO]);
    assert_eq!(["codex/a", "codex/b"].map(|tenant| token(&new, tenant).unwrap()), ["at-a", "at-b"]);
    assert!(ground.sealed(&[ONE]).snapshot().is_err());
}

/// Sealing: an entry of a key that is gone fails alone, and stays as it is through every pass.
#[tokio::test]
async fn what_does_not_open_fails_alone_and_stays() {
    let ground = Ground::new();
    put(&ground.sealed(&[ONE]), "codex/a", "at-a").await.unwrap();
    put(&ground.sealed(&[ONE]), "codex/b", "at-b").await.unwrap();
    // Moved to another tenant, as nobody should.
    let mut json = ground.json();
    let moved = json["tenants"]["codex/a"]["access_token"].clone();
    json["tenants"]["codex/b"]["access_token"] = moved.clone();
    std::fs::write(&ground.path, json.to_string()).unwrap();
    let store = ground.sealed(&[TWO, ONE]);
    let damaged = store.snapshot().unwrap().damaged();
    assert!(damaged.len() == 1 && damaged[0].key == "codex/b", "{damaged:?}");
    assert!(damaged[0].why.contains("\"access_token\" is sealed and does not open"), "{damaged:?}");
    assert_eq!(token(&store, "codex/a").as_deref(), Some("at-a"));
    let refused = store.open_for_good().await.unwrap_err();
    assert!(matches!(refused, StoreError::LeftSealed { left: 1 }), "{refused}");
    put(&store, "codex/c", "at-c").await.unwrap();
    assert_eq!(ground.json()["tenants"]["codex/b"]["access_token"], moved);
    let sealed = counts([("one", 1), ("two", 2)]);
    let found = standing(&store);
    assert_eq!((found.sealed.into_iter().collect::<Vec<_>>(), found.unopened), (sealed, 1));
}

/// F14: what another program puts into a sealed file in clear is served, and sealed with the next write of its entry.
#[tokio::test]
async fn what_stands_in_clear_in_a_sealed_file_is_served_and_then_sealed() {
    let ground = Ground::new();
    let store = ground.sealed(&[ONE]);
    put(&store, "codex/a", "at-a").await.unwrap();
    let mut json = ground.json();
    json["tenants"]["codex/b"] =
        serde_json::json!({"kind": "static", "provider": "codex", "access_token": "theirs", "x-own": 1});
    std::fs::write(&ground.path, json.to_string()).unwrap();
    assert_eq!(token(&store, "codex/b").as_deref(), Some("theirs"));
    assert_eq!(standing(&store).in_clear, 1);
    let touches = Touches::tenant(&key("codex/b"));
    let used = update(&store, touches, |view| {
        let mut held = view.tenant(&key("codex/b"))?.unwrap();
        held.last_used_at = Some(NOW);
        view.put_tenant(&key("codex/b"), held);
        Ok::<_, EntryError>(())
    });
    used.await.unwrap().unwrap();
    assert_eq!(
        (by_key(&store), ground.json()["tenants"]["codex/b"]["x-own"].clone()),
        (counts([("one", 2)]), 1.into())
    );

    // And all at once, where nothing else is to be written.
    std::fs::write(&ground.path, json.to_string()).unwrap();
    store.seal_now().await.unwrap();
    assert_eq!(by_key(&store), counts([("one", 2)]));
}

/// Sealing: what is opened for good is what it would be had it never been sealed.
#[tokio::test]
async fn a_file_that_is_opened_for_good_is_as_if_it_had_never_been_sealed() {
    let ground = Ground::new();
    put(&ground.open(), "codex/a", "at-\"é\"").await.unwrap();
    let before = ground.text();
    let store = ground.sealed(&[ONE]);
    store.seal_now().await.unwrap();
    assert!(ground.open().snapshot().is_err() && !ground.text().contains("at-"));
    store.open_for_good().await.unwrap();
    assert_eq!(ground.text(), before);
    assert_eq!(token(&ground.open(), "codex/a").as_deref(), Some("at-\"é\""));
}

/// G21: the room for a rescue holds nothing in clear, and what does not open is kept and told.
#[tokio::test]
async fn a_rescue_is_sealed_and_told_where_it_does_not_open() {
    let ground = Ground::new();
    let (store, tenant) = (ground.sealed(&[ONE]), key("codex"));
    let lock = store.refresh_lock(&tenant, STORE_WAIT).await.unwrap();
    store.set_rescue_aside(&lock, &tenant).unwrap();
    let rescue = Rescue { replaces: ("id".to_owned(), 3), credential: credential("saved-token") };
    store.write_rescue(&lock, &tenant, &rescue).unwrap();
    let path = store.places.locks.join(format!("{}.rescue", tenant.lock_name()));
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    assert!(text.contains("sealed:1:one:") && !text.contains("saved-token"));
    assert_eq!(ground.sealed(&[TWO, ONE]).read_rescue(&lock, &tenant).unwrap(), Some(rescue));
    let told = ground.sealed(&[TWO]).read_rescue(&lock, &tenant).unwrap_err().to_string();
    assert!(
        told.contains("sealed with the key \"one\"") && told.contains("among those that are configured"),
        "{told}"
    );
}

/// G21: a rescue is counted wherever the keys are judged, and nothing that is sealed is left without its key when the file is
/// opened for good.
#[tokio::test]
async fn a_rescue_counts_where_the_keys_are_judged() {
    let ground = Ground::new();
    let (old, tenant) = (ground.sealed(&[ONE]), key("codex"));
    put(&old, "codex", "at").await.unwrap();
    let lock = old.refresh_lock(&tenant, STORE_WAIT).await.unwrap();
    old.set_rescue_aside(&lock, &tenant).unwrap();
    assert_eq!(old.seal_standing().unwrap().kept_aside, [], "room that is only set aside");
    let rescue = Rescue { replaces: ("id".to_owned(), 3), credential: credential("saved-token") };
    old.write_rescue(&lock, &tenant, &rescue).unwrap();
    let store = ground.sealed(&[TWO, ONE]);
    store.seal_now().await.unwrap();
    let found = store.seal_standing().unwrap();
    assert_eq!(found.sealed.into_iter().collect::<Vec<_>>(), counts([("two", 1)]));
    let [aside] = found.kept_aside.as_slice() else { panic!("{:?}", found.kept_aside) };
    assert_eq!(
        (aside.tenant.as_ref(), aside.keys.iter().map(String::as_str).collect::<Vec<_>>()),
        (Some(&tenant), vec!["one"])
    );

    let before = ground.text();
    let refused = store.open_for_good().await.unwrap_err();
    assert!(matches!(&refused, StoreError::KeptAside { whose } if whose == "codex"), "{refused}");
    assert_eq!(ground.text(), before);
    store.clear_rescue(&lock, &tenant).unwrap();
    store.open_for_good().await.unwrap();

    // One in clear keeps nobody from it: it needs no key.
    ground.open().write_rescue(&lock, &tenant, &rescue).unwrap();
    store.seal_now().await.unwrap();
    store.open_for_good().await.unwrap();
    assert_eq!(store.seal_standing().unwrap().kept_aside[0].keys.len(), 0);
}

/// Sealing: whoever runs goes on when another process seals with a key that has come into the file of keys since; what it cannot
/// use there changes nothing.
#[tokio::test]
async fn a_new_key_in_the_file_of_keys_is_taken_over_when_it_is_needed() {
    let ground = Ground::new();
    let file = ground.path.with_file_name("seal.keys");
    let list = |text: &str| {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    list(ONE);
    let config = StoreConfig {
        path: ground.path.clone(),
        allow_unverified_locks: false,
        seal_key: Some(crate::config::SealKeySource::File(file.clone())),
    };
    let store = FileStore::configured(&config, &|_| None, Clock::starting_at(NOW)).unwrap();
    put(&store, "codex/a", "at-a").await.unwrap();

    let both = format!("{TWO}\n{ONE}");
    let other = ground.sealed(&[TWO, ONE]);
    other.seal_now().await.unwrap();
    list("no list of keys");
    let told = store.snapshot().unwrap_err();
    assert!(matches!(told, StoreError::Keys(KeysError::Malformed { .. })), "{told}");
    list(ONE);
    let told = store.snapshot().unwrap_err();
    assert!(matches!(told, StoreError::Sealed { why: SealedError::Unknown { .. }, .. }), "{told}");
    list(&both);
    // A write before any read, as of a bot that nobody asks.
    put(&store, "codex/b", "at-b").await.unwrap();
    assert_eq!(by_key(&store), counts([("two", 2)]));
    assert_eq!(token(&store, "codex/a").as_deref(), Some("at-a"));

    // What another has kept aside with a newer key still.
    let (tenant, three) = (key("codex/a"), TWO.replace("two", "three"));
    let lock = store.refresh_lock(&tenant, STORE_WAIT).await.unwrap();
    let rescue = Rescue { replaces: ("id".to_owned(), 3), credential: credential("saved-token") };
    ground.sealed(&[&three, TWO, ONE]).write_rescue(&lock, &tenant, &rescue).unwrap();
    assert!(store.read_rescue(&lock, &tenant).is_err());
    list(&format!("{three}\n{both}"));
    assert_eq!(store.read_rescue(&lock, &tenant).unwrap(), Some(rescue));
}

/// F7: what would be too large to be read again is not written, as what sealing makes larger by a third.
#[tokio::test]
async fn a_file_that_nobody_could_read_again_is_not_written() {
    let ground = Ground::new();
    let store = ground.open();
    put(&store, "codex", "at").await.unwrap();
    let before = ground.text();
    let refused = put(&store, "codex/large", &"x".repeat(64 * 1024 * 1024)).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooLarge { most: 64, .. }), "{refused}");
    assert_eq!(ground.text(), before);
    assert_eq!(token(&store, "codex").as_deref(), Some("at"));
    put(&store, "codex/small", "at").await.unwrap();
}

/// Sealing: keys that are configured and cannot be had stop everything: nothing is written in clear that is to be sealed.
#[tokio::test]
async fn keys_that_cannot_be_had_stop_everything() {
    let ground = Ground::new();
    put(&ground.open(), "codex", "at").await.unwrap();
    let config = StoreConfig {
        path: ground.path.clone(),
        allow_unverified_locks: false,
        seal_key: Some(crate::config::SealKeySource::Environment("SEAL".to_owned())),
    };
    let refused = FileStore::configured(&config, &|_| None, Clock::starting_at(NOW)).map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Keys(KeysError::Missing { .. })), "{refused}");
    let env = |name: &str| (name == "SEAL").then(|| ONE.to_owned());
    let store = FileStore::configured(&config, &env, Clock::starting_at(NOW)).unwrap();
    put(&store, "codex", "other").await.unwrap();
    assert_eq!(by_key(&store), counts([("one", 1)]));
}

/// F5: a header that names no key, and one without the version that goes with it, are damage.
#[tokio::test]
async fn a_header_and_its_version_come_together() {
    let ground = Ground::new();
    put(&ground.sealed(&[ONE]), "codex", "at").await.unwrap();
    let sound = ground.text();
    for (part, with, why) in [
        ("\"version\": 2", "\"version\": 1", "stands in a file of version 1"),
        ("\"sealing\"", "\"x-sealing\"", "has no \\\"sealing\\\""),
        ("\"key\": \"one\"", "\"key\": \"ONE\"", "names no key"),
        ("\"proof\"", "\"prove\"", "names no key"),
        ("\"version\": 2", "\"version\": 3", "understands up to 2"),
    ] {
        let text = sound.replacen(part, with, 1);
        assert_ne!(text, sound, "{part}");
        std::fs::write(&ground.path, &text).unwrap();
        let told = ground.sealed(&[ONE]).snapshot().map(drop).unwrap_err().to_string();
        assert!(told.contains(&why.replace('\\', "")), "{told}");
        assert_eq!(ground.text(), text);
    }
}

/// F14: what another program has sealed by the page alone (the corpus of the fuzz targets is made so) opens here.
#[test]
fn what_another_program_has_sealed_opens() {
    let keys = Keys::parse("fuzzing BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "the keys").unwrap();
    let text = include_str!("../../../../fuzz/corpus/auth_file/sealed").to_owned();
    let document = Document::parse(&Arc::new(text), &keys.into()).unwrap();
    assert_eq!(document.damaged(), []);
    let standing = document.seal_standing();
    assert!(standing.sealed["fuzzing"] > 8, "{standing:?}");
    assert_eq!((standing.in_clear, standing.unopened), (0, 0));
}
