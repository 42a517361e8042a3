//! Against a certified authorization server (npm `oidc-provider`), which is nobody's stand-in: from `/auth login` in a
//! thread to a token in `latchkey token`, its rotation, and its end.

use latchkey::secret::TokenHash;
use latchkey_test_authority::{CLIENT, OidcProvider, REDIRECT};
use latchkey_test_discord::Interaction;
use tokio::task::JoinSet;

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// The provider `real`.
pub(crate) fn table(oidc: &OidcProvider) -> String {
    format!(
        "[providers.real]\ntitle = \"Real\"\nissuer = {:?}\ntoken_endpoint = {:?}\n\
         device_authorization_endpoint = {:?}\nauthorization_endpoint = {:?}\nrevocation_endpoint = {:?}\n\
         client_id = {CLIENT:?}\nredirect_uri = {REDIRECT:?}\nflows = [\"device\", \"paste\"]\n\
         scopes = [\"openid\", \"offline_access\"]\nauthorize_params = {{ prompt = \"consent\" }}\n",
        oidc.issuer(),
        oidc.token_endpoint(),
        oidc.device_authorization_endpoint(),
        oidc.authorization_endpoint(),
        oidc.revocation_endpoint(),
    )
}

pub(crate) async fn setup(oidc: &OidcProvider) -> Setup {
    Setup::plan().more(&table(oidc)).start().await
}

async fn api_accepts(oidc: &OidcProvider, token: &str) -> bool {
    let call = reqwest::Client::new().get(oidc.api_url()).bearer_auth(token).send();
    call.await.expect("the server answers").status().is_success()
}

/// What holds after any way to sign in: the token serves, twenty agents that saw a 401 make one refresh, and a logout
/// ends the grant.
pub(crate) async fn serves_rotates_and_ends(
    oidc: &OidcProvider,
    setup: &Setup,
    login: &Interaction,
    thread: &str,
) {
    login.sees_text("Signed in to Real", NEXT_POLL).await;
    let first = setup.token(&["real", "--thread", thread]).await;
    assert!(api_accepts(oidc, &first).await);

    assert!(oidc.expire_access_token(&first).await);
    assert!(!api_accepts(oidc, &first).await);
    let hash = TokenHash::of(&first).to_string();
    let mut agents = JoinSet::new();
    for _ in 0..20 {
        let mut program = tokio::process::Command::from(setup.program());
        program.args(["token", "real", "--thread", thread, "--rejected-sha256", &hash]).kill_on_drop(true);
        agents.spawn(async move { program.output().await.expect("latchkey runs") });
    }
    let mut tokens: Vec<_> =
        agents.join_all().await.into_iter().map(|output| String::from_utf8(output.stdout).unwrap()).collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "everybody has the same token");
    assert!(api_accepts(oidc, tokens[0].trim_end()).await);
    assert_eq!((oidc.refreshes().await, oidc.reuses().await, oidc.grant_revoked_events().await), (1, 0, 0));

    let ann = setup.discord.member("ann");
    let place = setup.thread("fix-ci");
    let logout = ann.slash("/auth logout").in_thread(&place).send().await;
    logout.sees_text("Log out of Real", SOON).await;
    logout.click("Log out").await.sees_text("Logged out of Real", SOON).await;
    assert!(!api_accepts(oidc, tokens[0].trim_end()).await, "it was ended at the server too");
    assert_eq!(setup.cli(&["token", "real", "--thread", thread]).await.code, 3);
    setup.discord.assert_clean();
}

/// S12, T11, G1, G14, T12
#[tokio::test(flavor = "multi_thread")]
async fn a_device_login_serves_rotates_and_ends() {
    let oidc = OidcProvider::start().await;
    let setup = setup(&oidc).await;
    let bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login real").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    oidc.approve_device(&login.link("Open sign-in page"), "ada").await;
    serves_rotates_and_ends(&oidc, &setup, &login, &thread.id().to_string()).await;
    let said = bot.said();
    for secret in oidc.secrets().await {
        assert!(!said.contains(&secret), "the log holds a secret:\n{said}");
    }
}

/// T1, T2, T3, T4, G1, G14, T12
#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_login_serves_rotates_and_ends() {
    let oidc = OidcProvider::start().await;
    let setup = setup(&oidc).await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let device = ann.slash("/auth login real").in_thread(&thread).send().await;
    device.sees_text("Try another way", SOON).await;
    let login = device.click("Try another way").await;
    login.sees_text("Paste the answer", SOON).await;
    let answer = oidc.sign_in(&login.link("Open sign-in page"), "ada").await;
    let form = login.click("Paste the answer").await;
    let pasted = form.submit_modal([("Address of the last page", answer.as_str())]).await;
    serves_rotates_and_ends(&oidc, &setup, &pasted, &thread.id().to_string()).await;
}
