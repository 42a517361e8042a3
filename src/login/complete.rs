//! The one write that ends a login with a credential.
//!
//! Owns "still ours, not cancelled? identity gate? store, mark, end the others, bind" as one read-modify-write (C2,
//! S9, I1). Invariants: a login that lost to a cancel stores nothing (C1), and its tokens are dropped, and revoked where
//! that ends nothing in use (C4); where an admin must agree first, the tokens go into the login's own entry and into no
//! slot (I5); what a sign-in replaced is owed to the provider in the write that replaces it (T12). Must not: complete a
//! login without its lock.

use std::time::Duration;

use super::machine::{Event, next};
use super::{Inner, is_open, step};
use crate::audit;
use crate::binding::OwedRevocation;
use crate::credential::{Credential, CredentialKind, Objection, Way, admit};
use crate::oauth::Grant;
use crate::pending::{Confirming, EndReason, PendingLogin};
use crate::provider::{Provider, RevocationScope};
use crate::revocation;
use crate::rights::{Act, Caller, May, holder_in_the_way, may};
use crate::store::{StoreError, Touches, View, update};
use crate::tenant::TenantKey;

/// The pauses between tries to store what a sign-in brought: in all well below the time for which the sweep leaves an
/// exchange alone.
const STORE_PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// How a completed exchange ended.
#[derive(Debug)]
pub(super) enum Completed {
    /// Stored.
    Stored,
    /// It waits for an admin's word (I5).
    Waits,
    /// The login was over by then; nothing was stored.
    Lost,
    /// The identity gate said no; the login has failed for this reason.
    Refused(EndReason),
}

/// What the write decided.
#[expect(clippy::large_enum_variant, reason = "one at a time, and moved once")]
enum Verdict {
    Stored(PendingLogin),
    Waits,
    Lost,
    Refused(EndReason),
}

/// What is to become of a sign-in that has brought its tokens.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It comes into its slot.
    Comes,
    /// It does once an admin agrees (I5).
    ByAdmin,
    /// It never does.
    Refused(EndReason),
}

impl Inner {
    /// Stores what `grant` brought for `login`, if the login is still open.
    pub(super) async fn complete(
        &self,
        login: &PendingLogin,
        grant: Grant,
        provider: &Provider,
    ) -> Result<Completed, StoreError> {
        let incoming = credential_of(login, grant, self.clock.now());
        let mut pauses = STORE_PAUSES.iter();
        let verdict = loop {
            match self.write_completion(login, incoming.clone(), provider.revocation).await {
                Ok(verdict) => break verdict,
                Err(error) => {
                    tracing::error!(login = %login.id, %error, "a sign-in could not be stored");
                    // A damaged entry stays damaged; the rest may pass.
                    let pause = pauses.next().filter(|_| !matches!(error, StoreError::Entry(_)));
                    match pause {
                        Some(pause) => tokio::time::sleep(*pause).await,
                        None => return Ok(self.give_up(login, &incoming, provider).await),
                    }
                }
            }
        };
        if let (Verdict::Stored(_) | Verdict::Waits, Some(client)) = (&verdict, &login.registration) {
            self.clients.let_go(&login.tenant, client);
        }
        match verdict {
            Verdict::Stored(login) => {
                audit::login_ended(&login, login.status);
                Ok(Completed::Stored)
            }
            Verdict::Waits => {
                audit::waits_for_admin(login);
                Ok(Completed::Waits)
            }
            Verdict::Lost => {
                self.drop_tokens(login, &incoming, provider).await;
                Ok(Completed::Lost)
            }
            Verdict::Refused(reason) => {
                audit::identity_refused(&login.tenant);
                self.drop_tokens(login, &incoming, provider).await;
                Ok(Completed::Refused(reason))
            }
        }
    }

