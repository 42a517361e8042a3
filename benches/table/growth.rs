//! How cost grows with tenants, threads and processes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use latchkey::gate::Want;
use latchkey_test_authority::Authority;

use crate::common::ground::{Ground, key, runtime};
use crate::common::pair::Sample;
use crate::common::rows::{at_once, hand_out, one_by_one};
use crate::crowd;
use crate::programs::{PROGRAMS, asking, expired, one_storm, whole};
use crate::row::shown;

const TURNS: usize = 30;

fn medians(turns: usize, mut once: impl FnMut() -> Duration) -> Duration {
    Sample::of((0..turns).map(|_| once()).collect()).median
}

fn head(of: &str, columns: &[String]) {
    println!("\n| {of} | {} |\n|---|{}", columns.join(" | "), "---|".repeat(columns.len()));
}

fn line(what: &str, cells: impl Iterator<Item = Duration>) {
    println!("| {what} | {} |", cells.map(shown).collect::<Vec<_>>().join(" | "));
}

pub fn print() {
    tenants();
    threads();
    processes();
}

fn tenants() {
    let sizes = [1, 10, 100, 1_000];
    head("tenants", &sizes.map(|size| size.to_string()));
    let bytes = sizes.map(|size| Ground::new(size).bytes().len());
    println!(
        "| the auth file | {} |",
        bytes.map(|bytes| format!("{} KB", bytes.div_ceil(1_000))).join(" | ")
    );
    let in_process = |size| {
        let mut thing = hand_out(Ground::new(size));
        medians(TURNS, || thing(1_000) / 1_000)
    };
    line("a fresh token in process", sizes.into_iter().map(in_process));
    for (name, program, arguments) in PROGRAMS {
        let process = |size| {
            let ground = Ground::new(size);
            let mut command = asking(&ground, program, arguments);
            medians(TURNS, || whole(&mut command))
        };
        line(&format!("a fresh token, `{name}`"), sizes.into_iter().map(process));
    }
    let update = |size| {
        let mut thing = one_by_one(Ground::new(size));
        medians(TURNS, || thing(1))
    };
    line("one update", sizes.into_iter().map(update));
    let again = |size| {
        let ground = Ground::new(size);
        // Each store reads the file for the first time.
        medians(TURNS, || {
            let store = ground.store();
            let start = Instant::now();
            std::hint::black_box(latchkey::store::Store::snapshot(&*store).unwrap());
            start.elapsed()
        })
    };
    line("reading the file after a change", sizes.into_iter().map(again));
}

fn threads() {
    let counts = [1, 2, 4, 8, 16];
    head("threads or tasks at once", &counts.map(|count| count.to_string()));
    line("a fresh token in process, each", counts.into_iter().map(fresh_on_threads));
    let update = |count| {
        let ground = Ground::new(count);
        let (store, runtime) = (ground.store(), runtime());
        let each = u32::try_from(count).unwrap();
        medians(10, || at_once(&runtime, &store, count, 8) / (8 * each))
    };
    line("one update, by as many tasks", counts.into_iter().map(update));
}

/// The time from one token to the next, of all `threads` together.
fn fresh_on_threads(threads: usize) -> Duration {
    const TIMES: u32 = 20_000;
    let ground = Ground::new(10);
    let broker = ground.broker();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let broker = broker.clone();
            scope.spawn(move || {
                runtime().block_on(async {
                    for _ in 0..TIMES {
                        broker.token(&key("acme"), Want::default(), Duration::from_secs(30)).await.unwrap();
                    }
                });
            });
        }
    });
    start.elapsed() / (TIMES * u32::try_from(threads).unwrap())
}

fn processes() {
    let counts = [1, 2, 5, 10, 20];
    head("processes at once", &counts.map(|count| count.to_string()));
    let (_, small, arguments) = PROGRAMS[0];
    let ground = Arc::new(Ground::new(10));
    let crowd = |count: usize| {
        medians(TURNS, || {
            let start = Instant::now();
            let running: Vec<_> =
                (0..count).map(|_| asking(&ground, small, arguments).spawn().unwrap()).collect();
            for mut child in running {
                assert!(child.wait().unwrap().success());
            }
            start.elapsed()
        })
    };
    line("a fresh token for all, `latchkey-token`", counts.into_iter().map(crowd));
    let endpoint = Duration::from_millis(300);
    let authority = Authority::start();
    let ground = expired(&authority, endpoint, 10);
    for (name, program, arguments) in PROGRAMS {
        let storm = |count| {
            medians(3, || one_storm(&ground, &authority, program, arguments, count)).saturating_sub(endpoint)
        };
        line(
            &format!("a refresh for all, `{name}`, beyond the endpoint's time"),
            counts.into_iter().map(storm),
        );
    }
    line(
        "one update, each process its own tenant",
        counts.into_iter().map(|count| crowd::updates(count, 50)),
    );
}
