//! Words before a login: what is asked back, and why one could not be started (U3).

use latchkey::clock::UnixSeconds;
use latchkey::login::StartError;
use latchkey::pending::LoginKind;
use latchkey::provider::Catalog;
use latchkey::tenant::TenantKey;

use super::{Button, Look, MENU_CAP, Menu, Page, clip, name, plain, when};
use crate::discord::custom_id::{Press, TenantRef};

/// The slot is signed in already.
pub fn signed_in_already(page: Page, tenant: &TenantKey, bind: bool) -> Page {
    let press = Press::SignIn { tenant: TenantRef::from(tenant), kind: None, bind };
    page.buttons([
        Button::new("Sign in again", press, Look::Plain),
        Button::new("Log out", Press::LogOut(TenantRef::from(tenant)), Look::Danger),
    ])
}

/// Which provider?
pub fn pick_provider(catalog: &Catalog, bind: Option<bool>) -> Page {
    let entries = catalog.iter().take(MENU_CAP).map(|p| (p.title.clone(), p.name.to_string())).collect();
    let prompt = "Choose where to sign in".to_owned();
    Page::new("**Where do you want to sign in?**").menu(Menu {
        press: Press::PickProvider { bind },
        prompt,
        entries,
    })
}

/// No provider of that name.
pub fn unknown_provider(given: &str, catalog: &Catalog, bind: Option<bool>) -> Page {
    let text = format!("**{} is not offered here.**\nChoose one of those that are:", plain(&clip(given, 80)));
    Page { rows: pick_provider(catalog, bind).rows, ..Page::new(text) }
}

/// No provider at all.
pub fn no_provider() -> Page {
    Page::new(
        "**There is nothing to sign in to yet.**\nAsk the operator to add a provider to Latchkey's configuration.",
    )
}

/// A profile or tenant that cannot be one.
pub fn wrong_name(why: &str) -> Page {
    Page::new(format!("**That name cannot be used.**\n{}.", plain(why)))
}

/// What was wished for when a login did not start.
#[derive(Debug, Clone, Copy)]
pub struct Tried<'a> {
    /// The slot.
    pub tenant: &'a TenantKey,
    /// How, where that was chosen.
    pub kind: Option<LoginKind>,
    /// Whether the thread was to use it.
    pub bind: bool,
    /// Another way to sign in there.
    pub other: Option<LoginKind>,
}

/// Why a login did not start, with the next step, which is for the same wish.
pub fn start_failed(error: &StartError, tried: &Tried<'_>, catalog: &Catalog, now: UnixSeconds) -> Page {
    let name = name(catalog, tried.tenant);
    let by = |kind| Press::SignIn { tenant: TenantRef::from(tried.tenant), kind, bind: tried.bind };
    let retry = |page: Page| page.buttons([Button::new("Try again", by(tried.kind), Look::Main)]);
    match error {
        StartError::UnknownProvider { .. } => Page::new(format!(
            "**{name} is no longer offered here.**\nAsk an admin of this server, or choose another provider."
        )),
        StartError::NoFlow { .. } => Page::new(format!(
            "**{name} offers no such way to sign in here.**\nAsk the operator to look at its `flows`."
        )),
        StartError::RateLimited { wait } => {
            let wait = i64::try_from(wait.as_secs()).unwrap_or(60).max(1);
            Page::new(format!(
                "**You have started many sign-ins just now.**\nYou can start the next one {}.",
                when(now.saturating_add(wait))
            ))
        }
        StartError::NotYours { .. } => Page::new(format!(
            "**{name} belongs to another member.**\nThey or an admin of this server must log it out first."
        )),
        StartError::Transient { .. } | StartError::JoinedFailed => retry(Page::new(format!(
            "**{name} could not be reached.**\nNothing was started. Try again in a moment."
        ))),
        StartError::WindingUp => retry(Page::new(format!(
            "**An earlier sign-in to {name} is still ending.**\nNothing was started. Try again in a minute."
        ))),
        StartError::SwitchedOff { why } => {
            let page = Page::new(format!(
                "**{name} has this way to sign in switched off.**\nIt says: {}. Nothing was started.",
                plain(why)
            ));
            match tried.other {
                Some(kind) => page.buttons([Button::new("Try another way", by(Some(kind)), Look::Main)]),
                None => retry(page),
            }
        }
        StartError::Operator { why } => Page::new(format!(
            "**The sign-in to {name} is not set up right.**\nThe operator must mend it. It says: {}.",
            plain(why)
        )),
        StartError::Store(_) => Page::new(format!(
            "**The sign-in to {name} could not be started because of a fault here.**\nIt was written to the log for the \
             operator. Try again in a moment."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Does, Row};
    use super::*;

    fn press(page: &Page) -> &Press {
        match &page.rows[..] {
            [Row::Buttons(buttons)] => match &buttons[..] {
                [Button { does: Does::Press(press), .. }] => press,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    /// U3: the way and the thread stay as they were wished for.
    #[test]
    fn another_try_is_for_the_same_wish() {
        let tenant: TenantKey = "acme".parse().unwrap();
        let switched_off = StartError::SwitchedOff { why: "it is off".to_owned() };
        for bind in [true, false] {
            for kind in [None, Some(LoginKind::Device)] {
                for (error, other, expected) in [
                    (&StartError::JoinedFailed, Some(LoginKind::Paste), kind),
                    (&switched_off, Some(LoginKind::Paste), Some(LoginKind::Paste)),
                    (&switched_off, None, kind),
                ] {
                    let tried = Tried { tenant: &tenant, kind, bind, other };
                    let page = start_failed(error, &tried, &Catalog::default(), 0);
                    let expected = Press::SignIn { tenant: TenantRef::from(&tenant), kind: expected, bind };
                    assert_eq!(press(&page), &expected, "{error:?}");
                }
            }
        }
    }
}
