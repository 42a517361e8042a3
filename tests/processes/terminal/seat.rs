//! A terminal with the program in it, or the program between two pipes.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::host::{Host, LONG};

/// Starts what its arguments name in a pseudo-terminal, with its own pipes as the person there; ends with its exit code.
const PTY: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

pub struct Seat {
    child: Child,
    input: Option<ChildStdin>,
    said: Arc<Mutex<String>>,
}

impl Seat {
    /// `latchkey` at a terminal.
    pub fn terminal(host: &Host, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let program = host.latchkey(arguments);
        let mut command = Command::new("python3");
        command.arg("-c").arg(PTY).arg(program.get_program()).args(program.get_args());
        Self::start(command, variables)
    }

    /// `latchkey` between pipes.
    pub fn piped(host: &Host, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start(host.latchkey(arguments), variables)
    }

    fn start(mut command: Command, variables: &[(&str, &str)]) -> Self {
        for name in ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "FAILPOINTS"] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        collect(child.stdout.take().unwrap(), &said);
        collect(child.stderr.take().unwrap(), &said);
        let input = child.stdin.take();
        Self { child, input, said }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has said `text`; gives all that it said.
    pub fn says(&self, text: &str) -> String {
        let end = Instant::now() + LONG;
        loop {
            let said = self.said();
            if said.contains(text) {
                return said;
            }
            assert!(Instant::now() < end, "it never said {text:?}: {said}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// The address that it shows to be opened.
    pub fn link(&self) -> String {
        self.says("Open this link");
        let end = Instant::now() + LONG;
        loop {
            let said = self.said().replace('\r', "");
            // With the empty line behind it, so that it is there whole.
            let shown = said.split_once("Open this link to sign in:\n\n  ").and_then(|(_, rest)| rest.split_once("\n\n"));
            if let Some((link, _)) = shown {
                return link.to_owned();
            }
            assert!(Instant::now() < end, "no link: {said}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    pub fn types(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Nothing more is typed.
    pub fn hangs_up(&mut self) {
        self.input = None;
    }

    /// Waits for its end: the exit code, and all that it said.
    pub fn ended(&mut self) -> (i32, String) {
        let end = Instant::now() + LONG;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(std::time::Duration::from_millis(100));
                return (status.code().unwrap_or(-1), self.said());
            }
            assert!(Instant::now() < end, "it never ended: {}", self.said());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut pipe: impl Read + Send + 'static, into: &Arc<Mutex<String>>) {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        let mut bytes = [0; 4_096];
        while let Ok(count @ 1..) = pipe.read(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            into.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
        }
    });
}
