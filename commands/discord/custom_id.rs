//! What a button, menu or modal says when it comes back: `lk1:<verb>:<reference>`.
//!
//! Owns the spelling of custom ids. Invariants: at most 100 characters; no secret, and nothing that is believed: whoever
//! presses is checked anew, and a forged id reaches no further than the presser could by typing. An id outlives the
//! process that made it (U9). Must not: look anything up.

use std::fmt;
use std::str::FromStr;

use latchkey::login::Seen;
use latchkey::pending::{LoginId, LoginKind};
use latchkey::tenant::{ProviderName, TenantKey};

/// The longest custom id that Discord takes.
const CAP: usize = 100;
/// The format's version, so that ids of a later format are not misread.
const PREFIX: &str = "lk1";
/// The longest tenant that is written out; a longer one goes by a part of its lock name.
const TENANT_CAP: usize = 80;
/// Hexadecimal digits of a tenant's lock name that stand for it.
const MARK_DIGITS: usize = 32;

/// What somebody wants who presses something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// Opens the modal of this login, or is its modal.
    Paste(LoginId),
    /// Ends this login.
    Cancel(LoginId),
    /// Ends this login and starts one of the same tenant in another way.
    OtherWay(LoginId),
    /// Signs in; with `bind`, for this thread.
    SignIn {
        /// The slot.
        tenant: TenantRef,
        /// How; else in the provider's first way.
        kind: Option<LoginKind>,
        /// Whether the thread is bound.
        bind: bool,
    },
    /// Chooses a provider to sign in at.
    PickProvider {
        /// Whether the thread is bound.
        bind: Option<bool>,
    },
    /// Starts without knowing what: as `/auth login`.
    Start,
    /// Asks for a logout's confirmation.
    LogOut(TenantRef),
    /// Confirms it.
    LogOutConfirmed(TenantRef),
    /// Thinks better of it.
    Keep,
    /// Chooses what to log out.
    PickLogOut,
    /// Chooses which login to cancel.
    PickCancel,
    /// Shows where this thread stands.
    Status,
    /// Refreshes a tenant now.
    Refresh(TenantRef),
    /// Asks what the thread is to use of a provider.
    UseMenu(ProviderName),
    /// Chooses it.
    PickUse,
    /// Turns to a page of the list, from 0.
    ListPage(usize),
    /// Asks an admin to confirm that this login's account takes the present one's place.
    Replace(LoginId),
    /// Asks an admin to confirm that the present account stays.
    KeepPresent(LoginId),
    /// Confirms that it takes the place of what was seen.
    Agree {
        /// The login that waits.
        login: LoginId,
        /// What the slot held when this was shown.
        seen: Seen,
    },
    /// Confirms that the present account stays.
    Refuse(LoginId),
}

/// A tenant as far as a custom id holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantRef {
    /// In full.
    Key(TenantKey),
    /// By the beginning of its lock name: long names do not fit.
    Mark(String),
}

impl From<&TenantKey> for TenantRef {
    fn from(tenant: &TenantKey) -> Self {
        if tenant.to_string().len() <= TENANT_CAP {
            Self::Key(tenant.clone())
        } else {
            Self::Mark(mark(tenant))
        }
    }
}

fn mark(tenant: &TenantKey) -> String {
    tenant.lock_name().chars().take(MARK_DIGITS).collect()
}

impl TenantRef {
    /// The tenant that is meant, if it is written out or is one of `known`.
    pub fn find(&self, known: impl IntoIterator<Item = TenantKey>) -> Option<TenantKey> {
        match self {
            Self::Key(key) => Some(key.clone()),
            Self::Mark(wanted) => known.into_iter().find(|key| mark(key) == *wanted),
        }
    }
}

impl fmt::Display for TenantRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::Mark(mark) => write!(f, "#{mark}"),
        }
    }
}

impl FromStr for TenantRef {
    type Err = NotOurs;

    fn from_str(text: &str) -> Result<Self, NotOurs> {
        match text.strip_prefix('#') {
            Some(mark) if is_hex(mark) => Ok(Self::Mark(mark.to_owned())),
            Some(_) => Err(NotOurs),
            None => text.parse().map(Self::Key).map_err(|_| NotOurs),
        }
    }
}

