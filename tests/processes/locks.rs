//! The locks across real processes: had once, freed by death, named when waited for in vain, never fallen through.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use latchkey::store::{Holder, LockError, StoreError};
use rustix::process::{Signal, kill_process};

use crate::flights::lock_threads;
use crate::host::{Host, LONG, key, printed, said};
use crate::place::{Ground, is_lock, names, open, put};
use crate::worker::{Worker, say, until_let_go};

const SHORT: Duration = Duration::from_millis(300);

/// A worker's part: holds a lock until it is let go.
pub async fn hold(file: &Path, name: &str) {
    let _lock = open(file).named_lock(name, LONG).await.unwrap();
    say("held");
    tokio::task::spawn_blocking(until_let_go).await.unwrap();
}

/// A worker's part: takes two locks, the second once the first is under way.
pub async fn two(file: &Path, first: &str, second: &str) {
    let store = open(file);
    let one = {
        let (store, first) = (Arc::clone(&store), first.to_owned());
        tokio::spawn(async move {
            say("asks");
            drop(store.named_lock(&first, LONG).await.unwrap());
            say(&first);
        })
    };
    while store.locks_waited_for() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // From there to the disk it is a step.
    tokio::time::sleep(SHORT).await;
    drop(store.named_lock(second, LONG).await.unwrap());
    say(second);
    one.await.unwrap();
}

/// A worker's part: a thousand tasks wait for a lock that another process has. Says how many threads do.
pub async fn crowd(file: &Path, name: &str) {
    let store = open(file);
    for _ in 0..1_000 {
        let (store, name) = (Arc::clone(&store), name.to_owned());
        tokio::spawn(async move { drop(store.named_lock(&name, LONG).await) });
    }
    while lock_threads("self") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The others have their chance.
    tokio::time::sleep(SHORT).await;
    say(&format!("threads: {}", lock_threads("self")));
}

/// G12: no staleness is guessed; the kernel tells.
#[tokio::test]
async fn a_holder_that_is_killed_frees_its_lock_at_once() {
    let ground = Ground::new();
    let store = ground.store();
    let holder = Worker::start(&ground.file(), "hold a", "");
    holder.expect("held");
    let held = store.named_lock("a", SHORT).await;
    assert!(matches!(held, Err(StoreError::Lock(LockError::TimedOut { .. }))), "{held:?}");
    let waiting = tokio::spawn(async move { store.named_lock("a", LONG).await.map(drop) });
    tokio::time::sleep(SHORT).await;
    assert!(!waiting.is_finished());
    holder.kill();
    waiting.await.unwrap().unwrap();
}

/// G31
#[tokio::test]
async fn a_time_out_names_the_holder_and_says_if_it_is_stopped() {
    let ground = Ground::new();
    let store = ground.store();
    let worker = Worker::start(&ground.file(), "hold a", "");
    worker.expect("held");
    for (signal, stopped) in [(Signal::STOP, true), (Signal::CONT, false)] {
        kill_process(worker.pid(), signal).unwrap();
        // The kernel stops and wakes a process in its own time.
        let end = Instant::now() + LONG;
        loop {
            let Err(StoreError::Lock(LockError::TimedOut { holder, .. })) =
                store.named_lock("a", SHORT).await
            else {
                panic!("the lock was had twice")
            };
            if holder == Some(Holder { pid: worker.child.id(), stopped }) {
                break;
            }
            assert!(Instant::now() < end, "{holder:?} is named");
        }
    }
}

/// G31: on one thread, and the process ends without it.
#[tokio::test]
async fn a_thousand_waiters_have_one_thread_and_delay_no_exit() {
    let ground = Ground::new();
    let mut holder = Worker::start(&ground.file(), "hold a", "");
    holder.expect("held");
    let crowd = Worker::start(&ground.file(), "crowd a", "");
    assert_eq!(crowd.end(), ["threads: 1"], "it ended, although the lock is held still");
    assert_eq!(holder.child.try_wait().unwrap(), None, "the lock was held all the while");
}

/// G31: the program ends when its own time is up, while a thread of it still waits for a lock.
#[tokio::test(flavor = "multi_thread")]
async fn an_exit_does_not_wait_for_a_thread_that_waits() {
    let host = Host::new();
    host.serving("acme").await;
    let holder = Worker::start(&host.auth, "hold check", "");
    holder.expect("held");
    let mut child = host.latchkey(&["check"]).spawn().unwrap();
    let end = Instant::now() + LONG;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("it waits for the lock, although it has given it up");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let output = child.wait_with_output().unwrap();
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains(&format!("check.lock, held by process {}\n", holder.child.id())), "{text}");
}

/// G4: a disk that is slow under one lock delays no other lock.
#[tokio::test]
async fn a_slow_disk_under_one_lock_delays_no_other() {
    let ground = Ground::new();
    let worker = Worker::start(&ground.file(), "two slow quick", "open-lock=1*sleep(4000)->off");
    assert_eq!(worker.end(), ["asks", "quick", "slow"]);
}

