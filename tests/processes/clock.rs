//! The wall clock jumps an hour, either way, in the middle of everything. Whatever it does: no refresh token is used
//! twice, nobody waits longer than ever, and no sign-in is called dead.

use std::time::Duration;

use latchkey::clock::Clock;
use latchkey::credential::{Credential, CredentialState};
use latchkey::gate::Want;
use latchkey::secret::Secret;
use latchkey_test_authority::{Canned, Endpoint, Fault};

use crate::asking::{Stopped, WallClock, ask, at_once};
use crate::host::{Host, LONG, key, printed, said};
use crate::waiting::WAITING;
use crate::watched::Watched;

const HOUR: i64 = 3_600;
const TOKEN: [&str; 2] = ["token", "acme"];

/// What must hold whatever the clock did.
fn alive(host: &Host) -> Credential {
    let held = host.stored("acme").unwrap();
    assert_eq!((held.state, host.authority.reuses()), (CredentialState::Ok, 0));
    assert!(host.authority.would_refresh(held.refresh_token.as_ref().unwrap().expose()));
    held
}

/// S14, G19: between a lost answer and its retry.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_between_a_lost_answer_and_its_retry_loses_nothing() {
    for jump in [HOUR, -HOUR] {
        let host = Host::new();
        let clock = WallClock::of(&host).and("after-room=1*off->return(stop)");
        host.expired("acme").await;
        // Long over, so that it is over on a clock that stands an hour back, too.
        host.change("acme", |held| held.expires_at = held.expires_at.map(|at| at - 2 * HOUR)).await;
        host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
        let meanwhile = async {
            let stopped = Stopped::at(&host, "acme");
            stopped.wait().await;
            clock.set(jump);
        };
        let environment = clock.environment();
        let arguments = ["token", "acme", "--timeout", "100s"];
        let (answer, ()) = tokio::join!(ask(&host, &arguments, &environment), meanwhile);
        assert!(host.authority.accepts(answer.token()), "{jump}");
        assert_eq!((alive(&host).intent, host.authority.refreshes()), (None, 2));
    }
}

/// S14, T9, G15: while the provider is asked. A clock set back gives the token no longer life than it has; one set forward
/// costs one refresh more, since the token seems over as it comes. Everybody has the same token in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_while_the_provider_is_asked_costs_one_refresh_more_at_most() {
    for jump in [HOUR + 60, -HOUR] {
        let host = Host::new();
        let clock = WallClock::of(&host);
        host.expired("acme").await;
        host.change("acme", |held| held.expires_at = held.expires_at.map(|at| at - 2 * HOUR)).await;
        let gate = host.authority.hold_reply(Endpoint::Token);
        let meanwhile = async {
            host.until("the refresh", || gate.waiting() == 1).await;
            clock.set(jump);
            gate.release();
        };
        let environment = clock.environment();
        let arguments = ["token", "acme", "--timeout", "100s"];
        let (answers, ()) = tokio::join!(at_once(&host, 10, &arguments, &environment), meanwhile);
        let held = alive(&host);
        for answer in answers {
            assert_eq!(answer.token(), held.access_token.expose(), "{jump}");
        }
        assert!(host.authority.refreshes() <= 2, "{} refreshes", host.authority.refreshes());
        let left = held.expires_at.unwrap() - (Clock::system().now() + jump);
        assert!((HOUR - 200..=HOUR).contains(&left), "{left} s left after a jump of {jump}");
    }
}

/// S14, G16: during a back-off. An hour forward ends it; an hour back does not make it an hour longer, for anybody.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_ends_a_back_off_and_never_makes_it_longer() {
    for jump in [HOUR, -HOUR] {
        let host = Host::new();
        let clock = WallClock::of(&host);
        host.expired("acme").await;
        host.change("acme", |held| held.expires_at = held.expires_at.map(|at| at - 2 * HOUR)).await;
        let busy = Canned::html(503).with_header("retry-after", "600");
        host.authority.answer_next(Endpoint::Token, 1, busy);
        for _ in 0..2 {
            assert_eq!(ask(&host, &TOKEN, &clock.environment()).await.code, Some(4));
        }
        assert_eq!(host.status("acme", &clock.environment()).await["health"], "backing_off");
        assert_eq!(host.authority.refreshes(), 1);
        clock.set(jump);
        let status = host.status("acme", &clock.environment()).await;
        assert_eq!((&status["health"], &status["retry_at"]), (&"stale".into(), &serde_json::Value::Null));
        for answer in at_once(&host, 5, &TOKEN, &clock.environment()).await {
            assert!(host.authority.accepts(answer.token()), "{jump}");
        }
        assert_eq!((alive(&host).retry_at, host.authority.refreshes()), (None, 2));
    }
}

/// S14: a back-off that no server can have asked for holds nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_back_off_of_days_is_due_now() {
    let host = Host::new();
    host.expired("acme").await;
    host.change("acme", |held| held.retry_at = Some(Clock::system().now() + 10 * 24 * HOUR)).await;
    assert!(host.authority.accepts(ask(&host, &TOKEN, &[]).await.token()));
    assert_eq!((alive(&host).retry_at, host.authority.refreshes()), (None, 1));
}

