//! The laws of the document: what it keeps, what it refuses, what it never shows.

use super::*;
use crate::credential::CredentialKind;
use crate::secret::Secret;
use crate::store::seal::Seal;

const FILE: &str = r#"{
  "version": 1,
  "store_id": "abc",
  "future": {"kept": [1, 2.50, "x"]},
  "tenants": {
    "codex": {"kind": "oauth", "provider": "codex", "access_token": "at-1", "refresh_token": "rt-1",
              "expires_at": 1000, "extra": {"deep": [1], "said": "x"}, "novel": 1e2},
    "broken": {"kind": "oauth", "provider": "codex"},
    "Not A Key": {"anything": true}
  },
  "pending": {},
  "threads": {"12": {"tenants": {"codex": "codex"}, "note": "n"}}
}"#;

fn key(text: &str) -> TenantKey {
    text.parse().unwrap()
}

fn try_parse(text: &str) -> Result<Document, ParseError> {
    Document::parse(&Arc::new(text.to_owned()), &Seal::default())
}

fn parse(text: &str) -> Document {
    try_parse(text).unwrap()
}

fn put(document: &mut Document, tenant: &str, credential: Credential) {
    let mut changes = Changes::default();
    changes.tenants.insert(tenant.to_owned(), Some(credential));
    document.apply(changes);
}

/// F5: what stood in a field before it had a meaning is neither a reason not to understand the entry, nor lost.
#[test]
fn what_is_not_of_a_later_fields_shape_is_kept() {
    for (extra, registration, resource) in [
        ("null", "null", "null"),
        ("[1, 2.50]", r#"{"client_id": 7}"#, r#"{"a": 1e2}"#),
        ("7", r#""x""#, "[]"),
    ] {
        let text = format!(
            r#"{{"version": 1, "tenants": {{"codex": {{"kind": "oauth", "provider": "codex", "access_token": "at",
                "refresh_token": "rt", "expires_at": 1, "extra": {extra}, "registration": {registration},
                "resource": {resource}}}}}}}"#
        );
        let mut document = parse(&text);
        let mut held = (*document.tenant(&key("codex")).unwrap().unwrap()).clone();
        assert_eq!((held.extra.len(), &held.registration, &held.resource), (0, &None, &None));
        held.generation = 5;
        put(&mut document, "codex", held.clone());
        let printed = document.print();
        for kept in [extra, registration, resource].into_iter().filter(|kept| *kept != "null") {
            assert!(printed.contains(kept), "{kept} is gone from\n{printed}");
        }
        held.resource = Some("https://mcp.example".to_owned());
        put(&mut document, "codex", held);
        assert!(document.print().contains(r#""resource": "https://mcp.example""#));
    }
}

/// F5
#[test]
fn what_nobody_changed_is_printed_as_it_was_read() {
    let mut document = parse(FILE);
    put(
        &mut document,
        "new",
        Credential::new(CredentialKind::OAuth, "codex".parse().unwrap(), Secret::new("a"), 7),
    );
    let printed = document.print();
    for kept in [
        r#""extra": {"deep": [1], "said": "x"}, "novel": 1e2}"#,
        r#"{"kept": [1, 2.50, "x"]}"#,
        r#""broken": {"kind": "oauth", "provider": "codex"}"#,
        r#""Not A Key": {"anything": true}"#,
        r#""note": "n""#,
    ] {
        assert!(printed.contains(kept), "{kept} is gone from\n{printed}");
    }
    assert_eq!(parse(&printed).print(), printed, "printing is stable");
}

/// F5
#[test]
fn a_changed_entry_keeps_the_fields_we_do_not_know() {
    let mut document = parse(FILE);
    let mut credential = (*document.tenant(&key("codex")).unwrap().unwrap()).clone();
    credential.generation = 5;
    put(&mut document, "codex", credential);
    let printed: serde_json::Value = serde_json::from_str(&document.print()).unwrap();
    let entry = &printed["tenants"]["codex"];
    assert_eq!(entry["extra"], serde_json::json!({ "deep": [1], "said": "x" }));
    assert_eq!(entry["novel"], 100.0);
    assert_eq!(entry["generation"], 5);
    assert_eq!(entry["refresh_token"], "rt-1");
}

