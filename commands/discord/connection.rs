//! The bot's connection to Discord's gateway, for as long as the bot runs.
//!
//! Owns when a connection is made and ended. Within one, the library below resumes a session that broke off; a new session
//! is begun here only, with a pause that grows, and as Discord's limit of session starts allows. Each connection
//! has a runtime of its own, so that ending it ends all of it: a library that is stuck in an address that takes
//! connections and says nothing would never come back, and two connections would hear everything twice. Invariants:
//! what came in is handled outside of that runtime, and outlives it; the token goes to no gateway that was not named just
//! now. Must not: end for what passes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serenity::all::{
    Client, ClientBuilder, Context, FullEvent, GatewayError, GatewayIntents, ShardId, ShardManager,
    StatusCode,
};
use serenity::framework::Framework;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::task::TaskTracker;

use super::reach::{self, Reach};
use super::route::Door;
use super::turn::Turn;
use super::watch::{LOOK, Outcome, Shard, Step, Watch};
use super::{Desk, api};

/// How often Discord is asked whether the bot's token is still good.
const TOKEN: Duration = Duration::from_secs(30);
/// The longest pause before a session is begun, after several that came to nothing.
const LONGEST: Duration = Duration::from_mins(2);
/// The longest pause before Discord is asked again where its gateway is.
const ASKED_AGAIN: Duration = Duration::from_secs(15);
/// The longest wait for the limit of session starts before it is looked at again.
const LIMIT: Duration = Duration::from_mins(10);
/// How long setting up a connection may take.
const SETUP: Duration = Duration::from_secs(30);
/// How long the end waits for the connection to close: it hangs while there is none.
pub const GOODBYE: Duration = Duration::from_secs(3);
/// A heartbeat of ours, by the protocol's own form (op 1), whose answer shows that we are heard.
const HEARTBEAT: &str = r#"{"op":1,"d":null}"#;

/// Why there will be no connection: what somebody must mend, in words.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The token is not, or no longer, good.
    #[error(
        "Discord refuses the bot's token: copy it anew from the developer portal into DISCORD_TOKEN, token_file or the credential, and start the bot again"
    )]
    Token,
    /// The intents are unknown to Discord.
    #[error(
        "Discord does not know the intents that were asked for: this is a fault in Latchkey, please report it"
    )]
    UnknownIntents,
    /// The intents are not allowed for this application.
    #[error(
        "Discord refuses the intents that were asked for: allow the bot's intents in the developer portal"
    )]
    Intents,
    /// The gateway's address leads elsewhere.
    #[error(
        "the stand-in of ${} names a gateway that is not on this host; the bot's token does not go there",
        reach::ADDRESS
    )]
    Elsewhere,
    /// No connection could be set up on this host.
    #[error("the connection to Discord could not be set up: {0}")]
    Setup(String),
}

/// The connection.
pub struct Connection {
    desk: Arc<Desk>,
    reach: Reach,
    watch: Watch,
    handlers: TaskTracker,
    /// What is connected now. Locked to put or take, never across a wait.
    now: Mutex<Option<Line>>,
}

/// One connection, which ends when this is dropped.
struct Line {
    shards: Arc<ShardManager>,
    _runtime: Own,
}

/// A runtime, which ends when this is dropped, with all that runs on it.
struct Own(Option<Runtime>);

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Takes events out of the connection's runtime, into the one that outlives it.
struct Entrance {
    door: Arc<Door>,
    main: Handle,
}

#[serenity::async_trait]
impl Framework for Entrance {
    async fn init(&mut self, client: &Client) {
        self.door.meet(&client.shard_manager);
    }

    async fn dispatch(&self, context: Context, event: FullEvent) {
        let door = Arc::clone(&self.door);
        self.main.spawn(async move { door.enter(context, event).await });
    }
}

impl Connection {
    pub fn new(desk: Arc<Desk>, reach: Reach, handlers: TaskTracker) -> Self {
        let watch = Watch::new(desk.health.clone());
        Self { desk, reach, watch, handlers, now: Mutex::default() }
    }

