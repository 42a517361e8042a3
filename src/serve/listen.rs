//! The listening: connections, bounded in number, size and time.
//!
//! Owns the socket and the way of a connection. Invariants: one connection carries one request; one that dawdles is closed;
//! at the end no new one is taken and those under way get their answer. Must not: look into a request.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Server;
use crate::oauth::EXCHANGE_BOUND;

/// Connections at a time. More wait in the kernel's queue until one is over.
pub(super) const CONNECTIONS: usize = 256;
/// How long the head of a request may take to arrive.
const HEAD_BOUND: Duration = Duration::from_secs(10);
/// The largest head, in bytes.
const HEAD_CAP: usize = 16 * 1_024;
/// The whole of a connection: longer than the exchange that a confirmation makes, and the writes around it.
const CONNECTION_BOUND: Duration = EXCHANGE_BOUND.saturating_add(Duration::from_mins(1));
/// How long nothing is accepted after that failed, for want of descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why nothing can be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error(
        "cannot serve the sign-in page: {0} is in use by another program; stop that, or choose another listen under [http]"
    )]
    InUse(SocketAddr),
    /// No interface has that address.
    #[error(
        "cannot serve the sign-in page: {0} is no address of this machine; write listen = \"127.0.0.1:8484\" under [http] and let a reverse proxy forward to it"
    )]
    NotOurs(SocketAddr),
    /// The system does not let us.
    #[error(
        "cannot serve the sign-in page: this user may not listen on {0}; choose a port from 1024 on as listen under [http], and let a reverse proxy forward to it"
    )]
    Forbidden(SocketAddr),
    /// Something else.
    #[error("cannot serve the sign-in page on {address}: {reason}; choose another listen under [http]")]
    Other {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        reason: String,
    },
}

/// Takes the address.
///
/// # Errors
/// When it cannot be had; the text names the remedy.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => BindError::InUse(address),
        ErrorKind::AddrNotAvailable => BindError::NotOurs(address),
        ErrorKind::PermissionDenied => BindError::Forbidden(address),
        _ => BindError::Other { address, reason: error.to_string() },
    })
}

impl Server {
    /// Serves on `listener` until `closing`; then lets what is under way finish, and ends.
    pub async fn serve(self, listener: TcpListener, closing: CancellationToken) {
        serve(self.router(), listener, CONNECTIONS, Leave::WhenSlow, closing).await;
    }
}

/// The two ends of a connection, which every request carries among its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    /// The other's address.
    pub peer: SocketAddr,
    /// Ours.
    pub own: SocketAddr,
}

/// When those who have not sent a whole head yet are left, at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// At once.
    Now,
    /// Once they have taken as long as one may take.
    WhenSlow,
}

/// Serves `routes` on `listener` until `closing`, `most` connections at a time; then lets what is under way finish, and ends.
pub(super) async fn serve(
    routes: axum::Router,
    listener: TcpListener,
    most: usize,
    leave: Leave,
    closing: CancellationToken,
) {
    let service = TowerToHyperService::new(routes);
    let (slots, connections) = (Arc::new(Semaphore::new(most)), TaskTracker::new());
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = closing.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (service, closing) = (service.clone(), closing.clone());
                connections.spawn(async move {
                    // Without an address of ours it is closed already.
                    if let Ok(own) = stream.local_addr() {
                        connection(stream, Ends { peer, own }, service, leave, closing).await;
                    }
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(
    stream: TcpStream,
    ends: Ends,
    service: TowerToHyperService<axum::Router>,
    leave: Leave,
    closing: CancellationToken,
) {
    let has_asked = AtomicBool::new(false);
    let service = service_fn(|mut request: hyper::Request<_>| {
        has_asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ends);
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_BOUND)
        .max_buf_size(HEAD_CAP)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let served = async {
        tokio::select! {
            served = &mut connection => served,
            () = closing.cancelled() => {
                if leave == Leave::Now && !has_asked.load(Ordering::Relaxed) {
                    return Ok(());
                }
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    match tokio::time::timeout(CONNECTION_BOUND, served).await {
        Ok(Ok(())) => {}
        // Without the address, which may hold a code.
        Ok(Err(error)) => tracing::debug!(reason = reason(&error), "a connection broke"),
        Err(_) => tracing::debug!("a connection took too long"),
    }
}

/// Why a connection broke, without anything that came over it.
fn reason(error: &hyper::Error) -> &'static str {
    if error.is_timeout() {
        "it was too slow"
    } else if error.is_parse_too_large() {
        "its head was too large"
    } else if error.is_parse() {
        "it spoke no HTTP"
    } else {
        "it was closed"
    }
}
