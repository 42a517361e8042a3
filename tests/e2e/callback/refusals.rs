//! Answers that are none of ours: each is refused with a page, and costs nothing.

use std::time::Duration;

use latchkey_test_authority::{Browser, Person};
use url::Url;

use super::{Hosted, OPEN, login, press};
use crate::harness::{Bot, SOON, Setup};

/// `address` with the parameter `name` left out, and put to `value` if there is one.
fn with(address: &str, name: &str, value: Option<&str>) -> String {
    let mut url = Url::parse(address).expect("an address");
    let pairs: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(known, _)| known != name).collect();
    url.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|value| (name, value)));
    url.into()
}

/// T2, T4, T6: the table of refusals; after all of them the true answer still signs in.
#[tokio::test]
async fn what_is_no_answer_to_this_login_consumes_nothing() {
    let hosted = Hosted::new().await;
    let (_bot, _ann, thread, card) = hosted.begun().await;
    let bob = login(&hosted.setup.discord.member("bob"), &thread).await;
    let answer = hosted.answer(&card).await;
    let others = hosted.setup.authority.sign_in(&bob.link(OPEN), &Person::ben()).await;
    let other_state = Url::parse(&bob.link(OPEN)).unwrap();
    let other_state = other_state.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();

    let both = format!("{answer}&error=access_denied");
    let twice = format!("{answer}&code=another");
    let elsewhere = answer.replace("/callback/acme", "/callback/other");
    let cases = [
        ("no issuer, though promised", with(&answer, "iss", None), 400, "comes from somewhere else"),
        (
            "another issuer",
            with(&answer, "iss", Some("https://evil.example")),
            400,
            "comes from somewhere else",
        ),
        ("an unknown state", with(&answer, "state", Some("unknown")), 410, "is over"),
        ("no state", with(&answer, "state", None), 400, "incomplete"),
        ("no code", with(&answer, "code", None), 400, "incomplete"),
        ("a code twice", twice, 400, "contradicts itself"),
        ("yes and no", both, 400, "contradicts itself"),
        ("another provider's page", elsewhere, 404, "nothing here"),
        ("nothing at all", format!("{}/callback/acme", hosted.origin), 400, "incomplete"),
    ];
    for (what, address, status, text) in cases {
        let page = Browser::new().get(&address).await;
        assert_eq!(page.status, status, "{what}: {}", page.body);
        assert!(page.body.contains(text), "{what}: {}", page.body);
        assert!(!page.body.contains("<form"), "{what}: there is nothing to confirm");
    }
    // T4: a no is believed of the right issuer only.
    let no = with(&with(&answer, "code", None), "error", Some("access_denied"));
    for address in [with(&no, "iss", None), with(&no, "iss", Some("https://evil.example"))] {
        let page = Browser::new().get(&address).await;
        assert_eq!(page.status, 400, "{}", page.body);
    }
    // C11: another login's state makes it an answer to that login, whose code does not fit it.
    let mixed = Browser::new().get(&with(&answer, "state", Some(&other_state))).await;
    assert!(mixed.body.contains("@bob") && !mixed.body.contains("@ann"), "{}", mixed.body);
    assert_eq!(hosted.setup.authority.exchanges(), 0);

    for (card, answer, name) in [(&card, &answer, "ada"), (&bob, &others, "ben")] {
        let mut browser = Browser::new();
        let page = browser.get(answer).await;
        let done = press(&mut browser, &page, "confirm").await;
        assert!(done.body.contains(&format!("{name}@example.test")), "{}", done.body);
        card.sees_text("Signed in to Acme", SOON).await;
    }
    hosted.setup.discord.assert_clean();
}

/// U3, T4: a no at the provider ends the login as denied, as a pasted one does.
#[tokio::test]
async fn a_no_at_the_provider_ends_the_login() {
    let hosted = Hosted::new().await;
    let (_bot, _ann, _thread, card) = hosted.begun().await;
    let refused = hosted.setup.authority.refuse(&card.link(OPEN)).await;
    let page = Browser::new().get(&refused).await;
    assert!(page.status == 200 && page.body.contains("was declined"), "{} {}", page.status, page.body);
    card.sees_text("was declined on the provider's page", SOON).await;
    hosted.setup.discord.assert_clean();
}

