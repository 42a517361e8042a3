//! Several processes on one auth file: each is this program again, with a mode as its first argument.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use latchkey::clock::Clock;
use latchkey::store::Store;
use latchkey::store::file::FileStore;
use rustix::time::{ClockId, clock_gettime};

use crate::common::ground::{Ground, key, runtime};
use crate::common::pair::Sample;
use crate::common::rows::change;
use crate::row::Row;

const TAKE_LOCK: &str = "member-takes-lock";
const UPDATE: &str = "member-updates";
const PROCESSES: usize = 20;
const TURNS: u64 = 100;
/// How long a member keeps the lock, and how long it rests: short enough that somebody always waits.
const KEEPS: Duration = Duration::from_micros(300);
const RESTS: Duration = Duration::from_millis(3);

pub fn is_member(mode: &str) -> bool {
    [TAKE_LOCK, UPDATE].contains(&mode)
}

/// What one of the processes does: `<auth file> <times> <number>`.
pub fn member(mode: &str, arguments: &[String]) {
    let [auth, times, number] = arguments else { panic!("a member needs a file, a count and a number") };
    let store = FileStore::open(Path::new(auth), false, Clock::system()).unwrap();
    let times: u64 = times.parse().unwrap();
    runtime().block_on(async {
        if mode == TAKE_LOCK {
            take_lock(&store, times).await;
        } else {
            let tenant = if number == "0" { key("acme") } else { key(&format!("acme/t{number}")) };
            for _ in 0..times {
                change(&store, tenant.clone()).await;
            }
        }
    });
}

/// Prints, for each time: when it asked for the lock, had it, and let it go, in nanoseconds of a clock that all share.
async fn take_lock(store: &FileStore, times: u64) {
    let now = || {
        let time = clock_gettime(ClockId::Monotonic);
        time.tv_sec * 1_000_000_000 + time.tv_nsec
    };
    let mut lines = String::new();
    for _ in 0..times {
        let asked = now();
        let lock = store.refresh_lock(&key("acme"), Duration::from_mins(1)).await.unwrap();
        let had = now();
        std::thread::sleep(KEEPS);
        let let_go = now();
        drop(lock);
        writeln!(lines, "{asked} {had} {let_go}").unwrap();
        std::thread::sleep(RESTS);
    }
    print!("{lines}");
}

fn start(mode: &str, ground: &Ground, times: u64, number: usize) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(mode).arg(&ground.auth).arg(times.to_string()).arg(number.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

pub fn hand_over() -> Vec<Row> {
    let ground = Ground::new(1);
    let running: Vec<_> = (0..PROCESSES).map(|number| start(TAKE_LOCK, &ground, TURNS, number)).collect();
    let mut turns: Vec<(i64, i64, i64, usize)> = Vec::new();
    for (member, child) in running.into_iter().enumerate() {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let [asked, had, let_go] =
                line.split(' ').map(|word| word.parse().unwrap()).collect::<Vec<_>>()[..]
            else {
                panic!("{line}")
            };
            turns.push((had, let_go, asked, member));
        }
    }
    turns.sort_unstable();
    // From one process to another that was waiting already: that is a hand-over.
    let handed = turns.windows(2).filter_map(|two| {
        let [(_, let_go, _, before), (had, _, asked, after)] = two else { return None };
        (before != after && asked < let_go)
            .then(|| Duration::from_nanos(u64::try_from(had - let_go).unwrap_or(0)))
    });
    let handed: Vec<_> = handed.collect();
    let what = format!("lock hand-over among {PROCESSES} processes, median");
    let peer = format!("{} hand-overs", handed.len());
    vec![Row::time(&what, Sample::of(handed), &peer, Duration::from_micros(100))]
}

/// How long one update takes when `processes` update at once, each a tenant of its own.
pub fn updates(processes: usize, times: u64) -> Duration {
    let ground = Ground::new(processes);
    let start_of_all = Instant::now();
    let running: Vec<_> = (0..processes).map(|number| start(UPDATE, &ground, times, number)).collect();
    for child in running {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    start_of_all.elapsed() / u32::try_from(processes as u64 * times).unwrap()
}
