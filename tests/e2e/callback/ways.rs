//! Providers and people of every kind: each comes to our page and goes on from it as anybody does.

use latchkey_test_authority::{Browser, CLIENT, Client, Endpoint, OidcProvider, Page, Person};
use latchkey_test_discord::{Channel, Interaction, Member};

use super::{ACME, Hosted, OPEN, free_port, http, press};
use crate::github::github;
use crate::harness::{Bot, SOON, Setup};
use crate::oidc::serves_rotates_and_ends;

/// T13, T4, S12: an issuer alone: its endpoints and its promise to name itself are discovered, and outlive a restart.
#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_alone_is_enough_for_a_hosted_login() {
    let oidc = OidcProvider::start().await;
    let port = free_port();
    let table = format!(
        "[providers.real]\ntitle = \"Real\"\nissuer = {:?}\nclient_id = {CLIENT:?}\nflows = [\"callback\"]\n\
         scopes = [\"openid\", \"offline_access\"]\nauthorize_params = {{ prompt = \"consent\" }}\n{}",
        oidc.issuer(),
        http(port),
    );
    let setup = Setup::plan().more(&table).start().await;
    let bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let card = ann.slash("/auth login real").in_thread(&thread).send().await;
    card.sees_text("Check that your name is on it", SOON).await;
    let arrived = oidc.sign_in(&card.link(OPEN), "ada").await;
    let (nameless, iss) = arrived.split_once("&iss=").expect("it names itself, as it promised");
    assert!(!iss.contains('&'), "{arrived}");
    let _bot = bot.restart(&setup).await;
    let mut browser = Browser::new();
    let refused = browser.get(nameless).await;
    assert!(
        refused.status == 400 && refused.body.contains("comes from somewhere else"),
        "{} {}",
        refused.status,
        refused.body
    );
    let page = browser.get(&arrived).await;
    let done = press(&mut browser, &page, "confirm").await;
    assert!(done.status == 200 && done.body.contains("<bdi>ada</bdi>"), "{} {}", done.status, done.body);
    serves_rotates_and_ends(&oidc, &setup, &card, &thread.id().to_string()).await;
    setup.discord.assert_clean();
}

/// VENDORS, T5, Z1: GitHub's way with an app that has a secret: no issuer in the answer, the secret in the form, no account.
#[tokio::test]
async fn github_signs_in_by_a_client_with_a_secret() {
    const SECRET: &str = "the-secret-of-our-app";
    let (github, port) = (github(), free_port());
    let origin = format!("http://127.0.0.1:{port}");
    github.register(Client::confidential("ours", SECRET, &[&format!("{origin}/callback/github")]));
    let table = format!(
        "[providers.github]\nclient_id = \"ours\"\nclient_secret_env = \"GITHUB_SECRET\"\nscopes = [\"repo\"]\n\
         flows = [\"callback\", \"device\"]\nidentity = \"id_token\"\nauthorization_endpoint = {:?}\ntoken_endpoint = {:?}\n\
         device_authorization_endpoint = {:?}\n{}",
        github.authorization_endpoint(),
        github.token_endpoint(),
        github.url("/device/code"),
        http(port),
    );
    let setup = Setup::plan().more(&table).start().await;
    let knowing = |program: &mut std::process::Command| {
        program.env("GITHUB_SECRET", SECRET);
    };
    let bot = Bot::start_with(&setup, knowing).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let card = ann.slash("/auth login gh").in_thread(&thread).send().await;
    card.sees_text("Sign in to GitHub", SOON).await;
    let arrived = github.sign_in(&card.link(OPEN), &Person::ada()).await;
    assert!(!arrived.contains("iss="), "{arrived}");
    let mut browser = Browser::new();
    let page = browser.get(&arrived).await;
    assert!(page.status == 200 && page.body.contains("<bdi>GitHub</bdi>"), "{} {}", page.status, page.body);
    let done = press(&mut browser, &page, "confirm").await;
    assert!(
        done.status == 200 && done.body.contains("Your account is ready to use."),
        "{} {}",
        done.status,
        done.body
    );
    card.sees_text("Signed in to GitHub", SOON).await;
    let exchanges = github.requests_to(Endpoint::Token);
    let [exchange] = exchanges.as_slice() else { panic!("one exchange: {exchanges:?}") };
    let sent = ["grant_type", "client_id", "client_secret", "redirect_uri"].map(|name| exchange.field(name));
    let callback = format!("{origin}/callback/github");
    assert_eq!(sent, [Some("authorization_code"), Some("ours"), Some(SECRET), Some(&*callback)]);
    assert_eq!(
        (exchange.header("authorization"), exchange.header("accept")),
        (None, Some("application/json"))
    );
    assert!(exchange.field("code_verifier").is_some_and(|verifier| verifier.len() >= 43), "{exchange:?}");
    let token = setup.token(&["github", "--thread", &thread.id().to_string()]).await;
    assert!(github.accepts(&token));
    for (what, text) in [("the log", bot.said()), ("the store", setup.stored()), ("the page", done.body)] {
        assert!(!text.contains(SECRET), "the client's secret is in {what}: {text}");
    }
    setup.discord.assert_clean();
}

