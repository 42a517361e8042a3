//! What the bot stands on, with Discord or without.
//!
//! Owns what is there before Discord has answered, and outlasts the connection: the lock, the addresses, the token socket, the
//! feeds, and the end of what was begun. Invariants: one bot for each store and guild (W6), so nothing is bound or begun before the
//! lock is held; whatever was begun is finished and stored at the end (W5). Must not: ask Discord at the start, or wait for it.

use std::sync::Arc;
use std::time::Duration;

use latchkey::broker::Broker;
use latchkey::config::{Config, DiscordConfig};
use latchkey::health::Health;
use latchkey::oauth::EXCHANGE_BOUND;
use latchkey::secret::Secret;
use latchkey::serve::socket::{self, Admission, BindError, Whereabouts};
use latchkey::store::file::FileStore;
use latchkey::store::{KernelLock, LockError, STORE_WAIT, StoreError};
use serenity::all::{GuildId, Http};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Bot;
use super::feeds::Feeds;
use crate::discord::notifier;
use crate::discord::places::Places;
use crate::discord::reach::Reach;
use crate::exit::{Code, Exit};
use crate::ops::{self, Ops};
use crate::setup;

/// How long another bot of the same store and guild is given to leave (W6).
const PREDECESSOR: Duration = Duration::from_secs(15);
/// How long the end waits for exchanges and answers under way: for the write before an exchange, the exchange, and the write
/// after it, with a margin of ten seconds (G29).
pub(super) const DRAIN: Duration =
    Duration::from_secs(STORE_WAIT.as_secs() + EXCHANGE_BOUND.as_secs() + STORE_WAIT.as_secs() + 10);

/// All that needs no answer of Discord's.
pub struct Footing {
    pub guild: GuildId,
    pub reach: Reach,
    pub http: Arc<Http>,
    pub broker: Broker,
    pub places: Arc<Places>,
    pub health: Health,
    /// What is waited for at the end (W5).
    pub handlers: TaskTracker,
    /// Once cancelled, nothing new is begun (W5).
    pub closing: CancellationToken,
    /// The token socket, and where it stands, until it is served.
    tokens: Option<(socket::Server, socket::Bound)>,
    ops: Ops,
    /// Held until all the rest is gone (W6).
    _only_one: KernelLock,
}

impl Footing {
    /// Takes the lock and the addresses. Nothing is begun yet: whatever ends us until here has nothing to wait for (W5).
    pub async fn take(
        config: &Config,
        discord: &DiscordConfig,
        token: &Secret,
        store: Arc<FileStore>,
        descriptors: u64,
        health: Health,
    ) -> Result<Self, Exit> {
        // First of all: a predecessor that is still leaving has the addresses, and gives them back before the lock.
        let only_one = only_one(&store, discord.guild).await?;
        // From here on it can be seen that we are not ready, and why.
        let ops = ops::begin(config, &store, &health).await?;
        let reach = Reach::new(token, setup::environment).map_err(|error| Exit::new(Code::Usage, error))?;
        let (http, guild, places) =
            (Arc::new(reach.http()), GuildId::new(discord.guild), Arc::new(Places::default()));
        let broker = setup::broker(config, store);
        broker.logins().serve(guild.get());
        let tokens = tokens(config, &broker, &http, guild, &places, descriptors).await?;
        Ok(Self {
            guild,
            reach,
            http,
            broker,
            places,
            health,
            handlers: TaskTracker::new(),
            closing: CancellationToken::new(),
            tokens,
            ops,
            _only_one: only_one,
        })
    }

    /// Begins what needs no Discord: programs have their tokens, though Discord is out of reach. From here on it must be
    /// [ended](Self::end).
    pub async fn begin(&mut self, config: &Config) -> (Option<socket::Server>, Feeds) {
        let tokens = self.tokens.take().map(|(server, bound)| {
            let serving = server.clone().serve(bound, self.closing.clone());
            self.handlers.spawn(self.health.clone().watched("the token socket", serving));
            server
        });
        let (broker, health) = (self.broker.clone(), self.health.clone());
        let mut feeds = Feeds::new(broker, health, self.handlers.clone(), self.closing.clone());
        feeds.follow(&config.feeds).await;
        (tokens, feeds)
    }

    /// Ends without losing anything: no new work, what runs is finished, then the connection is closed, where there is one.
    pub async fn end(self, bot: Option<Bot>) {
        self.closing.cancel();
        self.handlers.close();
        let drained = async {
            match &bot {
                Some(bot) => bot.desk.supervisor.shut_down().await,
                None => self.broker.drain().await,
            }
            self.handlers.wait().await;
        };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::error!("something under way did not end in {} s", DRAIN.as_secs());
        }
        if let Some(bot) = bot {
            bot.connection.close().await;
        }
        self.ops.end().await;
    }
}

/// The token socket, where one is wanted: whoever connects waits until it is served.
async fn tokens(
    config: &Config,
    broker: &Broker,
    http: &Arc<Http>,
    guild: GuildId,
    places: &Arc<Places>,
    descriptors: u64,
) -> Result<Option<(socket::Server, socket::Bound)>, Exit> {
    let Some(tokens) = &config.tokens else { return Ok(None) };
    let usage = |error: BindError| Exit::new(Code::Usage, error);
    let admission = Admission::new(tokens).map_err(|error| usage(error.into()))?;
    let bound = socket::bind(tokens).await.map_err(usage)?;
    let (known, places, http) = (Arc::clone(places), Arc::clone(places), Arc::clone(http));
    let whereabouts = Whereabouts::new(
        move |thread| known.known(thread),
        move |thread| {
            let (http, places) = (Arc::clone(&http), Arc::clone(&places));
            Box::pin(async move { notifier::find(&http, guild, &places, &thread).await })
        },
    );
    let server = socket::Server::new(broker.clone(), admission, whereabouts, descriptors);
    Ok(Some((server, bound)))
}

/// W6: the lock that makes this the only bot of its store and guild.
async fn only_one(store: &FileStore, guild: u64) -> Result<KernelLock, Exit> {
    store.named_lock(&setup::bot_lock(guild), PREDECESSOR).await.map_err(|error| match error {
        StoreError::Lock(LockError::TimedOut { .. }) => Exit::new(
            Code::Usage,
            format!("another Latchkey serves server {guild} from this store: {error}. Stop it first"),
        ),
        error => error.into(),
    })
}
