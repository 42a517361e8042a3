//! Words before a login: what is asked back, and why one could not be started (U3).

use latchkey::broker::{FromEnvironment, from_environment};
use latchkey::clock::UnixSeconds;
use latchkey::login::StartError;
use latchkey::pending::LoginKind;
use latchkey::provider::{Catalog, unsupported};
use latchkey::tenant::TenantKey;

use super::{Button, ENTRY_CAP, Look, MENU_CAP, Menu, Page, after, clip, named, plain};
use crate::discord::custom_id::{Press, TenantRef};
use crate::say;
use crate::words::Language;

/// The most characters of what somebody typed that are shown back.
const GIVEN_CAP: usize = 80;

/// The slot is signed in already.
pub fn signed_in_already(
    language: Language,
    page: Page,
    tenant: &TenantKey,
    bind: bool,
    catalog: &Catalog,
) -> Page {
    let press = Press::SignIn { tenant: TenantRef::from(tenant), kind: None, bind };
    let log_out = Press::LogOut(TenantRef::from(tenant));
    let is_open = catalog.get(&tenant.provider).is_some_and(|provider| provider.is_open());
    let again = is_open.then(|| Button::new(&say!(language, "login-again"), press, Look::Plain));
    page.buttons(again.into_iter().chain([Button::new(
        &say!(language, "start-log-out"),
        log_out,
        Look::Danger,
    )]))
}

/// Which provider? Of those alone that one can sign in to.
pub fn pick_provider(language: Language, catalog: &Catalog, bind: Option<bool>) -> Page {
    if catalog.open().next().is_none() {
        return none_is_ready(language);
    }
    let entries = catalog.open().take(MENU_CAP).map(|p| (clip(&p.title, ENTRY_CAP), p.name.to_string()));
    Page::new(say!(language, "start-which")).menu(Menu {
        press: Press::PickProvider { bind },
        prompt: say!(language, "start-choose"),
        entries: entries.collect(),
    })
}

/// No provider of that name.
pub fn unknown_provider(language: Language, given: &str, catalog: &Catalog, bind: Option<bool>) -> Page {
    let choice = pick_provider(language, catalog, bind);
    let text = match unsupported(given) {
        Some(vendor) => {
            let why = plain(vendor.why(language.tag()));
            let text = say!(language, "start-unsupported", title = vendor.title, why = why);
            if choice.rows.is_empty() {
                text
            } else {
                format!("{text}\n{}", say!(language, "start-those-that-are"))
            }
        }
        None if choice.rows.is_empty() => choice.text,
        None => say!(language, "start-unknown", given = plain(&clip(given, GIVEN_CAP))),
    };
    Page { rows: choice.rows, ..Page::new(text) }
}

/// No provider at all.
pub fn no_provider(language: Language) -> Page {
    Page::new(say!(language, "start-nothing"))
}

/// Providers, and none that one can sign in to.
fn none_is_ready(language: Language) -> Page {
    Page::new(say!(language, "start-none-ready"))
}

/// The provider of `tenant` is configured and nobody can sign in there; what is missing is the operator's to know.
fn not_open(language: Language, tenant: &TenantKey, catalog: &Catalog) -> Page {
    let given = catalog.get(&tenant.provider).and_then(|provider| from_environment(provider));
    let name = named(language, catalog, tenant);
    Page::new(match given {
        Some(FromEnvironment::ApiKey) => say!(language, "start-key-serves", name = name),
        Some(FromEnvironment::Token) => say!(language, "start-token-serves", name = name),
        Some(FromEnvironment::Unusable) => say!(language, "start-bad-environment", name = name),
        None => say!(language, "start-not-ready", name = name),
    })
}

/// What was given cannot be a profile's name.
pub fn wrong_profile(language: Language, given: &str) -> Page {
    Page::new(say!(language, "start-wrong-profile", given = plain(&clip(given, GIVEN_CAP))))
}

/// What was wished for when a login did not start.
#[derive(Debug, Clone, Copy)]
pub struct Tried<'a> {
    /// The slot.
    pub tenant: &'a TenantKey,
    /// How, where that was chosen.
    pub kind: Option<LoginKind>,
    /// Whether the thread was to use it.
    pub bind: bool,
    /// Another way to sign in there.
    pub other: Option<LoginKind>,
}

