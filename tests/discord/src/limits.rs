//! Discord's rate limits: how many requests of one kind a bot may make in a while.
//!
//! A bucket is a kind of request and what Discord calls its major parameter: the channel, the guild, or the webhook with
//! its token. So each interaction's follow-ups have a bucket of their own, and callbacks are not counted at all. Off
//! unless a test switches it on; a request past its limit is no violation but a 429.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;

use crate::fault::matches;
use crate::reply::Reply;

/// Buckets kept; the least recent go first.
const BUCKETS: usize = 10_000;

/// A kind of request and what it may cost.
#[derive(Debug, Clone)]
struct Rule {
    pattern: String,
    requests: u32,
    per_ms: u64,
}

/// One bucket, from its first request until it is refilled.
#[derive(Debug, Clone, Copy)]
struct Window {
    refilled_ms: u64,
    used: u32,
}

/// All buckets.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    on: bool,
    rules: Vec<Rule>,
    windows: HashMap<(usize, String), Window>,
    refused: u32,
}

/// What a bucket says of itself in the headers of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    bucket: String,
    limit: u32,
    remaining: u32,
    reset_ms: u64,
    now_ms: u64,
    /// Whether this request is past the limit.
    pub(crate) over: bool,
}

impl Limits {
    /// Begins to count, with figures like Discord's own.
    pub(crate) fn switch_on(&mut self) {
        self.on = true;
        for (pattern, requests, seconds) in [
            ("PATCH /webhooks/*", 5, 2),
            ("DELETE /webhooks/*", 5, 2),
            ("GET /webhooks/*", 5, 2),
            ("POST /webhooks/*", 5, 2),
            ("POST /channels/*/messages", 5, 5),
            ("GET /channels/*", 50, 1),
        ] {
            self.rule(pattern, requests, Duration::from_secs(seconds));
        }
    }

    /// A rule that comes before all that are there.
    pub(crate) fn rule(&mut self, pattern: &str, requests: u32, per: Duration) {
        let per_ms = u64::try_from(per.as_millis()).unwrap_or(u64::MAX);
        self.rules.insert(0, Rule { pattern: pattern.to_owned(), requests, per_ms });
        self.windows.clear();
    }

    /// Counts a request; `None` where nothing counts it.
    pub(crate) fn count(&mut self, line: &str, path: &[&str], now_ms: u64) -> Option<Standing> {
        if !self.on {
            return None;
        }
        let index = self.rules.iter().position(|rule| matches(&rule.pattern, line))?;
        let rule = &self.rules[index];
        let major = match path {
            ["webhooks", id, token, ..] => format!("{id}:{token}"),
            [kind, id, ..] => format!("{kind}:{id}"),
            _ => String::new(),
        };
        if self.windows.len() >= BUCKETS {
            self.windows.retain(|_, window| window.refilled_ms > now_ms);
        }
        let fresh = Window { refilled_ms: now_ms + rule.per_ms, used: 0 };
        // Rules are added in front: counted from the end, an index stays that of its rule.
        let window = self.windows.entry((self.rules.len() - index, major)).or_insert(fresh);
        if window.refilled_ms <= now_ms {
            *window = fresh;
        }
        let over = window.used >= rule.requests;
        if over {
            self.refused += 1;
        } else {
            window.used += 1;
        }
        Some(Standing {
            bucket: format!("{:016x}", self.rules.len() - index),
            limit: rule.requests,
            remaining: rule.requests.saturating_sub(window.used),
            reset_ms: window.refilled_ms,
            now_ms,
            over,
        })
    }

    /// How many requests were past their limit.
    pub(crate) fn refused(&self) -> u32 {
        self.refused
    }
}

impl Standing {
    /// The answer to a request past the limit.
    pub(crate) fn refusal(&self) -> Reply {
        let mut reply = limited(self.after(), "user");
        // Its own figures come instead.
        reply.headers.retain(|(name, _)| !name.starts_with("x-ratelimit-re") && *name != "x-ratelimit-limit");
        reply
    }

    /// Writes it into the headers of an answer.
    pub(crate) fn describe(&self, reply: &mut Reply) {
        if reply.headers.iter().any(|(name, _)| *name == "x-ratelimit-remaining") {
            return;
        }
        reply.headers.extend([
            ("x-ratelimit-bucket", self.bucket.clone()),
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", self.remaining.to_string()),
            ("x-ratelimit-reset", seconds(self.reset_ms)),
            ("x-ratelimit-reset-after", seconds(self.reset_ms.saturating_sub(self.now_ms))),
        ]);
    }

    fn after(&self) -> f64 {
        Duration::from_millis(self.reset_ms.saturating_sub(self.now_ms)).as_secs_f64()
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// A 429 of this scope: `user`, `shared` or `global`.
pub(crate) fn limited(retry_after: f64, scope: &'static str) -> Reply {
    let global = scope == "global";
    let body =
        json!({ "message": "You are being rate limited.", "retry_after": retry_after, "global": global });
    // The header is whole seconds, the body is exact.
    let mut headers =
        vec![("retry-after", format!("{:.0}", retry_after.ceil())), ("x-ratelimit-scope", scope.to_owned())];
    if global {
        headers.push(("x-ratelimit-global", "true".to_owned()));
    } else {
        headers.extend([
            ("x-ratelimit-limit", "5".to_owned()),
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset-after", format!("{retry_after:.3}")),
        ]);
    }
    Reply { status: 429, body, headers }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_interaction_has_a_bucket_of_its_own_that_refills() {
        let mut limits = Limits::default();
        limits.switch_on();
        limits.rule("PATCH /webhooks/*", 1, Duration::from_secs(2));
        let mut over = |token: &str, at: u64| {
            let path = ["webhooks", "1", token, "messages", "@original"];
            let line = format!("PATCH /{}", path.join("/"));
            limits.count(&line, &path, at).map(|standing| (standing.remaining, standing.over))
        };
        assert_eq!(over("a", 1_000), Some((0, false)));
        assert_eq!(over("a", 2_999), Some((0, true)));
        assert_eq!(over("b", 2_999), Some((0, false)));
        assert_eq!(over("a", 3_000), Some((0, false)));
        assert_eq!(limits.refused(), 1);
    }

    #[test]
    fn callbacks_are_not_counted() {
        let mut limits = Limits::default();
        limits.switch_on();
        let path = ["interactions", "1", "token", "callback"];
        assert_eq!(limits.count("POST /interactions/1/token/callback", &path, 0), None);
    }
}
