//! What of a copy comes back, and what is left.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::backup::{Counts, Header};
use crate::credential::CredentialKind;
use crate::testing::key;

const NOW: i64 = 1_800_000_000;

fn document(tenants: &Value, more: &Value) -> Document {
    let mut whole = json!({"version": 1, "tenants": tenants});
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Document::of_copy(whole.to_string()).unwrap()
}

fn copy(entries: Document) -> Copy {
    let header = Header {
        created_at: NOW - 60,
        latchkey: "0.1.0".to_owned(),
        store_id: None,
        counts: Counts::default(),
    };
    Copy { header, entries }
}

/// A sign-in of `account`.
fn sign_in(id: &str, generation: u64, account: &str, obtained_at: i64) -> Value {
    json!({
        "kind": "oauth", "provider": "acme", "credential_id": id, "generation": generation, "client_id": "c",
        "access_token": format!("at-{id}-{generation}"), "refresh_token": format!("rt-{id}-{generation}"),
        "account": {"id": account}, "obtained_at": obtained_at,
    })
}

fn fates(copy: &Copy, here: &Document, replace: bool) -> Vec<(String, Fate)> {
    let wish = Wish { only: Vec::new(), replace };
    plan(copy, here, &wish, NOW).0.items.into_iter().map(|item| (item.key, item.fate)).collect()
}

/// I1, I2, I8, I9: one of each kind, by default and with `replace`.
#[test]
fn what_is_missing_comes_back_and_what_is_here_stays_unless_it_may_be_replaced() {
    let key_of = |token: &str| json!({"kind": "static", "provider": "acme", "access_token": token});
    let copied = copy(document(
        &json!({
            "acme/missing": sign_in("a", 3, "ada", 10),
            "acme/same": sign_in("b", 3, "bob", 10),
            "acme/newer": sign_in("c", 3, "cyd", 10),
            "acme/older": sign_in("d", 3, "dan", 10),
            "acme/again": sign_in("e", 3, "eve", 10),
            "acme/other": sign_in("f", 3, "fay", 10),
            "acme/key": sign_in("g", 3, "gus", 10),
            "acme/damaged": sign_in("h", 3, "hal", 10),
            "acme/moved": sign_in("i", 3, "ida", 10),
            "acme/beside": sign_in("j", 3, "jon", 10),
            "acme/later": {"kind": "later"},
            "acme/taken": {"kind": "later"},
        }),
        &json!({}),
    ));
    let here = document(
        &json!({
            "acme/same": sign_in("b", 3, "bob", 10),
            "acme/newer": sign_in("c", 4, "cyd", 20),
            "acme/older": sign_in("d", 2, "dan", 5),
            "acme/again": sign_in("e2", 1, "eve", 20),
            "acme/other": sign_in("f2", 1, "fritz", 20),
            "acme/key": key_of("k"),
            "acme/damaged": {"kind": "later"},
            "acme/it-moved-here": sign_in("i", 3, "ida", 10),
            "acme/sibling": sign_in("j2", 1, "jon", 20),
            "acme/taken": key_of("k2"),
        }),
        &json!({}),
    );
    let damaged = here.tenant(&key("acme/damaged")).unwrap_err();
    let always = |replace: bool| {
        let beside = || Fate::Left(Left::Beside(key("acme/sibling")));
        let older = || Fate::Left(Left::OlderHere { here: 2, copy: 3 });
        let again = || Fate::Left(Left::AnotherSignIn { obtained_at: Some(20), is_newer: Some(true) });
        let replaces = |at| Fate::Replaces { obtained_at: Some(at) };
        vec![
            ("acme/again", if replace { replaces(20) } else { again() }),
            ("acme/beside", if replace { Fate::RestoredBeside(key("acme/sibling")) } else { beside() }),
            ("acme/damaged", Fate::Left(Left::Damaged(damaged.clone()))),
            ("acme/key", Fate::Left(Left::Refused(Objection::OtherKind { held: CredentialKind::Static }))),
            ("acme/later", Fate::RestoredUnread),
            ("acme/missing", Fate::Restored),
            (
                "acme/moved",
                Fate::Left(Left::Refused(Objection::HeldElsewhere { holder: key("acme/it-moved-here") })),
            ),
            ("acme/newer", Fate::Left(Left::NewerHere { here: 4, copy: 3 })),
            ("acme/older", if replace { replaces(5) } else { older() }),
            ("acme/other", Fate::Left(Left::Refused(Objection::OtherAccount))),
            ("acme/same", Fate::Left(Left::Same)),
            ("acme/taken", Fate::Left(Left::Unread)),
        ]
    };
    for replace in [false, true] {
        let expected: Vec<_> =
            always(replace).into_iter().map(|(key, fate)| (key.to_owned(), fate)).collect();
        assert_eq!(fates(&copied, &here, replace), expected);
    }
}

