//! Disks that fail: what was stored before stays, what was rotated is kept, and the error says what to do.
//!
//! Real where the machine allows it (a small tmpfs, a read-only one, another user, a limit of open files); injected by
//! fault points for each operation and error besides.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use latchkey::credential::CredentialState;
use latchkey::fault::Operation;
use latchkey::secret::Secret;
use latchkey::store::{Touches, update};
use latchkey_test_authority::{Endpoint, TokenSet};

use crate::disks::Namespace;
use crate::host::{Host, LONG, key, printed, said};
use crate::worker::{Worker, say};
use crate::writers::{Ground, is_lock, names, open, put};

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

fn token(host: &Host, faults: &str) -> Output {
    let mut command = host.latchkey(&["token", "acme", "--timeout", "50s"]);
    if !faults.is_empty() {
        command.env("FAILPOINTS", faults);
    }
    command.output().unwrap()
}

/// No temporary file and no room set aside is left.
fn assert_tidy(folder: &Path) {
    assert_eq!(names(folder), ["auth.json", "auth.json.lock", "auth.json.locks"]);
    let left: Vec<_> = names(&folder.join("auth.json.locks"))
        .into_iter()
        .filter(|name| !is_lock(name) && name != "store_id")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The rotated token is had by the next caller, from one request in all.
fn assert_finished(host: &Host, old: &TokenSet, output: &Output) {
    assert!(output.status.success(), "{}", said(output));
    let token = printed(output);
    assert!(host.authority.accepts(&token) && token != old.access);
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// F3, F6, F7, G21: each operation fails with each error before anything is sent. Nothing is sent, nothing is lost, nothing
/// is left over, the error names the place and the remedy; and the next caller, with the disk sound, needs one request.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_before_the_request_costs_nothing() {
    for operation in Operation::ALL.into_iter().filter(|operation| *operation != Operation::WriteRescue) {
        for (errno, remedy) in ERRORS {
            let case = format!("{}=return({errno})", operation.name());
            let host = Host::new();
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
                assert!(after.contains(&old.refresh) && after.contains("\"intent\""), "{case}: {after}");
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
    let mut cases = tokio::task::JoinSet::new();
    for (operation, (errno, remedy)) in REPLACING.into_iter().zip(ERRORS) {
        cases.spawn(async move {
            // The intent's write goes through.
            let case = format!("{}=1*off->return({errno})", operation.name());
            let still = format!("{}=return({errno})", operation.name());
            let host = Host::new();
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
    let host = Host::new();
    let old = host.expired("acme").await;
    let output = token(&host, "sync-folder=1*off->return(5)");
    assert_finished(&host, &old, &output);
    let rescue =
        host.auth.with_file_name("auth.json.locks").join(format!("{}.rescue", key("acme").lock_name()));
    let aside = std::fs::read_to_string(&rescue).unwrap();
    assert!(aside.contains(&printed(&output)), "the token is durable there");
    let hash = Secret::new(printed(&output)).hash().to_string();
    let next = host.latchkey(&["token", "acme", "--rejected-sha256", &hash]).output().unwrap();
    assert!(host.authority.accepts(&printed(&next)), "{}", said(&next));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
    assert_tidy(host.auth.parent().unwrap());
}

/// A save that fails for good, a caller while nothing is mended, and one after.
fn kept_aside(host: &Host, old: &TokenSet, remedy: &str, case: &str, calls: [impl Fn() -> Output; 3]) {
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
    let host = Host::new();
    let old = host.expired("acme").await;
    let output = token(&host, "write-temporary=1*off->return(28);after-rescue=return(kill)");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(host.stored("acme").unwrap().generation, 1);
    assert_finished(&host, &old, &token(&host, ""));
    assert_eq!(host.stored("acme").unwrap().generation, 2);
    assert_tidy(host.auth.parent().unwrap());
}

/// G21, F7: a real disk that fills up while the provider answers, with the process killed besides in one case.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_disk_that_fills_up_during_the_request_loses_nothing() {
    for killed in [false, true] {
        let host = Host::new();
        let old = host.expired("acme").await;
        let folder = host.auth.parent().unwrap().to_owned();
        let Some(disk) = Namespace::with_disk(&folder, "1m") else {
            let faults = ["write-temporary=1*off->return(28)", "write-temporary=return(28)", ""];
            let calls = faults.map(|faults| || token(&host, faults));
            kept_aside(&host, &old, "make room on this disk", "injected", calls);
            continue;
        };
        let gate = host.authority.hold_reply(Endpoint::Token);
        let mut command = disk.inside(&host.latchkey(&["token", "acme", "--timeout", "50s"]));
        if killed {
            command.env("FAILPOINTS", "after-rescue=return(kill)");
        }
        let child = command.spawn().unwrap();
        assert!(host.authority.eventually(LONG, |_| gate.waiting() == 1).await, "the refresh never came");
        disk.fill(&folder);
        gate.release();
        let output = child.wait_with_output().unwrap();
        let text = said(&output);
        if killed {
            assert_eq!(output.status.code(), Some(1), "{text}");
        } else {
            assert_eq!(output.status.code(), Some(4), "{text}");
            assert!(text.contains("No space left on device") && text.contains("make room"), "{text}");
        }
        let inside = std::fs::read_to_string(disk.path(&host.auth)).unwrap();
        assert!(inside.contains(&old.refresh) && inside.contains("\"generation\": 1"), "{inside}");
        // Still full, what the process had open included: no request is made, and nothing is lost.
        disk.fill(&folder);
        let again = disk.inside(&host.latchkey(&["token", "acme"])).output().unwrap();
        assert_eq!(again.status.code(), Some(4), "{}", said(&again));
        disk.empty(&folder);
        let next = disk.inside(&host.latchkey(&["token", "acme"])).output().unwrap();
        assert_finished(&host, &old, &next);
        assert_tidy(&disk.path(&folder));
    }
}

/// G21, F7: a real disk that is full from the start: nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_disk_that_is_full_makes_no_request() {
    let host = Host::new();
    let old = host.expired("acme").await;
    let folder = host.auth.parent().unwrap().to_owned();
    let disk = Namespace::with_disk(&folder, "1m");
    let run = |faults: &str| match &disk {
        Some(disk) => disk.inside(&host.latchkey(&["token", "acme"])).output().unwrap(),
        None => token(&host, faults),
    };
    let file =
        || std::fs::read(disk.as_ref().map_or(host.auth.clone(), |disk| disk.path(&host.auth))).unwrap();
    let before = file();
    if let Some(disk) = &disk {
        disk.fill(&folder);
    }
    let output = run("set-room-aside=return(28)");
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert!(said(&output).contains("make room on this disk"), "{}", said(&output));
    assert_eq!((host.authority.refreshes(), file() == before), (0, true));
    if let Some(disk) = &disk {
        disk.empty(&folder);
    }
    assert_finished(&host, &old, &run(""));
}

/// F7: a real file system that has become read-only. What is fresh is still handed out; a refresh sends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_read_only_file_system_serves_what_is_fresh_and_refreshes_nothing() {
    let host = Host::new();
    let old = host.expired("acme").await;
    let fresh = host.serving("acme/fresh").await;
    let folder = host.auth.parent().unwrap().to_owned();
    let Some(disk) = Namespace::with_disk(&folder, "1m") else {
        let output = token(&host, "open-lock=return(30)");
        assert_eq!((output.status.code(), host.authority.refreshes()), (Some(6), 0), "{}", said(&output));
        return;
    };
    let run = |tenant: &str| disk.inside(&host.latchkey(&["token", tenant])).output().unwrap();
    disk.shell("mount -o remount,ro \"$0\"", &[&folder]);
    let output = run("acme");
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert!(said(&output).contains("Read-only file system"), "{}", said(&output));
    assert!(said(&output).contains("the store must be on a writable file system"), "{}", said(&output));
    assert_eq!(printed(&run("acme/fresh")), fresh.access);
    assert_eq!(host.authority.refreshes(), 0);
    disk.shell("mount -o remount,rw \"$0\"", &[&folder]);
    assert_finished(&host, &old, &run("acme"));
    assert_tidy(&disk.path(&folder));
}

/// Makes `command` one of an ordinary user, whom rights bind, if we are not.
fn ordinary(command: &Command) -> Command {
    let mut other = Command::new("setpriv");
    other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    if rustix::process::geteuid().is_root() {
        other.arg("--");
    } else {
        other = Command::new("env");
    }
    other.arg(command.get_program()).args(command.get_args()).env_remove("FAILPOINTS");
    other.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    other
}

/// Gives the store to that user.
fn give_away(host: &Host) {
    let data = host.auth.parent().unwrap();
    std::fs::set_permissions(data.parent().unwrap(), PermissionsExt::from_mode(0o711)).unwrap();
    if rustix::process::geteuid().is_root() {
        let given = Command::new("chown").args(["-R", "65534:65534"]).arg(data).status().unwrap();
        assert!(given.success());
    }
}

/// F6, F7: real rights, and a user whom they bind.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_or_written_is_an_error_and_stays() {
    let host = Host::new();
    let old = host.expired("acme").await;
    give_away(&host);
    let folder = host.auth.parent().unwrap();
    let reachable = ordinary(Command::new("test").arg("-x").arg(env!("CARGO_BIN_EXE_latchkey")));
    let reachable = { reachable }.status().is_ok_and(|status| status.success());
    if !reachable {
        eprintln!("SIMULATED: an ordinary user cannot reach the program here");
        let output = token(&host, "make-temporary=return(13)");
        assert_eq!((output.status.code(), host.authority.refreshes()), (Some(6), 0), "{}", said(&output));
        return;
    }
    let run = || ordinary(&host.latchkey(&["token", "acme"])).output().unwrap();
    let before = std::fs::read(&host.auth).unwrap();
    let rights = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let locks = folder.join("auth.json.locks");
    for (path, mode, back) in [(&*host.auth, 0o000, 0o600), (folder, 0o500, 0o700), (&*locks, 0o500, 0o700)] {
        rights(path, mode);
        let output = run();
        rights(path, back);
        let text = said(&output);
        assert_eq!((output.status.code(), printed(&output).as_str()), (Some(6), ""), "{path:?}: {text}");
        assert!(text.contains("Permission denied"), "{path:?}: {text}");
        assert!(text.contains("it must belong to the user that runs Latchkey"), "{path:?}: {text}");
        assert!(text.contains(&*path.to_string_lossy()), "{path:?}: {text}");
        assert_eq!(std::fs::read(&host.auth).unwrap(), before);
        assert_eq!(host.authority.refreshes(), 0);
    }
    assert_finished(&host, &old, &run());
    assert_tidy(folder);
}

/// F4: a folder that belongs to another is refused with the remedy.
#[tokio::test(flavor = "multi_thread")]
async fn another_users_folder_is_refused() {
    let host = Host::new();
    host.serving("acme").await;
    if !rustix::process::geteuid().is_root() {
        eprintln!(
            "SIMULATED: only root can give a folder away; the check itself is one comparison of user ids"
        );
        return;
    }
    give_away(&host);
    let output = token(&host, "");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(6), "{text}");
    assert!(text.contains("belongs to user 65534, and this is user 0: `chown 0 "), "{text}");
}

/// F6: a real limit of open files, from one with which nothing can start to one that does for all: no answer is a wrong
/// one, nobody is asked to sign in, and no refresh token is presented twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_limit_of_open_files_loses_nothing() {
    let mut ended = Vec::new();
    for limit in 5..=21 {
        let host = Host::new();
        let old = host.expired("acme").await;
        let latchkey = host.latchkey(&["token", "acme"]);
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]).arg(latchkey.get_program());
        limited.args(latchkey.get_args()).env_remove("FAILPOINTS").stdin(Stdio::null());
        let output = limited.output().unwrap();
        let code = output.status.code();
        assert_ne!(code, Some(3), "{limit}: nobody must sign in: {}", said(&output));
        assert_eq!(code == Some(0), !printed(&output).is_empty(), "{limit}: {}", said(&output));
        let held = host.stored("acme").unwrap();
        assert_eq!(held.state, CredentialState::Ok, "{limit}: {}", said(&output));
        let next = token(&host, "");
        if held.retry_at.is_none() {
            assert!(next.status.success(), "{limit}: {} then {}", said(&output), said(&next));
            assert!(printed(&next) != old.access && host.authority.refreshes() <= 2, "{limit}");
        }
        assert_eq!(host.authority.reuses(), 0, "{limit}: {} then {}", said(&output), said(&next));
        ended.push((limit, code));
    }
    eprintln!("{ended:?}");
    assert_ne!(ended.first().unwrap().1, Some(0), "the limit was none");
    assert_eq!(ended.last().unwrap().1, Some(0), "the limit was never enough");
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
    if !rustix::process::geteuid().is_root() {
        eprintln!("SIMULATED: only root can give a file away");
        return;
    }
    std::os::unix::fs::chown(ground.file(), Some(65_534), Some(65_533)).unwrap();
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
