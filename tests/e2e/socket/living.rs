//! The socket's beginning and end: killed, told to end, and two of them.

use latchkey_test_authority::Endpoint;

use super::*;
use crate::harness::SOON;

async fn until_waiting(gate: &latchkey_test_authority::Gate) {
    let late = std::time::Instant::now() + SOON;
    while gate.waiting() == 0 {
        assert!(std::time::Instant::now() < late, "no refresh was begun");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a killed bot leaves is replaced by the next without anybody doing anything; its callers are let go at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_bots_socket_is_replaced() {
    let (setup, socket) = setup("").await;
    seed(&setup, "acme", false).await;
    let mut bot = Bot::start(&setup).await;
    let mut caller = Caller::connect(&socket).await;
    bot.kill9();
    assert_eq!(caller.hear().await, None);
    assert!(socket.exists());
    let refused = UnixStream::connect(&socket).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let mut next = Bot::start(&setup).await;
    let answer = Caller::connect(&socket).await.ask(json!({"op": "token", "tenant": "acme"})).await;
    assert_eq!(answer["ok"], true, "{answer}");
    assert!(next.stop().await.success());
    assert!(!socket.exists());
}

/// A second bot on the path of the first ends with the remedy, and takes nothing from it.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_bot_on_the_same_path_is_refused() {
    let (setup, socket) = setup("").await;
    seed(&setup, "acme", false).await;
    let _bot = Bot::start(&setup).await;
    let sibling = setup.sibling().more("[tokens]\nsocket = \"run/t.sock\"").start().await;
    let mut second = Bot::spawn(&sibling, |_| {});
    assert_eq!(second.ended(LONG).await.code(), Some(2), "{}", second.said());
    assert!(second.said().contains("another Latchkey serves"), "{}", second.said());
    let answer = Caller::connect(&socket).await.ask(json!({"op": "token", "tenant": "acme"})).await;
    assert_eq!(answer["ok"], true, "{answer}");
}

/// What cannot be served ends the start with exit 2 and the remedy; `latchkey check` says the same, and who may have what.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_served_ends_the_start_with_the_remedy() {
    let (setup, socket) =
        setup("group = \"0\"\nallow = [{ gid = 7, tenants = [\"acme\", \"acme@*\"] }]").await;
    let check = setup.cli(&["check"]).await;
    for line in [
        "t.sock; no bot serves it now",
        "ok       tokens: the bot's own user may have every tenant",
        "ok       tokens: group 7 may have acme, acme@*",
    ] {
        assert!(check.stdout.contains(line), "{line}: {}", check.stdout);
    }
    std::fs::write(&socket, "not a socket").unwrap();
    let mut bot = Bot::spawn(&setup, |_| {});
    assert_eq!(bot.ended(LONG).await.code(), Some(2), "{}", bot.said());
    assert!(bot.said().contains("is no socket; move it away"), "{}", bot.said());
    let check = setup.cli(&["check"]).await;
    assert_eq!(check.code, 2);
    assert!(
        check.stdout.contains("is no socket\n") && check.stdout.contains("remedy: move it away"),
        "{}",
        check.stdout
    );
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "not a socket");
}

/// W5, G29: told to end, the bot takes its socket away at once, answers who waits for a refresh with its token, and who waits for
/// a person with the word to come again; nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_everybody_who_waits_is_answered() {
    let (setup, socket) = setup("").await;
    seed(&setup, "acme", true).await;
    let mut bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let _login = crate::members::login(&ann, &thread).await;
    let gate = setup.authority.hold(Endpoint::Token);
    let (mut waits, mut patient, mut idle) =
        (Caller::connect(&socket).await, Caller::connect(&socket).await, Caller::connect(&socket).await);
    waits.say("{\"op\":\"token\",\"tenant\":\"acme\"}\n").await;
    let mine =
        json!({"op": "token", "tenant": "acme", "user": ann.id().to_string(), "wait": true, "timeout": 600});
    patient.say(format!("{mine}\n")).await;
    until_waiting(&gate).await;
    let ending = async {
        let pid = rustix::process::Pid::from_raw(bot.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert_eq!(patient.hear().await.unwrap()["error"], "closing");
        assert_eq!(idle.hear().await, None);
        assert!(!socket.exists());
        gate.release();
        waits.hear().await.unwrap()
    };
    let answer = ending.await;
    assert!(bot.ended(LONG).await.success());
    let now = held(&setup, "acme");
    assert_eq!((&answer["access_token"], now.generation), (&json!(now.access_token.expose()), 2), "{answer}");
    assert_eq!(setup.authority.refreshes(), 1);
    assert!(setup.authority.would_refresh(now.refresh_token.unwrap().expose()), "the family lives");
}

/// S10: who waits for a person gets the token once they have signed in.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_sign_in_gets_its_token() {
    let (setup, socket) = setup("").await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = crate::members::login(&ann, &thread).await;
    let mut caller = Caller::connect(&socket).await;
    let mine =
        json!({"op": "token", "tenant": "acme", "user": ann.id().to_string(), "wait": true, "timeout": 50});
    caller.say(format!("{mine}\n")).await;
    setup.authority.approve_device(&login.link(crate::members::OPEN), &Person::ada()).await;
    let answer = caller.hear().await.unwrap();
    let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert!(setup.authority.accepts(token), "{answer}");
}
