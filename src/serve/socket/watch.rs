//! The operation `watch`: what there is, and then what changes.
//!
//! Owns the comparison of two pictures. Invariants: a caller is told of what it may know and of nothing else; what it missed is
//! not kept for it: it is told of what differs from what it was told last. Must not: end before its caller or the bot.

use std::sync::Arc;

use super::admit::Grant;
use super::answer;
use super::served::Served;
use super::session::Gone;
use super::standing::Standing;
use super::wire::{Answer, ErrorBody};
use crate::tenant::TenantKey;

impl Served {
    /// Tells of what changes; gives what is to be said at its end.
    pub(super) async fn watch(&self, only: Option<&TenantKey>) -> Result<ErrorBody, Gone> {
        if let Some(tenant) = only.filter(|tenant| !self.grant.admits(tenant)) {
            self.shared.tally.refused(self.consumer(tenant), &tenant.to_string());
            return Ok(answer::not_given(tenant));
        }
        let Ok(_right) = Arc::clone(self.seat.watches()).try_acquire_owned() else {
            return Ok(answer::watched_enough());
        };
        let (mut told, mut news) = match self.shared.standings.watch() {
            Ok(standing) => standing,
            Err(error) => return Ok(answer::unreadable(error)),
        };
        let mut admission = self.shared.admission.subscribe();
        let mut grant = Arc::clone(&self.grant);
        self.tell_changes(&grant, &Standing::default(), &told, only).await?;
        self.tell(Ok(event("synced", None))).await?;
        loop {
            tokio::select! {
                () = self.shared.closing.cancelled() => return Ok(answer::closing()),
                // The sender is as long there as we are.
                Ok(()) = admission.changed() => {
                    let judged = Arc::new(admission.borrow_and_update().claimed(&self.claim));
                    if let Some(tenant) = only.filter(|tenant| !judged.admits(tenant)) {
                        return Ok(answer::not_given(tenant));
                    }
                    if judged != grant {
                        grant = judged;
                        self.tell_changes(&grant, &Standing::default(), &told, only).await?;
                    }
                    continue;
                }
                changed = news.changed() => {
                    if changed.is_err() {
                        return Ok(answer::closing());
                    }
                }
            }
            let now = Arc::clone(&news.borrow_and_update());
            self.tell_changes(&grant, &told, &now, only).await?;
            told = now;
        }
    }

    async fn tell_changes(
        &self,
        grant: &Grant,
        old: &Standing,
        new: &Standing,
        only: Option<&TenantKey>,
    ) -> Result<(), Gone> {
        for change in changes(old, new, grant, only) {
            self.tell(Ok(change)).await?;
        }
        Ok(())
    }
}

fn event(event: &str, about: Option<&TenantKey>) -> Answer {
    Answer::Event { event: event.to_owned(), state: None, login: None, about: about.map(ToString::to_string) }
}

/// What is to be told to somebody who was told of `old`.
fn changes<'a>(
    old: &'a Standing,
    new: &'a Standing,
    grant: &'a Grant,
    only: Option<&'a TenantKey>,
) -> impl Iterator<Item = Answer> + 'a {
    let is_told = move |tenant: &TenantKey| only.is_none_or(|only| only == tenant) && grant.admits(tenant);
    let tenants =
        new.tenants.iter().filter(move |(key, view)| is_told(key) && old.tenants.get(key) != Some(view));
    let tenants = tenants.map(|(key, view)| Answer::Event {
        event: "tenant".to_owned(),
        state: Some(view.clone()),
        login: None,
        about: Some(key.to_string()),
    });
    let gone = old.tenants.keys().filter(move |key| is_told(key) && !new.tenants.contains_key(key));
    let gone = gone.map(|key| event("tenant_gone", Some(key)));
    let logins =
        new.logins.iter().filter(move |(key, view)| is_told(&key.0) && old.logins.get(key) != Some(view));
    let logins = logins.map(|(key, view)| ("login", key, view));
    let over = old.logins.iter().filter(move |(key, _)| is_told(&key.0) && !new.logins.contains_key(key));
    let over = over.map(|(key, view)| ("login_gone", key, view));
    let logins = logins.chain(over).map(|(event, (tenant, _), view)| Answer::Event {
        event: event.to_owned(),
        state: None,
        login: Some(view.clone()),
        about: Some(tenant.to_string()),
    });
    tenants.chain(gone).chain(logins)
}
