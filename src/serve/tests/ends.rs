//! What a page tells of a login that goes on elsewhere, or is over.

use std::time::Duration;

use latchkey_test_authority::Endpoint;

use super::*;
use crate::login::Confirmation as Asking;

/// I5, T15: another account than the shared one waits for an admin, and the page says so until one has decided.
#[tokio::test]
async fn another_account_waits_for_an_admin_and_the_page_says_so() {
    let admin = "1".parse().unwrap();
    for (agree, end) in [(true, "succeeded Some(\"ben@example.test\")"), (false, "cancelled None")] {
        let world = World::new();
        let first = world.login_to("41", "hosted").await;
        let (_, said) = world.confirm(&world.answer(&first, &Person::ada()).await).await;
        assert_eq!(said, (200, "succeeded Some(\"ada@example.test\")".to_owned()));

        let login = world.login_to("42", "hosted").await;
        let answer = world.answer(&login, &Person::ben()).await;
        let waits = (200, "confirming None".to_owned());
        let (form, said) = world.confirm(&answer).await;
        assert_eq!(said, waits);
        assert_eq!(world.post(CALLBACK, &form).await, waits, "a reload tells the same");
        assert_eq!(world.get(&answer).await, (410, "OverOrUnknown".to_owned()), "its state is spent");
        let logins = world.broker.logins();
        let Ok(Asking::Open(question)) = logins.question(&admin, true, &login.id) else {
            panic!("an admin is asked");
        };
        if agree {
            logins.confirm(&admin, true, &login.id, question.seen).await.unwrap();
        } else {
            logins.refuse(&admin, true, &login.id).await.unwrap();
        }
        assert_eq!(world.post(CALLBACK, &form).await, (200, end.to_owned()));
        assert_eq!(world.host.authority.exchanges(), 2);
    }
}

/// S9: who came second is told so, and not whose account it is.
#[tokio::test]
async fn who_came_second_is_not_told_whose_account_it_is() {
    let world = World::new();
    let (first, second) = (world.login_to("41", "hosted").await, world.login_to("42", "hosted").await);
    let late = world.ticket(&world.answer(&second, &Person::ben()).await).await;
    world.confirm(&world.answer(&first, &Person::ada()).await).await;
    let said = world.post(CALLBACK, &format!("ticket={late}&decision=confirm")).await;
    assert_eq!(said, (200, "succeeded None".to_owned()));
    assert_eq!(world.host.authority.exchanges(), 1);
}

/// U4: the short link leads to the provider while the login waits for its answer, and at no other time.
#[tokio::test]
async fn a_short_link_serves_an_open_login_only() {
    let world = World::new();
    let (spent, late) = (world.login("42").await, world.login("43").await);
    let go = |login: &PendingLogin| format!("/sign-in/go/{}", login.id);
    let over = (410, "OverOrUnknown".to_owned());
    for login in [&spent, &late] {
        assert_eq!(world.get(&go(login)).await, (302, String::new()));
    }
    let answer = world.answer(&spent, &Person::ada()).await;
    let held = world.host.authority.hold(Endpoint::Token);
    let during = async {
        world.host.authority.eventually(Duration::from_secs(30), |_| held.waiting() == 1).await;
        let during = world.get(&go(&spent)).await;
        held.release();
        during
    };
    let (_, during) = tokio::join!(world.confirm(&answer), during);
    assert_eq!(during, over, "its answer is being used");
    assert_eq!(world.get(&go(&spent)).await, over, "completed");
    // Before any sweep has marked it.
    world.host.clock.jump(late.expires_at - world.host.clock.now());
    assert_eq!(world.get(&go(&late)).await, over, "its time is over");
}
