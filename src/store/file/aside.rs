//! Copies of auth files that cannot be read, for whoever repairs them (F6).
//!
//! Owns their names: `<auth file>.corrupt-<hash>`. Invariants: a copy is whole or it is not there; no copy is ever
//! overwritten. Must not: touch the auth file, or be called without the store lock.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::ground::Places;
use super::lock::KernelLock;
use super::replace::temporary;
use crate::secret::hex;

/// How many files that are no copy may stand where a copy would.
const NAMES: u32 = 100;

/// Copies `bytes` aside. Gives a clause that says what became of it, to stand in the middle of a sentence.
pub(super) fn copy(held: &KernelLock, places: &Places, bytes: &[u8]) -> String {
    match copied(held, places, bytes) {
        Ok(path) => format!("a copy is at {}; ", path.display()),
        Err(error) => format!("it could not be copied aside ({error}); "),
    }
}

fn copied(held: &KernelLock, places: &Places, bytes: &[u8]) -> io::Result<PathBuf> {
    let hash = hex(&Sha256::digest(bytes));
    let mut whole = None;
    for number in 1..=NAMES {
        let path = candidate(places, &hash, number);
        if holds(&path, bytes)? {
            return Ok(path);
        }
        let copy = match whole.take() {
            Some(copy) => copy,
            None => temporary(held, places, bytes)?,
        };
        match copy.persist_noclobber(&path) {
            Ok(_) => {
                File::open(&places.folder)?.sync_all()?;
                return Ok(path);
            }
            Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => whole = Some(taken.file),
            Err(refused) => return Err(refused.error),
        }
    }
    Err(io::Error::other(format!("there are {NAMES} other files of that name")))
}

fn candidate(places: &Places, hash: &str, number: u32) -> PathBuf {
    let mut name = OsString::from(&places.file);
    name.push(format!(".corrupt-{}", hash.get(..16).unwrap_or(hash)));
    if number > 1 {
        name.push(format!("-{number}"));
    }
    PathBuf::from(name)
}

/// Whether the file at `path` is a whole copy of `bytes`.
fn holds(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if !std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) {
        return Ok(false);
    }
    let mut found = Vec::new();
    File::open(path)?.take(bytes.len() as u64 + 1).read_to_end(&mut found)?;
    Ok(found == bytes)
}
