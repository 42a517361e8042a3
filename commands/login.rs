//! `latchkey login`: sign in from a terminal.
//!
//! Owns the way from the command line to an open login, and its end: which slot, which way, what is said before. The login is one
//! like those that Discord starts, by the same broker and in the same store: a bot takes it up where this process dies (S13),
//! and others who wait for the slot are completed with it (S9). Invariant: the operator here completes what was started here and
//! nothing else (C11). Must not: hold or print a token.

mod browser;
mod ends;
mod lines;
mod progress;
mod signals;
mod wait;
mod way;

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use latchkey::broker::{Broker, Caller, LoginReply, LoginRequest, TenantStatus};
use latchkey::config::Config;
use latchkey::login::Started;
use latchkey::pending::{LoginKind, PendingLogin};
use latchkey::provider::{Catalog, Provider};
use latchkey::serve::{Loopback, LoopbackError};
use latchkey::store::StoreError;
use latchkey::tenant::{TenantKey, ThreadId, User};

use self::signals::Signals;
use self::wait::Waiting;
use self::way::{Asked, Way};
use crate::exit::{Code, Exit};
use crate::{log, setup};

/// How long a start that is under way may still take once an end is asked for.
const START_GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A browser on this host is answered here, at a loopback address: nothing is to be copied. Where the browser is on another \
machine, use a device code, or paste the address of the page that it ends on.

Examples:
  latchkey login codex                  by the best way that there is here
  latchkey login codex --device         a code to type on another device
  latchkey login claude/work --paste    paste what the last page shows
  latchkey login acme --thread 1234     and have that Discord thread use it
  latchkey login acme --again           although it is signed in

It fills the shared slot. A member's own (acme@80351110224678912) is filled by that member, in Discord.
Ctrl-C cancels the sign-in, in Discord too.

Exit codes: 0 signed in, or it was already; 2 usage or configuration; 3 cancelled or expired; 4 try again; 5 declined or not \
allowed; 6 not stored; 129, 130, 143 ended by HUP, Ctrl-C, TERM.")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Arguments {
    /// A tenant (provider[/profile]), or a provider's name or alias
    #[arg(value_name = "TENANT OR PROVIDER")]
    target: String,
    /// By a code that is typed on any device
    #[arg(long, conflicts_with_all = ["paste", "browser"])]
    device: bool,
    /// By pasting what the provider's last page shows
    #[arg(long, conflicts_with = "browser")]
    paste: bool,
    /// By a browser on this host, answered here
    #[arg(long)]
    browser: bool,
    /// Open no browser; the link is shown either way
    #[arg(long)]
    no_browser: bool,
    /// Sign in although it is signed in
    #[arg(long)]
    again: bool,
    /// The Discord thread that uses it from then on
    #[arg(long, value_name = "ID")]
    thread: Option<ThreadId>,
    /// Agree beforehand that another account takes the place of the one before
    #[arg(long)]
    yes: bool,
}

impl Arguments {
    fn asked(&self) -> Option<Asked> {
        match (self.device, self.paste, self.browser) {
            (true, ..) => Some(Asked::Device),
            (_, true, _) => Some(Asked::Paste),
            (.., true) => Some(Asked::Browser),
            _ => None,
        }
    }
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let loaded = setup::load(config)?;
    let tenant = slot(&loaded.config.providers, &arguments.target)?;
    let store = setup::file_store(&loaded.config).map_err(with_whose)?;
    log::start(log::ONE_SHOT);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Exit::new(Code::Internal, error))?;
    let broker = setup::broker(&loaded.config, store);
    let result = runtime.block_on(sign_in(&broker, &loaded.config, tenant, arguments));
    // Nothing that still waits for input or a lock holds up the end: all that counts is stored.
    runtime.shutdown_background();
    result
}

/// The operator at this terminal: cancels and decides as an admin does, and completes what they started themselves.
pub fn operator() -> Caller {
    Caller { user: User::Local(rustix::process::getuid().as_raw()), admin: true }
}

/// What is to be done where this user may not use the store.
pub fn with_whose(error: StoreError) -> Exit {
    let message = setup::kept_from_store(&error);
    match Exit::from(error) {
        Exit { code: Code::Store, .. } => Exit::new(
            Code::Store,
            format!("{message}. This command writes the auth file: run it as the user that the bot runs as"),
        ),
        exit => exit,
    }
}

