//! The sign-in page: what browsers reach at `[http] public_url`.
//!
//! Owns the three routes: the answer of an authorization server and its confirmation at `/callback/<provider>`, and the
//! short link `/go/<login>`. Invariants: looking at a page spends nothing, only the confirmation on it does (T15); every
//! request is bounded in size and time, and so is their number; no request and no answer is logged (Z1). Must not: have
//! words of its own ([`Reception`] has them), or know Discord.

mod handlers;
mod headers;
mod listen;
mod loopback;
pub mod ops;
mod page;
pub mod proof;
pub mod socket;
mod tickets;

use std::pin::Pin;
use std::sync::Arc;

use url::Url;

pub use self::listen::{BindError, bind};
pub use self::loopback::{Landing, Loopback, LoopbackError, Words};
pub use self::page::{ConfirmPage, Notice, Page, Trouble};
use crate::broker::Broker;
use crate::pending::PendingLogin;
use crate::tenant::User;

/// Who started a login, in words for the person in front of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starter {
    /// The name that the guild's members see.
    pub display: String,
    /// The name that is theirs alone.
    pub handle: String,
}

/// A page to be put into words.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What is to be said.
    pub page: &'a Page,
    /// The language of the one who started the login, where it is known which login is meant (BCP 47).
    pub locale: Option<&'a str>,
    /// What the browser prefers (RFC 9110 section 12.5.4).
    pub accept_language: Option<&'a str>,
    /// What its style must carry to be in force.
    pub nonce: &'a str,
}

/// What the program adds to this library: names and words.
pub trait Reception: Send + Sync + 'static {
    /// Who `user` is; `None` where nobody can say it now.
    fn starter<'a>(&'a self, user: &'a User) -> Pin<Box<dyn Future<Output = Option<Starter>> + Send + 'a>>;

    /// A login has ended here, whose watchers stood like this before. Whoever follows it is told by the workers; but at the
    /// end of the program these are gone.
    fn answered<'a>(&'a self, before: &'a PendingLogin) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    /// A whole page, in HTML.
    fn render(&self, asked: &Wanted<'_>) -> String;
}

/// What the handlers work with.
struct Site {
    broker: Broker,
    reception: Arc<dyn Reception>,
    tickets: tickets::Tickets,
    /// The path of the public address, without a slash at its end.
    prefix: String,
}

/// The sign-in page of one program. Cheap to clone.
#[derive(Clone)]
pub struct Server(Arc<Site>);

impl Server {
    /// The pages below `public_url`.
    #[must_use]
    pub fn new(broker: Broker, reception: Arc<dyn Reception>, public_url: &Url) -> Self {
        let prefix = public_url.path().trim_end_matches('/').to_owned();
        Self(Arc::new(Site { broker, reception, tickets: tickets::Tickets::default(), prefix }))
    }
}

#[cfg(test)]
mod tests;
