//! What a server answers whoever comes without a token: `WWW-Authenticate` (RFC 9110 section 11.6.1).
//!
//! Owns the reading of that header: several of them, several challenges in one, quoted strings. Invariant: whatever the
//! bytes, it neither panics nor takes a parameter of one challenge for another's. Must not: judge what a parameter says.

/// One challenge. Names are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Its authentication scheme.
    pub scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Its parameter `name`: the first, where a server gives several.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// The challenges of one header. What cannot be read ends the reading: what came before it counts.
#[must_use]
pub fn read(header: &str) -> Vec<Challenge> {
    let mut rest = Rest(header);
    let mut found: Vec<Challenge> = Vec::new();
    loop {
        rest.skip(|c| is_space(c) || c == ',');
        let Some(word) = rest.take(is_token) else { return found };
        let after_word = rest;
        rest.skip(is_space);
        if rest.take_one('=') {
            rest.skip(is_space);
            let Some(value) = rest.value() else { return found };
            // A parameter of nobody's is nobody's business.
            if let Some(challenge) = found.last_mut() {
                challenge.parameters.push((word.to_ascii_lowercase(), value));
            }
        } else {
            rest = after_word;
            found.push(Challenge { scheme: word.to_ascii_lowercase(), parameters: Vec::new() });
            rest.skip_token68();
        }
    }
}

/// What is left to be read.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(skipped);
    }

    fn take_one(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// As many characters as `are` wanted, at least one.
    fn take(&mut self, are: impl Fn(char) -> bool) -> Option<&'a str> {
        let end = self.0.find(|c| !are(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(taken).filter(|taken| !taken.is_empty())
    }

    /// A word, or a quoted string that has an end.
    fn value(&mut self) -> Option<String> {
        if !self.take_one('"') {
            return self.take(is_token).map(str::to_owned);
        }
        let (mut value, mut escaped) = (String::new(), false);
        for (at, c) in self.0.char_indices() {
            match c {
                _ if escaped => {
                    value.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Some(value);
                }
                c => value.push(c),
            }
        }
        None
    }

    /// Passes over what some schemes have in the place of parameters: one long word, which may end with `=`.
    fn skip_token68(&mut self) {
        let mut ahead = *self;
        ahead.skip(is_space);
        let is_there = ahead.take(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c)).is_some();
        ahead.skip(|c| c == '=');
        ahead.skip(is_space);
        let has_ended = ahead.0.is_empty() || ahead.0.starts_with(',');
        // A word alone after a comma would be the next scheme; after a space it belongs to this one.
        if is_there && has_ended && self.0.starts_with(is_space) {
            *self = ahead;
        }
    }
}

fn is_space(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// RFC 9110 section 5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(header: &str) -> Vec<String> {
        let one = |challenge: &Challenge| {
            let parameters: Vec<_> =
                challenge.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {}", challenge.scheme, parameters.join("|")).trim_end().to_owned()
        };
        read(header).iter().map(one).collect()
    }

    /// T8: as servers write it, and as the standard allows it.
    #[test]
    fn challenges_are_told_apart() {
        for (header, expected) in [
            ("", &[][..]),
            ("Bearer", &["bearer"]),
            (
                r#"Bearer resource_metadata="https://a.example/x?a=b,c", scope="a b""#,
                &["bearer resource_metadata=https://a.example/x?a=b,c|scope=a b"],
            ),
            (
                r#"bearer Realm = "a \"b\", c" ,error=invalid_token,,"#,
                &[r#"bearer realm=a "b", c|error=invalid_token"#],
            ),
            (
                r#"Basic realm="x", Bearer scope="s", Digest nonce=n"#,
                &["basic realm=x", "bearer scope=s", "digest nonce=n"],
            ),
            ("Negotiate abc+/==, Bearer scope=s", &["negotiate", "bearer scope=s"]),
            ("Negotiate, Bearer", &["negotiate", "bearer"]),
            (r#"scope="nobody's", Bearer scope=s"#, &["bearer scope=s"]),
            (r#"Bearer scope="without an end, x=y"#, &["bearer"]),
            // By the grammar, `scope=` is one long word here.
            ("Bearer scope=, x=y", &["bearer x=y"]),
            (r#"Bearer scope="ä", @"#, &["bearer scope=ä"]),
        ] {
            assert_eq!(shown(header), expected, "{header}");
        }
        assert_eq!(read("Bearer a=1, A=2")[0].parameter("a"), Some("1"), "the first counts");
    }
}
