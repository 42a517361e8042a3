//! One place that answers questions, as this process knows it: an issuer with its metadata, an MCP server with what it names.
//!
//! Owns when an answer that is kept serves, and what an answer, a silence or a refusal makes of it. Pure: the time and the
//! answer come in. Invariants: a refusal ends the use of what was said before, until something is accepted; silence leaves
//! it in use for a while. Must not: ask, or keep anything beyond memory.

use super::{FAILED_FOR, STALE_FOR};
use crate::clock::UnixSeconds;
use crate::oauth::DiscoveryError;

/// An answer with its times.
pub(super) trait Answer: Clone {
    /// Whether it need not be asked for.
    fn is_fresh(&self, now: UnixSeconds) -> bool;
    /// Whether it was given, or said to hold still, after `time`.
    fn was_said_after(&self, time: UnixSeconds) -> bool;
    /// The same, not to be asked for within `seconds`.
    fn put_off(self, now: UnixSeconds, seconds: i64) -> Self;
}

/// What is known of one place.
#[derive(Debug)]
pub(super) struct Known<A> {
    pub(super) kept: Option<A>,
    failed: Option<(UnixSeconds, DiscoveryError)>,
    /// When it last showed what must not be used. Nothing that it said before serves from then on.
    refused_at: Option<UnixSeconds>,
}

impl<A> Default for Known<A> {
    fn default() -> Self {
        Self { kept: None, failed: None, refused_at: None }
    }
}

impl<A: Answer> Known<A> {
    /// Takes what another process may have found since, if that serves better.
    pub(super) fn catch_up(&mut self, cached: impl FnOnce() -> Option<A>, now: UnixSeconds) {
        if !self.kept.as_ref().is_some_and(|kept| kept.is_fresh(now))
            && let Some(found) = cached()
            && (self.kept.is_none() || found.is_fresh(now))
            && self.refused_at.is_none_or(|at| found.was_said_after(at))
        {
            self.kept = Some(found);
        }
    }

    /// What can be said without asking: what is fresh, or the failure of a moment ago, which those who waited for it share.
    pub(super) fn at_hand(&self, now: UnixSeconds) -> Option<Result<A, DiscoveryError>> {
        if let Some(kept) = self.kept.as_ref().filter(|kept| kept.is_fresh(now)) {
            return Some(Ok(kept.clone()));
        }
        let (at, error) = self.failed.as_ref()?;
        (now.abs_diff(*at) < FAILED_FOR.unsigned_abs()).then(|| Err(error.clone()))
    }

    /// Takes what came of asking: the answer that serves from now on, and why it is the one from before.
    pub(super) fn settle(
        &mut self,
        found: Result<A, DiscoveryError>,
        now: UnixSeconds,
    ) -> Result<(A, Option<DiscoveryError>), DiscoveryError> {
        self.failed = None;
        let (kept, stale) = match (found, self.kept.take()) {
            (Ok(answer), _) => {
                self.refused_at = None;
                (answer, None)
            }
            (Err(error), Some(kept)) if error.leaves_the_old() => (kept.put_off(now, STALE_FOR), Some(error)),
            (Err(error), _) => {
                if !error.leaves_the_old() {
                    self.refused_at = Some(now);
                }
                self.failed = Some((now, error.clone()));
                return Err(error);
            }
        };
        self.kept = Some(kept.clone());
        Ok((kept, stale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::discovery::metadata::MetadataError;

    /// An answer given at one time, and fresh until another.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Said(UnixSeconds, UnixSeconds);

    impl Answer for Said {
        fn is_fresh(&self, now: UnixSeconds) -> bool {
            now < self.1
        }

        fn was_said_after(&self, time: UnixSeconds) -> bool {
            self.0 > time
        }

        fn put_off(self, now: UnixSeconds, seconds: i64) -> Self {
            Self(self.0, now + seconds)
        }
    }

    fn silence() -> DiscoveryError {
        DiscoveryError::Unreachable { issuer: "https://id.example".to_owned(), why: "no answer".to_owned() }
    }

    fn refusal() -> DiscoveryError {
        let url = "https://id.example".parse().unwrap();
        DiscoveryError::refused(&url, MetadataError::NotJson)
    }

    /// T13
    #[test]
    fn silence_leaves_what_was_said_in_use_for_a_while() {
        let mut known = Known::default();
        assert_eq!(known.settle(Ok(Said(0, 10)), 0), Ok((Said(0, 10), None)));
        assert_eq!((known.at_hand(9), known.at_hand(10)), (Some(Ok(Said(0, 10))), None));
        let put_off = Said(0, 10 + STALE_FOR);
        assert_eq!(known.settle(Err(silence()), 10), Ok((put_off.clone(), Some(silence()))));
        assert_eq!(known.at_hand(11), Some(Ok(put_off)));
    }

    /// T13: not this process's, and not another's from before.
    #[test]
    fn a_refusal_ends_the_use_of_what_was_said_before_it() {
        let mut known = Known::default();
        known.settle(Ok(Said(0, 10)), 0).unwrap();
        assert_eq!(known.settle(Err(refusal()), 10), Err(refusal()));
        assert_eq!(known.at_hand(10 + FAILED_FOR - 1), Some(Err(refusal())), "those who waited share it");
        assert_eq!(known.at_hand(10 + FAILED_FOR), None);
        known.catch_up(|| Some(Said(10, 99)), 20);
        assert_eq!(known.kept, None);
        assert_eq!(known.settle(Err(silence()), 20), Err(silence()));
        known.catch_up(|| Some(Said(11, 99)), 20);
        assert_eq!(known.kept, Some(Said(11, 99)), "said since");
    }

    #[test]
    fn what_another_process_found_is_taken_where_it_serves_better() {
        for (own, cached, kept) in [
            (None, Some(Said(0, 5)), Some(Said(0, 5))),
            (Some(Said(0, 5)), Some(Said(1, 6)), Some(Said(0, 5))),
            (Some(Said(0, 5)), Some(Said(1, 20)), Some(Said(1, 20))),
            (Some(Said(0, 50)), Some(Said(1, 99)), Some(Said(0, 50))),
            (Some(Said(0, 5)), None, Some(Said(0, 5))),
        ] {
            let mut known = Known { kept: own.clone(), ..Known::default() };
            known.catch_up(|| cached.clone(), 10);
            assert_eq!(known.kept, kept, "{own:?} {cached:?}");
        }
    }
}
