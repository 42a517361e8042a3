//! The gateway: tokens, heartbeats, sessions, replay.

use std::time::Duration;

use latchkey_test_discord::Discord;
use reqwest::Method;
use serde_json::{Value, json};

use crate::raw::{Raw, SOON, Socket, call};

fn resume(discord: &Discord, session: &Value, seq: u64) -> Value {
    let token = format!("Bot {}", discord.bot_token());
    json!({ "op": 6, "d": { "token": token, "session_id": session, "seq": seq } })
}

#[tokio::test]
async fn wrong_openings_are_closed_with_their_code() {
    let discord = Discord::start().await;
    let token = format!("Bot {}", discord.bot_token());
    for (payload, code) in [
        (json!({ "op": 2, "d": { "token": "Bot wrong", "intents": 0 } }), 4004),
        (json!({ "op": 6, "d": { "token": "Bot wrong", "session_id": "s", "seq": 0 } }), 4004),
        (json!({ "op": 3, "d": {} }), 4003),
        (json!({ "op": 99 }), 4001),
        (json!({ "op": 2, "d": { "token": token } }), 4013),
        (json!({ "op": 2, "d": { "token": token, "intents": 1 << 15 } }), 4014),
    ] {
        let mut socket = Socket::open(&discord).await;
        socket.send(&payload).await;
        assert_eq!(socket.frame().await, Err(code), "{payload}");
    }
    assert_eq!(discord.identifies(), 0);
    let mut socket = Socket::open(&discord).await;
    socket.identify(&discord, 0).await;
    socket.event("READY").await;
    socket.identify(&discord, 0).await;
    assert_eq!(socket.frame().await, Err(4005));
}

#[tokio::test]
async fn heartbeats_are_answered_until_a_test_stops_them() {
    let mut bot = Raw::start().await;
    bot.socket.send(&json!({ "op": 1, "d": 2 })).await;
    assert_eq!(bot.socket.frame().await.expect("an answer")["op"], 11);
    bot.discord.answer_heartbeats(false);
    bot.socket.send(&json!({ "op": 1, "d": 2 })).await;
    bot.socket.send(&json!({ "op": 99 })).await;
    assert_eq!(bot.socket.frame().await, Err(4001));
    assert_eq!(bot.discord.heartbeats(), 2);
}

#[tokio::test]
async fn a_resumed_session_hears_what_it_missed_and_no_more() {
    let discord = Discord::start().await;
    let mut socket = Socket::open(&discord).await;
    socket.identify(&discord, 0).await;
    let session = socket.event("READY").await["session_id"].take();
    discord.dispatch("ONE", &json!(1));
    socket.event("ONE").await;
    discord.drop_connection();
    assert!(socket.frame().await.is_err());
    discord.dispatch("TWO", &json!(2));
    discord.dispatch("THREE", &json!(3));
    let mut socket = Socket::open(&discord).await;
    socket.send(&resume(&discord, &session, 2)).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        let frame = socket.frame().await.expect("a frame");
        names.push((frame["t"].as_str().expect("a name").to_owned(), frame["s"].as_u64()));
    }
    let expected = [("TWO", 3), ("THREE", 4), ("RESUMED", 5)].map(|(t, s)| (t.to_owned(), Some(s)));
    assert_eq!(names, expected);
    discord.wait_resumes(1, SOON).await;
}

#[tokio::test]
async fn a_session_that_is_gone_cannot_be_resumed() {
    let discord = Discord::start().await;
    let mut socket = Socket::open(&discord).await;
    socket.identify(&discord, 0).await;
    let session = socket.event("READY").await["session_id"].take();
    discord.close_gateway(4009);
    assert_eq!(socket.frame().await, Err(4009));
    let mut socket = Socket::open(&discord).await;
    socket.send(&resume(&discord, &session, 1)).await;
    assert_eq!(socket.frame().await, Ok(json!({ "op": 9, "d": false })));
    socket.identify(&discord, 0).await;
    socket.event("READY").await;
    assert_eq!((discord.identifies(), discord.resumes()), (2, 0));
}

#[tokio::test]
async fn a_resume_from_the_future_or_the_forgotten_past_fails() {
    for (missed, from) in [(0, 9), (2_100, 1)] {
        let discord = Discord::start().await;
        let mut socket = Socket::open(&discord).await;
        socket.identify(&discord, 0).await;
        let session = socket.event("READY").await["session_id"].take();
        discord.drop_connection();
        assert!(socket.frame().await.is_err());
        for _ in 0..missed {
            discord.dispatch("MISSED", &json!({}));
        }
        let mut socket = Socket::open(&discord).await;
        socket.send(&resume(&discord, &session, from)).await;
        assert_eq!(socket.frame().await, Ok(json!({ "op": 9, "d": false })));
    }
}

#[tokio::test]
async fn members_events_need_their_intent() {
    let discord = Discord::builder().allow_intents(1 << 1).start().await.expect("a port");
    let mut socket = Socket::open(&discord).await;
    socket.identify(&discord, 1 << 1).await;
    socket.event("READY").await;
    let ann = discord.member("ann");
    socket.event("GUILD_MEMBER_ADD").await;
    ann.set_roles([discord.role("agents")]);
    assert_eq!(socket.event("GUILD_MEMBER_UPDATE").await["roles"].as_array().map(Vec::len), Some(1));
    ann.leave();
    assert_eq!(socket.event("GUILD_MEMBER_REMOVE").await["user"]["username"], "ann");
    let mut without = Socket::open(&discord).await;
    without.identify(&discord, 0).await;
    without.event("READY").await;
    discord.member("bob").leave();
    discord.dispatch("LAST", &json!({}));
    assert_eq!(without.frame().await.expect("a frame")["t"], "LAST");
}

#[tokio::test]
async fn nothing_outlives_the_stand_in() {
    let bot = Raw::start().await;
    let Raw { discord, mut socket } = bot;
    let base = discord.api_base();
    discord.delay("GET /users/@me", 1, Duration::from_mins(1));
    let hanging = tokio::spawn(reqwest::get(format!("{base}/api/v10/users/@me")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(call(&discord, Method::GET, "/gateway", &Value::Null).await.0, 200);
    drop(discord);
    assert!(socket.frame().await.is_err());
    let ended = tokio::time::timeout(SOON, hanging).await.expect("the request ends").expect("no panic");
    assert!(ended.is_err() || ended.is_ok_and(|answer| answer.status() == 503));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(reqwest::get(format!("{base}/api/v10/gateway")).await.is_err());
}
