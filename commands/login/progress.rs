//! What is shown while a person is waited for.
//!
//! Owns the one line that is redrawn at a terminal. Invariants: where standard error is no terminal nothing is redrawn, and what is
//! waited for is said once; with `--quiet` nothing is. Must not: know what is waited for.

use std::io::{IsTerminal, Write};

use crate::terminal;

/// Takes the cursor to the line's beginning, and the line away.
const CLEAR: &str = "\r\u{1b}[2K";

/// The line.
pub(super) struct Progress {
    is_redrawn: bool,
    shown: String,
}

impl Progress {
    pub fn new() -> Self {
        Self { is_redrawn: std::io::stderr().is_terminal() && !terminal::is_quiet(), shown: String::new() }
    }

    /// Shows `what` is waited for, with the seconds `left`. Where something `is_typed` meanwhile, the line is redrawn but once a
    /// minute, since that hides it.
    pub fn wait(&mut self, what: &str, left: i64, is_typed: bool) {
        let line = if self.is_redrawn { format!("{what} ({} left): ", time(left, is_typed)) } else { what.to_owned() };
        if line == self.shown {
            return;
        }
        // That nobody watches must end nothing.
        if self.is_redrawn {
            drop(write!(std::io::stderr(), "{CLEAR}{line}"));
            drop(std::io::stderr().flush());
        } else {
            crate::log::say(&line);
        }
        self.shown = line;
    }

    /// Takes the line away, for something else to be said.
    pub fn clear(&mut self) {
        if self.is_redrawn && !self.shown.is_empty() {
            drop(write!(std::io::stderr(), "{CLEAR}"));
            drop(std::io::stderr().flush());
            self.shown.clear();
        }
    }
}

/// So many seconds, in the words of a countdown.
fn time(left: i64, by_minutes: bool) -> String {
    let left = left.max(0);
    match (left / 60, left % 60) {
        (0, _) if by_minutes => "less than a minute".to_owned(),
        (minutes, _) if by_minutes => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_counted_down() {
        for (left, by_minutes, expected) in [
            (839, false, "13:59"),
            (60, false, "1:00"),
            (9, false, "0:09"),
            (-5, false, "0:00"),
            (839, true, "13 min"),
            (59, true, "less than a minute"),
        ] {
            assert_eq!(time(left, by_minutes), expected);
        }
    }
}
