//! The server's process: started, and waited for.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::install::folder;
use crate::child::Served;

/// Starting takes half a second on an idle machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server.
#[derive(Debug)]
pub(crate) struct Process {
    served: Served,
    pub issuer: String,
    pub control: String,
    pub mcp: String,
}

impl Process {
    pub fn start(settings: &Value) -> Result<Self, String> {
        let mut node = Command::new("node");
        node.args(["--no-warnings", "server.mjs", &settings.to_string()]).current_dir(folder());
        let (served, heard) = Served::start(&mut node)
            .map_err(|error| format!("node cannot be run ({error}); install Node.js 20 or newer"))?;
        let line = heard.recv_timeout(PATIENCE).unwrap_or_default();
        let ready: Value = serde_json::from_str(&line)
            .map_err(|_| format!("no ready line within {PATIENCE:?}\n{}", served.said()))?;
        let address = |name: &str| ready[name].as_str().map(str::to_owned);
        let issuer = address("issuer").ok_or("the ready line names no issuer")?;
        let control = address("control").ok_or("the ready line names no control port")?;
        let mcp = address("mcp").ok_or("the ready line names no MCP server")?;
        Ok(Self { served, issuer, control, mcp })
    }

    pub fn id(&self) -> u32 {
        self.served.id()
    }

    /// What the server wrote to its standard error.
    pub fn complaints(&self) -> String {
        self.served.said()
    }
}
