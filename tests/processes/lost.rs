//! Answers that are lost on their way: one more try where that is safe, none where it is not, and nothing forgotten.

use latchkey::credential::CredentialState;
use latchkey_test_authority::{Canned, Endpoint, Fault, Reuse, ReuseError};

use crate::asking::{Stopped, WallClock, ask, at_once};
use crate::host::Host;

const TOKEN: [&str; 2] = ["token", "acme"];
const TWO_HOURS: [&str; 4] = ["token", "acme", "--min-valid", "2h"];

/// What may come in place of a whole answer, when the token was rotated all the same.
fn lost() -> [Fault; 5] {
    [
        Fault::CloseAfter,
        Fault::CutBody(20),
        Fault::ReplyAfter(Canned::html(502)),
        Fault::ReplyAfter(Canned::error(504, "invalid_grant", "")),
        Fault::ReplyAfter(Canned::oversized(70_000)),
    ]
}

/// G16, G19: a lost answer is asked for once more at once, where a second use is forgiven.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_made_good_by_a_lenient_server() {
    for fault in lost() {
        let host = Host::new();
        host.configure("reuse = \"lenient\"");
        host.authority.set(|settings| settings.reuse = Reuse::Lenient);
        // Its own token serves still: a lenient server is asked again all the same.
        host.serving("acme").await;
        host.authority.fail_next(Endpoint::Token, 1, &fault);
        let answer = ask(&host, &TWO_HOURS, &[]).await;
        assert!(host.authority.accepts(answer.token()), "{fault:?}");
        let held = host.stored("acme").unwrap();
        assert_eq!((held.generation, held.intent, held.failures, held.retry_at), (2, None, 0, None));
        assert_eq!((host.authority.refreshes(), held.state), (2, CredentialState::Ok), "{fault:?}");
    }
}

/// G19: a strict server is not asked again while the old token serves, by no process; and once when it no longer does.
/// If the first request never took effect, nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_left_alone_while_the_old_token_serves() {
    let host = Host::new();
    let clock = WallClock::of(&host);
    let old = host.serving("acme").await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
    for _ in 0..3 {
        let answer = ask(&host, &TWO_HOURS, &clock.environment()).await;
        assert_eq!(answer.end(), (Some(4), ""), "{}", answer.said);
        assert!(answer.said.contains("it is made when the present token ends"), "{}", answer.said);
    }
    assert_eq!(ask(&host, &TOKEN, &clock.environment()).await.token(), old.access);
    assert_eq!(host.authority.refreshes(), 1);
    clock.set(3_601);
    let tokens = at_once(&host, 5, &TOKEN, &clock.environment()).await;
    assert!(tokens.iter().all(|answer| host.authority.accepts(answer.token())));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
}

/// G17, G19: the same, with the token rotated. The one more try is the second use, and its answer is definite: it is
/// taken at its word, and nobody tries a third time.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_rotation_ends_with_one_more_try_and_its_definite_answer() {
    let host = Host::new();
    let clock = WallClock::of(&host);
    host.authority.set(|settings| settings.reuse_error = ReuseError::Prose);
    host.serving("acme").await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseAfter);
    assert_eq!(ask(&host, &TWO_HOURS, &clock.environment()).await.code, Some(4));
    clock.set(3_601);
    for answer in at_once(&host, 5, &TOKEN, &clock.environment()).await {
        assert_eq!(answer.end(), (Some(3), ""), "{}", answer.said);
    }
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 1));
    assert_eq!(host.stored("acme").unwrap().state, CredentialState::NeedsLogin);
}

/// G10, G19: two lost answers in a row. Said as what it is, by every process and without a request, until the time that is
/// written down; the definite answer that comes then ends it.
#[tokio::test(flavor = "multi_thread")]
async fn two_lost_answers_are_uncertain_until_a_definite_one() {
    for dead in [false, true] {
        let host = Host::new();
        let clock = WallClock::of(&host);
        let tokens = host.expired("acme").await;
        host.authority.fail_next(Endpoint::Token, 2, &Fault::CloseBefore);
        assert_eq!(ask(&host, &TOKEN, &clock.environment()).await.end(), (Some(4), ""));
        for answer in at_once(&host, 5, &TOKEN, &clock.environment()).await {
            assert_eq!(answer.end(), (Some(4), ""), "{}", answer.said);
            assert!(answer.said.contains("the sign-in is kept"), "{}", answer.said);
        }
        let status = host.status("acme", &clock.environment()).await;
        assert_eq!(status["health"], "uncertain");
        assert!(status["retry_at"].is_i64() && status["last_error"].is_string(), "{status}");
        let table = ask(&host, &["status"], &clock.environment()).await;
        assert!(table.token().contains("uncertain") && table.token().contains("tried again in"), "{table:?}");
        assert_eq!(host.authority.refreshes(), 2);
        assert_eq!(host.stored("acme").unwrap().intent.unwrap().attempt, 2);

        if dead {
            host.authority.revoke_grant(&tokens.refresh);
        }
        clock.set(600);
        let answer = ask(&host, &TOKEN, &clock.environment()).await;
        let held = host.stored("acme").unwrap();
        if dead {
            assert_eq!((answer.code, held.state), (Some(3), CredentialState::NeedsLogin));
        } else {
            assert!(host.authority.accepts(answer.token()));
            assert_eq!((held.state, held.intent, held.failures), (CredentialState::Ok, None, 0));
        }
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (3, 0));
    }
}

