//! Lines from a caller, bounded in size and time.
//!
//! Owns the framing. Invariants: no more than [`LONGEST`] bytes of a line are ever held; a line that was begun ends soon or not at
//! all; what was read is kept when the wait for more is given up. Must not: look into a line.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

/// The longest line, in bytes.
pub(super) const LONGEST: usize = 16 * 1_024;
/// How long a line may take from its first byte to its end.
pub(super) const LINE_BOUND: Duration = Duration::from_secs(10);
/// Bytes that there is room for at each reading.
const CHUNK: usize = 2_048;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A line, without its break.
    Line(Vec<u8>),
    /// More than a line may be.
    TooLong,
    /// Half a line, and then too little.
    Dawdled,
    /// Nothing at all for as long as the caller may be silent.
    Silent,
    /// The caller says no more.
    End,
}

/// The lines that come over `from`.
pub(super) struct Lines<R> {
    from: R,
    held: Vec<u8>,
    /// Bytes of `held` in which there is no line break.
    looked: usize,
    /// When the line that `held` begins with was begun.
    begun: Option<Instant>,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub fn new(from: R) -> Self {
        Self { from, held: Vec::new(), looked: 0, begun: None, ended: false }
    }

    /// Where the lines come from.
    pub fn source(&self) -> &R {
        &self.from
    }

    /// The next line. Nobody waits longer than until `silent` for its first byte. Can be dropped at any time.
    pub async fn next(&mut self, silent: Option<Instant>) -> Heard {
        loop {
            if let Some(at) = self.held[self.looked..].iter().position(|byte| *byte == b'\n') {
                let end = self.looked + at;
                if end > LONGEST {
                    return Heard::TooLong;
                }
                return Heard::Line(self.cut(end));
            }
            self.looked = self.held.len();
            if self.held.len() > LONGEST {
                return Heard::TooLong;
            }
            if self.ended {
                return if self.held.is_empty() { Heard::End } else { Heard::Line(self.cut(self.looked)) };
            }
            let bound = self.begun.map(|begun| begun + LINE_BOUND).or(silent);
            self.held.reserve(CHUNK);
            let reading = self.from.read_buf(&mut self.held);
            let read = match bound {
                None => reading.await,
                Some(bound) => match timeout_at(bound, reading).await {
                    Ok(read) => read,
                    Err(_) if self.begun.is_some() => return Heard::Dawdled,
                    Err(_) => return Heard::Silent,
                },
            };
            match read {
                Ok(0) | Err(_) => self.ended = true,
                Ok(_) => {
                    self.begun.get_or_insert_with(Instant::now);
                }
            }
        }
    }

    /// Takes what is before `end`, and the break there.
    fn cut(&mut self, end: usize) -> Vec<u8> {
        let rest = self.held.split_off((end + 1).min(self.held.len()));
        let mut line = std::mem::replace(&mut self.held, rest);
        line.truncate(end);
        self.looked = 0;
        self.begun = (!self.held.is_empty()).then(Instant::now);
        line
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn heard(said: &[u8]) -> Vec<Heard> {
        let (mut caller, from) = tokio::io::duplex(64 * 1_024);
        caller.write_all(said).await.unwrap();
        drop(caller);
        let mut lines = Lines::new(from);
        let mut all = Vec::new();
        loop {
            all.push(lines.next(None).await);
            if !matches!(all.last(), Some(Heard::Line(_))) {
                return all;
            }
        }
    }

    fn line(text: &str) -> Heard {
        Heard::Line(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn lines_are_cut_at_breaks_and_at_the_end() {
        assert_eq!(heard(b"").await, [Heard::End]);
        assert_eq!(heard(b"a\n\nbc\nd").await, [line("a"), line(""), line("bc"), line("d"), Heard::End]);
        let longest = "x".repeat(LONGEST);
        assert_eq!(
            heard(format!("{longest}\nb\n").as_bytes()).await,
            [line(&longest), line("b"), Heard::End]
        );
        assert_eq!(heard(format!("a\n{longest}x\n").as_bytes()).await, [line("a"), Heard::TooLong]);
        assert_eq!(heard(format!("{longest}x").as_bytes()).await, [Heard::TooLong]);
    }

    /// An endless line costs what the longest one does.
    #[tokio::test]
    async fn no_more_is_held_than_a_line_may_be() {
        let mut lines = Lines::new(tokio::io::repeat(b'x'));
        assert_eq!(lines.next(None).await, Heard::TooLong);
        assert!(lines.held.capacity() <= 4 * LONGEST, "{}", lines.held.capacity());
    }

    /// A byte now and then does not prolong a line, and a wait that was given up loses nothing of it.
    #[tokio::test(start_paused = true)]
    async fn a_line_that_was_begun_ends_soon_or_not_at_all() {
        let (mut caller, from) = tokio::io::duplex(64);
        let mut lines = Lines::new(from);
        let silent = Instant::now() + Duration::from_secs(60);
        assert_eq!(lines.next(Some(silent)).await, Heard::Silent);
        caller.write_all(b"ha").await.unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(4), lines.next(None)).await.is_err());
        caller.write_all(b"lf\nha").await.unwrap();
        assert_eq!(lines.next(None).await, line("half"));
        let began = Instant::now();
        let dripping = async {
            loop {
                caller.write_all(b"x").await.unwrap();
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
        };
        tokio::select! {
            heard = lines.next(None) => assert_eq!(heard, Heard::Dawdled),
            () = dripping => {}
        }
        assert_eq!(began.elapsed().as_secs(), LINE_BOUND.as_secs());
    }
}
