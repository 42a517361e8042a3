//! What comes to the listener of a sign-in, over real sockets.

use std::time::Duration;

use latchkey_test_authority::Person;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::login::StartRequest;
use crate::oauth;
use crate::pending::{LoginKind, LoginStatus, PendingLogin};
use crate::store::Store;
use crate::testing::{Host as World, key};

const LONG: Duration = Duration::from_secs(30);

struct Listening {
    world: World,
    logins: Logins,
    login: PendingLogin,
    at: String,
    closing: CancellationToken,
    server: JoinHandle<()>,
}

/// What was decided, instead of words.
fn plain(landing: &Landing, language: Option<&str>, _: &str) -> String {
    format!("{landing:?} for {language:?}")
}

impl Listening {
    async fn new(redirect_uri: &str) -> Self {
        let world = World::new();
        world.authority.set(|settings| settings.any_client = true);
        let broker = crate::broker::Broker::new(
            world.store(),
            world.catalog.clone(),
            oauth::Client::new(),
            world.clock.clone(),
            crate::config::Limits::default(),
        );
        let loopback = Loopback::bind(redirect_uri).await.unwrap();
        let logins = broker.logins().clone();
        let request = StartRequest {
            user: User::Local(1),
            tenant: key("acme"),
            kind: Some(LoginKind::Paste),
            watcher: None,
            bind: None,
            by_admin: true,
            locale: None,
            redirect_uri: Some(loopback.redirect_uri().to_owned()),
        };
        let login = logins.start(request).await.unwrap().login;
        assert_eq!(login.redirect_uri.as_deref(), Some(loopback.redirect_uri()));
        let (at, closing) = (loopback.authority.clone(), CancellationToken::new());
        let serving = loopback.serve(
            logins.clone(),
            User::Local(1),
            login.id.clone(),
            Arc::new(plain),
            closing.clone(),
        );
        Self { world, logins, login, at, closing, server: tokio::spawn(serving) }
    }

    async fn answer(&self) -> String {
        let link = self.login.authorize_url.as_ref().unwrap().expose();
        let back = self.world.authority.sign_in(link, &Person::ada()).await;
        back.strip_prefix(&format!("http://{}", self.at)).expect("the redirect URI").to_owned()
    }

    /// Sends `request` as it is; the status and the body that came, or nothing.
    async fn send(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.at.replace("localhost", "127.0.0.1")).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = Vec::new();
        // Whoever is refused early may be cut off while still sending.
        let _ = timeout(LONG, stream.read_to_end(&mut reply)).await.expect("an end");
        let reply = String::from_utf8(reply).unwrap();
        let status = reply.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, reply.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.at)).await
    }

    fn status(&self) -> LoginStatus {
        self.world.store().snapshot().unwrap().login_by_id(&self.login.id).unwrap().status
    }
}

