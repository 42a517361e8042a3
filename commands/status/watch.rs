//! `latchkey status --watch`: the same, at the start and at every change.
//!
//! Owns the loop. Invariants: it ends without an error when it is told to, by Ctrl-C or another signal, and when its reader has left,
//! at once and not at the next change; on a terminal the page is redrawn where it stands, elsewhere each is printed below the last.

use std::cell::Cell;
use std::sync::mpsc;
use std::time::Duration;

use latchkey::broker::Overview;
use latchkey::clock::Clock;
use tokio::signal::unix::{SignalKind, signal};

use super::chosen::Chosen;
use super::page;
use super::source::Source;
use super::table::Look;
use crate::exit::{Code, Exit};
use crate::terminal::{self, Size};

/// Shows what `source` says until somebody ends it.
pub fn run(source: &mut Source, chosen: &Chosen, json: bool) -> Result<(), Exit> {
    let ended = until_told_to_end()?;
    let was_told = Cell::new(false);
    let goes_on = |bound| {
        was_told.set(was_told.get() || ended.recv_timeout(bound).is_ok());
        !was_told.get()
    };
    let mut drawing = Drawing { json, ..Drawing::default() };
    let mut shown = Some(source.overview()?);
    loop {
        if !drawing.show(shown.map(|shown| chosen.of(shown)), chosen)? || terminal::has_reader_left() {
            return Ok(());
        }
        shown = source.news(&goes_on)?;
        if !goes_on(Duration::ZERO) {
            return drawing.leave();
        }
    }
}

/// Hears of the first signal that asks us to end.
fn until_told_to_end() -> Result<mpsc::Receiver<()>, Exit> {
    let internal =
        |error: std::io::Error| Exit::new(Code::Internal, format!("cannot wait for signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(internal)?;
    let (tell, ended) = mpsc::channel();
    let guard = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt()).map_err(internal)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(internal)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(internal)?;
    drop(guard);
    // Ends with the process.
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        // Nobody waits any more where the reader has left.
        let _ = tell.send(());
    });
    Ok(ended)
}

/// What stands on the screen, or was printed last.
#[derive(Default)]
struct Drawing {
    json: bool,
    last: Option<Overview>,
    /// The page that is drawn on a terminal.
    drawn: Option<String>,
    /// Lines that can be drawn over.
    lines: usize,
}

impl Drawing {
    /// Shows `news`, or the last once more where only time has passed. Says whether somebody still looks.
    fn show(&mut self, news: Option<Overview>, chosen: &Chosen) -> Result<bool, Exit> {
        let has_changed = news.is_some() && self.last != news;
        let Some(shown) = news.or_else(|| self.last.take()) else { return Ok(true) };
        let seen = if terminal::is_redrawn(&std::io::stdout()) && !self.json {
            self.redraw(&page(&shown, chosen, Clock::system().now(), &Look::here()))?
        } else if has_changed {
            terminal::print_raw(&self.below(&shown, chosen)?)?
        } else {
            true
        };
        self.last = Some(shown);
        Ok(seen)
    }

    /// What is printed below the last.
    fn below(&self, shown: &Overview, chosen: &Chosen) -> Result<String, Exit> {
        if self.json {
            let line = serde_json::to_string(shown).map_err(|error| Exit::new(Code::Internal, error))?;
            return Ok(line + "\n");
        }
        let now = Clock::system().now();
        let page = page(shown, chosen, now, &Look::here());
        let heading = match (terminal::is_quiet(), u64::try_from(now)) {
            (false, Ok(now)) => {
                let at = std::time::UNIX_EPOCH + Duration::from_secs(now);
                format!("{}\n", humantime::format_rfc3339_seconds(at))
            }
            _ => String::new(),
        };
        let gap = if self.last.is_some() { "\n" } else { "" };
        Ok(if page.is_empty() { String::new() } else { format!("{gap}{heading}{page}\n") })
    }

    /// Draws `page` over what stands there, with no more lines than the terminal has.
    fn redraw(&mut self, page: &str) -> Result<bool, Exit> {
        let rows = terminal::size().map_or(24, |Size { rows, .. }| rows);
        let page = fitted(page, rows.saturating_sub(1).max(1));
        if self.drawn.as_ref() == Some(&page) {
            return Ok(true);
        }
        let up = if self.lines > 0 { format!("\u{1b}[{}A", self.lines) } else { String::new() };
        self.lines = page.lines().count();
        let seen = terminal::print_raw(&format!("\r{up}\u{1b}[J{page}"));
        self.drawn = Some(page);
        seen
    }

    /// Leaves the cursor on a line of its own.
    fn leave(&self) -> Result<(), Exit> {
        if self.lines > 0 { terminal::print_raw("\n").map(drop) } else { Ok(()) }
    }
}

/// The first lines of `page`, `most` of them, the last saying how many are missing.
fn fitted(page: &str, most: usize) -> String {
    let count = page.lines().count();
    let mut lines: Vec<_> = page.lines().map(str::to_owned).collect();
    if count > most {
        lines.truncate(most - 1);
        lines.push(format!("… {} lines more: see `latchkey status`", count - (most - 1)));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_no_longer_than_the_screen() {
        assert_eq!(fitted("a\nb\nc", 3), "a\nb\nc\n");
        assert_eq!(fitted("a\nb\nc\nd", 3), "a\nb\n… 2 lines more: see `latchkey status`\n");
        assert_eq!(fitted("", 3), "");
    }
}
