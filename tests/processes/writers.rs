//! Writers in many processes on one auth file: nothing that was acknowledged is lost, and nobody starves.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use latchkey::clock::Clock;
use latchkey::fault::Step;
use latchkey::pending::{LoginKind, LoginStatus, PendingLogin};
use latchkey::store::file::FileStore;
use latchkey::store::{Store, StoreError, Touches, update};
use latchkey::tenant::{TenantKey, User};
use rustix::process::{Signal, kill_process};

use crate::host::{LONG, key};
use crate::place::{Ground, open, put};
use crate::worker::{Worker, say};

fn login(user: &User, tenant: &TenantKey, now: i64) -> PendingLogin {
    PendingLogin {
        status: LoginStatus::Pending,
        ..PendingLogin::new(
            format!("{user}-{tenant}"),
            LoginKind::Paste,
            user.clone(),
            tenant.clone(),
            now,
            now + 840,
        )
    }
}

/// What writer `slot` stores as its update `number`: a tenant, a thread's binding or a pending login.
async fn write(store: &FileStore, slot: u64, number: u64) -> Result<(), StoreError> {
    let tenant = key(&format!("acme/s{slot}n{number}"));
    let name = 1_000_000 * (slot + 1) + number;
    match number % 3 {
        0 => put(store, &tenant, "token").await,
        1 => {
            let thread = name.to_string().parse().unwrap();
            let touches = Touches::thread(&thread);
            let bound = update(store, touches, move |view| {
                let mut binding = view.binding(&thread)?;
                binding.tenants.insert(tenant.provider.clone(), tenant);
                view.put_binding(&thread, binding);
                Ok::<_, StoreError>(())
            });
            bound.await?
        }
        _ => {
            let login = login(&name.to_string().parse().unwrap(), &tenant, Clock::system().now());
            let stored = update(store, Touches::logins_at(&tenant), move |view| {
                view.put_login(login);
                Ok::<_, StoreError>(())
            });
            stored.await?
        }
    }
}

/// Whether that is there.
fn is_there(store: &FileStore, slot: u64, number: u64) -> bool {
    let document = store.snapshot().unwrap();
    let tenant = key(&format!("acme/s{slot}n{number}"));
    let name = (1_000_000 * (slot + 1) + number).to_string();
    match number % 3 {
        0 => document.tenant(&tenant).unwrap().is_some(),
        1 => document.binding(&name.parse().unwrap()).unwrap().is_some(),
        _ => document.login(&name.parse().unwrap(), &tenant).unwrap().is_some(),
    }
}

/// A worker's part: updates `first` to `last` of `slot`, one after the other, each acknowledged by a line.
pub async fn fill(file: &Path, words: &[&str]) {
    let numbers: Vec<u64> = words.iter().map(|word| word.parse().unwrap()).collect();
    let store = open(file);
    for number in numbers[1]..numbers[2] {
        match write(&store, numbers[0], number).await {
            Ok(()) => say(&number.to_string()),
            Err(error) => say(&format!("failed {error}")),
        }
    }
}

const PROCESSES: u64 = 8;
const UPDATES: u64 = 200;

/// Has one writer make all its updates, through as many deaths as it takes. Gives how often it was killed.
fn fill_through_kills(file: &Path, slot: u64) -> u32 {
    let steps =
        [Step::TemporaryMade, Step::TemporaryWritten, Step::TemporaryDurable, Step::Renamed, Step::Replaced];
    let (mut next, mut kills) = (0, 0);
    while next < UPDATES {
        // By its own hand at each step of a write in turn, and from outside at any moment.
        let life = (u64::from(kills) * 7 + slot * 5) % 31 + 10;
        let turn = (u64::from(kills) + slot) % 6;
        let faults = match steps.get(usize::try_from(turn).unwrap()) {
            Some(step) => format!("{}={life}*off->return(kill)", step.name()),
            None => String::new(),
        };
        let worker = Worker::start(file, &format!("fill {slot} {next} {UPDATES}"), &faults);
        let mut acknowledged = 0;
        while let Some(line) = worker.line() {
            assert_eq!(line, next.to_string());
            next += 1;
            acknowledged += 1;
            if faults.is_empty() && acknowledged == life {
                for line in worker.kill() {
                    assert_eq!(line, next.to_string());
                    next += 1;
                }
                break;
            }
        }
        kills += u32::from(next < UPDATES);
    }
    kills
}

