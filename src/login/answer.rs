//! An answer to a login by authorization code, pasted or called back: claimed and spent once.
//!
//! Owns what both ways share. Invariants: `pending → exchanging` is the durable claim, so that of many submits one makes
//! an exchange, by whichever way they come (C12); the exchange is a task of its own, and goes on when the caller leaves.
//! Must not: see an answer before its state matched.

use std::sync::Arc;

use super::complete::Completed;
use super::machine::Event;
use super::{Inner, reason};
use crate::oauth::{self, AnswerError, CodeGrant, Expected, Outcome, Refusal};
use crate::pending::{EndReason, LoginKind, LoginStatus, PendingLogin};
use crate::provider::Resolved;
use crate::secret::Secret;
use crate::store::{KernelLock, StoreError, has_ended};

/// What an answer came to, once it was spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
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

/// Why an answer was not spent. The login stands as it did.
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

/// What an answer to `login` must agree with; `None` where none is expected.
pub(super) fn expected<'a>(login: &'a PendingLogin, provider: &Resolved) -> Option<Expected<'a>> {
    Some(Expected {
        redirect_uri: login.redirect_uri.as_deref()?,
        state: login.state.as_ref()?,
        issuer: login.issuer.as_deref(),
        iss_promised: provider.iss_promised,
    })
}

impl Inner {
    /// Whether `login` waits for an answer.
    pub(super) fn awaits_answer(&self, login: &PendingLogin) -> Result<(), PasteError> {
        if has_ended(login, self.clock.now()) {
            let status = if login.status.is_terminal() { login.status } else { LoginStatus::Expired };
            return Err(PasteError::Over(status));
        }
        match (login.kind, login.status) {
            (LoginKind::Device, _) => Err(PasteError::NotByPaste),
            (_, LoginStatus::Pending) => Ok(()),
            _ => Err(PasteError::InUse),
        }
    }

    /// Claims `login` for `code`, and spends it.
    pub(super) async fn submit(
        self: &Arc<Self>,
        login: &PendingLogin,
        code: Secret,
    ) -> Result<Answered, PasteError> {
        // Taken before the look at `closing`: whoever drains after that waits for this one too.
        let _under_way = self.tasks.token();
        if self.closing.is_cancelled() {
            return Err(PasteError::Closing);
        }
        let lock = self.store.try_login_lock(&login.user, &login.tenant)?.ok_or(PasteError::InUse)?;
        let claimed = self.advance(&login.id, &login.tenant, Event::Claimed, None).await?;
        let Some(claimed) = claimed else {
            return Err(self.answered_before(login));
        };
        let exchanging = self.tasks.spawn(Arc::clone(self).exchange(claimed, code, lock));
        exchanging.await.unwrap_or(Err(PasteError::Store(StoreError::Panicked)))
    }

    /// Why `login` takes no answer any more, although it did a moment ago.
    fn answered_before(&self, login: &PendingLogin) -> PasteError {
        match self.store.snapshot().map(|document| document.login_by_id(&login.id)) {
            Ok(Some(stored)) => self.awaits_answer(&stored).err().unwrap_or(PasteError::InUse),
            Ok(None) => PasteError::Unknown,
            Err(error) => error.into(),
        }
    }

    /// The answer says no: the login ends, unless another answer to it is being spent already.
    pub(super) async fn refused_at_provider(
        &self,
        login: &PendingLogin,
        code: &str,
        text: String,
    ) -> Result<Answered, PasteError> {
        let (event, reason) = match code {
            "access_denied" => (Event::Deny, None),
            _ => (Event::Fail, Some(reason::of_answer(code, text))),
        };
        let waits = |stored: &PendingLogin| stored.status == LoginStatus::Pending;
        let ended = self.advance_if(&login.id, &login.tenant, waits, event, reason.clone()).await?;
        match (ended, reason) {
            (None, _) => Err(self.answered_before(login)),
            (Some(_), None) => Ok(Answered::Denied),
            (Some(_), Some(reason)) => Ok(Answered::Failed(reason)),
        }
    }

    async fn exchange(
        self: Arc<Self>,
        login: PendingLogin,
        code: Secret,
        lock: KernelLock,
    ) -> Result<Answered, PasteError> {
        let provider = self.captured(&login).ok_or(PasteError::NoProvider)?;
        let (Some(verifier), Some(redirect_uri)) = (&login.verifier, &login.redirect_uri) else {
            return Err(PasteError::NotByPaste);
        };
        let grant = CodeGrant { code: &code, verifier, redirect_uri, state: login.state.as_ref() };
        let spent = self.spend(&login, grant, &provider, lock).await?;
        Ok(match spent {
            Spent::Completed(Completed::Stored) => Answered::Succeeded,
            Spent::Completed(Completed::Waits) => Answered::Waits,
            Spent::Completed(Completed::Lost) => Answered::Over,
            Spent::Completed(Completed::Refused(reason)) | Spent::Failed(reason) => Answered::Failed(reason),
            Spent::NotSent(why) => return Err(PasteError::NotSent(why)),
        })
    }

    /// Why an exchange that granted nothing ends `login`.
    fn why_not(&self, login: &PendingLogin, outcome: &Outcome) -> EndReason {
        match outcome {
            Outcome::Refused(refusal) => self.why_refused(login, refusal),
            outcome => reason::of_outcome(outcome),
        }
    }

    /// The same, where the provider says no. No operator can mend a client that it has forgotten: another sign-in does.
    pub(super) fn why_refused(&self, login: &PendingLogin, refusal: &Refusal) -> EndReason {
        if self.is_forgotten(login, refusal) { EndReason::CodeRefused } else { reason::of_refusal(refusal) }
    }

    /// Spends a claimed code, and sees to what came of it. The login's lock is let go early if a cancel ends the login
    /// meanwhile, so that a new start need not wait for the provider.
    pub(super) async fn spend(
        &self,
        login: &PendingLogin,
        grant: CodeGrant<'_>,
        provider: &Resolved,
        lock: KernelLock,
    ) -> Result<Spent, StoreError> {
        let mut lock = Some(lock);
        let exchange = oauth::exchange_code(&self.client, provider, grant, self.clock.now());
        let outcome = self.unless_over(login, &mut lock, exchange).await;
        let (id, tenant) = (&login.id, &login.tenant);
        let spent = match outcome {
            Outcome::Granted(granted) => {
                Spent::Completed(self.finish_and_complete(login, granted, provider, &mut lock).await?)
            }
            Outcome::NotSent(error) => {
                self.advance(id, tenant, Event::NothingSent, None).await?;
                Spent::NotSent(error.to_string())
            }
            refused => {
                tracing::warn!(login = %id, outcome = reason::for_log(&refused), "a code was not accepted");
                let reason = self.why_not(login, &refused);
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
