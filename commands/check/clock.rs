//! Whether this host's clock is right, by what others say with their answers.
//!
//! Owns the comparison with the `Date` of a reply (RFC 9110 section 6.6.1). Must not: set a clock, or ask for more than an answer.

use std::time::UNIX_EPOCH;

use latchkey::clock::{Clock, SKEW_ALLOWED, UnixSeconds};
use reqwest::header::{DATE, HeaderMap};

use super::finding::Finding;
use crate::exit::Code;

const PART: &str = "clock";

/// What somebody else's clock said, and ours at that moment.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    whose: String,
    theirs: UnixSeconds,
    ours: UnixSeconds,
}

impl Reading {
    /// The clock of `whose`, by the headers of their answer, which has just come.
    pub fn of(whose: &str, headers: &HeaderMap) -> Option<Self> {
        let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
        let theirs = i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
        Some(Self { whose: whose.to_owned(), theirs, ours: Clock::system().now() })
    }
}

/// What the readings say. Two who agree that we are wrong are believed as one.
pub(super) fn judge(readings: &[Reading]) -> Finding {
    let Some(reading) = readings.iter().min_by_key(|reading| (reading.theirs - reading.ours).abs()) else {
        return Finding::ok(PART, "not compared: no other host was asked that says the time");
    };
    let (ahead, whose) = (reading.ours - reading.theirs, &reading.whose);
    if ahead.abs() <= SKEW_ALLOWED {
        return Finding::ok(PART, format!("it agrees with that of {whose}"));
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    Finding::problem(
        PART,
        Code::Usage,
        format!(
            "this host's clock is {} s {side} that of {whose}: tokens are taken for good or ended when they are not",
            ahead.abs()
        ),
        "set it, and keep it set: `timedatectl set-ntp true`, or whatever keeps time on this host",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    /// S14
    #[test]
    fn more_than_a_minute_off_is_a_problem_either_way() {
        for (ours, level, said) in [
            (1_000, Level::Ok, "agrees with that of Discord"),
            (1_060, Level::Ok, "agrees"),
            (1_061, Level::Problem, "61 s ahead of that of Discord"),
            (800, Level::Problem, "200 s behind that of Discord"),
        ] {
            let found = judge(&[Reading { whose: "Discord".to_owned(), theirs: 1_000, ours }]);
            assert!(found.level == level && found.what.contains(said), "{ours}: {found:?}");
        }
        // One who is wrong by themselves does not make us wrong.
        let read = |whose: &str, theirs| Reading { whose: whose.to_owned(), theirs, ours: 1_000 };
        assert_eq!(judge(&[read("odd", 9_000), read("Discord", 1_001)]).level, Level::Ok);
        assert!(judge(&[]).what.starts_with("not compared"));
    }

    #[test]
    fn a_reply_says_the_time() {
        let mut headers = HeaderMap::new();
        assert!(Reading::of("x", &headers).is_none());
        headers.insert(DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        assert_eq!(Reading::of("x", &headers).map(|reading| reading.theirs), Some(784_111_777));
        headers.insert(DATE, "soon".parse().unwrap());
        assert!(Reading::of("x", &headers).is_none());
    }
}
