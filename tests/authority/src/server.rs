//! Takes connections, reads requests whole, applies latency, gates and faults, and sends what an endpoint says.
//!
//! What must hold: a request that has arrived is acted on even if its client leaves (a real server would not
//! notice either), and a closed connection is really closed, so that a client sees what it would see in life.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use futures_util::stream;
use std::collections::HashMap;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::fault::Fault;
use crate::hold::{Barrier, Moment};
use crate::incoming::Incoming;
use crate::record::Outcome;
use crate::reply::Reply;
use crate::state::State;
use crate::{Endpoint, authorize, codex, copilot, device, pages, resource, token, user_code_grant, userinfo};

/// What the server's tasks and the test share.
#[derive(Debug)]
pub(crate) struct Core {
    state: Mutex<State>,
    barriers: Mutex<HashMap<(Endpoint, Moment), Arc<Barrier>>>,
    /// The same before single replies: by the refresh token that the request presents.
    of_tokens: Mutex<HashMap<String, Arc<Barrier>>>,
}

impl Core {
    pub fn new(state: State) -> Self {
        Self { state: Mutex::new(state), barriers: Mutex::default(), of_tokens: Mutex::default() }
    }

    /// The state. A panic in one test's assertion must not hide the others' results, so poison is ignored.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn close_gate(&self, endpoint: Endpoint, moment: Moment) -> Arc<Barrier> {
        let barrier = Arc::new(Barrier::new());
        let mut barriers = self.barriers.lock().unwrap_or_else(PoisonError::into_inner);
        barriers.insert((endpoint, moment), Arc::clone(&barrier));
        barrier
    }

    pub fn close_gate_of(&self, refresh_token: &str) -> Arc<Barrier> {
        let barrier = Arc::new(Barrier::new());
        let mut of_tokens = self.of_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        of_tokens.insert(refresh_token.to_owned(), Arc::clone(&barrier));
        barrier
    }

    async fn pass_gate_of(&self, refresh_token: Option<&str>) {
        let barrier = refresh_token.and_then(|token| {
            self.of_tokens.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
        });
        if let Some(barrier) = barrier {
            barrier.pass().await;
        }
    }

    async fn pass_gate(&self, endpoint: Endpoint, moment: Moment) {
        let barrier = {
            let barriers = self.barriers.lock().unwrap_or_else(PoisonError::into_inner);
            barriers.get(&(endpoint, moment)).cloned()
        };
        if let Some(barrier) = barrier {
            barrier.pass().await;
        }
    }
}

/// Serves until the runtime ends.
pub(crate) async fn run(listener: TcpListener, core: Arc<Core>) -> io::Result<()> {
    let app = Router::new().fallback(entry).with_state(core);
    let door = Door { listener, connections: AtomicU64::new(0) };
    axum::serve(door, app.into_make_service_with_connect_info::<Peer>()).await
}

async fn entry(
    Shared(core): Shared<Arc<Core>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    let served = tokio::spawn(serve(core, peer.clone(), request)).await;
    served.unwrap_or_else(|_| {
        peer.cut();
        Response::new(Body::empty())
    })
}

async fn serve(core: Arc<Core>, peer: Peer, request: Request) -> Response {
    let incoming = Incoming::read(request).await;
    let (endpoint, place, fault, latency) = {
        let mut state = core.lock();
        let endpoint = Endpoint::of(&incoming.path, state.settings.prefix());
        let place = state.record.arrived(endpoint, &incoming, peer.address.port(), peer.connection);
        let latency = state.settings.latency.get(&endpoint).copied().unwrap_or_default();
        (endpoint, place, state.faults.next(endpoint), latency)
    };
    pause(latency).await;
    if let Fault::Delay(extra) = fault {
        pause(extra).await;
    }
    core.pass_gate(endpoint, Moment::Arrival).await;
    let (reply, latency) = {
        let mut state = core.lock();
        let untouched = matches!(fault, Fault::Reply(_) | Fault::CloseBefore);
        let reply = if untouched { Reply::empty(200) } else { act(&mut state, endpoint, &incoming) };
        (reply, state.settings.reply_latency.get(&endpoint).copied().unwrap_or_default())
    };
    pause(latency).await;
    core.pass_gate(endpoint, Moment::Departure).await;
    core.pass_gate_of(incoming.field("refresh_token")).await;

    let reply = match &fault {
        Fault::Reply(canned) | Fault::ReplyAfter(canned) => canned.clone().into_reply(),
        _ => reply,
    };
    let outcome = match fault {
        Fault::CloseBefore | Fault::CloseAfter | Fault::CutBody(_) => Outcome::Closed,
        _ => Outcome::Answered { status: reply.status, error: reply.error.clone() },
    };
    core.lock().record.ended(place, outcome);
    match fault {
        Fault::CloseBefore | Fault::CloseAfter => {
            peer.cut();
            Response::new(Body::empty())
        }
        Fault::CutBody(bytes) => respond(&reply, cut_body(&reply.body, bytes)),
        Fault::Dribble { every } => respond(&reply, dribbled(reply.body.clone(), every)),
        _ => respond(&reply, Body::from(reply.body.clone())),
    }
}

