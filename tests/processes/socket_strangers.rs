//! Who serves a socket: with the bot down, somebody else may stand at its path, and is neither asked nor believed.

use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::host::{Host, printed, said};
use crate::sockets::{HELLO, Listener, Manner, token};

/// A user who is neither root nor the bot's.
const STRANGER: u32 = 65_534;

/// Says hello, hears a line, writes it to standard output, and hands a token out; until it is ended.
const SERVER: &str = "
import socket, sys
path, hello, answer = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen()
print('listening', flush=True)
while True:
    caller, _ = listener.accept()
    try:
        caller.sendall(hello.encode())
        heard = caller.makefile().readline()
        if heard: print('heard', flush=True)
        caller.sendall(answer.encode())
    except OSError: pass
    caller.close()
";

/// A program of the stranger's at a socket, until this is dropped.
struct Stranger(Child, PathBuf);

impl Stranger {
    /// In a folder beside the configuration, which `owner` owns and has `mode`.
    fn at(host: &Host, owner: u32, mode: u32) -> Self {
        let folder = host.config.with_file_name("run");
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir(&folder).unwrap();
        // The way there.
        std::fs::set_permissions(host.config.parent().unwrap(), PermissionsExt::from_mode(0o755)).unwrap();
        chown(&folder, Some(owner), None).unwrap();
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(mode)).unwrap();
        let socket = folder.join("t.sock");
        let hello = HELLO.replace("{}", "any");
        let answer = format!("{}\n", token("at-of-the-stranger"));
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", SERVER]).arg(&socket).args([hello, answer]).current_dir("/");
        command.uid(STRANGER).gid(STRANGER).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = [0; 10];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        Self(child, socket)
    }

    fn socket(&self) -> &Path {
        &self.1
    }

    /// What it heard, when it has ended.
    fn heard(mut self) -> String {
        self.0.kill().unwrap();
        let mut heard = String::new();
        self.0.stdout.as_mut().unwrap().read_to_string(&mut heard).unwrap();
        heard
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("not tried: only root can become another user");
    }
    is_root
}

/// Z2: without a store, only the owner of the socket's folder is believed, and only if nobody else can write it. A stranger hears
/// nothing, the bearer token least of all.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_no_bearer_token_and_is_not_believed() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let bearer = host.config.with_file_name("bearer");
    std::fs::write(&bearer, "tell-nobody\n").unwrap();
    let ask = |stranger: &Stranger| -> Output {
        let mut command = host.latchkey_alone(&["token", "acme"]);
        command.env("LATCHKEY_SOCKET", stranger.socket()).env("LATCHKEY_SOCKET_BEARER_FILE", &bearer);
        command.output().unwrap()
    };
    for (owner, mode, why) in [
        (0, 0o1777, "can be written by others (mode 1777)"),
        (STRANGER, 0o1777, "can be written by others (mode 1777)"),
        (STRANGER, 0o775, "can be written by others (mode 775)"),
        (4_711, 0o1777, "can be written by others"),
    ] {
        let stranger = Stranger::at(&host, owner, mode);
        let output = ask(&stranger);
        assert_eq!((output.status.code(), printed(&output)), (Some(2), String::new()), "{}", said(&output));
        for told in ["user 65534 serves", why, "such as /run/latchkey with mode 755"] {
            assert!(said(&output).contains(told), "{}", said(&output));
        }
        assert_eq!(stranger.heard(), "");
    }
    let bot = Stranger::at(&host, STRANGER, 0o755);
    let output = ask(&bot);
    assert_eq!((printed(&output).as_str(), said(&output).as_str()), ("at-of-the-stranger", ""));
    assert_eq!(bot.heard(), "heard\n");
}

/// Z2, G1: where there is a store, its owner is the bot's user; the file serves in the stranger's place, and check tells.
#[tokio::test(flavor = "multi_thread")]
async fn where_a_stranger_stands_the_file_serves() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    host.expired("acme").await;
    let stranger = Stranger::at(&host, STRANGER, 0o755);
    let socket = stranger.socket().display().to_string();
    host.configure(&format!("[tokens]\nsocket = {socket:?}"));
    let output = tokio::task::block_in_place(|| host.latchkey(&["token", "acme"]).output().unwrap());
    assert!(host.authority.accepts(&printed(&output)), "{}", said(&output));
    let told = ["user 65534 serves", "run the bot as that user", "going on without the bot"];
    assert!(told.iter().all(|told| said(&output).contains(told)), "{}", said(&output));
    assert_eq!((host.authority.refreshes(), stranger.heard().as_str()), (1, ""));

    // Check wants a folder of the bot's own; what stands in it may be another's all the same.
    let stranger = Stranger::at(&host, STRANGER, 0o755);
    chown(stranger.socket().parent().unwrap(), Some(0), None).unwrap();
    let output = tokio::task::block_in_place(|| host.latchkey(&["check"]).output().unwrap());
    let text = printed(&output);
    assert!(text.contains("PROBLEM  tokens: user 65534 serves"), "{text}");
    assert!(!text.contains("a bot serves it"), "{text}");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stranger.heard(), "");
}

