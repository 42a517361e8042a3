//! The server's process: started, waited for, ended by its id.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::spawn;
use std::time::Duration;

use serde_json::Value;

use super::install::folder;

/// Starting takes half a second on an idle machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub issuer: String,
    pub control: String,
    pub mcp: String,
    complaints: Arc<Mutex<String>>,
}

impl Process {
    pub fn start(settings: &Value) -> Result<Self, String> {
        let mut child = Command::new("node")
            .args(["--no-warnings", "server.mjs", &settings.to_string()])
            .current_dir(folder())
            // The server ends when this pipe closes, which it does even if the test is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node cannot be run ({error}); install Node.js 20 or newer"))?;
        let complaints = Arc::new(Mutex::new(String::new()));
        let (said, heard) = channel();
        if let Some(stdout) = child.stdout.take() {
            spawn(move || {
                let mut line = String::new();
                // An unread line means that the server has ended, which the receiver notices.
                let _ = BufReader::new(stdout).read_line(&mut line);
                let _ = said.send(line);
            });
        }
        if let Some(stderr) = child.stderr.take() {
            let complaints = Arc::clone(&complaints);
            spawn(move || keep(stderr, &complaints));
        }
        let mut process =
            Self { child, issuer: String::new(), control: String::new(), mcp: String::new(), complaints };
        let line = heard.recv_timeout(PATIENCE).unwrap_or_default();
        let ready: Value = serde_json::from_str(&line)
            .map_err(|_| format!("no ready line within {PATIENCE:?}\n{}", process.complaints()))?;
        let address = |name: &str| ready[name].as_str().map(str::to_owned);
        process.issuer = address("issuer").ok_or("the ready line names no issuer")?;
        process.mcp = address("mcp").ok_or("the ready line names no MCP server")?;
        process.control = address("control").ok_or("the ready line names no control port")?;
        Ok(process)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the server wrote to its standard error.
    pub fn complaints(&self) -> String {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keep(stderr: impl Read, complaints: &Mutex<String>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        let mut text = complaints.lock().unwrap_or_else(PoisonError::into_inner);
        if text.len() < 64 * 1024 {
            text.push_str(&line);
            text.push('\n');
        }
    }
}
