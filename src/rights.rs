//! Who may do what: the whole table, as one pure function.
//!
//! Owns [`may`], which the front door, the login machine and the words ask alike (U7, C11, I5, I6, I8). Invariant: what is
//! somebody's own is theirs and an admin's, but for signing in to it and completing a login, which is theirs alone; what is
//! shared is everybody's to use, and its owner's and an admin's to manage. Whether somebody is admitted at all is decided
//! before, by whoever speaks with them. Must not: read the store, or remember anybody.

use crate::credential::{Credential, CredentialKind};
use crate::tenant::{TenantKey, User, UserId};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Their id.
    pub user: User,
    /// Whether they may manage what is others'.
    pub admin: bool,
}

/// What somebody wants to do with a slot, or with a login at it.
#[derive(Debug, Clone, Copy)]
pub enum Act<'a> {
    /// Know all of it, its profile and account included, and have a thread use it.
    Use,
    /// Refresh it by hand, or log it out. `owner` is who signed in.
    Manage {
        /// Who signed in, where that is known.
        owner: Option<&'a User>,
    },
    /// Put a sign-in of their own in the place of what it holds, whatever account comes back: the identity gate is asked
    /// besides.
    SignIn {
        /// What it holds.
        held: Option<&'a Credential>,
    },
    /// Take it from a thread that is bound to it.
    Unbind,
    /// See the code or link of a login, and answer it.
    Complete {
        /// Who started the login.
        starter: &'a User,
    },
    /// End a login.
    Cancel {
        /// Who started the login.
        starter: &'a User,
    },
    /// Decide on a sign-in with another account.
    Confirm,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Yes.
    Yes,
    /// Once an admin agrees.
    WithAdmin,
    /// No.
    No,
}

impl May {
    /// Whether it is a plain yes.
    #[must_use]
    pub fn is_yes(self) -> bool {
        self == Self::Yes
    }
}