/// RFC 8252 sections 7.3, 8.3; T2, T3, T6, C11: what is no answer of this login is refused, spends nothing, and the wait goes on; the
/// right one is spent once.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_spends_nothing_and_the_wait_goes_on() {
    let here = Listening::new("http://127.0.0.1:0/cb").await;
    assert!(here.at.starts_with("127.0.0.1:") && here.at != "127.0.0.1:0", "{}", here.at);
    let answer = here.answer().await;
    let wrong = answer.replace("state=", "state=x");
    let (_, query) = answer.split_once('?').unwrap();
    let (at, port) = (&here.at, here.at.split(':').nth(1).unwrap());
    for (what, request, status) in [
        ("another state", format!("GET {wrong} HTTP/1.1\r\nhost: {at}\r\n\r\n"), 400),
        ("no state", format!("GET /cb?code=c HTTP/1.1\r\nhost: {at}\r\n\r\n"), 400),
        (
            "a refusal of nobody's",
            format!("GET /cb?error=access_denied&state=x HTTP/1.1\r\nhost: {at}\r\n\r\n"),
            400,
        ),
        ("twice", format!("GET {answer}&code=c HTTP/1.1\r\nhost: {at}\r\n\r\n"), 400),
        ("no query", format!("GET /cb HTTP/1.1\r\nhost: {at}\r\n\r\n"), 400),
        ("another path", format!("GET /cb/x?{query} HTTP/1.1\r\nhost: {at}\r\n\r\n"), 404),
        ("an icon", format!("GET /favicon.ico HTTP/1.1\r\nhost: {at}\r\n\r\n"), 404),
        ("another host", format!("GET {answer} HTTP/1.1\r\nhost: evil.example:{port}\r\n\r\n"), 400),
        (
            "another name of this host",
            format!("GET {answer} HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n"),
            400,
        ),
        ("no host", format!("GET {answer} HTTP/1.0\r\n\r\n"), 400),
        ("two hosts", format!("GET {answer} HTTP/1.1\r\nhost: {at}\r\nhost: {at}\r\n\r\n"), 400),
        ("a form", format!("POST {answer} HTTP/1.1\r\nhost: {at}\r\ncontent-length: 0\r\n\r\n"), 400),
        ("too long", format!("GET {answer}&x={} HTTP/1.1\r\nhost: {at}\r\n\r\n", "y".repeat(5_000)), 400),
        ("garbage", "\0\u{1}\u{2}garbage\r\n\r\n".to_owned(), 400),
        ("an endless head", format!("GET /cb HTTP/1.1\r\nx: {}", "y".repeat(100_000)), 431),
    ] {
        let (found, body) = here.send(&request).await;
        // A peer that goes on sending may be cut off before it reads.
        assert!(found == status || (status == 431 && found == 0), "{what}: {found} {body}");
        assert_eq!(here.status(), LoginStatus::Pending, "{what}");
    }
    assert_eq!(here.world.authority.exchanges(), 0);
    let (status, body) = here.get(&answer).await;
    assert_eq!((status, body.as_str()), (200, "Spent(Succeeded) for None"));
    assert_eq!((here.status(), here.world.authority.exchanges()), (LoginStatus::Succeeded, 1));
    assert_eq!(here.get(&answer).await.0, 410, "it is used once");
    here.closing.cancel();
    timeout(LONG, here.server).await.expect("it ends").unwrap();
    assert!(TcpStream::connect(&here.at).await.is_err(), "nothing is listened on any more");
}

/// C12: the same answer at once, by browser and by paste: one exchange.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_both_ways_is_spent_once() {
    let here = Listening::new("http://127.0.0.1:0/cb").await;
    let answer = here.answer().await;
    let text = format!("http://{}{answer}", here.at);
    let pasted = here.logins.paste(&User::Local(1), &here.login.id, &text);
    let (browsed, _) = tokio::join!(here.get(&answer), pasted);
    assert!([200, 409, 410].contains(&browsed.0), "{browsed:?}");
    assert_eq!(here.world.authority.exchanges(), 1);
}

/// T7: connections that say nothing, or half of it, keep nobody out, and at the end they are closed at once.
#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_do_not_keep_the_end_waiting() {
    let here = Listening::new("http://127.0.0.1:0/cb").await;
    let mut idle = Vec::new();
    for count in 0..CONNECTIONS - 1 {
        let mut stream = TcpStream::connect(&here.at).await.unwrap();
        if count % 2 == 0 {
            stream.write_all(b"GET /cb HTTP/1.1\r\nhost: ").await.unwrap();
        }
        idle.push(stream);
    }
    let answer = here.answer().await;
    assert_eq!(here.get(&answer).await.0, 200);
    here.closing.cancel();
    timeout(Duration::from_secs(2), here.server).await.expect("it ends").unwrap();
}

