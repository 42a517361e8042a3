//! Authorization, registration, schemas, faults and the record.

use std::time::{Duration, Instant};

use latchkey_test_discord::Discord;
use reqwest::Method;
use serde_json::{Value, json};

use crate::raw::{Raw, call, text};

fn commands(discord: &Discord) -> String {
    format!("/applications/{}/guilds/{}/commands", discord.application_id(), discord.guild())
}

#[tokio::test]
async fn every_route_but_the_tokens_own_needs_authorization() {
    let discord = Discord::start().await;
    let get = |path: &str, value: Option<&str>| {
        let mut request = reqwest::Client::new().get(format!("{}/api/v10{path}", discord.api_base()));
        if let Some(value) = value {
            request = request.header("Authorization", value);
        }
        async { request.send().await.expect("an answer").status().as_u16() }
    };
    assert_eq!(get("/users/@me", None).await, 401);
    assert_eq!(get("/users/@me", Some("Bot wrong")).await, 401);
    assert_eq!(get("/users/@me", Some(discord.bot_token())).await, 401);
    assert_eq!(discord.take_violations().len(), 3);
    assert_eq!(get("/users/@me", Some(&format!("Bot {}", discord.bot_token()))).await, 200);
    assert_eq!(get("/gateway", None).await, 200);
    discord.assert_clean();
}

#[tokio::test]
async fn an_unknown_route_is_unexpected() {
    let discord = Discord::start().await;
    let (status, body) = call(&discord, Method::GET, "/stickers/1", &Value::Null).await;
    assert_eq!((status, body["code"].as_u64()), (404, Some(0)));
    assert_eq!(discord.unexpected(), ["GET /stickers/1"]);
    let clean = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| discord.assert_clean()));
    assert!(clean.is_err());
}

#[tokio::test]
async fn registration_upserts_by_name_and_leaves_others_alone() {
    let discord = Discord::start().await;
    discord.seed_command(Some(discord.guild()), &json!({ "name": "other", "description": "d" }));
    let path = commands(&discord);
    let auth = |description: &str| json!({ "name": "auth", "description": description, "default_member_permissions": "32" });
    let (status, first) = call(&discord, Method::POST, &path, &auth("one")).await;
    assert_eq!((status, text(&first["default_member_permissions"])), (201, "32"));
    let (status, second) = call(&discord, Method::POST, &path, &auth("two")).await;
    assert_eq!((status, &second["id"], text(&second["description"])), (200, &first["id"], "two"));
    assert_eq!(discord.commands(Some(discord.guild())).len(), 2);
    assert_eq!(discord.commands(None).len(), 0);
    let one = format!("{path}/{}", text(&first["id"]));
    let (_, edited) = call(&discord, Method::PATCH, &one, &json!({ "description": "three" })).await;
    assert_eq!(text(&edited["description"]), "three");
    assert_eq!(call(&discord, Method::DELETE, &one, &Value::Null).await.0, 204);
    assert_eq!(call(&discord, Method::DELETE, &one, &Value::Null).await.1["code"], 10063);
    let (_, all) = call(&discord, Method::PUT, &path, &json!([auth("four")])).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1));
    let elsewhere = format!("/applications/{}/guilds/1/commands", discord.application_id());
    assert_eq!(call(&discord, Method::POST, &elsewhere, &auth("x")).await.1["code"], 50001);
}

#[tokio::test]
async fn a_bad_registration_is_refused_and_recorded() {
    let discord = Discord::start().await;
    let path = commands(&discord);
    let bad = json!({ "name": "Auth", "description": "d" });
    for (method, body) in [(Method::POST, bad.clone()), (Method::PUT, json!([bad]))] {
        let (status, body) = call(&discord, method, &path, &body).await;
        assert_eq!((status, body["code"].as_u64()), (400, Some(50035)));
    }
    assert_eq!(discord.commands(Some(discord.guild())), Vec::<Value>::new());
    let violations = discord.violations();
    assert!(violations.iter().all(|v| v.code == 50035 && v.what.contains("must be in lower case")));
    assert_eq!(violations.len(), 2);
}

/// Nothing but the schema knows that `tts` is a boolean.
#[tokio::test]
async fn bodies_are_judged_by_the_schemas_where_there_are_any() {
    let mut bot = Raw::start().await;
    if !bot.discord.schema_available() {
        return;
    }
    let (event, sending) = bot.slash(bot.discord.member("ann").slash("/auth login")).await;
    let wrong = json!({ "content": "a", "tts": "yes" });
    assert_eq!(bot.callback(&event, &json!({ "type": 4, "data": wrong })).await, (400, 50035));
    assert_eq!(bot.callback(&event, &json!({ "type": 5 })).await, (204, 0));
    sending.await.expect("no panic").expect("acknowledged");
    let channel = format!("/channels/{}/messages", text(&event["channel_id"]));
    let posted = bot.call(Method::POST, &channel, &json!({ "content": "a" })).await.1;
    let answers = [
        bot.webhook(Method::POST, &event, "", &wrong).await.0,
        bot.webhook(Method::PATCH, &event, "/messages/@original", &json!({ "flags": "64" })).await.0,
        bot.call(Method::POST, &channel, &wrong).await.0,
        bot.call(Method::PATCH, &format!("{channel}/{}", text(&posted["id"])), &json!({ "flags": "a" }))
            .await
            .0,
        bot.call(
            Method::POST,
            &commands(&bot.discord),
            &json!({ "name": "a", "description": "d", "contexts": 1 }),
        )
        .await
        .0,
    ];
    assert_eq!(answers, [400; 5]);
    assert!(bot.discord.violations().iter().all(|violation| violation.what.contains("schema ")));
}

