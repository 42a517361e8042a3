//! What an operator can measure (Z4), in Prometheus' form.
//!
//! Owns the counters of this process and the one way to each: whoever decides something calls the function for it, a line
//! each. What stands in the store is not counted here but read at each scrape (`serve/ops/scrape.rs`), so that it is true of all
//! processes. Invariants: nothing is set up before the first use; no label holds a secret, a person, a thread or a text from
//! outside, and each has few values: tenants, providers and feeds as they are configured or stored, and words of ours.

pub(crate) mod families;
pub(crate) mod process;

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};

pub use self::families::{ALL, Family, Kind};
use crate::oauth::Outcome;
use crate::pending::PendingLogin;
use crate::tenant::TenantKey;

/// What is counted in this process.
struct Counts {
    refreshes: IntCounterVec,
    refresh_seconds: HistogramVec,
    lock_seconds: HistogramVec,
    lock_timeouts: IntCounterVec,
    write_seconds: HistogramVec,
    write_failures: IntCounterVec,
    logins_started: IntCounterVec,
    logins: IntCounterVec,
    denials: IntCounterVec,
    handed_out: IntCounterVec,
    connections: IntGaugeVec,
    interactions: IntCounterVec,
    acknowledgement_seconds: HistogramVec,
    reconnects: IntCounterVec,
    workers: IntGaugeVec,
    worker_restarts: IntCounterVec,
    feed_writes: IntCounterVec,
    feeds: IntGaugeVec,
    audit_failures: IntCounterVec,
    /// Tenants whose rotated token is in this process' memory alone, with the number of saves that try.
    unsaved: Mutex<BTreeMap<TenantKey, u32>>,
}

static COUNTS: LazyLock<Counts> = LazyLock::new(|| {
    let counts = Counts {
        refreshes: families::REFRESHES.counter(),
        refresh_seconds: families::REFRESH_SECONDS.histogram(),
        lock_seconds: families::LOCK_WAIT_SECONDS.histogram(),
        lock_timeouts: families::LOCK_TIMEOUTS.counter(),
        write_seconds: families::STORE_WRITE_SECONDS.histogram(),
        write_failures: families::STORE_WRITE_FAILURES.counter(),
        logins_started: families::LOGINS_STARTED.counter(),
        logins: families::LOGINS.counter(),
        denials: families::DENIALS.counter(),
        handed_out: families::SOCKET_TOKENS.counter(),
        connections: families::SOCKET_CONNECTIONS.gauge(),
        interactions: families::INTERACTIONS.counter(),
        acknowledgement_seconds: families::ACKNOWLEDGEMENT_SECONDS.histogram(),
        reconnects: families::GATEWAY_RECONNECTS.counter(),
        workers: families::WORKERS.gauge(),
        worker_restarts: families::WORKER_RESTARTS.counter(),
        feed_writes: families::FEED_WRITES.counter(),
        feeds: families::FEED_UP_TO_DATE.gauge(),
        audit_failures: families::AUDIT_FAILURES.counter(),
        unsaved: Mutex::default(),
    };
    // A counter that is there from the start shows its first step as one.
    for counter in [
        &counts.write_failures,
        &counts.denials,
        &counts.reconnects,
        &counts.worker_restarts,
        &counts.audit_failures,
    ] {
        counter.with_label_values(NONE);
    }
    for gauge in [&counts.connections, &counts.workers] {
        gauge.with_label_values(NONE);
    }
    for lock in [Lock::Store, Lock::Refresh] {
        counts.lock_timeouts.with_label_values(&[lock.as_str()]);
        counts.lock_seconds.with_label_values(&[lock.as_str()]);
    }
    counts
});

/// The labels of a family that has none.
pub(crate) const NONE: &[&str] = &[];

impl Counts {
    fn collectors(&self) -> [&dyn Collector; 19] {
        [
            &self.refreshes,
            &self.refresh_seconds,
            &self.lock_seconds,
            &self.lock_timeouts,
            &self.write_seconds,
            &self.write_failures,
            &self.logins_started,
            &self.logins,
            &self.denials,
            &self.handed_out,
            &self.connections,
            &self.interactions,
            &self.acknowledgement_seconds,
            &self.reconnects,
            &self.workers,
            &self.worker_restarts,
            &self.feed_writes,
            &self.feeds,
            &self.audit_failures,
        ]
    }
}

/// All that was counted in this process.
pub(crate) fn gather() -> Vec<MetricFamily> {
    COUNTS.collectors().into_iter().flat_map(Collector::collect).collect()
}

/// Tenants whose rotated token is in this process' memory and in no file yet.
pub(crate) fn unsaved_here() -> Vec<TenantKey> {
    COUNTS.unsaved.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
}

/// The locks whose waits are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Of the auth file.
    Store,
    /// Of a tenant's refresh.
    Refresh,
}

impl Lock {
    fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Refresh => "refresh",
        }
    }
}

/// A refresh has ended, `took` after it was sent.
pub(crate) fn refreshed(tenant: &TenantKey, outcome: &Outcome, took: Duration) {
    let (outcome, reason) = outcome.words();
    let key = tenant.to_string();
    COUNTS.refreshes.with_label_values(&[key.as_str(), outcome, reason]).inc();
    COUNTS.refresh_seconds.with_label_values(&[tenant.provider.as_str()]).observe(took.as_secs_f64());
}

