//! A program that has a socket and nothing else: in a container, or as a user who may not read the auth file.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::host::{Host, printed, said};
use crate::sockets::{HELLO, Listener, Manner, refusal, token};

fn asked(host: &Host, arguments: &[&str]) -> Output {
    host.latchkey_alone(&[&["token", "acme"], arguments].concat()).output().unwrap()
}

fn end(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), printed(output))
}

/// All that was asked for goes over, the bearer token from its file included, and the answer is printed as ever.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_configuration_the_socket_serves() {
    let host = Host::new();
    let listener = Listener::at(&host.socket(), "any", &Manner::bot(&token("at-of-the-bot")));
    let bearer = host.config.with_file_name("bearer");
    std::fs::write(&bearer, "tell-nobody\n").unwrap();
    let mut command = host.latchkey_alone(&["token", "acme", "--user", "7", "--wait", "--format", "json"]);
    command
        .env("LATCHKEY_SOCKET_BEARER_FILE", &bearer)
        .env("LATCHKEY_THREAD", "12")
        .env("LATCHKEY_PARENT", "34");
    let output = command.output().unwrap();
    let shown: serde_json::Value = serde_json::from_str(&printed(&output)).unwrap();
    assert_eq!(
        shown,
        serde_json::json!({"tenant": "acme", "access_token": "at-of-the-bot", "token_type": "Bearer", "expires_at": null,
            "scopes": ["openid"], "generation": 7})
    );
    let mut requests = listener.asked();
    let left = requests[0]["timeout"].take().as_f64().unwrap();
    assert!(left > 1.0 && left <= 30.0, "{left}");
    let expected = serde_json::json!({
        "id": 1, "op": "token", "tenant": "acme", "bearer": "tell-nobody", "user": "7", "thread": "12", "parent": "34",
        "min_valid": 60, "wait": true, "timeout": null,
    });
    assert_eq!(requests, [expected]);
    assert_eq!(said(&output), "");
}

/// Each end has the exit code of `latchkey token`, and says what was tried and what to do.
#[tokio::test(flavor = "multi_thread")]
async fn every_failure_says_what_to_do() {
    let host = Host::new();
    let leaves = |text: &str| Manner::SaysAndLeaves(text.to_owned());
    let no_file = "The auth file was no way round it: no configuration found";
    for (manner, code, said_by_us, tells_of_file) in [
        (Manner::says(""), 4, "gave no hello within 2 s: is it stopped or overloaded?", true),
        (leaves(HELLO), 4, "is it still running? Try again", true),
        (
            Manner::says("SSH-2.0-OpenSSH_9.2p1\r\n"),
            2,
            "name another as socket under [tokens] or in LATCHKEY_SOCKET",
            true,
        ),
        (
            Manner::says("{\"latchkey\":\"token-socket\",\"version\":2}\n"),
            2,
            "use the same version of Latchkey",
            true,
        ),
        (leaves(&format!("{}\n", refusal("not_allowed", 5))), 5, "refused: the bot says not_allowed", true),
        (leaves(&format!("{}\n", refusal("busy", 4))), 4, "refused: the bot says busy", true),
        (Manner::refuses("needs_login", 3), 3, "latchkey: the bot says needs_login\n", false),
        (Manner::refuses("configuration", 2), 2, "latchkey: the bot says configuration\n", false),
        (Manner::refuses("denied", 5), 5, "latchkey: the bot says denied\n", false),
        (Manner::refuses("store", 6), 6, "latchkey: the bot says store\n", false),
        (Manner::refuses("of-another-day", 0), 1, "latchkey: the bot says of-another-day\n", false),
        (
            Manner::refuses("\\u001b[2Jneeds\\u202elogin", 3),
            3,
            "latchkey: the bot says  [2Jneeds login\n",
            false,
        ),
        (Manner::bot(&token("at\\nexport X=1")), 2, "what it gave is no access token", true),
    ] {
        let _bot = Listener::at(&host.socket(), "any", &manner);
        let output = asked(&host, &["--timeout", "20s"]);
        assert_eq!(end(&output), (Some(code), String::new()), "{manner:?}: {}", said(&output));
        assert!(said(&output).contains(said_by_us), "{manner:?}: {}", said(&output));
        assert_eq!(said(&output).contains(no_file), tells_of_file, "{manner:?}: {}", said(&output));
    }
    std::fs::remove_file(host.socket()).unwrap();
    let output = asked(&host, &[]);
    assert_eq!(end(&output), (Some(4), String::new()));
    assert!(said(&output).contains("is the bot running? Start it with `latchkey run`"), "{}", said(&output));
    assert!(said(&output).contains(no_file), "{}", said(&output));
}

