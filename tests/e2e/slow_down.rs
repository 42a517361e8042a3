//! A device login in bad weather: told to slow down, answered by a proxy, cut off, killed; and it ends well, once.

use std::time::Duration;

use latchkey_test_authority::{Canned, Endpoint, Fault, Person};

use crate::harness::{Bot, SOON, Setup};

/// What is allowed by the seconds of an interval: clocks and networks jitter.
const JITTER: Duration = Duration::from_millis(100);
/// What is waited for comes within this time, however busy the machine is: how late a poll may be is not asked here.
const LATE: Duration = Duration::from_mins(2);

/// T11, S12, S13: two times `slow_down`, an HTML page, a dropped connection and `kill -9`: no poll comes sooner than allowed,
/// and there is one grant.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_delays_a_device_login_and_ends_nothing() {
    let setup = Setup::new().await;
    let authority = &setup.authority;
    let slow_down = Fault::Reply(Canned::error(400, "slow_down", "polled too fast"));
    for (times, fault) in [(2, slow_down), (1, Fault::Reply(Canned::html(503))), (1, Fault::CloseBefore)] {
        authority.fail_next(Endpoint::Token, times, &fault);
    }
    let bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login acme").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    let link = login.link("Open sign-in page");
    assert!(authority.eventually(LATE, |authority| authority.device_polls() == 3).await);
    let _bot = bot.restart(&setup).await;
    authority.approve_device(&link, &Person::ada()).await;
    assert!(authority.eventually(LATE, |authority| authority.device_polls() == 4).await);
    login.sees_text("Signed in to Acme", LATE).await;

    let start = authority.requests_to(Endpoint::DeviceStart).remove(0).at;
    let polls: Vec<_> = authority.requests_to(Endpoint::Token).iter().map(|poll| poll.at).collect();
    let before = [start].into_iter().chain(polls.iter().copied());
    let apart: Vec<_> = before.zip(&polls).map(|(one, next)| next.duration_since(one).unwrap()).collect();
    // The interval; five seconds more; five more, for good, whatever comes in between.
    let allowed = [3, 8, 13, 13, 13].map(Duration::from_secs);
    assert_eq!(apart.len(), allowed.len(), "{apart:?}");
    for (apart_by, allowed) in apart.iter().zip(allowed) {
        assert!(*apart_by + JITTER >= allowed, "{apart:?}");
    }
    assert_eq!((authority.device_starts(), authority.live_grants(), authority.polls_after_end()), (1, 1, 0));
    let token = setup.token(&["acme", "--thread", &thread.id().to_string()]).await;
    assert!(authority.accepts(&token));
    setup.discord.assert_clean();
}
