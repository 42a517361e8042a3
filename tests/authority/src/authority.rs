//! The handle of the scripted server: starting it, its addresses, and what a test tells it to do.
//!
//! The server has threads and a clock of its own. A test may block its thread, pause its clock or be no async
//! code at all; the server goes on. It ends with its last handle.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

use crate::codex::{CALLBACK, CODEX_CLIENT};
use crate::copilot::COPILOT_CLIENT;
use crate::fault::Fault;
use crate::hold::{Gate, Moment};
use crate::ledger::{End, Issued, millis};
use crate::person::{CLIENT, Client, Person, REDIRECT};
use crate::server::{Core, run};
use crate::settings::{Revocation, Settings};
use crate::state::State;
use crate::token_reply::{Occasion, id_token};
use crate::{Canned, Endpoint};

/// A running authorization server. Clones are handles of the same server.
#[derive(Clone, Debug)]
pub struct Authority {
    pub(crate) core: Arc<Core>,
    life: Arc<Life>,
}

/// Ends the server when the last handle goes.
#[derive(Debug)]
struct Life {
    address: SocketAddr,
    runtime: Option<Runtime>,
    serving: Mutex<Option<AbortHandle>>,
}

impl Life {
    fn new(address: &str) -> io::Result<(Self, TcpListener)> {
        let address = address.parse().map_err(io::Error::other)?;
        let runtime =
            Builder::new_multi_thread().worker_threads(2).thread_name("authority").enable_all().build()?;
        let listener = listen(&runtime, address)?;
        let address = listener.local_addr()?;
        Ok((Self { address, runtime: Some(runtime), serving: Mutex::new(None) }, listener))
    }

    fn serve(&self, listener: TcpListener, core: &Arc<Core>) {
        if let Some(runtime) = &self.runtime {
            let task = runtime.spawn(run(listener, Arc::clone(core)));
            *self.serving.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
        }
    }
}

