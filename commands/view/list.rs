//! Words of `/auth list`.
//!
//! Invariant: a page holds as many tenants as fit whole, and every tenant is on exactly one page.

use latchkey::broker::{List, Listed};
use latchkey::provider::Catalog;
use latchkey::tenant::TenantKey;

use super::described::described;
use super::health::{environment, facts, health, providers_words};
use super::{Button, Look, Page, Reader, Slash, TEXT_CAP, plain, title};
use crate::discord::custom_id::Press;
use crate::say;
use crate::words::Language;

/// The most threads that are named for one tenant.
const THREADS: usize = 6;
/// What the heading and the page's number take at most, in characters.
const ROOM: usize = 200;

/// Page `at` of the list, from 0; the last one where there are no more so many.
pub fn list(
    language: Language,
    list: &List,
    at: usize,
    reader: &Reader,
    catalog: &Catalog,
    slash: &Slash,
) -> Page {
    let tenants = list.tenants.iter().map(|listed| listed_lines(language, listed, reader, catalog));
    let served = list.environment.iter().map(|(provider, given)| {
        let title = plain(&title(catalog, &TenantKey::shared(provider.clone())));
        let (mark, text) = environment(language, *given);
        format!("{mark} **{title}**: {text}")
    });
    let pages = pages(tenants.chain(served));
    if pages.is_empty() {
        let start = Button::new(&say!(language, "status-sign-in"), Press::Start, Look::Main);
        return Page::new(say!(language, "list-nothing", login = slash.sub("login"))).buttons([start]);
    }
    let at = at.min(pages.len() - 1);
    let heading = if reader.admin { say!(language, "list-all") } else { say!(language, "list-yours") };
    let mut text = format!("{heading}\n{}", pages[at]);
    if pages.len() > 1 {
        text.push('\n');
        text.push_str(&say!(language, "list-page", page = at + 1, pages = pages.len()));
    }
    let turn = |label: String, to: usize| Button::new(&label, Press::ListPage(to), Look::Plain);
    let back = at.checked_sub(1).map(|to| turn(say!(language, "list-back"), to));
    let on = (at + 1 < pages.len()).then(|| turn(say!(language, "list-on"), at + 1));
    Page::new(text).buttons(back.into_iter().chain(on))
}

/// `parts`, as many to a page as fit.
fn pages(parts: impl Iterator<Item = String>) -> Vec<String> {
    let mut pages: Vec<String> = Vec::new();
    for part in parts {
        let length = |text: &str| text.chars().count();
        match pages.last_mut() {
            Some(page) if length(page) + 1 + length(&part) <= TEXT_CAP - ROOM => {
                page.push('\n');
                page.push_str(&part);
            }
            _ => pages.push(part),
        }
    }
    pages
}

fn listed_lines(language: Language, listed: &Listed, reader: &Reader, catalog: &Catalog) -> String {
    let status = &listed.status;
    let name = described(language, &status.tenant, reader, catalog);
    let (mark, text) = match listed.environment {
        Some(given) => environment(language, given),
        None => health(language, status, reader),
    };
    let mut muted = facts(language, status, reader);
    if !listed.threads.is_empty() {
        let named = listed.threads.iter().take(THREADS).map(|thread| format!("<#{thread}>"));
        let named = named.collect::<Vec<_>>().join(" ");
        let left = listed.threads.len().saturating_sub(THREADS);
        muted.push(if left > 0 {
            say!(language, "list-threads-more", threads = named, count = left)
        } else {
            say!(language, "list-threads", threads = named)
        });
    }
    let error = providers_words(language, status, reader).map(|error| format!("\n-# {error}"));
    let muted = if muted.is_empty() { String::new() } else { format!("\n-# {}", muted.join(" · ")) };
    format!("{mark} **{name}**: {text}{muted}{}", error.unwrap_or_default())
}
