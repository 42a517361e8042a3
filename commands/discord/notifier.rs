//! Telling people how their logins go on, when nobody pressed anything.
//!
//! Owns the routes of U5: the live message, as long as an interaction token is left, else one line in the thread that
//! shows no secret, else a direct message where nothing can be said in the thread. What becomes of a thread's tenants is
//! `telling`'s. Invariants: nothing is said in another guild (U8), nothing reopens an archived thread, a line in the thread
//! mentions one person only, and shows once though a bot died before it could note that.

use std::pin::Pin;
use std::sync::Arc;

use latchkey::broker::Broker;
use latchkey::pending::PendingLogin;
use latchkey::secret::Secret;
use latchkey::serve::socket::{Found, Unfindable};
use latchkey::tenant::{ThreadId, User};
use latchkey::worker::{Heard, News, Notifier, Told};
use serenity::all::{Channel, ChannelId, CreateAllowedMentions, CreateMessage, GuildId, Http, UserId};

use super::api::Home;
use super::live::{Live, PATIENCE};
use super::places::Places;
use super::telling::Teller;
use super::{api, direct, render};
use crate::view::{self, Slash};
use crate::words::Language;

/// What may be said in a thread.
pub(super) enum Place {
    /// It is ours and open.
    Open,
    /// It is ours, and archived, locked or gone.
    Closed,
    /// Another guild's.
    NotOurs,
    /// Not to be seen by us, and not known to be ours.
    Hidden,
    /// Discord could not say.
    Unknown,
}

/// The bot, as the workers see it.
pub struct Messenger {
    http: Arc<Http>,
    broker: Broker,
    home: Home,
    slash: Slash,
    live: Arc<Live>,
    known: Arc<Places>,
    teller: Teller,
}

impl Messenger {
    pub fn new(
        http: Arc<Http>,
        broker: Broker,
        home: Home,
        slash: Slash,
        live: Arc<Live>,
        known: Arc<Places>,
    ) -> Self {
        let (to, places) = (Arc::clone(&http), Arc::clone(&known));
        let teller = Teller::new(to, broker.clone(), home.clone(), slash.clone(), places);
        Self { http, broker, home, slash, live, known, teller }
    }

    async fn tell(&self, login: &PendingLogin, thread: &ThreadId, interaction: Option<&Secret>) -> Told {
        // Discord knows no more of a thread that was deleted while we were away. One that came later may be another guild's.
        let is_where_it_began = login.watchers.iter().all(|watcher| watcher.thread == *thread);
        if self.known.is_ours(thread).is_none()
            && login.guild == Some(self.home.id.get())
            && is_where_it_began
        {
            self.known.note_ours_somewhere(thread);
        }
        // Before the token is used: another application's would be refused, and that says nothing of the login.
        if self.known.is_ours(thread).is_none() {
            match self.look(thread).await {
                Place::NotOurs => return Told::NotOurs,
                Place::Unknown => return Told::Later,
                // An interaction's token needs no way into its channel, and works for us only if it is ours.
                Place::Hidden if interaction.is_none() => return Told::NotOurs,
                Place::Open | Place::Closed | Place::Hidden => {}
            }
        }
        if self.known.is_ours(thread) == Some(false) {
            return Told::NotOurs;
        }
        match tokio::time::timeout(PATIENCE, self.edit(login, thread, interaction)).await {
            Ok(Some(told)) => return told,
            Ok(None) => {}
            Err(_) => {
                tracing::debug!(%thread, "a login's message waits for Discord's rate limit");
                return Told::Later;
            }
        }
        if login.status.is_terminal() { self.say(login, thread).await } else { Told::Done }
    }

    /// Changes the live message; `None` where there is none that can be changed.
    async fn edit(
        &self,
        login: &PendingLogin,
        thread: &ThreadId,
        interaction: Option<&Secret>,
    ) -> Option<Told> {
        let turn = self.live.turn(&login.id).await;
        if self.live.needs_no_telling(&turn, login, thread) {
            return Some(Told::Done);
        }
        match self.live.show_in_turn(&turn, login, interaction?).await {
            Ok(()) => {
                if self.known.is_ours(thread).is_none() {
                    self.known.note_ours_somewhere(thread);
                }
                Some(Told::Done)
            }
            Err(error) if refused(&error) => {
                tracing::debug!(%thread, error = api::words(&error), "a login's message is not to be changed");
                None
            }
            Err(error) => {
                tracing::warn!(%thread, error = api::words(&error), "a login's message could not be changed");
                Some(Told::Later)
            }
        }
    }

