//! `latchkey logout`: log a tenant out.
//!
//! Owns the question before, which names all that ends with it (T12), open logins included, and the words after, which tell what is
//! done from what is still owed to the provider. Where nothing is signed in, open logins alone are ended; an entry that cannot be
//! understood is removed unread. Invariant: nothing is changed without a yes. Must not: decide who may; the operator at a terminal is
//! an admin.

use std::io::{BufRead, Write};
use std::path::Path;

use latchkey::broker::{Broker, Caller, LoggedOut, LogoutError, LogoutPreview};
use latchkey::config::Config;
use latchkey::login::Cancelled;
use latchkey::pending::PendingLogin;
use latchkey::revocation::Ended;
use latchkey::store::{EntryError, StoreError};
use latchkey::tenant::{TenantKey, ThreadId};

use crate::exit::{Code, Exit};
use crate::login::{operator, whom, with_whose};
use crate::{log, setup, terminal};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
What else ends with it is said first: the provider may end the whole grant, other tenants' tokens included. Sign-ins to it that are \
open are cancelled; where it is not signed in, that is all that is done. What is stored and cannot be understood is removed, and \
not ended at its provider.

Examples:
  latchkey logout codex                          asks before it does anything
  latchkey logout claude/work@80351110224678912  a member's own
  latchkey logout codex --yes                    for scripts")]
pub struct Arguments {
    /// The tenant (provider[/profile][@user])
    #[arg(value_name = "TENANT")]
    target: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let loaded = setup::load(config)?;
    let store = setup::file_store(&loaded.config).map_err(with_whose)?;
    let broker = setup::broker(&loaded.config, store);
    let tenant = tenant(&broker, &arguments.target)?;
    let Caller { user, admin } = operator();
    let open = broker.logins().open_logins(&user, admin, Some(&tenant))?;
    let preview = match broker.preview_logout(&operator(), &tenant) {
        Ok(preview) => Some(preview),
        Err(LogoutError::NotSignedIn { .. }) if !open.is_empty() => None,
        Err(LogoutError::Store(StoreError::Entry(error))) if error.section == "tenants" => {
            return discard(&loaded.config, &broker, &tenant, &error, arguments.yes);
        }
        Err(error) => return Err(refused(&broker, error)),
    };
    let (text, question) = match &preview {
        Some(preview) => (before(preview, &open), "Log it out? [y/N] "),
        None => (
            format!("{tenant} is not signed in. Open sign-ins to it: {}", started(&open)),
            "Cancel them? [y/N] ",
        ),
    };
    if !is_wanted(&text, question, arguments.yes)? {
        return Ok(());
    }
    let runtime = begun(&loaded.config)?;
    let done = runtime.block_on(async {
        if preview.is_none() {
            return cancel(&broker, &tenant, &open).await;
        }
        let done = broker.logout(&operator(), &tenant).await;
        // A rotation that lay aside unsaved is seen to (G21).
        broker.drain().await;
        done.map(|done| after(&done)).map_err(|error| refused(&broker, error))
    });
    runtime.shutdown_background();
    log::say(&done?);
    Ok(())
}

/// Whether it is to be done. Where nobody said so yet, `text` is shown, and `question` asked.
fn is_wanted(text: &str, question: &str, yes: bool) -> Result<bool, Exit> {
    if yes {
        return Ok(true);
    }
    log::note(text);
    if !terminal::is_interactive() {
        let text = "nothing was changed: nobody can be asked here. To do it, run it again with --yes";
        return Err(Exit::new(Code::Usage, text));
    }
    let is_wanted = agrees(question);
    if !is_wanted {
        log::say("nothing was changed");
    }
    Ok(is_wanted)
}

fn begun(config: &Config) -> Result<tokio::runtime::Runtime, Exit> {
    log::start(log::ONE_SHOT);
    log::configure(&config.log);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Exit::new(Code::Internal, error))
}

/// Removes what cannot be understood, so that its place is free for a new sign-in.
fn discard(
    config: &Config,
    broker: &Broker,
    tenant: &TenantKey,
    why: &EntryError,
    yes: bool,
) -> Result<(), Exit> {
    let text = format!(
        "{why}\n  it is removed here, unread: what it holds is not ended at its provider, and there is no way back to it. If it is \
         sealed with a key that is missing here, or a later Latchkey wrote it, put that back instead"
    );
    if !is_wanted(&text, "Remove it? [y/N] ", yes)? {
        return Ok(());
    }
    let runtime = begun(config)?;
    let done = runtime.block_on(broker.discard(&operator(), tenant));
    runtime.shutdown_background();
    if !done.map_err(|error| refused(broker, error))? {
        let text = format!("{tenant} can be understood by now, and was left; to log it out, run it again");
        return Err(Exit::new(Code::Transient, text));
    }
    log::say(&format!(
        "what stood under {tenant} is removed; it was not ended at its provider, so end it there yourself, in the account's settings"
    ));
    Ok(())
}

