//! The one thread that writes the auth file for this process.
//!
//! Owns the queue of mutations and combines those that wait at once into one lock, one parse, one fsync (F17).
//! Invariants: each mutation runs on its own copy, and an error or a panic drops that one alone; answers come after
//! the durable write, and a failed write fails all of them; a caller that gave up waiting is not written. The lock is
//! waited for here, never on an executor thread (F10), and process exit does not join this thread. Must not:
//! be slow under the lock: mutations are memory only.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, mpsc};

use tokio::sync::{oneshot, watch};

use super::ground::{self, Places};
use super::lock::KernelLock;
use super::reader::{Parsed, Reader};
use super::replace;
use crate::clock::Clock;
use crate::secret::random_id;
use crate::store::document::{Changes, Document};
use crate::store::{Keep, Mutation, StoreError, Touches, View, sweep};

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const GIVEN_UP: u8 = 2;

/// Whether a job is still wanted: the writer takes it or its caller gives it up, never both.
#[derive(Debug, Clone, Default)]
pub(super) struct Ticket(Arc<AtomicU8>);

impl Ticket {
    fn take(&self) -> bool {
        self.0.compare_exchange(WAITING, TAKEN, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Gives the job up; false if the writer has it already, and will answer.
    pub(super) fn give_up(&self) -> bool {
        self.0.compare_exchange(WAITING, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// One update on its way.
pub(super) struct Job {
    pub ticket: Ticket,
    pub touches: Touches,
    pub mutation: Mutation,
    pub answer: oneshot::Sender<Result<(), StoreError>>,
}

/// What the thread works with.
#[derive(Debug)]
pub(super) struct Writer {
    pub places: Places,
    pub clock: Clock,
    pub reader: Arc<Reader>,
    pub changed: watch::Sender<u64>,
    /// Whether leftovers of killed writers have been looked for.
    pub tidied: bool,
}

impl Writer {
    /// Works until every sender is gone.
    pub(super) fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let lock = KernelLock::wait_unsigned(&self.turnstile()).and_then(|turnstile| {
                // Whoever waits for the store lock holds the turnstile, so that one process that updates in a loop
                // queues up behind it: flock itself is not fair (F16).
                let lock = KernelLock::wait(&self.places.store_lock);
                drop(turnstile);
                lock
            });
            // Those that came while we waited for the lock go into the same write.
            let batch = std::iter::once(first).chain(jobs.try_iter()).filter(|job| job.ticket.take());
            let batch: Vec<Job> = batch.collect();
            let lock = match lock {
                Ok(lock) => lock,
                Err(error) => {
                    answer_all(batch.into_iter().map(|job| job.answer), &Err(error.into()));
                    continue;
                }
            };
            let Written { answers, result, replaced } = self.write(&lock, batch);
            // What is durable need not be guarded; and nobody waits for the old file to be freed.
            drop(lock);
            answer_all(answers.into_iter(), &result);
            drop(replaced);
        }
    }

    fn turnstile(&self) -> std::path::PathBuf {
        self.places.locks.join("turnstile.lock")
    }

    fn write(&mut self, lock: &KernelLock, batch: Vec<Job>) -> Written {
        if batch.is_empty() {
            return Written { answers: Vec::new(), result: Ok(()), replaced: None };
        }
        let mut document = match Reader::read_locked(lock, &self.places).and_then(|d| self.claim(d)) {
            Ok(document) => document,
            Err(error) => {
                let answers = batch.into_iter().map(|job| job.answer).collect();
                return Written { answers, result: Err(error), replaced: None };
            }
        };
        let now = self.clock.now();
        let mut answers = Vec::with_capacity(batch.len());
        let mut changed = false;
        for job in batch {
            match run(&document, job.touches, job.mutation, now) {
                Ok(wanted) => {
                    changed |= !wanted.is_empty();
                    document.apply(wanted);
                    answers.push(job.answer);
                }
                // The caller may have left; then nobody minds.
                Err(error) => drop(job.answer.send(Err(error))),
            }
        }
        let swept = sweep::due(&document, now);
        changed |= !swept.is_empty();
        document.apply(swept);
        let saved = if changed { self.save(lock, document) } else { Ok(None) };
        match saved {
            Ok(replaced) => Written { answers, result: Ok(()), replaced },
            Err(error) => Written { answers, result: Err(error), replaced: None },
        }
    }

    /// Makes sure that file and lock folder carry one `store_id` (F15). Under the store lock.
    fn claim(&self, mut document: Document) -> Result<Document, StoreError> {
        let folder = ground::folder_id(&self.places)?;
        match (&document.store_id, folder) {
            (Some(file), Some(folder)) if *file == folder => {}
            (Some(_), Some(_)) => return Err(ground::foreign(&self.places)),
            (Some(file), None) => ground::write_folder_id(&self.places, file)?,
            (None, Some(folder)) => document.store_id = Some(folder),
            (None, None) => {
                let id = random_id();
                ground::write_folder_id(&self.places, &id)?;
                document.store_id = Some(id);
            }
        }
        Ok(document)
    }

    /// Writes `document`. Gives what the cache held before.
    fn save(&mut self, lock: &KernelLock, document: Document) -> Result<Option<Parsed>, StoreError> {
        if !self.tidied {
            replace::remove_leftovers(lock, &self.places);
            self.tidied = true;
        }
        let file = replace::replace(lock, &self.places, &document.print())?;
        let replaced = self.reader.adopt(Arc::new(document), file, &self.places.file)?;
        self.changed.send_modify(|count| *count += 1);
        Ok(replaced)
    }
}

/// What came of a batch, and who is to hear of it once the lock is let go.
struct Written {
    answers: Vec<oneshot::Sender<Result<(), StoreError>>>,
    result: Result<(), StoreError>,
    /// The last to hold the old file, perhaps: letting it go frees the file, which takes the disk's time.
    replaced: Option<Parsed>,
}

/// Runs one mutation on its own copy. The changes it wants, or why they are dropped.
fn run(document: &Document, touches: Touches, mutation: Mutation, now: i64) -> Result<Changes, StoreError> {
    // A panic can leave nothing half done: the view is dropped with it.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut view = View::new(document, touches, now);
        let keep = mutation(&mut view);
        (keep, view.into_changes())
    }));
    match outcome {
        Ok((Keep::Changes, changes)) => Ok(changes),
        Ok((Keep::Nothing, _)) => Ok(Changes::default()),
        Err(_) => Err(StoreError::Panicked),
    }
}

fn answer_all(
    answers: impl Iterator<Item = oneshot::Sender<Result<(), StoreError>>>,
    result: &Result<(), StoreError>,
) {
    for answer in answers {
        // The caller may have left; then nobody minds.
        drop(answer.send(result.clone()));
    }
}
