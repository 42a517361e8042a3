//! The soak: mixed load on one auth file, with kills and faults at random, and a reckoning at the end.
//!
//! `cargo test --test soak` runs it for 30 s; `LATCHKEY_SOAK_SECONDS` sets another time, `LATCHKEY_SOAK_SEED` repeats a run
//! as far as its choices go. One provider is strict and meets no fault that could have its refresh token presented twice; the
//! other is lenient, and there every second presentation must be explained by a reply that was cut or a process that was
//! killed. Owns nothing beyond its own folder; ends what it started by its id.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[cfg(not(debug_assertions))]
compile_error!("these tests set faults, which only a debug build has: run them without --release");

mod demand;
mod judge;
mod kills;
mod own;
mod signing;
mod weather;
mod world;
mod writers;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;

use self::own::Own;
use self::world::World;

/// Longer than anything takes once the load has ended, unless it hangs: a lock, an exchange, a back-off.
const LONG: Duration = Duration::from_mins(2);

/// What a run is to be like.
#[derive(Clone)]
pub struct Plan {
    seed: u64,
    time: Duration,
    /// A fault that every spawned `latchkey token` meets: proves that the soak can tell.
    fault: Option<&'static str>,
}

/// What was done, for the report.
#[derive(Default)]
pub struct Figures {
    tokens_by_program: AtomicUsize,
    tokens_in_process: AtomicUsize,
    kills: AtomicUsize,
    updates: AtomicUsize,
    sign_ins: AtomicUsize,
    logins: AtomicUsize,
    logouts: AtomicUsize,
    given_up: AtomicUsize,
    faults: AtomicUsize,
}

impl Figures {
    fn count(which: &AtomicUsize) {
        which.fetch_add(1, Ordering::Relaxed);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |which: &AtomicUsize| which.load(Ordering::Relaxed);
        write!(
            f,
            "{} tokens by program, {} in process, {} kills, {} faults of servers, {} acknowledged updates by writers that \
             were killed, {} sign-ins put over others, {} logins, {} given up, {} logouts",
            of(&self.tokens_by_program),
            of(&self.tokens_in_process),
            of(&self.kills),
            of(&self.faults),
            of(&self.updates),
            of(&self.sign_ins),
            of(&self.logins),
            of(&self.given_up),
            of(&self.logouts),
        )
    }
}

/// What is amiss; the first few say enough.
#[derive(Default)]
pub struct Violations(Mutex<Vec<String>>);

impl Violations {
    fn add(&self, what: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < 30 {
            all.push(what);
        }
    }

    fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.add(what());
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What every part of the load has.
pub struct Run {
    plan: Plan,
    world: World,
    end: Instant,
    figures: Figures,
    violations: Violations,
    kills: kills::Kills,
}

impl Run {
    fn goes_on(&self) -> bool {
        Instant::now() < self.end
    }

    /// Choices of one part, which depend on the seed alone.
    fn choices(&self, part: &str) -> StdRng {
        let name =
            part.bytes().fold(0_u64, |name, byte| name.wrapping_mul(131).wrapping_add(u64::from(byte)));
        StdRng::seed_from_u64(self.plan.seed ^ name)
    }

    /// A run in which one of these never came has shown nothing of it.
    fn was_a_load(&self, refreshes: usize) {
        let of = |which: &AtomicUsize| which.load(Ordering::Relaxed);
        let Figures { kills, logins, logouts, updates, .. } = &self.figures;
        for (what, count) in [
            ("kills", of(kills)),
            ("logins", of(logins)),
            ("logouts", of(logouts)),
            ("updates", of(updates)),
            ("refreshes", refreshes),
        ] {
            self.violations.check(count > 0, || format!("there were no {what} in this run"));
        }
    }

