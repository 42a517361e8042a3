//! The token socket, as programs on the host meet it.

mod admitting;
mod asking;
mod documented;
mod hostile;
mod living;
mod load;
mod reloading;
mod watching;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use latchkey::binding::Binding;
use latchkey::clock::Clock;
use latchkey::credential::{Credential, CredentialKind};
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::{Store, Touches, update};
use latchkey::tenant::{TenantKey, ThreadId};
use latchkey_test_authority::{CLIENT, Person, TokenSet};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::harness::{Bot, Setup};

/// Longer than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_mins(1);
/// A user who is not the bot's, with a group of its own.
const STRANGER: u32 = 65_534;
/// A group that only tests know.
const GROUP: u32 = 54_321;

/// Whether these tests run as root, and so can become somebody else.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A setup with a token socket that everybody on the host can reach, with these lines more under `[tokens]`. Where it stands.
async fn setup(lines: &str) -> (Setup, PathBuf) {
    let tokens = format!("[tokens]\nsocket = \"run/t.sock\"\nmode = \"0666\"\n{lines}");
    let setup = Setup::plan().more(&tokens).start().await;
    let run = setup.dir.path().join("run");
    std::fs::create_dir(&run).unwrap();
    for folder in [setup.dir.path(), &run] {
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o711)).unwrap();
    }
    let socket = run.join("t.sock");
    (setup, socket)
}

/// Puts `tenant` into the store as somebody's sign-in: fresh for an hour, or one that has ended.
async fn seed(setup: &Setup, tenant: &str, expired: bool) -> TokenSet {
    let scopes = ["openid", "offline_access"];
    let mint = if expired {
        setup.authority.mint_expired(&Person::ada(), CLIENT, &scopes)
    } else {
        setup.authority.mint(&Person::ada(), CLIENT, &scopes)
    };
    let (tenant, now): (TenantKey, _) = (tenant.parse().unwrap(), Clock::system().now());
    let provider = tenant.provider.clone();
    let mut held = Credential::new(CredentialKind::OAuth, provider, Secret::new(&*mint.access), now);
    held.refresh_token = Some(Secret::new(&*mint.refresh));
    held.expires_at = Some(if expired { now - 10 } else { now + 3_600 });
    let store = store(setup);
    let put = update(&store, Touches::tenant(&tenant.clone()), move |view| {
        view.put_tenant(&tenant, held);
        Ok::<_, ()>(())
    });
    put.await.unwrap().unwrap();
    mint
}

/// Binds a thread or channel to `tenant`.
async fn bind(setup: &Setup, place: u64, tenant: &str) {
    let (place, tenant): (ThreadId, TenantKey) = (place.into(), tenant.parse().unwrap());
    let binding = Binding { tenants: [(tenant.provider.clone(), tenant)].into(), ..Binding::default() };
    let store = store(setup);
    let put = update(&store, Touches::thread(&place.clone()), move |view| {
        view.put_binding(&place, binding);
        Ok::<_, ()>(())
    });
    put.await.unwrap().unwrap();
}

fn store(setup: &Setup) -> FileStore {
    FileStore::open(&setup.store(), true, Clock::system()).unwrap()
}

/// What is stored of `tenant`.
fn held(setup: &Setup, tenant: &str) -> Credential {
    let document = store(setup).snapshot().unwrap();
    (*document.tenant(&tenant.parse().unwrap()).unwrap().unwrap()).clone()
}

/// A program at the socket, of the user who runs the tests.
struct Caller {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    /// All that came.
    heard: String,
}

impl Caller {
    /// Connects, and hears the server's first line.
    async fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).await.expect("somebody listens");
        let (read, write) = stream.into_split();
        let mut caller = Self { read: BufReader::new(read), write, heard: String::new() };
        let hello = caller.hear().await.expect("a hello");
        assert_eq!((&hello["latchkey"], &hello["version"]), (&json!("token-socket"), &json!(1)), "{hello}");
        caller
    }

    /// Says something. That nobody listens any more is found out by whoever wants an answer.
    async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        drop(self.write.write_all(bytes.as_ref()).await);
    }

    /// The next line; none at the end.
    async fn hear(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read =
            tokio::time::timeout(LONG, self.read.read_line(&mut line)).await.expect("an answer in time");
        self.heard.push_str(&line);
        (read.unwrap_or(0) > 0).then(|| serde_json::from_str(&line).expect("a line of JSON"))
    }

    async fn ask(&mut self, request: Value) -> Value {
        self.say(format!("{request}\n")).await;
        self.hear().await.expect("an answer")
    }

    /// Whether the server has closed the connection, once all that it said was heard.
    async fn is_let_go(&mut self) -> bool {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(LONG, self.read.read_to_end(&mut rest)).await;
        ended.is_ok()
    }
}

/// What a program of another user and other groups is told, which says `lines` and hears until each has its answer (a `watch`,
/// until it is in step) or the server has ended.
async fn as_other(socket: &Path, uid: u32, groups: &[u32], lines: &[Value]) -> Vec<Value> {
    const PROGRAM: &str = "
import json, os, socket, sys
path, uid, *groups = sys.argv[1:]
os.setgroups([int(group) for group in groups]); os.setgid(int(uid)); os.setuid(int(uid))
asked = sys.stdin.buffer.read()
caller = socket.socket(socket.AF_UNIX); caller.settimeout(50); caller.connect(path)
open = [request.get('id') for request in map(json.loads, asked.splitlines()) if isinstance(request, dict)]
lines = caller.makefile('rb')
try: caller.sendall(asked)
except ConnectionError: pass  # what it was told before is still to be heard
try:
    for line in lines:
        sys.stdout.buffer.write(line)
        answer = json.loads(line)
        if 'ok' in answer and answer.get('event', 'synced') == 'synced' and answer.get('id') in open:
            open.remove(answer.get('id'))
        if not open: break
except ConnectionError: pass
";
    let mut command = tokio::process::Command::new("python3");
    command.args(["-c", PROGRAM]).arg(socket).arg(uid.to_string());
    command.args(groups.iter().map(ToString::to_string));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = command.spawn().expect("python3 runs (scripts/test installs it)");
    let said = lines.iter().fold(String::new(), |said, line| said + &line.to_string() + "\n");
    let mut input = child.stdin.take().unwrap();
    input.write_all(said.as_bytes()).await.unwrap();
    drop(input);
    let output = tokio::time::timeout(LONG, child.wait_with_output()).await.expect("it ends").unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// A member of the process `id`, of the kind of `VmRSS`, in its own unit.
fn status_of(id: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it is told");
    line.trim_start_matches(':').split_ascii_whitespace().next().unwrap().parse().unwrap()
}

/// How many descriptors the process `id` has open.
fn descriptors_of(id: u32) -> usize {
    std::fs::read_dir(format!("/proc/{id}/fd")).unwrap().count()
}

/// Fails if `heard` holds a refresh token of `tenant`, then or now.
fn assert_no_refresh_token(setup: &Setup, tenant: &str, then: &TokenSet, heard: &str) {
    let now = held(setup, tenant).refresh_token.expect("it can be refreshed");
    assert!(!heard.contains(&*then.refresh) && !heard.contains(now.expose()), "{heard}");
}

/// `text` without the colours of a terminal.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// The lines of the audit trail about tokens handed out or refused.
fn audit(bot: &Bot) -> Vec<String> {
    let said = plain(&bot.said());
    let lines =
        said.lines().filter(|line| line.contains("token handed out") || line.contains("token refused"));
    lines.map(|line| line.split_once("latchkey::audit: ").map_or(line, |(_, line)| line).to_owned()).collect()
}
