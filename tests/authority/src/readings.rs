//! What a test can read off the server: requests, counters, secrets.
//!
//! Counters of requests count arrivals, refused ones included: "one refresh" means that one request was sent.

use std::time::Duration;

use crate::device::{Device, plain};
use crate::record::Recorded;
use crate::token::DEVICE_CODE;
use crate::user_code_grant::USER_CODE;
use crate::{Authority, Endpoint};

impl Authority {
    /// Every request so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.core.lock().record.all().to_vec()
    }

    /// The requests to one endpoint.
    #[must_use]
    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<Recorded> {
        let state = self.core.lock();
        state.record.all().iter().filter(|request| request.endpoint == endpoint).cloned().collect()
    }

    /// Forgets the requests so far, and so sets the counters of requests back to zero. Reuses and rotations stay.
    pub fn forget_requests(&self) {
        self.core.lock().record.clear();
    }

    /// Refresh requests that arrived, whatever became of them.
    #[must_use]
    pub fn refreshes(&self) -> usize {
        self.grants("refresh_token")
    }

    /// Refresh tokens that were rotated.
    #[must_use]
    pub fn rotations(&self) -> usize {
        self.core.lock().ledger.rotations
    }

    /// Refresh tokens that were presented after they had been spent.
    #[must_use]
    pub fn reuses(&self) -> usize {
        self.core.lock().ledger.reuses
    }

    /// Code exchanges that arrived.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.grants("authorization_code")
    }

    /// Polls that arrived, by whatever protocol.
    #[must_use]
    pub fn device_polls(&self) -> usize {
        self.grants(DEVICE_CODE) + self.grants(USER_CODE) + self.count(Endpoint::CodexPoll)
    }

    /// Polls of device codes that already had their final answer.
    #[must_use]
    pub fn polls_after_end(&self) -> usize {
        self.core.lock().devices.values().map(|device| device.polls_after_end).sum()
    }

    /// Device logins that were asked for, by whatever protocol.
    #[must_use]
    pub fn device_starts(&self) -> usize {
        self.count(Endpoint::DeviceStart)
            + self.count(Endpoint::UserCodeStart)
            + self.count(Endpoint::CodexStart)
    }

    /// Revocation requests that arrived.
    #[must_use]
    pub fn revocations(&self) -> usize {
        self.count(Endpoint::Revoke)
    }

    /// Times that somebody opened the sign-in page.
    #[must_use]
    pub fn authorize_views(&self) -> usize {
        self.core.lock().record.count(Endpoint::Authorize, |request| request.method == "GET")
    }

    /// Calls of the protected resource.
    #[must_use]
    pub fn api_calls(&self) -> usize {
        self.count(Endpoint::Api)
    }

    /// The shortest time between two polls of the login with this user code.
    #[must_use]
    pub fn closest_polls(&self, user_code: &str) -> Option<Duration> {
        self.device(user_code)?.closest_polls()
    }

    /// The shortest time between two polls of any one login.
    #[must_use]
    pub fn closest_polls_of_all(&self) -> Option<Duration> {
        self.core.lock().devices.values().filter_map(Device::closest_polls).min()
    }

    /// The time from the start of a device login to its first poll.
    #[must_use]
    pub fn first_poll(&self, user_code: &str) -> Option<Duration> {
        self.device(user_code)?.first_poll()
    }

    /// The user codes of all device logins.
    #[must_use]
    pub fn user_codes(&self) -> Vec<String> {
        self.core.lock().devices.values().map(|device| device.user_code.clone()).collect()
    }

    /// Grants that are still good.
    #[must_use]
    pub fn live_grants(&self) -> usize {
        self.core.lock().ledger.live_grants()
    }

    /// Whether the API would take this access token now.
    #[must_use]
    pub fn accepts(&self, access_token: &str) -> bool {
        let state = self.core.lock();
        state.ledger.accepts(access_token, state.now()).is_some()
    }

    /// Whether the token endpoint would take this refresh token now. Asking spends nothing.
    #[must_use]
    pub fn would_refresh(&self, refresh_token: &str) -> bool {
        let state = self.core.lock();
        state.ledger.would_refresh(refresh_token, state.now())
    }

    /// Every code, token, device code, verifier, state and client secret ever seen: what no log may contain.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.core.lock().secrets.all()
    }

    /// Fails if `text` contains a secret; says which, shortened.
    pub fn assert_no_secret_in(&self, text: &str) {
        for secret in self.secrets() {
            let shown: String = secret.chars().take(9).collect();
            assert!(!text.contains(&secret), "a secret is in the text: {shown}…");
        }
    }

    /// Fails if two requests to an endpoint came over one connection.
    pub fn assert_fresh_connections(&self, endpoint: Endpoint) {
        let mut seen = std::collections::BTreeSet::new();
        for request in self.requests_to(endpoint) {
            assert!(seen.insert(request.connection), "two requests to {endpoint} over one connection");
        }
    }

    fn grants(&self, grant_type: &str) -> usize {
        let state = self.core.lock();
        state.record.count(Endpoint::Token, |request| request.field("grant_type") == Some(grant_type))
    }

    fn count(&self, endpoint: Endpoint) -> usize {
        self.core.lock().record.count(endpoint, |_| true)
    }

    fn device(&self, user_code: &str) -> Option<Device> {
        let state = self.core.lock();
        state.devices.values().find(|device| plain(&device.user_code) == plain(user_code)).cloned()
    }
}
