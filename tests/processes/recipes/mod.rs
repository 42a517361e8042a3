//! The recipes of docs/consumers.md, each as it is written there, against the real program.
//!
//! Owns [`Place`]: a home folder, the program on the path, and a trap for whatever wants to leave this host. The recipe is taken
//! from the document; a test puts its own server where the recipe names one, and changes nothing else. A program that is
//! missing fails the test, which says who installs it.

mod api;
mod claude;
mod codex;
mod git;
mod kubectl;
mod shell;

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use latchkey_test_authority::TokenSet;
use rustix::process::{Pid, Signal, kill_process_group};

use self::api::{Answers, Api};
use crate::host::{Host, LONG};

/// What stands in the block of `language` on the page that has `mark` in it.
fn recipe(language: &str, mark: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/consumers.md");
    let text = std::fs::read_to_string(page).unwrap();
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    let found: Vec<_> = blocks.filter(|block| block.contains(mark)).collect();
    assert_eq!(found.len(), 1, "one recipe has {mark:?}");
    found[0].to_owned()
}

/// How a program ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    printed: String,
    said: String,
}

impl Ended {
    /// It printed what the models of these tests say.
    #[track_caller]
    fn greets(&self) {
        assert_eq!((self.code, self.printed.trim()), (Some(0), "good morning"), "{}", self.said);
    }
}

/// Where the programs run.
struct Place {
    host: Host,
    home: tempfile::TempDir,
    trap: TcpListener,
}

impl Place {
    /// A host whose one provider answers to the names that the recipes use.
    fn new() -> Self {
        let host = Host::new();
        host.configure("aliases = [\"github\", \"kube\", \"codex\", \"claude\"]");
        let trap = TcpListener::bind("127.0.0.1:0").unwrap();
        trap.set_nonblocking(true).unwrap();
        Self { host, home: tempfile::tempdir().unwrap(), trap }
    }

    /// The same with a model at its API, and the tokens that are handed out for that.
    async fn serving(model: Answers) -> (Self, Api, TokenSet) {
        let place = Self::new();
        let first = place.host.serving("acme").await;
        let api = Api::start(&place.host.authority, model).await;
        (place, api, first)
    }

    /// Has the stored token end soon: hardly later than a program forgets it that keeps it for five minutes.
    async fn ends_soon(&self) {
        let soon = latchkey::clock::Clock::system().now() + 330;
        self.host.change("acme", move |credential| credential.expires_at = Some(soon)).await;
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file at home, with its folders.
    fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A program that finds `latchkey` and its configuration, and nothing of this machine's.
    fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> tokio::process::Command {
        let ours = Path::new(env!("CARGO_BIN_EXE_latchkey")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let proxy = format!("http://{}", self.trap.local_addr().unwrap());
        let mut command = tokio::process::Command::new(program);
        command.env_clear().current_dir(self.home.path());
        command.env("PATH", format!("{}:{path}", ours.display()));
        command.env("HOME", self.home.path()).env("LATCHKEY_CONFIG", &self.host.config);
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            command.env(name, &proxy);
        }
        command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: what it leaves behind ends with it.
        command.process_group(0).kill_on_drop(true);
        command
    }

    /// Runs lines of a shell, with these variables.
    async fn shell(&self, script: &str, environment: &[(&str, &str)]) -> Ended {
        let mut command = self.program("sh");
        command.args(["-c", script]).envs(environment.iter().copied());
        self.run(command).await
    }

    /// Runs a program to its end, which must come, and sees that it spoke to this host alone.
    async fn run(&self, mut command: tokio::process::Command) -> Ended {
        let named = command.as_std().get_program().display().to_string();
        let child =
            command.spawn().unwrap_or_else(|error| panic!("{named}: {error}; scripts/test installs it"));
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).unwrap())).unwrap();
        let ended = tokio::time::timeout(LONG * 2, child.wait_with_output()).await;
        // Nobody may be left.
        let _ = kill_process_group(group, Signal::KILL);
        let output = ended.unwrap_or_else(|_| panic!("{named} hangs")).unwrap();
        let left = self.trap.accept().map_err(|error| error.kind());
        assert_eq!(left.err(), Some(ErrorKind::WouldBlock), "{named} wanted to leave this host");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), printed: text(output.stdout), said: text(output.stderr) }
    }

    /// Has every token that is stored rejected, though the clock calls it valid.
    fn reject(&self, token: &str) {
        self.host.authority.reject_access_token(token);
    }

    /// Refreshes as another agent does that saw this token rejected.
    fn somebody_else_names(&self, token: &str) -> impl Fn() + Send + Sync + 'static {
        let hash = latchkey::secret::TokenHash::of(token).to_string();
        let config = self.host.config.clone();
        move || {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_latchkey"));
            command.arg("--config").arg(&config).args(["token", "acme", "--rejected-sha256", &hash]);
            assert!(command.stdout(Stdio::null()).status().unwrap().success());
        }
    }

    /// The access token as it is stored now.
    fn stored(&self) -> String {
        self.host.stored("acme").unwrap().access_token.expose().to_owned()
    }
}

/// A program of an npm package: of the folder `scope`, the package for this machine that starts with `prefix`.
fn of_npm(scope: &str, prefix: &str, program: &str) -> PathBuf {
    let scope = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/node_modules").join(scope);
    let packages = std::fs::read_dir(&scope).into_iter().flatten().flatten().map(|entry| entry.path());
    let named =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix));
    let mut folders: Vec<PathBuf> = packages.filter(named).collect();
    // Some keep it below the name of a target.
    for folder in folders.clone() {
        let targets = std::fs::read_dir(folder.join("vendor")).into_iter().flatten().flatten();
        folders.extend(targets.map(|entry| entry.path().join("bin")));
    }
    let found = folders.into_iter().map(|folder| folder.join(program)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{program} is not in {}: scripts/test installs it", scope.display()))
}