/// A custom id that this version did not make.
#[derive(Debug, PartialEq, Eq)]
pub struct NotOurs;

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}:")?;
        match self {
            Self::Paste(login) => write!(f, "paste:{login}"),
            Self::Cancel(login) => write!(f, "cancel:{login}"),
            Self::OtherWay(login) => write!(f, "other:{login}"),
            Self::SignIn { tenant, kind, bind } => write!(f, "{}:{tenant}", sign_in_verb(*kind, *bind)),
            Self::PickProvider { bind: None } => f.write_str("provider:"),
            Self::PickProvider { bind: Some(true) } => f.write_str("provider:bind"),
            Self::PickProvider { bind: Some(false) } => f.write_str("provider:unbound"),
            Self::Start => f.write_str("start:"),
            Self::LogOut(tenant) => write!(f, "logout:{tenant}"),
            Self::LogOutConfirmed(tenant) => write!(f, "logout-yes:{tenant}"),
            Self::Keep => f.write_str("keep:"),
            Self::PickLogOut => f.write_str("pick-logout:"),
            Self::PickCancel => f.write_str("pick-cancel:"),
            Self::Status => f.write_str("status:"),
            Self::Refresh(tenant) => write!(f, "refresh:{tenant}"),
            Self::UseMenu(provider) => write!(f, "use-menu:{provider}"),
            Self::PickUse => f.write_str("pick-use:"),
            Self::ListPage(page) => write!(f, "list:{page}"),
            Self::Replace(login) => write!(f, "replace:{login}"),
            Self::KeepPresent(login) => write!(f, "keep-present:{login}"),
            Self::Agree { login, seen } => write!(f, "agree:{login}.{seen}"),
            Self::Refuse(login) => write!(f, "refuse:{login}"),
        }
    }
}

impl FromStr for Press {
    type Err = NotOurs;

    fn from_str(text: &str) -> Result<Self, NotOurs> {
        if text.len() > CAP {
            return Err(NotOurs);
        }
        let rest = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix(':')).ok_or(NotOurs)?;
        let (verb, reference) = rest.split_once(':').ok_or(NotOurs)?;
        let login = || if is_hex(reference) { Ok(reference.to_owned()) } else { Err(NotOurs) };
        Ok(match (verb, reference) {
            ("paste", _) => Self::Paste(login()?),
            ("cancel", _) => Self::Cancel(login()?),
            ("other", _) => Self::OtherWay(login()?),
            ("provider", "") => Self::PickProvider { bind: None },
            ("provider", "bind") => Self::PickProvider { bind: Some(true) },
            ("provider", "unbound") => Self::PickProvider { bind: Some(false) },
            ("start", "") => Self::Start,
            ("logout", tenant) => Self::LogOut(tenant.parse()?),
            ("logout-yes", tenant) => Self::LogOutConfirmed(tenant.parse()?),
            ("keep", "") => Self::Keep,
            ("pick-logout", "") => Self::PickLogOut,
            ("pick-cancel", "") => Self::PickCancel,
            ("status", "") => Self::Status,
            ("refresh", tenant) => Self::Refresh(tenant.parse()?),
            ("use-menu", provider) => Self::UseMenu(provider.parse().map_err(|_| NotOurs)?),
            ("pick-use", "") => Self::PickUse,
            ("list", page) => Self::ListPage(page.parse().map_err(|_| NotOurs)?),
            ("replace", _) => Self::Replace(login()?),
            ("keep-present", _) => Self::KeepPresent(login()?),
            ("refuse", _) => Self::Refuse(login()?),
            ("agree", both) => {
                let (login, seen) = both.split_once('.').filter(|(login, _)| is_hex(login)).ok_or(NotOurs)?;
                Self::Agree { login: login.to_owned(), seen: seen.parse().map_err(|_| NotOurs)? }
            }
            (verb, tenant) => {
                let mut wishes = WAYS.into_iter().flat_map(|kind| [(kind, true), (kind, false)]);
                let wish = wishes.find(|(kind, bind)| sign_in_verb(*kind, *bind) == verb);
                let (kind, bind) = wish.ok_or(NotOurs)?;
                Self::SignIn { tenant: tenant.parse()?, kind, bind }
            }
        })
    }
}

