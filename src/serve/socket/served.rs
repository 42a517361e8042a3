//! One request, from what is asked for to the answer.
//!
//! Owns the operations `token` and `status`. Invariants: nobody is handed what they are not admitted to; at the bot's end a flight is
//! waited for and a person is not (W5). Must not: know lines.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::admit::{Consumer, Grant};
use super::crowd::Seat;
use super::request::Wish;
use super::session::{Gone, Outgoing, Outlet};
use super::wire::{Answer, ErrorBody, TokenBody};
use super::{Note, Shared, answer};
use crate::broker::{Ask, AskError, FreshToken, Overview};
use crate::gate::{Class, TokenError};
use crate::provider::Provider;
use crate::tenant::TenantKey;

/// A request that is being answered.
pub(super) struct Served {
    pub shared: Arc<Shared>,
    pub uid: u32,
    pub grant: Arc<Grant>,
    pub seat: Arc<Seat>,
    pub outlet: Outlet,
    pub id: Option<Value>,
}

impl Served {
    pub async fn answer(&self, wish: Wish) -> Result<(), Gone> {
        match wish {
            Wish::Token(ask, limit) => {
                let answer = self.token(*ask, limit).await;
                self.tell(answer).await
            }
            Wish::Status => self.status().await,
            Wish::Watch(only) => self.watch(only.as_ref()).await,
        }
    }

    pub async fn tell(&self, answer: Result<Answer, ErrorBody>) -> Result<(), Gone> {
        self.outlet.send(self.id.as_ref(), answer).await
    }

    /// Who it is, where they are after `tenant`.
    pub fn consumer(&self, tenant: &TenantKey) -> Consumer {
        if self.grant.is_by_bearer(tenant) && self.grant.admits(tenant) {
            return Consumer::Bearer;
        }
        Consumer::User(self.uid)
    }

    async fn token(&self, mut ask: Ask, limit: Duration) -> Result<Answer, ErrorBody> {
        if ask.parent.is_none()
            && let Some(thread) = &ask.thread
        {
            ask.parent = (self.shared.whereabouts)(thread).and_then(|known| known.parent);
        }
        match self.asked(&ask, limit).await {
            Ok(token) => {
                self.shared.tally.handed_out(&self.consumer(&token.tenant), &token.tenant.to_string());
                if token.unnoted {
                    self.shared.note(Note::Used(token.tenant.clone()));
                }
                Ok(Answer::Token(TokenBody::from(&token)))
            }
            Err(error) => {
                if let AskError::NotAllowed { tenant } = &error {
                    self.shared.tally.refused(&self.consumer(tenant), &tenant.to_string());
                }
                if let Some(thread) = ask.thread.as_ref().filter(|_| error.class() == Class::NeedsLogin) {
                    self.shared.note(Note::Asked(thread.clone()));
                }
                Err(answer::refusal(&error, &ask.target, &self.grant))
            }
        }
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

    async fn status(&self) -> Result<(), Gone> {
        // It can be long: few of them wait to be read, however many were asked for.
        let right = Arc::clone(self.seat.long_answers()).acquire_owned().await.map_err(|_| Gone)?;
        let line = answer::line(&answer::reply(self.id.as_ref(), self.overview()));
        self.outlet.send_line(Outgoing { line, right: Some(right) }).await
    }

    fn overview(&self) -> Result<Answer, ErrorBody> {
        let broker = &self.shared.broker;
        let document = broker.store().snapshot().map_err(answer::unreadable)?;
        let known = |provider: &Provider| broker.directory().known(provider);
        let (catalog, now) = (broker.catalog(), broker.clock().now());
        let status = if self.grant.is_everything() {
            Overview::whole(&document, catalog, &known, now)
        } else {
            Overview::of(&document, catalog, &known, &|tenant| self.grant.admits(tenant), now)
        };
        Ok(Answer::Status { status })
    }
}