    /// Keeps the bot connected. Ends only for what trying again cannot mend.
    pub async fn keep(&self) -> Refused {
        tokio::select! {
            refused = self.connect() => refused,
            () = self.token_refused() => Refused::Token,
        }
    }

    /// Ends what is connected, with a word of goodbye where it is heard.
    pub async fn close(&self) {
        let Some(line) = self.put(None) else { return };
        if tokio::time::timeout(GOODBYE, line.shards.shutdown_all()).await.is_err() {
            tracing::debug!("the connection did not close in time");
        }
    }

    fn put(&self, line: Option<Line>) -> Option<Line> {
        std::mem::replace(&mut *self.now.lock().unwrap_or_else(PoisonError::into_inner), line)
    }

    async fn connect(&self) -> Refused {
        let mut poor = 0;
        loop {
            tokio::time::sleep(pause(poor)).await;
            let ended = match self.address().await {
                Ok(address) => self.one(address).await,
                Err(refused) => return refused,
            };
            drop(self.put(None));
            if let Err(refused) = ended {
                return refused;
            }
            self.watch.lost();
            poor = match self.watch.outcome() {
                Outcome::Good => 0,
                Outcome::Poor => poor + 1,
                Outcome::Unreached => poor,
            };
        }
    }

    /// One connection, from its beginning to its end.
    async fn one(&self, address: String) -> Result<(), Refused> {
        let setup = |error: &dyn std::fmt::Display| Refused::Setup(error.to_string());
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("latchkey-gateway")
            .enable_all()
            .build()
            .map_err(|error| setup(&error))?;
        let http = self.reach.http_apart().map_err(|error| setup(&error))?;
        let number = self.watch.begin();
        let door = Door::new(Arc::clone(&self.desk), self.watch.clone(), self.handlers.clone(), number);
        let entrance = Entrance { door: Arc::new(door), main: Handle::current() };
        let (sender, shards) = oneshot::channel();
        let running = runtime.spawn(async move {
            let mut client =
                ClientBuilder::new_with_http(http, GatewayIntents::GUILDS).framework(entrance).await?;
            // Where the library cannot learn the address, it falls back to Discord's own for ever.
            *client.ws_url.lock().await = address;
            drop(sender.send(Arc::clone(&client.shard_manager)));
            client.start().await
        });
        let runtime = Own(Some(runtime));
        let Ok(Ok(shards)) = tokio::time::timeout(SETUP, shards).await else {
            tracing::warn!("a connection to Discord could not be set up; setting up another");
            return Ok(());
        };
        self.put(Some(Line { shards: Arc::clone(&shards), _runtime: runtime }));
        tokio::select! {
            ended = running => match ended {
                Ok(Err(error)) => judge(&error),
                Ok(Ok(())) | Err(_) => Ok(()),
            },
            () = self.look_after(&shards) => Ok(()),
        }
    }

