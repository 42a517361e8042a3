//! The process of a server that is not ours: started, heard, ended by its own id.
//!
//! What must hold: it ends when its handle goes, and when the test dies, since it (or the shell that holds it) ends with
//! its standard input. Every wait is bounded.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// The most that is kept of what a server says, in bytes.
const KEPT: usize = 64 * 1024;
/// A server that was told to end does so within this time, or is killed.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// A running process.
#[derive(Debug)]
pub(crate) struct Served {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Served {
    /// Starts `command`, which ends when its standard input closes. Its first line comes by the channel.
    pub fn start(command: &mut Command) -> std::io::Result<(Self, Receiver<String>)> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let said = Arc::new(Mutex::new(String::new()));
        let (first, heard) = channel();
        if let Some(stdout) = child.stdout.take() {
            let said = Arc::clone(&said);
            spawn(move || hear(stdout, Some(&first), &said));
        }
        if let Some(stderr) = child.stderr.take() {
            let said = Arc::clone(&said);
            spawn(move || hear(stderr, None, &said));
        }
        Ok((Self { child, said }, heard))
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said on both outputs, but for its first line.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it has ended by itself.
    pub fn is_over(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let end = Instant::now() + LAST_PATIENCE;
        while !self.is_over() && Instant::now() < end {
            sleep(Duration::from_millis(5));
        }
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hear(output: impl Read, first: Option<&Sender<String>>, said: &Mutex<String>) {
    let mut first = first;
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Some(first) = first.take() {
            // Nobody may be listening any more.
            let _ = first.send(line);
            continue;
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() < KEPT {
            said.push_str(&line);
            said.push('\n');
        }
    }
}
