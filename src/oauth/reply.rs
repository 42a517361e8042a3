//! The one lenient reader of what authorization servers send (T8).
//!
//! Owns the step from bytes to named members, and the spellings that are forgiven. Invariant: whatever the bytes, it
//! neither panics nor invents a member. Must not: judge what the members mean.

use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::secret::Secret;

/// How deep an error is looked for in nested objects.
const DEPTH: usize = 6;

/// The members of a reply. Without `Debug`, since they hold tokens.
pub(crate) struct Members(Map<String, Value>);

/// Text that was there but cannot be a token (RFC 6749 appendix A: visible ASCII).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Members {
    /// Reads a JSON object or a form-encoded body, by its look: servers mislabel either. None if it is neither.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('{') {
            return serde_json::from_str(text).ok().map(Self);
        }
        let shaped = text.contains('=') && !text.starts_with(['<', '[', '"']) && !text.contains(['\n', ' ']);
        shaped.then(|| {
            let pairs = form_urlencoded::parse(text.as_bytes());
            Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
        })
    }

    /// A text, trimmed; blank is absent. Numbers are texts to servers that forget the quotes.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        text_of(self.0.get(name)?)
    }

    /// A token or code, trimmed; blank is absent.
    pub(crate) fn secret(&self, name: &str) -> Result<Option<Secret>, Malformed> {
        match self.text(name) {
            None => Ok(None),
            Some(text) if text.bytes().all(|b| b.is_ascii_graphic()) => Ok(Some(Secret::new(text))),
            Some(_) => Err(Malformed),
        }
    }

    /// A number of seconds: whole, with a fraction, or as text; less than none is none.
    pub(crate) fn seconds(&self, name: &str) -> Option<u64> {
        match self.0.get(name)? {
            Value::Number(number) => number.as_u64().or_else(|| number.as_f64().and_then(whole)),
            Value::String(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| text.parse::<f64>().ok().and_then(whole))
            }
            _ => None,
        }
    }

    /// `scope`: names parted by spaces or commas, or an array of them. None if absent or empty.
    pub(crate) fn scopes(&self) -> Option<Vec<String>> {
        let value = self.0.get("scope").or_else(|| self.0.get("scopes"))?;
        let texts: Vec<&str> = match value {
            Value::String(text) => vec![text],
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            _ => return None,
        };
        let split = |text: &&str| -> Vec<String> {
            let names = text.split(|c: char| c.is_whitespace() || c == ',');
            // RFC 6749 section 3.3: what else stands there is no scope, and could break what a scope is printed into.
            let is_name = |name: &&str| {
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
            };
            names.filter(is_name).map(str::to_owned).collect()
        };
        let scopes: Vec<String> = texts.iter().flat_map(split).collect();
        (!scopes.is_empty()).then_some(scopes)
    }

    /// The error code: `error` as a text, or inside an object (`code`, else `type`), or at the top level.
    pub(crate) fn error_code(&self) -> Option<String> {
        let nested = |names: &[&str]| {
            let object = self.0.get("error")?;
            names.iter().find_map(|name| text_of(object.get(name)?))
        };
        self.text("error")
            .or_else(|| nested(&["code", "error", "type", "status"]))
            .or_else(|| ["error_code", "errorCode", "code"].iter().find_map(|name| self.text(name)))
    }

    /// Whether the reply speaks of an error at all: the member `error`, neither null, false nor blank.
    pub(crate) fn has_error(&self) -> bool {
        match self.0.get("error") {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.trim().is_empty(),
            Some(_) => true,
        }
    }

    /// What the server says in words.
    pub(crate) fn error_text(&self) -> Option<String> {
        let nested = || {
            let object = self.0.get("error")?;
            ["message", "description", "detail"].iter().find_map(|name| text_of(object.get(name)?))
        };
        ["error_description", "message", "error_message", "detail"]
            .iter()
            .find_map(|name| self.text(name))
            .or_else(nested)
    }

    /// Every text in the reply, nested ones included, each on a line: where known prose is looked for.
    pub(crate) fn all_text(&self) -> String {
        let mut all = String::new();
        self.0.values().for_each(|value| collect(value, DEPTH, &mut all));
        all
    }
}

fn collect(value: &Value, depth: usize, all: &mut String) {
    match value {
        Value::String(text) => {
            all.push_str(text);
            all.push('\n');
        }
        Value::Array(items) if depth > 0 => items.iter().for_each(|item| collect(item, depth - 1, all)),
        Value::Object(members) if depth > 0 => {
            members.values().for_each(|item| collect(item, depth - 1, all));
        }
        _ => {}
    }
}

fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// The whole seconds of `seconds`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates, and is not negative"
)]
fn whole(seconds: f64) -> Option<u64> {
    seconds.is_finite().then(|| seconds.max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Members {
        Members::read(body.as_bytes()).unwrap_or_else(|| panic!("unreadable: {body}"))
    }

    /// T8
    #[test]
    fn json_and_forms_are_read_by_their_look() {
        for body in [
            r#"{"access_token":" at ","expires_in":"3600","scope":"a b"}"#,
            "\u{feff} \n{\"access_token\":\"at\",\"expires_in\":3600.9,\"scope\":[\"a\",\"b\"]}\n",
            "access_token=at&expires_in=3600&scope=a%2Cb\n",
        ] {
            let members = read(body);
            assert_eq!(members.secret("access_token"), Ok(Some(Secret::new("at"))), "{body}");
            assert_eq!(members.seconds("expires_in"), Some(3600), "{body}");
            assert_eq!(members.scopes(), Some(vec!["a".to_owned(), "b".to_owned()]), "{body}");
        }
        for none in
            ["", "<html>a=b</html>", "[1]", "null", "\"a=b\"", "not found = sorry, try again", "{\"a\":"]
        {
            assert!(Members::read(none.as_bytes()).is_none(), "{none}");
        }
    }

    /// T8
    #[test]
    fn odd_numbers_are_understood_or_absent() {
        let members =
            read(r#"{"a":-5,"b":"-5","c":true,"d":null,"e":"soon","f":18446744073709551615,"g":" 7 "}"#);
        let seconds: Vec<_> = ["a", "b", "c", "d", "e", "f", "g"].map(|name| members.seconds(name)).into();
        assert_eq!(seconds, [Some(0), Some(0), None, None, None, Some(u64::MAX), Some(7)]);
    }

    /// T8: an answer is an error if it says so, whatever its status.
    #[test]
    fn an_error_is_found_where_servers_hide_it() {
        for (body, code, text) in [
            (r#"{"error":"invalid_grant","error_description":"gone"}"#, Some("invalid_grant"), Some("gone")),
            (r#"{"error":{"code":"c","type":"t","message":"m"}}"#, Some("c"), Some("m")),
            (r#"{"error":{"code":null,"type":"t"}}"#, Some("t"), None),
            (r#"{"error":{"status":"INVALID_ARGUMENT","code":400}}"#, Some("400"), None),
            ("error=bad_code&error_description=no+way", Some("bad_code"), Some("no way")),
        ] {
            let members = read(body);
            assert!(members.has_error(), "{body}");
            assert_eq!(
                (members.error_code().as_deref(), members.error_text().as_deref()),
                (code, text),
                "{body}"
            );
        }
        for body in [r#"{"error":null}"#, r#"{"error":""}"#, r#"{"error":false}"#, r#"{"ok":true}"#] {
            assert!(!read(body).has_error(), "{body}");
        }
    }

    /// T8: what is no scope by RFC 6749 section 3.3 is none here.
    #[test]
    fn a_scope_is_one_visible_word() {
        let members = read(r#"{"scope":"a b\u001b[31m c\u202e \"d\" e\\f g"}"#);
        assert_eq!(members.scopes(), Some(vec!["a".to_owned(), "g".to_owned()]));
        assert_eq!(read(r#"{"scope":"\u0000"}"#).scopes(), None);
    }

    /// A token that could break a header or an environment file is none.
    #[test]
    fn a_token_is_one_visible_word() {
        for bad in [r#"{"t":"a\nb"}"#, r#"{"t":"a b"}"#, r#"{"t":"ä"}"#, r#"{"t":"a\u0000"}"#] {
            assert_eq!(read(bad).secret("t"), Err(Malformed), "{bad}");
        }
        assert_eq!(read(r#"{"t":"  "}"#).secret("t"), Ok(None));
    }

    proptest! {
        /// T8
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Some(members) = Members::read(&body) {
                let _ = (members.error_code(), members.error_text(), members.all_text(), members.scopes());
            }
        }

        /// T8
        #[test]
        fn no_json_makes_it_panic(body in r#"\{("[a-z_]{0,8}":("[a-z ]{0,5}"|[0-9eE.-]{1,9}|null|\{\}|\[\])){0,1}\}"#) {
            if let Some(members) = Members::read(body.as_bytes()) {
                let _ = (members.error_code(), members.seconds("expires_in"), members.all_text());
            }
        }
    }
}
