//! One question to the token socket, from a program without a runtime.
//!
//! Owns the connection of a command: hello, one request, its answer, or its answers where it is `watch`. Invariants: every step is bounded in time, connecting
//! included, since a stopped bot leaves its callers in the queue; what the other side sends is bounded in size; a socket that does
//! not speak this protocol is shown no bearer token, and whoever cannot be the bot (`trust`) is neither asked nor believed. Must not: ask twice, or decide what to do without an answer (its caller does).

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};

use super::trust;
use super::wire::{Answer, ErrorBody, Hello, PROTOCOL, Reply, Request, VERSION};
use crate::text::is_unseen;

/// How long the hello may take. A bot that is up says it at once, so that whoever can do without one need not wait for it.
pub const HELLO_WAIT: Duration = Duration::from_secs(2);
/// The longest first line, in bytes: a hello, or a word why there is none.
const LARGEST_HELLO: usize = 64 * 1024;
/// The longest line that is read, in bytes: the status of some ten thousand tenants.
const LARGEST_LINE: usize = 8 * 1024 * 1024;
/// The longest message that is shown, in characters: names of a hundred tenants find room.
const LONGEST_MESSAGE: usize = 8_000;
/// The least that a wait in the kernel may be set to: none at all would mean for ever.
const A_MOMENT: Duration = Duration::from_millis(1);

