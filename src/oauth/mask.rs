//! Text from outside, made fit to show and to log (T10).
//!
//! Owns the rule for every word that an authorization server sends us and a person may read: secrets masked first, then
//! what could forge a line, a mention or a link taken out, then cut. Must not: let a caller skip a step.

mod pieces;

use url::form_urlencoded;

use crate::secret::Secret;
use crate::text::is_unseen;

/// The longest text from outside that is shown, in characters (T10).
pub(crate) const TEXT_CAP: usize = 200;

const MASK: &str = "[secret]";

/// `text` without the `secrets` of the request that it answers, fit to show.
pub(crate) fn safe(text: &str, secrets: &[Secret]) -> String {
    plain(&masked(text, secrets))
}

/// `text` fit to show, where no secret can be in it.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            '@' => shown.push_str("@\u{200b}"),
            '`' => shown.push('\''),
            '<' | '[' => shown.push('('),
            '>' | ']' => shown.push(')'),
            '*' | '~' | '|' | '\\' | '#' => shown.push(' '),
            c if is_unseen(c) => shown.push(' '),
            c => shown.push(c),
        }
    }
    let words: Vec<&str> = shown.split_whitespace().collect();
    let words = words.join(" ");
    if words.chars().count() <= TEXT_CAP {
        return words;
    }
    words.chars().take(TEXT_CAP - 1).chain(['…']).collect()
}

/// Replaces each secret in the forms in which a server may send it back, and what is left of one that comes in pieces.
fn masked(text: &str, secrets: &[Secret]) -> String {
    let mut forms: Vec<String> = secrets.iter().flat_map(forms_of).collect();
    // A secret may be part of another's encoded form: the longest first.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    let text = forms.iter().fold(text.to_owned(), |text, form| text.replace(form.as_str(), MASK));
    pieces::masked(&text, secrets, MASK)
}

fn forms_of(secret: &Secret) -> Vec<String> {
    let raw = secret.expose();
    if raw.trim().is_empty() {
        return Vec::new();
    }
    let form: String = form_urlencoded::byte_serialize(raw.as_bytes()).collect();
    let percent = form.replace('+', "%20");
    let json = serde_json::Value::from(raw).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let slashes = json.replace('/', "\\/");
    let mut forms = vec![raw.to_owned(), lower_hex(&form), lower_hex(&percent), form, percent, json, slashes];
    forms.retain(|form| !form.is_empty());
    forms.sort();
    forms.dedup();
    forms
}

/// A form-encoded text with its escapes in lower case.
fn lower_hex(form: &str) -> String {
    let mut rest = 0;
    form.chars()
        .map(|c| {
            if c == '%' {
                rest = 2;
                c
            } else if rest > 0 {
                rest -= 1;
                c.to_ascii_lowercase()
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// T10
    #[test]
    fn secrets_are_masked_in_every_form() {
        let secrets = [Secret::new("a/b +\"c\"ü"), Secret::new("")];
        for text in [
            r#"bad token a/b +"c"ü here"#,
            "bad token a%2Fb+%2B%22c%22%C3%BC here",
            "bad token a%2fb%20%2b%22c%22%c3%bc here",
            r#"bad token a/b +\"c\"ü here"#,
            r#"bad token a\/b +\"c\"ü here"#,
        ] {
            assert_eq!(safe(text, &secrets), "bad token (secret) here", "{text}");
        }
    }

    /// T10
    #[test]
    fn lines_mentions_and_links_cannot_be_forged() {
        assert_eq!(
            plain("a\r\nb\u{1b}[31m @everyone <@123> `x` [y](https://z) **w** \u{202e}v"),
            "a b (31m @\u{200b}everyone (@\u{200b}123) 'x' (y)(https://z) w v"
        );
    }

    proptest! {
        /// T10
        #[test]
        fn shown_text_is_short_and_on_one_line(text in ".{0,600}") {
            let shown = plain(&text);
            prop_assert!(shown.chars().count() <= TEXT_CAP);
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert!(!shown.contains('`') && !shown.contains('<'));
        }

        /// T10: whatever stands around it.
        #[test]
        fn a_secret_never_survives(secret in "[a-z0-9/+=._-]{8,40}", before in ".{0,40}", after in ".{0,40}") {
            let shown = safe(&format!("{before}{secret}{after}"), &[Secret::new(secret.clone())]);
            prop_assert!(!shown.contains(&secret));
        }
    }
}
