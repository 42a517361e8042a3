//! Several tenants of one provider dying at once: more likely the provider's fault than theirs.
//!
//! Owns the count of dead credentials per provider (G17). Invariant: bounded by providers times the window's content,
//! old marks leave when new ones come. Must not: change what the gate does with a credential.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::tenant::{ProviderName, TenantKey};

/// This many tenants of one provider …
const MANY: usize = 3;
/// … dead within this time raise the alarm (G17).
const WITHIN: Duration = Duration::from_mins(1);
/// And people are not asked to sign in for this long after: until the probe has told more.
const HOLD: Duration = Duration::from_secs(super::policy::PROBE_AFTER.unsigned_abs() + 60);

/// The dead of late, by provider.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    seen: Mutex<HashMap<ProviderName, Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    dead: Vec<(TenantKey, Instant)>,
    raised: Option<Instant>,
}

impl Alarm {
    /// Notes that `tenant` was found dead. True if that raises the alarm.
    pub(super) fn note(&self, tenant: &TenantKey) -> bool {
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.entry(tenant.provider.clone()).or_default();
        seen.dead.retain(|(other, at)| other != tenant && now.duration_since(*at) < WITHIN);
        seen.dead.push((tenant.clone(), now));
        let raise = seen.dead.len() >= MANY;
        if raise {
            seen.raised = Some(now);
        }
        raise
    }

    /// Whether messages that ask people to sign in are to be held back.
    pub(super) fn is_raised(&self, provider: &ProviderName) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(provider).and_then(|seen| seen.raised).is_some_and(|at| at.elapsed() < HOLD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G17
    #[tokio::test(start_paused = true)]
    async fn three_tenants_within_a_minute_raise_it_until_the_probe() {
        let alarm = Alarm::default();
        let key = |text: &str| text.parse::<TenantKey>().unwrap();
        assert!(!alarm.note(&key("acme/a")));
        assert!(!alarm.note(&key("acme/a")));
        assert!(!alarm.note(&key("other/b")));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(!alarm.note(&key("acme/b")));
        assert!(!alarm.note(&key("acme/c")));
        assert!(!alarm.is_raised(&key("acme").provider));
        assert!(alarm.note(&key("acme/d")));
        assert!(alarm.is_raised(&key("acme").provider) && !alarm.is_raised(&key("other").provider));
        tokio::time::advance(HOLD).await;
        assert!(!alarm.is_raised(&key("acme").provider));
    }
}
