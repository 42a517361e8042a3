//! The scripted authorization server, asked over the wire as a client would.

mod support;

use std::time::Duration;

use latchkey_test_authority::{Authority, Canned, Endpoint, Fault, Outcome, Person, Revocation, Settings};
use serde_json::json;
use support::{Login, api_status, authorize_url, exchange, http, post_form, query, refresh};

#[tokio::test]
async fn a_person_signs_in_and_the_code_becomes_tokens() {
    let authority = Authority::start();
    let login = Login::new(&authority);
    let redirected = authority.sign_in(&login.url, &Person::ada()).await;
    assert!(redirected.starts_with("http://127.0.0.1:8765/cb?code=code-"), "{redirected}");
    assert_eq!(query(&redirected, "state"), login.state);
    assert_eq!(query(&redirected, "iss"), authority.issuer());

    let (status, tokens) = exchange(&authority, &login, &query(&redirected, "code")).await;
    assert_eq!((status, tokens["token_type"].as_str()), (200, Some("Bearer")));
    assert_eq!(api_status(&authority, &tokens).await, 200);
    assert_eq!((authority.authorize_views(), authority.exchanges(), authority.live_grants()), (1, 1, 1));
    let secrets = authority.secrets();
    for secret in [&login.state, &login.verifier, &query(&redirected, "code")] {
        assert!(secrets.contains(secret), "{secret} is not among the secrets");
    }
}

