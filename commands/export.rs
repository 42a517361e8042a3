//! `latchkey export`: all that is stored, encrypted, in one file.
//!
//! Owns where it is written and what is said of it. Invariants: nothing leaves unencrypted, and nothing goes to a terminal; the file
//! is 0600 and whole, or not there; an earlier one is not replaced unless asked for; no lock is taken, so that a running bot goes
//! on. Must not: know the format (`latchkey::backup` does).

use std::fmt::Write as _;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use latchkey::audit;
use latchkey::backup::{self, Header, Openers};
use latchkey::clock::Clock;
use latchkey::store::Store;
use latchkey::tenant::User;

use crate::exit::{Code, Exit};
use crate::{log, passphrase, setup, terminal};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
It works beside a running bot, takes no lock and asks no provider. The file holds every sign-in, what threads are bound to, \
and the revocations that are owed. Logins under way are left out: they are good for minutes.

It is an ordinary age file (age-encryption.org). Whoever can open it has every sign-in: keep what opens it apart from it, \
and apart from this host.

Examples:
  latchkey export --make-identity backup.key        once; prints the recipient, age1…
  latchkey export --to age1… --output latchkey.age
  latchkey export --to age1… --to age1… > latchkey.age
  latchkey export --passphrase-file /etc/latchkey/backup.pass --output latchkey.age --force
  latchkey export --output latchkey.age             asks for a passphrase
  latchkey restore latchkey.age --identity backup.key     what would come back; changes nothing

An old export is no way back in time: its refresh tokens are spent as soon as the bot has refreshed once more. It is for the \
day that the host is lost. Make one often, and see `latchkey help restore`.")]
pub struct Arguments {
    /// Who can open it: a recipient (age1…); more than one may be named
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "passphrase_file")]
    to: Vec<String>,
    /// The file whose one line opens it
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Where to write it; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// Make an identity that can open exports, in this new file, and print its recipient; nothing is exported
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "passphrase_file", "output", "force"])]
    make_identity: Option<PathBuf>,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    if let Some(path) = &arguments.make_identity {
        return make_identity(path);
    }
    let output = Some(arguments.output.as_path()).filter(|path| *path != Path::new("-"));
    // Before anybody is asked for anything.
    refuse_early(output, arguments.force)?;
    for name in &arguments.to {
        backup::recipient(name).map_err(|error| Exit::new(Code::Usage, error))?;
    }
    let loaded = setup::load(config)?;
    let path = &loaded.config.store.path;
    if setup::is_without_store(&loaded.config) {
        let text = format!(
            "there is no store at {}, so there is nothing to export: correct path under [store]",
            path.display()
        );
        return Err(Exit::new(Code::Usage, text));
    }
    let store = setup::open_store(&loaded.config)?;
    if let Some(own) = output.filter(|output| store.is_part(output)) {
        let text = format!("{} is part of the store itself: write the export elsewhere", own.display());
        return Err(Exit::new(Code::Usage, text));
    }
    log::start(log::ONE_SHOT);
    let openers = openers(arguments)?;
    let document = store.snapshot()?;
    let usage = |error: &dyn std::fmt::Display| Exit::new(Code::Usage, error);
    let (header, text) = backup::print(&document, Clock::system().now()).map_err(|error| usage(&error))?;
    let bytes = backup::encrypt(&text, &openers).map_err(|error| usage(&error))?;
    match output {
        Some(path) => put(path, &bytes, arguments.force)?,
        None => to_standard_output(&bytes)?,
    }
    audit::exported(&User::Local(rustix::process::getuid().as_raw()), header.counts.tenants);
    let unopened = document.unopened();
    let is_unopened = |section: &str, key: &str| unopened.contains(&(section, key));
    let damaged = document.damaged();
    let damaged = damaged.iter().filter(|e| e.section != "pending" && !is_unopened(e.section, &e.key));
    log::say(&said(&header, output, damaged.count()));
    if unopened.is_empty() { Ok(()) } else { Err(still_sealed(&unopened)) }
}

