//! Reading typed values out of TOML tables, problems collected on the way.
//!
//! Owns [`Section`]: a table, and behind it perhaps one of built-in values. Invariant: a key that nobody asked for is a
//! problem, named with the nearest that somebody did. Must not: know what the keys mean.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};
use url::Url;

use super::problem::Problem;
use crate::provider::{Texts, is_bare, is_safe};

/// The problems found so far in one text.
pub(super) struct Problems<'t> {
    text: &'t str,
    found: Vec<(usize, Problem)>,
}

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    pub(super) fn add(
        &mut self,
        span: Option<Range<usize>>,
        key: &str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let start = span.map(|span| span.start.min(self.text.len()));
        let (line, column) = start.map(|start| place(self.text, start)).unzip();
        let problem = Problem { line, column, key: key.to_owned(), what: what.into(), remedy: remedy.into() };
        self.found.push((start.unwrap_or(usize::MAX), problem));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them, in the order of the text; those that stand nowhere come last.
    pub(super) fn into_vec(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|(start, _)| *start);
        self.found.into_iter().map(|(_, problem)| problem).collect()
    }
}

/// Line and column of the byte at `start`, as editors count them: from 1, and in characters.
fn place(text: &str, start: usize) -> (usize, usize) {
    let before = String::from_utf8_lossy(&text.as_bytes()[..start]);
    let (line, last) = before.split('\n').enumerate().last().unwrap_or_default();
    (line + 1, last.chars().count() + 1)
}

/// A value and where it stands; nowhere, if it is built in.
pub(super) struct Found<'d, 't> {
    pub(super) value: &'d DeValue<'t>,
    pub(super) span: Option<Range<usize>>,
}

/// A table that is being read.
pub(super) struct Section<'d, 't> {
    /// Its dotted path.
    pub(super) path: String,
    /// Where it begins.
    pub(super) span: Option<Range<usize>>,
    own: Option<&'d DeTable<'t>>,
    fallback: Option<&'d DeTable<'t>>,
    asked: BTreeSet<&'static str>,
    refused: BTreeSet<&'static str>,
}

impl<'d, 't> Section<'d, 't> {
    pub(super) fn root(table: &'d DeTable<'t>) -> Self {
        Self::new(String::new(), None, Some(table), None)
    }

    pub(super) fn new(
        path: String,
        span: Option<Range<usize>>,
        own: Option<&'d DeTable<'t>>,
        fallback: Option<&'d DeTable<'t>>,
    ) -> Self {
        Self { path, span, own, fallback, asked: BTreeSet::new(), refused: BTreeSet::new() }
    }

    /// The dotted path of a key of this table.
    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The value of `name`: the operator's, else the built-in.
    pub(super) fn get(&mut self, name: &'static str) -> Option<Found<'d, 't>> {
        self.asked.insert(name);
        let own = self.own.and_then(|table| table.get(name));
        own.map(|found| Found { value: found.get_ref(), span: Some(found.span()) }).or_else(|| {
            let built_in = self.fallback.and_then(|table| table.get(name))?;
            Some(Found { value: built_in.get_ref(), span: None })
        })
    }

    /// Whether the operator has written `name`.
    pub(super) fn is_own(&mut self, name: &'static str) -> bool {
        self.get(name).is_some_and(|found| found.span.is_some())
    }

