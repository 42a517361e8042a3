//! Speaking to authorization servers.
//!
//! Owns every request that carries a code, a verifier, a token or a client secret, and the reading of every answer.
//! Invariants: one call makes at most one request (no retries, no redirects, a fresh connection, a bound on time and
//! size); what comes back is typed by what it means for the credential; no text that leaves here holds a secret.
//! Must not: know the store, sleep, loop, or decide what happens next (`gate` and `login` do).

pub mod account;
pub mod answer;
pub mod authorize;
pub mod device;
pub mod discovery;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod guard;
pub mod http;
mod mask;
pub mod protected_resource;
pub mod refusal;
pub mod registration;
mod reply;
mod request;
pub mod revoke;
pub mod token;

pub use account::{account_of, issuer_of, life_of, vendor_account_of};
pub use answer::{AnswerError, Expected};
pub use authorize::{AuthorizeError, AuthorizeRequest, authorize};
pub use device::{DeviceOutcome, DevicePoll, DeviceStart, StartClass, StartError};
pub use discovery::{DISCOVERY_BOUND, DiscoveryError};
#[cfg(test)]
pub(crate) use guard::Always;
pub use http::{CONNECT_BOUND, Client, EXCHANGE_BOUND, REPLY_BOUND, TransportError, UnknownCause};
pub use refusal::{DeadReason, Refusal, RefusalKind};
pub use registration::{REGISTRATION_BOUND, RegistrationError};
pub use revoke::{RevokeClass, RevokeError, Revoked, TokenHint, revoke};
pub use token::{CodeGrant, Grant, Outcome, exchange_code, refresh};
