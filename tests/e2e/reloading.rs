//! SIGHUP: a changed configuration, taken over whole or refused whole by a bot that goes on.

use latchkey_test_authority::{Browser, Client, Person};
use rustix::process::Signal;

use crate::callback::free_port;
use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

const OPEN: &str = "Open sign-in page";

/// `text` without the table `[<name>]`.
fn without(text: &str, name: &str) -> String {
    let start = text.find(&format!("[{name}]\n")).expect("the table is there");
    let end = text[start + 1..].find("\n[").map_or(text.len(), |at| start + 1 + at + 1);
    format!("{}{}", &text[..start], &text[end..])
}

/// C10, U7: who may sign in, what with and how often is as the configuration says now; what a provider that left had is said to
/// be configured no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_over_access_providers_and_limits() {
    let setup = Setup::plan().second_provider("beta", "title = \"Beta\"").start().await;
    let bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let card = ann.slash("/auth login acme").in_thread(&thread).send().await;
    card.sees_text("Sign in to Acme", SOON).await;
    setup.authority.approve_device(&card.link(OPEN), &Person::ada()).await;
    card.sees_text("Signed in to Acme", NEXT_POLL).await;

    setup
        .configure(|text| format!("{}\n[limits]\nstarts_per_minute = 2\n", without(&text, "providers.acme")));
    bot.reload().await;
    let list = ann.slash("/auth list").in_thread(&thread).send().await;
    list.sees_text("no longer offered", SOON).await;
    let gone = ann.slash("/auth login acme").in_thread(&thread).send().await;
    gone.sees_text("acme is not offered here", SOON).await;
    // Ann's first start still counts: one is left to her of the two.
    let second = ann.slash("/auth login beta").in_thread(&thread).send().await;
    second.sees_text("Sign in to Beta", SOON).await;
    let third = ann.slash("/auth login beta work").in_thread(&thread).send().await;
    third.sees_text("many sign-ins just now", SOON).await;

    setup.configure(|text| text.replace("members = { anyone = true }", "members = { anyone = false }"));
    bot.reload().await;
    let refused = ann.slash("/auth login beta").in_thread(&thread).send().await;
    refused.sees_text("can't use this here", SOON).await;
    setup.discord.assert_clean();
}

/// A configuration with anything wrong changes nothing, each problem is told, and what only a restart changes is named and left.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_refused_whole_and_what_cannot_change_is_named() {
    let setup = Setup::new().await;
    let mut bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let right = std::fs::read_to_string(setup.dir.path().join("latchkey.toml")).unwrap();
    setup.configure(|text| {
        let text =
            text.replace("anyone = true", "anyone = false").replace("[store]", "[store]\npaht = \"x\"");
        format!("{text}\n[limits]\nstarts_per_minute = 0\n")
    });
    bot.reload().await;
    let said = bot.said();
    for told in ["store.paht", "limits.starts_per_minute", "refused: the one before stays in force"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let card = ann.slash("/auth login acme").in_thread(&thread).send().await;
    card.sees_text("Sign in to Acme", SOON).await;

    setup.configure(|_| {
        let right = right.replace("data/auth.json", "data/other.json");
        let command = "[discord]\ncommand = \"signin\"\n";
        format!("{}\n[ops]\nlisten = \"127.0.0.1:9\"\n", right.replacen("[discord]\n", command, 1))
    });
    bot.reload().await;
    let said = bot.said();
    for key in ["store.path", "discord.command", "ops.listen"] {
        assert!(said.contains(&format!("{key} has changed: that needs a restart")), "{key}: {said}");
    }
    assert!(!setup.dir.path().join("data/other.json").exists());
    setup.authority.approve_device(&card.link(OPEN), &Person::ada()).await;
    card.sees_text("Signed in to Acme", NEXT_POLL).await;
    assert!(bot.stop().await.success());
}

/// C10, T5: logins of each kind end by the client and endpoints that they began with, whatever became of their provider.
#[tokio::test(flavor = "multi_thread")]
async fn open_logins_go_on_by_what_they_captured() {
    for gone in [false, true] {
        let port = free_port();
        let origin = format!("http://127.0.0.1:{port}");
        let http = format!("[http]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"{origin}\"\n");
        let hosted = "title = \"Hosted\"\nflows = [\"callback\"]\nclient_id = \"hosted\"\nclient_secret_env = \"HOSTED\"\n\
                      authorization_response_iss_parameter_supported = true";
        let setup = Setup::plan().second_provider("hosted", hosted).more(&http).start().await;
        setup.authority.set(|settings| settings.iss_in_answer = true);
        let address = format!("{origin}/callback/hosted");
        setup.authority.register(Client::confidential("hosted", "old secret", &[&address]));
        let bot = Bot::start_with(&setup, |program| {
            program.env("HOSTED", "old secret").env("ANOTHER", "another secret");
        })
        .await;
        let thread = setup.thread("fix-ci");
        let (ann, bob) = (setup.discord.member("ann"), setup.discord.member("bob"));
        let device = ann.slash("/auth login acme").in_thread(&thread).send().await;
        device.sees_text("Sign in to Acme", SOON).await;
        let page = bob.slash("/auth login hosted").in_thread(&thread).send().await;
        page.sees_text("Sign in to Hosted", SOON).await;

        setup.configure(|text| {
            if gone {
                let rest = without(&without(&text, "providers.acme"), "providers.hosted");
                return format!("{rest}\n[providers.codex]\n");
            }
            text.replace("client_id = \"hosted\"", "client_id = \"another\"")
                .replace("\"HOSTED\"", "\"ANOTHER\"")
                .replace("/device_authorization\"", "/elsewhere\"")
                .replace("/token\"", "/nowhere\"")
        });
        bot.reload().await;
        assert!(!bot.said().contains("not reloaded"), "{}", bot.said());

        setup.authority.approve_device(&device.link(OPEN), &Person::ada()).await;
        device.sees_text("Signed in to", NEXT_POLL).await;
        let arrived = setup.authority.sign_in(&page.link(OPEN), &Person::ben()).await;
        let mut browser = Browser::new();
        let asked = browser.get(&arrived).await;
        let done = browser.submit(&asked, &[("decision", "confirm")]).await;
        assert!(done.status == 200, "{} {}", done.status, done.body);
        page.sees_text("Signed in to", NEXT_POLL).await;
        assert_eq!((setup.authority.device_starts(), setup.authority.exchanges()), (1, 1), "gone: {gone}");
    }
}

/// W5, G29: once the end has begun, neither a hangup nor a second word to end hurries it or keeps it up.
#[tokio::test(flavor = "multi_thread")]
async fn signals_during_the_end_change_nothing() {
    use crate::due::{LONG, due, refreshed};
    let setup = Setup::new().await;
    due(&setup).await;
    let gate = setup.authority.hold_reply(latchkey_test_authority::Endpoint::Token);
    let mut bot = Bot::start(&setup).await;
    assert!(setup.authority.eventually(LONG, |_| gate.waiting() == 1).await);
    bot.signal(Signal::TERM);
    bot.wait_said("ending: letting what is under way finish", LONG).await;
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::TERM] {
        bot.signal(signal);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    gate.release();
    assert!(bot.ended(LONG).await.success());
    assert_eq!(refreshed(&setup).await.failures, 0);
    assert_eq!((setup.authority.refreshes(), setup.authority.reuses()), (1, 0));
    assert!(!bot.said().contains("configuration reloaded"));
}
