//! The table of metrics, against Prometheus' conventions and the manual.

use std::collections::BTreeSet;

use super::*;

/// Z4: names and labels can be made, keep to Prometheus' conventions, and stand once.
#[test]
fn names_keep_to_the_conventions() {
    let mut names = BTreeSet::new();
    for family in ALL {
        let Family { name, kind, labels, help, .. } = family;
        assert!(names.insert(*name), "{name} stands twice");
        assert!(name.starts_with("latchkey_") || name.starts_with("process_"), "{name}");
        assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}");
        assert!(*kind != Kind::Histogram || name.ends_with("_seconds"), "{name} has its unit");
        assert!(help.ends_with('.') && !help.contains(['\n', '|', '\\']), "{name}: {help}");
        for bad in ["user", "thread", "account", "email", "login", "consumer"] {
            assert!(!labels.contains(&bad), "{name}: {bad} has too many values, or is a person");
        }
        match kind {
            Kind::Counter => {
                drop(family.counter());
                drop(family.total());
            }
            Kind::Gauge => drop(family.gauge()),
            Kind::Histogram => drop(family.histogram()),
        }
        drop(family.value());
    }
}

/// Z4: the manual's table is that of the program.
#[test]
fn the_manual_has_every_metric_as_it_is() {
    let row = |Family { name, kind, labels, help, .. }: &Family| {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{name}` | {} | {} | {help} |\n", kind.as_str(), labels.join(", "))
    };
    let rows = ALL.iter().map(row).collect::<Vec<_>>().concat();
    let manual = include_str!("../../docs/operations.md");
    assert!(manual.contains(&rows), "docs/operations.md should have these rows:\n{rows}");
}

/// G21: a token that is nowhere but in memory is seen exactly as long as that lasts, however many saves try.
#[test]
fn an_unsaved_rotation_is_seen_as_long_as_it_lasts() {
    let tenant = crate::testing::key("only-here");
    let is_seen = || unsaved_here().contains(&tenant);
    assert!(!is_seen());
    let (one, two) = (unsaved(&tenant), unsaved(&tenant));
    drop(one);
    assert!(is_seen());
    drop(two);
    assert!(!is_seen());
}

/// T10: what others say is no label.
#[test]
fn a_refusal_is_counted_by_our_word() {
    let refusal = crate::oauth::Refusal {
        kind: crate::oauth::RefusalKind::Dead(crate::oauth::DeadReason::Reused),
        status: 400,
        code: Some("their_code".to_owned()),
        text: "their words".to_owned(),
        said: None,
    };
    let tenant = crate::testing::key("counted-here");
    refreshed(&tenant, &Outcome::Refused(refusal), Duration::from_millis(30));
    let family = gather().into_iter().find(|family| family.name() == "latchkey_refreshes_total").unwrap();
    let labels: Vec<Vec<String>> = family
        .get_metric()
        .iter()
        .map(|metric| metric.get_label().iter().map(|label| label.value().to_owned()).collect())
        .collect();
    let ours: Vec<_> = labels.into_iter().filter(|labels| labels.contains(&tenant.to_string())).collect();
    assert_eq!(ours, [["refused", "reused", "counted-here"]]);
}