    /// Looks at the connection until it is to be made anew.
    async fn look_after(&self, shards: &ShardManager) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            let found = shards.runners.lock().await.get(&ShardId(0)).map(|runner| {
                let shard = Shard { stage: runner.stage, latency: runner.latency };
                (shard, runner.runner_tx.clone())
            });
            let (shard, way) = found.unzip();
            match (self.watch.look(shard), way) {
                (Step::Stay, _) | (Step::Ask, None) => {}
                (Step::Ask, Some(way)) => way.websocket_message(HEARTBEAT.to_owned().into()),
                (Step::Anew, _) => return,
            }
        }
    }

    /// Learns where the gateway is, for as long as that takes, and until another session may be begun.
    async fn address(&self) -> Result<String, Refused> {
        let (mut tries, mut turn) = (0, None);
        loop {
            let error = match self.desk.http.get_bot_gateway().await {
                Ok(found) if !self.reach.admits_gateway(&found.url) => return Err(Refused::Elsewhere),
                Ok(found) => {
                    let now = Instant::now();
                    turn = Turn::next(turn, &found.session_start_limit, now);
                    let Some(Turn { at, remaining }) = turn else { return Ok(found.url) };
                    let left = at.saturating_duration_since(now);
                    tracing::warn!(
                        remaining,
                        "few of the sessions that Discord lets this bot begin in a day are left; the next is begun in {} s: find out why it connects so often",
                        left.as_secs()
                    );
                    tokio::time::sleep(left.min(LIMIT)).await;
                    if left <= LIMIT {
                        return Ok(found.url);
                    }
                    continue;
                }
                Err(error) => error,
            };
            if api::status(&error) == Some(StatusCode::UNAUTHORIZED)
                && api::refuses_token(&self.desk.http).await
            {
                return Err(Refused::Token);
            }
            let again = grown(Duration::from_secs(1), tries, ASKED_AGAIN);
            tracing::warn!(
                error = api::words(&error),
                "asking Discord for its gateway failed; trying again in {} s",
                again.as_secs()
            );
            tries += 1;
            tokio::time::sleep(again).await;
        }
    }

    /// Comes back once Discord refuses the token.
    async fn token_refused(&self) {
        loop {
            tokio::time::sleep(TOKEN).await;
            if api::refuses_token(&self.desk.http).await {
                return;
            }
        }
    }
}

/// Whether what ended a connection ends the bot.
fn judge(error: &serenity::Error) -> Result<(), Refused> {
    match error {
        serenity::Error::Gateway(GatewayError::InvalidAuthentication) => Err(Refused::Token),
        serenity::Error::Gateway(GatewayError::InvalidGatewayIntents) => Err(Refused::UnknownIntents),
        serenity::Error::Gateway(GatewayError::DisallowedGatewayIntents) => Err(Refused::Intents),
        error => {
            tracing::warn!(error = api::words(error), "a connection to Discord ended; making another");
            Ok(())
        }
    }
}

/// `first`, doubled `times` times, up to `longest`.
fn grown(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(longest)
}

/// The pause before a session is begun, after so many that came to nothing; not the same for all bots, which Discord's
/// return would bring all at once.
fn pause(poor: u32) -> Duration {
    match poor {
        0 => Duration::ZERO,
        poor => grown(Duration::from_secs(1), poor, LONGEST).mul_f64(rand::random_range(0.5..1.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sessions that come to nothing follow each other ever more slowly: fewer than a thousand a day, which is the limit.
    #[test]
    fn sessions_that_come_to_nothing_are_begun_ever_more_slowly() {
        assert_eq!(pause(0), Duration::ZERO);
        for poor in 1..100 {
            let (pause, longest) = (pause(poor), grown(Duration::from_secs(1), poor, LONGEST));
            assert!(pause >= longest / 2 && pause <= longest, "{poor}: {pause:?}");
        }
        assert_eq!(grown(Duration::from_secs(1), 99, LONGEST), LONGEST);
        let a_day: Duration = std::iter::successors(Some(0_u32), |poor| Some(poor + 1))
            .take(1_000)
            .map(|poor| grown(Duration::from_secs(1), poor, LONGEST) * 3 / 4)
            .sum();
        assert!(a_day > Duration::from_hours(24), "{a_day:?}");
    }

    /// What ends the bot is what trying again cannot mend, and nothing else.
    #[test]
    fn only_what_cannot_be_mended_ends_the_bot() {
        let of = |error: GatewayError| judge(&serenity::Error::Gateway(error)).is_err();
        for (error, ends) in [
            (GatewayError::InvalidAuthentication, true),
            (GatewayError::InvalidGatewayIntents, true),
            (GatewayError::DisallowedGatewayIntents, true),
            (GatewayError::NoAuthentication, false),
            (GatewayError::InvalidShardData, false),
            (GatewayError::OverloadedShard, false),
            (GatewayError::Closed(None), false),
            (GatewayError::HeartbeatFailed, false),
        ] {
            let name = error.to_string();
            assert_eq!(of(error), ends, "{name}");
        }
    }
}
