//! `latchkey token`: a fresh access token on standard output.
//!
//! Owns the one-shot way to a token. A fresh one is printed without a runtime, a lock or a request (G24); for all else a
//! child in a session of its own refreshes, so that nothing that ends this process ends the exchange (G29). Invariant:
//! standard output gets the token or nothing.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use latchkey::broker::{Broker, FreshToken, ResolveError, fresh_now, resolve};
use latchkey::clock::Clock;
use latchkey::gate::{Class, LOCK_WAIT, TokenError, Want, locked_as};
use latchkey::secret::TokenHash;
use latchkey::store::file::FileStore;
use latchkey::store::{Document, KernelLock, LockError, Store, StoreError, has_ended};
use latchkey::tenant::{TenantKey, ThreadId, UserId};

use crate::exit::{Code, Exit};
use crate::flight::Report;
use crate::git;
use crate::log;
use crate::printed::{self, Format};
use crate::setup::{self, Loaded};

/// How long what a refresh has logged may take to be passed on.
const LOG_WAIT: Duration = Duration::from_secs(1);
/// How often the store is looked at while a sign-in is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  latchkey token codex                      the guild's shared sign-in
  latchkey token codex --thread 1234        what serves that Discord thread
  latchkey token claude/work@80351110224678912 --format json
  latchkey token codex --format header | curl -H @- https://api.example/
  eval \"$(latchkey token codex --format env)\"
  git config --global credential.https://github.com.helper '!latchkey token github --format git'

After a 401, name the token that was rejected, so that it is refreshed once for everybody:
  latchkey token codex --rejected-sha256 $(printf %s \"$TOKEN\" | sha256sum | cut -d' ' -f1)")]
pub struct Arguments {
    /// A tenant (provider[/profile][@user]), or a provider's name or alias
    #[arg(value_name = "TENANT OR PROVIDER")]
    target: String,
    /// With --format git alone: what git appends (get, store or erase); it sends the rest on standard input
    #[arg(value_name = "GIT'S OPERATION")]
    operation: Option<String>,
    /// The Discord thread that asks: its binding says which tenant
    #[arg(long, value_name = "ID")]
    thread: Option<ThreadId>,
    /// The Discord user whose own sign-in is meant
    #[arg(long, value_name = "ID")]
    user: Option<UserId>,
    /// How long the token must still last
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    min_valid: Duration,
    /// The SHA-256 of a token that was rejected: that one will not do
    #[arg(long, value_name = "HEX", value_parser = TokenHash::parse)]
    rejected_sha256: Option<TokenHash>,
    /// Wait for a sign-in that is under way
    #[arg(long)]
    wait: bool,
    /// How long to wait in all
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Plain)]
    format: Format,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    match git::Request::of(arguments.format, arguments.operation.as_deref())? {
        None => serve(config, arguments, |token| {
            Ok(printed::write(&printed::text(token, arguments.format, &printed::variable)?)?)
        }),
        Some(request) => answer_git(config, arguments, request),
    }
}

fn answer_git(config: Option<&Path>, arguments: &Arguments, request: git::Request) -> Result<(), Exit> {
    match request {
        git::Request::Get { username } => {
            serve(config, arguments, |token| Ok(printed::write(&git::answer(token, username.as_deref())?)?))
                .inspect_err(|_| git::quit())
        }
        // Any other token that still lasts at all answers this: then another was rejected, or somebody was faster (G14).
        git::Request::Erase(Some(rejected)) => {
            let arguments = Arguments {
                rejected_sha256: Some(rejected),
                min_valid: Duration::ZERO,
                wait: false,
                ..arguments.clone()
            };
            serve(config, &arguments, |_| Ok(()))
        }
        git::Request::Erase(None) | git::Request::Nothing => Ok(()),
    }
}

/// Comes by a token that will do, and has it handed out.
fn serve(
    config: Option<&Path>,
    arguments: &Arguments,
    hand_out: impl FnOnce(&FreshToken) -> Result<(), Exit>,
) -> Result<(), Exit> {
    let loaded = setup::load(config)?;
    let store = setup::open_store(&loaded.config)?;
    let asking = Asking {
        loaded: &loaded,
        store: &store,
        arguments,
        deadline: Instant::now().checked_add(arguments.timeout),
    };
    let token = loop {
        match asking.once() {
            Err(error) if arguments.wait && error.code == Code::NeedsLogin => {
                asking.wait_for_sign_in(error)?;
            }
            Err(error) => {
                note_refusal(&loaded, &store, arguments, error.code);
                return Err(error);
            }
            Ok(token) => break token,
        }
    };
    hand_out(&token)?;
    if token.unnoted {
        note_use(&loaded, &store, &token.tenant);
    }
    Ok(())
}

