//! The built-in `gemini`: a page that shows a bare code, a secret in the body, refreshes without a refresh token, and one
//! revocation that ends all of a person's sign-ins.

use latchkey::secret::TokenHash;
use latchkey_test_authority::{Authority, Endpoint, GEMINI_SECRET, Person};
use latchkey_test_discord::{Channel, Interaction, Member};

use crate::harness::{Bot, SOON, Setup};

const SECRET: &str = "LATCHKEY_GEMINI_CLIENT_SECRET";

/// The table of the built-in, at `google` instead of its own servers.
pub(crate) fn table(google: &Authority) -> String {
    format!(
        "[providers.gemini]\nauthorization_endpoint = {:?}\ntoken_endpoint = {:?}\nrevocation_endpoint = {:?}\n\
         userinfo_endpoint = {:?}\nredirect_uri = {:?}\n",
        google.authorization_endpoint(),
        google.token_endpoint(),
        google.revocation_endpoint(),
        google.url("/oauth2/v2/userinfo"),
        google.url("/code"),
    )
}

/// What `latchkey token` prints for these arguments, with the client's secret at hand.
async fn token(setup: &Setup, arguments: &[&str]) -> String {
    let mut program = tokio::process::Command::from(setup.program());
    program.arg("token").args(arguments).env(SECRET, GEMINI_SECRET).kill_on_drop(true);
    let output = program.output().await.expect("latchkey runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A sign-in as Ada, by a bare code; with the link that led to the page.
async fn sign_in(google: &Authority, ann: &Member, thread: &Channel, line: &str) -> (Interaction, url::Url) {
    let login = ann.slash(line).in_thread(thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    let link = login.link("Open sign-in page");
    let code = google.sign_in(&link, &Person::ada()).await;
    assert!(!code.contains(['#', '&', '/']), "the page shows the code alone: {code}");
    let form = login.click("Paste the answer").await;
    let pasted = form.submit_modal([("Code from the last page", code.as_str())]).await;
    (pasted, link.parse().unwrap())
}

/// VENDORS, T3, T12, G23
#[tokio::test(flavor = "multi_thread")]
async fn gemini_signs_in_by_a_bare_code_keeps_its_refresh_token_and_ends_all_at_once() {
    let google = Authority::google();
    let setup = Setup::plan().more(&table(&google)).start().await;
    let bot = Bot::start_with(&setup, |program| {
        program.env(SECRET, GEMINI_SECRET);
    })
    .await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let (pasted, link) = sign_in(&google, &ann, &thread, "/auth login google").await;
    pasted.sees_text("Signed in to Gemini", SOON).await;
    let parameter =
        |name: &str| link.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!(
        (parameter("access_type").as_deref(), parameter("prompt").as_deref()),
        (Some("offline"), Some("consent"))
    );
    let status = ann.slash("/auth status").in_thread(&thread).send().await;
    status.sees_text("ada\\@example.test", SOON).await;

    let place = thread.id().to_string();
    let first = token(&setup, &["gemini", "--thread", &place]).await;
    let tenant = format!("gemini@{}", ann.id());
    let stored = || -> serde_json::Value { serde_json::from_str(&setup.stored()).unwrap() };
    let before = stored()["tenants"][&tenant].clone();
    assert_eq!(
        (&before["account"]["id"], &before["account"]["email"]),
        (&"ada".into(), &"ada@example.test".into())
    );
    let rejected = TokenHash::of(&first).to_string();
    let second = token(&setup, &["gemini", "--thread", &place, "--rejected-sha256", &rejected]).await;
    assert!(google.accepts(&second) && second != first);
    assert_eq!(stored()["tenants"][&tenant]["refresh_token"], before["refresh_token"]);
    assert_eq!((google.refreshes(), google.requests_to(Endpoint::Userinfo).len()), (1, 1));
    for request in google.requests_to(Endpoint::Token) {
        assert_eq!(
            (request.field("client_secret"), request.header("authorization")),
            (Some(GEMINI_SECRET), None)
        );
    }

    // One revocation ends every sign-in of this person at this client: who logs out is told which.
    let other = setup.thread("release");
    let (pasted, _) = sign_in(&google, &ann, &other, "/auth login gemini work").await;
    pasted.sees_text("Signed in to Gemini", SOON).await;
    let logout = ann.slash("/auth logout").in_thread(&thread).send().await;
    let asked = logout.sees_text("Log out of Gemini", SOON).await;
    assert!(
        asked.contains("At the provider these end with it") && asked.contains("work"),
        "{}",
        asked.render()
    );
    let done = logout.click("Log out").await.sees_text("Logged out of Gemini", SOON).await;
    assert!(done.contains("ended at the provider too") && done.contains("work"), "{}", done.render());
    assert_eq!((google.revocations(), google.live_grants()), (1, 0));
    google.assert_no_secret_in(&bot.said());
    setup.discord.assert_clean();
}
