//! Polling a device login to its end (RFC 8628 section 3.4, and providers' own protocols).
//!
//! Owns the rhythm: the interval before the first poll, `slow_down` for good, back-off on trouble, the deadline from
//! issue (T11). Invariants: only the holder of the login's lock polls (S13); when a poll goes out is written down first,
//! so that whoever takes over keeps the distance. Must not: decide what a poll's answer means (`oauth::device` does).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::answer::Spent;
use super::machine::Event;
use super::{Handover, Inner, Logins, reason};
use crate::clock::SKEW_ALLOWED;
use crate::oauth::device::{DEFAULT_INTERVAL, INTERVAL_FLOOR};
use crate::oauth::{self, CodeGrant, DeviceOutcome, DevicePoll};
use crate::pending::{EndReason, LoginStatus, PendingLogin};
use crate::provider::Resolved;
use crate::secret::Secret;
use crate::store::{KernelLock, StoreError, Touches, update};

/// What `slow_down` adds to the interval, in seconds (RFC 8628 section 3.5).
const SLOW_DOWN: u64 = 5;
/// The longest pause between polls, whatever a server asks for, in seconds: a login lives fourteen minutes.
const LONGEST_PAUSE: u64 = 120;

impl Logins {
    /// Polls until the login ends, by whoever's hand. A store that fails is tried again: the login is still open.
    pub async fn poll(&self, handover: Handover) {
        let Handover { login, lock } = handover;
        let inner = Arc::clone(&self.0);
        // A task of its own: what a poll brought must be stored though the worker be stopped.
        let polling = self.0.tasks.spawn(Box::pin(inner.poll_to_the_end(login, lock)));
        if polling.await.is_err() {
            tracing::error!("polling a device login panicked; it is taken up again at the next look");
        }
    }
}

/// What a look at the stored login says.
#[expect(clippy::large_enum_variant, reason = "one at a time, and moved once")]
enum Look {
    Over,
    Poll(PendingLogin),
}