    async fn pause(&self, choices: &mut StdRng, millis: std::ops::Range<u64>) {
        tokio::time::sleep(Duration::from_millis(choices.random_range(millis))).await;
    }
}

async fn soak(plan: Plan) -> (String, Vec<String>) {
    let world = World::new().await;
    if plan.fault.is_some() {
        // Time enough for those who do not wait for one another to meet at the server.
        world.take(Duration::from_millis(500));
    }
    let end = Instant::now() + plan.time;
    let run = Arc::new(Run {
        plan,
        world,
        end,
        figures: Figures::default(),
        violations: Violations::default(),
        kills: kills::Kills::default(),
    });
    let bot = signing::Bot::start(&run);
    let mut load = JoinSet::new();
    for part in 0..3 {
        load.spawn(demand::by_program(Arc::clone(&run), part));
    }
    for part in 0..4 {
        load.spawn(demand::in_process(Arc::clone(&run), bot.broker.clone(), part));
    }
    if run.plan.fault.is_none() {
        load.spawn(weather::over(Arc::clone(&run)));
        load.spawn(demand::signing_in_again(Arc::clone(&run)));
        for tenant in 0..world::LOGINS {
            load.spawn(signing::member(Arc::clone(&run), bot.clone(), tenant));
        }
        for thread in 0..2 {
            load.spawn(writers::killed_now_and_then(Arc::clone(&run), thread));
        }
    }
    while let Some(part) = load.join_next().await {
        if let Err(error) = part {
            run.violations.add(format!("a part of the load ended badly: {error}"));
        }
    }
    judge::settle(&run, &bot).await;
    judge::verdict(&run).await;
    let presented = run.world.strict.refreshes() + run.world.lenient.refreshes();
    if run.plan.fault.is_none() {
        run.was_a_load(presented);
    }
    (format!("{presented} refresh requests, {}", run.figures), run.violations.take())
}

/// Runs it in a runtime of its own, and adds what it left behind in this process.
fn run(plan: &Plan) -> Vec<String> {
    // What is counted is the whole process's: one run at a time.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    warm_up();
    eprintln!("soak: {} s, LATCHKEY_SOAK_SEED={}", plan.time.as_secs(), plan.seed);
    let before = Own::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (figures, mut violations) = runtime.block_on(soak(plan.clone()));
    eprintln!("soak: {figures}");
    if !own::eventually(|| runtime.metrics().num_alive_tasks() == 0) {
        violations.push(format!("{} tasks are left", runtime.metrics().num_alive_tasks()));
    }
    drop(runtime);
    violations.extend(before.left_behind());
    violations
}

/// The people's browser has a runtime that lasts as long as this process: it is no leak.
fn warm_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let authority = latchkey_test_authority::Authority::start();
    runtime.block_on(latchkey_test_authority::Browser::new().get(&authority.url("/device")));
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}

/// G1, G2, G8, G12, G19 to G22, F1, F3, F8, S13, W1: whatever happens, in any order.
#[test]
fn nothing_is_lost_reused_or_leaked() {
    let plan = Plan {
        seed: number("LATCHKEY_SOAK_SEED").unwrap_or_else(|| rand::rng().random_range(0..1_000_000)),
        time: Duration::from_secs(number("LATCHKEY_SOAK_SECONDS").unwrap_or(30)),
        fault: None,
    };
    let violations = run(&plan);
    assert!(violations.is_empty(), "seed {}: {violations:#?}", plan.seed);
}

/// G2: the soak can tell. With the refresh lock taken out of the spawned programs, it finds reuse.
#[test]
fn without_the_refresh_lock_the_soak_fails() {
    let fault = Some("without-refresh-lock=return");
    let violations = run(&Plan { seed: 1, time: Duration::from_secs(8), fault });
    let found = |what: &str| violations.iter().any(|violation| violation.contains(what));
    assert!(found("reuse at the strict server"), "{violations:#?}");
    assert!(found("was presented again"), "{violations:#?}");
}

/// Not a test: the process that the soak kills while it writes.
#[test]
#[ignore = "started by the soak"]
fn writer() {
    writers::write_until_killed();
}
