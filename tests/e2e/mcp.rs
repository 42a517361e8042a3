//! MCP servers as tenants, against a server that takes tokens issued for it alone, behind a certified authorization server
//! (npm `oidc-provider`) that registers clients.

use std::path::PathBuf;

use latchkey::secret::TokenHash;
use latchkey_test_authority::{OidcProvider, OidcSettings};
use latchkey_test_discord::Interaction;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::harness::{Bot, SOON, Setup};

const OPEN: &str = "Open sign-in page";
const PASTE: &str = "Paste the answer";
const ADDRESS: &str = "Address of the last page";
/// Where answers go to be pasted, unless somebody says otherwise.
const REDIRECT: &str = "http://127.0.0.1:8765/callback";

/// The MCP server `notes`, by its address alone.
async fn notes(oidc: &OidcProvider) -> Setup {
    let table = format!("[providers.\"mcp:notes\"]\nurl = {:?}\nshare = \"guild\"\n", oidc.mcp_url());
    Setup::plan().more(&table).start().await
}

/// Signs `login` in at `oidc`, from a message that offers to.
async fn paste(oidc: &OidcProvider, login: &Interaction) -> Interaction {
    login.sees_text(PASTE, SOON).await;
    let answer = oidc.sign_in(&login.link(OPEN), "ada").await;
    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text(r"Signed in to mcp\:notes", SOON).await;
    pasted
}

async fn sign_in(oidc: &OidcProvider, setup: &Setup) -> Interaction {
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login").option("provider", "mcp:notes").in_thread(&thread).send().await;
    paste(oidc, &login).await
}

fn stored(setup: &Setup) -> Value {
    let file: Value = serde_json::from_str(&setup.stored()).unwrap();
    file["tenants"]["mcp:notes"].clone()
}

fn cache(setup: &Setup) -> PathBuf {
    setup.store().with_file_name("auth.json.metadata")
}

/// VENDORS `mcp`, T1, T12, T13, G1, Z1: from its address alone to a token that it takes, its rotation by twenty processes, and its end.
#[tokio::test(flavor = "multi_thread")]
async fn an_mcp_server_is_signed_in_to_by_its_address_alone() {
    let oidc = OidcProvider::start().await;
    let setup = notes(&oidc).await;
    let checked = setup.cli(&["check"]).await;
    assert_eq!(checked.code, 0, "{checked:?}");
    for said in ["mcp:notes: sign-in by paste; endpoints from", "a client is registered at the first sign-in"]
    {
        assert!(checked.stdout.contains(said), "{checked:?}");
    }
    let bot = Bot::start(&setup).await;
    sign_in(&oidc, &setup).await;
    let first = setup.token(&["mcp:notes"]).await;
    assert!(oidc.mcp_accepts(&first).await);
    let held = stored(&setup);
    assert_eq!(
        (held["resource"].as_str(), held["issuer"].as_str(), held["client_id"].as_str()),
        (Some(oidc.mcp_url()), Some(oidc.issuer()), held["registration"]["client_id"].as_str())
    );
    let made = oidc.registrations().await;
    assert_eq!(made.len(), 1);
    assert_eq!(
        (&made[0]["client_name"], &made[0]["redirect_uris"], &made[0]["token_endpoint_auth_method"]),
        (&"Latchkey".into(), &serde_json::json!([REDIRECT]), &"none".into())
    );

    // Twenty processes that saw the token rejected.
    let hash = TokenHash::of(&first).to_string();
    let mut agents = JoinSet::new();
    for _ in 0..20 {
        let mut program = tokio::process::Command::from(setup.program());
        program
            .args(["token", "mcp:notes", "--rejected-sha256", &hash, "--timeout", "50s"])
            .kill_on_drop(true);
        agents.spawn(async move { program.output().await.expect("latchkey runs") });
    }
    let mut tokens: Vec<_> =
        agents.join_all().await.into_iter().map(|output| String::from_utf8(output.stdout).unwrap()).collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "everybody has the same token");
    let second = tokens[0].trim_end();
    assert!(second != first && oidc.mcp_accepts(second).await);
    assert_eq!((oidc.refreshes().await, oidc.reuses().await), (1, 0));
    for request in oidc.token_requests().await {
        assert_eq!(request.fields["resource"].as_str(), Some(oidc.mcp_url()), "{:?}", request.grant_type);
        assert_eq!(request.fields["client_id"], held["client_id"]);
    }

    let (admin, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let logout = admin.slash("/auth logout").in_thread(&thread).send().await;
    logout.sees_text("Log out of", SOON).await;
    logout.click("Log out").await.sees_text("Logged out of", SOON).await;
    assert!(!oidc.mcp_accepts(second).await, "it was ended at the server too");
    assert_eq!(setup.cli(&["token", "mcp:notes"]).await.code, 3);
    setup.discord.assert_clean();
    let said = bot.said();
    for secret in oidc.secrets().await {
        assert!(!said.contains(&secret), "the log holds a secret:\n{said}");
    }
    assert!(!said.contains("everyone"), "what the server calls itself is repeated");
}