    /// The built-in text of `name`, whatever the operator has written.
    pub(super) fn built_in(&self, name: &str) -> Option<&'d str> {
        self.fallback?.get(name)?.get_ref().as_str()
    }

    /// A key that must not be here, with the reason and the remedy.
    pub(super) fn refuse(
        &mut self,
        name: &'static str,
        what: &str,
        remedy: &str,
        problems: &mut Problems<'_>,
    ) {
        self.refused.insert(name);
        if let Some(found) = self.own.and_then(|table| table.get(name)) {
            problems.add(Some(found.span()), &self.key(name), what, remedy);
        }
    }

    fn typed<T>(
        &mut self,
        name: &'static str,
        wanted: &str,
        problems: &mut Problems<'_>,
        read: impl FnOnce(&'d DeValue<'t>) -> Option<T>,
    ) -> Option<T> {
        let found = self.get(name)?;
        let value = read(found.value);
        if value.is_none() {
            problems.add(found.span, &self.key(name), format!("is not {wanted}"), format!("write {wanted}"));
        }
        value
    }

    pub(super) fn string(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<String> {
        self.typed(name, "a quoted text, not empty", problems, |value| {
            value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        })
    }

    pub(super) fn boolean(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<bool> {
        self.typed(name, "true or false", problems, DeValue::as_bool)
    }

    /// A whole number, `least` or more.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        least: u64,
        problems: &mut Problems<'_>,
    ) -> Option<u64> {
        let wanted = format!("a whole number, {least} or more");
        self.typed(name, &wanted, problems, |value| whole(value).filter(|number| *number >= least))
    }

    pub(super) fn strings(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<Vec<String>> {
        self.typed(name, "a list of quoted texts", problems, |value| {
            let items = value.as_array()?.iter();
            items.map(|item| item.get_ref().as_str().map(|text| text.trim().to_owned())).collect()
        })
    }

    pub(super) fn numbers(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<Vec<u64>> {
        self.typed(name, "a list of whole numbers", problems, |value| {
            value.as_array()?.iter().map(|item| whole(item.get_ref())).collect()
        })
    }

    /// A Discord id: digits in quotes.
    pub(super) fn id(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<u64> {
        let found = self.get(name)?;
        id_of(found.value, found.span, &self.key(name), problems)
    }

    pub(super) fn ids(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Vec<u64> {
        let items = self.typed(name, "a list of ids in quotes", problems, DeValue::as_array);
        let key = self.key(name);
        let read = |item: &Spanned<DeValue<'_>>| id_of(item.get_ref(), Some(item.span()), &key, problems);
        items.map(|items| items.iter().filter_map(read).collect()).unwrap_or_default()
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&str, T)],
        problems: &mut Problems<'_>,
    ) -> Option<T> {
        let wanted = one_of(words);
        self.typed(name, &wanted, problems, |value| pick(value.as_str()?, words))
    }

    /// A list of a few words.
    pub(super) fn choices<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&str, T)],
        problems: &mut Problems<'_>,
    ) -> Option<Vec<T>> {
        let wanted = format!("a list of {}", one_of(words));
        self.typed(name, &wanted, problems, |value| {
            value.as_array()?.iter().map(|item| pick(item.get_ref().as_str()?, words)).collect()
        })
    }

    /// An address that secrets may be sent to: HTTPS, or HTTP on this host.
    pub(super) fn endpoint(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<Url> {
        self.typed(name, "an https address (http only on this host)", problems, |value| {
            let url = Url::parse(value.as_str()?.trim()).ok()?;
            (is_bare(&url) && is_safe(&url)).then_some(url)
        })
    }

    /// Names and texts.
    pub(super) fn pairs(
        &mut self,
        name: &'static str,
        problems: &mut Problems<'_>,
    ) -> Option<Vec<(String, String)>> {
        self.typed(name, "a table of quoted texts", problems, pairs_of)
    }

    /// A text for people: in one language, or in several by their tags.
    pub(super) fn texts(&mut self, name: &'static str, problems: &mut Problems<'_>) -> Option<Texts> {
        let wanted = "a text for people: quoted, or { en = \"…\", de = \"…\" }";
        self.typed(name, wanted, problems, |value| {
            let by_tag = match value.as_str() {
                Some(text) => vec![("en".to_owned(), text.trim().to_owned())],
                None => pairs_of(value)?,
            };
            Texts::new(by_tag)
        })
    }

    /// A table inside, behind it the built-in one. None if neither is there.
    pub(super) fn table(
        &mut self,
        name: &'static str,
        problems: &mut Problems<'_>,
    ) -> Option<Section<'d, 't>> {
        let fallback =
            self.fallback.and_then(|table| table.get(name)).and_then(|found| found.get_ref().as_table());
        let found = self.get(name)?;
        let Some(table) = found.value.as_table() else {
            let key = self.key(name);
            problems.add(found.span, &key, "is not a table", format!("write [{key}]"));
            return None;
        };
        let own = found.span.is_some().then_some(table);
        let span = self.own.and_then(|table| table.get_key_value(name)).map(|(key, _)| key.span());
        Some(Section::new(self.key(name), span, own, fallback))
    }

    /// The tables inside, by name, with where each begins.
    pub(super) fn entries(
        &self,
        problems: &mut Problems<'_>,
    ) -> Vec<(String, Range<usize>, &'d DeTable<'t>)> {
        let mut tables = Vec::new();
        for (name, value) in self.own.into_iter().flatten() {
            if let Some(table) = value.get_ref().as_table() {
                tables.push((name.get_ref().to_string(), name.span(), table));
            } else {
                let key = self.key(name.get_ref());
                problems.add(Some(value.span()), &key, "is not a table", format!("write [{key}]"));
            }
        }
        tables
    }

    pub(super) fn missing(&self, name: &str, what: &str, remedy: &str, problems: &mut Problems<'_>) {
        problems.add(self.span.clone(), &self.key(name), what, remedy);
    }

    /// Reports every key that was never asked for.
    pub(super) fn finish(self, problems: &mut Problems<'_>) {
        for (name, _) in self.own.into_iter().flatten() {
            let text: &str = name.get_ref();
            if self.asked.contains(text) || self.refused.contains(text) {
                continue;
            }
            let remedy = match nearest(text, &self.asked) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known here: {}", self.asked.iter().copied().collect::<Vec<_>>().join(", ")),
            };
            problems.add(Some(name.span()), &self.key(text), "unknown key", remedy);
        }
    }
}