/// The export is written, and not all of it can ever be used.
fn still_sealed(unopened: &[(&str, &str)]) -> Exit {
    let tenants = unopened.iter().filter(|(section, _)| *section == "tenants");
    let mut names: Vec<_> = tenants.map(|(_, key)| key.escape_debug().to_string()).collect();
    let owed = unopened.len() - names.len();
    if owed > 0 {
        names.push(format!("owed revocations: {owed}"));
    }
    Exit::new(
        Code::Store,
        format!(
            "not everything that is sealed opens with the keys that are here, and what does not is of no use in the export ({}): put \
             the key back (`latchkey seal status` names it) and export again, or remove it with `latchkey logout TENANT`",
            names.join(", ")
        ),
    )
}

fn refuse_early(output: Option<&Path>, force: bool) -> Result<(), Exit> {
    let usage = |text: String| Err(Exit::new(Code::Usage, text));
    match output {
        None if std::io::stdout().is_terminal() => usage(
            "an export is no text for a terminal: name a file with --output, as in --output latchkey.age"
                .to_owned(),
        ),
        Some(path) if !force && path.symlink_metadata().is_ok() => usage(taken(path)),
        _ => Ok(()),
    }
}

fn taken(path: &Path) -> String {
    format!("{} is there already: choose another name, or replace it with --force", path.display())
}

fn openers(arguments: &Arguments) -> Result<Openers, Exit> {
    if !arguments.to.is_empty() {
        return Ok(Openers::Recipients(arguments.to.clone()));
    }
    let passphrase = match &arguments.passphrase_file {
        Some(path) => Some(passphrase::of_file(path)?),
        None => passphrase::ask_new()?,
    };
    passphrase.map(Openers::Passphrase).ok_or_else(|| {
        Exit::new(
            Code::Usage,
            "nobody is named who could open the export: use --to RECIPIENT or --passphrase-file FILE \
             (`latchkey export --make-identity FILE` makes a recipient)",
        )
    })
}

fn make_identity(path: &Path) -> Result<(), Exit> {
    let (text, recipient) = backup::make_identity();
    put(path, text.expose().as_bytes(), false)?;
    log::say(&format!(
        "{} opens every export that is made for the recipient below: keep it where this host's disk is not, and never beside an export",
        path.display()
    ));
    terminal::print(&recipient)
}

/// Puts `bytes` at `path`: 0600, whole and durable, or not at all.
fn put(path: &Path, bytes: &[u8], force: bool) -> Result<(), Exit> {
    let failed = |error: &std::io::Error| {
        Exit::new(
            Code::Internal,
            format!("cannot write {}: {error}; nothing was changed there", path.display()),
        )
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".latchkey-export-").permissions(PermissionsExt::from_mode(0o600));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    let file = written().map_err(|error| failed(&error))?;
    let named = if force { file.persist(path) } else { file.persist_noclobber(path) };
    named.map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => Exit::new(Code::Usage, taken(path)),
        _ => failed(&error.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| {
        let text = format!(
            "{} is written, and may be lost if the power fails now: {error}; check this disk, and write it again",
            path.display()
        );
        Exit::new(Code::Internal, text)
    })
}

fn to_standard_output(bytes: &[u8]) -> Result<(), Exit> {
    let mut output = std::io::stdout().lock();
    // A backup that its reader has not read whole is none, so that a reader who has left is an error here.
    output.write_all(bytes).and_then(|()| output.flush()).map_err(|error| terminal::unwritten(&error))
}

fn said(header: &Header, output: Option<&Path>, damaged: usize) -> String {
    let place = output.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
    let counts = header.counts;
    let count =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let mut text = format!(
        "exported to {place}: {}, {}, {}",
        count(counts.tenants, "tenant", "tenants"),
        count(counts.threads, "thread", "threads"),
        count(counts.revocations, "owed revocation", "owed revocations"),
    );
    if damaged > 0 {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "; {} cannot be understood here and went along as it stands (see `latchkey check`)",
            count(damaged, "entry", "entries")
        );
    }
    text
}
