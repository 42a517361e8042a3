//! Latchkey signs people in and gives every agent on the host a fresh access token, with one refresh per account.

pub mod clock;
pub mod config;
pub mod oauth;
pub mod provider;
pub mod secret;
pub mod tenant;
