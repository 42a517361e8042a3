//! What may follow what in the life of a login: the transition table, pure.
//!
//! Owns [`next`]. Invariants: a terminal status is never left (C3); `exchanging` goes back to `pending` only if nothing
//! was sent; expiry does not end an exchange (C1). Everything that changes a status asks here.

use crate::pending::LoginStatus::{
    self, Cancelled, Confirming, Denied, Exchanging, Expired, Failed, Pending, Starting, Succeeded,
};

/// What happens to a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The provider has opened it; the member's move.
    Opened,
    /// A code was claimed, and is about to be spent.
    Claimed,
    /// The exchange could not even be sent.
    NothingSent,
    /// A credential was stored.
    Stored,
    /// Another account came back than the shared tenant holds: an admin must agree (I5).
    OtherAccountCame,
    /// Somebody else's sign-in filled the tenant (S9).
    CompletedByOther,
    /// Somebody ended it.
    Cancel,
    /// Its time is over.
    TimeOut,
    /// The person said no at the provider.
    Deny,
    /// It cannot succeed any more.
    Fail,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Opened,
        Self::Claimed,
        Self::NothingSent,
        Self::Stored,
        Self::OtherAccountCame,
        Self::CompletedByOther,
        Self::Cancel,
        Self::TimeOut,
        Self::Deny,
        Self::Fail,
    ];
}

/// The status after `event`, or `None` where it may not happen: then nothing changes.
#[must_use]
pub fn next(status: LoginStatus, event: Event) -> Option<LoginStatus> {
    Some(match (status, event) {
        (Starting, Event::Opened) | (Exchanging, Event::NothingSent) => Pending,
        (Pending, Event::Claimed) => Exchanging,
        // A device grant comes with the poll itself, without a code to claim.
        (Pending | Exchanging | Confirming, Event::Stored)
        | (Starting | Pending | Exchanging | Confirming, Event::CompletedByOther) => Succeeded,
        (Pending | Exchanging, Event::OtherAccountCame) => Confirming,
        (Starting | Pending | Exchanging | Confirming, Event::Cancel) => Cancelled,
        (Starting | Pending | Confirming, Event::TimeOut) => Expired,
        (Pending | Exchanging, Event::Deny) => Denied,
        (Starting | Pending | Exchanging | Confirming, Event::Fail) => Failed,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// C3, C12: the whole table, to be read.
    #[test]
    fn the_transition_table() {
        let mut table = String::new();
        for status in LoginStatus::ALL {
            for event in Event::ALL {
                if let Some(after) = next(status, event) {
                    writeln!(table, "{status:<10} + {:<16} = {after}", format!("{event:?}")).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table, @r"
        starting   + Opened           = pending
        starting   + CompletedByOther = succeeded
        starting   + Cancel           = cancelled
        starting   + TimeOut          = expired
        starting   + Fail             = failed
        pending    + Claimed          = exchanging
        pending    + Stored           = succeeded
        pending    + OtherAccountCame = confirming
        pending    + CompletedByOther = succeeded
        pending    + Cancel           = cancelled
        pending    + TimeOut          = expired
        pending    + Deny             = denied
        pending    + Fail             = failed
        exchanging + NothingSent      = pending
        exchanging + Stored           = succeeded
        exchanging + OtherAccountCame = confirming
        exchanging + CompletedByOther = succeeded
        exchanging + Cancel           = cancelled
        exchanging + Deny             = denied
        exchanging + Fail             = failed
        confirming + Stored           = succeeded
        confirming + CompletedByOther = succeeded
        confirming + Cancel           = cancelled
        confirming + TimeOut          = expired
        confirming + Fail             = failed
        ");
    }

    /// C3
    #[test]
    fn nothing_leaves_a_terminal_status() {
        for status in LoginStatus::ALL.into_iter().filter(|status| status.is_terminal()) {
            assert!(Event::ALL.into_iter().all(|event| next(status, event).is_none()), "{status}");
        }
    }
}
