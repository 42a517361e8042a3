//! Built-ins whose device login is not RFC 8628 as it stands, or who differ in what they leave out: from the slash command to
//! a token, a refresh and the logout, at servers that speak as theirs do.

use std::time::Duration;

use latchkey::secret::TokenHash;
use latchkey_test_authority::{Authority, Canned, Endpoint, IdToken, Interval, Person, ReplyShape, Settings};

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

const OPEN: &str = "Open sign-in page";

/// `settings` with polls as near to one another as the protocol allows.
fn hurried(settings: Settings) -> Authority {
    Authority::start_with(Settings {
        interval: match settings.interval {
            Interval::Number(5) => Interval::Number(3),
            other => other,
        },
        enforced_interval: Duration::from_millis(2_500),
        ..settings
    })
}

/// The built-in `id` at `server`, which starts device logins at `start`.
fn table(id: &str, server: &Authority, start: &str) -> String {
    format!(
        "[providers.{id}]\ntoken_endpoint = {:?}\ndevice_authorization_endpoint = {start:?}\n",
        server.token_endpoint(),
    )
}

/// Signs in to the built-in `id`, which people call `title`, with a restart in the middle; has its token refreshed; logs out.
async fn from_code_to_logout(server: &Authority, setup: &Setup, id: &str, title: &str) {
    let bot = Bot::start(setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let place = thread.id().to_string();
    let login = ann.slash(&format!("/auth login {id}")).in_thread(&thread).send().await;
    let card = login.sees_text(OPEN, SOON).await;
    let code = server.user_codes().pop().expect("a device login was started");
    assert!(card.contains(&code), "{}", card.render());
    assert!(server.eventually(NEXT_POLL, |server| server.device_polls() == 1).await);
    let bot = bot.restart(setup).await;
    server.approve_device(&code, &Person::ada()).await;
    login.sees_text(&format!("Signed in to {title}"), NEXT_POLL).await;
    assert_eq!((server.device_starts(), server.live_grants(), server.polls_after_end()), (1, 1, 0));
    let closest = server.closest_polls(&code);
    assert!(closest.is_some_and(|apart| apart >= Duration::from_millis(2_900)), "{closest:?}");

    let stored: serde_json::Value = serde_json::from_str(&setup.stored()).unwrap();
    let pending = stored["pending"].to_string();
    server.assert_no_secret_in(&pending);
    assert!(!pending.contains(&code), "{pending}");
    let tenant = &stored["tenants"][format!("{id}@{}", ann.id())];
    let lasts = tenant["expires_at"].as_i64().unwrap() - tenant["obtained_at"].as_i64().unwrap();
    assert!((3_590..=3_610).contains(&lasts), "{lasts}");

    let token = setup.token(&[id, "--thread", &place]).await;
    assert!(server.accepts(&token));
    let rejected = TokenHash::of(&token).to_string();
    let next = setup.token(&[id, "--thread", &place, "--rejected-sha256", &rejected]).await;
    assert!(next != token && server.accepts(&next));
    assert_eq!((server.refreshes(), server.reuses()), (1, 0));

    let logout = ann.slash("/auth logout").in_thread(&thread).send().await;
    logout.sees_text(&format!("Log out of {title}"), SOON).await;
    logout.click("Log out").await.sees_text(&format!("Logged out of {title}"), SOON).await;
    assert_eq!(setup.cli(&["token", id, "--thread", &place]).await.code, 3);
    server.assert_no_secret_in(&bot.said());
    setup.discord.assert_clean();
}

/// VENDORS, T1, T8, S12: the verifier is kept with the login, so that the next bot goes on with it.
#[tokio::test(flavor = "multi_thread")]
async fn qwen_signs_in_with_a_verifier_that_a_restart_keeps() {
    let qwen = hurried(Settings::qwen());
    let start = qwen.url("/device/code");
    let setup = Setup::plan().more(&table("qwen", &qwen, &start)).start().await;
    from_code_to_logout(&qwen, &setup, "qwen", "Qwen").await;
    let start = qwen.requests_to(Endpoint::DeviceStart).remove(0);
    assert_eq!(start.field("scope"), Some("openid profile email model.completion"));
    let verifiers: std::collections::BTreeSet<_> = qwen
        .requests_to(Endpoint::Token)
        .iter()
        .filter_map(|one| one.field("code_verifier").map(str::to_owned))
        .collect();
    assert_eq!(verifiers.len(), 1, "one login, one verifier");
}

/// VENDORS, T1, T2, T8, S12, C5: the user code is the grant, and a refresh's reply speaks as the sign-in's did.
#[tokio::test(flavor = "multi_thread")]
async fn minimax_signs_in_by_its_user_code() {
    let minimax = hurried(Settings::minimax());
    let start = minimax.user_code_url();
    let setup = Setup::plan().more(&table("minimax", &minimax, &start)).start().await;
    from_code_to_logout(&minimax, &setup, "minimax", "MiniMax").await;
    let start = minimax.requests_to(Endpoint::UserCodeStart).remove(0);
    assert_eq!(start.field("scope"), Some("group_id profile model.completion"));
}

/// VENDORS, T8: what the server says with HTTP 200 ends the login in its own words.
#[tokio::test(flavor = "multi_thread")]
async fn minimax_says_no_with_http_200() {
    let minimax = hurried(Settings::minimax());
    let start = minimax.user_code_url();
    let setup = Setup::plan().more(&table("minimax", &minimax, &start)).start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let body = serde_json::json!({"status": "error", "base_resp": {"status_code": 1004, "status_msg": "user denied the request"}});
    minimax.answer_next(Endpoint::Token, 1, Canned::json(200, &body));
    let login = ann.slash("/auth login minimax").in_thread(&thread).send().await;
    login.sees_text("was declined", NEXT_POLL).await;
    assert_eq!((minimax.device_polls(), minimax.live_grants()), (1, 0));
    setup.discord.assert_clean();
}

/// VENDORS, T8, G17: a refresh token that has ended is told with HTTP 200, too, and asks to sign in again.
#[tokio::test(flavor = "multi_thread")]
async fn minimax_ends_a_sign_in_with_http_200() {
    let minimax = hurried(Settings::minimax());
    let start = minimax.user_code_url();
    let setup = Setup::plan().more(&table("minimax", &minimax, &start)).start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let place = thread.id().to_string();
    let login = ann.slash("/auth login minimax").in_thread(&thread).send().await;
    login.sees_text(OPEN, SOON).await;
    minimax.approve_device(&minimax.user_codes().remove(0), &Person::ada()).await;
    login.sees_text("Signed in to MiniMax", NEXT_POLL).await;
    let token = setup.token(&["minimax", "--thread", &place]).await;
    minimax.expire_grant(&token);
    let rejected = TokenHash::of(&token).to_string();
    let refused = setup.cli(&["token", "minimax", "--thread", &place, "--rejected-sha256", &rejected]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""), "{refused:?}");
    assert!(refused.stderr.contains("sign in again"), "{refused:?}");
    setup.discord.assert_clean();
}

