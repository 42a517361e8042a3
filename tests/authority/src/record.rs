//! What reached the server: each request with its connection, and what became of it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::Endpoint;
use crate::incoming::Incoming;

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The endpoint it meant.
    pub endpoint: Endpoint,
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// When it had arrived whole, by the machine's clock.
    pub at: SystemTime,
    /// The parameters of the query, in order.
    pub query: Vec<(String, String)>,
    /// The parameters of the body (form-encoded, or the members of a JSON object), in order.
    pub form: Vec<(String, String)>,
    /// The headers, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The client's port. Two requests over one connection share it.
    pub peer_port: u16,
    /// The number of the connection, counted from the server's start; never used twice, unlike ports.
    pub connection: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is still being served.
    InFlight,
    /// It was answered.
    Answered {
        /// The status.
        status: u16,
        /// The error code of the answer, if it was an error.
        error: Option<String>,
    },
    /// The connection was closed without a whole answer.
    Closed,
}

impl Recorded {
    /// A parameter of the body.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A header, by lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The status of the answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.outcome {
            Outcome::Answered { status, .. } => Some(status),
            Outcome::InFlight | Outcome::Closed => None,
        }
    }

    /// The error code of the answer, if it was an error.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Answered { error, .. } => error.as_deref(),
            Outcome::InFlight | Outcome::Closed => None,
        }
    }
}

/// The requests so far, in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Record {
    requests: Vec<Recorded>,
    /// Requests forgotten by `clear`: the place of the first one kept.
    forgotten: usize,
}

impl Record {
    /// Enters an arrival and gives its place.
    pub fn arrived(&mut self, endpoint: Endpoint, from: &Incoming, peer_port: u16, connection: u64) -> usize {
        let headers = from.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        self.requests.push(Recorded {
            endpoint,
            method: from.method.clone(),
            path: from.path.clone(),
            at: SystemTime::now(),
            query: from.query.clone(),
            form: from.form.clone(),
            headers: headers.collect(),
            peer_port,
            connection,
            outcome: Outcome::InFlight,
        });
        self.forgotten + self.requests.len() - 1
    }

    pub fn ended(&mut self, place: usize, outcome: Outcome) {
        let request = place.checked_sub(self.forgotten).and_then(|at| self.requests.get_mut(at));
        if let Some(request) = request {
            request.outcome = outcome;
        }
    }

    pub fn all(&self) -> &[Recorded] {
        &self.requests
    }

    pub fn clear(&mut self) {
        self.forgotten += self.requests.len();
        self.requests.clear();
    }

    pub fn count(&self, endpoint: Endpoint, keep: impl Fn(&Recorded) -> bool) -> usize {
        self.requests.iter().filter(|request| request.endpoint == endpoint && keep(request)).count()
    }
}
