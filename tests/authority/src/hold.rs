//! Gates: a test holds an endpoint, watches requests gather before it, and lets them go.
//!
//! A gate that is dropped opens, so that a failed test leaves no request waiting for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

/// Where in its life a request is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Moment {
    /// Before it is acted on.
    Arrival,
    /// After it was acted on, before the reply leaves.
    Departure,
}

/// A closed gate in front of an endpoint.
#[derive(Debug)]
pub struct Gate {
    pub(crate) barrier: Arc<Barrier>,
}

impl Gate {
    /// The requests that stand before the gate now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.barrier.waiting.load(Ordering::SeqCst)
    }

    /// Lets one request through: the one that waits longest, or the next to come.
    pub fn release_one(&self) {
        self.barrier.permits.add_permits(1);
    }

    /// Opens the gate for good.
    pub fn release(&self) {
        self.barrier.permits.close();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.release();
    }
}

/// The server's side of a gate.
#[derive(Debug)]
pub(crate) struct Barrier {
    permits: Semaphore,
    waiting: AtomicUsize,
}

impl Barrier {
    pub fn new() -> Self {
        Self { permits: Semaphore::new(0), waiting: AtomicUsize::new(0) }
    }

    pub async fn pass(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        // A closed semaphore is an open gate.
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
