//! Several tenants of one provider dying at once: more likely the provider's fault than theirs.
//!
//! Owns [`is_raised`] (G17), which reads the store and nothing else: whatever process found each of them dead, all see the
//! same. Must not: change what the gate does with a credential.

use super::policy::PROBE_AFTER;
use crate::clock::{SKEW_ALLOWED, UnixSeconds};
use crate::credential::CredentialState;
use crate::store::Document;
use crate::tenant::ProviderName;

/// This many tenants of one provider …
const MANY: usize = 3;
/// … that died within so many seconds of one another raise the alarm (G17).
pub(crate) const WITHIN: i64 = 60;
/// It stands this long, in seconds: until their probes have told more.
const STANDS: i64 = PROBE_AFTER + 60;

/// Whether so many tenants of `provider` died at once of late that people should not be asked to sign in yet.
pub(crate) fn is_raised(document: &Document, provider: &ProviderName, now: UnixSeconds) -> bool {
    let mut died: Vec<UnixSeconds> = document
        .tenants()
        .filter(|(key, held)| key.provider == *provider && held.state == CredentialState::NeedsLogin)
        // While its probe is still to come, which says when it died; one that was definite needs no probe.
        .filter_map(|(_, held)| Some(held.retry_at?.saturating_sub(PROBE_AFTER)))
        .filter(|at| (-SKEW_ALLOWED..=STANDS).contains(&now.saturating_sub(*at)))
        .collect();
    died.sort_unstable();
    died.windows(MANY).any(|together| together[MANY - 1].saturating_sub(together[0]) < WITHIN)
}

#[cfg(test)]
mod tests {
    use latchkey_test_authority::Person;

    use super::*;
    use crate::store::Store;
    use crate::testing::{Host, key};

    async fn dies(host: &Host, tenant: &str) {
        host.serving(&key(tenant), &Person::ada()).await;
        let mut held = host.stored(&key(tenant)).unwrap();
        held.state = CredentialState::NeedsLogin;
        held.retry_at = Some(host.clock.now() + PROBE_AFTER);
        host.put(&key(tenant), held).await;
    }

    /// G17
    #[tokio::test]
    async fn three_tenants_within_a_minute_raise_it_until_their_probes() {
        let host = Host::new();
        let provider = key("acme").provider;
        let raised = |host: &Host| is_raised(&host.store().snapshot().unwrap(), &provider, host.clock.now());
        dies(&host, "acme/a").await;
        dies(&host, "acme/b").await;
        host.serving(&key("acme/well"), &Person::ada()).await;
        host.clock.jump(61);
        dies(&host, "acme/c").await;
        assert!(!raised(&host), "two, and one a minute later");
        dies(&host, "acme/d").await;
        dies(&host, "acme/e").await;
        assert!(raised(&host));
        assert!(!is_raised(&host.store().snapshot().unwrap(), &key("other").provider, host.clock.now()));
        // One that its probe has found dead for good is no sign of the provider's trouble any more.
        let mut held = host.stored(&key("acme/e")).unwrap();
        held.retry_at = None;
        host.put(&key("acme/e"), held.clone()).await;
        assert!(!raised(&host));
        held.retry_at = Some(host.clock.now() + PROBE_AFTER);
        host.put(&key("acme/e"), held).await;
        assert!(raised(&host));
        host.clock.jump(661);
        assert!(!raised(&host));
    }
}