impl Inner {
    async fn poll_to_the_end(self: Arc<Self>, login: PendingLogin, lock: KernelLock) {
        let mut changes = self.store.changes();
        let mut lock = Some(lock);
        // Back-off after trouble, in seconds, on top of the interval; forgotten at the first answer.
        let mut trouble: u64 = 0;
        // When we polled last ourselves: finer than the stored stamp's whole seconds.
        let mut polled: Option<Instant> = None;
        while lock.is_some() {
            match self.wait_and_look(&login, polled, trouble, &mut changes).await {
                Ok(Look::Over) => return,
                Ok(Look::Poll(current)) => {
                    let outcome = self.poll_once(&current, &mut lock).await;
                    // From the answer, not the request: however long each takes to arrive, the distance is kept there.
                    polled = Some(Instant::now());
                    match outcome {
                        Ok(Poll::Again) => trouble = 0,
                        Ok(Poll::AgainAfter(pause)) => trouble = pause.unwrap_or_else(|| longer(trouble)),
                        Ok(Poll::Done) => return,
                        Err(error) => {
                            tracing::warn!(login = %login.id, %error, "a device login waits for the store");
                            trouble = longer(trouble);
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(login = %login.id, %error, "a device login waits for the store");
                    trouble = longer(trouble);
                }
            }
        }
    }

    /// Waits until the next poll is due, and writes down that it goes out; or sees that the login has ended.
    async fn wait_and_look(
        &self,
        login: &PendingLogin,
        polled: Option<Instant>,
        trouble: u64,
        changes: &mut watch::Receiver<u64>,
    ) -> Result<Look, StoreError> {
        let arrived = Instant::now();
        // Reckoned once: whatever wakes this wait brings the poll no nearer.
        let mut due = None;
        loop {
            changes.borrow_and_update();
            let Some(stored) = self.store.snapshot()?.login_by_id(&login.id) else { return Ok(Look::Over) };
            if stored.status != LoginStatus::Pending {
                return Ok(Look::Over);
            }
            let now = self.clock.now();
            if stored.expires_at <= now || stored.is_ancient(now) {
                self.advance(&login.id, &login.tenant, Event::TimeOut, None).await?;
                return Ok(Look::Over);
            }
            let interval = Duration::from_secs(interval_of(&stored));
            let due = *due.get_or_insert_with(|| {
                let due = match polled {
                    Some(polled) => polled + interval,
                    None => arrived + Duration::from_secs(pause_before(&stored, now)),
                };
                due.max(arrived + Duration::from_secs(trouble))
            });
            let left = u64::try_from(stored.expires_at - now).unwrap_or(0);
            let end = Instant::now() + Duration::from_secs(left);
            if Instant::now() >= due {
                if self.closing.is_cancelled() {
                    return Ok(Look::Over);
                }
                return self.note_poll(login).await;
            }
            tokio::select! {
                () = tokio::time::sleep_until(due.min(end)) => {}
                changed = changes.changed() => changed.map_err(|_| StoreError::Closed)?,
                () = self.closing.cancelled() => return Ok(Look::Over),
            }
        }
    }

    async fn note_poll(&self, login: &PendingLogin) -> Result<Look, StoreError> {
        let id = login.id.clone();
        let noted = update(&*self.store, Touches::logins_at(&login.tenant), move |view| {
            let now = view.now();
            let Some(mut login) = view.login_by_id(&id) else { return Ok(Look::Over) };
            if login.status != LoginStatus::Pending || login.expires_at <= now {
                return Ok(Look::Over);
            }
            login.last_poll_at = Some(now);
            view.put_login(login.clone());
            Ok::<_, StoreError>(Look::Poll(login))
        });
        noted.await?
    }

    async fn poll_once(
        &self,
        login: &PendingLogin,
        lock: &mut Option<KernelLock>,
    ) -> Result<Poll, StoreError> {
        let (id, tenant) = (&login.id, &login.tenant);
        let fail = |why: Option<EndReason>| self.advance(id, tenant, Event::Fail, why);
        let Some(provider) = self.captured(login) else {
            fail(Some(EndReason::NotOffered)).await?;
            return Ok(Poll::Done);
        };
        let (Some(device_code), Some(user_code)) = (&login.device_code, &login.user_code) else {
            tracing::warn!(login = %id, "a stored device login has no device code");
            fail(None).await?;
            return Ok(Poll::Done);
        };
        let presented =
            DevicePoll { device_code, user_code: user_code.expose(), verifier: login.verifier.as_ref() };
        let asking = oauth::device::poll(&self.client, &provider, presented, self.clock.now());
        let outcome = self.unless_over(login, lock, asking).await;
        match outcome {
            DeviceOutcome::Pending => return Ok(Poll::Again),
            DeviceOutcome::BackOff { retry_after } => {
                let asked = retry_after.map(|wait| wait.as_secs().clamp(1, LONGEST_PAUSE));
                return Ok(Poll::AgainAfter(asked));
            }
            DeviceOutcome::SlowDown => {
                self.slow_down(login).await?;
                return Ok(Poll::Again);
            }
            DeviceOutcome::Granted(grant) => {
                self.finish_and_complete(login, grant, &provider, lock).await?;
            }
            DeviceOutcome::Code { code, verifier, redirect_uri } => {
                if let Some(lock) = lock.take() {
                    self.spend_code(login, &code, &verifier, &redirect_uri, &provider, lock).await?;
                }
            }
            DeviceOutcome::Denied => drop(self.advance(id, tenant, Event::Deny, None).await?),
            DeviceOutcome::Expired => drop(self.advance(id, tenant, Event::TimeOut, None).await?),
            DeviceOutcome::Failed(refusal) => {
                let why = self.why_refused(login, &refusal);
                let outcome = reason::for_log(&oauth::Outcome::Refused(refusal));
                tracing::warn!(login = %id, outcome, "a device login cannot go on");
                fail(Some(why)).await?;
            }
        }
        Ok(Poll::Done)
    }

    async fn spend_code(
        &self,
        login: &PendingLogin,
        code: &Secret,
        verifier: &Secret,
        redirect_uri: &str,
        provider: &Resolved,
        lock: KernelLock,
    ) -> Result<(), StoreError> {
        if self.advance(&login.id, &login.tenant, Event::Claimed, None).await?.is_none() {
            return Ok(());
        }
        let grant = CodeGrant { code, verifier, redirect_uri, state: None };
        if let Spent::NotSent(why) = self.spend(login, grant, provider, lock).await? {
            // This code came with a poll and is not given a second time.
            tracing::warn!(login = %login.id, why, "a code could not be spent");
            self.advance(&login.id, &login.tenant, Event::Fail, Some(EndReason::Unavailable)).await?;
        }
        Ok(())
    }

    /// Five seconds more between polls, for good, restarts included (T11).
    async fn slow_down(&self, login: &PendingLogin) -> Result<(), StoreError> {
        let id = login.id.clone();
        let slowed = update(&*self.store, Touches::logins_at(&login.tenant), move |view| {
            if let Some(mut login) = view.login_by_id(&id) {
                login.interval = Some(login.interval.unwrap_or(DEFAULT_INTERVAL).saturating_add(SLOW_DOWN));
                view.put_login(login);
            }
            Ok::<_, StoreError>(())
        });
        slowed.await?
    }
}

/// What to do after one poll.
enum Poll {
    Again,
    /// After these seconds, or after a growing pause.
    AgainAfter(Option<u64>),
    Done,
}

/// The pause after one more trouble: doubling from five seconds.
fn longer(trouble: u64) -> u64 {
    (trouble * 2).clamp(5, LONGEST_PAUSE)
}

fn interval_of(login: &PendingLogin) -> u64 {
    login.interval.unwrap_or(DEFAULT_INTERVAL).clamp(INTERVAL_FLOOR, LONGEST_PAUSE)
}

/// Seconds until the next poll may go out: the interval since the last one, whoever sent it (S13). The stamp is in whole
/// seconds, so that poll may have gone out almost a second after it; and one from the future is a clock's fault and
/// counts as now (S14).
fn pause_before(login: &PendingLogin, now: i64) -> u64 {
    let last = login.last_poll_at.filter(|at| *at <= now + SKEW_ALLOWED).unwrap_or(now);
    let since = u64::try_from(now - last - 1).unwrap_or(0);
    interval_of(login).saturating_sub(since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, key};

    /// S13, S14, T11
    #[tokio::test]
    async fn whoever_takes_over_keeps_the_distance_from_the_last_poll() {
        let host = Host::new();
        let started = host
            .logins()
            .start(crate::login::StartRequest {
                user: crate::tenant::User::Local(1),
                tenant: key("acme"),
                kind: None,
                watcher: None,
                bind: None,
                by_admin: false,
                locale: None,
                redirect_uri: None,
            })
            .await
            .unwrap();
        let mut login = started.login;
        login.interval = Some(5);
        for (last, pause) in
            [(Some(100), 5), (Some(99), 5), (Some(98), 4), (Some(94), 0), (Some(161), 5), (None, 5)]
        {
            login.last_poll_at = last;
            assert_eq!(pause_before(&login, 100), pause, "{last:?}");
        }
        for (interval, kept) in [(None, 5), (Some(0), 3), (Some(9_999), 120)] {
            login.interval = interval;
            assert_eq!(interval_of(&login), kept);
        }
    }
}
