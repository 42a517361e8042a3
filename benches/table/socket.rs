//! The token socket: how long a fresh token takes over it, with one client and with many at once.
//!
//! The server is this program again, in a process of its own; its peer is another that answers each line with as many bytes
//! and does nothing else.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use latchkey::broker::Broker;
use latchkey::clock::Clock;
use latchkey::config::{Config, TokensConfig};
use latchkey::oauth;
use latchkey::serve::socket::{Admission, Server, Whereabouts, bind, raise_descriptors};
use latchkey::store::file::FileStore;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use crate::common::ground::{Ground, runtime};
use crate::common::pair::{Limit, Sample};
use crate::row::{Row, shown};

const SERVE: &str = "member-serves-tokens";
const ECHO: &str = "member-answers-lines";
const REQUEST: &[u8] = b"{\"op\":\"token\",\"tenant\":\"acme\"}\n";
/// Requests of one client, and of many together.
const TURNS: usize = 4_000;
const CLIENTS: [usize; 4] = [1, 10, 100, 500];
/// Requests over which memory is watched, after as many as warm it up.
const MANY: usize = 100_000;
const WARM: usize = 10_000;
/// Over a line that is answered without a look: the look-up, the checks of freshness and the JSON each way.
const BARE_LINE: Limit = Limit::AtMost(3.0);

pub fn is_member(mode: &str) -> bool {
    [SERVE, ECHO].contains(&mode)
}

/// What one of the processes does: `<configuration> <socket> <bytes of an answer>`.
pub fn member(mode: &str, arguments: &[String]) {
    let [config, socket, bytes] = arguments else { panic!("a server needs a file, a socket and a length") };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if mode == ECHO {
        return runtime.block_on(echo(Path::new(socket), bytes.parse().unwrap()));
    }
    runtime.block_on(async {
        let config = Config::load(Path::new(config)).unwrap();
        let store = Arc::new(FileStore::open(&config.store.path, false, Clock::system()).unwrap());
        let broker = Broker::new(
            store,
            config.providers,
            oauth::Client::new(),
            Clock::system(),
            latchkey::config::Limits { starts_per_minute: 50, ..Default::default() },
        );
        let tokens = TokensConfig {
            socket: socket.into(),
            mode: 0o600,
            group: None,
            allow: Vec::new(),
            bearer_file: None,
        };
        let admission = Admission::new(&tokens).unwrap();
        let bound = bind(&tokens).await.unwrap();
        let nowhere = Whereabouts::new(|_| None, |_| Box::pin(async { Ok(None) }));
        let server = Server::new(broker, admission, nowhere, raise_descriptors());
        server.serve(bound, CancellationToken::new()).await;
    });
}

/// Answers each line with a line of so many bytes.
async fn echo(socket: &Path, bytes: usize) {
    let listener = UnixListener::bind(socket).unwrap();
    let mut answer = vec![b'x'; bytes.saturating_sub(1)];
    answer.push(b'\n');
    let answer = Arc::new(answer);
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let answer = Arc::clone(&answer);
        tokio::spawn(async move {
            let (reads, mut writes) = stream.into_split();
            if writes.write_all(b"hello\n").await.is_err() {
                return;
            }
            let mut lines = BufReader::new(reads).lines();
            while let Ok(Some(_)) = lines.next_line().await {
                if writes.write_all(&answer).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// A server in a process of its own, which ends with this.
struct Serving {
    child: Child,
    socket: PathBuf,
}

impl Serving {
    fn start(mode: &str, ground: &Ground, bytes: usize) -> Self {
        let socket = ground.folder().join(mode);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(mode).arg(&ground.config).arg(&socket).arg(bytes.to_string()).stdin(Stdio::null());
        let serving = Self { child: command.spawn().unwrap(), socket };
        let end = Instant::now() + Duration::from_secs(10);
        while std::os::unix::net::UnixStream::connect(&serving.socket).is_err() {
            assert!(Instant::now() < end, "it never listened");
            std::thread::sleep(Duration::from_millis(5));
        }
        serving
    }

    /// Its memory, in KiB.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One client.
struct Client {
    lines: tokio::io::Lines<BufReader<tokio::net::unix::OwnedReadHalf>>,
    writes: tokio::net::unix::OwnedWriteHalf,
}

impl Client {
    async fn connect(socket: &Path) -> Self {
        let (reads, writes) = UnixStream::connect(socket).await.unwrap().into_split();
        let mut lines = BufReader::new(reads).lines();
        lines.next_line().await.unwrap().unwrap();
        Self { lines, writes }
    }

    async fn ask(&mut self) -> String {
        self.writes.write_all(REQUEST).await.unwrap();
        self.lines.next_line().await.unwrap().unwrap()
    }
}

/// How long each of `turns` requests took, over `clients` connections at once.
async fn times(socket: &Path, clients: usize, turns: usize) -> Vec<Duration> {
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let mut client = Client::connect(socket).await;
        asking.spawn(async move {
            let mut times = Vec::with_capacity(turns / clients);
            for _ in 0..(turns / clients).max(1) {
                let start = Instant::now();
                client.ask().await;
                times.push(start.elapsed());
            }
            times
        });
    }
    asking.join_all().await.concat()
}

fn at(times: &mut [Duration], part: usize) -> Duration {
    times.sort_unstable();
    times.get(times.len() * part / 100).or(times.last()).copied().unwrap_or_default()
}

pub fn rows() -> Vec<Row> {
    let ground = Ground::new(1);
    let server = Serving::start(SERVE, &ground, 0);
    let bytes = runtime().block_on(async { Client::connect(&server.socket).await.ask().await.len() + 1 });
    let bare = Serving::start(ECHO, &ground, bytes);
    let (mut things, mut peers) = (Vec::new(), Vec::new());
    runtime().block_on(async {
        for _ in 0..8 {
            things.extend(times(&server.socket, 1, TURNS / 8).await);
            peers.extend(times(&bare.socket, 1, TURNS / 8).await);
        }
    });
    let (thing, peer) = (Sample::of(things), Sample::of(peers));
    vec![Row::ratio("a fresh token over the socket", "a bare line as long", BARE_LINE, thing, peer)]
}

/// How it goes with many clients, and with many requests.
pub fn print() {
    let ground = Ground::new(1);
    let server = Serving::start(SERVE, &ground, 0);
    let clients: Vec<_> = CLIENTS.iter().map(ToString::to_string).collect();
    println!("\n| clients of the socket at once | {} |\n|---|{}", clients.join(" | "), "---|".repeat(4));
    let mut cells: [Vec<String>; 3] = Default::default();
    for clients in CLIENTS {
        let start = Instant::now();
        let mut times = runtime().block_on(times(&server.socket, clients, TURNS * 4));
        let rate = u128::try_from(times.len()).unwrap() * 1_000_000 / start.elapsed().as_micros().max(1);
        cells[0].push(shown(at(&mut times, 50)));
        cells[1].push(shown(at(&mut times, 99)));
        cells[2].push(rate.to_string());
    }
    for (what, cells) in
        ["a fresh token, p50", "a fresh token, p99", "fresh tokens a second"].iter().zip(cells)
    {
        println!("| {what} | {} |", cells.join(" | "));
    }
    drop(server);
    let many = Serving::start(SERVE, &ground, 0);
    runtime().block_on(times(&many.socket, 1, WARM));
    let before = many.resident();
    runtime().block_on(times(&many.socket, 10, MANY));
    let after = many.resident();
    println!("\nMemory of the server after {WARM} requests: {before} KiB; after {MANY} more: {after} KiB.");
}
