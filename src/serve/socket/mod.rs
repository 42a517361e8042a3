//! The token socket: fresh access tokens for programs of this host, from the running bot.

pub mod client;
pub mod wire;
