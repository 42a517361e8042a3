//! Words of `/auth status` (U6).
//!
//! Invariant: five rows and 2,000 characters hold it, and what is left out is said.

pub use latchkey::broker::Caller as Reader;
use latchkey::broker::{
    Health, LoginStatusView, OwedView, Reason, RefreshError, TenantStatus, ThreadEntry, ThreadStatus, is_own,
    may_manage, may_use,
};
use latchkey::gate::{Class, TokenError};
use latchkey::pending::LoginStatus;
use latchkey::provider::Catalog;
use latchkey::store::EntryError;
use latchkey::tenant::{ProviderName, TenantKey};

use super::described::{called, described, whose};
use super::health::{environment, facts, health, providers_words};
use super::{Button, Look, Page, Slash, TEXT_CAP, confirm, named, plain, title, when, whom};
use crate::discord::custom_id::{Press, TenantRef};
use crate::say;
use crate::words::Language;

/// The most tenants that get a row of buttons: a message has five rows, and the last is for looking again.
const ROWS_OF_BUTTONS: usize = 4;
/// The most owed revocations, or damaged entries, that are told one by one.
const MATTERS: usize = 3;
/// The most providers without a sign-in that are named.
const TITLES: usize = 6;
/// What is kept free at the end of the text for saying what is left out.
const ROOM: usize = 300;
/// The most buttons for what waits for an admin's word: a row has five, and two are taken.
const DECISIONS: usize = 3;

/// Where a thread stands. `notice` is what has just been done, above it.
pub fn thread_status(
    language: Language,
    status: &ThreadStatus,
    reader: &Reader,
    catalog: &Catalog,
    slash: &Slash,
    notice: Option<&str>,
) -> Page {
    let mut parts: Vec<_> = notice.into_iter().map(str::to_owned).collect();
    if status.unreadable {
        parts.push(say!(language, "status-unreadable"));
    }
    let before_entries = parts.len();
    parts.extend(status.entries.iter().map(|entry| entry_lines(language, entry, reader, catalog)));
    parts.extend(status.logins.iter().map(|login| login_line(language, login, reader, catalog)));
    let is_bare = parts.len() == before_entries;
    if is_bare && !status.unreadable {
        parts.push(say!(language, "status-nothing", login = slash.sub("login")));
    }
    let owed = status.owed.iter().map(|owed| owed_line(language, owed, reader, catalog));
    parts.extend(some_of(owed, |left| say!(language, "status-owed-more", count = left)));
    let damaged = status.damaged.iter().map(|entry| damaged_line(language, entry));
    parts.extend(some_of(damaged, |left| say!(language, "status-damaged-more", count = left)));

    let rows: Vec<_> =
        status.entries.iter().map(|entry| buttons(language, entry, reader, catalog, status)).collect();
    let rows: Vec<_> = rows.into_iter().filter(|row| !row.is_empty()).collect();
    let mut last = Vec::new();
    if !is_bare && !status.silent.is_empty() {
        let titles = status.silent.iter().take(TITLES).map(|name| plain(&provider_title(catalog, name)));
        let titles = titles.collect::<Vec<_>>().join(", ");
        let titles = match status.silent.len().saturating_sub(TITLES) {
            0 => titles,
            left => say!(language, "and-more", named = titles, count = left),
        };
        last.push(say!(language, "status-silent", titles = titles, login = slash.sub("login")));
    }
    if let Some(left) = rows.len().checked_sub(ROWS_OF_BUTTONS).filter(|left| *left > 0) {
        let (using, logout) = (slash.sub("use"), slash.sub("logout"));
        let login = slash.sub("login");
        last.push(say!(
            language,
            "status-more-buttons",
            count = left,
            login = login,
            using = using,
            logout = logout
        ));
    }
    let mut page = Page::new(fitted(language, parts, &last));
    for row in rows.into_iter().take(ROWS_OF_BUTTONS) {
        page = page.buttons(row);
    }
    let start = Button::new(&say!(language, "status-sign-in"), Press::Start, Look::Main);
    let again = Button::new(&say!(language, "status-look-again"), Press::Status, Look::Plain);
    // What waits for the reader's word stands first: without it, nobody gets further.
    let waiting =
        status.logins.iter().filter(|login| login.status == LoginStatus::Confirming && reader.admin);
    let decide = waiting
        .take(DECISIONS)
        .map(|login| confirm::status_button(language, &login.id, &login.tenant, catalog));
    page.buttons(decide.chain(is_bare.then_some(start)).chain([again]))
}

/// A button that shows where the thread stands, for pages that have changed it.
pub(super) fn show_status(language: Language) -> Button {
    Button::new(&say!(language, "status-show"), Press::Status, Look::Plain)
}

