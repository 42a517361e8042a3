//! The record: every request, every broken rule, every route nobody expected.
//!
//! All lists are bounded; what falls out is the oldest request, and violations past the bound are counted only
//! by their absence (a test with so many has failed long before).

use std::collections::VecDeque;
use std::fmt;

use serde_json::Value;

/// Requests kept.
const REQUESTS: usize = 20_000;
/// Violations kept.
const VIOLATIONS: usize = 2_000;

/// One REST request and its answer.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without `/api/v10`, and without the query.
    pub path: String,
    /// The query, without `?`.
    pub query: String,
    /// The JSON body; `Null` without one.
    pub body: Value,
    /// When it arrived, in milliseconds since the Unix epoch on the stand-in's clock.
    pub at_ms: u64,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The JSON of the answer; `Null` without one.
    pub response: Value,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} → {}", self.method, self.path, short(&self.body), self.status)?;
        if self.status >= 400 {
            write!(f, " {}", short(&self.response))?;
        }
        Ok(())
    }
}

/// A rule of Discord's that the bot broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Discord's JSON error code: 10062, 40060, 10015, 50035, …; 0 for what has none.
    pub code: u32,
    /// The request: method and path; for a missing answer, the interaction.
    pub request: String,
    /// What was wrong, in plain words.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}] {}", self.request, self.code, self.what)
    }
}

/// Everything recorded so far.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) requests: VecDeque<Request>,
    pub(crate) violations: Vec<Violation>,
    /// Method and path of requests to routes the stand-in does not play.
    pub(crate) unexpected: Vec<String>,
}

impl Record {
    pub(crate) fn request(&mut self, request: Request) {
        if self.requests.len() == REQUESTS {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
    }

    pub(crate) fn violation(&mut self, code: u32, request: &str, what: impl Into<String>) {
        if self.violations.len() < VIOLATIONS {
            self.violations.push(Violation { code, request: request.to_owned(), what: what.into() });
        }
    }

    pub(crate) fn unexpected(&mut self, request: &str) {
        if self.unexpected.len() < VIOLATIONS {
            self.unexpected.push(request.to_owned());
        }
    }
}

fn short(value: &Value) -> String {
    const LONGEST: usize = 400;
    if value.is_null() {
        return String::new();
    }
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let cut: String = text.chars().take(LONGEST).collect();
    format!("{cut}…")
}
