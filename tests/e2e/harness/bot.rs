//! One `latchkey run`, as a process.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Setup;

/// The bot is connected within this time, or the test fails.
const READY_BOUND: Duration = Duration::from_secs(30);
/// It ends within this time once it is asked to.
const END_BOUND: Duration = Duration::from_secs(20);
/// What it said last is read within this time of its end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A running bot. It is killed when the test lets go of it.
pub struct Bot {
    child: Child,
    said: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Bot {
    /// Starts the bot and waits until it is connected and registered.
    pub async fn start(setup: &Setup) -> Self {
        Self::start_with(setup, |_| {}).await
    }

    /// As [`Bot::start`], with a change to its command line or environment.
    pub async fn start_with(setup: &Setup, change: impl FnOnce(&mut std::process::Command)) -> Self {
        let bot = Self::spawn(setup, change);
        bot.wait_said("latchkey: ready", READY_BOUND).await;
        bot
    }

    /// Starts the bot and waits for nothing.
    pub fn spawn(setup: &Setup, change: impl FnOnce(&mut std::process::Command)) -> Self {
        let mut program = setup.program();
        program.arg("run").stdout(Stdio::piped()).stderr(Stdio::piped());
        change(&mut program);
        let mut child = program.spawn().expect("latchkey runs");
        let said = Arc::new(Mutex::new(String::new()));
        let stdout = child.stdout.take().map(|output| Box::new(output) as Box<dyn Read + Send>);
        let stderr = child.stderr.take().map(|output| Box::new(output) as Box<dyn Read + Send>);
        // A test may have led either elsewhere.
        let readers = [stdout, stderr].into_iter().flatten().map(|output| {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                    said.push_str(&line);
                    said.push('\n');
                }
            })
        });
        let readers = readers.collect();
        Self { child, said, readers }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it has printed, on either output.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has printed `text`.
    pub async fn wait_said(&self, text: &str, bound: Duration) {
        let late = Instant::now() + bound;
        while !self.said().contains(text) {
            assert!(Instant::now() < late, "the bot did not say {text:?}; it said:\n{}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends it `signal`.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the bot is there");
    }

    /// Has it read its configuration anew, and waits until it has taken it over or refused it.
    pub async fn reload(&self) {
        let reloads = || self.said().matches("configuration reloaded outcome=").count();
        let before = reloads();
        self.signal(Signal::HUP);
        let late = Instant::now() + READY_BOUND;
        while reloads() == before {
            assert!(Instant::now() < late, "the bot did not reload; it said:\n{}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills it as a crash would: nothing can be saved.
    pub fn kill9(&mut self) {
        self.child.kill().expect("the bot is killed");
        self.child.wait().expect("the bot ends");
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended(END_BOUND).await
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self, bound: Duration) -> ExitStatus {
        let late = Instant::now() + bound;
        loop {
            if let Some(status) = self.child.try_wait().expect("the bot can be waited for") {
                // What it said last may still be on its way; a child of its own may hold the pipe open for longer.
                let read = Instant::now() + LAST_WORDS;
                while Instant::now() < read && !self.readers.iter().all(JoinHandle::is_finished) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                return status;
            }
            assert!(Instant::now() < late, "the bot did not end; it said:\n{}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills it and starts it anew, on the same configuration and store.
    pub async fn restart(mut self, setup: &Setup) -> Self {
        self.kill9();
        Self::start(setup).await
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("the bot said:\n{}", self.said());
        }
    }
}