/// G24, T13: what was found serves one-shot commands: a refresh asks nobody else, and a fresh token nobody at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_one_shot_refresh_uses_what_was_found_before() {
    let oidc = OidcProvider::start().await;
    let setup = notes(&oidc).await;
    let mut bot = Bot::start(&setup).await;
    sign_in(&oidc, &setup).await;
    assert!(bot.stop().await.success());
    // The server names somebody who is not there: whoever asked it again would come to nothing.
    oidc.set_mcp_issuers(&["http://127.0.0.1:1"]).await;
    setup.expire("mcp:notes").await;
    let token = setup.token(&["mcp:notes"]).await;
    assert!(oidc.mcp_accepts(&token).await);
    std::fs::remove_dir_all(cache(&setup)).unwrap();
    assert_eq!(setup.token(&["mcp:notes"]).await, token);
    assert!(!cache(&setup).exists(), "somebody was asked about a fresh token");
    setup.expire("mcp:notes").await;
    let refused = setup.cli(&["token", "mcp:notes"]).await;
    assert_eq!(refused.code, 4, "it is away, and the sign-in is kept: {refused:?}");
    assert_eq!((oidc.refreshes().await, oidc.reuses().await), (1, 0));
}

/// G30, RFC 7591: another authorization server gets nothing of the old sign-in, and registers a client of its own at the new.
#[tokio::test(flavor = "multi_thread")]
async fn another_authorization_server_gets_nothing_and_registers_anew() {
    let (old, new) = (OidcProvider::start().await, OidcProvider::start_with(secretive()).await);
    let setup = notes(&old).await;
    let bot = Bot::start(&setup).await;
    sign_in(&old, &setup).await;
    let before = stored(&setup);
    bot_ends(bot).await;
    old.set_mcp_issuers(&[new.issuer()]).await;
    std::fs::remove_dir_all(cache(&setup)).unwrap();
    setup.expire("mcp:notes").await;
    let refused = setup.cli(&["token", "mcp:notes"]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{refused:?}");
    assert!(refused.stderr.contains("issued to another token_endpoint"), "{refused:?}");
    assert_eq!((old.refreshes().await, new.token_requests().await.len()), (0, 0));
    assert_eq!(new.registrations().await.len(), 0);

    // The new one knows nothing of the resource of the old: that it registers a client is what counts here.
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login").option("provider", "mcp:notes").in_thread(&thread).send().await;
    login.sees_text(PASTE, SOON).await;
    let made = new.registrations().await;
    assert_eq!((made.len(), old.registrations().await.len()), (1, 1));
    assert_eq!(made[0]["token_endpoint_auth_method"], "client_secret_basic");
    assert!(login.link(OPEN).starts_with(&new.authorization_endpoint()));
    assert_eq!(
        stored(&setup)["registration"],
        before["registration"],
        "the old one stays with the old sign-in"
    );
}

fn secretive() -> OidcSettings {
    OidcSettings { client_auth: Some("client_secret_basic"), ..OidcSettings::default() }
}

async fn bot_ends(mut bot: Bot) {
    assert!(bot.stop().await.success());
}
