//! The one lenient reader of what authorization servers send (T8).
//!
//! Owns the step from bytes to named members, and the spellings that are forgiven. Invariant: whatever the bytes, it
//! neither panics nor invents a member. Must not: judge what the members mean.

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::account::Claims;
use crate::clock::UnixSeconds;
use crate::secret::Secret;

/// How deep an error is looked for in nested objects.
const DEPTH: usize = 6;
/// A number of seconds from here on is a time and no lifetime: as one, it would be thirty years.
const FIRST_TIME: u64 = 1_000_000_000;
/// A time from here on is in milliseconds: in seconds, it would be in the fifth millennium.
const FIRST_MILLIS: u64 = 100_000_000_000;
/// The most words that a status message may have to be taken for a code.
const CODE_WORDS: usize = 4;

/// The members of a reply. Without `Debug`, since they hold tokens.
pub(crate) struct Members(Map<String, Value>);

/// Text that was there but cannot be a token (RFC 6749 appendix A: visible ASCII).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Members {
    /// Reads a JSON object or a form-encoded body, by its look: servers mislabel either. None if it is neither.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('{') {
            return serde_json::from_str(text).ok().map(Self);
        }
        let shaped = text.contains('=') && !text.starts_with(['<', '[', '"']) && !text.contains(['\n', ' ']);
        shaped.then(|| {
            let pairs = form_urlencoded::parse(text.as_bytes());
            Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
        })
    }

    /// All members, to be looked into by paths.
    pub(crate) fn claims(&self) -> Claims {
        Claims::over(self.0.clone())
    }

    /// A text, trimmed; blank is absent. Numbers are texts to servers that forget the quotes.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        text_of(self.0.get(name)?)
    }

    /// A token or code, trimmed; blank is absent. Of a number with a fraction or exponent, reading has lost digits.
    pub(crate) fn secret(&self, name: &str) -> Result<Option<Secret>, Malformed> {
        match self.text(name) {
            _ if self.0.get(name).is_some_and(Value::is_f64) => Err(Malformed),
            None => Ok(None),
            Some(text) if text.bytes().all(|b| b.is_ascii_graphic()) => Ok(Some(Secret::new(text))),
            Some(_) => Err(Malformed),
        }
    }

    /// A number of seconds: whole, with a fraction, or as text; less than none is none.
    pub(crate) fn seconds(&self, name: &str) -> Option<u64> {
        seconds_of(self.0.get(name)?)
    }

    /// For how many seconds from `now` on it holds what the reply brings: `expires_in`; else `expired_in`, which is that or a
    /// time; else the time `expires_at`. What has ended as it comes serves nobody: such a reply does not say how long. A
    /// time is of the server's clock, and so should `now` be, where that is told (T9).
    pub(crate) fn lifetime(&self, now: UnixSeconds) -> Option<u64> {
        let until = |time: u64| time.checked_sub(u64::try_from(now).unwrap_or(0));
        let some = |seconds: &u64| *seconds > 0;
        let either = |given: u64| if given < FIRST_TIME { Some(given) } else { until(in_seconds(given)) };
        self.seconds("expires_in")
            .filter(some)
            .or_else(|| self.seconds("expired_in").and_then(either).filter(some))
            .or_else(|| {
                let times = ["expires_at", "expires_on"];
                times.iter().find_map(|name| time_of(self.0.get(*name)?)).and_then(until).filter(some)
            })
    }

    /// The member `status`, in lower case: by which some servers say how it stands, whatever the HTTP status.
    pub(crate) fn status(&self) -> Option<String> {
        Some(self.0.get("status")?.as_str()?.trim().to_ascii_lowercase()).filter(|said| !said.is_empty())
    }

    /// `scope`: names parted by spaces or commas, or an array of them. None if absent or empty.
    pub(crate) fn scopes(&self) -> Option<Vec<String>> {
        let value = self.0.get("scope").or_else(|| self.0.get("scopes"))?;
        let texts: Vec<&str> = match value {
            Value::String(text) => vec![text],
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            _ => return None,
        };
        let split = |text: &&str| -> Vec<String> {
            let names = text.split(|c: char| c.is_whitespace() || c == ',');
            // RFC 6749 section 3.3: what else stands there is no scope, and could break what a scope is printed into.
            let is_name = |name: &&str| {
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
            };
            names.filter(is_name).map(str::to_owned).collect()
        };
        let scopes: Vec<String> = texts.iter().flat_map(split).collect();
        (!scopes.is_empty()).then_some(scopes)
    }

    /// The error code: `error` as a text, or inside an object (`code`, else `type`), or at the top level, or in the first of
    /// `errors`; or a status message that is one, else its number.
    pub(crate) fn error_code(&self) -> Option<String> {
        const NESTED: [&str; 4] = ["code", "error", "type", "status"];
        self.text("error")
            .or_else(|| first_of(self.0.get("error")?, &NESTED))
            .or_else(|| ["error_code", "errorCode", "code"].iter().find_map(|name| self.text(name)))
            .or_else(|| {
                self.first_error().and_then(|first| text_of(first).or_else(|| first_of(first, &NESTED)))
            })
            .or_else(|| code_in(&self.status_message()?))
            .or_else(|| self.status_code().map(|number| number.to_string()))
    }

    /// Whether the reply speaks of an error at all: the member `error` or `errors`, neither null, false nor empty; or a
    /// `status` that is one; or, without any `status`, a status code in `base_resp` that is not zero.
    pub(crate) fn has_error(&self) -> bool {
        let named = match self.0.get("error") {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.trim().is_empty(),
            Some(_) => true,
        };
        named
            || self.first_error().is_some()
            || match self.status() {
                Some(status) => ["error", "failed", "failure"].contains(&&*status),
                None => self.status_code().is_some_and(|number| number != 0),
            }
    }

    /// Whether the error's code, or the number beside it, is one of `codes`.
    pub(crate) fn has_code(&self, codes: &[String]) -> bool {
        let said = [self.error_code(), self.status_code().map(|number| number.to_string())];
        said.iter().flatten().any(|said| codes.iter().any(|code| code.eq_ignore_ascii_case(said)))
    }

    /// What the server says in words.
    pub(crate) fn error_text(&self) -> Option<String> {
        const NESTED: [&str; 3] = ["message", "description", "detail"];
        ["error_description", "message", "error_message", "detail"]
            .iter()
            .find_map(|name| self.text(name))
            .or_else(|| first_of(self.0.get("error")?, &NESTED))
            .or_else(|| first_of(self.first_error()?, &NESTED))
            .or_else(|| self.status_message())
    }

    /// The first of `errors`, where that is a list.
    fn first_error(&self) -> Option<&Value> {
        self.0.get("errors")?.as_array()?.first()
    }

    fn status_code(&self) -> Option<i64> {
        self.0.get("base_resp")?.get("status_code")?.as_i64()
    }

    fn status_message(&self) -> Option<String> {
        text_of(self.0.get("base_resp")?.get("status_msg")?)
    }

    /// Every text in the reply, nested ones included, each on a line: where known prose is looked for.
    pub(crate) fn all_text(&self) -> String {
        let mut all = String::new();
        self.0.values().for_each(|value| collect(value, DEPTH, &mut all));
        all
    }
}