fn act(state: &mut State, endpoint: Endpoint, incoming: &Incoming) -> Reply {
    match endpoint {
        Endpoint::Authorize => authorize::answer(state, incoming),
        Endpoint::CodePage => authorize::code_page(state, incoming),
        // One path at two vendors: which it is, the dialect says.
        Endpoint::DeviceStart if state.settings.status_replies => user_code_grant::start(state, incoming),
        Endpoint::DeviceStart => device::start(state, incoming),
        Endpoint::DevicePage => device::page(state, incoming),
        Endpoint::Token => token::answer(state, incoming),
        Endpoint::Revoke => resource::revoke(state, incoming),
        Endpoint::Discovery => resource::metadata(state, incoming),
        Endpoint::Register => resource::register(state, incoming),
        Endpoint::Api => resource::api(state, incoming),
        Endpoint::UserCodeStart => user_code_grant::start(state, incoming),
        Endpoint::CodexStart => codex::start(state, incoming),
        Endpoint::CodexPoll => codex::poll(state, incoming),
        Endpoint::CopilotToken => copilot::exchange(state, incoming),
        Endpoint::Userinfo => userinfo::answer(state, incoming),
        Endpoint::Unknown => pages::problem(&state.settings, 404, "There is nothing at this address."),
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

fn respond(reply: &Reply, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn cut_body(body: &[u8], bytes: usize) -> Body {
    let head = Bytes::copy_from_slice(&body[..bytes.min(body.len())]);
    let cut = Err(io::Error::from(io::ErrorKind::ConnectionReset));
    // The pause lets the head leave before the connection is closed.
    let late = stream::once(async move {
        pause(Duration::from_millis(20)).await;
        cut
    });
    Body::from_stream(stream::StreamExt::chain(stream::iter([Ok(head)]), late))
}

fn dribbled(body: Vec<u8>, every: Duration) -> Body {
    Body::from_stream(stream::unfold(body.into_iter(), move |mut rest| async move {
        pause(every).await;
        let byte = rest.next()?;
        Some((Ok::<_, io::Error>(Bytes::copy_from_slice(&[byte])), rest))
    }))
}

/// The listener: numbers connections and makes them cuttable.
struct Door {
    listener: TcpListener,
    connections: AtomicU64,
}

/// The client's end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    address: SocketAddr,
    connection: u64,
    is_cut: Arc<AtomicBool>,
}

impl Peer {
    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
    }
}

impl axum::extract::connect_info::Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.remote_addr().clone()
    }
}

impl Listener for Door {
    type Io = Wire;
    type Addr = Peer;

    async fn accept(&mut self) -> (Wire, Peer) {
        loop {
            if let Ok((stream, address)) = self.listener.accept().await {
                let is_cut = Arc::new(AtomicBool::new(false));
                let connection = self.connections.fetch_add(1, Ordering::SeqCst);
                let peer = Peer { address, connection, is_cut: Arc::clone(&is_cut) };
                return (Wire { stream, is_cut }, peer);
            }
            // Out of descriptors, most likely: others will be closed in a moment.
            pause(Duration::from_millis(20)).await;
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        let address = self.listener.local_addr()?;
        Ok(Peer { address, connection: 0, is_cut: Arc::new(AtomicBool::new(false)) })
    }
}

/// A connection that can be cut: a write on it fails then, which closes it.
struct Wire {
    stream: TcpStream,
    is_cut: Arc<AtomicBool>,
}

impl Wire {
    fn alive(&self) -> io::Result<()> {
        if self.is_cut.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.alive()?;
        Pin::new(&mut self.stream).poll_read(task, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.alive()?;
        Pin::new(&mut self.stream).poll_write(task, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
