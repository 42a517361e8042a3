//! What an endpoint answers, before it becomes bytes on a connection.

use serde_json::{Value, json};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The error code, for the record.
    pub error: Option<String>,
}

impl Reply {
    pub fn json(status: u16, value: &Value) -> Self {
        Self::with_type(status, "application/json", value.to_string())
            .header("cache-control", "no-store")
            .header("pragma", "no-cache")
    }

    pub fn form(status: u16, value: &Value) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in value.as_object().into_iter().flatten() {
            match value {
                Value::String(text) => body.append_pair(name, text),
                other => body.append_pair(name, &other.to_string()),
            };
        }
        Self::with_type(status, "application/x-www-form-urlencoded", body.finish())
            .header("cache-control", "no-store")
    }

    /// A page that is not stored, not framed, sends no referrer and loads nothing.
    pub fn page(status: u16, html: String) -> Self {
        Self::with_type(status, "text/html; charset=utf-8", html)
            .header("cache-control", "no-store")
            .header("referrer-policy", "no-referrer")
            .header("x-content-type-options", "nosniff")
            .header(
                "content-security-policy",
                "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
            )
    }

    /// An error as RFC 6749, section 5.2, spells it.
    pub fn error(status: u16, code: &str, description: &str) -> Self {
        Self::json(status, &json!({"error": code, "error_description": description})).named(code)
    }

    pub fn redirect(location: &str) -> Self {
        Self::with_type(303, "text/plain", String::new())
            .header("location", location)
            .header("cache-control", "no-store")
            .header("referrer-policy", "no-referrer")
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), error: None }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same reply, entered into the record under this error code.
    pub fn named(mut self, code: &str) -> Self {
        self.error = Some(code.into());
        self
    }

    fn with_type(status: u16, kind: &str, body: String) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), kind.into())],
            body: body.into_bytes(),
            error: None,
        }
    }
}
