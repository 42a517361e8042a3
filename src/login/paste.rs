//! A pasted answer: checked, claimed, spent.
//!
//! Owns the way from a member's text to an exchange. Invariants: what is not this login's answer consumes nothing
//! (C11, T3); `pending → exchanging` is the durable claim, so that of many submits one makes an exchange (C12); the
//! exchange is a task of its own, and goes on when the caller leaves. Must not: look at a code before the state matched.

use std::sync::Arc;

use super::complete::Completed;
use super::machine::Event;
use super::{Inner, Logins};
use crate::audit;
use crate::oauth::{self, AnswerError, CodeGrant, Expected, Outcome};
use crate::pending::{EndReason, LoginId, LoginKind, LoginStatus, PendingLogin};
use crate::secret::Secret;
use crate::store::{KernelLock, StoreError, has_ended};
use crate::tenant::User;

/// What a pasted answer came to, once it was spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pasted {
    /// Signed in.
    Succeeded,
    /// Signed in with another account than the shared one: an admin is asked (I5).
    Waits,
    /// The login was over before the tokens came: nothing was stored.
    Over,
    /// It ended, for this reason.
    Failed(EndReason),
    /// The person said no at the provider.
    Denied,
}

/// Why a pasted answer was not spent. The login stands as it did.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PasteError {
    /// No such login; it may be long over.
    #[error("this sign-in is over or unknown; start a new one with /auth login")]
    Unknown,
    /// It is over.
    #[error("this sign-in is over ({0}); start a new one with /auth login")]
    Over(LoginStatus),
    /// Somebody else's (C11).
    #[error("this sign-in is somebody else's; start your own with /auth login")]
    NotYours,
    /// It is completed otherwise.
    #[error("there is nothing to paste for this sign-in; follow the link and enter the code there")]
    NotByPaste,
    /// The text is no answer to it.
    #[error("{0}")]
    Answer(AnswerError),
    /// An answer is being spent this moment (C12).
    #[error("an answer is being used already; wait a moment")]
    InUse,
    /// The provider could not be reached: nothing was sent, the same answer can be pasted again.
    #[error("the provider could not be reached ({0}); nothing is lost, paste the same answer again")]
    NotSent(String),
    /// The program is shutting down.
    #[error("Latchkey is restarting; paste the same answer again in a moment")]
    Closing,
    /// The provider was removed from the configuration.
    #[error("this provider is no longer offered here; ask an operator")]
    NoProvider,
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Logins {
    /// Completes the login `id` of `user` with what they pasted.
    ///
    /// # Errors
    /// See [`PasteError`]; after any of them the login stands as it did.
    pub async fn paste(&self, user: &User, id: &LoginId, text: &str) -> Result<Pasted, PasteError> {
        let inner = &self.0;
        let login = inner.open_login_of(user, id)?;
        let (Some(state), Some(redirect_uri)) = (&login.state, &login.redirect_uri) else {
            return Err(PasteError::NotByPaste);
        };
        let provider = inner.captured(&login).ok_or(PasteError::NoProvider)?;
        let expected = Expected { redirect_uri, state, issuer: login.issuer.as_deref() };
        let code = match oauth::answer::parse(text, provider.paste, &expected) {
            Ok(code) => code,
            Err(AnswerError::Refused { code, text }) => {
                return inner.refused_at_provider(&login, &code, text).await;
            }
            Err(error) => return Err(PasteError::Answer(error)),
        };
        if inner.closing.is_cancelled() {
            return Err(PasteError::Closing);
        }
        let lock = inner.store.try_login_lock(user, &login.tenant)?.ok_or(PasteError::InUse)?;
        let claimed = inner.advance(id, &login.tenant, Event::Claimed, None).await?;
        let Some(claimed) = claimed else {
            return Err(inner.open_login_of(user, id).map_or_else(|error| error, |_| PasteError::InUse));
        };
        let exchanging = inner.tasks.spawn(Arc::clone(inner).exchange(claimed, code, lock));
        exchanging.await.unwrap_or(Err(PasteError::Store(StoreError::Panicked)))
    }
}

