//! `django-oauth-toolkit`: its metadata stands behind a slash and tells of no revocation, which it has.

use latchkey_test_authority::{CLIENT, DjangoToolkit};

use super::{House, refresh};
use crate::harness::SOON;

fn lines(server: &DjangoToolkit) -> String {
    format!(
        "client_id = {CLIENT:?}\nflows = [\"paste\"]\nreuse = \"lenient\"\nrevocation_endpoint = {:?}\n",
        server.revocation_endpoint()
    )
}

/// T1, T2, T13, G1, G14, T12: its issuer is enough but for the revocation, which ends the access token too.
#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_login_serves_rotates_and_ends() {
    let server = DjangoToolkit::start().await;
    let house = House::new(&server.issuer(), &lines(&server)).await;
    let login = house.login().await;
    let answer = server.sign_in(&login.link("Open sign-in page")).await;
    house.paste(&login, &answer).await.sees_text("Signed in to Real", SOON).await;
    let token = house.serves_and_rotates(server.front()).await;
    assert!(server.accepts(&token).await);
    house.log_out().await;
    assert_eq!(server.front().revocations(), [Some(200)]);
    assert!(!server.accepts(&token).await, "it was ended at the server too");
    house.leaks_nothing(server.front());
}

/// G2, G17: it says `invalid_grant` to a spent token and lets the one that came for it live.
#[tokio::test(flavor = "multi_thread")]
async fn a_spent_token_asks_for_a_sign_in() {
    let server = DjangoToolkit::start().await;
    let house = House::new(&server.issuer(), &lines(&server)).await;
    let login = house.login().await;
    let answer = server.sign_in(&login.link("Open sign-in page")).await;
    house.paste(&login, &answer).await.sees_text("Signed in to Real", SOON).await;
    let endpoint = format!("{}/token/", server.issuer());
    let stolen = house.steal(&endpoint).await;
    house.expire().await;
    house.needs_sign_in("no longer accepts this sign-in (invalid_grant)").await;
    assert_eq!(refresh(&endpoint, &stolen).await.0, 200);
    house.leaks_nothing(server.front());
}
