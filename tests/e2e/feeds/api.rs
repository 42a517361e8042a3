//! The one server that codex and Claude Code can reach: as much of their models' interfaces as one answer needs.
//!
//! Owns the record of what it was asked. It is their proxy too, and lets nothing through.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

type Judge = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// A request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its path; of a proxy's, the host.
    pub path: String,
    /// The token that it was made with.
    pub bearer: String,
    /// What it brought.
    pub body: String,
}

/// A running server. It ends with the test's runtime.
pub struct Api {
    origin: String,
    inner: Arc<Inner>,
}

struct Inner {
    calls: Mutex<Vec<Call>>,
    accepts: Judge,
    /// A question to the model is held up until this holds of its token; the first one only.
    hold: Mutex<Option<Judge>>,
}

impl Api {
    /// A server that answers whose token `accepts` takes.
    pub async fn start(accepts: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        let inner =
            Arc::new(Inner { calls: Mutex::default(), accepts: Arc::new(accepts), hold: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { origin, inner }
    }

    pub fn origin(&self) -> String {
        self.origin.clone()
    }

    pub fn calls(&self) -> Vec<Call> {
        self.inner.calls.lock().unwrap().clone()
    }

    /// Holds the next question up until `is_over` holds of its token.
    pub fn hold_until(&self, is_over: impl Fn(&str) -> bool + Send + Sync + 'static) {
        *self.inner.hold.lock().unwrap() = Some(Arc::new(is_over));
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bearer = bearer.trim_start_matches("Bearer ").to_owned();
    let path = if method == Method::CONNECT { uri.to_string() } else { uri.path().to_owned() };
    let body = String::from_utf8_lossy(&body).into_owned();
    inner.calls.lock().unwrap().push(Call { path: path.clone(), bearer: bearer.clone(), body });
    let events = match path.as_str() {
        "/v1/responses" => responses(),
        "/v1/messages" => messages(),
        "/oauth/token" => {
            return (StatusCode::BAD_REQUEST, "{\"error\": \"invalid_grant\"}").into_response();
        }
        _ => return (StatusCode::NOT_FOUND, "{}").into_response(),
    };
    let hold = inner.hold.lock().unwrap().take();
    if let Some(is_over) = hold {
        while !is_over(&bearer) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    if !(inner.accepts)(&bearer) {
        let error = json!({"type": "error", "error": {"type": "authentication_error", "message": "the token has ended"}});
        return (StatusCode::UNAUTHORIZED, error.to_string()).into_response();
    }
    let event =
        |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default());
    let text = events.iter().map(event).collect::<Vec<_>>().concat();
    ([(header::CONTENT_TYPE, "text/event-stream")], text).into_response()
}

/// The answer "pong", as codex reads it.
fn responses() -> Vec<Value> {
    let content = json!([{"type": "output_text", "text": "pong"}]);
    let usage = json!({"input_tokens": 1, "output_tokens": 1, "total_tokens": 2});
    vec![
        json!({"type": "response.created", "response": {"id": "r"}}),
        json!({"type": "response.output_item.done",
            "item": {"type": "message", "role": "assistant", "id": "m", "content": content}}),
        json!({"type": "response.completed", "response": {"id": "r", "usage": usage}}),
    ]
}

/// The same, as Claude Code reads it.
fn messages() -> Vec<Value> {
    let usage = json!({"input_tokens": 1, "output_tokens": 1});
    let message = json!({"id": "m", "type": "message", "role": "assistant", "model": "test", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage});
    vec![
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "pong"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}),
        json!({"type": "message_stop"}),
    ]
}