/// The backlog holds every caller of a test that sends its requests all at once.
fn listen(runtime: &Runtime, address: SocketAddr) -> io::Result<TcpListener> {
    let _context = runtime.enter();
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Tokens made for a test, as if somebody had signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSet {
    /// The access token.
    pub access: String,
    /// The refresh token; empty where the settings give none.
    pub refresh: String,
    /// The identity token, where the settings give one.
    pub id_token: Option<String>,
    /// When the access token ends, in seconds since 1970.
    pub expires_at: i64,
    /// The scopes of the grant.
    pub scopes: Vec<String>,
    /// The issuer.
    pub issuer: String,
    /// The client that the tokens belong to.
    pub client_id: String,
}

impl Authority {
    /// Starts a strict server on a free loopback port. Registered: the public client `latchkey` with the redirect
    /// URI `http://127.0.0.1:8765/cb` (any port) and the hosted code page, and codex's client.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(Settings::default())
    }

    /// Starts a server with these settings.
    #[must_use]
    pub fn start_with(settings: Settings) -> Self {
        Self::start_at("127.0.0.1:0", settings)
    }

    /// Starts a server at a fixed address: for the demo, or to come back after a stop.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without its server has failed")]
    pub fn start_at(address: &str, settings: Settings) -> Self {
        let (life, listener) = Life::new(address).expect("listen on the address of the authority");
        let core = Arc::new(Core::new(State::new(format!("http://{}", life.address), settings)));
        life.serve(listener, &core);
        let authority = Self { core, life: Arc::new(life) };
        let own = [REDIRECT, "http://127.0.0.1/callback", &authority.url("/code")];
        authority.register(Client::public(CLIENT, &own).with_any_loopback_port());
        let codex = ["http://localhost:1455/auth/callback", &authority.url(CALLBACK)];
        authority.register(Client::public(CODEX_CLIENT, &codex));
        authority.register(Client::public(COPILOT_CLIENT, &[]));
        authority
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.life.address
    }

    /// The issuer, as the metadata states it.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.core.lock().issuer()
    }

    /// The address of a path below the issuer.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.core.lock().url(path)
    }

    /// The authorization endpoint.
    #[must_use]
    pub fn authorization_endpoint(&self) -> String {
        self.url("/authorize")
    }

    /// The token endpoint.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        self.url("/token")
    }

    /// The device authorization endpoint.
    #[must_use]
    pub fn device_authorization_endpoint(&self) -> String {
        self.url("/device_authorization")
    }

    /// The revocation endpoint.
    #[must_use]
    pub fn revocation_endpoint(&self) -> String {
        self.url("/revoke")
    }

    /// The protected resource: 200 for a good access token, else 401.
    #[must_use]
    pub fn api_url(&self) -> String {
        self.url("/api")
    }

    /// The start of the user-code grant.
    #[must_use]
    pub fn user_code_url(&self) -> String {
        self.url("/oauth/code")
    }

    /// The start of codex's device protocol.
    #[must_use]
    pub fn codex_start_url(&self) -> String {
        self.url("/api/accounts/deviceauth/usercode")
    }

    /// The poll of codex's device protocol.
    #[must_use]
    pub fn codex_poll_url(&self) -> String {
        self.url("/api/accounts/deviceauth/token")
    }

    /// The redirect URI that the exchange of codex's device protocol names.
    #[must_use]
    pub fn codex_callback(&self) -> String {
        self.url(CALLBACK)
    }

    /// Stops listening: connections are refused from now on. What the server knows stays.
    pub fn go_down(&self) {
        let serving = self.life.serving.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(serving) = serving {
            serving.abort();
        }
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(self.life.address).is_ok() {
            assert!(Instant::now() < end, "the authority still listens");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Listens again, at the same address, after [`Authority::go_down`].
    #[expect(clippy::expect_used, reason = "a test without its server has failed")]
    pub fn come_back(&self) {
        if let Some(runtime) = &self.life.runtime {
            let listener = listen(runtime, self.life.address).expect("listen at the old address");
            self.life.serve(listener, &self.core);
        }
    }

    /// Registers a client, in place of any with the same id.
    pub fn register(&self, client: Client) {
        let mut state = self.core.lock();
        if let Some(secret) = &client.secret {
            state.secrets.note(&secret.clone());
        }
        state.clients.insert(client.id.clone(), client);
    }

    /// Changes settings; requests decided later see them.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.core.lock().settings);
    }

    /// The settings now.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.core.lock().settings.clone()
    }

    /// Time spent before each request to an endpoint is acted on.
    pub fn latency(&self, endpoint: Endpoint, time: Duration) {
        self.core.lock().settings.latency.insert(endpoint, time);
    }

    /// Time spent after each request was acted on, before its reply leaves.
    pub fn reply_latency(&self, endpoint: Endpoint, time: Duration) {
        self.core.lock().settings.reply_latency.insert(endpoint, time);
    }

    /// The next `times` requests to an endpoint meet this fault. Faults queue up behind one another.
    pub fn fail_next(&self, endpoint: Endpoint, times: usize, fault: &Fault) {
        self.core.lock().faults.push(endpoint, times, fault);
    }

    /// The next `times` requests to an endpoint get this reply and change nothing.
    pub fn answer_next(&self, endpoint: Endpoint, times: usize, canned: Canned) {
        self.fail_next(endpoint, times, &Fault::Reply(canned));
    }

    /// Forgets the faults that are still queued.
    pub fn clear_faults(&self) {
        self.core.lock().faults.clear();
    }

    /// Holds requests to an endpoint before they are acted on, until the gate is released or dropped.
    #[must_use]
    pub fn hold(&self, endpoint: Endpoint) -> Gate {
        Gate { barrier: self.core.close_gate(endpoint, Moment::Arrival) }
    }

    /// Holds the replies of an endpoint: the request has taken effect, its answer does not leave.
    #[must_use]
    pub fn hold_reply(&self, endpoint: Endpoint) -> Gate {
        Gate { barrier: self.core.close_gate(endpoint, Moment::Departure) }
    }

    /// Holds the reply to the refresh that presents this token, and no other.
    #[must_use]
    pub fn hold_reply_to(&self, refresh_token: &str) -> Gate {
        Gate { barrier: self.core.close_gate_of(refresh_token) }
    }

    /// Makes a grant and its tokens, as if `person` had signed in at this client.
    #[must_use]
    pub fn mint(&self, person: &Person, client_id: &str, scopes: &[&str]) -> TokenSet {
        let mut guard = self.core.lock();
        let state = &mut *guard;
        let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        let now = state.now();
        let grant = state.ledger.open(client_id, person, &scopes, &state.settings);
        let issued = state.ledger.issue(grant, &state.settings, &mut state.secrets, now);
        let id_token = id_token(state, &issued, Occasion::SignIn(None));
        let Issued { access, refresh, .. } = issued;
        TokenSet {
            access,
            refresh: refresh.unwrap_or_default(),
            id_token,
            expires_at: (now + millis(state.settings.access_lifetime)) / 1000,
            scopes,
            issuer: state.issuer(),
            client_id: client_id.to_owned(),
        }
    }

    /// As [`Authority::mint`], but the access token ended a minute ago.
    #[must_use]
    pub fn mint_expired(&self, person: &Person, client_id: &str, scopes: &[&str]) -> TokenSet {
        let mut set = self.mint(person, client_id, scopes);
        let mut state = self.core.lock();
        state.ledger.end_access(&set.access);
        set.expires_at = state.now() / 1000 - 60;
        set
    }

    /// Ends every access token; the refresh tokens go on serving.
    pub fn expire_access_tokens(&self) {
        self.core.lock().ledger.end_all_access();
    }

    /// Ends one access token, though the clock calls it valid.
    pub fn reject_access_token(&self, token: &str) {
        self.core.lock().ledger.end_access(token);
    }

    /// Lets the grant of a token expire: `invalid_grant` from now on.
    pub fn expire_grant(&self, token: &str) {
        self.end_grant(token, End::Expired);
    }

    /// Revokes the grant of a token, as the person could in their account settings.
    pub fn revoke_grant(&self, token: &str) {
        self.end_grant(token, End::Revoked);
    }

    /// Revokes one token, without its grant.
    pub fn revoke_token(&self, token: &str) {
        self.core.lock().ledger.revoke(token, Revocation::Token);
    }

    fn end_grant(&self, token: &str, why: End) {
        let mut state = self.core.lock();
        let grant = state.ledger.grant_of(token);
        assert!(grant.is_some(), "the authority never issued this token");
        if let Some(grant) = grant {
            state.ledger.end(grant, why);
        }
    }

    /// Waits until `holds` does, by the machine's clock even if the test's is paused. False if it did not in time.
    pub async fn eventually(&self, within: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let end = Instant::now() + within;
        loop {
            if holds(self) {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
            let pause = crate::browser::background(tokio::time::sleep(Duration::from_millis(5)));
            pause.await;
        }
    }
}