#[tokio::test]
async fn a_code_used_twice_ends_the_grant() {
    let authority = Authority::start();
    let login = Login::new(&authority);
    let code = query(&authority.sign_in(&login.url, &Person::ada()).await, "code");
    let (_, tokens) = exchange(&authority, &login, &code).await;
    let (status, error) = exchange(&authority, &login, &code).await;
    assert_eq!((status, error["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(api_status(&authority, &tokens).await, 401);
}

#[tokio::test]
async fn pkce_and_redirect_uri_are_demanded() {
    let authority = Authority::start();
    let login = Login::new(&authority);
    let code = query(&authority.sign_in(&login.url, &Person::ada()).await, "code");
    let wrong = Login { verifier: "x".repeat(43), ..login.clone() };
    assert_eq!(exchange(&authority, &wrong, &code).await.1["error"], "invalid_grant");
    let elsewhere = Login { redirect_uri: "http://127.0.0.1:1/cb".into(), ..login.clone() };
    assert_eq!(exchange(&authority, &elsewhere, &code).await.1["error"], "invalid_grant");
    assert_eq!(exchange(&authority, &login, &code).await.0, 200);

    let plain = login.url.replace("S256", "plain");
    let answer = http().get(plain).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    assert!(location.contains("error=invalid_request"), "{location}");
    let foreign = authorize_url(&authority, "http://127.0.0.1:8765/elsewhere", "state", "v");
    assert_eq!(http().get(foreign).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_refusal_comes_back_as_an_error() {
    let authority = Authority::start();
    let login = Login::new(&authority);
    let redirected = authority.refuse(&login.url).await;
    assert_eq!(query(&redirected, "error"), "access_denied");
    assert_eq!(query(&redirected, "state"), login.state);
}

#[tokio::test]
async fn the_hosted_page_shows_what_to_paste() {
    let authority = Authority::start();
    let login = Login::new(&authority);
    authority.set(|settings| settings.answer = latchkey_test_authority::Answer::CodeHashState);
    let pasted = authority.sign_in(&login.url, &Person::ada()).await;
    let (code, state) = pasted.split_once('#').unwrap();
    assert!(code.starts_with("code-"));
    assert_eq!(state, login.state);
    authority.set(|settings| settings.answer = latchkey_test_authority::Answer::BareCode);
    let pasted = authority.sign_in(&Login::new(&authority).url, &Person::ada()).await;
    assert!(pasted.starts_with("code-") && !pasted.contains('#'), "{pasted}");
}

/// G1, G2
#[tokio::test]
async fn reuse_ends_the_winners_tokens_too() {
    let authority = Authority::start();
    let minted = authority.mint(&Person::ada(), "latchkey", &["openid", "offline_access"]);
    let (status, winner) = refresh(&authority, &minted.refresh).await;
    assert_eq!(status, 200);
    assert_eq!(api_status(&authority, &winner).await, 200);
    let (status, loser) = refresh(&authority, &minted.refresh).await;
    assert_eq!((status, loser["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(api_status(&authority, &winner).await, 401);
    let successor = winner["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(&authority, successor).await.0, 400);
    assert_eq!((authority.refreshes(), authority.rotations(), authority.reuses()), (3, 1, 1));
    authority.assert_fresh_connections(Endpoint::Token);
}

/// G1
#[tokio::test]
async fn of_fifty_refreshes_at_once_one_wins() {
    let authority = Authority::start();
    let minted = authority.mint(&Person::ada(), "latchkey", &[]);
    authority.latency(Endpoint::Token, Duration::from_millis(50));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (authority, token) = (authority.clone(), minted.refresh.clone());
            tokio::spawn(async move { refresh(&authority, &token).await.0 })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap() == 200);
    }
    assert_eq!((won, authority.refreshes(), authority.reuses()), (1, 50, 49));
}

#[tokio::test]
async fn faults_come_one_for_each_request_in_order() {
    let authority = Authority::start();
    let minted = authority.mint(&Person::ada(), "latchkey", &[]);
    let busy = Canned::html(503).with_header("retry-after", "7");
    authority.answer_next(Endpoint::Token, 1, busy);
    authority.answer_next(Endpoint::Token, 1, Canned::error(200, "server_error", "a lie"));
    authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", &minted.refresh), ("client_id", "latchkey")];

    let first = post_form(&authority.token_endpoint(), &form).await.unwrap();
    assert_eq!((first.status().as_u16(), first.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    let second = refresh(&authority, &minted.refresh).await;
    assert_eq!((second.0, second.1["error"].as_str()), (200, Some("server_error")));
    assert!(post_form(&authority.token_endpoint(), &form).await.is_err());
    assert_eq!(refresh(&authority, &minted.refresh).await.0, 200);
    let outcomes: Vec<Outcome> = authority.requests().into_iter().map(|request| request.outcome).collect();
    let answered = |status, error: Option<&str>| Outcome::Answered { status, error: error.map(Into::into) };
    let expected =
        [answered(503, None), answered(200, Some("server_error")), Outcome::Closed, answered(200, None)];
    assert_eq!(outcomes, expected);
}

/// G19
#[tokio::test]
async fn a_cut_after_rotation_has_spent_the_token() {
    let authority = Authority::start();
    for fault in [Fault::CloseAfter, Fault::CutBody(20)] {
        let minted = authority.mint(&Person::ada(), "latchkey", &[]);
        authority.fail_next(Endpoint::Token, 1, &fault);
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", &minted.refresh), ("client_id", "latchkey")];
        let cut = match post_form(&authority.token_endpoint(), &form).await {
            Ok(head) => head.bytes().await.is_err(),
            Err(_) => true,
        };
        assert!(cut, "{fault:?} let a whole reply through");
        assert!(!authority.would_refresh(&minted.refresh));
    }
    assert_eq!((authority.rotations(), authority.reuses()), (2, 0));
}

/// G11
#[tokio::test]
async fn a_body_can_dribble() {
    let authority = Authority::start();
    let minted = authority.mint(&Person::ada(), "latchkey", &[]);
    authority.fail_next(Endpoint::Token, 1, &Fault::Dribble { every: Duration::from_millis(1) });
    let begun = std::time::Instant::now();
    assert_eq!(refresh(&authority, &minted.refresh).await.0, 200);
    assert!(begun.elapsed() > Duration::from_millis(200));
}

#[tokio::test]
async fn a_gate_holds_requests_before_or_after_they_act() {
    let authority = Authority::start();
    let minted = authority.mint(&Person::ada(), "latchkey", &[]);
    let gate = authority.hold(Endpoint::Token);
    let (handle, token) = (authority.clone(), minted.refresh.clone());
    let held = tokio::spawn(async move { refresh(&handle, &token).await });
    assert!(authority.eventually(Duration::from_secs(5), |_| gate.waiting() == 1).await);
    assert!(authority.would_refresh(&minted.refresh));
    gate.release();
    let tokens = held.await.unwrap().1;

    let gate = authority.hold_reply(Endpoint::Token);
    let (handle, token) = (authority.clone(), tokens["refresh_token"].as_str().unwrap().to_owned());
    let spent = token.clone();
    let held = tokio::spawn(async move { refresh(&handle, &token).await.0 });
    assert!(authority.eventually(Duration::from_secs(5), |_| gate.waiting() == 1).await);
    assert!(!authority.would_refresh(&spent));
    drop(gate);
    assert_eq!(held.await.unwrap(), 200);
}

#[tokio::test]
async fn the_reply_to_one_token_is_held_and_no_other() {
    let authority = Authority::start();
    let [stuck, free] = [(), ()].map(|()| authority.mint(&Person::ada(), "latchkey", &[]));
    let gate = authority.hold_reply_to(&stuck.refresh);
    let (handle, token) = (authority.clone(), stuck.refresh.clone());
    let held = tokio::spawn(async move { refresh(&handle, &token).await.0 });
    assert!(authority.eventually(Duration::from_secs(5), |_| gate.waiting() == 1).await);
    assert_eq!(refresh(&authority, &free.refresh).await.0, 200);
    assert!(!held.is_finished() && !authority.would_refresh(&stuck.refresh));
    gate.release();
    assert_eq!(held.await.unwrap(), 200);
}

/// A request that arrived is acted on even if its client has left: what giving up early costs (G11).
#[tokio::test]
async fn a_client_that_leaves_has_spent_its_token() {
    let authority = Authority::start();
    let minted = authority.mint(&Person::ada(), "latchkey", &[]);
    authority.latency(Endpoint::Token, Duration::from_millis(200));
    let left = tokio::time::timeout(Duration::from_millis(80), refresh(&authority, &minted.refresh)).await;
    assert!(left.is_err());
    assert!(authority.eventually(Duration::from_secs(5), |server| server.rotations() == 1).await);
}

/// T12
#[tokio::test]
async fn revocation_reaches_as_far_as_is_set() {
    for (reach, other_lives) in [(Revocation::Grant, true), (Revocation::PersonAndClient, false)] {
        let authority = Authority::start_with(Settings { revocation: reach, ..Settings::default() });
        let [first, second] = [(), ()].map(|()| authority.mint(&Person::ada(), "latchkey", &[]));
        let form = [("token", first.refresh.as_str()), ("client_id", "latchkey")];
        let answer = post_form(&authority.revocation_endpoint(), &form).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(!authority.accepts(&first.access));
        assert_eq!(authority.accepts(&second.access), other_lives);
        assert_eq!(authority.revocations(), 1);
    }
}

/// T8
#[tokio::test]
async fn replies_take_odd_shapes() {
    let authority = Authority::start();
    authority.set(|settings| {
        let reply = &mut settings.reply;
        reply.status = 201;
        reply.token_type = None;
        reply.padded = true;
        reply.expires_in = latchkey_test_authority::ExpiresIn::Says(json!("-5"));
        reply.scope = latchkey_test_authority::ScopeShape::Array;
    });
    let minted = authority.mint(&Person::ada(), "latchkey", &["a", "b"]);
    let (status, body) = refresh(&authority, &minted.refresh).await;
    assert_eq!((status, &body["expires_in"], &body["scope"]), (201, &json!("-5"), &json!(["a", "b"])));
    assert!(body.get("token_type").is_none());
    assert!(body["access_token"].as_str().unwrap().starts_with(" at-"));
}

#[test]
fn it_serves_a_test_that_blocks_its_thread() {
    let authority = Authority::start();
    let mut stream = std::net::TcpStream::connect(authority.address()).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /api HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 401"), "{answer}");
}
