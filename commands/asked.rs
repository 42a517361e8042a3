//! What `latchkey-token` was asked for, where that is plain.
//!
//! Owns the reading of the ordinary arguments of `latchkey token`. Invariant: what it understands means the same there;
//! whatever it is not sure of it does not understand, so that help and errors come from one place. Must not: complain.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use latchkey::gate::Want;
use latchkey::secret::TokenHash;
use latchkey::tenant::{ThreadId, UserId};

use crate::printed::Format;

/// A plain request for a token.
#[derive(Debug)]
pub struct Asked {
    pub config: Option<PathBuf>,
    pub target: String,
    pub thread: Option<ThreadId>,
    pub user: Option<UserId>,
    pub want: Want,
    pub format: Format,
}

/// Each option with its value, and the one argument that is none.
#[derive(Default)]
struct Words<'a> {
    target: Option<&'a str>,
    options: Vec<(&'a str, &'a str)>,
}

const WITH_VALUE: [&str; 7] =
    ["--config", "--thread", "--user", "--min-valid", "--rejected-sha256", "--timeout", "--format"];
/// Waiting is for a token that is not fresh: it changes nothing here.
const FLAGS: [&str; 1] = ["--wait"];

impl<'a> Words<'a> {
    fn of(arguments: &'a [OsString]) -> Option<Self> {
        let mut words = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let argument = argument.to_str()?;
            if !argument.starts_with('-') {
                if words.target.replace(argument).is_some() {
                    return None;
                }
                continue;
            }
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) if WITH_VALUE.contains(&name) => (name, value),
                None if WITH_VALUE.contains(&argument) => (argument, rest.next()?.to_str()?),
                None if FLAGS.contains(&argument) => (argument, "true"),
                _ => return None,
            };
            let repeated = words.options.iter().any(|(known, _)| *known == name);
            if repeated || value.is_empty() || value.starts_with('-') {
                return None;
            }
            words.options.push((name, value));
        }
        Some(words)
    }

    /// The value of `name` as `read` understands it: none if it is not there, and no answer at all if it is not
    /// understood.
    fn value<T>(&self, name: &str, read: impl FnOnce(&'a str) -> Option<T>) -> Option<Option<T>> {
        match self.options.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => read(value).map(Some),
            None => Some(None),
        }
    }
}

/// Reads the arguments; `None` where `latchkey token` should.
pub fn read(arguments: &[OsString]) -> Option<Asked> {
    let words = Words::of(arguments)?;
    let time = |text: &str| humantime::parse_duration(text).ok();
    words.value("--timeout", time)?;
    let min_valid: Option<Duration> = words.value("--min-valid", time)?;
    let mut want = Want {
        rejected: words.value("--rejected-sha256", |text| TokenHash::parse(text).ok())?,
        ..Want::default()
    };
    if let Some(min_valid) = min_valid {
        want.min_valid = i64::try_from(min_valid.as_secs()).unwrap_or(i64::MAX);
    }
    let format = words.value("--format", |text| match text {
        "plain" => Some(Format::Plain),
        "json" => Some(Format::Json),
        _ => None,
    })?;
    Some(Asked {
        config: words.value("--config", |text| Some(PathBuf::from(text)))?,
        target: words.target?.to_owned(),
        thread: words.value("--thread", |text| text.parse().ok())?,
        user: words.value("--user", |text| text.parse().ok())?,
        want,
        format: format.unwrap_or(Format::Plain),
    })
}
