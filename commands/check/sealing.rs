//! Whether what is secret in the store is sealed, and who may read the keys.
//!
//! Owns the findings on sealing and the weight of each state. Invariant: the words are those of `latchkey seal status`. Must not:
//! show a key, or open anything for good.

use latchkey::config::{Config, SealKeySource};
use latchkey::store::file::FileStore;
use latchkey::store::seal::{Keys, look_at_file};

use super::finding::{Finding, Level};
use crate::exit::Code;
use crate::seal::standing::{State, judged, kept_aside, told};
use crate::setup;

const PART: &str = "sealing";

/// What there is to say; of a store that cannot be read, only what concerns the keys: the rest is told of the store.
pub(super) fn look(config: &Config, store: Option<&FileStore>) -> Vec<Finding> {
    let standing = store.and_then(|store| store.seal_standing().ok());
    let mut found = Vec::new();
    if let Some(standing) = standing {
        found.push(Finding::told(level(judged(&standing)), PART, Code::Store, &told(&standing)));
        let remedy =
            "make room on the disk, or put its rights right; the next refresh of its tenant stores it";
        found.extend(kept_aside(&standing).map(|aside| Finding::warning(PART, aside, remedy)));
    }
    found.into_iter().chain(config.store.seal_key.as_ref().and_then(readable_by_all)).collect()
}

/// Off is as it comes, and no fault: it is told as a note.
fn level(state: State) -> Level {
    match state {
        State::Off | State::Sealed => Level::Ok,
        State::Waiting | State::Mixed => Level::Warning,
        State::Unopened => Level::Problem,
    }
}

/// A key that everybody on this host can read keeps the file from nobody there.
fn readable_by_all(source: &SealKeySource) -> Option<Finding> {
    let path = Keys::file_of(source, &setup::environment)?;
    // Whether it can be used at all is the store's to tell.
    let file = look_at_file(&path).ok().filter(|file| file.is_read_by_all)?;
    let shown = file.path.display();
    let remedy = format!("`chmod 600 {shown}`, unless it is mounted so for this container alone");
    Some(Finding::warning(PART, "the keys can be read by everybody on this host", remedy).at(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sealing: only what loses a sign-in is a problem; what mends itself is a warning.
    #[test]
    fn each_state_has_its_weight() {
        let weights = [State::Off, State::Sealed, State::Waiting, State::Mixed, State::Unopened].map(level);
        assert_eq!(weights, [Level::Ok, Level::Ok, Level::Warning, Level::Warning, Level::Problem]);
    }
}
