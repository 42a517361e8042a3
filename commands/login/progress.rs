//! What is shown while a person is waited for.
//!
//! Owns the one line that is redrawn at a terminal. Invariants: where standard error is no terminal that can do that nothing is
//! redrawn, and what is waited for is said once; the line never wraps, since only its last part would be taken away; with `--quiet` nothing is. Must not: know what is waited for.

use std::io::Write;

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
        let is_redrawn = terminal::is_redrawn(&std::io::stderr()) && !terminal::is_quiet();
        Self { is_redrawn, shown: String::new() }
    }

    /// Shows `what` is waited for, with the seconds `left`. Where something `is_typed` meanwhile, the line is redrawn but once a
    /// minute, since that hides it.
    pub fn wait(&mut self, what: &str, left: i64, is_typed: bool) {
        let line = if self.is_redrawn {
            let columns = terminal::size_of(&std::io::stderr()).map_or(80, |size| size.columns);
            within(columns, what, &format!(" ({} left): ", time(left, is_typed)))
        } else {
            what.to_owned()
        };
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

/// `what` and the time, in less than so many `columns`: what is waited for gives way, and then the time.
fn within(columns: usize, what: &str, time: &str) -> String {
    let room = columns.saturating_sub(1);
    let left = room.saturating_sub(time.chars().count());
    if what.chars().count() <= left {
        return format!("{what}{time}");
    }
    let cut: String = what.chars().take(left.saturating_sub(1)).collect();
    format!("{cut}\u{2026}{time}").chars().take(room).collect()
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

    /// A line that wraps cannot be taken away, and scrolls the terminal.
    #[test]
    fn the_line_is_narrower_than_the_terminal() {
        for (columns, expected) in [
            (80, "waiting for you (9:59 left): "),
            (30, "waiting for you (9:59 left): "),
            (29, "waiting for y\u{2026} (9:59 left): "),
            (16, "\u{2026} (9:59 left): "),
            (6, "\u{2026} (9:"),
            (0, ""),
        ] {
            assert_eq!(within(columns, "waiting for you", " (9:59 left): "), expected, "{columns}");
        }
    }
}
