//! Looking into a JSON file that somebody else wrote.
//!
//! Owns [`Node`]: a value with its place. Invariant: no error holds a value. Must not: know any program's names.

use serde_json::{Map, Value};

use super::ImportError;
use crate::clock::UnixSeconds;
use crate::secret::Secret;

/// A stamp beyond this is no time but "never": the year 9999.
const NEVER: i64 = 253_402_300_799;

/// An object in the file, and where it stands.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub place: String,
    members: &'a Map<String, Value>,
}

/// The object that the file is.
pub(super) fn root(bytes: &[u8]) -> Result<Value, ImportError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| ImportError::NotText { at: error.valid_up_to() })?;
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text)
        .map_err(|error| ImportError::NotJson { line: error.line(), column: error.column() })
}

fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn wrong(place: &str, expected: &'static str, value: &Value) -> ImportError {
    let place = if place.is_empty() { "the file" } else { place };
    ImportError::Shape { place: place.to_owned(), expected, found: sort(value) }
}

impl<'a> Node<'a> {
    pub fn of(place: impl Into<String>, value: &'a Value) -> Result<Self, ImportError> {
        let place = place.into();
        match value {
            Value::Object(members) => Ok(Self { place, members }),
            other => Err(wrong(&place, "an object", other)),
        }
    }

    pub fn place_of(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    pub fn members(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The object called `name`; absent and null are none.
    pub fn object(&self, name: &str) -> Result<Option<Node<'a>>, ImportError> {
        self.get(name).map(|value| Node::of(self.place_of(name), value)).transpose()
    }

    /// The list called `name`.
    pub fn list(&self, name: &str) -> Result<&'a [Value], ImportError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(wrong(&self.place_of(name), "a list", other)),
        }
    }

    /// A text, trimmed; blank is absent.
    pub fn text(&self, name: &str) -> Result<Option<String>, ImportError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Some(other) => Err(wrong(&self.place_of(name), "a text", other)),
        }
    }

    /// A token: one visible word (RFC 6749 appendix A).
    pub fn secret(&self, name: &str) -> Result<Option<Secret>, ImportError> {
        let text = self.text(name)?;
        match text {
            Some(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Some(Secret::new(text))),
            Some(_) => Err(ImportError::Shape {
                place: self.place_of(name),
                expected: "a token of visible characters",
                found: "another text",
            }),
            None => Ok(None),
        }
    }

    /// A number of seconds or, where `per_second` is 1,000, of milliseconds; one that no clock reaches is "never".
    pub fn stamp(&self, name: &str, per_second: i64) -> Result<Option<UnixSeconds>, ImportError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let Value::Number(number) = value else {
            return Err(wrong(&self.place_of(name), "a number", value));
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast saturates, and what is out of range is never"
        )]
        let count = number.as_i64().unwrap_or_else(|| number.as_f64().map_or(i64::MAX, |count| count as i64));
        Ok(Some(count.div_euclid(per_second)).filter(|at| *at < NEVER))
    }

    /// A time as RFC 3339 writes it. One that cannot be read counts as absent: it only says how fresh a token is.
    pub fn time(&self, name: &str) -> Result<Option<UnixSeconds>, ImportError> {
        let text = self.text(name)?;
        Ok(text.and_then(|text| chrono::DateTime::parse_from_rfc3339(&text).ok()).map(|at| at.timestamp()))
    }

    /// Scopes: a list of texts, or one text with spaces or commas.
    pub fn scopes(&self, name: &str) -> Result<Vec<String>, ImportError> {
        let texts = match self.get(name) {
            None => Vec::new(),
            Some(Value::String(text)) => vec![text.as_str()],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(other) => return Err(wrong(&self.place_of(name), "a list of scopes", other)),
        };
        let split = texts.iter().flat_map(|text| text.split(|c: char| c.is_whitespace() || c == ','));
        Ok(split.filter(|scope| !scope.is_empty()).map(str::to_owned).collect())
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }
}
