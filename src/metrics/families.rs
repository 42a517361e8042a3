//! Every metric by name, kind, labels and meaning: a contract, which docs/operations.md repeats.
//!
//! Owns the table [`ALL`]. Invariants: names follow Prometheus' conventions (base units, `_total` for counters); what is not
//! in the table cannot be measured. Must not: hold a value.

use prometheus::{CounterVec, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts};

/// What a metric does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It rises, and begins at zero with the process.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It counts what took how long, in buckets.
    Histogram,
}

impl Kind {
    /// The word in the exposition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
    /// The upper ends of a histogram's buckets, in seconds.
    buckets: &'static [f64],
}

impl Family {
    const fn new(
        name: &'static str,
        kind: Kind,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind, labels, help, buckets: &[] }
    }

    const fn with(self, buckets: &'static [f64]) -> Self {
        Self { buckets, ..self }
    }

    fn opts(&self) -> Opts {
        Opts::new(self.name, self.help)
    }

    pub(crate) fn counter(&self) -> IntCounterVec {
        made(IntCounterVec::new(self.opts(), self.labels))
    }

    pub(crate) fn gauge(&self) -> IntGaugeVec {
        made(IntGaugeVec::new(self.opts(), self.labels))
    }

    /// A gauge with fractions.
    pub(crate) fn value(&self) -> GaugeVec {
        made(GaugeVec::new(self.opts(), self.labels))
    }

    /// A counter with fractions.
    pub(crate) fn total(&self) -> CounterVec {
        made(CounterVec::new(self.opts(), self.labels))
    }

    pub(crate) fn histogram(&self) -> HistogramVec {
        let opts = HistogramOpts::from(self.opts()).buckets(self.buckets.to_vec());
        made(HistogramVec::new(opts, self.labels))
    }
}

#[expect(clippy::expect_used, reason = "the names are those of this file, and a test makes all of them")]
fn made<T>(family: prometheus::Result<T>) -> T {
    family.expect("the names of metrics are valid")
}

/// What waits for a provider or a lock: up to the bounds of either.
const LONG: &[f64] = &[0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];
/// What is over soon, or late: Discord's bound is 3 s.
const SHORT: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 10.0];

macro_rules! families {
    ($($constant:ident = $name:literal, $kind:ident, $labels:expr, $help:literal $(, $buckets:ident)?;)+) => {
        $(pub(crate) const $constant: Family = Family::new($name, Kind::$kind, &$labels, $help)$(.with($buckets))?;)+

        /// All of them, by name.
        pub const ALL: &[Family] = &[$($constant),+];
    };
}

