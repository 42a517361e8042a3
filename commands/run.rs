//! `latchkey run`: the bot.
//!
//! Owns its beginning and its end; what happens between them at the operator's wish is in `run/`. Invariants: one bot for each store and guild (W6); what cannot work ends at once, with
//! the reason and the remedy, instead of a process that never answers; at the end, exchanges under way are finished
//! and stored (W5).

mod feeds;
mod hangup;
mod reload;
mod service;
#[cfg(test)]
mod unit;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use latchkey::config::{Config, DiscordConfig};
use latchkey::feed::overlaps;
use latchkey::health::Health;
use latchkey::limit::Pace;
use latchkey::oauth::EXCHANGE_BOUND;
use latchkey::secret::Secret;
use latchkey::serve;
use latchkey::serve::socket::{self, Admission, BindError, Whereabouts};
use latchkey::store::file::FileStore;
use latchkey::store::{KernelLock, LockError, STORE_WAIT, Store, StoreError};
use latchkey::worker::Supervisor;
use serenity::all::GuildId;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::feeds::Feeds;
use self::hangup::Streams;
use self::reload::Reload;
use self::service::Service;
use crate::auth;
use crate::discord::answers::Answers;
use crate::discord::api::ApiError;
use crate::discord::asking::Asking;
use crate::discord::connection::{Connection, Refused};
use crate::discord::live::Live;
use crate::discord::members::Members;
use crate::discord::notifier::Messenger;
use crate::discord::places::Places;
use crate::discord::reach::Reach;
use crate::discord::reception::Receptionist;
use crate::discord::rules::Rules;
use crate::discord::{Desk, api, notifier};
use crate::exit::{Code, Exit};
use crate::setup::Loaded;
use crate::{log, ops, setup};

/// How long another bot of the same store and guild is given to leave (W6).
const PREDECESSOR: Duration = Duration::from_secs(15);
/// How long the end waits for exchanges and answers under way: for the write before an exchange, the exchange, and the write
/// after it, with a margin of ten seconds (G29).
const DRAIN: Duration =
    Duration::from_secs(STORE_WAIT.as_secs() + EXCHANGE_BOUND.as_secs() + STORE_WAIT.as_secs() + 10);

pub fn run(config: Option<&Path>) -> Result<(), Exit> {
    log::start(log::BOT);
    let streams = Streams::now();
    let Loaded { config, path } = setup::load(config)?;
    log::configure_bot(&config.log).map_err(|error| Exit::new(Code::Usage, error))?;
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
    let result = runtime.block_on(serve(config, path, discord, token, store, descriptors, streams));
    // A blocked file or lock call must not hold up the end: all that counts is stored.
    runtime.shutdown_background();
    log::finish();
    result
}

async fn serve(
    config: Config,
    path: PathBuf,
    discord: DiscordConfig,
    token: Secret,
    store: Arc<FileStore>,
    descriptors: u64,
    streams: Streams,
) -> Result<(), Exit> {
    let internal = |error: std::io::Error| Exit::new(Code::Internal, error);
    let hangups = signal(SignalKind::hangup()).map_err(internal)?;
    // A key that asks for a core dump must not lose an exchange either (G29). A second signal neither hurries nor cuts the end.
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
    let mut ends = Vec::with_capacity(kinds.len());
    for kind in kinds {
        ends.push(signal(kind).map_err(internal)?);
    }
    let ended = std::future::poll_fn(|context| {
        let any = ends.iter_mut().any(|end| end.poll_recv(context).is_ready());
        if any { Poll::Ready(()) } else { Poll::Pending }
    });
    tokio::pin!(ended);
    let health = Health::default();
    let service = Service::new(health.clone());
    // From here on it can be seen that we are not ready, and why.
    let ops = ops::begin(&config, &store, &health).await?;
    let starting = start(&config, &discord, &token, store, descriptors, health.clone());
    let mut bot = tokio::select! {
        bot = starting => bot?,
        () = service.starting() => return Ok(()),
        () = &mut ended => return Ok(()),
    };
    // Not before all else is there: until here whatever ends us has nothing to wait for (W5).
    bot.desk.supervisor.begin();
    if let Some((pages, listener)) = bot.pages.take() {
        bot.handlers.spawn(
            health.clone().watched("the sign-in page", pages.serve(listener, bot.desk.closing.clone())),
        );
    }
    let tokens = bot.tokens.as_ref().map(|(server, _)| server.clone());
    if let Some((server, bound)) = bot.tokens.take() {
        bot.handlers
            .spawn(health.clone().watched("the token socket", server.serve(bound, bot.desk.closing.clone())));
    }
    if let Some(asking) = bot.asking.take() {
        bot.handlers.spawn(health.clone().watched("asking the admins", asking.run(bot.desk.closing.clone())));
    }
    let members = Arc::clone(&bot.desk.members).look_after(bot.desk.closing.clone());
    bot.handlers.spawn(health.clone().watched("looking after members", members));
    let mut feeds =
        Feeds::new(bot.desk.broker.clone(), health.clone(), bot.handlers.clone(), bot.desk.closing.clone());
    feeds.follow(&config.feeds).await;
    let reload = Reload {
        path,
        in_force: config,
        desk: Arc::clone(&bot.desk),
        tokens,
        feeds,
        service: service.clone(),
        streams,
    };
    let result = tokio::select! {
        refused = bot.connection.keep() => Err(lost(&refused)),
        () = reload.follow(hangups) => Ok(()),
        () = service.attend() => Ok(()),
        () = service::live(&bot.desk) => Ok(()),
        () = &mut ended => Ok(()),
    };
    Service::stopping();
    bot.desk.health.ending();
    log::say("ending: letting what is under way finish");
    bot.end().await;
    ops.end().await;
    result
}

