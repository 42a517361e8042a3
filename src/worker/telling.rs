//! What a thread is to be told of its tenants: that one needs a sign-in, that it is no longer served, that it works again.
//!
//! Owns the [`plan`], a pure function of what is stored and the time, and the marks by which a thread is told each thing
//! once, restarts included (W4). A mark names the tenant, what was said of it, and the version of the credential that it was
//! said of. Invariants: a thread that heard that something stands still hears once that it goes on; what may be
//! the provider's fault is not told before that is known (G17). Must not: know whether anybody is there to hear it.

use std::collections::BTreeMap;

use crate::binding::Binding;
use crate::broker::{Health, Known};
use crate::clock::UnixSeconds;
use crate::credential::{Credential, CredentialKind, Unserved};
use crate::gate::{ALARM_WITHIN, PROBE_AFTER, alarm_is_raised};
use crate::pending::{LoginStatus, PendingLogin};
use crate::provider::Catalog;
use crate::secret::TokenHash;
use crate::store::{Document, Store, StoreError, Touches, has_ended, update};
use crate::tenant::{ProviderName, TenantKey, ThreadId, User};

/// A probe has an answer, or none, after so many seconds.
const PROBE_TAKES: i64 = 150;
/// The most marks of one thread; the oldest leave first.
const MARKS: usize = 32;
/// How often it is looked whether an alarm still holds a message back, in seconds.
const ALARM_LOOK: i64 = 5;
/// A thread whose agents asked for a token within this many seconds is in use.
const ASKED_LATELY: i64 = 24 * 60 * 60;
/// What is known of a thread that uses nothing is kept this long, in seconds.
const KEPT_FOR: i64 = 30 * 24 * 60 * 60;
/// Hexadecimal digits that stand for a credential's id in a mark.
const ID_DIGITS: usize = 16;

/// What there is to tell of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Somebody must sign in.
    NeedsLogin,
    /// The member whose own it is is no longer served.
    Unserved(Unserved),
    /// It works again after [`What::NeedsLogin`].
    WorksAgain {
        /// Who signed in; nobody where the provider took it back by itself.
        by: Option<User>,
    },
    /// Its member is served again after [`What::Unserved`].
    ServedAgain,
}

/// One thing to tell a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Of which tenant.
    pub tenant: TenantKey,
    /// What.
    pub what: What,
    /// Whether the thread itself is bound to the tenant.
    pub is_bound: bool,
    /// What stands for it among the thread's marks.
    pub mark: String,
    /// The same for the same news after the same marks: what names the message, so that it is not said twice.
    pub nonce: String,
}

impl News {
    /// Whether it ends what the thread was told before: then whoever was told hears it, however quiet it has become there.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self.what, What::WorksAgain { .. } | What::ServedAgain)
    }
}

/// That somebody did something in a thread just now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// The channel that the thread hangs from, whose binding serves it too.
    pub parent: Option<ThreadId>,
}

/// What to tell a thread now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub news: Vec<News>,
    /// Whether somebody, or an agent, is there: by what was done just now, or was asked for of late.
    pub in_use: bool,
    /// When there may be more.
    pub next: Option<UnixSeconds>,
}

/// One of a thread's marks.
struct Mark {
    tenant: TenantKey,
    word: String,
    version: String,
}

const WORKS: &str = "works";
const NEEDS_LOGIN: &str = "needs_login";

impl Mark {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let tenant = parts.next()?.parse().ok()?;
        Some(Self { tenant, word: parts.next()?.to_owned(), version: parts.next()?.to_owned() })
    }

    /// Whether it says that something stands still.
    fn is_open(&self) -> bool {
        self.word != WORKS
    }

    fn is_unserved(&self) -> bool {
        [Unserved::Left, Unserved::NotAdmitted].iter().any(|reason| reason.as_str() == self.word)
    }
}

fn id_of(held: &Credential) -> String {
    TokenHash::of(&held.id).to_string().chars().take(ID_DIGITS).collect()
}

