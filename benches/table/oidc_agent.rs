//! The peer that does the same work: oidc-agent, a daemon that keeps a sign-in, and `oidc-token`, which asks it for a token.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use latchkey_test_authority::{Authority, CLIENT, Person};
use rustix::process::{Pid, Signal, kill_process};

/// A running oidc-agent with one account, `acme`. It ends with this.
pub struct OidcAgent {
    pid: Pid,
    socket: String,
    folder: tempfile::TempDir,
    authority: Authority,
}

impl OidcAgent {
    /// Starts it; `None` where it is not installed (Debian's package `oidc-agent-cli`).
    pub fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let started = command("oidc-agent", &folder).stdin(Stdio::null()).output().ok()?;
        let said = String::from_utf8(started.stdout).unwrap();
        let value = |name: &str| {
            let (_, rest) = said.split_once(&format!("{name}="))?;
            rest.split(';').next().map(str::to_owned)
        };
        let authority = Authority::start();
        let pid = value("OIDCD_PID")?.parse().ok().and_then(Pid::from_raw)?;
        let agent = Self { pid, socket: value("OIDC_SOCK")?, folder, authority };
        let tokens = agent.authority.mint(&Person::ada(), CLIENT, &["openid", "offline_access"]);
        let mut add = agent.command("oidc-gen");
        add.args(["--manual", "--prompt=none", "--pw-cmd=echo bench", "--no-url-call"]);
        add.args(["--issuer", &agent.authority.issuer(), "--client-id", CLIENT, "--client-secret", ""]);
        add.args(["--scope", "openid offline_access", "--redirect-uri", "http://localhost:8765/cb"]);
        let added = add.args(["--rt", &tokens.refresh, "acme"]).output().unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        Some(agent)
    }

    /// The command that asks it for the token of `acme`.
    pub fn asking(&self) -> Command {
        let mut command = self.command("oidc-token");
        command.arg("acme").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        command
    }

    fn command(&self, program: &str) -> Command {
        let mut command = command(program, &self.folder);
        command.env("OIDC_SOCK", &self.socket);
        command
    }
}

/// One of its programs, at home in `folder`.
fn command(program: &str, folder: &tempfile::TempDir) -> Command {
    let mut command = Command::new(program);
    let home: PathBuf = folder.path().into();
    command.env("TMPDIR", &home).env("HOME", &home).env("OIDC_CONFIG_DIR", home).stderr(Stdio::null());
    command
}

impl Drop for OidcAgent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = kill_process(self.pid, Signal::KILL);
    }
}
