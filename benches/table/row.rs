//! One line of the table.

use std::time::Duration;

use crate::common::pair::{Limit, Pair, Sample};

pub struct Row {
    pub what: String,
    pub measured: String,
    pub peer: String,
    pub ratio: String,
    pub limit: String,
    pub holds: bool,
}

impl Row {
    /// A row that is a ratio.
    pub fn ratio(what: &str, peer_name: &str, limit: Limit, thing: Sample, peer: Sample) -> Self {
        let ratio = limit.ratio(thing.median, peer.median);
        Self {
            what: what.to_owned(),
            measured: shown(thing.median),
            peer: format!("{peer_name}: {}", shown(peer.median)),
            ratio: format!("{ratio:.2} ({:.2})", limit.ratio(thing.tenth, peer.tenth)),
            limit: limit.to_string(),
            holds: limit.holds(ratio),
        }
    }

    pub fn of_pair(pair: &Pair, thing: Sample, peer: Sample) -> Self {
        Self::ratio(pair.name, pair.peer_name, pair.limit, thing, peer)
    }

    /// A row that is a time.
    pub fn time(what: &str, measured: Sample, peer: &str, limit: Duration) -> Self {
        Self {
            what: what.to_owned(),
            measured: format!("{} ({})", shown(measured.median), shown(measured.tenth)),
            peer: peer.to_owned(),
            ratio: String::new(),
            limit: format!("at most {}", shown(limit)),
            holds: measured.median <= limit,
        }
    }

    /// The same without a limit.
    pub fn for_comparison(self) -> Self {
        Self { limit: String::new(), ..self }
    }

    pub fn print(&self) {
        let Self { what, measured, peer, ratio, limit, holds } = self;
        let verdict = match (limit.is_empty(), holds) {
            (true, _) => "",
            (false, true) => "holds",
            (false, false) => "**missed**",
        };
        println!("| {what} | {measured} | {peer} | {ratio} | {limit} | {verdict} |");
    }
}

/// A time as people read it.
pub fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        _ if micros < 10.0 => format!("{micros:.2} µs"),
        _ if micros < 1_000.0 => format!("{micros:.0} µs"),
        _ if micros < 100_000.0 => format!("{:.2} ms", micros / 1e3),
        _ => format!("{:.0} ms", micros / 1e3),
    }
}