/// A lock was waited for, and had or not.
pub(crate) fn waited(lock: Lock, took: Duration, is_had: bool) {
    COUNTS.lock_seconds.with_label_values(&[lock.as_str()]).observe(took.as_secs_f64());
    if !is_had {
        COUNTS.lock_timeouts.with_label_values(&[lock.as_str()]).inc();
    }
}

/// The auth file was written, or could not be.
pub(crate) fn wrote(took: Duration, is_written: bool) {
    COUNTS.write_seconds.with_label_values(NONE).observe(took.as_secs_f64());
    if !is_written {
        COUNTS.write_failures.with_label_values(NONE).inc();
    }
}

/// A login was started.
pub(crate) fn login_started(login: &PendingLogin) {
    let labels = [login.tenant.provider.as_str(), login.kind.as_str()];
    COUNTS.logins_started.with_label_values(&labels).inc();
}

/// A login has ended.
pub(crate) fn login_ended(login: &PendingLogin) {
    let reason = login.reason.as_ref().map_or("", |reason| reason.as_str());
    let labels = [login.tenant.provider.as_str(), login.kind.as_str(), login.status.as_str(), reason];
    COUNTS.logins.with_label_values(&labels).inc();
}

/// Somebody tried what is not theirs.
pub(crate) fn denied() {
    COUNTS.denials.with_label_values(NONE).inc();
}

/// The socket gave a token of `tenant` away.
pub(crate) fn handed_out(tenant: &TenantKey) {
    COUNTS.handed_out.with_label_values(&[tenant.to_string().as_str(), "handed_out"]).inc();
}

/// The socket gave none. What was asked for is the caller's text, and is no label.
pub(crate) fn not_handed_out(outcome: &'static str) {
    COUNTS.handed_out.with_label_values(&["", outcome]).inc();
}

/// A connection to the token socket, until it is dropped.
#[must_use = "the connection is counted as long as this lives"]
pub(crate) struct Connection(());

/// A connection to the token socket has begun.
pub(crate) fn connected() -> Connection {
    COUNTS.connections.with_label_values(NONE).inc();
    Connection(())
}

impl Drop for Connection {
    fn drop(&mut self) {
        COUNTS.connections.with_label_values(NONE).dec();
    }
}

/// How the answer to an interaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// As it should.
    Done,
    /// The one who asked is not served.
    TurnedAway,
    /// An error of ours, which the log has.
    Failed,
    /// Its handler panicked.
    Panicked,
}

/// An interaction is over. `command` is a word of ours.
pub fn interaction(command: &'static str, answered: Answered) {
    let outcome = match answered {
        Answered::Done => "done",
        Answered::TurnedAway => "turned_away",
        Answered::Failed => "failed",
        Answered::Panicked => "panicked",
    };
    COUNTS.interactions.with_label_values(&[command, outcome]).inc();
}

/// Discord has the acknowledgement of an interaction, `took` after it came.
pub fn acknowledged(took: Duration) {
    COUNTS.acknowledgement_seconds.with_label_values(NONE).observe(took.as_secs_f64());
}

/// The connection to Discord was lost, and is made again.
pub fn reconnecting() {
    COUNTS.reconnects.with_label_values(NONE).inc();
}

/// So many workers run.
pub(crate) fn workers(number: usize) {
    COUNTS.workers.with_label_values(NONE).set(i64::try_from(number).unwrap_or(i64::MAX));
}

/// A worker panicked, and is started again.
pub(crate) fn worker_restarted() {
    COUNTS.worker_restarts.with_label_values(NONE).inc();
}

/// The file of a feed was written, or the token in it taken out.
pub(crate) fn fed(feed: &str, outcome: &'static str) {
    COUNTS.feed_writes.with_label_values(&[feed, outcome]).inc();
}

/// Whether the file of a feed is as it should be.
pub(crate) fn feed(feed: &str, is_up_to_date: bool) {
    COUNTS.feeds.with_label_values(&[feed]).set(i64::from(is_up_to_date));
}

/// There is no such feed any more.
pub(crate) fn no_feed(feed: &str) {
    // One that never came to a look has no series.
    drop(COUNTS.feeds.remove_label_values(&[feed]));
}

/// An audit line could not be written where it belongs.
pub fn audit_failed() {
    COUNTS.audit_failures.with_label_values(NONE).inc();
}

/// A rotated token that is durable nowhere yet, until this is dropped (G21).
#[must_use = "the token counts as unsaved as long as this lives"]
pub(crate) struct Unsaved(TenantKey);

/// The rotated token of `tenant` could not be stored at once.
pub(crate) fn unsaved(tenant: &TenantKey) -> Unsaved {
    *COUNTS.unsaved.lock().unwrap_or_else(PoisonError::into_inner).entry(tenant.clone()).or_default() += 1;
    Unsaved(tenant.clone())
}

impl Drop for Unsaved {
    fn drop(&mut self) {
        let mut unsaved = COUNTS.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(saves) = unsaved.get_mut(&self.0) {
            *saves -= 1;
            if *saves == 0 {
                unsaved.remove(&self.0);
            }
        }
    }
}

#[cfg(test)]
mod tests;
