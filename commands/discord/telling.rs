//! Telling a thread what became of its tenants, in the open (W4, U7).
//!
//! Owns the look at the thread (is it ours, open, and alive?) and the one lane that all these messages take, one after
//! another, so that a bad day of a provider neither meets Discord's limits nor keeps anybody's sign-in waiting. Invariants:
//! nothing is said in another guild (U8); nothing reopens an archived thread; at most the tenant's owner is mentioned;
//! a message that was sent by a bot which died before it could note that shows once, by its nonce.

use std::sync::Arc;
use std::time::Duration;

use latchkey::broker::Broker;
use latchkey::clock::UnixSeconds;
use latchkey::tenant::{ThreadId, UserId as Person};
use latchkey::worker::{Heard, News};
use serenity::all::{Channel, GuildChannel, Http, UserId};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::api::{self, Home};
use super::notifier::{channel_id, refused};
use super::places::Places;
use super::render;
use crate::view::{self, Slash};

/// A thread in which somebody wrote within this many seconds is alive.
const ALIVE_FOR: i64 = 24 * 60 * 60;
/// Between two messages: a fraction of what Discord allows a bot in all.
const APART: Duration = Duration::from_millis(250);
/// After Discord has said that it is too much.
const TOO_MUCH: Duration = Duration::from_secs(5);

/// Tells threads.
pub struct Teller {
    http: Arc<Http>,
    broker: Broker,
    home: Home,
    slash: Slash,
    known: Arc<Places>,
    /// When the next message may go. Held while one is on its way.
    lane: Mutex<Instant>,
}

impl Teller {
    pub fn new(http: Arc<Http>, broker: Broker, home: Home, slash: Slash, known: Arc<Places>) -> Self {
        Self { http, broker, home, slash, known, lane: Mutex::new(Instant::now()) }
    }

    /// Tells `thread` the `news`, if anybody is there to hear it.
    pub async fn tell(&self, news: &News, thread: &ThreadId, in_use: bool) -> Heard {
        if self.known.is_ours(thread) == Some(false) {
            return Heard::NotOurs;
        }
        let mut free_at = self.lane.lock().await;
        tokio::time::sleep_until(*free_at).await;
        let told = self.tell_in_turn(news, thread, in_use).await;
        let (heard, pause) = told.unwrap_or_else(|error| {
            tracing::warn!(%thread, error = api::words(&error), "a thread could not be told of its sign-ins");
            let too_much = api::status(&error).is_some_and(|status| status.as_u16() == 429);
            (Heard::Later, if too_much { TOO_MUCH } else { APART })
        });
        *free_at = Instant::now() + pause;
        heard
    }

    async fn tell_in_turn(
        &self,
        news: &News,
        thread: &ThreadId,
        in_use: bool,
    ) -> serenity::Result<(Heard, Duration)> {
        let Some(id) = channel_id(thread) else { return Ok((Heard::NotOurs, Duration::ZERO)) };
        let found = match self.http.get_channel(id).await {
            Ok(Channel::Guild(found)) if found.guild_id == self.home.id => found,
            Ok(_) => {
                self.known.note_foreign(thread);
                return Ok((Heard::NotOurs, APART));
            }
            // Gone, or hidden from us: whoever uses it next shows that it is neither.
            Err(error) if refused(&error) => return Ok((Heard::Shut, APART)),
            Err(error) => return Err(error),
        };
        self.known.note_ours(thread, found.parent_id.map(|parent| ThreadId::from(parent.get())));
        if found.thread_metadata.is_some_and(|thread| thread.archived || thread.locked) {
            return Ok((Heard::Shut, APART));
        }
        if !in_use && !news.is_good() && !is_alive(&found, self.broker.clock().now()) {
            return Ok((Heard::Quiet, APART));
        }
        let page = view::tenant_news(self.home.language, news, &self.broker.catalog(), &self.slash);
        let message = render::public(&page, view::called_by(news).and_then(discord_id))
            .nonce(render::nonce(&format!("{thread} {}", news.nonce)))
            .enforce_nonce(true);
        match id.send_message(&*self.http, message).await {
            Ok(_) => Ok((Heard::Told, APART)),
            Err(error) if refused(&error) => {
                tracing::info!(%thread, error = api::words(&error), "nothing is to be said in a thread");
                Ok((Heard::Shut, APART))
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether somebody wrote there of late. One in which nobody has written yet is as old as itself.
fn is_alive(channel: &GuildChannel, now: UnixSeconds) -> bool {
    let written = channel.last_message_id.map(|message| message.created_at());
    let last = written.unwrap_or_else(|| channel.id.created_at()).unix_timestamp();
    now.saturating_sub(last) < ALIVE_FOR
}

/// A Discord user as serenity calls them.
pub fn discord_id(person: &Person) -> Option<UserId> {
    person.as_str().parse().ok().filter(|id| *id != 0).map(UserId::new)
}
