//! The bearer token: how a caller is admitted whose user id says nothing here, in a container with ids of its own say.
//!
//! Owns its file. Invariants: a file that others can read is no secret and admits nobody; what is compared is compared in
//! constant time. Must not: keep a token whose file is gone.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::secret::Secret;

/// The shortest that is taken, in characters: what 64 random bits need in hexadecimal.
const SHORTEST: usize = 16;
/// Bytes that are read at most.
const LONGEST: u64 = 4_096;

/// Why a bearer token cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// The file cannot be read.
    #[error("the bearer token in {path} cannot be read: {reason}; correct bearer_file under [tokens]")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// Others can read it, or could have written it.
    #[error("the bearer token in {path} is no secret: {why}: `chmod 600 {path}`, and make a new one")]
    Open {
        /// The file.
        path: String,
        /// Who can do what.
        why: String,
    },
    /// It is none.
    #[error(
        "what is in {path} is no bearer token: one line of {SHORTEST} characters or more, without spaces; make one with \
         `openssl rand -hex 32`"
    )]
    NoToken {
        /// The file.
        path: String,
    },
}

/// The bearer token in a file.
pub(super) struct Bearer {
    path: PathBuf,
    /// What was read last, and of which state of the file. Locked to look and to read, never across a wait.
    read: Mutex<(Stamp, Secret)>,
}

/// By which a changed file is known.
#[derive(PartialEq, Eq)]
struct Stamp(u64, u64, i64, i64, u64, u32);

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self(found.dev(), found.ino(), found.mtime(), found.mtime_nsec(), found.size(), found.mode())
    }
}

impl Bearer {
    /// The token in the file at `path`.
    pub fn open(path: &Path) -> Result<Self, BearerError> {
        Ok(Self { path: path.to_owned(), read: Mutex::new(read(path)?) })
    }

    /// Whether `shown` is the token that the file holds now.
    pub fn is(&self, shown: &Secret) -> bool {
        let mut last = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let is_unchanged = std::fs::metadata(&self.path).is_ok_and(|found| Stamp::of(&found) == last.0);
        if !is_unchanged {
            match read(&self.path) {
                Ok(read) => *last = read,
                Err(error) => {
                    tracing::warn!("{error}; until then it admits nobody");
                    return false;
                }
            }
        }
        last.1 == *shown
    }
}

fn read(path: &Path) -> Result<(Stamp, Secret), BearerError> {
    let shown = || path.display().to_string();
    let unreadable =
        |error: std::io::Error| BearerError::Unreadable { path: shown(), reason: error.to_string() };
    let file = File::open(path).map_err(unreadable)?;
    let found = file.metadata().map_err(unreadable)?;
    let (owner, me, mode) = (found.uid(), rustix::process::geteuid().as_raw(), found.mode() & 0o777);
    if owner != me && owner != 0 {
        return Err(BearerError::Open { path: shown(), why: format!("it belongs to user {owner}") });
    }
    if mode & 0o077 != 0 {
        return Err(BearerError::Open { path: shown(), why: format!("others may use it (mode {mode:o})") });
    }
    let mut text = String::new();
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    let token = Secret::new(text.trim());
    let is_one = |text: &str| text.len() >= SHORTEST && text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.len() as u64 > LONGEST || !is_one(token.expose()) {
        return Err(BearerError::NoToken { path: shown() });
    }
    Ok((Stamp::of(&found), token))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn write(path: &Path, text: &str, mode: u32) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    /// Z2
    #[test]
    fn a_file_that_others_can_read_is_no_secret() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("bearer");
        for (text, mode, words) in [
            ("0123456789abcdef\n", 0o640, "others may use it (mode 640)"),
            ("0123456789abcdef\n", 0o604, "others may use it (mode 604)"),
            ("0123456789abcde\n", 0o600, "16 characters or more"),
            ("0123456789 abcdef\n", 0o600, "without spaces"),
            ("0123456789abcdef\nfedcba9876543210\n", 0o600, "one line"),
            ("", 0o600, "openssl rand"),
            (&"a".repeat(5_000), 0o600, "one line"),
        ] {
            write(&path, text, mode);
            let error = Bearer::open(&path).map(drop).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            assert!(!error.contains("abcde"), "{error}");
        }
        assert!(
            Bearer::open(&temp.path().join("none")).map(drop).unwrap_err().to_string().contains("No such")
        );
    }

    /// Z2: a token that was changed or taken away holds no longer, without a restart.
    #[test]
    fn the_token_that_counts_is_the_one_in_the_file() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("bearer");
        write(&path, "0123456789abcdef\n", 0o600);
        let bearer = Bearer::open(&path).unwrap();
        let is = |text: &str| bearer.is(&Secret::new(text));
        assert_eq!((is("0123456789abcdef"), is("0123456789abcdeF"), is("")), (true, false, false));
        write(&path, "fedcba9876543210-2\n", 0o600);
        assert_eq!((is("0123456789abcdef"), is("fedcba9876543210-2")), (false, true));
        write(&path, "fedcba9876543210-2\n", 0o644);
        assert!(!is("fedcba9876543210-2"));
        std::fs::remove_file(&path).unwrap();
        assert!(!is("fedcba9876543210-2"));
    }
}
