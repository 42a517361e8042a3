//! Clients that an authorization server registers (RFC 7591), against a certified one (npm `oidc-provider`).

use latchkey::secret::TokenHash;
use latchkey_test_authority::{OidcProvider, OidcSettings};
use latchkey_test_discord::Interaction;
use serde_json::Value;

use crate::harness::{Bot, SOON, Setup};

const OPEN: &str = "Open sign-in page";
const PASTE: &str = "Paste the answer";
const ADDRESS: &str = "Address of the last page";

/// The provider `house`, by its issuer alone, which takes clients with secrets only, and has none from the start.
async fn house(oidc: &OidcProvider) -> Setup {
    let table = format!(
        "[providers.house]\nissuer = {:?}\nredirect_uri = \"http://127.0.0.1:8765/cb\"\nflows = [\"paste\"]\n\
         scopes = [\"openid\", \"offline_access\"]\nauthorize_params = {{ prompt = \"consent\" }}\n",
        oidc.issuer(),
    );
    Setup::plan().more(&table).start().await
}

fn secretive(secret_ttl: u32) -> OidcSettings {
    OidcSettings { client_auth: Some("client_secret_basic"), secret_ttl, ..OidcSettings::default() }
}

async fn paste(oidc: &OidcProvider, login: &Interaction) {
    login.sees_text(PASTE, SOON).await;
    let answer = oidc.sign_in(&login.link(OPEN), "ada").await;
    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to house", SOON).await;
}

async fn sign_in(oidc: &OidcProvider, setup: &Setup, member: &str) {
    let (member, thread) = (setup.discord.member(member), setup.thread("fix-ci"));
    let login = member.slash("/auth login house").in_thread(&thread).send().await;
    paste(oidc, &login).await;
}

async fn sign_in_again(oidc: &OidcProvider, setup: &Setup, member: &str) {
    let (member, thread) = (setup.discord.member(member), setup.thread("fix-more"));
    let login = member.slash("/auth login house").in_thread(&thread).send().await;
    login.sees_text("Sign in again", SOON).await;
    paste(oidc, &login.click("Sign in again").await).await;
}

fn tenants(setup: &Setup) -> serde_json::Map<String, Value> {
    let file: Value = serde_json::from_str(&setup.stored()).unwrap();
    file["tenants"].as_object().cloned().unwrap_or_default()
}

/// Changes each tenant in the file, which nobody else writes meanwhile.
fn edit(setup: &Setup, change: impl Fn(&mut Value)) {
    let mut file: Value = serde_json::from_str(&setup.stored()).unwrap();
    file["tenants"].as_object_mut().unwrap().values_mut().for_each(change);
    std::fs::write(setup.store(), serde_json::to_vec_pretty(&file).unwrap()).unwrap();
}

/// Has an agent see its token rejected: the bot runs, and the file is not the test's to write.
async fn refresh(setup: &Setup, tenant: &str) {
    let rejected = TokenHash::of(&setup.token(&[tenant]).await).to_string();
    setup.token(&[tenant, "--rejected-sha256", &rejected]).await;
}

/// RFC 7591, T12, Z1: each tenant has a client of its own, used again by its next sign-in and by each refresh, and for its end.
#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_has_a_client_of_its_own_and_keeps_it() {
    let oidc = OidcProvider::start_with(secretive(0)).await;
    let setup = house(&oidc).await;
    let bot = Bot::start(&setup).await;
    sign_in(&oidc, &setup, "ann").await;
    let anns = tenants(&setup);
    let (ann, held) = anns.iter().next().unwrap();
    assert!(held["registration"]["client_secret"].is_string());
    sign_in(&oidc, &setup, "bob").await;
    assert_eq!(oidc.registrations().await.len(), 2);
    assert_eq!(
        tenants(&setup)[ann]["registration"],
        held["registration"],
        "another's sign-in disturbs nothing"
    );

    refresh(&setup, ann).await;
    assert_eq!((oidc.refreshes().await, oidc.reuses().await), (1, 0));
    sign_in_again(&oidc, &setup, "ann").await;
    assert_eq!(oidc.registrations().await.len(), 2, "it is used again");
    assert_eq!(tenants(&setup)[ann]["registration"], held["registration"]);

    let (member, thread) = (setup.discord.member("ann"), setup.thread("fix-more"));
    let token = setup.token(&[ann]).await;
    let logout = member.slash("/auth logout").in_thread(&thread).send().await;
    logout.sees_text("Log out of", SOON).await;
    let over = logout.click("Log out").await;
    over.sees_text("Logged out of", SOON).await;
    let revoked: Vec<_> =
        oidc.requests().await.into_iter().filter(|one| one.endpoint == "revocation").collect();
    assert!(!revoked.is_empty() && revoked.iter().all(|one| one.status == Some(200)), "{revoked:?}");
    assert!(
        !setup.stored().contains(held["registration"]["client_secret"].as_str().unwrap()),
        "it leaves with it"
    );
    let said = bot.said();
    for secret in oidc.secrets().await.into_iter().chain([token]) {
        assert!(!said.contains(&secret), "the log holds a secret:\n{said}");
    }
}

/// RFC 7591 section 3.2.1, G16: a secret that has ended by our clock is sent, and the server decides; a new sign-in registers
/// anew, and only then.
#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_has_ended_is_renewed_by_the_next_sign_in() {
    let oidc = OidcProvider::start_with(secretive(7_200)).await;
    let setup = house(&oidc).await;
    let mut bot = Bot::start(&setup).await;
    sign_in(&oidc, &setup, "ann").await;
    let anns = tenants(&setup);
    let (ann, held) = anns.iter().next().unwrap();
    assert!(held["registration"]["client_secret_expires_at"].as_i64().unwrap() > 7_200);
    assert!(bot.stop().await.success());
    edit(&setup, |tenant| {
        tenant["expires_at"] = 1.into();
        tenant["registration"]["client_secret_expires_at"] = 1.into();
    });
    let served = setup.cli(&["token", ann]).await;
    assert_eq!((served.code, oidc.refreshes().await), (0, 1), "{served:?}");

    let _bot = Bot::start(&setup).await;
    sign_in_again(&oidc, &setup, "ann").await;
    assert_eq!(oidc.registrations().await.len(), 2);
    let renewed = &tenants(&setup)[ann];
    assert_ne!(renewed["client_id"], held["client_id"]);
    assert_eq!(renewed["client_id"], renewed["registration"]["client_id"]);
    refresh(&setup, ann).await;
    assert_eq!((oidc.refreshes().await, oidc.reuses().await), (2, 0));
}
