//! How a token is printed, by `latchkey token` and by `latchkey-token` alike.
//!
//! Owns the formats, which are a contract. Invariant: standard output gets the token or nothing.

use std::collections::BTreeMap;
use std::io::Write;

use latchkey::broker::FreshToken;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The token alone
    Plain,
    /// An object: tenant, `access_token`, `token_type`, `expires_at`, scopes, generation, and what else the provider said that its users need
    Json,
}

#[derive(serde::Serialize)]
struct Printed<'a> {
    tenant: String,
    access_token: &'a str,
    token_type: &'a str,
    expires_at: Option<i64>,
    scopes: &'a [String],
    generation: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extra: &'a BTreeMap<String, String>,
}

/// Prints `token`; the error is what to say.
pub fn print(token: &FreshToken, format: Format) -> Result<(), String> {
    let mut text = match format {
        Format::Plain => token.access_token.expose().to_owned(),
        Format::Json => serde_json::to_string(&Printed {
            tenant: token.tenant.to_string(),
            access_token: token.access_token.expose(),
            token_type: &token.token_type,
            expires_at: token.expires_at,
            scopes: &token.scopes,
            generation: token.generation,
            extra: &token.extra,
        })
        .map_err(|error| error.to_string())?,
    };
    text.push('\n');
    let mut output = std::io::stdout().lock();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| format!("cannot write to standard output: {error}"))
}