impl Inner {
    /// The open login `id`, if it is `user`'s.
    fn open_login_of(&self, user: &User, id: &LoginId) -> Result<PendingLogin, PasteError> {
        let login = self.store.snapshot()?.login_by_id(id).ok_or(PasteError::Unknown)?;
        if login.user != *user {
            audit::denied(user, "completing somebody else's login");
            return Err(PasteError::NotYours);
        }
        if has_ended(&login, self.clock.now()) {
            let status = if login.status.is_terminal() { login.status } else { LoginStatus::Expired };
            return Err(PasteError::Over(status));
        }
        match (login.kind, login.status) {
            (LoginKind::Device, _) => Err(PasteError::NotByPaste),
            (_, LoginStatus::Pending) => Ok((*login).clone()),
            _ => Err(PasteError::InUse),
        }
    }

    async fn refused_at_provider(
        &self,
        login: &PendingLogin,
        code: &str,
        text: String,
    ) -> Result<Pasted, PasteError> {
        if code == "access_denied" {
            self.advance(&login.id, &login.tenant, Event::Deny, None).await?;
            return Ok(Pasted::Denied);
        }
        let reason = EndReason::Provider(text);
        self.advance(&login.id, &login.tenant, Event::Fail, Some(reason.clone())).await?;
        Ok(Pasted::Failed(reason))
    }

    async fn exchange(
        self: Arc<Self>,
        login: PendingLogin,
        code: Secret,
        lock: KernelLock,
    ) -> Result<Pasted, PasteError> {
        let provider = self.captured(&login).ok_or(PasteError::NoProvider)?;
        let (Some(verifier), Some(redirect_uri)) = (&login.verifier, &login.redirect_uri) else {
            return Err(PasteError::NotByPaste);
        };
        let grant = CodeGrant { code: &code, verifier, redirect_uri, state: login.state.as_ref() };
        let spent = self.spend(&login, grant, &provider, lock).await?;
        Ok(match spent {
            Spent::Completed(Completed::Stored) => Pasted::Succeeded,
            Spent::Completed(Completed::Waits) => Pasted::Waits,
            Spent::Completed(Completed::Lost) => Pasted::Over,
            Spent::Completed(Completed::Refused(reason)) | Spent::Failed(reason) => Pasted::Failed(reason),
            Spent::NotSent(why) => return Err(PasteError::NotSent(why)),
        })
    }

    /// Spends a claimed code, and sees to what came of it. The login's lock is let go early if a cancel ends the login
    /// meanwhile, so that a new start need not wait for the provider.
    pub(super) async fn spend(
        &self,
        login: &PendingLogin,
        grant: CodeGrant<'_>,
        provider: &crate::provider::Provider,
        lock: KernelLock,
    ) -> Result<Spent, StoreError> {
        let mut lock = Some(lock);
        let exchange = oauth::exchange_code(&self.client, provider, grant, self.clock.now());
        let outcome = self.unless_over(login, &mut lock, exchange).await;
        let (id, tenant) = (&login.id, &login.tenant);
        let spent = match outcome {
            Outcome::Granted(granted) => Spent::Completed(self.complete(login, granted, provider).await?),
            Outcome::NotSent(error) => {
                self.advance(id, tenant, Event::NothingSent, None).await?;
                Spent::NotSent(error.to_string())
            }
            refused => {
                let reason = EndReason::Provider(refused.to_string());
                self.advance(id, tenant, Event::Fail, Some(reason.clone())).await?;
                Spent::Failed(reason)
            }
        };
        drop(lock);
        Ok(spent)
    }
}

/// What came of spending a code.
pub(super) enum Spent {
    Completed(Completed),
    NotSent(String),
    Failed(EndReason),
}
