//! A program that has the auth file, and a bot on the socket: who is asked for what, and what if there is no answer.

use std::os::unix::net::{UnixListener, UnixStream};

use latchkey_test_authority::Endpoint;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::asking::{Answer, ask};
use crate::host::Host;
use crate::sockets::{HELLO, Listener, Manner, refusal, token};

const ASK: [&str; 4] = ["token", "acme", "--timeout", "50s"];

/// What is asked of whoever stands behind the socket; the token that has ended is a new one each time.
async fn asked(host: &Host, arguments: &[&str]) -> Answer {
    host.expired("acme").await;
    ask(host, arguments, &[]).await
}

/// G24: what is fresh costs no connection, whatever is behind the socket.
#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_token_needs_no_socket() {
    let host = Host::new();
    let fresh = host.serving("acme").await;
    host.knows_the_socket();
    let listener = Listener::at(&host.socket(), &host.store_id(), &Manner::bot(&token("at-of-the-bot")));
    for _ in 0..2 {
        let answer = ask(&host, &ASK, &[]).await;
        assert_eq!((answer.token(), answer.said.as_str()), (&*fresh.access, ""));
    }
    assert_eq!(listener.connections(), 0);
}

/// The bot refreshes where there is one, and what it hands out is printed as our own would be.
#[tokio::test(flavor = "multi_thread")]
async fn the_bot_is_asked_for_a_refresh() {
    let host = Host::new();
    host.expired("acme").await;
    host.knows_the_socket();
    let listener = Listener::at(&host.socket(), &host.store_id(), &Manner::bot(&token("at-of-the-bot")));
    let rejected = latchkey::secret::TokenHash::of("another").to_string();
    let arguments = [&ASK[..], &["--min-valid", "5m", "--rejected-sha256", &rejected]].concat();
    let answer = asked(&host, &arguments).await;
    assert_eq!((answer.token(), answer.said.as_str()), ("at-of-the-bot", ""));
    let mut requests = listener.asked();
    let left = requests[0]["timeout"].take().as_f64().unwrap();
    assert!(left > 1.0 && left <= 50.0, "{left}");
    let expected = serde_json::json!({
        "id": 1, "op": "token", "tenant": "acme", "min_valid": 300, "rejected_sha256": rejected, "wait": false,
        "timeout": null,
    });
    assert_eq!(requests, [expected]);
    assert_eq!(host.authority.requests().len(), 0, "nothing was refreshed here");
}

/// `LATCHKEY_SOCKET` beats the configuration.
#[tokio::test(flavor = "multi_thread")]
async fn the_environment_names_another_socket() {
    let host = Host::new();
    host.expired("acme").await;
    host.knows_the_socket();
    let other = host.config.with_file_name("other.sock");
    let _bot = Listener::at(&host.socket(), &host.store_id(), &Manner::bot(&token("at-of-the-bot")));
    let _other = Listener::at(&other, &host.store_id(), &Manner::bot(&token("at-of-the-other")));
    let answer = ask(&host, &ASK, &[("LATCHKEY_SOCKET", &other.to_string_lossy())]).await;
    assert_eq!(answer.token(), "at-of-the-other");
}

/// G1, G10: whatever keeps the bot from answering, the token is refreshed here, and nobody hangs.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_at_the_socket_the_file_serves() {
    let host = Host::new();
    host.expired("acme").await;
    host.knows_the_socket();
    let (path, id) = (host.socket(), host.store_id());
    let other_store = HELLO.replace("{}", "of-another-store");
    let foreign = "is no token socket that this program understands";
    let leaves = |text: &str| Manner::SaysAndLeaves(text.to_owned());
    let cases = [
        (Manner::says(""), "gave no hello within 2 s"),
        (Manner::says(&HELLO[..40]), "gave no hello within 2 s"),
        (leaves(&HELLO[..40]), "broke off without an answer"),
        (Manner::says("SSH-2.0-OpenSSH_9.2p1\r\n"), foreign),
        (Manner::says("{\"latchkey\":\"other-socket\",\"version\":1}\n"), foreign),
        (
            Manner::says("{\"latchkey\":\"token-socket\",\"version\":2}\n"),
            "speaks version 2 of the protocol, and this is 1",
        ),
        (Manner::says(&"x".repeat(2_000_000)), "a line of more than"),
        (leaves(&format!("{}\n", refusal("busy", 4))), "refused: the bot says busy"),
        (leaves(&format!("{}\n", refusal("not_allowed", 5))), "refused: the bot says not_allowed"),
        (leaves(HELLO), "broke off without an answer"),
        (Manner::Answers(HELLO.to_owned(), String::new()), "broke off without an answer"),
        (Manner::bot("[1]"), "its answer is no answer"),
        (Manner::bot(&token("at-with\\u0000nothing")), "is no access token"),
        (Manner::bot(&token("")), "is no access token"),
        (Manner::refuses("closing", 4), "the bot says closing; going on without the bot"),
        (Manner::refuses("busy", 4), "the bot says busy"),
        (Manner::refuses("not_allowed", 5), "the bot says not_allowed"),
        (Manner::refuses("configuration", 2), "the bot says configuration"),
        (Manner::refuses("bad_request", 2), "the bot says bad_request"),
        (Manner::refuses("store", 6), "the bot says store"),
        (Manner::refuses("internal", 1), "the bot says internal"),
        (Manner::refuses("of-another-day", 77), "the bot says of-another-day"),
        (Manner::Answers(other_store, token("at-of-another-store")), "serves another store"),
    ];
    for (times, (manner, said)) in cases.iter().enumerate() {
        let listener = Listener::at(&path, &id, manner);
        let answer = asked(&host, &ASK).await;
        assert!(host.authority.accepts(answer.token()), "{manner:?}");
        assert!(answer.said.contains(said), "{manner:?}: {}", answer.said);
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (times + 1, 0), "{manner:?}");
        let is_asked = matches!(manner, Manner::Answers(hello, _) if hello == HELLO);
        assert_eq!(
            (listener.connections(), listener.asked().len()),
            (1, usize::from(is_asked)),
            "{manner:?}"
        );
    }
}

