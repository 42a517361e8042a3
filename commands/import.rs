//! `latchkey import`: the sign-ins that another program keeps, taken over.
//!
//! Owns the report of what would be, or was, imported, and the warning that goes with it; `take.rs` changes the other
//! program's file, where that is wished. Invariants: nothing is changed without `--yes`; no secret is printed; what comes out of a file is escaped before it is shown.

mod take;

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;
use latchkey::broker::{ImportFate, ImportItem, ImportWish};
use latchkey::clock::{Clock, UnixSeconds};
use latchkey::credential::Objection;
use latchkey::import::{Content, Found, MOST_BYTES, Program};
use latchkey::secret::Secret;
use latchkey::tenant::{User, UserId};
use rustix::fs::{Mode, OFlags};

use crate::exit::{Code, Exit};
use crate::{log, setup, terminal};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --yes nothing is changed: you see what would be imported, to which tenant, of which account, and what is left \
out and why. A sign-in goes to its provider's shared tenant (share = \"guild\"), or to a member's own (--user).

Examples:
  latchkey import codex                 what would become of ~/.codex/auth.json
  latchkey import codex --yes           does it
  latchkey import codex --take --yes    and blanks the refresh token there
  latchkey import claude --user 80351110224678912 --yes
  latchkey import hermes /srv/hermes/auth.json

The usual files: ~/.codex/auth.json, ~/.claude/.credentials.json, ~/.hermes/auth.json, ~/.openab/agent/auth.json.

A refresh token is good for one owner. Once it is imported, the other program must not use its file any more: whichever \
of the two refreshes second presents a spent token, and the provider ends the sign-in for both. Stop the program first. \
Then move the file away, or have --take blank the refresh tokens in it (do not log out there: that may end the sign-in \
here too), and let the program take its tokens from `latchkey token`.")]
pub struct Arguments {
    /// Whose file it is
    #[arg(value_enum, value_name = "PROGRAM")]
    program: Name,
    /// The file, if it is not in its usual place
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The Discord user whose own sign-ins these become
    #[arg(long, value_name = "ID")]
    user: Option<UserId>,
    /// Also blank, in the file, the refresh tokens that were imported; a copy of it is kept beside it
    #[arg(long)]
    take: bool,
    /// Import; without this, only show what would be done
    #[arg(long)]
    yes: bool,
}

/// A program, as clap knows it.
#[derive(Debug, Clone, Copy)]
struct Name(Program);

impl ValueEnum for Name {
    fn value_variants<'a>() -> &'a [Self] {
        const NAMES: [Name; 4] =
            [Name(Program::ALL[0]), Name(Program::ALL[1]), Name(Program::ALL[2]), Name(Program::ALL[3])];
        &NAMES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.as_str()))
    }
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let loaded = setup::load(config)?;
    let program = arguments.program.0;
    let path = match &arguments.file {
        Some(file) => file.clone(),
        None => usual_place(program)?,
    };
    let (bytes, found) = read(program, &path)?;
    let broker = setup::broker(&loaded.config, setup::open_store(&loaded.config)?);
    let by = User::Local(rustix::process::getuid().as_raw());
    let wish = ImportWish { found, user: arguments.user.clone(), by };
    let items = if arguments.yes {
        log::start(log::ONE_SHOT);
        log::configure(&loaded.config.log);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| Exit::new(Code::Internal, error))?;
        runtime.block_on(broker.import(&wish))?
    } else {
        broker.preview_import(&wish)?
    };
    let text = report(&path, &items, arguments.yes, Clock::system().now());
    // That nobody reads it must not leave the tokens with two owners: what is done is done whole first.
    let written = match terminal::print_raw(&format!("{}\n", text.trim_end())) {
        // What would be done may be left unread; what was done may not.
        Ok(false) if arguments.yes => {
            Err(Exit::new(Code::Internal, "cannot write to standard output: its reader has left"))
        }
        written => written.map(drop),
    };
    let taken = tokens_of(&wish.found, &items);
    if arguments.take && !taken.is_empty() {
        take_out(&path, &bytes, &taken, arguments.yes)?;
    } else if let Some(warning) = warning(program, &path, &items) {
        log::note(&warning);
    }
    written?;
    verdict(&items)
}

/// The refresh tokens that are Latchkey's by now.
fn tokens_of(found: &[Found], items: &[ImportItem]) -> Vec<Secret> {
    let ours =
        |item: &ImportItem| matches!(item.fate, ImportFate::Stored | ImportFate::Refused(Objection::Same));
    let records = found.iter().zip(items).filter(|(_, item)| ours(item)).map(|(found, _)| &found.content);
    let tokens = records.filter_map(|content| match content {
        Content::Tokens(tokens) => tokens.refresh_token.clone(),
        Content::LeftOut(_) => None,
    });
    tokens.collect()
}

