//! Finding where JSON values end, without making anything of them.
//!
//! Owns [`Scan`]. Invariant: it accepts what RFC 8259 calls JSON and nothing else, as the tests hold against `serde_json`;
//! that library's own way of skipping takes longer, and it is most of what a program does that reads a thousand tenants. Must not: decode, or keep anything.

use std::ops::Range;

/// One in each byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Behind so many plain words, a string is taken for a long one, a token say.
const LONG: usize = 4;
/// Bytes of a long string that are looked at in one step.
const BLOCK: usize = 64;

/// Whether `byte` means something inside a string, or must not stand there.
fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// The same for eight bytes at once: the lowest bit that is set stands in the first byte that is special, if one is.
fn specials(word: u64) -> u64 {
    // A subtraction borrows in a byte that is smaller, and in what stands above it; the high bit tells, where the byte
    // itself had none.
    let below = |word: u64, least: u64| word.wrapping_sub(ONES * least) & !word;
    let quote = below(word ^ (ONES * u64::from(b'"')), 1);
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    (quote | backslash | below(word, 0x20)) & (ONES * 0x80)
}

/// A place in a JSON text. Each step gives nothing where the text is not JSON.
pub(in crate::store) struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// The closing bytes of the containers that are open, kept from one value to the next for its memory.
    open: Vec<u8>,
}

