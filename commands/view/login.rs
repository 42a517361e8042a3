//! Words of a login under way: its card, its user code, and the form for its answer (U3, U4).
//!
//! Invariant: what belongs to a login is written in the language of the one who started it, whoever pressed last.

use latchkey::broker::{FromEnvironment, from_environment};
use latchkey::pending::{LoginKind, LoginStatus, PendingLogin};
use latchkey::provider::{Catalog, Flow, PasteShape, Provider, is_loopback};
use latchkey::tenant::TenantKey;
use url::Url;

use super::ended::ended;
use super::link::{Place, placing};
use super::{Button, Form, Look, Notice, Page, Slash, clip, named, plain, title, when};
use crate::discord::custom_id::Press;
use crate::say;
use crate::words::Language;

/// The longest title of a modal, and label of its field, in characters.
const FORM_CAP: usize = 45;
/// The longest text that an empty field shows, in characters.
const EXAMPLE_CAP: usize = 100;

/// What a login's card is made of.
#[derive(Debug, Clone, Copy)]
pub struct Card<'a> {
    /// The login.
    pub login: &'a PendingLogin,
    /// The providers on offer.
    pub catalog: &'a Catalog,
    /// Ways to sign in that its provider's metadata takes out.
    pub barred: &'a [Flow],
    /// The command, as registered.
    pub slash: &'a Slash,
    /// Where the world reaches our own pages, if it does.
    pub public_url: Option<&'a Url>,
    /// What the last thing that was pasted came to.
    pub notice: Option<&'a Notice>,
    /// Once it is over: what the thread where it was started uses now.
    pub serves: Serves,
    /// Once it is over: the account, as the provider names it.
    pub account: Option<&'a str>,
}

/// What the login's thread uses, after a sign-in that was to bind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serves {
    /// This sign-in.
    This,
    /// Another member's, which stays.
    Another,
    /// Not to be told: the login was not to bind, or is not over.
    Untold,
}

/// The language of all that belongs to `login`: that of the one who started it.
pub fn language_of(login: &PendingLogin) -> Language {
    Language::of(login.locale.as_deref().unwrap_or_default())
}

/// The live message of a login, whatever its status.
pub fn login_card(card: &Card<'_>) -> Page {
    let login = card.login;
    let language = language_of(login);
    let name = || named(language, card.catalog, &login.tenant);
    match login.status {
        LoginStatus::Starting => Page::new(say!(language, "login-starting", name = name())),
        LoginStatus::Pending => open(language, card),
        LoginStatus::Exchanging => Page::new(say!(language, "login-checking", name = name())),
        LoginStatus::Confirming => super::confirm::waiting(language, login, None, card.catalog),
        _ => ended(language, card),
    }
}

fn cancel(language: Language, login: &PendingLogin) -> Button {
    Button::new(&say!(language, "login-cancel"), Press::Cancel(login.id.clone()), Look::Danger)
}

fn open(language: Language, card: &Card<'_>) -> Page {
    let login = card.login;
    let name = named(language, card.catalog, &login.tenant);
    let provider = card.catalog.get(&login.tenant.provider).map(|provider| &**provider);
    let last = [cancel(language, login)].into_iter().chain(other_way(language, card, provider));
    let Some(place) = placing(language, login, card.public_url) else {
        return Page::new(say!(language, "login-too-long", name = name)).buttons(last);
    };
    let mut lines: Vec<_> = card.notice.into_iter().map(ToString::to_string).collect();
    lines.push(say!(language, "login-title", name = name));
    lines.push(purpose(language, login));
    lines.extend(provider.and_then(from_environment).map(|given| above(language, given)));
    let risk = provider.and_then(|provider| provider.terms_risk.as_ref());
    lines.extend(risk.map(|risk| format!("⚠️ {}", plain(risk.for_reader(language.tag())))));
    lines.extend(steps(language, login, provider, &place));
    lines.push(say!(language, "login-until", when = when(login.expires_at)));
    lines.push(match login.kind {
        LoginKind::Device => say!(language, "login-beware-code"),
        LoginKind::Paste => say!(language, "login-beware-answer"),
        LoginKind::Callback => say!(language, "login-beware-link"),
    });
    let mut page = Page::new(lines.join("\n"));
    let mut buttons = Vec::new();
    match place {
        Place::Button { address, .. } => buttons.push(Button::link(&say!(language, "login-open"), &address)),
        Place::Embed { text } => page.embed = Some(text),
    }
    let look = match login.kind {
        LoginKind::Device => None,
        LoginKind::Paste => Some(Look::Main),
        // Only where our own page is not reached.
        LoginKind::Callback => Some(Look::Plain),
    };
    let press = Press::Paste(login.id.clone());
    buttons.extend(look.map(|look| Button::new(&say!(language, "login-paste"), press, look)));
    page.buttons(buttons.into_iter().chain(last))
}

