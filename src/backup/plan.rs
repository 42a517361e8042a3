//! What of a copy may come back, and what that would do: one pure judgement, asked for the plan and again inside the write.
//!
//! Owns the rules. Invariants: what is missing here comes back, and nothing else without `replace`; the newer tokens of one sign-in
//! are never replaced by older ones, which are spent; every replacement passes the identity gate (I1, I2, I8), and no refresh token
//! comes to stand twice (I9). Must not: change anything, or look at a clock or a store by itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Copy;
use crate::clock::UnixSeconds;
use crate::credential::{Credential, Objection, Way, admit};
use crate::store::{Document, EntryError, RawEntry};
use crate::tenant::TenantKey;

/// What is wished for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// These tenants alone, and nothing of threads and revocations; everything where it is empty.
    pub only: Vec<TenantKey>,
    /// Also what takes the place of a sign-in that is here, or puts one at risk.
    pub replace: bool,
}

/// All that would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One for each tenant of the copy that is wished for, in order of their keys.
    pub items: Vec<Item>,
    /// The threads' bindings; none where only tenants are wished for.
    pub threads: Rest,
    /// The revocations that are owed; likewise.
    pub revocations: Rest,
    /// Sections that this program does not know; likewise.
    pub unknown: Rest,
}

/// How many entries of a kind come back. They never replace anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rest {
    /// Missing here: they come back.
    pub restored: usize,
    /// Here already, and left.
    pub here: usize,
    /// Of no use any more, and left out.
    pub over: usize,
}

/// One tenant of a copy. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its key, as it stands there.
    pub key: String,
    /// The account, where that is known.
    pub account: Option<String>,
    /// Whether it has a refresh token: then others may have spent it since.
    pub is_refreshed: bool,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a tenant of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is missing here, and comes back.
    Restored,
    /// It is missing here, and comes back although this slot's sign-in, of the same account as far as is known, may end with it.
    RestoredBeside(TenantKey),
    /// It takes the place of what is here.
    Replaces {
        /// When the tokens that are here came, where that is known.
        obtained_at: Option<UnixSeconds>,
    },
    /// It is missing here, and what this program cannot understand comes back as it is (F5).
    RestoredUnread,
    /// It stays out.
    Left(Left),
}

/// Why a tenant of a copy stays out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The same tokens are here.
    Same,
    /// The same sign-in is here, with newer tokens: those of the copy are spent. Never replaced.
    NewerHere {
        /// The generation that is here.
        here: u64,
        /// That of the copy.
        copy: u64,
    },
    /// The same sign-in is here in another slot, with newer tokens: those of the copy are spent. Never restored.
    NewerElsewhere {
        /// That slot.
        holder: TenantKey,
        /// The generation that is there.
        here: u64,
        /// That of the copy.
        copy: u64,
    },
    /// The same sign-in is here, with older tokens: for `replace`.
    OlderHere {
        /// The generation that is here.
        here: u64,
        /// That of the copy.
        copy: u64,
    },
    /// Another sign-in is here: for `replace`.
    AnotherSignIn {
        /// When the tokens that are here came, where that is known.
        obtained_at: Option<UnixSeconds>,
        /// Whether those are newer than the copy's, where that is known.
        is_newer: Option<bool>,
    },
    /// It is missing here, and another slot holds a sign-in, of its account as far as is known, that a spent token could end: for
    /// `replace`.
    Beside(TenantKey),
    /// The identity gate says no.
    Refused(Objection),
    /// What the slot holds cannot be read, and is not written over unseen.
    Damaged(EntryError),
    /// What stands in the copy cannot be understood, and the slot is taken.
    Unread,
    /// It was sealed with a key that was not there when the copy was made, so that nobody can open it: here it would only take the slot.
    Sealed,
}

impl Left {
    /// Whether `replace` would bring it back.
    #[must_use]
    pub fn is_for_replace(&self) -> bool {
        matches!(self, Self::OlderHere { .. } | Self::AnotherSignIn { .. } | Self::Beside(_))
    }
}

impl Fate {
    /// Whether something is written.
    #[must_use]
    pub fn is_restored(&self) -> bool {
        !matches!(self, Self::Left(_))
    }
}

impl Plan {
    /// How many tenants come back.
    #[must_use]
    pub fn restored(&self) -> usize {
        self.items.iter().filter(|item| item.fate.is_restored()).count()
    }

    /// Whether it would change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.restored() + self.threads.restored + self.revocations.restored + self.unknown.restored == 0
    }
}

