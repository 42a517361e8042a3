//! The laws of the Discord side, as members meet them.

use latchkey_test_authority::Person;

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// U3, S12: link, code and warning; approved at the provider, the message follows to the end, and agents get the token.
#[tokio::test]
async fn a_device_login_ends_with_a_token() {
    let setup = Setup::new().await;
    let _bot = Bot::start(&setup).await;
    let ann = setup.discord.member("ann");
    let thread = setup.thread("fix-ci");
    let login = ann.slash("/auth login").in_thread(&thread).send().await;
    let card = login.sees_text("Sign in to Acme", SOON).await;
    println!("{}", card.render());
    setup.authority.approve_device(&login.link("Open sign-in page"), &Person::ada()).await;
    let card = login.sees_text("Signed in to Acme", NEXT_POLL).await;
    println!("{}", card.render());
    let token = setup.token(&["acme", "--thread", &thread.id().to_string()]).await;
    assert!(setup.authority.accepts(&token));
    setup.discord.assert_clean();
}
