//! What a route answers: a reply, or a refusal in the shape of Discord's error JSON.
//!
//! A refusal says by itself whether it is the bot's fault; only then it becomes a violation.

use serde_json::{Map, Value, json};

/// An answer that is no error.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// `Null` for an answer without a body.
    pub(crate) body: Value,
    /// Rate limits, as headers.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Reply {
    /// 200 with a body.
    pub(crate) fn json(body: Value) -> Self {
        Self { status: 200, body, headers: Vec::new() }
    }

    /// 204.
    pub(crate) fn empty() -> Self {
        Self { status: 204, body: Value::Null, headers: Vec::new() }
    }
}

/// An error answer.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Discord's JSON error code.
    pub(crate) code: u32,
    pub(crate) message: String,
    /// For code 50035: where in the body, and what is wrong.
    pub(crate) problems: Vec<Problem>,
    /// Set when the bot broke a rule: why, in plain words.
    pub(crate) violation: Option<String>,
}

/// One thing wrong in a request body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Dotted path into the body: `embeds.0.title`; empty for the body itself.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Refusal {
    /// A refusal that a well-behaved bot may meet.
    pub(crate) fn new(status: u16, code: u32, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), problems: Vec::new(), violation: None }
    }

    /// Marks it as the bot's fault.
    #[must_use]
    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        self.violation = Some(why.into());
        self
    }

    /// 50035, or 50006 for an empty message; always the bot's fault.
    pub(crate) fn invalid_form(problems: Vec<Problem>) -> Self {
        let why = problems
            .iter()
            .map(|p| if p.path.is_empty() { p.text.clone() } else { format!("{}: {}", p.path, p.text) })
            .collect::<Vec<_>>()
            .join("; ");
        Self {
            status: 400,
            code: 50035,
            message: "Invalid Form Body".to_owned(),
            problems,
            violation: Some(why),
        }
    }

    /// 404 with the code of something unknown.
    pub(crate) fn unknown(code: u32, what: &str) -> Self {
        Self::new(404, code, &format!("Unknown {what}"))
    }

    /// The answer as sent.
    pub(crate) fn to_reply(&self) -> Reply {
        let mut body = json!({ "message": self.message, "code": self.code });
        if !self.problems.is_empty() {
            body["errors"] = nested(&self.problems);
        }
        Reply { status: self.status, body, headers: Vec::new() }
    }
}

fn nested(problems: &[Problem]) -> Value {
    let mut root = Value::Object(Map::new());
    for problem in problems {
        let mut at = &mut root;
        for part in problem.path.split('.').filter(|part| !part.is_empty()) {
            if !at[part].is_object() {
                at[part] = json!({});
            }
            at = &mut at[part];
        }
        let error = json!({ "code": "INVALID", "message": problem.text });
        match at["_errors"].as_array_mut() {
            Some(list) => list.push(error),
            None => at["_errors"] = json!([error]),
        }
    }
    root
}
