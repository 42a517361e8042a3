//! The way to a token, from a process that lives for one question.
//!
//! Owns the order of steps: a fresh one is taken from the file without a runtime, a lock or a request (G24); for a refresh the bot
//! is asked where one is known; whatever keeps it from answering, a child in a session of its own refreshes under the lock, so that
//! nothing that ends this process ends the exchange (G29). Must not: print a token.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use latchkey::broker::{Ask, AskError, Broker, FreshToken, fresh_now};
use latchkey::clock::Clock;
use latchkey::config::Config;
use latchkey::gate::{LOCK_WAIT, TokenError, Want, locked_as};
use latchkey::provider::Catalog;
use latchkey::serve::socket::client::SocketError;
use latchkey::store::file::FileStore;
use latchkey::store::{Document, KernelLock, LockError, Store, StoreError};
use latchkey::tenant::TenantKey;

use super::bot::{Bot, NoToken};
use super::child;
use super::source::Source;
use crate::exit::{Code, Exit};
use crate::log;
use crate::setup::{self, Loaded};

/// How often the store is looked at while a sign-in is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long the bot may take until it is said that it is waited for.
const HINT_AFTER: Duration = Duration::from_secs(1);

/// For how long the token that is asked for will be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// At once: what is fresh will do.
    Short,
    /// By a program that cannot ask again: a refresh under way is waited for, since it may be that of a rejected token.
    Long,
}

/// A token, with what it was read by.
pub struct Obtained {
    /// The token.
    pub token: FreshToken,
    source: Source,
}

impl Obtained {
    /// The configuration, if there is one.
    pub fn config(&self) -> Option<&Config> {
        self.source.config()
    }

    /// Notes today's first use. A failure costs a refresh ahead of need, and is only said.
    pub fn note_use(&self) {
        let Source::File { loaded, store, .. } = &self.source else { return };
        let tenant = &self.token.tenant;
        if !self.token.unnoted {
            return;
        }
        if let Err(error) = with_broker(loaded, store, async |broker| broker.note_use(tenant).await) {
            log::say(&format!("that {tenant} is in use could not be noted: {error}"));
        }
    }
}

/// A token for `ask`, waiting at most `timeout` in all.
pub fn obtain(
    config: Option<&Path>,
    ask: &Ask,
    timeout: Duration,
    keeping: Keeping,
) -> Result<Obtained, Exit> {
    let patience = Patience { timeout, deadline: Instant::now().checked_add(timeout) };
    let source = Source::find(config)?;
    let token = match &source {
        Source::File { loaded, store, bot } => {
            let bot = Cell::new(bot.as_ref());
            let told = Cell::new(false);
            Asking { loaded, store, bot, ask, patience, keeping, told }.token()?
        }
        Source::Bot { bot, without_store, .. } => {
            let _hint = Hint::of(ask);
            let asked = bot.ask(ask, keeping == Keeping::Long, patience.left(), None);
            asked.map_err(|error| alone(error, without_store))?
        }
    };
    Ok(Obtained { token, source })
}

/// The end where there was nobody but the bot to ask, and it had no answer.
pub fn alone(error: NoToken, without_store: &str) -> Exit {
    match error {
        NoToken::Refused(_) => error.into(),
        error => {
            Exit::new(error.code(), format!("{error}. The auth file was no way round it: {without_store}"))
        }
    }
}

/// A word, where somebody is willing to wait for a person, that the bot has no answer yet. None once this is dropped.
struct Hint {
    _over: Option<mpsc::Sender<()>>,
}

impl Hint {
    fn of(ask: &Ask) -> Self {
        if !ask.wait {
            return Self { _over: None };
        }
        let (over, is_over) = mpsc::channel();
        std::thread::spawn(move || {
            if is_over.recv_timeout(HINT_AFTER) == Err(mpsc::RecvTimeoutError::Timeout) {
                log::say(
                    "the bot has no token yet: waiting for the sign-in that is under way, or for a refresh",
                );
            }
        });
        Self { _over: Some(over) }
    }
}