const NESTED: &str = r#"{
  "version": 1,
  "tenants": {"codex": {"kind": "oauth", "provider": "codex", "access_token": "at-1", "refresh_token": "rt-1",
    "account": {"id": "a1", "email": "ada@example.test", "plan": "pro"},
    "intent": {"credential_id": "c1", "generation": 3, "attempt": 1, "sent_at": 7, "host": "h1",
      "refresh_sha256": "0000000000000000000000000000000000000000000000000000000000000000"}}},
  "pending": {"42/codex": {"id": "l1", "kind": "paste", "user": "42", "tenant": "codex", "status": "pending",
    "created_at": 1, "expires_at": 900, "reason": {"kind": "not_started", "since": 5}, "novel": true,
    "watchers": [{"thread": "7", "locale": "de"}, {"thread": "8", "locale": "fr"}]}},
  "revocations": [{"id": "r1", "provider": "codex", "tenant": "codex", "token": "t", "by": "b1",
    "account": {"id": "a2", "plan": "free"}}]
}"#;

fn rewritten(document: &mut Document, changes: Changes) -> serde_json::Value {
    document.apply(changes);
    serde_json::from_str(&document.print()).unwrap()
}

/// F5: what we do not know stays in the parts of an entry too, while the part is of the same thing.
#[test]
fn a_changed_entry_keeps_what_we_do_not_know_in_its_parts() {
    let mut document = parse(NESTED);
    let mut changes = Changes::default();
    let mut credential = (*document.tenant(&key("codex")).unwrap().unwrap()).clone();
    credential.failures = 2;
    changes.tenants.insert("codex".to_owned(), Some(credential.clone()));
    let mut login = (*document.logins().next().unwrap()).clone();
    login.watchers.remove(0);
    changes.pending.insert("42/codex".to_owned(), Some(login.clone()));
    let mut owed = (*document.owed().next().unwrap()).clone();
    owed.attempts = 1;
    changes.settled.insert(owed.id.clone());
    changes.owed.push(owed);
    let printed = rewritten(&mut document, changes);
    let tenant = &printed["tenants"]["codex"];
    assert_eq!(
        (&tenant["failures"], &tenant["account"]["plan"], &tenant["intent"]["host"]),
        (&2.into(), &"pro".into(), &"h1".into())
    );
    let pending = &printed["pending"]["42/codex"];
    assert_eq!(pending["watchers"], serde_json::json!([{"thread": "8", "locale": "fr"}]));
    assert_eq!((&pending["reason"]["since"], &pending["novel"]), (&5.into(), &true.into()));
    let owed = &printed["revocations"][0];
    assert_eq!(
        (&owed["attempts"], &owed["by"], &owed["account"]["plan"]),
        (&1.into(), &"b1".into(), &"free".into())
    );

    // Another person, another try, the end of the login: what was said of the one before goes with it (C5).
    let mut changes = Changes::default();
    credential.account.id = Some("a3".to_owned());
    credential.intent.as_mut().unwrap().attempt = 2;
    changes.tenants.insert("codex".to_owned(), Some(credential));
    login.status = crate::pending::LoginStatus::Cancelled;
    changes.pending.insert("42/codex".to_owned(), Some(login));
    let printed = rewritten(&mut document, changes);
    let text = printed.to_string();
    for gone in ["pro", "h1", "fr", "novel", "since"] {
        assert!(!text.contains(&format!("\"{gone}\"")), "{gone} is still in {text}");
    }
}

