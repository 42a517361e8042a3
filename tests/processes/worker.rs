//! Another process with the store in its hands: this test binary again, told by the environment what to do.
//!
//! A worker prints a line for each thing that is done, and ends when its standard input is closed, so that it never outlives
//! the test that started it. Faults are set for it alone.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::host::LONG;

/// Set in a worker alone: the work, and its arguments.
const WORK: &str = "LATCHKEY_TEST_WORK";
/// Set in a worker alone: the auth file.
const FILE: &str = "LATCHKEY_TEST_FILE";
/// What its own lines begin with; the rest is the test harness's.
const MARK: &str = "worker: ";

/// A worker that runs.
pub struct Worker {
    pub child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Worker {
    /// Starts `work` on the auth file `file`, with these faults.
    pub fn start(file: &Path, work: &str, faults: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["worker::work", "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(WORK, work).env(FILE, file).env_remove("FAILPOINTS");
        if !faults.is_empty() {
            command.env("FAILPOINTS", faults);
        }
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // The harness does not end its own line before the first of ours.
                let Some((_, line)) = line.split_once(MARK) else { continue };
                if sender.send(line.to_owned()).is_err() {
                    return;
                }
            }
        });
        Self { child, input, lines }
    }

    /// Its next line; `None` once it has ended.
    pub fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(LONG) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the worker says nothing"),
        }
    }

    /// A line that is there within `bound`.
    pub fn line_within(&self, bound: Duration) -> Option<String> {
        self.lines.recv_timeout(bound).ok()
    }

    /// Waits for this line.
    pub fn expect(&self, wanted: &str) {
        assert_eq!(self.line().as_deref(), Some(wanted));
    }

    /// Ends it by `kill -9`, and gives what it had said.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().collect()
    }

    /// Lets it go, and gives all that it had to say.
    pub fn end(mut self) -> Vec<String> {
        drop(self.input.take());
        let lines = std::iter::from_fn(|| self.line()).collect();
        self.child.wait().unwrap();
        lines
    }

    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Says a line to whoever started this worker.
pub fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // Nobody may read any more.
    drop(writeln!(output, "{MARK}{line}").and_then(|()| output.flush()));
}

/// Waits for the end of standard input.
pub fn until_let_go() {
    drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
}

/// Not a test: what a worker does.
#[test]
#[ignore = "run by the tests that need another process"]
fn work() {
    let (Ok(work), Some(file)) = (std::env::var(WORK), std::env::var_os(FILE)) else { return };
    let _faults = latchkey::fault::from_environment();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let words: Vec<&str> = work.split(' ').collect();
    runtime.block_on(async {
        match words.as_slice() {
            ["fill", rest @ ..] => crate::writers::fill(Path::new(&file), rest).await,
            ["together"] => crate::combined::together(Path::new(&file)).await,
            ["update"] => crate::writers::one_after_the_other(Path::new(&file)).await,
            ["unchanged"] => crate::disk::unchanged(Path::new(&file)).await,
            ["hold", name] => crate::locks::hold(Path::new(&file), name).await,
            ["two", first, second] => crate::locks::two(Path::new(&file), first, second).await,
            ["crowd", name] => crate::locks::crowd(Path::new(&file), name).await,
            _ => panic!("no such work: {work}"),
        }
    });
    // As the program does: without waiting for threads that wait for a lock.
    std::process::exit(0);
}
