//! The one thread that writes the auth file for this process.
//!
//! Combines the updates that wait at once (`queue`) into one lock, one parse, one fsync (F17). Invariants: each mutation
//! runs on its own copy, and an error or a panic drops that one alone; answers come after the durable write, and a failed
//! write fails all of them; who changed nothing is answered only when the name of what is there is durable. The lock is
//! waited for here, never on an executor thread (F10), and process exit does not join this thread. Must not: be slow
//! under the lock: mutations are memory only.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::ground::{self, Places};
use super::lock::{KernelLock, LockError};
use super::queue::{Job, Serving};
use super::reader::{LARGEST, Parsed, Reader};
use super::replace;
use super::survey::kept_aside;
use crate::audit;
use crate::clock::Clock;
use crate::fault;
use crate::metrics;
use crate::secret::random_id;
use crate::store::document::{Changes, Document};
use crate::store::seal::Pass;
use crate::store::{Keep, Mutation, StoreError, Touches, View, sweep};

/// What the thread works with.
#[derive(Debug)]
pub(super) struct Writer {
    pub places: Places,
    pub clock: Clock,
    pub reader: Arc<Reader>,
    pub changed: watch::Sender<u64>,
    pub failed: watch::Sender<u64>,
    /// Whether the last replace failed, perhaps with the new file in its place and its name not durable.
    pub in_doubt: bool,
}

impl Writer {
    /// Works until the store is gone.
    pub(super) fn run(mut self, queue: &Serving) {
        while queue.wait() {
            let since = Instant::now();
            let lock = sheltered(|| {
                fault::writer_turn();
                self.lock()
            });
            metrics::waited(metrics::Lock::Store, since.elapsed(), matches!(lock, Some(Ok(_))));
            // Those that came while we waited for the lock go into the same write.
            let batch = queue.take();
            let lock = match lock {
                Some(Ok(lock)) => lock,
                Some(Err(error)) => {
                    self.failed.send_modify(|count| *count += 1);
                    answer_all(batch.into_iter().map(|job| job.answer), &Err(error.into()));
                    continue;
                }
                None => continue,
            };
            // A panic drops the answers of this batch, by which its callers hear of it.
            let (since, is_asked) = (Instant::now(), !batch.is_empty());
            let written = sheltered(|| self.write(&lock, batch));
            let is_written = written.as_ref().is_some_and(|written| written.result.is_ok());
            if is_asked {
                metrics::wrote(since.elapsed(), is_written);
            }
            if !is_written {
                self.failed.send_modify(|count| *count += 1);
            }
            // What is durable need not be guarded; and nobody waits for the old file to be freed.
            drop(lock);
            if let Some(Written { answers, result, replaced }) = written {
                answer_all(answers.into_iter(), &result);
                drop(replaced);
            }
        }
    }

    /// The store lock. Whoever waits for it holds the turnstile, so that one process that updates in a loop queues up behind
    /// it: flock itself is not fair (F16).
    fn lock(&self) -> Result<KernelLock, LockError> {
        let _turnstile = KernelLock::wait(&self.turnstile())?;
        KernelLock::wait(&self.places.store_lock)
    }

    fn turnstile(&self) -> std::path::PathBuf {
        self.places.locks.join("turnstile.lock")
    }

    fn write(&mut self, lock: &KernelLock, batch: Vec<Job>) -> Written {
        if batch.is_empty() {
            return Written { answers: Vec::new(), result: Ok(()), replaced: None };
        }
        let mut document = match self.reader.read_locked(lock, &self.places).and_then(|d| self.claim(d)) {
            Ok(document) => document,
            Err(error) => {
                let answers = batch.into_iter().map(|job| job.answer).collect();
                return Written { answers, result: Err(error), replaced: None };
            }
        };
        let now = self.clock.now();
        let mut answers = Vec::with_capacity(batch.len());
        let mut changed = false;
        let mut pass = None;
        for job in batch {
            pass = pass.or(job.pass);
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
        let given_up = sweep::given_up(&document, &swept);
        document.apply(swept);
        // Who changes nothing may rely on what is there. A writer that was killed may not have made its name durable; and
        // where we ourselves could not, the system may never try again what it failed at once, but for a new file.
        let saved = if changed || pass.is_some() || self.in_doubt {
            sealed(&self.places, &mut document, pass).and_then(|()| self.save(lock, document))
        } else {
            replace::sync_folder(lock, &self.places).map(|()| None)
        };
        match saved {
            Ok(replaced) => {
                given_up.iter().for_each(audit::revocation_given_up);
                Written { answers, result: Ok(()), replaced }
            }
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
        let text = document.print();
        if text.len() as u64 > LARGEST {
            // What nobody could read again must not replace what can be.
            return Err(StoreError::TooLarge {
                path: self.places.file.display().to_string(),
                most: LARGEST / 1024 / 1024,
            });
        }
        self.in_doubt = true;
        let file = replace::replace(lock, &self.places, &text)?;
        self.in_doubt = false;
        let replaced = self.reader.adopt(Arc::new(document), file, &self.places.file)?;
        self.changed.send_modify(|count| *count += 1);
        Ok(replaced)
    }
}

/// Has all that is secret in `document` as it is to stand in the file: as `pass` wants it, or else sealed with the key that
/// seals now, so that the one before can be dropped.
fn sealed(places: &Places, document: &mut Document, pass: Option<Pass>) -> Result<(), StoreError> {
    let due = document.waits_for_its_seal().then_some(Pass::Seal);
    let Some(pass) = pass.or(due) else { return Ok(()) };
    if pass == Pass::Open {
        // They may be all there is of a sign-in, and whoever opens the file for good puts the keys away next.
        let mut aside = kept_aside(places, document)?;
        aside.retain(|aside| !aside.keys.is_empty());
        if !aside.is_empty() {
            let whose: Vec<_> = aside.iter().map(ToString::to_string).collect();
            return Err(StoreError::KeptAside { whose: whose.join("; ") });
        }
    }
    match (document.pass(pass), pass) {
        (0, _) => Ok(()),
        (left, Pass::Open) => Err(StoreError::LeftSealed { left }),
        (left, Pass::Seal) => {
            tracing::warn!(
                values = left,
                "sealed values do not open with the keys that are here, and stay as they are"
            );
            Ok(())
        }
    }
}

/// Does `work`; a panic in it is a bug of ours, and costs those who wait now, not those who come later (F17).
fn sheltered<R>(work: impl FnOnce() -> R) -> Option<R> {
    // What is left of a write is its locks and files, which go with the panic, and `in_doubt`, which holds until the next.
    catch_unwind(AssertUnwindSafe(work))
        .inspect_err(|_| tracing::error!("internal error: the writer of the store panicked"))
        .ok()
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