impl<'a> Scan<'a> {
    pub(in crate::store) fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, open: Vec::new() }
    }

    /// The next byte behind white space, which is left there.
    pub(in crate::store) fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.text.get(self.at)? {
                // Mostly an indentation.
                b' ' if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(b"    ")) => {
                    self.at += 4;
                }
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Passes `byte`, which must be next.
    pub(in crate::store) fn pass(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Passes the comma before a further item, or `close`; says whether there is a further item.
    pub(in crate::store) fn goes_on(&mut self, close: u8) -> Option<bool> {
        let next = self.peek()?;
        self.at += 1;
        match next {
            b',' => Some(true),
            _ if next == close => Some(false),
            _ => None,
        }
    }

    /// Passes `open`; says whether anything stands before `close`, and passes that too if not.
    pub(in crate::store) fn enters(&mut self, open: u8, close: u8) -> Option<bool> {
        self.pass(open)?;
        let empty = self.peek()? == close;
        self.at += usize::from(empty);
        Some(!empty)
    }

    /// Passes a key and its colon; gives where the key's text stands, quotes included.
    pub(in crate::store) fn key(&mut self) -> Option<Range<usize>> {
        self.peek()?;
        let start = self.at;
        self.string()?;
        let key = start..self.at;
        self.pass(b':')?;
        Some(key)
    }

    /// Passes a value; gives where it stands.
    pub(in crate::store) fn value(&mut self) -> Option<Range<usize>> {
        self.peek()?;
        let start = self.at;
        self.open.clear();
        loop {
            match self.peek()? {
                b'{' => {
                    if self.enters(b'{', b'}')? {
                        self.open.push(b'}');
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    if self.enters(b'[', b']')? {
                        self.open.push(b']');
                        continue;
                    }
                }
                b'"' => self.string()?,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.number()?,
            }
            // A value has ended; so may the containers that it was the last of.
            loop {
                let Some(close) = self.open.last().copied() else { return Some(start..self.at) };
                if self.goes_on(close)? {
                    if close == b'}' {
                        self.key()?;
                    }
                    break;
                }
                self.open.pop();
            }
        }
    }

    /// Whether nothing but white space is left.
    pub(in crate::store) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    fn string(&mut self) -> Option<()> {
        if *self.text.get(self.at)? != b'"' {
            return None;
        }
        self.at += 1;
        let mut plain = 0_usize;
        loop {
            let rest = self.text.get(self.at..)?;
            if let Some(eight) = rest.first_chunk() {
                let specials = specials(u64::from_le_bytes(*eight));
                if specials == 0 {
                    self.at += eight.len();
                    plain += 1;
                    if plain.is_multiple_of(LONG) {
                        self.pass_plain_blocks();
                    }
                    continue;
                }
                self.at += specials.trailing_zeros() as usize / 8;
            } else {
                self.at += rest.iter().position(|byte| is_special(*byte))?;
            }
            match *self.text.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => {
                    self.at += 1;
                    self.escape()?;
                }
                _ => return None,
            }
        }
    }

    /// Passes so many bytes at once as long as none of them is special.
    fn pass_plain_blocks(&mut self) {
        while let Some(block) = self.text.get(self.at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
            // Without an early end and in bytes, so that the compiler compares sixteen in one instruction.
            let special = |byte: u8| u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte < 0x20);
            if block.iter().fold(0, |found, byte| found | special(*byte)) != 0 {
                return;
            }
            self.at += BLOCK;
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Option<()> {
        let escaped = *self.text.get(self.at)?;
        self.at += 1;
        match escaped {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4)?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.text.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        self.skip_one(b"-");
        if !self.skip_one(b"0") {
            self.digits()?;
        }
        if self.skip_one(b".") {
            self.digits()?;
        }
        if self.skip_one(b"eE") {
            self.skip_one(b"+-");
            self.digits()?;
        }
        Some(())
    }

    /// Passes one of `bytes` if it is next.
    fn skip_one(&mut self, bytes: &[u8]) -> bool {
        let found = self.text.get(self.at).is_some_and(|byte| bytes.contains(byte));
        self.at += usize::from(found);
        found
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let length = self.text.get(self.at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += length;
        (length > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is found in `text`, if it is one value and white space.
    fn scanned(text: &str) -> Option<&str> {
        let mut scan = Scan::new(text);
        let found = scan.value()?;
        scan.is_at_end().then(|| &text[found])
    }

    fn is_json(text: &str) -> bool {
        serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
    }

    /// F5, F6
    #[test]
    fn it_accepts_json_and_nothing_else() {
        for text in [
            "0",
            "-0",
            "01",
            "-",
            "1.",
            ".5",
            "1.5",
            "1e5",
            "1E+5",
            "1e",
            "1e-",
            "-1.5e-0",
            "1 2",
            "+1",
            "true",
            "tru",
            "truex",
            "null",
            "nul",
            "false",
            "\"\"",
            "\"",
            "\"a",
            "\"\\\"\"",
            "\"\\\"",
            "\"\\u00e9\"",
            "\"\\u00g9\"",
            "\"\\u00\"",
            "\"\\x\"",
            "\"a\nb\"",
            "\"\u{1f}\"",
            "\"\u{7f}é\"",
            "[]",
            "[ ]",
            "[1]",
            "[1,]",
            "[,1]",
            "[1,2]",
            "[1 2]",
            "[",
            "]",
            "[[[]]]",
            "[[]",
            "[]]",
            "{}",
            "{ }",
            "{\"a\":1}",
            "{\"a\":1,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{1:1}",
            "{\"a\":{\"b\":[{}]}}",
            "{\"a\":1,\"b\":[2,{\"c\":null}]}",
            "{\"a\":1]",
            "[1}",
            "{,}",
            "",
            " ",
            "\u{feff}1",
            " \t\r\n1 \n",
            "\u{a0}1",
            "1\u{c}",
            "{\"a\":[1,2}",
            "{\"a\" : 1 , \"b\" : 2 }",
            "nullnull",
        ] {
            assert_eq!(scanned(text).is_some(), is_json(text), "{text:?}");
        }
        for length in 0..200 {
            for bad in ["\"", "\\\"", "\\", "\n"] {
                let text = format!("\"{}{bad}\"", "x".repeat(length));
                assert_eq!(scanned(&text).is_some(), is_json(&text), "{text:?}");
            }
        }
        assert_eq!(scanned(" {\"a\": [1, \"]\"]} \n"), Some("{\"a\": [1, \"]\"]}"));
    }

    /// The eight at once agree with the one by one.
    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for special in 0..=255_u8 {
            for (at, before) in
                (0..8).flat_map(|at| [b'a', b'!', b'#', 0x7f, 0x80, 0xff].map(|before| (at, before)))
            {
                let mut eight = [before; 8];
                eight[at] = special;
                let expected = eight.iter().position(|byte| is_special(*byte));
                let specials = specials(u64::from_le_bytes(eight));
                let found = (specials != 0).then(|| specials.trailing_zeros() as usize / 8);
                assert_eq!(found, expected, "{eight:?}");
            }
        }
    }

    proptest! {
        /// F5, F6
        #[test]
        fn it_agrees_with_serde_json(
            text in r#"(\[|\]|\{|\}|:|,|"a"|"\n"|"\\n"|"\\x"|01|-1\.5e3|-|true|nul| ){0,8}"#,
        ) {
            prop_assert_eq!(scanned(&text).is_some(), is_json(&text), "{:?}", text);
        }

        /// F6
        #[test]
        fn it_agrees_where_json_was_damaged(at in 0_usize..200, with in "[\\[\\]{}:,\"\\\\nu01.e \\n\u{1}]{0,2}") {
            let sound = r#"{"a": [1, -2.5e+10, "x\u00e9\n", {"b": {}, "c": [[], null, true, false]}], "d": "é", "e": {"f": 0}}"#;
            let Some((before, behind)) = sound.split_at_checked(at % sound.len()) else { return Ok(()) };
            let mut behind = behind.chars();
            behind.next();
            let text = format!("{before}{with}{}", behind.as_str());
            prop_assert_eq!(scanned(&text).is_some(), is_json(&text), "{:?}", text);
        }
    }
}