/// F5: numbers beyond any type of ours, text that is no Unicode, depth beyond any parser's patience, and its own line breaks;
/// and an entry does not grow with each rewrite.
#[test]
fn unknown_fields_are_kept_to_the_byte_however_odd() {
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let odd = format!(
        r#""x-big": 123456789012345678901234567890.10, "x-huge": 1e999, "x-half": "\ud800", "x-deep": {deep}, "x-lines": {{
  "a": [1,
2]}}"#
    );
    let mut document = parse(&FILE.replace(r#""novel": 1e2"#, &odd));
    let mut sizes = Vec::new();
    for generation in 5..9 {
        let mut credential = (*document.tenant(&key("codex")).unwrap().unwrap()).clone();
        credential.generation = generation;
        put(&mut document, "codex", credential);
        let printed = document.print();
        for field in odd.split(", \"") {
            assert!(printed.contains(field.trim_start_matches('"')), "{field} is gone from\n{printed}");
        }
        sizes.push(printed.len());
        document = parse(&printed);
    }
    sizes.dedup();
    assert_eq!(sizes.len(), 1);
}

/// Z1
#[test]
fn a_document_is_printed_for_debugging_without_what_it_holds() {
    let document = parse(FILE);
    assert_eq!(document.tenants().count(), 1);
    let shown = format!("{document:?} {document:#?}");
    for secret in ["at-1", "rt-1", "kept", "novel"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// Another program may write entries in any order, a key twice, or a key with escapes.
#[test]
fn the_last_entry_of_a_key_counts_wherever_it_stands() {
    let entry = |token: &str| format!(r#"{{"kind": "oauth", "provider": "x", "access_token": "{token}"}}"#);
    let (first, second, third) = (entry("first"), entry("second"), entry("third"));
    let text = format!(
        r#"{{"tenants": {{"x/b": {first}, "x/c": {first}, "x/\u0062": {second}, "x": {third}}}, "version": 1}}"#
    );
    let mut document = parse(&text);
    let token = |document: &Document, of: &str| {
        document.tenant(&key(of)).unwrap().map(|held| held.access_token.expose().to_owned())
    };
    let all = ["x", "x/b", "x/c"].map(|of| token(&document, of).unwrap());
    assert_eq!(all, ["third", "second", "first"]);
    let mut changes = Changes::default();
    changes.tenants.insert("x/b".to_owned(), None);
    changes.tenants.insert("x/z".to_owned(), None);
    document.apply(changes);
    put(
        &mut document,
        "x/a",
        Credential::new(CredentialKind::OAuth, "x".parse().unwrap(), Secret::new("a"), 7),
    );
    let keys: Vec<_> = parse(&document.print()).tenants().map(|(key, _)| key.to_string()).collect();
    assert_eq!(keys, ["x", "x/a", "x/c"]);
}

/// Z1, F6: what is wrong is told by its place.
#[test]
fn a_section_of_the_wrong_type_is_named_without_its_value() {
    for (damaged, name) in [
        (r#"{"version": 1, "tenants": "at-secret"}"#, "tenants"),
        (r#"{"version": 1, "store_id": {"at-secret": 1}}"#, "store_id"),
        (r#"{"version": 1, "revocations": {"at-secret": 1}}"#, "revocations"),
    ] {
        let Err(ParseError::Corrupt(why)) = try_parse(damaged) else { panic!("{damaged} was accepted") };
        assert_eq!(why, format!("{name:?} is of the wrong type"));
    }
}

/// F5
#[test]
fn one_bad_entry_fails_alone_and_is_named_without_its_values() {
    let document =
        parse(&FILE.replace("\"provider\": \"codex\"}", "\"provider\": \"codex\", \"access_token\": 5}"));
    assert!(document.tenant(&key("codex")).unwrap().is_some());
    let error = document.tenant(&key("broken")).unwrap_err().to_string();
    assert!(error.contains("tenants entry \"broken\"") && !error.contains('5'), "{error}");
    assert_eq!(document.damaged().len(), 2);
}

/// The least that another program must write.
#[test]
fn a_tenant_of_five_fields_is_whole_and_gets_its_id_from_its_token() {
    let document = parse(FILE);
    let credential = document.tenant(&key("codex")).unwrap().unwrap();
    let again = parse(FILE).tenant(&key("codex")).unwrap().unwrap();
    assert_eq!(credential.version(), again.version());
    assert_eq!((credential.id.len(), credential.generation, credential.expires_at), (32, 0, Some(1000)));
}

/// F5, F6
#[test]
fn other_versions_and_non_documents_are_told_apart() {
    for (text, newer) in [
        (r#"{"version": 3}"#, true),
        (r#"{"version": 1.5, "tenants": []}"#, true),
        (r#"{"version": "1"}"#, false),
        (r#"{"version": 0}"#, false),
        (r"{}", false),
        (r"[]", false),
        ("", false),
        (r#"{"version": 1, "tenants": []}"#, false),
        ("{\"version\": 1", false),
        ("null", false),
    ] {
        match try_parse(text) {
            Err(ParseError::Newer(_)) => assert!(newer, "{text}"),
            Err(ParseError::Corrupt(_)) => assert!(!newer, "{text}"),
            Err(ParseError::Sealed(error)) => panic!("{text}: {error}"),
            Err(ParseError::Keys(error)) => panic!("{text}: {error}"),
            Ok(_) => panic!("{text} was accepted"),
        }
    }
}

proptest::proptest! {
    /// F6
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = try_parse(&String::from_utf8_lossy(&bytes));
    }

    /// F5, F6
    #[test]
    fn damage_anywhere_is_an_error_or_a_document(at in 0_usize..500, byte in 0_u8..=255) {
        let mut bytes = FILE.as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(document) = try_parse(&String::from_utf8_lossy(&bytes)) {
            let printed = document.print();
            proptest::prop_assert_eq!(parse(&printed).print(), printed);
            let _ = document.damaged();
        }
    }
}

/// F6: of a section that stands twice, one would be lost with the next write.
#[test]
fn a_section_that_stands_twice_is_refused() {
    for section in ["\"tenants\": {}", "\"pending\": {}", "\"future\": 1", "\"version\": 1"] {
        let text = FILE.replacen('{', &format!("{{{section}, "), 1);
        let refused = try_parse(&text).map(drop).unwrap_err();
        assert!(
            matches!(&refused, ParseError::Corrupt(why) if why == "a section stands twice"),
            "{refused:?}"
        );
    }
}

/// U7: whose a sign-in is must not be lost, nor the word of a later version for why it rests.
#[test]
fn a_guild_that_cannot_be_read_is_an_error_and_an_unknown_reason_is_kept() {
    let file = |fields: &str| {
        let entry = format!(r#"{{"kind": "oauth", "provider": "codex", "access_token": "at-1", {fields}}}"#);
        parse(&format!(r#"{{"version": 1, "tenants": {{"codex@1": {entry}}}}}"#))
    };
    for guild in ["guild", "-1", "12 "] {
        let error = file(&format!(r#""guild": "{guild}""#)).tenant(&key("codex@1")).unwrap_err();
        assert!(error.to_string().contains("\"guild\"") && !error.to_string().contains("12 "), "{error}");
    }
    assert!(file(r#""guild": "12""#).tenant(&key("codex@1")).unwrap().unwrap().guild.is_some());
    let mut document = file(r#""suspended": {"at": 7, "reason": "asleep"}"#);
    let mut held = (*document.tenant(&key("codex@1")).unwrap().unwrap()).clone();
    held.failures = 1;
    put(&mut document, "codex@1", held.clone());
    assert!(document.print().contains(r#""reason": "asleep""#), "{}", document.print());
    // Another rest is another matter.
    held.suspended = held.suspended.map(|rest| crate::credential::Suspension { at: 8, ..rest });
    put(&mut document, "codex@1", held);
    assert!(document.print().contains(r#""reason": "not_admitted""#), "{}", document.print());
}
