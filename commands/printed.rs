//! How a token is printed, by `latchkey token` and by `latchkey-token` alike.
//!
//! Owns the formats, which are a contract. Invariants: standard output gets the token or nothing; no token can add a line of
//! its own to a format that is made of lines. Must not: speak git's protocol, which is a conversation (`git.rs`).

mod env;
mod kubernetes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Write;

use latchkey::broker::FreshToken;
use latchkey::clock::UnixSeconds;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The token alone
    Plain,
    /// An object: tenant, `access_token`, `token_type`, `expires_at`, scopes, generation, and what else the provider said that its users need
    Json,
    /// An HTTP header: `Authorization: Bearer` and the token
    Header,
    /// Variables, for `eval` and for files of variables: `LATCHKEY_ACCESS_TOKEN` and others
    Env,
    /// What git asks a credential helper for: give get, store or erase after the tenant
    Git,
    /// An `ExecCredential`, which kubectl asks its credential plugins for
    Kubernetes,
}

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum Unprinted {
    /// What would forge another line, or a header.
    #[error("the {what} of {tenant} cannot be written as one line of this format; use --format json")]
    Unfit { what: &'static str, tenant: String },
    /// The program that asks speaks another version.
    #[error(transparent)]
    Kubernetes(#[from] kubernetes::Unknown),
    /// Git's format is an answer, and this is no question.
    #[error(
        "--format git answers git, which names an operation: latchkey token TENANT --format git get|store|erase"
    )]
    NoOperation,
    /// A bug of ours.
    #[error("cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Nobody reads.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] std::io::Error),
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

/// What `format` makes of `token`, with the variables that `environment` knows.
pub fn text(
    token: &FreshToken,
    format: Format,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Unprinted> {
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
        })?,
        Format::Header => format!("Authorization: {} {}", scheme(token)?, line(token)?),
        Format::Env => env::lines(token)?,
        Format::Git => return Err(Unprinted::NoOperation),
        Format::Kubernetes => {
            let version = kubernetes::version(environment("KUBERNETES_EXEC_INFO").as_deref())?;
            kubernetes::credential(token, version)?
        }
    };
    text.push('\n');
    Ok(text)
}

/// Prints `text`, all of it.
pub fn write(text: &str) -> Result<(), Unprinted> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}

/// The access token, if it is text of one line.
pub fn line(token: &FreshToken) -> Result<&str, Unprinted> {
    one_line(token, "access token", token.access_token.expose())
}

fn one_line<'a>(token: &FreshToken, what: &'static str, text: &'a str) -> Result<&'a str, Unprinted> {
    if text.chars().any(char::is_control) {
        return Err(Unprinted::Unfit { what, tenant: token.tenant.to_string() });
    }
    Ok(text)
}

/// The authentication scheme of a header. Its case means nothing (RFC 9110 section 11.1), but some servers compare it as
/// RFC 6750 spells it.
fn scheme(token: &FreshToken) -> Result<&str, Unprinted> {
    let said = token.token_type.as_str();
    if said.is_empty() || said.eq_ignore_ascii_case("bearer") {
        return Ok("Bearer");
    }
    if said.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(said);
    }
    Err(Unprinted::Unfit { what: "token type", tenant: token.tenant.to_string() })
}

/// The last second that RFC 3339 has a date for, in unix seconds: 9999-12-31T23:59:59Z.
const LAST: UnixSeconds = 253_402_300_799;

/// A time as RFC 3339 writes it; what is beyond its last second is that second.
fn rfc3339(at: UnixSeconds) -> String {
    let seconds = u64::try_from(at.clamp(0, LAST)).unwrap_or_default();
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    humantime::format_rfc3339_seconds(at).to_string()
}
