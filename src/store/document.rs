//! The auth file in memory: raw entries by key, understood one by one when asked for.
//!
//! Owns parsing and printing of the whole (version 1, pretty, keys sorted) and keeps what it does not know. Invariants:
//! an entry that nobody changed is printed as it was read (F5); one that cannot be understood fails alone. Must not:
//! touch a file (`file/` does) or know field names (`wire.rs` does).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::sync::{Arc, OnceLock};

use serde_json::value::RawValue;

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
    raw: Box<RawValue>,
    meaning: OnceLock<Result<Arc<T>, String>>,
}

impl<T> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The raw text holds tokens (Z1), and so may what we do not know.
        f.write_str("Entry")
    }
}

impl<T: Record> Entry<T> {
    fn raw(raw: Box<RawValue>) -> Self {
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
    fn parse(name: &'static str, raw: Option<Box<RawValue>>) -> Result<Self, ParseError> {
        let entries: BTreeMap<String, Box<RawValue>> = match raw {
            Some(raw) => {
                serde_json::from_str(raw.get()).map_err(|e| ParseError::Corrupt(format!("{name}: {e}")))?
            }
            None => BTreeMap::new(),
        };
        let entries = entries.into_iter().map(|(key, raw)| (key, Arc::new(Entry::raw(raw)))).collect();
        Ok(Self { name, entries })
    }

    fn get(&self, key: &str) -> Result<Option<Arc<T>>, EntryError> {
        self.entries.get(key).map(|entry| entry.meaning(self.name, key)).transpose()
    }

    fn has_the_text_of(&self, other: &Self) -> bool {
        let ours = self.entries.iter().map(|(key, entry)| (key, entry.raw.get()));
        ours.eq(other.entries.iter().map(|(key, entry)| (key, entry.raw.get())))
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
        let raw = value.write(before);
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
    rest: BTreeMap<String, Rest>,
}

/// A section that we do not know.
#[derive(Clone)]
struct Rest(Arc<RawValue>);

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest")
    }
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

    /// Reads the bytes of an auth file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let corrupt = |e: serde_json::Error| ParseError::Corrupt(e.to_string());
        let mut top: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(bytes).map_err(corrupt)?;
        match top.remove("version") {
            Some(raw) if raw.get() == "1" => {}
            Some(raw) if raw.get().parse::<f64>().is_ok_and(|v| v > 1.0) => {
                return Err(ParseError::Newer(raw.get().chars().take(20).collect()));
            }
            Some(_) => return Err(ParseError::Corrupt("\"version\" is not 1".to_owned())),
            None => return Err(ParseError::Corrupt("it has no \"version\"".to_owned())),
        }
        let store_id = match top.remove("store_id") {
            Some(raw) => Some(serde_json::from_str(raw.get()).map_err(corrupt)?),
            None => None,
        };
        let revocations: Vec<Box<RawValue>> = match top.remove("revocations") {
            Some(raw) => serde_json::from_str(raw.get()).map_err(corrupt)?,
            None => Vec::new(),
        };
        Ok(Self {
            store_id,
            tenants: Section::parse("tenants", top.remove("tenants"))?,
            pending: Section::parse("pending", top.remove("pending"))?,
            threads: Section::parse("threads", top.remove("threads"))?,
            revocations: revocations.into_iter().map(|raw| Arc::new(Entry::raw(raw))).collect(),
            rest: top.into_iter().map(|(key, raw)| (key, Rest(Arc::from(raw)))).collect(),
        })
    }

    /// Prints the file. Entries that nobody changed keep their text to the byte.
    pub(super) fn print(&self) -> String {
        let mut parts: BTreeMap<&str, String> = BTreeMap::new();
        parts.insert("version", VERSION.to_string());
        if let Some(id) = &self.store_id {
            parts.insert("store_id", quoted(id));
        }
        parts.insert("tenants", print_section(&self.tenants));
        parts.insert("pending", print_section(&self.pending));
        parts.insert("threads", print_section(&self.threads));
        parts.insert("revocations", print_list(&self.revocations));
        for (key, raw) in &self.rest {
            parts.insert(key, raw.0.get().to_owned());
        }
        let mut text = String::from("{");
        for (at, (key, value)) in parts.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(text, "{comma}\n  {}: {value}", quoted(key));
        }
        text.push_str("\n}\n");
        text
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

    /// Whether the two are the same to the byte, but for spaces between entries.
    pub(super) fn has_the_text_of(&self, other: &Self) -> bool {
        let owed = |document: &Self| -> Vec<String> {
            document.revocations.iter().map(|entry| entry.raw.get().to_owned()).collect()
        };
        let ours = self.rest.iter().map(|(key, raw)| (key, raw.0.get()));
        self.store_id == other.store_id
            && self.tenants.has_the_text_of(&other.tenants)
            && self.pending.has_the_text_of(&other.pending)
            && self.threads.has_the_text_of(&other.threads)
            && owed(self) == owed(other)
            && ours.eq(other.rest.iter().map(|(key, raw)| (key, raw.0.get())))
    }

    pub(super) fn apply(&mut self, changes: Changes) {
        self.tenants.apply(changes.tenants);
        self.pending.apply(changes.pending);
        self.threads.apply(changes.threads);
        let mut before = BTreeMap::new();
        self.revocations.retain(|entry| {
            let settled =
                entry.meaning("revocations", "").ok().filter(|owed| changes.settled.contains(&owed.id));
            let stays = settled.is_none();
            before.extend(settled.map(|owed| (owed.id.clone(), Arc::clone(entry))));
            stays
        });
        for owed in changes.owed {
            let raw = owed.write(before.get(&owed.id).map(|entry| entry.raw.get()));
            self.revocations.push(Arc::new(Entry { raw, meaning: OnceLock::from(Ok(Arc::new(owed))) }));
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn print_section<T>(section: &Section<T>) -> String {
    let lines =
        section.entries.iter().map(|(key, entry)| format!("\n    {}: {}", quoted(key), entry.raw.get()));
    wrapped('{', &lines.collect::<Vec<_>>(), '}')
}

fn print_list<T>(entries: &[Arc<Entry<T>>]) -> String {
    wrapped('[', &entries.iter().map(|entry| format!("\n    {}", entry.raw.get())).collect::<Vec<_>>(), ']')
}

fn wrapped(open: char, lines: &[String], close: char) -> String {
    if lines.is_empty() { format!("{open}{close}") } else { format!("{open}{}\n  {close}", lines.join(",")) }
}

#[cfg(test)]
mod tests;
