//! Words of `/auth status` (U6).

use std::fmt::Write;

use latchkey::broker::{Health, LoginStatusView, TenantStatus, ThreadStatus};
use latchkey::pending::LoginStatus;
use latchkey::provider::Catalog;
use latchkey::tenant::{TenantKey, User};

use super::{Button, Look, Page, Slash, name, plain, when, who};
use crate::discord::custom_id::{Press, TenantRef};
use crate::words::Language;

/// The most tenants that get buttons: a message has five rows.
const ROWS_OF_BUTTONS: usize = 4;

/// Who reads a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub user: User,
    /// Whether they manage what is others'.
    pub admin: bool,
}

impl Reader {
    /// A personal account is its owner's business, and an admin's.
    fn may_see_account(&self, tenant: &TenantKey) -> bool {
        self.admin || tenant.user.is_none() || tenant.user.as_ref() == self.user.discord()
    }

    fn may_log_out(&self, status: &TenantStatus) -> bool {
        let own_slot = status.tenant.user.is_some() && status.tenant.user.as_ref() == self.user.discord();
        self.admin || own_slot || (status.tenant.user.is_none() && status.owner.as_ref() == Some(&self.user))
    }
}

/// Where a thread stands.
pub fn thread_status(status: &ThreadStatus, reader: &Reader, catalog: &Catalog, slash: &Slash) -> Page {
    let mut parts = Vec::new();
    for tenant in &status.tenants {
        parts.push(tenant_lines(tenant, reader, catalog));
    }
    for tenant in &status.empty {
        let next = if is_own(tenant, reader) { "Press **Sign in**." } else { "Its owner must sign in." };
        parts.push(format!("⚪ **{}**: not signed in. {next}", shown(tenant, reader, catalog)));
    }
    for login in &status.logins {
        parts.push(login_line(login, reader, catalog));
    }
    if reader.admin {
        parts.extend(status.damaged.iter().map(|damaged| {
            format!("🔴 A stored entry cannot be read: {}. Tell the operator.", plain(&damaged.to_string()))
        }));
    }
    if parts.is_empty() {
        let text = format!(
            "**Nothing is signed in for this thread.**\nPress **Sign in** below, or use {}.",
            slash.sub("login")
        );
        return Page::new(text).buttons([Button::new("Sign in", Press::Start, Look::Main)]);
    }
    let mut page = Page::new(parts.join("\n"));
    let several = status.tenants.len() + status.empty.len() > 1;
    for tenant in status.tenants.iter().take(ROWS_OF_BUTTONS) {
        let mut buttons = Vec::new();
        if is_own(&tenant.tenant, reader) && !tenant.health.works() {
            buttons.push(sign_in(&tenant.tenant, several, catalog));
        }
        if reader.may_log_out(tenant) {
            buttons.push(log_out(&tenant.tenant, several, catalog));
        }
        page = page.buttons(buttons);
    }
    let left = ROWS_OF_BUTTONS.saturating_sub(page.rows.len());
    for tenant in status.empty.iter().filter(|tenant| is_own(tenant, reader)).take(left) {
        page = page.buttons([sign_in(tenant, several, catalog)]);
    }
    page
}

/// Whether `reader` may fill `tenant`: the guild's, or their own.
fn is_own(tenant: &TenantKey, reader: &Reader) -> bool {
    tenant.user.is_none() || tenant.user.as_ref() == reader.user.discord()
}

/// A tenant in words. What somebody calls their own accounts is nobody else's business.
fn shown(tenant: &TenantKey, reader: &Reader, catalog: &Catalog) -> String {
    if reader.may_see_account(tenant) { name(catalog, tenant) } else { plain(&super::title(catalog, tenant)) }
}

fn sign_in(tenant: &TenantKey, several: bool, catalog: &Catalog) -> Button {
    let press = Press::SignIn { tenant: TenantRef::from(tenant), kind: None, bind: true };
    Button::new(&labelled("Sign in", tenant, several, catalog), press, Look::Main)
}

fn log_out(tenant: &TenantKey, several: bool, catalog: &Catalog) -> Button {
    let press = Press::LogOut(TenantRef::from(tenant));
    Button::new(&labelled("Log out", tenant, several, catalog), press, Look::Plain)
}

fn labelled(verb: &str, tenant: &TenantKey, several: bool, catalog: &Catalog) -> String {
    if several { format!("{verb}: {}", super::title(catalog, tenant)) } else { verb.to_owned() }
}

/// One tenant, as the answer to a start that is not needed.
pub fn tenant_status(status: &TenantStatus, reader: &Reader, catalog: &Catalog) -> Page {
    Page::new(format!("**Signed in already.**\n{}", tenant_lines(status, reader, catalog)))
}

/// One tenant: what, whose, how, since and until when.
fn tenant_lines(status: &TenantStatus, reader: &Reader, catalog: &Catalog) -> String {
    let rests;
    let (mark, health) = match status.health {
        Health::Suspended(why) => {
            rests = super::tenant::rests(Language::default(), why);
            ("⚪", rests.as_str())
        }
        Health::Fresh => ("🟢", "works"),
        Health::Stale => ("🟢", "works; it is refreshed at its next use"),
        Health::Environment => ("🟢", "works, with a key that the operator set"),
        Health::BackingOff => ("🟡", "the last refresh failed and is tried again by itself"),
        Health::Uncertain => ("🟡", "the provider gave no clear answer; Latchkey goes on trying"),
        Health::NeedsLogin if status.tenant.user.is_some() => ("🔴", "its owner must sign in again"),
        Health::NeedsLogin => ("🔴", "somebody must sign in again"),
        Health::NotConfigured => ("🔴", "its provider is no longer offered here; tell the operator"),
    };
    let mut line = format!("{mark} **{}**: {health}", shown(&status.tenant, reader, catalog));
    if let Some(at) = status.retry_at.filter(|_| !status.health.works()) {
        // Writing to a String cannot fail.
        let _ = write!(line, " (next try {})", when(at));
    }
    line.push('.');
    let mut facts = vec![if status.tenant.user.is_none() {
        "shared by this server".to_owned()
    } else {
        "one member's own".to_owned()
    }];
    if status.health == Health::Environment {
        return format!("{line}\n-# {}", facts.join(" · "));
    }
    if let Some(account) = status.account.as_deref().filter(|_| reader.may_see_account(&status.tenant)) {
        facts.push(format!("account {}", plain(account)));
    }
    facts.extend(status.owner.as_ref().map(|owner| format!("signed in by {}", who(owner))));
    facts.extend(status.obtained_at.map(|at| format!("last refreshed {}", when(at))));
    facts.extend(status.expires_at.map(|at| {
        if status.health == Health::Fresh {
            format!("next refresh due before {}", when(at))
        } else {
            format!("token ended {}", when(at))
        }
    }));
    format!("{line}\n-# {}", facts.join(" · "))
}

fn login_line(login: &LoginStatusView, reader: &Reader, catalog: &Catalog) -> String {
    let whose =
        if login.user == reader.user { "You are".to_owned() } else { format!("{} is", who(&login.user)) };
    let at = if reader.may_see_account(&login.tenant) {
        format!("to {}", name(catalog, &login.tenant))
    } else {
        "with an account of their own".to_owned()
    };
    match login.status {
        LoginStatus::Exchanging => format!("⏳ {whose} signing in {at}: the answer is being checked."),
        _ => format!("⏳ {whose} signing in {at}; that ends {}.", when(login.expires_at)),
    }
}
