//! `--take`: the refresh tokens leave the other program's file, which is kept aside first.
//!
//! Owns when it is replaced. Invariants: the copy is durable before the file is touched, and replaces no earlier copy; the
//! file is replaced whole or not at all; one that changed since it was read is left alone. Must not: be called before the
//! import is durable.

use std::io;
use std::path::{Path, PathBuf};

use latchkey::foreign::{ForeignError, Place};
use latchkey::import::blank;
use latchkey::secret::Secret;

/// What is put behind the name of the copy.
const ASIDE: &str = "imported";
/// It keeps the permissions that it has.
const ANY_MODE: u32 = 0o777;

/// Why the tokens are still in the file. They are imported all the same.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The file could not be read or replaced.
    #[error(transparent)]
    File(ForeignError),
    /// It could not be copied.
    #[error("cannot keep a copy of it aside: {0}")]
    Aside(io::Error),
    /// Somebody wrote it meanwhile.
    #[error(
        "it changed since it was read, so its program is running, and may have spent what was imported: stop it, and import again"
    )]
    Changed,
    /// A token stands there in a spelling that cannot be replaced.
    #[error("a token stands there in an unusual spelling: blank it by hand")]
    Spelling,
}

impl From<ForeignError> for TakeError {
    fn from(error: ForeignError) -> Self {
        match error {
            ForeignError::Changed => Self::Changed,
            error => Self::File(error),
        }
    }
}

/// Blanks `tokens` in the file at `path`, which held `read` when it was read. Gives the copy's path.
pub fn take(path: &Path, read: &[u8], tokens: &[Secret]) -> Result<PathBuf, TakeError> {
    // What a link leads to is replaced, not the link.
    let place = Place::of_caller(path)?;
    let now = place.read()?.filter(|now| now.bytes == read).ok_or(TakeError::Changed)?;
    let text = std::str::from_utf8(read).map_err(|_| TakeError::Spelling)?;
    let blanked = blank(text, tokens).ok_or(TakeError::Spelling)?;
    let prepared = place.prepare(Some(&now), blanked.as_bytes(), ANY_MODE)?;
    let aside = place.keep_aside(read, ASIDE).map_err(TakeError::Aside)?;
    prepared.put()?;
    Ok(aside.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F6: what its program wrote meanwhile is not lost, and no copy is made of it.
    #[test]
    fn a_file_that_changed_since_it_was_read_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.json");
        std::fs::write(&path, "{\"refresh_token\": \"rt-2\"}").unwrap();
        let taken = take(&path, b"{\"refresh_token\": \"rt-1\"}", &["rt-1".into()]);
        assert!(matches!(taken, Err(TakeError::Changed)), "{taken:?}");
        let spelt = b"{\"refresh_token\": \"rt\\u002d1\"}";
        std::fs::write(&path, spelt).unwrap();
        let taken = take(&path, spelt, &["rt-1".into()]);
        assert!(matches!(taken, Err(TakeError::Spelling)), "{taken:?}");
        assert_eq!(std::fs::read(&path).unwrap(), spelt);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
