//! Latchkey signs people in and gives every agent on the host a fresh access token, with one refresh per account.
//!
//! This library knows nothing of Discord or of command lines; the program `latchkey` is what people touch.
//!
//! | to | read |
//! |---|---|
//! | name a provider, a tenant, a person, a thread | [`tenant`] |
//! | see what is stored | [`credential`], [`pending`], [`binding`] |
//! | keep it | [`store`]: one trait, one locked file; [`store::file`] |
//! | know a provider's endpoints | [`directory`]: configured, or discovered and kept |
//! | speak to an authorization server | [`oauth`]; which one, and its quirks: [`provider`], [`config`] |
//! | sign somebody in | [`login`]; the transition table is [`login::machine`] |
//! | get a fresh token | [`gate`]; what is allowed when is [`gate::policy`] |
//! | do it for a thread | [`worker`] |
//! | answer a browser | [`serve`] |
//! | read what another program keeps | [`import`]; what becomes of it: [`broker`] |
//! | keep another program's own file fresh | [`feed`]; how such a file is touched: [`foreign`] |
//! | copy all that is stored, and bring it back | [`backup`] |
//! | know who may do what | [`rights`]; and how often: [`limit`] |
//! | know how this process is | [`health`]; measure it: [`metrics`] |
//! | do any of it | [`broker`], the front door |
//!
//! Dependencies point one way: `worker → broker → {login, gate} → directory → {oauth, store} → {provider, credential, tenant, secret, clock}`.
//! `store` knows no network and `oauth` knows no store; `directory`, `gate` and `login` join them.
//!
//! # Invariants
//!
//! - A tenant is refreshed only under its kernel lock, and a rotated token is durable before it is handed out.
//! - The store lock is never held across the network.
//! - What cannot be read is an error, never an empty store.
//! - Lock order: login lock, refresh lock, store lock.
//! - A refresh token leaves this process for its token endpoint only. A secret is in no log, error or message, by type.
//! - A member never completes, sees or replaces what is another's.

pub mod audit;
pub mod backup;
pub mod binding;
pub mod broker;
pub mod clock;
pub mod config;
pub mod credential;
pub mod directory;
pub mod fault;
pub mod feed;
pub mod foreign;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod gate;
pub mod health;
pub mod import;
pub mod limit;
pub mod login;
pub mod metrics;
pub mod oauth;
pub mod pending;
pub mod provider;
pub mod revocation;
pub mod rights;
pub mod secret;
pub mod serve;
pub mod store;
pub mod tenant;
#[cfg(test)]
mod testing;
pub mod text;
pub mod worker;