/// F1, F3, F8: eight processes of two hundred updates each, killed again and again. What was acknowledged is there, the
/// file is whole at any moment, and the next write leaves no temporary.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_acknowledged_is_lost_to_kills() {
    nothing_that_was_acknowledged_is_lost_to_kills_on(Ground::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn nothing_that_was_acknowledged_is_lost_to_kills_on(new_ground: fn() -> Ground) {
    let ground = new_ground();
    put(&ground.store(), &key("acme/first"), "token").await.unwrap();
    let (file, done) = (ground.file(), Arc::new(AtomicBool::new(false)));
    let reader = {
        let (file, done) = (file.clone(), Arc::clone(&done));
        std::thread::spawn(move || {
            let store = open(&file);
            let mut looks = 0_u32;
            while !done.load(Ordering::SeqCst) {
                let text = std::fs::read_to_string(&file).unwrap();
                serde_json::from_str::<serde_json::Value>(&text).unwrap();
                let document = store.snapshot().unwrap();
                assert!(document.damaged().is_empty() && document.tenants().count() > 0);
                looks += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            looks
        })
    };
    let writers: Vec<_> = (0..PROCESSES)
        .map(|slot| {
            let file = file.clone();
            std::thread::spawn(move || fill_through_kills(&file, slot))
        })
        .collect();
    let kills: Vec<u32> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
    done.store(true, Ordering::SeqCst);
    let looks = reader.join().unwrap();
    let store = ground.store();
    for slot in 0..PROCESSES {
        let lost: Vec<_> = (0..UPDATES).filter(|number| !is_there(&store, slot, *number)).collect();
        assert!(lost.is_empty(), "writer {slot} lost {lost:?}");
    }
    put(&store, &key("acme/last"), "token").await.unwrap();
    assert_eq!(ground.names(), ["auth.json", "auth.json.lock", "auth.json.locks"]);
    assert!(kills.iter().all(|kills| *kills >= 3) && looks > 10, "{kills:?} kills, {looks} looks");
    eprintln!("{} updates, kills {kills:?}, {looks} looks", PROCESSES * UPDATES);
}

/// A worker's part: one update for each line that it would get, after a first word that it is there.
pub async fn one_after_the_other(file: &Path) {
    let store = open(file);
    say("ready");
    for number in 0..1_000 {
        let result = put(&store, &key("acme"), &format!("token-{number}")).await;
        say(&result.map_or_else(|error| format!("failed {error}"), |()| "stored".to_owned()));
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
    }
}

/// F8, F17: a writer that dies at any step of a write has answered nobody, and leaves the old file or the new one, whole.
#[tokio::test]
async fn an_answer_comes_after_the_last_step_of_the_write() {
    an_answer_comes_after_the_last_step_of_the_write_on(Ground::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn an_answer_comes_after_the_last_step_of_the_write_on(new_ground: fn() -> Ground) {
    for (step, is_new) in [
        (Step::TemporaryMade, false),
        (Step::TemporaryWritten, false),
        (Step::TemporaryDurable, false),
        (Step::Renamed, true),
        (Step::Replaced, true),
    ] {
        let ground = new_ground();
        put(&ground.store(), &key("acme"), "old").await.unwrap();
        let worker = Worker::start(&ground.file(), "update", &format!("{}=return(kill)", step.name()));
        worker.expect("ready");
        assert_eq!(worker.line(), None, "{step:?}: it was answered before the write was done");
        let held = ground.store().snapshot().unwrap().tenant(&key("acme")).unwrap().unwrap();
        assert_eq!(held.access_token.expose(), if is_new { "token-0" } else { "old" }, "{step:?}");
        put(&ground.store(), &key("acme/next"), "token").await.unwrap();
        assert_eq!(ground.names(), ["auth.json", "auth.json.lock", "auth.json.locks"], "{step:?}");
    }
}

/// F16: a writer stands at the turnstile while it waits for the store lock, and has left it while it writes: whoever asks
/// again at once finds those before it there. That flock alone would starve them is a matter of microseconds and shows
/// now and then only; that the turnstile is taken shows always.
#[tokio::test]
async fn a_writer_stands_at_the_turnstile_for_its_wait_alone() {
    let ground = Ground::new();
    let store = ground.store();
    put(&store, &key("acme"), "old").await.unwrap();
    let bound = Duration::from_millis(300);
    let turnstile = store.named_lock("turnstile", LONG).await.unwrap();
    let writes = Worker::start(&ground.file(), "update", "temporary-written=1*return(stop)->off");
    writes.expect("ready");
    assert_eq!(writes.line_within(bound), None);
    assert_eq!(
        ground.names(),
        ["auth.json", "auth.json.lock", "auth.json.locks"],
        "nobody writes past the turnstile"
    );
    drop(turnstile);
    let end = Instant::now() + LONG;
    while !ground.names().iter().any(|name| name.contains(".new-")) {
        assert!(Instant::now() < end, "it never came to its write");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(store.named_lock("turnstile", LONG).await.expect("who writes has left it"));
    let waits = Worker::start(&ground.file(), "update", "");
    waits.expect("ready");
    while store.named_lock("turnstile", bound).await.is_ok() {
        assert!(Instant::now() < end, "who waits does not stand there");
    }
    kill_process(writes.pid(), Signal::CONT).unwrap();
    writes.expect("stored");
    waits.expect("stored");
}

/// F18: what another process changes is noticed within two seconds.
#[tokio::test]
async fn changes_of_another_process_are_noticed() {
    let ground = Ground::new();
    let store = ground.store();
    put(&store, &key("acme"), "old").await.unwrap();
    let mut changes = store.changes();
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let worker = Worker::start(&ground.file(), "update", "");
        worker.expect("ready");
        worker.expect("stored");
        let written = Instant::now();
        tokio::time::timeout(LONG, changes.changed()).await.expect("it is noticed").unwrap();
        best = best.min(written.elapsed());
    }
    assert!(best < Duration::from_secs(2), "{best:?}");
}