/// G16, G19: what was not sent counts for nothing, and an unknown try before it stays the one before it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_leaves_the_intent_as_it_was() {
    for unknown_before in [false, true] {
        let host = Host::new();
        let clock = WallClock::of(&host);
        host.serving("acme").await;
        if unknown_before {
            host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
            assert_eq!(ask(&host, &TWO_HOURS, &clock.environment()).await.code, Some(4));
        }
        let before = host.stored("acme").unwrap().intent;
        clock.set(3_601);
        host.authority.go_down();
        let answer = ask(&host, &TOKEN, &clock.environment()).await;
        assert_eq!(answer.end(), (Some(4), ""), "{}", answer.said);
        assert!(answer.said.contains("cannot reach 127.0.0.1"), "{}", answer.said);
        let held = host.stored("acme").unwrap();
        assert_eq!((held.intent, held.state), (before, CredentialState::Ok));
        host.authority.come_back();
        clock.set(3_700);
        assert!(host.authority.accepts(ask(&host, &TOKEN, &clock.environment()).await.token()));
        let sent = 1 + usize::from(unknown_before);
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (sent, 0));
    }
}

/// G19, G22: a sign-in that comes between a lost answer and its retry. The retry is not made, and the new sign-in is
/// untouched.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_between_a_lost_answer_and_its_retry_is_untouched() {
    let host = Host::new();
    host.expired("acme").await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseAfter);
    // The refreshing process is stopped just before it writes down its second try.
    let faults = [("FAILPOINTS", "after-room=1*off->return(stop)")];
    let asking = ask(&host, &["token", "acme", "--timeout", "100s"], &faults);
    let meanwhile = async {
        let stopped = Stopped::at(&host, "acme");
        stopped.wait().await;
        assert_eq!(host.stored("acme").unwrap().intent.unwrap().attempt, 1);
        host.sign_in(&host.broker(), "acme").await;
        host.stored("acme").unwrap().access_token
    };
    let (answer, signed_in) = tokio::join!(asking, meanwhile);
    let held = host.stored("acme").unwrap();
    assert_eq!((answer.token(), &held.access_token), (signed_in.expose(), &signed_in));
    assert_eq!((held.generation, held.intent), (1, None));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    assert!(host.authority.would_refresh(held.refresh_token.unwrap().expose()));
}

/// G18, G19: a newer sign-in of the same account in another slot would be ended by the retry. The old one is given up.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_would_end_a_newer_sign_in_elsewhere_is_given_up() {
    let host = Host::new();
    let clock = WallClock::of(&host);
    host.authority.set(|settings| settings.one_grant_per_person = true);
    host.serving("acme").await;
    host.as_signed_in("acme").await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseAfter);
    assert_eq!(ask(&host, &TWO_HOURS, &clock.environment()).await.code, Some(4));
    host.serving("acme/newer").await;
    host.as_signed_in("acme/newer").await;
    clock.set(3_601);
    let answer = ask(&host, &TOKEN, &clock.environment()).await;
    assert_eq!(answer.end(), (Some(3), ""), "{}", answer.said);
    assert_eq!(host.authority.refreshes(), 1);
    let newer = ask(&host, &["token", "acme/newer"], &clock.environment()).await;
    assert!(host.authority.accepts(newer.token()));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
}

/// G19: an unknown try beside a token without a sensible end: said, whatever the end is.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_beyond_all_calendars_can_be_spoken_of() {
    let host = Host::new();
    host.serving("acme").await;
    host.change("acme", |held| held.expires_at = Some(i64::MAX)).await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
    let for_ever = u64::try_from(i64::MAX).unwrap().to_string() + "s";
    let answer = ask(&host, &["token", "acme", "--min-valid", &for_ever], &[]).await;
    assert_eq!(answer.end(), (Some(4), ""), "{}", answer.said);
    assert!(answer.said.contains("s after 1970"), "{}", answer.said);
}
