//! Words about a thread's tenants that everybody there can read (W4, U7), and about logins that are told directly (U5).
//!
//! Nothing in them shows an account, a profile of somebody's own, a code or a link.

use latchkey::credential::Unserved;
use latchkey::pending::{EndReason, LoginStatus, PendingLogin};
use latchkey::provider::Catalog;
use latchkey::tenant::{TenantKey, UserId};
use latchkey::worker::{News, What};

use super::{Button, Look, Page, Slash, named, plain, title, whom};
use crate::discord::custom_id::{Press, TenantRef};
use crate::say;
use crate::words::Language;

/// A tenant as all may call it: what somebody calls their own accounts is nobody else's business.
fn public_name(language: Language, catalog: &Catalog, tenant: &TenantKey) -> String {
    match tenant.user {
        Some(_) => plain(&title(catalog, tenant)),
        None => named(language, catalog, tenant),
    }
}

fn mention(user: &UserId) -> String {
    format!("<@{user}>")
}

/// News of one of a thread's tenants.
pub fn tenant_news(language: Language, news: &News, catalog: &Catalog, slash: &Slash) -> Page {
    let name = public_name(language, catalog, &news.tenant);
    // Only somebody's own tenant rests; a shared one has no owner to be named.
    let owner = news.tenant.user.as_ref().map(mention).unwrap_or_default();
    match &news.what {
        What::NeedsLogin => {
            let text = if news.tenant.user.is_some() {
                say!(language, "telling-needs-login-own", name = name, owner = owner)
            } else {
                say!(language, "telling-needs-login", name = name)
            };
            let tenant = TenantRef::from(&news.tenant);
            let press = Press::SignIn { tenant, kind: None, bind: news.is_bound };
            Page::new(text).buttons([Button::new(&say!(language, "telling-sign-in"), press, Look::Main)])
        }
        What::Unserved(Unserved::Left) => {
            let login = slash.sub("login");
            Page::new(say!(language, "telling-left", name = name, owner = owner, login = login))
        }
        What::Unserved(Unserved::NotAdmitted) => {
            let login = slash.sub("login");
            Page::new(say!(language, "telling-not-admitted", name = name, owner = owner, login = login))
        }
        What::WorksAgain { by: Some(by) } => {
            Page::new(say!(language, "telling-works-again-by", name = name, who = whom(language, by)))
        }
        What::WorksAgain { by: None } => Page::new(say!(language, "telling-works-again", name = name)),
        What::ServedAgain => Page::new(say!(language, "telling-served-again", name = name, owner = owner)),
    }
}

/// Whom [`tenant_news`] is to call: the owner of what needs a sign-in, and nobody else.
pub fn called_by(news: &News) -> Option<&UserId> {
    news.tenant.user.as_ref().filter(|_| news.what == What::NeedsLogin)
}

/// C11: the button of somebody else's tenant.
pub fn not_yours_to_renew(language: Language, owner: &UserId, slash: &Slash) -> Page {
    Page::new(say!(language, "telling-not-yours", owner = mention(owner), login = slash.sub("login")))
}

/// A tenant's health, while its member is not served.
pub fn rests(language: Language, why: Unserved) -> String {
    match why {
        Unserved::Left => say!(language, "telling-rests-left"),
        Unserved::NotAdmitted => say!(language, "telling-rests-not-admitted"),
    }
}

/// U5: the end of a login, told to its member directly since nothing can be said in its threads. Commands are
/// written out: outside of their server Discord shows no mention of them.
pub fn ended_direct(
    language: Language,
    login: &PendingLogin,
    catalog: &Catalog,
    slash: &Slash,
    server: &str,
) -> Page {
    let (name, server) = (named(language, catalog, &login.tenant), plain(server));
    let command = |sub: &str| format!("`/{} {sub}`", slash.name);
    let (start, show) = (command("login"), command("status"));
    Page::new(match login.status {
        _ if matches!(login.reason, Some(EndReason::RefusedBy(_))) => {
            say!(language, "direct-kept", name = name, server = server)
        }
        _ if login.reason == Some(EndReason::Unconfirmed) => {
            say!(language, "direct-unconfirmed", name = name, server = server, login = start)
        }
        LoginStatus::Succeeded => {
            say!(language, "direct-succeeded", name = name, server = server, status = show)
        }
        LoginStatus::Cancelled => {
            say!(language, "direct-cancelled", name = name, server = server, login = start)
        }
        LoginStatus::Expired => {
            say!(language, "direct-expired", name = name, server = server, login = start)
        }
        LoginStatus::Denied => {
            say!(language, "direct-denied", name = name, server = server, login = start)
        }
        _ => say!(language, "direct-failed", name = name, server = server, login = start),
    })
}
