//! What is logged, and where to.
//!
//! Owns the filter. Invariant: no setting lets the libraries below us log beneath `warn`: serenity's spans hold whole
//! events and the WebSocket's trace holds whole frames, interaction tokens and modal texts among them (Z1). Standard
//! output is for data; the log goes to standard error.

use std::io::Write;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::terminal;

/// The variable that sets the filter.
const VARIABLE: &str = "LATCHKEY_LOG";

/// The filter of the bot.
pub const BOT: &str = "info,serenity=warn";
/// The filter of one-shot commands.
pub const ONE_SHOT: &str = "warn";

/// The filter of either under `--quiet`.
const QUIET: &str = "error";

/// Starts logging with `default`, unless the environment says otherwise.
pub fn start(default: &str) {
    let default = if terminal::is_quiet() { QUIET } else { default };
    let wanted = std::env::var(VARIABLE).ok().filter(|text| !text.trim().is_empty());
    let filter = match wanted.as_deref().map(EnvFilter::try_new) {
        Some(Ok(filter)) => filter,
        Some(Err(error)) => {
            say(&format!("{VARIABLE} is not a log filter ({error}); using {default:?}"));
            EnvFilter::new(default)
        }
        None => EnvFilter::new(default),
    };
    let ours = filter_fn(|metadata| {
        metadata.target().starts_with("latchkey") || *metadata.level() <= tracing::Level::WARN
    });
    // A log that nobody reads any more must not end a refresh: by default a failed write is itself reported there, and
    // that panics.
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(terminal::are_errors_coloured())
        .log_internal_errors(false)
        .with_filter(filter.and(ours));
    tracing_subscriber::registry().with(layer).init();
}

/// Says one line to whoever watches standard error, unless they want quiet.
pub fn say(line: &str) {
    if terminal::is_quiet() {
        return;
    }
    note(&format!("latchkey: {line}"));
}

/// The same, without our name before it. That nobody watches must end nothing, so a closed pipe is passed over.
pub fn note(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