fn mark(tenant: &TenantKey, word: &str, held: &Credential) -> String {
    format!("{tenant} {word} {}.{}", id_of(held), held.generation)
}

/// What `thread`, whose `binding` that is, is to be told at `now`. Its own binding says what it uses; at a `used` moment also what serves
/// it without one does: its parent channel's binding, else the shared tenant.
pub(super) fn plan(
    document: &Document,
    catalog: &Catalog,
    known: Known<'_>,
    thread: &ThreadId,
    binding: &Binding,
    used: Option<&Use>,
    now: UnixSeconds,
) -> Plan {
    let marks: Vec<_> = binding.told.iter().filter_map(|text| Mark::parse(text)).collect();
    let was_asked = binding.asked_at.is_some_and(|at| now.saturating_sub(at) < ASKED_LATELY);
    let used = used.cloned().or_else(|| was_asked.then(Use::default));
    let mut plan = Plan { in_use: used.is_some(), ..Plan::default() };
    for (provider, (tenant, is_bound)) in served(document, catalog, binding, used.as_ref(), &marks) {
        let Ok(Some(held)) = document.tenant(&tenant) else { continue };
        let last = marks.iter().rfind(|mark| mark.tenant.provider == provider);
        let health = Health::of(&tenant, &held, catalog, known, now);
        let said = match health {
            Health::NeedsLogin if held.kind == CredentialKind::OAuth => {
                match held_back(document, thread, &tenant, &held, now) {
                    Held::No => Some((What::NeedsLogin, mark(&tenant, NEEDS_LOGIN, &held))),
                    Held::Until(at) => {
                        plan.next = plan.next.into_iter().chain([at]).min();
                        None
                    }
                    Held::UntilAChange => None,
                }
            }
            Health::Suspended(reason) if is_bound => {
                let known = last.is_some_and(|last| last.tenant == tenant && last.is_unserved());
                let since = held.suspended.map(|suspension| suspension.at).unwrap_or_default();
                let mark = format!("{tenant} {} {since}", reason.as_str());
                (!known).then_some((What::Unserved(reason), mark))
            }
            health if health.works() => last.filter(|last| last.is_open()).map(|last| {
                let back = last.is_unserved() && last.tenant == tenant;
                let same = last.tenant == tenant && last.version.starts_with(&id_of(&held));
                let by = held.owner.clone().filter(|_| !same);
                let what = if back { What::ServedAgain } else { What::WorksAgain { by } };
                (what, mark(&tenant, WORKS, &held))
            }),
            _ => None,
        };
        let Some((what, mark)) = said else { continue };
        // Going on may be told of one version twice: it may have rested in between.
        let is_told = !matches!(what, What::WorksAgain { .. } | What::ServedAgain | What::Unserved(_))
            && binding.told.contains(&mark);
        if !is_told {
            let before = binding.told.last().map(String::as_str).unwrap_or_default();
            let nonce = TokenHash::of(&format!("{before}\n{mark}")).to_string();
            plan.news.push(News { tenant, what, is_bound, mark, nonce });
        }
    }
    plan
}

/// The tenant that serves the thread at each provider, and whether it is bound to it.
fn served(
    document: &Document,
    catalog: &Catalog,
    binding: &Binding,
    used: Option<&Use>,
    marks: &[Mark],
) -> BTreeMap<ProviderName, (TenantKey, bool)> {
    let bound = binding.tenants.iter().map(|(provider, tenant)| (provider.clone(), (tenant.clone(), true)));
    let mut served: BTreeMap<_, _> = bound.collect();
    if let Some(used) = used {
        let above = used.parent.as_ref().and_then(|parent| document.binding(parent).ok().flatten());
        for provider in catalog.iter() {
            let inherited = above.as_ref().and_then(|above| above.tenants.get(&provider.name).cloned());
            let tenant = inherited.unwrap_or_else(|| TenantKey::shared(provider.name.clone()));
            served.entry(provider.name.clone()).or_insert((tenant, false));
        }
    }
    // What was told here without a binding is to be taken back here too.
    for mark in marks.iter().rev() {
        served.entry(mark.tenant.provider.clone()).or_insert_with(|| (mark.tenant.clone(), false));
    }
    served
}

