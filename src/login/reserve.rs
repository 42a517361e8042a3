//! The reservation: join the live login of a person at a tenant, or make place for a new one.
//!
//! Owns the one write that decides it (S2), and who watches. Invariants: N callers at once make one reservation (S1); a
//! login that takes another's place takes over who watched it; a start that is not allowed leaves nothing.

use std::sync::Arc;

use super::start::{StartError, StartRequest};
use super::{Inner, is_open};
use crate::pending::{LoginId, LoginKind, LoginStatus, PendingLogin, Watcher, life};
use crate::rights::{Act, Caller, May, may};
use crate::secret::{Secret, random_id};
use crate::store::{StoreError, Touches, has_ended, update};

/// What the reservation found.
pub(super) enum Reserved {
    /// Ours to open.
    New(PendingLogin, Option<Secret>),
    /// Live before.
    Live(PendingLogin, Option<Secret>),
    /// Being opened by another caller.
    Opening(LoginId),
    /// Somebody still works on an older login of this key.
    Busy,
}

impl Inner {
    pub(super) async fn reserve(
        self: &Arc<Self>,
        request: &StartRequest,
        kind: LoginKind,
        locked: bool,
    ) -> Result<Reserved, StartError> {
        let (request, inner) = (request.clone(), Arc::clone(self));
        let touches =
            Touches::logins_at(&request.tenant).and_tenant(&request.tenant).and_logins_of(&request.user);
        // How many a person keeps can only be counted over all of them.
        let touches = if request.tenant.user.is_some() { touches.and_all_tenants() } else { touches };
        let reserved = update(&*self.store, touches, move |view| {
            let now = view.now();
            // One that cannot be understood is not written over unseen.
            let found = view.login(&request.user, &request.tenant).map_err(StoreError::from)?;
            match &found {
                Some(live) if !has_ended(live, now) => match live.status {
                    LoginStatus::Starting if !locked => return Ok(Reserved::Opening(live.id.clone())),
                    // Its starter died: a free lock says so (S13).
                    LoginStatus::Starting => {}
                    _ => {
                        let mut live = live.clone();
                        let from = request.watcher.as_ref().map(|watcher| &watcher.thread);
                        // Asked for again from the thread that it was to bind, with the wish to leave that alone.
                        if request.bind.is_none() && live.bind.as_ref() == from {
                            live.bind = None;
                        }
                        let (joined, older) = watch(live, request.watcher);
                        view.put_login(joined.clone());
                        return Ok(Reserved::Live(joined, older));
                    }
                },
                _ if !locked => return Ok(Reserved::Busy),
                _ => {}
            }
            let held = view.tenant(&request.tenant).map_err(StoreError::from)?;
            let caller = Caller { user: request.user.clone(), admin: request.by_admin };
            if may(&caller, Act::SignIn { held: held.as_ref() }, &request.tenant) == May::No {
                return Err(StartError::NotYours { tenant: request.tenant });
            }
            inner.limit.count(&request, view)?;
            let (mut login, older) = reservation(&request, kind, now, found.as_ref());
            login.guild = inner.guild.get().copied();
            view.put_login(login.clone());
            Ok(Reserved::New(login, older))
        });
        reserved.await?
    }
}

/// Adds a watcher: one for each thread, whose newest interaction is the live message (U5). Gives the token of the message
/// that was the live one there before.
pub(super) fn watch(mut login: PendingLogin, watcher: Option<Watcher>) -> (PendingLogin, Option<Secret>) {
    let Some(watcher) = watcher.filter(|_| is_open(login.status)) else { return (login, None) };
    let mut older = None;
    match login.watchers.iter_mut().find(|other| other.thread == watcher.thread) {
        Some(other) if watcher.interaction.is_some() => {
            older = std::mem::replace(other, watcher).interaction;
        }
        Some(_) => {}
        None => login.watchers.push(watcher),
    }
    (login, older)
}

/// A new login, in the place of `found` where there is one: threads that have not heard of its end follow the new one.
fn reservation(
    request: &StartRequest,
    kind: LoginKind,
    now: i64,
    found: Option<&PendingLogin>,
) -> (PendingLogin, Option<Secret>) {
    let mut login = blank(request, kind, now);
    if let Some(found) = found {
        let untold = found.watchers.iter().filter(|watcher| !found.told.contains(&watcher.thread));
        login.watchers = untold.cloned().collect();
        // Its questions still stand in their threads, and are closed from here.
        login.asked.clone_from(&found.asked);
    }
    watch(login, request.watcher.clone())
}

fn blank(request: &StartRequest, kind: LoginKind, now: i64) -> PendingLogin {
    PendingLogin {
        by_admin: request.by_admin,
        bind: request.bind.clone(),
        locale: request.locale.clone(),
        redirect_uri: request.redirect_uri.clone(),
        ..PendingLogin::new(
            random_id(),
            kind,
            request.user.clone(),
            request.tenant.clone(),
            now,
            now + life(None),
        )
    }
}
