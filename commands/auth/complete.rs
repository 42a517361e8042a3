//! What is offered while an option is typed: providers, profiles, tenants.
//!
//! Owns the choices. Invariant: nobody is offered what they may not see. Must not: fail; with nothing to offer there
//! are no choices.

#![expect(clippy::unused_async, reason = "poise awaits what completes an option")]

use serenity::all::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{Call, visit};
use crate::view::{self, MENU_CAP};

/// Providers, by title, name or alias.
pub async fn provider(call: Call<'_>, typed: &str) -> CreateAutocompleteResponse {
    let catalog = call.framework.user_data.broker.catalog();
    let fitting = catalog.iter().filter(|provider| {
        let names = [provider.name.as_str(), provider.title.as_str()];
        fits(typed, names.into_iter().chain(provider.aliases.iter().map(String::as_str)))
    });
    offer(fitting.map(|provider| (provider.title.clone(), provider.name.to_string())))
}

/// Profiles of the caller's own tenants and the shared ones.
pub async fn profile(call: Call<'_>, typed: &str) -> CreateAutocompleteResponse {
    let Ok(visit) = visit(call) else { return offer([]) };
    let Ok(document) = visit.desk.broker.store().snapshot() else { return offer([]) };
    let me = visit.caller.user.discord();
    let seen = document.tenants().filter(|(key, _)| key.user.is_none() || key.user.as_ref() == me);
    same(typed, seen.filter_map(|(key, _)| key.profile).map(|profile| profile.to_string()))
}

/// Tenants that the caller may log out.
pub async fn logout(call: Call<'_>, typed: &str) -> CreateAutocompleteResponse {
    let Ok(visit) = visit(call) else { return offer([]) };
    let tenants = visit.desk.broker.tenants_to_log_out(&visit.caller).unwrap_or_default();
    same(typed, tenants.iter().map(ToString::to_string))
}

/// Tenants of the logins that the caller may cancel.
pub async fn cancel(call: Call<'_>, typed: &str) -> CreateAutocompleteResponse {
    let Ok(visit) = visit(call) else { return offer([]) };
    let logins = super::cancel::open_logins(&visit).unwrap_or_default();
    same(typed, logins.iter().map(|login| login.tenant.to_string()))
}

/// Texts that stand for themselves, each once, in order.
fn same(typed: &str, texts: impl IntoIterator<Item = String>) -> CreateAutocompleteResponse {
    let mut texts: Vec<_> = texts.into_iter().filter(|text| fits(typed, [text.as_str()])).collect();
    texts.sort();
    texts.dedup();
    offer(texts.into_iter().map(|text| (text.clone(), text)))
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
