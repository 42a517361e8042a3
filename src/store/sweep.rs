//! The store's own pass after every write: what time has ended goes.
//!
//! Owns expiry and purging of pending logins, with what that owes to providers, of interaction tokens that are good for
//! nothing any more, and of revocations that were owed too long (C6, C7, S11, S13, T12). Invariant: a pure function of the
//! document and the time. Must not: wait for any lock, or touch what is in a slot.

use super::document::{Changes, Document};
use super::owing::owed_by;
use super::view::login_key;
use crate::clock::{SKEW_ALLOWED, UnixSeconds};
use crate::pending::{ANCIENT_AGE, EndReason, LoginStatus, PendingLogin};
use crate::tenant::TenantKey;

/// A login that is over stays this long after those who watch were told, in seconds (C6).
pub const KEPT_AFTER_TELLING: i64 = 300;
/// And at the latest this long, in seconds (C6).
pub const KEPT_AT_MOST: i64 = 24 * 60 * 60;
/// A claimed code's exchange is given this long before the login is called interrupted, in seconds (C1): the exchange
/// bound and a margin for the writes around it.
pub const EXCHANGE_FROZEN: i64 = 150;

/// What the sweep makes of one login.
#[derive(Debug, PartialEq)]
enum Fate {
    Stays,
    Ends(LoginStatus, Option<EndReason>),
    Goes,
}

fn fate(login: &PendingLogin, now: UnixSeconds) -> Fate {
    let age = now.saturating_sub(login.updated_at);
    let from_the_future = age < -SKEW_ALLOWED;
    match login.status {
        status if status.is_terminal() => {
            // A question that still stands in a thread is to be closed first.
            let told = login.untold().next().is_none() && login.asked.is_empty();
            if age.saturating_abs() > KEPT_AT_MOST || (told && (from_the_future || age > KEPT_AFTER_TELLING))
            {
                Fate::Goes
            } else {
                Fate::Stays
            }
        }
        // Frozen while the code is being spent; whoever holds it has an end of its own well before this.
        LoginStatus::Exchanging if from_the_future || age > EXCHANGE_FROZEN => {
            Fate::Ends(LoginStatus::Failed, Some(EndReason::Interrupted))
        }
        LoginStatus::Exchanging => Fate::Stays,
        LoginStatus::Confirming if login.confirming.is_none() => {
            Fate::Ends(LoginStatus::Failed, Some(EndReason::NotStored))
        }
        LoginStatus::Confirming if login.is_ancient(now) || login.expires_at <= now => {
            Fate::Ends(LoginStatus::Expired, Some(EndReason::Unconfirmed))
        }
        _ if login.is_ancient(now) || login.expires_at <= now => Fate::Ends(LoginStatus::Expired, None),
        _ => Fate::Stays,
    }
}

/// Whether `login` waits for an admin for so long that no interaction token it keeps is good for anything: each was written
/// when it last changed, or before.
fn outlived_its_messages(login: &PendingLogin, now: UnixSeconds) -> bool {
    login.status == LoginStatus::Confirming
        && login.watchers.iter().any(|watcher| watcher.interaction.is_some())
        && now.saturating_sub(login.updated_at).saturating_abs() > ANCIENT_AGE
}

/// What is due at `now`, as changes to `document`.
pub(super) fn due(document: &Document, now: UnixSeconds) -> Changes {
    let mut changes = Changes::default();
    for login in document.logins() {
        let key = login_key(&login.user, &login.tenant);
        match fate(&login, now) {
            Fate::Stays if outlived_its_messages(&login, now) => {
                let mut quiet = (*login).clone();
                quiet.updated_at = now;
                quiet.forget_messages();
                changes.pending.insert(key, Some(quiet));
            }
            Fate::Stays => {}
            Fate::Goes => {
                changes.owed.extend(owed_by(&login, None, None, now));
                changes.pending.insert(key, None);
            }
            Fate::Ends(status, reason) => {
                let mut ended = (*login).clone();
                ended.status = status;
                ended.reason = reason;
                ended.updated_at = now;
                ended.strip();
                changes.owed.extend(owed_by(&login, Some(&ended), None, now));
                changes.pending.insert(key, Some(ended));
            }
        }
    }
    for owed in document.owed() {
        if owed.is_over(now) {
            changes.settled.insert(owed.id.clone());
        }
    }
    changes
}

/// The slots whose owed revocations `swept` gives up: for the audit trail, once that is written (T12).
pub(super) fn given_up(document: &Document, swept: &Changes) -> Vec<TenantKey> {
    let gone = document.owed().filter(|owed| swept.settled.contains(&owed.id));
    gone.map(|owed| owed.tenant.clone()).collect()
}

/// Whether a login that is still open has in truth ended by time: what every reader must ask (C6).
#[must_use]
pub fn has_ended(login: &PendingLogin, now: UnixSeconds) -> bool {
    login.status.is_terminal() || !matches!(fate(login, now), Fate::Stays)
}