families! {
    AUDIT_FAILURES = "latchkey_audit_failures_total", Counter, [], "Audit lines that could not be written where [log] audit says.";
    BUILD_INFO = "latchkey_build_info", Gauge, ["version"], "Always 1; the version that runs.";
    CONFIG_RELOADED = "latchkey_config_last_reload_successful", Gauge, [], "0 once the configuration was refused when it was read anew, until one is taken over; 1 otherwise.";
    DAMAGED_ENTRIES = "latchkey_damaged_entries", Gauge, [], "Entries of the auth file that cannot be understood.";
    DENIALS = "latchkey_denials_total", Counter, [], "Attempts at what is not one's own, each with an audit line.";
    FEED_UP_TO_DATE = "latchkey_feed_up_to_date", Gauge, ["feed"], "Whether the file of a feed is as it should be (1) or not (0).";
    FEED_WRITES = "latchkey_feed_writes_total", Counter, ["feed", "outcome"], "Writes to the file of a feed: written, or taken_out.";
    GATEWAY_RECONNECTS = "latchkey_gateway_reconnects_total", Counter, [], "How often the connection to Discord was lost, or was made anew.";
    GATEWAY_STATE = "latchkey_gateway_state", Gauge, ["state"], "1 for how the connection to Discord stands, 0 for the other states.";
    GATEWAY_STATE_SECONDS = "latchkey_gateway_state_seconds", Gauge, [], "How long it has stood so.";
    ACKNOWLEDGEMENT_SECONDS = "latchkey_interaction_acknowledgement_seconds", Histogram, [], "From taking an interaction up until Discord had its first response; Discord waits 3 s.", SHORT;
    INTERACTIONS = "latchkey_interactions_total", Counter, ["command", "outcome"], "Interactions: done, turned_away, failed or panicked.";
    LOCK_TIMEOUTS = "latchkey_lock_timeouts_total", Counter, ["lock"], "Waits for a lock that were given up.";
    LOCK_WAIT_SECONDS = "latchkey_lock_wait_seconds", Histogram, ["lock"], "Waits for the lock of the auth file (store) or of a tenant's refresh (refresh).", LONG;
    LOGINS_STARTED = "latchkey_logins_started_total", Counter, ["provider", "kind"], "Sign-ins that were started.";
    LOGINS = "latchkey_logins_total", Counter, ["provider", "kind", "outcome", "reason"], "Sign-ins that have ended.";
    PENDING_LOGINS = "latchkey_pending_logins", Gauge, ["status"], "Sign-ins under way.";
    PROVIDER_ALARM = "latchkey_provider_alarm", Gauge, ["provider"], "1 while so many sign-ins of a provider have ended at once that the provider may be at fault.";
    READY = "latchkey_ready", Gauge, [], "Whether /readyz says yes (1) or no (0).";
    REFRESH_SECONDS = "latchkey_refresh_duration_seconds", Histogram, ["provider"], "How long providers took to answer a refresh.", LONG;
    REFRESHES = "latchkey_refreshes_total", Counter, ["tenant", "outcome", "reason"], "Refreshes that this process sent, or tried to.";
    REVOCATIONS_OWED = "latchkey_revocations_owed", Gauge, ["provider"], "Revocations that the provider has not heard of yet.";
    ROTATION_UNSAVED = "latchkey_rotation_unsaved", Gauge, ["tenant"], "1 while a rotated token is not in the auth file: in memory, or kept aside.";
    SOCKET_CONNECTIONS = "latchkey_socket_connections", Gauge, [], "Connections to the token socket.";
    SOCKET_TOKENS = "latchkey_socket_tokens_total", Counter, ["tenant", "outcome"], "Tokens that the socket handed out, by tenant; what it refused or had not (failed), without one.";
    STORE_READABLE = "latchkey_store_readable", Gauge, [], "Whether the auth file could be read for this scrape (1) or not (0).";
    STORE_WRITABLE = "latchkey_store_writable", Gauge, [], "Whether the auth file could be locked, written and understood when last tried (1) or not (0).";
    STORE_WRITE_SECONDS = "latchkey_store_write_duration_seconds", Histogram, [], "Writes of the auth file, after its lock was had.", SHORT;
    STORE_WRITE_FAILURES = "latchkey_store_write_failures_total", Counter, [], "Writes of the auth file that failed.";
    TENANT_EXPIRES = "latchkey_tenant_expires_in_seconds", Gauge, ["tenant"], "Seconds until the access token ends; negative once it has. None where it never does.";
    TENANT_OPERATOR_ERROR = "latchkey_tenant_operator_error", Gauge, ["tenant"], "1 where the provider refuses our client or its configuration.";
    TENANT_FAILURES = "latchkey_tenant_refresh_failures", Gauge, ["tenant"], "Refreshes in a row that brought nothing, in whatever process.";
    TENANT_STATE = "latchkey_tenant_state", Gauge, ["tenant", "state"], "1 for the state of a tenant, by the words of latchkey status --json.";
    TENANTS = "latchkey_tenants", Gauge, ["state"], "Tenants by state.";
    WORKER_RESTARTS = "latchkey_worker_restarts_total", Counter, [], "Workers of threads that panicked and were started again.";
    WORKERS = "latchkey_workers", Gauge, [], "Workers of threads that run.";
    PROCESS_CPU = "process_cpu_seconds_total", Counter, [], "Processor time, of all threads.";
    PROCESS_MAX_FDS = "process_max_fds", Gauge, [], "Files that this process may have open.";
    PROCESS_OPEN_FDS = "process_open_fds", Gauge, [], "Files that it has open.";
    PROCESS_RESIDENT = "process_resident_memory_bytes", Gauge, [], "Its memory.";
    PROCESS_START = "process_start_time_seconds", Gauge, [], "When it began, in unix seconds.";
    PROCESS_THREADS = "process_threads", Gauge, [], "Its threads.";
    PROCESS_VIRTUAL = "process_virtual_memory_bytes", Gauge, [], "Its address space.";
}
