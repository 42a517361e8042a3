//! One map of the file: entries by key, understood one by one when asked for.
//!
//! Owns [`Section`]. Invariants: keys are sorted and stand once; an entry that nobody changed is printed as it was read
//! (F5), and one that cannot be understood fails alone. Entries lie in one piece of memory, since a program that asks for one of a
//! thousand pays for each page that it touches.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::EntryError;
use super::text::Text;
use crate::store::seal::{Opened, Pass, Seal, SealStanding, Spot, in_clear};
use crate::store::wire::Record;

/// An entry as it stands in the file, with its meaning once somebody has asked for it.
pub(super) struct Entry<T> {
    pub(super) raw: Text,
    meaning: OnceLock<Result<Arc<T>, String>>,
}

impl<T> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The raw text holds tokens (Z1), and so may what we do not know.
        f.write_str("Entry")
    }
}

impl<T> From<Text> for Entry<T> {
    fn from(raw: Text) -> Self {
        Self { raw, meaning: OnceLock::new() }
    }
}

impl<T: Record> Entry<T> {
    /// The entry for `value`, with what the one `before` held beyond what we know (F5), sealed if anything is.
    pub(super) fn of(value: T, before: Option<&Self>, seal: &Seal, section: &str, key: &str) -> Self {
        let before = before.map(|entry| {
            let raw = entry.raw.get();
            // One that does not open is not understood, and so not replaced.
            entry.opened(seal, section, key).unwrap_or(Opened::AsItStands(raw))
        });
        let mut open = in_clear(value.write(before.as_deref()));
        let bound_to = T::bound_to(key, &open);
        let sealed = seal.sealed(&T::SECRETS, Spot { section, entry: &bound_to }, &open);
        let raw = sealed.unwrap_or_else(|| std::mem::take(&mut *open)).into();
        Self { raw, meaning: OnceLock::from(Ok(Arc::new(value))) }
    }

    pub(super) fn meaning(
        &self,
        seal: &Seal,
        section: &'static str,
        key: &str,
    ) -> Result<Arc<T>, EntryError> {
        let read = || Ok(Arc::new(T::read(&self.opened(seal, section, key)?)?));
        let error = |why| EntryError { section, key: key.to_owned(), why };
        self.meaning.get_or_init(read).clone().map_err(error)
    }

    /// Its text, with what is secret in clear.
    fn opened(&self, seal: &Seal, section: &str, key: &str) -> Result<Opened<'_>, String> {
        let raw = self.raw.get();
        seal.opened(&T::SECRETS, Spot { section, entry: &T::bound_to(key, raw) }, raw)
    }

    /// Has it as `pass` wants it. Gives how many values stay as they are, since they do not open.
    pub(super) fn pass(&mut self, pass: Pass, seal: &Seal, section: &str, key: &str) -> usize {
        let raw = self.raw.get();
        let spot = Spot { section, entry: &T::bound_to(key, raw) };
        let (text, left) = seal.passed(pass, &T::SECRETS, spot, raw);
        if let Some(text) = text {
            self.raw = text.into();
        }
        left
    }

    pub(super) fn count(&self, seal: &Seal, section: &str, key: &str, standing: &mut SealStanding) {
        let raw = self.raw.get();
        seal.count(&T::SECRETS, Spot { section, entry: &T::bound_to(key, raw) }, raw, standing);
    }
}

/// One map of the file.
#[derive(Debug)]
pub(super) struct Section<T> {
    pub(super) name: &'static str,
    /// What opens its entries, and seals those that are new.
    pub(super) seal: Seal,
    /// Sorted by key.
    pub(super) entries: Vec<(Text, Entry<T>)>,
}

impl<T: Record> Section<T> {
    /// The section of these entries, in any order; of those with one key, the last.
    pub(super) fn of(name: &'static str, seal: &Seal, mut entries: Vec<(Text, Entry<T>)>) -> Self {
        if !entries.is_sorted_by(|(one, _), (next, _)| one.get() < next.get()) {
            // Turned round, so that the last of each key comes first and is the one that stays.
            entries.reverse();
            entries.sort_by(|(one, _), (next, _)| one.get().cmp(next.get()));
            entries.dedup_by(|(next, _), (one, _)| next.get() == one.get());
        }
        Self { name, seal: seal.clone(), entries }
    }

    pub(super) fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(known, _)| known.get().cmp(key))
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<Arc<T>>, EntryError> {
        let found = self.find(key).ok().and_then(|at| self.entries.get(at));
        found.map(|(_, entry)| entry.meaning(&self.seal, self.name, key)).transpose()
    }

    /// Whether the two are the same to the byte, but for spaces between entries.
    pub(super) fn has_the_text_of(&self, other: &Self) -> bool {
        let ours = self.entries.iter().map(|(key, entry)| (key.get(), entry.raw.get()));
        ours.eq(other.entries.iter().map(|(key, entry)| (key.get(), entry.raw.get())))
    }

    /// How many entries have been looked at: a measure of what a piece of work costs.
    #[cfg(test)]
    pub(super) fn looked_at(&self) -> usize {
        self.entries.iter().filter(|(_, entry)| entry.meaning.get().is_some()).count()
    }

    pub(super) fn readable(&self) -> impl Iterator<Item = (&str, Arc<T>)> {
        self.entries.iter().filter_map(|(key, entry)| {
            Some((key.get(), entry.meaning(&self.seal, self.name, key.get()).ok()?))
        })
    }

    pub(super) fn damaged(&self) -> impl Iterator<Item = EntryError> + '_ {
        self.entries.iter().filter_map(|(key, entry)| entry.meaning(&self.seal, self.name, key.get()).err())
    }

    /// Puts each value under its key; `None` removes.
    pub(super) fn apply(&mut self, changes: BTreeMap<String, Option<T>>) {
        for (key, change) in changes {
            match (self.find(&key), change) {
                (Ok(at), Some(value)) => {
                    if let Some((_, entry)) = self.entries.get_mut(at) {
                        *entry = Entry::of(value, Some(&*entry), &self.seal, self.name, &key);
                    }
                }
                (Err(at), Some(value)) => {
                    let entry = Entry::of(value, None, &self.seal, self.name, &key);
                    self.entries.insert(at, (key.into(), entry));
                }
                (Ok(at), None) => drop(self.entries.remove(at)),
                (Err(_), None) => {}
            }
        }
    }

    /// Has all entries as `pass` wants them. Gives how many values stay as they are.
    pub(super) fn pass(&mut self, pass: Pass) -> usize {
        let (seal, name) = (&self.seal, self.name);
        self.entries.iter_mut().map(|(key, entry)| entry.pass(pass, seal, name, key.get())).sum()
    }

    pub(super) fn count(&self, standing: &mut SealStanding) {
        for (key, entry) in &self.entries {
            entry.count(&self.seal, self.name, key.get(), standing);
        }
    }

    /// About how many bytes it takes to print it.
    pub(super) fn size(&self) -> usize {
        self.entries.iter().map(|(key, entry)| key.get().len() + entry.raw.get().len() + 12).sum()
    }

    pub(super) fn print(&self, text: &mut String) {
        let mut before = "{\n    ";
        for (key, entry) in &self.entries {
            text.push_str(before);
            before = ",\n    ";
            super::push_key(text, key.get());
            text.push_str(entry.raw.get());
        }
        text.push_str(if self.entries.is_empty() { "{}" } else { "\n  }" });
    }
}
