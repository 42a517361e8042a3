//! The client of a start, where the server registers it (RFC 7591).

use wiremock::matchers::{body_string_contains, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
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