/// The first few of `lines`, and how many are left.
fn some_of(lines: impl ExactSizeIterator<Item = String>, more: impl Fn(usize) -> String) -> Vec<String> {
    let left = lines.len().saturating_sub(MATTERS);
    let more = (left > 0).then(|| more(left));
    lines.take(MATTERS).chain(more).collect()
}

/// As many of `parts` as there is room for, and then `last`.
fn fitted(language: Language, parts: Vec<String>, last: &[String]) -> String {
    let length = |text: &str| text.chars().count() + 1;
    let mut room = TEXT_CAP.saturating_sub(ROOM + last.iter().map(|text| length(text)).sum::<usize>());
    let (mut lines, count) = (Vec::new(), parts.len());
    for part in parts {
        let needed = length(&part);
        if needed > room {
            break;
        }
        room -= needed;
        lines.push(part);
    }
    let left = count - lines.len();
    lines.extend((left > 0).then(|| say!(language, "status-more", count = left)));
    lines.extend(last.iter().cloned());
    lines.join("\n")
}

fn provider_title(catalog: &Catalog, name: &ProviderName) -> String {
    title(catalog, &TenantKey::shared(name.clone()))
}

/// One provider: what serves the thread, why, and how it is.
fn entry_lines(language: Language, entry: &ThreadEntry, reader: &Reader, catalog: &Catalog) -> String {
    let tenant = &entry.serving.tenant;
    let name = called(language, tenant, reader, catalog);
    let reason = match entry.serving.reason {
        Reason::Thread => Some(say!(language, "status-by-thread")),
        Reason::Channel => Some(say!(language, "status-by-channel")),
        Reason::Server => None,
    };
    let line = |mark: &str, text: &str| format!("{mark} **{name}**: {text}");
    let mut muted: Vec<_> = [whose(language, tenant, reader)].into_iter().chain(reason).collect();
    if let Some(given) = entry.environment {
        let (mark, text) = environment(language, given);
        let text = line(mark, &text);
        let Some(status) = &entry.held else { return text };
        // What the sign-in behind it is like concerns nobody while it rests.
        muted.extend(
            status.owner.as_ref().map(|by| say!(language, "fact-signed-in-by", who = whom(language, by))),
        );
        let behind = say!(language, "status-behind", facts = muted.join(" · "));
        return format!("{text}\n-# {behind}");
    }
    if entry.damaged {
        return line("🔴", &say!(language, "status-damaged-here"));
    }
    let Some(status) = &entry.held else {
        let text = match entry.serving.reason {
            Reason::Server => return line("⚪", &say!(language, "status-could-use")),
            _ if tenant.user.is_none() || is_own(reader, tenant) => say!(language, "status-empty"),
            _ => say!(language, "status-empty-other"),
        };
        return format!("{}\n-# {}", line("⚪", &text), muted.join(" · "));
    };
    let (mark, text) = health(language, status, reader);
    muted.extend(facts(language, status, reader));
    let error = providers_words(language, status, reader).map(|error| format!("\n-# {error}"));
    format!("{}\n-# {}{}", line(mark, &text), muted.join(" · "), error.unwrap_or_default())
}

/// How another sign-in is offered, where one would help.
fn another_sign_in(held: &TenantStatus) -> Option<Look> {
    match held.health {
        Health::NeedsLogin | Health::Uncertain | Health::Misconfigured => Some(Look::Main),
        // It mends itself, as far as anybody knows.
        Health::BackingOff if !held.operators_error => Some(Look::Plain),
        _ => None,
    }
}

/// Whether another refresh may do something about it.
fn is_refreshed(health: Health) -> bool {
    !matches!(health, Health::NeedsLogin | Health::NotConfigured | Health::Suspended(_))
}

/// What can be done about one provider here.
fn buttons(
    language: Language,
    entry: &ThreadEntry,
    reader: &Reader,
    catalog: &Catalog,
    status: &ThreadStatus,
) -> Vec<Button> {
    let tenant = &entry.serving.tenant;
    let several = status.entries.len() > 1;
    let title = title(catalog, tenant);
    let labelled = |verb: String| {
        if several { say!(language, "status-button-of", verb = verb, title = title.as_str()) } else { verb }
    };
    let named = || TenantRef::from(tenant);
    let serves_as_it_is = entry.environment.is_some() || entry.damaged;
    let mut row = Vec::new();
    let may_fill = tenant.user.is_none() || is_own(reader, tenant);
    let is_open = catalog.get(&tenant.provider).is_some_and(|provider| provider.is_open());
    if may_fill && is_open && entry.is_something() && !serves_as_it_is {
        // A thread that is served by its channel or the server, and may go on so, is left alone.
        let bind = entry.serving.reason == Reason::Thread || entry.held.is_none();
        let press = Press::SignIn { tenant: named(), kind: None, bind };
        row.extend(match &entry.held {
            None => Some(Button::new(&labelled(say!(language, "status-sign-in")), press, Look::Main)),
            Some(held) => another_sign_in(held)
                .map(|look| Button::new(&labelled(say!(language, "status-sign-in-again")), press, look)),
        });
    }
    let managed = entry.held.as_ref().filter(|held| may_manage(reader, tenant, held.owner.as_ref()));
    if managed.is_some_and(|held| held.refreshable && is_refreshed(held.health)) && !serves_as_it_is {
        let label = labelled(say!(language, "status-refresh"));
        row.push(Button::new(&label, Press::Refresh(named()), Look::Plain));
    }
    let may_change = entry.serving.reason != Reason::Thread || may_use(reader, tenant);
    if entry.another && may_change {
        let label = labelled(say!(language, "status-use-another"));
        row.push(Button::new(&label, Press::UseMenu(tenant.provider.clone()), Look::Plain));
    }
    if managed.is_some() {
        let label = labelled(say!(language, "status-log-out"));
        row.push(Button::new(&label, Press::LogOut(named()), Look::Plain));
    }
    row
}

