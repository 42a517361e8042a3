//! Ending a login by hand.
//!
//! Owns cancelling (C1, C8, C11): the person who started it, or an admin. Invariant: a cancel waits for no lock but the
//! store's, so that it wins over a poll or an exchange that is under way. Must not: change a login that is over.

use super::machine::Event;
use super::{Logins, step};
use crate::audit;
use crate::pending::{EndReason, LoginId, LoginStatus, PendingLogin};
use crate::rights::{Act, Caller, may};
use crate::store::{StoreError, Touches, has_ended, update};
use crate::tenant::{TenantKey, User};

/// What a cancel found.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and moved once")]
pub enum Cancelled {
    /// Ended now.
    Now(PendingLogin),
    /// It was over before: its status stands (C8).
    Already(LoginStatus),
    /// There is none; nothing is pending (C8).
    Unknown,
    /// Somebody else's, and the caller is no admin (C11).
    NotYours,
}

impl Logins {
    /// Cancels the login `id`, on the word of `by`.
    ///
    /// # Errors
    /// The store's.
    pub async fn cancel(&self, by: &User, admin: bool, id: &LoginId) -> Result<Cancelled, StoreError> {
        let inner = &self.0;
        let Some(found) = inner.store.snapshot()?.login_by_id(id) else { return Ok(Cancelled::Unknown) };
        let caller = Caller { user: by.clone(), admin };
        if !may(&caller, Act::Cancel { starter: &found.user }, &found.tenant).is_yes() {
            audit::denied(by, "cancelling somebody else's login");
            return Ok(Cancelled::NotYours);
        }
        let (id, by_other) = (id.clone(), (found.user != *by).then(|| EndReason::CancelledBy(by.clone())));
        let cancelled = update(&*inner.store, Touches::logins_at(&found.tenant), move |view| {
            let Some(login) = view.login_by_id(&id) else { return Ok(Cancelled::Unknown) };
            let (status, now) = (login.status, view.now());
            if has_ended(&login, now) {
                return Ok(Cancelled::Already(if status.is_terminal() {
                    status
                } else {
                    LoginStatus::Expired
                }));
            }
            let ended = step(view, login, Event::Cancel, by_other);
            Ok::<_, StoreError>(ended.map_or(Cancelled::Already(status), Cancelled::Now))
        });
        let cancelled = cancelled.await??;
        if let Cancelled::Now(login) = &cancelled {
            audit::login_ended(login, login.status);
        }
        Ok(cancelled)
    }

    /// The open logins that `by` may cancel: their own, or all for an admin; at `tenant`, if one is named.
    ///
    /// # Errors
    /// The store's.
    pub fn open_logins(
        &self,
        by: &User,
        admin: bool,
        tenant: Option<&TenantKey>,
    ) -> Result<Vec<PendingLogin>, StoreError> {
        let now = self.0.clock.now();
        let document = self.0.store.snapshot()?;
        let caller = Caller { user: by.clone(), admin };
        let open = document.logins().filter(|login| {
            !has_ended(login, now)
                && may(&caller, Act::Cancel { starter: &login.user }, &login.tenant).is_yes()
                && tenant.is_none_or(|tenant| *tenant == login.tenant)
        });
        Ok(open.map(|login| (*login).clone()).collect())
    }
}
