//! A text for people, in each language that somebody wrote it in.
//!
//! Owns the choice among them. Must not: know which languages Latchkey speaks.

/// One text by language tag (BCP 47), in order of the tags; not empty. English is what is meant for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts(Vec<(String, String)>);

impl Texts {
    /// The text, by language tag; none without one.
    #[must_use]
    pub fn new(mut by_tag: Vec<(String, String)>) -> Option<Self> {
        by_tag.sort();
        (!by_tag.is_empty()).then_some(Self(by_tag))
    }

    /// The text for a reader of `tag`: of that language, else English, else whatever there is.
    #[must_use]
    pub fn for_reader(&self, tag: &str) -> &str {
        let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let of = |wanted: &str| self.0.iter().find(|(known, _)| primary(known) == primary(wanted));
        of(tag).or_else(|| of("en")).or_else(|| self.0.first()).map_or("", |(_, text)| text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_their_language_else_english_else_what_there_is() {
        let texts = |tags: &[&str]| {
            Texts::new(tags.iter().map(|tag| ((*tag).to_owned(), format!("in {tag}"))).collect())
        };
        let both = texts(&["en", "de"]).unwrap();
        for (tag, text) in [("de", "in de"), ("de-AT", "in de"), ("EN-gb", "in en"), ("fr", "in en")] {
            assert_eq!(both.for_reader(tag), text, "{tag}");
        }
        assert_eq!(texts(&["fr"]).unwrap().for_reader("de"), "in fr");
        assert_eq!(texts(&[]), None);
    }
}
