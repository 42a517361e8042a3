//! The waiting for locks in one process.
//!
//! Owns who waits for which lock, first come first served. Invariants: a lock has at most one own thread, never one of the
//! runtime's pool, and process exit does not join it; a lock that comes after its waiter has left goes to the next waiter
//! or is let go (G31); a key is in the map exactly while its lock is seen to. Must not: touch the disk under the mutex that
//! all locks share: a slow disk under one lock would delay the others (G4).

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::lock::{KernelLock, LockError, timed_out, waiter};
use crate::store::at_the_disk;

type Waiter = oneshot::Sender<Result<KernelLock, LockError>>;
type Queues = HashMap<PathBuf, VecDeque<Waiter>>;

/// Who waits for which lock. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    /// Locked for a look-up or an insertion.
    queues: Arc<Mutex<Queues>>,
}

impl Waiting {
    /// Takes the lock at `path`, waiting at most `bound`. Never blocks the executor.
    pub(super) async fn acquire(&self, path: &Path, bound: Duration) -> Result<KernelLock, LockError> {
        let receiver = match self.enter(path) {
            Ok(receiver) => receiver,
            Err(turn) => match at_the_disk(|| KernelLock::attempt(path)) {
                Ok(None) => turn.wait(),
                done => {
                    turn.pass_on();
                    return done.and_then(|lock| lock.ok_or_else(|| ended(path)));
                }
            },
        };
        match tokio::time::timeout(bound, receiver).await {
            Ok(result) => result.unwrap_or_else(|_| Err(ended(path))),
            Err(_) => Err(timed_out(path, bound)),
        }
    }

    /// How many locks are waited for.
    pub(super) fn len(&self) -> usize {
        self.queues().len()
    }

    /// A place behind those who wait already, else the turn itself.
    fn enter(&self, path: &Path) -> Result<oneshot::Receiver<Result<KernelLock, LockError>>, Turn> {
        let mut queues = self.queues();
        let Some(queue) = queues.get_mut(path) else {
            queues.insert(path.to_owned(), VecDeque::new());
            return Err(Turn { waiting: self.clone(), path: path.to_owned(), is_over: false });
        };
        // While a lock is stuck, those who gave it up would gather here without end.
        queue.retain(|waiter| !waiter.is_closed());
        let (sender, receiver) = oneshot::channel();
        queue.push_back(sender);
        Ok(receiver)
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait for the lock at `path`, and `None` where nobody sees to it.
    #[cfg(test)]
    pub(super) fn waiters(&self, path: &Path) -> Option<usize> {
        self.queues().get(path).map(VecDeque::len)
    }
}

fn ended(path: &Path) -> LockError {
    LockError::Unusable {
        path: path.display().to_string(),
        why: "the waiting thread ended".to_owned(),
        remedy: "try again",
    }
}

/// The right to see to one lock, which one caller or one thread has at a time.
struct Turn {
    waiting: Waiting,
    path: PathBuf,
    is_over: bool,
}

impl Turn {
    /// Lets a thread wait for us first, and for those behind us after.
    fn wait(self) -> oneshot::Receiver<Result<KernelLock, LockError>> {
        let (sender, receiver) = oneshot::channel();
        if let Some(queue) = self.waiting.queues().get_mut(&self.path) {
            queue.push_front(sender);
        }
        self.pass_on();
        receiver
    }

    /// Lets a thread serve those who wait, if anybody does.
    fn pass_on(mut self) {
        if self.ends_with_the_queue() {
            return;
        }
        self.is_over = true;
        let (waiting, path) = (self.waiting.clone(), self.path.clone());
        let thread = waiter().spawn(move || {
            Self { waiting, path, is_over: false }.serve();
        });
        if let Err(error) = thread {
            let unserved = self.waiting.queues().remove(&self.path).unwrap_or_default();
            let error = LockError::unusable(&self.path, &error);
            for waiter in unserved {
                // It may have left; then nobody minds.
                drop(waiter.send(Err(error.clone())));
            }
        }
    }

    /// Hands the lock to one waiter after the other until nobody waits.
    fn serve(mut self) {
        while !self.ends_with_the_queue() {
            let mut result = Some(KernelLock::wait(&self.path));
            // A waiter that has left gives the result back, and the next one gets it.
            while let Some(undelivered) = result.take() {
                let next = self.waiting.queues().get_mut(&self.path).and_then(VecDeque::pop_front);
                let Some(waiter) = next else { break };
                result = waiter.send(undelivered).err();
            }
        }
    }

    /// Ends the turn if nobody waits any more. One step with the look: who comes after finds no key, and gets the turn.
    fn ends_with_the_queue(&mut self) -> bool {
        let mut queues = self.waiting.queues();
        if queues.get(&self.path).is_some_and(|queue| !queue.is_empty()) {
            return false;
        }
        queues.remove(&self.path);
        self.is_over = true;
        true
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Only a panic ends a turn in between. Those who wait hear of it, and the next to come starts anew (G8).
        if !self.is_over {
            self.waiting.queues().remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests;
