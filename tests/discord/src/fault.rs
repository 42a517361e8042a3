//! Faults a test asks for: routes that fail or dawdle a given number of times.
//!
//! A fault is spent by the first requests that match it, in the order the faults were given.

use std::time::Duration;

use serde_json::json;

use crate::limits::limited;
use crate::reply::Reply;

/// What happens to a request instead of, or around, its handling.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Answered with this; not handled.
    Answer(Reply),
    /// Handled after this long.
    Before(Duration),
    /// Handled at once, answered after this long.
    After(Duration),
}

impl Fault {
    /// A server error, or any other status, with Discord's body for it.
    pub(crate) fn status(status: u16) -> Self {
        let body = json!({ "message": format!("{status}: fault asked for by the test"), "code": 0 });
        Self::Answer(Reply { status, body, headers: Vec::new() })
    }

    /// The answer it is, if it is one.
    pub(crate) fn into_reply(self) -> Reply {
        match self {
            Self::Answer(reply) => reply,
            Self::Before(_) | Self::After(_) => Reply::empty(),
        }
    }

    /// 429 with `retry_after` in seconds, and whom it is for: `user`, `shared` or `global`.
    pub(crate) fn rate_limited(seconds: f64, scope: &'static str) -> Self {
        Self::Answer(limited(seconds, scope))
    }
}

/// The faults still to come.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Pending>);

#[derive(Debug)]
struct Pending {
    /// `METHOD /path` with `*` for any run of characters.
    pattern: String,
    left: u32,
    fault: Fault,
}

impl Faults {
    pub(crate) fn add(&mut self, pattern: &str, times: u32, fault: Fault) {
        self.0.push(Pending { pattern: pattern.to_owned(), left: times, fault });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for `line` (`METHOD /path`), used up once.
    pub(crate) fn take(&mut self, line: &str) -> Option<Fault> {
        let pending = self.0.iter_mut().find(|p| p.left > 0 && matches(&p.pattern, line))?;
        pending.left -= 1;
        let fault = pending.fault.clone();
        self.0.retain(|p| p.left > 0);
        Some(fault)
    }
}

/// Whether `line` matches `pattern`, in which `*` stands for any run of characters.
pub(crate) fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_of_characters() {
        for (pattern, line, expected) in [
            ("GET /gateway", "GET /gateway", true),
            ("GET /gateway", "GET /gateway/bot", false),
            ("POST /channels/*/messages", "POST /channels/1/messages", true),
            ("POST /channels/*/messages", "POST /channels/1/messages/2", false),
            ("* /applications/*", "PUT /applications/1/commands", true),
            ("POST /webhooks*", "PATCH /webhooks/1", false),
        ] {
            assert_eq!(matches(pattern, line), expected, "{pattern} on {line}");
        }
    }

    #[test]
    fn a_fault_is_spent_by_the_requests_it_meets() {
        let mut faults = Faults::default();
        faults.add("GET /a", 2, Fault::status(500));
        assert!(faults.take("GET /b").is_none());
        assert!(faults.take("GET /a").is_some());
        assert!(faults.take("GET /a").is_some());
        assert!(faults.take("GET /a").is_none());
    }
}
