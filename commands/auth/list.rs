//! `/auth list`: the sign-ins that somebody may know of.

use super::{Call, visit};
use crate::discord::route::Failure;
use crate::discord::visit::Visit;
use crate::view;

/// See your sign-ins, and those that this server shares
#[poise::command(slash_command)]
pub async fn list(call: Call<'_>) -> Result<(), Failure> {
    let visit = visit(call)?;
    visit.defer().await;
    show(&visit, 0).await
}

/// Another page, as the list is now.
pub async fn turn(visit: &Visit<'_>, page: usize) -> Result<(), Failure> {
    visit.defer_update().await;
    show(visit, page).await
}

async fn show(visit: &Visit<'_>, page: usize) -> Result<(), Failure> {
    let desk = visit.desk;
    let list = desk.broker.list(&visit.caller)?;
    let catalog = &desk.broker.catalog();
    visit.show(&view::list(visit.language, &list, page, &visit.caller, catalog, &desk.slash)).await;
    Ok(())
}
