//! Secrets in foreign text that are escaped, broken up, or there in part.
//!
//! Owns the comparison of text and secret with every escape undone. Invariant: no run of [`PIECE`] characters of a secret
//! comes through, however each of them is spelled. Must not: be the only mask: short secrets are compared whole.

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

use crate::secret::Secret;
use crate::text::is_unseen;

/// So many characters of a secret in a row give something of it away.
const PIECE: usize = 12;
/// A secret of fewer characters is only looked for as it stands: it may be a word.
const SHORTEST: usize = 6;
/// How often one escape may be inside another: JSON in JSON in an address, say.
const LAYERS: usize = 3;

/// One character, and the bytes of the text that spell it.
#[derive(Clone, Copy)]
struct Spelled {
    c: char,
    start: usize,
    end: usize,
}

/// `text` with `mask` in place of every piece of the `secrets`.
pub(super) fn masked(text: &str, secrets: &[Secret], mask: &str) -> String {
    let forms: Vec<Vec<char>> = secrets
        .iter()
        .flat_map(|secret| {
            let raw = secret.expose();
            // A server may show whole headers.
            [raw.to_owned(), BASE64_STANDARD.encode(raw), BASE64_URL_SAFE.encode(raw)]
        })
        .map(|form| read(&form).into_iter().map(|spelled| spelled.c).collect())
        .collect();
    let mut pieces: BTreeMap<usize, HashSet<&[char]>> = BTreeMap::new();
    for form in forms.iter().filter(|form| form.len() >= SHORTEST) {
        let length = form.len().min(PIECE);
        pieces.entry(length).or_default().extend(form.windows(length));
    }
    if pieces.is_empty() {
        return text.to_owned();
    }
    let spelled = read(text);
    let chars: Vec<char> = spelled.iter().map(|spelled| spelled.c).collect();
    let mut hidden = vec![false; spelled.len()];
    for (length, known) in &pieces {
        for (at, window) in chars.windows(*length).enumerate() {
            if known.contains(window) {
                hidden[at..at + length].fill(true);
            }
        }
    }
    without(text, &spelled, &hidden, mask)
}

/// `text` with `mask` in place of each run of what is hidden.
fn without(text: &str, spelled: &[Spelled], hidden: &[bool], mask: &str) -> String {
    let (mut shown, mut from, mut inside) = (String::with_capacity(text.len()), 0, false);
    for (spelled, hidden) in spelled.iter().zip(hidden) {
        if *hidden {
            if !inside {
                shown.push_str(&text[from..spelled.start]);
                shown.push_str(mask);
            }
            // What stands between two hidden characters is hidden with them.
            from = spelled.end;
        }
        inside = *hidden;
    }
    shown.push_str(&text[from..]);
    shown
}

/// The characters of `text` with escapes undone, in lower case, without what is not seen, white space, and the plus that
/// may stand for it.
fn read(text: &str) -> Vec<Spelled> {
    let mut all: Vec<Spelled> =
        text.char_indices().map(|(start, c)| Spelled { c, start, end: start + c.len_utf8() }).collect();
    for _ in 0..LAYERS {
        let before = all.len();
        all = undone(&all);
        if all.len() == before {
            break;
        }
    }
    all.retain(|spelled| !is_unseen(spelled.c) && !spelled.c.is_whitespace() && spelled.c != '+');
    for spelled in &mut all {
        spelled.c.make_ascii_lowercase();
    }
    all
}

/// One layer of escapes undone.
fn undone(all: &[Spelled]) -> Vec<Spelled> {
    let (mut out, mut rest) = (Vec::with_capacity(all.len()), all);
    while let Some(first) = rest.first() {
        let (c, count) = escape(rest).unwrap_or((first.c, 1));
        out.push(Spelled { c, start: first.start, end: rest[count - 1].end });
        rest = &rest[count..];
    }
    out
}

/// The escape that `rest` begins with: what it stands for, and how many characters it takes.
fn escape(rest: &[Spelled]) -> Option<(char, usize)> {
    let at = |index: usize| rest.get(index).map(|spelled| spelled.c);
    let number = |from: usize, to: usize, radix: u32| {
        let digits: String = rest.get(from..to)?.iter().map(|spelled| spelled.c).collect();
        let is_plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        char::from_u32(u32::from_str_radix(&digits, radix).ok().filter(|_| is_plain)?)
    };
    match (at(0)?, at(1)?) {
        ('%', _) => Some((number(1, 3, 16)?, 3)),
        ('\\', c) => {
            let by_number = match c {
                'u' => number(2, 6, 16).map(|c| (c, 6)),
                'x' => number(2, 4, 16).map(|c| (c, 4)),
                _ => None,
            };
            by_number.or(Some((c, 2)))
        }
        ('&', _) => {
            let end = rest.iter().take(10).position(|spelled| spelled.c == ';')?;
            let name: String = rest[1..end].iter().map(|spelled| spelled.c).collect();
            let c = match name.as_str() {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ if matches!(at(1), Some('#')) && matches!(at(2), Some('x' | 'X')) => number(3, end, 16)?,
                _ if matches!(at(1), Some('#')) => number(2, end, 10)?,
                _ => return None,
            };
            Some((c, end + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        masked(text, &[Secret::new("rt-Ab/cd+EF=gh&ij\"kl")], "*")
    }

    /// T10
    #[test]
    fn a_secret_is_known_however_it_is_escaped() {
        for text in [
            r"rt-Ab/cd+EF=gh&ij\u0022kl",
            r"rt-Ab\u002fcd\u002BEF\u003dgh\u0026ij\u0022kl",
            r"rt-Ab\\u002fcd\\u002bEF=gh&ij\\u0022kl",
            r"\x72t-Ab\x2fcd+EF=gh&ij\x22kl",
            "rt-Ab&#47;cd&#x2B;EF=gh&amp;ij&quot;kl",
            "rt-Ab%252Fcd%252BEF%253Dgh%2526ij%2522kl",
            "%72%74%2d%41%62%2f%63%64%2b%45%46%3d%67%68%26%69%6a%22%6b%6c",
            "RT-AB/CD+EF=GH&IJ\"KL",
            "rt-Ab/\u{200b}cd+\n EF=\u{202e}gh&ij\"kl",
            "cnQtQWIvY2QrRUY9Z2gmaWoia2w=",
            "cnQtQWIvY2QrRUY9Z2gmaWoia2w",
        ] {
            assert_eq!(shown(&format!("no: {text}.")), "no: *.", "{text}");
        }
    }

    /// T10: a part that is long enough to help somebody is hidden, wherever the rest is.
    #[test]
    fn a_part_of_a_secret_is_hidden_and_words_are_not() {
        assert_eq!(shown("rt-Ab/cd+EF=gh (code): &ij\"kl is gone"), "* (code): &ij\"kl is gone");
        assert_eq!(shown("it ends with d+EF=gh&ij\"kl"), "it ends with *");
        for words in ["rt-Ab/cd is short", "100% of it & more; C:\\users, %zz &#; &#x110000; \\uD800 \\", ""]
        {
            assert_eq!(shown(words), words);
        }
        assert_eq!(masked("no more", &[Secret::new("more"), Secret::new("")], "*"), "no more");
    }

    proptest! {
        /// T10: whatever bytes it meets.
        #[test]
        fn no_text_makes_it_panic(text in "([%&\\\\#;ux0-9a-f+ ]|.){0,80}", secret in "([%&\\\\#;ux0-9a-f+ ]|.){0,40}") {
            let _ = masked(&text, &[Secret::new(secret)], "*");
        }
    }
}
