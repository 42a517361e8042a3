//! The bytes of an auth file as pieces of text, found in one pass.
//!
//! Owns [`Text`] and the finding of sections and entries. Invariants: an entry's text is where it was read, not copied,
//! since one that nobody asks for must cost next to nothing; no error shows a value. Must not: understand an entry.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::ParseError;

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

    /// The piece of `whole` that is `raw`.
    fn within(whole: &Arc<String>, raw: &RawValue) -> Self {
        let start = raw.get().as_ptr().addr().saturating_sub(whole.as_ptr().addr());
        Self { whole: Arc::clone(whole), start, end: start.saturating_add(raw.get().len()) }
    }
}

impl From<Box<RawValue>> for Text {
    fn from(raw: Box<RawValue>) -> Self {
        let whole = String::from(Box::<str>::from(raw));
        Self { start: 0, end: whole.len(), whole: Arc::new(whole) }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It holds tokens (Z1), and so may what we do not know.
        f.write_str("Text")
    }
}

/// The entries of a map of the file, in the order of the file.
pub(super) type Entries = Vec<(String, Text)>;

/// The sections of a file. What is not there is empty.
#[derive(Default)]
pub(super) struct Sections {
    pub store_id: Option<String>,
    pub tenants: Entries,
    pub pending: Entries,
    pub threads: Entries,
    pub revocations: Vec<Text>,
    pub rest: BTreeMap<String, Text>,
}

/// Finds the sections of `whole`, whose version must be ours.
pub(super) fn sections(whole: &Arc<String>) -> Result<Sections, ParseError> {
    let mut deserializer = serde_json::Deserializer::from_str(whole);
    let found =
        Top(whole).deserialize(&mut deserializer).and_then(|found| deserializer.end().map(|()| found));
    let version = match &found {
        Ok((version, _)) => version.as_ref().map(|text| text.get().to_owned()),
        // In a file of a newer version anything may look different: that is not damage (F5).
        Err(_) => version_alone(whole),
    };
    if let Some(newer) = version.as_deref().filter(|text| text.parse::<f64>().is_ok_and(|v| v > 1.0)) {
        return Err(ParseError::Newer(newer.chars().take(20).collect()));
    }
    let (_, sections) = found.map_err(|error| ParseError::Corrupt(explained(&error)))?;
    match version.as_deref() {
        Some("1") => Ok(sections),
        Some(_) => Err(ParseError::Corrupt("\"version\" is not 1".to_owned())),
        None => Err(ParseError::Corrupt("it has no \"version\"".to_owned())),
    }
}

fn version_alone(whole: &str) -> Option<String> {
    let top: BTreeMap<String, &RawValue> = serde_json::from_str(whole).ok()?;
    Some((*top.get("version")?).get().to_owned())
}

fn explained(error: &serde_json::Error) -> String {
    match error.classify() {
        // serde's own text may quote what stands there.
        serde_json::error::Category::Data => {
            format!("a part of it is of the wrong type, near line {} column {}", error.line(), error.column())
        }
        _ => error.to_string(),
    }
}

/// The file itself: gives its version, and its sections.
struct Top<'a>(&'a Arc<String>);

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = (Option<Text>, Sections);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = (Option<Text>, Sections);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let whole = self.0;
        let (mut version, mut sections) = (None, Sections::default());
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "version" => version = Some(Text::within(whole, map.next_value()?)),
                "store_id" => sections.store_id = Some(map.next_value()?),
                "tenants" => sections.tenants = map.next_value_seed(Map(whole))?,
                "pending" => sections.pending = map.next_value_seed(Map(whole))?,
                "threads" => sections.threads = map.next_value_seed(Map(whole))?,
                "revocations" => sections.revocations = map.next_value_seed(List(whole))?,
                _ => drop(sections.rest.insert(key, Text::within(whole, map.next_value()?))),
            }
        }
        Ok((version, sections))
    }
}

/// The entries of a map.
struct Map<'a>(&'a Arc<String>);

impl<'de> DeserializeSeed<'de> for Map<'_> {
    type Value = Entries;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entries, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Map<'_> {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut pieces = Vec::new();
        while let Some((key, raw)) = map.next_entry::<String, &RawValue>()? {
            pieces.push((key, Text::within(self.0, raw)));
        }
        Ok(pieces)
    }
}

/// The items of a list.
struct List<'a>(&'a Arc<String>);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = Vec<Text>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Text>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = Vec<Text>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Text>, A::Error> {
        let mut pieces = Vec::new();
        while let Some(raw) = list.next_element::<&RawValue>()? {
            pieces.push(Text::within(self.0, raw));
        }
        Ok(pieces)
    }
}
