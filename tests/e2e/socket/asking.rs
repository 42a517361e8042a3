//! A token over the socket.

use std::time::Duration;

use latchkey_test_authority::Endpoint;
use serde_json::json;

use super::*;
use crate::harness::SOON;

/// Z2, Z3, G24: what is fresh is handed out as it is, what has ended is refreshed, what is asked for is answered by its id, and
/// nothing that crosses the socket is a refresh token.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_fresh_tokens_and_sees_how_things_stand() {
    let (setup, socket) = setup("").await;
    let fresh = seed(&setup, "acme@1", false).await;
    let ended = seed(&setup, "acme", true).await;
    let mut bot = Bot::start(&setup).await;
    let mut caller = Caller::connect(&socket).await;

    let answer = caller.ask(json!({"id": 1, "op": "token", "tenant": "acme@1", "colour": "blue"})).await;
    let expires_at = held(&setup, "acme@1").expires_at;
    let expected = json!({
        "id": 1, "ok": true, "tenant": "acme@1", "access_token": &*fresh.access, "token_type": "Bearer",
        "expires_at": expires_at, "scopes": [], "generation": 1,
    });
    assert_eq!(answer, expected);
    let answer = caller.ask(json!({"id": "b", "op": "token", "tenant": "acme"})).await;
    let now = held(&setup, "acme");
    assert_eq!((&answer["id"], &answer["access_token"]), (&json!("b"), &json!(now.access_token.expose())));
    assert!(setup.authority.accepts(now.access_token.expose()));
    let again = caller.ask(json!({"op": "token", "tenant": "acme", "user": "1"})).await;
    assert_eq!(again["tenant"], "acme@1");
    assert_eq!(setup.authority.refreshes(), 1);

    // A rejected one is replaced, once.
    let rejected = now.access_token.hash().to_string();
    let answer = caller.ask(json!({"op": "token", "tenant": "acme", "rejected_sha256": rejected})).await;
    assert_eq!(answer["generation"], 3, "{answer}");

    let answer = caller.ask(json!({"id": 2, "op": "token", "tenant": "acme@9"})).await;
    assert_eq!(
        (&answer["ok"], &answer["error"], &answer["exit_code"]),
        (&json!(false), &json!("needs_login"), &json!(3))
    );
    assert!(answer["message"].as_str().unwrap().contains("/auth login"), "{answer}");
    let answer = caller.ask(json!({"id": 3, "op": "token", "tenant": "nonsense"})).await;
    assert_eq!((&answer["error"], &answer["exit_code"]), (&json!("configuration"), &json!(2)), "{answer}");
    let answer = caller.ask(json!({"id": 4, "op": "status"})).await;
    let names: Vec<_> =
        answer["status"]["tenants"].as_array().unwrap().iter().map(|one| &one["tenant"]).collect();
    assert_eq!((names, &answer["id"]), (vec![&json!("acme"), &json!("acme@1")], &json!(4)));

    // It says no more, and still hears what it asked for.
    caller.say("{\"op\":\"token\",\"tenant\":\"acme@1\"}").await;
    drop(std::mem::replace(&mut caller.write, Caller::connect(&socket).await.write));
    assert_eq!(caller.hear().await.unwrap()["access_token"], &*fresh.access);
    assert_eq!(caller.hear().await, None);

    for tenant in [("acme@1", &fresh), ("acme", &ended)] {
        assert_no_refresh_token(&setup, tenant.0, tenant.1, &caller.heard);
    }
    // In use today, so that workers keep it fresh.
    assert!(held(&setup, "acme").last_used_at.is_some());
    assert!(bot.stop().await.success());
    assert!(!socket.exists());
    let me = rustix::process::geteuid().as_raw();
    let expected = [
        format!("token handed out consumer=\"uid:{me}\" tenant=\"acme@1\" count=1"),
        format!("token handed out consumer=\"uid:{me}\" tenant=\"acme\" count=1"),
    ];
    let lines = audit(&bot);
    assert_eq!(lines[..2], expected, "{lines:#?}");
    let counts: Vec<_> =
        lines[2..].iter().map(|line| line.split_once(" hour=").unwrap().0.to_owned()).collect();
    assert_eq!(counts.len(), 2, "{lines:#?}");
    for (tenant, count) in [("acme@1", 3), ("acme", 2)] {
        let line = format!("token handed out consumer=\"uid:{me}\" tenant=\"{tenant}\" count={count}");
        assert!(counts.contains(&line), "{line}: {lines:#?}");
    }
    setup.authority.assert_no_secret_in(&bot.said());
}

/// G1: five hundred programs, one token that has ended: one request, one token for all.
#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_clients_make_one_refresh() {
    const CLIENTS: usize = 500;
    let (setup, socket) = setup("").await;
    seed(&setup, "acme", true).await;
    let _bot = Bot::start(&setup).await;
    setup.authority.latency(Endpoint::Token, Duration::from_secs(1));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let socket = socket.clone();
        clients.spawn(async move {
            let mut caller = Caller::connect(&socket).await;
            let answer = caller.ask(json!({"op": "token", "tenant": "acme"})).await;
            answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
        });
    }
    let tokens = tokio::time::timeout(LONG, clients.join_all()).await.expect("all are served");
    let now = held(&setup, "acme");
    assert_eq!(tokens.len(), CLIENTS);
    assert!(tokens.iter().all(|token| token == now.access_token.expose()));
    assert_eq!((setup.authority.refreshes(), setup.authority.reuses()), (1, 0));
    assert!(setup.authority.would_refresh(now.refresh_token.unwrap().expose()), "the family lives");
}

