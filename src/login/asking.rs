//! Where admins are asked about a sign-in with another account (I5): what is written down so that each thread hears it once.
//!
//! Owns the steps: about to ask, asked or refused, closed. Invariant: nothing is sent before it is written down that it may have
//! been; so a crash in between costs at most the message, and never makes a second one. Must not: know what a message is.

use super::Logins;
use crate::pending::{Asked, LoginStatus, PendingLogin};
use crate::store::{StoreError, Touches, View, update};
use crate::tenant::ThreadId;

/// How long a question that may have been sent is sent again as the same one, in seconds: Discord knows a message by its
/// nonce for some minutes.
const SAME_FOR: i64 = 120;

/// Whether a question is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToAsk {
    /// For the first time.
    First,
    /// As the same one again: whether it was sent before is not known.
    Again,
    /// Not: that was done before, or may have been too long ago to tell, or there is nothing to ask any more.
    No,
}

impl Logins {
    /// Writes down that `thread` is about to be asked about `login`, and gives whether to send it.
    ///
    /// # Errors
    /// The store's.
    pub async fn about_to_ask(&self, login: &PendingLogin, thread: &ThreadId) -> Result<ToAsk, StoreError> {
        let (id, thread) = (login.id.clone(), thread.clone());
        let written = update(&*self.0.store, Touches::logins_at(&login.tenant), move |view| {
            let now = view.now();
            let waiting = |login: &PendingLogin| login.status == LoginStatus::Confirming;
            let Some(mut login) = view.login_by_id(&id).filter(waiting) else { return Ok(ToAsk::No) };
            if let Some(asked) = find(&login.asked, &id, &thread) {
                let is_same = asked.message.is_none() && (now - asked.at).abs() <= SAME_FOR;
                return Ok(if is_same { ToAsk::Again } else { ToAsk::No });
            }
            login.asked.push(Asked { login: id, thread, at: now, message: None });
            view.put_login(login);
            Ok::<_, StoreError>(ToAsk::First)
        });
        written.await?
    }

    /// Writes down the message by which `thread` was asked about `login`, whatever became of it meanwhile.
    ///
    /// # Errors
    /// The store's.
    pub async fn was_asked(
        &self,
        login: &PendingLogin,
        thread: &ThreadId,
        message: String,
    ) -> Result<(), StoreError> {
        let (id, thread) = (login.id.clone(), thread.clone());
        let write = move |view: &mut View<'_>, mut holder: PendingLogin| {
            let entry = holder.asked.iter_mut().find(|asked| asked.login == id && asked.thread == thread);
            if let Some(entry) = entry {
                entry.message = Some(message);
                view.put_login(holder);
            }
        };
        self.change_holder(login, write).await
    }

    /// Takes back that `thread` was about to be asked about `login`: nothing was posted there, so that a later look may ask.
    ///
    /// # Errors
    /// The store's.
    pub async fn was_not_asked(&self, login: &PendingLogin, thread: &ThreadId) -> Result<(), StoreError> {
        let (id, thread) = (login.id.clone(), thread.clone());
        let write = move |view: &mut View<'_>, mut holder: PendingLogin| {
            let before = holder.asked.len();
            holder
                .asked
                .retain(|asked| asked.message.is_some() || asked.login != id || asked.thread != thread);
            if holder.asked.len() < before {
                view.put_login(holder);
            }
        };
        self.change_holder(login, write).await
    }

    /// Writes down that the question `closed`, which `login` keeps, is not to be touched any more.
    ///
    /// # Errors
    /// The store's.
    pub async fn question_closed(&self, login: &PendingLogin, closed: &Asked) -> Result<(), StoreError> {
        let closed = closed.clone();
        let write = move |view: &mut View<'_>, mut holder: PendingLogin| {
            let before = holder.asked.len();
            holder.asked.retain(|asked| (&asked.login, &asked.thread) != (&closed.login, &closed.thread));
            if holder.asked.len() < before {
                view.put_login(holder);
            }
        };
        self.change_holder(login, write).await
    }

    /// Changes the entry of this person and tenant, which may be a later login's by now: it keeps the questions.
    async fn change_holder(
        &self,
        login: &PendingLogin,
        write: impl FnOnce(&mut View<'_>, PendingLogin) + Send + 'static,
    ) -> Result<(), StoreError> {
        let (user, tenant) = (login.user.clone(), login.tenant.clone());
        let changed = update(&*self.0.store, Touches::logins_at(&tenant), move |view| {
            if let Some(holder) = view.login(&user, &tenant)? {
                write(view, holder);
            }
            Ok::<_, StoreError>(())
        });
        changed.await?
    }
}

fn find<'a>(asked: &'a [Asked], login: &str, thread: &ThreadId) -> Option<&'a Asked> {
    asked.iter().find(|asked| asked.login == login && asked.thread == *thread)
}
