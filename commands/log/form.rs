//! How a line of the log looks: for people, or one JSON object.
//!
//! Owns the choice, which may come after the log has begun. Must not: add or leave out anything of an event.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use latchkey::config::LogFormat;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Full, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

static IS_JSON: AtomicBool = AtomicBool::new(false);

/// From here on lines look like this.
pub fn set(form: LogFormat) {
    IS_JSON.store(form == LogFormat::Json, Ordering::Relaxed);
}

/// How they look.
pub fn get() -> LogFormat {
    if IS_JSON.load(Ordering::Relaxed) { LogFormat::Json } else { LogFormat::Plain }
}

/// A line that is no event, in the form of one.
pub fn line(level: &str, message: &str) -> String {
    // The log's own time, as its other lines have it: nothing is decided by it.
    let time = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
    serde_json::json!({ "timestamp": time, "level": level, "message": message, "target": "latchkey" })
        .to_string()
}

/// Writes events in the form of the moment.
pub struct Form {
    plain: Format<Full>,
    json: Format<Json>,
}

impl Default for Form {
    fn default() -> Self {
        let format = tracing_subscriber::fmt::format();
        // Spans are left out: those of others may hold anything, and we have none.
        let json = format.clone().json().flatten_event(true).with_current_span(false).with_span_list(false);
        Self { plain: format, json }
    }
}

impl<S, N> FormatEvent<S, N> for Form
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        match get() {
            LogFormat::Plain => self.plain.format_event(context, writer, event),
            LogFormat::Json => self.json.format_event(context, writer, event),
        }
    }
}