/// A bot that is set up and not yet connected.
struct Bot {
    connection: Connection,
    desk: Arc<Desk>,
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
    health: Health,
) -> Result<Bot, Exit> {
    let only_one = only_one(&store, discord.guild).await?;
    let reach = Reach::new(token, setup::environment).map_err(cannot_begin)?;
    let http = Arc::new(reach.http());
    let application = api::lasting(|| api::introduce(&http)).await.map_err(cannot_begin)?;
    let answers = Arc::new(Answers::new(reach.clone(), application));
    let guild = GuildId::new(discord.guild);
    let home = api::lasting(|| api::home(&http, guild)).await.map_err(cannot_begin)?;
    let command = auth::registration(&discord.command);
    let slash = api::lasting(|| api::register(&http, guild, &discord.command, &command));
    let slash = slash.await.map_err(cannot_begin)?;

    let broker = setup::broker(config, store);
    let public_url = config.http.as_ref().and_then(|http| http.public_url.clone());
    let live = Arc::new(Live::new(Arc::clone(&answers), broker.clone(), slash.clone(), public_url));
    let places = Arc::new(Places::default());
    broker.logins().serve(guild.get());
    let access = Rules::new(config.access.clone());
    let members = Members::new(Arc::clone(&http), broker.clone(), guild, access.clone());
    let messenger = Messenger::new(
        Arc::clone(&http),
        broker.clone(),
        home.clone(),
        slash.clone(),
        Arc::clone(&live),
        Arc::clone(&places),
    );
    let messenger = Arc::new(messenger);
    let asking =
        Asking::new(Arc::clone(&http), broker.clone(), Arc::clone(&messenger), access.clone(), home.language);
    let supervisor = Supervisor::new(broker.clone(), messenger);
    let desk = Arc::new(Desk {
        broker,
        supervisor,
        http: Arc::clone(&http),
        answers,
        home,
        access,
        members: Arc::new(members),
        slash,
        live,
        places,
        health,
        pace: Pace::default(),
        closing: CancellationToken::new(),
    });
    let pages = pages(config, &desk).await?;
    let tokens = tokens(config, &desk, descriptors).await?;
    let handlers = TaskTracker::new();
    let connection = Connection::new(Arc::clone(&desk), reach, handlers.clone());
    Ok(Bot { connection, desk, asking: Some(asking), handlers, pages, tokens, _only_one: only_one })
}

impl Bot {
    /// Ends without losing anything: no new work, what runs is finished, then the connection is closed.
    async fn end(&self) {
        self.desk.closing.cancel();
        self.handlers.close();
        let drained = async {
            self.desk.supervisor.shut_down().await;
            self.handlers.wait().await;
        };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::error!("something under way did not end in {} s", DRAIN.as_secs());
        }
        self.connection.close().await;
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
    store.named_lock(&setup::bot_lock(guild), PREDECESSOR).await.map_err(|error| match error {
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

/// Why there will be no connection.
fn lost(refused: &Refused) -> Exit {
    let code = match refused {
        Refused::Token | Refused::UnknownIntents | Refused::Intents | Refused::Elsewhere => Code::Usage,
        Refused::Setup(_) => Code::Internal,
    };
    Exit::new(code, refused)
}
