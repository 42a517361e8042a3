//! Faults that a test queues up: the next requests to an endpoint meet them, one each, in order.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde_json::json;

use crate::Endpoint;
use crate::reply::Reply;

/// What happens to one request in place of the ordinary answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This reply; the request changes nothing.
    Reply(Canned),
    /// The request takes effect, but this reply leaves (a 502 after the rotation, say).
    ReplyAfter(Canned),
    /// The connection is closed; the request changes nothing.
    CloseBefore,
    /// The request takes effect (the token is rotated), then the connection is closed without a reply.
    CloseAfter,
    /// The request takes effect; this many bytes of the body leave, then the connection is closed.
    CutBody(usize),
    /// The request takes effect; the body leaves one byte at a time.
    Dribble {
        /// The pause between two bytes.
        every: Duration,
    },
    /// The ordinary answer, this much later.
    Delay(Duration),
    /// The ordinary answer. Queue it to let a request through between two faults.
    Pass,
}

/// A reply made up by the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canned {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Canned {
    /// A reply with this status, content type and body.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".into(), content_type.into())], body: body.into() }
    }

    /// A JSON body.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// An error as RFC 6749, section 5.2, spells it. With status 200 it is the lie some servers tell.
    #[must_use]
    pub fn error(status: u16, code: &str, description: &str) -> Self {
        Self::json(status, &json!({"error": code, "error_description": description}))
    }

    /// An error page in HTML, as a proxy makes them.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::new(status, "text/html", format!("<html><body><h1>{status} from the proxy</h1></body></html>"))
    }

    /// No body and no content type.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        Self::new(status, "text/plain", body)
    }

    /// A form-encoded body.
    #[must_use]
    pub fn form(status: u16, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self::new(status, "application/x-www-form-urlencoded", body)
    }

    /// A JSON body of this many bytes, well formed, with an access token in it.
    #[must_use]
    pub fn oversized(bytes: usize) -> Self {
        let filler = "x".repeat(bytes.saturating_sub(64));
        Self::json(200, &json!({"access_token": "at-oversized", "filler": filler}))
    }

    /// A redirect elsewhere.
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::empty(status).with_header("location", location)
    }

    /// The same reply with a header more (`Retry-After`, say).
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn into_reply(self) -> Reply {
        let error = serde_json::from_slice::<serde_json::Value>(&self.body)
            .ok()
            .and_then(|body| body.get("error")?.as_str().map(str::to_owned));
        Reply { status: self.status, headers: self.headers, body: self.body, error }
    }
}

/// The faults still to come, per endpoint.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    queues: HashMap<Endpoint, VecDeque<Fault>>,
}

impl Faults {
    pub fn push(&mut self, endpoint: Endpoint, times: usize, fault: &Fault) {
        let queue = self.queues.entry(endpoint).or_default();
        queue.extend(std::iter::repeat_n(fault.clone(), times));
    }

    pub fn next(&mut self, endpoint: Endpoint) -> Fault {
        self.queues.get_mut(&endpoint).and_then(VecDeque::pop_front).unwrap_or(Fault::Pass)
    }

    pub fn clear(&mut self) {
        self.queues.clear();
    }
}