/// How long is waited in all.
#[derive(Debug, Clone, Copy)]
struct Patience {
    timeout: Duration,
    /// `None` for a time beyond all clocks.
    deadline: Option<Instant>,
}

impl Patience {
    fn left(self) -> Duration {
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        self.deadline.map_or(Duration::from_secs(u64::from(u32::MAX)), left)
    }
}

/// One question, where there is a store.
struct Asking<'a> {
    loaded: &'a Loaded,
    store: &'a Arc<FileStore>,
    /// The bot, until it has given no answer.
    bot: Cell<Option<&'a Bot>>,
    ask: &'a Ask,
    patience: Patience,
    keeping: Keeping,
    /// Whether it was said that the thread's channel is missed.
    told: Cell<bool>,
}

impl Asking<'_> {
    fn token(&self) -> Result<FreshToken, Exit> {
        loop {
            match self.once() {
                Err(error) if self.ask.wait && error.code == Code::NeedsLogin => {
                    self.wait_for_sign_in(error)?;
                }
                Err(error) => {
                    self.note_refusal(error.code);
                    return Err(error);
                }
                Ok(token) => return Ok(token),
            }
        }
    }

    fn catalog(&self) -> &Catalog {
        &self.loaded.config.providers
    }

    /// A token that is fresh, or is by the time a flight has landed.
    fn once(&self) -> Result<FreshToken, Exit> {
        let document = self.store.snapshot()?;
        if self.bot.get().is_some()
            && self.ask.hangs_on_the_channel(&document, self.catalog())?
            && let Some(token) = self.ask_bot(&document)?
        {
            let tenant = token.tenant.clone();
            return self.settled(&tenant, &mut self.ask.want.clone(), token);
        }
        let tenant = self.ask.tenant(&document, self.catalog())?;
        self.say_what_is_missed(&document, &tenant)?;
        let mut want = self.ask.want.clone();
        // A newer token may be rejected as well: once more, at most (G8).
        for _ in 0..2 {
            if let Some(token) = self.look(&tenant, &mut want)? {
                return self.settled(&tenant, &mut want, token);
            }
            if let Some(token) = self.ask_bot(&*self.store.snapshot()?)? {
                return Ok(token);
            }
            // Most who come here come while somebody refreshes: they wait for that, and need no child of their own.
            let lock = self.lock(&tenant)?;
            if let Some(token) = self.look(&tenant, &mut want)? {
                return Ok(token);
            }
            let landed = child::fly(&self.loaded.path, &tenant, &want, lock, || self.patience.left())?;
            landed.ok_or_else(|| self.timed_out(&tenant))?;
        }
        self.look(&tenant, &mut want)?.ok_or_else(|| {
            Exit::new(Code::Transient, format!("{tenant} was refreshed and is not fresh; try again"))
        })
    }

    /// Says that `tenant` serves for want of the thread's channel, where that could be another's.
    fn say_what_is_missed(&self, document: &Document, tenant: &TenantKey) -> Result<(), Exit> {
        let Some(thread) = &self.ask.thread else { return Ok(()) };
        if !self.told.get() && self.ask.misses_the_channel(document, self.catalog())? {
            self.told.set(true);
            log::say(&format!(
                "which channel thread {thread} hangs from is not known here, so what that is bound to does not count, and {tenant} \
                 serves; name it by --parent or LATCHKEY_PARENT"
            ));
        }
        Ok(())
    }

    /// The token, if it can be handed out as things stand.
    fn look(&self, tenant: &TenantKey, want: &mut Want) -> Result<Option<FreshToken>, Exit> {
        let document = self.store.snapshot()?;
        let now = Clock::system().now();
        let fresh = fresh_now(&document, self.catalog(), tenant, want, now);
        match fresh.map_err(|error| self.refusal(error))? {
            Ok(token) => Ok(Some(token)),
            Err(version) => {
                want.arrived.get_or_insert(version);
                Ok(None)
            }
        }
    }

    /// `token`, or what a refresh that is under way brings in its place, where it is to be kept for long.
    fn settled(&self, tenant: &TenantKey, want: &mut Want, token: FreshToken) -> Result<FreshToken, Exit> {
        if self.keeping == Keeping::Short || self.store.refresh_holder(tenant).is_none() {
            return Ok(token);
        }
        // It serves if the other takes longer than we may.
        drop(self.lock(tenant));
        Ok(self.look(tenant, want)?.unwrap_or(token))
    }

    /// What the bot gives; `None` where it gives no answer, or none that counts for whoever has the store. It is not asked again
    /// then.
    fn ask_bot(&self, document: &Document) -> Result<Option<FreshToken>, Exit> {
        let Some(bot) = self.bot.get() else { return Ok(None) };
        let hint = Hint::of(self.ask);
        let settled = self.keeping == Keeping::Long;
        let asked = bot.ask(self.ask, settled, self.patience.left(), document.store_id());
        drop(hint);
        match asked {
            Ok(token) => Ok(Some(token)),
            Err(error) if error.is_final() => Err(error.into()),
            Err(error) => {
                self.bot.set(None);
                // That no bot runs is nothing odd.
                if !matches!(error, NoToken::Socket(SocketError::NobodyThere { .. })) {
                    log::say(&format!("{error}; going on without the bot"));
                }
                Ok(None)
            }
        }
    }

    /// What `error` ends this with. Nobody is sent to sign in where nobody can.
    fn refusal(&self, error: TokenError) -> Exit {
        match &error {
            TokenError::NeverSignedIn { tenant }
                if self.catalog().get(&tenant.provider).is_some_and(|provider| !provider.is_open()) =>
            {
                let remedy = "and nobody can sign in to it: see `latchkey providers`";
                Exit::new(Code::NeedsLogin, format!("{tenant} has no sign-in, {remedy}"))
            }
            _ => error.into(),
        }
    }

    /// The tenant's refresh lock, for a child. Nothing is exchanged in this process (G29).
    fn lock(&self, tenant: &TenantKey) -> Result<KernelLock, Exit> {
        let left = self.patience.left();
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
            seconds: self.patience.timeout.as_secs(),
            holder: self.store.refresh_holder(tenant),
        }
    }

    /// Waits while somebody signs in to what is asked for, until the store changes in our favour (S10).
    fn wait_for_sign_in(&self, refusal: Exit) -> Result<(), Exit> {
        let mut waited = false;
        loop {
            let (document, now) = (self.store.snapshot()?, Clock::system().now());
            if waited && self.ask.may_go_on(&document, self.catalog(), now)? {
                return Ok(());
            }
            if !self.ask.sign_in_is_under_way(&document, self.catalog(), now) {
                return Err(if waited { AskError::SignInEnded.into() } else { refusal });
            }
            let left = self.patience.left();
            if left.is_zero() {
                return Err(AskError::NobodyCame { seconds: self.patience.timeout.as_secs() }.into());
            }
            if !waited {
                log::say("waiting for the sign-in that is under way");
            }
            waited = true;
            std::thread::sleep(LOOK_EVERY.min(left));
        }
    }

    /// Has the thread that asked told, where people are to do something about it.
    fn note_refusal(&self, code: Code) {
        let Some(thread) = self.ask.thread.as_ref().filter(|_| code == Code::NeedsLogin) else { return };
        let noted = with_broker(self.loaded, self.store, async |broker| broker.note_asked(thread).await);
        if let Err(error) = noted {
            log::say(&format!("that thread {thread} asked could not be noted: {error}"));
        }
    }
}

/// Does something small with a broker of its own.
fn with_broker(
    loaded: &Loaded,
    store: &Arc<FileStore>,
    work: impl AsyncFnOnce(Broker) -> Result<(), StoreError>,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let broker = setup::broker(&loaded.config, Arc::clone(store));
    runtime.block_on(work(broker)).map_err(|error| error.to_string())
}
