//! Live messages: each login's message shows where the login stands.
//!
//! Owns every edit of such a message, by whoever's wish: a press, the worker, the start itself. Invariant: edits of one
//! login go one after another, and each shows what is stored at that moment, so that an older state never stays on top of
//! a newer one. Must not: keep anything that a restart may not lose.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, PoisonError};

use latchkey::broker::Broker;
use latchkey::pending::{EndReason, LoginId, LoginStatus, PendingLogin};
use latchkey::secret::Secret;
use latchkey::tenant::{TenantKey, ThreadId};
use serenity::all::{Builder, Http};

use super::render;
use crate::view::{self, Card, Notice, Page, Serves, Slash};

/// Logins that share a lane are edited one after another too; it costs them a moment only.
const LANES: usize = 64;

/// The live messages. Shared by the presses and the notifier.
pub struct Live {
    http: Arc<Http>,
    broker: Broker,
    slash: Slash,
    lanes: [tokio::sync::Mutex<()>; LANES],
    /// What the last paste came to, for logins that are open. Locked to look up or change, never across a wait.
    notices: Mutex<HashMap<LoginId, Notice>>,
    /// Logins that were ended to make room for another on the same message: their end is not shown.
    replaced: Mutex<HashSet<LoginId>>,
}

impl Live {
    pub fn new(http: Arc<Http>, broker: Broker, slash: Slash) -> Self {
        Self {
            http,
            broker,
            slash,
            lanes: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
            notices: Mutex::default(),
            replaced: Mutex::default(),
        }
    }

    /// Shows on the message of `interaction` where `login` stands now: as it is stored, else as it is given.
    pub async fn show(&self, login: &PendingLogin, interaction: &Secret) -> serenity::Result<()> {
        let _one_at_a_time = self.lane(&login.id).lock().await;
        let page = self.page(login);
        render::edit(&page).execute(&*self.http, interaction.expose()).await.map(drop)
    }

    /// The page of `login` as it stands now.
    pub fn page(&self, login: &PendingLogin) -> Page {
        let stored = self.broker.store().snapshot().ok().and_then(|document| document.login_by_id(&login.id));
        let login = stored.as_deref().unwrap_or(login);
        let notice = {
            let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
            if login.status.is_terminal() {
                notices.remove(&login.id);
            }
            notices.get(&login.id).cloned()
        };
        let (serves, account) = self.outcome(login);
        view::login_card(&Card {
            login,
            catalog: self.broker.catalog(),
            slash: &self.slash,
            notice: notice.as_ref(),
            serves,
            account: account.as_deref(),
        })
    }

    /// Puts `notice` above the card of an open login, or takes away the one that is there.
    pub fn note(&self, login: &LoginId, notice: Option<Notice>) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        match notice {
            Some(notice) => drop(notices.insert(login.clone(), notice)),
            None => drop(notices.remove(login)),
        }
    }

    /// From here on the end of `login` is not shown: another login takes its message over.
    pub fn replace(&self, login: &LoginId) {
        let stored = self.broker.store().snapshot();
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        // What has left the store is told no more.
        replaced.retain(|id| stored.as_ref().is_ok_and(|document| document.login_by_id(id).is_some()));
        replaced.insert(login.clone());
    }

    /// Whether another login has taken over the message of this one.
    pub fn is_replaced(&self, login: &LoginId) -> bool {
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner).contains(login)
    }

    /// Puts `page` on an older message; nobody waits for it.
    pub async fn retire(&self, interaction: &Secret, page: &Page) {
        if let Err(error) = render::edit(page).execute(&*self.http, interaction.expose()).await {
            tracing::debug!(error = super::api::words(&error), "an older message could not be changed");
        }
    }

    fn lane(&self, login: &LoginId) -> &tokio::sync::Mutex<()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(login);
        let lane = usize::try_from(hash % LANES as u64).unwrap_or_default();
        &self.lanes[lane]
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
