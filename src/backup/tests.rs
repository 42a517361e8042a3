//! A copy reads back what it was made of, and nothing else is one.

use std::collections::BTreeSet;

use super::*;

/// Odd spacing, fields and entries of later versions, a number with many digits, a key that is no tenant's.
const STORE: &str = r#"{
  "version": 1, "store_id": "store-1",
  "tenants": {
    "acme": {"kind": "oauth",   "provider": "acme", "access_token": "at-1", "refresh_token": "rt-1", "later": 1.000000000000000000001},
    "acme/b": {"kind": "later", "secret": "s-2"},
    "Not A Tenant": [1, 2,   3]
  },
  "pending": {"1/acme": {"id": "login-1", "verifier": "v-1"}},
  "threads": {"42": {"tenants": {"acme": "acme"}, "later": [ ]}},
  "revocations": [ {"id": "owed-1", "provider": "acme", "tenant": "acme", "token": "rt-0", "owed_at": 5, "later": {}} ],
  "seals": {"key": "k-1"}
}"#;

fn document(text: &str) -> Document {
    Document::of_copy(text.to_owned()).unwrap()
}

fn pieces(document: &Document) -> BTreeSet<(String, Option<String>, String)> {
    let owned =
        |entry: RawEntry<'_>| (entry.section.to_owned(), entry.key.map(str::to_owned), entry.text.to_owned());
    document.raw_entries().map(owned).collect()
}

/// F5: entries go along to the byte, those that nobody here understands among them; and no login under way does.
#[test]
fn a_copy_holds_every_entry_to_the_byte_and_no_login_under_way() {
    let store = document(STORE);
    let (header, text) = print(&store, 1_800_000_000).unwrap();
    let copy = read(&text).unwrap();
    assert_eq!(copy.header, header);
    let counts = Counts { tenants: 3, threads: 1, revocations: 1 };
    let latchkey = env!("CARGO_PKG_VERSION").to_owned();
    let store_id = Some("store-1".to_owned());
    assert_eq!(header, Header { created_at: 1_800_000_000, latchkey, store_id, counts });
    let mut expected = pieces(&store);
    expected.retain(|(section, ..)| section != "pending");
    assert_eq!(pieces(&copy.entries), expected);
    assert_eq!(expected.len(), 6);
    assert!(!text.expose().contains("v-1"));
}

/// F5, Z1: what is no copy, of a later format, or damaged, is refused with its own reason, which shows no value.
#[test]
fn what_is_no_copy_is_refused_with_the_reason() {
    let (_, whole) = print(&document(STORE), 7).unwrap();
    let whole = whole.expose();
    let damaged = |why: &str| CopyError::Damaged { why: why.to_owned() };
    for (text, expected) in [
        (String::new(), CopyError::NotACopy),
        ("secret-1".to_owned(), CopyError::NotACopy),
        (STORE.to_owned(), CopyError::NotACopy),
        (whole.replace("\"latchkey_export\":1", "\"latchkey_export\":0"), CopyError::NotACopy),
        (whole.replace("\"latchkey_export\":1", "\"latchkey_export\":\"secret-1\""), CopyError::NotACopy),
        (
            whole.replace("\"latchkey_export\":1", "\"latchkey_export\":2"),
            CopyError::Newer { found: "2".to_owned() },
        ),
        (
            whole.replace("\"version\": 1", "\"version\": 3"),
            CopyError::Newer { found: "1, and entries of version 3".to_owned() },
        ),
        (
            whole.replace("\"created_at\":7", "\"created_at\":\"secret-1\""),
            damaged("its header cannot be read, at column 44"),
        ),
        (
            whole.replace("\"threads\":1", "\"threads\":2"),
            damaged("it does not hold as many entries as it says"),
        ),
        (
            whole.replace("\"threads\": {", "\"threads\": 1, \"secret-1\": {"),
            damaged("\"threads\" is of the wrong type"),
        ),
    ] {
        let refused = read(&Secret::new(&*text)).unwrap_err();
        assert_eq!(refused, expected, "{text}");
        assert!(!format!("{refused} {refused:?}").contains("secret-1"), "{refused:?}");
    }
}

fn key() -> (Identities, String) {
    let (text, recipient) = make_identity();
    (Identities::read(&text).unwrap(), recipient)
}