/// VENDORS: no scope is asked for, and none is sent.
#[tokio::test(flavor = "multi_thread")]
async fn kimi_signs_in_without_a_scope() {
    let kimi = hurried(Settings { any_client: true, ..Settings::default() });
    let start = kimi.device_authorization_endpoint();
    let setup = Setup::plan().more(&table("kimi", &kimi, &start)).start().await;
    from_code_to_logout(&kimi, &setup, "kimi", "Kimi").await;
    let start = kimi.requests_to(Endpoint::DeviceStart).remove(0);
    let names: Vec<_> = start.form.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["client_id"]);
}

/// T13: a device login needs nothing discovered, so an issuer that is out of reach is not in its way; only the sign-in page is
/// to be found there.
#[tokio::test(flavor = "multi_thread")]
async fn grok_signs_in_by_device_although_its_metadata_is_out_of_reach() {
    let reply = ReplyShape { id_token: IdToken::None, ..ReplyShape::default() };
    let grok = hurried(Settings { any_client: true, reply, ..Settings::default() });
    grok.answer_next(Endpoint::Discovery, 100, Canned::html(503));
    let issuer = format!("issuer = {:?}\n", grok.issuer());
    let table = table("grok", &grok, &grok.device_authorization_endpoint()) + &issuer;
    let setup = Setup::plan().more(&table).start().await;
    from_code_to_logout(&grok, &setup, "grok", "Grok").await;
}

/// VENDORS: its own spelling of a no.
#[tokio::test(flavor = "multi_thread")]
async fn grok_says_no_in_its_own_spelling() {
    let grok = hurried(Settings { any_client: true, ..Settings::default() });
    let issuer = format!("issuer = {:?}\n", grok.issuer());
    let table = table("grok", &grok, &grok.device_authorization_endpoint()) + &issuer;
    let setup = Setup::plan().more(&table).start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    grok.answer_next(Endpoint::Token, 1, Canned::error(400, "authorization_denied", "no"));
    let login = ann.slash("/auth login xai").in_thread(&thread).send().await;
    login.sees_text("was declined", NEXT_POLL).await;
    setup.discord.assert_clean();
}
