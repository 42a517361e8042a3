//! `latchkey restore`: what an export holds, brought back.
//!
//! Owns how the file is read and opened; `report` what is said. Invariants: nothing is changed without `--yes`; what an old copy does
//! to sign-ins is said before it is done. Must not: judge what may come back (`latchkey::backup` does).

mod report;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use latchkey::backup::{self, Copy, Fate, Identities, Left, Plan, Wish};
use latchkey::clock::Clock;
use latchkey::secret::Secret;
use latchkey::store::{Document, Store};
use latchkey::tenant::{TenantKey, User};
use rustix::fs::{Mode, OFlags};

use self::report::Report;
use crate::exit::{Code, Exit};
use crate::{log, passphrase, setup, terminal};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --yes nothing is changed: you see what would come back, what is left out and why. That is also the way to test an \
export: it is opened and read whole.

What is missing here comes back. What is here stays, unless --replace says otherwise; and the newer tokens of a sign-in are never \
replaced by its older ones.

Examples:
  latchkey restore latchkey.age --identity backup.key          what would come back
  latchkey restore latchkey.age --identity backup.key --yes    does it
  latchkey restore latchkey.age --passphrase-file backup.pass --only claude/work --yes
  latchkey restore latchkey.age --identity backup.key --only codex --replace
  ssh backup cat latchkey.age | latchkey restore - --identity backup.key

A refresh token is good once. The bot that an export came from spends the tokens in it by refreshing, and from then on each of them \
is worse than none: whoever presents a spent one has a strict provider end the sign-in everywhere, for the holder of the newer \
token too. So restore where that bot is gone for good, or stop it for good first. Whatever was spent asks for a new sign-in at \
its first refresh.

A bot that runs here need not be stopped: it notices.")]
pub struct Arguments {
    /// What `latchkey export` wrote; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The identity file whose recipient it was exported to
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity: Option<PathBuf>,
    /// The file whose one line opens it
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Only this tenant, and nothing of threads and revocations; more than one may be named
    #[arg(long, value_name = "TENANT")]
    only: Vec<TenantKey>,
    /// Also replace sign-ins that are here, where that can be right
    #[arg(long)]
    replace: bool,
    /// Restore; without this, only show what would be done
    #[arg(long)]
    yes: bool,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let loaded = setup::load(config)?;
    let copy = Arc::new(read(arguments)?);
    known(&copy, &arguments.only)?;
    let now = Clock::system().now();
    let wish = Wish { only: arguments.only.clone(), replace: arguments.replace };
    // To open a store makes its folders.
    let is_asked_only = !arguments.yes && setup::is_without_store(&loaded.config);
    let store = if is_asked_only { None } else { Some(setup::open_store(&loaded.config)?) };
    log::start(log::ONE_SHOT);
    let held = store.as_ref().map_or_else(|| Ok(Arc::new(Document::empty())), |store| store.snapshot())?;
    let planned = backup::preview(&copy, &held, &wish, now);
    let here = held.store_id().map(str::to_owned);
    let report = Report { copy: &copy.header, here: here.as_deref(), is_whole: wish.only.is_empty(), now };
    let Some(store) = store.filter(|_| arguments.yes) else {
        terminal::print(&report.of_plan(&planned))?;
        return verdict(&planned);
    };
    // What it does to sign-ins is said before it is done.
    if let Some(warning) = report.warning(&planned) {
        log::note(&warning);
    }
    let by = User::Local(rustix::process::getuid().as_raw());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| Exit::new(Code::Internal, error))?;
    let done = runtime.block_on(backup::restore(&*store, &copy, &wish, &by, now)).map_err(|error| {
        let code = if error.store().is_passing() { Code::Transient } else { Code::Store };
        Exit::new(code, error)
    })?;
    terminal::print(&report.of_done(&done))?;
    verdict(&done)
}

/// The copy, opened.
fn read(arguments: &Arguments) -> Result<Copy, Exit> {
    let shown = arguments.file.display();
    let failed = |why: &dyn std::fmt::Display| {
        Exit::new(Code::Usage, format!("cannot restore from {shown}: {why}; nothing was changed"))
    };
    let bytes = bytes(&arguments.file).map_err(|why| failed(&why))?;
    let for_passphrase = backup::is_for_passphrase(&bytes).map_err(|error| failed(&error))?;
    let identities = match (&arguments.identity, &arguments.passphrase_file) {
        (Some(path), _) => {
            let text = passphrase::secret_file(path, "the identity")?;
            Identities::read(&text).map_err(|error| failed(&error))?
        }
        (None, Some(path)) => Identities::Passphrase(passphrase::of_file(path)?),
        (None, None) => match if for_passphrase { passphrase::ask()? } else { None } {
            Some(asked) => Identities::Passphrase(asked),
            None if for_passphrase => return Err(failed(&backup::CryptError::NeedsPassphrase)),
            None => return Err(failed(&backup::CryptError::NeedsIdentity)),
        },
    };
    let text: Secret = backup::open(&bytes, &identities).map_err(|error| failed(&error))?;
    drop(bytes);
    backup::read(&text).map_err(|error| failed(&error))
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let most = u64::try_from(backup::MOST_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let said = |error: std::io::Error| error.to_string();
    if path == Path::new("-") {
        std::io::stdin().lock().take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(said)?;
    } else {
        // A pipe without a writer would be waited for.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| said(error.into()))?;
        let file = File::from(file);
        if !file.metadata().map_err(said)?.is_file() {
            return Err("it is no ordinary file: name a file, or - for standard input".to_owned());
        }
        file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(said)?;
    }
    if bytes.len() > backup::MOST_BYTES {
        return Err(backup::CryptError::TooLarge.to_string());
    }
    Ok(bytes)
}

/// Whether the copy holds the tenants that are asked for.
fn known(copy: &Copy, only: &[TenantKey]) -> Result<(), Exit> {
    let tenants = || {
        copy.entries.raw_entries().filter(|entry| entry.section == "tenants").filter_map(|entry| entry.key)
    };
    let Some(unknown) = only.iter().find(|only| !tenants().any(|key| key == only.to_string())) else {
        return Ok(());
    };
    let held: Vec<_> = tenants().map(|key| key.escape_debug().to_string()).collect();
    let held = if held.is_empty() { "no tenant at all".to_owned() } else { held.join(", ") };
    Err(Exit::new(
        Code::Usage,
        format!("the export holds no {unknown}; it holds {held}; nothing was changed"),
    ))
}

/// Done, unless something that could not come back was wished for.
fn verdict(plan: &Plan) -> Result<(), Exit> {
    let left = || {
        plan.items.iter().filter_map(|item| match &item.fate {
            Fate::Left(left) => Some(left),
            _ => None,
        })
    };
    if left().any(|left| matches!(left, Left::Damaged(_) | Left::Unread | Left::Sealed)) {
        return Err(Exit::silent(Code::Store));
    }
    if left().any(|left| matches!(left, Left::Refused(_))) {
        return Err(Exit::silent(Code::Denied));
    }
    Ok(())
}
