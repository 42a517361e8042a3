//! How the program ends: exit codes and the one line that says why.
//!
//! Owns the codes, which are a contract. Must not: hold a secret; messages are the library's error texts.

use latchkey::broker::{AskError, ResolveError};
use latchkey::gate::{Class, TokenError};
use latchkey::store::StoreError;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// A bug of ours.
    Internal = 1,
    /// Usage, configuration, or an unknown tenant.
    Usage = 2,
    /// Somebody must sign in.
    NeedsLogin = 3,
    /// Trying again may help.
    Transient = 4,
    /// The provider says no.
    Denied = 5,
    /// The store cannot be used.
    Store = 6,
    /// The terminal was closed: 128 and the signal's number, as shells have it.
    HungUp = 129,
    /// Ctrl-C.
    Interrupted = 130,
    /// The system, or somebody, asked for an end.
    Terminated = 143,
}

impl Code {
    /// The code of this number; one that is none of ours, or no failure, is a bug of somebody's.
    pub fn of(number: u8) -> Self {
        let all = [Self::Usage, Self::NeedsLogin, Self::Transient, Self::Denied, Self::Store];
        all.into_iter().find(|code| *code as u8 == number).unwrap_or(Self::Internal)
    }
}

/// An end that is no success.
#[derive(Debug)]
pub struct Exit {
    /// The exit code.
    pub code: Code,
    /// What to say on standard error; `None` where it was said already.
    pub message: Option<String>,
}

impl Exit {
    /// An end with something to say.
    pub fn new(code: Code, message: impl std::fmt::Display) -> Self {
        Self { code, message: Some(message.to_string()) }
    }

    /// An end whose reason was printed already.
    pub fn silent(code: Code) -> Self {
        Self { code, message: None }
    }
}

/// The code for a class of token errors.
pub fn code_of(class: Class) -> Code {
    match class {
        Class::Transient => Code::Transient,
        Class::NeedsLogin => Code::NeedsLogin,
        Class::Denied => Code::Denied,
        Class::Operator => Code::Usage,
        Class::Store => Code::Store,
        Class::Bug => Code::Internal,
    }
}

impl From<TokenError> for Exit {
    fn from(error: TokenError) -> Self {
        Self::new(code_of(error.class()), error)
    }
}

impl From<StoreError> for Exit {
    fn from(error: StoreError) -> Self {
        Self::new(if error.is_passing() { Code::Transient } else { Code::Store }, error)
    }
}

impl From<AskError> for Exit {
    fn from(error: AskError) -> Self {
        Self::new(code_of(error.class()), error)
    }
}

impl From<ResolveError> for Exit {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Store(error) => error.into(),
            ResolveError::NoneHere { .. } => Self::new(Code::NeedsLogin, error),
            ResolveError::Name(_) | ResolveError::UnknownProvider { .. } => Self::new(Code::Usage, error),
        }
    }
}
