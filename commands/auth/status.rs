//! `/auth status`: where this thread stands, and what can be pressed below it (U6).

use latchkey::broker::RefreshError;
use latchkey::gate::Class;

use super::{Call, tenant, visit};
use crate::discord::custom_id::TenantRef;
use crate::discord::route::Failure;
use crate::discord::visit::Visit;
use crate::view;

/// See what this thread's agents use, and how it is
#[poise::command(slash_command)]
pub async fn status(call: Call<'_>) -> Result<(), Failure> {
    let visit = visit(call)?;
    visit.defer().await;
    show(&visit, None).await
}

/// Shows where the thread stands, in the place of what was promised or pressed; `notice` above it.
async fn show(visit: &Visit<'_>, notice: Option<&str>) -> Result<(), Failure> {
    let desk = visit.desk;
    let status = desk.broker.thread_status(&visit.caller, &visit.thread, visit.parent.as_ref())?;
    let catalog = &desk.broker.catalog();
    visit
        .show(&view::thread_status(visit.language, &status, &visit.caller, catalog, &desk.slash, notice))
        .await;
    Ok(())
}

/// "Look again", "Show status": on the message that was pressed.
pub async fn look_again(visit: &Visit<'_>) -> Result<(), Failure> {
    visit.defer_update().await;
    show(visit, None).await
}

/// "Refresh now": acknowledged first, since it may take its time; then the status as it is after.
pub async fn refresh(visit: &Visit<'_>, named: &TenantRef) -> Result<(), Failure> {
    let Some(tenant) = tenant(visit, named)? else { return super::unknown(visit).await };
    visit.defer_update().await;
    let broker = &visit.desk.broker;
    let done = broker.refresh(&visit.caller, &tenant).await;
    if let Err(RefreshError::Token(error)) = &done
        && matches!(error.class(), Class::Operator | Class::Store | Class::Bug)
    {
        tracing::error!(%tenant, %error, "a refresh that a member wished for failed");
    }
    let notice = view::refreshed(visit.language, done.as_ref(), &visit.caller, &broker.catalog());
    show(visit, Some(&notice)).await
}
