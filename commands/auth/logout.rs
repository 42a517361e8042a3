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
        return Ok(named(visit, text)?.ok_or_else(|| view::unknown_tenant(visit.language, text, slash)));
    }
    let mine = broker.tenants_to_log_out(&visit.caller)?;
    let here = broker.thread_status(&visit.caller, &visit.thread, visit.parent.as_ref())?;
    let here = here.entries.into_iter().filter(|entry| entry.held.is_some());
    let here: Vec<_> =
        here.map(|entry| entry.serving.tenant).filter(|tenant| mine.contains(tenant)).collect();
    Ok(match (here.as_slice(), mine.as_slice()) {
        ([one], _) | ([], [one]) => Ok(one.clone()),
        ([], []) => Err(view::nothing_to_log_out(visit.language, slash)),
        _ => Err(view::pick_logout(visit.language, &mine, &visit.caller, &broker.catalog(), slash)),
    })
}

/// What the caller means by `text`: a tenant; or a provider, as it serves here where that is theirs to log out, or as their
/// own.
fn named(visit: &Visit<'_>, text: &str) -> Result<Option<TenantKey>, Failure> {
    let broker = &visit.desk.broker;
    if let Ok(mark @ TenantRef::Mark(_)) = text.parse() {
        return tenant(visit, &mark);
    }
    let is_full = text.contains(['/', '@']);
    if let Some(provider) = broker.catalog().find(text).filter(|_| !is_full) {
        let document = broker.store().snapshot()?;
        let (thread, parent) = (Some(&visit.thread), visit.parent.as_ref());
        let here = latchkey::broker::serving(&document, &provider.name, thread, parent);
        let mine = broker.tenants_to_log_out(&visit.caller)?;
        if let Some(here) = here.ok().filter(|here| mine.contains(&here.tenant)) {
            return Ok(Some(here.tenant));
        }
    }
    Ok(broker.meant(&visit.caller, text)?)
}

/// The question whether to log `tenant` out, or why that cannot be.
fn preview(visit: &Visit<'_>, tenant: &TenantKey) -> Page {
    let (broker, slash) = (&visit.desk.broker, &visit.desk.slash);
    let (language, caller, catalog) = (visit.language, &visit.caller, &broker.catalog());
    match broker.preview_logout(caller, tenant) {
        Ok(preview) => view::logout_preview(language, &preview, caller, catalog),
        Err(error) => view::logout_failed(language, &error, caller, catalog, slash),
    }
}

/// "Log out" below a status, or one was chosen from the menu: asks in its place.
pub async fn ask(visit: &Visit<'_>, named: &TenantRef) -> Result<(), Failure> {
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
    let (language, caller, catalog) = (visit.language, &visit.caller, &broker.catalog());
    let page = match broker.logout(caller, &tenant).await {
        Ok(done) => view::logged_out(language, &done, caller, catalog, slash),
        Err(error) => view::logout_failed(language, &error, caller, catalog, slash),
    };
    visit.show(&page).await;
    Ok(())
}
