//! Logins whose answer is pasted back.

use latchkey_test_authority::Person;
use latchkey_test_discord::Acknowledgement;

use super::{ADDRESS, OPEN, PASTE, ann_and_a_thread, login};
use crate::harness::{SOON, Setup};

/// U3, U4: the dead page is announced, a bad paste is explained and costs nothing, the good one signs in.
#[tokio::test]
async fn a_bad_paste_costs_nothing() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    assert!(login.message().contains("error page that does not load"), "{}", login.story());
    let answer = setup.authority.sign_in(&login.link(OPEN), &Person::ada()).await;

    for bad in ["hello", "http://127.0.0.1:8765/cb?code=x&state=y", "https://elsewhere.example/cb?code=1"] {
        let press = login.click(PASTE).await;
        assert!(matches!(press.acknowledgement(), Acknowledgement::Modal(_)));
        let pasted = press.submit_modal([(ADDRESS, bad)]).await;
        let card = pasted.sees_text("That did not work", SOON).await;
        assert!(card.button(PASTE).is_some() && !card.contains("code=x"), "{}", card.render());
    }
    assert_eq!(setup.authority.exchanges(), 0);

    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    let done = pasted.sees_text("Signed in to Acme", SOON).await;
    assert_eq!((done.id(), done.buttons()), (login.message().id(), vec![]));
    assert!(setup.authority.accepts(&setup.token(&["acme", "--thread", &thread.id().to_string()]).await));
    setup.discord.assert_clean();
}

/// U3: an answer that says no ends the login with its words and a new start.
#[tokio::test]
async fn a_pasted_refusal_ends_the_login() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let login = login(&ann, &thread).await;
    let refused = setup.authority.refuse(&login.link(OPEN)).await;
    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, refused.as_str())]).await;
    pasted.sees_text("was declined on the provider's page", SOON).await;
    pasted.click("Sign in again").await.sees_text(OPEN, SOON).await;
    setup.discord.assert_clean();
}

/// U4: a link too long for a button is a masked link; one too long for that is refused in words.
#[tokio::test]
async fn a_long_link_is_masked_and_a_longer_one_refused() {
    let scopes = |count: usize| {
        let scopes: Vec<_> = (0..count).map(|n| format!("\"a-scope-with-a-long-name-{n}\"")).collect();
        format!("flows = [\"paste\"]\nscopes = [{}]", scopes.join(", "))
    };
    let setup = Setup::plan().acme(&scopes(30)).start().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let masked = login(&ann, &thread).await;
    let link = masked.link(OPEN);
    assert!(link.len() > 512 && masked.message().button(OPEN).is_none(), "{}", masked.story());
    assert!(masked.message().button(PASTE).is_some(), "{}", masked.story());
    setup.discord.assert_clean();

    let setup = Setup::plan().acme(&scopes(200)).start().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let refused = ann.slash("/auth login").in_thread(&thread).send().await;
    refused.sees_text("Discord cannot show", SOON).await;
    setup.discord.assert_clean();
}
