//! What authorization servers answer to a refresh, across processes: each reply has its meaning, its exit code, and its
//! number of requests. `lost.rs` has the answers that never come.

use std::time::{Duration, SystemTime};

use latchkey::credential::CredentialState;
use latchkey::secret::Secret;
use latchkey_test_authority::{Canned, Endpoint, ExpiresIn, Fault, IdToken, Rotation, ScopeShape};
use serde_json::json;

use crate::asking::{WallClock, ask, at_once};
use crate::host::Host;

const TOKEN: [&str; 2] = ["token", "acme"];
const TWO_HOURS: [&str; 4] = ["token", "acme", "--min-valid", "2h"];

/// G11: an answer that comes byte by byte, and ends, is taken. (`oauth::http` has the one that never ends.)
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_dribbles_to_its_end_is_taken() {
    let host = Host::new();
    host.expired("acme").await;
    let dribble = Fault::Dribble { every: Duration::from_millis(3) };
    host.authority.fail_next(Endpoint::Token, 1, &dribble);
    assert!(host.authority.accepts(ask(&host, &TOKEN, &[]).await.token()));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G9, G10, G11: a server that needs 35 s is waited for. Whoever has only the ordinary 30 s is told to try again, and
/// the refresh goes on and is stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_needs_thirty_five_seconds_is_waited_for() {
    let host = Host::new();
    host.expired("acme").await;
    host.authority.latency(Endpoint::Token, Duration::from_secs(35));
    let (hasty, patient) = tokio::join!(
        at_once(&host, 3, &TOKEN, &[]),
        ask(&host, &["token", "acme", "--timeout", "100s"], &[])
    );
    for answer in hasty {
        assert_eq!(answer.end(), (Some(4), ""), "{}", answer.said);
        assert!(answer.said.contains("the refresh goes on"), "{}", answer.said);
    }
    assert!(host.authority.accepts(patient.token()));
    assert_eq!(host.stored("acme").unwrap().access_token.expose(), patient.token());
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G16: a server that says when to come back is left alone until then, by every process. A date counts like seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_when_to_come_back_is_left_alone_until_then() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_mins(10));
    let busy = |status, retry_after: &str| Canned::html(status).with_header("retry-after", retry_after);
    for reply in [
        busy(429, "600"),
        busy(429, &date),
        busy(503, "600"),
        Canned::error(500, "server_error", "").with_header("retry-after", "600"),
        Canned::error(400, "temporarily_unavailable", "").with_header("retry-after", "600"),
    ] {
        let host = Host::new();
        let clock = WallClock::of(&host);
        host.expired("acme").await;
        host.authority.answer_next(Endpoint::Token, 1, reply.clone());
        for late in [0, 0, 300, 450] {
            clock.set(late);
            let answer = ask(&host, &TOKEN, &clock.environment()).await;
            assert_eq!(answer.end(), (Some(4), ""), "{}", answer.said);
        }
        assert_eq!(host.status("acme", &clock.environment()).await["health"], "backing_off", "{reply:?}");
        let held = host.stored("acme").unwrap();
        assert_eq!((host.authority.refreshes(), held.intent, held.failures), (1, None, 1), "{reply:?}");
        clock.set(605);
        assert!(host.authority.accepts(ask(&host, &TOKEN, &clock.environment()).await.token()));
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
    }
}

/// G16: a back-off belongs to the sign-in that it was written for.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_sign_in_clears_the_back_off() {
    let host = Host::new();
    host.expired("acme").await;
    let busy = Canned::html(429).with_header("retry-after", "7200");
    host.authority.answer_next(Endpoint::Token, 1, busy);
    assert_eq!(ask(&host, &TOKEN, &[]).await.code, Some(4));
    host.sign_in(&host.broker(), "acme").await;
    assert!(host.authority.accepts(ask(&host, &TOKEN, &[]).await.token()));
    // And a refresh of it is made when it is wanted.
    assert!(host.authority.accepts(ask(&host, &TWO_HOURS, &[]).await.token()));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
}

