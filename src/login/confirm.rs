//! An admin's word on a sign-in with another account (I5).
//!
//! Owns the question and both answers. Invariants: an admin agrees to exactly the change that they were shown, since what
//! the slot holds may have changed since; the first word counts, and whoever comes later learns whose that was; agreeing
//! and storing are one write, in which the identity gate is asked anew. Tokens that are let go here, the new ones or the
//! replaced ones, are owed to the provider in the same write (T12). Must not: ask the provider anything.

use std::fmt;
use std::str::FromStr;

use super::complete::{Judgement, into_slot, judge, owe_replaced};
use super::machine::Event;
use super::{Inner, Logins, step};
use crate::audit;
use crate::clock::UnixSeconds;
use crate::credential::{Account, Credential};
use crate::pending::{EndReason, LoginId, LoginStatus, PendingLogin};
use crate::rights::{Act, Caller, may};
use crate::secret::TokenHash;
use crate::store::{Document, StoreError, Touches, View, has_ended, update};
use crate::tenant::User;

/// Hexadecimal digits of a [`Seen`].
const SEEN_DIGITS: usize = 16;
/// What stands for an empty slot.
const EMPTY: &str = "0000000000000000";

/// What a slot held when an admin was asked: a mark that says nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen(String);

impl Seen {
    fn of(held: Option<&Credential>) -> Self {
        // A hash, since the id of an entry from elsewhere may be made from its token.
        let mark = held.map(|held| TokenHash::of(&held.id).to_string().chars().take(SEEN_DIGITS).collect());
        Self(mark.unwrap_or_else(|| EMPTY.to_owned()))
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that is no [`Seen`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a mark of what a slot held: it has {SEEN_DIGITS} hexadecimal digits")]
pub struct NoMark;

impl FromStr for Seen {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let is_mark =
            text.len() == SEEN_DIGITS && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        if is_mark { Ok(Self(text.to_owned())) } else { Err(NoMark) }
    }
}

/// What an admin is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The login that waits.
    pub login: PendingLogin,
    /// Whose account the slot holds now; `None` where it is empty.
    pub now: Option<Account>,
    /// Who signed that in.
    pub owner: Option<User>,
    /// Whose account would take its place.
    pub then: Account,
    /// What is agreed to: to be given back with the answer.
    pub seen: Seen,
}

/// How a question stands, after an answer or without one.
#[derive(Debug, Clone, PartialEq)]
pub enum Confirmation {
    /// It waits for an admin's word: nobody gave one, or on another change than it would be now.
    Open(Question),
    /// It is over; the login says how and by whom.
    Over(PendingLogin),
    /// There is no such question.
    Unknown,
    /// The caller is no admin (I5).
    NotAdmin,
}

/// What an admin says.
#[derive(Debug, Clone)]
enum Word {
    Agree(Seen),
    Refuse,
}

impl Logins {
    /// What `by` would decide about the login `id`.
    ///
    /// # Errors
    /// The store's.
    pub fn question(&self, by: &User, admin: bool, id: &LoginId) -> Result<Confirmation, StoreError> {
        let document = self.0.store.snapshot()?;
        let Some(login) = document.login_by_id(id) else { return Ok(Confirmation::Unknown) };
        if !may(&Caller { user: by.clone(), admin }, Act::Confirm, &login.tenant).is_yes() {
            audit::denied(by, "deciding about another account");
            return Ok(Confirmation::NotAdmin);
        }
        standing(&document, &login, self.0.clock.now())
    }

    /// The question that `login` waits with, for its own starter's eyes too; `None` where it waits with none.
    ///
    /// # Errors
    /// The store's.
    pub fn question_of(&self, login: &PendingLogin) -> Result<Option<Question>, StoreError> {
        let document = self.0.store.snapshot()?;
        Ok(match standing(&document, login, self.0.clock.now())? {
            Confirmation::Open(question) => Some(question),
            _ => None,
        })
    }

    /// Agrees, on the word of `by`, that the login `id` takes the place of what was `seen`.
    ///
    /// # Errors
    /// The store's; nothing was changed then.
    pub async fn confirm(
        &self,
        by: &User,
        admin: bool,
        id: &LoginId,
        seen: Seen,
    ) -> Result<Confirmation, StoreError> {
        self.0.decide(by, admin, id, Word::Agree(seen)).await
    }

