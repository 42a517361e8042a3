//! Discord's rules for request bodies that its schemas do not state, written by hand.
//!
//! Each submodule judges one kind of body and returns what is wrong; nothing here knows of requests, time or
//! state. A body that passes here may still fail its schema.

pub(crate) mod command;
pub(crate) mod components;
pub(crate) mod embed;
pub(crate) mod message;
pub(crate) mod modal;

use serde_json::Value;

use crate::reply::Problem;

/// Collects problems under a path.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, path: &str, text: impl Into<String>) {
        self.0.push(Problem { path: path.to_owned(), text: text.into() });
    }

    /// Keys nobody knows: Discord drops them in silence, so a mistyped one would do nothing.
    pub(crate) fn unknown_keys(&mut self, path: &str, value: &Value, known: &[&str]) {
        let Some(map) = value.as_object() else {
            self.add(path, "must be an object");
            return;
        };
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            self.add(&join(path, key), "unknown key");
        }
    }

    /// A string of at most `most` characters; absent is fine.
    pub(crate) fn longest(&mut self, path: &str, value: &Value, key: &str, most: usize) {
        if let Some(text) = value[key].as_str() {
            let length = text.chars().count();
            if length > most {
                self.add(&join(path, key), format!("{length} characters, at most {most} are allowed"));
            }
        }
    }

    /// A string of 1 to `most` characters that must be there.
    pub(crate) fn required(&mut self, path: &str, value: &Value, key: &str, most: usize) {
        match value[key].as_str() {
            None | Some("") => self.add(&join(path, key), "is required and must not be empty"),
            Some(_) => self.longest(path, value, key, most),
        }
    }
}

/// `a` and `b` as a dotted path.
pub(crate) fn join(a: &str, b: impl std::fmt::Display) -> String {
    if a.is_empty() { b.to_string() } else { format!("{a}.{b}") }
}

/// The list under a key; empty where absent.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// All problems as `path: text`.
    pub(crate) fn lines(problems: Vec<Problem>) -> Vec<String> {
        problems.into_iter().map(|p| format!("{}: {}", p.path, p.text)).collect()
    }
}