/// C11: another user of this host knows the state, since it stands in the browser's command line: their answer spends nothing, not even
/// where they are gone before it is judged, and the wait goes on.
#[tokio::test(flavor = "multi_thread")]
async fn another_user_of_this_host_answers_nothing() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can be another user");
        return;
    }
    let here = Listening::new("http://localhost:0/cb").await;
    let answer = here.answer().await;
    let port = here.at.split(':').nth(1).unwrap();
    let request = format!("GET {answer} HTTP/1.1\r\nhost: {}\r\n\r\n", here.at);
    for (what, read, expected) in
        [("waits", "print(s.makefile().read())", "Foreign(Some(65534)) for None"), ("is gone", "", "")]
    {
        let script = format!(
            "import encodings.idna, os, socket\nos.setuid(65534)\ns = socket.create_connection(('localhost', {port}))\n\
             s.sendall({request:?}.encode())\n{read}"
        );
        let mut program = tokio::process::Command::new("python3");
        let output = timeout(LONG, program.arg("-c").arg(script).output()).await.unwrap().unwrap();
        let (said, failed) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{what}: {failed}");
        let is_refused = expected.is_empty() || (said.contains(" 403 ") && said.contains(expected));
        assert!(is_refused, "{what}: {said}");
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!((here.status(), here.world.authority.exchanges()), (LoginStatus::Pending, 0), "{what}");
    }
    assert_eq!(here.get(&answer).await.0, 200, "it is still the answer");
}

/// T3: where nothing but an address is shown, a code alone could be anybody's, whatever the provider's own page shows.
#[tokio::test(flavor = "multi_thread")]
async fn a_bare_code_is_none_where_the_answer_comes_to_this_host() {
    let world = World::with("paste = \"code\"\n");
    world.authority.set(|settings| settings.any_client = true);
    let logins = crate::broker::Broker::new(
        world.store(),
        world.catalog.clone(),
        oauth::Client::new(),
        world.clock.clone(),
        crate::config::Limits::default(),
    );
    let start = |tenant: &str, redirect_uri: Option<&str>| {
        logins.logins().start(StartRequest {
            user: User::Local(1),
            tenant: key(tenant),
            kind: Some(LoginKind::Paste),
            watcher: None,
            bind: None,
            by_admin: true,
            locale: None,
            redirect_uri: redirect_uri.map(str::to_owned),
        })
    };
    let here = start("acme/here", Some("http://127.0.0.1:4/cb")).await.unwrap().login;
    let pasted = logins.logins().paste(&User::Local(1), &here.id, "a-code").await;
    assert!(matches!(pasted, Err(PasteError::Answer(AnswerError::BareCode))), "{pasted:?}");
    // At the provider's own page the same is an answer, and the authority says that it is a wrong one.
    let there = start("acme/there", None).await.unwrap().login;
    let pasted = logins.logins().paste(&User::Local(1), &there.id, "a-code").await;
    assert!(matches!(pasted, Ok(Answered::Failed(_))), "{pasted:?}");
}

/// RFC 8252 section 7.3: on loopback alone, at the port that is written, and for a name at both addresses.
#[tokio::test]
async fn only_loopback_is_listened_on() {
    for uri in [
        "https://127.0.0.1/cb",
        "http://10.0.0.1:1/cb",
        "http://example.org/cb",
        "cb",
        "http://127.0.0.1:1/cb?x=y",
    ] {
        assert!(matches!(Loopback::bind(uri).await, Err(LoopbackError::NotHere(_))), "{uri}");
    }
    let one = Loopback::bind("http://localhost:0/cb").await.unwrap();
    let addresses: Vec<_> = one.listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
    assert!(addresses.iter().all(|address| address.ip().is_loopback()), "{addresses:?}");
    let port = addresses[0].port();
    assert_eq!(one.redirect_uri(), format!("http://localhost:{port}/cb"));
    let again = Loopback::bind(&format!("http://127.0.0.1:{port}/cb")).await;
    assert_eq!(again.map(|_| ()), Err(LoopbackError::InUse(port)));
    if addresses.len() == 2 {
        // Somebody else's on the second address would be given the answer by some browsers.
        drop(one);
        let other = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.unwrap();
        let again = Loopback::bind(&format!("http://localhost:{port}/cb")).await;
        assert_eq!(again.map(|_| ()), Err(LoopbackError::InUse(port)));
        drop(other);
    }
}