/// Whether that a tenant is dead is to be told yet.
enum Held {
    No,
    Until(UnixSeconds),
    UntilAChange,
}

fn held_back(
    document: &Document,
    thread: &ThreadId,
    tenant: &TenantKey,
    held: &Credential,
    now: UnixSeconds,
) -> Held {
    // Somebody is at it, or about to bind the thread to something else: if they succeed there is nothing to tell. What
    // waits for an admin may wait for a day, and what it would replace is dead until then.
    let helps = |login: &PendingLogin| {
        let binds = login.bind.as_ref() == Some(thread) && login.tenant.provider == tenant.provider;
        let is_at_work = login.status != LoginStatus::Confirming && !has_ended(login, now);
        (login.tenant == *tenant || binds) && is_at_work
    };
    if document.logins().any(|login| helps(&login)) {
        return Held::UntilAChange;
    }
    // Its probe is out.
    if let Some(intent) =
        held.open_intent().filter(|it| (0..PROBE_TAKES).contains(&now.saturating_sub(it.sent_at)))
    {
        return Held::Until(intent.sent_at.saturating_add(PROBE_TAKES));
    }
    // One whose probe is done, or that was definite, has no time for one (G17).
    let Some(probe) = held.retry_at else { return Held::No };
    let died = probe.saturating_sub(PROBE_AFTER);
    let ago = now.saturating_sub(died);
    if (0..ALARM_WITHIN).contains(&ago) {
        // Others may follow yet.
        Held::Until(died.saturating_add(ALARM_WITHIN))
    } else if now.abs_diff(probe) < ALARM_WITHIN.unsigned_abs() {
        // Those that died with it are being probed by now, which ends the alarm before this one's own probe.
        Held::Until(probe.saturating_add(ALARM_WITHIN))
    } else if alarm_is_raised(document, &tenant.provider, now) {
        Held::Until(now.saturating_add(ALARM_LOOK))
    } else {
        Held::No
    }
}

/// The marks of a thread that was told what `mark` stands for.
fn marked(mut told: Vec<String>, mark: String) -> Vec<String> {
    told.retain(|known| *known != mark);
    told.push(mark);
    let surplus = told.len().saturating_sub(MARKS);
    told.drain(..surplus);
    told
}

/// Writes down that `thread` was told what `mark` stands for.
pub(super) async fn note(store: &dyn Store, thread: &ThreadId, mark: String) -> Result<(), StoreError> {
    let key = thread.clone();
    let noted = update(store, Touches::thread(thread), move |view| {
        let mut binding = view.binding(&key)?;
        binding.told = marked(std::mem::take(&mut binding.told), mark);
        view.put_binding(&key, binding);
        Ok::<_, StoreError>(())
    });
    noted.await?
}

/// Forgets what threads were told that are bound to nothing and of which nothing was heard for long: there may be any number.
pub(super) async fn forget(
    store: &dyn Store,
    document: &Document,
    now: UnixSeconds,
) -> Result<(), StoreError> {
    let is_over = move |binding: &Binding| {
        binding.tenants.is_empty() && now.saturating_sub(binding.updated_at) > KEPT_FOR
    };
    let over: Vec<_> =
        document.bindings().filter(|(_, binding)| is_over(binding)).map(|(thread, _)| thread).collect();
    if over.is_empty() {
        return Ok(());
    }
    let touches = over.iter().fold(Touches::nothing(), Touches::and_thread);
    let forgotten = update(store, touches, move |view| {
        for thread in over {
            if is_over(&view.binding(&thread)?) {
                view.remove_binding(&thread);
            }
        }
        Ok::<_, StoreError>(())
    });
    forgotten.await?
}

#[cfg(test)]
mod tests;