    /// Keeps what the slot holds, on the word of `by`: the login `id` ends, and what it brought is let go.
    ///
    /// # Errors
    /// The store's; nothing was changed then.
    pub async fn refuse(&self, by: &User, admin: bool, id: &LoginId) -> Result<Confirmation, StoreError> {
        self.0.decide(by, admin, id, Word::Refuse).await
    }
}

impl Inner {
    async fn decide(
        &self,
        by: &User,
        admin: bool,
        id: &LoginId,
        word: Word,
    ) -> Result<Confirmation, StoreError> {
        let Some(found) = self.store.snapshot()?.login_by_id(id) else {
            return Ok(Confirmation::Unknown);
        };
        if !may(&Caller { user: by.clone(), admin }, Act::Confirm, &found.tenant).is_yes() {
            audit::denied(by, "deciding about another account");
            return Ok(Confirmation::NotAdmin);
        }
        let touches =
            Touches::tenant(&found.tenant).and_all_tenants().and_logins_at(&found.tenant).and_revocations();
        let touches = match &found.bind {
            Some(thread) => touches.and_thread(thread),
            None => touches,
        };
        let said = match &word {
            Word::Agree(_) => "agreed",
            Word::Refuse => "refused",
        };
        let (id, admin) = (id.clone(), by.clone());
        let decided = update(&*self.store, touches, move |view| decided(view, &id, admin, &word));
        let (confirmation, now) = decided.await??;
        if let Confirmation::Over(login) = &confirmation
            && now
        {
            audit::admin_decided(by, login, said);
            audit::login_ended(login, login.status);
        }
        Ok(confirmation)
    }
}

/// The answer within its write, and whether it was decided by it.
fn decided(
    view: &mut View<'_>,
    id: &LoginId,
    by: User,
    word: &Word,
) -> Result<(Confirmation, bool), StoreError> {
    let Some(login) = view.login_by_id(id) else { return Ok((Confirmation::Unknown, false)) };
    let held = view.tenant(&login.tenant)?;
    let question = match of_login(&login, held.as_ref(), view.now()) {
        Confirmation::Open(question) => question,
        other => return Ok((other, false)),
    };
    let over = |login: Option<PendingLogin>| match login {
        Some(login) => (Confirmation::Over(login), true),
        None => (Confirmation::Unknown, false),
    };
    let Word::Agree(seen) = word else {
        return Ok(over(step(view, login, Event::Cancel, Some(EndReason::RefusedBy(by)))));
    };
    let Some(mut credential) = login.confirming.as_ref().map(|waiting| waiting.credential.clone()) else {
        return Ok((Confirmation::Unknown, false));
    };
    match judge(view, held.as_ref(), &credential, &login) {
        Judgement::Refused(reason) => {
            return Ok(over(step(view, login, Event::Fail, Some(reason))));
        }
        Judgement::ByAdmin if question.seen != *seen => return Ok((Confirmation::Open(question), false)),
        Judgement::ByAdmin | Judgement::Comes => {}
    }
    credential.created_at = Some(view.now());
    if let Some(replaced) = held {
        owe_replaced(view, &login.tenant, &replaced, &credential);
    }
    Ok(over(into_slot(view, login, credential, Some(EndReason::ConfirmedBy(by)))))
}

/// How the question of `login` stands in `document`.
fn standing(document: &Document, login: &PendingLogin, now: UnixSeconds) -> Result<Confirmation, StoreError> {
    let held = document.tenant(&login.tenant)?;
    Ok(of_login(login, held.as_deref(), now))
}

fn of_login(login: &PendingLogin, held: Option<&Credential>, now: UnixSeconds) -> Confirmation {
    let mut login = login.clone();
    if login.status.is_terminal() {
        return Confirmation::Over(login);
    }
    let (LoginStatus::Confirming, Some(waiting)) = (login.status, &login.confirming) else {
        return Confirmation::Unknown;
    };
    if has_ended(&login, now) {
        login.status = LoginStatus::Expired;
        login.reason = Some(EndReason::Unconfirmed);
        login.strip();
        return Confirmation::Over(login);
    }
    Confirmation::Open(Question {
        now: held.map(|held| held.account.clone()),
        owner: held.and_then(|held| held.owner.clone()),
        then: waiting.account().clone(),
        seen: Seen::of(held),
        login,
    })
}
