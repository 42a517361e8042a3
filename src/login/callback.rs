//! An answer that a browser brought to our own page.
//!
//! Owns finding whose login it answers, and the step from its parameters to a code. Invariants: the state alone says which
//! login it is, compared in constant time, and that login must belong to this page's provider and redirect URI (T2);
//! looking at an answer spends nothing (T15). Must not: know HTTP.

use super::answer::{Answered, PasteError, expected};
use super::{Inner, Logins};
use crate::oauth::{AnswerError, answer};
use crate::pending::{LoginId, LoginKind, LoginStatus, PendingLogin};
use crate::provider::Provider;
use crate::secret::Secret;
use crate::store::{StoreError, has_ended};
use crate::tenant::ProviderName;

/// An answer that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrival {
    /// It holds a code for this login, which is to be spent once the person has confirmed it.
    Code(PendingLogin, Secret),
    /// There is nothing to confirm, and the login stands like this: the answer said no, or one came before it.
    Stands(PendingLogin),
}

/// Why an answer is none of an open login here. Nothing was changed by it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallbackError {
    /// No login waits for it here: it is over, or it never was one of ours.
    #[error("no open sign-in is answered by this; start a new one with /auth login")]
    Unknown,
    /// It is no answer to this login, of somebody who reads this language.
    #[error("{error}")]
    Bad {
        /// What is wrong with it.
        error: AnswerError,
        /// The language of the one who started the login; `None` where it is not known which login is meant.
        locale: Option<String>,
    },
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Logins {
    /// Whether browsers are sent to the page of `provider`, or were by a login that may be open yet.
    #[must_use]
    pub fn has_page(&self, provider: &ProviderName) -> bool {
        self.0.offer.of_login(provider, None).is_some_and(|provider| provider.callback_uri.is_some())
    }

    /// Looks at the `query` with which a browser came to the page of `provider`.
    ///
    /// # Errors
    /// See [`CallbackError`].
    pub async fn arrive(&self, provider: &ProviderName, query: &str) -> Result<Arrival, CallbackError> {
        let inner = &self.0;
        let incomplete = CallbackError::Bad { error: AnswerError::Incomplete, locale: None };
        let state = answer::state_of(query).ok_or(incomplete)?;
        let provider = inner.offer.of_login(provider, None).ok_or(CallbackError::Unknown)?;
        let login = inner.login_by_state(&provider, &state)?.ok_or(CallbackError::Unknown)?;
        if login.status != LoginStatus::Pending {
            return Ok(Arrival::Stands(login));
        }
        let captured = inner.captured(&login).ok_or(CallbackError::Unknown)?;
        let wanted = expected(&login, &captured).ok_or(CallbackError::Unknown)?;
        match answer::from_query(query, &wanted) {
            Ok(code) => Ok(Arrival::Code(login, code)),
            Err(AnswerError::Refused { code, text }) => {
                match inner.refused_at_provider(&login, &code, text).await {
                    Ok(_) => {}
                    Err(PasteError::Store(error)) => return Err(error.into()),
                    Err(error) => {
                        tracing::debug!(login = %login.id, %error, "an answer that said no came late");
                    }
                }
                let stored = inner.store.snapshot()?.login_by_id(&login.id);
                stored.map(|stored| Arrival::Stands((*stored).clone())).ok_or(CallbackError::Unknown)
            }
            Err(error) => Err(CallbackError::Bad { error, locale: login.locale }),
        }
    }

    /// Spends `code`, which arrived for the login `id` and was confirmed.
    ///
    /// # Errors
    /// See [`PasteError`]; after any of them the login stands as it did.
    pub async fn submit_arrived(&self, id: &LoginId, code: Secret) -> Result<Answered, PasteError> {
        let inner = &self.0;
        let login = inner.store.snapshot()?.login_by_id(id).ok_or(PasteError::Unknown)?;
        inner.awaits_answer(&login)?;
        inner.submit(&login, code).await
    }

    /// The link that the open login `id` shows, which may be too long for a message (U4).
    ///
    /// # Errors
    /// The store's.
    pub fn link(&self, id: &LoginId) -> Result<Option<Secret>, StoreError> {
        let inner = &self.0;
        let found = inner.store.snapshot()?.login_by_id(id);
        let open = found
            .filter(|login| login.status == LoginStatus::Pending && !has_ended(login, inner.clock.now()));
        Ok(open.and_then(|login| login.link()))
    }
}

impl Inner {
    /// The login that is not over, waits for an answer at the page of `provider`, and carries `state`.
    fn login_by_state(
        &self,
        provider: &Provider,
        state: &Secret,
    ) -> Result<Option<PendingLogin>, StoreError> {
        let now = self.clock.now();
        let Some(page) = provider.callback_uri.as_deref() else { return Ok(None) };
        let mut found = None;
        // Every login is compared, and each in constant time: how long it takes tells nothing of any state (T2).
        for login in self.store.snapshot()?.logins() {
            let same = login.state.as_ref().is_some_and(|known| known == state);
            let here = login.tenant.provider == provider.name && login.redirect_uri.as_deref() == Some(page);
            if same && here && login.kind != LoginKind::Device && !has_ended(&login, now) {
                found = Some((*login).clone());
            }
        }
        Ok(found)
    }
}
