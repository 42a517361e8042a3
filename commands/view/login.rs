//! Words of a login under way: its card, what is said after a paste, and the form for it (U3, U4).

use latchkey::login::PasteError;
use latchkey::oauth::AnswerError;
use latchkey::pending::{LoginKind, LoginStatus, PendingLogin};
use latchkey::provider::{Catalog, Flow, PasteShape, Provider, is_loopback};
use latchkey::secret::Secret;
use latchkey::tenant::TenantKey;
use url::Url;

use super::ended::ended;
use super::{Button, Form, Look, Page, Slash, clip, name, plain, when};
use crate::discord::custom_id::Press;
use crate::words::Language;

/// The longest address that a button takes, in characters.
const BUTTON_LINK_CAP: usize = 512;
/// The longest text of an embed, in characters.
const EMBED_CAP: usize = 4_096;
/// The longest title of a modal, and label of its field, in characters.
const FORM_CAP: usize = 45;

/// What a login's card is made of.
#[derive(Debug, Clone, Copy)]
pub struct Card<'a> {
    /// The login.
    pub login: &'a PendingLogin,
    /// The providers on offer.
    pub catalog: &'a Catalog,
    /// The command, as registered.
    pub slash: &'a Slash,
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

/// Something to tell above a card that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice(String);

impl Notice {
    /// What to tell after a paste that was not spent; `None` where the card alone says it.
    pub fn of(error: &PasteError) -> Option<Self> {
        Some(Self(match error {
            PasteError::Unknown
            | PasteError::Over(_)
            | PasteError::NotYours
            | PasteError::Answer(AnswerError::Refused { .. }) => return None,
            PasteError::Answer(error) => format!("⚠️ **That did not work:** {}.", plain(&error.to_string())),
            PasteError::NotByPaste => {
                "⚠️ **There is nothing to paste here:** open the page and enter the code there.".to_owned()
            }
            PasteError::InUse => "⏳ Your answer is being checked already. Wait a moment.".to_owned(),
            PasteError::NotSent(_) => {
                "⚠️ **The provider could not be reached just now.** Nothing is lost: paste the same answer again \
                 in a moment."
                    .to_owned()
            }
            PasteError::Closing => {
                "⚠️ **Latchkey is restarting.** Nothing is lost: paste the same answer again in a minute."
                    .to_owned()
            }
            PasteError::NoProvider => {
                "⚠️ **This provider is no longer offered here.** Ask an admin of this server.".to_owned()
            }
            PasteError::Store(_) => {
                "⚠️ **Your answer could not be used because of a fault here.** It was written to the log for the \
                 operator. Paste the same answer again in a moment."
                    .to_owned()
            }
        }))
    }
}

/// The live message of a login, whatever its status.
pub fn login_card(card: &Card<'_>) -> Page {
    let login = card.login;
    match login.status {
        LoginStatus::Starting => {
            Page::new(format!("⏳ Asking {} for a sign-in…", name(card.catalog, &login.tenant)))
        }
        LoginStatus::Pending => open(card),
        LoginStatus::Exchanging => {
            Page::new(format!("⏳ **Checking your sign-in to {}…**", name(card.catalog, &login.tenant)))
        }
        LoginStatus::Confirming => super::confirm::waiting(language_of(login), login, None, card.catalog),
        _ => ended(card),
    }
}

/// What the one who started it reads.
pub(super) fn language_of(login: &PendingLogin) -> Language {
    login.locale.as_deref().map(Language::of).unwrap_or_default()
}

fn cancel(login: &PendingLogin) -> Button {
    Button::new("Cancel", Press::Cancel(login.id.clone()), Look::Danger)
}

fn open(card: &Card<'_>) -> Page {
    let login = card.login;
    let link = match login.kind {
        LoginKind::Device => {
            login.verification_uri_complete.as_ref().map(Secret::expose).or(login.verification_uri.as_deref())
        }
        LoginKind::Paste | LoginKind::Callback => login.authorize_url.as_ref().map(Secret::expose),
    };
    let link = link.unwrap_or_default();
    let Some(place) = placing(link) else { return no_link(card) };
    let mut lines = Vec::new();
    lines.extend(card.notice.map(|notice| notice.0.clone()));
    lines.push(format!("**Sign in to {}**", name(card.catalog, &login.tenant)));
    lines.push(purpose(login));
    let provider = card.catalog.get(&login.tenant.provider);
    lines.extend(steps(login, provider.map(|provider| &**provider), place));
    lines.push(format!(
        "When you are done, this message changes by itself. The sign-in expires {}.",
        when(login.expires_at)
    ));
    lines.push(
        match login.kind {
            LoginKind::Device => {
                "⚠️ Enter only a code that you asked for yourself, here. Never one that somebody sent you."
            }
            _ => "⚠️ Paste the answer only here. Never give it to anybody, and never use a link that somebody sent you.",
        }
        .to_owned(),
    );
    let mut page = Page::new(lines.join("\n"));
    let mut buttons = Vec::new();
    match place {
        Place::Button => buttons.push(Button::link("Open sign-in page", link)),
        Place::Embed => page.embed = Some(masked(link)),
    }
    if login.kind == LoginKind::Paste {
        buttons.push(Button::new("Paste the answer", Press::Paste(login.id.clone()), Look::Main));
    }
    buttons.push(cancel(login));
    buttons.extend(other_way(login, provider.map(|provider| &**provider)));
    page.buttons(buttons)
}

