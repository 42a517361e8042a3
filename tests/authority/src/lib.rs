//! Authorization servers for tests and the demo.
#![expect(
    clippy::missing_panics_doc,
    reason = "a test that cannot start its server or walk a page has failed: panicking is the interface"
)]

mod authority;
mod authorize;
mod browser;
mod codex;
mod device;
mod endpoint;
mod fault;
mod form;
mod hold;
mod incoming;
mod ledger;
mod oidc;
mod pages;
mod people;
mod person;
mod readings;
mod record;
mod reply;
mod resource;
mod secrets;
mod server;
mod settings;
mod state;
mod token;
mod token_reply;

pub use authority::{Authority, TokenSet};
pub use browser::{Browser, Form, Page};
pub use codex::CODEX_CLIENT;
pub use endpoint::Endpoint;
pub use fault::{Canned, Fault};
pub use hold::Gate;
pub use oidc::{OidcEndpoint, OidcFault, OidcProvider, OidcRequest, OidcSettings};
pub use person::{Client, Person};
pub use record::{Outcome, Recorded};
pub use settings::{
    Answer, Bodies, ExpiresIn, IdToken, Interval, RefreshTokens, ReplyShape, Reuse, ReuseError, Revocation,
    Rotation, ScopeShape, Settings,
};
