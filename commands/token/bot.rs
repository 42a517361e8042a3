//! A token from the running bot, over its socket; or how things stand, for `latchkey status`.
//!
//! Owns where the socket is, what is sent, and what an answer means. Invariants: a bot that serves another store than ours is not
//! asked; what is no token is never taken for one. Must not: decide where to turn when there is no answer (`source` does).

use std::path::PathBuf;
use std::time::Duration;

use latchkey::broker::{Ask, FreshToken, Overview};
use latchkey::secret::Secret;
use latchkey::serve::socket::client::{Connection, HELLO_WAIT, SocketError};
use latchkey::serve::socket::wire::{Answer, ErrorBody, Request, TokenBody};

use crate::exit::{Code, Exit};

/// The socket.
pub const SOCKET: &str = "LATCHKEY_SOCKET";
/// The file with the bearer token for it.
pub const BEARER_FILE: &str = "LATCHKEY_SOCKET_BEARER_FILE";
/// How much longer than we would wait the bot is given to say that it took too long: its words are better than ours.
const GRACE: Duration = Duration::from_secs(1);
/// How long the bot may take to say how things stand.
const STATUS_WAIT: Duration = Duration::from_secs(10);
/// Changes that come within this are shown at once.
const CLOSE_TOGETHER: Duration = Duration::from_millis(30);
/// The longest wait that is sent: a year, which is for ever here.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// The running bot, where there is one.
#[derive(Debug, Clone)]
pub struct Bot {
    /// Its socket.
    pub path: PathBuf,
    /// The file with our bearer token.
    pub bearer_file: Option<PathBuf>,
}

/// Why the bot gave no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// It did not answer.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// It serves another store than the configuration names.
    #[error("the bot at {} serves another store than the configuration names, and was not asked", .0.display())]
    OtherStore(PathBuf),
    /// The bearer token is not to be had.
    #[error("cannot read the bearer token from {}, which {BEARER_FILE} names: {why}", .path.display())]
    Bearer {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// It answered, and with no token.
    #[error("{}", .0.message)]
    Refused(ErrorBody),
}

impl NoToken {
    /// Whether the bot has said what the store would say too: then nothing is won by looking there. What is only about the socket,
    /// the bot's own state or its configuration is not final for whoever has the store.
    pub fn is_final(&self) -> bool {
        let Self::Refused(refusal) = self else { return false };
        ["needs_login", "transient", "denied", "timed_out"].contains(&refusal.error.as_str())
    }

    /// How to end where there is nobody else to ask.
    pub fn code(&self) -> Code {
        match self {
            Self::Socket(SocketError::Refused { refusal, .. }) | Self::Refused(refusal) => {
                Code::of(refusal.exit_code)
            }
            Self::Socket(SocketError::Forbidden { .. }) => Code::Denied,
            Self::Socket(SocketError::Strange { .. }) | Self::OtherStore(_) | Self::Bearer { .. } => {
                Code::Usage
            }
            Self::Socket(_) => Code::Transient,
        }
    }
}

impl From<NoToken> for Exit {
    fn from(error: NoToken) -> Self {
        Self::new(error.code(), error)
    }
}

/// A bot that tells of changes.
pub struct Watching {
    connection: Connection,
    request: Request,
}

impl Watching {
    /// Whether something has changed, waiting at most `bound` for it. What comes close together is one change.
    pub fn has_news(&mut self, bound: Duration) -> Result<bool, NoToken> {
        let mut has_news = false;
        let mut wait = bound;
        while let Some(answer) = self.connection.next(&self.request, wait)? {
            if let Answer::Error(refusal) = answer {
                return Err(NoToken::Refused(refusal));
            }
            has_news = true;
            wait = CLOSE_TOGETHER;
        }
        Ok(has_news)
    }
}

impl Bot {
    /// Asks for a token, waiting at most `left`; `store_id` is that of our own store, if we have one.
    pub fn ask(&self, ask: &Ask, left: Duration, store_id: Option<&str>) -> Result<FreshToken, NoToken> {
        let request = self.request(ask, left.min(LONGEST))?;
        let connection = Connection::open(&self.path, HELLO_WAIT.min(left))?;
        if let (Some(ours), Some(theirs)) = (store_id, connection.store_id())
            && ours != theirs
        {
            return Err(NoToken::OtherStore(self.path.clone()));
        }
        match connection.ask(&request, left.min(LONGEST) + GRACE)? {
            Answer::Token(body) => self.token(body),
            Answer::Error(refusal) => Err(NoToken::Refused(refusal)),
            Answer::Status { .. } | Answer::Event { .. } => Err(self.strange("it answered something else")),
        }
    }

    /// How everything stands that this caller may know of.
    pub fn overview(&self) -> Result<Overview, NoToken> {
        let request = self.plain("status")?;
        match Connection::open(&self.path, HELLO_WAIT)?.ask(&request, STATUS_WAIT)? {
            Answer::Status { status } => Ok(status),
            Answer::Error(refusal) => Err(NoToken::Refused(refusal)),
            Answer::Token(_) | Answer::Event { .. } => Err(self.strange("it answered something else")),
        }
    }

    /// Hears of changes from now on.
    pub fn watch(&self) -> Result<Watching, NoToken> {
        let request = self.plain("watch")?;
        let mut connection = Connection::open(&self.path, HELLO_WAIT)?;
        connection.begin(&request, STATUS_WAIT)?;
        Ok(Watching { connection, request })
    }

    fn plain(&self, op: &str) -> Result<Request, NoToken> {
        Ok(Request { id: Some(1.into()), op: op.to_owned(), bearer: self.bearer()?, ..Request::default() })
    }

    fn bearer(&self) -> Result<Option<String>, NoToken> {
        let bearer = self.bearer_file.as_ref().map(|path| {
            let read = std::fs::read_to_string(path).map(|text| text.trim().to_owned());
            read.map_err(|error| NoToken::Bearer { path: path.clone(), why: error.to_string() })
        });
        bearer.transpose()
    }

    fn request(&self, ask: &Ask, left: Duration) -> Result<Request, NoToken> {
        Ok(Request {
            id: Some(1.into()),
            op: "token".to_owned(),
            bearer: self.bearer()?,
            tenant: Some(ask.target.clone()),
            user: ask.user.as_ref().map(ToString::to_string),
            thread: ask.thread.as_ref().map(ToString::to_string),
            parent: ask.parent.as_ref().map(ToString::to_string),
            min_valid: u64::try_from(ask.want.min_valid).ok(),
            rejected_sha256: ask.want.rejected.as_ref().map(ToString::to_string),
            wait: Some(ask.wait),
            settled: None,
            timeout: Some(left.as_secs_f64()),
        })
    }

    fn token(&self, body: TokenBody) -> Result<FreshToken, NoToken> {
        if body.access_token.is_empty() || body.access_token.chars().any(char::is_control) {
            return Err(self.strange("what it gave is no access token"));
        }
        Ok(FreshToken {
            tenant: body.tenant.parse().map_err(|_| self.strange("it named no tenant"))?,
            access_token: Secret::new(body.access_token),
            token_type: body.token_type,
            expires_at: body.expires_at,
            scopes: body.scopes,
            generation: body.generation,
            extra: body.extra,
            // The bot notes it.
            unnoted: false,
        })
    }

    fn strange(&self, why: &str) -> NoToken {
        SocketError::Strange { path: self.path.clone(), why: why.to_owned() }.into()
    }
}
