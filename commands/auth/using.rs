//! `/auth use`: has this thread use another tenant of a provider, or none of its own.

use latchkey::broker::{BindError, Bound, Reason, serving};
use latchkey::tenant::{ProviderName, TenantKey};

use super::{Call, complete, tenant, visit};
use crate::discord::custom_id::TenantRef;
use crate::discord::route::Failure;
use crate::discord::visit::Visit;
use crate::view::{self, NONE};

/// What somebody wants the thread to use.
enum Wish {
    Tenant(TenantKey),
    /// No choice of its own.
    NoneOf(ProviderName),
}

/// Have this thread's agents use another sign-in
#[poise::command(slash_command, rename = "use")]
pub async fn using(
    call: Call<'_>,
    #[description = "Which sign-in"]
    #[autocomplete = "complete::using"]
    tenant: String,
) -> Result<(), Failure> {
    let visit = visit(call)?;
    visit.defer().await;
    pursue(&visit, &tenant).await
}

/// Does what `text` wishes for, and tells on a message that was promised before.
async fn pursue(visit: &Visit<'_>, text: &str) -> Result<(), Failure> {
    let desk = visit.desk;
    let (broker, slash) = (&desk.broker, &desk.slash);
    let page = match wish(visit, text.trim())? {
        None => view::unknown_name(visit.language, text, slash),
        Some(wish) => match change(visit, &wish).await {
            Ok(bound) => {
                // What it uses now is to be kept fresh for it.
                desk.supervisor.wake(&visit.thread);
                view::bound(visit.language, &bound, &visit.caller, &broker.catalog(), slash)
            }
            Err(error) => {
                if let BindError::Store(error) = &error {
                    tracing::error!(thread = %visit.thread, %error, "a thread could not be bound");
                }
                view::not_bound(visit.language, &error, &visit.caller, &broker.catalog(), slash)
            }
        },
    };
    visit.show(&page).await;
    Ok(())
}

async fn change(visit: &Visit<'_>, wish: &Wish) -> Result<Bound, BindError> {
    let (broker, caller, parent) = (&visit.desk.broker, &visit.caller, visit.parent.as_ref());
    match wish {
        Wish::Tenant(tenant) => broker.bind(caller, &visit.thread, parent, tenant).await,
        Wish::NoneOf(provider) => broker.unbind(caller, &visit.thread, parent, provider).await,
    }
}

fn wish(visit: &Visit<'_>, text: &str) -> Result<Option<Wish>, Failure> {
    let broker = &visit.desk.broker;
    if let Some(name) = text.strip_prefix(NONE) {
        let catalog = broker.catalog();
        let provider = catalog.find(name.trim());
        return Ok(provider.map(|provider| Wish::NoneOf(provider.name.clone())));
    }
    // A long name that was chosen comes back as its mark.
    let by_mark = || match text.parse() {
        Ok(TenantRef::Mark(mark)) => tenant(visit, &TenantRef::Mark(mark)),
        _ => Ok(None),
    };
    let meant = match by_mark()? {
        Some(tenant) => Some(tenant),
        None => broker.meant(&visit.caller, text)?,
    };
    Ok(meant.map(Wish::Tenant))
}

/// "Use another": asks which, on the message that was pressed.
pub async fn ask(visit: &Visit<'_>, provider: &ProviderName) -> Result<(), Failure> {
    visit.defer_update().await;
    let desk = visit.desk;
    let (broker, parent) = (&desk.broker, visit.parent.as_ref());
    let choices = broker.usable(&visit.caller, &visit.thread, parent, Some(provider))?;
    let is_bound = has_a_choice(visit, provider)?;
    let (caller, catalog) = (&visit.caller, &broker.catalog());
    visit
        .show(&view::pick_use(visit.language, provider, &choices, is_bound, caller, catalog, &desk.slash))
        .await;
    Ok(())
}

/// One was chosen from the menu.
pub async fn picked(visit: &Visit<'_>, chosen: Option<&str>) -> Result<(), Failure> {
    let Some(chosen) = chosen else { return super::unknown(visit).await };
    visit.defer_update().await;
    pursue(visit, chosen).await
}

/// Whether the thread has a choice of its own for `provider`.
pub(super) fn has_a_choice(visit: &Visit<'_>, provider: &ProviderName) -> Result<bool, Failure> {
    let document = visit.desk.broker.store().snapshot()?;
    let serving = serving(&document, provider, Some(&visit.thread), None);
    Ok(serving.is_ok_and(|serving| serving.reason == Reason::Thread))
}
