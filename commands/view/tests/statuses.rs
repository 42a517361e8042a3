//! `/auth status`, for everybody who may read it.

use latchkey::broker::{LoginStatusView, ThreadStatus};

use super::*;

fn thread_of(tenants: Vec<TenantStatus>) -> ThreadStatus {
    ThreadStatus { tenants, empty: Vec::new(), logins: Vec::new(), damaged: Vec::new() }
}

/// U6
#[test]
fn statuses() {
    let ann = Reader { user: user(ANN), admin: false };
    let bob = Reader { user: user("1099511627776"), admin: false };
    let admin = Reader { user: user("1099511627776"), admin: true };
    let page = |status: &ThreadStatus, reader: &Reader| thread_status(status, reader, &catalog(), &slash());
    let healths = [
        Health::Fresh,
        Health::Stale,
        Health::BackingOff,
        Health::Uncertain,
        Health::NeedsLogin,
        Health::Suspended(latchkey::credential::Unserved::Left),
        Health::Environment,
        Health::NotConfigured,
    ];
    let all = thread_of(healths.map(|health| status("acme", health)).to_vec());
    let personal = thread_of(vec![status(&format!("acme/work@{ANN}"), Health::NeedsLogin)]);
    let mut rest = thread_of(vec![status("acme", Health::Fresh)]);
    rest.empty.push("notes".parse().unwrap());
    for (person, status) in [(ANN, LoginStatus::Pending), ("1099511627776", LoginStatus::Exchanging)] {
        let login = PendingLogin { user: user(person), status, ..login("acme", LoginKind::Device) };
        rest.logins.push(LoginStatusView::from(&login));
    }
    let mut others = thread_of(Vec::new());
    for status in [LoginStatus::Pending, LoginStatus::Exchanging] {
        let login = PendingLogin { status, ..login(&format!("acme/work@{ANN}"), LoginKind::Device) };
        others.logins.push(LoginStatusView::from(&login));
    }
    rest.damaged.push(latchkey::store::EntryError {
        section: "tenants",
        key: "acme/old".to_owned(),
        why: "no access token".to_owned(),
    });
    let already = tenant_status(&status("acme", Health::Fresh), &ann, &catalog());
    let pages = album([
        ("nothing", page(&thread_of(Vec::new()), &bob)),
        ("every health, to who signed in", page(&all, &ann)),
        ("personal, to its owner", page(&personal, &ann)),
        ("personal, to another", page(&personal, &bob)),
        ("personal, to an admin", page(&personal, &admin)),
        ("logins, an empty slot", page(&rest, &ann)),
        ("logins, an empty slot, damage, to an admin", page(&rest, &admin)),
        ("a personal login, to who signs in", page(&others, &ann)),
        ("a personal login, to another", page(&others, &bob)),
        ("a personal login, to an admin", page(&others, &admin)),
        ("signed in already", signed_in_already(already, &"acme".parse().unwrap(), true)),
    ]);
    insta::assert_snapshot!(pages);
}