/// What listens and speaks otherwise is no bot for check either; and where allow leads nobody in, it says so.
#[tokio::test(flavor = "multi_thread")]
async fn check_says_who_listens_and_who_cannot_come_in() {
    let host = Host::new();
    host.serving("acme").await;
    let check = || {
        let output = host.latchkey(&["check", "--json"]).output().unwrap();
        let all: serde_json::Value = serde_json::from_str(&printed(&output)).unwrap();
        let found = all["findings"].as_array().unwrap().iter();
        let amiss = found.filter(|found| found["part"] == "tokens" && found["level"] != "ok");
        amiss
            .map(|found| format!("{}; {}", found["what"], found["remedy"]).replace('\\', ""))
            .collect::<Vec<_>>()
    };
    let plain = std::fs::read_to_string(&host.config).unwrap();
    let with = |lines: &str| std::fs::write(&host.config, format!("{plain}[tokens]\n{lines}\n")).unwrap();
    with(&format!("socket = {:?}", host.socket()));
    for (manner, odd) in [(Manner::says(HELLO), false), (Manner::says("SSH-2.0\r\n"), true)] {
        let _listener = Listener::at(&host.socket(), "any", &manner);
        let told = tokio::task::block_in_place(check);
        let is_told =
            told.iter().any(|line| line.contains("no bot answered") && line.contains("is no token socket"));
        assert_eq!((is_told, told.len()), (odd, usize::from(odd)), "{told:?}");
    }
    std::fs::remove_file(host.socket()).unwrap();
    let missing = host.config.with_file_name("missing").join("t.sock");
    let open = host.config.with_file_name("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, PermissionsExt::from_mode(0o755)).unwrap();
    let (all, mine) = ("tenants = [\"*\"]", rustix::process::getegid().as_raw());
    let open = open.join("t.sock");
    for (socket, lines, word) in [
        (
            &missing,
            format!("mode = \"0666\"\nallow = [{{ uid = 4711, {all} }}]"),
            "is missing: the bot will make it",
        ),
        (&missing, String::new(), ""),
        (&open, format!("mode = \"0660\"\nallow = [{{ gid = 4711, {all} }}]"), "write group = \"4711\""),
        (
            &open,
            format!("mode = \"0660\"\ngroup = \"4712\"\nallow = [{{ gid = 4711, {all} }}]"),
            "only group 4712 may connect",
        ),
        (&open, format!("mode = \"0660\"\ngroup = \"4711\"\nallow = [{{ gid = 4711, {all} }}]"), ""),
        (&open, format!("mode = \"0660\"\nallow = [{{ gid = {mine}, {all} }}]"), ""),
        (&open, format!("mode = \"0666\"\nallow = [{{ gid = 4711, {all} }}]"), ""),
    ] {
        with(&format!("socket = {socket:?}\n{lines}"));
        let told = check();
        let (own, told): (Vec<_>, Vec<_>) = told.iter().partition(|line| line.contains("own user is root"));
        let lets_in = !lines.is_empty();
        assert_eq!(own.len(), usize::from(lets_in && rustix::process::geteuid().is_root()), "{own:?}");
        assert_eq!(told.len(), usize::from(!word.is_empty()), "{lines}: {told:?}");
        assert!(told.iter().all(|line| line.contains(word)), "{lines}: {told:?}");
    }
}

/// F4: nobody is told to take over another user's store.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_to_take_over_the_store() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    host.serving("acme").await;
    chown(host.auth.parent().unwrap(), Some(STRANGER), None).unwrap();
    let told = |arguments: &[&str]| {
        let output = host.latchkey(arguments).output().unwrap();
        assert!(!output.status.success());
        let said = said(&output);
        assert!(said.contains("is another user's store: it belongs to user 65534"), "{arguments:?}: {said}");
        assert!(!said.contains("chown"), "{arguments:?}: {said}");
        said
    };
    let commands = [&["token", "acme"][..], &["status"], &["login", "acme"], &["logout", "acme"]];
    for arguments in commands {
        told(arguments);
    }
    host.knows_the_socket();
    for arguments in &commands[..2] {
        assert!(told(arguments).contains("The auth file was no way round it"), "{arguments:?}");
    }
}