/// The slot that `text` names.
fn slot(catalog: &Catalog, text: &str) -> Result<TenantKey, Exit> {
    let text = text.trim();
    let (name, rest) = text.split_at(text.find(['/', '@']).unwrap_or(text.len()));
    let provider = catalog.find(name).ok_or_else(|| {
        let known: Vec<_> = catalog.iter().map(|provider| provider.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let name: String = name.chars().take(80).collect();
        Exit::new(Code::Usage, format!("provider {name:?} is not configured; configured are: {known}"))
    })?;
    let tenant: TenantKey =
        format!("{}{rest}", provider.name).parse().map_err(|error| Exit::new(Code::Usage, error))?;
    if tenant.user.is_none() {
        return Ok(tenant);
    }
    let shared = TenantKey { user: None, ..tenant.clone() };
    Err(Exit::new(
        Code::Denied,
        format!(
            "{tenant} is a member's own: only they can sign in to it, in Discord with /auth login. From here you can sign in to \
             the shared one: `latchkey login {shared}`"
        ),
    ))
}

async fn sign_in(
    broker: &Broker,
    config: &Config,
    tenant: TenantKey,
    arguments: &Arguments,
) -> Result<(), Exit> {
    let mut signals = Signals::new()?;
    let provider = broker
        .catalog()
        .get(&tenant.provider)
        .ok_or_else(|| Exit::new(Code::Usage, format!("provider {} is not configured", tenant.provider)))?;
    let browsers = if arguments.no_browser || !std::io::stderr().is_terminal() {
        Vec::new()
    } else {
        browser::programs(&setup::environment)
    };
    let way = Way::choose(provider, arguments.asked(), !browsers.is_empty(), lines::may_come())?;
    let loopback = match way.loopback {
        Some(uri) => Some(Loopback::bind(uri).await),
        None => None,
    };
    let here = loopback.as_ref().and_then(|bound| bound.as_ref().ok());
    let operator = operator();
    let request = LoginRequest {
        caller: operator.clone(),
        tenant: tenant.clone(),
        kind: way.kind,
        watcher: None,
        bind: arguments.thread.clone(),
        again: arguments.again,
        locale: None,
        redirect_uri: here.map(|here| here.redirect_uri().to_owned()),
    };
    let mut starting = Box::pin(broker.login(request));
    let reply = tokio::select! {
        reply = &mut starting => reply,
        code = signals.next() => {
            // What is asked of the provider this moment is let go of, so that nothing is left behind (S4).
            let reply = tokio::time::timeout(START_GRACE, &mut starting).await;
            // With the lock that it may hold.
            drop(starting);
            return Err(ended_at_start(broker, &operator, &tenant, reply.ok(), code).await);
        }
    };
    let started = match reply.map_err(ends::not_started)? {
        LoginReply::SignedIn(status) => {
            say_signed_in(&status, arguments.thread.as_ref());
            return Ok(());
        }
        LoginReply::Started(started) => *started,
    };
    introduce(provider, &started, arguments, loopback.as_ref().and_then(|bound| bound.as_ref().err()));
    if !started.joined && started.login.kind != LoginKind::Device && !browsers.is_empty() {
        let link = started.login.link();
        if !link.is_some_and(|link| browser::open(&browsers, link.expose(), config)) {
            log::say("no browser could be opened: open the link yourself");
        }
    }
    let title = provider.title.clone();
    let mut waiting = Waiting::new(broker, operator, started, title, arguments.yes);
    if arguments.asked() != Some(Asked::Paste) {
        waiting.listen(loopback.and_then(Result::ok)).await;
    }
    let ended = waiting.until_over(&mut signals).await;
    waiting.close(&mut signals).await;
    let login = ended?;
    let account = account(broker, &login);
    let text = ends::told(&login, account.as_deref())?;
    log::say(&text);
    if let Some(thread) = &login.bind {
        say_bound(broker, &login.tenant, thread);
    }
    Ok(())
}

/// What is left of a start that a signal has ended, taken back.
async fn ended_at_start(
    broker: &Broker,
    operator: &Caller,
    tenant: &TenantKey,
    reply: Option<Result<LoginReply, latchkey::login::StartError>>,
    code: Code,
) -> Exit {
    let logins = broker.logins();
    let done = match reply {
        Some(Ok(LoginReply::Started(started))) if !started.joined => {
            logins.cancel(&operator.user, operator.admin, &started.login.id).await.map(drop)
        }
        Some(_) => Ok(()),
        // Its lock is free by now, if it was ours: then it ends (S13). One that another terminal opens is left alone.
        None => {
            match broker.store().snapshot().and_then(|document| Ok(document.login(&operator.user, tenant)?)) {
                Ok(Some(login)) => logins.take_over(&login).await.map(drop),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            }
        }
    };
    match done {
        Ok(()) => Exit::new(code, format!("the sign-in to {tenant} was cancelled before it began")),
        Err(error) => Exit::new(code, format!("cancelled; what is left of it ends by itself ({error})")),
    }
}

fn say_signed_in(status: &TenantStatus, thread: Option<&ThreadId>) {
    let TenantStatus { tenant, account, health, .. } = status;
    let whose =
        account.as_deref().map(|account| format!(" as {}", account.escape_debug())).unwrap_or_default();
    log::say(&format!(
        "{tenant} is signed in already{whose} ({}). To sign in anew: `latchkey login {tenant} --again`",
        health.as_str()
    ));
    if let Some(thread) = thread {
        log::say(&format!("thread {thread} was not changed: use /auth use {tenant} there, or sign in anew"));
    }
}

/// Shows what is to be done, and before that what it will come to.
fn introduce(
    provider: &Provider,
    started: &Started,
    arguments: &Arguments,
    not_here: Option<&LoopbackError>,
) {
    let Started { login, joined, .. } = started;
    if *joined {
        log::say("this sign-in was started before, in another terminal: this one follows it");
    }
    log::say(&format!(
        "signing in to {}: fills {}, which the whole server shares",
        provider.title, login.tenant
    ));
    match (&login.bind, &arguments.thread) {
        (Some(thread), _) => log::say(&format!("once that is done, every agent in thread {thread} uses it")),
        (None, Some(thread)) => log::say(&format!("thread {thread} is not changed by it")),
        (None, None) => {}
    }
    if let Some(risk) = &provider.terms_risk {
        log::say(risk.for_reader("en"));
    }
    if let Some(error) = not_here.filter(|_| login.kind == LoginKind::Paste) {
        log::say(&format!("{error}: the answer has to be pasted"));
    }
    if let Some(link) = login.link() {
        log::note(&format!("Open this link to sign in:\n\n  {}\n", link.expose()));
    }
    if let Some(code) = &login.user_code {
        log::note(&format!("and type this code there:\n\n  {}\n", code.expose()));
        log::say("never type a code that somebody else sent you");
    }
    match login.kind {
        LoginKind::Device if provider.device_notice.is_some() => {
            log::say(
                "if the page says that this is switched off for your account, cancel, and use --browser or --paste",
            );
        }
        LoginKind::Callback => log::say("its answer arrives at the bot's own page: the bot must be running"),
        _ => {}
    }
}

/// Whose account the slot holds now.
fn account(broker: &Broker, login: &PendingLogin) -> Option<String> {
    let document = broker.store().snapshot().ok()?;
    let held = document.tenant(&login.tenant).ok()??;
    held.account.label().map(str::to_owned)
}

fn say_bound(broker: &Broker, tenant: &TenantKey, thread: &ThreadId) {
    let bound = broker.store().snapshot().ok().and_then(|document| document.binding(thread).ok()?);
    let uses = bound.is_some_and(|bound| bound.tenants.get(&tenant.provider) == Some(tenant));
    log::say(&if uses {
        format!("every agent in thread {thread} uses it from now on")
    } else {
        format!("thread {thread} stays as it was: it was bound to something else meanwhile")
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// U7, S5: whatever is typed, the slot is the shared one; a member's own is refused with what to do instead.
    #[test]
    fn only_shared_slots_are_filled_from_a_terminal() {
        let text = "[providers.claude]\naccept_terms_risk = true\n";
        let catalog =
            latchkey::config::Config::parse(text, Path::new("latchkey.toml"), &|_| None).unwrap().providers;
        for (typed, expected) in [(" Anthropic ", "claude"), ("claude/Work", "claude/work")] {
            assert_eq!(slot(&catalog, typed).unwrap().to_string(), expected);
        }
        let refused = slot(&catalog, "anthropic/work@80351110224678912").unwrap_err();
        let text = refused.message.unwrap();
        assert!(refused.code == Code::Denied && text.ends_with("`latchkey login claude/work`"), "{text}");
        assert_eq!(slot(&catalog, "nobody").unwrap_err().code, Code::Usage);
        assert_eq!(slot(&catalog, "claude/a b").unwrap_err().code, Code::Usage);
    }
}
