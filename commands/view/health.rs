//! How a tenant is, in words: the mark, what it means, why, and what to do.

use latchkey::broker::{Caller, FromEnvironment, Health, NextRefresh, TenantStatus, is_own, may_use};

use super::{plain, when, whom};
use crate::say;
use crate::words::Language;

/// The mark and one sentence or two.
pub(super) fn health(language: Language, status: &TenantStatus, reader: &Caller) -> (&'static str, String) {
    let retry = status.retry_at.map(when);
    match status.health {
        Health::Fresh => match retry {
            Some(at) => ("🟢", say!(language, "health-fresh-retry", when = at)),
            None => ("🟢", say!(language, "health-fresh")),
        },
        Health::Stale => ("🟢", say!(language, "health-stale")),
        Health::Environment => ("🟢", say!(language, "health-environment")),
        Health::BadEnvironment => ("🔴", say!(language, "health-environment-bad")),
        Health::BackingOff if status.operators_error => ("🔴", say!(language, "health-operator")),
        Health::BackingOff if status.no_access => ("🔴", say!(language, "health-no-access")),
        Health::BackingOff => match retry {
            Some(at) => ("🟡", say!(language, "health-backing-off-until", when = at)),
            None => ("🟡", say!(language, "health-backing-off")),
        },
        Health::Uncertain => match retry {
            Some(at) => ("🟡", say!(language, "health-uncertain-until", when = at)),
            None => ("🟡", say!(language, "health-uncertain")),
        },
        Health::NeedsLogin if status.tenant.user.is_none() => ("🔴", say!(language, "health-ended-shared")),
        Health::NeedsLogin if is_own(reader, &status.tenant) => ("🔴", say!(language, "health-ended-own")),
        Health::NeedsLogin => ("🔴", say!(language, "health-ended-other")),
        Health::Suspended(why) => ("⚪", super::tenant::rests(language, why)),
        Health::Misconfigured => ("🔴", say!(language, "health-misconfigured")),
        Health::NotConfigured => ("🔴", say!(language, "health-not-configured")),
    }
}

/// What the environment gives in place of a sign-in (G25): the mark, and what it means. The variable's name is the operator's
/// alone.
pub(super) fn environment(language: Language, given: FromEnvironment) -> (&'static str, String) {
    match given {
        FromEnvironment::ApiKey => ("🟢", say!(language, "health-key")),
        FromEnvironment::Token => ("🟢", say!(language, "health-token")),
        FromEnvironment::Unusable => ("🔴", say!(language, "health-environment-bad")),
    }
}

/// Account, who signed in, and what the clock says, as far as `reader` may know them.
pub(super) fn facts(language: Language, status: &TenantStatus, reader: &Caller) -> Vec<String> {
    let mut facts = Vec::new();
    let account = status.account.as_deref().filter(|_| may_use(reader, &status.tenant));
    facts.extend(account.map(|account| say!(language, "fact-account", account = plain(account))));
    let owner = status.owner.as_ref();
    facts.extend(owner.map(|owner| say!(language, "fact-signed-in-by", who = whom(language, owner))));
    facts.extend(status.expires_at.map(|at| match status.health {
        // A dead sign-in's token may serve for a while yet.
        Health::Stale | Health::BackingOff => say!(language, "fact-token-ended", when = when(at)),
        _ => say!(language, "fact-token-ends", when = when(at)),
    }));
    facts.extend(status.obtained_at.map(|at| say!(language, "fact-refreshed", when = when(at))));
    facts.extend(status.next_refresh.map(|next| match next {
        NextRefresh::At(at) => say!(language, "fact-next-refresh", when = when(at)),
        NextRefresh::AtUse => say!(language, "fact-rests"),
    }));
    facts
}

/// What the provider said, which only an admin can do something with. It was sanitised when it came (T10).
pub(super) fn providers_words(language: Language, status: &TenantStatus, reader: &Caller) -> Option<String> {
    let is_well = status.health.works() && status.retry_at.is_none();
    let said = status.last_error.as_deref().filter(|_| reader.admin && !is_well)?;
    Some(say!(language, "fact-error", error = plain(said)))
}