/// G9: a caller that leaves ends its wait and nothing else, and another's stays.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_ends_their_wait_and_no_refresh() {
    let (setup, socket) = setup("").await;
    seed(&setup, "acme", true).await;
    let _bot = Bot::start(&setup).await;
    let gate = setup.authority.hold(Endpoint::Token);
    let mut leaving = Caller::connect(&socket).await;
    leaving.say("{\"op\":\"token\",\"tenant\":\"acme\"}\n").await;
    let late = std::time::Instant::now() + SOON;
    while gate.waiting() == 0 {
        assert!(std::time::Instant::now() < late, "no refresh was begun");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(leaving);
    let mut staying = Caller::connect(&socket).await;
    let answer = staying.ask(json!({"op": "token", "tenant": "acme", "timeout": 0.2})).await;
    assert_eq!((&answer["error"], &answer["exit_code"]), (&json!("timed_out"), &json!(4)), "{answer}");
    staying.say("{\"op\":\"token\",\"tenant\":\"acme\"}\n").await;
    gate.release();
    let answer = staying.hear().await.unwrap();
    assert_eq!(answer["access_token"], held(&setup, "acme").access_token.expose());
    assert_eq!(setup.authority.refreshes(), 1);
}

/// DESIGN: the thread's binding, else its channel's, which the bot knows or asks for, else the guild's shared one; right from the
/// first answer on, also before the bot has heard of its guild, and nobody's where it cannot be known.
#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_served_by_its_channel_from_the_first_answer_on() {
    let (setup, socket) = setup("").await;
    let (before, channel) = (setup.thread("before"), setup.discord.channel("general"));
    for tenant in ["acme", "acme@1", "acme@2"] {
        seed(&setup, tenant, false).await;
    }
    let (own, unlucky) = (setup.thread("own"), setup.thread("unlucky"));
    let elsewhere = setup.discord.thread(&setup.discord.channel("other"), "elsewhere");
    bind(&setup, channel.id(), "acme@1").await;
    bind(&setup, own.id(), "acme@2").await;
    // Nobody tells the bot of its guild: what it knows it has asked for.
    setup.discord.refuse_connections(1_000);
    let _bot = Bot::spawn(&setup, |_| {});
    let late = std::time::Instant::now() + SOON;
    while UnixStream::connect(&socket).await.is_err() {
        assert!(std::time::Instant::now() < late, "nobody listens");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut caller = Caller::connect(&socket).await;
    let mut served = async |thread: u64, parent: Option<u64>| {
        let parent = parent.map(|parent| parent.to_string());
        let request =
            json!({"op": "token", "tenant": "acme", "thread": thread.to_string(), "parent": parent});
        let answer = caller.ask(request).await;
        answer[if answer["ok"] == true { "tenant" } else { "error" }].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(served(before.id(), None).await, "acme@1");
    assert_eq!(served(own.id(), None).await, "acme@2");
    assert_eq!(served(elsewhere.id(), None).await, "acme");
    assert_eq!(served(elsewhere.id(), Some(channel.id())).await, "acme@1");
    assert_eq!(served(12_345, None).await, "acme");
    assert_eq!(served(setup.thread("after").id(), None).await, "acme@1");
    let path = format!("GET /channels/{}", unlucky.id());
    setup.discord.fail(&path, 100, 503);
    assert_eq!(served(unlucky.id(), None).await, "transient");
    assert_eq!(served(unlucky.id(), Some(channel.id())).await, "acme@1");
    setup.discord.clear_faults();
    assert_eq!(served(unlucky.id(), None).await, "acme@1");
}

/// W4: that an agent of a thread asked in vain is noted, for a thread that there is; what is made up fills no store.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_asks_in_vain_is_noted_for_a_thread_that_there_is() {
    let (setup, socket) = setup("").await;
    let thread = setup.thread("fix-ci");
    seed(&setup, "acme@1", false).await;
    let _bot = Bot::start(&setup).await;
    let mut caller = Caller::connect(&socket).await;
    let asked = |thread: u64| {
        let document = store(&setup).snapshot().unwrap();
        document.binding(&thread.into()).unwrap().is_some_and(|binding| binding.asked_at.is_some())
    };
    let late = std::time::Instant::now() + SOON;
    // The bot is told of its guild's threads, a moment after it has come.
    while !asked(thread.id()) {
        for id in [12_345, thread.id()] {
            let request = json!({"op": "token", "tenant": "acme", "thread": id.to_string()});
            assert_eq!(caller.ask(request).await["error"], "needs_login");
        }
        assert!(std::time::Instant::now() < late, "it was not noted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!asked(12_345));
}
