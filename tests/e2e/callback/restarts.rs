//! A bot that is killed and started anew between every two steps.

use latchkey_test_authority::{Browser, Endpoint};

use super::{Hosted, press};
use crate::harness::{NEXT_POLL, SOON};

/// S12: card, answer, page, confirmation: what was in memory is asked for again, and nothing is lost.
#[tokio::test]
async fn a_hosted_login_survives_a_crash_between_every_two_steps() {
    let hosted = Hosted::new().await;
    let (bot, _ann, thread, card) = hosted.begun().await;
    let bot = bot.restart(&hosted.setup).await;
    let answer = hosted.answer(&card).await;
    let bot = bot.restart(&hosted.setup).await;
    let mut browser = Browser::new();
    let page = browser.get(&answer).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let _bot = bot.restart(&hosted.setup).await;

    let gone = press(&mut browser, &page, "confirm").await;
    assert!(gone.status == 410 && gone.body.contains("history"), "{} {}", gone.status, gone.body);
    assert_eq!(hosted.setup.authority.exchanges(), 0);
    let page = browser.get(&answer).await;
    let done = press(&mut browser, &page, "confirm").await;
    assert!(done.body.contains("ada@example.test"), "{}", done.body);
    card.sees_text("Signed in to Acme", SOON).await;
    let token = hosted.setup.token(&["acme", "--thread", &thread.id().to_string()]).await;
    assert!(hosted.setup.authority.accepts(&token));
    hosted.setup.discord.assert_clean();
}

/// S13: killed while the code is being spent, the login fails and says why; it is not spent a second time.
#[tokio::test]
async fn an_exchange_that_was_interrupted_is_not_repeated() {
    let hosted = Hosted::new().await;
    let (mut bot, _ann, _thread, card) = hosted.begun().await;
    let answer = hosted.answer(&card).await;
    let page = Browser::new().get(&answer).await;
    let held = hosted.setup.authority.hold(Endpoint::Token);
    let pressed = tokio::spawn(async move {
        // Its connection dies with the bot.
        let fields = page.forms().remove(0).filled(&[("decision", "confirm")]);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        drop(client.post(page.url).form(&fields).send().await);
    });
    hosted.setup.authority.eventually(SOON, |_| held.waiting() == 1).await;
    bot.kill9();
    pressed.await.expect("the press ends with the bot");
    let _bot = bot.restart(&hosted.setup).await;
    held.release();
    card.sees_text("Latchkey was restarted", NEXT_POLL).await;
    let page = Browser::new().get(&answer).await;
    assert!(page.status == 410 && page.body.contains("is over"), "{} {}", page.status, page.body);
    assert_eq!(hosted.setup.authority.exchanges(), 1);
    hosted.setup.discord.assert_clean();
}

/// W5: asked to end in the middle of an exchange, the bot finishes it and the page gets its answer.
#[tokio::test]
async fn an_exchange_under_way_is_finished_and_its_page_sent() {
    let hosted = Hosted::new().await;
    let (mut bot, _ann, _thread, card) = hosted.begun().await;
    let answer = hosted.answer(&card).await;
    let page = Browser::new().get(&answer).await;
    let held = hosted.setup.authority.hold_reply(Endpoint::Token);
    let pressed = tokio::spawn(async move { press(&mut Browser::new(), &page, "confirm").await });
    hosted.setup.authority.eventually(SOON, |_| held.waiting() == 1).await;
    let end = async {
        bot.wait_said("ending", SOON).await;
        held.release();
    };
    let stop = rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(bot.id()).unwrap()).unwrap(),
        rustix::process::Signal::TERM,
    );
    stop.expect("the bot is there");
    end.await;
    let done = pressed.await.unwrap();
    assert!(done.body.contains("ada@example.test"), "{} {}", done.status, done.body);
    assert_eq!(bot.ended(NEXT_POLL).await.code(), Some(0), "{}", bot.said());
    card.sees_text("Signed in to Acme", SOON).await;
    hosted.setup.discord.assert_clean();
}
