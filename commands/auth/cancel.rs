//! `/auth cancel`, and the cancel buttons (C1, C8, C11).

use latchkey::login::Cancelled;
use latchkey::pending::{LoginId, PendingLogin};
use latchkey::tenant::TenantKey;

use super::{Call, complete, login, visit};
use crate::discord::custom_id::TenantRef;
use crate::discord::route::Failure;
use crate::discord::visit::Visit;
use crate::view;

/// Cancel a sign-in that is under way
#[poise::command(slash_command)]
pub async fn cancel(
    call: Call<'_>,
    #[autocomplete = "complete::cancel"] tenant: Option<String>,
) -> Result<(), Failure> {
    let visit = visit(call)?;
    visit.defer().await;
    let mut logins = open_logins(&visit)?;
    if let Some(text) = tenant.as_deref().map(str::trim) {
        if logins.iter().any(|login| is_named(&visit, text, &login.tenant)) {
            logins.retain(|login| is_named(&visit, text, &login.tenant));
        } else {
            // Whoever mistyped is shown what there is, and ends nothing by that.
            logins.sort_by_key(|login| login.user != visit.caller.user);
            return offer(&visit, &logins).await;
        }
    } else if logins.iter().any(|login| login.user == visit.caller.user) {
        // Others' are cancelled by name only: an admin who means their own is not asked about everybody's.
        logins.retain(|login| login.user == visit.caller.user);
    }
    match logins.as_slice() {
        [one] if one.user == visit.caller.user => end(&visit, &one.id).await,
        several => offer(&visit, several).await,
    }
}

/// Asks which of `logins` is meant, if there are any.
async fn offer(visit: &Visit<'_>, logins: &[PendingLogin]) -> Result<(), Failure> {
    let (language, slash) = (visit.language, &visit.desk.slash);
    let page = match logins {
        [] => view::nothing_to_cancel(language, slash),
        some => view::pick_login(language, some, &visit.caller.user, &visit.desk.broker.catalog(), slash),
    };
    visit.show(&page).await;
    Ok(())
}

/// The open logins that the caller may cancel.
pub(super) fn open_logins(visit: &Visit<'_>) -> Result<Vec<PendingLogin>, Failure> {
    Ok(visit.desk.broker.logins().open_logins(&visit.caller.user, visit.caller.admin, None)?)
}

/// Whether `text` means `tenant`: in full, as it was offered, by its provider's name or alias, or one's own without the id.
fn is_named(visit: &Visit<'_>, text: &str, tenant: &TenantKey) -> bool {
    let broker = &visit.desk.broker;
    let offered = text.parse::<TenantRef>().ok().and_then(|named| named.find([tenant.clone()]));
    let catalog = broker.catalog();
    let provider = catalog.find(text);
    offered.as_ref() == Some(tenant)
        || provider.is_some_and(|provider| provider.name == tenant.provider)
        || broker.meant(&visit.caller, text).is_ok_and(|meant| meant.as_ref() == Some(tenant))
}

/// Ends a login on the caller's word, and tells what that did.
async fn end(visit: &Visit<'_>, id: &LoginId) -> Result<(), Failure> {
    let desk = visit.desk;
    let cancelled = desk.broker.logins().cancel(&visit.caller.user, visit.caller.admin, id).await?;
    visit.show(&view::cancel_result(visit.language, &cancelled, &desk.broker.catalog(), &desk.slash)).await;
    Ok(())
}

/// One was chosen from the menu.
pub async fn picked(visit: &Visit<'_>, id: &LoginId) -> Result<(), Failure> {
    visit.defer_update().await;
    end(visit, id).await
}

/// The button on a login's own message, which then shows the end.
pub async fn cancel_login(visit: &Visit<'_>, id: &LoginId) -> Result<(), Failure> {
    let desk = visit.desk;
    let Some(found) = desk.broker.store().snapshot()?.login_by_id(id) else {
        return super::unknown(visit).await;
    };
    if found.user != visit.caller.user {
        // The message is not theirs to change: whoever owns the login is told by the worker.
        visit.defer().await;
        return end(visit, id).await;
    }
    visit.defer_update().await;
    match desk.broker.logins().cancel(&visit.caller.user, visit.caller.admin, id).await? {
        Cancelled::NotYours => visit.add(&view::foreign_press(visit.language, &desk.slash)).await,
        _ => login::show(visit, &found).await,
    }
    Ok(())
}
