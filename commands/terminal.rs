//! What kind of a place the program speaks to: a person at a terminal, or a program.
//!
//! Owns whether there is colour, how wide lines may be, whether somebody can be asked, what `--quiet` leaves unsaid, and the way of
//! reports to standard output. Invariants: where `NO_COLOR` is set to something there is no colour (no-color.org), and none where
//! the output is no terminal, unless `CLICOLOR_FORCE` says so; errors are never left unsaid; a reader who has left is no error.

use std::io::{ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;

use crate::exit::{Code, Exit};

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
    colour(&|name| std::env::var(name).ok(), std::io::stdout().is_terminal())
}

/// Whether what is written to standard error may be coloured.
pub fn are_errors_coloured() -> bool {
    colour(&|name| std::env::var(name).ok(), std::io::stderr().is_terminal())
}

/// The habit, as clap has it for its help: `NO_COLOR`, then `CLICOLOR_FORCE`, then whether it is a terminal that shows colours, and
/// `CLICOLOR`.
fn colour(env: &dyn Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let value = |name: &str| env(name).filter(|value| !value.is_empty());
    if value("NO_COLOR").is_some() {
        return false;
    }
    if value("CLICOLOR_FORCE").is_some_and(|forced| forced != "0") {
        return true;
    }
    is_terminal
        && value("TERM").is_some_and(|term| term != "dumb")
        && value("CLICOLOR").is_none_or(|wanted| wanted != "0")
}

/// Whether somebody can be asked: standard input and standard error are both terminals.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Whether lines that stand on `stream` can be drawn over.
pub fn is_redrawn(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var("TERM").is_ok_and(|term| !matches!(&*term, "" | "dumb"))
}

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How wide a line is.
    pub columns: usize,
    /// How many lines there are.
    pub rows: usize,
}

/// The size of the terminal that standard output is; none where it is none.
pub fn size() -> Option<Size> {
    size_of(&std::io::stdout())
}

/// The size of the terminal that `stream` is; none where it is none.
pub fn size_of(stream: &(impl IsTerminal + AsFd)) -> Option<Size> {
    if !stream.is_terminal() {
        return None;
    }
    let known = rustix::termios::tcgetwinsize(stream).ok();
    let known = known.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    Some(known.map_or(Size { columns: 80, rows: 24 }, |size| Size {
        columns: size.ws_col.into(),
        rows: size.ws_row.into(),
    }))
}

/// Prints a report on standard output, with a line's end; nothing for nothing. That its reader has left is no error: they had what
/// they wanted.
pub fn print(text: &str) -> Result<(), Exit> {
    print_raw(&match text.trim_end() {
        "" => String::new(),
        text => format!("{text}\n"),
    })
    .map(drop)
}

/// Prints `text` as it is. Says whether somebody still reads.
pub fn print_raw(text: &str) -> Result<bool, Exit> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(unwritten(&error)),
    }
}

/// How it ends where standard output takes nothing.
pub fn unwritten(error: &std::io::Error) -> Exit {
    Exit::new(Code::Internal, format!("cannot write to standard output: {error}"))
}

/// Whether the reader of standard output has left, as far as a pipe or socket tells without being written to.
pub fn has_reader_left() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let output = std::io::stdout();
    let mut polled = [PollFd::new(&output, PollFlags::empty())];
    let left = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok()
        && polled[0].revents().intersects(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// no-color.org, and the order that clap keeps for help and usage.
    #[test]
    fn colour_is_for_terminals_that_want_it() {
        let term = ("TERM", "xterm");
        for (env, is_terminal, expected) in [
            (&[term][..], true, true),
            (&[term], false, false),
            (&[], true, false),
            (&[("TERM", "dumb")], true, false),
            (&[term, ("NO_COLOR", "1")], true, false),
            (&[term, ("NO_COLOR", "")], true, true),
            (&[term, ("CLICOLOR", "0")], true, false),
            (&[term, ("CLICOLOR", "1")], true, true),
            (&[("CLICOLOR_FORCE", "1")], false, true),
            (&[term, ("CLICOLOR_FORCE", "0")], false, false),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true, false),
        ] {
            let find = |name: &str| {
                env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(colour(&find, is_terminal), expected, "{env:?} on a terminal: {is_terminal}");
        }
    }
}
