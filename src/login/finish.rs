//! What a granted sign-in still lacks before it is complete: its first access token, and whose it is.
//!
//! Owns the requests between the grant and the one write that ends the login: the first exchange, where the sign-in's token
//! is kept in the refresh token's place, and the question whose the tokens are, where only a request tells. Invariants:
//! both are asked a few times and within one bound, since the person waits; the login is claimed first, so that its expiry
//! is frozen (C1) and a crash ends it as interrupted; where nothing tells whose the tokens are, they do not take the place
//! of a known account's (I2). Must not: write into a slot (`complete` does).

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::complete::{Completed, credential_of};
use super::machine::Event;
use super::{Inner, reason, step};
use crate::audit;
use crate::credential::Account;
use crate::oauth::{self, Grant, Outcome, Refusal, RefusalKind, UserinfoError, account_of};
use crate::pending::{EndReason, LoginStatus, PendingLogin};
use crate::provider::{IdentitySource, RefreshProtocol, Resolved};
use crate::secret::Secret;
use crate::store::{EXCHANGE_FROZEN, KernelLock, StoreError, Touches, update};

/// The bound of the first exchange with all its tries.
const FIRST_EXCHANGE_BOUND: Duration = Duration::from_mins(1);
/// The bound of the question whose the tokens are, with all its tries and with finding where to ask.
const ASKING_BOUND: Duration = Duration::from_mins(1);
/// What the writes around both may take.
const WRITES: Duration = Duration::from_secs(20);
const _: () = assert!(
    FIRST_EXCHANGE_BOUND.as_secs() + ASKING_BOUND.as_secs() + WRITES.as_secs()
        < EXCHANGE_FROZEN.unsigned_abs(),
    "the sweep would end a login that is being finished"
);
/// The pauses between tries of one request.
pub(super) const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

impl Inner {
    /// Fetches what `grant` lacks, and completes the login. Lets go of its lock early if a cancel ends it meanwhile.
    pub(super) async fn finish_and_complete(
        &self,
        login: &PendingLogin,
        grant: Grant,
        provider: &Resolved,
        lock: &mut Option<KernelLock>,
    ) -> Result<Completed, StoreError> {
        let exchanges = matches!(provider.refresh, RefreshProtocol::Exchange(_));
        if !exchanges && provider.identity != IdentitySource::Userinfo {
            return self.complete(login, grant, provider).await;
        }
        let as_granted = credential_of(login, grant.clone(), self.clock.now());
        let (id, tenant) = (&login.id, &login.tenant);
        if let Err(error) = self.claim_anew(login).await {
            tracing::warn!(login = %id, %error, "a sign-in that is being completed could not be marked as such");
        }
        let reason = match self.unless_over(login, lock, self.finish(login, grant, provider)).await {
            Ok(grant) => return self.complete(login, grant, provider).await,
            Err(reason) => reason,
        };
        let failed = self.advance(id, tenant, Event::Fail, Some(reason.clone())).await;
        if reason == EndReason::UnknownAccount {
            audit::identity_refused(tenant);
        }
        self.drop_tokens(login, &as_granted, provider).await;
        Ok(if failed?.is_some() { Completed::Refused(reason) } else { Completed::Lost })
    }

    /// Has the sweep leave `login` alone for as long as all of this may take: the exchange before may have used up its time.
    async fn claim_anew(&self, login: &PendingLogin) -> Result<(), StoreError> {
        let id = login.id.clone();
        let claimed = update(&*self.store, Touches::logins_at(&login.tenant), move |view| {
            match view.login_by_id(&id) {
                // A device grant comes without a code to claim.
                Some(login) if login.status == LoginStatus::Pending => {
                    step(view, login, Event::Claimed, None);
                }
                // Writing it renews its time.
                Some(login) if login.status == LoginStatus::Exchanging => view.put_login(login),
                _ => {}
            }
            Ok::<_, StoreError>(())
        });
        claimed.await?
    }