/// Cancels what was shown, and nothing that was started since.
async fn cancel(broker: &Broker, tenant: &TenantKey, open: &[PendingLogin]) -> Result<String, Exit> {
    let Caller { user, admin } = operator();
    let mut is_any = false;
    for login in open {
        is_any |= matches!(broker.logins().cancel(&user, admin, &login.id).await?, Cancelled::Now(_));
    }
    Ok(if is_any {
        format!("the open sign-ins to {tenant} were cancelled. Nothing was stored")
    } else {
        format!("the sign-ins to {tenant} were over before; see `latchkey status`")
    })
}

/// Who started them.
fn started(open: &[PendingLogin]) -> String {
    names(open.iter().map(|login| format!("by {}", whom(&login.user))))
}

/// The tenant that `text` names, by its provider's alias too. One whose provider is configured no longer can be logged out as well.
fn tenant(broker: &Broker, text: &str) -> Result<TenantKey, Exit> {
    let text = text.trim();
    let (name, rest) = text.split_at(text.find(['/', '@']).unwrap_or(text.len()));
    let catalog = broker.catalog();
    let name = catalog.find(name).map_or(name, |provider| provider.name.as_str());
    format!("{name}{rest}").parse().map_err(|error| Exit::new(Code::Usage, error))
}

fn refused(broker: &Broker, error: LogoutError) -> Exit {
    match error {
        LogoutError::Store(error) => error.into(),
        LogoutError::NotYours { .. } => Exit::new(Code::Denied, error),
        LogoutError::NotSignedIn { tenant } => {
            let all: Result<Vec<TenantKey>, StoreError> = broker.tenants_to_log_out(&operator());
            let same = all.unwrap_or_default().into_iter().filter(|key| key.provider == tenant.provider);
            let same = names(same);
            let hint = if same.is_empty() { String::new() } else { format!("; signed in are: {same}") };
            Exit::new(Code::Usage, format!("{tenant} is not signed in, so there is nothing to log out{hint}"))
        }
    }
}

fn names(names: impl Iterator<Item = impl ToString>) -> String {
    names.map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

fn threads(threads: &[ThreadId], what: &str) -> Option<String> {
    (!threads.is_empty()).then(|| format!("{what}: {}", names(threads.iter())))
}

/// What it would come to.
fn before(preview: &LogoutPreview, open: &[PendingLogin]) -> String {
    let LogoutPreview { status, would_end, revokes, threads: bound } = preview;
    let whose =
        status.account.as_deref().map(|account| format!(", {}", account.escape_debug())).unwrap_or_default();
    let mut lines = vec![format!("{}{whose} ({})", status.tenant, status.health.as_str())];
    lines.push(if *revokes {
        "  is removed here, and ended at the provider".to_owned()
    } else {
        "  is removed here; its provider cannot be told, so end it there yourself, in the account's settings"
            .to_owned()
    });
    if !would_end.is_empty() {
        lines.push(format!(
            "  these end with it there, and must be signed in again: {}",
            names(would_end.iter())
        ));
    }
    if !open.is_empty() {
        lines.push(format!("  open sign-ins to it are cancelled: started {}", started(open)));
    }
    lines.extend(threads(bound, "  threads that have nothing until somebody signs in again"));
    lines.join("\n")
}

/// What it came to: done, or still owed.
fn after(done: &LoggedOut) -> String {
    let LoggedOut { tenant, at_provider, would_end, threads: bound } = done;
    let there = match at_provider {
        Ended::Done => "and ended at the provider".to_owned(),
        Ended::NotOffered => {
            "here; its provider was not told, so end it there yourself, in the account's settings".to_owned()
        }
        Ended::Owed { why, .. } => format!(
            "here. It could not be ended at the provider now ({}): that is still owed, and a running bot goes on trying for a day",
            why.escape_debug()
        ),
        Ended::Refused { why } => format!(
            "here. The provider refused to end it ({}): to be sure, remove the access in the account's settings",
            why.escape_debug()
        ),
    };
    let mut parts = vec![format!("{tenant} is logged out {there}")];
    if !would_end.is_empty() {
        parts.push(format!("these ended with it there, or will: {}", names(would_end.iter())));
    }
    parts.extend(threads(bound, "threads that have nothing until somebody signs in again"));
    parts.join("; ")
}

/// Asks; whatever is no yes is a no.
fn agrees(question: &str) -> bool {
    drop(std::io::stderr().write_all(question.as_bytes()));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.is_ok() && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
