//! How many logins one person, and one guild, may start, have open and keep.
//!
//! Owns [`Limit`], the one place of the [`Limits`] in force, and what is counted against them at a start. Invariants: a join is
//! no start, and is never refused here (S7); what is refused counts for nothing; nobody is exempt but the operator from what is
//! counted for the guild, since a crowd there must not keep them from a terminal. Must not: count what ended.

use std::sync::{Mutex, PoisonError};

use crate::clock::UnixSeconds;
use crate::config::Limits;
use crate::limit::Pace;
use crate::login::start::{StartError, StartRequest};
use crate::store::{View, has_ended};
use crate::tenant::User;

/// The limits in force, and the starts of the last minute.
#[derive(Debug)]
pub(super) struct Limit {
    /// Changed by a reload, for every start from there on; what was counted is not forgotten.
    limits: Mutex<Limits>,
    people: Pace<User>,
    guild: Pace<()>,
}

impl Limit {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits: Mutex::new(limits), people: Pace::default(), guild: Pace::default() }
    }

    pub(super) fn in_force(&self) -> Limits {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, limits: Limits) {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// Counts a start, or says what is in its way.
    pub(super) fn count(&self, request: &StartRequest, view: &View<'_>) -> Result<(), StartError> {
        let limits = self.in_force();
        let now = view.now();
        let others: Vec<_> = view
            .logins()
            .into_iter()
            .filter(|login| login.user == request.user && login.tenant != request.tenant)
            .filter(|login| !has_ended(login, now))
            .collect();
        if let Some(person) =
            request.tenant.user.as_ref().filter(|person| request.user.discord() == Some(*person))
        {
            let mut own: Vec<_> = view.tenants().into_iter().map(|(tenant, _)| tenant).collect();
            own.extend(others.iter().map(|login| login.tenant.clone()));
            own.retain(|tenant| tenant.user.as_ref() == Some(person));
            own.sort();
            own.dedup();
            if !own.contains(&request.tenant) && own.len() >= most(limits.tenants_per_user) {
                return Err(StartError::TooManyKept { most: limits.tenants_per_user });
            }
        }
        if others.len() >= most(limits.open_logins) {
            let until = others.iter().map(|login| login.expires_at).min().unwrap_or(now);
            return Err(StartError::TooManyOpen { most: limits.open_logins, wait: wait(until, now) });
        }
        self.people
            .count(&request.user, limits.starts_per_minute)
            .map_err(|wait| StartError::RateLimited { wait })?;
        if request.user.discord().is_some() {
            self.guild.count(&(), limits.guild_starts_per_minute).map_err(|wait| {
                self.people.uncount(&request.user);
                StartError::GuildRateLimited { wait }
            })?;
        }
        Ok(())
    }
}

fn most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn wait(until: UnixSeconds, now: UnixSeconds) -> std::time::Duration {
    std::time::Duration::from_secs(u64::try_from(until.saturating_sub(now)).unwrap_or_default())
}
