//! Which threads can be told something, as far as this process has found out.
//!
//! Owns [`Reach`]: when a thread may be tried again, and what was told there and could not be written down yet. Invariants: what
//! is archived, locked or barred is not tried before somebody opens or uses it; what Discord cannot take now is tried
//! again with a growing pause. Must not: be needed after a restart; then each thread is looked at once more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Heard;
use super::telling::Use;
use crate::clock::UnixSeconds;
use crate::store::Document;
use crate::tenant::ThreadId;

/// Whoever comes into a thread is given so long to start a sign-in by themselves.
const AFTER_A_USE: Duration = Duration::from_secs(3);
/// How often it is looked whether a thread that was quiet still is.
const QUIET: Duration = Duration::from_hours(1);
/// The first pause after a message that Discord did not take; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// What is known of one thread.
#[derive(Debug, Default)]
struct Known {
    /// Somebody did something there, and it has not been acted on.
    used: Option<Use>,
    /// Not before this time.
    not_before: Option<Instant>,
    /// Not before somebody opens or uses it.
    is_shut: bool,
    /// Another bot's.
    is_foreign: bool,
    /// When it was quiet or shut, in unix seconds: what agents ask for later is a use.
    unheard_at: Option<UnixSeconds>,
    /// Failed tries in a row.
    tries: u32,
    /// Marks of what was told and could not be written down yet.
    told: Vec<String>,
}

/// The threads of which something is known. Shared by the supervisor and the workers.
#[derive(Debug, Default)]
pub(super) struct Reach(Mutex<HashMap<ThreadId, Known>>);

/// Whether a thread may be told something now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    /// Yes.
    Now,
    /// Not before this time.
    At(Instant),
    /// Not before somebody opens or uses it.
    Never,
}

impl Reach {
    /// Somebody who is admitted did something in `thread`.
    pub(super) fn used(&self, thread: &ThreadId, parent: Option<ThreadId>) {
        let mut all = self.lock();
        let known = all.entry(thread.clone()).or_default();
        known.used = Some(Use { parent });
        known.not_before = Some(Instant::now() + AFTER_A_USE);
        (known.is_shut, known.is_foreign, known.tries) = (false, false, 0);
    }

    /// `thread` was opened.
    pub(super) fn opened(&self, thread: &ThreadId) {
        if let Some(known) = self.lock().get_mut(thread) {
            (known.is_shut, known.not_before, known.tries) = (false, None, 0);
        }
    }

    /// Whether `thread`, whose agents `asked` for a token then, may be told something, and the use of it that was not acted on.
    pub(super) fn turn(&self, thread: &ThreadId, asked: Option<UnixSeconds>) -> (Turn, Option<Use>) {
        let all = self.lock();
        let Some(known) = all.get(thread) else { return (Turn::Now, None) };
        let is_news = known.unheard_at.is_some_and(|unheard| asked.is_some_and(|asked| asked > unheard));
        let turn = match known.not_before {
            _ if is_news && !known.is_foreign => Turn::Now,
            _ if known.is_foreign || known.is_shut => Turn::Never,
            Some(at) if at > Instant::now() => Turn::At(at),
            _ => Turn::Now,
        };
        (turn, known.used.clone())
    }

    /// There is nothing to tell in `thread`: what somebody did there is acted on.
    pub(super) fn settled(&self, thread: &ThreadId) {
        if let Some(known) = self.lock().get_mut(thread) {
            known.used = None;
        }
    }

    /// What came of telling `thread` what `mark` stands for.
    pub(super) fn heard(&self, thread: &ThreadId, mark: &str, heard: Heard, now: UnixSeconds) {
        let mut all = self.lock();
        let known = all.entry(thread.clone()).or_default();
        known.unheard_at = matches!(heard, Heard::Quiet | Heard::Shut).then_some(now);
        match heard {
            Heard::Told => {
                (known.tries, known.not_before) = (0, None);
                known.told.push(mark.to_owned());
            }
            Heard::Quiet => {
                known.used = None;
                known.not_before = Some(Instant::now() + QUIET);
            }
            Heard::Shut => (known.used, known.is_shut) = (None, true),
            Heard::NotOurs => (known.used, known.is_foreign) = (None, true),
            Heard::Later => {
                let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(known.tries)).min(LONGEST_PAUSE);
                known.tries = known.tries.saturating_add(1);
                known.not_before = Some(Instant::now() + pause);
            }
        }
    }

    /// What was told in `thread` and is not written down.
    pub(super) fn unwritten(&self, thread: &ThreadId) -> Option<String> {
        self.lock().get(thread).and_then(|known| known.told.first().cloned())
    }

    /// It is written down.
    pub(super) fn written(&self, thread: &ThreadId, mark: &str) {
        if let Some(known) = self.lock().get_mut(thread) {
            known.told.retain(|told| told != mark);
        }
    }

    /// Forgets threads that the store says nothing of and that nobody has used.
    pub(super) fn tidy(&self, document: &Document) {
        self.lock().retain(|thread, known| {
            known.used.is_some()
                || !known.told.is_empty()
                || document.binding(thread).is_ok_and(|binding| binding.is_some())
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ThreadId, Known>> {
        // Looked up or changed, never across a wait.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread() -> ThreadId {
        "7".parse().unwrap()
    }

    /// W4: nothing that is shut is tried again before somebody is there, and what is busy is, after ever longer.
    #[tokio::test(start_paused = true)]
    async fn a_thread_is_tried_again_when_that_makes_sense() {
        let reach = Reach::default();
        let turn = |reach: &Reach| reach.turn(&thread(), None).0;
        assert_eq!(turn(&reach), Turn::Now);
        for seconds in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            reach.heard(&thread(), "m", Heard::Later, 1_000);
            let at = Instant::now() + Duration::from_secs(seconds);
            assert_eq!(turn(&reach), Turn::At(at));
            tokio::time::advance(Duration::from_secs(seconds)).await;
            assert_eq!(turn(&reach), Turn::Now);
        }
        reach.heard(&thread(), "m", Heard::Quiet, 1_000);
        assert_eq!(turn(&reach), Turn::At(Instant::now() + QUIET));
        for opens in [true, false] {
            reach.heard(&thread(), "m", Heard::Shut, 1_000);
            assert_eq!(turn(&reach), Turn::Never);
            tokio::time::advance(Duration::from_hours(48)).await;
            assert_eq!(turn(&reach), Turn::Never);
            if opens {
                reach.opened(&thread());
                assert_eq!(reach.turn(&thread(), None), (Turn::Now, None));
            } else {
                reach.used(&thread(), None);
                let at = Turn::At(Instant::now() + AFTER_A_USE);
                assert_eq!(reach.turn(&thread(), None), (at, Some(Use { parent: None })));
            }
        }
        reach.heard(&thread(), "m", Heard::Shut, 1_000);
        assert_eq!(
            [999, 1_000, 1_001].map(|asked| reach.turn(&thread(), Some(asked)).0),
            [Turn::Never, Turn::Never, Turn::Now]
        );
        reach.heard(&thread(), "m", Heard::NotOurs, 1_000);
        reach.opened(&thread());
        assert_eq!(turn(&reach), Turn::Never, "another bot's");
    }
}
