//! A terminal of a test's own, for what only a terminal is shown.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::host::LONG;

/// A shell command in a terminal of 80 columns, or as many as it sets itself.
pub struct Terminal {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Runs `line` in a shell whose terminal has that many columns and rows.
    pub fn run(line: &str, columns: u16, rows: u16, env: &[(&str, &str)]) -> Self {
        let line = format!("stty cols {columns} rows {rows}; exec {line}");
        let mut command = Command::new("script");
        command.args(["-q", "-e", "-c", &line, "/dev/null"]).env("TERM", "xterm");
        // On a continuous integration service clap colours its help whatever the terminal.
        command.env_remove("NO_COLOR").env_remove("CI");
        command.env("SHELL", "/bin/sh").envs(env.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (input, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (tell, output) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut chunk) {
                // The test may have failed meanwhile.
                drop(tell.send(chunk[..count].to_vec()));
            }
        });
        Self { child, input, output, seen: String::new() }
    }

    /// Types `text`.
    pub fn types(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Waits until what was shown since the last wait holds `text`, and gives all that.
    pub fn until(&mut self, text: &str) -> String {
        let end = Instant::now() + LONG;
        while !self.seen.contains(text) {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(chunk) => self.seen.push_str(&String::from_utf8_lossy(&chunk)),
                Err(error) => panic!("it never showed {text:?} ({error}), but: {:?}", self.seen),
            }
        }
        std::mem::take(&mut self.seen)
    }

    /// Waits until it has ended: what was shown since the last wait, and the exit code.
    pub fn end(mut self) -> (String, Option<i32>) {
        let end = Instant::now() + LONG;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "it hangs, having shown {:?}", self.seen);
            std::thread::sleep(Duration::from_millis(20));
        };
        while let Ok(chunk) = self.output.recv_timeout(LONG) {
            self.seen.push_str(&String::from_utf8_lossy(&chunk));
        }
        (std::mem::take(&mut self.seen), status.code())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
