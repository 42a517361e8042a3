//! The client of a start, where the server registers it (RFC 7591).

use wiremock::matchers::{body_string_contains, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::credential::{CredentialState, Registration};
use crate::provider::{Catalog, Flow, Provider};

const PAGE: &str = "https://login.example/callback/acme";

/// The provider `acme` without a client of the operator's, with a page of ours beside the address for pasted answers.
async fn registering() -> (Host, MockServer) {
    let (mut host, registrar) = (Host::new(), MockServer::start().await);
    let acme = (**host.catalog.get(&key("acme").provider).unwrap()).clone();
    host.catalog = Catalog::new([Provider {
        client_id: None,
        registration_endpoint: registrar.uri().parse().ok(),
        flows: vec![Flow::Callback, Flow::Paste],
        callback_uri: Some(PAGE.to_owned()),
        ..acme
    }])
    .unwrap();
    (host, registrar)
}

async fn answering(registrar: &MockServer, about: &str, answer: ResponseTemplate) {
    Mock::given(method("POST"))
        .and(body_string_contains(about))
        .respond_with(answer)
        .up_to_n_times(1)
        .mount(registrar)
        .await;
}

/// Some servers take addresses of one kind only: then a client is made for the one that is needed, and no secret of it stays
/// with a login that is over (C5).
#[tokio::test]
async fn an_address_that_is_not_needed_costs_no_sign_in() {
    let (host, registrar) = registering().await;
    let refused = ResponseTemplate::new(400).set_body_string(r#"{"error":"invalid_redirect_uri"}"#);
    answering(&registrar, PAGE, refused).await;
    let made = ResponseTemplate::new(201)
        .set_body_string(r#"{"client_id":"c-1","client_secret":"hush-hush","client_secret_expires_at":0}"#);
    answering(&registrar, "redirect_uris", made).await;
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let registration = login.registration.clone().unwrap();
    assert_eq!(
        (login.client_id.as_deref(), registration.redirect_uris, registration.issuer),
        (Some("c-1"), vec![login.redirect_uri.clone().unwrap()], host.authority.issuer())
    );
    assert!(login.authorize_url.as_ref().unwrap().expose().contains("client_id=c-1"));
    assert!(host.text().contains("hush-hush"));
    logins.cancel(&user("42"), false, &login.id).await.unwrap();
    assert!(!host.text().contains("hush-hush"));
}

/// A registrar that makes the clients `c-1`, `c-2`, and so on, each of which the scripted server lets sign in.
async fn making(registrar: &MockServer) {
    let count = std::sync::atomic::AtomicU32::new(0);
    let answer = move |_: &wiremock::Request| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        ResponseTemplate::new(201).set_body_string(format!(r#"{{"client_id":"c-{number}"}}"#))
    };
    Mock::given(method("POST")).respond_with(answer).mount(registrar).await;
}

/// Starts by pasting, and cancels. The client by which that went.
async fn start_and_cancel(logins: &Logins) -> String {
    let login = logins.start(request("42", LoginKind::Paste)).await.unwrap().login;
    logins.cancel(&user("42"), false, &login.id).await.unwrap();
    login.client_id.unwrap()
}

/// A credential of `acme` with this client, in this state.
async fn held_by(host: &Host, client: &str, state: CredentialState) {
    host.serving(&key("acme"), &Person::ada()).await;
    let mut held = host.held("acme").unwrap();
    (held.client_id, held.state) = (Some(client.to_owned()), state);
    held.registration = Some(Registration {
        issuer: host.authority.issuer(),
        client_id: client.to_owned(),
        client_secret: None,
        secret_expires_at: None,
        auth_method: "none".to_owned(),
        redirect_uris: vec![
            "http://127.0.0.1:9/callback".to_owned(),
            latchkey_test_authority::REDIRECT.to_owned(),
        ],
        registered_at: None,
    });
    host.put(&key("acme"), held).await;
}

/// RFC 7591: who starts again and again has one client made, not one each time; an hour later, another.
#[tokio::test]
async fn starts_that_come_to_nothing_share_one_client() {
    let (host, registrar) = registering().await;
    making(&registrar).await;
    let logins = host.logins();
    for _ in 0..2 {
        assert_eq!(start_and_cancel(&logins).await, "c-1");
    }
    host.clock.jump(3_601);
    assert_eq!(start_and_cancel(&logins).await, "c-2");
}

/// RFC 7591: the client of a sign-in that serves is used again; that of one that has ended may be why it has, and is not.
#[tokio::test]
async fn the_client_of_a_sign_in_that_has_ended_is_not_used_again() {
    for (state, used) in [(CredentialState::Ok, "old"), (CredentialState::NeedsLogin, "c-1")] {
        let (host, registrar) = registering().await;
        making(&registrar).await;
        held_by(&host, "old", state).await;
        assert_eq!(start_and_cancel(&host.logins()).await, used, "{state:?}");
    }
}

/// RFC 7591, G17: a client that the server does not know at the exchange of a code is nothing that an operator could mend, and
/// the next start has another made: whether it was made for this start, or is a credential's.
#[tokio::test]
async fn a_client_that_is_forgotten_at_the_exchange_is_not_used_again() {
    for (held, first, second) in [(false, "c-1", "c-2"), (true, "old", "c-1")] {
        let (host, registrar) = registering().await;
        making(&registrar).await;
        if held {
            held_by(&host, "old", CredentialState::Ok).await;
        }
        let logins = host.logins();
        let login = host.paste_login(&logins, "42").await;
        assert_eq!(login.client_id.as_deref(), Some(first));
        host.authority.answer_next(Endpoint::Token, 1, Canned::error(401, "invalid_client", ""));
        let state = login.state.as_ref().unwrap().expose();
        let answer = format!("{}?code=code-1&state={state}", login.redirect_uri.as_ref().unwrap());
        let answered = logins.paste(&user("42"), &login.id, &answer).await.unwrap();
        assert_eq!(answered, Answered::Failed(EndReason::CodeRefused));
        assert_eq!(start_and_cancel(&logins).await, second);
    }
}

/// RFC 7591: a client of which a sign-in came is the credential's alone: logging out forgets it.
#[tokio::test]
async fn a_client_of_which_a_sign_in_came_is_the_credentials() {
    let (host, registrar) = registering().await;
    let made = format!(r#"{{"client_id":{:?}}}"#, latchkey_test_authority::CLIENT);
    answering(&registrar, "", ResponseTemplate::new(201).set_body_string(made)).await;
    making(&registrar).await;
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    assert_eq!(logins.paste(&user("42"), &login.id, &answer).await.unwrap(), Answered::Succeeded);
    assert_eq!(start_and_cancel(&logins).await, latchkey_test_authority::CLIENT, "the credential's");
    let store = host.store();
    let removed = update(&*store, Touches::tenant(&key("acme")), |view| {
        view.remove_tenant(&key("acme"));
        Ok::<_, ()>(())
    });
    removed.await.unwrap().unwrap();
    assert_eq!(start_and_cancel(&logins).await, "c-1");
}

/// RFC 7591, RFC 8628: nor is one that the server does not know when a device login is started.
#[tokio::test]
async fn a_client_that_is_forgotten_at_a_device_start_is_not_used_again() {
    let (mut host, registrar) = registering().await;
    let acme = (**host.catalog.get(&key("acme").provider).unwrap()).clone();
    host.catalog = Catalog::new([Provider { flows: vec![Flow::Device], ..acme }]).unwrap();
    making(&registrar).await;
    let logins = host.logins();
    host.authority.answer_next(Endpoint::DeviceStart, 1, Canned::error(401, "invalid_client", ""));
    let refused = logins.start(request("42", LoginKind::Device)).await.unwrap_err();
    assert!(matches!(refused, StartError::Transient { .. }), "{refused}");
    let body = serde_json::json!({ "device_code": "d", "user_code": "u", "verification_uri": "https://id.example/d",
        "expires_in": 600 });
    host.authority.answer_next(Endpoint::DeviceStart, 1, Canned::json(200, &body));
    let login = logins.start(request("42", LoginKind::Device)).await.unwrap().login;
    assert_eq!(login.client_id.as_deref(), Some("c-2"));
}

/// S4: a start without a client leaves nothing behind, and says whose matter that is.
#[tokio::test]
async fn a_start_without_a_client_leaves_nothing_behind() {
    for (status, is_transient) in [(503, true), (403, false)] {
        let (host, registrar) = registering().await;
        answering(&registrar, "", ResponseTemplate::new(status)).await;
        let error = host.logins().start(request("42", LoginKind::Paste)).await.unwrap_err();
        let found = (
            matches!(error, StartError::Transient { .. }),
            matches!(error, StartError::Refused { said: Some(_), .. }),
        );
        assert_eq!(found, (is_transient, !is_transient), "{error}");
        assert_eq!(host.store().snapshot().unwrap().logins().count(), 0);
    }
}
