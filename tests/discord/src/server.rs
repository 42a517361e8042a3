//! The stand-in itself: started by a test or a demo, and gone with the value.
//!
//! Dropping it ends every task and connection it had. Handles (members, channels, interactions) outlive it,
//! but nothing happens through them any more.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{State, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};

use crate::fault::Fault;
use crate::gateway::socket;
use crate::rest;
use crate::secure::{Secure, Secured};
use crate::shared::Shared;
use crate::world::{ENGLISH, World};

/// The home guild's id, unless a test sets another.
const HOME: u64 = 81_384_788_765_712_384;
/// Bytes of one gateway frame.
const FRAME: usize = 1 << 16;
/// Discord's own heartbeat interval.
const HEARTBEAT: Duration = Duration::from_millis(41_250);

/// A running stand-in for Discord, for one bot.
pub struct Discord {
    pub(crate) shared: Arc<Shared>,
}

/// What can be set before the start.
#[derive(Debug, Clone)]
pub struct Builder {
    guild: u64,
    other_guilds: Vec<u64>,
    token: String,
    bot_name: String,
    heartbeat: Duration,
    allowed_intents: u64,
    guild_locale: String,
    like_production: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            guild: HOME,
            other_guilds: Vec::new(),
            token: "MTAwMDAwMDAwMDAwMDAwMDAw.stand-in.bot-token-for-tests".to_owned(),
            bot_name: "Latchkey".to_owned(),
            heartbeat: HEARTBEAT,
            allowed_intents: 0,
            guild_locale: ENGLISH.to_owned(),
            like_production: false,
        }
    }
}

impl Builder {
    /// The id of the home guild.
    #[must_use]
    pub fn guild(mut self, id: u64) -> Self {
        self.guild = id;
        self
    }

    /// Another guild the bot is in.
    #[must_use]
    pub fn other_guild(mut self, id: u64) -> Self {
        self.other_guilds.push(id);
        self
    }

    /// The bot's token, without `Bot `.
    #[must_use]
    pub fn bot_token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.token);
        self
    }

    /// The bot's name.
    #[must_use]
    pub fn bot_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.bot_name);
        self
    }

    /// The heartbeat interval HELLO asks for.
    #[must_use]
    pub fn heartbeat_interval(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// Switches privileged intents on (bits 1, 8 and 15); a bot that asks for one without is closed with 4014.
    #[must_use]
    pub fn allow_intents(mut self, bits: u64) -> Self {
        self.allowed_intents |= bits;
        self
    }

    /// Speaks HTTPS only, as `discord.com` ([`Discord::secure_base`], [`Discord::authority`]), but for the gateway, and
    /// counts requests against rate limits like Discord's.
    #[must_use]
    pub fn like_production(mut self) -> Self {
        self.like_production = true;
        self
    }

    /// The preferred language of the home guild, by Discord's tag: `de`, `en-US`.
    #[must_use]
    pub fn guild_locale(mut self, locale: &str) -> Self {
        locale.clone_into(&mut self.guild_locale);
        self
    }

    /// Starts it on a free loopback port.
    ///
    /// # Errors
    /// When no loopback port can be had.
    pub async fn start(self) -> io::Result<Discord> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let mut world = World::new(&self.bot_name);
        world.home = self.guild;
        world.gateway.allowed = self.allowed_intents;
        world.add_guild(self.guild, "home");
        if let Some(home) = world.guilds.get_mut(&self.guild) {
            home.locale = self.guild_locale;
        }
        for (index, guild) in self.other_guilds.iter().enumerate() {
            world.add_guild(*guild, &format!("guild {}", index + 2));
        }
        let heartbeat = u64::try_from(self.heartbeat.as_millis()).unwrap_or(u64::MAX);
        let (secure, secured) = if self.like_production {
            world.limits.switch_on();
            let (secure, secured) = Secured::bind().await?;
            (Some(secure), Some(secured))
        } else {
            (None, None)
        };
        let shared = Arc::new(Shared::new(world, listener.local_addr()?, secure, self.token, heartbeat));
        let router = Router::new()
            .route("/socket", any(connect))
            .fallback(rest::serve)
            .with_state(Arc::clone(&shared));
        match secured {
            Some(secured) => {
                serve(&shared, secured, router);
                let gateway = Router::new().route("/socket", any(connect)).fallback(rest::unencrypted);
                serve(&shared, listener, gateway.with_state(Arc::clone(&shared)));
            }
            None => serve(&shared, Doorway { listener, shared: Arc::clone(&shared) }, router),
        }
        Ok(Discord { shared })
    }
}

/// A listener that takes connections only while Discord is there.
struct Doorway {
    listener: TcpListener,
    shared: Arc<Shared>,
}

impl Listener for Doorway {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let accepted = Listener::accept(&mut self.listener).await;
            if !self.shared.lock().away {
                return accepted;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

fn serve<L>(shared: &Shared, listener: L, router: Router)
where
    L: Listener,
    L::Addr: fmt::Debug,
{
    let mut stopped = shared.stopped();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move { stopped.wait().await });
    tokio::spawn(async move { drop(server.await) });
}

async fn connect(State(shared): State<Arc<Shared>>, upgrade: WebSocketUpgrade) -> Response {
    if let Some(Fault::Answer(reply)) = shared.change(|world| world.faults.take("GET /socket")) {
        return rest::to_response(&reply);
    }
    if !shared.lock().gateway.answers {
        shared.stopped().wait().await;
    }
    upgrade
        .max_message_size(FRAME)
        .max_frame_size(FRAME)
        .on_upgrade(move |websocket| socket::serve(shared, websocket))
}

impl Discord {
    /// A stand-in with one guild and nothing special.
    pub async fn start() -> Self {
        match Self::builder().start().await {
            Ok(discord) => discord,
            Err(error) => panic!("the Discord stand-in found no loopback port: {error}"),
        }
    }

    /// A stand-in to be set up first.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `http://127.0.0.1:PORT`, for `LATCHKEY_DISCORD_API`.
    pub fn api_base(&self) -> String {
        self.shared.api_base()
    }

    /// `https://127.0.0.1:PORT`, where it speaks as `discord.com`. Panics unless it was built
    /// [`Builder::like_production`].
    pub fn secure_base(&self) -> String {
        format!("https://{}", self.secure().address)
    }

    /// The certificate, in PEM, of the authority to trust for [`Discord::secure_base`].
    pub fn authority(&self) -> &str {
        &self.secure().authority
    }

    fn secure(&self) -> &Secure {
        match &self.shared.secure {
            Some(secure) => secure,
            None => panic!("this stand-in speaks no HTTPS: build it like_production()"),
        }
    }

    /// The bot's token, without `Bot `.
    pub fn bot_token(&self) -> &str {
        &self.shared.token
    }

    /// The application's id, which is also the bot's user id.
    pub fn application_id(&self) -> u64 {
        self.shared.lock().application
    }

    /// The home guild's id.
    pub fn guild(&self) -> u64 {
        self.shared.lock().home
    }

    /// Whether the bot has a live gateway session.
    pub fn is_ready(&self) -> bool {
        self.shared.lock().gateway.ready()
    }

    /// Waits until the bot has a live gateway session; panics after `timeout`.
    pub async fn wait_ready(&self, timeout: Duration) {
        let ready = self.shared.wait(timeout, |world| world.gateway.ready().then_some(())).await;
        assert!(ready.is_some(), "no gateway session within {timeout:?}\n{}", self.report());
    }
}

impl Drop for Discord {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl fmt::Debug for Discord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Discord({})", self.shared.address)
    }
}
