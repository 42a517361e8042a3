//! The members of a JSON object, in their order, each as the text that it was.
//!
//! Owns reading and changing them. Invariant: what nobody sets or removes comes out as it went in, to the byte. Must not: know
//! any program's file.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// An object's members. No `Debug`, since they hold tokens.
#[derive(Clone, Default)]
pub(super) struct Members {
    entries: Vec<(String, Box<RawValue>)>,
    has_changed: bool,
}

/// What stands where an object should.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAnObject;

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some(entry) = map.next_entry()? {
                    members.entries.push(entry);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Each)
    }
}

impl Members {
    /// Reads the object that `text` is.
    pub fn parse(text: &str) -> Result<Self, NotAnObject> {
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|_| NotAnObject)
    }

    /// The member `name`, by its last value where it has several, as programs read it.
    fn get(&self, name: &str) -> Option<&RawValue> {
        self.entries.iter().rev().find(|(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// Whether the member `name` is there.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The text in the member `name`, unless it is blank.
    pub fn text(&self, name: &str) -> Option<String> {
        let text: String = serde_json::from_str(self.get(name)?.get()).ok()?;
        (!text.trim().is_empty()).then_some(text)
    }

    /// Whether the member `name` is there with anything but null or a blank text, in any of its values.
    pub fn holds(&self, name: &str) -> bool {
        let of_name = self.entries.iter().filter(|(found, _)| found == name);
        let mut values = of_name.map(|(_, value)| serde_json::from_str(value.get()).unwrap_or(Value::Null));
        values.any(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        })
    }

    /// The object in the member `name`; nothing where it is null or not there.
    pub fn object(&self, name: &str) -> Result<Option<Self>, NotAnObject> {
        match self.get(name) {
            None => Ok(None),
            Some(value) if value.get() == "null" => Ok(None),
            Some(value) => Self::parse(value.get()).map(Some),
        }
    }

    /// Makes `value` the one value of the member `name`.
    pub fn set(&mut self, name: &str, value: &Value) {
        let mut same = self.entries.iter().filter(|(found, _)| found == name);
        let is_it = |raw: &RawValue| serde_json::from_str::<Value>(raw.get()).is_ok_and(|old| old == *value);
        if same.next().is_some_and(|(_, old)| is_it(old)) && same.next().is_none() {
            return;
        }
        self.put_text(name, value.to_string());
    }

    /// Makes the member `name` the object `inner`, if that has changed.
    pub fn set_object(&mut self, name: &str, inner: &Self) {
        if inner.has_changed || self.entries.iter().filter(|(found, _)| found == name).count() != 1 {
            self.put_text(name, inner.render(1));
        }
    }

    fn put_text(&mut self, name: &str, text: String) {
        let Ok(raw) = RawValue::from_string(text) else { return };
        let place = self.entries.iter().position(|(found, _)| found == name).unwrap_or(self.entries.len());
        self.entries.retain(|(found, _)| found != name);
        self.entries.insert(place, (name.to_owned(), raw));
        self.has_changed = true;
    }

    /// Takes the member `name` out.
    pub fn remove(&mut self, name: &str) {
        let before = self.entries.len();
        self.entries.retain(|(found, _)| found != name);
        self.has_changed |= self.entries.len() != before;
    }

    /// Whether anything was changed.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }

    /// The object's text, its members one a line, where it stands `depth` objects deep.
    pub fn render(&self, depth: usize) -> String {
        if self.entries.is_empty() {
            return "{}".to_owned();
        }
        let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
        let line = |(name, value): &(String, Box<RawValue>)| {
            format!("{inner}{}: {}", Value::from(name.as_str()), value.get())
        };
        let lines: Vec<_> = self.entries.iter().map(line).collect();
        format!("{{\n{}\n{outer}}}", lines.join(",\n"))
    }
}