/// One tenant, as the answer to a start that is not needed.
pub fn tenant_status(language: Language, status: &TenantStatus, reader: &Reader, catalog: &Catalog) -> Page {
    let (mark, text) = health(language, status, reader);
    let name = called(language, &status.tenant, reader, catalog);
    let muted: Vec<_> = [whose(language, &status.tenant, reader)]
        .into_iter()
        .chain(facts(language, status, reader))
        .collect();
    let already = say!(language, "status-signed-in-already");
    Page::new(format!("{already}\n{mark} **{name}**: {text}\n-# {}", muted.join(" · ")))
}

fn login_line(language: Language, login: &LoginStatusView, reader: &Reader, catalog: &Catalog) -> String {
    let name = if may_use(reader, &login.tenant) {
        say!(language, "status-login-to", name = named(language, catalog, &login.tenant))
    } else {
        say!(language, "status-login-own")
    };
    let who = whom(language, &login.user);
    let until = when(login.expires_at);
    let mine = login.user == reader.user;
    let line = match (login.status, mine) {
        (LoginStatus::Exchanging, true) => say!(language, "status-login-checked-you", name = name),
        (LoginStatus::Exchanging, false) => say!(language, "status-login-checked", who = who, name = name),
        (LoginStatus::Confirming, true) => {
            say!(language, "status-login-confirming-you", name = name, when = until)
        }
        (LoginStatus::Confirming, false) => {
            say!(language, "status-login-confirming", who = who, name = name, when = until)
        }
        (_, true) => say!(language, "status-login-open-you", name = name, when = until),
        (_, false) => say!(language, "status-login-open", who = who, name = name, when = until),
    };
    format!("⏳ {line}")
}

fn owed_line(language: Language, owed: &OwedView, reader: &Reader, catalog: &Catalog) -> String {
    let name = described(language, &owed.tenant, reader, catalog);
    let line =
        say!(language, "status-owed", name = name, when = when(owed.retry_at), end = when(owed.ends_at));
    format!("🟠 {line}")
}

fn damaged_line(language: Language, entry: &EntryError) -> String {
    format!("🔴 {}", say!(language, "status-damaged", entry = plain(&entry.to_string())))
}

/// What came of "Refresh now", as a line above the status.
pub fn refreshed(
    language: Language,
    done: Result<&TenantStatus, &RefreshError>,
    reader: &Reader,
    catalog: &Catalog,
) -> String {
    let error = match done {
        Ok(status) => {
            let name = called(language, &status.tenant, reader, catalog);
            return format!("✅ {}", say!(language, "refresh-done", name = name));
        }
        Err(RefreshError::NotYours { .. }) => return say!(language, "refresh-not-yours"),
        Err(RefreshError::NotRefreshable { .. }) => return say!(language, "refresh-as-it-is"),
        Err(RefreshError::Token(error)) => error,
    };
    match error {
        TokenError::Rejected { .. } => say!(language, "refresh-lately"),
        TokenError::BackOff { until, .. } => say!(language, "refresh-later", when = when(*until)),
        TokenError::Held { until, .. } => say!(language, "refresh-held", when = when(*until)),
        TokenError::TimedOut { .. } => say!(language, "refresh-goes-on"),
        TokenError::NoAccess { .. } => say!(language, "refresh-no-access"),
        TokenError::NeverSignedIn { .. } => say!(language, "refresh-gone"),
        error => match error.class() {
            Class::NeedsLogin => say!(language, "refresh-needs-login"),
            Class::Operator | Class::Denied => say!(language, "refresh-operator"),
            Class::Transient => say!(language, "refresh-again"),
            Class::Store | Class::Bug => say!(language, "refresh-fault"),
        },
    }
}
