//! Words of `/auth logout` (T12).

use latchkey::broker::{LoggedOut, LogoutError, LogoutPreview};
use latchkey::provider::Catalog;
use latchkey::revocation::Ended;
use latchkey::tenant::{TenantKey, ThreadId};

use super::described::{beyond_menu, described, label};
use super::status::show_status;
use super::{Button, Look, Menu, Page, Reader, Slash, clip, plain};
use crate::discord::custom_id::{Press, TenantRef};
use crate::say;
use crate::words::Language;

/// The most threads, or other sign-ins, that are named one by one.
const NAMED: usize = 8;

/// What a logout would do: the confirmation.
pub fn logout_preview(
    language: Language,
    preview: &LogoutPreview,
    reader: &Reader,
    catalog: &Catalog,
) -> Page {
    let tenant = &preview.status.tenant;
    let name = described(language, tenant, reader, catalog);
    let mut lines = vec![if let Some(account) = preview.status.account.as_deref() {
        say!(language, "logout-ask-account", name = name, account = plain(account))
    } else {
        say!(language, "logout-ask", name = name)
    }];
    lines.push(match (tenant.user.is_none(), threads(language, &preview.threads)) {
        (true, None) => say!(language, "logout-reach-server"),
        (true, Some(threads)) => say!(language, "logout-reach-server-threads", threads = threads),
        (false, None) => say!(language, "logout-reach-nobody"),
        (false, Some(threads)) => say!(language, "logout-reach-threads", threads = threads),
    });
    if !preview.would_end.is_empty() {
        let others = others(language, &preview.would_end, reader, catalog);
        lines.push(format!("⚠️ {}", say!(language, "logout-would-end", others = others)));
    }
    let tenant = TenantRef::from(tenant);
    Page::new(lines.join("\n")).buttons([
        Button::new(&say!(language, "logout-yes"), Press::LogOutConfirmed(tenant), Look::Danger),
        Button::new(&say!(language, "logout-keep"), Press::Keep, Look::Plain),
    ])
}

/// Thought better of.
pub fn kept(language: Language) -> Page {
    Page::new(say!(language, "logout-kept")).buttons([show_status(language)])
}

/// What a logout did, done and owed apart.
pub fn logged_out(
    language: Language,
    done: &LoggedOut,
    reader: &Reader,
    catalog: &Catalog,
    slash: &Slash,
) -> Page {
    let name = described(language, &done.tenant, reader, catalog);
    let mut lines = vec![format!("✅ {}", say!(language, "logout-done", name = name))];
    lines.push(match &done.at_provider {
        Ended::Done => say!(language, "logout-ended-there"),
        Ended::NotOffered => say!(language, "logout-not-offered"),
        Ended::Owed { .. } => say!(language, "logout-owed"),
        Ended::Refused { why } => say!(language, "logout-refused", why = plain(why)),
    });
    if !done.would_end.is_empty() {
        let others = others(language, &done.would_end, reader, catalog);
        match &done.at_provider {
            Ended::Done => lines.push(say!(language, "logout-others-ended", others = others)),
            Ended::Owed { .. } => lines.push(say!(language, "logout-others-will-end", others = others)),
            Ended::NotOffered | Ended::Refused { .. } => {}
        }
    }
    if let Some(threads) = threads(language, &done.threads) {
        lines.push(say!(language, "logout-threads", threads = threads, using = slash.sub("use")));
    }
    lines.push(say!(language, "logout-next", login = slash.sub("login")));
    Page::new(lines.join("\n")).buttons([show_status(language)])
}

/// Why nothing was logged out.
pub fn logout_failed(
    language: Language,
    error: &LogoutError,
    reader: &Reader,
    catalog: &Catalog,
    slash: &Slash,
) -> Page {
    Page::new(match error {
        LogoutError::NotSignedIn { tenant } => {
            say!(language, "logout-not-signed-in", name = described(language, tenant, reader, catalog))
        }
        LogoutError::NotYours { .. } => say!(language, "logout-not-yours"),
        LogoutError::Store(_) => say!(language, "logout-fault", status = slash.sub("status")),
    })
}

/// There is nothing that the caller may log out.
pub fn nothing_to_log_out(language: Language, slash: &Slash) -> Page {
    Page::new(say!(language, "logout-nothing", status = slash.sub("status")))
}

/// A tenant that nobody knows.
pub fn unknown_tenant(language: Language, given: &str, slash: &Slash) -> Page {
    let given = plain(&clip(given, 80));
    Page::new(say!(language, "logout-unknown", given = given, list = slash.sub("list")))
}

/// Which one?
pub fn pick_logout(
    language: Language,
    tenants: &[TenantKey],
    reader: &Reader,
    catalog: &Catalog,
    slash: &Slash,
) -> Page {
    let entries = tenants
        .iter()
        .map(|tenant| (label(language, tenant, reader, catalog), TenantRef::from(tenant).to_string()));
    let more = beyond_menu(language, tenants.len(), &slash.sub("logout"));
    let text: Vec<_> = [say!(language, "logout-which")].into_iter().chain(more).collect();
    Page::new(text.join("\n")).menu(Menu {
        press: Press::PickLogOut,
        prompt: say!(language, "logout-choose"),
        entries: entries.collect(),
    })
}

/// Other sign-ins, as far as `reader` may know them.
fn others(language: Language, tenants: &[TenantKey], reader: &Reader, catalog: &Catalog) -> String {
    listed(language, tenants.iter().map(|tenant| described(language, tenant, reader, catalog)))
}

/// Threads, as links that show a name to whoever may see them.
fn threads(language: Language, threads: &[ThreadId]) -> Option<String> {
    (!threads.is_empty()).then(|| listed(language, threads.iter().map(|thread| format!("<#{thread}>"))))
}

/// The first few, and how many are left.
fn listed(language: Language, names: impl ExactSizeIterator<Item = String>) -> String {
    let left = names.len().saturating_sub(NAMED);
    let named = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if left > 0 { say!(language, "and-more", named = named, count = left) } else { named }
}
