//! Every message a member can see: a decision goes in, text and buttons come out.
//!
//! Owns the words, in one place and as pure functions, so that they can be read side by side in the snapshots. Invariants:
//! each message says what happened and what to do next, in words for somebody who has never heard of OAuth; nothing in
//! it mentions anybody loudly or shows a secret that is not its reader's. Must not: ask the store or Discord.

mod access;
mod cancel;
mod confirm;
mod described;
mod ended;
mod health;
mod link;
mod list;
mod login;
mod logout;
mod notice;
mod start;
mod status;
mod tenant;
mod using;

use latchkey::clock::UnixSeconds;
use latchkey::provider::Catalog;
use latchkey::tenant::{TenantKey, User};

pub use self::access::{
    CHOICE_CAP, autocomplete_label, closing, foreign_press, not_allowed, over_or_unknown, too_fast,
    went_wrong,
};
pub use self::cancel::{cancel_result, nothing_to_cancel, pick_login};
pub use self::confirm::{
    decide, decided, decided_otherwise, only_admins_decide, question_in_thread, waiting,
};
pub use self::described::label;
pub use self::ended::ended_in_thread;
pub use self::list::list;
pub use self::login::{Card, Serves, language_of, login_card, moved, paste_form, user_code};
pub use self::logout::{
    kept, logged_out, logout_failed, logout_preview, nothing_to_log_out, pick_logout, unknown_tenant,
};
pub use self::notice::Notice;
pub use self::start::{
    Tried, no_provider, pick_provider, signed_in_already, start_failed, unknown_provider, wrong_profile,
};
pub use self::status::{Reader, refreshed, tenant_status, thread_status};
pub use self::tenant::{called_by, ended_direct, not_yours_to_renew, tenant_news};
pub use self::using::{NONE, bound, choice_label, none_label, not_bound, pick_use, unknown_name};
use crate::discord::custom_id::Press;
use crate::say;
use crate::words::Language;

/// The longest text of a message, in characters.
const TEXT_CAP: usize = 2_000;
/// The most entries of a select menu.
pub const MENU_CAP: usize = 25;
/// The longest label of a button, in characters.
const LABEL_CAP: usize = 80;
/// The longest label of a menu's entry, in characters.
const ENTRY_CAP: usize = 100;
/// The longest title of a provider that is shown, in characters: configuration sets no bound.
const TITLE_CAP: usize = 60;

/// A message, as plain data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Its text, in Discord's Markdown.
    pub text: String,
    /// The text of an embed below it, where a link is too long for a button.
    pub embed: Option<String>,
    /// Buttons and menus.
    pub rows: Vec<Row>,
}

/// A row below a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Up to five buttons.
    Buttons(Vec<Button>),
    /// One select menu.
    Menu(Menu),
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What it does.
    pub does: Does,
    /// How it looks.
    pub look: Look,
}

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// Opens an address.
    Open(String),
    /// Comes back to us.
    Press(Press),
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The thing to do next.
    Main,
    /// Also possible.
    Plain,
    /// It ends something.
    Danger,
}

/// A select menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// What it is for.
    pub press: Press,
    /// What it says while nothing is chosen.
    pub prompt: String,
    /// Label and value of each entry; at most [`MENU_CAP`] are shown.
    pub entries: Vec<(String, String)>,
}

/// A modal with one text field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// What comes back.
    pub press: Press,
    /// Its title, at most 45 characters.
    pub title: String,
    /// The field's label, at most 45 characters.
    pub label: String,
    /// What the empty field shows, at most 100 characters.
    pub example: String,
}

/// The slash command, by the name and id it is registered under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slash {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: u64,
}

impl Slash {
    /// A mention of one of its subcommands, which people can tap.
    fn sub(&self, sub: &str) -> String {
        format!("</{} {sub}:{}>", self.name, self.id)
    }
}

impl Page {
    fn new(text: impl Into<String>) -> Self {
        Self { text: clip(&text.into(), TEXT_CAP), ..Self::default() }
    }

    fn buttons(mut self, buttons: impl IntoIterator<Item = Button>) -> Self {
        let buttons: Vec<_> = buttons.into_iter().collect();
        if !buttons.is_empty() {
            self.rows.push(Row::Buttons(buttons));
        }
        self
    }

    fn menu(mut self, menu: Menu) -> Self {
        self.rows.push(Row::Menu(menu));
        self
    }
}

impl Button {
    fn new(label: &str, press: Press, look: Look) -> Self {
        Self { label: clip(label, LABEL_CAP), does: Does::Press(press), look }
    }

    fn link(label: &str, address: &str) -> Self {
        Self { label: clip(label, LABEL_CAP), does: Does::Open(address.to_owned()), look: Look::Plain }
    }
}

/// `text` with at most `cap` characters, an ellipsis where something is missing.
fn clip(text: &str, cap: usize) -> String {
    if text.chars().count() <= cap {
        return text.to_owned();
    }
    text.chars().take(cap.saturating_sub(1)).chain(['…']).collect()
}

/// Foreign text inside ours: on one line, with nothing of Markdown or mentions left in force.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars().take(300) {
        match c {
            c if c.is_control() => shown.push(' '),
            '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '[' | ']' | '@' | ':' => {
                shown.push('\\');
                shown.push(c);
            }
            c => shown.push(c),
        }
    }
    shown
}

/// The moment after `wait`: at least a second away, so that nobody is told to try again at once.
fn after(wait: std::time::Duration, now: UnixSeconds) -> String {
    when(now.saturating_add(i64::try_from(wait.as_secs()).unwrap_or(60).max(1)))
}

/// A moment, in the reader's own time, as "in 5 minutes" or "2 hours ago".
fn when(at: UnixSeconds) -> String {
    format!("<t:{at}:R>")
}

/// The provider's title, or its name where it is no longer configured.
fn title(catalog: &Catalog, tenant: &TenantKey) -> String {
    let title = catalog.get(&tenant.provider).map(|provider| clip(&provider.title, TITLE_CAP));
    title.unwrap_or_else(|| tenant.provider.to_string())
}

/// A tenant in words, for somebody who knows its provider's title: "Codex", "Codex, profile work".
fn named(language: Language, catalog: &Catalog, tenant: &TenantKey) -> String {
    let title = plain(&title(catalog, tenant));
    match &tenant.profile {
        Some(profile) => {
            say!(language, "name-with-profile", title = title, profile = plain(profile.as_str()))
        }
        None => title,
    }
}

/// Somebody, as a mention that pings nobody: the messages allow none.
fn whom(language: Language, user: &User) -> String {
    match user {
        User::Discord(id) => format!("<@{id}>"),
        User::Local(_) => say!(language, "whom-operator"),
    }
}

#[cfg(test)]
mod tests;
