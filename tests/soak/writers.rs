//! Processes that write to the store and are killed while they do.
//!
//! Each thread's binding counts the updates of its writers. A writer says a number once its update is acknowledged; the
//! number that is stored after its end is that one, or the next, whose answer was lost with it.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use latchkey::clock::Clock;
use latchkey::fault::Step;
use latchkey::store::file::FileStore;
use latchkey::store::{Store, Touches, update};
use latchkey::tenant::ThreadId;
use rand::Rng;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::kills::kill9;
use crate::{Figures, LONG, Run};

const FILE: &str = "LATCHKEY_SOAK_FILE";
const THREAD: &str = "LATCHKEY_SOAK_THREAD";
const SAYS: &str = "acknowledged ";

fn counted(store: &FileStore, thread: &ThreadId) -> u64 {
    let binding = store.snapshot().unwrap().binding(thread).unwrap();
    binding.and_then(|binding| binding.told.first()?.parse().ok()).unwrap_or(0)
}

/// The writing process itself.
#[expect(clippy::print_stdout, reason = "this is how it is heard")]
pub fn write_until_killed() {
    let (Some(file), Ok(thread)) = (std::env::var_os(FILE), std::env::var(THREAD)) else { return };
    let (file, thread): (PathBuf, ThreadId) = (file.into(), thread.parse().unwrap());
    let _faults = latchkey::fault::from_environment();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = FileStore::open(&file, false, Clock::system()).unwrap();
        loop {
            let (touches, thread) = (Touches::thread(&thread), thread.clone());
            let counting = update(&store, touches, move |view| {
                let mut binding = view.binding(&thread)?;
                let next = binding.told.first().map_or(0, |told| told.parse().unwrap()) + 1_u64;
                binding.told = vec![next.to_string()];
                view.put_binding(&thread, binding);
                Ok::<_, latchkey::store::EntryError>(next)
            });
            // A store that is busy for ten seconds is busy, not lost.
            if let Ok(Ok(next)) = counting.await {
                println!("{SAYS}{next}");
            }
        }
    });
}

/// Starts a writer for `thread` and kills it, over and over.
pub async fn killed_now_and_then(run: Arc<Run>, thread: u64) {
    let mut choices = run.choices(&format!("writer {thread}"));
    let id = ThreadId::from(thread + 3_000);
    let store = run.world.store();
    let replacing = Step::ALL.into_iter().skip_while(|step| *step != Step::TemporaryMade).collect::<Vec<_>>();
    while run.goes_on() {
        let before = counted(&store, &id);
        let mut writer = tokio::process::Command::new(std::env::current_exe().unwrap());
        writer.args(["writer", "--exact", "--ignored", "--nocapture"]).kill_on_drop(true);
        writer.env(FILE, &run.world.auth).env(THREAD, id.as_str());
        writer.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let at_step = choices.random_bool(0.5);
        if at_step {
            let step = replacing[choices.random_range(0..replacing.len())].name();
            let times = choices.random_range(1..20);
            writer.env("FAILPOINTS", format!("{step}={times}*off->return(kill)"));
        } else {
            writer.env_remove("FAILPOINTS");
        }
        let mut writer = writer.spawn().unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let victim = writer.id();
        let wait = choices.random_range(50..800);
        let mut acknowledged = before;
        let reading = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(number) = line.split(SAYS).nth(1).and_then(|number| number.trim().parse().ok()) {
                    acknowledged = number;
                    Figures::count(&run.figures.updates);
                }
            }
        };
        let striking = async {
            // One that dies by itself at a step needs none of this, unless it is never reached.
            let patience = if at_step { LONG } else { std::time::Duration::from_millis(wait) };
            if tokio::time::timeout(patience, writer.wait()).await.is_err() {
                victim.map(kill9);
                drop(writer.wait().await);
            }
        };
        tokio::join!(reading, striking);
        Figures::count(&run.figures.kills);
        let stored = counted(&store, &id);
        run.violations.check(stored == acknowledged || stored == acknowledged + 1, || {
            format!("a killed writer had {acknowledged} acknowledged, and {stored} is stored")
        });
    }
}