/// The ways to sign in that a press can ask for.
const WAYS: [Option<LoginKind>; 4] =
    [None, Some(LoginKind::Device), Some(LoginKind::Paste), Some(LoginKind::Callback)];

/// Short enough that the longest tenant still fits beside it.
fn sign_in_verb(kind: Option<LoginKind>, bind: bool) -> &'static str {
    match (kind, bind) {
        (None, true) => "signin",
        (None, false) => "signin-unbound",
        (Some(LoginKind::Device), true) => "by-device",
        (Some(LoginKind::Device), false) => "device-unbound",
        (Some(LoginKind::Paste), true) => "by-paste",
        (Some(LoginKind::Paste), false) => "paste-unbound",
        (Some(LoginKind::Callback), true) => "by-page",
        (Some(LoginKind::Callback), false) => "page-unbound",
    }
}

fn is_hex(text: &str) -> bool {
    text.len() == MARK_DIGITS && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Press> {
        let login = "0123456789abcdef0123456789abcdef".to_owned();
        let long = format!("mcp:{}/{}@80351110224678912", "a".repeat(64), "b".repeat(64));
        let short = TenantRef::from(&"codex/work@80351110224678912".parse().unwrap());
        let full = format!("{}/{}", "a".repeat(40), "b".repeat(TENANT_CAP - 41));
        let full = TenantRef::from(&full.parse().unwrap());
        let long = TenantRef::from(&long.parse().unwrap());
        let mut all = vec![
            Press::Paste(login.clone()),
            Press::Cancel(login.clone()),
            Press::OtherWay(login.clone()),
            Press::Replace(login.clone()),
            Press::KeepPresent(login.clone()),
            Press::Agree { login: login.clone(), seen: "0123456789abcdef".parse().unwrap() },
            Press::Refuse(login),
            Press::PickProvider { bind: None },
            Press::PickProvider { bind: Some(true) },
            Press::PickProvider { bind: Some(false) },
            Press::Start,
            Press::Keep,
            Press::PickLogOut,
            Press::PickCancel,
            Press::Status,
            Press::UseMenu(format!("mcp:{}", "a".repeat(64)).parse().unwrap()),
            Press::PickUse,
            Press::ListPage(7),
        ];
        for tenant in [short, full, long] {
            for kind in WAYS {
                all.extend([true, false].map(|bind| Press::SignIn { tenant: tenant.clone(), kind, bind }));
            }
            all.extend([Press::LogOut(tenant.clone()), Press::LogOutConfirmed(tenant.clone())]);
            all.push(Press::Refresh(tenant));
        }
        all
    }

    /// U9
    #[test]
    fn every_press_reads_back_what_it_prints_and_fits() {
        for press in all() {
            let text = press.to_string();
            assert!(text.len() <= CAP, "{text}");
            assert_eq!(text.parse(), Ok(press));
        }
    }

    #[test]
    fn a_long_tenant_is_found_by_its_mark() {
        let long: TenantKey = format!("{}/{}", "a".repeat(64), "b".repeat(64)).parse().unwrap();
        let found = TenantRef::from(&long).find(["codex".parse().unwrap(), long.clone()]);
        assert_eq!(found, Some(long.clone()));
        assert_eq!(TenantRef::from(&long).find(["codex".parse().unwrap()]), None);
    }

    /// U9
    #[test]
    fn what_others_made_is_not_ours() {
        for bad in [
            "",
            "lk1",
            "lk1:",
            "lk2:start:",
            "lk1:start:x",
            "lk1:paste:",
            "lk1:paste:../../etc",
            "lk1:logout:#12",
            "lk1:logout:a b",
            "lk1:none:x",
            "lk1:list:-1",
            "lk1:use-menu:a b",
            &"x".repeat(200),
        ] {
            assert_eq!(bad.parse::<Press>(), Err(NotOurs), "{bad}");
        }
    }
}
