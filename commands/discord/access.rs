//! Who is admitted: deny by default.
//!
//! Owns the one judgement that every entry asks (command, button, modal, autocomplete), from what Discord says of the
//! member with that very interaction (U7). Pure. Must not: remember anybody.

use latchkey::config::{Access, Rule};
use serenity::all::{Member, Permissions};

/// What somebody may do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Stranger,
    /// Sign in, and manage what is their own.
    Member,
    /// Manage what is others' too.
    Admin,
}

/// The standing of `member` under `access`. Manage Guild counts as admin, and an admin is a member too.
pub fn standing(access: &Access, member: &Member) -> Standing {
    let roles: Vec<u64> = member.roles.iter().map(|role| role.get()).collect();
    let permissions = member.permissions.unwrap_or_default();
    judge(access, member.user.id.get(), &roles, permissions)
}

fn judge(access: &Access, user: u64, roles: &[u64], permissions: Permissions) -> Standing {
    let admits =
        |rule: &Rule| rule.users.contains(&user) || roles.iter().any(|role| rule.roles.contains(role));
    // Discord's "administrator" includes every permission, and says so in the computed set as well.
    let manages = permissions.intersects(Permissions::MANAGE_GUILD | Permissions::ADMINISTRATOR);
    if manages || admits(&access.admins) {
        Standing::Admin
    } else if access.members.anyone || admits(&access.members) {
        Standing::Member
    } else {
        Standing::Stranger
    }
}

#[cfg(test)]
mod documented;

#[cfg(test)]
mod tests {
    use super::*;

    /// U7
    #[test]
    fn nobody_is_admitted_unless_named() {
        let rule = |roles: &[u64], users: &[u64]| Rule {
            roles: roles.to_vec(),
            users: users.to_vec(),
            anyone: false,
        };
        let named = Access { members: rule(&[10], &[1]), admins: rule(&[20], &[2]) };
        let open = Access { members: Rule { anyone: true, ..Rule::default() }, admins: Rule::default() };
        let (none, manage) = (Permissions::empty(), Permissions::MANAGE_GUILD);
        for (access, user, roles, permissions, expected) in [
            (&Access::default(), 1, &[10][..], none, Standing::Stranger),
            (&Access::default(), 1, &[], manage, Standing::Admin),
            (&named, 3, &[11], none, Standing::Stranger),
            (&named, 3, &[10], none, Standing::Member),
            (&named, 1, &[], none, Standing::Member),
            (&named, 2, &[], none, Standing::Admin),
            (&named, 3, &[20], none, Standing::Admin),
            (&named, 3, &[], Permissions::MANAGE_ROLES, Standing::Stranger),
            (&open, 3, &[], none, Standing::Member),
        ] {
            assert_eq!(judge(access, user, roles, permissions), expected, "{user} {roles:?} {permissions}");
        }
    }
}
