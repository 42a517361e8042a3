//! Words of `/auth use`: what a thread used, what it uses now, and the way back.

use latchkey::broker::{BindError, Bound, Choice, FromEnvironment, Reason, Serving, is_own, may_use};
use latchkey::provider::Catalog;
use latchkey::tenant::{ProviderName, TenantKey, User};

use super::described::{beyond_menu, described, label};
use super::status::show_status;
use super::{Button, CHOICE_CAP, Look, Menu, Page, Reader, Slash, clip, plain, title, whom};
use crate::discord::custom_id::{Press, TenantRef};
use crate::say;
use crate::words::Language;

/// What stands before a provider's name for "no choice of the thread's own".
pub const NONE: &str = "none:";

/// What came of it.
pub fn bound(language: Language, bound: &Bound, reader: &Reader, catalog: &Catalog, slash: &Slash) -> Page {
    let name = |serving: &Serving| described(language, &serving.tenant, reader, catalog);
    let provider = plain(&title(catalog, &TenantKey::shared(bound.provider.clone())));
    let mut text = match (&bound.before, &bound.now) {
        (before, now) if before == now => match now {
            Some(now) if now.reason == Reason::Thread => say!(language, "use-same", now = name(now)),
            _ => say!(language, "use-none-same", provider = provider),
        },
        (_, Some(now)) if now.reason == Reason::Thread => say!(language, "use-done", now = name(now)),
        (_, Some(now)) if now.reason == Reason::Channel => {
            say!(language, "use-none-channel", provider = provider, now = name(now))
        }
        (_, Some(now)) => say!(language, "use-none-shared", provider = provider, now = name(now)),
        (_, None) => say!(language, "use-none", provider = provider),
    };
    let mut add = |line: String| {
        text.push('\n');
        text.push_str(&line);
    };
    let changed = bound.before != bound.now;
    if changed {
        add(match &bound.before {
            Some(before) => match before.reason {
                Reason::Thread => say!(language, "use-before", before = name(before)),
                Reason::Channel => say!(language, "use-before-channel", before = name(before)),
                Reason::Server => say!(language, "use-before-shared", before = name(before)),
            },
            None => say!(language, "use-before-nothing"),
        });
    }
    if let Some(given) = bound.environment {
        add(match given {
            FromEnvironment::ApiKey => say!(language, "use-key"),
            FromEnvironment::Token => say!(language, "use-token"),
            FromEnvironment::Unusable => say!(language, "use-bad"),
        });
    } else if bound.now.as_ref().is_some_and(|now| now.reason == Reason::Thread && now.tenant.user.is_some())
    {
        add(say!(language, "use-personal"));
    }
    if changed && let Some(back) = way_back(bound, reader) {
        add(say!(language, "use-back", using = slash.sub("use"), name = format!("`{back}`")));
    }
    Page::new(text).buttons([show_status(language)])
}

/// What to type to have it as it was, where the reader may.
fn way_back(bound: &Bound, reader: &Reader) -> Option<String> {
    match &bound.before {
        Some(before) if before.reason == Reason::Thread => {
            may_use(reader, &before.tenant).then(|| before.tenant.to_string())
        }
        _ => Some(format!("{NONE}{}", bound.provider)),
    }
}

/// Why nothing was changed, with the next step.
pub fn not_bound(
    language: Language,
    error: &BindError,
    reader: &Reader,
    catalog: &Catalog,
    slash: &Slash,
) -> Page {
    match error {
        BindError::NotYours { .. } => Page::new(say!(language, "use-not-yours")),
        BindError::NotSignedIn { tenant } => {
            let page = Page::new(say!(
                language,
                "use-not-signed-in",
                name = described(language, tenant, reader, catalog)
            ));
            let may_fill = tenant.user.is_none() || is_own(reader, tenant);
            let press = Press::SignIn { tenant: TenantRef::from(tenant), kind: None, bind: true };
            let sign_in = Button::new(&say!(language, "status-sign-in"), press, Look::Main);
            page.buttons(may_fill.then_some(sign_in))
        }
        BindError::NotOffered { provider } => {
            Page::new(say!(language, "use-not-offered", provider = plain(provider.as_str())))
        }
        BindError::HeldBy { owner } => {
            let who = whom(language, &User::Discord(owner.clone()));
            Page::new(say!(language, "use-held-by", who = who))
        }
        BindError::Store(_) => Page::new(say!(language, "use-fault", status = slash.sub("status"))),
    }
}

/// A name that nobody knows.
pub fn unknown_name(language: Language, given: &str, slash: &Slash) -> Page {
    let given = plain(&clip(given, 80));
    Page::new(say!(language, "use-unknown", given = given, list = slash.sub("list")))
}

/// Which one?
pub fn pick_use(
    language: Language,
    provider: &ProviderName,
    choices: &[Choice],
    is_bound: bool,
    reader: &Reader,
    catalog: &Catalog,
    slash: &Slash,
) -> Page {
    let titled = title(catalog, &TenantKey::shared(provider.clone()));
    let others: Vec<_> = choices.iter().filter(|choice| !choice.serves).collect();
    if others.is_empty() && !is_bound {
        let (title, login) = (plain(&titled), slash.sub("login"));
        return Page::new(say!(language, "use-nothing-else", provider = title, login = login))
            .buttons([show_status(language)]);
    }
    let none = is_bound.then(|| (none_label(language, catalog, provider), format!("{NONE}{provider}")));
    let entries = others.iter().map(|choice| {
        let tenant = &choice.status.tenant;
        (choice_label(language, choice, reader, catalog), TenantRef::from(tenant).to_string())
    });
    // First, so that it is there however many the others are.
    let entries: Vec<_> = none.into_iter().chain(entries).collect();
    let mut text = say!(language, "use-which", provider = plain(&titled));
    if let Some(more) = beyond_menu(language, entries.len(), &slash.sub("use")) {
        text.push('\n');
        text.push_str(&more);
    }
    Page::new(text)
        .menu(Menu { press: Press::PickUse, prompt: say!(language, "use-choose"), entries })
        .buttons([show_status(language)])
}

/// A tenant to choose, with how it is.
pub fn choice_label(language: Language, choice: &Choice, reader: &Reader, catalog: &Catalog) -> String {
    let name = label(language, &choice.status.tenant, reader, catalog);
    let text = if choice.serves {
        say!(language, "choice-serves", name = name)
    } else if choice.status.health.works() {
        say!(language, "choice-works", name = name)
    } else {
        say!(language, "choice-does-not", name = name)
    };
    clip(&text, CHOICE_CAP)
}

/// "No choice of its own", to choose.
pub fn none_label(language: Language, catalog: &Catalog, provider: &ProviderName) -> String {
    let title = title(catalog, &TenantKey::shared(provider.clone()));
    clip(&say!(language, "choice-none", provider = title), CHOICE_CAP)
}
