//! No secret in any output, with everything logged that can be.

use latchkey::secret::TokenHash;
use latchkey_test_authority::{Endpoint, Person};

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// Z1, Z2: a device login, a paste with a wrong answer before it, a refresh after a 401, a failing exchange, a logout.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_a_refresh_and_a_logout_at_trace_show_no_secret_anywhere() {
    let setup = Setup::new().await;
    let loud = |program: &mut std::process::Command| {
        program.env("LATCHKEY_LOG", "trace").env("RUST_LOG", "trace");
    };
    let bot = Bot::start_with(&setup, loud).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let place = thread.id().to_string();

    let login = ann.slash("/auth login acme").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    setup.authority.approve_device(&login.link("Open sign-in page"), &Person::ada()).await;
    login.sees_text("Signed in to Acme", NEXT_POLL).await;

    let other = ann.slash("/auth login acme work").in_thread(&thread).send().await;
    other.sees_text("Try another way", SOON).await;
    let other = other.click("Try another way").await;
    other.sees_text("Paste the answer", SOON).await;
    let answer = setup.authority.sign_in(&other.link("Open sign-in page"), &Person::ada()).await;
    let form = other.click("Paste the answer").await;
    let wrong = answer.replace("state=", "state=not-");
    form.submit_modal([("Address of the last page", wrong.as_str())])
        .await
        .sees_text("did not work", SOON)
        .await;
    let refused = latchkey_test_authority::Canned::error(400, "invalid_request", &format!("no: {answer}"));
    setup.authority.answer_next(Endpoint::Token, 1, refused);
    let form = other.click("Paste the answer").await;
    form.submit_modal([("Address of the last page", answer.as_str())]).await.sees_text("failed", SOON).await;

    let mut said = String::new();
    let tenant = format!("acme@{}", ann.id());
    let token = setup.token(&[&tenant]).await;
    let mut program = tokio::process::Command::from(setup.program());
    program.args(["token", &tenant, "--rejected-sha256", &TokenHash::of(&token).to_string()]);
    let output = program.env("LATCHKEY_LOG", "trace").kill_on_drop(true).output().await.unwrap();
    assert!(output.status.success());
    said += &String::from_utf8(output.stderr).unwrap();

    let logout = ann.slash("/auth logout").option("tenant", &tenant).in_thread(&thread).send().await;
    logout.sees_text("Log out of Acme", SOON).await;
    logout.click("Log out").await.sees_text("Logged out", SOON).await;
    said += &setup.cli(&["token", "acme", "--thread", &place]).await.stderr;
    for arguments in [&["status"][..], &["status", "--json"], &["check"]] {
        let cli = setup.cli(arguments).await;
        said += &(cli.stdout + &cli.stderr);
    }

    said += &bot.said();
    assert!(said.contains("refresh") && said.contains("login started"), "it did log:\n{said}");
    setup.authority.assert_no_secret_in(&said);
    assert!(!said.contains(setup.discord.bot_token()), "the bot's own token");
    for interaction in [login.token(), other.token(), logout.token()] {
        assert!(!said.contains(&interaction), "an interaction's token:\n{said}");
    }
    let public = setup.discord.requests_to("POST /channels/*/messages");
    assert!(public.is_empty(), "nothing was to be said in public: {public:?}");
    setup.discord.assert_clean();
}
