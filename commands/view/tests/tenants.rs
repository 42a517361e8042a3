//! What a thread reads of its tenants, and what a member is told directly.

use latchkey::credential::Unserved;
use latchkey::worker::{News, What};

use super::*;

fn news(tenant: &str, what: What) -> News {
    News {
        tenant: tenant.parse().unwrap(),
        what,
        is_bound: true,
        mark: "a mark".to_owned(),
        nonce: "a nonce".to_owned(),
    }
}

/// W4, U7: the profile of somebody's own account is nobody else's business.
#[test]
fn news_of_tenants() {
    let own = format!("acme/side-project@{ANN}");
    in_every_language("news_of_tenants", |language| {
        let page = |tenant: &str, what| tenant_news(language, &news(tenant, what), &catalog(), &slash());
        let pages = vec![
            ("needs a sign-in, shared", page("acme", What::NeedsLogin)),
            ("needs a sign-in, shared, with a profile", page("acme/work", What::NeedsLogin)),
            ("needs a sign-in, own", page(&own, What::NeedsLogin)),
            ("works again, somebody signed in", page("acme", What::WorksAgain { by: Some(user(ANN)) })),
            (
                "works again, the operator signed in",
                page("acme", What::WorksAgain { by: Some(User::Local(0)) }),
            ),
            ("works again by itself", page("acme", What::WorksAgain { by: None })),
            ("left", page(&own, What::Unserved(Unserved::Left))),
            ("not admitted", page(&own, What::Unserved(Unserved::NotAdmitted))),
            ("served again", page(&own, What::ServedAgain)),
            ("its button, to another", not_yours_to_renew(language, &ANN.parse().unwrap(), &slash())),
        ];
        for (name, page) in &pages {
            assert!(!page.text.contains("side-project"), "{name}");
        }
        pages
    });
}

/// W4: who needs to do something is called; nobody else is.
#[test]
fn only_the_owner_of_what_needs_a_sign_in_is_called() {
    let own = format!("acme@{ANN}");
    for (tenant, what, called) in [
        (&*own, What::NeedsLogin, Some(ANN)),
        ("acme", What::NeedsLogin, None),
        (&*own, What::WorksAgain { by: Some(user(ANN)) }, None),
        (&*own, What::Unserved(Unserved::Left), None),
        (&*own, What::ServedAgain, None),
    ] {
        let news = news(tenant, what);
        assert_eq!(called_by(&news).map(ToString::to_string).as_deref(), called, "{news:?}");
    }
}

/// U5
#[test]
fn ends_told_directly() {
    in_every_language("ends_told_directly", |language| {
        let page = |status| {
            let login = PendingLogin { status, ..login("acme/work", LoginKind::Device) };
            ended_direct(language, &login, &catalog(), &slash(), "Ada's *server*")
        };
        let ended = |status, reason| {
            let login =
                PendingLogin { status, reason: Some(reason), ..login("acme/work", LoginKind::Device) };
            ended_direct(language, &login, &catalog(), &slash(), "Ada's *server*")
        };
        vec![
            ("kept", ended(LoginStatus::Cancelled, EndReason::RefusedBy(user(ANN)))),
            ("unconfirmed", ended(LoginStatus::Expired, EndReason::Unconfirmed)),
            ("succeeded", page(LoginStatus::Succeeded)),
            ("cancelled", page(LoginStatus::Cancelled)),
            ("expired", page(LoginStatus::Expired)),
            ("denied", page(LoginStatus::Denied)),
            ("failed", page(LoginStatus::Failed)),
        ]
    });
}