    async fn finish(
        &self,
        login: &PendingLogin,
        grant: Grant,
        provider: &Resolved,
    ) -> Result<Grant, EndReason> {
        let sign_in = grant.access_token.clone();
        let mut grant = match provider.refresh {
            RefreshProtocol::Exchange(_) => {
                let first = timeout(FIRST_EXCHANGE_BOUND, self.first_exchange(login, grant, provider));
                first.await.unwrap_or(Err(EndReason::Unavailable))?
            }
            RefreshProtocol::RefreshToken => grant,
        };
        if provider.identity == IdentitySource::Userinfo {
            grant.account = self.whose(login, &sign_in, grant.id_token.as_ref(), provider).await?;
        }
        Ok(grant)
    }

    /// The first access token of a sign-in whose own token `granted` brought, and which from here on stands in the refresh
    /// token's place. Nothing is used up by a try.
    async fn first_exchange(
        &self,
        login: &PendingLogin,
        granted: Grant,
        provider: &Resolved,
    ) -> Result<Grant, EndReason> {
        let mut pauses = self.pauses.into_iter();
        let outcome = loop {
            let now = self.clock.now();
            let outcome = oauth::refresh(&self.client, provider, &granted.access_token, &[], now).await;
            if !passes(&outcome) || !self.pause(pauses.next()).await {
                break outcome;
            }
        };
        match outcome {
            Outcome::Granted(mut first) => {
                let mut extra = granted.extra;
                extra.append(&mut first.extra);
                let refresh_token = Some(granted.access_token);
                Ok(Grant { refresh_token, extra, scopes: granted.scopes, account: granted.account, ..first })
            }
            refused => {
                tracing::warn!(login = %login.id, outcome = %refused, "a sign-in brought no access token");
                Err(reason::of_first_exchange(&refused))
            }
        }
    }

    /// Whose the tokens are: as the userinfo endpoint says, else as the id token does, else nobody's, if the slot is
    /// nobody's either.
    async fn whose(
        &self,
        login: &PendingLogin,
        token: &Secret,
        id_token: Option<&Secret>,
        provider: &Resolved,
    ) -> Result<Account, EndReason> {
        let error = match timeout(ASKING_BOUND, self.ask_whose(token, id_token, provider)).await {
            Ok(Ok(account)) => return Ok(account),
            Ok(Err(error)) => error,
            Err(_) => UserinfoError::Passing(format!("no answer within {} s", ASKING_BOUND.as_secs())),
        };
        tracing::warn!(login = %login.id, %error, "whose a sign-in is could not be asked");
        if error == UserinfoError::OtherSubject {
            return Err(EndReason::UnknownAccount);
        }
        let known = id_token.map(|token| account_of(token, &provider.account_claims)).unwrap_or_default();
        let held = self.store.snapshot().and_then(|document| Ok(document.tenant(&login.tenant)?));
        let takes_over = held.is_ok_and(|held| held.is_some_and(|held| !held.account.is_unknown()));
        if known.is_unknown() && takes_over { Err(EndReason::UnknownAccount) } else { Ok(known) }
    }

    async fn ask_whose(
        &self,
        token: &Secret,
        id_token: Option<&Secret>,
        provider: &Resolved,
    ) -> Result<Account, UserinfoError> {
        let mut found = None;
        if provider.userinfo_endpoint.is_none() {
            let resolved = self.directory.resolve(provider).await;
            found = Some(resolved.map_err(|error| UserinfoError::Refused(error.to_string()))?);
        }
        let provider = found.as_ref().unwrap_or(provider);
        let Some(endpoint) = &provider.userinfo_endpoint else {
            return Err(UserinfoError::Refused("its metadata names no userinfo endpoint".to_owned()));
        };
        let mut pauses = self.pauses.into_iter();
        loop {
            let answer = oauth::userinfo(&self.client, provider, endpoint, token, id_token).await;
            if !matches!(answer, Err(UserinfoError::Passing(_))) || !self.pause(pauses.next()).await {
                return answer;
            }
        }
    }

    /// Waits before another try, if there is to be one.
    async fn pause(&self, pause: Option<Duration>) -> bool {
        let Some(pause) = pause else { return false };
        tokio::select! {
            () = sleep(pause) => true,
            () = self.closing.cancelled() => false,
        }
    }
}

/// Whether another try may go better.
fn passes(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Granted(_) => false,
        Outcome::Refused(Refusal { kind, .. }) => matches!(kind, RefusalKind::Transient { .. }),
        Outcome::NotSent(error) => !error.is_operators(),
        Outcome::Unknown(_) => true,
    }
}