#[tokio::test]
async fn faults_meet_the_requests_they_name_and_end() {
    let discord = Discord::start().await;
    let me = || call(&discord, Method::GET, "/users/@me", &Value::Null);
    discord.fail("GET /users/*", 2, 500);
    discord.rate_limit("GET /users/@me", 1, 0.5);
    assert_eq!([me().await.0, me().await.0], [500, 500]);
    let (status, body) = me().await;
    assert_eq!((status, body["retry_after"].as_f64()), (429, Some(0.5)));
    assert_eq!(me().await.0, 200);
    discord.refuse_registration(1);
    let command = json!({ "name": "auth", "description": "d" });
    assert_eq!(call(&discord, Method::POST, &commands(&discord), &command).await.0, 500);
    assert_eq!(call(&discord, Method::POST, &commands(&discord), &command).await.0, 201);
    discord.fail("GET /users/@me", 9, 500);
    discord.clear_faults();
    assert_eq!(me().await.0, 200);
    discord.assert_clean();
}

#[tokio::test]
async fn a_delayed_request_takes_effect_late_and_a_delayed_answer_does_not() {
    let discord = Discord::start().await;
    let path = commands(&discord);
    let command = json!({ "name": "auth", "description": "d" });
    let begun = Instant::now();
    discord.delay_answer("POST *", 1, Duration::from_millis(300));
    let posting = call(&discord, Method::POST, &path, &command);
    let registered = async {
        discord.wait_registered("auth", Duration::from_secs(5)).await;
        begun.elapsed()
    };
    let (answer, effective) = tokio::join!(posting, registered);
    assert_eq!(answer.0, 201);
    assert!(effective < Duration::from_millis(250) && begun.elapsed() >= Duration::from_millis(300));
    let begun = Instant::now();
    discord.delay("POST *", 1, Duration::from_millis(100));
    call(&discord, Method::POST, &path, &command).await;
    assert!(begun.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn every_request_is_recorded() {
    let discord = Discord::start().await;
    call(&discord, Method::GET, "/users/@me?a=b", &Value::Null).await;
    call(&discord, Method::POST, &commands(&discord), &json!({ "name": "A" })).await;
    let requests = discord.requests();
    assert_eq!(requests[0].query, "a=b");
    assert_eq!((requests[0].status, &requests[0].response["username"]), (200, &json!("Latchkey")));
    assert_eq!((requests[1].status, &requests[1].body), (400, &json!({ "name": "A" })));
    assert_eq!(discord.requests_to("POST /applications/*").len(), 1);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_violation() {
    let discord = Discord::start().await;
    let url = format!("{}/api/v10{}", discord.api_base(), commands(&discord));
    let token = format!("Bot {}", discord.bot_token());
    let request = reqwest::Client::new().post(url).header("Authorization", token).body("{");
    let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer["code"], 50109);
    assert_eq!(discord.violations().len(), 1);
}

#[tokio::test]
async fn what_a_bot_asks_of_itself_and_its_guild() {
    let discord = Discord::start().await;
    let (ann, role) = (discord.member("ann"), discord.role("agents"));
    ann.set_roles([role]);
    let (guild, user) = (discord.guild(), ann.id());
    let get = |path: String| {
        let discord = &discord;
        async move { call(discord, Method::GET, &path, &Value::Null).await.1 }
    };
    assert_eq!(get("/applications/@me".into()).await["name"], "Latchkey");
    assert_eq!(get("/oauth2/applications/@me".into()).await["name"], "Latchkey");
    assert_eq!(get("/gateway/bot".into()).await["shards"], 1);
    assert_eq!(get(format!("/guilds/{guild}")).await["name"], "home");
    // The owner and the bot have permissions of their own, which Discord knows only as roles.
    let roles = get(format!("/guilds/{guild}/roles")).await;
    let roles: Vec<_> = roles.as_array().expect("roles").iter().map(|role| &role["name"]).collect();
    assert_eq!(roles, ["@everyone", "agents", "permissions of one member", "permissions of one member"]);
    assert_eq!(get(format!("/guilds/{guild}/members/{user}")).await["roles"], json!([role.to_string()]));
    assert_eq!(get(format!("/users/{user}")).await["username"], "ann");
    ann.leave();
    assert_eq!(get(format!("/guilds/{guild}/members/{user}")).await["code"], 10007);
    assert_eq!(get("/guilds/1".into()).await["code"], 10004);
    assert_eq!(get("/channels/1".into()).await["code"], 10003);
    let (status, body) =
        call(&discord, Method::POST, "/users/@me/channels", &json!({ "recipient_id": "1" })).await;
    assert_eq!((status, body["code"].as_u64()), (403, Some(50007)));
    discord.assert_clean();
}
