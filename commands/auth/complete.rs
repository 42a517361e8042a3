//! What is offered while an option is typed: providers, profiles, tenants.
//!
//! Owns the choices. Invariants: nobody is offered what they may not see (U7); what is offered is understood when it comes
//! back. Must not: fail; with nothing to offer there are no choices.

#![expect(clippy::unused_async, reason = "poise awaits what completes an option")]

use latchkey::tenant::TenantKey;
use serenity::all::{AutocompleteChoice, CreateAutocompleteResponse, ResolvedValue};

use super::{Call, using, visit};
use crate::discord::custom_id::TenantRef;
use crate::discord::visit::Visit;
use crate::view::{self, MENU_CAP, NONE};

/// Providers that can be signed in to, by title, name or alias.
pub async fn provider(call: Call<'_>, typed: &str) -> CreateAutocompleteResponse {
    let catalog = &call.framework.user_data.broker.catalog();
    let fitting = catalog.open().filter(|provider| {
        let names = [provider.name.as_str(), provider.title.as_str()];
        fits(typed, names.into_iter().chain(provider.aliases.iter().map(String::as_str)))
    });
    offer(fitting.map(|provider| (provider.title.clone(), provider.name.to_string())))
}

/// Profiles of the caller's own tenants and the shared ones, of the provider that was chosen before, if one was.
pub async fn profile(call: Call<'_>, typed: &str) -> CreateAutocompleteResponse {
    let Ok(visit) = visit(call) else { return offer([]) };
    let Ok(document) = visit.desk.broker.store().snapshot() else { return offer([]) };
    let me = visit.caller.user.discord();
    let catalog = visit.desk.broker.catalog();
    let chosen = call.args.iter().find_map(|option| match option.value {
        ResolvedValue::String(text) if option.name == "provider" => catalog.find(text),
        _ => None,
    });
    let seen = document.tenants().filter(|(key, _)| {
        (key.user.is_none() || key.user.as_ref() == me)
            && chosen.is_none_or(|provider| provider.name == key.provider)
    });
    let texts = seen.filter_map(|(key, _)| key.profile).map(|profile| profile.to_string());
    let mut texts: Vec<_> = texts.filter(|text| fits(typed, [text.as_str()])).collect();
    texts.sort();
    texts.dedup();
    offer(texts.into_iter().map(|text| (text.clone(), text)))
}

/// Tenants that the caller may have this thread use, and to have no choice of its own where it has one.
pub async fn using(call: Call<'_>, typed: &str) -> CreateAutocompleteResponse {
    let Ok(visit) = visit(call) else { return offer([]) };
    let (broker, catalog) = (&visit.desk.broker, &visit.desk.broker.catalog());
    let usable = broker.usable(&visit.caller, &visit.thread, visit.parent.as_ref(), None).unwrap_or_default();
    let tenants = usable.iter().map(|choice| {
        let tenant = &choice.status.tenant;
        let label = view::choice_label(visit.language, choice, &visit.caller, catalog);
        (label, tenant.clone())
    });
    let tenants: Vec<_> = fitting(&visit, typed, tenants).collect();
    let chosen = catalog.iter().filter(|provider| {
        using::has_a_choice(&visit, &provider.name).unwrap_or(false)
            && fits(typed, [provider.name.as_str(), provider.title.as_str(), NONE])
    });
    let none = chosen.map(|provider| {
        let label = view::none_label(visit.language, catalog, &provider.name);
        (label, format!("{NONE}{}", provider.name))
    });
    offer(tenants.into_iter().chain(none))
}

/// Tenants that the caller may log out.
pub async fn logout(call: Call<'_>, typed: &str) -> CreateAutocompleteResponse {
    let Ok(visit) = visit(call) else { return offer([]) };
    let tenants = visit.desk.broker.tenants_to_log_out(&visit.caller).unwrap_or_default();
    named(&visit, typed, tenants)
}

/// Tenants of the logins that the caller may cancel.
pub async fn cancel(call: Call<'_>, typed: &str) -> CreateAutocompleteResponse {
    let Ok(visit) = visit(call) else { return offer([]) };
    let logins = super::cancel::open_logins(&visit).unwrap_or_default();
    let mut tenants: Vec<_> = logins.into_iter().map(|login| login.tenant).collect();
    tenants.sort();
    tenants.dedup();
    named(&visit, typed, tenants)
}

/// Tenants, by what they are called.
fn named(visit: &Visit<'_>, typed: &str, tenants: Vec<TenantKey>) -> CreateAutocompleteResponse {
    let catalog = &visit.desk.broker.catalog();
    let labelled = tenants
        .into_iter()
        .map(|tenant| (view::label(visit.language, &tenant, &visit.caller, catalog), tenant));
    offer(fitting(visit, typed, labelled))
}

/// Those of `tenants` that `typed` may mean: by label, key, or an alias of its provider. Each with the value that comes back:
/// a key that is too long for one goes by its mark.
fn fitting(
    visit: &Visit<'_>,
    typed: &str,
    tenants: impl Iterator<Item = (String, TenantKey)>,
) -> impl Iterator<Item = (String, String)> {
    let catalog = visit.desk.broker.catalog();
    tenants.filter_map(move |(label, tenant)| {
        let key = tenant.to_string();
        let aliases = catalog.get(&tenant.provider).map(|provider| provider.aliases.as_slice());
        let rest = key.strip_prefix(tenant.provider.as_str()).unwrap_or_default();
        let others: Vec<_> =
            aliases.unwrap_or_default().iter().map(|alias| format!("{alias}{rest}")).collect();
        let names = [label.as_str(), key.as_str()].into_iter().chain(others.iter().map(String::as_str));
        let is_meant = fits(typed, names);
        is_meant.then(|| (label, TenantRef::from(&tenant).to_string()))
    })
}

fn offer(choices: impl IntoIterator<Item = (String, String)>) -> CreateAutocompleteResponse {
    // A value has the same bound as a label; one that is longer could not be sent back whole.
    let choices = choices.into_iter().filter(|(_, value)| value.chars().count() <= view::CHOICE_CAP);
    let choices = choices.take(MENU_CAP);
    let choices =
        choices.map(|(label, value)| AutocompleteChoice::new(view::autocomplete_label(&label), value));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}

/// Whether `typed` stands in one of `names`, in any case.
fn fits<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> bool {
    let typed = typed.trim().to_lowercase();
    names.into_iter().any(|name| name.to_lowercase().contains(&typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_may_stand_anywhere_in_a_name() {
        for (typed, fitting) in
            [("", true), ("co", true), ("OPENAI c", true), ("dex ", true), ("claude", false)]
        {
            assert_eq!(fits(typed, ["codex", "OpenAI Codex"]), fitting, "{typed}");
        }
    }
}
