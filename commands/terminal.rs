//! What kind of a place the program speaks to: a person at a terminal, or a program.
//!
//! Owns whether there is colour, whether somebody can be asked, and what `--quiet` leaves unsaid. Invariants: where `NO_COLOR` is
//! set to something there is no colour (no-color.org), and none where the output is no terminal; errors are never left unsaid.

use std::io::IsTerminal;
use std::sync::OnceLock;

static QUIET: OnceLock<bool> = OnceLock::new();

/// Notes once, at the start, whether everything but errors and data is to be left unsaid.
pub fn set_quiet(quiet: bool) {
    // A second word changes nothing.
    let _ = QUIET.set(quiet);
}

/// Whether everything but errors and data is to be left unsaid.
pub fn is_quiet() -> bool {
    QUIET.get().copied().unwrap_or(false)
}

/// Whether what is written to standard output may be coloured.
pub fn is_coloured() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        && std::io::stdout().is_terminal()
}

/// Whether somebody can be asked: standard input and standard error are both terminals.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
