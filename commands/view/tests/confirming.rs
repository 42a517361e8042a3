//! Everything that is said about a sign-in with another account, in both languages (I5).

use latchkey::broker::{LoginStatusView, ThreadStatus};
use latchkey::credential::Account;
use latchkey::login::Question;

use super::*;

const BOB: &str = "1099511627776";

fn waiting_login(language: Language, by_admin: bool) -> PendingLogin {
    PendingLogin {
        status: LoginStatus::Confirming,
        by_admin,
        locale: Some(language.tag().to_owned()),
        ..login("acme/work", LoginKind::Paste)
    }
}

fn question(login: &PendingLogin, now: Option<&str>) -> Question {
    Question {
        login: login.clone(),
        now: now.map(|email| Account::new(None, Some(email))),
        owner: now.map(|_| user(BOB)),
        then: Account::new(None, Some("ben@example.test")),
        seen: "0123456789abcdef".parse().unwrap(),
    }
}

/// I5, U2
#[test]
fn confirmations() {
    in_every_language("confirmations", |language| {
        let (catalog, slash) = (catalog(), slash());
        let ann = waiting_login(language, false);
        let asked = question(&ann, Some("ada@example.test"));
        let admins = waiting_login(language, true);
        let over = |status, reason| PendingLogin { status, reason, ..ann.clone() };
        let end = |status, reason| decided(language, &over(status, reason), &catalog);
        let agreed = over(LoginStatus::Succeeded, Some(EndReason::ConfirmedBy(user(BOB))));
        let kept = over(LoginStatus::Cancelled, Some(EndReason::RefusedBy(user(BOB))));
        let expired = over(LoginStatus::Expired, Some(EndReason::Unconfirmed));
        let card = |login| super::card(login, None, Serves::Untold, Some("ben@example.test"));
        let told = |login| ended_in_thread(language, login, &catalog, &slash);
        let line = LoginStatusView::from(&ann);
        let status = |id: &str, admin| {
            let reader = Reader { user: user(id), admin };
            let status = ThreadStatus { logins: vec![line.clone()], ..ThreadStatus::default() };
            thread_status(language, &status, &reader, &catalog, &slash, None)
        };
        vec![
            ("card", waiting(language, &ann, Some(&asked), &catalog)),
            ("card, nothing known", card(&ann)),
            (
                "card of an admin",
                waiting(language, &admins, Some(&question(&admins, Some("ada@example.test"))), &catalog),
            ),
            ("in the thread", question_in_thread(language, &ann, &["<@&5>".to_owned()], &catalog)),
            ("in the thread, nobody to mention", question_in_thread(language, &ann, &[], &catalog)),
            ("step", decide(language, &asked, true, false, &catalog)),
            ("step, to keep", decide(language, &asked, false, false, &catalog)),
            ("step, changed", decide(language, &question(&ann, None), true, true, &catalog)),
            ("only admins", only_admins_decide(language, &slash)),
            ("decided: new", decided(language, &agreed, &catalog)),
            ("decided: kept", decided(language, &kept, &catalog)),
            ("completed", end(LoginStatus::Succeeded, Some(EndReason::CompletedBy(user(BOB))))),
            ("cancelled", end(LoginStatus::Cancelled, Some(EndReason::CancelledBy(user(BOB))))),
            ("taken back", end(LoginStatus::Cancelled, None)),
            ("logged out", end(LoginStatus::Cancelled, Some(EndReason::Removed))),
            ("expired", decided(language, &expired, &catalog)),
            ("otherwise", end(LoginStatus::Failed, Some(EndReason::OtherOwner))),
            ("ended: new", card(&agreed)),
            ("ended: kept", card(&kept)),
            ("ended: expired", card(&expired)),
            ("ended: an admin's own, kept", card(&PendingLogin { by_admin: true, ..kept.clone() })),
            ("ended: an admin's own, expired", card(&PendingLogin { by_admin: true, ..expired.clone() })),
            ("told: new", told(&agreed)),
            ("told: kept", told(&kept)),
            ("told: expired", told(&expired)),
            ("status, own", status(ANN, false)),
            ("status, an admin", status(BOB, true)),
        ]
    });
}

/// U2: what everybody can read names no account.
#[test]
fn nothing_public_names_an_account() {
    for language in Language::ALL {
        let ann = waiting_login(language, false);
        let agreed = PendingLogin {
            status: LoginStatus::Succeeded,
            reason: Some(EndReason::ConfirmedBy(user(BOB))),
            ..ann.clone()
        };
        for page in [
            question_in_thread(language, &ann, &[], &catalog()),
            decided(language, &agreed, &catalog()),
            ended_in_thread(language, &agreed, &catalog(), &slash()),
        ] {
            assert!(!page.text.contains("example.test"), "{}", page.text);
        }
    }
}
