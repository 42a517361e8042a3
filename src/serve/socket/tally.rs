//! Who took which tokens and who was refused, for the audit trail: a line at the first, and a count at the end of the hour (Z3).
//!
//! Owns the counts. Invariants: what is counted is written down, at the hour's end or ours; whatever callers make up, the lines of
//! an hour are bounded. Must not: hold a token.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::admit::Consumer;
use crate::audit;
use crate::clock::{Clock, UnixSeconds};

const AN_HOUR: i64 = 60 * 60;
/// Pairs of consumer and tenant that are told apart at a time; whatever comes on top is counted together.
const PAIRS: usize = 1_024;
/// Tenants of one consumer's refusals that are told apart.
const REFUSALS_EACH: usize = 16;
/// What stands for all that are not told apart.
const OTHERS: &str = "others";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Event {
    HandedOut,
    Refused,
}

/// Who, what, and which tenant.
type Key = (Event, String, String);

/// The counts of the hour.
pub(super) struct Tally {
    clock: Clock,
    /// Locked to count, never across a wait.
    counts: Mutex<HashMap<Key, Count>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    hour: UnixSeconds,
    times: u64,
}

impl Tally {
    pub fn new(clock: Clock) -> Self {
        Self { clock, counts: Mutex::default() }
    }

    /// `consumer` got a token of `tenant`.
    pub fn handed_out(&self, consumer: &Consumer, tenant: &str) {
        self.count(Event::HandedOut, consumer, tenant);
    }

    /// `consumer` may not have `tenant`, or any.
    pub fn refused(&self, consumer: &Consumer, tenant: &str) {
        self.count(Event::Refused, consumer, tenant);
    }

    /// Writes down counts of hours that are over.
    pub fn look(&self) {
        let hour = self.hour();
        self.lock().retain(|key, count| {
            let goes_on = count.hour == hour;
            if !goes_on {
                write(key, *count);
            }
            goes_on
        });
    }

    /// Writes down all counts: nothing is counted any more.
    pub fn close(&self) {
        self.lock().drain().for_each(|(key, count)| write(&key, count));
    }

    fn count(&self, event: Event, consumer: &Consumer, tenant: &str) {
        let hour = self.hour();
        let mut counts = self.lock();
        let key = told_apart(&counts, (event, consumer.to_string(), tenant.to_owned()));
        if let Some(count) = counts.get_mut(&key)
            && count.hour == hour
        {
            count.times += 1;
            return;
        }
        let first = Count { hour, times: 1 };
        if let Some(over) = counts.insert(key.clone(), first) {
            write(&key, over);
        }
        begin(&key);
    }

    fn hour(&self) -> UnixSeconds {
        self.clock.now().div_euclid(AN_HOUR) * AN_HOUR
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key itself, or the one that stands for what there is no room for.
fn told_apart(counts: &HashMap<Key, Count>, key: Key) -> Key {
    if counts.contains_key(&key) {
        return key;
    }
    let (event, consumer, tenant) = key;
    let of_consumer = || counts.keys().filter(|found| (found.0, &found.1) == (event, &consumer)).count();
    if counts.len() >= PAIRS {
        (event, OTHERS.to_owned(), OTHERS.to_owned())
    } else if event == Event::Refused && of_consumer() >= REFUSALS_EACH {
        (event, consumer, OTHERS.to_owned())
    } else {
        (event, consumer, tenant)
    }
}

/// At the first.
fn begin((event, consumer, tenant): &Key) {
    match event {
        Event::HandedOut => audit::handed_out(consumer, tenant, 1, None),
        Event::Refused => audit::not_handed_out(consumer, tenant, 1, None),
    }
}

/// At the end; of one alone all was said.
fn write((event, consumer, tenant): &Key, Count { hour, times }: Count) {
    match event {
        _ if times == 1 => {}
        Event::HandedOut => audit::handed_out(consumer, tenant, times, Some(hour)),
        Event::Refused => audit::not_handed_out(consumer, tenant, times, Some(hour)),
    }
}
