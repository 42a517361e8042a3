//! A token as variables, one a line.
//!
//! Owns the names and their quoting. Invariants: a POSIX shell that evaluates the lines sets these variables to these values
//! and does nothing else, whatever a provider put into its reply; what needs no quotes has none, because `docker --env-file`
//! takes them for part of the value.

use latchkey::broker::FreshToken;

use super::{Unprinted, line, one_line};

/// What a provider said besides its token is named after this.
const EXTRA: &str = "LATCHKEY_EXTRA_";

/// The lines, without the end of the last. A time that is not known has none.
pub(super) fn lines(token: &FreshToken) -> Result<String, Unprinted> {
    let mut variables = vec![
        ("LATCHKEY_ACCESS_TOKEN".to_owned(), line(token)?.to_owned()),
        ("LATCHKEY_TOKEN_TYPE".to_owned(), one_line(token, "token type", &token.token_type)?.to_owned()),
        ("LATCHKEY_TENANT".to_owned(), token.tenant.to_string()),
    ];
    variables.extend(token.expires_at.map(|at| ("LATCHKEY_EXPIRES_AT".to_owned(), at.to_string())));
    for (name, value) in &token.extra {
        variables.push((extra(name), one_line(token, "further data", value)?.to_owned()));
    }
    let lines: Vec<_> = variables.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
    Ok(lines.join("\n"))
}

/// The variable for what a provider calls `name`.
fn extra(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    EXTRA.chars().chain(name.chars().map(letter)).collect()
}

/// `value` as a POSIX shell reads it in an assignment: in single quotes where a character of it could mean something there.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~+/=:@%,".contains(c);
    // A shell puts a home folder in place of a tilde at the start and after a colon.
    let is_home = value.starts_with('~') || value.contains(":~");
    if value.chars().all(is_plain) && !is_home {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}
