//! `/auth logout`: asked, confirmed, done (T12).

use latchkey::tenant::TenantKey;

use super::{Call, login, matches, tenant, visit};
use crate::discord::custom_id::TenantRef;
use crate::discord::route::Failure;
use crate::discord::visit::Visit;
use crate::view;

/// Log out, here and at the provider
#[poise::command(slash_command)]
pub async fn logout(
    call: Call<'_>,
    #[description = "What to log out; without it, what this thread uses"]
    #[autocomplete = "complete_tenant"]
    tenant: Option<String>,
) -> Result<(), Failure> {
    let visit = visit(call)?;
    visit.defer().await;
    let broker = &visit.desk.broker;
    let mine = broker.tenants_to_log_out(&visit.caller)?;
    let wanted = if let Some(text) = tenant.as_deref().map(str::trim) {
        if let Some(tenant) = named(&visit, text)? {
            tenant
        } else {
            visit.show(&view::unknown_tenant(text, &visit.desk.slash)).await;
            return Ok(());
        }
    } else {
        let here = broker.thread_status(&visit.thread, visit.parent.as_ref())?;
        let here: Vec<_> =
            here.tenants.iter().map(|status| &status.tenant).filter(|key| mine.contains(key)).collect();
        match (here.as_slice(), mine.as_slice()) {
            ([one], _) => (*one).clone(),
            ([], [one]) => one.clone(),
            ([], []) => {
                visit.show(&view::nothing_to_log_out(&visit.desk.slash)).await;
                return Ok(());
            }
            _ => {
                visit.show(&view::pick_logout(&mine, broker.catalog())).await;
                return Ok(());
            }
        }
    };
    preview(&visit, &wanted).await;
    Ok(())
}

async fn complete_tenant(call: Call<'_>, typed: &str) -> poise::serenity_prelude::CreateAutocompleteResponse {
    let Ok(visit) = visit(call) else { return login::choices([]) };
    let mine = visit.desk.broker.tenants_to_log_out(&visit.caller).unwrap_or_default();
    let mine = mine.into_iter().map(|tenant| tenant.to_string());
    login::choices(
        mine.filter(|tenant| matches(typed, [tenant.as_str()])).map(|tenant| (tenant.clone(), tenant)),
    )
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

async fn preview(visit: &Visit<'_>, tenant: &TenantKey) {
    let (broker, slash) = (&visit.desk.broker, &visit.desk.slash);
    let page = match broker.preview_logout(&visit.caller, tenant) {
        Ok(preview) => view::logout_preview(&preview, broker.catalog()),
        Err(error) => view::logout_failed(&error, broker.catalog(), slash),
    };
    visit.show(&page).await;
}

/// "Log out" on another message: asks, in a message of its own.
pub async fn ask(visit: &Visit<'_>, named: &TenantRef) -> Result<(), Failure> {
    let Some(tenant) = tenant(visit, named)? else { return super::unknown(visit).await };
    visit.defer().await;
    preview(visit, &tenant).await;
    Ok(())
}

/// One was chosen from the menu.
pub async fn picked(visit: &Visit<'_>, named: &TenantRef) -> Result<(), Failure> {
    let Some(tenant) = tenant(visit, named)? else { return super::unknown(visit).await };
    visit.defer_update().await;
    preview(visit, &tenant).await;
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
