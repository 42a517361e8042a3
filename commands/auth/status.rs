//! `/auth status`: where this thread stands (U6).

use super::{Call, visit};
use crate::discord::route::Failure;
use crate::view::{self, Reader};

/// See what this thread's agents use, and how it is
#[poise::command(slash_command)]
pub async fn status(call: Call<'_>) -> Result<(), Failure> {
    let visit = visit(call)?;
    visit.defer().await;
    let desk = visit.desk;
    let status = desk.broker.thread_status(&visit.thread, visit.parent.as_ref())?;
    let reader = Reader { user: visit.caller.user.clone(), admin: visit.caller.admin };
    visit
        .show(&view::thread_status(visit.language, &status, &reader, desk.broker.catalog(), &desk.slash))
        .await;
    Ok(())
}
