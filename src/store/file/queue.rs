//! The updates that wait to be written.
//!
//! Owns the way from those who update to the one thread that writes. Invariants: an update is withdrawn by its caller or
//! taken by the writer, never both; a caller that leaves takes its update along, so that a store lock that is stuck gathers
//! nothing; no update waits without a thread that will see to it. Must not: touch the disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::store::seal::Pass;
use crate::store::{Mutation, StoreError, Touches};

/// One update on its way.
pub(super) struct Job {
    pub touches: Touches,
    pub mutation: Mutation,
    /// What it wants of all that is secret, beyond what it touches.
    pub pass: Option<Pass>,
    pub answer: oneshot::Sender<Result<(), StoreError>>,
}

#[derive(Default)]
struct State {
    /// By order of arrival.
    jobs: BTreeMap<u64, Job>,
    next: u64,
    /// Whether a thread sees to them.
    is_served: bool,
    is_closed: bool,
}

/// What the callers and the writer share.
#[derive(Default)]
pub(super) struct Queue {
    /// Locked for a moment; never while anything is written.
    state: Mutex<State>,
    arrived: Condvar,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to write. False once the store is gone.
    pub(super) fn wait(&self) -> bool {
        let state = self.state();
        let state = self.arrived.wait_while(state, |state| state.jobs.is_empty() && !state.is_closed);
        !state.unwrap_or_else(PoisonError::into_inner).jobs.is_empty()
    }

    /// All that waits now.
    pub(super) fn take(&self) -> Vec<Job> {
        std::mem::take(&mut self.state().jobs).into_values().collect()
    }
}

/// The callers' side; when it goes, the thread ends.
#[derive(Default)]
pub(super) struct Desk(Arc<Queue>);

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("waiting", &self.0.state().jobs.len()).finish()
    }
}

impl Desk {
    /// Lets `job` wait. Where no thread sees to the queue, `start` must begin one that runs while it holds what it is given.
    ///
    /// # Errors
    /// When no thread can be started: then nothing waits.
    pub(super) fn submit(
        &self,
        job: Job,
        start: impl FnOnce(Serving) -> std::io::Result<()>,
    ) -> std::io::Result<Place<'_>> {
        let (number, is_served) = {
            let mut state = self.0.state();
            let number = state.next;
            state.next += 1;
            state.jobs.insert(number, job);
            (number, std::mem::replace(&mut state.is_served, true))
        };
        let place = Place { queue: &self.0, number };
        if !is_served {
            start(Serving(Arc::clone(&self.0)))?;
        }
        self.0.arrived.notify_one();
        Ok(place)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.arrived.notify_all();
    }
}

/// The writer's side. When it goes, by a panic too, what still waits is dropped, and the next update starts anew.
pub(super) struct Serving(Arc<Queue>);

impl std::ops::Deref for Serving {
    type Target = Queue;

    fn deref(&self) -> &Queue {
        &self.0
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_served = false;
        let unserved = std::mem::take(&mut state.jobs);
        drop(state);
        // Their callers hear of it by this.
        drop(unserved);
    }
}

/// An update's place in the queue; leaving it withdraws the update.
#[must_use = "the update is withdrawn when this is dropped"]
pub(super) struct Place<'a> {
    queue: &'a Queue,
    number: u64,
}

impl Place<'_> {
    /// Withdraws the update; false if the writer has it already, and will answer.
    pub(super) fn withdraw(&self) -> bool {
        self.queue.state().jobs.remove(&self.number).is_some()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.withdraw();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Keep;

    fn job() -> (Job, oneshot::Receiver<Result<(), StoreError>>) {
        let (answer, answered) = oneshot::channel();
        let mutation: Mutation = Box::new(|_| Keep::Nothing);
        (Job { touches: Touches::nothing(), mutation, pass: None, answer }, answered)
    }

    /// F10: a store lock that is stuck for long gathers nothing.
    #[test]
    fn who_leaves_takes_the_update_along() {
        let desk = Desk::default();
        let mut served = None;
        let (first, _answered) = job();
        let stays = desk
            .submit(first, |serving| {
                served = Some(serving);
                Ok(())
            })
            .unwrap();
        for _ in 0..1_000 {
            let (job, _answered) = job();
            drop(desk.submit(job, |_| panic!("one thread is enough")).unwrap());
        }
        assert_eq!(desk.0.state().jobs.len(), 1);
        assert_eq!(served.unwrap().take().len(), 1);
        assert!(!stays.withdraw(), "what the writer has is not withdrawn");
    }

    /// F17
    #[test]
    fn a_writer_that_ends_tells_those_who_wait_and_the_next_starts_another() {
        let desk = Desk::default();
        let mut served = None;
        let (first, mut answered) = job();
        let _place = desk
            .submit(first, |serving| {
                served = Some(serving);
                Ok(())
            })
            .unwrap();
        drop(served);
        assert_eq!(answered.try_recv().unwrap_err(), oneshot::error::TryRecvError::Closed);
        let mut started = false;
        let (second, _answered) = job();
        let place = desk.submit(second, |serving| {
            started = true;
            drop(serving);
            Ok(())
        });
        assert!(started && place.is_ok());
    }

    /// F10
    #[test]
    fn where_no_thread_can_start_nothing_waits() {
        let desk = Desk::default();
        for _ in 0..2 {
            let (job, _answered) = job();
            assert!(desk.submit(job, |_| Err(std::io::ErrorKind::WouldBlock.into())).is_err());
            assert_eq!(desk.0.state().jobs.len(), 0);
        }
    }
}
