//! `latchkey login`: sign in from a terminal.
//!
//! Owns the way from the command line to an open login, and its end: which slot, which way, what is said before. The login is one
//! like those that Discord starts, by the same broker and in the same store: a bot takes it up where this process dies (S13),
//! and others who wait for the slot are completed with it (S9). Invariant: the operator here completes what was started here and
//! nothing else (C11). Must not: hold or print a token.

mod browser;
mod ends;
mod interrupted;
mod lines;
mod progress;
mod signals;
mod wait;
mod way;

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use latchkey::broker::{BindError, Broker, Caller, LoginReply, LoginRequest, TenantStatus};
use latchkey::config::Config;
use latchkey::pending::{LoginKind, PendingLogin};
use latchkey::provider::{Catalog, Provider};
use latchkey::serve::Loopback;
use latchkey::store::StoreError;
use latchkey::tenant::{TenantKey, ThreadId, User};

pub use self::ends::whom;
use self::interrupted::Interrupted;
pub use self::signals::Signals;
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
    log::configure(&loaded.config.log);
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
    let is_about_keys = matches!(error, StoreError::Keys(_) | StoreError::Sealed { .. });
    match Exit::from(error) {
        // Another user would lack the keys as well.
        Exit { code: Code::Store, .. } if !is_about_keys => Exit::new(
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
    let catalog = broker.catalog();
    let provider = catalog
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
    let before = open_there(broker, &tenant)?.map(|login| login.id);
    let mut starting = Box::pin(broker.login(request));
    let reply = tokio::select! {
        reply = &mut starting => reply,
        code = signals.next() => {
            // What is asked of the provider this moment is let go of, so that nothing is left behind (S4).
            let reply = tokio::time::timeout(START_GRACE, &mut starting).await;
            // With the lock that it may hold.
            drop(starting);
            let heard_at = here.map(Loopback::redirect_uri);
            let ended = Interrupted { broker, operator: &operator, tenant: &tenant, before, heard_at, code };
            return Err(ended.exit(reply.ok()).await);
        }
    };
    let started = match reply.map_err(ends::not_started)? {
        LoginReply::SignedIn(status) => {
            say_signed_in(&status);
            return match &arguments.thread {
                Some(thread) => bind(broker, &operator, &status.tenant, thread).await,
                None => Ok(()),
            };
        }
        LoginReply::Started(started) => *started,
    };
    let (login, joined) = (started.login.clone(), started.joined);
    if joined {
        is_as_asked(&login, arguments, is_signed_in(broker, &tenant))?;
    }
    let (bound, not_here) = match loopback {
        Some(Ok(bound)) => (Some(bound), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    let title = provider.title.clone();
    let mut waiting = Waiting::new(broker, operator, started, title, arguments.yes);
    if arguments.asked() != Some(Asked::Paste) {
        waiting.listen(bound).await;
    }
    if waiting.is_beyond_answer() {
        let why = not_here.as_ref().map(|error| format!("{error}, and ")).unwrap_or_default();
        let why =
            format!("{why}nothing can be pasted here, where standard input is neither a terminal nor a pipe");
        if let Some(end) = waiting.give_up(&why).await? {
            return Err(end);
        }
    }
    introduce(provider, &login, joined);
    if waiting.is_heard_elsewhere() {
        log::say(
            "the answer arrives at the terminal that started it; or paste the address here that the browser ends on",
        );
    } else if let Some(error) = not_here.filter(|_| login.kind == LoginKind::Paste) {
        log::say(&format!("{error}: the answer has to be pasted"));
    }
    show(provider, &login);
    let wants_browser = !joined && login.kind != LoginKind::Device && !browsers.is_empty();
    if wants_browser && !login.link().is_some_and(|link| browser::open(&browsers, link.expose(), config)) {
        log::say("no browser could be opened: open the link yourself");
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

/// The operator's login at `tenant` that is open, if one is.
fn open_there(broker: &Broker, tenant: &TenantKey) -> Result<Option<PendingLogin>, Exit> {
    let Caller { user, admin } = operator();
    let open = broker.logins().open_logins(&user, admin, Some(tenant))?;
    Ok(open.into_iter().find(|login| login.user == user))
}

/// Whether `tenant` holds anything, be it damaged.
fn is_signed_in(broker: &Broker, tenant: &TenantKey) -> bool {
    broker.store().snapshot().is_ok_and(|document| !matches!(document.tenant(tenant), Ok(None)))
}

/// Whether `login`, which was started before, is what this command line asks for. What was asked for is not dropped in silence.
fn is_as_asked(login: &PendingLogin, arguments: &Arguments, is_signed_in: bool) -> Result<(), Exit> {
    let is_of_kind = match arguments.asked() {
        Some(Asked::Device) => login.kind == LoginKind::Device,
        Some(Asked::Paste | Asked::Browser) => login.kind == LoginKind::Paste,
        None => true,
    };
    let differs = if !is_of_kind {
        match login.kind {
            LoginKind::Device => "goes by a device code".to_owned(),
            LoginKind::Paste => {
                "goes by a browser, whose answer arrives on this host or is pasted".to_owned()
            }
            LoginKind::Callback => "goes by the bot's own page".to_owned(),
        }
    } else if arguments.thread.is_none() || arguments.thread == login.bind {
        return Ok(());
    } else {
        login
            .bind
            .as_ref()
            .map_or_else(|| "binds no thread".to_owned(), |bind| format!("binds thread {bind}"))
    };
    let tenant = &login.tenant;
    Err(Exit::new(
        Code::Usage,
        format!(
            "a sign-in to {tenant} is open already, and it {differs}, which is not what you ask for. Finish that first, or end it: {}",
            ends::how_to_end(tenant, is_signed_in)
        ),
    ))
}

/// Has `thread` use what is signed in already.
async fn bind(broker: &Broker, operator: &Caller, tenant: &TenantKey, thread: &ThreadId) -> Result<(), Exit> {
    match broker.bind(operator, thread, None, tenant).await {
        Ok(_) => {
            log::say(&format!("every agent in thread {thread} uses it from now on"));
            Ok(())
        }
        Err(BindError::Store(error)) => Err(error.into()),
        Err(error) => {
            let code = match error {
                BindError::NotSignedIn { .. } => Code::NeedsLogin,
                BindError::NotOffered { .. } => Code::Usage,
                _ => Code::Denied,
            };
            Err(Exit::new(code, format!("thread {thread} was not changed: {error}")))
        }
    }
}

fn say_signed_in(status: &TenantStatus) {
    let TenantStatus { tenant, account, health, .. } = status;
    let whose =
        account.as_deref().map(|account| format!(" as {}", account.escape_debug())).unwrap_or_default();
    log::say(&format!(
        "{tenant} is signed in already{whose} ({}). To sign in anew: `latchkey login {tenant} --again`",
        health.as_str()
    ));
}

/// Says what it will come to.
fn introduce(provider: &Provider, login: &PendingLogin, joined: bool) {
    if joined {
        log::say("this sign-in was started before, in another terminal: this one follows it");
    }
    log::say(&format!(
        "signing in to {}: fills {}, which the whole server shares",
        provider.title, login.tenant
    ));
    if let Some(thread) = &login.bind {
        log::say(&format!("once that is done, every agent in thread {thread} uses it"));
    }
    if let Some(risk) = &provider.terms_risk {
        log::say(risk.for_reader("en"));
    }
}

/// Shows what is to be done.
fn show(provider: &Provider, login: &PendingLogin) {
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
