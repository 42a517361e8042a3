//! A pasted answer: read, and handed on.
//!
//! Owns the way from a member's text to an answer of their own login. Invariant: what is not this login's answer consumes
//! nothing (C11, T3). Must not: look at a code before the state matched.

use super::answer::{Answered, PasteError, expected};
use super::{Inner, Logins};
use crate::audit;
use crate::oauth::{self, AnswerError};
use crate::pending::{LoginId, PendingLogin};
use crate::rights::{Act, Caller, may};
use crate::tenant::User;

impl Logins {
    /// Completes the login `id` of `user` with what they pasted.
    ///
    /// # Errors
    /// See [`PasteError`]; after any of them the login stands as it did.
    pub async fn paste(&self, user: &User, id: &LoginId, text: &str) -> Result<Answered, PasteError> {
        let inner = &self.0;
        let login = inner.open_login_of(user, id)?;
        let provider = inner.captured(&login).ok_or(PasteError::NoProvider)?;
        let Some(wanted) = expected(&login, &provider) else { return Err(PasteError::NotByPaste) };
        match oauth::answer::parse(text, provider.paste_at(wanted.redirect_uri), &wanted) {
            Ok(code) => inner.submit(&login, code).await,
            Err(AnswerError::Refused { code, text }) => inner.refused_at_provider(&login, &code, text).await,
            Err(error) => Err(PasteError::Answer(error)),
        }
    }
}

impl Inner {
    /// The open login `id`, if it is `user`'s.
    fn open_login_of(&self, user: &User, id: &LoginId) -> Result<PendingLogin, PasteError> {
        let login = self.store.snapshot()?.login_by_id(id).ok_or(PasteError::Unknown)?;
        let caller = Caller { user: user.clone(), admin: false };
        if !may(&caller, Act::Complete { starter: &login.user }, &login.tenant).is_yes() {
            audit::denied(user, "completing somebody else's login");
            return Err(PasteError::NotYours);
        }
        self.awaits_answer(&login)?;
        Ok((*login).clone())
    }
}