/// The card of a sign-in to the server's `acme`, which may be signed in already.
async fn asks(member: &Member, thread: &Channel) -> Interaction {
    let mut card = member.slash("/auth login").in_thread(thread).send().await;
    let shown = card.sees(|view| !view.buttons().is_empty(), SOON).await;
    if shown.button("Sign in again").is_some() {
        card = card.click("Sign in again").await;
    }
    card.sees_text("Sign in to Acme", SOON).await;
    card
}

/// I5, I6, T15: with another account than the server's, the page says that an admin must agree, and changes nothing; once one
/// has agreed, the same page, loaded anew, says so.
#[tokio::test]
async fn another_account_than_the_servers_waits_for_an_admin() {
    let port = free_port();
    let setup = Setup::plan()
        .acme(&format!("{ACME}\nshare = \"guild\""))
        .access(|discord| {
            let role = discord.role("keepers");
            format!("members = {{ anyone = true }}\nadmins = {{ roles = [\"{role}\"] }}")
        })
        .more(&http(port))
        .start()
        .await;
    super::register(&setup.authority, &format!("http://127.0.0.1:{port}"));
    let _bot = Bot::start(&setup).await;
    let thread = setup.thread("fix-ci");
    let admin = setup.discord.member("cleo").roles([setup.discord.role("keepers")]);
    let ann = setup.discord.member("ann");

    let first = asks(&admin, &thread).await;
    let mut browser = Browser::new();
    let page = browser.get(&setup.authority.sign_in(&first.link(OPEN), &Person::ada()).await).await;
    assert!(page.body.contains("every agent on"), "it is the server's: {}", page.body);
    let done = press(&mut browser, &page, "confirm").await;
    assert!(done.body.contains("ada@example.test"), "{}", done.body);
    first.sees_text("Signed in to Acme", SOON).await;
    let before = setup.token(&["acme"]).await;

    let card = asks(&ann, &thread).await;
    let mut browser = Browser::new();
    let page = browser.get(&setup.authority.sign_in(&card.link(OPEN), &Person::ben()).await).await;
    let waits = press(&mut browser, &page, "confirm").await;
    assert_eq!(waits.status, 200, "{}", waits.body);
    for text in
        ["Your sign-in waits for an admin", "You signed in with another account than the one in use here"]
    {
        assert!(waits.body.contains(text), "{text}: {}", waits.body);
    }
    assert!(!waits.body.contains("ada@") && !waits.body.contains("<form"), "{}", waits.body);
    card.sees_text("waits for an admin", SOON).await;
    assert_eq!(setup.token(&["acme"]).await, before, "nothing has changed");

    let question =
        setup.discord.wait_channel_message(&thread, "Should Acme use another account?", SOON).await;
    let step = admin.click(&question, "Use the new account").await;
    step.sees_text("Which account should Acme use?", SOON).await;
    step.click("Use the new account").await.sees_text("now uses the account of", SOON).await;
    let agreed = press(&mut browser, &page, "confirm").await;
    assert!(
        agreed.status == 200 && agreed.body.contains("ben@example.test"),
        "{} {}",
        agreed.status,
        agreed.body
    );
    assert_ne!(setup.token(&["acme"]).await, before);
    assert_eq!(setup.authority.exchanges(), 2, "a page that is loaded anew spends nothing");
    setup.discord.assert_clean();
}

/// U3: a member who reads German in Discord has German pages from the first to the last, whatever the browser asks for.
#[tokio::test]
async fn a_german_member_has_german_pages() {
    let hosted = Hosted::new().await;
    let _bot = Bot::start(&hosted.setup).await;
    let ann = hosted.setup.discord.member("ann").locale("de");
    let thread = hosted.setup.thread("fix-ci");
    let card = ann.slash("/auth login").in_thread(&thread).send().await;
    card.sees_text("Anmeldeseite öffnen", SOON).await;
    let link = card.link("Anmeldeseite öffnen");
    let answer = hosted.setup.authority.sign_in(&link, &Person::ada()).await;
    let mut browser = Browser::new();
    let german = |page: &Page, text: &str| {
        assert!(
            page.body.contains("<html lang=\"de\">") && page.body.contains(text),
            "{text}: {}",
            page.body
        );
    };
    german(&browser.get(&format!("{answer}&code=2")).await, "Diese Antwort widerspricht sich");
    let page = browser.get(&answer).await;
    german(&page, "Ist das deine Anmeldung?");
    let dropped = press(&mut browser, &page, "drop").await;
    german(&dropped, "Es wurde nichts angemeldet");
    let page = browser.get(&answer).await;
    german(&press(&mut browser, &page, "confirm").await, "Du bist angemeldet als");
    german(&press(&mut browser, &page, "confirm").await, "Du bist angemeldet als");
    card.sees_text("Angemeldet bei Acme", SOON).await;
    // Where no login is meant, the browser's own language is all that is known.
    let unknown = browser.get(&format!("{}/callback/acme?state=unknown", hosted.origin)).await;
    assert!(unknown.body.contains("<html lang=\"en\">"), "{}", unknown.body);
    hosted.setup.discord.assert_clean();
}
