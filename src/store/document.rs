//! The auth file in memory: raw entries by key, understood one by one when asked for.
//!
//! Owns parsing and printing of the whole (version 1, or 2 where it is sealed; pretty, keys sorted) and keeps what it does not know. Invariants:
//! an entry that nobody changed is printed as it was read (F5); one that cannot be understood fails alone. Must not:
//! touch a file (`file/` does) or know field names (`wire/` does).

mod copied;
pub(super) mod scan;
mod section;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::copied::Copied;
pub use self::copied::{RawEntry, Unreadable};
use self::section::{Entry, Section};
use self::text::Text;
use super::seal::{Header, HeaderError, KeysError, Pass, Seal, SealStanding, SealedError};
use super::view::login_key;
use crate::binding::{Binding, OwedRevocation};
use crate::credential::Credential;
use crate::pending::{LoginId, PendingLogin};
use crate::tenant::{TenantKey, ThreadId, User};

/// The version of the format where nothing is sealed.
const VERSION: u64 = 1;
/// And where it is, so that nobody who does not know takes what is sealed for a token. The highest that this program reads.
pub const SEALED_VERSION: u64 = 2;

/// One entry that is there and cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored {section} entry {key:?} cannot be understood: {why}; repair or remove that entry")]
pub struct EntryError {
    /// Which map of the file.
    pub section: &'static str,
    /// Which entry.
    pub key: String,
    /// What is wrong, without values.
    pub why: String,
}

/// Why bytes are no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ParseError {
    /// Not JSON, not an object, or a section of the wrong type.
    Corrupt(String),
    /// Another version.
    Newer(String),
    /// It cannot be opened with the keys that are here.
    Sealed(SealedError),
    /// Nor with those of the file of keys, which cannot be used.
    Keys(KeysError),
}

/// What one update changes; `None` removes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub tenants: BTreeMap<String, Option<Credential>>,
    pub pending: BTreeMap<String, Option<PendingLogin>>,
    pub threads: BTreeMap<String, Option<Binding>>,
    pub owed: Vec<OwedRevocation>,
    pub settled: BTreeSet<String>,
    /// What copies of a store hold of these tenants, beyond what is known.
    pub texts: BTreeMap<String, String>,
    /// Entries from a copy of a store.
    pub copied: Vec<Copied>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.tenants.is_empty()
            && self.pending.is_empty()
            && self.threads.is_empty()
            && self.owed.is_empty()
            && self.settled.is_empty()
            && self.copied.is_empty()
    }
}

/// All that is stored, as of one moment.
#[derive(Debug)]
pub struct Document {
    /// The name that file and lock folder share (F15).
    pub(super) store_id: Option<String>,
    /// What it is sealed with.
    sealing: Option<Header>,
    /// What seals and opens its entries.
    seal: Seal,
    tenants: Section<Credential>,
    pending: Section<PendingLogin>,
    threads: Section<Binding>,
    revocations: Vec<Entry<OwedRevocation>>,
    /// Sections that we do not know.
    rest: BTreeMap<String, Text>,
}

