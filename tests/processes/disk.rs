//! Disks that fail: what was stored before stays, what was rotated is kept, and the error says what to do.
//!
//! Injected by fault points, for each operation and error; `real_disk` has what the machine can do in earnest.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Output;

use latchkey::fault::Operation;
use latchkey::secret::Secret;
use latchkey::store::{Store, Touches, update};
use latchkey_test_authority::TokenSet;

use crate::host::{Host, LONG, key, printed, said};
use crate::place::{Ground, is_lock, names, open, put};
use crate::worker::{Worker, say};

const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const EACCES: i32 = 13;
const EIO: i32 = 5;
const EMFILE: i32 = 24;

/// The errors that a disk gives, each with what its message must tell to do.
const ERRORS: [(i32, &str); 5] = [
    (ENOSPC, "make room on this disk"),
    (EROFS, "the store must be on a writable file system"),
    (EACCES, "it must belong to the user that runs Latchkey"),
    (EIO, "check this disk"),
    (EMFILE, "raise the limit of open files"),
];

/// The operations by which the auth file is replaced, up to the moment when the new one is there.
const REPLACING: [Operation; 4] =
    [Operation::MakeTemporary, Operation::WriteTemporary, Operation::SyncTemporary, Operation::Rename];

pub fn token(host: &Host, faults: &str) -> Output {
    let mut command = host.latchkey(&["token", "acme", "--timeout", "50s"]);
    if !faults.is_empty() {
        command.env("FAILPOINTS", faults);
    }
    command.output().unwrap()
}

