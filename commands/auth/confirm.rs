//! An admin's word on a sign-in with another account: the buttons of the question, and of its confirmation (I5).
//!
//! Owns the two steps: whatever is pressed in public is asked once more, for the presser's eyes only, with both accounts.
//! Invariants: acknowledged before anything is looked up (U1); who may decide is judged at each press (U7). Must not:
//! change the public question, which follows what is stored (`discord::asking`).

use latchkey::login::{Confirmation, Seen};
use latchkey::pending::{LoginId, PendingLogin};

use super::login;
use crate::discord::route::Failure;
use crate::discord::visit::Visit;
use crate::view;

/// What the presser of a public button wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The new account.
    Replace,
    /// The present one.
    Keep,
}

/// A button of the question: asks once more, with both accounts, in a message of its own.
pub async fn ask(visit: &Visit<'_>, id: &LoginId, wish: Wish) -> Result<(), Failure> {
    visit.defer().await;
    let desk = visit.desk;
    let found = desk.broker.logins().question(&visit.caller.user, visit.caller.admin, id)?;
    let prefers_new = wish == Wish::Replace;
    let page = match &found {
        Confirmation::Open(question) => {
            view::decide(visit.language, question, prefers_new, false, &desk.broker.catalog())
        }
        Confirmation::Over(login) => view::decided(visit.language, login, &desk.broker.catalog()),
        Confirmation::Unknown => view::over_or_unknown(visit.language, &desk.slash),
        Confirmation::NotAdmin => view::only_admins_decide(visit.language, &desk.slash),
    };
    visit.show(&page).await;
    Ok(())
}

/// "Use the new account", confirmed.
pub async fn agreed(visit: &Visit<'_>, id: &LoginId, seen: Seen) -> Result<(), Failure> {
    visit.defer_update().await;
    let caller = &visit.caller;
    let said = visit.desk.broker.logins().confirm(&caller.user, caller.admin, id, seen).await?;
    show(visit, &said).await;
    Ok(())
}

/// "Keep the present one", confirmed.
pub async fn refused(visit: &Visit<'_>, id: &LoginId) -> Result<(), Failure> {
    visit.defer_update().await;
    let caller = &visit.caller;
    let said = visit.desk.broker.logins().refuse(&caller.user, caller.admin, id).await?;
    show(visit, &said).await;
    Ok(())
}

/// What came of an answer, on the message that was pressed.
async fn show(visit: &Visit<'_>, said: &Confirmation) {
    let desk = visit.desk;
    let own = |login: &PendingLogin| login.user == visit.caller.user;
    let page = match said {
        // On the card of one's own login it would be in the way of what the card says next.
        Confirmation::Over(login) if own(login) => return login::show(visit, login).await,
        Confirmation::Over(login) => view::decided(visit.language, login, &desk.broker.catalog()),
        Confirmation::Open(question) => {
            view::decide(visit.language, question, true, true, &desk.broker.catalog())
        }
        Confirmation::Unknown => view::over_or_unknown(visit.language, &desk.slash),
        // The message may be the asker's own card, from when they were an admin.
        Confirmation::NotAdmin => {
            return visit.add(&view::only_admins_decide(visit.language, &desk.slash)).await;
        }
    };
    visit.show(&page).await;
}
