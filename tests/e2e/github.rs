//! The built-in `github`: errors that come with HTTP 200, scopes by commas, and a token that lasts for ever and has no refresh
//! token.

use latchkey::secret::TokenHash;
use latchkey_test_authority::{
    Authority, CLIENT, Canned, Endpoint, ExpiresIn, IdToken, Interval, Person, RefreshTokens, ReplyShape,
    ScopeShape, Settings, UserinfoShape,
};

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// A server that speaks as GitHub's does.
pub(crate) fn github() -> Authority {
    Authority::start_with(Settings {
        iss_in_answer: false,
        userinfo: UserinfoShape::GitHub,
        complete_uri: false,
        interval: Interval::Number(3),
        refresh_tokens: RefreshTokens::Never,
        reply: ReplyShape {
            token_type: Some("bearer".to_owned()),
            expires_in: ExpiresIn::Missing,
            scope: ScopeShape::Commas,
            id_token: IdToken::None,
            ..ReplyShape::default()
        },
        ..Settings::default()
    })
}

/// The built-in with its endpoints at `github`.
async fn setup(github: &Authority) -> Setup {
    let table = format!(
        "[providers.github]\nclient_id = {CLIENT:?}\nscopes = [\"repo\", \"read:org\"]\nauthorization_endpoint = {:?}\n\
         token_endpoint = {:?}\ndevice_authorization_endpoint = {:?}\nuserinfo_endpoint = {:?}\n",
        github.authorization_endpoint(),
        github.token_endpoint(),
        github.url("/device/code"),
        github.url("/user"),
    );
    Setup::plan().more(&table).start().await
}

/// VENDORS, T8, T9, T11
#[tokio::test(flavor = "multi_thread")]
async fn github_signs_in_through_errors_that_look_like_successes() {
    let github = github();
    let setup = setup(&github).await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    github.answer_next(Endpoint::Token, 1, Canned::error(200, "authorization_pending", "not yet"));
    let login = ann.slash("/auth login gh").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    assert!(github.eventually(NEXT_POLL, |github| github.requests_to(Endpoint::Token).len() == 1).await);
    let code = github.user_codes().pop().expect("a device login was started");
    github.approve_device(&code, &Person::ada()).await;
    login.sees_text("Signed in to GitHub", NEXT_POLL).await;
    let place = thread.id().to_string();
    let token = setup.token(&["github", "--thread", &place]).await;
    assert!(github.accepts(&token));
    for request in github.requests() {
        let by_us = [Endpoint::DeviceStart, Endpoint::Token].contains(&request.endpoint);
        assert!(!by_us || request.header("accept") == Some("application/json"), "{request:?}");
    }
    let stored: serde_json::Value = serde_json::from_str(&setup.stored()).unwrap();
    let tenant = &stored["tenants"][format!("github@{}", ann.id())];
    assert_eq!(tenant["scopes"], serde_json::json!(["repo", "read:org"]));
    assert_eq!(tenant["account"]["id"], Person::ada().number().to_string());
    assert!(
        tenant["expires_at"].is_null() && tenant.get("refresh_token").is_none_or(serde_json::Value::is_null)
    );

    // It serves until somebody says that it does not; then there is nothing to refresh it by.
    let rejected = TokenHash::of(&token).to_string();
    let refused = setup.cli(&["token", "github", "--thread", &place, "--rejected-sha256", &rejected]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""), "{refused:?}");
    assert_eq!((github.refreshes(), github.device_starts()), (0, 1));

    let logout = ann.slash("/auth logout").in_thread(&thread).send().await;
    logout.sees_text("Log out of GitHub", SOON).await;
    logout.click("Log out").await.sees_text("Logged out of GitHub", SOON).await;
    assert_eq!(
        (setup.cli(&["token", "github", "--thread", &place]).await.code, github.revocations()),
        (3, 0)
    );
    setup.discord.assert_clean();
}

/// VENDORS: a refusal that comes with HTTP 200 ends the login in its own words.
#[tokio::test(flavor = "multi_thread")]
async fn github_says_no_with_http_200() {
    let github = github();
    let setup = setup(&github).await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    github.answer_next(Endpoint::Token, 1, Canned::error(200, "access_denied", "The person said no."));
    let login = ann.slash("/auth login github").in_thread(&thread).send().await;
    login.sees_text("was declined", NEXT_POLL).await;
    assert_eq!(setup.cli(&["token", "github", "--thread", &thread.id().to_string()]).await.code, 3);
    setup.discord.assert_clean();
}
