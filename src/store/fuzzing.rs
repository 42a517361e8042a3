//! What must hold for whatever bytes stand where the auth file, or a rescue file, is expected.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::document::{Changes, Document};
use super::seal::{Keys, Pass, Seal};
use super::{file, sweep};
use crate::credential::{Credential, CredentialKind};
use crate::secret::Secret;

type Raw = BTreeMap<String, Box<RawValue>>;

/// The maps of the file that hold entries.
const SECTIONS: [&str; 3] = ["tenants", "pending", "threads"];
/// A tenant of our own among whatever is there.
const OURS: &str = "fuzzing/ours";

/// The key that is known here; sealed inputs of the corpus are sealed with it.
const KEY: &str = "fuzzing BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// What seals: nothing, and a key.
fn seals() -> [Seal; 2] {
    let keys = Keys::parse(KEY, "fuzzing").unwrap_or_else(|error| panic!("{error}"));
    [Seal::default(), keys.into()]
}

/// F5, F6: a document or an error; what is not touched stays to the byte; no entry spoils another. With a key or without.
///
/// # Panics
/// When one of these does not hold.
pub fn auth_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for seal in seals() {
        if let Ok(document) = Document::parse(&Arc::new(text.to_owned()), &seal) {
            understood(text, &document, &seal);
            if seal.is_on() {
                sealed_and_opened(text, &document, &seal);
            }
        }
    }
}

/// Sealing changes the meaning of nothing, and opening gives it back. What does not open stays as it is.
fn sealed_and_opened(text: &str, document: &Document, seal: &Seal) {
    let held = |document: &Document| document.tenants().collect::<Vec<_>>();
    let mut changed = parsed(text, seal);
    let left = changed.pass(Pass::Seal);
    let sealed = parsed(&changed.print(), seal);
    assert!(held(&sealed) == held(document), "sealing changes a tenant");
    assert!(sealed.damaged() == document.damaged(), "sealing changes what can be understood");
    let standing = sealed.seal_standing();
    // What claims to be sealed with this very key is left as it is, whether it opens or not.
    assert!(standing.in_clear == 0 && standing.unopened >= left, "a secret was passed over");
    assert!(changed.pass(Pass::Open) >= standing.unopened, "what does not open was opened");
    let open = parsed(&changed.print(), seal);
    assert!(held(&open) == held(document), "opening changes a tenant");
}

fn understood(text: &str, document: &Document, seal: &Seal) {
    let parsed = |text: &str| parsed(text, seal);
    let printed = document.print();
    let again = parsed(&printed);
    assert!(again.print() == printed, "printing is not stable");
    assert!(again.damaged() == document.damaged(), "printing changes what can be understood");
    let before = raw(text);
    same_but_ours(&before, &raw(&printed));
    for now in [i64::MIN, 0, 1_800_000_000, i64::MAX] {
        let mut swept = parsed(text);
        swept.apply(sweep::due(&swept, now));
        assert!(
            parsed(&swept.print()).tenants().count() == document.tenants().count(),
            "the sweep took a tenant"
        );
    }

    let mut changed = parsed(text);
    let ours = Credential::new(
        CredentialKind::Static,
        "fuzzing".parse().unwrap_or_else(|_| unreachable!()),
        Secret::new("ours"),
        1,
    );
    let tenant = OURS.parse().unwrap_or_else(|_| unreachable!());
    put(&mut changed, OURS, ours.clone());
    let reread = parsed(&changed.print());
    assert!(
        reread.tenant(&tenant).is_ok_and(|held| held.is_some_and(|held| *held == ours)),
        "a write is lost"
    );
    same_but_ours(&before, &raw(&changed.print()));
    let held: Vec<_> = document.tenants().map(|(key, held)| (key.to_string(), held)).collect();
    for (key, held) in held {
        // A key that is not in its canonical spelling is another entry.
        if document.tenant(&key.parse().unwrap_or_else(|_| unreachable!())).is_ok_and(|found| found.is_some())
        {
            rewritten(text, &before, &key, &held, seal);
        }
    }
}

