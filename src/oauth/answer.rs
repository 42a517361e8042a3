//! The answer to an authorization request, pasted or called back (RFC 6749 section 4.1.2, RFC 9207).
//!
//! Owns the step from such an answer to an authorization code that belongs to this login. Invariant: a code comes out only
//! if the answer arrived at our redirect URI and carries our state, or if the descriptor says that this provider's page
//! shows nothing but the code (T3). Must not: repeat in an error what was pasted, since it may hold a code.

use std::collections::BTreeSet;

use url::Url;

use super::mask;
use crate::provider::PasteShape;
use crate::secret::Secret;

/// The longest text that is looked at, in characters: what a Discord modal takes.
pub const ANSWER_CAP: usize = 4_000;

/// What this login's answer must agree with.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The redirect URI of the authorization request.
    pub redirect_uri: &'a str,
    /// Its state.
    pub state: &'a Secret,
    /// The provider's issuer, where known.
    pub issuer: Option<&'a str>,
    /// Whether the provider promises to name itself in each answer that comes to an address (RFC 9207).
    pub iss_promised: bool,
}

/// Why a pasted text is no answer to this login. The texts are for the person who pasted it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Nothing in it.
    #[error("nothing was pasted; copy what the page shows at the end of the sign-in and paste that")]
    Empty,
    /// More than [`ANSWER_CAP`] characters.
    #[error("that is too long to be the answer; copy only the address of the page that the sign-in ended on")]
    TooLong,
    /// A code without the state that ties it to this login.
    #[error(
        "that is only a part of the answer, and a code alone could belong to somebody else's sign-in; copy all that the page shows, or the whole address from the browser's address bar"
    )]
    BareCode,
    /// An address that is not the redirect URI.
    #[error(
        "that is not the address that this sign-in ends on, which begins with {expected}; finish the sign-in and copy the address of the last page, even if that page does not load"
    )]
    WrongAddress {
        /// What it should begin with.
        expected: String,
    },
    /// The right address, with no code in it.
    #[error("that address is incomplete; copy the whole of it from the browser's address bar")]
    Incomplete,
    /// The state is another one.
    #[error(
        "that answer belongs to another sign-in, perhaps an earlier try; use the link shown here and paste its answer"
    )]
    StateMismatch,
    /// A parameter twice (T6).
    #[error("that answer says {name} twice, which no sign-in does; start again from the link shown here")]
    Duplicate {
        /// The parameter.
        name: String,
    },
    /// Both `code` and `error` (T6).
    #[error("that answer says yes and no at once; start again from the link shown here")]
    BothCodeAndError,
    /// The answer comes from another issuer, or does not say from which although that was promised (T4, RFC 9207).
    #[error(
        "that answer comes from another provider than this sign-in is for; start again from the link shown here"
    )]
    IssuerMismatch,
    /// The answer does not name its issuer, although this server always does (T4, RFC 9207 section 2.4).
    #[error("that answer does not say which provider it comes from; start again from the link shown here")]
    IssuerMissing,
    /// The provider, or the person there, said no: this login is over.
    #[error("{text}")]
    Refused {
        /// The error code, fit to show.
        code: String,
        /// What to show.
        text: String,
    },
}

/// Reads the authorization code out of a pasted `text`.
///
/// # Errors
/// Anything that is not a whole answer to this login. [`AnswerError::Refused`] alone ends the login: after every other,
/// the person may paste again.
pub fn parse(text: &str, shape: PasteShape, expected: &Expected<'_>) -> Result<Secret, AnswerError> {
    if text.chars().take(ANSWER_CAP + 1).count() > ANSWER_CAP {
        return Err(AnswerError::TooLong);
    }
    let text = tidy(text);
    if text.is_empty() {
        return Err(AnswerError::Empty);
    }
    let redirect = Url::parse(expected.redirect_uri).map_err(|_| wrong_address(expected))?;
    if is_address(&text, &redirect) {
        return from_address(&text, &redirect, expected);
    }
    match text.split_once('#') {
        Some((code, state)) => {
            same_state(state, expected)?;
            // Only a page that shows nothing else may leave out what was promised (T4).
            if expected.iss_promised && shape != PasteShape::CodeHashState {
                return Err(AnswerError::IssuerMissing);
            }
            code_from(code)
        }
        None if shape == PasteShape::Code => code_from(&text),
        None => Err(AnswerError::BareCode),
    }
}

/// Without the white space that line breaks on a phone leave behind, and without what people put around addresses.
fn tidy(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !is_invisible(*c)).collect();
    let inner = [('<', '>'), ('`', '`'), ('"', '"'), ('\'', '\'')];
    let stripped = inner.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    stripped.unwrap_or(&text).to_owned()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Whether `text` means an address rather than `code#state` or a code, both of which may hold a slash.
