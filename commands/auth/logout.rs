//! `/auth logout`: asked, confirmed, done (T12).

use latchkey::tenant::TenantKey;

use super::{Call, complete, tenant, visit};
use crate::discord::custom_id::TenantRef;
use crate::discord::route::Failure;
use crate::discord::visit::Visit;
use crate::view::{self, Page};

/// Log out, here and at the provider
#[poise::command(slash_command)]
pub async fn logout(
    call: Call<'_>,
    #[description = "What to log out; without it, what this thread uses"]
    #[autocomplete = "complete::logout"]
    tenant: Option<String>,
) -> Result<(), Failure> {
    let visit = visit(call)?;
    visit.defer().await;
    let page = match wanted(&visit, tenant.as_deref().map(str::trim))? {
        Ok(tenant) => preview(&visit, &tenant),
        Err(question) => question,
    };
    visit.show(&page).await;
    Ok(())
}

/// What is to be logged out: what was named, else the only one that this thread uses, else the only one there is. Or a
/// question back.
fn wanted(visit: &Visit<'_>, text: Option<&str>) -> Result<Result<TenantKey, Page>, Failure> {
    let (broker, slash) = (&visit.desk.broker, &visit.desk.slash);
    if let Some(text) = text {
        return Ok(named(visit, text)?.ok_or_else(|| view::unknown_tenant(text, slash)));
    }
    let mine = broker.tenants_to_log_out(&visit.caller)?;
    let here = broker.thread_status(&visit.thread, visit.parent.as_ref())?;
    let here: Vec<_> =
        here.tenants.iter().map(|status| &status.tenant).filter(|key| mine.contains(key)).collect();
    Ok(match (here.as_slice(), mine.as_slice()) {
        ([one], _) => Ok((*one).clone()),
        ([], [one]) => Ok(one.clone()),
        ([], []) => Err(view::nothing_to_log_out(slash)),
        _ => Err(view::pick_logout(&mine, broker.catalog())),
    })
}

/// What the caller means by `text`: a tenant, or a provider as it serves here or as their own.
fn named(visit: &Visit<'_>, text: &str) -> Result<Option<TenantKey>, Failure> {
    let broker = &visit.desk.broker;
    let document = broker.store().snapshot()?;
    // A tenant whose provider is no longer configured can be logged out all the same.
    if let Ok(key) = text.parse::<TenantKey>()
        && document.tenant(&key)?.is_some()
    {
        return Ok(Some(key));
    }
    let (thread, parent) = (Some(&visit.thread), visit.parent.as_ref());
    let here = latchkey::broker::resolve(&document, broker.catalog(), text, None, thread, parent);
    let own = || {
        let user = visit.caller.user.discord();
        latchkey::broker::resolve(&document, broker.catalog(), text, user, None, None)
    };
    Ok(here.or_else(|_| own()).ok())
}

/// The question whether to log `tenant` out, or why that cannot be.
fn preview(visit: &Visit<'_>, tenant: &TenantKey) -> Page {
    let (broker, slash) = (&visit.desk.broker, &visit.desk.slash);
    match broker.preview_logout(&visit.caller, tenant) {
        Ok(preview) => view::logout_preview(&preview, broker.catalog()),
        Err(error) => view::logout_failed(&error, broker.catalog(), slash),
    }
}

/// "Log out" on another message: asks, in a message of its own.
pub async fn ask(visit: &Visit<'_>, named: &TenantRef) -> Result<(), Failure> {
    let Some(tenant) = tenant(visit, named)? else { return super::unknown(visit).await };
    visit.defer().await;
    visit.show(&preview(visit, &tenant)).await;
    Ok(())
}

/// One was chosen from the menu.
pub async fn picked(visit: &Visit<'_>, named: &TenantRef) -> Result<(), Failure> {
    let Some(tenant) = tenant(visit, named)? else { return super::unknown(visit).await };
    visit.defer_update().await;
    visit.show(&preview(visit, &tenant)).await;
    Ok(())
}

/// The confirmation.
pub async fn confirmed(visit: &Visit<'_>, named: &TenantRef) -> Result<(), Failure> {
    let Some(tenant) = tenant(visit, named)? else { return super::unknown(visit).await };
    visit.defer_update().await;
    let (broker, slash) = (&visit.desk.broker, &visit.desk.slash);
    let page = match broker.logout(&visit.caller, &tenant).await {
        Ok(done) => view::logged_out(&done, broker.catalog(), slash),
        Err(error) => view::logout_failed(&error, broker.catalog(), slash),
    };
    visit.show(&page).await;
    Ok(())
}