impl From<bool> for May {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// Whether `caller` may do `act` at `tenant`.
#[must_use]
pub fn may(caller: &Caller, act: Act<'_>, tenant: &TenantKey) -> May {
    let own = is_own(caller, tenant);
    let shared = tenant.user.is_none();
    match act {
        Act::Use | Act::Unbind => (caller.admin || shared || own).into(),
        Act::Manage { owner } => (caller.admin || own || (shared && owner == Some(&caller.user))).into(),
        Act::SignIn { held } if shared || own => {
            held.map_or(May::Yes, |held| replacing(caller, held, tenant))
        }
        Act::SignIn { .. } => May::No,
        Act::Complete { starter } => (*starter == caller.user).into(),
        Act::Cancel { starter } => (caller.admin || *starter == caller.user).into(),
        Act::Confirm => caller.admin.into(),
    }
}

/// Whether a sign-in may take the place of `held`, in a slot that is the caller's to fill (I6, I8).
fn replacing(caller: &Caller, held: &Credential, tenant: &TenantKey) -> May {
    // Where nobody is written down as the owner, whose slot it is decides; a shared one is an admin's matter.
    let is_theirs = held.owner.as_ref().map_or_else(|| is_own(caller, tenant), |owner| *owner == caller.user);
    match held.kind {
        _ if caller.admin => May::Yes,
        CredentialKind::OAuth if is_theirs || !held.account.is_unknown() => May::Yes,
        CredentialKind::OAuth if tenant.user.is_none() => May::WithAdmin,
        CredentialKind::OAuth | CredentialKind::Static => May::No,
    }
}

/// Whether `tenant` is the caller's own slot.
#[must_use]
pub fn is_own(caller: &Caller, tenant: &TenantKey) -> bool {
    tenant.user.is_some() && tenant.user.as_ref() == caller.user.discord()
}

/// Whose personal tenant stands in the way of the caller's changing what a thread is `bound` to.
#[must_use]
pub fn holder_in_the_way<'a>(caller: &Caller, bound: Option<&'a TenantKey>) -> Option<&'a UserId> {
    bound.filter(|bound| !may(caller, Act::Unbind, bound).is_yes())?.user.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Account;
    use crate::secret::Secret;
    use crate::testing::key;

    /// What stands in a slot, by who signed in and what is known.
    fn held(kind: CredentialKind, owner: Option<&str>, account: Option<&str>) -> Credential {
        let mut held = Credential::new(kind, key("acme").provider, Secret::new("at"), 1);
        held.owner = owner.map(|owner| owner.parse().unwrap());
        held.account = Account::new(account, None);
        held
    }

    /// U7, C11, I5, I6, I8: the table. Everybody here is admitted; a stranger is turned away before.
    #[test]
    fn who_may_do_what() {
        let caller = |user: &str, admin| Caller { user: user.parse().unwrap(), admin };
        // Whose slot or login it is, another member, an admin, the operator at a terminal without and with the say of one.
        let callers = [
            caller("42", false),
            caller("43", false),
            caller("44", true),
            caller("local:1", false),
            caller("local:1", true),
        ];
        let (ann, oauth) = ("42".parse::<User>().unwrap(), CredentialKind::OAuth);
        let known = held(oauth, Some("42"), Some("acc-1"));
        let unknown = held(oauth, Some("42"), None);
        let nobodys = held(oauth, None, None);
        let fixed = held(CredentialKind::Static, Some("local:0"), None);
        let sign_in = |held| Act::SignIn { held };
        let manage = |owner| Act::Manage { owner };
        let (shared, anns) = (key("acme/work"), key("acme@42"));
        for (what, act, tenant, expected) in [
            ("use a shared one", Act::Use, &shared, "yyyyy"),
            ("use ann's", Act::Use, &anns, "y-y-y"),
            ("manage a shared one that ann signed in", manage(Some(&ann)), &shared, "y-y-y"),
            ("manage a shared one that nobody is known for", manage(None), &shared, "--y-y"),
            ("manage ann's", manage(Some(&ann)), &anns, "y-y-y"),
            ("sign in to an empty shared one", sign_in(None), &shared, "yyyyy"),
            (
                "sign in over a known account, which the gate compares",
                sign_in(Some(&known)),
                &shared,
                "yyyyy",
            ),
            ("sign in over ann's unknown account", sign_in(Some(&unknown)), &shared, "yayay"),
            ("sign in over nobody's", sign_in(Some(&nobodys)), &shared, "aayay"),
            ("sign in over the operator's key", sign_in(Some(&fixed)), &shared, "--y-y"),
            ("sign in to ann's own, empty", sign_in(None), &anns, "y----"),
            ("sign in to ann's own", sign_in(Some(&known)), &anns, "y----"),
            ("sign in to ann's own, that nobody is known for", sign_in(Some(&nobodys)), &anns, "y----"),
            ("sign in over a key in ann's own", sign_in(Some(&fixed)), &anns, "-----"),
            ("take a shared one from a thread", Act::Unbind, &shared, "yyyyy"),
            ("take ann's from a thread", Act::Unbind, &anns, "y-y-y"),
            ("complete ann's login", Act::Complete { starter: &ann }, &shared, "y----"),
            ("cancel ann's login", Act::Cancel { starter: &ann }, &shared, "y-y-y"),
            ("agree to another account", Act::Confirm, &shared, "--y-y"),
        ] {
            let answers: String = callers
                .iter()
                .map(|caller| match may(caller, act, tenant) {
                    May::Yes => 'y',
                    May::WithAdmin => 'a',
                    May::No => '-',
                })
                .collect();
            assert_eq!(answers, expected, "{what}");
        }
    }

    /// U7
    #[test]
    fn who_stands_in_the_way_is_named() {
        let bob = Caller { user: "43".parse().unwrap(), admin: false };
        let anns = key("acme/work@42");
        assert_eq!(holder_in_the_way(&bob, Some(&anns)).map(UserId::as_str), Some("42"));
        assert_eq!(holder_in_the_way(&bob, Some(&key("acme"))), None);
        assert_eq!(holder_in_the_way(&bob, None), None);
        assert_eq!(holder_in_the_way(&Caller { admin: true, ..bob }, Some(&anns)), None);
    }
}
