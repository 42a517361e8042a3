//! The wall clock, injected.
//!
//! Owns the answer to "what time is it" in unix seconds. Deadlines inside a process are monotonic (`tokio::time`);
//! wall time is only for what is stored or shown (S14). Must not: be bypassed by `SystemTime::now` elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::fault;

/// Seconds since 1970-01-01 UTC.
pub type UnixSeconds = i64;

/// How far in the future a stored stamp may lie before it is taken for wrong (S14), in seconds.
pub const SKEW_ALLOWED: i64 = 60;

/// Where wall time comes from.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    /// Follows `tokio::time`, so that a paused runtime moves wall time too.
    Runtime {
        base: UnixSeconds,
        start: tokio::time::Instant,
        shift: Arc<AtomicI64>,
    },
}

impl Clock {
    /// The host's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `base` now and moves with the tokio runtime's, paused or not.
    #[must_use]
    pub fn starting_at(base: UnixSeconds) -> Self {
        Self(Source::Runtime { base, start: tokio::time::Instant::now(), shift: Arc::default() })
    }

    /// Unix seconds, now.
    #[must_use]
    pub fn now(&self) -> UnixSeconds {
        match &self.0 {
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
                .saturating_add(fault::clock_offset()),
            Source::Runtime { base, start, shift } => {
                let passed = i64::try_from(start.elapsed().as_secs()).unwrap_or(i64::MAX);
                base.saturating_add(passed).saturating_add(shift.load(Ordering::Relaxed))
            }
        }
    }

    /// Makes the wall clock jump by `seconds` without any time passing. Does nothing to the host's clock.
    pub fn jump(&self, seconds: i64) {
        if let Source::Runtime { shift, .. } = &self.0 {
            shift.fetch_add(seconds, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// S14
    #[tokio::test(start_paused = true)]
    async fn a_runtime_clock_moves_with_the_paused_runtime_and_jumps() {
        let clock = Clock::starting_at(1_000);
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now(), 1_090);
        clock.jump(-3_600);
        assert_eq!(clock.now(), -2_510);
    }
}
