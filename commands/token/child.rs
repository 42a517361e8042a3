//! A refresh in a child of ours (G29).
//!
//! Owns the start of `latchkey flight` and the wait for its report. Invariants: nothing is exchanged in this process; the lock is the
//! child's alone once it runs. Must not: print; what the child logs is passed on and nothing more.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use latchkey::gate::Want;
use latchkey::store::KernelLock;
use latchkey::tenant::TenantKey;

use crate::exit::{Code, Exit};
use crate::flight::Report;

/// How long what a refresh has logged may take to be passed on.
const LOG_WAIT: Duration = Duration::from_secs(1);

/// Has a child of ours refresh under the lock that we hand to it. `None` if nothing was `left` before its report came; it goes on.
pub fn fly(
    config: &Path,
    tenant: &TenantKey,
    want: &Want,
    lock: KernelLock,
    left: impl Fn() -> Duration,
) -> Result<Option<()>, Exit> {
    let internal =
        |error: std::io::Error| Exit::new(Code::Internal, format!("cannot start a refresh: {error}"));
    let mut command = Command::new(std::env::current_exe().map_err(internal)?);
    command.arg("--config").arg(config).arg("flight").arg(tenant.to_string());
    command.args(["--min-valid", &want.min_valid.to_string()]);
    if let Some(rejected) = want.rejected {
        command.args(["--rejected-sha256", &rejected.to_string()]);
    }
    if let Some((id, generation)) = &want.arrived {
        command.arg(format!("--arrived={id}:{generation}"));
    }
    // Its standard error comes through us: were it ours, whoever reads ours would wait for it when we have left.
    command.stdin(lock.into_file()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(internal)?;
    // The lock is the child's alone from here on: when it dies, the kernel frees it (G12).
    drop(command);
    let (Some(mut output), Some(mut log)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Exit::new(Code::Internal, "a refresh has no output"));
    };
    let (copied, log_ended) = mpsc::channel();
    std::thread::spawn(move || {
        // That it could not be passed on changes nothing.
        drop(std::io::copy(&mut log, &mut std::io::stderr()));
        let _ = copied.send(());
    });
    let (done, report) = mpsc::channel();
    // Ends with the child's output; if we end before, it ends with us.
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = output.read_to_string(&mut text);
        // We may have stopped waiting.
        drop(done.send(read.map(|_| text)));
    });
    let Ok(text) = report.recv_timeout(left()) else { return Ok(None) };
    let ended = child.wait().map_err(internal)?;
    // It has ended, so its log has too. Whoever does not read ours is not waited for.
    let _ = log_ended.recv_timeout(left().min(LOG_WAIT));
    let broke_off = || Exit::new(Code::Internal, format!("the refresh of {tenant} broke off ({ended})"));
    Report::read(&text.map_err(internal)?).ok_or_else(broke_off)?.into_result().map(Some)
}
