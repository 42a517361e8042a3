//! Asking the admins, in the threads themselves, about sign-ins with another account (I5).
//!
//! Owns the question's message: it is sent once to each open thread that watches such a login, and says in the end what was
//! decided, without its buttons. Invariants: what is stored decides, so that a restart asks nobody twice and leaves no
//! question standing; nothing is said in another guild (U8), and nothing reopens an archived thread; only the admins are
//! mentioned, and only by the question itself. Must not: show an account (U2), or decide anything.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use latchkey::broker::Broker;
use latchkey::config::Rule;
use latchkey::login::ToAsk;
use latchkey::pending::{Asked, LoginId, LoginStatus, PendingLogin};
use latchkey::store::has_ended;
use latchkey::tenant::ThreadId;
use serenity::all::{
    CreateAllowedMentions, CreateMessage, EditMessage, Http, MessageId, Nonce, RoleId, UserId,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::live::PATIENCE;
use super::notifier::{Messenger, Place, channel_id, refused};
use super::rules::Rules;
use super::{api, render};
use crate::view;
use crate::words::Language;

/// How often is looked although nothing has changed.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The pause before what Discord could not do is tried again.
const AGAIN: Duration = Duration::from_secs(10);
/// The pause before a closed thread is looked at again.
const CLOSED: Duration = Duration::from_mins(1);
/// The most roles that are mentioned; or people, where no role is an admin's.
const MENTION_CAP: usize = 5;

/// Whoever asks the admins.
#[derive(Clone)]
pub struct Asking {
    http: Arc<Http>,
    broker: Broker,
    messenger: Arc<Messenger>,
    access: Rules,
    /// What everybody in a thread can read.
    language: Language,
}

/// When a thread is to be looked at again about a login, where that is not now.
type Pauses = HashMap<(LoginId, ThreadId), Instant>;

impl Asking {
    pub fn new(
        http: Arc<Http>,
        broker: Broker,
        messenger: Arc<Messenger>,
        access: Rules,
        language: Language,
    ) -> Self {
        Self { http, broker, messenger, access, language }
    }

    /// Asks until the program ends; again after a panic, since without this nobody is asked.
    pub async fn run(self, closing: CancellationToken) {
        loop {
            let (asking, ended) = (self.clone(), closing.clone());
            if tokio::spawn(async move { asking.keep_asking(&ended).await }).await.is_ok() {
                return;
            }
            tracing::error!("asking the admins panicked; it goes on");
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = closing.cancelled() => return,
            }
        }
    }

    async fn keep_asking(&self, closing: &CancellationToken) {
        let mut changes = self.broker.store().changes();
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut pauses = Pauses::new();
        loop {
            tokio::select! {
                () = closing.cancelled() => return,
                changed = changes.changed() => if changed.is_err() { return },
                _ = look.tick() => {}
            }
            changes.borrow_and_update();
            self.look(&mut pauses, closing).await;
        }
    }

    /// Asks what is to be asked, and closes what is over, until the program ends.
    async fn look(&self, pauses: &mut Pauses, closing: &CancellationToken) {
        // The supervisor says so when the store cannot be read.
        let Ok(document) = self.broker.store().snapshot() else { return };
        let now = self.broker.clock().now();
        let started = Instant::now();
        pauses.retain(|_, until| *until > started);
        for login in document.logins() {
            if closing.is_cancelled() {
                return;
            }
            let waits = login.status == LoginStatus::Confirming && !has_ended(&login, now);
            // An admin who signed in is asked on their own card.
            if waits && !login.by_admin {
                let is_new = |thread: &&ThreadId| {
                    let asked = |asked: &&Asked| asked.login == login.id && asked.thread == **thread;
                    login.asked.iter().find(asked).is_none_or(|asked| asked.message.is_none())
                };
                for thread in login.watchers.iter().map(|watcher| &watcher.thread).filter(is_new) {
                    self.paced(pauses, &login.id, thread, self.ask(&login, thread)).await;
                }
            }
            let over = |asked: &&Asked| asked.login != login.id || login.status.is_terminal();
            for asked in login.asked.iter().filter(over) {
                self.paced(pauses, &asked.login, &asked.thread, self.close(&login, asked)).await;
            }
        }
    }

    /// Does `work`, unless it is to be left alone for a while; `work` says for how long it is after that. What takes longer
    /// than others can wait is broken off, and done again from the beginning: its nonce makes one message of both.
    async fn paced(
        &self,
        pauses: &mut Pauses,
        login: &LoginId,
        thread: &ThreadId,
        work: impl Future<Output = Option<Duration>>,
    ) {
        let key = (login.clone(), thread.clone());
        if pauses.contains_key(&key) {
            return;
        }
        if let Some(pause) = tokio::time::timeout(PATIENCE, work).await.unwrap_or(Some(AGAIN)) {
            pauses.insert(key, Instant::now() + pause);
        }
    }

    /// Sends the question. When to try again, if that may help.
    async fn ask(&self, login: &PendingLogin, thread: &ThreadId) -> Option<Duration> {
        match self.messenger.look(thread).await {
            Place::Open => {}
            Place::Unknown => return Some(AGAIN),
            Place::Closed | Place::NotOurs | Place::Hidden => return Some(CLOSED),
        }
        let channel = channel_id(thread)?;
        let first = match self.broker.logins().about_to_ask(login, thread).await {
            Ok(ToAsk::First) => true,
            Ok(ToAsk::Again) => false,
            Ok(ToAsk::No) => return Some(CLOSED),
            Err(error) => {
                tracing::warn!(login = %login.id, %error, "the admins cannot be asked yet; trying again");
                return Some(AGAIN);
            }
        };
        let (named, mentions) = self.mentions();
        let page = view::question_in_thread(self.language, login, &named, &self.broker.catalog());
        let message = CreateMessage::new()
            .content(&page.text)
            .components(render::rows(&page))
            .allowed_mentions(mentions)
            .nonce(nonce(login, thread))
            .enforce_nonce(true);
        match channel.send_message(&*self.http, message).await {
            Ok(sent) => self.note(login, thread, sent.id).await,
            Err(error) => {
                if first && api::status(&error).is_some() {
                    self.take_back(login, thread).await;
                }
                if refused(&error) {
                    tracing::info!(%thread, error = api::words(&error), "the admins could not be asked there");
                    return Some(CLOSED);
                }
                tracing::warn!(%thread, error = api::words(&error), "the admins could not be asked; trying again");
                Some(AGAIN)
            }
        }
    }

    /// Discord answered the only try, and posted nothing: the question is as good as new, however long that goes on.
    async fn take_back(&self, login: &PendingLogin, thread: &ThreadId) {
        if let Err(error) = self.broker.logins().was_not_asked(login, thread).await {
            tracing::warn!(login = %login.id, %error, "that the admins were not asked could not be written down");
        }
    }

    async fn note(&self, login: &PendingLogin, thread: &ThreadId, message: MessageId) -> Option<Duration> {
        let noted = self.broker.logins().was_asked(login, thread, message.to_string()).await;
        noted.err().map(|error| {
            // Sent again with the same nonce, it is the same message.
            tracing::warn!(login = %login.id, %error, "that the admins were asked could not be written down");
            AGAIN
        })
    }

    /// Has the question of `asked` say how it ended. When to try again, if that may help.
    async fn close(&self, login: &PendingLogin, asked: &Asked) -> Option<Duration> {
        match self.messenger.look(&asked.thread).await {
            Place::Open => {}
            Place::Unknown => return Some(AGAIN),
            // It may be opened again while the question is remembered; another guild's is another bot's matter.
            Place::Closed | Place::NotOurs | Place::Hidden => return Some(CLOSED),
        }
        let message = asked.message.as_deref().and_then(|id| id.parse().ok()).filter(|id| *id != 0);
        if let (Some(channel), Some(message)) = (channel_id(&asked.thread), message.map(MessageId::new)) {
            let catalog = &self.broker.catalog();
            let page = if asked.login == login.id {
                view::decided(self.language, login, catalog)
            } else {
                view::decided_otherwise(self.language, &login.tenant, catalog)
            };
            let edit = EditMessage::new()
                .content(&page.text)
                .components(render::rows(&page))
                .allowed_mentions(render::nobody());
            match channel.edit_message(&*self.http, message, edit).await {
                Ok(_) => {}
                Err(error) if refused(&error) => {
                    tracing::info!(thread = %asked.thread, error = api::words(&error), "a question could not be closed");
                }
                Err(error) => {
                    tracing::warn!(thread = %asked.thread, error = api::words(&error), "a question could not be closed; trying again");
                    return Some(AGAIN);
                }
            }
        }
        let closed = self.broker.logins().question_closed(login, asked).await;
        closed.err().map(|error| {
            tracing::warn!(login = %login.id, %error, "that a question is closed could not be written down");
            AGAIN
        })
    }

    /// The admins, as they are written, and leave to reach them: their roles, else the people who are named.
    fn mentions(&self) -> (Vec<String>, CreateAllowedMentions) {
        let access = self.access.now();
        let Rule { roles, users, .. } = &access.admins;
        if roles.is_empty() {
            let people: Vec<_> = users.iter().filter(|id| **id != 0).take(MENTION_CAP).copied().collect();
            let named = people.iter().map(|id| format!("<@{id}>")).collect();
            return (named, CreateAllowedMentions::new().users(people.into_iter().map(UserId::new)));
        }
        let roles: Vec<_> = roles.iter().filter(|id| **id != 0).take(MENTION_CAP).copied().collect();
        let named = roles.iter().map(|id| format!("<@&{id}>")).collect();
        (named, CreateAllowedMentions::new().roles(roles.into_iter().map(RoleId::new)))
    }
}

/// The same for the same question: Discord makes one message of both, should it be sent twice.
fn nonce(login: &PendingLogin, thread: &ThreadId) -> Nonce {
    render::nonce(&format!("{}/{thread}", login.id))
}
