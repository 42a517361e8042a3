//! The identity table, its properties, and the gate over whole credentials.

use proptest::prelude::*;

use super::*;
use crate::clock::UnixSeconds;
use crate::secret::Secret;

fn account(id: &str, email: &str) -> Account {
    Account::new(Some(id), Some(email))
}

/// I2, T10: what could pass for another account's name, or forge a line where it is shown, is nobody's name.
#[test]
fn a_name_is_short_and_every_character_of_it_is_seen() {
    for odd in ["a\nb@x", "a\u{1b}[31m@x", "a\u{202e}b@x", "a\u{200b}@x", &"x".repeat(321)] {
        assert_eq!(account(odd, odd), Account::default(), "{odd:?}");
        assert_eq!(account("1", odd), Account { id: Some("1".to_owned()), email: None }, "{odd:?}");
    }
    for usual in ["Jürgen <j@x>", "auth0|5f7c", "山田", &"x".repeat(320)] {
        assert_eq!(account(usual, "").id.as_deref(), Some(usual));
    }
}

/// The accounts of the table, in the order of its rows and columns.
const ACCOUNTS: [(&str, (&str, &str)); 13] = [
    ("nobody", ("", "")),
    ("blank", (" ", "\t")),
    ("id 1", ("1", "")),
    ("id 1, padded", (" 1 ", "")),
    ("id 2", ("2", "")),
    ("id Ab", ("Ab", "")),
    ("id ab", ("ab", "")),
    ("mail a", ("", "a@x")),
    ("mail a, in capitals and padded", ("", " A@X ")),
    ("mail b", ("", "b@x")),
    ("id 1, mail a", ("1", "a@x")),
    ("id 1, mail b", ("1", "b@x")),
    ("id 2, mail a", ("2", "a@x")),
];

/// I2: `+` replaces (strict rule, and so the copy rule), `c` is kept with it when a reply says only that (copy rule alone),
/// `-` never. A row is what is there, a column what comes.
const TABLE: [&str; 13] = [
    // -  bl 1  1  2  Ab ab a  A  b  1a 1b 2a
    "+  +  +  +  +  +  +  +  +  +  +  +  +", // nobody
    "+  +  +  +  +  +  +  +  +  +  +  +  +", // blank
    "c  c  +  +  -  -  -  -  -  -  +  +  -", // id 1
    "c  c  +  +  -  -  -  -  -  -  +  +  -", // id 1, padded
    "c  c  -  -  +  -  -  -  -  -  -  -  +", // id 2
    "c  c  -  -  -  +  -  -  -  -  -  -  -", // id Ab
    "c  c  -  -  -  -  +  -  -  -  -  -  -", // id ab
    "c  c  -  -  -  -  -  +  +  -  +  -  +", // mail a
    "c  c  -  -  -  -  -  +  +  -  +  -  +", // mail a, in capitals and padded
    "c  c  -  -  -  -  -  -  -  +  -  +  -", // mail b
    "c  c  +  +  -  -  -  +  +  -  +  +  -", // id 1, mail a
    "c  c  +  +  -  -  -  -  -  +  +  +  -", // id 1, mail b
    "c  c  -  -  +  -  -  +  +  -  -  -  +", // id 2, mail a
];

/// I2
#[test]
fn the_identity_table_holds_for_every_pair() {
    let mut pairs = 0;
    for ((existing_name, existing), row) in ACCOUNTS.into_iter().zip(TABLE) {
        let row: Vec<_> = row.split_whitespace().collect();
        assert_eq!(row.len(), ACCOUNTS.len(), "the row of {existing_name:?}");
        for ((incoming_name, incoming), expected) in ACCOUNTS.into_iter().zip(row) {
            let (existing, incoming) = (account(existing.0, existing.1), account(incoming.0, incoming.1));
            let found = match (may_replace(&existing, &incoming), may_copy(&existing, &incoming)) {
                (true, true) => "+",
                (false, true) => "c",
                (false, false) => "-",
                (true, false) => "the strict rule allows what the copy rule refuses",
            };
            assert_eq!(found, expected, "{existing_name:?} is there and {incoming_name:?} comes");
            pairs += 1;
        }
    }
    assert_eq!(pairs, 13 * 13);
}

