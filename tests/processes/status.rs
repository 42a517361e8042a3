//! `latchkey status`, as people and programs see it: from the file and from the bot, once and at every change.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::flights::pid;
use crate::host::{Host, LONG, printed, said};
use crate::screen::Terminal;

/// A running `latchkey status --watch`, whose lines are read as they come.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The test may have failed meanwhile.
                drop(tell.send(line));
            }
        });
        Self { child, lines }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(LONG).unwrap()
    }

    /// The next object in which `holds`.
    fn until(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + LONG;
        loop {
            assert!(Instant::now() < end, "that never came");
            let shown: Value = serde_json::from_str(&self.next()).unwrap();
            if holds(&shown) {
                return shown;
            }
        }
    }

    fn end(mut self) -> Option<i32> {
        let end = Instant::now() + LONG;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < end, "it hangs");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn health(shown: &Value, tenant: &str) -> Option<String> {
    let tenants = shown["tenants"].as_array().unwrap();
    let found = tenants.iter().find(|held| held["tenant"] == tenant)?;
    Some(found["health"].as_str().unwrap().to_owned())
}

/// U6, G27: one object a line, each whole, at the start and at every change; nothing is asked of the provider. Ctrl-C is no error.
#[tokio::test(flavor = "multi_thread")]
async fn a_watching_program_gets_an_object_for_each_change() {
    let host = Host::new();
    let watch = Watch::start(host.latchkey(&["status", "--json", "--watch"]));
    assert_eq!(watch.next(), r#"{"sources":[],"tenants":[],"logins":[],"damaged":[],"revocations":[]}"#);
    host.serving("acme").await;
    assert_eq!(health(&watch.until(|shown| health(shown, "acme").is_some()), "acme").unwrap(), "fresh");
    host.expired("acme").await;
    watch.until(|shown| health(shown, "acme").unwrap() == "stale");
    assert!(watch.lines.recv_timeout(Duration::from_millis(1_500)).is_err(), "nothing changed");
    kill_process(pid(watch.child.id()), Signal::INT).unwrap();
    assert_eq!(watch.end(), Some(0));
    assert_eq!(host.authority.requests().len(), 0);
}

/// Whose reader has left ends at once, and not at the next change.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_its_reader() {
    let host = Host::new();
    host.serving("acme").await;
    let mut command = host.latchkey(&["status", "--watch"]);
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.starts_with("20") && line.ends_with("Z\n"), "{line}");
    drop(output);
    let watch = Watch { child, lines: channel().1 };
    assert_eq!(watch.end(), Some(0));
}

/// On a terminal the page is drawn over the last, no line is wider, and Ctrl-C leaves a whole page.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_redrawn_in_place() {
    let host = Host::new();
    host.serving("acme").await;
    let line =
        format!("'{}' --config '{}' status --watch", env!("CARGO_BIN_EXE_latchkey"), host.config.display());
    let mut terminal = Terminal::run(&line, 60, 20, &[]);
    let first = terminal.until("acme");
    assert!(first.contains("\u{1b}[32mworks\u{1b}[0m"), "{first:?}");
    host.expired("acme/work").await;
    let second = terminal.until("acme/work");
    assert!(second.contains("\u{1b}[2A\u{1b}[J"), "two lines are drawn over: {second:?}");
    terminal.types("\u{3}");
    assert_eq!(terminal.end().1, Some(0));

    let mut narrow = Terminal::run(&line.replace(" --watch", ""), 40, 20, &[("NO_COLOR", "1")]);
    let shown = narrow.until("refreshed as soon as a program asks");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    let widest = shown.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
    assert!(widest <= 40 && shown.contains('…'), "{shown}");
}

/// Away from a terminal nothing is cut, and `--quiet` leaves the data alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_gets_everything_and_quiet_the_data_alone() {
    let host = Host::new();
    let quiet = host.latchkey(&["--quiet", "status"]).env("COLUMNS", "20").output().unwrap();
    assert_eq!((printed(&quiet).as_str(), said(&quiet).as_str(), quiet.status.code()), ("", "", Some(0)));
    let tenant = format!("acme/{}@80351110224678912", "a".repeat(24));
    host.serving(&tenant).await;
    host.serving("acme").await;
    let status =
        |arguments: &[&str]| printed(&host.latchkey(arguments).env("COLUMNS", "20").output().unwrap());
    let lines = status(&["status"]).lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(lines[0].starts_with("TENANT  "), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with(&tenant)), "{lines:?}");
    assert_eq!(status(&["--quiet", "status"]).lines().count(), 2);
    assert_eq!(status(&["status", "-q", "acme/*@*"]).lines().count(), 1);
    assert!(status(&["status", "codex"]).starts_with("nobody has signed in to any of these"));
}
