//! Latchkey signs people in and gives every agent on the host a fresh access token, with one refresh per account.

pub mod audit;
pub mod binding;
pub mod broker;
pub mod clock;
pub mod config;
pub mod credential;
pub mod fault;
pub mod gate;
pub mod login;
pub mod oauth;
pub mod pending;
pub mod provider;
pub mod revocation;
pub mod secret;
pub mod store;
pub mod tenant;
pub mod worker;