/// An entry that comes back.
pub(super) enum Coming<'a> {
    /// A tenant that is understood.
    Tenant(TenantKey, Box<Credential>, &'a str),
    /// Anything else.
    Raw(RawEntry<'a>),
}

/// What of `copy` may come into a store that holds `here`, at `now`; and, entry by entry, what that is.
pub(super) fn plan<'a>(
    copy: &'a Copy,
    here: &Document,
    wish: &Wish,
    now: UnixSeconds,
) -> (Plan, Vec<Coming<'a>>) {
    let mut coming = Vec::new();
    let mut items = Vec::new();
    let taken = Taken::of(here);
    let mut stored: Vec<_> = here.tenants().collect();
    let sealed: BTreeSet<_> = copy.entries.unopened().into_iter().collect();
    for entry in copy.entries.raw_entries().filter(|entry| entry.section == "tenants") {
        let Some(key) = entry.key.filter(|key| wish.has(key)) else { continue };
        if sealed.contains(&("tenants", key)) {
            let fate = Fate::Left(Left::Sealed);
            items.push(Item { key: key.to_owned(), account: None, is_refreshed: false, fate });
            continue;
        }
        let (item, comes) = tenant(copy, entry, key, here, &taken, &mut stored, wish);
        items.push(item);
        coming.extend(comes);
    }
    let mut plan =
        Plan { items, threads: Rest::default(), revocations: Rest::default(), unknown: Rest::default() };
    if wish.only.is_empty() {
        let is_over = over(copy, now);
        let mut owed = is_over.into_iter();
        for entry in copy.entries.raw_entries() {
            let (rest, is_here, is_over) = match entry.section {
                "tenants" | "pending" => continue,
                "threads" => (&mut plan.threads, taken.has(entry), false),
                "revocations" => (&mut plan.revocations, taken.has(entry), owed.next().unwrap_or(true)),
                _ => (&mut plan.unknown, taken.has(entry), false),
            };
            match (is_here, is_over) {
                (true, _) => rest.here += 1,
                (false, true) => rest.over += 1,
                (false, false) => {
                    rest.restored += 1;
                    coming.push(Coming::Raw(entry));
                }
            }
        }
    }
    (plan, coming)
}

impl Wish {
    fn has(&self, key: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only.to_string() == key)
    }
}

/// Of each revocation of `copy`, in order: whether it has been owed for too long, or cannot be understood.
fn over(copy: &Copy, now: UnixSeconds) -> Vec<bool> {
    copy.entries.each_owed().map(|owed| owed.is_none_or(|owed| owed.is_over(now))).collect()
}

/// The places that are taken here.
struct Taken {
    keys: BTreeSet<(String, String)>,
    owed: BTreeSet<String>,
    sections: BTreeSet<String>,
}

impl Taken {
    fn of(here: &Document) -> Self {
        let mut taken = Self { keys: BTreeSet::new(), owed: BTreeSet::new(), sections: BTreeSet::new() };
        for entry in here.raw_entries() {
            if let Some(key) = entry.key {
                taken.keys.insert((entry.section.to_owned(), key.to_owned()));
            } else if entry.section == "revocations" {
                taken.owed.extend(id_of(entry.text));
            } else {
                taken.sections.insert(entry.section.to_owned());
            }
        }
        taken
    }

    fn has(&self, entry: RawEntry<'_>) -> bool {
        match entry.key {
            Some(key) => self.keys.contains(&(entry.section.to_owned(), key.to_owned())),
            None if entry.section != "revocations" => self.sections.contains(entry.section),
            None => id_of(entry.text).is_none_or(|id| self.owed.contains(&id)),
        }
    }
}

/// The name of a revocation that is owed.
fn id_of(text: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_str::<Named>(text).ok().map(|named| named.id)
}

