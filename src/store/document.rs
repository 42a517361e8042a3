//! The auth file in memory: raw entries by key, understood one by one when asked for.
//!
//! Owns parsing and printing of the whole (version 1, pretty, keys sorted) and keeps what it does not know. Invariants:
//! an entry that nobody changed is printed as it was read (F5); one that cannot be understood fails alone. Must not:
//! touch a file (`file/` does) or know field names (`wire.rs` does).

mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use self::text::{Entries, Text};
use super::view::login_key;
use super::wire::Record;
use crate::binding::{Binding, OwedRevocation};
use crate::credential::Credential;
use crate::pending::{LoginId, PendingLogin};
use crate::tenant::{TenantKey, ThreadId, User};

/// The version of the format that this program reads and writes.
pub const VERSION: u64 = 1;

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
}

/// An entry as it stands in the file, with its meaning once somebody has asked for it.
struct Entry<T> {
    raw: Text,
    meaning: OnceLock<Result<Arc<T>, String>>,
}

impl<T> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The raw text holds tokens (Z1), and so may what we do not know.
        f.write_str("Entry")
    }
}

impl<T: Record> Entry<T> {
    fn raw(raw: Text) -> Self {
        Self { raw, meaning: OnceLock::new() }
    }

    fn meaning(&self, section: &'static str, key: &str) -> Result<Arc<T>, EntryError> {
        self.meaning.get_or_init(|| T::read(self.raw.get()).map(Arc::new)).clone().map_err(|why| EntryError {
            section,
            key: key.to_owned(),
            why,
        })
    }
}

/// One map of the file.
#[derive(Debug)]
struct Section<T> {
    name: &'static str,
    entries: BTreeMap<String, Arc<Entry<T>>>,
}

impl<T> Clone for Section<T> {
    fn clone(&self) -> Self {
        Self { name: self.name, entries: self.entries.clone() }
    }
}

impl<T: Record> Section<T> {
    fn of(name: &'static str, entries: Entries) -> Self {
        let entries = entries.into_iter().map(|(key, raw)| (key, Arc::new(Entry::raw(raw)))).collect();
        Self { name, entries }
    }

    fn get(&self, key: &str) -> Result<Option<Arc<T>>, EntryError> {
        self.entries.get(key).map(|entry| entry.meaning(self.name, key)).transpose()
    }

    /// About how many bytes it takes to print it.
    fn size(&self) -> usize {
        self.entries.iter().map(|(key, entry)| key.len() + entry.raw.get().len() + 12).sum()
    }

    fn readable(&self) -> impl Iterator<Item = (&str, Arc<T>)> {
        self.entries
            .iter()
            .filter_map(|(key, entry)| Some((key.as_str(), entry.meaning(self.name, key).ok()?)))
    }

    fn damaged(&self) -> impl Iterator<Item = EntryError> + '_ {
        self.entries.iter().filter_map(|(key, entry)| entry.meaning(self.name, key).err())
    }

    /// Puts `value` under `key`, keeping what the entry before held beyond what we know (F5).
    fn put(&mut self, key: String, value: T) {
        let before = self.entries.get(&key).map(|entry| entry.raw.get());
        let raw = value.write(before).into();
        let entry = Entry { raw, meaning: OnceLock::from(Ok(Arc::new(value))) };
        self.entries.insert(key, Arc::new(entry));
    }

    fn apply(&mut self, changes: BTreeMap<String, Option<T>>) {
        for (key, change) in changes {
            match change {
                Some(value) => self.put(key, value),
                None => drop(self.entries.remove(&key)),
            }
        }
    }
}

/// What one update changes; `None` removes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub tenants: BTreeMap<String, Option<Credential>>,
    pub pending: BTreeMap<String, Option<PendingLogin>>,
    pub threads: BTreeMap<String, Option<Binding>>,
    pub owed: Vec<OwedRevocation>,
    pub settled: BTreeSet<String>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.tenants.is_empty()
            && self.pending.is_empty()
            && self.threads.is_empty()
            && self.owed.is_empty()
            && self.settled.is_empty()
    }
}

