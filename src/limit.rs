//! How often somebody may do something: a sliding minute.
//!
//! Owns the count of what each did within the last minute. Invariants: what is refused does not count, so that whoever is
//! held off once is let in again as soon as their pace is kept; bounded by those who did something within the last minute.
//! Must not: know what is counted.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The time over which is counted.
const WINDOW: Duration = Duration::from_mins(1);

/// What each `K` did within the last minute.
#[derive(Debug)]
pub struct Pace<K>(Mutex<HashMap<K, VecDeque<Instant>>>);

impl<K> Default for Pace<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone> Pace<K> {
    /// Counts one of `who`, who may have so many a minute.
    ///
    /// # Errors
    /// With how long to wait.
    pub fn count(&self, who: &K, per_minute: u32) -> Result<(), Duration> {
        let now = Instant::now();
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.retain(|_, times| {
            while times.front().is_some_and(|at| now.duration_since(*at) >= WINDOW) {
                times.pop_front();
            }
            !times.is_empty()
        });
        let times = counted.entry(who.clone()).or_default();
        // A bound that was lowered meanwhile is met by waiting for all that is above it.
        let bound = usize::try_from(per_minute).unwrap_or(usize::MAX).max(1);
        if let Some(leaves) = times.len().checked_sub(bound).and_then(|above| times.get(above)) {
            return Err(WINDOW.saturating_sub(now.duration_since(*leaves)));
        }
        times.push_back(now);
        Ok(())
    }

    /// Takes back the last one of `who`: it came to nothing.
    pub fn uncount(&self, who: &K) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = counted.get_mut(who) {
            times.pop_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S7
    #[tokio::test(start_paused = true)]
    async fn so_many_a_minute_and_each_for_themselves() {
        let pace = Pace::default();
        for _ in 0..5 {
            assert_eq!(pace.count(&"ann", 5), Ok(()));
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        assert_eq!(pace.count(&"ann", 5), Err(Duration::from_secs(10)));
        assert_eq!(pace.count(&"bob", 5), Ok(()));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(pace.count(&"ann", 5), Ok(()), "what was refused did not count");
        assert_eq!(pace.count(&"ann", 3), Err(Duration::from_secs(30)), "a bound that was lowered");
        tokio::time::advance(Duration::from_mins(2)).await;
        assert_eq!(pace.count(&"bob", 5), Ok(()));
        assert_eq!(pace.0.lock().unwrap().len(), 1, "nobody is remembered for longer than a minute");
        pace.uncount(&"bob");
        assert_eq!(pace.count(&"bob", 1), Ok(()));
        assert_eq!(pace.count(&"bob", 1), Err(WINDOW));
    }
}
