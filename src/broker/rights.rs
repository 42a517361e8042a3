//! Who may do what with which tenant.
//!
//! Owns the judgements that the front door and the words share (U7, C11). Pure. Invariant: what is somebody's own is theirs
//! and an admin's; what is shared is everybody's to use, and its owner's and an admin's to manage.

use super::Caller;
use crate::binding;
use crate::tenant::{TenantKey, User, UserId};

/// Whether `tenant` is the caller's own slot.
#[must_use]
pub fn is_own(caller: &Caller, tenant: &TenantKey) -> bool {
    tenant.user.is_some() && tenant.user.as_ref() == caller.user.discord()
}

/// Whether `caller` may know all of `tenant`, its profile and account included, and have a thread use it: a shared one,
/// one's own, or as an admin any.
#[must_use]
pub fn may_use(caller: &Caller, tenant: &TenantKey) -> bool {
    caller.admin || tenant.user.is_none() || is_own(caller, tenant)
}

/// Whether `caller` may refresh `tenant` by hand, or log it out: whose slot it is, or who signed in to a shared one, or an
/// admin. `owner` is who signed in.
#[must_use]
pub fn may_manage(caller: &Caller, tenant: &TenantKey, owner: Option<&User>) -> bool {
    caller.admin || is_own(caller, tenant) || (tenant.user.is_none() && owner == Some(&caller.user))
}

/// Whose personal tenant stands in the way of the caller's changing what a thread is `bound` to.
#[must_use]
pub fn holder_in_the_way<'a>(caller: &Caller, bound: Option<&'a TenantKey>) -> Option<&'a UserId> {
    binding::holder_in_the_way(&caller.user, caller.admin, bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key;

    /// U7, C11, I6: what each may do, with the shared tenant that 42 signed in.
    #[test]
    fn what_is_somebodys_own_is_theirs_and_an_admins() {
        let owner: User = "42".parse().unwrap();
        for (user, admin, tenant, uses, manages, stands_in_the_way) in [
            ("42", false, "acme", true, true, None),
            ("43", false, "acme", true, false, None),
            ("43", true, "acme", true, true, None),
            ("42", false, "acme/work@42", true, true, None),
            ("43", false, "acme/work@42", false, false, Some("42")),
            ("43", true, "acme/work@42", true, true, None),
            ("local:1", false, "acme/work@42", false, false, Some("42")),
            ("local:1", false, "acme", true, false, None),
        ] {
            let caller = Caller { user: user.parse().unwrap(), admin };
            let tenant = key(tenant);
            let holder = holder_in_the_way(&caller, Some(&tenant)).map(UserId::as_str);
            assert_eq!(
                (may_use(&caller, &tenant), may_manage(&caller, &tenant, Some(&owner)), holder),
                (uses, manages, stands_in_the_way),
                "{user} {admin} {tenant}"
            );
        }
    }
}
