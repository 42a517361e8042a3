//! Taking refresh tokens out of a file, so that they have one owner.
//!
//! Owns [`blank`]: text in, text out. Invariant: nothing but those tokens is changed, down to the spacing, and none of them
//! is left in any spelling. Must not: touch files.

use serde_json::Value;

use crate::secret::Secret;

/// `text` with each of `tokens` made an empty text wherever it stands. `None` if one stands there in a spelling that cannot
/// be found, or `text` is not JSON.
#[must_use]
pub fn blank(text: &str, tokens: &[Secret]) -> Option<String> {
    let mut blanked = text.to_owned();
    for token in tokens.iter().filter(|token| !token.is_empty()) {
        blanked = blanked.replace(&Value::from(token.expose()).to_string(), "\"\"");
    }
    let left = serde_json::from_str(blanked.trim_start_matches('\u{feff}')).ok()?;
    (!holds(&left, tokens)).then_some(blanked)
}

fn holds(value: &Value, tokens: &[Secret]) -> bool {
    match value {
        Value::String(text) => tokens.iter().any(|token| !token.is_empty() && text.trim() == token.expose()),
        Value::Array(items) => items.iter().any(|item| holds(item, tokens)),
        Value::Object(members) => members.values().any(|member| holds(member, tokens)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_go_and_nothing_else_changes() {
        let text = "{ \"a\": [\"rt-1\",  \"at-1\"],\n  \"b\": {\"c\": \"rt-1\"}, \"rt-2\": 18446744073709551615, \"d\": \"rt-11\" }\n";
        let tokens = ["rt-1", "rt-2", ""].map(Secret::from);
        let expected = text.replace("\"rt-1\"", "\"\"").replace("\"rt-2\"", "\"\"");
        assert_eq!(blank(text, &tokens).as_ref(), Some(&expected));
        assert_eq!(blank(text, &[]).as_deref(), Some(text));
    }

    #[test]
    fn a_token_in_another_spelling_is_not_left_there_in_silence() {
        for text in ["{\"a\": \"rt\\u002d1\"}", "{\"a\": \" rt-1 \"}", "{\"a\": "] {
            assert_eq!(blank(text, &["rt-1".into()]), None, "{text}");
        }
    }
}