fn any_account() -> impl Strategy<Value = Account> {
    ("[ abAB]{0,2}", "[ abAB]{0,2}").prop_map(|(id, email)| account(&id, &email))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// I3, and the same through the whole gate, whatever else of the two credentials differs.
    #[test]
    fn the_rules_are_reflexive_strict_and_ordered(
        a in any_account(),
        b in any_account(),
        times in proptest::array::uniform4(proptest::option::of(0_i64..4)),
    ) {
        prop_assert!(may_replace(&a, &a) && may_copy(&a, &a));
        prop_assert!(!may_replace(&a, &b) || may_copy(&a, &b));
        let mut held = credential("acme", "rt-held", times[0], times[1]);
        let mut incoming = credential("acme", "rt-incoming", times[2], times[3]);
        held.account = a.clone();
        incoming.account = b.clone();
        let by = |way| admit(&key("acme"), Some(&held), &incoming, way).is_ok();
        let ways =
            [by(Way::SignIn { stored: &[] }), by(Way::Import { stored: &[] }), by(Way::Refresh { said: &b })];
        prop_assert_eq!(ways[0], may_replace(&a, &b));
        prop_assert_eq!(ways[2], may_copy(&a, &b));
        prop_assert!(!ways[1] || ways[0], "an import is no easier than a sign-in");
        if a.id.is_some() && b.id.is_some() && a.id != b.id {
            prop_assert!(!may_replace(&a, &b) && !may_copy(&a, &b));
            prop_assert_eq!(ways, [false; 3]);
        }
    }
}

fn key(text: &str) -> TenantKey {
    text.parse().unwrap()
}

fn credential(
    provider: &str,
    refresh_token: &str,
    obtained_at: Option<UnixSeconds>,
    expires_at: Option<UnixSeconds>,
) -> Credential {
    let access_token = Secret::new(format!("at of {refresh_token}"));
    let mut made = Credential::new(CredentialKind::OAuth, key(provider).provider, access_token, 0);
    made.refresh_token = Some(Secret::new(refresh_token)).filter(|token| !token.is_empty());
    made.obtained_at = obtained_at;
    made.expires_at = expires_at;
    made
}

fn api_key(text: &str) -> Credential {
    Credential::new(CredentialKind::Static, key("acme").provider, Secret::new(text), 0)
}

/// I8: neither a refresh nor an import crosses from a sign-in to a key or back, or from provider to provider; a sign-in,
/// which somebody has asked for, may take a key's place.
#[test]
fn another_kind_or_another_provider_is_never_replaced_by_a_refresh_or_an_import() {
    let (sign_in, other) =
        (credential("acme", "rt", Some(1), None), credential("other", "rt2", Some(2), None));
    let nobody = Account::default();
    let refresh = Way::Refresh { said: &nobody };
    let import = Way::Import { stored: &[] };
    let slot = key("acme");
    for way in [refresh, import] {
        let kinds = [
            admit(&slot, Some(&api_key("sk")), &credential("acme", "rt2", Some(2), None), way),
            admit(&slot, Some(&sign_in), &api_key("sk"), way),
        ];
        let expected = [CredentialKind::Static, CredentialKind::OAuth];
        assert_eq!(kinds, expected.map(|held| Err(Objection::OtherKind { held })), "{way:?}");
    }
    for way in [refresh, import, Way::SignIn { stored: &[] }] {
        assert_eq!(admit(&slot, None, &other, way), Err(Objection::OtherProvider), "{way:?}");
        let crossed = admit(&slot, Some(&other), &sign_in, way);
        assert_eq!(crossed, Err(Objection::OtherProvider), "{way:?}");
    }
    assert_eq!(admit(&slot, Some(&api_key("sk")), &sign_in, Way::SignIn { stored: &[] }), Ok(()));
}

