//! A server that means harm: it answers with bytes of the test's choice, in HTTP or not, and with no end if so wished.
//!
//! What must hold: every connection and all that was asked is recorded, and what could be sent of an endless answer is
//! counted; nothing of it outlives the value. Speaks no protocol of its own: what it says is said by the test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What was asked, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The request's head, request line included.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Asked {
    /// The value of a field of a form-encoded body.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.body.as_bytes());
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Raw {
    /// These bytes, and the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, then the others again and again until the client has left.
    Endless(Vec<u8>, Vec<u8>),
    /// The same, with a pause before each.
    Slow(Vec<u8>, Vec<u8>, Duration),
    /// Nothing: the connection is closed.
    Close,
}

impl Raw {
    /// An HTTP answer with this status line's rest (`200 OK`), these header lines and this body.
    #[must_use]
    pub fn http(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let lines: String = headers.iter().flat_map(|line| [*line, "\r\n"]).collect();
        let head = format!("HTTP/1.1 {status}\r\n{lines}content-length: {}\r\n\r\n", body.len());
        Self::Bytes([head.as_bytes(), body].concat())
    }

    /// A JSON answer.
    #[must_use]
    pub fn json(status: &str, body: impl AsRef<[u8]>) -> Self {
        Self::http(status, &["content-type: application/json"], body)
    }

    /// A redirect.
    #[must_use]
    pub fn redirect(status: &str, location: &str) -> Self {
        Self::http(status, &[&format!("location: {location}")], "")
    }

    /// A body in chunks that never ends.
    #[must_use]
    pub fn endless_chunks(status: &str) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        Self::Endless(head.into_bytes(), format!("4000\r\n{}\r\n", " ".repeat(0x4000)).into_bytes())
    }

    /// A body that is announced as a tebibyte, and sent.
    #[must_use]
    pub fn endless_length(status: &str) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: 1099511627776\r\n\r\n{{"
        );
        Self::Endless(head.into_bytes(), vec![b' '; 0x4000])
    }

    /// A head that never ends.
    #[must_use]
    pub fn endless_head(status: &str) -> Self {
        let line = format!("x-more: {}\r\n", "y".repeat(1_000));
        Self::Endless(format!("HTTP/1.1 {status}\r\n").into_bytes(), line.into_bytes())
    }
}

type Script = Mutex<Box<dyn Fn(&Asked) -> Raw + Send>>;

/// The server. It ends with the last clone of this.
#[derive(Clone)]
pub struct Hostile(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
}

struct Shared {
    address: SocketAddr,
    script: Script,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicU64,
    sent: AtomicU64,
    is_over: AtomicBool,
}

impl Hostile {
    /// Starts a server that answers as `script` says.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without its server has failed")]
    pub fn start(script: impl Fn(&Asked) -> Raw + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let shared = Arc::new(Shared {
            address: listener.local_addr().expect("an address"),
            script: Mutex::new(Box::new(script)),
            asked: Mutex::default(),
            connections: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.is_over.load(Ordering::SeqCst) {
                    return;
                }
                serving.connections.fetch_add(1, Ordering::SeqCst);
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.serve(stream));
            }
        });
        Self(Arc::new(Inner { shared }))
    }

    /// A server that gives the same answer to all.
    #[must_use]
    pub fn always(answer: Raw) -> Self {
        Self::start(move |_| answer.clone())
    }

    /// Answers as `script` says from now on.
    pub fn answer(&self, script: impl Fn(&Asked) -> Raw + Send + 'static) {
        *lock(&self.0.shared.script) = Box::new(script);
    }

    /// Its origin, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.0.shared.address)
    }

    /// An address of it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// All that was asked.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.0.shared.asked).clone()
    }

    /// How many connections came, with or without a question.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.0.shared.connections.load(Ordering::SeqCst)
    }

    /// How many bytes of answers the clients, or the system on their behalf, have taken.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.0.shared.sent.load(Ordering::SeqCst)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener; if it has ended, that is as well.
        drop(TcpStream::connect(self.shared.address));
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        // A client that asks nothing and never leaves ends with the test.
        let bound = Some(Duration::from_mins(3));
        if stream.set_read_timeout(bound).and_then(|()| stream.set_write_timeout(bound)).is_err() {
            return;
        }
        let Some(asked) = read(&mut stream) else { return };
        lock(&self.asked).push(asked.clone());
        let answer = lock(&self.script)(&asked);
        match answer {
            Raw::Close => {}
            Raw::Bytes(bytes) => {
                self.send(&mut stream, &bytes);
            }
            Raw::Endless(head, again) => self.send_on(&mut stream, &head, &again, Duration::ZERO),
            Raw::Slow(head, again, pause) => self.send_on(&mut stream, &head, &again, pause),
        }
    }

    fn send_on(&self, stream: &mut TcpStream, head: &[u8], again: &[u8], pause: Duration) {
        let mut goes_on = self.send(stream, head);
        while goes_on && !self.is_over.load(Ordering::SeqCst) {
            std::thread::sleep(pause);
            goes_on = self.send(stream, again);
        }
    }

    fn send(&self, stream: &mut TcpStream, bytes: &[u8]) -> bool {
        let is_sent = stream.write_all(bytes).is_ok();
        if is_sent {
            self.sent.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        }
        is_sent
    }
}

/// Reads one request whole; none if it is not one.
fn read(stream: &mut TcpStream) -> Option<Asked> {
    let (mut seen, mut buffer) = (Vec::new(), [0_u8; 4096]);
    loop {
        if let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&seen[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if seen.len() >= end + 4 + length.unwrap_or(0) {
                let body = String::from_utf8_lossy(&seen[end + 4..]).into_owned();
                let mut words = head.split(' ');
                let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
                return Some(Asked { method, path, head, body });
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => seen.extend_from_slice(&buffer[..count]),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