/// One call of the command.
struct Asking<'a> {
    loaded: &'a Loaded,
    store: &'a FileStore,
    arguments: &'a Arguments,
    /// `None` for a time beyond all clocks.
    deadline: Option<Instant>,
}

impl Asking<'_> {
    /// A token that is fresh, or is by the time a flight has landed.
    fn once(&self) -> Result<FreshToken, Exit> {
        let tenant = self.tenant(&*self.store.snapshot()?)?;
        let mut want = Want {
            min_valid: i64::try_from(self.arguments.min_valid.as_secs()).unwrap_or(i64::MAX),
            rejected: self.arguments.rejected_sha256,
            ..Want::default()
        };
        // A newer token may be rejected as well: once more, at most (G8).
        for _ in 0..2 {
            if let Some(token) = self.look(&tenant, &mut want)? {
                return Ok(token);
            }
            // Most who come here come while somebody refreshes: they wait for that, and need no child of their own.
            let lock = self.lock(&tenant)?;
            if let Some(token) = self.look(&tenant, &mut want)? {
                return Ok(token);
            }
            self.fly(&tenant, &want, lock)?;
        }
        self.look(&tenant, &mut want)?.ok_or_else(|| {
            Exit::new(Code::Transient, format!("{tenant} was refreshed and is not fresh; try again"))
        })
    }

    /// The token, if it can be handed out as things stand.
    fn look(&self, tenant: &TenantKey, want: &mut Want) -> Result<Option<FreshToken>, Exit> {
        let document = self.store.snapshot()?;
        let now = Clock::system().now();
        let fresh = fresh_now(&document, &self.loaded.config.providers, tenant, want, now);
        match fresh.map_err(|error| self.refusal(error))? {
            Ok(token) => Ok(Some(token)),
            Err(version) => {
                want.arrived.get_or_insert(version);
                Ok(None)
            }
        }
    }

    /// What `error` ends this with. Nobody is sent to sign in where nobody can.
    fn refusal(&self, error: TokenError) -> Exit {
        match &error {
            TokenError::NeverSignedIn { tenant }
                if self
                    .loaded
                    .config
                    .providers
                    .get(&tenant.provider)
                    .is_some_and(|provider| !provider.is_open()) =>
            {
                let remedy = "and nobody can sign in to it: see `latchkey providers`";
                Exit::new(Code::NeedsLogin, format!("{tenant} has no sign-in, {remedy}"))
            }
            _ => error.into(),
        }
    }

    /// The tenant's refresh lock, for a child. Nothing is exchanged in this process (G29).
    fn lock(&self, tenant: &TenantKey) -> Result<KernelLock, Exit> {
        let left = self.left();
        let lock = self.store.wait_for_refresh_lock(&locked_as(tenant), left.min(LOCK_WAIT));
        lock.map_err(|error| match error {
            LockError::TimedOut { .. } if left < LOCK_WAIT => self.timed_out(tenant).into(),
            source @ LockError::TimedOut { .. } => TokenError::Lock { tenant: tenant.clone(), source }.into(),
            error => StoreError::from(error).into(),
        })
    }

    fn timed_out(&self, tenant: &TenantKey) -> TokenError {
        TokenError::TimedOut {
            tenant: tenant.clone(),
            seconds: self.arguments.timeout.as_secs(),
            holder: self.store.refresh_holder(tenant),
        }
    }

    fn tenant(&self, document: &Document) -> Result<TenantKey, ResolveError> {
        let Arguments { target, user, thread, .. } = self.arguments;
        resolve(document, &self.loaded.config.providers, target, user.as_ref(), thread.as_ref(), None)
    }

    fn left(&self) -> Duration {
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        self.deadline.map_or(Duration::from_secs(u64::from(u32::MAX)), left)
    }

    /// Has a child of ours refresh under the lock that we hand to it, and waits for its report no longer than we may.
    fn fly(&self, tenant: &TenantKey, want: &Want, lock: KernelLock) -> Result<(), Exit> {
        let internal =
            |error: std::io::Error| Exit::new(Code::Internal, format!("cannot start a refresh: {error}"));
        let mut command = Command::new(std::env::current_exe().map_err(internal)?);
        command.arg("--config").arg(&self.loaded.path).arg("flight").arg(tenant.to_string());
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
        match report.recv_timeout(self.left()) {
            Ok(text) => {
                let ended = child.wait().map_err(internal)?;
                // It has ended, so its log has too. Whoever does not read ours is not waited for.
                let _ = log_ended.recv_timeout(self.left().min(LOG_WAIT));
                Report::read(&text.map_err(internal)?)
                    .ok_or_else(|| {
                        Exit::new(Code::Internal, format!("the refresh of {tenant} broke off ({ended})"))
                    })?
                    .into_result()
            }
            Err(_) => Err(self.timed_out(tenant).into()),
        }
    }

    /// Waits while somebody signs in to what is asked for, until the store changes in our favour (S10).
    fn wait_for_sign_in(&self, refusal: Exit) -> Result<(), Exit> {
        let mut waited = false;
        loop {
            let document = self.store.snapshot()?;
            if waited && self.can_go_on(&document)? {
                return Ok(());
            }
            if !self.sign_in_is_under_way(&document) {
                return Err(if waited {
                    Exit::new(Code::NeedsLogin, "the sign-in that was waited for ended without a token")
                } else {
                    refusal
                });
            }
            let left = self.left();
            if left.is_zero() {
                return Err(Exit::new(
                    Code::Transient,
                    format!(
                        "nobody finished signing in within {} s; the sign-in goes on",
                        self.arguments.timeout.as_secs()
                    ),
                ));
            }
            if !waited {
                log::say("waiting for the sign-in that is under way");
            }
            waited = true;
            std::thread::sleep(LOOK_EVERY.min(left));
        }
    }

    /// Whether asking again may go better: no token counts as different from any (S10).
    fn can_go_on(&self, document: &Document) -> Result<bool, Exit> {
        let Ok(tenant) = self.tenant(document) else { return Ok(false) };
        let want = Want { rejected: self.arguments.rejected_sha256, min_valid: 1, ..Want::default() };
        match fresh_now(document, &self.loaded.config.providers, &tenant, &want, Clock::system().now()) {
            Ok(_) => Ok(true),
            Err(error) if error.class() == Class::NeedsLogin => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn sign_in_is_under_way(&self, document: &Document) -> bool {
        let now = Clock::system().now();
        let tenant = self.tenant(document).ok();
        let provider =
            self.loaded.config.providers.find(&self.arguments.target).map(|provider| &provider.name);
        document.logins().any(|login| {
            let fills_it = match &tenant {
                Some(tenant) => login.tenant == *tenant,
                // Nothing serves yet: a sign-in that will bind our thread, or fill the shared slot.
                None => {
                    Some(&login.tenant.provider) == provider
                        && (login.tenant.user.is_none()
                            || (login.bind.is_some() && login.bind == self.arguments.thread))
                }
            };
            fills_it && !has_ended(&login, now)
        })
    }
}

/// Has the thread that asked told, where people are to do something about it.
fn note_refusal(loaded: &Loaded, store: &std::sync::Arc<FileStore>, arguments: &Arguments, code: Code) {
    let Some(thread) = arguments.thread.as_ref().filter(|_| code == Code::NeedsLogin) else { return };
    let noted = with_broker(loaded, store, async |broker| broker.note_asked(thread).await);
    if let Err(error) = noted {
        log::say(&format!("that thread {thread} asked could not be noted: {error}"));
    }
}

/// Does something small with a broker of its own.
fn with_broker(
    loaded: &Loaded,
    store: &std::sync::Arc<FileStore>,
    work: impl AsyncFnOnce(Broker) -> Result<(), StoreError>,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let broker = setup::broker(&loaded.config, std::sync::Arc::clone(store));
    runtime.block_on(work(broker)).map_err(|error| error.to_string())
}

/// Notes today's first use, after the token is out. A failure costs a refresh ahead of need, and is only said.
fn note_use(loaded: &Loaded, store: &std::sync::Arc<FileStore>, tenant: &TenantKey) {
    if let Err(error) = with_broker(loaded, store, async |broker| broker.note_use(tenant).await) {
        log::say(&format!("that {tenant} is in use could not be noted: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use latchkey::gate::{CALLER_DEADLINE, MIN_VALID};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// G10
    #[test]
    fn the_defaults_are_the_gates() {
        let Line { arguments } = Line::parse_from(["token", "codex"]);
        assert_eq!(arguments.timeout, CALLER_DEADLINE);
        assert_eq!(i64::try_from(arguments.min_valid.as_secs()), Ok(MIN_VALID));
    }
}
