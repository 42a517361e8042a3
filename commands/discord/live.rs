//! Live messages: each login's message shows where the login stands.
//!
//! Owns every edit of such a message, by whoever's wish: a press, the worker, the start itself. Invariant: edits of one
//! login go one after another, and each shows what is stored at that moment, so that an older state never stays on top of
//! a newer one. Must not: keep anything that a restart may not lose.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use latchkey::broker::Broker;
use latchkey::pending::{EndReason, LoginId, LoginStatus, PendingLogin};
use latchkey::secret::Secret;
use latchkey::tenant::{TenantKey, ThreadId};
use serenity::all::{Builder, Http, MessageId};
use url::Url;

use super::answers::Answers;
use super::lanes::{Lanes, Turn};
use super::render;
use crate::view::{self, Card, Notice, Page, Serves, Slash};
use crate::words::Language;

/// How long a message is waited for before others have their turn: it may have to wait for a rate limit of its own.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The live messages. Shared by the presses and the notifier.
pub struct Live {
    answers: Arc<Answers>,
    broker: Broker,
    slash: Slash,
    lanes: Lanes,
    /// Where the world reaches our own pages, if it does.
    public_url: Option<Url>,
    /// What the last paste came to, for logins that are open. Locked to look up or change, never across a wait.
    notices: Mutex<HashMap<LoginId, Notice>>,
    /// Where a login was ended to make room for another on the same message: its end is not shown there. Locked to look
    /// up or change, never across a wait.
    replaced: Mutex<HashSet<(LoginId, ThreadId)>>,
}

impl Live {
    pub fn new(answers: Arc<Answers>, broker: Broker, slash: Slash, public_url: Option<Url>) -> Self {
        Self {
            answers,
            broker,
            slash,
            lanes: Lanes::default(),
            public_url,
            notices: Mutex::default(),
            replaced: Mutex::default(),
        }
    }

    fn to(&self, interaction: &Secret) -> Arc<Http> {
        self.answers.to(interaction.expose())
    }

