//! What is said of a restore, as people read it.

use latchkey::backup::Counts;
use latchkey::credential::Objection;

use super::*;

const NOW: i64 = 1_800_000_000;

fn header() -> Header {
    Header {
        created_at: NOW - 3 * 86_400 - 100,
        latchkey: "0.1.0".to_owned(),
        store_id: Some("one".to_owned()),
        counts: Counts::default(),
    }
}

fn item(key: &str, fate: Fate) -> Item {
    Item { key: key.to_owned(), account: Some("ada@example.org".to_owned()), is_refreshed: true, fate }
}

fn plan(items: Vec<Item>) -> Plan {
    Plan {
        items,
        threads: Rest { restored: 2, here: 1, over: 0 },
        revocations: Rest { restored: 0, here: 0, over: 1 },
        unknown: Rest::default(),
    }
}

fn report<'a>(copy: &'a Header, here: Option<&'a str>) -> Report<'a> {
    Report { copy, here, is_whole: true, now: NOW }
}

#[test]
fn what_would_come_back() {
    let at = Some(NOW - 86_400);
    let left = |left| Fate::Left(left);
    let items = vec![
        item("acme", Fate::Restored),
        item("acme/a", left(Left::Same)),
        item("acme/b", left(Left::NewerHere { here: 9, copy: 7 })),
        item("acme/c", left(Left::OlderHere { here: 2, copy: 7 })),
        item("acme/d", left(Left::AnotherSignIn { obtained_at: at, is_newer: Some(true) })),
        item("acme/e", left(Left::Beside("acme/x".parse().unwrap()))),
        item("acme/f", left(Left::Refused(Objection::OtherAccount))),
        item("acme/g\u{1b}", Fate::RestoredUnread),
    ];
    insta::assert_snapshot!("plan", report(&header(), Some("one")).of_plan(&plan(items)));
}

#[test]
fn what_would_be_replaced() {
    let items = vec![
        item("acme", Fate::Replaces { obtained_at: Some(NOW - 86_400) }),
        item("acme/b", Fate::RestoredBeside("acme/x".parse().unwrap())),
    ];
    insta::assert_snapshot!("replaced", report(&header(), Some("two")).of_plan(&plan(items)));
}

#[test]
fn what_came_back() {
    let replaced = item("acme/b", Fate::Replaces { obtained_at: None });
    let items = vec![item("acme", Fate::Restored), item("acme/a", Fate::Left(Left::Same)), replaced];
    insta::assert_snapshot!("done", report(&header(), None).of_done(&plan(items)));
}

/// An export of keys alone has nothing to warn of, and one that changes nothing has not either.
#[test]
fn the_warning_is_for_what_is_refreshed_and_comes_back() {
    let header = header();
    let report = report(&header, None);
    let mut key = item("acme", Fate::Restored);
    key.is_refreshed = false;
    assert_eq!(report.warning(&plan(vec![key])), None);
    assert_eq!(report.warning(&plan(vec![item("acme", Fate::Left(Left::Same))])), None);
    assert!(report.warning(&plan(vec![item("acme", Fate::Restored)])).is_some());
}

#[test]
fn ages_are_told_in_their_largest_unit() {
    for (seconds, expected) in
        [(0, "a moment"), (59, "59s"), (60, "1m"), (7_199, "1h"), (86_400, "1 day"), (200_000, "2 days")]
    {
        assert_eq!(rough(seconds), expected);
    }
}