/// I8: fresher is what came later, else what ends later; what cannot be compared takes only the place of what is dead.
#[test]
fn an_import_never_replaces_a_fresher_credential_by_a_staler() {
    let live = CredentialState::Ok;
    let dead = CredentialState::NeedsLogin;
    for (held, incoming, state, allowed) in [
        ((Some(5), Some(50)), (Some(6), Some(40)), live, true),
        ((Some(5), Some(50)), (Some(5), Some(60)), live, false),
        ((Some(5), Some(50)), (Some(4), Some(60)), live, false),
        ((Some(5), Some(50)), (Some(4), Some(60)), dead, false),
        ((Some(5), Some(50)), (None, Some(51)), live, true),
        ((Some(5), Some(50)), (None, Some(50)), live, false),
        ((None, Some(50)), (Some(9), Some(49)), dead, false),
        ((Some(5), None), (None, Some(60)), live, false),
        ((Some(5), None), (None, Some(60)), dead, true),
        ((None, None), (None, None), live, false),
        ((None, None), (None, None), dead, true),
    ] {
        let mut there = credential("acme", "rt-held", held.0, held.1);
        there.state = state;
        // However often it was refreshed.
        there.generation = 7;
        let comes = credential("acme", "rt-incoming", incoming.0, incoming.1);
        let verdict = admit(&key("acme"), Some(&there), &comes, Way::Import { stored: &[] });
        let expected = if allowed { Ok(()) } else { Err(Objection::NotFresher) };
        assert_eq!(verdict, expected, "{held:?} is there ({state:?}) and {incoming:?} comes");
    }
    let there = credential("acme", "rt", Some(5), None);
    let again = credential("acme", "rt", Some(9), None);
    let verdict = admit(&key("acme"), Some(&there), &again, Way::Import { stored: &[] });
    assert_eq!(verdict, Err(Objection::Same));

    // The same access token, and the refresh token that is missing here.
    let mut without = there.clone();
    without.refresh_token = None;
    let import = Way::Import { stored: &[] };
    assert_eq!(admit(&key("acme"), Some(&without), &there, import), Ok(()));
    assert_eq!(admit(&key("acme"), Some(&there), &without, import), Err(Objection::Same));
    assert_eq!(admit(&key("acme"), Some(&without), &without, import), Err(Objection::Same));
}

/// I9: by a sign-in or an import; a refresh is the slot's own and goes on.
#[test]
fn a_refresh_token_stands_in_one_tenant() {
    let holder = key("acme/work@42");
    let stored = [
        (key("acme/empty"), Arc::new(credential("acme", "", None, None))),
        (holder.clone(), Arc::new(credential("acme", "rt", None, None))),
    ];
    let incoming = credential("acme", "rt", Some(1), None);
    let elsewhere = Err(Objection::HeldElsewhere { holder: holder.clone() });
    for way in [Way::SignIn { stored: &stored }, Way::Import { stored: &stored }] {
        assert_eq!(admit(&key("acme"), None, &incoming, way), elsewhere, "{way:?}");
        let none = credential("acme", "", Some(1), None);
        assert_eq!(admit(&key("acme"), None, &none, way), Ok(()), "no token is no likeness: {way:?}");
    }
    assert_eq!(admit(&holder, Some(&stored[1].1), &incoming, Way::SignIn { stored: &stored }), Ok(()));
    let nobody = Account::default();
    assert_eq!(admit(&key("acme"), Some(&incoming), &incoming, Way::Refresh { said: &nobody }), Ok(()));
}

/// I7
#[test]
fn an_objection_shows_no_secret() {
    let stored = [(key("acme/b"), Arc::new(credential("acme", "rt-very-secret", None, None)))];
    let incoming = credential("acme", "rt-very-secret", None, None);
    let mut named = credential("acme", "rt-very-secret-too", None, None);
    named.account = account("very-private", "very@private");
    for (held, incoming) in [
        (None, &incoming),
        (Some(&incoming), &incoming),
        (Some(&named), &incoming),
        (Some(&api_key("sk-very-secret")), &incoming),
        (Some(&incoming), &credential("acme", "", None, None)),
    ] {
        let objection = admit(&key("acme"), held, incoming, Way::Import { stored: &stored }).unwrap_err();
        assert!(!format!("{objection} {objection:?}").contains("very"), "{objection:?}");
    }
}