/// Why the socket gave no answer. None of them says anything about the tenant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// Nobody listens there.
    #[error("nobody answers at {path} ({why}): is the bot running? Start it with `latchkey run`", path = .path.display())]
    NobodyThere {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// This user may not connect.
    #[error(
        "this user may not use {path} ({why}): ask the operator to open it with mode or group under [tokens], and to name \
         this user in allow there", path = .path.display()
    )]
    Forbidden {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// Somebody serves there who cannot be the bot.
    #[error("user {uid} serves {path}, and that is not the bot's user; nothing was asked there: {why}", path = .path.display())]
    Stranger {
        /// The socket.
        path: PathBuf,
        /// Who.
        uid: u32,
        /// By what the bot's user is known, with what to do.
        why: String,
    },
    /// The bot took the connection and turned the caller away.
    #[error("the bot at {path} refused: {}", .refusal.message, path = .path.display())]
    Refused {
        /// The socket.
        path: PathBuf,
        /// What it said.
        refusal: ErrorBody,
    },
    /// Something else listens there, or a version that is not understood.
    #[error("{path} is no token socket that this program understands ({why}): name another as socket under [tokens] or in LATCHKEY_SOCKET, or use the same version of Latchkey on both sides", path = .path.display())]
    Strange {
        /// The socket.
        path: PathBuf,
        /// What is odd about it.
        why: String,
    },
    /// It ended the connection without an answer.
    #[error("the bot at {path} broke off without an answer ({why}): is it still running? Try again", path = .path.display())]
    BrokenOff {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// It said nothing in time.
    #[error("the bot at {path} gave no {awaited} within {} s: is it stopped or overloaded? Try again", .waited.as_secs_f64().ceil(), path = .path.display())]
    Silent {
        /// The socket.
        path: PathBuf,
        /// What was waited for.
        awaited: &'static str,
        /// How long.
        waited: Duration,
    },
}

/// A connection that has said hello.
pub struct Connection {
    path: PathBuf,
    stream: UnixStream,
    /// What came behind the last line that was read.
    rest: Vec<u8>,
    hello: Hello,
}

impl Connection {
    /// Connects to the socket at `path` and reads its hello. By the owner of the auth file `store` the bot is known, where there
    /// is one. Waits at most `bound` in all.
    ///
    /// # Errors
    /// See [`SocketError`].
    pub fn open(path: &Path, store: Option<&Path>, bound: Duration) -> Result<Self, SocketError> {
        let wait = Wait::new("hello", bound);
        let stream = connect(path, &wait).map_err(|error| unreachable(path, &error, &wait))?;
        let uid = trust::server_of(&stream).map_err(|error| unreachable(path, &error, &wait))?;
        trust::judge(path, store, uid).map_err(|why| SocketError::Stranger {
            path: path.to_owned(),
            uid,
            why,
        })?;
        let hello = Hello { latchkey: String::new(), version: 0, store_id: None };
        let mut connection = Self { path: path.to_owned(), stream, rest: Vec::new(), hello };
        let line = connection.line(&wait, LARGEST_HELLO)?;
        connection.hello = match serde_json::from_slice::<Hello>(&line) {
            Ok(hello) if hello.latchkey == PROTOCOL && hello.version == VERSION => hello,
            Ok(hello) if hello.latchkey == PROTOCOL => {
                let why =
                    format!("it speaks version {} of the protocol, and this is {VERSION}", hello.version);
                return Err(connection.strange(why));
            }
            _ => return Err(connection.turned_away(&line)),
        };
        Ok(connection)
    }

    /// Which store is served, where one is written already.
    #[must_use]
    pub fn store_id(&self) -> Option<&str> {
        self.hello.store_id.as_deref()
    }

    /// Sends `request` and waits at most `bound` for its answer.
    ///
    /// # Errors
    /// See [`SocketError`].
    pub fn ask(mut self, request: &Request, bound: Duration) -> Result<Answer, SocketError> {
        let wait = Wait::new("answer", bound);
        self.send(request, &wait)?;
        self.answer(request, &wait)
    }

    /// Sends `request`, which has many answers: [`Connection::next`] reads them. Waits at most `bound`.
    ///
    /// # Errors
    /// See [`SocketError`].
    pub fn begin(&mut self, request: &Request, bound: Duration) -> Result<(), SocketError> {
        self.send(request, &Wait::new("answer", bound))
    }

    /// The next answer to `request`, if it comes within `bound`.
    ///
    /// # Errors
    /// See [`SocketError`].
    pub fn next(&mut self, request: &Request, bound: Duration) -> Result<Option<Answer>, SocketError> {
        match self.answer(request, &Wait::new("answer", bound)) {
            Ok(answer) => Ok(Some(answer)),
            Err(SocketError::Silent { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn send(&mut self, request: &Request, wait: &Wait) -> Result<(), SocketError> {
        let mut line = serde_json::to_vec(request).map_err(|error| self.strange(error.to_string()))?;
        line.push(b'\n');
        let sent = self.stream.set_write_timeout(Some(wait.left()));
        sent.and_then(|()| self.stream.write_all(&line)).map_err(|error| self.failed(&error, wait))
    }

    fn answer(&mut self, request: &Request, wait: &Wait) -> Result<Answer, SocketError> {
        loop {
            let line = self.line(wait, LARGEST_LINE)?;
            let reply: Reply = serde_json::from_slice(&line)
                .map_err(|_| self.strange("its answer is no answer of this protocol".to_owned()))?;
            // What carries no id is about the connection as a whole.
            if reply.id.is_none() || reply.id == request.id {
                return Ok(match reply.answer {
                    Answer::Error(refusal) => Answer::Error(readable(refusal)),
                    answer => answer,
                });
            }
        }
    }

    /// The next line, without its end.
    fn line(&mut self, wait: &Wait, most: usize) -> Result<Vec<u8>, SocketError> {
        let mut looked_at = 0;
        loop {
            let unseen = self.rest.get(looked_at..).unwrap_or_default();
            if let Some(end) = unseen.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.rest.drain(..=looked_at + end).collect();
                line.pop();
                return Ok(line);
            }
            looked_at = self.rest.len();
            if looked_at > most {
                return Err(self.strange(format!("it sent a line of more than {most} bytes")));
            }
            if wait.is_over() {
                return Err(self.silent(wait));
            }
            let mut chunk = [0; 4096];
            let read = self.stream.set_read_timeout(Some(wait.left()));
            match read.and_then(|()| self.stream.read(&mut chunk)) {
                Ok(0) => return Err(self.broken_off("the connection was closed".to_owned())),
                Ok(count) => self.rest.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(&error, wait)),
            }
        }
    }

    /// What a first line means that is no hello.
    fn turned_away(&self, line: &[u8]) -> SocketError {
        match serde_json::from_slice::<Reply>(line) {
            Ok(Reply { answer: Answer::Error(refusal), .. }) => {
                SocketError::Refused { path: self.path.clone(), refusal: readable(refusal) }
            }
            _ => self.strange("its first line is no hello".to_owned()),
        }
    }

    fn failed(&self, error: &io::Error, wait: &Wait) -> SocketError {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.silent(wait),
            _ => self.broken_off(error.to_string()),
        }
    }

    fn strange(&self, why: String) -> SocketError {
        SocketError::Strange { path: self.path.clone(), why }
    }

    fn broken_off(&self, why: String) -> SocketError {
        SocketError::BrokenOff { path: self.path.clone(), why }
    }

    fn silent(&self, wait: &Wait) -> SocketError {
        SocketError::Silent { path: self.path.clone(), awaited: wait.awaited, waited: wait.bound }
    }
}

/// The words without what could play tricks on a terminal: anybody may listen at a path.
fn readable(refusal: ErrorBody) -> ErrorBody {
    let seen = |c: char| if is_unseen(c) { ' ' } else { c };
    ErrorBody { message: refusal.message.chars().take(LONGEST_MESSAGE).map(seen).collect(), ..refusal }
}

/// A wait that is under way.
struct Wait {
    awaited: &'static str,
    since: Instant,
    bound: Duration,
}

impl Wait {
    fn new(awaited: &'static str, bound: Duration) -> Self {
        Self { awaited, since: Instant::now(), bound }
    }

    fn is_over(&self) -> bool {
        self.since.elapsed() >= self.bound
    }

    fn left(&self) -> Duration {
        self.bound.saturating_sub(self.since.elapsed()).max(A_MOMENT)
    }
}

/// Connects. The standard library would wait without bound where a stopped bot's queue is full.
fn connect(path: &Path, wait: &Wait) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(wait.left()))?;
    loop {
        match rustix::net::connect(&socket, &address) {
            Ok(()) => return Ok(UnixStream::from(socket)),
            Err(rustix::io::Errno::INTR) if !wait.is_over() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn unreachable(path: &Path, error: &io::Error, wait: &Wait) -> SocketError {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::PermissionDenied => SocketError::Forbidden { path, why: error.to_string() },
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            SocketError::Silent { path, awaited: wait.awaited, waited: wait.bound }
        }
        _ => SocketError::NobodyThere { path, why: error.to_string() },
    }
}