fn tenant<'a>(
    copy: &Copy,
    entry: RawEntry<'a>,
    key: &str,
    here: &Document,
    taken: &Taken,
    stored: &mut Vec<(TenantKey, Arc<Credential>)>,
    wish: &Wish,
) -> (Item, Option<Coming<'a>>) {
    // A key that is not in its canonical spelling is an entry that we do not know.
    let parsed = key.parse::<TenantKey>().ok().filter(|parsed| parsed.to_string() == key);
    let understood = parsed.and_then(|tenant| Some((copy.entries.tenant(&tenant).ok().flatten()?, tenant)));
    let Some((incoming, slot)) = understood else {
        let fate = if taken.has(entry) { Fate::Left(Left::Unread) } else { Fate::RestoredUnread };
        let comes = fate.is_restored().then_some(Coming::Raw(entry));
        return (Item { key: key.to_owned(), account: None, is_refreshed: false, fate }, comes);
    };
    let fate = match here.tenant(&slot) {
        Err(damaged) => Fate::Left(Left::Damaged(damaged)),
        Ok(held) => match newer_elsewhere(&slot, &incoming, here)
            .map_or_else(|| judge(copy, &slot, held.as_deref(), &incoming, stored, wish.replace), Err)
        {
            Err(left) => Fate::Left(left),
            Ok(Some(sibling)) => Fate::RestoredBeside(sibling),
            Ok(None) => {
                held.as_ref().map_or(Fate::Restored, |held| Fate::Replaces { obtained_at: held.obtained_at })
            }
        },
    };
    let item = Item {
        key: key.to_owned(),
        account: incoming.account.label().map(str::to_owned),
        is_refreshed: incoming.refresh_token.is_some(),
        fate,
    };
    if !item.fate.is_restored() {
        return (item, None);
    }
    let mut comes = (*incoming).clone();
    let position = stored.iter().position(|(known, _)| *known == slot);
    if let Some(held) = position.map(|at| Arc::clone(&stored[at].1)) {
        // Whether they are served, and that it is in use, is what is known here and now.
        (comes.guild, comes.suspended) = (held.guild, held.suspended);
        comes.last_used_at = comes.last_used_at.max(held.last_used_at);
    }
    let shared = Arc::new(comes.clone());
    match position {
        Some(at) => stored[at].1 = shared,
        None => stored.push((slot.clone(), shared)),
    }
    (item, Some(Coming::Tenant(slot, Box::new(comes), entry.text)))
}

/// The slot, other than `slot`, that holds the newer tokens of the sign-in `incoming`: by what is here before anything comes back, since
/// those of the copy stay spent when that is replaced.
fn newer_elsewhere(slot: &TenantKey, incoming: &Credential, here: &Document) -> Option<Left> {
    let is_newer = |held: &Credential| {
        held.kind == incoming.kind && held.id == incoming.id && held.generation > incoming.generation
    };
    let (holder, held) = here.tenants().find(|(key, held)| key != slot && is_newer(held))?;
    Some(Left::NewerElsewhere { holder, here: held.generation, copy: incoming.generation })
}

/// Whether `incoming`, of `copy`, may come into `slot`, which holds `held`; and which other slot's sign-in may end with that.
fn judge(
    copy: &Copy,
    slot: &TenantKey,
    held: Option<&Credential>,
    incoming: &Credential,
    stored: &[(TenantKey, Arc<Credential>)],
    replace: bool,
) -> Result<Option<TenantKey>, Left> {
    if let Some(held) = held.filter(|held| held.id == incoming.id && held.kind == incoming.kind) {
        let (here, of_copy) = (held.generation, incoming.generation);
        if here == of_copy {
            return Err(Left::Same);
        }
        // The copy's refresh token was spent when the newer one came.
        if here > of_copy {
            return Err(Left::NewerHere { here, copy: of_copy });
        }
    } else if held.is_some_and(|held| held.kind == incoming.kind && held.shares_a_token(incoming)) {
        return Err(Left::Same);
    }
    admit(slot, held, incoming, Way::Restore { stored }).map_err(Left::Refused)?;
    match held {
        Some(_) if replace => Ok(None),
        Some(held) if held.id == incoming.id => {
            Err(Left::OlderHere { here: held.generation, copy: incoming.generation })
        }
        Some(held) => Err(Left::AnotherSignIn {
            obtained_at: held.obtained_at,
            is_newer: held.obtained_at.zip(incoming.obtained_at).map(|(here, copy)| here > copy),
        }),
        None => match beside(copy, slot, incoming, stored) {
            Some(sibling) if !replace => Err(Left::Beside(sibling)),
            sibling => Ok(sibling),
        },
    }
}

/// Another slot whose sign-in may end when a spent token of `incoming` is presented: the same client's, and not known to be another
/// account's (T12), unless the copy has it just as it is.
fn beside(
    copy: &Copy,
    slot: &TenantKey,
    incoming: &Credential,
    stored: &[(TenantKey, Arc<Credential>)],
) -> Option<TenantKey> {
    incoming.refresh_token.as_ref()?;
    let is_of_copy = |key: &TenantKey, held: &Credential| {
        copy.entries
            .tenant(key)
            .is_ok_and(|of_copy| of_copy.is_some_and(|of_copy| of_copy.version() == held.version()))
    };
    let found = stored.iter().find(|(key, held)| {
        key != slot
            && held.refresh_token.is_some()
            && held.is_of_same_client(incoming)
            && held.account.is_same(&incoming.account) != Some(false)
            && !is_of_copy(key, held)
    });
    found.map(|(key, _)| key.clone())
}

#[cfg(test)]
mod tests;