/// An entry that is printed anew means the same, and keeps the fields that nobody here knows.
fn rewritten(text: &str, before: &Raw, key: &str, held: &Credential, seal: &Seal) {
    let mut changed = parsed(text, seal);
    put(&mut changed, key, held.clone());
    let text = changed.print();
    let again = parsed(&text, seal).tenant(&key.parse().unwrap_or_else(|_| unreachable!()));
    assert!(
        again.is_ok_and(|again| again.is_some_and(|again| *again == *held)),
        "a rewrite changes an entry"
    );
    let entry = |top: &Raw| raw(raw(top["tenants"].get())[key].get());
    let after = entry(&raw(&text));
    for (field, value) in entry(before).iter().filter(|(field, _)| field.starts_with("x-")) {
        assert!(after.get(field).is_some_and(|kept| kept.get() == value.get()), "an unknown field is lost");
    }
}

fn parsed(text: &str, seal: &Seal) -> Document {
    Document::parse(&Arc::new(text.to_owned()), seal)
        .unwrap_or_else(|error| panic!("what was printed cannot be read: {error:?}"))
}

fn raw(text: &str) -> Raw {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("what was read is no object: {error}"))
}

fn put(document: &mut Document, key: &str, credential: Credential) {
    let mut changes = Changes::default();
    changes.tenants.insert(key.to_owned(), Some(credential));
    document.apply(changes);
}

/// Every section and entry of `before` is in `after` as it was, but for our own tenant.
fn same_but_ours(before: &Raw, after: &Raw) {
    for (name, value) in before.iter().filter(|(name, _)| *name != "version") {
        let kept = after.get(name).unwrap_or_else(|| panic!("the section {name} is lost"));
        if SECTIONS.contains(&name.as_str()) {
            let kept = raw(kept.get());
            for (key, entry) in raw(value.get()).iter().filter(|(key, _)| *key != OURS) {
                assert!(
                    kept.get(key).is_some_and(|kept| kept.get() == entry.get()),
                    "an entry is not as it was"
                );
            }
        } else if name == "revocations" {
            let list = |raw: &RawValue| -> Vec<String> {
                let list: Vec<Box<RawValue>> = serde_json::from_str(raw.get()).unwrap_or_default();
                list.iter().map(|entry| entry.get().to_owned()).collect()
            };
            assert!(list(kept) == list(value), "a revocation is not as it was");
        } else if name == "store_id" {
            let text = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).unwrap_or_default();
            assert!(text(kept) == text(value), "the store_id is another");
        } else {
            assert!(kept.get() == value.get(), "an unknown section is not as it was");
        }
    }
}

/// G20, G21: a rescue file is whole or unused room; what is in it reads back as it was written.
///
/// # Panics
/// When that does not hold.
pub fn rescue_file(bytes: &[u8]) {
    for seal in &seals() {
        rescue(bytes, seal);
    }
}

fn rescue(bytes: &[u8], seal: &Seal) {
    let tenant = OURS.parse().unwrap_or_else(|_| unreachable!());
    let understood = |bytes: &[u8]| file::understand_rescue(bytes, seal, &tenant).ok().flatten();
    let Some(rescue) = understood(bytes) else { return };
    let text = file::print_rescue(&rescue, seal, &tenant)
        .unwrap_or_else(|error| panic!("a rescue cannot be printed: {error}"));
    assert!(understood(text.as_bytes()) == Some(rescue), "a rescue does not read back");
    let body = text.find('\n').map_or(text.len(), |line| line + 1);
    for at in body..text.len() {
        let mut other = text.clone().into_bytes();
        other[at] ^= 1;
        assert!(understood(&other).is_none(), "a damaged rescue passes for one");
    }
    for cut in 0..text.len() {
        assert!(understood(&text.as_bytes()[..cut]).is_none(), "half a rescue passes for one");
    }
}
