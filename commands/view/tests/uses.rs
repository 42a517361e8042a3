//! `/auth use`.

use latchkey::broker::{BindError, Bound, Choice, FromEnvironment, Reason, Serving};

use super::*;

const BEN: &str = "1099511627776";

fn serving(tenant: &str, reason: Reason) -> Serving {
    Serving { tenant: tenant.parse().unwrap(), reason }
}

/// U2, U7: what was used, what is used, that it serves everybody, and the way back.
#[test]
fn uses() {
    let own = format!("acme/work@{ANN}");
    let bens = format!("acme/secret@{BEN}");
    let mine = || Some(serving(&own, Reason::Thread));
    let shared = |reason| Some(serving("acme", reason));
    let of_ben = || Some(serving(&bens, Reason::Channel));
    let ann = reader(ANN, false);
    in_every_language("uses", |language| {
        let change = |before: Option<Serving>, now: Option<Serving>, environment| {
            let change = Bound { provider: "acme".parse().unwrap(), before, now, environment };
            bound(language, &change, &ann, &catalog(), &slash())
        };
        let failed = |error: &BindError| not_bound(language, error, &ann, &catalog(), &slash());
        let choice = |tenant: &str, health, serves| Choice { status: status(tenant, health), serves };
        let choices = [
            choice(&own, Health::Fresh, false),
            choice("acme/team", Health::NeedsLogin, false),
            choice("acme", Health::Fresh, true),
        ];
        let pick = |choices: &[Choice], is_bound| {
            let provider = "acme".parse().unwrap();
            pick_use(language, &provider, choices, is_bound, &ann, &catalog(), &slash())
        };
        let many: Vec<_> = (0..40).map(|n| choice(&format!("acme/p{n}"), Health::Fresh, false)).collect();
        vec![
            ("personal, in place of the shared", change(shared(Reason::Server), mine(), None)),
            ("personal, in place of nothing", change(None, mine(), None)),
            ("shared, in place of one's own", change(mine(), shared(Reason::Thread), None)),
            ("shared, in place of the channel's", change(of_ben(), shared(Reason::Thread), None)),
            ("behind a key", change(None, mine(), Some(FromEnvironment::ApiKey))),
            ("the same", change(mine(), mine(), None)),
            ("no choice, the shared serves", change(mine(), shared(Reason::Server), None)),
            ("no choice, the channel's serves", change(mine(), of_ben(), None)),
            ("no choice, nothing serves", change(mine(), None, None)),
            ("no choice before", change(shared(Reason::Server), shared(Reason::Server), None)),
            ("not yours", failed(&BindError::NotYours { tenant: bens.parse().unwrap() })),
            ("not signed in", failed(&BindError::NotSignedIn { tenant: own.parse().unwrap() })),
            ("not offered", failed(&BindError::NotOffered { provider: "old".parse().unwrap() })),
            ("held by another", failed(&BindError::HeldBy { owner: BEN.parse().unwrap() })),
            ("store", failed(&BindError::Store(StoreError::Closed))),
            ("unknown", unknown_name(language, "acmee", &slash())),
            ("which", pick(&choices, true)),
            ("which, with no choice yet", pick(&choices, false)),
            ("nothing else", pick(&choices[2..], false)),
            ("which of many", Page { rows: vec![], ..pick(&many, true) }),
        ]
    });
}

/// A label is at most as long as Discord takes, and shows no mention and no Markdown.
#[test]
fn labels_fit() {
    let long = format!("mcp:{}/{}@{BEN}", "a".repeat(64), "b".repeat(64));
    for language in Language::ALL {
        for tenant in [long.as_str(), "acme/work_2", &format!("acme@{BEN}")] {
            let choice = Choice { status: status(tenant, Health::NeedsLogin), serves: false };
            let label = choice_label(language, &choice, &reader(ANN, true), &catalog());
            assert!(label.chars().count() <= CHOICE_CAP, "{label}");
            assert!(!label.contains('<') && !label.contains('\\'), "{label}");
        }
        let provider = format!("mcp:{}", "a".repeat(64)).parse().unwrap();
        assert!(none_label(language, &catalog(), &provider).chars().count() <= CHOICE_CAP);
    }
}