/// No temporary file and no room set aside is left.
pub fn assert_tidy(folder: &Path) {
    assert_eq!(names(folder), ["auth.json", "auth.json.lock", "auth.json.locks"]);
    let left: Vec<_> = names(&folder.join("auth.json.locks"))
        .into_iter()
        .filter(|name| !is_lock(name) && name != "store_id")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The rotated token is had by the next caller, from one request in all.
pub fn assert_finished(host: &Host, old: &TokenSet, output: &Output) {
    assert!(output.status.success(), "{}", said(output));
    let token = printed(output);
    assert!(host.authority.accepts(&token) && token != old.access);
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// F3, F6, F7, G21: each operation fails with each error before anything is sent. Nothing is sent, nothing is lost, nothing
/// is left over, the error names the place and the remedy; and the next caller, with the disk sound, needs one request.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_before_the_request_costs_nothing() {
    a_disk_that_fails_before_the_request_costs_nothing_on(Host::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn a_disk_that_fails_before_the_request_costs_nothing_on(new_host: fn() -> Host) {
    for operation in Operation::ALL.into_iter().filter(|operation| *operation != Operation::WriteRescue) {
        for (errno, remedy) in ERRORS {
            let case = format!("{}=return({errno})", operation.name());
            let host = new_host();
            let old = host.expired("acme").await;
            let before = std::fs::read_to_string(&host.auth).unwrap();
            let output = token(&host, &case);
            let text = said(&output);
            assert_eq!((output.status.code(), printed(&output).as_str()), (Some(6), ""), "{case}: {text}");
            assert!(text.contains(remedy), "{case}: {text}");
            assert!(text.contains(&*host.auth.parent().unwrap().to_string_lossy()), "{case}: {text}");
            assert_eq!(host.authority.refreshes(), 0, "{case}");
            let after = std::fs::read_to_string(&host.auth).unwrap();
            if operation == Operation::SyncFolder {
                // The new file is in its place: with the intent, which says less than the truth and never more.
                let held = host.stored("acme").unwrap();
                assert_eq!(held.refresh_token, Some(Secret::new(&*old.refresh)), "{case}: {after}");
                assert!(after.contains("\"intent\""), "{case}: {after}");
            } else {
                assert_eq!(after, before, "{case}");
            }
            assert_tidy(host.auth.parent().unwrap());
            assert_finished(&host, &old, &token(&host, ""));
        }
    }
}

/// G21, F7: the disk fails once the reply is there. The rotated token waits in the room set aside, and the next caller
/// stores it without a request.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_after_the_reply_loses_nothing() {
    a_disk_that_fails_after_the_reply_loses_nothing_on(Host::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn a_disk_that_fails_after_the_reply_loses_nothing_on(new_host: fn() -> Host) {
    let mut cases = tokio::task::JoinSet::new();
    for (operation, (errno, remedy)) in REPLACING.into_iter().zip(ERRORS) {
        cases.spawn(async move {
            // The intent's write goes through.
            let case = format!("{}=1*off->return({errno})", operation.name());
            let still = format!("{}=return({errno})", operation.name());
            let host = new_host();
            let old = host.expired("acme").await;
            kept_aside(&host, &old, remedy, &case, [&case, &still, ""].map(|faults| || token(&host, faults)));
            assert_tidy(host.auth.parent().unwrap());
        });
    }
    cases.join_all().await;
}

/// G21, G26: the folder's fsync fails after the rename. The new file is there for all to see, and the token is durable in the
/// room set aside: it is handed out, and the next flight finds the two in agreement.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_durable_is_backed_by_the_room_set_aside() {
    a_name_that_is_not_durable_is_backed_by_the_room_set_aside_on(Host::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn a_name_that_is_not_durable_is_backed_by_the_room_set_aside_on(new_host: fn() -> Host) {
    let host = new_host();
    let old = host.expired("acme").await;
    let output = token(&host, "sync-folder=1*off->return(5)");
    assert_finished(&host, &old, &output);
    let rescue =
        host.auth.with_file_name("auth.json.locks").join(format!("{}.rescue", key("acme").lock_name()));
    assert!(rescue.is_file(), "the token is durable there");
    let lock = host.store().refresh_lock(&key("acme"), LONG).await.unwrap();
    let aside = host.store().read_rescue(&lock, &key("acme")).unwrap().unwrap();
    assert_eq!(aside.credential.access_token.expose(), printed(&output), "the token is durable there");
    drop(lock);
    let hash = Secret::new(printed(&output)).hash().to_string();
    let next = host.latchkey(&["token", "acme", "--rejected-sha256", &hash]).output().unwrap();
    assert!(host.authority.accepts(&printed(&next)), "{}", said(&next));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
    assert_tidy(host.auth.parent().unwrap());
}

/// A save that fails for good, a caller while nothing is mended, and one after.
pub fn kept_aside(host: &Host, old: &TokenSet, remedy: &str, case: &str, calls: [impl Fn() -> Output; 3]) {
    let [failing, still_failing, sound] = calls;
    let output = failing();
    let text = said(&output);
    assert_eq!((output.status.code(), printed(&output).as_str()), (Some(4), ""), "{case}: {text}");
    assert!(text.contains("they are kept aside, try again") && text.contains(remedy), "{case}: {text}");
    let output = still_failing();
    assert_eq!((output.status.code(), printed(&output).as_str()), (Some(4), ""), "{case}: {}", said(&output));
    assert_eq!(host.authority.refreshes(), 1, "{case}");
    assert_finished(host, old, &sound());
    host.authority.assert_no_secret_in(&text);
}

/// G21: even the room fails. The flight holds on to the lock and the token until the disk takes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_nowhere_but_in_memory_is_not_given_up() {
    let host = Host::new();
    let old = host.expired("acme").await;
    let output = token(&host, "rename=1*off->2*return(28)->off;write-rescue=return(28)");
    assert_finished(&host, &old, &output);
    assert_tidy(host.auth.parent().unwrap());
}

/// G21, G12: the disk fills up, the rotated token is put aside, and the process dies.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_after_the_rescue_is_finished_by_the_next() {
    a_process_that_dies_after_the_rescue_is_finished_by_the_next_on(Host::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn a_process_that_dies_after_the_rescue_is_finished_by_the_next_on(new_host: fn() -> Host) {
    let host = new_host();
    let old = host.expired("acme").await;
    let output = token(&host, "write-temporary=1*off->return(28);after-rescue=return(kill)");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(host.stored("acme").unwrap().generation, 1);
    assert_finished(&host, &old, &token(&host, ""));
    assert_eq!(host.stored("acme").unwrap().generation, 2);
    assert_tidy(host.auth.parent().unwrap());
}

/// A worker's part: a change, then updates that change nothing, each with the number of the file that it left.
pub async fn unchanged(file: &Path) {
    let store = open(file);
    let mut number = 0;
    let mut tell = |what: &str, result: Result<(), String>| {
        let inode = std::fs::metadata(file).unwrap().ino();
        let rewritten = if inode == number { "the same file" } else { "a new file" };
        number = inode;
        say(&format!("{what}: {}, {rewritten}", if result.is_ok() { "ok" } else { "failed" }));
    };
    tell("nothing", nothing(&store).await);
    tell("change", put(&store, &key("acme"), "new").await.map_err(|error| error.to_string()));
    for _ in 0..2 {
        tell("nothing", nothing(&store).await);
    }
}

async fn nothing(store: &latchkey::store::file::FileStore) -> Result<(), String> {
    let done = update(store, Touches::nothing(), |_| Ok::<_, ()>(())).await;
    done.map(|done| done.unwrap()).map_err(|error| error.to_string())
}

/// F3, G21: what is there counts as stored only once its name is durable, for those too who change nothing and for those
/// who have not written it. Where the folder's fsync failed, the file is put in place anew.
#[tokio::test]
async fn nothing_is_acknowledged_under_a_name_that_is_not_durable() {
    for (faults, expected) in [
        (
            "",
            [
                "nothing: ok, a new file",
                "change: ok, a new file",
                "nothing: ok, the same file",
                "nothing: ok, the same file",
            ],
        ),
        // Somebody else's file, whose name may not be durable.
        (
            "sync-folder=1*return(5)->off",
            [
                "nothing: failed, a new file",
                "change: ok, a new file",
                "nothing: ok, the same file",
                "nothing: ok, the same file",
            ],
        ),
        // Our own: fsync says an error once, and may say nothing the second time although nothing was done.
        (
            "sync-folder=1*off->1*return(5)->off",
            [
                "nothing: ok, a new file",
                "change: failed, a new file",
                "nothing: ok, a new file",
                "nothing: ok, the same file",
            ],
        ),
        (
            "sync-folder=1*off->2*return(5)->off",
            [
                "nothing: ok, a new file",
                "change: failed, a new file",
                "nothing: failed, a new file",
                "nothing: ok, a new file",
            ],
        ),
    ] {
        let ground = Ground::new();
        put(&ground.store(), &key("acme"), "old").await.unwrap();
        let worker = Worker::start(&ground.file(), "unchanged", faults);
        assert_eq!(worker.end(), expected, "{faults}");
    }
}

/// F6, F8: a copy of corrupt bytes is whole or not there, whether its writer dies or the disk is full.
#[tokio::test]
async fn half_a_copy_of_corrupt_bytes_is_no_copy() {
    let corrupt = b"{\"version\": 1, half";
    for faults in
        ["temporary-made=return(kill)", "temporary-durable=return(kill)", "write-temporary=return(28)"]
    {
        let ground = Ground::new();
        put(&ground.store(), &key("acme"), "old").await.unwrap();
        std::fs::write(ground.file(), corrupt).unwrap();
        let worker = Worker::start(&ground.file(), "update", faults);
        worker.expect("ready");
        if faults.contains("28") {
            let text = worker.line().unwrap();
            assert!(text.contains("it could not be copied aside (No space left on device"), "{text}");
            assert!(!ground.names().iter().any(|name| name.contains(".new-")), "{:?}", ground.names());
        } else {
            assert_eq!(worker.line(), None);
        }
        assert!(!ground.names().iter().any(|name| name.contains(".corrupt-")), "{:?}", ground.names());
        assert_eq!(std::fs::read(ground.file()).unwrap(), corrupt);
        let refused = put(&ground.store(), &key("acme"), "new").await.unwrap_err().to_string();
        let copy = ground.names().into_iter().find(|name| name.contains(".corrupt-")).unwrap();
        assert!(refused.contains(&copy), "{refused}");
        assert_eq!(std::fs::read(ground.folder().join(copy)).unwrap(), corrupt);
    }
}

/// F3: owner and group are kept, and the file is private from its first moment.
#[tokio::test]
async fn the_owner_of_the_file_is_kept() {
    let ground = Ground::new();
    let store = ground.store();
    put(&store, &key("acme"), "old").await.unwrap();
    if let Err(error) = std::os::unix::fs::chown(ground.file(), Some(65_534), Some(65_533)) {
        eprintln!("SIMULATED: the file cannot be given away here: {error}");
        return;
    }
    let worker = Worker::start(&ground.file(), "update", "temporary-made=return(stop)");
    worker.expect("ready");
    let end = std::time::Instant::now() + LONG;
    let temporary = loop {
        assert!(std::time::Instant::now() < end, "it never came to its write");
        if let Some(name) = ground.names().into_iter().find(|name| name.contains(".new-")) {
            break ground.folder().join(name);
        }
    };
    assert_eq!(std::fs::metadata(temporary).unwrap().mode() & 0o7777, 0o600, "before it holds a byte");
    worker.kill();
    put(&store, &key("acme"), "new").await.unwrap();
    let found = std::fs::metadata(ground.file()).unwrap();
    assert_eq!((found.uid(), found.gid(), found.mode() & 0o7777), (65_534, 65_533, 0o600));
}
