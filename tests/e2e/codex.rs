//! The built-in `codex`: its own device protocol, and its way to say that a refresh token was used twice.

use latchkey_test_authority::{Authority, Person, Settings};

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// The table of the built-in, at `codex` instead of its own servers.
pub(crate) fn table(codex: &Authority) -> String {
    format!(
        "[providers.codex]\nissuer = {:?}\ntoken_endpoint = {:?}\nauthorization_endpoint = {:?}\n\
         device_authorization_endpoint = {:?}\n[providers.codex.device]\npoll_endpoint = {:?}\n\
         verification_uri = {:?}\nexchange_redirect_uri = {:?}\n",
        codex.issuer(),
        codex.token_endpoint(),
        codex.authorization_endpoint(),
        codex.codex_start_url(),
        codex.codex_poll_url(),
        codex.url("/codex/device"),
        codex.codex_callback(),
    )
}

/// T8, T11, G16, G17
#[tokio::test(flavor = "multi_thread")]
async fn codex_signs_in_by_its_own_protocol_and_a_reuse_asks_to_sign_in_again() {
    let codex = Authority::start_with(Settings::codex());
    let setup = Setup::plan().more(&table(&codex)).start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login codex").in_thread(&thread).send().await;
    let card = login.sees_text("Open sign-in page", SOON).await;
    assert!(card.contains("switched off"), "what will look wrong is said before the tap:\n{}", card.render());
    let code = codex.user_codes().pop().expect("a device login was started");
    codex.approve_device(&code, &Person::ada()).await;
    login.sees_text("Signed in to OpenAI Codex", NEXT_POLL).await;
    let place = thread.id().to_string();
    let token = setup.token(&["codex", "--thread", &place]).await;
    assert!(codex.accepts(&token));
    let stored: serde_json::Value = serde_json::from_str(&setup.stored()).unwrap();
    let tenant = format!("codex@{}", ann.id());
    assert_eq!(stored["tenants"][&tenant]["account"]["id"], format!("acct-{}", Person::ada().sub));

    // Another program on this host spends the refresh token behind our back: what Latchkey is there to end.
    let refresh = stored["tenants"][&tenant]["refresh_token"].as_str().unwrap().to_owned();
    let client = stored["tenants"][&tenant]["client_id"].as_str().unwrap().to_owned();
    let form = [("grant_type", "refresh_token"), ("refresh_token", &refresh), ("client_id", &client)];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let spent = reqwest::Client::new()
        .post(codex.token_endpoint())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap();
    assert!(spent.status().is_success());
    let hash = latchkey::secret::TokenHash::of(&token).to_string();
    let refused = setup.cli(&["token", "codex", "--thread", &place, "--rejected-sha256", &hash]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""), "{refused:?}");
    assert!(refused.stderr.contains("sign in again"), "{refused:?}");
    setup.discord.assert_clean();
}