/// Where a link goes (U4).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Button,
    Embed,
}

fn placing(link: &str) -> Option<Place> {
    match link.chars().count() {
        0 => None,
        length if length <= BUTTON_LINK_CAP => Some(Place::Button),
        _ => Some(Place::Embed).filter(|_| masked(link).chars().count() <= EMBED_CAP),
    }
}

/// A masked link. Brackets would end it early.
fn masked(link: &str) -> String {
    format!("**[Open sign-in page]({})**", link.replace('(', "%28").replace(')', "%29"))
}

fn no_link(card: &Card<'_>) -> Page {
    let tenant = &card.login.tenant;
    let provider = card.catalog.get(&tenant.provider);
    Page::new(format!(
        "**{}'s sign-in page has an address that Discord cannot show.**\nIt is too long for a message. Ask the operator \
         to ask for fewer `scopes` there.",
        name(card.catalog, tenant)
    ))
    .buttons([cancel(card.login)].into_iter().chain(other_way(card.login, provider.map(|provider| &**provider))))
}

/// What the sign-in is for, said before the tap.
fn purpose(login: &PendingLogin) -> String {
    let shared = login.tenant.user.is_none();
    match (&login.bind, shared) {
        (Some(thread), true) => {
            format!("It is for this whole server: every agent in <#{thread}> will use it, whoever asks them.")
        }
        (Some(thread), false) => format!(
            "It is your own: every agent in <#{thread}> will work with **your** account, whoever asks them."
        ),
        (None, true) => "It is for this whole server. What this thread uses stays as it is.".to_owned(),
        (None, false) => "It is your own. What this thread uses stays as it is.".to_owned(),
    }
}

fn steps(login: &PendingLogin, provider: Option<&Provider>, place: Place) -> Vec<String> {
    let tap = match place {
        Place::Button => "Press **Open sign-in page** and sign in.",
        Place::Embed => "Open the link below and sign in.",
    };
    if login.kind == LoginKind::Device {
        let notice = provider.and_then(|provider| provider.device_notice.as_deref());
        let code = login.user_code.as_ref().map_or("", |code| code.expose());
        let enter = if login.verification_uri_complete.is_some() {
            "Check that the page shows this code, or enter it there"
        } else {
            "Enter this code there"
        };
        return notice
            .map(|notice| format!("ℹ️ {}", plain(notice)))
            .into_iter()
            .chain([format!("1. {tap}"), format!("2. {enter}: `{}`", code.replace('`', ""))])
            .collect();
    }
    let copy = match provider.map_or(PasteShape::Url, |provider| provider.paste) {
        PasteShape::Url if ends_on_dead_page(login) => {
            "At the end the browser shows an **error page that does not load**. That is as it should be: copy its whole \
             address from the address bar."
        }
        PasteShape::Url => "At the end, copy the whole address of the last page from the address bar.",
        PasteShape::CodeHashState | PasteShape::Code => "At the end the page shows a code. Copy all of it.",
    };
    vec![
        format!("1. {tap}"),
        format!("2. {copy}"),
        "3. Press **Paste the answer** and paste it there.".to_owned(),
    ]
}

/// Whether nothing answers where the sign-in ends: an address on the member's own machine.
fn ends_on_dead_page(login: &PendingLogin) -> bool {
    let redirect = login.redirect_uri.as_deref().and_then(|uri| Url::parse(uri).ok());
    redirect.is_some_and(|uri| is_loopback(&uri))
}

/// The button to the provider's next way to sign in, if it has another.
fn other_way(login: &PendingLogin, provider: Option<&Provider>) -> Option<Button> {
    let now = match login.kind {
        LoginKind::Device => Flow::Device,
        LoginKind::Paste => Flow::Paste,
        LoginKind::Callback => Flow::Callback,
    };
    let another = provider?.offered_flows().any(|flow| flow != now);
    another.then(|| Button::new("Try another way", Press::OtherWay(login.id.clone()), Look::Plain))
}

/// U3: the user code alone, to copy on a phone.
pub fn user_code(login: &PendingLogin) -> Option<Page> {
    let code = login.user_code.as_ref().filter(|_| login.status == LoginStatus::Pending)?;
    Some(Page::new(code.expose()))
}

/// On a message that is no longer the live one: its login, or the one that took that one's place, goes on in another.
pub fn moved(catalog: &Catalog, tenant: &TenantKey) -> Page {
    Page::new(format!(
        "The sign-in to {} goes on in another message in this thread. Use that one.",
        name(catalog, tenant)
    ))
}

/// The form that takes the pasted answer.
pub fn paste_form(login: &PendingLogin, provider: Option<&Provider>) -> Form {
    let shape = provider.map_or(PasteShape::Url, |provider| provider.paste);
    let (label, example) = match shape {
        PasteShape::Url => ("Address of the last page", login.redirect_uri.clone().unwrap_or_default()),
        PasteShape::CodeHashState | PasteShape::Code => ("Code from the last page", String::new()),
    };
    let title = provider.map_or_else(|| login.tenant.provider.to_string(), |p| p.title.clone());
    Form {
        press: Press::Paste(login.id.clone()),
        title: clip(&format!("Sign in to {title}"), FORM_CAP),
        label: clip(label, FORM_CAP),
        example: clip(&if example.is_empty() { example } else { format!("{example}?code=…") }, 100),
    }
}
