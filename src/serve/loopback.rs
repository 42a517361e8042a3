//! The answer to a sign-in of this terminal, on this host's own loopback address (RFC 8252 sections 7.3, 8.3).
//!
//! Owns the listening for one login, for as long as it is open. Invariants: it listens on loopback alone; whether something
//! is an answer is judged where pasted ones are, so that a wrong state spends nothing and the wait goes on (T2 to T6, C11);
//! requests are bounded in size, time and number; nothing that came in is logged (Z1). Nobody is asked to confirm (T15): the
//! state binds the answer to the login, and since others on the host may read the state in the browser's command line, the answer
//! is taken from our own user or root alone. Must not: have words of its own ([`Words`] are the program's).

mod peer;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, HOST};
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::{Host, Url};

use super::listen::Leave;
use super::{headers, listen};
use crate::login::{Answered, Logins, PasteError};
use crate::oauth::AnswerError;
use crate::pending::LoginId;
use crate::provider::is_answerable_here;
use crate::secret::random_id;
use crate::tenant::User;

/// Connections at a time: one browser's, and some that only open them.
const CONNECTIONS: usize = 16;
/// The longest query that is read, in bytes: what the reading of an answer takes, in characters.
const QUERY_CAP: usize = 4_000;

/// Why nothing can be listened to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoopbackError {
    /// No address of this host that speaks HTTP.
    #[error("{0} is no http address of this host")]
    NotHere(String),
    /// Another program listens there.
    #[error("port {0} of this host is in use by another program")]
    InUse(u16),
    /// This system does not say who connects, so that anybody on the host could answer.
    #[error("this system does not tell whose a connection to it is")]
    Untold,
    /// Something else.
    #[error("port {port} of this host cannot be listened on: {reason}")]
    Other {
        /// The port.
        port: u16,
        /// What the system says.
        reason: String,
    },
}

/// What somebody who came with a browser is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// The answer was spent.
    Spent(Answered),
    /// It is none of this login: the wait goes on.
    Bad(AnswerError),
    /// It came from another user of this host, or from nobody who can be told: the wait goes on.
    Foreign(Option<u32>),
    /// An answer is being spent already.
    InUse,
    /// The provider could not be reached: the same answer may come again.
    NotSent,
    /// The login is over.
    Over,
    /// No page of ours.
    NotFound,
    /// No request that a sign-in makes.
    BadRequest,
    /// Something here is broken; the terminal says what.
    Fault,
}

impl Landing {
    fn of(pasted: Result<Answered, PasteError>) -> Self {
        match pasted {
            Ok(answered) => Self::Spent(answered),
            Err(PasteError::Answer(error)) => Self::Bad(error),
            Err(PasteError::InUse) => Self::InUse,
            Err(PasteError::NotSent(_) | PasteError::Closing) => Self::NotSent,
            Err(PasteError::Unknown | PasteError::Over(_)) => Self::Over,
            Err(
                PasteError::NotYours | PasteError::NotByPaste | PasteError::NoProvider | PasteError::Store(_),
            ) => Self::Fault,
        }
    }

