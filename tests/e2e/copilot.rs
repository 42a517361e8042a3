//! The built-in `copilot`: GitHub's sign-in, whose token lasts, and Copilot's own tokens, which are exchanged for it.

use latchkey::secret::TokenHash;
use latchkey_test_authority::{Authority, CopilotAccess, Endpoint, Person, Settings};

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// The table of the built-in, at `github` instead of its own servers.
pub(crate) fn table(github: &Authority) -> String {
    format!(
        "[providers.copilot]\ntoken_endpoint = {:?}\ndevice_authorization_endpoint = {:?}\nuserinfo_endpoint = {:?}\n\
         [providers.copilot.refresh]\nendpoint = {:?}\n",
        github.token_endpoint(),
        github.url("/device/code"),
        github.url("/user"),
        github.copilot_url(),
    )
}

/// VENDORS, G14, G16, G17, T10, T12
#[tokio::test(flavor = "multi_thread")]
async fn copilot_signs_in_exchanges_and_ends() {
    let github = Authority::start_with(Settings::copilot());
    let setup = Setup::plan().more(&table(&github)).start().await;
    let bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login github-copilot").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    let code = github.user_codes().pop().expect("a device login was started");
    github.approve_device(&code, &Person::ada()).await;
    login.sees_text("Signed in to GitHub Copilot", NEXT_POLL).await;
    let place = thread.id().to_string();
    let first = setup.token(&["copilot", "--thread", &place]).await;
    assert!(first.starts_with("tid=") && github.accepts(&first), "{first}");
    assert_eq!(github.copilot_exchanges(), 1);

    // The account is a number, since its owner shows no address; nothing is made up.
    let number = Person::ada().number().to_string();
    let status = ann.slash("/auth status").in_thread(&thread).send().await;
    status.sees_text(&number, SOON).await;
    let shown = setup.cli(&["status", "--json"]).await;
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["tenants"][0]["account"], number);
    assert_eq!(shown["tenants"][0]["extra"]["endpoints.api"], github.url("/copilot"));
    let tenant = format!("copilot@{}", ann.id());
    let stored: serde_json::Value = serde_json::from_str(&setup.stored()).unwrap();
    let sign_in = stored["tenants"][&tenant]["refresh_token"].as_str().unwrap().to_owned();
    assert!(github.accepts(&sign_in) && !sign_in.starts_with("tid="));

    // Another exchange takes a refresh's place.
    let rejected = TokenHash::of(&first).to_string();
    let second = setup.token(&["copilot", "--thread", &place, "--rejected-sha256", &rejected]).await;
    assert!(second != first && github.accepts(&second), "{second}");
    assert_eq!((github.copilot_exchanges(), github.refreshes()), (2, 0));

    // The subscription ends: that is said as it is, and nobody is asked to sign in.
    github.set(|settings| settings.copilot.access = CopilotAccess::NoPlan);
    setup.expire(&tenant).await;
    let refused = setup.cli(&["token", "copilot", "--thread", &place]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (5, ""), "{refused:?}");
    assert!(refused.stderr.contains("No access to GitHub Copilot found"), "{refused:?}");
    assert!(!refused.stderr.contains("sign in again"), "{refused:?}");

    // GitHub's token is revoked there: that asks for a new sign-in.
    github.revoke_grant(&sign_in);
    setup.expire(&tenant).await;
    let dead = setup.cli(&["token", "copilot", "--thread", &place]).await;
    assert_eq!((dead.code, dead.stdout.as_str()), (3, ""), "{dead:?}");
    assert!(dead.stderr.contains("sign in again"), "{dead:?}");

    let logout = ann.slash("/auth logout").in_thread(&thread).send().await;
    logout.sees_text("Log out of GitHub Copilot", SOON).await;
    logout.click("Log out").await.sees_text("remove the access in your account there", SOON).await;
    assert_eq!(
        (setup.cli(&["token", "copilot", "--thread", &place]).await.code, github.revocations()),
        (3, 0)
    );
    for request in github.requests_to(Endpoint::CopilotToken) {
        assert_eq!(request.header("authorization"), Some(format!("token {sign_in}").as_str()));
    }
    github.assert_fresh_connections(Endpoint::CopilotToken);
    for text in [bot.said(), refused.stderr, dead.stderr] {
        github.assert_no_secret_in(&text);
    }
    setup.discord.assert_clean();
}

/// U3, T10: an account without a subscription is told so when it signs in, and nothing is stored.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_copilot_is_told_so_at_the_sign_in() {
    let github = Authority::start_with(Settings::copilot());
    github.set(|settings| settings.copilot.access = CopilotAccess::NoPlan);
    let setup = Setup::plan().more(&table(&github)).start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login copilot").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    let code = github.user_codes().pop().expect("a device login was started");
    github.approve_device(&code, &Person::ada()).await;
    let told = login.sees_text("has no access to this at the provider", NEXT_POLL).await;
    assert!(told.contains("No access to GitHub Copilot found"), "{}", told.render());
    assert_eq!(setup.cli(&["token", "copilot", "--thread", &thread.id().to_string()]).await.code, 3);
    assert!(!setup.stored().contains("refresh_token"), "{}", setup.stored());
    setup.discord.assert_clean();
}