fn take_out(path: &Path, read: &[u8], tokens: &[Secret], done: bool) -> Result<(), Exit> {
    let shown = path.display();
    if !done {
        log::say(&format!(
            "with --yes, the refresh tokens in {shown} would be blanked, and a copy kept beside it."
        ));
        return Ok(());
    }
    let aside = take::take(path, read, tokens).map_err(|error| {
        let text = format!(
            "imported, but the refresh tokens are still in {shown} ({error}): two owners of one rotating token end the \
             sign-in for both"
        );
        Exit::new(Code::Internal, text)
    })?;
    log::say(&format!(
        "the refresh tokens in {shown} are blanked. {} has the file as it was, tokens included: remove it once all works.",
        aside.display()
    ));
    Ok(())
}

fn usual_place(program: Program) -> Result<PathBuf, Exit> {
    let home = setup::environment("HOME").ok_or_else(|| {
        Exit::new(
            Code::Usage,
            format!("HOME is not set: name the file, as in `latchkey import {program} FILE`"),
        )
    })?;
    Ok(Path::new(&home).join(program.usual_place()))
}

/// The file, and what is in it.
fn read(program: Program, path: &Path) -> Result<(Vec<u8>, Vec<Found>), Exit> {
    let failed = |why: &dyn std::fmt::Display| {
        let path = path.display();
        Exit::new(Code::Usage, format!("cannot import from {path}: {why}; nothing was changed"))
    };
    // A pipe without a writer would be waited for.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::open(path, flags, Mode::empty())
        .map(File::from)
        .map_err(|error| failed(&std::io::Error::from(error)))?;
    if !file.metadata().map_err(|error| failed(&error))?.is_file() {
        return Err(failed(&"it is no file"));
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    let found = program.parse(&bytes).map_err(|error| failed(&error))?;
    Ok((bytes, found))
}

fn report(path: &Path, items: &[ImportItem], done: bool, now: UnixSeconds) -> String {
    let mut text = format!("{}\n", path.display());
    if items.is_empty() {
        text.push_str("  holds no sign-in and no key\n");
    }
    for item in items {
        let place = item.place.escape_debug();
        let tenant = item.tenant.as_ref().map(|tenant| format!(" -> {tenant}")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {place}{tenant}: {}", what_becomes_of(item, done, now));
    }
    let stored = items.iter().filter(|item| item.fate == ImportFate::Stored).count();
    let end = match (stored, done) {
        (0, _) => "Nothing was changed.".to_owned(),
        (count, true) => format!("Imported: {count}."),
        (count, false) => format!("Nothing was changed. To import ({count}), run it again with --yes."),
    };
    text + &end
}

fn what_becomes_of(item: &ImportItem, done: bool, now: UnixSeconds) -> String {
    match &item.fate {
        ImportFate::Stored => {
            let mut parts = vec![if done { "imported" } else { "would be imported" }.to_owned()];
            parts.push(item.account.as_deref().map_or_else(
                || "of an account that the file does not name".to_owned(),
                |account| format!("of {}", account.escape_debug()),
            ));
            parts.extend(item.expires_at.map(|at| {
                if at > now {
                    format!("its token ends in {}", rough(at - now))
                } else {
                    "its token has ended, and is refreshed at the first use".to_owned()
                }
            }));
            parts.join(", ")
        }
        ImportFate::LeftOut(why) | ImportFate::Configure(why) => format!("left out: {why}"),
        ImportFate::Refused(objection) => format!("left out, and the tenant is left as it is: {objection}"),
        ImportFate::Damaged(error) => format!("left out: {error}"),
    }
}

fn rough(seconds: i64) -> String {
    let minutes = u64::try_from(seconds).unwrap_or(0).max(60) / 60;
    humantime::format_duration(std::time::Duration::from_secs(minutes * 60)).to_string()
}

fn warning(program: Program, path: &Path, items: &[ImportItem]) -> Option<String> {
    let shared = |item: &&ImportItem| item.is_refreshed && item.fate == ImportFate::Stored;
    let tenant = items.iter().find(shared).and_then(|item| item.tenant.as_ref())?;
    let path = path.display();
    Some(format!(
        "latchkey: two owners of one rotating refresh token end the sign-in for both: whichever refreshes second presents a \
         spent token, and the provider ends it. Once it is imported, {program} must not use {path} any more: stop {program}, \
         move the file away (`mv {path} {path}.imported`; do not log out there, that may end the sign-in here too), and let \
         it take its tokens from `latchkey token {tenant}`."
    ))
}

/// Done, unless something that could have been imported was not.
fn verdict(items: &[ImportItem]) -> Result<(), Exit> {
    let any = |is: fn(&ImportFate) -> bool| items.iter().any(|item| is(&item.fate));
    if any(|fate| matches!(fate, ImportFate::Damaged(_))) {
        return Err(Exit::silent(Code::Store));
    }
    if any(|fate| matches!(fate, ImportFate::Configure(_))) {
        return Err(Exit::silent(Code::Usage));
    }
    if any(|fate| matches!(fate, ImportFate::Refused(objection) if *objection != Objection::Same)) {
        return Err(Exit::silent(Code::Denied));
    }
    Ok(())
}
