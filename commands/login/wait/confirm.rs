//! The question whether another account takes the place of the one that a shared slot holds (I5).
//!
//! Owns the question and what an answer does. Invariants: whatever is no yes is a no; the yes is given to exactly what was shown; what was typed before it was asked is no answer; where
//! nobody can be asked, and nobody has agreed beforehand, what was started here is refused, and what was joined is left alone. Must
//! not: wait.

use std::io::Write;

use latchkey::broker::Caller;
use latchkey::credential::Account;
use latchkey::login::{Confirmation, Question, Seen};

use super::Waiting;
use crate::exit::Exit;
use crate::{log, terminal};

impl Waiting<'_> {
    /// I5: whether another account takes the place of the one that the slot holds.
    pub(super) async fn ask(&mut self) -> Result<(), Exit> {
        let Caller { user, admin } = &self.operator;
        let standing = self.broker.logins().question(user, *admin, &self.login.id)?;
        let Confirmation::Open(question) = standing else { return Ok(()) };
        if self.is_agreed {
            return self.decide(Some(question.seen)).await;
        }
        if !terminal::is_interactive() || !self.may_paste {
            if self.is_ours {
                log::note(&format!(
                    "latchkey: {} With --yes it is put in its place; without, nothing is changed.",
                    said(&question)
                ));
                return self.decide(None).await;
            }
            return Ok(());
        }
        if self.asked.as_ref() != Some(&question.seen) {
            self.progress.clear();
            // What was typed before answers something else.
            self.lines.discard();
            drop(
                std::io::stderr()
                    .write_all(format!("{} Put it in its place? [y/N] ", said(&question)).as_bytes()),
            );
            self.asked = Some(question.seen);
        }
        Ok(())
    }

    pub(super) async fn decide(&mut self, agreed: Option<Seen>) -> Result<(), Exit> {
        let (logins, Caller { user, admin }) = (self.broker.logins(), &self.operator);
        match agreed {
            // Where the slot has changed since, the next look asks anew.
            Some(seen) => logins.confirm(user, *admin, &self.login.id, seen).await?,
            None => logins.refuse(user, *admin, &self.login.id).await?,
        };
        Ok(())
    }
}

/// What the slot holds, and what would take its place.
fn said(question: &Question) -> String {
    let name = |account: &Account| {
        account.label().map_or_else(
            || "an account that is not known".to_owned(),
            |label| label.escape_debug().to_string(),
        )
    };
    let held = question.now.as_ref().map_or_else(|| "nothing".to_owned(), name);
    format!("{} holds {held}; you signed in as {}.", question.login.tenant, name(&question.then))
}
