//! One request, from what is asked for to the answer.
//!
//! Owns the operations `token` and `status`. Invariants: nobody is handed what they are not admitted to; at the bot's end a flight is
//! waited for and a person is not (W5). Must not: know lines.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::admit::{Claim, Consumer, Grant};
use super::crowd::Seat;
use super::request::Wish;
use super::session::{Gone, Outgoing, Outlet, READ_BOUND};
use super::wire::{Answer, ErrorBody, TokenBody};
use super::{Note, Shared, Unfindable, answer};
use crate::broker::{Ask, AskError, FreshToken, Overview};
use crate::gate::{Class, TokenError};
use crate::metrics;
use crate::provider::Provider;
use crate::tenant::{ProviderName, TenantKey};

/// A request that is being answered.
pub(super) struct Served {
    pub shared: Arc<Shared>,
    pub claim: Claim,
    pub grant: Arc<Grant>,
    pub seat: Arc<Seat>,
    pub outlet: Outlet,
    pub id: Option<Value>,
}

impl Served {
    /// Answers, and gives back `place` before the last answer.
    pub async fn answer(&self, wish: Wish, place: OwnedSemaphorePermit) -> Result<(), Gone> {
        let last = match wish {
            Wish::Token(ask, limit) => self.token(*ask, limit).await,
            Wish::Status => return self.status(place).await,
            Wish::Watch(only) => Err(self.watch(only.as_ref()).await?),
        };
        self.outlet.end(self.id.as_ref(), last, place).await
    }

    pub async fn tell(&self, answer: Result<Answer, ErrorBody>) -> Result<(), Gone> {
        self.outlet.send(self.id.as_ref(), answer).await
    }

    /// Who it is, where they are after `tenant`.
    pub fn consumer(&self, tenant: &TenantKey) -> Consumer {
        if self.grant.is_by_bearer(tenant) && self.grant.admits(tenant) {
            return Consumer::Bearer;
        }
        Consumer::User(self.claim.peer.uid)
    }

    async fn token(&self, mut ask: Ask, limit: Duration) -> Result<Answer, ErrorBody> {
        self.admit(&ask)?;
        let ends = Instant::now() + limit;
        self.find_parent(&mut ask, ends).await?;
        let limit = ends.saturating_duration_since(Instant::now());
        match self.asked(&ask, limit).await {
            Ok(token) => {
                metrics::handed_out(&token.tenant);
                self.shared.tally.handed_out(self.consumer(&token.tenant), &token.tenant.to_string());
                if token.unnoted {
                    self.shared.note(Note::Used(token.tenant.clone()));
                }
                Ok(Answer::Token(TokenBody::from(&token)))
            }
            Err(error) => {
                let is_refused = matches!(error, AskError::NotAllowed { .. });
                metrics::not_handed_out(if is_refused { "refused" } else { "failed" });
                if let AskError::NotAllowed { tenant } = &error {
                    self.shared.tally.refused(self.consumer(tenant), &tenant.to_string());
                }
                if let Some(thread) = ask.thread.as_ref().filter(|_| error.class() == Class::NeedsLogin) {
                    self.shared.note(Note::Asked(thread.clone()));
                }
                Err(answer::refusal(&error, &ask.target, &self.grant))
            }
        }
    }

    /// Refuses whoever may have nothing of the provider that is named, before anything is looked at: nobody learns of what they may
    /// not have whether it is there.
    fn admit(&self, ask: &Ask) -> Result<(), ErrorBody> {
        let (grant, catalog) = (&self.grant, &self.shared.broker.catalog());
        let provider = ask.provider(catalog).map(|provider| &provider.name);
        if grant.is_everything() || provider.is_some_and(|name| grant.admits_some_of(name)) {
            return Ok(());
        }
        metrics::not_handed_out("refused");
        self.shared
            .tally
            .refused(Consumer::User(self.claim.peer.uid), provider.map_or("unknown", ProviderName::as_str));
        let theirs = catalog.iter().map(|provider| &provider.name).filter(|name| grant.admits_some_of(name));
        Err(answer::none_of_these(&theirs.map(ProviderName::as_str).collect::<Vec<_>>()))
    }

    /// Completes `ask` with the channel of its thread, where that may say which tenant is meant. Without it the thread could be
    /// served by another account than its own.
    async fn find_parent(&self, ask: &mut Ask, ends: Instant) -> Result<(), ErrorBody> {
        let broker = &self.shared.broker;
        let document = broker.store().snapshot().map_err(answer::unreadable)?;
        let matters = ask.hangs_on_the_channel(&document, &broker.catalog()).map_err(answer::unreadable)?;
        let Some(thread) = ask.thread.clone().filter(|_| matters) else { return Ok(()) };
        drop(document);
        let finding = tokio::time::timeout_at(ends, self.shared.whereabouts.find(&thread));
        let found = tokio::select! {
            found = finding => found.unwrap_or(Err(Unfindable)),
            () = self.shared.closing.cancelled() => return Err(answer::closing()),
        };
        ask.parent =
            found.map_err(|Unfindable| answer::channel_unknown(&thread))?.and_then(|known| known.parent);
        Ok(())
    }

    /// Asks, and at the end of the bot waits no more for a person, but for a flight that is under way (W5).
    async fn asked(&self, ask: &Ask, limit: Duration) -> Result<FreshToken, AskError> {
        let admits = |tenant: &TenantKey| self.grant.admits(tenant);
        let ends = Instant::now() + limit;
        tokio::select! {
            asked = self.shared.broker.ask(ask, &admits, limit) => return asked,
            () = self.shared.closing.cancelled() => {}
        }
        let without = Ask { wait: false, ..ask.clone() };
        let left = ends.saturating_duration_since(Instant::now());
        match self.shared.broker.ask(&without, &admits, left).await {
            Err(error) if ask.wait && error.class() == Class::NeedsLogin => Err(TokenError::Closing.into()),
            asked => asked,
        }
    }

    async fn status(&self, place: OwnedSemaphorePermit) -> Result<(), Gone> {
        // It can be long: it is made when there is room for it, and few of them wait to be read.
        let room = self.outlet.room().await?;
        let right = Arc::clone(self.seat.long_answers()).acquire_owned();
        let right = tokio::time::timeout(READ_BOUND, right).await;
        drop(place);
        let Ok(Ok(right)) = right else {
            room.send(Outgoing::short(self.id.as_ref(), Err(answer::unread_enough())));
            return Ok(());
        };
        let line = answer::line(&answer::reply(self.id.as_ref(), self.overview()));
        room.send(Outgoing { line, right: Some(right) });
        Ok(())
    }

    fn overview(&self) -> Result<Answer, ErrorBody> {
        let broker = &self.shared.broker;
        let document = broker.store().snapshot().map_err(answer::unreadable)?;
        let known = |provider: &Provider| broker.directory().known(provider);
        let (catalog, now) = (&broker.catalog(), broker.clock().now());
        let status = if self.grant.is_everything() {
            Overview::whole(&document, catalog, &known, now)
        } else {
            Overview::of(&document, catalog, &known, &|tenant| self.grant.admits(tenant), now)
        };
        Ok(Answer::Status { status })
    }
}
