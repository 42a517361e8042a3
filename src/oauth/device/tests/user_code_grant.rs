//! The grant by user code: against a server that speaks it, and against answers that one should not give.

use latchkey_test_authority::{Authority, Canned, Endpoint, ExpiredIn, Person, Settings};

use super::*;
use crate::oauth::{Outcome, refresh};

/// Some time from which its server's own is not far.
fn now() -> UnixSeconds {
    chrono::Utc::now().timestamp()
}

fn at(server: &Authority) -> Resolved {
    let mut provider = provider(&server.token_endpoint());
    provider.device_authorization_endpoint = Url::parse(&server.user_code_url()).ok();
    provider.device = DeviceProtocol::UserCodeGrant;
    provider
}

/// T1, T2, T8, T9: from the start to a refresh; times that are given in each of three ways come to the same.
#[tokio::test]
async fn the_user_code_and_the_verifier_are_the_grant() {
    for expired_in in [ExpiredIn::Millis, ExpiredIn::Seconds, ExpiredIn::Relative] {
        let server = Authority::start_with(Settings { expired_in, ..Settings::minimax() });
        let (client, provider) = (Client::new(), at(&server));
        let start = start(&client, &provider, now()).await.unwrap();
        let sent = server.requests_to(Endpoint::UserCodeStart).remove(0);
        let names: Vec<_> = sent.form.iter().map(|(name, _)| &**name).collect();
        assert_eq!(
            names,
            ["client_id", "response_type", "scope", "code_challenge", "code_challenge_method", "state"]
        );
        assert_eq!((&*start.user_code, start.interval), (start.device_code.expose(), INTERVAL_FLOOR));
        let near = |lifetime: Option<u64>, expected| lifetime.is_some_and(|it| it.abs_diff(expected) <= 5);
        assert!(near(start.expires_in, 600), "{expired_in:?}: {start:?}");
        // C5: what is kept of the page after the end has no code in it.
        assert_eq!(start.verification_uri, server.url("/device"));
        assert!(start.verification_uri_complete.as_ref().unwrap().ends_with(&start.user_code));

        let ask = DevicePoll {
            device_code: &start.device_code,
            user_code: "not asked for",
            verifier: start.verifier.as_ref(),
        };
        assert_eq!(poll(&client, &provider, ask, now()).await, DeviceOutcome::Pending);
        server.approve_device(start.verification_uri_complete.as_ref().unwrap(), &Person::ada()).await;
        let DeviceOutcome::Granted(grant) = poll(&client, &provider, ask, now()).await else {
            panic!("{expired_in:?}: not granted")
        };
        assert!(near(grant.expires_at.map(|at| (at - now()).unsigned_abs()), 3_600), "{grant:?}");
        assert_eq!(grant.token_type, "Bearer");
        let refresh_token = grant.refresh_token.unwrap();
        let refreshed = refresh(&client, &provider, &refresh_token, &[], now()).await;
        assert!(matches!(refreshed, Outcome::Granted(grant) if grant.refresh_token.is_some()));
        assert_eq!((server.refreshes(), server.reuses()), (1, 0));
    }
}

/// T2, C9: an answer that is another's, or lacks what the person needs, opens nothing.
#[tokio::test]
async fn a_start_that_is_not_ours_is_refused() {
    let server = Authority::start_with(Settings::minimax());
    for (member, value) in
        [("state", "another".into()), ("state", serde_json::Value::Null), ("user_code", "".into())]
    {
        server.set(|settings| {
            settings.device_answer.clear();
            settings.device_answer.insert(member.to_owned(), value);
        });
        let outcome = start(&Client::new(), &at(&server), now()).await;
        assert!(matches!(outcome, Err(StartError::Incomplete { .. })), "{member}: {outcome:?}");
    }
    server.set(|settings| settings.any_client = false);
    let mut stranger = at(&server);
    stranger.client_id = "a stranger".to_owned();
    let refused = start(&Client::new(), &stranger, now()).await.unwrap_err();
    assert_eq!(refused.class(), StartClass::Operator);
    assert!(refused.to_string().contains("unknown client"), "{refused}");
}

/// T8, T11, G16: only `status` ends it, and what it says when it does.
#[tokio::test]
async fn a_poll_is_sorted_by_its_status() {
    let server = Authority::start_with(Settings::minimax());
    let provider = at(&server);
    let error = |said: &str| {
        format!(r#"{{"status":"error","base_resp":{{"status_code":1004,"status_msg":"{said}"}}}}"#)
    };
    for (status, body, expected) in [
        (200, r#"{"status":"pending"}"#.to_owned(), DeviceOutcome::Pending),
        (
            200,
            r#"{"status":"pending","base_resp":{"status_code":1000,"status_msg":"current user code is not authorized"}}"#
                .to_owned(),
            DeviceOutcome::Pending,
        ),
        (200, r#"{"status":"waiting"}"#.to_owned(), DeviceOutcome::Pending),
        (200, error("user denied the request"), DeviceOutcome::Denied),
        (200, error("access denied"), DeviceOutcome::Denied),
        (200, error("user code expired"), DeviceOutcome::Expired),
        (429, error("too fast"), DeviceOutcome::BackOff { retry_after: None }),
        (503, error("denied"), DeviceOutcome::BackOff { retry_after: None }),
    ] {
        server.answer_next(Endpoint::Token, 1, Canned::new(status, "application/json", body.clone()));
        assert_eq!(poll(&Client::new(), &provider, presented(), now()).await, expected, "{body}");
    }
    for said in [
        "user denied the request",
        "the user has denied access",
        "authorization declined",
        "Authorization request was rejected",
        "authorization has been denied, sorry",
        "the request was rejected by the user",
    ] {
        server.answer_next(Endpoint::Token, 1, Canned::new(200, "application/json", error(said)));
        assert_eq!(
            poll(&Client::new(), &provider, presented(), now()).await,
            DeviceOutcome::Denied,
            "{said}"
        );
    }
    for said in ["user code expired", "the code has expired", "device code is already expired"] {
        server.answer_next(Endpoint::Token, 1, Canned::new(200, "application/json", error(said)));
        assert_eq!(
            poll(&Client::new(), &provider, presented(), now()).await,
            DeviceOutcome::Expired,
            "{said}"
        );
    }
    for said in [
        "connection refused",
        "connection refused by the user service",
        "request timeout",
        "upstream timed out",
        "request rejected: too many requests",
        "rate limit",
        "our certificate expired, try again later",
        "user service unavailable",
    ] {
        server.answer_next(Endpoint::Token, 1, Canned::new(200, "application/json", error(said)));
        let outcome = poll(&Client::new(), &provider, presented(), now()).await;
        assert_eq!(outcome, DeviceOutcome::BackOff { retry_after: None }, "{said}");
    }
    for body in [error("no plan for this account"), "{}".to_owned(), r#"{"status":"success"}"#.to_owned()] {
        server.answer_next(Endpoint::Token, 1, Canned::new(200, "application/json", body.clone()));
        let outcome = poll(&Client::new(), &provider, presented(), now()).await;
        assert!(matches!(outcome, DeviceOutcome::Failed(_)), "{body}: {outcome:?}");
    }
}
