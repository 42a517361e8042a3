//! How often one person may start a login.
//!
//! Owns the sliding minute of starts per person (S7). A join is no start and is not counted. Invariant: bounded by the
//! people who started something within the last minute.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::tenant::User;

/// The time over which starts are counted.
const WINDOW: Duration = Duration::from_mins(1);

/// The starts of the last minute.
#[derive(Debug)]
pub(super) struct Limit {
    per_minute: AtomicUsize,
    starts: Mutex<HashMap<User, VecDeque<Instant>>>,
}

impl Limit {
    pub(super) fn new(per_minute: usize) -> Self {
        Self { per_minute: AtomicUsize::new(per_minute), starts: Mutex::default() }
    }

    /// Counts up to `per_minute` from here on; what was started is not forgotten.
    pub(super) fn set(&self, per_minute: usize) {
        self.per_minute.store(per_minute, Ordering::Relaxed);
    }

    /// Counts a start of `user`, or says how long to wait.
    pub(super) fn count(&self, user: &User) -> Result<(), Duration> {
        let now = Instant::now();
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        starts.retain(|_, times| {
            times.retain(|at| now.duration_since(*at) < WINDOW);
            !times.is_empty()
        });
        let times = starts.entry(user.clone()).or_default();
        match times.front() {
            Some(first) if times.len() >= self.per_minute.load(Ordering::Relaxed) => {
                Err(WINDOW.saturating_sub(now.duration_since(*first)))
            }
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S7
    #[tokio::test(start_paused = true)]
    async fn five_a_minute_and_each_person_for_themselves() {
        let limit = Limit::new(5);
        let (ann, bob) = (User::Local(1), User::Local(2));
        for _ in 0..5 {
            assert_eq!(limit.count(&ann), Ok(()));
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        assert_eq!(limit.count(&ann), Err(Duration::from_secs(10)));
        assert_eq!(limit.count(&bob), Ok(()));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(limit.count(&ann), Ok(()));
        limit.set(6);
        assert_eq!((limit.count(&ann), limit.count(&ann)), (Ok(()), Err(Duration::from_secs(10))));
        tokio::time::advance(Duration::from_mins(2)).await;
        assert_eq!(limit.count(&bob), Ok(()));
        assert_eq!(limit.starts.lock().unwrap().len(), 1, "nobody is remembered for longer than a minute");
    }
}