    /// One try of the write. Knows its own earlier success, whose answer may have been lost.
    async fn write_completion(
        &self,
        login: &PendingLogin,
        credential: Credential,
        revocation: RevocationScope,
    ) -> Result<Verdict, StoreError> {
        let touches =
            Touches::tenant(&login.tenant).and_all_tenants().and_logins_at(&login.tenant).and_revocations();
        let touches = match &login.bind {
            Some(thread) => touches.and_thread(thread),
            None => touches,
        };
        let id = login.id.clone();
        let verdict = update(&*self.store, touches, move |view| {
            let Some(stored) = view.login_by_id(&id) else { return Ok(Verdict::Lost) };
            let held = view.tenant(&stored.tenant)?;
            if held.as_ref().is_some_and(|held| held.id == credential.id) {
                return Ok(Verdict::Stored(stored));
            }
            if stored.confirming.as_ref().is_some_and(|waiting| waiting.credential.id == credential.id) {
                return Ok(Verdict::Waits);
            }
            if next(stored.status, Event::Stored).is_none() {
                return Ok(Verdict::Lost);
            }
            match judge(view, held.as_ref(), &credential, &stored) {
                Judgement::Refused(reason) => {
                    step(view, stored, Event::Fail, Some(reason.clone()));
                    return Ok(Verdict::Refused(reason));
                }
                Judgement::ByAdmin => {
                    let mut waiting = stored;
                    waiting.wait_for_admin(Confirming { credential, since: view.now() });
                    let waits = step(view, waiting, Event::OtherAccountCame, None);
                    return Ok(waits.map_or(Verdict::Lost, |_| Verdict::Waits));
                }
                Judgement::Comes => {}
            }
            // By itself only where a token ends alone: the old grant may be the new one's too.
            if let Some(replaced) = held.filter(|_| revocation == RevocationScope::Token) {
                owe_replaced(view, &stored.tenant, &replaced, &credential);
            }
            let login = into_slot(view, stored, credential, None);
            Ok::<_, StoreError>(login.map_or(Verdict::Lost, Verdict::Stored))
        });
        verdict.await?
    }

    /// The tokens came and cannot be stored: they are dropped, and the login ends saying so, if that can be written.
    async fn give_up(&self, login: &PendingLogin, incoming: &Credential, provider: &Provider) -> Completed {
        self.drop_tokens(login, incoming, provider).await;
        let failed = self.advance(&login.id, &login.tenant, Event::Fail, Some(EndReason::NotStored)).await;
        if let Err(error) = failed {
            tracing::error!(login = %login.id, %error, "that a sign-in failed could not be written down");
        }
        Completed::Refused(EndReason::NotStored)
    }

    pub(super) async fn drop_tokens(&self, login: &PendingLogin, incoming: &Credential, provider: &Provider) {
        audit::dropped(&login.tenant, "tokens of a login that was over or refused");
        revocation::of_dropped(
            &self.store,
            &self.client,
            &self.directory,
            provider,
            &login.tenant,
            incoming,
            self.clock.now(),
        )
        .await;
    }
}

/// Owes the end of `replaced`, the place of which `by` takes at `tenant`, to the provider (T12). The timer tries it at once.
pub(super) fn owe_replaced(view: &mut View<'_>, tenant: &TenantKey, replaced: &Credential, by: &Credential) {
    if replaced.kind == CredentialKind::OAuth && !replaced.shares_a_token(by) {
        let owed = OwedRevocation::of(tenant, replaced, view.now());
        view.owe(OwedRevocation { retry_at: view.now(), ..owed });
    }
}

/// Whether `incoming` may take the place of `held` (I1, I2, I5, I6, I9).
pub(super) fn judge(
    view: &View<'_>,
    held: Option<&Credential>,
    incoming: &Credential,
    login: &PendingLogin,
) -> Judgement {
    let person = may(&starter(login), Act::SignIn { held }, &login.tenant);
    if person == May::No {
        return Judgement::Refused(EndReason::OtherOwner);
    }
    let stored = view.tenants();
    let ask = |held| admit(&login.tenant, held, incoming, Way::SignIn { stored: &stored });
    let shared = login.tenant.user.is_none();
    match ask(held) {
        Ok(()) if person == May::WithAdmin => Judgement::ByAdmin,
        Ok(()) => Judgement::Comes,
        // An admin's word sets aside whose account is held, and nothing else.
        Err(Objection::OtherAccount) if shared => match ask(None) {
            Ok(()) => Judgement::ByAdmin,
            Err(other) => Judgement::Refused(reason_of(other)),
        },
        Err(objection) => Judgement::Refused(reason_of(objection)),
    }
}

