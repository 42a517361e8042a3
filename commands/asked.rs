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

use crate::here::Place;
use crate::printed::Format;

/// Looks up an environment variable.
type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// A plain request for a token.
#[derive(Debug)]
pub struct Asked {
    pub config: Option<PathBuf>,
    pub target: String,
    pub place: Place,
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

const WITH_VALUE: [&str; 8] = [
    "--config",
    "--thread",
    "--parent",
    "--user",
    "--min-valid",
    "--rejected-sha256",
    "--timeout",
    "--format",
];
/// Waiting is for a token that is not fresh, and quiet is kept in any case: neither changes anything here.
const FLAGS: [&str; 3] = ["--wait", "--quiet", "-q"];

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

    /// The value of `name` as `read` understands it, if it is there.
    fn value<T>(&self, name: &str, read: impl FnOnce(&'a str) -> Option<T>) -> Result<Option<T>, NotPlain> {
        let found = self.options.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| read(value).ok_or(NotPlain)).transpose()
    }
}

impl Words<'_> {
    fn place(&self, environment: Environment<'_>) -> Result<Place, NotPlain> {
        let thread: Option<ThreadId> = self.value("--thread", |text| text.parse().ok())?;
        let parent = self.value("--parent", |text| text.parse().ok())?;
        Place::of(thread, parent, environment).map_err(|_| NotPlain)
    }

    fn asked(&self, target: &str, environment: Environment<'_>) -> Result<Asked, NotPlain> {
        let time = |text: &str| humantime::parse_duration(text).ok();
        self.value("--timeout", time)?;
        let mut want = Want {
            rejected: self.value("--rejected-sha256", |text| TokenHash::parse(text).ok())?,
            ..Want::default()
        };
        let min_valid: Option<Duration> = self.value("--min-valid", time)?;
        if let Some(min_valid) = min_valid {
            want.min_valid = i64::try_from(min_valid.as_secs()).unwrap_or(i64::MAX);
        }
        let format = self.value("--format", |text| match text {
            "plain" => Some(Format::Plain),
            "json" => Some(Format::Json),
            _ => None,
        })?;
        Ok(Asked {
            config: self.value("--config", |text| Some(PathBuf::from(text)))?,
            target: target.to_owned(),
            place: self.place(environment)?,
            user: self.value("--user", |text| text.parse().ok())?,
            want,
            format: format.unwrap_or(Format::Plain),
        })
    }
}

/// A value that is not understood here.
struct NotPlain;

/// Reads the arguments; `None` where `latchkey token` should.
pub fn read(arguments: &[OsString], environment: Environment<'_>) -> Option<Asked> {
    let words = Words::of(arguments)?;
    words.asked(words.target?, environment).ok()
}