/// All that is stored, as of one moment.
#[derive(Debug, Clone)]
pub struct Document {
    /// The name that file and lock folder share (F15).
    pub(super) store_id: Option<String>,
    tenants: Section<Credential>,
    pending: Section<PendingLogin>,
    threads: Section<Binding>,
    revocations: Vec<Arc<Entry<OwedRevocation>>>,
    /// Sections that we do not know.
    rest: BTreeMap<String, Text>,
}

impl Document {
    /// A store with nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        fn none<T>(name: &'static str) -> Section<T> {
            Section { name, entries: BTreeMap::new() }
        }
        Self {
            store_id: None,
            tenants: none("tenants"),
            pending: none("pending"),
            threads: none("threads"),
            revocations: Vec::new(),
            rest: BTreeMap::new(),
        }
    }

    /// Reads the text of an auth file, which the document shares from then on.
    pub(super) fn parse(whole: &Arc<String>) -> Result<Self, ParseError> {
        let found = text::sections(whole)?;
        Ok(Self {
            store_id: found.store_id,
            tenants: Section::of("tenants", found.tenants),
            pending: Section::of("pending", found.pending),
            threads: Section::of("threads", found.threads),
            revocations: found.revocations.into_iter().map(|raw| Arc::new(Entry::raw(raw))).collect(),
            rest: found.rest,
        })
    }

    /// Prints the file. Entries that nobody changed keep their text to the byte.
    pub(super) fn print(&self) -> String {
        let known = ["version", "store_id", "tenants", "pending", "threads", "revocations"];
        let mut names: Vec<&str> = known.into_iter().chain(self.rest.keys().map(String::as_str)).collect();
        names.sort_unstable();
        let mut text = String::with_capacity(self.size());
        let mut before = "{\n  ";
        for name in names {
            if name == "store_id" && self.store_id.is_none() {
                continue;
            }
            text.push_str(before);
            before = ",\n  ";
            push_key(&mut text, name);
            match name {
                "version" => text.push_str(&VERSION.to_string()),
                "store_id" => text.push_str(&quoted(self.store_id.as_deref().unwrap_or_default())),
                "tenants" => print_section(&mut text, &self.tenants),
                "pending" => print_section(&mut text, &self.pending),
                "threads" => print_section(&mut text, &self.threads),
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

    /// The readable revocations that are owed.
    pub fn owed(&self) -> impl Iterator<Item = Arc<OwedRevocation>> {
        self.revocations.iter().filter_map(|entry| entry.meaning("revocations", "").ok())
    }

    /// Every entry that cannot be understood, for `check` and `status`.
    #[must_use]
    pub fn damaged(&self) -> Vec<EntryError> {
        self.tenants.damaged().chain(self.pending.damaged()).chain(self.threads.damaged()).collect()
    }

    pub(super) fn apply(&mut self, changes: Changes) {
        self.tenants.apply(changes.tenants);
        self.pending.apply(changes.pending);
        self.threads.apply(changes.threads);
        self.revocations.retain(|entry| {
            entry.meaning("revocations", "").map_or(true, |owed| !changes.settled.contains(&owed.id))
        });
        for owed in changes.owed {
            let raw = owed.write(None).into();
            self.revocations.push(Arc::new(Entry { raw, meaning: OnceLock::from(Ok(Arc::new(owed))) }));
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn push_key(text: &mut String, key: &str) {
    text.push_str(&quoted(key));
    text.push_str(": ");
}

fn print_section<T>(text: &mut String, section: &Section<T>) {
    let mut before = "{\n    ";
    for (key, entry) in &section.entries {
        text.push_str(before);
        before = ",\n    ";
        push_key(text, key);
        text.push_str(entry.raw.get());
    }
    text.push_str(if section.entries.is_empty() { "{}" } else { "\n  }" });
}

fn print_list<T>(text: &mut String, entries: &[Arc<Entry<T>>]) {
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
