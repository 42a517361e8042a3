//! An entry as text: what this program knows of it, and what it does not.
//!
//! Owns the keeping of unknown fields (F5), in an entry and in those of its parts that are still of the same thing.
//! Invariants: they are kept to the byte, however odd (a number keeps all its digits); an entry does not grow with each
//! rewrite; keys stand sorted. Must not: look into what it does not know.

use std::collections::BTreeMap;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, forward_to_deserialize_any};
use serde_json::Value;
use serde_json::value::RawValue;

/// How deep in the file entries stand.
const DEPTH: usize = 2;

/// What this program knows of an entry, or of a part of one.
pub(super) trait Wire: for<'de> Deserialize<'de> + Serialize {
    /// Names to `parts` those parts of `before` that are still of the same thing.
    fn keep_parts(&self, before: &Self, parts: &mut Parts<'_>) {
        let _ = (before, parts);
    }
}

/// The text of an entry, with what `before` holds that this program does not know.
pub(super) fn print<W: Wire>(wire: &W, before: Option<&str>) -> Box<RawValue> {
    let mut node = serde_json::to_value(wire).map_or(Node::Plain(Value::Null), Node::from);
    if let Some(before) = before {
        keep(&mut node, wire, before);
    }
    let mut text = String::new();
    node.write(DEPTH, &mut text);
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Puts into `node`, which is `now`, what `before` holds beyond it.
fn keep<W: Wire>(node: &mut Node, now: &W, before: &str) {
    let (Node::Object(fields), Ok(all)) =
        (node, serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(before))
    else {
        return;
    };
    let known = names::<W>();
    let unknown = all.iter().filter(|(name, _)| !known.contains(&name.as_str()));
    fields.extend(unknown.map(|(name, raw)| (name.clone(), Node::Raw(raw.clone()))));
    if let Ok(typed) = serde_json::from_str(before) {
        now.keep_parts(&typed, &mut Parts { fields, before: &all });
    }
}

/// The parts of an entry, as they are and as they were.
pub(super) struct Parts<'a> {
    fields: &'a mut BTreeMap<String, Node>,
    before: &'a BTreeMap<String, Box<RawValue>>,
}

impl Parts<'_> {
    /// The object at `name`: its unknown fields stay if it is the `same`.
    pub(super) fn part<P: Wire>(
        &mut self,
        name: &str,
        now: Option<&P>,
        before: Option<&P>,
        same: impl FnOnce(&P, &P) -> bool,
    ) {
        if let (Some(now), Some(before)) = (now, before)
            && same(now, before)
            && let (Some(node), Some(raw)) = (self.fields.get_mut(name), self.before.get(name))
        {
            keep(node, now, raw.get());
        }
    }

    /// The object at `name`, of which only the texts are known: whatever else was in it stays.
    pub(super) fn texts(&mut self, name: &str) {
        let Some(raw) = self.before.get(name) else { return };
        let Ok(all) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(raw.get()) else {
            return self.unread(name);
        };
        let others: BTreeMap<String, Node> = all
            .into_iter()
            .filter(|(_, raw)| !is_text(raw))
            .map(|(name, raw)| (name, Node::Raw(raw)))
            .collect();
        if others.is_empty() {
            return;
        }
        let node = self.fields.entry(name.to_owned()).or_insert_with(|| Node::Object(BTreeMap::new()));
        if let Node::Object(fields) = node {
            fields.extend(others);
        }
    }

    /// What stood at `name` and is of no shape that this program reads: it stays, unless something is there now.
    pub(super) fn unread(&mut self, name: &str) {
        if let Some(raw) = self.before.get(name) {
            self.fields.entry(name.to_owned()).or_insert_with(|| Node::Raw(raw.clone()));
        }
    }

    /// The objects listed at `name`: those that were there before, as `same` tells, keep their unknown fields.
    pub(super) fn list<P: Wire>(
        &mut self,
        name: &str,
        now: &[P],
        before: &[P],
        same: impl Fn(&P, &P) -> bool,
    ) {
        let Some(Node::List(nodes)) = self.fields.get_mut(name) else { return };
        let raws: Vec<Box<RawValue>> =
            self.before.get(name).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        for (node, now) in nodes.iter_mut().zip(now) {
            let at = before.iter().position(|before| same(now, before));
            if let Some(raw) = at.and_then(|at| raws.get(at)) {
                keep(node, now, raw.get());
            }
        }
    }
}

fn is_text(raw: &RawValue) -> bool {
    raw.get().starts_with('"')
}

/// Reads what is of the shape of `T`; whatever else is absent, and is no reason not to understand the entry: files from
/// before this field had a meaning may hold anything there.
pub(super) fn if_readable<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

/// Reads the texts of an object, if it is one.
pub(super) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let all: BTreeMap<String, Box<RawValue>> = if_readable(deserializer)?.unwrap_or_default();
    let texts = all.into_iter().filter_map(|(name, raw)| Some((name, serde_json::from_str(raw.get()).ok()?)));
    Ok(texts.collect())
}

/// JSON with parts that are only passed on.
enum Node {
    Plain(Value),
    Raw(Box<RawValue>),
    List(Vec<Node>),
    Object(BTreeMap<String, Node>),
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        match value {
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(fields) => {
                Self::Object(fields.into_iter().map(|(name, value)| (name, value.into())).collect())
            }
            plain => Self::Plain(plain),
        }
    }
}

impl Node {
    /// Writes it as it stands `depth` levels deep. What is only passed on keeps its own line breaks as they are.
    fn write(&self, depth: usize, out: &mut String) {
        match self {
            Self::Plain(value) => out.push_str(&value.to_string()),
            Self::Raw(raw) => out.push_str(raw.get()),
            Self::List(items) => {
                lines(('[', ']'), items, depth, out, |item, out| item.write(depth + 1, out));
            }
            Self::Object(fields) => lines(('{', '}'), fields, depth, out, |(name, value), out| {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push_str(": ");
                value.write(depth + 1, out);
            }),
        }
    }
}

fn lines<T>(
    (open, close): (char, char),
    items: impl IntoIterator<Item = T>,
    depth: usize,
    out: &mut String,
    mut write: impl FnMut(T, &mut String),
) {
    let mut empty = true;
    out.push(open);
    for item in items {
        out.push_str(if empty { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
        write(item, out);
        empty = false;
    }
    if !empty {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
    out.push(close);
}

/// The names of the fields of `W`: those that it asks a deserializer for.
pub(super) fn names<W: Wire>() -> &'static [&'static str] {
    struct Asked<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Asked<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(Self::Error::custom("it was only asked"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    // The answer is the question; that nothing comes of it is meant.
    drop(W::deserialize(Asked(&mut names)));
    names
}
