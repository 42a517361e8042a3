//! What this process has open: descriptors, threads, children.

use std::path::Path;
use std::time::Instant;

use crate::LONG;

/// What is open, by name.
#[derive(Debug, Clone)]
pub struct Own {
    descriptors: Vec<String>,
    threads: Vec<String>,
}

fn entries(folder: &str, name: impl Fn(&Path) -> Option<String>) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.filter_map(|entry| name(&entry.path())).collect()
}

/// Children of this process, ended ones that nobody has waited for included.
fn children() -> Vec<String> {
    let of = |task: &Path| std::fs::read_to_string(task.join("children")).ok();
    entries("/proc/self/task", of).iter().flat_map(|ids| ids.split_whitespace()).map(str::to_owned).collect()
}

/// Waits until `holds`, and says whether it did.
pub fn eventually(holds: impl Fn() -> bool) -> bool {
    let end = Instant::now() + LONG;
    while !holds() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    true
}

impl Own {
    pub fn now() -> Self {
        let target = |link: &Path| std::fs::read_link(link).ok().map(|target| target.display().to_string());
        let name =
            |task: &Path| std::fs::read_to_string(task.join("comm")).ok().map(|name| name.trim().to_owned());
        Self { descriptors: entries("/proc/self/fd", target), threads: entries("/proc/self/task", name) }
    }

    /// What there is more than before, once it has had time to go.
    pub fn left_behind(&self) -> Vec<String> {
        // A thread of the test harness's own may come or go meanwhile.
        let grown = |before: &[String], now: &[String]| now.len() > before.len() + 1;
        let is_back = || {
            let now = Self::now();
            !grown(&self.descriptors, &now.descriptors)
                && !grown(&self.threads, &now.threads)
                && children().is_empty()
        };
        if eventually(is_back) {
            return Vec::new();
        }
        vec![format!("before: {self:#?}, left: {:#?}, children: {:?}", Self::now(), children())]
    }
}
