//! `/auth logout`.

use latchkey::broker::{LoggedOut, LogoutError, LogoutPreview};
use latchkey::revocation::Ended;

use super::*;

const BEN: &str = "1099511627776";

fn key(text: &str) -> TenantKey {
    text.parse().unwrap()
}

fn keys(names: &[&str]) -> Vec<TenantKey> {
    names.iter().map(|name| key(name)).collect()
}

fn threads(count: usize) -> Vec<ThreadId> {
    (1..=count).map(|n| n.to_string().parse().unwrap()).collect()
}

/// T12, U7: what else it ends, told as far as the reader may know it; done and owed apart.
#[test]
fn logouts() {
    let ann = reader(ANN, false);
    let own = format!("acme/work@{ANN}");
    let foreign = format!("acme/secret@{BEN}");
    let ends = [foreign.as_str(), "acme", "acme/play"];
    in_every_language("logouts", |language| {
        let preview = |tenant: &str, would_end: &[&str], bound: usize| {
            let preview = LogoutPreview {
                status: status(tenant, Health::Fresh),
                would_end: keys(would_end),
                revokes: true,
                threads: threads(bound),
            };
            logout_preview(language, &preview, &ann, &catalog())
        };
        let done = |at_provider, would_end: &[&str], bound| {
            let done = LoggedOut {
                tenant: key(&own),
                at_provider,
                would_end: keys(would_end),
                threads: threads(bound),
            };
            logged_out(language, &done, &ann, &catalog(), &slash())
        };
        let failed = |error: &LogoutError| logout_failed(language, error, &ann, &catalog(), &slash());
        let owed = || Ended::Owed { why: "no connection".to_owned(), retry_after: None };
        let many: Vec<_> = (0..30).map(|n| key(&format!("acme/p{n}"))).collect();
        vec![
            ("asked, shared", preview("acme", &[], 0)),
            ("asked, shared, bound", preview("acme", &[], 2)),
            ("asked, unused", preview(&own, &[], 0)),
            ("asked, with others and many threads", preview(&own, &ends, 11)),
            ("kept", kept(language)),
            ("done", done(Ended::Done, &[], 0)),
            ("done, with others", done(Ended::Done, &ends, 2)),
            ("not offered", done(Ended::NotOffered, &[], 1)),
            ("owed", done(owed(), &[], 0)),
            ("owed, with others", done(owed(), &ends, 0)),
            ("refused", done(Ended::Refused { why: "unsupported_token_type".to_owned() }, &[], 0)),
            ("not signed in", failed(&LogoutError::NotSignedIn { tenant: key("acme") })),
            ("not yours", failed(&LogoutError::NotYours { tenant: key(&foreign) })),
            ("store", failed(&LogoutError::Store(StoreError::Closed))),
            ("nothing", nothing_to_log_out(language, &slash())),
            ("unknown", unknown_tenant(language, "acme/wrok", &slash())),
            ("which", pick_logout(language, &keys(&["acme", &own]), &ann, &catalog(), &slash())),
            (
                "which of many",
                Page { rows: vec![], ..pick_logout(language, &many, &ann, &catalog(), &slash()) },
            ),
        ]
    });
}

/// U7: what another member calls their accounts is in no word of it.
#[test]
fn a_logout_names_no_profile_of_another() {
    let preview = LogoutPreview {
        status: status("acme", Health::Fresh),
        would_end: keys(&[&format!("acme/secret@{BEN}")]),
        revokes: true,
        threads: Vec::new(),
    };
    for (admin, named) in [(false, false), (true, true)] {
        let page = logout_preview(Language::English, &preview, &reader(ANN, admin), &catalog());
        assert_eq!(page.text.contains("secret"), named, "{}", page.text);
        assert!(page.text.contains(&format!("<@{BEN}>")), "{}", page.text);
    }
}