/// G16, G17: reuse is known as codex says it, as prose, and in nested JSON. It is definite: nobody tries again, not
/// even by a probe.
#[tokio::test(flavor = "multi_thread")]
async fn reuse_is_dead_however_it_is_told() {
    let codex = json!({"error": {"code": "refresh_token_reused", "type": "invalid_request_error", "param": null,
        "message": "Your refresh token has already been used to generate a new access token."}});
    let inner =
        json!({"cause": {"response": "{\"error\":\"REFRESH_TOKEN_REUSED\"}"}, "message": "unauthorized"});
    for reply in [
        Canned::json(401, &codex),
        Canned::error(400, "invalid_grant", "Refresh Token Has ALREADY Been Used."),
        Canned::json(400, &inner),
        Canned::text(403, "refresh-token reused"),
    ] {
        let host = Host::new();
        let clock = WallClock::of(&host);
        host.expired("acme").await;
        host.authority.answer_next(Endpoint::Token, 1, reply.clone());
        for late in [0, 0, 601, 7_200] {
            clock.set(late);
            let answer = ask(&host, &TOKEN, &clock.environment()).await;
            assert_eq!(answer.end(), (Some(3), ""), "{reply:?} {}", answer.said);
            assert!(answer.said.contains("saw the refresh token used twice"), "{}", answer.said);
        }
        assert_eq!(host.authority.refreshes(), 1, "{reply:?}");
        assert_eq!(host.status("acme", &clock.environment()).await["health"], "needs_login");
    }
}

/// G16: what is refused for the client's sake, or sends us elsewhere, is the operator's: nobody is asked to sign in, the
/// sign-in is kept, and it goes on once it is mended.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_client_and_a_redirect_are_the_operators() {
    let host = Host::new();
    let elsewhere = Canned::redirect(307, &host.authority.token_endpoint());
    for reply in [Canned::error(401, "invalid_client", "no such client"), elsewhere, Canned::empty(404)] {
        let clock = WallClock::of(&host);
        host.expired("acme").await;
        host.authority.forget_requests();
        host.authority.answer_next(Endpoint::Token, 1, reply.clone());
        let first = ask(&host, &TOKEN, &clock.environment()).await;
        // Within the back-off of two seconds: on a clock that stands where it was written.
        host.change("acme", |held| held.retry_at = held.retry_at.map(|at| at + 300)).await;
        let others = at_once(&host, 5, &TOKEN, &clock.environment()).await;
        for answer in others.into_iter().chain([first]) {
            assert_eq!(answer.end(), (Some(2), ""), "{reply:?} {}", answer.said);
            assert!(!answer.said.contains("sign in"), "{}", answer.said);
        }
        assert_eq!(host.authority.requests().len(), 1, "{reply:?}: nothing is followed or repeated");
        assert_eq!(host.stored("acme").unwrap().state, CredentialState::Ok);
        clock.set(400);
        assert!(host.authority.accepts(ask(&host, &TOKEN, &clock.environment()).await.token()));
        assert_eq!(host.authority.reuses(), 0);
    }
}

/// G30: the file is shared by a program with another configuration. It sends nothing, changes nothing, and says what
/// differs; the one with the right configuration goes on.
#[tokio::test(flavor = "multi_thread")]
async fn another_configuration_on_the_same_file_sends_and_changes_nothing() {
    let host = Host::new();
    host.expired("acme").await;
    host.as_signed_in("acme").await;
    let own = std::fs::read_to_string(&host.config).unwrap();
    let quoted = |text: &str| format!("{text:?}");
    for (what, right, wrong) in [
        ("client_id", quoted("latchkey"), quoted("another")),
        ("issuer", quoted(&host.authority.issuer()), quoted("https://elsewhere.example")),
        ("token_endpoint", quoted(&host.authority.token_endpoint()), quoted(&host.authority.url("/token2"))),
    ] {
        let line = |value: &str| format!("{what} = {value}\n");
        assert!(own.contains(&line(&right)), "{own}");
        std::fs::write(&host.config, own.replacen(&line(&right), &line(&wrong), 1)).unwrap();
        let before = host.bytes();
        let rejected = Secret::new("at-that-was-rejected").hash().to_string();
        for arguments in [&TOKEN[..], &TWO_HOURS[..], &["token", "acme", "--rejected-sha256", &rejected]] {
            let answer = ask(&host, arguments, &[]).await;
            assert_eq!(answer.end(), (Some(2), ""), "{}", answer.said);
            assert!(answer.said.contains(&format!("another {what} than")), "{}", answer.said);
        }
        assert_eq!(host.bytes(), before);
        assert_eq!(host.authority.requests().len(), 0);
    }
    std::fs::write(&host.config, own).unwrap();
    assert!(host.authority.accepts(ask(&host, &TOKEN, &[]).await.token()));
}

