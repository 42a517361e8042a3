//! What members can do, cannot do, and can forge.

use std::time::Duration;

use latchkey_test_discord::{Discord, Refused, Slash};
use serde_json::json;

use crate::raw::{Raw, SOON};

async fn refused(slash: Slash) -> String {
    match slash.try_send().await {
        Err(Refused::NotOffered(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_offers_only_what_is_registered_for_the_member() {
    let bot = Raw::on(Discord::builder().other_guild(7).start().await.expect("a port")).await;
    let (discord, ann) = (&bot.discord, bot.discord.member("ann"));
    let admin = json!({ "name": "admin", "description": "d", "default_member_permissions": "32" });
    discord.seed_command(Some(discord.guild()), &admin);
    assert!(refused(ann.slash("/nope")).await.contains("no command /nope"));
    assert!(refused(ann.slash("/auth logout")).await.contains("no subcommand \"logout\""));
    assert!(refused(ann.slash("/auth login").option("tenant", "a")).await.contains("no option \"tenant\""));
    assert!(refused(ann.slash("/admin")).await.contains("it needs 0x20"));
    assert!(refused(ann.clone().in_guild(7).slash("/auth login")).await.contains("in this guild"));
    let gone = discord.member("zoe");
    gone.leave();
    assert!(refused(gone.slash("/auth login")).await.contains("not a member"));
    discord.assert_clean();
}

#[tokio::test]
async fn what_is_not_offered_can_be_forced_and_carries_its_guild() {
    let mut bot = Raw::on(Discord::builder().other_guild(7).start().await.expect("a port")).await;
    let admin = json!({ "name": "admin", "description": "d", "default_member_permissions": "32" });
    bot.discord.seed_command(Some(bot.discord.guild()), &admin);
    let ann = bot.discord.member("ann");
    let (event, sending) = bot.slash(ann.slash("/admin").forced()).await;
    assert_eq!(event["data"]["name"], "admin");
    sending.abort();
    let boss = bot.discord.member("boss").manage_guild();
    let (event, sending) = bot.slash(boss.slash("/admin")).await;
    let permissions: u64 = event["member"]["permissions"].as_str().expect("text").parse().expect("a number");
    assert_eq!(permissions & 32, 32);
    sending.abort();
    let elsewhere = ann.in_guild(7).slash("/auth login").forced();
    elsewhere.ignored(Duration::from_millis(200)).await;
    let event = bot.socket.event("INTERACTION_CREATE").await;
    assert_eq!(event["guild_id"], "7");
    bot.discord.assert_clean();
}

#[tokio::test]
async fn a_command_in_a_thread_says_where_it_is_and_who_sent_it() {
    let mut bot = Raw::start().await;
    let general = bot.discord.channel("general");
    let thread = bot.discord.thread(&general, "fix-ci");
    let role = bot.discord.role("agents");
    let ann = bot.discord.member("ann").roles([role]);
    let (event, sending) = bot.slash(ann.slash("/auth login co").in_thread(&thread)).await;
    sending.abort();
    assert_eq!(event["channel"]["type"], 11);
    assert_eq!(event["channel"]["parent_id"], general.id().to_string());
    assert_eq!(event["member"]["roles"], json!([role.to_string()]));
    assert_eq!(event["member"]["user"]["id"], ann.id().to_string());
    let options = json!([{ "name": "provider", "type": 3, "value": "co" }]);
    assert_eq!(event["data"]["options"], json!([{ "name": "login", "type": 1, "options": options }]));
}

#[tokio::test]
async fn links_and_disabled_buttons_cannot_be_pressed() {
    let mut bot = Raw::start().await;
    let row = json!([{ "type": 1, "components": [
        { "type": 2, "style": 5, "label": "Open", "url": "https://a.example/" },
        { "type": 2, "style": 1, "label": "Off", "custom_id": "off", "disabled": true },
    ] }]);
    let content = "see [the page](<https://b.example/x>)";
    let (_, login) = bot
        .login(&json!({ "type": 4, "data": { "content": content, "components": row, "flags": 64 } }))
        .await;
    for (label, why) in [("Open", "is a link"), ("Off", "is disabled"), ("Nope", "no button")] {
        let error = login.click(label).tried().await.expect_err("not pressed");
        assert!(error.to_string().contains(why), "{error}");
    }
    let links = [("Open", "https://a.example/"), ("the page", "https://b.example/x")];
    assert_eq!(login.links(), links.map(|(label, url)| (label.to_owned(), url.to_owned())));
    assert!(login.message().contains("https://a.example/"));
}

#[tokio::test]
async fn only_its_member_presses_on_an_ephemeral_message_but_anybody_can_forge() {
    let mut bot = Raw::start().await;
    let row = json!([{ "type": 1, "components": [
        { "type": 2, "style": 1, "label": "Go", "custom_id": "go" },
    ] }]);
    let (_, login) =
        bot.login(&json!({ "type": 4, "data": { "content": "a", "components": row, "flags": 64 } })).await;
    let (bob, view) = (bot.discord.member("bob"), login.message());
    let error = bob.click(&view, "Go").tried().await.expect_err("not seen");
    assert!(error.to_string().contains("bob does not see this message"));
    let forging = tokio::spawn(bob.forge_click(&view, "go").tried());
    let event = bot.socket.event("INTERACTION_CREATE").await;
    assert_eq!(event["member"]["user"]["username"], "bob");
    assert_eq!(event["data"]["custom_id"], "go");
    assert_eq!(
        bot.callback(&event, &json!({ "type": 4, "data": { "content": "no", "flags": 64 } })).await.0,
        204
    );
    let forged = forging.await.expect("no panic").expect("acknowledged");
    assert_eq!(forged.message().ephemeral_to(), Some("bob"));
    let channel = bot.discord.channel("general");
    let forging = tokio::spawn(bob.forge_modal(&channel, "paste:1", [("url", "x")]).tried());
    let event = bot.socket.event("INTERACTION_CREATE").await;
    assert_eq!((&event["type"], &event["data"]["custom_id"]), (&json!(5), &json!("paste:1")));
    forging.abort();
}

#[tokio::test]
async fn a_modal_takes_only_what_its_inputs_take() {
    let mut bot = Raw::start().await;
    let input = |id: &str, required: bool| {
        json!({ "type": 1, "components": [{
            "type": 4, "custom_id": id, "style": 1, "label": id, "max_length": 3, "required": required,
        }] })
    };
    let rows = json!([input("code", true), input("note", false)]);
    let (_, opened) = bot
        .login(&json!({ "type": 9, "data": { "custom_id": "m", "title": "Paste", "components": rows } }))
        .await;
    assert_eq!(
        opened.modal().render("ann"),
        "[modal to ann] Paste\n  code: ______\n  note (optional): ______\n"
    );
    for fields in [vec![], vec![("code", "1234")], vec![("code", "1"), ("other", "1")]] {
        opened.submit_modal(fields).tried().await.expect_err("not taken");
    }
    let submitting = tokio::spawn(opened.submit_modal([("code", "123")]).tried());
    let event = bot.socket.event("INTERACTION_CREATE").await;
    let values: Vec<_> =
        (0..2).map(|row| &event["data"]["components"][row]["components"][0]["value"]).collect();
    assert_eq!(values, [&json!("123"), &json!("")]);
    assert!(event.get("message").is_none());
    submitting.abort();
}

#[tokio::test]
async fn a_wait_in_vain_tells_the_whole_story() {
    let mut bot = Raw::start().await;
    let (_, login) = bot.login(&json!({ "type": 4, "data": { "content": "shown", "flags": 64 } })).await;
    let waiting = tokio::spawn(async move { login.sees_text("wanted", Duration::from_millis(50)).await });
    let panic = waiting.await.expect_err("a panic").into_panic();
    let text = panic.downcast_ref::<String>().expect("text");
    for part in ["\"wanted\" not seen", "ann: /auth login", "shown", "the bot is connected", "/callback"] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
}

#[tokio::test]
async fn a_bot_that_is_not_there_is_said_to_be() {
    let discord = Discord::start().await;
    discord.seed_command(None, &json!({ "name": "auth", "description": "d" }));
    let error = discord.member("ann").slash("/auth").try_send().await.expect_err("nobody answers");
    assert!(error.to_string().contains("the bot is not connected"), "{error}");
    let waited = tokio::time::timeout(SOON, async {
        let text = discord.member("ann").autocomplete("/auth").focused("x", "y");
        tokio::spawn(text.send()).await
    });
    assert!(waited.await.expect("at once").is_err());
}
