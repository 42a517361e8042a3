//! The stand-in's clock: real time plus whatever a test has skipped.
//!
//! Every age the stand-in judges (3 s to acknowledge, 15 min of token life) is read here, so `advance` moves
//! them all at once. It never goes back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch, shifted forward by a test.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Milliseconds added to real time; only ever grows.
    skipped: AtomicU64,
}

impl Clock {
    /// The present in milliseconds since the Unix epoch.
    pub(crate) fn now_ms(&self) -> u64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(real) + self.skipped.load(Ordering::SeqCst)
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&self, by: Duration) {
        self.skipped.fetch_add(millis(by), Ordering::SeqCst);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4)
}

/// An ISO 8601 timestamp in UTC, as Discord writes them.
pub(crate) fn iso(ms: u64) -> String {
    let days = i64::try_from(ms / 86_400_000).unwrap_or(0);
    let (second_of_day, milli) = ((ms / 1000) % 86_400, ms % 1000);
    // Days to a civil date: years are counted from March, so that a leap day ends one.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}000+00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_civil_dates_in_utc() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000000+00:00");
        assert_eq!(iso(951_782_400_000), "2000-02-29T00:00:00.000000+00:00");
        assert_eq!(iso(1_767_225_599_007), "2025-12-31T23:59:59.007000+00:00");
    }

    #[test]
    fn advance_moves_the_present() {
        let clock = Clock::default();
        let before = clock.now_ms();
        clock.advance(Duration::from_mins(15));
        assert!(clock.now_ms() >= before + 900_000);
    }
}
