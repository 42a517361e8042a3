//! What a login's end owes to its provider.
//!
//! Owns one rule: tokens that waited for an admin's word, and leave their login without having come into its slot, are
//! to be ended at the provider (C4, T12). It is kept by the store itself, in the very write that lets them go, by whichever
//! way: a refusal, a cancel, a logout, somebody else's sign-in, time. Invariant: a pure function; the debt has the login's
//! name, so that it stands once. Must not: decide whether ending them is safe (`revocation.rs` does, when it is tried).

use crate::binding::OwedRevocation;
use crate::clock::UnixSeconds;
use crate::credential::Credential;
use crate::pending::PendingLogin;

/// What is owed when `before` becomes `after`, or goes; `stored` is what comes into its slot with the same write.
pub(super) fn owed_by(
    before: &PendingLogin,
    after: Option<&PendingLogin>,
    stored: Option<&Credential>,
    now: UnixSeconds,
) -> Option<OwedRevocation> {
    let held = &before.confirming.as_ref()?.credential;
    let still_waits = after.and_then(|after| after.confirming.as_ref());
    let kept = still_waits.is_some_and(|waiting| waiting.credential.id == held.id)
        || stored.is_some_and(|stored| stored.id == held.id);
    (!kept).then(|| OwedRevocation {
        id: before.id.clone(),
        retry_at: now,
        ..OwedRevocation::of(&before.tenant, held, now)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::CredentialKind;
    use crate::pending::{Confirming, LoginKind, LoginStatus};
    use crate::secret::Secret;
    use crate::testing::key;

    /// C4, T12
    #[test]
    fn tokens_that_are_let_go_are_owed_unless_they_came_into_the_slot() {
        let credential =
            Credential::new(CredentialKind::OAuth, key("acme").provider, Secret::new("access"), 100);
        let other = Credential::new(CredentialKind::OAuth, key("acme").provider, Secret::new("another"), 100);
        let user = "42".parse().unwrap();
        let mut before = PendingLogin::new("l1".to_owned(), LoginKind::Paste, user, key("acme"), 100, 200);
        before.status = LoginStatus::Confirming;
        before.wait_for_admin(Confirming { credential: credential.clone(), since: 100 });
        let mut over = before.clone();
        over.status = LoginStatus::Cancelled;
        over.strip();
        for (after, stored, owes) in [
            (Some(&before), None, false),
            (Some(&over), Some(&credential), false),
            (Some(&over), None, true),
            (Some(&over), Some(&other), true),
            (None, None, true),
        ] {
            let owed = owed_by(&before, after, stored, 300);
            assert_eq!(owed.is_some(), owes);
            if let Some(owed) = owed {
                assert_eq!(
                    (owed.id.as_str(), owed.token, owed.is_refresh),
                    ("l1", Secret::new("access"), false)
                );
                assert_eq!((owed.owed_at, owed.retry_at), (300, 300));
            }
        }
        assert_eq!(owed_by(&over, None, None, 300), None, "there is nothing to owe any more");
    }
}