/// One of several recipients is enough, and nobody else opens it.
#[test]
fn a_copy_opens_for_each_of_its_recipients_and_for_nobody_else() {
    let ((one, first), (other, second), (stranger, _)) = (key(), key(), key());
    let text = Secret::new("all that is stored");
    let bytes = encrypt(&text, &Openers::Recipients(vec![first, second])).unwrap();
    assert!(!is_for_passphrase(&bytes).unwrap());
    assert_eq!(open(&bytes, &one).unwrap(), text);
    assert_eq!(open(&bytes, &other).unwrap(), text);
    assert!(matches!(open(&bytes, &stranger), Err(CryptError::OtherIdentity)));
    let passphrase = Identities::Passphrase(Secret::new("swordfish"));
    assert!(matches!(open(&bytes, &passphrase), Err(CryptError::NeedsIdentity)));
    assert!(matches!(encrypt(&text, &Openers::Recipients(Vec::new())), Err(CryptError::NobodyNamed)));
}

#[test]
fn a_passphrase_opens_its_copy_and_another_does_not() {
    let text = Secret::new("all that is stored");
    let bytes = encrypt(&text, &Openers::Passphrase(Secret::new("swordfish"))).unwrap();
    assert!(is_for_passphrase(&bytes).unwrap());
    assert_eq!(open(&bytes, &Identities::Passphrase(Secret::new("swordfish"))).unwrap(), text);
    let wrong = open(&bytes, &Identities::Passphrase(Secret::new("Swordfish")));
    assert!(matches!(wrong, Err(CryptError::WrongPassphrase)), "{wrong:?}");
    assert!(matches!(open(&bytes, &key().0), Err(CryptError::NeedsPassphrase)));
    // A file could ask for any amount of work: 2^30 is a terabyte.
    let header = String::from_utf8_lossy(&bytes).into_owned();
    let at = header.find(" 18\n").unwrap();
    let mut greedy = bytes.clone();
    greedy[at + 1..at + 3].copy_from_slice(b"30");
    let refused = open(&greedy, &Identities::Passphrase(Secret::new("swordfish")));
    assert!(matches!(refused, Err(CryptError::TooMuchWork)), "{refused:?}");
}

/// Wherever it is cut, and whatever byte of it changes, none of it is believed.
#[test]
fn a_copy_that_is_cut_or_changed_anywhere_does_not_open() {
    let (identity, recipient) = key();
    let bytes = encrypt(&Secret::new("all that is stored"), &Openers::Recipients(vec![recipient])).unwrap();
    assert!(open(&bytes, &identity).is_ok());
    for at in 0..bytes.len() {
        assert!(open(&bytes[..at], &identity).is_err(), "cut at {at}");
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(open(&changed, &identity).is_err(), "changed at {at}");
    }
    let longer = [&*bytes, b"x"].concat();
    assert!(matches!(open(&longer, &identity), Err(CryptError::Altered)));
    for (what, bytes, expected) in [
        ("nothing", &b""[..], "it is no file that age encrypted"),
        ("an auth file", STORE.as_bytes(), "it is no file that age encrypted"),
        ("armoured", b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n", "in the form for mail"),
        ("a later age", b"age-encryption.org/v9\n-> X\n--- x\n", "a later version of age"),
    ] {
        let said = open(bytes, &identity).unwrap_err().to_string();
        assert!(said.contains(expected), "{what}: {said}");
    }
}

/// Z1: what stands in the wrong place is refused, and no identity is shown.
#[test]
fn a_key_in_the_wrong_place_is_refused_and_not_shown() {
    let (text, name) = make_identity();
    let identity = text.expose().lines().nth(1).unwrap();
    assert_eq!(recipient(identity).err(), Some(KeyError::SecretGiven));
    assert_eq!(recipient("bob").err(), Some(KeyError::NoRecipient("bob".to_owned())));
    assert!(recipient(&format!(" {name}\n")).is_ok());
    let read = |text: &str| Identities::read(&Secret::new(text)).err();
    assert_eq!(read(text.expose()), None);
    assert_eq!(read("# a comment\n\n"), Some(KeyError::NoIdentity));
    assert_eq!(read(&name), Some(KeyError::BadIdentity { line: 1 }));
    assert_eq!(read(&format!("{identity}\n{identity}X")), Some(KeyError::BadIdentity { line: 2 }));
    assert_eq!(read("age-encryption.org/v1\n-> scrypt"), Some(KeyError::Encrypted));
    assert_eq!(format!("{:?}", Identities::read(&text)), "Ok(Identities)");
}