fn is_address(text: &str, redirect: &Url) -> bool {
    let authority = authority(redirect);
    let bare = text.trim_start_matches('/');
    let named = !authority.is_empty() && starts_with(bare, &authority);
    named
        || has_scheme(text, redirect)
        || ["code=", "state=", "error="].iter().any(|name| text.contains(name))
}

/// Any scheme, or the redirect URI's own, which need not have a host behind it.
fn has_scheme(text: &str, redirect: &Url) -> bool {
    starts_with(text, &format!("{}:/", redirect.scheme()))
        || text.split(['?', '#']).next().is_some_and(|start| start.contains("://"))
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start))
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn from_address(text: &str, redirect: &Url, expected: &Expected<'_>) -> Result<Secret, AnswerError> {
    let url = if has_scheme(text, redirect) {
        Url::parse(text)
    } else {
        Url::parse(&format!("{}://{}", redirect.scheme(), text.trim_start_matches('/')))
    };
    let url = url.map_err(|_| wrong_address(expected))?;
    if !same_place(&url, redirect) {
        return Err(wrong_address(expected));
    }
    from_pairs(url.query_pairs(), expected)
}

/// Reads the authorization code out of the `query` with which a browser came to our redirect URI. It may hold a state
/// of any login: [`state_of`] says whose it is.
///
/// # Errors
/// As [`parse`].
pub fn from_query(query: &str, expected: &Expected<'_>) -> Result<Secret, AnswerError> {
    from_pairs(url::form_urlencoded::parse(query.as_bytes()), expected)
}

/// The state that such a `query` claims, if it has any.
#[must_use]
pub fn state_of(query: &str) -> Option<Secret> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let state = pairs.find_map(|(name, value)| (name == "state").then_some(value))?;
    Some(Secret::new(state)).filter(|state| !state.is_empty())
}

fn from_pairs(
    pairs: url::form_urlencoded::Parse<'_>,
    expected: &Expected<'_>,
) -> Result<Secret, AnswerError> {
    let mut seen = BTreeSet::new();
    let (mut code, mut error, mut description, mut state, mut issuer) = (None, None, None, None, None);
    for (name, value) in pairs {
        if !seen.insert(name.clone()) {
            return Err(AnswerError::Duplicate { name: mask::plain(&name) });
        }
        match &*name {
            "code" => code = Some(value),
            "error" => error = Some(value),
            "error_description" => description = Some(value),
            "state" => state = Some(value),
            "iss" => issuer = Some(value),
            _ => {}
        }
    }
    if code.is_some() && error.is_some() {
        return Err(AnswerError::BothCodeAndError);
    }
    same_state(&state.ok_or(AnswerError::Incomplete)?, expected)?;
    match (expected.issuer, &issuer) {
        (Some(expected), Some(issuer)) if expected != issuer => return Err(AnswerError::IssuerMismatch),
        (_, None) if expected.iss_promised => return Err(AnswerError::IssuerMissing),
        _ => {}
    }
    match error {
        Some(error) => Err(refused(&error, description.as_deref(), expected.state)),
        None => code_from(&code.ok_or(AnswerError::Incomplete)?),
    }
}

/// T3: scheme, host, port and path equal, and nobody's name in front of the host.
fn same_place(url: &Url, redirect: &Url) -> bool {
    url.scheme() == redirect.scheme()
        && url.host() == redirect.host()
        && url.port_or_known_default() == redirect.port_or_known_default()
        && url.path() == redirect.path()
        && url.username().is_empty()
        && url.password().is_none()
}

/// T2: [`Secret`] compares in constant time.
fn same_state(state: &str, expected: &Expected<'_>) -> Result<(), AnswerError> {
    if state.is_empty() {
        return Err(AnswerError::BareCode);
    }
    if Secret::new(state) == *expected.state { Ok(()) } else { Err(AnswerError::StateMismatch) }
}

fn code_from(code: &str) -> Result<Secret, AnswerError> {
    let whole = !code.is_empty() && code.bytes().all(|b| b.is_ascii_graphic());
    if whole { Ok(Secret::new(code)) } else { Err(AnswerError::Incomplete) }
}

fn wrong_address(expected: &Expected<'_>) -> AnswerError {
    AnswerError::WrongAddress { expected: mask::plain(expected.redirect_uri) }
}

/// The server knows our state, and may repeat it in its words.
fn refused(code: &str, description: Option<&str>, state: &Secret) -> AnswerError {
    let safe = |text: &str| mask::safe(text, std::slice::from_ref(state));
    let code = safe(code);
    let text = match (code.as_str(), description) {
        ("access_denied", _) => {
            "the sign-in was declined at the provider; start again if that was not meant".to_owned()
        }
        ("server_error" | "temporarily_unavailable", _) => {
            "the provider could not complete the sign-in; start again in a few minutes".to_owned()
        }
        // The provider's own words, and nothing of ours: they are shown to people of any language.
        (code, Some(description)) => safe(&format!("{description} ({code})")),
        (code, None) => code.to_owned(),
    };
    AnswerError::Refused { code, text }
}

#[cfg(test)]
mod tests;
