//! This process, as the system sees it: what `/proc` says.
//!
//! Owns the reading of it. Where there is no such folder there are no figures, and nothing is made up. Must not: fail.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// The figures of one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    pub cpu_seconds: f64,
    pub started_at: f64,
    pub threads: f64,
    pub virtual_bytes: f64,
    pub resident_bytes: f64,
    pub open_files: Option<f64>,
    pub most_files: Option<f64>,
}

/// How it is now.
pub(crate) fn figures() -> Option<Figures> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let system = fs::read_to_string("/proc/stat").ok()?;
    let mut figures = read(&stat, &system)?;
    figures.open_files = fs::read_dir("/proc/self/fd").ok().map(|open| number(open.count() as u64));
    figures.most_files = getrlimit(Resource::Nofile).current.map(number);
    Some(figures)
}

/// What proc(5) writes about a process, and about the system.
fn read(stat: &str, system: &str) -> Option<Figures> {
    // Fields are counted from the process' name on, which is in parentheses and may hold anything: the next is field 3.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let ticks = number(clock_ticks_per_second());
    let booted: u64 = system.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(Figures {
        cpu_seconds: number(field(14)? + field(15)?) / ticks,
        threads: number(field(20)?),
        started_at: number(booted) + number(field(22)?) / ticks,
        virtual_bytes: number(field(23)?),
        resident_bytes: number(field(24)? * page_size() as u64),
        open_files: None,
        most_files: None,
    })
}

/// As Prometheus has numbers.
#[expect(
    clippy::cast_precision_loss,
    reason = "a metric is a double; nothing here is beyond 2^53 but by a fault"
)]
pub(crate) fn number(of: u64) -> f64 {
    of as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Z4: the fields are those of proc(5), whatever the process is called.
    #[test]
    fn the_fields_are_those_that_the_manual_names() {
        let stat = "77 (odd) name) S 1 77 77 0 -1 4194560 500 0 0 0 250 150 0 0 20 0 9 0 1000 8192 3 18446744073709551615 1";
        let figures = read(stat, "cpu 1 2 3\nbtime 1700000000\n").unwrap();
        let (ticks, page) = (number(clock_ticks_per_second()), number(page_size() as u64));
        let wanted = Figures {
            cpu_seconds: 400.0 / ticks,
            started_at: 1_700_000_000.0 + 1_000.0 / ticks,
            threads: 9.0,
            virtual_bytes: 8_192.0,
            resident_bytes: 3.0 * page,
            open_files: None,
            most_files: None,
        };
        assert_eq!(figures, wanted);
        assert_eq!(read("77 (half) S 1", ""), None);
    }

    /// Z4
    #[test]
    #[cfg(target_os = "linux")]
    fn we_are_there_ourselves() {
        let figures = figures().unwrap();
        assert!(figures.resident_bytes > 1e6 && figures.threads >= 1.0, "{figures:?}");
        let now = crate::clock::Clock::system().now();
        #[expect(clippy::cast_precision_loss, reason = "unix seconds")]
        let age = now as f64 - figures.started_at;
        assert!((-2.0..86_400.0).contains(&age), "{figures:?}");
    }
}
