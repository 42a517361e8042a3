//! A small disk of a test's own: a tmpfs in a mount namespace, where the machine allows one.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A namespace that a process of ours keeps open. It ends with the test, whatever becomes of the test.
pub struct Namespace {
    holder: Child,
}

/// Puts a tmpfs in the place of a folder, with what the folder held.
const SMALL_DISK: &str = r#"set -e; mkdir "$0.seed"; cp -a "$0/." "$0.seed/"
mount -t tmpfs -o "size=$1,mode=0700" tmpfs "$0"; cp -a "$0.seed/." "$0/"; echo ready; exec cat"#;

impl Namespace {
    /// With a disk of this size at `folder`. `None` where the machine does not let us, and says why.
    pub fn with_disk(folder: &Path, size: &str) -> Option<Self> {
        Self::new(SMALL_DISK, &[&folder.to_string_lossy(), size])
    }

    /// With what `script` mounts; it must end with `echo ready; exec cat`. Its arguments begin at `$0`.
    pub fn new(script: &str, arguments: &[&str]) -> Option<Self> {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut holder = match command.spawn() {
            Ok(holder) => holder,
            Err(error) => {
                eprintln!("SIMULATED: no namespace of our own here: {error}");
                return None;
            }
        };
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.trim() == "ready" {
            let namespace = Self { holder };
            return namespace.can_be_entered().then_some(namespace);
        }
        let said = holder.wait_with_output().unwrap();
        eprintln!("SIMULATED: no namespace of our own here: {}", String::from_utf8_lossy(&said.stderr));
        None
    }

    fn can_be_entered(&self) -> bool {
        let entered = self.inside(&Command::new("true")).output();
        let entered = entered.is_ok_and(|output| output.status.success());
        if !entered {
            eprintln!("SIMULATED: a namespace of our own cannot be entered here");
        }
        entered
    }

    /// The same command, inside.
    pub fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.args([
            "--user",
            "--mount",
            "--preserve-credentials",
            "--target",
            &self.holder.id().to_string(),
        ]);
        inside.arg("--").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        inside
    }

    /// Runs a line of shell inside.
    pub fn shell(&self, line: &str, arguments: &[&Path]) {
        let mut command = Command::new("sh");
        command.args(["-c", line]).args(arguments);
        let output = self.inside(&command).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What stands at `path` inside, seen from here.
    pub fn path(&self, path: &Path) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.holder.id())).join(path.strip_prefix("/").unwrap())
    }

    /// Takes all the room that is left in `folder`.
    pub fn fill(&self, folder: &Path) {
        let mut options = std::fs::File::options();
        let mut file = options.append(true).create(true).open(self.path(folder).join("filler")).unwrap();
        while file.write_all(&[0; 512]).is_ok() {}
    }

    /// Gives it back.
    pub fn empty(&self, folder: &Path) {
        std::fs::remove_file(self.path(folder).join("filler")).unwrap();
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}
