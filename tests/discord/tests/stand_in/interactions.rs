//! Acknowledgements, follow-ups and tokens.

use std::time::Duration;

use latchkey_test_discord::{Acknowledgement, Refused};
use reqwest::Method;
use serde_json::{Value, json};

use crate::raw::{Raw, text};

#[tokio::test]
async fn an_acknowledgement_after_3_s_is_too_late() {
    let mut bot = Raw::start().await;
    let (event, sending) = bot.slash(bot.discord.member("ann").slash("/auth login")).await;
    bot.discord.advance(Duration::from_millis(3_001));
    let answer = bot.callback(&event, &json!({ "type": 4, "data": { "content": "late" } })).await;
    assert_eq!(answer, (404, 10062));
    assert_eq!(bot.violations(), [10062]);
    let refused = sending.await.expect("no panic").expect_err("never acknowledged");
    assert!(matches!(&refused, Refused::NotAnswered(why) if why.contains("no acknowledgement within 3 s")));
    assert_eq!(bot.callback(&event, &json!({ "type": 5 })).await, (404, 10062));
}

#[tokio::test]
async fn an_interaction_is_acknowledged_once() {
    let mut bot = Raw::start().await;
    let (event, _) = bot.login(&json!({ "type": 5 })).await;
    assert_eq!(bot.callback(&event, &json!({ "type": 5 })).await, (400, 40060));
    assert_eq!(bot.violations(), [40060]);
}

#[tokio::test]
async fn an_unknown_interaction_or_token_is_refused() {
    let mut bot = Raw::start().await;
    let (event, _) = bot.login(&json!({ "type": 5 })).await;
    let forged = json!({ "id": event["id"], "token": "x", "application_id": event["application_id"] });
    assert_eq!(bot.callback(&forged, &json!({ "type": 5 })).await, (404, 10062));
    let (status, body) = bot.webhook(Method::POST, &forged, "", &json!({ "content": "x" })).await;
    assert_eq!((status, body["code"].as_u64()), (404, Some(10015)));
}

#[tokio::test]
async fn no_follow_up_before_the_acknowledgement() {
    let mut bot = Raw::start().await;
    let (event, sending) = bot.slash(bot.discord.member("ann").slash("/auth login")).await;
    let (status, body) = bot.webhook(Method::POST, &event, "", &json!({ "content": "early" })).await;
    assert_eq!((status, body["code"].as_u64()), (404, Some(10015)));
    let (status, _) =
        bot.webhook(Method::PATCH, &event, "/messages/@original", &json!({ "content": "early" })).await;
    assert_eq!(status, 404);
    assert_eq!(bot.violations(), [10015, 10015]);
    sending.abort();
}

