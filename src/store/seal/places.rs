//! Where secrets stand in the text of an entry.
//!
//! Owns [`Secrets`] and the search for them. Invariant: only what may hold a secret is entered, so that the depth is that of
//! the list and not that of the text. Must not: open or seal.

use std::borrow::Cow;
use std::ops::Range;

use crate::store::document::scan::Scan;

/// Where in a JSON value secrets stand.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Secrets {
    /// The value is one, if it is a text.
    Here,
    /// In these fields of an object. With none, nowhere.
    Fields(&'static [(&'static str, Secrets)]),
    /// In each field of an object, whatever its name.
    Each(&'static Secrets),
    /// In each item of a list.
    Items(&'static Secrets),
}

impl Secrets {
    /// What may be in the field `name`.
    fn within(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Fields(fields) => fields.iter().find(|(known, _)| *known == name).map(|(_, inner)| inner),
            Self::Each(inner) => Some(inner),
            Self::Here | Self::Items(_) => None,
        }
    }
}

/// The texts in `text` that are secret, in order: where each stands, quotes included, and the path to it.
pub(super) fn find(text: &str, secrets: &Secrets) -> Vec<(Range<usize>, String)> {
    let mut finding = Finding { text, scan: Scan::new(text), path: String::new(), found: Vec::new() };
    // An entry is JSON, or the file would not have been read.
    let _ = finding.value(secrets);
    finding.found
}

struct Finding<'a> {
    text: &'a str,
    scan: Scan<'a>,
    path: String,
    found: Vec<(Range<usize>, String)>,
}

impl Finding<'_> {
    fn value(&mut self, secrets: &Secrets) -> Option<()> {
        match (secrets, self.scan.peek()?) {
            (Secrets::Here, b'"') => {
                let at = self.scan.value()?;
                self.found.push((at, self.path.clone()));
            }
            (Secrets::Fields(_) | Secrets::Each(_), b'{') => self.fields(secrets)?,
            (Secrets::Items(inner), b'[') => {
                let length = self.path.len();
                self.path.push_str("[]");
                let mut more = self.scan.enters(b'[', b']')?;
                while more {
                    self.value(inner)?;
                    more = self.scan.goes_on(b']')?;
                }
                self.path.truncate(length);
            }
            _ => {
                self.scan.value()?;
            }
        }
        Some(())
    }

    fn fields(&mut self, secrets: &Secrets) -> Option<()> {
        let mut more = self.scan.enters(b'{', b'}')?;
        while more {
            let key = self.scan.key()?;
            let name = name(self.text.get(key)?);
            match name.as_deref().and_then(|name| secrets.within(name)) {
                Some(inner) => {
                    let length = self.path.len();
                    if length > 0 {
                        self.path.push('.');
                    }
                    self.path.push_str(name.as_deref().unwrap_or_default());
                    self.value(inner)?;
                    self.path.truncate(length);
                }
                None => {
                    self.scan.value()?;
                }
            }
            more = self.scan.goes_on(b'}')?;
        }
        Some(())
    }
}

/// The name that `quoted` spells, if it is valid Unicode.
fn name(quoted: &str) -> Option<Cow<'_, str>> {
    if quoted.contains('\\') {
        return serde_json::from_str::<String>(quoted).ok().map(Cow::Owned);
    }
    quoted.get(1..quoted.len().saturating_sub(1)).map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: Secrets = Secrets::Fields(&[
        ("token", Secrets::Here),
        ("extra", Secrets::Each(&Secrets::Here)),
        ("watchers", Secrets::Items(&Secrets::Fields(&[("interaction", Secrets::Here)]))),
    ]);

    /// F5: texts in the places that are listed, however their names are spelt, and nothing else.
    #[test]
    fn what_is_listed_is_found_and_nothing_else() {
        let text = r#"{"a": {"token": "no"}, "t\u006fken": "one", "extra": {"x": "two", "y": ["no"], "z": null},
            "watchers": [{"interaction": "three"}, "no", {"thread": "no", "interaction": 4}, {"interaction": "four"}],
            "tokens": "no"}"#;
        let found: Vec<_> =
            find(text, &SECRETS).into_iter().map(|(at, path)| (text[at].to_owned(), path)).collect();
        let expected = [
            ("\"one\"", "token"),
            ("\"two\"", "extra.x"),
            ("\"three\"", "watchers[].interaction"),
            ("\"four\"", "watchers[].interaction"),
        ];
        assert_eq!(found, expected.map(|(text, path)| (text.to_owned(), path.to_owned())));
        for other in ["null", "\"token\"", "[]", "{}", "{\"token\": {\"token\": \"no\"}}"] {
            assert_eq!(find(other, &SECRETS), []);
        }
    }
}