/// The known key that `text` is most likely meant to be.
pub(super) fn nearest<'k>(text: &str, known: &BTreeSet<&'k str>) -> Option<&'k str> {
    let distance = |known: &str| strsim::damerau_levenshtein(text, known);
    let best = known.iter().copied().min_by_key(|known| distance(known))?;
    let contained = best.len() > 3 && (text.contains(best) || best.contains(text));
    (distance(best) <= 1 + text.len() / 4 || contained).then_some(best)
}

fn pairs_of(value: &DeValue<'_>) -> Option<Vec<(String, String)>> {
    let pair = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = name.get_ref();
        Some((name.to_string(), value.get_ref().as_str()?.to_owned()))
    };
    value.as_table()?.iter().map(pair).collect()
}

fn one_of<T>(words: &[(&str, T)]) -> String {
    let words: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    format!("one of {}", words.join(", "))
}

fn pick<T: Copy>(text: &str, words: &[(&str, T)]) -> Option<T> {
    words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
}

fn whole(value: &DeValue<'_>) -> Option<u64> {
    value.as_integer().and_then(integer)
}

fn integer(value: &DeInteger<'_>) -> Option<u64> {
    u64::from_str_radix(value.as_str(), value.radix()).ok()
}

fn id_of(
    value: &DeValue<'_>,
    span: Option<Range<usize>>,
    key: &str,
    problems: &mut Problems<'_>,
) -> Option<u64> {
    if let Some(number) = value.as_integer() {
        let remedy = format!("write \"{number}\": many programs round numbers as large as this");
        problems.add(span, key, "an id must stand in quotes", remedy);
        return None;
    }
    let id = value.as_str().and_then(|text| text.trim().parse::<u64>().ok()).filter(|id| *id != 0);
    if id.is_none() {
        let remedy = "in Discord, turn on Developer Mode, right-click it and choose Copy ID";
        problems.add(span, key, "is not a Discord id in quotes", remedy);
    }
    id
}
