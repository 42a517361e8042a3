//! `latchkey run`: the bot.
//!
//! Owns its beginning and its end. Invariants: one bot for each store and guild (W6); what cannot work ends at once, with
//! the reason and the remedy, instead of a process that never answers; at the end, exchanges under way are finished
//! and stored (W5).

use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use latchkey::config::{Config, DiscordConfig};
use latchkey::feed::{Feed, overlaps};
use latchkey::health::Health;
use latchkey::oauth::EXCHANGE_BOUND;
use latchkey::secret::Secret;
use latchkey::serve;
use latchkey::serve::socket::{self, Admission, BindError, Whereabouts};
use latchkey::store::file::FileStore;
use latchkey::store::{KernelLock, LockError, STORE_WAIT, Store, StoreError};
use latchkey::worker::Supervisor;
use serenity::all::{Client, ClientBuilder, GatewayError, GatewayIntents, GuildId, ShardManager};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth;
use crate::discord::answers::Answers;
use crate::discord::api::ApiError;
use crate::discord::asking::Asking;
use crate::discord::live::Live;
use crate::discord::members::Members;
use crate::discord::notifier::Messenger;
use crate::discord::places::Places;
use crate::discord::reach::Reach;
use crate::discord::reception::Receptionist;
use crate::discord::route::Door;
use crate::discord::watch::Watch;
use crate::discord::{Desk, api, notifier};
use crate::exit::{Code, Exit};
use crate::{log, setup};

/// How long another bot of the same store and guild is given to leave (W6).
const PREDECESSOR: Duration = Duration::from_secs(15);
/// How long the end waits for exchanges and answers under way: for the write before an exchange, the exchange, and the write
/// after it, with a margin of ten seconds (G29).
const DRAIN: Duration =
    Duration::from_secs(STORE_WAIT.as_secs() + EXCHANGE_BOUND.as_secs() + STORE_WAIT.as_secs() + 10);
/// How long it waits for the connection to close: it hangs while there is none.
const GOODBYE: Duration = Duration::from_secs(3);

pub fn run(config: Option<&Path>) -> Result<(), Exit> {
    log::start(log::BOT);
    let config = setup::load(config)?.config;
    let discord = config.discord.clone().ok_or_else(|| {
        Exit::new(
            Code::Usage,
            "there is no [discord] table in the configuration: add one with guild = \"<the id of your server>\"",
        )
    })?;
    let token = discord.token.read(&setup::environment).map_err(|error| Exit::new(Code::Usage, error))?;
    if let Some(overlap) = overlaps(&config).into_iter().next() {
        return Err(Exit::new(Code::Usage, overlap));
    }
    let store = setup::open_store(&config)?;
    // Without its key nothing works until somebody comes: that is to be seen now, and not at the first press.
    if let Err(error @ StoreError::Sealed { .. }) = store.snapshot() {
        return Err(error.into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Exit::new(Code::Internal, error))?;
    let descriptors = serve::socket::raise_descriptors();
    let result = runtime.block_on(serve(config, discord, token, store, descriptors));
    // A blocked file or lock call must not hold up the end: all that counts is stored.
    runtime.shutdown_background();
    result
}

async fn serve(
    config: Config,
    discord: DiscordConfig,
    token: Secret,
    store: Arc<FileStore>,
    descriptors: u64,
) -> Result<(), Exit> {
    // A terminal that closes or a key that asks for a core dump must not lose an exchange either (G29).
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup(), SignalKind::quit()];
    let mut ends = Vec::with_capacity(kinds.len());
    for kind in kinds {
        ends.push(signal(kind).map_err(|error| Exit::new(Code::Internal, error))?);
    }
    let ended = std::future::poll_fn(|context| {
        let any = ends.iter_mut().any(|end| end.poll_recv(context).is_ready());
        if any { Poll::Ready(()) } else { Poll::Pending }
    });
    tokio::pin!(ended);
    let starting = start(&config, &discord, &token, store, descriptors);
    let mut bot = tokio::select! {
        bot = starting => bot?,
        () = &mut ended => return Ok(()),
    };
    // Not before all else is there: until here whatever ends us has nothing to wait for (W5).
    bot.desk.supervisor.begin();
    if let Some((pages, listener)) = bot.pages.take() {
        bot.handlers.spawn(pages.serve(listener, bot.desk.closing.clone()));
    }
    if let Some((server, bound)) = bot.tokens.take() {
        bot.handlers.spawn(server.serve(bound, bot.desk.closing.clone()));
    }
    if let Some(asking) = bot.asking.take() {
        bot.handlers.spawn(asking.run(bot.desk.closing.clone()));
    }
    bot.handlers.spawn(Arc::clone(&bot.desk.members).look_after(bot.desk.closing.clone()));
    for feed in config.feeds.iter().cloned() {
        bot.handlers.spawn(Feed::new(bot.desk.broker.clone(), feed).run(bot.desk.closing.clone()));
    }
    let shards = Arc::clone(&bot.client.shard_manager);
    let result = tokio::select! {
        result = bot.client.start() => Err(lost(result)),
        () = bot.watch.look_after(&shards) => Ok(()),
        () = &mut ended => Ok(()),
    };
    bot.desk.health.ending();
    log::say("ending: letting what is under way finish");
    bot.end(&shards).await;
    result
}

