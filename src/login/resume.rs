//! Taking up what another process, or this one before a restart, has left.
//!
//! Owns the look for logins whose lock is free although somebody should be working on them (S12, S13). Invariant: a
//! device login is taken over with its interval and deadline; a start or an exchange that was interrupted is ended, since
//! nobody can know what came of it. Must not: wait for a lock.

use super::machine::Event;
use super::{Handover, Logins, is_open};
use crate::pending::{EndReason, LoginKind, LoginStatus, PendingLogin};
use crate::store::{StoreError, Touches, update};

impl Logins {
    /// Looks once. Gives the device logins that are now ours to poll.
    ///
    /// # Errors
    /// The store's.
    pub async fn take_up(&self) -> Result<Vec<Handover>, StoreError> {
        let mut handovers = Vec::new();
        for login in self.0.store.snapshot()?.logins().filter(|login| is_open(login.status)) {
            handovers.extend(self.take_over(&login).await?);
        }
        Ok(handovers)
    }

    /// The same for `login` alone.
    ///
    /// # Errors
    /// The store's.
    pub async fn take_over(&self, login: &PendingLogin) -> Result<Option<Handover>, StoreError> {
        let inner = &self.0;
        let idle = login.status == LoginStatus::Pending && login.kind != LoginKind::Device;
        if idle || login.status == LoginStatus::Confirming || !is_open(login.status) {
            return Ok(None);
        }
        let Some(lock) = inner.store.try_login_lock(&login.user, &login.tenant)? else { return Ok(None) };
        // Under the lock, look again: whoever had it may have just finished.
        let Some(login) = inner.store.snapshot()?.login_by_id(&login.id) else { return Ok(None) };
        match login.status {
            LoginStatus::Pending if login.kind == LoginKind::Device => {
                tracing::info!(login = %login.id, tenant = %login.tenant, "taking up a device login");
                return Ok(Some(Handover { login: (*login).clone(), lock }));
            }
            LoginStatus::Starting | LoginStatus::Exchanging => {
                let reason = match login.status {
                    LoginStatus::Starting => EndReason::NotStarted,
                    _ => EndReason::Interrupted,
                };
                inner.advance(&login.id, &login.tenant, Event::Fail, Some(reason)).await?;
            }
            _ => {}
        }
        Ok(None)
    }

    /// Runs the store's sweep, so that an idle bot holds no stale verifier (C7).
    ///
    /// # Errors
    /// The store's.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        update(&*self.0.store, Touches::nothing(), |_| Ok::<_, StoreError>(())).await?
    }
}
