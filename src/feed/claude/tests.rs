//! What Claude Code is told.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::feed::testing::{any_json, edited, offer};

const TOKEN: &str = "at-new";

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Z2: an access token, when it ends in milliseconds, what it is good for, and no refresh token.
#[test]
fn a_new_file_has_all_that_claude_code_wants_and_no_refresh_token() {
    let mut offer = offer(TOKEN, Some("ada"));
    offer.scopes = vec!["user:inference".to_owned(), "user:profile".to_owned()];
    let fed = put(None, &offer).unwrap();
    let mut expected = json!({"claudeAiOauth": {
        "accessToken": TOKEN,
        "refreshToken": "",
        "expiresAt": 1_772_370_000_000_i64,
        "scopes": ["user:inference", "user:profile"],
        "kept_by": "latchkey",
    }});
    assert_eq!((read(&edited(&fed.edit)), fed.held_refresh_token), (expected.clone(), false));
    // A token from the environment says neither when it ends nor what it is good for.
    (offer.scopes, offer.expires_at) = (Vec::new(), None);
    expected["claudeAiOauth"]["expiresAt"] = Value::Null;
    expected["claudeAiOauth"]["scopes"] = json!(["user:inference"]);
    assert_eq!(read(&edited(&put(None, &offer).unwrap().edit)), expected);
}

/// Z2: the program's own refresh token leaves; the sign-ins to MCP servers beside it, with theirs, stay to the byte.
#[test]
fn a_refresh_token_leaves_and_all_else_stays() {
    let file = "{\"mcpOAuth\": {\"linear|1\": {\"refreshToken\":  \"rt-mcp\"}},\n\"claudeAiOauth\": {\"accessToken\": \"at-old\", \
                \"refreshToken\": \"rt-theirs\", \"expiresAt\": 1, \"scopes\": [\"a\"], \"subscriptionType\": \"max\"}, \"b\": 1.50}";
    let fed = put(Some(file), &offer(TOKEN, None)).unwrap();
    assert!(fed.held_refresh_token);
    let text = edited(&fed.edit);
    assert!(!text.contains("rt-theirs") && !text.contains("at-old"), "{text}");
    for part in [
        "{\"linear|1\": {\"refreshToken\":  \"rt-mcp\"}}",
        "\"subscriptionType\": \"max\"",
        "\"scopes\": [\"a\"]",
        "\"b\": 1.50",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(
        put(Some(&text), &offer(TOKEN, None)).unwrap(),
        Fed { edit: Edit::Keep, held_refresh_token: false }
    );
}

/// After a logout our token leaves, and nothing else does.
#[test]
fn only_what_we_wrote_is_taken_out() {
    let offer = offer(TOKEN, None);
    let alone = edited(&put(None, &offer).unwrap().edit);
    assert_eq!(edited(&take_out(&alone).unwrap()), "{}\n");
    let beside = edited(&put(Some("{\"mcpOAuth\": {\"x\" : 1}}"), &offer).unwrap().edit);
    assert_eq!(edited(&take_out(&beside).unwrap()), "{\n  \"mcpOAuth\": {\"x\" : 1}\n}\n");
    for theirs in [
        json!({"claudeAiOauth": {"accessToken": "at", "refreshToken": "rt", "kept_by": "latchkey"}}),
        json!({"claudeAiOauth": {"accessToken": "a-year-long"}}),
    ] {
        assert_eq!(take_out(&theirs.to_string()), Ok(Edit::Keep), "{theirs}");
    }
}

/// F6: what is not Claude Code's file is not written over.
#[test]
fn what_claude_code_would_not_write_is_left_alone() {
    for text in ["", "[]", "null", "{"] {
        assert_eq!(put(Some(text), &offer(TOKEN, None)), Err(Refusal::NotAnObject), "{text}");
    }
    assert_eq!(
        put(Some("{\"claudeAiOauth\": 1}"), &offer(TOKEN, None)),
        Err(Refusal::Member("claudeAiOauth"))
    );
}

proptest! {
    /// Z2: whatever stands there, what is not ours comes out as it went in, and no refresh token is left with our token.
    #[test]
    fn any_file_keeps_what_is_not_ours(beside in any_json(), within in any_json()) {
        let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let (mut file, mut kept): (Map<_, _>, Map<_, _>) = (object(&beside), object(&within));
        kept.insert("refreshToken".to_owned(), Value::from("rt-theirs"));
        file.insert("claudeAiOauth".to_owned(), Value::Object(kept.clone()));
        let fed = put(Some(&Value::Object(file.clone()).to_string()), &offer(TOKEN, None)).unwrap();
        prop_assert!(fed.held_refresh_token);
        let text = edited(&fed.edit);
        prop_assert!(!text.contains("rt-theirs"), "{}", text);
        let mut read = read(&text);
        let mut inner = read.as_object_mut().unwrap().remove("claudeAiOauth").unwrap();
        file.remove("claudeAiOauth");
        prop_assert_eq!(read, Value::Object(file));
        for name in ["accessToken", "refreshToken", "expiresAt", "scopes", "kept_by"] {
            kept.remove(name);
            inner.as_object_mut().unwrap().remove(name);
        }
        prop_assert_eq!(inner, Value::Object(kept));
    }
}
