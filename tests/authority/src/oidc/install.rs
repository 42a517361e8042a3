//! Puts the npm packages of the server in place: once, however many tests start at once.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// An installation takes seconds; a slow registry, a minute or two.
const PATIENCE: Duration = Duration::from_mins(4);

/// The folder with the server's script.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("oidc")
}

/// Installs the packages that the lock file names, unless they are there.
pub(crate) fn ready() -> Result<(), String> {
    if installed() {
        return Ok(());
    }
    // The lock goes by the open file and ends with it, so a killed test leaves nothing behind.
    let lock =
        File::open(folder().join("package-lock.json")).map_err(|e| format!("package-lock.json: {e}"))?;
    let end = Instant::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < end => sleep(Duration::from_millis(100)),
            Err(TryLockError::WouldBlock) => {
                return Err("another test has been installing for minutes".into());
            }
            Err(TryLockError::Error(error)) => return Err(format!("lock of package-lock.json: {error}")),
        }
    }
    if installed() { Ok(()) } else { install(end) }
}

/// npm writes this file last.
fn installed() -> bool {
    folder().join("node_modules/.package-lock.json").is_file()
}

fn install(end: Instant) -> Result<(), String> {
    let mut npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("npm cannot be run ({error}); install Node.js 20 or newer with npm"))?;
    loop {
        match npm.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("`npm ci` failed in tests/authority/oidc: {status}")),
            Ok(None) if Instant::now() < end => sleep(Duration::from_millis(100)),
            Ok(None) => {
                // It may have ended by itself in the meantime; either way it is gone after this.
                let _ = npm.kill();
                let _ = npm.wait();
                return Err("`npm ci` took too long".into());
            }
            Err(error) => return Err(format!("`npm ci`: {error}")),
        }
    }
}
