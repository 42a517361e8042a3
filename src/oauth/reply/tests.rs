//! Tests of the lenient reader, member by member; whole replies are in `fixtures`.

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
    for none in ["", "<html>a=b</html>", "[1]", "null", "\"a=b\"", "not found = sorry, try again", "{\"a\":"]
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
            let _ = (members.lifetime(1_800_000_000), members.has_error(), members.status());
        }
    }

    /// T8
    #[test]
    fn no_json_makes_it_panic(body in r#"\{("[a-z_]{0,8}":("[a-z ]{0,5}"|[0-9eE.-]{1,9}|null|\{\}|\[\])){0,1}\}"#) {
        if let Some(members) = Members::read(body.as_bytes()) {
            let _ = (members.error_code(), members.lifetime(1_800_000_000), members.all_text());
        }
    }
}
