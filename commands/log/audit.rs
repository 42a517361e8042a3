//! Audit lines as JSON: one object, one line, one event.
//!
//! Owns their shape, which is a contract (docs/operations.md): `time` first, in UTC (RFC 3339), then `event`, the stable word, then the
//! fields that this event has. Must not: choose what is told; `latchkey::audit` does.

use std::fmt::Debug;
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::sink;

/// Has every audit event written to where the configuration says.
pub struct Trail;

impl<S: Subscriber> Layer<S> for Trail {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if sink::is_there() {
            sink::write(line(event, SystemTime::now()));
        }
    }
}

/// The line of `event`, with its end.
pub fn line(event: &Event<'_>, time: SystemTime) -> String {
    let time = humantime::format_rfc3339_millis(time);
    let mut object = Object(format!("{{\"time\":\"{time}\",\"event\":\"{}\"", event.metadata().name()));
    event.record(&mut object);
    object.0 + "}\n"
}

struct Object(String);

impl Object {
    fn put(&mut self, field: &Field, value: &serde_json::Value) {
        // The text for people says what the word says.
        if field.name() != "message" {
            let name = serde_json::Value::from(field.name());
            self.0.extend([",", &name.to_string(), ":", &value.to_string()]);
        }
    }
}

impl Visit for Object {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, &value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, &value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, &value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, &value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, &format!("{value:?}").into());
    }
}