/// Why a login did not start, with the next step, which is for the same wish.
pub fn start_failed(
    language: Language,
    error: &StartError,
    tried: &Tried<'_>,
    catalog: &Catalog,
    now: UnixSeconds,
) -> Page {
    if catalog.get(&tried.tenant.provider).is_some_and(|provider| !provider.is_open()) {
        return not_open(language, tried.tenant, catalog);
    }
    let name = named(language, catalog, tried.tenant);
    let by = |kind| Press::SignIn { tenant: TenantRef::from(tried.tenant), kind, bind: tried.bind };
    let retry = || Button::new(&say!(language, "start-retry"), by(tried.kind), Look::Main);
    let other = |kind| Button::new(&say!(language, "login-other-way"), by(Some(kind)), Look::Main);
    let (text, next) = match error {
        StartError::UnknownProvider { .. } => {
            let anew = Button::new(&say!(language, "over-or-unknown-start"), Press::Start, Look::Main);
            (say!(language, "start-gone", name = name), Some(anew))
        }
        StartError::NoFlow { .. } => match tried.other {
            Some(kind) => (say!(language, "start-no-way", name = name), Some(other(kind))),
            None => (say!(language, "start-no-way-at-all", name = name), None),
        },
        StartError::RateLimited { wait } => {
            (say!(language, "start-too-often", when = after(*wait, now)), Some(retry()))
        }
        StartError::GuildRateLimited { wait } => {
            (say!(language, "start-too-often-here", when = after(*wait, now)), Some(retry()))
        }
        StartError::TooManyOpen { most, wait } => {
            (say!(language, "start-too-many-open", most = *most, when = after(*wait, now)), Some(retry()))
        }
        StartError::TooManyKept { most } => {
            (say!(language, "start-too-many-kept", most = *most), Some(retry()))
        }
        StartError::NotYours { .. } => (say!(language, "start-not-yours", name = name), None),
        StartError::Transient { .. } | StartError::JoinedFailed => {
            (say!(language, "start-unreachable", name = name), Some(retry()))
        }
        StartError::WindingUp => (say!(language, "start-winding-up", name = name), Some(retry())),
        StartError::SwitchedOff { .. } => match tried.other {
            Some(kind) => (say!(language, "start-switched-off", name = name), Some(other(kind))),
            None => (say!(language, "start-switched-off-only", name = name), Some(retry())),
        },
        StartError::Operator { .. } | StartError::Refused { said: None, .. } => {
            (say!(language, "start-misconfigured", name = name), Some(retry()))
        }
        StartError::Refused { said: Some(said), .. } => {
            let said = plain(said);
            (say!(language, "start-misconfigured-says", name = name, said = said), Some(retry()))
        }
        StartError::Store(_) => (say!(language, "start-fault", name = name), Some(retry())),
    };
    Page::new(text).buttons(next)
}

#[cfg(test)]
mod tests {
    use super::super::{Does, Row};
    use super::*;

    fn press(page: &Page) -> &Press {
        match &page.rows[..] {
            [Row::Buttons(buttons)] => match &buttons[..] {
                [Button { does: Does::Press(press), .. }] => press,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    /// U3: the way and the thread stay as they were wished for.
    #[test]
    fn another_try_is_for_the_same_wish() {
        let tenant: TenantKey = "acme".parse().unwrap();
        let switched_off = StartError::SwitchedOff { why: "it is off".to_owned() };
        for bind in [true, false] {
            for kind in [None, Some(LoginKind::Device)] {
                for (error, other, expected) in [
                    (&StartError::JoinedFailed, Some(LoginKind::Paste), kind),
                    (&switched_off, Some(LoginKind::Paste), Some(LoginKind::Paste)),
                    (&switched_off, None, kind),
                ] {
                    let tried = Tried { tenant: &tenant, kind, bind, other };
                    let page = start_failed(Language::English, error, &tried, &Catalog::default(), 0);
                    let expected = Press::SignIn { tenant: TenantRef::from(&tenant), kind: expected, bind };
                    assert_eq!(press(&page), &expected, "{error:?}");
                }
            }
        }
    }
}