    /// One line in the thread.
    async fn say(&self, login: &PendingLogin, thread: &ThreadId) -> Told {
        let (Some(channel), User::Discord(user)) = (channel_id(thread), &login.user) else {
            return Told::Done;
        };
        let Some(user) = user.as_str().parse().ok().filter(|id| *id != 0).map(UserId::new) else {
            return Told::Done;
        };
        match self.look(thread).await {
            Place::Open => {}
            Place::Closed => return self.say_directly(login, user).await,
            Place::NotOurs | Place::Hidden => return Told::NotOurs,
            Place::Unknown => return Told::Later,
        }
        let page = view::ended_in_thread(self.home.language, login, &self.broker.catalog(), &self.slash);
        let message = CreateMessage::new()
            .content(page.text)
            .allowed_mentions(CreateAllowedMentions::new().users([user]))
            .nonce(render::nonce(&format!("end of {}/{thread}", login.id)))
            .enforce_nonce(true);
        match channel.send_message(&*self.http, message).await {
            Ok(_) => Told::Done,
            Err(error) if refused(&error) => {
                tracing::info!(%thread, error = api::words(&error), "nothing is to be said there");
                self.say_directly(login, user).await
            }
            Err(error) => {
                tracing::warn!(%thread, error = api::words(&error), "a login's end could not be told");
                Told::Later
            }
        }
    }

    /// Where nothing can be said in the thread.
    async fn say_directly(&self, login: &PendingLogin, user: UserId) -> Told {
        let language = login.locale.as_deref().map(Language::of).unwrap_or_default();
        let page = view::ended_direct(language, login, &self.broker.catalog(), &self.slash, &self.home.name);
        match direct::tell(&self.http, user, &page, &login.id).await {
            Ok(()) => Told::Done,
            Err(error) => {
                tracing::warn!(%user, error = api::words(&error), "a login's end could not be told directly");
                Told::Later
            }
        }
    }

    /// Looks at `thread`: whether it is ours, and open.
    pub(super) async fn look(&self, thread: &ThreadId) -> Place {
        let Some(id) = channel_id(thread) else { return Place::NotOurs };
        match self.http.get_channel(id).await {
            Ok(Channel::Guild(channel)) if channel.guild_id == self.home.id => {
                let parent = channel.parent_id.map(|id| ThreadId::from(id.get()));
                self.known.note_ours(thread, parent);
                let closed = channel.thread_metadata.is_some_and(|thread| thread.archived || thread.locked);
                if closed { Place::Closed } else { Place::Open }
            }
            Ok(_) => {
                self.known.note_foreign(thread);
                Place::NotOurs
            }
            Err(error) if refused(&error) => match self.known.is_ours(thread) {
                Some(true) => Place::Closed,
                None if api::status(&error).is_some_and(|status| status.as_u16() == 403) => Place::Hidden,
                _ => Place::NotOurs,
            },
            Err(error) => {
                tracing::warn!(%thread, error = api::words(&error), "a thread could not be looked at");
                Place::Unknown
            }
        }
    }
}

pub(super) fn channel_id(thread: &ThreadId) -> Option<ChannelId> {
    thread.as_str().parse().ok().filter(|id| *id != 0).map(ChannelId::new)
}

/// Whether Discord gave a definite no: a token that is over, a message that is gone or that it does not take.
pub(super) fn refused(error: &serenity::Error) -> bool {
    api::status(error).is_some_and(|status| status.is_client_error() && status.as_u16() != 429)
}

/// Asks Discord which channel `thread` hangs from, and has that known from there on. What is not to be seen, or is another guild's,
/// hangs from nothing here.
pub async fn find(http: &Http, guild: GuildId, known: &Places, thread: &ThreadId) -> Found {
    let Some(id) = channel_id(thread) else { return Ok(None) };
    match http.get_channel(id).await {
        Ok(Channel::Guild(channel)) if channel.guild_id == guild => {
            known.note_ours(thread, channel.parent_id.map(|id| ThreadId::from(id.get())));
            Ok(known.known(thread))
        }
        Ok(_) => {
            known.note_foreign(thread);
            Ok(None)
        }
        Err(error) if api::status(&error).is_some_and(|status| matches!(status.as_u16(), 403 | 404)) => {
            Ok(None)
        }
        Err(error) => {
            tracing::warn!(%thread, error = api::words(&error), "which channel a thread hangs from could not be asked");
            Err(Unfindable)
        }
    }
}

impl Notifier for Messenger {
    fn login_changed<'a>(
        &'a self,
        login: &'a PendingLogin,
        thread: &'a ThreadId,
        interaction: Option<&'a Secret>,
    ) -> Pin<Box<dyn Future<Output = Told> + Send + 'a>> {
        Box::pin(self.tell(login, thread, interaction))
    }

    fn tenant_news<'a>(
        &'a self,
        news: &'a News,
        thread: &'a ThreadId,
        in_use: bool,
    ) -> Pin<Box<dyn Future<Output = Heard> + Send + 'a>> {
        Box::pin(self.teller.tell(news, thread, in_use))
    }
}