    /// The turn to edit the messages of `login`. Whoever ends a login and knows better than to have that told keeps it
    /// until it has said so.
    pub async fn turn(&self, login: &LoginId) -> Turn<'_> {
        self.lanes.turn(login).await
    }

    /// Shows on the message of `interaction` where `login` stands now: as it is stored, else as it is given.
    pub async fn show(&self, login: &PendingLogin, interaction: &Secret) -> serenity::Result<()> {
        let turn = self.turn(&login.id).await;
        self.show_in_turn(&turn, login, interaction).await
    }

    /// As [`Live::show`], for whoever has the turn.
    pub async fn show_in_turn(
        &self,
        _: &Turn<'_>,
        login: &PendingLogin,
        interaction: &Secret,
    ) -> serenity::Result<()> {
        let page = self.page(login);
        render::edit(&page).execute(&*self.to(interaction), interaction.expose()).await.map(drop)
    }

    /// Shows `login` on a new message in `thread`; or where to look, if a still newer one is the live one by now.
    pub async fn show_first(
        &self,
        login: &PendingLogin,
        thread: &ThreadId,
        interaction: &Secret,
    ) -> serenity::Result<()> {
        let _turn = self.turn(&login.id).await;
        let stored = self.stored(login);
        let open = stored.as_ref().filter(|stored| !stored.status.is_terminal());
        let live = open.and_then(|open| open.watchers.iter().find(|watcher| watcher.thread == *thread));
        let page = match live.and_then(|live| live.interaction.as_ref()) {
            Some(newer) if newer != interaction => self.moved(login),
            _ => self.page(login),
        };
        render::edit(&page).execute(&*self.to(interaction), interaction.expose()).await.map(drop)
    }

    fn moved(&self, login: &PendingLogin) -> Page {
        view::moved(view::language_of(login), &self.broker.catalog(), &login.tenant)
    }

    fn stored(&self, login: &PendingLogin) -> Option<PendingLogin> {
        let document = self.broker.store().snapshot().ok()?;
        document.login_by_id(&login.id).map(|login| (*login).clone())
    }

    /// The page of `login` as it stands now.
    pub fn page(&self, login: &PendingLogin) -> Page {
        let stored = self.stored(login);
        let login = stored.as_ref().unwrap_or(login);
        if login.status == LoginStatus::Confirming {
            return self.waiting(login);
        }
        let notice = {
            let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
            if login.status.is_terminal() {
                notices.remove(&login.id);
            }
            notices.get(&login.id).cloned()
        };
        let (serves, account) = self.outcome(login);
        let catalog = &self.broker.catalog();
        let provider = catalog.get(&login.tenant.provider).filter(|_| login.status == LoginStatus::Pending);
        let barred = provider.map(|provider| self.broker.directory().barred(provider)).unwrap_or_default();
        view::login_card(&Card {
            login,
            catalog,
            barred: &barred,
            slash: &self.slash,
            public_url: self.public_url.as_ref(),
            notice: notice.as_ref(),
            serves,
            account: account.as_deref(),
        })
    }

    /// The page of a `login` that waits for an admin.
    fn waiting(&self, login: &PendingLogin) -> Page {
        let language = login.locale.as_deref().map(Language::of).unwrap_or_default();
        let question = self.broker.logins().question_of(login).unwrap_or_else(|error| {
            tracing::warn!(login = %login.id, %error, "what an admin is asked could not be looked up");
            None
        });
        view::waiting(language, login, question.as_ref(), &self.broker.catalog())
    }

    /// Puts `notice` above the card of an open login, or takes away the one that is there.
    pub fn note(&self, login: &LoginId, notice: Option<Notice>) {
        let stored = self.broker.store().snapshot();
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        // The end of a login may have been drawn before its last paste came to nothing.
        notices
            .retain(|id, _| stored.as_ref().ok().is_none_or(|document| document.login_by_id(id).is_some()));
        match notice {
            Some(notice) => drop(notices.insert(login.clone(), notice)),
            None => drop(notices.remove(login)),
        }
    }

    /// The end of `login` is not shown in `thread`: another login takes its message there over.
    pub fn replace(&self, _: &Turn<'_>, login: &LoginId, thread: &ThreadId) {
        let stored = self.broker.store().snapshot();
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        // What has left the store is told no more.
        replaced.retain(|(id, _)| stored.as_ref().is_ok_and(|document| document.login_by_id(id).is_some()));
        replaced.insert((login.clone(), thread.clone()));
    }

    /// Whether there is nothing to tell in `thread`: `login` is over, and another one has its message or its place.
    pub fn needs_no_telling(&self, _: &Turn<'_>, login: &PendingLogin, thread: &ThreadId) -> bool {
        if !login.status.is_terminal() {
            return false;
        }
        let key = (login.id.clone(), thread.clone());
        let was_replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        let document = self.broker.store().snapshot();
        was_replaced || document.is_ok_and(|document| document.login_by_id(&login.id).is_none())
    }

    /// Puts `new` on the message of `interaction`, which has shown `old` until now; unless yet another has taken its place.
    pub async fn pass_on(&self, old: &LoginId, new: &PendingLogin, interaction: &Secret) {
        // What is still being told of the old one goes first.
        drop(self.turn(old).await);
        let turn = self.turn(&new.id).await;
        if self.stored(new).is_none() {
            return;
        }
        match tokio::time::timeout(PATIENCE, self.show_in_turn(&turn, new, interaction)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(login = %new.id, error = super::api::words(&error), "a message could not be passed on");
            }
            Err(_) => tracing::debug!(login = %new.id, "a message was not passed on in time"),
        }
    }

    /// Points from an older message of `login` to the live one, `own` if that was there before; nobody waits for it.
    pub async fn retire(&self, login: &PendingLogin, interaction: &Secret, own: Option<MessageId>) {
        let _turn = self.turn(&login.id).await;
        // The live message has its turn soon, whatever the older one waits for.
        if tokio::time::timeout(PATIENCE, self.point(login, interaction, own)).await.is_err() {
            tracing::debug!(login = %login.id, "an older message was not changed in time");
        }
    }

    async fn point(&self, login: &PendingLogin, interaction: &Secret, own: Option<MessageId>) {
        if let Some(own) = own {
            // A message can be pressed twice: then the older token is that of the live message itself.
            match self.to(interaction).get_original_interaction_response(interaction.expose()).await {
                Ok(older) if older.id != own => {}
                _ => return,
            }
        }
        let page = self.moved(login);
        if let Err(error) = render::edit(&page).execute(&*self.to(interaction), interaction.expose()).await {
            tracing::debug!(error = super::api::words(&error), "an older message could not be changed");
        }
    }

    /// What a sign-in that has succeeded did here.
    fn outcome(&self, login: &PendingLogin) -> (Serves, Option<String>) {
        let by_other = matches!(login.reason, Some(EndReason::CompletedBy(_)));
        if login.status != LoginStatus::Succeeded || by_other {
            return (Serves::Untold, None);
        }
        let Ok(document) = self.broker.store().snapshot() else { return (Serves::Untold, None) };
        let account = document.tenant(&login.tenant).ok().flatten();
        let account = account.and_then(|held| held.account.label().map(str::to_owned));
        let serves = |thread: &ThreadId| -> Option<TenantKey> {
            let bound = document.binding(thread).ok().flatten()?;
            bound.tenants.get(&login.tenant.provider).cloned()
        };
        let serves = match login.bind.as_ref().and_then(serves) {
            Some(bound) if bound == login.tenant => Serves::This,
            Some(_) => Serves::Another,
            None => Serves::Untold,
        };
        (serves, account)
    }
}
