//! What `latchkey check` finds of sealing: whether it is on, and who may read its keys.
//!
//! Owns the weight of each state. Invariant: the words are those of `latchkey seal status`. Must not: open anything for good.

use latchkey::config::{Config, SealKeySource};
use latchkey::store::seal::{Keys, SealStanding, look_at_file};

use super::Level;
use crate::seal::standing::{State, judged, told};
use crate::setup;

/// What there is to say, and how much it weighs.
pub(super) fn found(config: &Config, standing: Option<&SealStanding>) -> Vec<(Level, String)> {
    let mut found: Vec<_> =
        standing.map(|standing| (level(judged(standing)), told(standing))).into_iter().collect();
    found.extend(config.store.seal_key.as_ref().and_then(readable_by_all).map(|text| (Level::Warning, text)));
    found
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
fn readable_by_all(source: &SealKeySource) -> Option<String> {
    let path = Keys::file_of(source, &setup::environment)?;
    // Whether it can be used at all is the store's to tell.
    let file = look_at_file(&path).ok().filter(|file| file.is_read_by_all)?;
    let shown = file.path.display();
    Some(format!(
        "{shown} can be read by everybody on this host: `chmod 600 {shown}`, unless it is mounted so for this container alone"
    ))
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
