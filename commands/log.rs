//! What is logged, and where to.
//!
//! Owns the filter, the two forms of a line and the way of audit lines. Invariant: no setting lets the libraries below us log
//! beneath `warn`: serenity's spans hold whole events and the WebSocket's trace holds whole frames, interaction tokens and
//! modal texts among them (Z1). Standard output is for data; the log goes to standard error. It begins before the configuration
//! is read, plain unless the environment says otherwise; [`configure`] tells it the rest.

mod audit;
mod form;
pub mod sink;

use std::io::Write;

use latchkey::config::{AuditSink, LogConfig, LogFormat};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{EnvFilter, FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use self::sink::{AuditError, finish, reopen};
use crate::terminal;

/// The variable that sets the filter.
const VARIABLE: &str = "LATCHKEY_LOG";
/// The variable that sets the form of a line, and outranks the configuration.
const FORM_VARIABLE: &str = "LATCHKEY_LOG_FORMAT";

/// The filter of the bot.
pub const BOT: &str = "info,serenity=warn";
/// The filter of one-shot commands.
pub const ONE_SHOT: &str = "warn";

/// The filter of either under `--quiet`.
const QUIET: &str = "error";

/// Starts logging with `default`, unless the environment says otherwise.
pub fn start(default: &str) {
    let form = wanted_form();
    form::set(form.unwrap_or(LogFormat::Plain));
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
        .event_format(form::Form::default())
        .with_filter(filter.and(ours));
    // Whatever is logged, the audit trail is whole.
    let trail = filter_fn(|metadata| metadata.target() == latchkey::audit::TARGET)
        .with_max_level_hint(LevelFilter::INFO);
    tracing_subscriber::registry().with(layer).with(audit::Trail.with_filter(trail)).init();
    tell_panics();
}

/// What the environment says of the form.
fn wanted_form() -> Option<LogFormat> {
    let word = std::env::var(FORM_VARIABLE).ok().filter(|word| !word.trim().is_empty())?;
    match word.trim() {
        "plain" => Some(LogFormat::Plain),
        "json" => Some(LogFormat::Json),
        other => {
            say(&format!(
                "{FORM_VARIABLE} is {other:?}, and can be \"plain\" or \"json\"; it is passed over"
            ));
            None
        }
    }
}

/// Goes on as the configuration says, in the bot. It does not begin without the audit trail that is asked for.
///
/// # Errors
/// When audit lines cannot go where they should.
pub fn configure_bot(config: &LogConfig) -> Result<(), AuditError> {
    match &config.audit {
        None => sink::to_nowhere(),
        Some(AuditSink::StandardOutput) => sink::to_standard_output()?,
        Some(AuditSink::File(path)) => sink::to_file(path)?,
    }
    take_form(config);
    Ok(())
}

/// Has a panic be a line of the log like any other, where the log is for programs.
fn tell_panics() {
    let plain = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| match form::get() {
        LogFormat::Plain => plain(panic),
        LogFormat::Json => complain(&panic.to_string()),
    }));
}

/// Goes on as the configuration that was read anew says. A file that stays is opened again by its path, as after a rotation.
///
/// # Errors
/// When audit lines cannot go where they should: then they go where they went.
pub fn configure_again(config: &LogConfig, before: &LogConfig) -> Result<(), AuditError> {
    if config.audit == before.audit {
        sink::reopen()?;
        take_form(config);
        return Ok(());
    }
    configure_bot(config)
}

/// The same in a one-shot command: standard output is for its data, and what it has to do waits for no log.
pub fn configure(config: &LogConfig) {
    take_form(config);
    if let Some(AuditSink::File(path)) = &config.audit
        && let Err(error) = sink::to_file(path)
    {
        complain(&format!("{error}. What is done now is not in it"));
    }
}

fn take_form(config: &LogConfig) {
    if wanted_form().is_none() {
        form::set(config.format);
    }
}

/// Says one line to whoever watches standard error, unless they want quiet.
pub fn say(line: &str) {
    if terminal::is_quiet() {
        return;
    }
    match form::get() {
        LogFormat::Plain => note(&format!("latchkey: {line}")),
        LogFormat::Json => note(&form::line("INFO", line)),
    }
}

/// Says that something failed, also to those who want quiet.
pub fn complain(line: &str) {
    match form::get() {
        LogFormat::Plain => note(&format!("latchkey: {line}")),
        LogFormat::Json => note(&form::line("ERROR", line)),
    }
}

/// The same, without our name before it. That nobody watches must end nothing, so a closed pipe is passed over.
pub fn note(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
