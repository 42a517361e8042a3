//! Authorization servers for tests and the demo: a strict scriptable one, and real ones: npm's `oidc-provider`, Debian's
//! `glewlwyd` and `django-oauth-toolkit`.
//!
//! Both listen on loopback only, know the public client [`CLIENT`] with the redirect URI [`REDIRECT`], keep a
//! record of every request, and list every secret they saw. Both run beside the test's own runtime: a test may
//! block its thread or pause its clock.
//!
//! # Which one
//!
//! [`OidcProvider`] judges as others judge: its rules are not ours. Use it for "exactly one refresh", rotation
//! and the whole of a sign-in. [`Glewlwyd`] and [`DjangoToolkit`] have the habits of other hands: each has found what the
//! others let pass. [`Authority`] does what no conforming server does (cut replies, odd JSON, slow
//! bytes, `slow_down`, codex's device protocol) and costs a millisecond to start; it serves the demo, too.
//!
//! # The scripted server
//!
//! ```no_run
//! use std::time::Duration;
//! use latchkey_test_authority::*;
//!
//! # async fn example() {
//! let authority = Authority::start();                      // or start_with(Settings { .. }), Settings::codex()
//! authority.set(|settings| settings.reuse_error = ReuseError::Prose); // at any time; clones share it
//!
//! // People, at real pages.
//! let redirected = authority.sign_in("http://127.0.0.1:1/authorize?…", &Person::ada()).await;
//! let _error_url = authority.refuse("http://127.0.0.1:1/authorize?…").await;
//! authority.approve_device("BCDF-GHJK", &Person::ada()).await; // or the verification_uri_complete
//! authority.deny_device("BCDF-GHJK").await;
//!
//! // Tokens without people.
//! let tokens = authority.mint_expired(&Person::ada(), CLIENT, &["openid", "offline_access"]);
//!
//! // Faults: one for each request, in order.
//! authority.fail_next(Endpoint::Token, 1, &Fault::CloseAfter);  // rotated, then cut
//! authority.answer_next(Endpoint::Token, 2, Canned::html(503).with_header("retry-after", "1"));
//! authority.latency(Endpoint::Token, Duration::from_secs(1));  // before; reply_latency: after it took effect
//! let gate = authority.hold(Endpoint::Token);                   // hold_reply: after it took effect
//! authority.eventually(Duration::from_secs(5), |_| gate.waiting() == 1).await;
//! gate.release();                                               // hold_reply_to(refresh token): that one alone
//!
//! // Verdicts.
//! assert_eq!((authority.refreshes(), authority.reuses()), (1, 0));
//! assert!(authority.would_refresh(&tokens.refresh));
//! authority.assert_fresh_connections(Endpoint::Token);
//! authority.assert_no_secret_in("the log");
//! # drop(redirected);
//! # }
//! ```
//!
//! | to get | do |
//! |---|---|
//! | another client | `register(Client::confidential(id, secret, &[redirect]))`, or `any_client = true` |
//! | `code#state` or a bare code on a page | `answer = Answer::CodeHashState` or `BareCode`; `sign_in` gives the text |
//! | an issuer with a path or trailing slash | `issuer_path = "/tenant"` or `"/"` |
//! | odd metadata | `metadata` (members put over it; `null` takes one out) |
//! | odd token replies | `reply: ReplyShape { .. }`, `rotation`, `refresh_as` |
//! | device logins with PKCE | `Settings::qwen()`, or `device_pkce = true` |
//! | the user-code grant, replies with `status` | `Settings::minimax()`; its start is `user_code_url()` |
//! | odd device answers | `device_answer`, `interval`, `enforced_interval`, `complete_uri` |
//! | Copilot's exchange, Google's ways | `Settings::copilot()`, `Authority::google()`; `copilot.access`, `userinfo`, `userinfo_extra` |
//! | a dead grant | `expire_grant(token)`, `revoke_grant(token)`, `revoke_token(token)` |
//! | a 401 | `reject_access_token(token)`, `expire_access_tokens()`, `api_rejects_all = true`; call `api_url()` |
//! | a refused connection | `go_down()`, then `come_back()` |
//! | a clock that is wrong | `clock_shift` (seconds) |
//!
//! Counters of requests count arrivals, refused ones included. A request that has arrived is acted on even if
//! its client has left.
//!
//! # The real server
//!
//! ```no_run
//! use latchkey_test_authority::*;
//!
//! # async fn example() {
//! let oidc = OidcProvider::start().await;                   // needs node; installs its packages once
//! let redirected = oidc.sign_in("http://127.0.0.1:1/auth?…", "ada").await; // e-mail: ada@example.test
//! oidc.approve_device("BCDF-GHJK", "ada").await;            // or the verification_uri_complete
//! let tokens = oidc.tokens("ada").await;                    // a whole sign-in, exchange included
//! oidc.fail_next(OidcEndpoint::Token, 1, &OidcFault::CloseAfter).await;
//! assert_eq!((oidc.refreshes().await, oidc.reuses().await, oidc.grant_revoked_events().await), (1, 0, 0));
//! # drop((redirected, tokens));
//! # }
//! ```
//!
//! Its authorization requests need `prompt=consent` for the scope `offline_access` to be kept. A confidential
//! client has the name and secret of [`CONFIDENTIAL`]; so it has at the two below.
//!
//! # The two from Debian
//!
//! [`Glewlwyd::start`] and [`DjangoToolkit::start`] need their Debian packages, and fail with the remedy where those are
//! missing. Each stands behind a [`Front`], which writes down what comes without a browser.
#![expect(
    clippy::missing_panics_doc,
    reason = "a test that cannot start its server or walk a page has failed: panicking is the interface"
)]

mod authority;
mod authorize;
mod browser;
mod child;
mod codex;
mod copilot;
mod device;
mod django;
mod endpoint;
mod fault;
mod form;
mod front;
mod glewlwyd;
mod google;
mod hold;
mod hostile;
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
mod user_code_grant;
mod userinfo;
mod vendors;

pub use authority::{Authority, TokenSet};
pub use browser::{Browser, Form, Page};
pub use codex::CODEX_CLIENT;
pub use copilot::COPILOT_CLIENT;
pub use django::DjangoToolkit;
pub use endpoint::Endpoint;
pub use fault::{Canned, Fault};
pub use front::{Front, Passed};
pub use glewlwyd::Glewlwyd;
pub use google::{GEMINI_CLIENT, GEMINI_SECRET};
pub use hold::Gate;
pub use hostile::{Asked, Hostile, Raw};
pub use oidc::{OidcEndpoint, OidcFault, OidcProvider, OidcRequest, OidcSettings};
pub use person::{CLIENT, CONFIDENTIAL, Client, Person, REDIRECT};
pub use record::{Outcome, Recorded};
pub use settings::{
    Answer, Bodies, Copilot, CopilotAccess, ExpiredIn, ExpiresIn, IdToken, Interval, RefreshTokens,
    ReplyShape, Reuse, ReuseError, Revocation, Rotation, ScopeShape, Settings, UserinfoShape,
};