/// A bot that is set up and not yet connected.
struct Bot {
    client: Client,
    desk: Arc<Desk>,
    watch: Watch,
    /// Asks the admins, once the bot has begun.
    asking: Option<Asking>,
    handlers: TaskTracker,
    /// The sign-in page, and where it is served, until it is.
    pages: Option<(serve::Server, TcpListener)>,
    /// The token socket, and where it stands, until it is served.
    tokens: Option<(socket::Server, socket::Bound)>,
    /// Held as long as the bot runs (W6).
    _only_one: KernelLock,
}

async fn start(
    config: &Config,
    discord: &DiscordConfig,
    token: &Secret,
    store: Arc<FileStore>,
    descriptors: u64,
) -> Result<Bot, Exit> {
    let only_one = only_one(&store, discord.guild).await?;
    let reach = Reach::new(token, setup::environment).map_err(cannot_begin)?;
    let http = Arc::new(reach.http());
    let application = api::introduce(&http, &reach).await.map_err(cannot_begin)?;
    let answers = Arc::new(Answers::new(reach.clone(), application));
    let guild = GuildId::new(discord.guild);
    let home = api::home(&http, guild).await.map_err(cannot_begin)?;
    let command = auth::registration(&discord.command);
    let slash = api::register(&http, guild, &discord.command, &command).await.map_err(cannot_begin)?;

    let broker = setup::broker(config, store);
    let public_url = config.http.as_ref().and_then(|http| http.public_url.clone());
    let live = Arc::new(Live::new(Arc::clone(&answers), broker.clone(), slash.clone(), public_url));
    let places = Arc::new(Places::default());
    broker.logins().serve(guild.get());
    let members = Members::new(Arc::clone(&http), broker.clone(), guild, config.access.clone());
    let messenger = Messenger::new(
        Arc::clone(&http),
        broker.clone(),
        home.clone(),
        slash.clone(),
        Arc::clone(&live),
        Arc::clone(&places),
    );
    let messenger = Arc::new(messenger);
    let asking = Asking::new(
        Arc::clone(&http),
        broker.clone(),
        Arc::clone(&messenger),
        config.access.admins.clone(),
        home.language,
    );
    let supervisor = Supervisor::new(broker.clone(), messenger);
    let desk = Arc::new(Desk {
        broker,
        supervisor,
        http: Arc::clone(&http),
        answers,
        home,
        access: config.access.clone(),
        members: Arc::new(members),
        slash,
        live,
        places,
        health: Health::default(),
        closing: CancellationToken::new(),
    });
    let pages = pages(config, &desk).await?;
    let tokens = tokens(config, &desk, descriptors).await?;
    let (watch, handlers) = (Watch::new(desk.health.clone()), TaskTracker::new());
    let door = Door::new(Arc::clone(&desk), watch.clone(), handlers.clone());
    // The gateway's side wants a client of its own; it asks for the gateway's address and no more.
    let client = ClientBuilder::new_with_http(reach.http(), GatewayIntents::GUILDS)
        .framework(door)
        .await
        .map_err(|error| Exit::new(Code::Internal, api::words(&error)))?;
    Ok(Bot { client, desk, watch, asking: Some(asking), handlers, pages, tokens, _only_one: only_one })
}

