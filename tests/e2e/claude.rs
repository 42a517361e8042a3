//! The built-in `claude`: a page that shows `code#state`, JSON to the token endpoint, the state with the code, no scope with a
//! refresh, and a token from the environment before all.

use latchkey::secret::TokenHash;
use latchkey_test_authority::{Answer, Authority, Bodies, Endpoint, IdToken, Person, ReplyShape, Settings};

use crate::harness::{Bot, SOON, Setup};

/// A server that speaks as Claude's does.
fn claude() -> Authority {
    Authority::start_with(Settings {
        any_client: true,
        answer: Answer::CodeHashState,
        bodies: Bodies::Json,
        iss_in_answer: false,
        reply: ReplyShape { id_token: IdToken::None, ..ReplyShape::default() },
        ..Settings::default()
    })
}

/// The built-in with its endpoints at `claude`, and these lines more.
async fn setup(claude: &Authority, more: &str) -> Setup {
    let table = format!(
        "[providers.claude]\nauthorization_endpoint = {:?}\ntoken_endpoint = {:?}\nredirect_uri = {:?}\n{more}\n",
        claude.url("/oauth/authorize"),
        claude.url("/oauth/token"),
        claude.url("/oauth/code/callback"),
    );
    Setup::plan().more(&table).start().await
}

/// VENDORS, T2, T3, T8, G14
#[tokio::test(flavor = "multi_thread")]
async fn claude_signs_in_refreshes_and_ends_as_it_wants_it() {
    let claude = claude();
    let setup = setup(&claude, "accept_terms_risk = true").await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login anthropic").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    let link = login.link("Open sign-in page");
    let address: url::Url = link.parse().unwrap();
    let parameter =
        |name: &str| address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!(parameter("code").as_deref(), Some("true"));
    assert_eq!(parameter("client_id").as_deref(), Some("9d1c250a-e61b-44d9-88ed-5944d1962f5e"));
    // 32 bytes in base64url.
    assert_eq!(parameter("state").map(|state| state.len()), Some(43));

    let answer = claude.sign_in(&link, &Person::ada()).await;
    assert!(answer.contains('#'), "{answer}");
    let pasted = login
        .click("Paste the answer")
        .await
        .submit_modal([("Code from the last page", answer.as_str())])
        .await;
    pasted.sees_text("Signed in to Claude", SOON).await;
    let place = thread.id().to_string();
    let token = setup.token(&["claude", "--thread", &place]).await;
    assert!(claude.accepts(&token));
    let rejected = TokenHash::of(&token).to_string();
    let second = setup.token(&["claude", "--thread", &place, "--rejected-sha256", &rejected]).await;
    assert!(claude.accepts(&second) && second != token);

    let requests = claude.requests_to(Endpoint::Token);
    let [exchange, refresh] = requests.as_slice() else { panic!("one exchange, one refresh: {requests:?}") };
    for request in [exchange, refresh] {
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
    assert_eq!(exchange.field("state"), parameter("state").as_deref());
    assert_eq!((refresh.field("grant_type"), refresh.field("scope")), (Some("refresh_token"), None));

    let logout = ann.slash("/auth logout").in_thread(&thread).send().await;
    logout.sees_text("Log out of Claude", SOON).await;
    logout.click("Log out").await.sees_text("Logged out of Claude", SOON).await;
    assert_eq!(setup.cli(&["token", "claude", "--thread", &place]).await.code, 3);
    setup.discord.assert_clean();
}

/// G25, VENDORS: a token from the environment needs no sign-in and no terms, comes before a stored one, and `check` says so.
#[tokio::test(flavor = "multi_thread")]
async fn the_environments_token_is_served_first_and_needs_no_terms() {
    let claude = claude();
    let setup = setup(&claude, "share = \"guild\"").await;
    let mut program = tokio::process::Command::from(setup.program());
    program
        .args(["token", "claude"])
        .env("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat-of-a-year")
        .kill_on_drop(true);
    let output = program.output().await.unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, b"sk-ant-oat-of-a-year\n");
    let checked = setup.cli(&["check", "--offline"]).await;
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.contains("set accept_terms_risk = true if you accept that"), "{checked:?}");
    assert!(checked.stdout.contains("claude offers no way to sign in"), "{checked:?}");
    assert_eq!(claude.requests().len(), 0);
}
