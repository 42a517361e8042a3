//! `glewlwyd`: PKCE and one use of each refresh token required, answers without a word, pages that are a script.

use latchkey_test_authority::{CLIENT, CONFIDENTIAL, Glewlwyd};

use super::House;
use crate::harness::{NEXT_POLL, SOON};

const SECRET: &str = "client_secret_env = \"REAL_SECRET\"\n";

fn public() -> String {
    format!("client_id = {CLIENT:?}\n")
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

/// T1, T2, T4, T13, G1, G14: by its issuer alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_login_serves_and_rotates() {
    let server = Glewlwyd::start().await;
    let lines = format!("{}flows = [\"paste\"]\n", public());
    let house = House::new(&server.issuer(), &lines).await;
    let login = house.login().await;
    let answer = server.sign_in(&login.link("Open sign-in page")).await;
    house.paste(&login, &answer).await.sees_text("Signed in to Real", SOON).await;
    let token = house.serves_and_rotates(server.front()).await;
    assert!(server.accepts(&token).await);
    house.leaks_nothing(server.front());
}
