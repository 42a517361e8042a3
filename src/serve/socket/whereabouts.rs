//! Which channel a thread hangs from, as far as the program knows or can find out.
//!
//! Owns the asking. Invariants: a thread whose channel is known is answered at once; of one that is not, one question is under way at
//! a time, an answer without a channel is believed for a minute, and made-up threads cost few questions, whoever makes them up.
//! Must not: answer that there is no channel because nobody could be asked.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::tenant::ThreadId;

/// How long a caller waits to be told.
pub(super) const FIND_BOUND: Duration = Duration::from_secs(5);
/// How long it is believed that a thread has no channel of ours.
const BELIEVED: Duration = Duration::from_mins(1);
/// Questions at a time.
const AT_A_TIME: usize = 8;
/// How long each takes a place at least, so that they are no more than so many in that time.
const PACE: Duration = Duration::from_secs(1);
/// Threads about which something is kept or under way at a time.
const KEPT: usize = 1_024;

/// A thread that the program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownThread {
    /// The channel that it hangs from.
    pub parent: Option<ThreadId>,
}

/// What was found out of a thread: none where it is not one of ours.
///
/// # Errors
/// That it could not be found out now.
pub type Found = Result<Option<KnownThread>, Unfindable>;

/// Nobody could be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfindable;

/// Knows at once, or does not.
type Know = dyn Fn(&ThreadId) -> Option<KnownThread> + Send + Sync;
/// Asks, and has what it finds known from there on.
type Find = dyn Fn(ThreadId) -> Pin<Box<dyn Future<Output = Found> + Send>> + Send + Sync;

/// Where threads hang. Cheap to clone.
#[derive(Clone)]
pub struct Whereabouts(Arc<Inner>);

struct Inner {
    know: Box<Know>,
    find: Box<Find>,
    places: Arc<Semaphore>,
    /// Locked to look or to put, never across a wait.
    sought: Mutex<HashMap<ThreadId, Sought>>,
}

/// A thread that is sought, or was in vain until then.
enum Sought {
    UnderWay(watch::Receiver<Option<Found>>),
    Nowhere(Instant),
}

impl Whereabouts {
    /// `know` says what is known without a wait; `find` asks elsewhere.
    pub fn new(
        know: impl Fn(&ThreadId) -> Option<KnownThread> + Send + Sync + 'static,
        find: impl Fn(ThreadId) -> Pin<Box<dyn Future<Output = Found> + Send>> + Send + Sync + 'static,
    ) -> Self {
        let places = Arc::new(Semaphore::new(AT_A_TIME));
        Self(Arc::new(Inner { know: Box::new(know), find: Box::new(find), places, sought: Mutex::default() }))
    }

    /// What is known of `thread`; none where nothing is.
    pub(super) fn known(&self, thread: &ThreadId) -> Option<KnownThread> {
        (self.0.know)(thread)
    }

    /// What is known of `thread`, or can be found out in time.
    pub(super) async fn find(&self, thread: &ThreadId) -> Found {
        if let Some(known) = self.known(thread) {
            return Ok(Some(known));
        }
        let mut sought = match self.seek(thread) {
            Ok(sought) => sought,
            Err(found) => return found,
        };
        let found = tokio::time::timeout(FIND_BOUND, sought.wait_for(Option::is_some)).await;
        let found = found.ok().and_then(|found| found.ok()?.clone());
        // It may have become known by another way meanwhile.
        found.unwrap_or_else(|| self.known(thread).map(Some).ok_or(Unfindable))
    }

