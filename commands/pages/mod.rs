//! The pages that a browser is shown, as pure functions from what was decided (`latchkey::serve::Page`) to HTML.
//!
//! Owns what they say and in which language. Invariants: everything foreign is escaped before it is filled in; a page says
//! what happened and what to do next; it loads nothing and holds no script. The texts of `pages.ftl` are HTML. Must not: ask
//! the store or Discord.

mod html;
mod landing;
mod stands;
mod trouble;

use latchkey::oauth::AnswerError;
use latchkey::pending::PendingLogin;
use latchkey::provider::Catalog;
use latchkey::serve::{ConfirmPage, Notice, Page, Starter, Trouble, Wanted};
use latchkey::tenant::{TenantKey, User};

pub use self::landing::landing;
use self::html::{Fact, Form, Sheet, Tone, escape, strong};
use crate::say;
use crate::words::Language;

/// Where the sign-ins are for.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The guild's id.
    pub guild: u64,
    /// Its name.
    pub guild_name: &'a str,
    /// The providers on offer.
    pub catalog: &'a Catalog,
}

/// What somebody reads: what the one who started the login does, else what their browser prefers.
fn language(asked: &Wanted<'_>) -> Language {
    match asked.locale {
        Some(locale) => Language::of(locale),
        None => Language::accepted(asked.accept_language.unwrap_or_default()),
    }
}

/// The page that was asked for, whole.
pub fn render(asked: &Wanted<'_>, scene: &Scene<'_>) -> String {
    let language = language(asked);
    let sheet = match asked.page {
        Page::Confirm(confirmation) => confirm(language, confirmation, scene),
        Page::Stands { login, account } => stands::sheet(language, login, account.as_deref(), scene),
        Page::InUse(login) => Sheet {
            text: vec![say!(language, "page-in-use-text")],
            back: Some(thread(scene, login)),
            ..Sheet::new(
                Tone::Wait,
                say!(language, "page-in-use", name = name(language, scene, &login.tenant)),
            )
        },
        Page::Dropped(login) => Sheet {
            text: vec![
                say!(language, "page-dropped-text"),
                say!(language, "page-dropped-mistake", name = strong(&title(scene, &login.tenant))),
            ],
            ..Sheet::new(Tone::Good, say!(language, "page-dropped"))
        },
        Page::Trouble(trouble) => trouble::sheet(language, trouble, scene),
    };
    html::page(language, &sheet, asked.nonce)
}

/// T15: whose sign-in it is, where and for what, before anything is spent.
fn confirm(language: Language, confirmation: &ConfirmPage, scene: &Scene<'_>) -> Sheet {
    let login = &confirmation.login;
    let shared = login.tenant.user.is_none();
    let who = starter(language, &login.user, confirmation.starter.as_ref());
    let consequence = if shared {
        say!(language, "page-confirm-shared", server = strong(scene.guild_name))
    } else {
        say!(language, "page-confirm-own", who = who.short.clone())
    };
    let notice = confirmation.notice.map(|notice| match notice {
        Notice::NotSent => say!(language, "page-notice-not-sent"),
        Notice::Fault => say!(language, "page-notice-fault"),
    });
    Sheet {
        notice,
        text: vec![say!(language, "page-confirm-text", name = strong(&title(scene, &login.tenant)))],
        facts: vec![
            Fact { label: say!(language, "page-fact-who"), value: who.full },
            Fact { label: say!(language, "page-fact-where"), value: strong(scene.guild_name) },
            Fact { label: say!(language, "page-fact-provider"), value: name(language, scene, &login.tenant) },
        ],
        after: vec![consequence],
        form: Some(Form {
            // Relative, so that neither the path nor the code in the address is sent along.
            action: format!("./{}", escape(login.tenant.provider.as_str())),
            ticket: confirmation.ticket.expose().to_owned(),
            confirm: say!(language, "page-confirm-yes"),
            drop: say!(language, "page-confirm-no"),
        }),
        warning: Some(say!(language, "page-confirm-warning")),
        ..Sheet::new(Tone::Ask, say!(language, "page-confirm"))
    }
}

/// Somebody, as a page names them.
struct Who {
    full: String,
    short: String,
}

fn starter(language: Language, user: &User, known: Option<&Starter>) -> Who {
    match (user, known) {
        (_, Some(starter)) => {
            let display = strong(&starter.display);
            Who {
                full: format!("{display} <span class=\"handle\">@{}</span>", escape(&starter.handle)),
                short: display,
            }
        }
        (User::Discord(id), None) => {
            let id = escape(id.as_str());
            Who {
                full: say!(language, "page-who-id-full", id = id.clone()),
                short: say!(language, "page-who-id", id = id),
            }
        }
        (User::Local(_), None) => {
            let operator = format!("<strong>{}</strong>", say!(language, "whom-operator"));
            Who { full: operator.clone(), short: operator }
        }
    }
}

/// The provider's title, or its name where it is no longer configured.
fn title(scene: &Scene<'_>, tenant: &TenantKey) -> String {
    let title = scene.catalog.get(&tenant.provider).map(|provider| provider.title.clone());
    title.unwrap_or_else(|| tenant.provider.to_string())
}

/// A tenant, for somebody who knows its provider's title.
fn name(language: Language, scene: &Scene<'_>, tenant: &TenantKey) -> String {
    let title = strong(&title(scene, tenant));
    match &tenant.profile {
        Some(profile) => {
            say!(language, "name-with-profile", title = title, profile = escape(profile.as_str()))
        }
        None => title,
    }
}

/// The thread where the login is followed, in Discord.
fn thread(scene: &Scene<'_>, login: &PendingLogin) -> String {
    match login.watchers.last() {
        Some(watcher) => format!("https://discord.com/channels/{}/{}", scene.guild, watcher.thread),
        None => home(scene),
    }
}

/// The guild, in Discord.
fn home(scene: &Scene<'_>) -> String {
    format!("https://discord.com/channels/{}", scene.guild)
}

#[cfg(test)]
mod tests;
