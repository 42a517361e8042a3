//! `/auth status`, for everybody who may read it.

use latchkey::broker::{
    FromEnvironment, LoginStatusView, OwedView, Reason, RefreshError, Serving, ThreadEntry, ThreadStatus,
};
use latchkey::gate::TokenError;

use super::*;

const BEN: &str = "1099511627776";

fn entry(tenant: &str, reason: Reason, held: Option<TenantStatus>) -> ThreadEntry {
    let serving = Serving { tenant: tenant.parse().unwrap(), reason };
    ThreadEntry { serving, environment: None, held, damaged: false, another: false }
}

fn held(tenant: &str, reason: Reason, health: Health) -> ThreadEntry {
    entry(tenant, reason, Some(status(tenant, health)))
}

fn thread_of(entries: Vec<ThreadEntry>) -> ThreadStatus {
    ThreadStatus { entries, ..ThreadStatus::default() }
}

fn page(language: Language, status: &ThreadStatus, reader: &Reader) -> Page {
    thread_status(language, status, reader, &catalog(), &slash(), None)
}

/// Every health, on pages that hold them.
fn healths() -> [ThreadStatus; 2] {
    let healths = [
        Health::Fresh,
        Health::Stale,
        Health::BackingOff,
        Health::Uncertain,
        Health::NeedsLogin,
        Health::Misconfigured,
        Health::BadEnvironment,
        Health::Suspended(latchkey::credential::Unserved::Left),
        Health::NotConfigured,
    ];
    let mut all: Vec<_> = healths.map(|health| held("acme", Reason::Server, health)).into();
    let mut refused = status("acme", Health::BackingOff);
    refused.operators_error = true;
    refused.last_error = Some("invalid_client: unknown client".to_owned());
    all.push(entry("acme", Reason::Server, Some(refused)));
    let mut without_access = status("acme", Health::BackingOff);
    without_access.no_access = true;
    without_access.last_error = Some("the account has no access".to_owned());
    all.push(entry("acme", Reason::Server, Some(without_access)));
    let mut failing = status("acme", Health::Fresh);
    failing.retry_at = Some(NOW + 30);
    failing.last_error = Some("the server answered 503".to_owned());
    all.push(entry("acme", Reason::Server, Some(failing)));
    let rest = all.split_off(5);
    [thread_of(all), thread_of(rest)]
}

fn rest() -> ThreadStatus {
    let mut behind = held("acme", Reason::Thread, Health::Fresh);
    behind.environment = Some(FromEnvironment::ApiKey);
    behind.another = true;
    let mut token = entry("codex", Reason::Server, None);
    token.environment = Some(FromEnvironment::Token);
    let mut other = held(&format!("notes/work@{ANN}"), Reason::Channel, Health::Fresh);
    other.another = true;
    let mut bad = entry("claude", Reason::Server, None);
    bad.environment = Some(FromEnvironment::Unusable);
    let mut status = thread_of(vec![behind, token, bad, other]);
    for (person, at) in
        [(ANN, LoginStatus::Pending), (BEN, LoginStatus::Exchanging), (BEN, LoginStatus::Confirming)]
    {
        let login = PendingLogin { user: user(person), status: at, ..login("acme", LoginKind::Device) };
        status.logins.push(LoginStatusView::from(&login));
    }
    let login = login(&format!("acme/work@{ANN}"), LoginKind::Device);
    status.logins.push(LoginStatusView::from(&login));
    status
}

fn matters() -> ThreadStatus {
    let mut status = thread_of(vec![entry("acme", Reason::Thread, None)]);
    status.unreadable = true;
    status.silent = vec!["codex".parse().unwrap(), "notes".parse().unwrap()];
    status.owed = (0..4)
        .map(|n| OwedView {
            tenant: format!("acme/old{n}@{ANN}").parse().unwrap(),
            owed_at: NOW,
            retry_at: NOW + 120,
            ends_at: NOW + 86_400,
        })
        .collect();
    status.damaged = (0..5)
        .map(|n| latchkey::store::EntryError {
            section: "tenants",
            key: format!("acme/old{n}"),
            why: "no access token".to_owned(),
        })
        .collect();
    status
}

