//! Whose a sign-in is, where another request or the reply itself tells: another account in a shared slot asks an admin (I5).

use latchkey_test_authority::{Answer, Authority, Bodies, IdToken, Person, ReplyShape, Settings};
use latchkey_test_discord::{Channel, Interaction, Member};
use serde_json::{Value, json};

use crate::harness::{Bot, SOON, Setup};

/// Ada's address, as Discord is shown it: it must not become a mention.
const ADA: &str = "ada\\@example.test";

/// A sign-in by paste, as this person.
async fn sign_in(
    at: &Authority,
    who: &Member,
    thread: &Channel,
    line: &str,
    field: &str,
    as_: &Person,
) -> Interaction {
    let mut login = who.slash(line).in_thread(thread).send().await;
    let shown = login.sees(|view| !view.buttons().is_empty(), SOON).await;
    if shown.button("Sign in again").is_some() {
        login = login.click("Sign in again").await;
    }
    login.sees_text("Paste the answer", SOON).await;
    let answer = at.sign_in(&login.link("Open sign-in page"), as_).await;
    login.click("Paste the answer").await.submit_modal([(field, answer.as_str())]).await
}

fn account(setup: &Setup, tenant: &str) -> Value {
    let stored: Value = serde_json::from_str(&setup.stored()).unwrap();
    stored["tenants"][tenant]["account"].clone()
}

/// I2, I5, U6: by the userinfo endpoint.
#[tokio::test(flavor = "multi_thread")]
async fn another_account_by_userinfo_waits_for_an_admin() {
    let server = Authority::start();
    server.set(|settings| settings.reply.id_token = IdToken::None);
    let table = format!(
        "[providers.who]\ntitle = \"Who\"\ntoken_endpoint = {:?}\nauthorization_endpoint = {:?}\nrevocation_endpoint = {:?}\n\
         userinfo_endpoint = {:?}\nidentity = \"userinfo\"\nclient_id = \"latchkey\"\nscopes = [\"openid\"]\n\
         redirect_uri = \"http://127.0.0.1:8765/cb\"\nflows = [\"paste\"]\nshare = \"guild\"\n",
        server.token_endpoint(),
        server.authorization_endpoint(),
        server.revocation_endpoint(),
        server.userinfo_endpoint(),
    );
    let setup = Setup::plan().more(&table).start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, bob, thread) =
        (setup.discord.member("ann"), setup.discord.member("bob"), setup.thread("fix-ci"));
    let field = "Address of the last page";
    let ada = sign_in(&server, &ann, &thread, "/auth login who", field, &Person::ada()).await;
    ada.sees_text(ADA, SOON).await;
    assert_eq!(account(&setup, "who"), json!({"id": "ada", "email": "ada@example.test"}));
    for listing in ["/auth status", "/auth list"] {
        let shown = ann.slash(listing).in_thread(&thread).send().await;
        shown.sees_text(ADA, SOON).await;
    }
    assert!(setup.cli(&["status"]).await.stdout.contains("ada@example.test"));
    let ben = sign_in(&server, &bob, &thread, "/auth login who", field, &Person::ben()).await;
    ben.sees_text("waits for an admin", SOON).await;
    assert_eq!(account(&setup, "who"), json!({"id": "ada", "email": "ada@example.test"}));
    setup.discord.assert_clean();
}

/// I2, I4, I5: by the reply itself, as Claude's server tells it; a refresh that tells of another account is not stored.
#[tokio::test(flavor = "multi_thread")]
async fn another_account_by_the_reply_waits_for_an_admin_and_ends_a_refresh() {
    let claude = Authority::start_with(Settings {
        any_client: true,
        answer: Answer::CodeHashState,
        bodies: Bodies::Json,
        iss_in_answer: false,
        reply: ReplyShape { id_token: IdToken::None, ..ReplyShape::default() },
        ..Settings::default()
    });
    let whose = |uuid: &str, email: &str| {
        let account = json!({"uuid": uuid, "email_address": email});
        claude.set(|settings| drop(settings.reply.extra.insert("account".to_owned(), account)));
    };
    let table = format!(
        "[providers.claude]\nauthorization_endpoint = {:?}\ntoken_endpoint = {:?}\nredirect_uri = {:?}\nshare = \"guild\"\n\
         accept_terms_risk = true\n",
        claude.url("/oauth/authorize"),
        claude.url("/oauth/token"),
        claude.url("/oauth/code/callback"),
    );
    let setup = Setup::plan().more(&table).start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, bob, thread) =
        (setup.discord.member("ann"), setup.discord.member("bob"), setup.thread("fix-ci"));
    let field = "Code from the last page";
    whose("u-ada", "ada@example.test");
    let ada = sign_in(&claude, &ann, &thread, "/auth login claude", field, &Person::ada()).await;
    ada.sees_text(ADA, SOON).await;
    assert_eq!(account(&setup, "claude"), json!({"id": "u-ada", "email": "ada@example.test"}));
    whose("u-ben", "ben@example.test");
    let ben = sign_in(&claude, &bob, &thread, "/auth login claude", field, &Person::ben()).await;
    ben.sees_text("waits for an admin", SOON).await;

    let token = setup.token(&["claude"]).await;
    let rejected = latchkey::secret::TokenHash::of(&token).to_string();
    let refused = setup.cli(&["token", "claude", "--rejected-sha256", &rejected]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""), "{refused:?}");
    assert!(refused.stderr.contains("another account's tokens"), "{refused:?}");
    assert_eq!(account(&setup, "claude"), json!({"id": "u-ada", "email": "ada@example.test"}));
    setup.discord.assert_clean();
}
