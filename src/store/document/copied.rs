//! Entries on their way between a document and a copy of it elsewhere.
//!
//! Owns [`RawEntry`]: what `latchkey export` takes and `latchkey restore` brings back. Invariants: an entry goes along with what is
//! not known of it (F5), and one that cannot be understood as it is; what stands there already is not touched by it; a copy is in
//! clear, and what is put into a document is sealed as that document is. Must not: judge which entries may be brought back.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::section::{Entry, Section};
use super::text::Text;
use super::{Document, ParseError};
use crate::store::seal::{Pass, Seal, SealStanding};
use crate::store::wire::Record;

/// One entry as it stands in the file. Its text holds secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawEntry<'a> {
    /// The section it stands in.
    pub section: &'a str,
    /// Its key there. A revocation has none; nor has a section that is not known, which is one entry.
    pub key: Option<&'a str>,
    /// Its JSON text.
    pub text: &'a str,
}

impl fmt::Debug for RawEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text holds tokens (Z1).
        f.debug_struct("RawEntry")
            .field("section", &self.section)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl RawEntry<'_> {
    pub(in crate::store) fn owned(self) -> Copied {
        let Self { section, key, text } = self;
        Copied { section: section.to_owned(), key: key.map(str::to_owned), text: text.to_owned() }
    }
}

/// An entry of a copy that is to be put into a document.
pub(in crate::store) struct Copied {
    section: String,
    key: Option<String>,
    text: String,
}

impl fmt::Debug for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Copied")
    }
}

/// Why a text is no copy of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It is none, for this reason, which shows no value.
    Damaged(String),
    /// Its entries have this version, which is later than ours.
    Newer(String),
}

impl From<ParseError> for Unreadable {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Corrupt(why) => Self::Damaged(why),
            ParseError::Newer(version) => Self::Newer(version),
            ParseError::Sealed(error) => Self::Damaged(error.to_string()),
            ParseError::Keys(error) => Self::Damaged(error.to_string()),
        }
    }
}

impl Document {
    /// Reads a copy that [`Document::raw_entries`] was printed into.
    ///
    /// # Errors
    /// When it is none.
    pub fn of_copy(text: String) -> Result<Self, Unreadable> {
        Ok(Self::parse(&Arc::new(text), &Seal::default())?)
    }

    /// The same document with what is secret in clear, whatever it is sealed with. A value that does not open stays as it is.
    ///
    /// # Errors
    /// When its own print cannot be read, which would be a bug.
    pub fn in_clear(&self) -> Result<Self, Unreadable> {
        let mut copy = Self::parse(&Arc::new(self.print()), &self.seal)?;
        copy.pass(Pass::Open);
        Ok(copy)
    }

    /// Section and key of the entries, logins under way apart, that hold something sealed which does not open here. In a copy, which
    /// has no keys, that is all that is sealed.
    #[must_use]
    pub fn unopened(&self) -> Vec<(&'static str, &str)> {
        let owed = self.revocations.iter().filter(|entry| entry.is_shut(&self.seal, "revocations", ""));
        self.tenants.shut().chain(owed.map(|_| ("revocations", ""))).collect()
    }

    /// Every entry, in the order of the file: sections that are not known come last, each as one.
    pub fn raw_entries(&self) -> impl Iterator<Item = RawEntry<'_>> {
        let owed = self.revocations.iter().map(|entry| RawEntry {
            section: "revocations",
            key: None,
            text: entry.raw.get(),
        });
        let rest = self.rest.iter().map(|(section, text)| RawEntry { section, key: None, text: text.get() });
        self.tenants.raw().chain(self.pending.raw()).chain(self.threads.raw()).chain(owed).chain(rest)
    }

    /// Puts entries of a copy where there is nothing yet.
    pub(super) fn take_over(&mut self, copied: Vec<Copied>) {
        for Copied { section, key, text } in copied {
            match (&*section, key) {
                ("tenants", Some(key)) => self.tenants.take_over(key, text),
                ("threads", Some(key)) => self.threads.take_over(key, text),
                ("revocations", None) => {
                    self.revocations.push(Entry::copied(text, &self.seal, "revocations", ""));
                }
                (_, None) => drop(self.rest.entry(section).or_insert_with(|| text.into())),
                // Logins under way are of their own time and place.
                _ => {}
            }
        }
    }
}

impl<T: Record + Clone> Entry<T> {
    /// The entry for `text`, as this program would write it; as it is, where it cannot be understood. Sealed, either way.
    fn copied(text: String, seal: &Seal, section: &'static str, key: &str) -> Self {
        let mut entry = Self::from(Text::from(text));
        if let Ok(value) = entry.meaning(seal, section, key) {
            return Self::of((*value).clone(), Some(&entry), seal, section, key);
        }
        entry.pass(Pass::Seal, seal, section, key);
        entry
    }
}

impl<T: Record> Entry<T> {
    /// Whether something sealed in it does not open.
    fn is_shut(&self, seal: &Seal, section: &str, key: &str) -> bool {
        let mut standing = SealStanding::default();
        self.count(seal, section, key, &mut standing);
        standing.unopened > 0
    }
}

impl<T: Record + Clone> Section<T> {
    fn shut(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let shut = |(_, entry): &&(Text, Entry<T>), key: &str| entry.is_shut(&self.seal, self.name, key);
        let entries = self.entries.iter().filter(move |found| shut(found, found.0.get()));
        entries.map(|(key, _)| (self.name, key.get()))
    }

    fn raw(&self) -> impl Iterator<Item = RawEntry<'_>> {
        let section = self.name;
        self.entries.iter().map(move |(key, entry)| RawEntry {
            section,
            key: Some(key.get()),
            text: entry.raw.get(),
        })
    }

    fn take_over(&mut self, key: String, text: String) {
        if let Err(at) = self.find(&key) {
            let entry = Entry::copied(text, &self.seal, self.name, &key);
            self.entries.insert(at, (key.into(), entry));
        }
    }

    /// Puts `texts` under their keys, for the values that are about to replace them.
    pub(super) fn put_texts(&mut self, texts: BTreeMap<String, String>) {
        for (key, text) in texts {
            let entry = Entry::from(Text::from(text));
            match self.find(&key) {
                Ok(at) => self.entries[at].1 = entry,
                Err(at) => self.entries.insert(at, (key.into(), entry)),
            }
        }
    }
}