/// G10: nobody listens, or nobody takes what comes: the file serves, and that no bot runs is not worth a word.
#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_the_file_serves() {
    let host = Host::new();
    host.expired("acme").await;
    host.knows_the_socket();
    let path = host.socket();
    let refreshed_with = async |said: &str| {
        let answer = asked(&host, &ASK).await;
        assert!(host.authority.accepts(answer.token()));
        assert!(
            if said.is_empty() { answer.said.is_empty() } else { answer.said.contains(said) },
            "{}",
            answer.said
        );
    };
    refreshed_with("").await;
    // What a killed bot leaves.
    drop(UnixListener::bind(&path).unwrap());
    refreshed_with("").await;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "no socket").unwrap();
    refreshed_with("").await;
    std::fs::remove_file(&path).unwrap();
    // A stopped bot whose queue is full: connecting itself would wait without end.
    let address = SocketAddrUnix::new(&path).unwrap();
    let stopped =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .unwrap();
    rustix::net::bind(&stopped, &address).unwrap();
    rustix::net::listen(&stopped, 0).unwrap();
    let _queued = UnixStream::connect(&path).unwrap();
    refreshed_with("gave no hello within 2 s").await;
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (4, 0));
}

/// A bot that gave no answer is not asked again by the same program, though there are two things to ask it.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_without_an_answer_is_asked_once() {
    let host = Host::new();
    host.expired("acme").await;
    host.knows_the_socket();
    let listener = Listener::at(&host.socket(), &host.store_id(), &Manner::says(""));
    let answer = asked(&host, &[&ASK[..], &["--thread", "1005"]].concat()).await;
    assert!(host.authority.accepts(answer.token()));
    assert_eq!((listener.connections(), host.authority.refreshes()), (1, 1));
}

/// A definite answer of the bot is not asked for a second time at the provider.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_bot_says_of_the_sign_in_is_final() {
    let host = Host::new();
    host.expired("acme").await;
    host.knows_the_socket();
    for (word, code) in [("needs_login", 3), ("transient", 4), ("timed_out", 4), ("denied", 5)] {
        let _bot = Listener::at(&host.socket(), &host.store_id(), &Manner::refuses(word, code));
        let answer = asked(&host, &ASK).await;
        assert_eq!(answer.end(), (Some(i32::from(code)), ""));
        assert_eq!(answer.said, format!("latchkey: the bot says {word}\n"));
    }
    assert_eq!(host.authority.requests().len(), 0);
}

/// G1, over the real server: the bot's refresh is stored, and the next program reads it from the file.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_by_the_bot_is_in_the_file_for_the_next() {
    let host = Host::new();
    let old = host.expired("acme").await;
    host.knows_the_socket();
    let serving = host.serves(None).await;
    let gate = host.authority.hold(Endpoint::Token);
    let meanwhile = async {
        host.until("the refresh", || gate.waiting() == 1).await;
        gate.release();
    };
    let (answer, ()) = tokio::join!(ask(&host, &ASK, &[("FAILPOINTS", "open-lock=return(5)")]), meanwhile);
    let held = host.stored("acme").unwrap();
    assert_eq!(answer.token(), held.access_token.expose(), "without a lock of its own: {}", answer.said);
    assert!(answer.token() != old.access && host.authority.accepts(answer.token()));
    drop(serving);
    assert_eq!(ask(&host, &ASK, &[]).await.token(), held.access_token.expose());
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}