/// G2, T12: a sign-in that was moved to another slot and refreshed there is the same sign-in; and an account that is not known may be
/// the same.
#[test]
fn what_another_slot_may_lose_counts() {
    let unknown = |id: &str| {
        let mut entry = sign_in(id, 1, "", 10);
        entry["account"] = json!({});
        entry
    };
    let copied = copy(document(
        &json!({
            "acme/moved": sign_in("a", 3, "ada", 10),
            "acme/taken": sign_in("a2", 3, "ada", 10),
            "acme/unknown": unknown("b"),
        }),
        &json!({}),
    ));
    let here = |tenants: &Value| document(tenants, &json!({}));
    let moved = here(&json!({
        "acme/now-here": sign_in("a", 4, "ada", 20),
        "acme/taken": sign_in("a3", 1, "ada", 20),
        "acme/unknown-too": sign_in("c", 1, "cyd", 20),
        "acme/and-here": sign_in("a2", 7, "ada", 20),
    }));
    for replace in [false, true] {
        let newer =
            |holder: &str, here: u64| Fate::Left(Left::NewerElsewhere { holder: key(holder), here, copy: 3 });
        let made = fates(&copied, &moved, replace);
        assert_eq!(made[0].1, newer("acme/now-here", 4));
        assert_eq!(made[1].1, newer("acme/and-here", 7));
        let beside = key("acme/and-here");
        let expected = if replace { Fate::RestoredBeside(beside) } else { Fate::Left(Left::Beside(beside)) };
        assert_eq!(made[2].1, expected);
    }
    let other = here(&json!({"acme/other": unknown("d")}));
    assert_eq!(fates(&copied, &other, false)[0].1, Fate::Left(Left::Beside(key("acme/other"))));
}

/// What was exported without its sealing key is of no use to anybody, and would only take the slot from a new sign-in.
#[test]
fn what_is_still_sealed_in_a_copy_stays_out() {
    let mut shut = sign_in("b", 1, "bob", 10);
    shut["refresh_token"] = json!("sealed:1:lost:AAAA");
    let owed = json!({"id": "o", "provider": "acme", "tenant": "acme", "token": "sealed:1:lost:AAAA", "owed_at": NOW});
    let tenants = json!({
        "acme/open": sign_in("a", 1, "ada", 10),
        "acme/shut": shut,
        "acme/unknown": {"kind": "later", "access_token": "sealed:1:lost:AAAA"},
    });
    let copied = copy(document(&tenants, &json!({"revocations": [owed]})));
    for replace in [false, true] {
        let left = || Fate::Left(Left::Sealed);
        let expected = [("acme/open", Fate::Restored), ("acme/shut", left()), ("acme/unknown", left())];
        let expected: Vec<_> = expected.into_iter().map(|(key, fate)| (key.to_owned(), fate)).collect();
        assert_eq!(fates(&copied, &document(&json!({}), &json!({})), replace), expected);
    }
    let (made, coming) = plan(&copied, &document(&json!({}), &json!({})), &Wish::default(), NOW);
    assert_eq!((made.revocations, coming.len()), (Rest { restored: 0, here: 0, over: 1 }, 1));
}

/// T12, F5: threads, debts and what is not known never replace anything; a debt that nobody would try any more stays out; and with
/// named tenants, nothing but them comes.
#[test]
fn the_rest_comes_back_where_nothing_is() {
    let owed = |id: &str, at: i64| json!({"id": id, "provider": "acme", "tenant": "acme", "token": "t", "owed_at": at});
    let of_copy = json!({
        "threads": {"1": {"tenants": {}}, "2": {"tenants": {}}},
        "revocations": [owed("a", NOW - 60), owed("b", NOW - 60), owed("c", NOW - 90_000), {"id": "later"}],
        "later": 1, "latest": 2,
    });
    let here = json!({"threads": {"2": {"tenants": {}}}, "revocations": [owed("b", NOW)], "latest": 3});
    let copied = copy(document(&json!({"acme": sign_in("a", 1, "ada", 1)}), &of_copy));
    let here = document(&json!({}), &here);
    let (plan_of_all, coming) = plan(&copied, &here, &Wish::default(), NOW);
    assert_eq!(plan_of_all.threads, Rest { restored: 1, here: 1, over: 0 });
    assert_eq!(plan_of_all.revocations, Rest { restored: 1, here: 1, over: 2 });
    assert_eq!(plan_of_all.unknown, Rest { restored: 1, here: 1, over: 0 });
    assert_eq!((plan_of_all.restored(), coming.len()), (1, 4));
    let only = Wish { only: vec![key("acme")], replace: false };
    let (plan_of_one, coming) = plan(&copied, &here, &only, NOW);
    let none = Rest::default();
    assert_eq!((plan_of_one.threads, plan_of_one.revocations, plan_of_one.unknown), (none, none, none));
    assert_eq!((plan_of_one.restored(), coming.len()), (1, 1));
    let other = Wish { only: vec![key("acme/b")], replace: false };
    assert!(plan(&copied, &here, &other, NOW).0.is_empty());
}