    /// The question about `thread` that is under way, begun where there is none; or what is still believed of the last.
    fn seek(&self, thread: &ThreadId) -> Result<watch::Receiver<Option<Found>>, Found> {
        let mut sought = self.0.lock();
        let now = Instant::now();
        match sought.get(thread) {
            Some(Sought::UnderWay(found)) => return Ok(found.clone()),
            Some(Sought::Nowhere(until)) if *until > now => return Err(Ok(None)),
            _ => {}
        }
        if sought.len() >= KEPT {
            sought.retain(|_, one| !matches!(one, Sought::Nowhere(until) if *until <= now));
            if sought.len() >= KEPT {
                return Err(Err(Unfindable));
            }
        }
        let (sender, receiver) = watch::channel(None);
        sought.insert(thread.clone(), Sought::UnderWay(receiver.clone()));
        let question = Question { inner: Arc::clone(&self.0), thread: thread.clone(), sender };
        tokio::spawn(question.ask());
        Ok(receiver)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, HashMap<ThreadId, Sought>> {
        self.sought.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question under way. It leaves its place however it ends.
struct Question {
    inner: Arc<Inner>,
    thread: ThreadId,
    sender: watch::Sender<Option<Found>>,
}

impl Question {
    async fn ask(self) {
        let asking = async {
            let place = Arc::clone(&self.inner.places).acquire_owned().await;
            // The wait may have been long enough to hear of it.
            if let Some(known) = (self.inner.know)(&self.thread) {
                return Ok(Some(known));
            }
            tokio::spawn(async move {
                tokio::time::sleep(PACE).await;
                drop(place);
            });
            (self.inner.find)(self.thread.clone()).await
        };
        let found = tokio::time::timeout(FIND_BOUND, asking).await.unwrap_or(Err(Unfindable));
        self.end(found);
    }

    fn end(&self, found: Found) {
        let mut sought = self.inner.lock();
        if found == Ok(None) {
            sought.insert(self.thread.clone(), Sought::Nowhere(Instant::now() + BELIEVED));
        } else {
            sought.remove(&self.thread);
        }
        self.sender.send_replace(Some(found));
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if self.sender.borrow().is_none() {
            self.end(Err(Unfindable));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn id(number: u64) -> ThreadId {
        number.into()
    }

    /// Whereabouts that know nothing and are told `found` after `after`, with the number of questions that were asked.
    fn told(found: Found, after: Duration) -> (Whereabouts, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let whereabouts = Whereabouts::new(
            |_| None,
            move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                let found = found.clone();
                Box::pin(async move {
                    tokio::time::sleep(after).await;
                    found
                })
            },
        );
        (whereabouts, asked)
    }

    /// One question for many who ask of one thread, and none for a minute after an answer that there is nothing.
    #[tokio::test(start_paused = true)]
    async fn one_question_for_a_thread_that_is_nowhere() {
        let (whereabouts, asked) = told(Ok(None), Duration::from_millis(100));
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let whereabouts = whereabouts.clone();
            callers.spawn(async move { whereabouts.find(&id(1)).await });
        }
        assert!(callers.join_all().await.iter().all(|found| *found == Ok(None)));
        tokio::time::sleep(BELIEVED / 2).await;
        assert_eq!((whereabouts.find(&id(1)).await, asked.load(Ordering::Relaxed)), (Ok(None), 1));
        tokio::time::sleep(BELIEVED / 2).await;
        assert_eq!((whereabouts.find(&id(1)).await, asked.load(Ordering::Relaxed)), (Ok(None), 2));
    }

    /// Threads that are made up cost a few questions a second, and are kept up to a number; nobody is told that there is no channel
    /// without an answer that says so.
    #[tokio::test(start_paused = true)]
    async fn made_up_threads_cost_few_questions() {
        let (whereabouts, asked) = told(Ok(None), Duration::ZERO);
        let began = Instant::now();
        let mut callers = tokio::task::JoinSet::new();
        for number in 1..=10_000 {
            let whereabouts = whereabouts.clone();
            callers.spawn(async move { whereabouts.find(&id(number)).await });
        }
        let all = callers.join_all().await;
        let told = all.iter().filter(|found| **found == Ok(None)).count();
        assert!(began.elapsed() <= FIND_BOUND + PACE, "{:?}", began.elapsed());
        assert_eq!(told, asked.load(Ordering::Relaxed));
        assert!((AT_A_TIME..=AT_A_TIME * 6).contains(&told), "{told}");
        assert!(all.iter().all(|found| matches!(found, Ok(None) | Err(Unfindable))));
        assert!(whereabouts.0.lock().len() <= KEPT);
    }

    /// An answer that does not come is none, and the next caller asks anew.
    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_found_out_is_not_believed() {
        let (whereabouts, asked) = told(Ok(None), FIND_BOUND * 2);
        assert_eq!(whereabouts.find(&id(1)).await, Err(Unfindable));
        tokio::time::sleep(PACE).await;
        assert!(whereabouts.0.lock().is_empty());
        assert_eq!(whereabouts.find(&id(1)).await, Err(Unfindable));
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}