/// Who started `login`, with the say that they had then.
fn starter(login: &PendingLogin) -> Caller {
    Caller { user: login.user.clone(), admin: login.by_admin }
}

fn reason_of(objection: Objection) -> EndReason {
    match objection {
        Objection::HeldElsewhere { holder } => EndReason::HeldElsewhere(holder),
        _ => EndReason::OtherAccount,
    }
}

/// Puts `credential` into the slot of `login`, which has then succeeded for this `reason`, with all that follows from it.
pub(super) fn into_slot(
    view: &mut View<'_>,
    login: PendingLogin,
    credential: Credential,
    reason: Option<EndReason>,
) -> Option<PendingLogin> {
    next(login.status, Event::Stored)?;
    view.put_tenant(&login.tenant, credential);
    bind(view, &login);
    complete_others(view, &login);
    step(view, login, Event::Stored, reason)
}

/// Binds the thread in which the login was started, unless it is bound to what somebody else signed in.
fn bind(view: &mut View<'_>, login: &PendingLogin) {
    let Some(thread) = &login.bind else { return };
    let mut binding = match view.binding(thread) {
        Ok(binding) => binding,
        Err(error) => {
            // The sign-in is worth more than its binding.
            tracing::warn!(%thread, %error, "the thread is not bound");
            return;
        }
    };
    let provider = &login.tenant.provider;
    let another = binding.tenants.get(provider).filter(|bound| **bound != login.tenant);
    let waited_since = login.confirming.as_ref().map(|waiting| waiting.since);
    if another.is_some() && waited_since.is_some_and(|since| binding.updated_at > since) {
        tracing::info!(%thread, tenant = %login.tenant, "the thread stays bound to what was chosen for it meanwhile");
        return;
    }
    if holder_in_the_way(&starter(login), another).is_some() {
        tracing::info!(%thread, tenant = %login.tenant, "the thread stays bound to another member's sign-in");
        return;
    }
    binding.tenants.insert(provider.clone(), login.tenant.clone());
    view.put_binding(thread, binding);
}

/// Everybody else who was signing in to this tenant is done too, and is told by whom (S9).
fn complete_others(view: &mut View<'_>, login: &PendingLogin) {
    for other in view.logins() {
        if other.tenant == login.tenant && other.id != login.id && is_open(other.status) {
            step(view, other, Event::CompletedByOther, Some(EndReason::CompletedBy(login.user.clone())));
        }
    }
}

pub(super) fn credential_of(login: &PendingLogin, grant: Grant, now: i64) -> Credential {
    let mut credential =
        Credential::new(CredentialKind::OAuth, login.tenant.provider.clone(), grant.access_token, now);
    // As configured at the start: what an id token says of its issuer is compared with it, and never followed.
    credential.issuer = login.issuer.clone().or(grant.issuer);
    credential.token_endpoint.clone_from(&login.token_endpoint);
    credential.client_id.clone_from(&login.client_id);
    credential.registration.clone_from(&login.registration);
    credential.resource.clone_from(&login.resource);
    credential.refresh_token = grant.refresh_token;
    credential.id_token = grant.id_token;
    credential.token_type = grant.token_type;
    credential.scopes = grant.scopes.unwrap_or_default();
    credential.extra = grant.extra;
    credential.expires_at = grant.expires_at;
    credential.account = grant.account;
    credential.owner = Some(login.user.clone());
    credential.guild = login.guild;
    credential
}