/// C12: what could not be sent is asked about again, with the same answer.
#[tokio::test]
async fn what_could_not_be_sent_is_asked_about_again() {
    let hosted = Hosted::new().await;
    let (_bot, _ann, _thread, card) = hosted.begun().await;
    let answer = hosted.answer(&card).await;
    let mut browser = Browser::new();
    let page = browser.get(&answer).await;
    hosted.setup.authority.go_down();
    let again = press(&mut browser, &page, "confirm").await;
    assert!(again.status == 503 && again.body.contains("Nothing is lost"), "{} {}", again.status, again.body);
    hosted.setup.authority.come_back();
    let done = press(&mut browser, &again, "confirm").await;
    assert!(done.body.contains("ada@example.test"), "{}", done.body);
    card.sees_text("Signed in to Acme", SOON).await;
    hosted.setup.discord.assert_clean();
}

/// T2, U8: two bots over one store: neither answers the other's logins.
#[tokio::test]
async fn two_bots_never_answer_for_one_another() {
    let hosted = Hosted::new().await;
    let (_bot, _ann, _thread, card) = hosted.begun().await;
    let port = super::free_port();
    let sibling = hosted.setup.sibling().acme(super::ACME).more(&super::http(port)).start().await;
    let _other = Bot::start(&sibling).await;
    let answer = hosted.answer(&card).await;
    let moved = answer.replace(&hosted.origin, &format!("http://127.0.0.1:{port}"));
    let page = Browser::new().get(&moved).await;
    assert!(page.status == 410 && !page.body.contains("<form"), "{} {}", page.status, page.body);
    let page = Browser::new().get(&answer).await;
    assert!(page.status == 200 && page.body.contains("@ann"), "{} {}", page.status, page.body);
    for discord in [&hosted.setup.discord, &sibling.discord] {
        discord.assert_clean();
    }
}

/// What `latchkey run` and `latchkey check` say of an address that cannot be had.
#[tokio::test]
async fn a_port_that_is_taken_ends_the_bot_with_the_remedy() {
    let port = super::free_port();
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    let setup = Setup::plan().acme(super::ACME).more(&super::http(port)).start().await;
    let mut bot = Bot::spawn(&setup, |_| {});
    assert_eq!(bot.ended(SOON).await.code(), Some(2), "{}", bot.said());
    bot.wait_said("in use by another program", SOON).await;
    bot.wait_said("listen", SOON).await;
    assert!(setup.cli(&["check"]).await.stdout.contains(&format!("127.0.0.1:{port} is in use")));
    drop(taken);
    let check = setup.cli(&["check"]).await.stdout;
    assert!(
        check.contains(&format!("register the redirect URI http://127.0.0.1:{port}/callback/acme")),
        "{check}"
    );

    let setup = Setup::plan().acme("flows = [\"callback\", \"paste\"]").start().await;
    let check = setup.cli(&["check"]).await.stdout;
    assert!(check.contains("\"callback\" is not offered") && check.contains("write public_url"), "{check}");
}

/// T15: where Discord cannot say the name, or not in time, the page shows the id and says so; the sign-in goes on.
#[tokio::test]
async fn who_cannot_be_named_is_shown_by_their_id() {
    let hosted = Hosted::new().await;
    let (_bot, ann, _thread, card) = hosted.begun().await;
    let answer = hosted.answer(&card).await;
    let id = format!("the member with the Discord id <strong>{}</strong>", ann.id());
    let asked = "GET /guilds/*/members/*";
    let mut browser = Browser::new();
    // It answers too late for anybody to wait for it.
    hosted.setup.discord.delay(asked, 1, Duration::from_secs(15));
    let page = browser.get(&answer).await;
    assert!(page.status == 200 && page.body.contains(&id), "{} {}", page.status, page.body);
    hosted.setup.discord.fail(asked, 1, 500);
    let page = browser.get(&answer).await;
    assert!(page.status == 200 && page.body.contains(&id), "{} {}", page.status, page.body);
    let done = press(&mut browser, &page, "confirm").await;
    assert!(done.body.contains("ada@example.test"), "{}", done.body);
    hosted.setup.discord.assert_clean();
}
