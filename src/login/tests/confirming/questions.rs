//! What becomes of questions in threads, and of who was told, while logins come and go.

use latchkey_test_authority::{Canned, Endpoint};

use super::*;
use crate::pending::Asked;

impl Host {
    /// Ann's login is over, and its question still stands in thread 7.
    async fn a_question_stands(&self) -> (Logins, PendingLogin, Asked) {
        let (logins, id) = self.ann_waits().await;
        let login = self.login(&id).unwrap();
        logins.about_to_ask(&login, &thread("7")).await.unwrap();
        logins.was_asked(&login, &thread("7"), "555".to_owned()).await.unwrap();
        logins.cancel(&user(ANN), false, &id).await.unwrap();
        let over = self.login(&id).unwrap();
        let asked = over.asked[0].clone();
        (logins, over, asked)
    }

    /// Whatever stands under Ann's key.
    fn entry_of_ann(&self) -> Option<PendingLogin> {
        let document = self.store().snapshot().unwrap();
        document.login(&user(ANN), &key("acme")).unwrap().map(|login| (*login).clone())
    }
}

/// C6: who heard that a sign-in waits has not heard its end.
#[tokio::test]
async fn a_login_that_goes_on_has_told_nobody_its_end() {
    let host = Host::new();
    let (logins, id) = host.ann_waits().await;
    for (ends, told) in [(false, vec![]), (true, vec![thread("7")])] {
        if ends {
            logins.cancel(&user(ANN), false, &id).await.unwrap();
        }
        logins.mark_told(&host.login(&id).unwrap(), &thread("7")).await.unwrap();
        assert_eq!(host.login(&id).unwrap().told, told);
    }
}

/// I5: a question that was closed while the next login was being opened stays closed.
#[tokio::test]
async fn opening_a_login_brings_no_closed_question_back() {
    let host = Host::new();
    let (logins, over, asked) = host.a_question_stands().await;
    let held = host.authority.hold_reply(Endpoint::DeviceStart);
    let starting = tokio::spawn({
        let logins = logins.clone();
        async move { logins.start(request(ANN, LoginKind::Device)).await.unwrap().login }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    assert_eq!(host.entry_of_ann().unwrap().asked, vec![asked.clone()]);
    logins.question_closed(&over, &asked).await.unwrap();
    held.release();
    let opened = starting.await.unwrap();
    assert_eq!((opened.asked, host.login(&opened.id).unwrap().asked), (vec![], vec![]));
}

/// S4, I5: a start that was refused leaves what an earlier login's question needs to be closed, and nothing else.
#[tokio::test]
async fn a_refused_start_keeps_the_questions_that_still_stand() {
    let host = Host::new();
    let (logins, over, asked) = host.a_question_stands().await;
    host.authority.answer_next(Endpoint::DeviceStart, 1, Canned::html(403));
    let refused = logins.start(request(ANN, LoginKind::Device)).await;
    assert!(refused.is_err(), "{refused:?}");
    let kept = host.entry_of_ann().expect("the question still stands");
    assert_eq!(
        (kept.status, &kept.reason, &kept.asked, &kept.watchers),
        (LoginStatus::Failed, &Some(EndReason::NotStarted), &vec![asked.clone()], &vec![])
    );
    logins.question_closed(&over, &asked).await.unwrap();
    host.clock.jump(600);
    logins.sweep().await.unwrap();
    assert_eq!(host.entry_of_ann(), None);
}