impl Document {
    /// A store with nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        Self::empty_for(&Seal::default())
    }

    /// The same, to be sealed by `seal`.
    pub(super) fn empty_for(seal: &Seal) -> Self {
        Self {
            store_id: None,
            sealing: None,
            seal: seal.clone(),
            tenants: Section::of("tenants", seal, Vec::new()),
            pending: Section::of("pending", seal, Vec::new()),
            threads: Section::of("threads", seal, Vec::new()),
            revocations: Vec::new(),
            rest: BTreeMap::new(),
        }
    }

    /// Reads the text of an auth file, which the document shares from then on. One that is sealed with a key that `seal` has not
    /// is refused as a whole.
    pub(super) fn parse(whole: &Arc<String>, seal: &Seal) -> Result<Self, ParseError> {
        let found = text::sections(whole)?;
        let sealing =
            found.sealing.map(|text| seal.judged(text.get())).transpose().map_err(|error| match error {
                HeaderError::Malformed => {
                    ParseError::Corrupt("\"sealing\" names no key, or has no proof of it".to_owned())
                }
                HeaderError::Sealed(error) => ParseError::Sealed(error),
            })?;
        Ok(Self {
            store_id: found.store_id,
            sealing,
            seal: seal.clone(),
            tenants: Section::of("tenants", seal, found.tenants),
            pending: Section::of("pending", seal, found.pending),
            threads: Section::of("threads", seal, found.threads),
            revocations: found.revocations,
            rest: found.rest,
        })
    }

    /// Prints the file. Entries that nobody changed keep their text to the byte.
    pub(super) fn print(&self) -> String {
        let known = ["version", "store_id", "sealing", "tenants", "pending", "threads", "revocations"];
        let mut names: Vec<&str> = known.into_iter().chain(self.rest.keys().map(String::as_str)).collect();
        names.sort_unstable();
        let mut text = String::with_capacity(self.size());
        let mut before = "{\n  ";
        for name in names {
            if name == "store_id" && self.store_id.is_none() || name == "sealing" && self.sealing.is_none() {
                continue;
            }
            text.push_str(before);
            before = ",\n  ";
            push_key(&mut text, name);
            match name {
                "version" if self.sealing.is_some() => text.push_str(&SEALED_VERSION.to_string()),
                "version" => text.push_str(&VERSION.to_string()),
                "sealing" => text.push_str(self.sealing.as_ref().map_or("null", |header| &header.text)),
                "store_id" => text.push_str(&quoted(self.store_id.as_deref().unwrap_or_default())),
                "tenants" => self.tenants.print(&mut text),
                "pending" => self.pending.print(&mut text),
                "threads" => self.threads.print(&mut text),
                "revocations" => print_list(&mut text, &self.revocations),
                _ => text.push_str(self.rest.get(name).map_or("null", Text::get)),
            }
        }
        text.push_str("\n}\n");
        text
    }

    /// About how many bytes it takes to print it.
    fn size(&self) -> usize {
        let rest = self.rest.iter().map(|(key, text)| key.len() + text.get().len() + 8);
        let owed = self.revocations.iter().map(|entry| entry.raw.get().len() + 8);
        256 + self.tenants.size()
            + self.pending.size()
            + self.threads.size()
            + owed.chain(rest).sum::<usize>()
    }

    /// The random name of this store (F15), once it is written.
    #[must_use]
    pub fn store_id(&self) -> Option<&str> {
        self.store_id.as_deref()
    }

    /// The tenant's credential.
    ///
    /// # Errors
    /// When the entry cannot be understood.
    pub fn tenant(&self, tenant: &TenantKey) -> Result<Option<Arc<Credential>>, EntryError> {
        self.tenants.get(&tenant.to_string())
    }

    /// All readable tenants, in order of their keys.
    pub fn tenants(&self) -> impl Iterator<Item = (TenantKey, Arc<Credential>)> {
        self.tenants.readable().filter_map(|(key, credential)| Some((key.parse().ok()?, credential)))
    }

    /// The login of `user` at `tenant`.
    ///
    /// # Errors
    /// When the entry cannot be understood.
    pub fn login(&self, user: &User, tenant: &TenantKey) -> Result<Option<Arc<PendingLogin>>, EntryError> {
        self.pending.get(&login_key(user, tenant))
    }

    /// The login whose key in the file is `key`.
    pub(super) fn login_at(&self, key: &str) -> Option<Arc<PendingLogin>> {
        self.pending.get(key).ok().flatten()
    }

    /// The login called `id`.
    #[must_use]
    pub fn login_by_id(&self, id: &LoginId) -> Option<Arc<PendingLogin>> {
        self.logins().find(|login| &login.id == id)
    }

    /// All readable logins.
    pub fn logins(&self) -> impl Iterator<Item = Arc<PendingLogin>> {
        self.pending.readable().map(|(_, login)| login)
    }

    /// The thread's binding.
    ///
    /// # Errors
    /// When the entry cannot be understood.
    pub fn binding(&self, thread: &ThreadId) -> Result<Option<Arc<Binding>>, EntryError> {
        self.threads.get(thread.as_str())
    }

    /// All readable bindings.
    pub fn bindings(&self) -> impl Iterator<Item = (ThreadId, Arc<Binding>)> {
        self.threads.readable().filter_map(|(key, binding)| Some((key.parse().ok()?, binding)))
    }

    #[cfg(test)]
    pub(crate) fn bindings_looked_at(&self) -> usize {
        self.threads.looked_at()
    }

    /// The readable revocations that are owed.
    pub fn owed(&self) -> impl Iterator<Item = Arc<OwedRevocation>> {
        self.revocations.iter().filter_map(|entry| entry.meaning(&self.seal, "revocations", "").ok())
    }

    /// Each revocation that is owed, in order; `None` for one that cannot be understood.
    pub fn each_owed(&self) -> impl Iterator<Item = Option<Arc<OwedRevocation>>> {
        self.revocations.iter().map(|entry| entry.meaning(&self.seal, "revocations", "").ok())
    }

    /// Every entry that cannot be understood, for `check` and `status`.
    #[must_use]
    pub fn damaged(&self) -> Vec<EntryError> {
        self.tenants.damaged().chain(self.pending.damaged()).chain(self.threads.damaged()).collect()
    }

    /// Whether the two are the same to the byte, but for spaces between entries.
    pub(super) fn has_the_text_of(&self, other: &Self) -> bool {
        let owed = self.revocations.iter().map(|entry| entry.raw.get());
        let rest = self.rest.iter().map(|(key, raw)| (key, raw.get()));
        self.store_id == other.store_id
            && self.sealing == other.sealing
            && self.tenants.has_the_text_of(&other.tenants)
            && self.pending.has_the_text_of(&other.pending)
            && self.threads.has_the_text_of(&other.threads)
            && owed.eq(other.revocations.iter().map(|entry| entry.raw.get()))
            && rest.eq(other.rest.iter().map(|(key, raw)| (key, raw.get())))
    }

    pub(super) fn apply(&mut self, changes: Changes) {
        self.tenants.put_texts(changes.texts);
        self.tenants.apply(changes.tenants);
        self.pending.apply(changes.pending);
        self.threads.apply(changes.threads);
        let seal = &self.seal;
        let is_settled = |entry: &Entry<OwedRevocation>| {
            entry.meaning(seal, "revocations", "").is_ok_and(|owed| changes.settled.contains(&owed.id))
        };
        let (settled, stay): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.revocations).into_iter().partition(is_settled);
        self.revocations = stay;
        for owed in changes.owed {
            let is_it = |entry: &&Entry<OwedRevocation>| {
                entry.meaning(&self.seal, "revocations", "").is_ok_and(|before| before.id == owed.id)
            };
            let before = settled.iter().find(is_it);
            self.revocations.push(Entry::of(owed, before, &self.seal, "revocations", ""));
        }
        self.take_over(changes.copied);
    }

    /// Whether there is a key that seals, and the file is not sealed with it yet.
    pub(super) fn waits_for_its_seal(&self) -> bool {
        self.seal.is_on() && self.seal.first() != self.sealing.as_ref().map(|header| header.key.as_str())
    }

    /// Has all that is secret as `pass` wants it. Gives how many values stay as they are, since they do not open.
    pub(super) fn pass(&mut self, pass: Pass) -> usize {
        let seal = &self.seal;
        let owed = self.revocations.iter_mut().map(|entry| entry.pass(pass, seal, "revocations", ""));
        let left =
            owed.sum::<usize>() + self.tenants.pass(pass) + self.pending.pass(pass) + self.threads.pass(pass);
        self.sealing = match pass {
            Pass::Seal => self.seal.header(),
            Pass::Open => None,
        };
        left
    }

    /// How much of it is sealed, and with what.
    #[must_use]
    pub fn seal_standing(&self) -> SealStanding {
        let file = self.sealing.as_ref().map(|header| header.key.clone());
        let mut standing = SealStanding { keys: self.seal.ids(), file, ..SealStanding::default() };
        self.tenants.count(&mut standing);
        self.pending.count(&mut standing);
        for entry in &self.revocations {
            entry.count(&self.seal, "revocations", "", &mut standing);
        }
        standing
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn push_key(text: &mut String, key: &str) {
    text.push_str(&quoted(key));
    text.push_str(": ");
}

fn print_list<T>(text: &mut String, entries: &[Entry<T>]) {
    let mut before = "[\n    ";
    for entry in entries {
        text.push_str(before);
        before = ",\n    ";
        text.push_str(entry.raw.get());
    }
    text.push_str(if entries.is_empty() { "[]" } else { "\n  ]" });
}

#[cfg(test)]
mod tests;