#[tokio::test]
async fn only_the_first_follow_up_inherits_the_deferral() {
    let mut bot = Raw::start().await;
    let (event, login) = bot.login(&json!({ "type": 5, "data": { "flags": 64 } })).await;
    assert!(login.message().is_deferred());
    let (_, first) = bot.webhook(Method::POST, &event, "", &json!({ "content": "one" })).await;
    let (_, second) = bot.webhook(Method::POST, &event, "", &json!({ "content": "two" })).await;
    let (_, third) = bot.webhook(Method::POST, &event, "", &json!({ "content": "three", "flags": 64 })).await;
    assert_eq!([&first["flags"], &second["flags"], &third["flags"]], [64, 0, 64]);
    let seen = |name: &str| {
        let general = bot.discord.channel("general");
        let views = bot.discord.member(name).visible_messages(&general);
        views.iter().map(|view| view.content().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen("ann"), ["one", "two", "three"]);
    assert_eq!(seen("bob"), ["two"]);
    assert_eq!(login.message().content(), "one");
}

#[tokio::test]
async fn a_follow_up_flag_does_not_unhide_a_deferred_answer() {
    let mut bot = Raw::start().await;
    let (event, login) = bot.login(&json!({ "type": 5 })).await;
    bot.webhook(Method::POST, &event, "", &json!({ "content": "one", "flags": 64 })).await;
    assert_eq!(login.message().ephemeral_to(), None);
}

#[tokio::test]
async fn a_deleted_deferral_is_not_filled_in() {
    let mut bot = Raw::start().await;
    let (event, login) = bot.login(&json!({ "type": 5, "data": { "flags": 64 } })).await;
    bot.webhook(Method::DELETE, &event, "/messages/@original", &Value::Null).await;
    let (_, posted) = bot.webhook(Method::POST, &event, "", &json!({ "content": "x" })).await;
    assert_eq!(posted["flags"], 0);
    assert_eq!(login.messages().len(), 1);
}

#[tokio::test]
async fn a_token_lives_15_minutes() {
    let mut bot = Raw::start().await;
    let (event, login) = bot.login(&json!({ "type": 4, "data": { "content": "a" } })).await;
    bot.discord.advance(Duration::from_secs(14 * 60 + 50));
    let edit = json!({ "content": "b" });
    assert_eq!(bot.webhook(Method::PATCH, &event, "/messages/@original", &edit).await.0, 200);
    bot.discord.advance(Duration::from_secs(11));
    let (status, body) = bot.webhook(Method::PATCH, &event, "/messages/@original", &json!({})).await;
    assert_eq!((status, body["code"].as_u64()), (401, Some(50027)));
    assert_eq!(login.message().content(), "b");
    assert_eq!(bot.violations(), [0_u32; 0]);
}

#[tokio::test]
async fn an_edit_keeps_what_it_does_not_name() {
    let mut bot = Raw::start().await;
    let button = json!({ "type": 2, "style": 1, "label": "Go", "custom_id": "go" });
    let row = json!([{ "type": 1, "components": [button] }]);
    let (event, login) =
        bot.login(&json!({ "type": 4, "data": { "content": "a", "components": row, "flags": 64 } })).await;
    bot.webhook(Method::PATCH, &event, "/messages/@original", &json!({ "content": "b" })).await;
    assert_eq!(login.message().render(), "[ephemeral to ann] Latchkey\n  b\n  [Go]\n");
    assert_eq!(login.message().history(), ["[ephemeral to ann] Latchkey\n  a\n  [Go]\n"]);
    bot.webhook(Method::PATCH, &event, "/messages/@original", &json!({ "components": [] })).await;
    assert_eq!(login.message().buttons(), []);
    let (_, shown) = bot.webhook(Method::GET, &event, "/messages/@original", &Value::Null).await;
    assert_eq!((text(&shown["content"]), &shown["flags"]), ("b", &json!(64)));
    assert_eq!(bot.webhook(Method::DELETE, &event, "/messages/@original", &Value::Null).await.0, 204);
    assert_eq!(login.messages().len(), 0);
    assert_eq!(bot.webhook(Method::GET, &event, "/messages/@original", &Value::Null).await.0, 404);
    bot.discord.assert_clean();
}

#[tokio::test]
async fn a_message_shows_something() {
    let mut bot = Raw::start().await;
    let (event, sending) = bot.slash(bot.discord.member("ann").slash("/auth login")).await;
    assert_eq!(bot.callback(&event, &json!({ "type": 4, "data": {} })).await, (400, 50006));
    assert_eq!(bot.callback(&event, &json!({ "type": 4, "data": { "content": "a" } })).await, (204, 0));
    sending.await.expect("no panic").expect("a refused callback acknowledges nothing");
    for (method, below) in [(Method::POST, ""), (Method::PATCH, "/messages/@original")] {
        let (status, body) = bot.webhook(method, &event, below, &json!({ "content": "" })).await;
        assert_eq!((status, body["code"].as_u64()), (400, Some(50006)));
    }
    assert_eq!(bot.violations(), [50006; 3]);
}

#[tokio::test]
async fn a_body_is_judged_by_the_rules_on_every_route() {
    let mut bot = Raw::start().await;
    let (event, _) = bot.login(&json!({ "type": 4, "data": { "content": "a" } })).await;
    let long = json!({ "content": "x".repeat(2_001) });
    let channel = format!("/channels/{}/messages", text(&event["channel_id"]));
    let answers = [
        bot.webhook(Method::POST, &event, "", &long).await,
        bot.webhook(Method::PATCH, &event, "/messages/@original", &long).await,
        bot.call(Method::POST, &channel, &long).await,
    ];
    for (status, body) in answers {
        assert_eq!((status, body["code"].as_u64()), (400, Some(50035)));
        assert!(text(&body["errors"]["content"]["_errors"][0]["message"]).starts_with("2001 characters"));
    }
    assert_eq!(bot.violations(), [50035; 3]);
}

/// No schema forbids a key it does not know; only the rules written by hand do.
#[tokio::test]
async fn a_key_nobody_knows_is_refused_on_every_route() {
    let mut bot = Raw::start().await;
    let ann = bot.discord.member("ann");
    let (event, sending) = bot.slash(ann.slash("/auth login")).await;
    let input = json!({ "type": 4, "custom_id": "i", "style": 1, "label": "Code" });
    let rows = json!([{ "type": 1, "components": [input] }]);
    for callback in [
        json!({ "type": 5, "date": {} }),
        json!({ "type": 4, "data": { "content": "a", "embed": {} } }),
        json!({ "type": 9, "data": { "custom_id": "m", "title": "t", "components": rows, "size": 1 } }),
    ] {
        assert_eq!(bot.callback(&event, &callback).await, (400, 50035), "{callback}");
    }
    let row =
        json!([{ "type": 1, "components": [{ "type": 2, "style": 1, "label": "a", "custom_id": "a" }] }]);
    let shown = json!({ "type": 4, "data": { "content": "a", "components": row } });
    assert_eq!(bot.callback(&event, &shown).await, (204, 0));
    let login = sending.await.expect("no panic").expect("acknowledged");
    let bad = json!({ "content": "a", "embed": {} });
    let channel = format!("/channels/{}/messages", text(&event["channel_id"]));
    let (_, posted) = bot.call(Method::POST, &channel, &json!({ "content": "a" })).await;
    let answers = [
        bot.webhook(Method::POST, &event, "", &bad).await.0,
        bot.webhook(Method::PATCH, &event, "/messages/@original", &bad).await.0,
        bot.call(Method::POST, &channel, &bad).await.0,
        bot.call(Method::PATCH, &format!("{channel}/{}", text(&posted["id"])), &bad).await.0,
    ];
    assert_eq!(answers, [400; 4]);
    let press = tokio::spawn(login.click("a").tried());
    let event = bot.socket.event("INTERACTION_CREATE").await;
    assert_eq!(bot.callback(&event, &json!({ "type": 7, "data": bad })).await, (400, 50035));
    press.abort();
    let completing = tokio::spawn(ann.autocomplete("/auth login").focused("provider", "c").send());
    let event = bot.socket.event("INTERACTION_CREATE").await;
    let choice = json!({ "name": "Codex", "value": "codex", "hint": "x" });
    let choices = json!({ "type": 8, "data": { "choices": [choice] } });
    assert_eq!(bot.callback(&event, &choices).await, (400, 50035));
    completing.abort();
}

#[tokio::test]
async fn a_callback_suits_its_interaction() {
    let mut bot = Raw::start().await;
    let ann = bot.discord.member("ann");
    let choices = json!({ "type": 8, "data": { "choices": [] } });
    let modal = json!({ "type": 9, "data": { "custom_id": "m", "title": "t", "components": [
        { "type": 1, "components": [{ "type": 4, "custom_id": "i", "style": 1, "label": "Code" }] },
    ] } });
    let (event, sending) = bot.slash(ann.slash("/auth login")).await;
    for wrong in [json!({ "type": 6 }), json!({ "type": 7, "data": { "content": "a" } }), choices] {
        assert_eq!(bot.callback(&event, &wrong).await, (400, 50035));
    }
    assert_eq!(bot.callback(&event, &modal).await, (204, 0));
    let opened = sending.await.expect("no panic").expect("acknowledged");
    let submitting = tokio::spawn(opened.submit_modal([("Code", "1")]).tried());
    let event = bot.socket.event("INTERACTION_CREATE").await;
    for wrong in [modal, json!({ "type": 6 })] {
        assert_eq!(bot.callback(&event, &wrong).await, (400, 50035));
    }
    assert_eq!(bot.callback(&event, &json!({ "type": 5 })).await, (204, 0));
    submitting.await.expect("no panic").expect("acknowledged");
    let completing = tokio::spawn(ann.autocomplete("/auth login").focused("provider", "c").send());
    let event = bot.socket.event("INTERACTION_CREATE").await;
    assert_eq!(bot.callback(&event, &json!({ "type": 4, "data": { "content": "a" } })).await, (400, 50035));
    let many = vec![json!({ "name": "n", "value": "v" }); 26];
    let many = json!({ "type": 8, "data": { "choices": many } });
    assert_eq!(bot.callback(&event, &many).await, (400, 50035));
    let one = json!({ "type": 8, "data": { "choices": [{ "name": "Codex", "value": "codex" }] } });
    assert_eq!(bot.callback(&event, &one).await, (204, 0));
    assert_eq!(completing.await.expect("no panic")[0].name, "Codex");
    assert_eq!(bot.webhook(Method::POST, &event, "", &json!({ "content": "x" })).await.0, 404);
}

#[tokio::test]
async fn a_press_can_update_its_message_now_or_later() {
    let mut bot = Raw::start().await;
    let button = |id: &str| json!({ "type": 2, "style": 1, "label": id, "custom_id": id });
    let row = json!([{ "type": 1, "components": [button("now"), button("later")] }]);
    let (_, login) =
        bot.login(&json!({ "type": 4, "data": { "content": "a", "components": row, "flags": 64 } })).await;
    let press = tokio::spawn(login.click("now").tried());
    let event = bot.socket.event("INTERACTION_CREATE").await;
    assert_eq!(event["data"]["custom_id"], "now");
    assert_eq!((&event["message"]["content"], &event["message"]["flags"]), (&json!("a"), &json!(64)));
    assert_eq!(bot.callback(&event, &json!({ "type": 7, "data": { "content": "b" } })).await, (204, 0));
    let press = press.await.expect("no panic").expect("acknowledged");
    assert_eq!((press.message().content(), login.message().content()), ("b", "b"));
    let press = tokio::spawn(login.click("later").tried());
    let event = bot.socket.event("INTERACTION_CREATE").await;
    assert_eq!(bot.callback(&event, &json!({ "type": 6 })).await, (204, 0));
    let press = press.await.expect("no panic").expect("acknowledged");
    assert_eq!(press.acknowledgement(), Acknowledgement::DeferredUpdate);
    let edit = json!({ "content": "c" });
    assert_eq!(bot.webhook(Method::PATCH, &event, "/messages/@original", &edit).await.0, 200);
    assert_eq!(login.message().content(), "c");
    // A follow-up to a deferred update is a message of its own.
    bot.webhook(Method::POST, &event, "", &json!({ "content": "d", "flags": 64 })).await;
    assert_eq!((login.message().content(), press.messages().len()), ("c", 2));
    bot.discord.assert_clean();
}

#[tokio::test]
async fn a_response_can_be_asked_for() {
    let mut bot = Raw::start().await;
    let (event, sending) = bot.slash(bot.discord.member("ann").slash("/auth login")).await;
    let path =
        format!("/interactions/{}/{}/callback?with_response=true", text(&event["id"]), text(&event["token"]));
    let (status, body) =
        bot.call(Method::POST, &path, &json!({ "type": 4, "data": { "content": "a", "flags": 64 } })).await;
    assert_eq!((status, &body["interaction"]["response_message_ephemeral"]), (200, &json!(true)));
    assert_eq!(body["resource"]["message"]["content"], "a");
    sending.await.expect("no panic").expect("acknowledged");
}
