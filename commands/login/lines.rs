//! Lines that a person types or pastes.
//!
//! Owns the reading of standard input, on a thread of its own: nothing else waits for it. Invariants: a line is bounded; what was read
//! is wiped with the text that holds it, and is never logged. Must not: understand it.

use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::os::fd::AsFd;

use latchkey::secret::Secret;
use rustix::fs::FileType;
use tokio::sync::mpsc::{Receiver, channel};

/// The longest line that is read, in bytes: more than any answer.
const LONGEST: u64 = 16_384;

/// The lines of standard input, as they come; over at its end.
pub(super) struct Lines(Option<Receiver<Secret>>);

/// Whether somebody, or a program, may write to standard input: it is a terminal, a pipe or a socket.
pub(super) fn may_come() -> bool {
    let input = std::io::stdin();
    let kind = rustix::fs::fstat(input.as_fd()).map(|stat| FileType::from_raw_mode(stat.st_mode));
    input.is_terminal() || matches!(kind, Ok(FileType::Fifo | FileType::Socket))
}

impl Lines {
    /// None are read yet.
    pub fn unread() -> Self {
        Self(None)
    }

    /// The next line; `None` at the end. Where nobody writes, that is never.
    pub async fn next(&mut self) -> Option<Secret> {
        self.0.get_or_insert_with(read).recv().await
    }
}

/// Whatever waits for input at the end of the program is left: the thread holds nothing.
fn read() -> Receiver<Secret> {
    let (sender, receiver) = channel(1);
    std::thread::spawn(move || {
        let mut input = BufReader::new(std::io::stdin());
        loop {
            let mut line = Vec::new();
            match input.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let text = Secret::new(String::from_utf8_lossy(&line).trim());
            if sender.blocking_send(text).is_err() {
                return;
            }
        }
    });
    receiver
}
