//! How many may be served at a time.
//!
//! Owns the seats: connections in all and for each user. Invariants: no user takes the seats of another, the bot's own user least
//! of all; what is served leaves the rest of the bot the descriptors that it needs. Must not: wait; whoever finds no seat is
//! told so.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Semaphore;

/// Files that the bot wants to be able to open, where it may.
const WANTED: u64 = 16_384;
/// Files that stay for the rest of the bot: Discord, the sign-in page, providers, the store and its locks.
const RESERVE: u64 = 512;
/// Connections of one user at most.
const EACH: usize = 1_024;
/// Connections of all but the bot's own user at most.
const ALL: usize = 4_096;
/// `watch` requests of one user at a time.
const WATCHES: usize = 64;
/// Long answers to one user that wait to be read at a time.
const LONG_ANSWERS: usize = 8;

/// Raises the number of files that this process may open, as far as it may and as it could need. Gives what it is then.
#[must_use]
pub fn raise_descriptors() -> u64 {
    let found = getrlimit(Resource::Nofile);
    let (soft, hard) = (found.current.unwrap_or(WANTED), found.maximum.unwrap_or(WANTED));
    let wanted = hard.min(WANTED);
    if soft >= wanted {
        return soft;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: found.maximum }) {
        Ok(()) => wanted,
        Err(_) => soft,
    }
}

/// Who is served at the moment.
pub(super) struct Crowd(Arc<Room>);

struct Room {
    own: u32,
    each: usize,
    all: usize,
    /// By user. Locked to count in or out, never across a wait.
    users: Mutex<HashMap<u32, Arc<User>>>,
}

/// One user's part.
#[derive(Debug)]
struct User {
    connections: AtomicUsize,
    watches: Arc<Semaphore>,
    long_answers: Arc<Semaphore>,
}

/// A connection's place; free again when it is dropped.
pub(super) struct Seat {
    room: Arc<Room>,
    uid: u32,
    user: Arc<User>,
}

impl Crowd {
    /// With room for what `descriptors` allow. The user `own` has seats of its own.
    pub fn new(own: u32, descriptors: u64) -> Self {
        let (each, all) = seats(descriptors);
        Self(Arc::new(Room { own, each, all, users: Mutex::default() }))
    }

    /// A seat for a connection of the user `uid`, if there is one.
    pub fn enter(&self, uid: u32) -> Option<Seat> {
        let mut users = self.0.lock();
        let taken = |user: &Arc<User>| user.connections.load(Ordering::Relaxed);
        let others: usize =
            users.iter().filter(|(uid, _)| **uid != self.0.own).map(|(_, user)| taken(user)).sum();
        let mine = users.get(&uid).map_or(0, taken);
        if mine >= self.0.each || (uid != self.0.own && others >= self.0.all) {
            return None;
        }
        let user = users.entry(uid).or_insert_with(|| {
            Arc::new(User {
                connections: AtomicUsize::new(0),
                watches: Arc::new(Semaphore::new(WATCHES)),
                long_answers: Arc::new(Semaphore::new(LONG_ANSWERS)),
            })
        });
        user.connections.fetch_add(1, Ordering::Relaxed);
        Some(Seat { room: Arc::clone(&self.0), uid, user: Arc::clone(user) })
    }
}

/// Seats of one user, and of all but the bot's own: a third of the descriptors that are to spare stay its own user's.
fn seats(descriptors: u64) -> (usize, usize) {
    let spare = usize::try_from(descriptors.saturating_sub(RESERVE)).unwrap_or(usize::MAX).max(48);
    let all = (spare / 3 * 2).min(ALL);
    // However few there are, one user alone leaves a quarter of them to others.
    ((all / 4 * 3).min(EACH), all)
}

impl Seat {
    /// The right to one `watch` of its user.
    pub fn watches(&self) -> &Arc<Semaphore> {
        &self.user.watches
    }

    /// The right to one long answer of its user, until it is written.
    pub fn long_answers(&self) -> &Arc<Semaphore> {
        &self.user.long_answers
    }
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Arc<User>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut users = self.room.lock();
        if self.user.connections.fetch_sub(1, Ordering::Relaxed) == 1 {
            users.remove(&self.uid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Z2: a user who takes all that they get leaves room for others, and for the bot's own user in each case.
    #[test]
    fn no_user_takes_the_seats_of_another() {
        let crowd = Crowd::new(0, 20_000);
        let taken: Vec<_> = std::iter::from_fn(|| crowd.enter(1_000)).collect();
        assert_eq!(taken.len(), EACH);
        let more: Vec<_> =
            (1..).flat_map(|uid| std::iter::repeat_n(uid, EACH)).map_while(|uid| crowd.enter(uid)).collect();
        assert_eq!(taken.len() + more.len(), ALL);
        let own: Vec<_> = std::iter::from_fn(|| crowd.enter(0)).collect();
        assert_eq!(own.len(), EACH);
        drop((taken, more, own));
        assert!(crowd.0.lock().is_empty());
    }

    #[test]
    fn what_is_served_leaves_descriptors_to_the_rest() {
        for (descriptors, found) in
            [(20_000, (1_024, 4_096)), (4_096, (1_024, 2_388)), (1_024, (255, 340)), (64, (24, 32))]
        {
            assert_eq!(seats(descriptors), found, "{descriptors}");
        }
    }
}