/// U7, W2: whether somebody is served is known here and now, not in the copy.
#[test]
fn what_is_replaced_leaves_word_of_who_is_served() {
    let mut held = sign_in("b", 1, "ada", 20);
    held["suspended"] = json!({"reason": "left", "at": 30});
    held["guild"] = json!("81384788765712384");
    held["last_used_at"] = json!(86_400);
    let copied = copy(document(&json!({"acme": sign_in("a", 1, "ada", 10)}), &json!({})));
    let here = document(&json!({"acme": held}), &json!({}));
    let held = here.tenant(&key("acme")).unwrap().unwrap();
    let wish = Wish { only: Vec::new(), replace: true };
    let (_, mut coming) = plan(&copied, &here, &wish, NOW);
    let Some(Coming::Tenant(_, comes, _)) = coming.pop() else { panic!("nothing comes") };
    assert_eq!((comes.id.as_str(), comes.suspended, comes.guild), ("a", held.suspended, held.guild));
    assert_eq!(comes.last_used_at, Some(86_400));
}

/// Stores of few slots, sign-ins and accounts, so that they meet.
fn any_store() -> impl Strategy<Value = Value> {
    let entry = (0..3_u8, 1..4_u64, 0..3_u8, 0..4_u8, any::<bool>());
    let slots = proptest::collection::btree_map(0..4_u8, entry, 0..4);
    slots.prop_map(|slots: BTreeMap<_, _>| {
        let entries = slots.into_iter().map(|(slot, (id, generation, account, token, is_key))| {
            let mut entry = sign_in(&format!("id-{id}"), generation, &format!("account-{account}"), 10);
            if account == 0 {
                entry["account"] = json!({});
            }
            if is_key && token == 0 {
                entry["kind"] = json!("static");
                entry["refresh_token"] = Value::Null;
            } else {
                entry["refresh_token"] = json!(format!("rt-{token}"));
            }
            (format!("acme/s{slot}"), entry)
        });
        Value::Object(entries.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// I2, I8, I9: whatever is here and in the copy, nothing here changes without `replace`; with it no newer token of one sign-in, no
    /// other kind and no other account is replaced; no refresh token comes to stand twice; and what is restored is found restored.
    #[test]
    fn no_plan_breaks_what_is_here(of_copy in any_store(), here in any_store(), replace in any::<bool>()) {
        let copied = copy(document(&of_copy, &json!({})));
        let here = document(&here, &json!({}));
        let before: BTreeMap<_, _> = here.tenants().collect();
        let (made, coming) = plan(&copied, &here, &Wish { only: Vec::new(), replace }, NOW);
        let mut after = before.clone();
        for entry in &coming {
            let Coming::Tenant(slot, comes, _) = entry else { panic!("all of it is understood") };
            let is_spent = |held: &Arc<Credential>| held.kind == comes.kind && held.id == comes.id && held.generation > comes.generation;
            prop_assert!(!before.values().any(is_spent));
            if let Some(held) = before.get(slot) {
                prop_assert!(replace);
                prop_assert!(held.id != comes.id || held.generation < comes.generation);
                prop_assert_eq!(held.kind, comes.kind);
                prop_assert!(crate::credential::identity::may_replace(&held.account, &comes.account));
            }
            after.insert(slot.clone(), Arc::new((**comes).clone()));
        }
        prop_assert_eq!(made.restored(), coming.len());
        for entry in &coming {
            let Coming::Tenant(_, comes, _) = entry else { continue };
            let holders = after.values().filter(|held| comes.refresh_token.is_some() && held.refresh_token == comes.refresh_token);
            prop_assert!(holders.count() <= 1);
        }
        for (slot, held) in &before {
            prop_assert!(replace || after.get(slot) == Some(held));
        }
    }
}
