//! Sign-ins that end on our own page.

mod browser;
mod hostile;
mod refusals;
mod restarts;
mod ways;

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use latchkey_test_authority::{Authority, Browser, Client, OidcProvider, Page, Person};
use latchkey_test_discord::{Channel, Interaction, Member};
use tokio::task::JoinSet;

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

const OPEN: &str = "Open sign-in page";

/// A port that nothing listens on, and that no outgoing connection is given: those come from 32768 on.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 11_000).unwrap_or_default();
    for _ in 0..1_000 {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// A setup whose provider `acme` is answered at our page.
pub(crate) struct Hosted {
    pub setup: Setup,
    pub origin: String,
}

/// The tables for a page at `port`, and `acme`'s lines for it.
fn http(port: u16) -> String {
    format!("[http]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n")
}

const ACME: &str =
    "flows = [\"callback\"]\nclient_id = \"hosted\"\nauthorization_response_iss_parameter_supported = true";

fn register(authority: &Authority, origin: &str) {
    authority.set(|settings| settings.iss_in_answer = true);
    authority.register(Client::public("hosted", &[&format!("{origin}/callback/acme")]));
}

impl Hosted {
    pub async fn new() -> Self {
        let port = free_port();
        let setup = Setup::plan().acme(ACME).more(&http(port)).start().await;
        let origin = format!("http://127.0.0.1:{port}");
        register(&setup.authority, &origin);
        Self { setup, origin }
    }

    /// A bot, Ann, a thread, and her sign-in's card.
    pub async fn begun(&self) -> (Bot, Member, Channel, Interaction) {
        let bot = Bot::start(&self.setup).await;
        let (ann, thread) = (self.setup.discord.member("ann"), self.setup.thread("fix-ci"));
        let card = login(&ann, &thread).await;
        (bot, ann, thread, card)
    }

    /// Where Ada's browser is sent after she agreed.
    pub async fn answer(&self, card: &Interaction) -> String {
        self.setup.authority.sign_in(&card.link(OPEN), &Person::ada()).await
    }
}

pub(crate) async fn login(member: &Member, thread: &Channel) -> Interaction {
    let card = member.slash("/auth login").in_thread(thread).send().await;
    card.sees_text("Sign in to Acme", SOON).await;
    card
}

/// Presses a button of a confirmation page.
pub(crate) async fn press(browser: &mut Browser, page: &Page, decision: &str) -> Page {
    browser.submit(page, &[("decision", decision)]).await
}

/// T4, T15, C10, U3: against a certified server, from the card to the token; the page names who, where and what.
#[tokio::test(flavor = "multi_thread")]
async fn a_hosted_login_ends_on_our_page() {
    let oidc = OidcProvider::start().await;
    let port = free_port();
    let table = crate::oidc::table(&oidc).replace("[\"device\", \"paste\"]", "[\"callback\", \"paste\"]");
    let table = format!("{table}authorization_response_iss_parameter_supported = true\n{}", http(port));
    let setup = Setup::plan().more(&table).start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let card = ann.slash("/auth login real").in_thread(&thread).send().await;
    card.sees_text("Check that your name is on it", SOON).await;
    let arrived = oidc.sign_in(&card.link(OPEN), "ada").await;
    assert!(arrived.starts_with(&format!("http://127.0.0.1:{port}/callback/real?")), "{arrived}");

    let mut browser = Browser::new();
    let page = browser.get(&arrived).await;
    assert_eq!(page.status, 200, "{}", page.body);
    for text in ["Is this your sign-in?", "@ann", "<bdi>Real</bdi>"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert_eq!(oidc.exchanges().await, 0, "looking spends nothing");
    let done = press(&mut browser, &page, "confirm").await;
    assert!(done.status == 200 && done.body.contains("<bdi>ada</bdi>"), "{} {}", done.status, done.body);
    assert!(!done.url.as_str().contains("code="), "the code stays out of the last address");
    card.sees_text("Signed in to Real", NEXT_POLL).await;
    let token = setup.token(&["real", "--thread", &thread.id().to_string()]).await;
    let api = reqwest::Client::new().get(oidc.api_url()).bearer_auth(token).send().await.unwrap();
    assert!(api.status().is_success());

    // Once more, whichever way: nothing is spent again.
    let again = press(&mut browser, &page, "confirm").await;
    assert!(again.body.contains("<bdi>ada</bdi>"), "{}", again.body);
    let replay = browser.get(&arrived).await;
    assert!(replay.status == 410 && replay.body.contains("is over"), "{} {}", replay.status, replay.body);
    assert_eq!(oidc.exchanges().await, 1);
    setup.discord.assert_clean();
}

/// T15: a link passed on: the page says whose sign-in it is; looking and refusing store nothing, and cost the starter nothing.
#[tokio::test]
async fn a_link_passed_on_signs_nobody_in_unawares() {
    let hosted = Hosted::new().await;
    let (_bot, _ann, thread, card) = hosted.begun().await;
    let setup = &hosted.setup;
    let arrived = setup.authority.sign_in(&card.link(OPEN), &Person::ben()).await;
    let mut victim = Browser::new();
    let page = victim.get(&arrived).await;
    assert!(
        page.body.contains("@ann") && page.body.contains("Did somebody send you a link"),
        "{}",
        page.body
    );
    let dropped = press(&mut victim, &page, "drop").await;
    assert!(dropped.status == 200 && dropped.body.contains("Nothing was signed in"), "{}", dropped.body);
    let confirmed = press(&mut victim, &page, "confirm").await;
    assert!(confirmed.body.contains("too old"), "a page that was refused is used: {}", confirmed.body);
    assert_eq!(setup.authority.exchanges(), 0);
    assert_eq!(setup.cli(&["token", "acme", "--thread", &thread.id().to_string()]).await.code, 3);

    let mine = hosted.answer(&card).await;
    let mut ann = Browser::new();
    let page = ann.get(&mine).await;
    assert!(press(&mut ann, &page, "confirm").await.body.contains("ada@example.test"));
    card.sees_text("Signed in to Acme", SOON).await;
    setup.discord.assert_clean();
}

/// C12: a hundred submits of one code, half of them pasted and half confirmed on pages: one exchange.
#[tokio::test(flavor = "multi_thread")]
async fn paste_and_page_together_make_one_exchange() {
    let hosted = Hosted::new().await;
    let (_bot, ann, thread, card) = hosted.begun().await;
    let arrived = hosted.answer(&card).await;
    let held = hosted.setup.authority.hold(latchkey_test_authority::Endpoint::Token);
    // One page for each press, and as many as one sign-in may have open.
    let mut pages = Vec::new();
    for _ in 0..8 {
        pages.push(Browser::new().get(&arrived).await);
    }
    let id = card.message().button("Cancel").and_then(|button| button.custom_id).expect("a cancel button");
    let form = id.replace(":cancel:", ":paste:");
    let mut submits = JoinSet::new();
    for number in 0..92 {
        let page = pages[number % pages.len()].clone();
        submits.spawn(async move { press(&mut Browser::new(), &page, "confirm").await.status });
    }
    for _ in 0..8 {
        // A form that was open before the first of them came: its button may be gone by now.
        let (ann, thread, form, answer) = (ann.clone(), thread.clone(), form.clone(), arrived.clone());
        submits.spawn(async move {
            ann.forge_modal(&thread, &form, [("answer", answer.as_str())]).await;
            0
        });
    }
    hosted.setup.authority.eventually(SOON, |_| held.waiting() == 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(held.waiting(), 1, "one exchange is under way");
    held.release();
    let statuses = submits.join_all().await;
    assert!(statuses.iter().all(|status| [0, 200, 409, 410].contains(status)), "{statuses:?}");
    // On the message of whoever came last: each form is an interaction of its own.
    ann.sees_text(&thread, "Signed in to Acme", SOON).await;
    assert_eq!(hosted.setup.authority.exchanges(), 1);
    hosted.setup.discord.assert_clean();
}

/// U4: the short link leads to the page of an open login, and nowhere else.
#[tokio::test]
async fn the_short_link_leads_on_while_the_login_is_open() {
    let hosted = Hosted::new().await;
    let (_bot, _ann, _thread, card) = hosted.begun().await;
    let id = card.message().button("Cancel").and_then(|button| button.custom_id).expect("a cancel button");
    let id = id.rsplit(':').next().expect("its login");
    let go = format!("{}/go/{id}", hosted.origin);
    let found = Browser::new().get(&go).await;
    assert_eq!((found.status, found.location), (302, Some(card.link(OPEN))));
    card.click("Cancel").await.sees_text("was cancelled", SOON).await;
    for gone in [go.as_str(), &format!("{}/go/{}", hosted.origin, "0".repeat(32))] {
        let page = Browser::new().get(gone).await;
        assert!(page.status == 410 && page.body.contains("That sign-in is over"), "{}", page.body);
    }
    hosted.setup.discord.assert_clean();
}

/// U4: a link that is too long even for an embed is a button with a short link.
#[tokio::test]
async fn a_link_too_long_for_a_message_is_shortened() {
    let scopes: Vec<_> = (0..200).map(|n| format!("\"a-scope-with-a-long-name-{n}\"")).collect();
    let port = free_port();
    let acme = format!("{ACME}\nscopes = [{}]", scopes.join(", "));
    let setup = Setup::plan().acme(&acme).more(&http(port)).start().await;
    register(&setup.authority, &format!("http://127.0.0.1:{port}"));
    let _bot = Bot::start(&setup).await;
    let card = login(&setup.discord.member("ann"), &setup.thread("fix-ci")).await;
    let link = card.link(OPEN);
    assert!(link.starts_with(&format!("http://127.0.0.1:{port}/go/")), "{link}");
    let found = Browser::new().get(&link).await;
    assert!(found.location.is_some_and(|to| to.starts_with(&setup.authority.authorization_endpoint())));
    setup.discord.assert_clean();
}
