//! The laws of waiting for a lock within one process.

use super::super::lock::Holder;
use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(50);

/// G31
#[tokio::test]
async fn a_time_out_names_the_holder() {
    let folder = folder();
    let path = folder.path().join("a.lock");
    let _held = KernelLock::attempt(&path).unwrap().unwrap();
    let Err(LockError::TimedOut { holder, .. }) = Waiting::default().acquire(&path, SHORT).await else {
        panic!("the lock was had twice");
    };
    assert_eq!(holder, Some(Holder { pid: std::process::id(), stopped: false }));
}

/// G31, G8
#[tokio::test]
async fn waiters_are_served_in_order_by_one_thread() {
    let folder = folder();
    let path = folder.path().join("a.lock");
    let waiting = Waiting::default();
    let held = waiting.acquire(&path, LONG).await.unwrap();
    let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
    let mut tasks = Vec::new();
    for number in 0..8 {
        let (waiting, path, done) = (waiting.clone(), path.clone(), done.clone());
        tasks.push(tokio::spawn(async move {
            let lock = waiting.acquire(&path, LONG).await.unwrap();
            done.send(number).unwrap();
            drop(lock);
        }));
        tokio::task::yield_now().await;
    }
    assert_eq!(waiting.waiters(&path), Some(8));
    drop(held);
    for task in tasks {
        task.await.unwrap();
    }
    let mut seen = Vec::new();
    while let Ok(number) = order.try_recv() {
        seen.push(number);
    }
    assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
}

/// G31: with nobody behind the one who left, the lock is let go; with somebody, it is theirs.
#[tokio::test]
async fn a_lock_that_comes_too_late_is_let_go_or_handed_on() {
    let folder = folder();
    let path = folder.path().join("a.lock");
    let waiting = Waiting::default();
    let held = KernelLock::attempt(&path).unwrap().unwrap();
    assert!(waiting.acquire(&path, SHORT).await.is_err());
    drop(held);
    until(|| waiting.waiters(&path).is_none()).await;

    let held = waiting.acquire(&path, LONG).await.unwrap();
    let release = async {
        until(|| waiting.waiters(&path) == Some(2)).await;
        tokio::time::sleep(SHORT * 2).await;
        drop(held);
    };
    let (late, next, ()) = tokio::join!(waiting.acquire(&path, SHORT), waiting.acquire(&path, LONG), release);
    assert!(matches!(late, Err(LockError::TimedOut { .. })), "{late:?}");
    drop(next.unwrap());
    until(|| waiting.waiters(&path).is_none()).await;
}

/// G31: a thousand waiters have one thread, and it leaves with the last of them.
#[tokio::test]
async fn a_thousand_waiters_have_one_thread() {
    let folder = folder();
    let path = folder.path().join("a.lock");
    let waiting = Waiting::default();
    let held = KernelLock::attempt(&path).unwrap().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let (waiting, path) = (waiting.clone(), path.clone());
        tasks.spawn(async move { drop(waiting.acquire(&path, LONG).await.unwrap()) });
    }
    until(|| waiting.waiters(&path).is_some_and(|count| count >= 999)).await;
    assert_eq!(threads_in(&path).await, 1);
    drop(held);
    tasks.join_all().await;
    until(|| waiting.waiters(&path).is_none()).await;
}

/// G31: while a lock is stuck, those who gave it up leave nothing behind.
#[tokio::test]
async fn those_who_gave_a_stuck_lock_up_do_not_gather() {
    let folder = folder();
    let path = folder.path().join("a.lock");
    let waiting = Waiting::default();
    let _held = KernelLock::attempt(&path).unwrap().unwrap();
    for _ in 0..20 {
        assert!(waiting.acquire(&path, Duration::from_millis(1)).await.is_err());
    }
    let left = waiting.waiters(&path).unwrap();
    assert!(left <= 2, "{left} are still there");
}

/// G13, G8: a lock that cannot be used fails each waiter, and the next to come starts anew.
#[tokio::test]
async fn a_lock_that_breaks_while_it_is_waited_for_fails_those_who_wait() {
    let folder = folder();
    let path = folder.path().join("a.lock");
    let waiting = Waiting::default();
    let held = KernelLock::attempt(&path).unwrap().unwrap();
    let waits = |number: u32| {
        let (waiting, path) = (waiting.clone(), path.clone());
        async move { (number, waiting.acquire(&path, LONG).await) }
    };
    let breaks = async {
        until(|| waiting.waiters(&path).is_some_and(|count| count >= 1)).await;
        // The thread waits on the file that was there; the name then leads elsewhere.
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        drop(held);
    };
    let (one, two, ()) = tokio::join!(waits(1), waits(2), breaks);
    for (number, result) in [one, two] {
        assert!(matches!(result, Err(LockError::Unusable { .. })), "{number}: {result:?}");
    }
    until(|| waiting.waiters(&path).is_none()).await;
    std::fs::remove_file(&path).unwrap();
    drop(waiting.acquire(&path, LONG).await.unwrap());
}

async fn until(holds: impl Fn() -> bool) {
    let end = std::time::Instant::now() + LONG;
    while !holds() {
        assert!(std::time::Instant::now() < end, "it never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How many threads of this process have this lock file open to wait for it, by the kernel's own list of locks.
async fn threads_in(path: &Path) -> usize {
    use std::os::unix::fs::MetadataExt;
    let inode = format!(":{} ", std::fs::metadata(path).unwrap().ino());
    let waiting = || {
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        locks.lines().filter(|line| line.contains("->") && line.contains(&inode)).count()
    };
    until(|| waiting() > 0).await;
    waiting()
}