/// S14, G17: before the probe of a dead sign-in is due. Either way it is made once, by one of all who come, and never
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_brings_the_probe_forward_and_makes_no_second() {
    for jump in [HOUR, -HOUR] {
        let host = Host::new();
        let clock = WallClock::of(&host);
        let tokens = host.expired("acme").await;
        host.change("acme", |held| held.expires_at = held.expires_at.map(|at| at - 2 * HOUR)).await;
        host.authority.expire_grant(&tokens.refresh);
        for (late, requests) in [(0, 1), (300, 1), (jump, 2), (0, 2), (jump * 2, 2)] {
            clock.set(late);
            for answer in at_once(&host, 5, &TOKEN, &clock.environment()).await {
                assert_eq!(answer.end(), (Some(3), ""), "{}", answer.said);
            }
            assert_eq!((host.authority.refreshes(), host.authority.reuses()), (requests, 0), "{late}");
        }
    }
}

/// S11, S14: a sign-in under way is ancient on either side of the jump: it is over for everybody, and the next start works at
/// once.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_ends_a_sign_in_that_is_under_way() {
    for jump in [HOUR, -HOUR] {
        let host = Host::new();
        let wall = WallClock::of(&host);
        let clock = Clock::starting_at(Clock::system().now());
        let broker = host.broker_on(&clock);
        let before = host.paste_login(&broker, "acme").await;
        let again = host.paste_login(&broker, "acme").await;
        assert_eq!(before.id, again.id, "joined while it lives");
        let mut command = host.latchkey(&["token", "acme", "--wait"]);
        command.envs(wall.environment());
        let mut waiting = Watched::spawn(command);
        waiting.until_it_says(WAITING);
        clock.jump(jump);
        wall.set(jump);
        let waited = waiting.end();
        let end = (waited.status.code(), printed(&waited));
        assert_eq!(end, (Some(3), String::new()), "whoever waits for it does not hang: {}", said(&waited));
        let after = host.paste_login(&broker, "acme").await;
        assert_ne!(before.id, after.id, "{jump}");
        host.sign_in(&broker, "acme").await;
        let answer = ask(&host, &TOKEN, &wall.environment()).await;
        assert!(host.authority.accepts(answer.token()));
    }
}

/// S14, G15: the stamp of a forced refresh lies in the future. It forbids nothing, and the next one counts again.
#[tokio::test(flavor = "multi_thread")]
async fn a_forced_refresh_of_the_future_forbids_nothing() {
    let host = Host::new();
    let clock = WallClock::of(&host);
    let mut token = host.serving("acme").await.access;
    for (late, code) in [(0, 0), (0, 5), (-HOUR, 0), (-HOUR, 5), (90 - HOUR, 0), (90 - HOUR, 5)] {
        clock.set(late);
        let hash = Secret::new(&*token).hash().to_string();
        let arguments = ["token", "acme", "--rejected-sha256", &hash];
        let answer = ask(&host, &arguments, &clock.environment()).await;
        assert_eq!(answer.code, Some(code), "{late}: {}", answer.said);
        if code == 0 {
            answer.token().clone_into(&mut token);
        }
    }
    alive(&host);
    assert_eq!(host.authority.refreshes(), 3);
}

/// S14, G24: a process that lives on, and its refreshes ahead of need: an hour back puts them off, an hour forward makes
/// one, however many ask.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_past_the_refresh_point_makes_one_refresh_for_all() {
    let host = Host::new();
    host.serving("acme").await;
    let clock = Clock::starting_at(Clock::system().now());
    let broker = host.broker_on(&clock);
    for (jump, refreshes) in [(-HOUR, 0), (HOUR, 0), (HOUR - 120, 1), (-HOUR, 1), (2 * HOUR, 2)] {
        clock.jump(jump);
        for _ in 0..50 {
            broker.token(&key("acme"), Want::default(), LONG).await.unwrap();
        }
        host.until("the flight's end", || broker.gate().flights() == 0).await;
        assert_eq!((host.authority.refreshes(), alive(&host).failures), (refreshes, 0), "{jump}");
    }
    broker.drain().await;
}

/// S14, G1: the clock goes to and fro under a storm, for processes and tasks that do not agree on the time.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_goes_to_and_fro_under_a_storm_makes_no_reuse() {
    let host = Host::new();
    let wall = WallClock::of(&host);
    let clock = Clock::starting_at(Clock::system().now());
    let broker = host.broker_on(&clock);
    host.expired("acme").await;
    host.authority.latency(Endpoint::Token, Duration::from_millis(200));
    for round in 0..4 {
        let jump = if round % 2 == 0 { HOUR } else { -HOUR };
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let broker = broker.clone();
            tasks.spawn(async move { broker.token(&key("acme"), Want::default(), LONG).await });
        }
        let jumps = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            clock.jump(jump);
            wall.set(jump);
        };
        let environment = wall.environment();
        let (answers, ()) = tokio::join!(at_once(&host, 10, &TOKEN, &environment), jumps);
        for answer in answers {
            assert!(matches!(answer.code, Some(0 | 4)), "{answer:?}");
        }
        while let Some(token) = tasks.join_next().await {
            drop(token.unwrap());
        }
        alive(&host);
    }
    broker.drain().await;
    // Ten processes and one more, each refreshing twice at the very most, four times.
    assert!(host.authority.refreshes() <= 4 * 11 * 2, "{}", host.authority.refreshes());
}