/// G23: a reply that leaves out refresh token, scopes and identity keeps the old ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_leaves_things_out_keeps_the_old_ones() {
    let host = Host::new();
    host.authority.set(|settings| {
        settings.rotation = Rotation::Omit;
        settings.reply.scope = ScopeShape::Missing;
        settings.reply.id_token = IdToken::None;
        settings.reply.token_type = None;
    });
    let tokens = host.expired("acme").await;
    host.as_signed_in("acme").await;
    host.change("acme", |held| held.scopes = vec!["openid".to_owned()]).await;
    let before = host.stored("acme").unwrap();
    let answer = ask(&host, &TOKEN, &[]).await;
    let after = host.stored("acme").unwrap();
    assert_eq!(answer.token(), after.access_token.expose());
    assert_eq!(after.refresh_token.as_ref().unwrap().expose(), tokens.refresh);
    assert_eq!((after.scopes, after.account, after.generation), (before.scopes, before.account, 2));
}

/// G15: a server that rejects what the clock calls valid costs one refresh, then an error, in every process.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_rejects_valid_tokens_costs_one_refresh() {
    let host = Host::new();
    let old = host.serving("acme").await;
    let rejecting = |token: &str| Secret::new(token).hash().to_string();
    let hash = rejecting(&old.access);
    let new = ask(&host, &["token", "acme", "--rejected-sha256", &hash], &[]).await.token().to_owned();
    let hash = rejecting(&new);
    for answer in at_once(&host, 5, &["token", "acme", "--rejected-sha256", &hash], &[]).await {
        assert_eq!(answer.end(), (Some(5), ""), "{}", answer.said);
    }
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    assert_eq!(ask(&host, &TOKEN, &[]).await.token(), new, "others are served");
}

/// G15: a minimum that is never granted costs one refresh a minute, and no call is refused for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_minimum_that_is_never_granted_costs_one_refresh_a_minute() {
    let host = Host::new();
    host.serving("acme").await;
    for _ in 0..3 {
        let answer = ask(&host, &["token", "acme", "--min-valid", "52weeks"], &[]).await;
        assert!(host.authority.accepts(answer.token()));
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    }
    host.change("acme", |held| held.obtained_at = held.obtained_at.map(|at| at - 61)).await;
    assert!(ask(&host, &["token", "acme", "--min-valid", "52weeks"], &[]).await.code == Some(0));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
}

/// T9, G15: whatever `expires_in` says, the token is handed out, status can tell of it, and nobody refreshes again at
/// once.
#[tokio::test(flavor = "multi_thread")]
async fn no_lifetime_that_a_server_states_makes_a_loop() {
    let host = Host::new();
    for says in [
        json!(0),
        json!(-5),
        json!(0.5),
        json!(1e300),
        json!(i64::MAX),
        json!(u64::MAX),
        json!("3600"),
        json!("soon"),
        json!(null),
        json!(true),
    ] {
        host.expired("acme").await;
        host.authority.forget_requests();
        host.authority.set(|settings| settings.reply.expires_in = ExpiresIn::Says(says.clone()));
        let first = ask(&host, &TOKEN, &[]).await;
        for answer in at_once(&host, 3, &TOKEN, &[]).await {
            assert_eq!(answer.token(), first.token(), "{says}");
        }
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0), "{says}");
        assert_eq!(host.status("acme", &[]).await["health"], "fresh", "{says}");
        assert_eq!(ask(&host, &["status"], &[]).await.code, Some(0), "{says}");
    }
}

/// G26: the refresh fails, and another's sign-in has made the store fresh meanwhile: that is used.
#[tokio::test(flavor = "multi_thread")]
async fn what_became_fresh_while_a_refresh_failed_is_used() {
    let host = Host::new();
    host.expired("acme").await;
    host.authority.answer_next(Endpoint::Token, 1, Canned::html(503));
    let gate = host.authority.hold_reply(Endpoint::Token);
    let meanwhile = async {
        host.until("the refresh", || gate.waiting() == 1).await;
        let newer = host.serving("acme").await;
        gate.release();
        newer.access
    };
    let (answer, newer) = tokio::join!(ask(&host, &TOKEN, &[]), meanwhile);
    assert_eq!(answer.token(), newer);
    assert_eq!(host.stored("acme").unwrap().failures, 0);
}
