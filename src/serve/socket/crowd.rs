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
pub(super) const EACH: usize = 1_024;
/// Connections of all but the bot's own user at most.
pub(super) const ALL: usize = 4_096;
/// Connections at most of callers who are admitted to nothing before they show a bearer token.
pub(super) const BENCH: usize = 256;
/// `watch` requests of one user at a time.
pub(super) const WATCHES: usize = 64;
/// Long answers to one user that wait to be read at a time.
const LONG_ANSWERS: usize = 32;

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
    /// Places for those who have shown nothing yet.
    bench: usize,
    /// Who has those, by user. Locked to count in or out, never across a wait.
    waiting: Mutex<HashMap<u32, usize>>,
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

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// Its user has all that one may have.
    User,
    /// All are taken.
    Room,
}

/// A place of somebody who has shown nothing yet; free again when it is dropped.
pub(super) struct Bench {
    room: Arc<Room>,
    uid: u32,
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
        // These are short stays; a user id may stand for many containers.
        let bench = (all / 8).min(BENCH);
        Self(Arc::new(Room { own, each, all, bench, waiting: Mutex::default(), users: Mutex::default() }))
    }

    /// A place for a connection of the user `uid`, who is admitted to nothing yet: of few, and of no user more than half of them.
    pub fn wait(&self, uid: u32) -> Result<Bench, Full> {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = waiting.get(&uid).copied().unwrap_or(0);
        if mine >= self.0.bench / 2 {
            return Err(Full::User);
        }
        if waiting.values().sum::<usize>() >= self.0.bench {
            return Err(Full::Room);
        }
        waiting.insert(uid, mine + 1);
        Ok(Bench { room: Arc::clone(&self.0), uid })
    }

    /// A seat for a connection of the user `uid`, if there is one.
    pub fn enter(&self, uid: u32) -> Result<Seat, Full> {
        let mut users = self.0.lock();
        let taken = |user: &Arc<User>| user.connections.load(Ordering::Relaxed);
        let others: usize =
            users.iter().filter(|(uid, _)| **uid != self.0.own).map(|(_, user)| taken(user)).sum();
        let mine = users.get(&uid).map_or(0, taken);
        if mine >= self.0.each {
            return Err(Full::User);
        }
        if uid != self.0.own && others >= self.0.all {
            return Err(Full::Room);
        }
        let user = users.entry(uid).or_insert_with(|| {
            Arc::new(User {
                connections: AtomicUsize::new(0),
                watches: Arc::new(Semaphore::new(WATCHES)),
                long_answers: Arc::new(Semaphore::new(LONG_ANSWERS)),
            })
        });
        user.connections.fetch_add(1, Ordering::Relaxed);
        Ok(Seat { room: Arc::clone(&self.0), uid, user: Arc::clone(user) })
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

impl Drop for Bench {
    fn drop(&mut self) {
        let mut waiting = self.room.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = waiting.get_mut(&self.uid) {
            *mine -= 1;
            if *mine == 0 {
                waiting.remove(&self.uid);
            }
        }
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
        let taken: Vec<_> = std::iter::from_fn(|| crowd.enter(1_000).ok()).collect();
        assert_eq!((taken.len(), crowd.enter(1_000).err()), (EACH, Some(Full::User)));
        let more: Vec<_> = (1..)
            .flat_map(|uid| std::iter::repeat_n(uid, EACH))
            .map_while(|uid| crowd.enter(uid).ok())
            .collect();
        assert_eq!((taken.len() + more.len(), crowd.enter(9_000).err()), (ALL, Some(Full::Room)));
        let own: Vec<_> = std::iter::from_fn(|| crowd.enter(0).ok()).collect();
        assert_eq!(own.len(), EACH);
        drop((taken, more, own));
        assert!(crowd.0.lock().is_empty());
    }

    /// Z2: who has shown nothing takes no seat of those who are admitted, and no user all the places before that.
    #[test]
    fn who_has_shown_nothing_takes_nobodys_seat() {
        let crowd = Crowd::new(0, 20_000);
        let first: Vec<_> = std::iter::from_fn(|| crowd.wait(1_000).ok()).collect();
        assert_eq!((first.len(), crowd.wait(1_000).err()), (BENCH / 2, Some(Full::User)));
        let second: Vec<_> = std::iter::from_fn(|| crowd.wait(1_001).ok()).collect();
        assert_eq!((second.len(), crowd.wait(1_002).err()), (BENCH / 2, Some(Full::Room)));
        let seats: Vec<_> = std::iter::from_fn(|| crowd.enter(1_002).ok()).collect();
        assert_eq!(seats.len(), EACH);
        drop((first, second));
        assert!(crowd.0.waiting.lock().unwrap().is_empty() && crowd.wait(1_000).is_ok());
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
