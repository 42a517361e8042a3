//! The server that a recipe's program speaks to: it takes the tokens that the authority takes, and keeps what it saw.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use latchkey_test_authority::Authority;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring, version};
use tokio_rustls::server::TlsStream;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub path: String,
    /// The token, however it came.
    pub token: Option<String>,
    /// How it came.
    pub ways: Vec<&'static str>,
    pub status: u16,
}

/// What is at a path: its content type and its bytes.
pub type Answers = Arc<dyn Fn(&str) -> Option<(&'static str, Vec<u8>)> + Send + Sync>;
type Hook = Box<dyn Fn() + Send + Sync>;

struct Inner {
    authority: Authority,
    answers: Answers,
    seen: Mutex<Vec<Seen>>,
    after_401: Mutex<Option<Hook>>,
}

/// Ends with its test.
pub struct Api {
    inner: Arc<Inner>,
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Api {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Api {
    pub async fn start(authority: &Authority, answers: Answers) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::serve(authority, answers, listener, address)
    }

    /// The same over TLS, and the certificate of the authority to trust, in PEM.
    pub async fn secure(authority: &Authority, answers: Answers) -> (Self, String) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (trusted, config) = certificates();
        let secured = Secured { listener, acceptor: TlsAcceptor::from(Arc::new(config)) };
        (Self::serve(authority, answers, secured, address), trusted)
    }

    fn serve<L>(authority: &Authority, answers: Answers, listener: L, address: SocketAddr) -> Self
    where
        L: Listener<Addr = SocketAddr>,
    {
        let inner = Arc::new(Inner {
            authority: authority.clone(),
            answers,
            seen: Mutex::default(),
            after_401: Mutex::default(),
        });
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { inner, address, task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Before the first 401 goes out, this is done.
    pub fn before_401(&self, hook: impl Fn() + Send + Sync + 'static) {
        *self.inner.after_401.lock().unwrap() = Some(Box::new(hook));
    }

    /// The requests so far, each once.
    pub fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }

    /// The tokens of requests whose path has `part` in it, with the answer's status.
    pub fn tokens(&self, part: &str) -> Vec<(Option<String>, u16)> {
        let all = self.seen().into_iter().filter(|seen| seen.path.contains(part));
        all.map(|seen| (seen.token, seen.status)).collect()
    }
}

/// Each way in which a token can come, and the token.
fn tokens(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mut found = Vec::new();
    if let Some(token) = of("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
        found.push(("bearer", token.to_owned()));
    }
    if let Some(pair) = of("authorization").and_then(|value| value.strip_prefix("Basic ")) {
        let pair = String::from_utf8(STANDARD.decode(pair).unwrap()).unwrap();
        let (name, password) = pair.split_once(':').unwrap();
        found.push((if name == "oauth2" { "basic, oauth2" } else { "basic" }, password.to_owned()));
    }
    found.extend(of("x-api-key").map(|token| ("x-api-key", token.to_owned())));
    found
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let found = tokens(request.headers());
    let path = request.uri().path().to_owned();
    let token = found.first().map(|(_, token)| token.clone());
    assert!(found.iter().all(|(_, other)| Some(other) == token.as_ref()), "one request, one token");
    let accepted = token.as_ref().is_some_and(|token| inner.authority.accepts(token));
    let response = if accepted {
        match (inner.answers)(&path) {
            Some((kind, body)) => ([(header::CONTENT_TYPE, kind)], body).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    } else {
        if let Some(hook) = token.as_ref().and_then(|_| inner.after_401.lock().unwrap().take()) {
            tokio::task::block_in_place(hook);
        }
        let error =
            r#"{"type":"error","error":{"type":"authentication_error","message":"the token was rejected"}}"#;
        let headers =
            [(header::CONTENT_TYPE, "application/json"), (header::WWW_AUTHENTICATE, "Basic realm=\"acme\"")];
        (StatusCode::UNAUTHORIZED, headers, error).into_response()
    };
    let ways = found.into_iter().map(|(way, _)| way).collect();
    inner.seen.lock().unwrap().push(Seen { path, token, ways, status: response.status().as_u16() });
    response
}

/// Connections after their handshake.
struct Secured {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // A connection that comes to nothing is its caller's matter.
            let Ok((stream, peer)) = self.listener.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A new authority's certificate, and what a server of this host needs.
fn certificates() -> (String, ServerConfig) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let trusted = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let named = CertificateParams::new(vec![Ipv4Addr::LOCALHOST.to_string()]).unwrap();
    let certificate = named.signed_by(&key, &issuer).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    (trusted, config)
}

/// Server-sent events.
pub fn events(events: &[serde_json::Value]) -> Vec<u8> {
    let lines =
        events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()));
    lines.collect::<String>().into_bytes()
}