/// G13: a lock that cannot be had is an error, with nothing sent and nothing changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_to_lock_is_never_fallen_through() {
    let host = Host::new();
    let tokens = host.expired("acme").await;
    let before = std::fs::read(&host.auth).unwrap();
    let locks = host.auth.with_file_name("auth.json.locks");
    let lock = locks.join(format!("{}.lock", key("acme").lock_name()));
    let refused = |faults: &str, why: &str| {
        let output = host.latchkey(&["token", "acme"]).env("FAILPOINTS", faults).output().unwrap();
        let text = said(&output);
        assert_eq!((output.status.code(), printed(&output).as_str()), (Some(6), ""), "{text}");
        assert!(text.contains("cannot lock /") && text.contains(why), "{text}");
        assert_eq!(std::fs::read(&host.auth).unwrap(), before);
        assert_eq!(host.authority.refreshes(), 0);
    };
    refused("open-lock=return(13)", "it must belong to the user that runs Latchkey");
    refused("open-lock=return(24)", "raise the limit of open files");
    refused("open-lock=return(95)", "the folder must be writable for the user that runs Latchkey");
    // The store lock, and the turnstile before it. The caller has the refresh lock by then, and its child opens it no more.
    refused("open-lock=1*off->return(5)", "auth.json.lock: Input/output error");
    let turnstile = locks.join("turnstile.lock");
    std::fs::remove_file(&turnstile).unwrap();
    std::fs::create_dir(&turnstile).unwrap();
    refused("", "auth.json.locks/turnstile.lock: Is a directory");
    std::fs::remove_dir(&turnstile).unwrap();

    drop(std::fs::remove_file(&lock));
    std::os::unix::fs::symlink("elsewhere.lock", &lock).unwrap();
    refused("", "it must not be a symbolic link");
    std::fs::remove_file(&lock).unwrap();
    assert!(!locks.join("elsewhere.lock").exists());
    std::fs::create_dir(&lock).unwrap();
    refused("", "Is a directory");
    std::fs::remove_dir(&lock).unwrap();

    let output = host.latchkey(&["token", "acme"]).output().unwrap();
    assert!(host.authority.accepts(&printed(&output)), "{}", said(&output));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    assert!(!host.authority.would_refresh(&tokens.refresh));
}

/// F10, G31: a store lock that is stuck ends the wait after its ten seconds, with its holder named, no request made and
/// no exit delayed; and nothing is wrong once it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_store_lock_is_waited_for_ten_seconds() {
    let host = Host::new();
    host.expired("acme").await;
    let stuck = Worker::start(&host.auth, "update", "temporary-written=1*return(stop)->off");
    stuck.expect("ready");
    let end = Instant::now() + LONG;
    while !names(host.auth.parent().unwrap()).iter().any(|name| name.contains(".new-")) {
        assert!(Instant::now() < end, "it never came to its write");
        std::thread::sleep(Duration::from_millis(20));
    }
    let started = Instant::now();
    let output = host.latchkey(&["token", "acme"]).output().unwrap();
    let text = said(&output);
    assert_eq!((output.status.code(), printed(&output).as_str()), (Some(4), ""), "{text}");
    assert!(text.contains("waited 10 s for ") && text.contains("auth.json.lock, held by"), "{text}");
    assert!(
        text.contains(&format!("stopped: let it go on with `kill -CONT {}`", stuck.child.id())),
        "{text}"
    );
    assert!(started.elapsed() >= Duration::from_secs(10) && started.elapsed() < LONG / 2);
    assert_eq!(host.authority.refreshes(), 0, "without a durable intent nothing is sent");
    kill_process(stuck.pid(), Signal::CONT).unwrap();
    stuck.expect("stored");
}

/// F2: the lock files are made once, private, and stay what they are; no child of a holder gets one.
#[tokio::test(flavor = "multi_thread")]
async fn lock_files_stay_and_are_not_inherited() {
    let host = Host::new();
    host.expired("acme").await;
    let refresh = || {
        let output = host.latchkey(&["token", "acme", "--min-valid", "1h"]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    };
    let look = || {
        let folder = host.auth.with_file_name("auth.json.locks");
        let mut files = vec![host.auth.with_file_name("auth.json.lock")];
        files.extend(names(&folder).iter().filter(|name| is_lock(name)).map(|name| folder.join(name)));
        let looked = files.into_iter().map(|file| {
            let found = std::fs::symlink_metadata(&file).unwrap();
            (file, found.ino(), found.permissions().mode() & 0o7777)
        });
        looked.collect::<Vec<_>>()
    };
    refresh();
    let made = look();
    assert_eq!(made.len(), 3, "the store's, the turnstile's and the tenant's: {made:?}");
    assert!(made.iter().all(|(_, _, mode)| *mode == 0o600), "{made:?}");
    refresh();
    assert_eq!(look(), made);

    let store = host.store();
    let _held = store.named_lock("a", LONG).await.unwrap();
    let ours = open_files(std::process::id());
    assert!(ours.iter().any(|file| file.ends_with("auth.json.locks/a.lock")), "{ours:?}");
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    let theirs = open_files(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    let inherited: Vec<_> = theirs.iter().filter(|file| file.contains("auth.json")).collect();
    assert!(inherited.is_empty(), "{inherited:?}");
}

fn open_files(pid: u32) -> Vec<String> {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    links
        .filter_map(|link| Some(std::fs::read_link(link.path()).ok()?.to_string_lossy().into_owned()))
        .collect()
}

/// F16: the turnstile is had for the wait alone; whoever is killed there keeps nobody out.
#[tokio::test]
async fn a_writer_that_is_killed_while_it_waits_keeps_nobody_out() {
    let ground = Ground::new();
    put(&ground.store(), &key("acme"), "old").await.unwrap();
    let stuck = Worker::start(&ground.file(), "update", "temporary-written=1*return(stop)->off");
    stuck.expect("ready");
    let waits = Worker::start(&ground.file(), "update", "");
    waits.expect("ready");
    assert_eq!(waits.line_within(SHORT), None);
    waits.kill();
    stuck.kill();
    put(&ground.store(), &key("acme"), "new").await.unwrap();
    assert_eq!(ground.names(), ["auth.json", "auth.json.lock", "auth.json.locks"]);
}