/// What the sign-in is for, said before the tap.
fn purpose(language: Language, login: &PendingLogin) -> String {
    let shared = login.tenant.user.is_none();
    match (&login.bind, shared) {
        (Some(thread), true) => say!(language, "login-for-server", thread = format!("<#{thread}>")),
        (Some(thread), false) => say!(language, "login-for-you", thread = format!("<#{thread}>")),
        (None, true) => say!(language, "login-for-server-only"),
        (None, false) => say!(language, "login-for-you-only"),
    }
}

/// That the sign-in will not be used before what the operator set goes away (G25).
fn above(language: Language, given: FromEnvironment) -> String {
    match given {
        FromEnvironment::ApiKey => say!(language, "login-behind-key"),
        FromEnvironment::Token => say!(language, "login-behind-token"),
        FromEnvironment::Unusable => say!(language, "login-behind-bad"),
    }
}

/// What to do, and what will look wrong on the way although it is right.
fn steps(
    language: Language,
    login: &PendingLogin,
    provider: Option<&Provider>,
    place: &Place,
) -> Vec<String> {
    let open = match place {
        Place::Button { .. } => say!(language, "login-step-button"),
        Place::Embed { .. } => say!(language, "login-step-link"),
    };
    match login.kind {
        LoginKind::Device => {
            let notice = provider.and_then(|provider| provider.device_notice.as_ref());
            let notice = notice.map(|notice| format!("ℹ️ {}", plain(notice.for_reader(language.tag()))));
            let code = login.user_code.as_ref().map_or("", |code| code.expose()).replace('`', "");
            let enter = if let Place::Button { with_code: true, .. } = place {
                say!(language, "login-step-check", code = code)
            } else {
                say!(language, "login-step-enter", code = code)
            };
            notice.into_iter().chain([open, enter]).collect()
        }
        LoginKind::Paste => {
            let copy = match provider.map_or(PasteShape::Url, |provider| provider.paste) {
                PasteShape::Url if ends_on_dead_page(login) => say!(language, "login-step-dead-page"),
                PasteShape::Url => say!(language, "login-step-address"),
                PasteShape::CodeHashState | PasteShape::Code => say!(language, "login-step-code"),
            };
            vec![open, copy, say!(language, "login-step-paste")]
        }
        LoginKind::Callback => {
            vec![open, say!(language, "login-step-confirm"), say!(language, "login-step-no-page")]
        }
    }
}

/// Whether nothing answers where the sign-in ends: an address on the member's own machine.
fn ends_on_dead_page(login: &PendingLogin) -> bool {
    let redirect = login.redirect_uri.as_deref().and_then(|uri| Url::parse(uri).ok());
    redirect.is_some_and(|uri| is_loopback(&uri))
}

/// The button to the provider's next way to sign in, if it has another.
fn other_way(language: Language, card: &Card<'_>, provider: Option<&Provider>) -> Option<Button> {
    let now = match card.login.kind {
        LoginKind::Device => Flow::Device,
        LoginKind::Paste => Flow::Paste,
        LoginKind::Callback => Flow::Callback,
    };
    let another = provider?.offered_flows().any(|flow| flow != now && !card.barred.contains(&flow));
    let label = say!(language, "login-other-way");
    another.then(|| Button::new(&label, Press::OtherWay(card.login.id.clone()), Look::Plain))
}

/// U3: the user code alone, to copy on a phone.
pub fn user_code(login: &PendingLogin) -> Option<Page> {
    let code = login.user_code.as_ref().filter(|_| login.status == LoginStatus::Pending)?;
    Some(Page::new(code.expose()))
}

/// On a message that is no longer the live one: its login, or the one that took that one's place, goes on in another.
pub fn moved(language: Language, catalog: &Catalog, tenant: &TenantKey) -> Page {
    Page::new(say!(language, "login-moved", name = named(language, catalog, tenant)))
}

/// The form that takes the pasted answer.
pub fn paste_form(login: &PendingLogin, catalog: &Catalog) -> Form {
    let language = language_of(login);
    let shape = match login.kind {
        // Our own page is an address, whatever the provider's shows.
        LoginKind::Callback => PasteShape::Url,
        _ => catalog.get(&login.tenant.provider).map_or(PasteShape::Url, |provider| provider.paste),
    };
    let (label, example) = match shape {
        PasteShape::Url => {
            let example = login.redirect_uri.as_deref().map(|uri| format!("{uri}?code=…"));
            (say!(language, "login-form-address"), example.unwrap_or_default())
        }
        PasteShape::CodeHashState | PasteShape::Code => (say!(language, "login-form-code"), String::new()),
    };
    Form {
        press: Press::Paste(login.id.clone()),
        title: clip(&say!(language, "login-form", title = title(catalog, &login.tenant)), FORM_CAP),
        label: clip(&label, FORM_CAP),
        example: clip(&example, EXAMPLE_CAP),
    }
}
