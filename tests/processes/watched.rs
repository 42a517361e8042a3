//! A run of the program whose standard error is read as it comes, so that a test can wait for what it says.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::host::LONG;

/// A running program. It is killed when the test lets go of it.
pub struct Watched {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl Watched {
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                // The test may have failed meanwhile.
                drop(tell.send(line));
            }
        });
        Self { child, lines, said: String::new() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn keep(&mut self, line: &str) {
        self.said.push_str(line);
        self.said.push('\n');
    }

    /// Waits until it has said `text`.
    pub fn until_it_says(&mut self, text: &str) {
        let end = Instant::now() + LONG;
        while !self.said.contains(text) {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.keep(&line),
                Err(error) => panic!("it never said {text:?} ({error}), but: {}", self.said),
            }
        }
    }

    /// Waits until it has ended.
    pub fn end(mut self) -> Output {
        let end = Instant::now() + LONG;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "it hangs; it said: {}", self.said);
            std::thread::sleep(Duration::from_millis(20));
        };
        while let Ok(line) = self.lines.recv_timeout(LONG) {
            self.keep(&line);
        }
        let mut stdout = Vec::new();
        self.child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        Output { status, stdout, stderr: std::mem::take(&mut self.said).into_bytes() }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