/// A bearer token that is named and not there is told; nothing is asked without it.
#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_token_that_cannot_be_read_is_told() {
    let host = Host::new();
    let listener = Listener::at(&host.socket(), "any", &Manner::bot(&token("at-of-the-bot")));
    let mut command = host.latchkey_alone(&["token", "acme"]);
    let output = command.env("LATCHKEY_SOCKET_BEARER_FILE", "not-there").output().unwrap();
    assert_eq!(end(&output), (Some(2), String::new()));
    assert!(
        said(&output).contains("not-there, which LATCHKEY_SOCKET_BEARER_FILE names"),
        "{}",
        said(&output)
    );
    assert_eq!(listener.asked().len(), 0);
}

/// F4: a store that may not be used here is no end where a bot serves it; without one it is.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_store_is_closed_to_us_the_bot_serves() {
    let host = Host::new();
    host.serving("acme").await;
    let ask = |host: &Host| host.latchkey(&["token", "acme"]).output().unwrap();
    let folder = host.auth.parent().unwrap();
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o770)).unwrap();
    let output = ask(&host);
    assert_eq!(end(&output), (Some(6), String::new()));
    assert!(said(&output).contains("chmod 700"), "{}", said(&output));
    host.knows_the_socket();
    let output = ask(&host);
    assert_eq!(end(&output), (Some(4), String::new()));
    for told in ["is the bot running?", "chmod 700"] {
        assert!(said(&output).contains(told), "{}", said(&output));
    }
    let _bot = Listener::at(&host.socket(), "any", &Manner::bot(&token("at-of-the-bot")));
    let output = ask(&host);
    assert_eq!((end(&output), said(&output)), ((Some(0), "at-of-the-bot".to_owned()), String::new()));
}

/// What somebody named and is not there, and what is damaged, is told, and no bot covers it up.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_told_though_a_bot_is_there() {
    let host = Host::new();
    host.serving("acme").await;
    let listener = Listener::at(&host.socket(), "any", &Manner::bot(&token("at-of-the-bot")));
    for (named, code, told) in [("", 2, "unclosed table"), ("missing.toml", 2, "missing.toml")] {
        let mut command = host.latchkey_alone(&["token", "acme"]);
        if named.is_empty() {
            std::fs::write(host.config.with_file_name("empty").join("latchkey.toml"), "[store").unwrap();
        } else {
            command.env("LATCHKEY_CONFIG", named);
        }
        let output = command.output().unwrap();
        assert_eq!(end(&output), (Some(code), String::new()), "{}", said(&output));
        assert!(said(&output).contains(told), "{}", said(&output));
    }
    // F6
    std::fs::write(&host.auth, "{").unwrap();
    host.knows_the_socket();
    let output = host.latchkey(&["token", "acme"]).output().unwrap();
    assert_eq!(end(&output), (Some(6), String::new()), "{}", said(&output));
    assert_eq!(listener.connections(), 0);
}

/// The real server: the same token as from the file, refreshed by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_without_the_file_gets_what_the_file_holds() {
    let host = Host::new();
    host.expired("acme").await;
    host.knows_the_socket();
    let _serving = host.serves(None).await;
    let output = tokio::task::block_in_place(|| asked(&host, &[]));
    let held = host.stored("acme").unwrap();
    assert_eq!(
        (end(&output), said(&output)),
        ((Some(0), held.access_token.expose().to_owned()), String::new())
    );
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    let nobody = tokio::task::block_in_place(|| host.latchkey_alone(&["token", "nobody"]).output().unwrap());
    assert_eq!(nobody.status.code(), Some(2), "{}", said(&nobody));
}

/// S10: whoever waits for a person over the socket is told that it is waited, unless they want quiet.
#[tokio::test(flavor = "multi_thread")]
async fn a_wait_over_the_socket_is_told() {
    let host = Host::new();
    let _bot = Listener::at(&host.socket(), "any", &Manner::says(HELLO));
    let waiting = "waiting for the sign-in that is under way";
    for (more, is_told) in [(&["--wait"][..], true), (&["--wait", "--quiet"], false), (&[], false)] {
        let output = asked(&host, &[&["--timeout", "1s"], more].concat());
        assert_eq!(end(&output), (Some(4), String::new()));
        assert_eq!(said(&output).contains(waiting), is_told, "{}", said(&output));
    }
}
