//! `glewlwyd`: PKCE and one use of each refresh token required, answers without a word, pages that are a script.

use latchkey_test_authority::{CLIENT, CONFIDENTIAL, Glewlwyd};

use super::{House, refresh};
use crate::harness::{NEXT_POLL, SOON};

/// The public client; a refresh that is refused is answered without a word.
fn public() -> String {
    format!("client_id = {CLIENT:?}\nempty_refusal = \"dead\"\n")
}

/// The client with a secret, by the page alone.
fn confidential() -> String {
    let (client, _) = CONFIDENTIAL;
    format!(
        "client_id = {client:?}\nclient_secret_file = \"secret\"\nflows = [\"paste\"]\nempty_refusal = \"dead\"\n"
    )
}

async fn pasted(server: &Glewlwyd, house: &House) {
    let login = house.login().await;
    let answer = server.sign_in(&login.link("Open sign-in page")).await;
    house.paste(&login, &answer).await.sees_text("Signed in to Real", SOON).await;
}

/// T13, T11, G1, G14: by its issuer alone, with the code typed at its own page.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_login_serves_and_rotates() {
    let server = Glewlwyd::start().await;
    let house = House::new(&server.issuer(), &public()).await;
    let login = house.login().await;
    server.approve_device(&login.link("Open sign-in page")).await;
    login.sees_text("Signed in to Real", NEXT_POLL).await;
    let token = house.serves_and_rotates(server.front()).await;
    assert!(server.accepts(&token).await);
    house.leaks_nothing(server.front());
}

/// T1, T2, T4, T13, G1, G14, T12: by its issuer alone, with a nonce, which it demands; revocation is for clients with a secret.
#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_login_serves_rotates_and_ends() {
    let server = Glewlwyd::start().await;
    let house = House::with_file(&server.issuer(), &confidential(), "secret", CONFIDENTIAL.1).await;
    pasted(&server, &house).await;
    let refresh = house.held().refresh_token;
    let token = house.serves_and_rotates(server.front()).await;
    assert!(server.accepts(&token).await && house.held().refresh_token != refresh);
    house.log_out().await;
    assert_eq!(server.front().revocations(), [Some(200)]);
    assert!(server.front().requests().iter().all(|request| request.authenticated));
    house.leaks_nothing(server.front());
}

/// T12: where the server revokes nothing of a public client's, the logout says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_ends_nothing_at_the_server_says_so() {
    let server = Glewlwyd::start().await;
    let house = House::new(&server.issuer(), &format!("{}flows = [\"paste\"]\n", public())).await;
    pasted(&server, &house).await;
    let token = house.token().await;
    let done = house.log_out().await;
    assert_eq!(server.front().revocations(), [Some(401)]);
    assert!(server.accepts(&token).await);
    done.sees_text("The provider refused to end it there", SOON).await;
    house.leaks_nothing(server.front());
}

/// G2, G17: a second use of a refresh token ends the chain, for whoever has the newest; people are asked to sign in.
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_ends_the_sign_in_for_both() {
    let server = Glewlwyd::start().await;
    let house = House::new(&server.issuer(), &format!("{}flows = [\"paste\"]\n", public())).await;
    pasted(&server, &house).await;
    let endpoint = format!("{}/token", server.issuer());
    let stolen = house.steal(&endpoint).await;
    house.expire().await;
    house.needs_sign_in("no longer accepts this sign-in (HTTP 400, without a word)").await;
    assert_eq!(refresh(&endpoint, &stolen).await, (400, None));
    house.leaks_nothing(server.front());
}
