//! When the next session may be begun, where few of those that Discord allows in a day are left.
//!
//! Owns the reading of Discord's limit of session starts. Invariant: what was waited counts. Must not: wait, or ask.

use std::time::Duration;

use serenity::all::SessionStartLimit;
use tokio::time::Instant;

/// When a session may be begun, where few are left.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) at: Instant,
    /// How many sessions were left when that was fixed.
    pub(super) remaining: u64,
}

impl Turn {
    /// What is waited for from `now` on, after `before`; nothing where the limit is as good as new.
    pub(super) fn next(before: Option<Self>, limit: &SessionStartLimit, now: Instant) -> Option<Self> {
        let wait = wait(limit)?;
        // What was waited counts, unless somebody began sessions meanwhile.
        let before = before.filter(|before| before.remaining <= limit.remaining);
        Some(before.unwrap_or(Self { at: now + wait, remaining: limit.remaining }))
    }
}

/// How long to wait before a session is begun, if at all: the last tenth of the limit is spread over the time that it must
/// last, since Discord ends all sessions and the token of a bot that goes beyond it.
fn wait(limit: &SessionStartLimit) -> Option<Duration> {
    let reset = Duration::from_millis(limit.reset_after);
    if limit.remaining > limit.total / 10 {
        return None;
    }
    Some(reset / u32::try_from(limit.remaining.max(1)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the limit is looked at again.
    const LATER: Duration = Duration::from_mins(10);

    fn limit(remaining: u64, reset_after: u64) -> SessionStartLimit {
        let limit = serde_json::json!({"total": 1000, "remaining": remaining, "reset_after": reset_after, "max_concurrency": 1});
        serde_json::from_value(limit).unwrap()
    }

    /// A bot that is started again and again comes to no end of its session starts: what is left of them lasts.
    #[test]
    fn the_last_session_starts_are_spread_over_the_time_they_must_last() {
        for (remaining, reset_after, expected) in [
            (999, 86_400_000, None),
            (101, 86_400_000, None),
            (100, 86_400_000, Some(864)),
            (1, 3_600_000, Some(3_600)),
            (0, 3_600_000, Some(3_600)),
            (50, 0, Some(0)),
        ] {
            assert_eq!(
                wait(&limit(remaining, reset_after)),
                expected.map(Duration::from_secs),
                "{remaining}"
            );
        }
    }

    /// However often the limit is looked at meanwhile, what was waited counts; what somebody else used up is waited for anew, and
    /// a limit that has recovered is waited for no more.
    #[test]
    fn a_wait_is_as_long_as_it_was_meant() {
        let (begun, day) = (Instant::now(), Duration::from_hours(24));
        let after = |waited: Duration, turn, remaining| {
            let reset_after = u64::try_from(day.saturating_sub(waited).as_millis()).unwrap();
            Turn::next(turn, &limit(remaining, reset_after), begun + waited)
        };
        let first = after(Duration::ZERO, None, 100).unwrap();
        assert_eq!(first.at - begun, Duration::from_secs(864));
        let looked = after(LATER, Some(first), 100).unwrap();
        assert_eq!(looked.at, first.at);
        let used_up = after(LATER, Some(first), 50).unwrap();
        assert_eq!(used_up.at - begun, LATER + day.saturating_sub(LATER) / 50);
        assert!(after(LATER, Some(first), 1_000).is_none());
    }
}
