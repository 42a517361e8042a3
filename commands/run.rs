//! `latchkey run`: the bot.
//!
//! Owns its beginning and its end; what it stands on, and what happens in between at the operator's wish, is in `run/`. Invariants:
//! what needs no Discord does not wait for it; what cannot work ends at once, with the reason and the remedy, instead of a
//! process that never answers; at the end, exchanges under way are finished and stored (W5).

mod feeds;
mod footing;
mod hangup;
mod reload;
mod service;
#[cfg(test)]
mod unit;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;

use latchkey::config::{Config, DiscordConfig};
use latchkey::feed::overlaps;
use latchkey::health::Health;
use latchkey::limit::Pace;
use latchkey::secret::Secret;
use latchkey::serve;
use latchkey::store::file::FileStore;
use latchkey::store::{Store, StoreError};
use latchkey::worker::Supervisor;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use self::footing::Footing;
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
use crate::discord::reception::Receptionist;
use crate::discord::rules::Rules;
use crate::discord::{Desk, api};
use crate::exit::{Code, Exit};
use crate::setup::Loaded;
use crate::{log, setup};

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
    // Each hears all: what comes before the bot has begun is heeded then, as far as it can be, and again once it has.
    let mut early_hangups = signal(SignalKind::hangup()).map_err(internal)?;
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
    let footing = Footing::take(&config, &discord, &token, store, descriptors, health.clone());
    let mut footing = tokio::select! {
        footing = footing => footing?,
        () = service.starting() => return Ok(()),
        () = streams.wait_for_the_end_of_their_terminal(&mut early_hangups) => return Ok(()),
        () = &mut ended => return Ok(()),
    };
    let (tokens, feeds) = footing.begin(&config).await;
    // Until Discord has answered nothing is begun but what the footing ends, whatever ends the wait.
    let met = tokio::select! {
        bot = meet(&footing, &config, &discord) => bot.map(Some),
        () = service.starting() => Ok(None),
        () = streams.wait_for_the_end_of_their_terminal(&mut early_hangups) => Ok(None),
        () = &mut ended => Ok(None),
    };
    let (bot, result) = match met {
        Err(exit) => (None, Err(exit)),
        Ok(None) => (None, Ok(())),
        Ok(Some(mut bot)) => {
            bot.begin(&footing);
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
            (Some(bot), result)
        }
    };
    Service::stopping();
    health.ending();
    log::say("ending: letting what is under way finish");
    footing.end(bot).await;
    result
}

/// A bot that Discord knows, and is not yet connected to.
struct Bot {
    connection: Connection,
    desk: Arc<Desk>,
    /// The sign-in page, and where it is served, until it is.
    page: Option<(serve::Server, TcpListener)>,
    /// Asks the admins, once the bot has begun.
    asking: Option<Asking>,
}

/// Has Discord tell what a bot must know, for as long as that takes. Begins nothing.
async fn meet(footing: &Footing, config: &Config, discord: &DiscordConfig) -> Result<Bot, Exit> {
    let (reach, http, guild) = (&footing.reach, &footing.http, footing.guild);
    let application = api::introduce(http).await.map_err(|error| cannot_begin(&error))?;
    let answers = Arc::new(Answers::new(reach.clone(), application));
    let home = api::home(http, guild).await.map_err(|error| cannot_begin(&error))?;
    let command = auth::registration(&discord.command);
    let slash = api::register(http, guild, &discord.command, &command).await;
    let slash = slash.map_err(|error| cannot_begin(&error))?;

    let (broker, places) = (&footing.broker, &footing.places);
    let public_url = config.http.as_ref().and_then(|http| http.public_url.clone());
    let live = Arc::new(Live::new(Arc::clone(&answers), broker.clone(), slash.clone(), public_url));
    let access = Rules::new(config.access.clone());
    let members = Members::new(Arc::clone(http), broker.clone(), guild, access.clone());
    let messenger = Messenger::new(
        Arc::clone(http),
        broker.clone(),
        home.clone(),
        slash.clone(),
        Arc::clone(&live),
        Arc::clone(places),
    );
    let messenger = Arc::new(messenger);
    let asking =
        Asking::new(Arc::clone(http), broker.clone(), Arc::clone(&messenger), access.clone(), home.language);
    let supervisor = Supervisor::new(broker.clone(), messenger);
    let desk = Arc::new(Desk {
        broker: broker.clone(),
        supervisor,
        http: Arc::clone(http),
        answers,
        home,
        access,
        members: Arc::new(members),
        slash,
        live,
        places: Arc::clone(places),
        health: footing.health.clone(),
        pace: Pace::default(),
        closing: footing.closing.clone(),
    });
    let page = page(config, &desk).await?;
    let connection = Connection::new(Arc::clone(&desk), reach.clone(), footing.handlers.clone());
    Ok(Bot { connection, desk, page, asking: Some(asking) })
}

impl Bot {
    /// Begins what needs Discord.
    fn begin(&mut self, footing: &Footing) {
        let (desk, health, handlers) = (&self.desk, &footing.health, &footing.handlers);
        desk.supervisor.begin();
        if let Some((page, listener)) = self.page.take() {
            let serving = page.serve(listener, desk.closing.clone());
            handlers.spawn(health.clone().watched("the sign-in page", serving));
        }
        if let Some(asking) = self.asking.take() {
            handlers.spawn(health.clone().watched("asking the admins", asking.run(desk.closing.clone())));
        }
        let members = Arc::clone(&desk.members).look_after(desk.closing.clone());
        handlers.spawn(health.clone().watched("looking after members", members));
    }
}

/// The sign-in page, where one is wanted: its address is taken, and nothing is answered yet.
async fn page(config: &Config, desk: &Arc<Desk>) -> Result<Option<(serve::Server, TcpListener)>, Exit> {
    let Some(http) = &config.http else { return Ok(None) };
    let Some(public_url) = &http.public_url else { return Ok(None) };
    let listener = serve::bind(http.listen).await.map_err(|error| Exit::new(Code::Usage, error))?;
    let receptionist = Arc::new(Receptionist(Arc::clone(desk)));
    let server = serve::Server::new(desk.broker.clone(), receptionist, public_url);
    Ok(Some((server, listener)))
}

fn cannot_begin(error: &ApiError) -> Exit {
    Exit::new(Code::Usage, error)
}

/// Why there will be no connection.
fn lost(refused: &Refused) -> Exit {
    let code = match refused {
        Refused::Token | Refused::UnknownIntents | Refused::Intents | Refused::Elsewhere => Code::Usage,
        Refused::Setup(_) => Code::Internal,
    };
    Exit::new(code, refused)
}
