//! Lines that a person types or pastes.
//!
//! Owns the reading of standard input, on a thread of its own: nothing else waits for it. Invariants: a line is bounded; what was read
//! is wiped with the text that holds it, and is never logged; what was typed before [`Lines::discard`] never comes after it. Must not:
//! understand it.

use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use latchkey::secret::Secret;
use rustix::fs::FileType;
use rustix::termios::QueueSelector;
use tokio::sync::mpsc::{Receiver, channel};

/// The longest line that is read, in bytes: more than any answer.
const LONGEST: u64 = 16_384;

/// The lines of standard input, as they come; over at its end.
pub(super) struct Lines {
    read: Option<Receiver<Line>>,
    /// How often what was typed was thrown away.
    age: Arc<AtomicU64>,
}

/// A line, and the age at which it was read.
struct Line(u64, Secret);

/// Whether somebody, or a program, may write to standard input: it is a terminal, a pipe or a socket.
pub(super) fn may_come() -> bool {
    let input = std::io::stdin();
    let kind = rustix::fs::fstat(input.as_fd()).map(|stat| FileType::from_raw_mode(stat.st_mode));
    input.is_terminal() || matches!(kind, Ok(FileType::Fifo | FileType::Socket))
}

impl Lines {
    /// None are read yet.
    pub fn unread() -> Self {
        Self { read: None, age: Arc::default() }
    }

    /// The next line; `None` at the end. Where nobody writes, that is never.
    pub async fn next(&mut self) -> Option<Secret> {
        let lines = self.read.get_or_insert_with(|| read(Arc::clone(&self.age)));
        loop {
            let Line(age, text) = lines.recv().await?;
            if age == self.age.load(Ordering::SeqCst) {
                return Some(text);
            }
        }
    }

    /// Throws away what was typed at the terminal until now, be it read or not, and the beginning of a line too.
    pub fn discard(&mut self) {
        // Where it is no terminal, there is nothing that a person typed ahead.
        let _ = rustix::termios::tcflush(std::io::stdin(), QueueSelector::IFlush);
        self.age.fetch_add(1, Ordering::SeqCst);
    }
}

/// Whatever waits for input at the end of the program is left: the thread holds nothing.
fn read(age: Arc<AtomicU64>) -> Receiver<Line> {
    let (sender, receiver) = channel(1);
    std::thread::spawn(move || {
        let mut input = BufReader::new(std::io::stdin());
        loop {
            let mut line = Vec::new();
            match input.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            // Before anything else, since the line may wait long for the one before it to be taken.
            let read_at = age.load(Ordering::SeqCst);
            let text = Secret::new(String::from_utf8_lossy(&line).trim());
            if sender.blocking_send(Line(read_at, text)).is_err() {
                return;
            }
        }
    });
    receiver
}
