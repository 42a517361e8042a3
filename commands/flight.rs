//! `latchkey flight`: a refresh on behalf of `latchkey token`, in a session of its own.
//!
//! Owns the protection of a one-shot refresh: from the intent to the durable save, neither INT, TERM, HUP and QUIT nor
//! a closed pipe end it (G29). What it got it stores; to its parent it only reports, without any token. Hidden, since
//! nobody needs to call it.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;

use latchkey::gate::{Class, LOCK_WAIT, TokenError, Want};
use latchkey::secret::TokenHash;
use latchkey::store::StoreError;
use latchkey::tenant::TenantKey;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::{Code, Exit, code_of};
use crate::{log, setup};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    tenant: TenantKey,
    #[arg(long, value_name = "SECONDS")]
    min_valid: i64,
    #[arg(long, value_name = "HEX", value_parser = TokenHash::parse)]
    rejected_sha256: Option<TokenHash>,
    /// The version that the caller found: credential id and generation
    #[arg(long, value_name = "ID:GENERATION", value_parser = version)]
    arrived: Option<(String, u64)>,
}

fn version(text: &str) -> Result<(String, u64), String> {
    let (id, generation) = text.rsplit_once(':').ok_or("not <credential id>:<generation>")?;
    Ok((id.to_owned(), generation.parse().map_err(|_| "not <credential id>:<generation>")?))
}

/// What the parent is told.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Report {
    code: u8,
    message: Option<String>,
}

impl Report {
    /// Reads a report; `None` if the child broke off before it made one.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The parent's own end.
    pub fn into_result(self) -> Result<(), Exit> {
        match self.code {
            0 => Ok(()),
            code => Err(Exit { code: Code::of(code), message: self.message }),
        }
    }
}

impl From<Result<(), TokenError>> for Report {
    fn from(result: Result<(), TokenError>) -> Self {
        match result {
            Ok(()) => Self { code: 0, message: None },
            Err(error) => Self { code: code_of(error.class()) as u8, message: Some(error.to_string()) },
        }
    }
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    // Before anything is sent: signals to our parent's terminal or process group pass us by. It fails only for a
    // group leader, which is its own session's or the shell's job by itself.
    if let Err(error) = rustix::process::setsid() {
        tracing::debug!(%error, "no session of its own for this refresh");
    }
    let_no_reader_hold_us_up();
    log::start(log::ONE_SHOT);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Exit::new(Code::Internal, error))?;
    let report = match runtime.block_on(fly(config, arguments)) {
        Ok(()) => Report { code: 0, message: None },
        Err(exit) => Report { code: exit.code as u8, message: exit.message },
    };
    let text = serde_json::to_string(&report).map_err(|error| Exit::new(Code::Internal, error))?;
    // The parent may be gone; what matters is stored.
    drop(std::io::stdout().write_all(text.as_bytes()));
    Ok(())
}

/// Has a log that nobody reads any more lose lines, instead of stopping us with the lock in our hands once its pipe is full.
fn let_no_reader_hold_us_up() {
    let log = std::io::stderr();
    let is_pipe = rustix::fs::fstat(&log)
        .is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Fifo);
    if !is_pipe {
        return;
    }
    // The pipe's writing end is ours alone. Where its flags cannot be set, it stays as it was.
    if let Ok(flags) = rustix::fs::fcntl_getfl(&log) {
        let _ = rustix::fs::fcntl_setfl(&log, flags | rustix::fs::OFlags::NONBLOCK);
    }
}

/// What our parent has put in the place of standard input: the tenant's refresh lock. It leaves that place, so that the
/// lock is let go with the flight's end.
fn standard_input() -> Result<File, Exit> {
    let internal = |error: std::io::Error| Exit::new(Code::Internal, error);
    let given = std::io::stdin().as_fd().try_clone_to_owned().map_err(internal)?;
    let nothing = File::open("/dev/null").map_err(internal)?;
    rustix::stdio::dup2_stdin(&nothing).map_err(|error| internal(error.into()))?;
    Ok(File::from(given))
}

async fn fly(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    // Held for the life of the process: a signal that is handled does not end it.
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
    let _ignored = kinds
        .into_iter()
        .map(signal)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Exit::new(Code::Internal, error))?;
    let loaded = setup::load(config)?;
    log::configure(&loaded.config.log);
    let store = setup::open_store(&loaded.config)?;
    store.take_over_refresh_lock(&arguments.tenant, standard_input()?).map_err(StoreError::from)?;
    let broker = setup::broker(&loaded.config, store);
    let want = Want {
        min_valid: arguments.min_valid,
        rejected: arguments.rejected_sha256,
        arrived: arguments.arrived.clone(),
        ..Want::default()
    };
    // Our parent has the caller's deadline; ours is the gate's own bound, with room for a joined flight.
    let landed = broker.gate().token(&arguments.tenant, want, LOCK_WAIT * 2).await;
    // Whatever was sent is stored before this process ends, however late that is.
    broker.drain().await;
    landed.map(drop).map_err(|error| {
        if error.class() == Class::Bug {
            tracing::error!(%error, "a refresh failed");
        }
        error.into()
    })
}
