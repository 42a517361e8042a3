//! A door before a server that is not ours: what comes by is passed on, and what was asked and answered is written down.
//!
//! What must hold: both sides are on loopback; the server behind sees the address that its clients see; a request that
//! has arrived is passed on and answered once, and counted once. Must not: change what is said.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio::net::TcpListener;
use url::form_urlencoded::parse;

use crate::browser::in_background;
use crate::secrets::Secrets;

/// A page of these servers has a few kilobytes.
const BODY_CAP: usize = 4 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);
/// Names of what no log may contain, in requests and replies alike.
const SECRET: &[&str] = &[
    "code",
    "code_verifier",
    "device_code",
    "token",
    "refresh_token",
    "access_token",
    "id_token",
    "client_secret",
];

/// A request that a client sent without a browser: one to the token endpoint, say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Its path.
    pub path: String,
    /// The parameters of its body, in order.
    pub form: Vec<(String, String)>,
    /// Whether it had an `Authorization` header.
    pub authenticated: bool,
    /// The status of the answer; none while there is none.
    pub status: Option<u16>,
    /// The error code of the answer.
    pub error: Option<String>,
}

impl Passed {
    /// A parameter of its body.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether it asks for tokens by this grant.
    #[must_use]
    pub fn is_grant(&self, grant: &str) -> bool {
        self.field("grant_type") == Some(grant)
    }
}

/// The door. Clones share it.
#[derive(Clone, Debug)]
pub struct Front {
    origin: String,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    behind: OnceLock<SocketAddr>,
    client: reqwest::Client,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    passed: Vec<Passed>,
    secrets: Secrets,
    latency: Duration,
}

impl Inner {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Front {
    /// Opens the door on a free port. Nothing is behind it yet.
    pub(crate) async fn open() -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| error.to_string())?;
        let inner = Arc::new(Inner { behind: OnceLock::new(), client, book: Mutex::new(Book::default()) });
        let app = Router::new().fallback(pass).with_state(Arc::clone(&inner));
        let opened = crate::browser::background(async move {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let address = listener.local_addr()?;
            in_background(async move {
                // It serves until the tests end.
                let _ = axum::serve(listener, app).await;
            });
            Ok::<_, std::io::Error>(address)
        });
        let address = opened.await.map_err(|error| format!("no port for the door: {error}"))?;
        Ok(Self { origin: format!("http://{address}"), inner })
    }

    pub(crate) fn lead_to(&self, behind: SocketAddr) {
        // The first one stays: a server is started once.
        let _ = self.inner.behind.set(behind);
    }

    /// Where clients find the server: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Every form that came without a browser's cookie, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Passed> {
        self.inner.book().passed.clone()
    }

    /// Those that ask for tokens by this grant.
    #[must_use]
    pub fn grants(&self, grant: &str) -> Vec<Passed> {
        self.requests().into_iter().filter(|request| request.is_grant(grant)).collect()
    }

    /// The statuses with which refreshes were answered.
    #[must_use]
    pub fn refreshes(&self) -> Vec<Option<u16>> {
        self.grants("refresh_token").iter().map(|request| request.status).collect()
    }

    /// The statuses with which revocations were answered.
    #[must_use]
    pub fn revocations(&self) -> Vec<Option<u16>> {
        let asks =
            |request: &Passed| request.field("token").is_some() && request.field("grant_type").is_none();
        self.requests().iter().filter(|request| asks(request)).map(|request| request.status).collect()
    }

    /// Time spent before each request for tokens is passed on.
    pub fn latency(&self, time: Duration) {
        self.inner.book().latency = time;
    }

    /// Every code, token and verifier that went through: what no log may contain.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.inner.book().secrets.all()
    }
}

async fn pass(Shared(inner): Shared<Arc<Inner>>, request: Request) -> Response {
    // On a task of its own: a client that leaves does not take its request back.
    let passed = tokio::spawn(async move { pass_on(&inner, request).await }).await;
    let passed = passed.unwrap_or_else(|panicked| Err(panicked.to_string()));
    passed.unwrap_or_else(|why| {
        let mut failed = Response::new(Body::from(format!("the door could not pass this on: {why}")));
        *failed.status_mut() = StatusCode::BAD_GATEWAY;
        failed
    })
}

async fn pass_on(inner: &Inner, request: Request) -> Result<Response, String> {
    let behind = inner.behind.get().ok_or("nothing is behind it yet")?;
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_CAP).await.map_err(|error| error.to_string())?;
    let is_form = head
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let place = (is_form && !head.headers.contains_key(header::COOKIE)).then(|| {
        let form: Vec<(String, String)> = parse(&body).into_owned().collect();
        let mut book = inner.book();
        for (_, value) in form.iter().filter(|(name, _)| SECRET.contains(&name.as_str())) {
            book.secrets.note(value);
        }
        book.passed.push(Passed {
            path: head.uri.path().to_owned(),
            authenticated: head.headers.contains_key(header::AUTHORIZATION),
            form,
            status: None,
            error: None,
        });
        book.passed.len() - 1
    });
    if place.is_some() {
        let latency = inner.book().latency;
        tokio::time::sleep(latency).await;
    }
    let rest = head.uri.path_and_query().map_or("/", |rest| rest.as_str());
    let answer = inner
        .client
        .request(head.method, format!("http://{behind}{rest}"))
        .headers(end_to_end(&head.headers))
        .body(body)
        .send()
        .await
        .map_err(|error| format!("{error:?}"))?;
    let (status, headers) = (answer.status(), end_to_end(answer.headers()));
    let body = answer.bytes().await.map_err(|error| format!("{error:?}"))?;
    if let Some(place) = place {
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut book = inner.book();
        for secret in SECRET.iter().filter_map(|name| said[*name].as_str()) {
            book.secrets.note(secret);
        }
        book.passed[place].status = Some(status.as_u16());
        book.passed[place].error = said["error"].as_str().map(str::to_owned);
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// Without those headers that belong to one connection (RFC 9110 section 7.6.1), and to the form of one message.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::UPGRADE] {
        kept.remove(name);
    }
    kept
}

/// Whether a protected resource accepts an access token.
pub(crate) async fn accepts(resource: &str, token: &str) -> bool {
    let (resource, token) = (resource.to_owned(), token.to_owned());
    let asked = crate::browser::background(async move {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        client.get(resource).bearer_auth(token).send().await
    });
    match asked.await {
        Ok(answer) => answer.status().is_success(),
        Err(error) => panic!("the protected resource does not answer: {error}"),
    }
}