/// U6
#[test]
fn statuses() {
    let (ann, ben, admin) = (reader(ANN, false), reader(BEN, false), reader(BEN, true));
    let own = format!("acme/work@{ANN}");
    let personal = || thread_of(vec![held(&own, Reason::Thread, Health::NeedsLogin)]);
    let empty = || thread_of(vec![entry(&own, Reason::Thread, None)]);
    let mut could = entry("acme", Reason::Server, None);
    could.another = true;
    let mut damaged = entry("acme", Reason::Thread, None);
    damaged.damaged = true;
    let noticed = say!(Language::English, "refresh-lately");
    let mut silent = matters();
    silent.silent = (0..20).map(|n| format!("provider{n}").parse().unwrap()).collect();
    in_every_language("statuses", |language| {
        vec![
            ("nothing", page(language, &thread_of(Vec::new()), &ben)),
            ("every health, to who signed in", page(language, &healths()[0], &ann)),
            ("the others, to who signed in", page(language, &healths()[1], &ann)),
            ("the others, to an admin", page(language, &healths()[1], &admin)),
            ("personal, to its owner", page(language, &personal(), &ann)),
            ("personal, to another", page(language, &personal(), &ben)),
            ("personal, to an admin", page(language, &personal(), &admin)),
            ("an empty slot, to its owner", page(language, &empty(), &ann)),
            ("an empty slot, to another", page(language, &empty(), &ben)),
            ("nothing serves, one could", page(language, &thread_of(vec![could.clone()]), &ann)),
            ("damaged", page(language, &thread_of(vec![damaged.clone()]), &ann)),
            ("environment, channel, logins, to who signs in", page(language, &rest(), &ann)),
            ("environment, channel, logins, to another", page(language, &rest(), &ben)),
            ("environment, channel, logins, to an admin", page(language, &rest(), &admin)),
            ("owed, damage, not signed in elsewhere", page(language, &matters(), &admin)),
            ("many not signed in elsewhere", page(language, &silent, &ann)),
            (
                "with a notice",
                thread_status(language, &personal(), &ann, &catalog(), &slash(), Some(&noticed)),
            ),
            ("signed in already", tenant_status(language, &status("acme", Health::Fresh), &ann, &catalog())),
        ]
    });
}

/// U6: nobody is sent where nothing is to be had; what may mend itself is not urgent.
#[test]
fn a_status_offers_what_helps() {
    let (main, plain) = (Some(Look::Main), Some(Look::Plain));
    let unserved = latchkey::credential::Unserved::Left;
    for (health, operators, sign_in, refresh) in [
        (Health::Fresh, false, None, plain),
        (Health::Stale, false, None, plain),
        (Health::BackingOff, false, plain, plain),
        (Health::BackingOff, true, None, plain),
        (Health::Uncertain, false, main, plain),
        (Health::NeedsLogin, false, main, None),
        (Health::Misconfigured, false, main, plain),
        (Health::Suspended(unserved), false, None, None),
        (Health::NotConfigured, false, None, None),
    ] {
        let held = TenantStatus { operators_error: operators, ..status("acme", health) };
        let status = thread_of(vec![entry("acme", Reason::Thread, Some(held))]);
        let page = page(Language::English, &status, &reader(ANN, false));
        let look = |label| {
            let buttons = page.rows.iter().filter_map(|row| match row {
                Row::Buttons(buttons) => Some(buttons),
                Row::Menu(_) => None,
            });
            buttons.flatten().find(|button| button.label == label).map(|button| button.look)
        };
        let found = (look("Sign in again"), look("Refresh now"));
        assert_eq!(found, (sign_in, refresh), "{health:?} {operators}");
    }
}

/// U6, G15: what came of "Refresh now".
#[test]
fn refreshes() {
    let tenant = || "acme".parse::<TenantKey>().unwrap();
    let why = || "503".to_owned();
    let errors = [
        RefreshError::NotYours { tenant: tenant() },
        RefreshError::NotRefreshable { tenant: tenant() },
        TokenError::Rejected { tenant: tenant() }.into(),
        TokenError::BackOff { tenant: tenant(), until: NOW, why: why() }.into(),
        TokenError::Held { tenant: tenant(), until: NOW }.into(),
        TokenError::TimedOut { tenant: tenant(), seconds: 30, holder: None }.into(),
        TokenError::NeverSignedIn { tenant: tenant() }.into(),
        TokenError::NeedsLogin { tenant: tenant(), why: why() }.into(),
        TokenError::Operator { tenant: tenant(), why: why() }.into(),
        TokenError::NoAccess { tenant: tenant(), why: why() }.into(),
        TokenError::Overtaken { tenant: tenant() }.into(),
        TokenError::Panicked { tenant: tenant() }.into(),
    ];
    let ann = reader(ANN, false);
    for language in Language::ALL {
        let status = status("acme", Health::Fresh);
        let done = refreshed(language, Ok(&status), &ann, &catalog());
        let failed = errors.iter().map(|error| refreshed(language, Err(error), &ann, &catalog()));
        let all = [done].into_iter().chain(failed).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(format!("refreshes-{}", language.tag()), all);
    }
}

/// U6: five rows and 2,000 characters, and what is left out is said.
#[test]
fn a_status_fits_however_much_there_is() {
    let many = (0..20).map(|_| held("acme", Reason::Thread, Health::NeedsLogin)).collect();
    let mut status = thread_of(many);
    status.owed = matters().owed;
    for language in Language::ALL {
        let page = page(language, &status, &reader(ANN, true));
        assert!(page.text.chars().count() <= TEXT_CAP && !page.text.ends_with('…'), "{}", page.text);
        assert_eq!(page.rows.len(), 5);
        let told = say!(
            language,
            "status-more-buttons",
            count = 16,
            login = slash().sub("login"),
            using = slash().sub("use"),
            logout = slash().sub("logout")
        );
        assert!(page.text.ends_with(&told), "{}", page.text);
        let shown = page.text.matches("🔴").count();
        assert!(page.text.contains(&(24 - shown).to_string()), "{shown}: {}", page.text);
        for row in &page.rows {
            assert!(matches!(row, Row::Buttons(buttons) if buttons.len() <= 5));
        }
    }
}
