//! Keys and tokens that come from the environment (G25).
//!
//! Owns [`EnvSource`]: which variable, and what it holds. Invariant: only a value that can be sent whole comes out as a secret.
//! Must not: read the environment (`config` does), or choose among sources (`broker` does).

use crate::secret::Secret;

/// An environment variable that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvSource {
    /// Its name, for operators.
    pub variable: String,
    /// What it holds.
    pub value: EnvValue,
}

/// What an environment variable holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvValue {
    /// Nothing: it is not set, or blank.
    Unset,
    /// What no header can carry: white space inside, or characters that are not ASCII. It stands above what is below all the
    /// same, since an operator meant it to.
    Malformed,
    /// A key or token.
    Set(Secret),
}

impl EnvSource {
    /// The variable, with what was found in it. White space around it, a line end above all, is forgiven.
    #[must_use]
    pub fn new(variable: String, found: Option<&str>) -> Self {
        let value = match found.map(str::trim) {
            None | Some("") => EnvValue::Unset,
            Some(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                EnvValue::Set(Secret::new(text))
            }
            Some(_) => EnvValue::Malformed,
        };
        Self { variable, value }
    }

    /// Whether somebody has put something there.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.value != EnvValue::Unset
    }

    /// The secret, if there is one to be used.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        match &self.value {
            EnvValue::Set(secret) => Some(secret),
            EnvValue::Unset | EnvValue::Malformed => None,
        }
    }

    /// The word for its state in `--json`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self.value {
            EnvValue::Unset => "unset",
            EnvValue::Malformed => "malformed",
            EnvValue::Set(_) => "set",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G25: what could not be sent whole is never taken for a token, nor for nothing.
    #[test]
    fn only_what_can_be_sent_whole_is_a_token() {
        let set = |text: &str| EnvValue::Set(Secret::new(text));
        for (found, expected) in [
            (None, EnvValue::Unset),
            (Some(""), EnvValue::Unset),
            (Some(" \n"), EnvValue::Unset),
            (Some("sk-1_2.3~4+/="), set("sk-1_2.3~4+/=")),
            (Some(" sk-1\r\n"), set("sk-1")),
            (Some("sk 1"), EnvValue::Malformed),
            (Some("sk-1\nsk-2"), EnvValue::Malformed),
            (Some("sk-\u{e9}"), EnvValue::Malformed),
            (Some("sk-\u{7f}1"), EnvValue::Malformed),
            (Some("\u{fffd}"), EnvValue::Malformed),
        ] {
            let source = EnvSource::new("KEY".to_owned(), found);
            assert_eq!(source, EnvSource { variable: "KEY".to_owned(), value: expected }, "{found:?}");
        }
    }
}
