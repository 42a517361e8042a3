//! A sign-in that a signal ends while it is being started.
//!
//! Owns what is taken back of it, and the words. Invariants: what was reserved here does not stay open; what another terminal has open
//! is left alone; what is said is what is found in the store afterwards. Must not: wait for a provider.

use latchkey::broker::{Broker, Caller, LoginReply};
use latchkey::login::StartError;
use latchkey::pending::LoginId;
use latchkey::tenant::TenantKey;

use super::{ends, is_signed_in, open_there};
use crate::exit::{Code, Exit};

/// A start that a signal has ended.
pub(super) struct Interrupted<'a> {
    pub broker: &'a Broker,
    pub operator: &'a Caller,
    pub tenant: &'a TenantKey,
    /// The operator's login that was open there before.
    pub before: Option<LoginId>,
    /// Where on this host the answer was to come, which nobody else listens at.
    pub heard_at: Option<&'a str>,
    pub code: Code,
}

impl Interrupted<'_> {
    /// Takes back what is left of it, and says what stands.
    pub async fn exit(self, reply: Option<Result<LoginReply, StartError>>) -> Exit {
        let tenant = self.tenant;
        let text = match reply {
            Some(Ok(LoginReply::SignedIn(_))) => Ok(format!("{tenant} is signed in already")),
            Some(Ok(LoginReply::Started(started))) if started.joined => Ok(self.goes_on()),
            Some(Ok(LoginReply::Started(started))) => self.cancel(&started.login.id).await,
            // Nothing of it is left.
            Some(Err(_)) => Ok(self.cancelled()),
            None => self.look().await,
        };
        let told = text.unwrap_or_else(|error| {
            let error = error.message.unwrap_or_default();
            format!("cancelled; what is left of it ends by itself ({error})")
        });
        Exit::new(self.code, told)
    }

    /// Nobody knows how far it came: its lock, if it was ours, is free by now (S13).
    async fn look(&self) -> Result<String, Exit> {
        let Some(found) = open_there(self.broker, self.tenant)? else { return Ok(self.cancelled()) };
        let handover = self.broker.logins().take_over(&found).await?;
        let Some(found) = open_there(self.broker, self.tenant)? else { return Ok(self.cancelled()) };
        let is_heard_here = found.redirect_uri.as_deref().is_some_and(|at| self.heard_at == Some(at));
        // One that was there before, or that another terminal works on this moment, is not ours.
        if self.before.as_ref() != Some(&found.id) && (handover.is_some() || is_heard_here) {
            return self.cancel(&found.id).await;
        }
        Ok(self.goes_on())
    }

    async fn cancel(&self, id: &LoginId) -> Result<String, Exit> {
        self.broker.logins().cancel(&self.operator.user, self.operator.admin, id).await?;
        Ok(self.cancelled())
    }

    fn cancelled(&self) -> String {
        format!("the sign-in to {} was cancelled before it began", self.tenant)
    }

    fn goes_on(&self) -> String {
        let tenant = self.tenant;
        let how = ends::how_to_end(tenant, is_signed_in(self.broker, tenant));
        format!("a sign-in to {tenant} that was started elsewhere goes on; {how}")
    }
}