    /// The status it is sent with (RFC 9110 section 15).
    fn status(&self) -> StatusCode {
        match self {
            Self::Spent(_) => StatusCode::OK,
            Self::Bad(_) | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Foreign(_) => StatusCode::FORBIDDEN,
            Self::InUse => StatusCode::CONFLICT,
            Self::NotSent => StatusCode::SERVICE_UNAVAILABLE,
            Self::Over => StatusCode::GONE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// What the program adds: a whole page in HTML of what is to be said, of what the browser prefers to read (RFC 9110
/// section 12.5.4), and of what the page's style must carry to be in force.
pub type Words = dyn Fn(&Landing, Option<&str>, &str) -> String + Send + Sync;

/// An address of this host that is ours, and that nobody is answered at yet.
#[derive(Debug)]
pub struct Loopback {
    listeners: Vec<TcpListener>,
    redirect_uri: String,
    authority: String,
    path: String,
}

impl Loopback {
    /// Takes the address of `redirect_uri`, or any free port where it names port 0.
    ///
    /// # Errors
    /// When it is not of this host, or cannot be had.
    pub async fn bind(redirect_uri: &str) -> Result<Self, LoopbackError> {
        let not_here = || LoopbackError::NotHere(redirect_uri.chars().take(200).collect());
        let mut url = Url::parse(redirect_uri).map_err(|_| not_here())?;
        if !is_answerable_here(&url) {
            return Err(not_here());
        }
        if !peer::is_told() {
            return Err(LoopbackError::Untold);
        }
        let port = url.port_or_known_default().unwrap_or(80);
        let (first, is_name) = match url.host() {
            Some(Host::Ipv4(address)) => (address.into(), false),
            Some(Host::Ipv6(address)) => (address.into(), false),
            _ => (Ipv4Addr::LOCALHOST.into(), true),
        };
        let listener = take(SocketAddr::new(first, port)).await?;
        let taken = listener.local_addr().map_or(port, |address| address.port());
        let mut listeners = vec![listener];
        if is_name {
            // A browser may try either first. One that belongs to somebody else would be given the answer there.
            match take((Ipv6Addr::LOCALHOST, taken).into()).await {
                Ok(listener) => listeners.push(listener),
                Err(error @ LoopbackError::InUse(_)) => return Err(error),
                Err(error) => tracing::debug!(%error, "no second address to be answered at"),
            }
        }
        // What stands is the redirect URI to the letter; only a port that was left open is filled in.
        let written = if url.port() == Some(0) {
            url.set_port(Some(taken)).map_err(|()| not_here())?;
            url.to_string()
        } else {
            redirect_uri.to_owned()
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        let authority = if taken == 80 { host } else { format!("{host}:{taken}") };
        Ok(Self { listeners, redirect_uri: written, authority, path: url.path().to_owned() })
    }

    /// The redirect URI that is answered here.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Has the login `id` of `user` answered here until `closing`; then lets what is under way finish, and ends.
    pub async fn serve(
        self,
        logins: Logins,
        user: User,
        id: LoginId,
        words: Arc<Words>,
        closing: CancellationToken,
    ) {
        let Self { listeners, redirect_uri, authority, path } = self;
        let uid = rustix::process::geteuid().as_raw();
        let desk = Arc::new(Desk { logins, user, id, uid, redirect_uri, authority, path, words });
        let served = listeners.into_iter().map(|listener| {
            let routes = Router::new().fallback(answer).with_state(Arc::clone(&desk));
            listen::serve(routes, listener, CONNECTIONS, Leave::Now, closing.clone())
        });
        let mut all = tokio::task::JoinSet::new();
        served.for_each(|one| drop(all.spawn(one)));
        while all.join_next().await.is_some() {}
    }
}

async fn take(address: SocketAddr) -> Result<TcpListener, LoopbackError> {
    let port = address.port();
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => LoopbackError::InUse(port),
        _ => LoopbackError::Other { port, reason: error.to_string() },
    })
}

/// What a request is judged by.
struct Desk {
    logins: Logins,
    user: User,
    id: LoginId,
    /// Ours.
    uid: u32,
    redirect_uri: String,
    authority: String,
    path: String,
    words: Arc<Words>,
}

impl Desk {
    async fn judge(&self, request: &Parts) -> Landing {
        let mut hosts = request.headers.get_all(HOST).into_iter();
        let named = hosts.next().and_then(|value| value.to_str().ok());
        // A page elsewhere whose name leads here would send its own name (DNS rebinding).
        let is_ours =
            named.is_some_and(|host| host.eq_ignore_ascii_case(&self.authority)) && hosts.next().is_none();
        let uri = &request.uri;
        if !is_ours || uri.authority().is_some() || request.method != Method::GET {
            return Landing::BadRequest;
        }
        let Some(query) = uri.query().filter(|_| uri.path() == self.path) else {
            return if uri.path() == self.path {
                Landing::Bad(AnswerError::Incomplete)
            } else {
                Landing::NotFound
            };
        };
        if query.len() > QUERY_CAP {
            return Landing::BadRequest;
        }
        let from = request.extensions.get().copied().and_then(peer::owner);
        if !peer::may_answer(from, self.uid) {
            return Landing::Foreign(from);
        }
        let address = format!("{}?{query}", self.redirect_uri);
        Landing::of(self.logins.paste(&self.user, &self.id, &address).await)
    }
}

async fn answer(State(desk): State<Arc<Desk>>, request: Request) -> Response<Body> {
    let (request, _) = request.into_parts();
    let language =
        request.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok().map(str::to_owned));
    let judge = Arc::clone(&desk);
    // A task of its own: a browser that leaves this moment must not leave a claimed answer behind that nobody spends.
    let judged = tokio::spawn(async move { judge.judge(&request).await });
    let landing = judged.await.unwrap_or(Landing::Fault);
    let nonce = random_id();
    headers::page(landing.status(), (desk.words)(&landing, language.as_deref(), &nonce), &nonce)
}

#[cfg(test)]
mod tests;
