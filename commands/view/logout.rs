//! Words of `/auth logout` (T12).

use latchkey::broker::{LoggedOut, LogoutError, LogoutPreview};
use latchkey::provider::Catalog;
use latchkey::revocation::Ended;
use latchkey::tenant::TenantKey;

use super::{Button, Look, Menu, Page, Slash, clip, name, plain, title};
use crate::discord::custom_id::{Press, TenantRef};

/// What a logout would do: the confirmation.
pub fn logout_preview(preview: &LogoutPreview, catalog: &Catalog) -> Page {
    let tenant = &preview.status.tenant;
    let name = name(catalog, tenant);
    let account =
        preview.status.account.as_deref().map(|account| format!(" ({})", plain(account))).unwrap_or_default();
    let reach = if tenant.user.is_none() {
        "Every agent of this server loses it."
    } else {
        "Every agent that uses it loses it."
    };
    let mut text = format!("**Log out of {name}{account}?**\n{reach} Somebody must sign in again to use it.");
    if !preview.would_end.is_empty() {
        let others: Vec<_> = preview.would_end.iter().map(|other| format!("`{other}`")).collect();
        text.push_str("\n⚠️ The provider ends these sign-ins with it: ");
        text.push_str(&others.join(", "));
        text.push('.');
    }
    let tenant = TenantRef::from(tenant);
    Page::new(text).buttons([
        Button::new("Log out", Press::LogOutConfirmed(tenant), Look::Danger),
        Button::new("Keep", Press::Keep, Look::Plain),
    ])
}

/// Thought better of.
pub fn kept() -> Page {
    Page::new("**Nothing was changed.**\nThe sign-in stays.")
}

/// What a logout did, done and owed apart.
pub fn logged_out(done: &LoggedOut, catalog: &Catalog, slash: &Slash) -> Page {
    let name = name(catalog, &done.tenant);
    let at_provider = match &done.at_provider {
        Ended::Done => "It was ended at the provider too.".to_owned(),
        Ended::NotOffered => {
            "The provider offers no way to end it from here: what was handed out runs out by itself."
                .to_owned()
        }
        Ended::Owed { .. } => {
            "The provider could not be told yet. Latchkey goes on trying for a day; you need do nothing."
                .to_owned()
        }
        Ended::Refused { why } => format!(
            "The provider refused to end it there ({}). To be sure, remove the access in your account there.",
            plain(why)
        ),
    };
    Page::new(format!(
        "✅ **Logged out of {name}.**\nIt is gone from here. {at_provider} {} starts a new sign-in.",
        slash.sub("login")
    ))
}

/// Why nothing was logged out.
pub fn logout_failed(error: &LogoutError, catalog: &Catalog, slash: &Slash) -> Page {
    match error {
        LogoutError::NotSignedIn { tenant } => Page::new(format!(
            "**{} is not signed in.**\nThere is nothing to log out.",
            name(catalog, tenant)
        )),
        LogoutError::NotYours { tenant } => Page::new(format!(
            "**{} was signed in by another member.**\nThey or an admin of this server can log it out.",
            name(catalog, tenant)
        )),
        LogoutError::Store(_) => Page::new(format!(
            "**Nothing was logged out, because of a fault here.**\nIt was written to the log for the operator. Try again \
             in a moment; {} shows how things stand.",
            slash.sub("status")
        )),
    }
}

/// There is nothing that the caller may log out.
pub fn nothing_to_log_out(slash: &Slash) -> Page {
    Page::new(format!(
        "**You have nothing to log out.**\nOnly who signed in, or an admin of this server, can log out. {} shows what \
         this thread uses.",
        slash.sub("status")
    ))
}

/// A tenant that nobody knows.
pub fn unknown_tenant(given: &str, slash: &Slash) -> Page {
    Page::new(format!(
        "**{} is not known here.**\nChoose one from the list that appears while you type, or see {}.",
        plain(&clip(given, 80)),
        slash.sub("status")
    ))
}

/// Which one?
pub fn pick_logout(tenants: &[TenantKey], catalog: &Catalog) -> Page {
    let entries = tenants.iter().map(|tenant| {
        let label = format!("{} ({tenant})", title(catalog, tenant));
        (clip(&label, 100), TenantRef::from(tenant).to_string())
    });
    Page::new("**What do you want to log out?**").menu(Menu {
        press: Press::PickLogOut,
        prompt: "Choose a sign-in".to_owned(),
        entries: entries.collect(),
    })
}
