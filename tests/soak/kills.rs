//! Which tenant's refresh was killed when: what may explain that a refresh token was presented again.

use std::process::Output;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use latchkey::fault::Step;
use rand::Rng;
use rand::rngs::StdRng;
use rustix::process::{Pid, Signal, kill_process};

use crate::{Figures, Run};

/// A request that was sent just before its sender was killed may arrive this much later, on a busy machine.
const UNDER_WAY: Duration = Duration::from_secs(15);

#[derive(Debug)]
struct Kill {
    tenant: String,
    from: SystemTime,
    to: SystemTime,
}

/// All of them so far.
#[derive(Debug, Default)]
pub struct Kills(Mutex<Vec<Kill>>);

impl Kills {
    /// A refresh of `tenant` was killed at some time since `from`.
    pub fn note(&self, tenant: &str, from: SystemTime) {
        let kill = Kill { tenant: tenant.to_owned(), from, to: SystemTime::now() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(kill);
    }

    /// Whether a refresh of `tenant` that was presented at `first` may have been killed before `second`.
    pub fn explain(&self, tenant: &str, first: SystemTime, second: SystemTime) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|kill| kill.tenant == tenant && kill.from <= second && first <= kill.to + UNDER_WAY)
    }
}

/// Steps at which a kill leaves no doubt of what became of the refresh token: nothing was sent, or all is stored. The first
/// replacement of a refresh is that of the intent.
const SAFE: [Step; 11] = [
    Step::BeforeLock,
    Step::WithLock,
    Step::AfterRoom,
    Step::AfterIntent,
    Step::AfterSave,
    Step::AfterPublish,
    Step::TemporaryMade,
    Step::TemporaryWritten,
    Step::TemporaryDurable,
    Step::Renamed,
    Step::Replaced,
];

/// How one call of the program is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Itself,
    /// Its refresh dies at a step (`FAILPOINTS`).
    AtStep,
    /// The caller is killed, and its refresh goes on (G29).
    Caller,
    /// Its refresh is killed, wherever it is.
    Refresh,
}

/// An end for a call, and the fault that goes with it.
pub fn choose(choices: &mut StdRng, may_be_unknown: bool) -> (End, Option<String>) {
    let among = |choices: &mut StdRng, steps: &[Step]| steps[choices.random_range(0..steps.len())].name();
    match choices.random_range(0..12) {
        0 | 1 if may_be_unknown => {
            let (step, first) = (among(choices, &Step::ALL), choices.random_bool(0.5));
            let action = if first { "return(kill)" } else { "1*off->return(kill)" };
            (End::AtStep, Some(format!("{step}={action}")))
        }
        0 | 1 => (End::AtStep, Some(format!("{}=return(kill)", among(choices, &SAFE)))),
        2 => (End::Caller, None),
        3 if may_be_unknown => (End::Refresh, None),
        4 => (End::Itself, Some(format!("{}=sleep(150)", among(choices, &Step::ALL)))),
        _ => (End::Itself, None),
    }
}

/// Kills the process of this id with SIGKILL. It may have ended by itself.
pub fn kill9(id: u32) -> bool {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
}

/// The process that refreshes on behalf of the program `caller`.
pub fn refresh_of(caller: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{caller}/task/{caller}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// Whether the program's refresh was killed, by what the program says of it.
pub fn refresh_was_killed(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stderr).contains("broke off")
}

impl Run {
    /// Notes that a refresh of `tenant` was killed.
    pub fn killed(&self, tenant: &str, since: SystemTime) {
        self.kills.note(tenant, since);
        Figures::count(&self.figures.kills);
    }
}
