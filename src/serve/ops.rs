//! What an operator's programs reach at `[ops] listen`: `/healthz`, `/readyz` and `/metrics` (Z4).
//!
//! Owns the three routes and the probe of the store that feeds them. Invariants: GET and HEAD only; nothing is spent or changed
//! (G27); connections are bounded as the sign-in page's are. There are no tokens, links or accounts in any answer, and tenants'
//! names in `/metrics`: it is for the operator's network. Must not: judge; [`Health`] does.

mod scrape;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::scrape::Scene;
use super::listen::{self, Leave};
use crate::clock::Clock;
use crate::health::Health;
use crate::store::file::FileStore;
use crate::store::{STORE_WAIT, Store};

/// Connections at a time; more wait.
const CONNECTIONS: usize = 32;
/// How often the store is probed.
const PROBE_EVERY: Duration = Duration::from_secs(10);
/// How long a disk may take for a probe, with the wait for the lock.
const PROBE_BOUND: Duration = STORE_WAIT.saturating_add(Duration::from_secs(10));
/// The pause after a probe that a failed write called for: writes that fail in a row make no row of probes.
const PROBE_REST: Duration = Duration::from_secs(1);

/// Why nothing can be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot serve health and metrics on {address}: {reason}; {remedy}")]
pub struct BindError {
    address: SocketAddr,
    reason: String,
    remedy: &'static str,
}

/// Takes the address.
///
/// # Errors
/// When it cannot be had; the text names the remedy.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    use std::io::ErrorKind;
    TcpListener::bind(address).await.map_err(|error| {
        let (reason, remedy) = match error.kind() {
            ErrorKind::AddrInUse => (
                "another program listens there",
                "stop that, or choose another listen under [ops]; every bot on a host needs its own",
            ),
            ErrorKind::AddrNotAvailable => {
                ("it is no address of this machine", "write listen = \"127.0.0.1:8485\" under [ops]")
            }
            ErrorKind::PermissionDenied => {
                ("this user may not listen there", "choose a port from 1024 on as listen under [ops]")
            }
            _ => {
                return BindError {
                    address,
                    reason: error.to_string(),
                    remedy: "choose another listen under [ops]",
                };
            }
        };
        BindError { address, reason: reason.to_owned(), remedy }
    })
}

/// What the routes read. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Server {
    health: Health,
    store: Arc<FileStore>,
    clock: Clock,
}

impl Server {
    /// The routes over `health` and `store`.
    #[must_use]
    pub fn new(health: Health, store: Arc<FileStore>, clock: Clock) -> Self {
        Self { health, store, clock }
    }

    /// Serves on `listener` until `closing`.
    pub async fn serve(self, listener: TcpListener, closing: CancellationToken) {
        listen::serve(self.router(), listener, CONNECTIONS, Leave::Now, closing).await;
    }

    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(all_metrics))
            .with_state(self)
    }
}

async fn healthz(State(server): State<Server>) -> Response {
    let now = server.health.readiness();
    answer(now.is_alive(), &json!({ "alive": now.is_alive(), "ended": now.dead }))
}

async fn readyz(State(server): State<Server>) -> Response {
    let now = server.health.readiness();
    let body = json!({
        "ready": now.is_ready(),
        "lacking": now.lacking,
        "gateway": now.gateway.as_str(),
        "gateway_seconds": now.gateway_for.as_secs(),
    });
    answer(now.is_ready(), &body)
}

async fn all_metrics(State(server): State<Server>) -> Response {
    let readiness = server.health.readiness();
    let Server { store, clock, .. } = server;
    // The file may have to be read; other tasks go on meanwhile.
    let read = tokio::task::spawn_blocking(move || {
        let document = store.snapshot().ok();
        let kept_aside = document.as_ref().map(|document| store.kept_aside(document)).unwrap_or_default();
        let document = document.as_deref();
        scrape::scrape(&Scene { readiness: &readiness, document, kept_aside: &kept_aside, now: clock.now() })
    });
    match read.await {
        Ok(text) => ([(CONTENT_TYPE, scrape::CONTENT_TYPE), NOT_KEPT], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What is true now is asked for anew each time.
const NOT_KEPT: (axum::http::HeaderName, &str) = (CACHE_CONTROL, "no-store");

fn answer(is_good: bool, body: &serde_json::Value) -> Response {
    let status = if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CONTENT_TYPE, "application/json"), NOT_KEPT], format!("{body}\n")).into_response()
}

/// Tells `health` how the store is: now, every ten seconds, and when a write has failed. For ever.
pub async fn probe(health: Health, store: Arc<FileStore>) {
    let mut failures = store.failures();
    loop {
        let trying = {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.probe().await })
        };
        tokio::pin!(trying);
        let tried = if let Ok(tried) = tokio::time::timeout(PROBE_BOUND, &mut trying).await {
            tried
        } else {
            let place = store.path().display();
            let why = format!("the disk of {place} does not answer: check it; the system's log says more");
            health.store(Err(why));
            // One that hangs is waited for: more of them would only fill the pool.
            trying.await
        };
        health.store(match tried {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err("internal error: the probe of the store panicked; please report it".to_owned()),
        });
        tokio::time::sleep(PROBE_REST).await;
        // That of a store that is gone never comes; the pause does.
        let _ = tokio::time::timeout(PROBE_EVERY.saturating_sub(PROBE_REST), failures.changed()).await;
    }
}

#[cfg(test)]
mod tests;
