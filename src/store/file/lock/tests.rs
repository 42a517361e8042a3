//! The laws of one kernel lock; across processes they are shown in `tests/processes`.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// F2, G13
#[test]
fn a_lock_file_is_private_and_never_a_symbolic_link() {
    let folder = folder();
    let path = folder.path().join("a.lock");
    let lock = KernelLock::wait(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(lock);
    assert!(path.exists());

    let link = folder.path().join("b.lock");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for refused in [KernelLock::wait(&link).map(Some), KernelLock::attempt(&link)] {
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("b.lock") && text.ends_with("it must not be a symbolic link"), "{text}");
    }
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