impl Bot {
    /// Ends without losing anything: no new work, what runs is finished, then the connection is closed.
    async fn end(&self, shards: &ShardManager) {
        self.desk.closing.cancel();
        self.handlers.close();
        let drained = async {
            self.desk.supervisor.shut_down().await;
            self.handlers.wait().await;
        };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::error!("something under way did not end in {} s", DRAIN.as_secs());
        }
        if tokio::time::timeout(GOODBYE, shards.shutdown_all()).await.is_err() {
            tracing::debug!("the connection did not close in time");
        }
    }
}

/// The sign-in page, where one is wanted: its address is taken, and nothing is answered yet.
async fn pages(config: &Config, desk: &Arc<Desk>) -> Result<Option<(serve::Server, TcpListener)>, Exit> {
    let Some(http) = &config.http else { return Ok(None) };
    let Some(public_url) = &http.public_url else { return Ok(None) };
    let listener = serve::bind(http.listen).await.map_err(|error| Exit::new(Code::Usage, error))?;
    let receptionist = Arc::new(Receptionist(Arc::clone(desk)));
    let server = serve::Server::new(desk.broker.clone(), receptionist, public_url);
    Ok(Some((server, listener)))
}

/// The token socket, where one is wanted: whoever connects waits until it is served.
async fn tokens(
    config: &Config,
    desk: &Arc<Desk>,
    descriptors: u64,
) -> Result<Option<(socket::Server, socket::Bound)>, Exit> {
    let Some(tokens) = &config.tokens else { return Ok(None) };
    let usage = |error: BindError| Exit::new(Code::Usage, error);
    let admission = Admission::new(tokens).map_err(|error| usage(error.into()))?;
    let bound = socket::bind(tokens).await.map_err(usage)?;
    let (places, asking) = (Arc::clone(&desk.places), Arc::clone(desk));
    let whereabouts = Whereabouts::new(
        move |thread| places.known(thread),
        move |thread| {
            let desk = Arc::clone(&asking);
            Box::pin(async move { notifier::find(&desk.http, desk.home.id, &desk.places, &thread).await })
        },
    );
    let server = socket::Server::new(desk.broker.clone(), admission, whereabouts, descriptors);
    Ok(Some((server, bound)))
}

/// W6: the lock that makes this the only bot of its store and guild.
async fn only_one(store: &FileStore, guild: u64) -> Result<KernelLock, Exit> {
    store.named_lock(&format!("bot-{guild}"), PREDECESSOR).await.map_err(|error| match error {
        StoreError::Lock(LockError::TimedOut { .. }) => Exit::new(
            Code::Usage,
            format!("another Latchkey serves server {guild} from this store: {error}. Stop it first"),
        ),
        error => error.into(),
    })
}

fn cannot_begin(error: ApiError) -> Exit {
    let code = match error {
        ApiError::Mend(_) => Code::Usage,
        ApiError::Passing(_) => Code::Transient,
    };
    Exit::new(code, error)
}

/// Why the connection ended for good.
fn lost(result: serenity::Result<()>) -> Exit {
    let error = match result {
        Ok(()) => return Exit::new(Code::Internal, "the connection to Discord ended"),
        Err(error) => error,
    };
    let remedy = match &error {
        serenity::Error::Gateway(GatewayError::InvalidAuthentication) => {
            "Discord refuses the bot's token: copy it anew from the developer portal into DISCORD_TOKEN or token_file"
        }
        serenity::Error::Gateway(GatewayError::InvalidGatewayIntents) => {
            "Discord does not know the intents that were asked for: this is a fault in Latchkey, please report it"
        }
        serenity::Error::Gateway(GatewayError::DisallowedGatewayIntents) => {
            "Discord refuses the intents that were asked for: allow the bot's intents in the developer portal"
        }
        _ => {
            return Exit::new(
                Code::Transient,
                format!("the connection to Discord was lost: {}", api::words(&error)),
            );
        }
    };
    Exit::new(Code::Usage, remedy)
}
