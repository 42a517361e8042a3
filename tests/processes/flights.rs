//! The processes of a host: callers, and the children that refresh for them, in sessions of their own.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::host::LONG;

pub fn pid(raw: u32) -> Pid {
    Pid::from_raw(i32::try_from(raw).unwrap()).unwrap()
}

/// The children of a process.
pub fn children(of: &Child) -> Vec<u32> {
    let path = format!("/proc/{0}/task/{0}/children", of.id());
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(|child| child.parse().unwrap()).collect()
}

/// The child that refreshes on its behalf, once there is one.
pub fn flight_of(caller: &Child) -> Option<u32> {
    children(caller).first().copied()
}

pub fn is_stopped(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}

/// Waits until a process sleeps in the kernel for a lock, on a thread of its own.
pub fn waits_for_a_lock(process: u32) {
    let end = Instant::now() + LONG;
    while lock_threads(&process.to_string()) == 0 {
        assert!(Instant::now() < end, "it never waited");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a process has no file of this name open. A caller closes its copy of a lock just after it has started the
/// child that inherits it.
pub fn lets_go_of(process: u32, name: &str) {
    let is_open = || {
        let Ok(open) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return false };
        let mut paths = open.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
        paths.any(|path| path.ends_with(name))
    };
    let end = Instant::now() + LONG;
    while is_open() {
        assert!(Instant::now() < end, "it keeps {name} open");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How many threads of a process, `self` for this one, wait for locks or are about to.
pub fn lock_threads(process: &str) -> usize {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{process}/task")) else { return 0 };
    let names = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name == "latchkey-lock\n").count()
}

/// Kills each process that was started with this configuration, stopped ones and those that nobody waits for among them.
pub fn end_all(config: &Path) {
    let end = Instant::now() + Duration::from_secs(5);
    // Once more after the last: a caller may have started another in this moment.
    while Instant::now() < end {
        let found = started_with(config);
        if found.is_empty() {
            return;
        }
        for process in found {
            // It may have ended this moment.
            let _ = kill_process(process, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn started_with(config: &Path) -> Vec<Pid> {
    let config = config.as_os_str().as_encoded_bytes();
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let found = processes.flatten().filter_map(|process| {
        let id = process.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        line.split(|byte| *byte == 0).any(|argument| argument == config).then_some(Pid::from_raw(id)?)
    });
    found.collect()
}
