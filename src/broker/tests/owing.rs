//! What is owed to providers (T12).

use super::*;
use crate::binding::OwedRevocation;

impl House {
    fn owed(&self) -> Vec<OwedRevocation> {
        self.broker.store().snapshot().unwrap().owed().map(|owed| (*owed).clone()).collect()
    }

    async fn stamp(&self, change: impl FnOnce(&mut OwedRevocation) + Send + 'static) {
        update(&**self.broker.store(), Touches::nothing().and_revocations(), move |view| {
            let mut owed = view.owed().remove(0);
            change(&mut owed);
            view.owe(owed);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
    }
}

async fn house_that_owes() -> House {
    let host = House::new();
    host.sign_in("acme@42", &Person::ada(), "42").await;
    host.authority.answer_next(Endpoint::Revoke, 1, Canned::html(503));
    host.broker.logout(&caller("42"), &key("acme@42")).await.unwrap();
    assert_eq!((host.authority.revocations(), host.owed().len()), (1, 1));
    host
}

/// S14, T12: a pause that a clock's jump made holds nobody.
#[tokio::test]
async fn a_pause_from_the_far_future_is_due_now() {
    for stamp in [i64::MAX, Clock::system().now() + 3 * 24 * 60 * 60] {
        let host = house_that_owes().await;
        host.stamp(move |owed| owed.retry_at = stamp).await;
        host.broker.retry_owed().await.unwrap();
        assert_eq!((host.authority.revocations(), host.owed()), (2, vec![]), "{stamp}");
    }
}

/// S14, T12: a clock that was set back forgets no revocation, and the pauses count by the new time.
#[tokio::test]
async fn a_clock_that_was_set_back_forgets_nothing_that_is_owed() {
    let host = house_that_owes().await;
    host.clock.jump(-7_200);
    host.broker.logins().sweep().await.unwrap();
    assert_eq!(host.owed().len(), 1);
    host.authority.answer_next(Endpoint::Revoke, 1, Canned::html(503));
    host.broker.retry_owed().await.unwrap();
    host.broker.retry_owed().await.unwrap();
    let owed = host.owed();
    assert_eq!((host.authority.revocations(), owed[0].owed_at), (2, host.clock.now()), "and then it waits");
    host.clock.jump(4_000);
    host.broker.retry_owed().await.unwrap();
    assert_eq!((host.authority.revocations(), host.owed()), (3, vec![]));
}

/// T12: after a day it is tried no more, also before anybody writes.
#[tokio::test]
async fn nothing_is_tried_after_a_day() {
    let host = house_that_owes().await;
    host.clock.jump(86_401);
    host.broker.retry_owed().await.unwrap();
    assert_eq!((host.authority.revocations(), host.owed().len()), (1, 1));
    host.broker.logins().sweep().await.unwrap();
    assert_eq!(host.owed(), vec![]);
}

/// T12: what another process settled while we tried in vain does not come back.
#[tokio::test]
async fn what_was_settled_meanwhile_is_owed_no_more() {
    let host = house_that_owes().await;
    host.clock.jump(200);
    let held = host.authority.hold(Endpoint::Revoke);
    host.authority.answer_next(Endpoint::Revoke, 1, Canned::html(503));
    let trying = tokio::spawn({
        let broker = host.broker.clone();
        async move { broker.retry_owed().await }
    });
    assert!(host.authority.eventually(std::time::Duration::from_secs(20), |_| held.waiting() == 1).await);
    let id = host.owed()[0].id.clone();
    update(&**host.broker.store(), Touches::nothing().and_revocations(), move |view| {
        view.settle(&id);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
    held.release();
    trying.await.unwrap().unwrap();
    assert_eq!(host.owed(), vec![]);
}

/// U6, T12: what is owed is told to an admin, and to whose tenant it was.
#[tokio::test]
async fn status_tells_what_is_owed_to_whom_it_concerns() {
    let host = house_that_owes().await;
    for (who, told) in [(caller("42"), 1), (caller("43"), 0), (Caller { admin: true, ..caller("43") }, 1)] {
        let status = host.broker.thread_status(&who, &"7".parse().unwrap(), None).unwrap();
        assert_eq!(status.owed.len(), told, "{who:?}");
    }
}

/// T12, U7: who tries to log out another's slot is not told whether it holds anything; the threads of one's own are named.
#[tokio::test]
async fn a_logout_names_the_threads_and_tells_strangers_nothing() {
    let host = House::new();
    host.sign_in("acme@42", &Person::ada(), "42").await;
    host.bind("7", "acme@42").await;
    for tenant in ["acme@42", "acme/none@42"] {
        let refused = host.broker.preview_logout(&caller("43"), &key(tenant));
        assert!(matches!(refused, Err(LogoutError::NotYours { .. })), "{tenant}");
    }
    let preview = host.broker.preview_logout(&caller("42"), &key("acme@42")).unwrap();
    assert_eq!(preview.threads, ["7".parse().unwrap()]);
    let done = host.broker.logout(&caller("42"), &key("acme@42")).await.unwrap();
    assert_eq!(done.threads, preview.threads);
}
