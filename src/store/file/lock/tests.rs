//! The laws of the kernel locks, within one process; across processes they are shown in `tests/processes`.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

/// F2, G13
#[tokio::test]
async fn a_lock_file_is_private_and_never_a_symbolic_link() {
    let folder = folder();
    let path = folder.path().join("a.lock");
    let lock = Waiting::default().acquire(&path, LONG).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(lock);
    assert!(path.exists());

    let link = folder.path().join("b.lock");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let refused = Waiting::default().acquire(&link, LONG).await;
    assert!(matches!(refused, Err(LockError::Unusable { .. })), "{refused:?}");
}

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
    assert_eq!(waiting.queues.lock().unwrap().len(), 1);
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

/// G31
#[tokio::test]
async fn a_lock_that_comes_too_late_is_released_and_leaves_nothing_behind() {
    let folder = folder();
    let path = folder.path().join("a.lock");
    let waiting = Waiting::default();
    let held = KernelLock::attempt(&path).unwrap().unwrap();
    assert!(waiting.acquire(&path, SHORT).await.is_err());
    drop(held);
    let again = waiting.acquire(&path, LONG).await.unwrap();
    drop(again);
    for _ in 0..200 {
        if waiting.queues.lock().unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the queue is still there");
}

/// F2: a lock on a file that was removed and made anew is not taken for the lock.
#[test]
fn a_lock_file_that_was_replaced_is_locked_anew() {
    let folder = folder();
    let path = folder.path().join("a.lock");
    let first = KernelLock::attempt(&path).unwrap().unwrap();
    std::fs::remove_file(&path).unwrap();
    let second = KernelLock::attempt(&path).unwrap().unwrap();
    assert!(KernelLock::attempt(&path).unwrap().is_none());
    drop(first);
    assert!(KernelLock::attempt(&path).unwrap().is_none());
    drop(second);
    assert!(KernelLock::attempt(&path).unwrap().is_some());
}
