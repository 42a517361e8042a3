//! Channels, threads and the messages in them.

use latchkey_test_discord::Channel;
use reqwest::Method;
use serde_json::{Value, json};

use crate::raw::{Raw, SOON, text};

async fn post(bot: &Raw, channel: &Channel, content: &str) -> (u16, Value) {
    let path = format!("/channels/{}/messages", channel.id());
    bot.call(Method::POST, &path, &json!({ "content": content })).await
}

#[tokio::test]
async fn a_message_opens_an_archived_thread_unless_it_is_locked() {
    let mut bot = Raw::start().await;
    let thread = bot.discord.thread(&bot.discord.channel("general"), "fix-ci");
    bot.discord.archive(&thread);
    assert_eq!(bot.socket.event("THREAD_UPDATE").await["thread_metadata"]["archived"], true);
    assert_eq!(post(&bot, &thread, "hello").await.0, 200);
    assert_eq!(bot.socket.event("THREAD_UPDATE").await["thread_metadata"]["archived"], false);
    assert!(!thread.is_archived());
    bot.discord.lock(&thread);
    let (status, body) = post(&bot, &thread, "hello").await;
    assert_eq!((status, body["code"].as_u64()), (400, Some(50083)));
    let sent = bot.discord.member("ann").slash("/auth login").in_thread(&thread).try_send().await;
    assert!(sent.expect_err("locked").to_string().contains("locked"));
    bot.discord.unarchive(&thread);
    assert_eq!(post(&bot, &thread, "again").await.0, 200);
    let there = bot.discord.channel_messages(&thread);
    assert_eq!(
        there.iter().map(latchkey_test_discord::View::content).collect::<Vec<_>>(),
        ["hello", "again"]
    );
    bot.discord.assert_clean();
}

#[tokio::test]
async fn a_deleted_or_forbidden_channel_takes_no_message() {
    let mut bot = Raw::start().await;
    let thread = bot.discord.thread(&bot.discord.channel("general"), "fix-ci");
    bot.discord.mute_bot(&thread, true);
    assert_eq!(post(&bot, &thread, "x").await.1["code"], 50013);
    bot.discord.delete(&thread);
    assert_eq!(bot.socket.event("THREAD_DELETE").await["id"], thread.id().to_string());
    assert_eq!(post(&bot, &thread, "x").await.1["code"], 10003);
}

#[tokio::test]
async fn ephemeral_messages_exist_only_for_their_token() {
    let mut bot = Raw::start().await;
    let (event, login) = bot.login(&json!({ "type": 4, "data": { "content": "secret", "flags": 64 } })).await;
    let channel = text(&event["channel_id"]);
    let path = format!("/channels/{channel}/messages/{}", login.message().id());
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        let (status, body) = bot.call(method, &path, &json!({ "content": "x" })).await;
        assert_eq!((status, body["code"].as_u64()), (404, Some(10008)));
    }
    let (_, list) = bot.call(Method::GET, &format!("/channels/{channel}/messages"), &Value::Null).await;
    assert_eq!(list, json!([]));
    let general = bot.discord.channel("general");
    assert_eq!(bot.discord.channel_messages(&general).len(), 0);
    assert_eq!(bot.discord.member("bob").visible_messages(&general).len(), 0);
    bot.discord.member("ann").dismiss(&login.message());
    let (_, gone) =
        bot.webhook(Method::PATCH, &event, "/messages/@original", &json!({ "content": "x" })).await;
    assert_eq!(gone["code"], 10008);
    bot.discord.assert_clean();
}

#[tokio::test]
async fn a_public_message_is_seen_edited_and_deleted() {
    let bot = Raw::start().await;
    let general = bot.discord.channel("general");
    let ann = bot.discord.member("ann");
    let content = format!("done, <@{}> and @everyone", ann.id());
    let (_, posted) = post(&bot, &general, &content).await;
    let view = bot.discord.wait_channel_message(&general, "done", SOON).await;
    assert_eq!(view.pings(), [format!("<@{}>", ann.id()), "@everyone".to_owned()]);
    let path = format!("/channels/{}/messages/{}", general.id(), text(&posted["id"]));
    let edit = json!({ "allowed_mentions": { "parse": [], "users": [ann.id().to_string()] } });
    assert_eq!(bot.call(Method::PATCH, &path, &edit).await.0, 200);
    let view = ann.sees_text(&general, "done", SOON).await;
    assert_eq!(view.pings(), [format!("<@{}>", ann.id())]);
    assert_eq!(bot.call(Method::DELETE, &path, &Value::Null).await.0, 204);
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 10008);
    ann.says(&general, "hello");
    let theirs = bot.discord.channel_messages(&general).remove(0).id();
    let path = format!("/channels/{}/messages/{theirs}", general.id());
    assert_eq!(bot.call(Method::PATCH, &path, &json!({ "content": "x" })).await.1["code"], 50005);
    assert_eq!(bot.violations(), [50005]);
}
