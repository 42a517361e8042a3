//! One scrape: what this process has counted, and what stands in the store at this moment.
//!
//! Owns the text of `/metrics` (Prometheus' text format, version 0.0.4). Invariants: what is the store's is read anew each time,
//! so that it is true whichever process did it, and what is gone has no series; every metric is described in each scrape, with
//! values or without. Must not: spend or write anything (G27).

use std::collections::{BTreeMap, BTreeSet};

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{Encoder, GaugeVec, TextEncoder};

use crate::broker::health;
use crate::clock::UnixSeconds;
use crate::gate::alarm_is_raised;
use crate::health::{Gateway, Readiness};
use crate::metrics;
use crate::metrics::process::{self, Figures, number};
use crate::metrics::{ALL, Family, NONE, families};
use crate::pending::LoginStatus;
use crate::store::{Document, has_ended};
use crate::tenant::{ProviderName, TenantKey};

/// What the text is, for the header that says so.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is there to be measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    /// How this process is.
    pub readiness: &'a Readiness,
    /// What is stored; nothing if it cannot be read.
    pub document: Option<&'a Document>,
    /// Tenants whose rotated token is kept aside.
    pub kept_aside: &'a [TenantKey],
    /// The time.
    pub now: UnixSeconds,
}

/// The text of all metrics.
pub(super) fn scrape(scene: &Scene<'_>) -> String {
    let mut all: Vec<MetricFamily> = metrics::gather();
    let mut gauges = Gauges::default();
    gauges.of_this_process(scene.readiness);
    if let Some(figures) = process::figures() {
        gauges.of_the_system(&figures);
        let processor = families::PROCESS_CPU.total();
        processor.with_label_values(NONE).inc_by(figures.cpu_seconds);
        all.extend(processor.collect());
    }
    gauges.of_the_store(scene);
    all.extend(gauges.0.into_values().flat_map(|gauge| gauge.collect()));
    all.retain(|family| !family.get_metric().is_empty());
    all.sort_by(|one, other| one.name().cmp(other.name()));
    let mut text = Vec::new();
    if let Err(error) = TextEncoder::new().encode(&all, &mut text) {
        tracing::error!(%error, "the metrics could not be written");
    }
    let mut text = String::from_utf8_lossy(&text).into_owned();
    let is_there = |family: &&Family| all.iter().any(|found| found.name() == family.name);
    for family in ALL.iter().filter(|family| !is_there(family)) {
        let Family { name, help, kind, .. } = family;
        text.extend(["# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind.as_str(), "\n"]);
    }
    text
}

/// Those of one scrape, by name.
#[derive(Default)]
struct Gauges(BTreeMap<&'static str, GaugeVec>);

impl Gauges {
    fn set(&mut self, family: &Family, labels: &[&str], value: f64) {
        self.0.entry(family.name).or_insert_with(|| family.value()).with_label_values(labels).set(value);
    }

    fn add(&mut self, family: &Family, labels: &[&str]) {
        self.0.entry(family.name).or_insert_with(|| family.value()).with_label_values(labels).inc();
    }

    fn of_this_process(&mut self, readiness: &Readiness) {
        self.set(&families::BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1.0);
        self.set(&families::CONFIG_RELOADED, NONE, truth(!readiness.reloads.was_refused));
        self.set(&families::READY, NONE, truth(readiness.is_ready()));
        self.set(&families::STORE_WRITABLE, NONE, truth(readiness.store_writable));
        for state in Gateway::ALL {
            self.set(&families::GATEWAY_STATE, &[state.as_str()], truth(state == readiness.gateway));
        }
        self.set(&families::GATEWAY_STATE_SECONDS, NONE, readiness.gateway_for.as_secs_f64());
    }

    fn of_the_system(&mut self, figures: &Figures) {
        self.set(&families::PROCESS_START, NONE, figures.started_at);
        self.set(&families::PROCESS_THREADS, NONE, figures.threads);
        self.set(&families::PROCESS_VIRTUAL, NONE, figures.virtual_bytes);
        self.set(&families::PROCESS_RESIDENT, NONE, figures.resident_bytes);
        let files = [
            (&families::PROCESS_OPEN_FDS, figures.open_files),
            (&families::PROCESS_MAX_FDS, figures.most_files),
        ];
        for (family, files) in files {
            if let Some(files) = files {
                self.set(family, NONE, files);
            }
        }
    }

    fn of_the_store(&mut self, scene: &Scene<'_>) {
        for tenant in metrics::unsaved_here().iter().chain(scene.kept_aside) {
            self.set(&families::ROTATION_UNSAVED, &[tenant.to_string().as_str()], 1.0);
        }
        self.set(&families::STORE_READABLE, NONE, truth(scene.document.is_some()));
        let Some(document) = scene.document else { return };
        self.set(&families::DAMAGED_ENTRIES, NONE, number(document.damaged().len() as u64));
        self.tenants(document, scene.now);
        for status in LoginStatus::ALL.into_iter().filter(|status| !status.is_terminal()) {
            self.set(&families::PENDING_LOGINS, &[status.as_str()], 0.0);
        }
        for login in document.logins().filter(|login| !has_ended(login, scene.now)) {
            self.add(&families::PENDING_LOGINS, &[login.status.as_str()]);
        }
        for owed in document.owed() {
            self.add(&families::REVOCATIONS_OWED, &[owed.tenant.provider.as_str()]);
        }
    }

    fn tenants(&mut self, document: &Document, now: UnixSeconds) {
        let mut providers: BTreeSet<ProviderName> = BTreeSet::new();
        for (tenant, held) in document.tenants() {
            let (key, state) = (tenant.to_string(), health(&held, now).as_str());
            self.add(&families::TENANTS, &[state]);
            self.set(&families::TENANT_STATE, &[key.as_str(), state], 1.0);
            self.set(&families::TENANT_FAILURES, &[key.as_str()], f64::from(held.failures));
            self.set(&families::TENANT_OPERATOR_ERROR, &[key.as_str()], truth(held.operators_error));
            if let Some(at) = held.expires_at {
                let left = at.saturating_sub(now);
                let seconds = number(left.unsigned_abs());
                self.set(
                    &families::TENANT_EXPIRES,
                    &[key.as_str()],
                    if left < 0 { -seconds } else { seconds },
                );
            }
            providers.insert(tenant.provider);
        }
        for provider in providers {
            let is_raised = alarm_is_raised(document, &provider, now);
            self.set(&families::PROVIDER_ALARM, &[provider.as_str()], truth(is_raised));
        }
    }
}

fn truth(of: bool) -> f64 {
    f64::from(u8::from(of))
}
