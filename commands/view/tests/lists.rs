//! `/auth list`.

use latchkey::broker::{FromEnvironment, List, Listed};

use super::*;

const BEN: &str = "1099511627776";

fn listed(tenant: &str, health: Health, threads: usize) -> Listed {
    Listed {
        status: status(tenant, health),
        environment: None,
        threads: (1..=threads).map(|n| n.to_string().parse().unwrap()).collect(),
    }
}

/// U6, U7
#[test]
fn lists() {
    let own = format!("acme/work@{ANN}");
    let mut behind = listed("notes", Health::Environment, 0);
    behind.environment = Some(FromEnvironment::Token);
    let mine = List {
        tenants: vec![listed(&own, Health::Fresh, 2), listed("acme", Health::NeedsLogin, 9), behind],
        environment: vec![("codex".parse().unwrap(), FromEnvironment::ApiKey)],
    };
    let mut all =
        List { tenants: vec![listed(&format!("acme/x@{BEN}"), Health::BackingOff, 0)], ..List::default() };
    all.tenants[0].status.last_error = Some("the server answered 503".to_owned());
    in_every_language("lists", |language| {
        let page = |shown: &List, reader: &Reader| list(language, shown, 0, reader, &catalog(), &slash());
        vec![
            ("nothing", page(&List::default(), &reader(ANN, false))),
            ("one's own and the shared", page(&mine, &reader(ANN, false))),
            ("everybody's", page(&all, &reader(ANN, true))),
        ]
    });
}

/// Every tenant is on exactly one page, and a page that is gone shows the last one.
#[test]
fn every_tenant_is_on_exactly_one_page() {
    let tenants = (10..70).map(|n| listed(&format!("acme/p{n}"), Health::NeedsLogin, 9)).collect();
    let all = List { tenants, environment: Vec::new() };
    for language in Language::ALL {
        let page = |at| list(language, &all, at, &reader(ANN, true), &catalog(), &slash());
        let (mut seen, mut at) = (Vec::new(), 0);
        loop {
            let page = page(at);
            assert!(page.text.chars().count() <= TEXT_CAP && !page.text.ends_with('…'), "{}", page.text);
            seen.extend((10..70).filter(|n| page.text.contains(&format!("p{n} "))));
            let presses = page.rows.iter().flat_map(|row| match row {
                Row::Buttons(buttons) => buttons.iter().map(|button| button.does.clone()).collect(),
                Row::Menu(_) => Vec::new(),
            });
            if !presses.into_iter().any(|does| does == Does::Press(Press::ListPage(at + 1))) {
                break;
            }
            at += 1;
        }
        assert_eq!(seen, (10..70).collect::<Vec<_>>());
        assert!(at > 3, "{at}");
        assert_eq!(page(999), page(at));
    }
}
