//! Programs that wait for a sign-in that is under way.

use latchkey::broker::LoginReply;
use latchkey::pending::PendingLogin;
use latchkey::tenant::User;
use latchkey_test_authority::Person;

use crate::host::{Host, by_paste, printed, said};
use crate::watched::Watched;

/// What a program says as it begins to wait.
pub const WAITING: &str = "waiting for the sign-in that is under way";

async fn paste_login(host: &Host, broker: &latchkey::broker::Broker) -> PendingLogin {
    let reply = broker.login(by_paste(User::Local(1), false, "acme")).await.unwrap();
    let LoginReply::Started(started) = reply else {
        panic!("signed in already at {}", host.authority.issuer())
    };
    started.login
}

/// A program that has found the sign-in, and waits for it.
fn waiting(host: &Host) -> Watched {
    let mut waiting = Watched::spawn(host.latchkey(&["token", "acme", "--wait"]));
    waiting.until_it_says(WAITING);
    waiting
}

/// S10
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_sign_in_gets_its_token() {
    let host = Host::new();
    let broker = host.broker();
    let login = paste_login(&host, &broker).await;
    let waiting = waiting(&host);
    let answer = host.authority.sign_in(login.authorize_url.as_ref().unwrap().expose(), &Person::ada()).await;
    broker.logins().paste(&User::Local(1), &login.id, &answer).await.unwrap();
    let output = waiting.end();
    assert!(output.status.success(), "{}", said(&output));
    assert!(host.authority.accepts(&printed(&output)));
}

/// S10
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_sign_in_that_fails_is_told() {
    let host = Host::new();
    let broker = host.broker();
    let login = paste_login(&host, &broker).await;
    let waiting = waiting(&host);
    broker.logins().cancel(&User::Local(1), false, &login.id).await.unwrap();
    let output = waiting.end();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("ended without a token"), "{}", said(&output));
}

/// S10: nobody hangs.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_nothing_or_too_long_is_told_at_once_or_in_time() {
    let host = Host::new();
    let output = host.latchkey(&["token", "acme", "--wait"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "no sign-in is under way: {}", said(&output));
    paste_login(&host, &host.broker()).await;
    let output = host.latchkey(&["token", "acme", "--wait", "--timeout", "600ms"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
}