fn collect(value: &Value, depth: usize, all: &mut String) {
    match value {
        Value::String(text) => {
            all.push_str(text);
            all.push('\n');
        }
        Value::Array(items) if depth > 0 => items.iter().for_each(|item| collect(item, depth - 1, all)),
        Value::Object(members) if depth > 0 => {
            members.values().for_each(|item| collect(item, depth - 1, all));
        }
        _ => {}
    }
}

/// The first of these members of an object that is a text.
fn first_of(object: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| text_of(object.get(name)?))
}

/// A message that is an error code, or is one but for its spelling: a few plain words.
fn code_in(message: &str) -> Option<String> {
    let plain = message.chars().all(|c| c.is_ascii_alphabetic() || c == '_' || c == ' ');
    let words: Vec<_> = message.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
    (plain && words.len() <= CODE_WORDS).then(|| words.join("_"))
}

fn seconds_of(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse::<f64>().ok().and_then(whole))
        }
        _ => None,
    }
}

/// A time, in unix seconds: given so, in milliseconds, or as RFC 3339 writes it.
fn time_of(value: &Value) -> Option<u64> {
    let date = || {
        let date = chrono::DateTime::parse_from_rfc3339(value.as_str()?.trim()).ok()?;
        u64::try_from(date.timestamp()).ok()
    };
    seconds_of(value).map(in_seconds).or_else(date)
}

fn in_seconds(time: u64) -> u64 {
    if time < FIRST_MILLIS { time } else { time / 1000 }
}

fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// The whole seconds of `seconds`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates, and is not negative"
)]
fn whole(seconds: f64) -> Option<u64> {
    seconds.is_finite().then(|| seconds.max(0.0) as u64)
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
