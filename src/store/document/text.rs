//! The bytes of an auth file as pieces of text, found in one pass.
//!
//! Owns [`Text`] and the finding of sections and entries. Invariants: an entry's text stays where it was read, since one
//! that nobody asks for must cost next to nothing; no error shows a value. Must not: understand an entry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::ParseError;
use super::scan::Scan;
use super::section::Entry;
use crate::binding::{Binding, OwedRevocation};
use crate::credential::Credential;
use crate::pending::PendingLogin;

/// A piece of JSON text: of the file as it was read, which all its pieces share, or a whole of its own.
#[derive(Clone)]
pub(super) struct Text {
    whole: Arc<String>,
    start: usize,
    end: usize,
}

impl Text {
    pub(super) fn get(&self) -> &str {
        self.whole.get(self.start..self.end).unwrap_or_default()
    }

    fn within(whole: &Arc<String>, range: Range<usize>) -> Self {
        Self { whole: Arc::clone(whole), start: range.start, end: range.end }
    }

    /// The key that stands at `range`, quotes included: a piece of the file, unless it is written with escapes.
    fn key(whole: &Arc<String>, range: Range<usize>) -> Option<Self> {
        let quoted = whole.get(range.clone())?;
        if quoted.contains('\\') {
            return Some(serde_json::from_str::<String>(quoted).ok()?.into());
        }
        Some(Self::within(whole, range.start + 1..range.end.saturating_sub(1)))
    }
}

impl From<String> for Text {
    fn from(whole: String) -> Self {
        Self { start: 0, end: whole.len(), whole: Arc::new(whole) }
    }
}

impl From<Box<RawValue>> for Text {
    fn from(raw: Box<RawValue>) -> Self {
        String::from(Box::<str>::from(raw)).into()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It holds tokens (Z1), and so may what we do not know.
        f.write_str("Text")
    }
}

/// Entries in the order of the file, by their keys.
type Entries<T> = Vec<(Text, Entry<T>)>;

/// The sections of a file. What is not there is empty.
#[derive(Default)]
pub(super) struct Sections {
    pub store_id: Option<String>,
    /// Of a file that is sealed: with what.
    pub sealing: Option<Text>,
    pub tenants: Entries<Credential>,
    pub pending: Entries<PendingLogin>,
    pub threads: Entries<Binding>,
    pub revocations: Vec<Entry<OwedRevocation>>,
    pub rest: BTreeMap<String, Text>,
}

/// Finds the sections of `whole`, whose version must be one of ours.
pub(super) fn sections(whole: &Arc<String>) -> Result<Sections, ParseError> {
    let found =
        Finding { whole, scan: Scan::new(whole), version: None, wrong: None, seen: BTreeSet::new() }.run();
    let corrupt = |why: &str| Err(ParseError::Corrupt(why.to_owned()));
    let Some((version, wrong, sections)) = found else {
        // Of JSON that is none, the library tells best where.
        return match serde_json::from_str::<IgnoredAny>(whole) {
            Err(error) => Err(ParseError::Corrupt(error.to_string())),
            Ok(_) => corrupt("it is no object, or a key of it is no text"),
        };
    };
    match version.as_ref().map(Text::get) {
        Some(version @ ("1" | "2")) => match wrong {
            Some(why) => Err(ParseError::Corrupt(why)),
            None if (version == "2") == sections.sealing.is_some() => Ok(sections),
            None if version == "1" => corrupt("\"sealing\" stands in a file of version 1"),
            None => corrupt("\"version\" is 2, and it has no \"sealing\""),
        },
        // In a file of a newer version anything may look different: that is not damage (F5).
        Some(newer) if newer.parse::<f64>().is_ok_and(|version| version > 1.0) => {
            Err(ParseError::Newer(newer.chars().take(20).collect()))
        }
        Some(_) => corrupt("\"version\" is neither 1 nor 2"),
        None => corrupt("it has no \"version\""),
    }
}

fn wrong_type(section: &str) -> String {
    format!("{section:?} is of the wrong type")
}

/// One pass over a file.
struct Finding<'a> {
    whole: &'a Arc<String>,
    scan: Scan<'a>,
    version: Option<Text>,
    /// What is wrong with a section.
    wrong: Option<String>,
    /// The sections that were found.
    seen: BTreeSet<String>,
}

impl Finding<'_> {
    fn run(mut self) -> Option<(Option<Text>, Option<String>, Sections)> {
        let mut found = Sections::default();
        let mut more = self.scan.enters(b'{', b'}')?;
        while more {
            let key = self.scan.key()?;
            let key = Text::key(self.whole, key)?;
            if !self.seen.insert(key.get().to_owned()) {
                // Whichever of the two were taken, the other would be lost with the next write.
                self.wrong = Some("a section stands twice".to_owned());
            }
            match key.get() {
                "version" => self.version = Some(self.piece()?),
                "store_id" => {
                    found.store_id = serde_json::from_str(self.piece()?.get()).ok();
                    if found.store_id.is_none() {
                        self.wrong = Some(wrong_type("store_id"));
                    }
                }
                "sealing" => found.sealing = Some(self.piece()?),
                "tenants" => found.tenants = self.entries("tenants")?,
                "pending" => found.pending = self.entries("pending")?,
                "threads" => found.threads = self.entries("threads")?,
                "revocations" => found.revocations = self.items("revocations")?,
                other => drop(found.rest.insert(other.to_owned(), self.piece()?)),
            }
            more = self.scan.goes_on(b'}')?;
        }
        self.scan.is_at_end().then_some((self.version, self.wrong, found))
    }

    fn piece(&mut self) -> Option<Text> {
        Some(Text::within(self.whole, self.scan.value()?))
    }

    fn entries<T>(&mut self, name: &'static str) -> Option<Entries<T>> {
        let mut more = self.is_open(name, b'{')? && self.scan.enters(b'{', b'}')?;
        // Entries are mostly longer than this, and a list that grows is copied into fresh pages again and again.
        let expected = if more { self.whole.len() / 1_024 } else { 0 };
        let mut entries = Vec::with_capacity(expected);
        while more {
            let key = self.scan.key()?;
            entries.push((Text::key(self.whole, key)?, self.piece()?.into()));
            more = self.scan.goes_on(b'}')?;
        }
        Some(entries)
    }

    fn items<T>(&mut self, name: &'static str) -> Option<Vec<Entry<T>>> {
        let mut items = Vec::new();
        let mut more = self.is_open(name, b'[')? && self.scan.enters(b'[', b']')?;
        while more {
            items.push(self.piece()?.into());
            more = self.scan.goes_on(b']')?;
        }
        Some(items)
    }

    /// Whether the section `name` begins with `open`; if not, it is passed and noted.
    fn is_open(&mut self, name: &'static str, open: u8) -> Option<bool> {
        let is_open = self.scan.peek()? == open;
        if !is_open {
            self.scan.value()?;
            self.wrong = Some(wrong_type(name));
        }
        Some(is_open)
    }
}
