//! A request as the endpoints see it: read whole, parsed once, never cut.

use axum::body::{Bytes, to_bytes};
use axum::http::{HeaderMap, Request, header};

/// Request bodies over this many bytes are refused.
const BODY_LIMIT: usize = 1 << 20;

/// A request, read and parsed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incoming {
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    /// Parameters of the query, in order, duplicates kept.
    pub query: Vec<(String, String)>,
    /// Parameters of the body: form-encoded, or the members of a JSON object.
    pub form: Vec<(String, String)>,
    pub body: BodyKind,
}

/// How the body was encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyKind {
    #[default]
    Empty,
    Form,
    Json,
    Unreadable,
}

impl Incoming {
    pub async fn read(request: Request<axum::body::Body>) -> Self {
        let (parts, body) = request.into_parts();
        let query = pairs(parts.uri.query().unwrap_or_default().as_bytes());
        let (form, body) = match to_bytes(body, BODY_LIMIT).await {
            Ok(bytes) => read_body(&parts.headers, &bytes),
            Err(_) => (Vec::new(), BodyKind::Unreadable),
        };
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            headers: parts.headers,
            query,
            form,
            body,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A parameter of the body; blank is absent (RFC 6749, section 3.2).
    pub fn field(&self, name: &str) -> Option<&str> {
        first(&self.form, name)
    }

    /// A parameter of the query; blank is absent.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    /// The name of a parameter that was sent twice.
    pub fn duplicate(pairs: &[(String, String)]) -> Option<&str> {
        pairs
            .iter()
            .enumerate()
            .find(|(at, (name, _))| {
                !name.starts_with("resource") && pairs[..*at].iter().any(|(seen, _)| seen == name)
            })
            .map(|(_, (name, _))| name.as_str())
    }
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
}

fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

fn read_body(headers: &HeaderMap, bytes: &Bytes) -> (Vec<(String, String)>, BodyKind) {
    if bytes.is_empty() {
        return (Vec::new(), BodyKind::Empty);
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/x-www-form-urlencoded" => (pairs(bytes), BodyKind::Form),
        "application/json" => match serde_json::from_slice::<serde_json::Value>(bytes) {
            Ok(serde_json::Value::Object(members)) => {
                let fields = members.into_iter().map(|(name, value)| match value {
                    serde_json::Value::String(text) => (name, text),
                    other => (name, other.to_string()),
                });
                (fields.collect(), BodyKind::Json)
            }
            _ => (Vec::new(), BodyKind::Unreadable),
        },
        _ => (Vec::new(), BodyKind::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_sent_twice_is_noticed() {
        assert_eq!(Incoming::duplicate(&pairs(b"a=1&b=2&a=3")), Some("a"));
        assert_eq!(Incoming::duplicate(&pairs(b"resource=1&resource=2")), None);
    }
}
