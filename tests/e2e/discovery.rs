//! A provider configured by its issuer alone: signed in to, refreshed and ended as one whose endpoints are named.

use std::path::PathBuf;

use latchkey::secret::TokenHash;
use latchkey_test_authority::{
    Authority, CLIENT, Endpoint, Interval, OidcProvider, Person, REDIRECT, Settings,
};
use tokio::task::JoinSet;

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};
use crate::oidc::serves_rotates_and_ends;

const OPEN: &str = "Open sign-in page";
const PASTE: &str = "Paste the answer";
const ADDRESS: &str = "Address of the last page";

/// The provider `real`, by its issuer alone; a redirect URI is what a paste needs.
async fn real(oidc: &OidcProvider) -> Setup {
    let table = format!(
        "[providers.real]\ntitle = \"Real\"\nissuer = {:?}\nclient_id = {CLIENT:?}\nredirect_uri = {REDIRECT:?}\n\
         scopes = [\"openid\", \"offline_access\"]\nauthorize_params = {{ prompt = \"consent\" }}\n",
        oidc.issuer(),
    );
    Setup::plan().more(&table).start().await
}

/// T13, S12, G1, G14, T12
#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_alone_is_enough_for_a_device_login() {
    let oidc = OidcProvider::start().await;
    let setup = real(&oidc).await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login real").in_thread(&thread).send().await;
    login.sees_text(OPEN, SOON).await;
    oidc.approve_device(&login.link(OPEN), "ada").await;
    serves_rotates_and_ends(&oidc, &setup, &login, &thread.id().to_string()).await;
}

/// T13, T1, T3, T4, G1, G14, T12
#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_alone_is_enough_for_a_pasted_login() {
    let oidc = OidcProvider::start().await;
    let setup = real(&oidc).await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let device = ann.slash("/auth login real").in_thread(&thread).send().await;
    device.sees_text("Try another way", SOON).await;
    let login = device.click("Try another way").await;
    login.sees_text(PASTE, SOON).await;
    let answer = oidc.sign_in(&login.link(OPEN), "ada").await;
    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    serves_rotates_and_ends(&oidc, &setup, &pasted, &thread.id().to_string()).await;
}

/// The scripted provider `found`, by its issuer alone.
struct House {
    found: Authority,
    setup: Setup,
    bot: Bot,
}

impl House {
    async fn new(settings: Settings) -> Self {
        let found = Authority::start_with(Settings { interval: Interval::Number(3), ..settings });
        let table = format!(
            "[providers.found]\nissuer = {:?}\nclient_id = {CLIENT:?}\nredirect_uri = {REDIRECT:?}\nshare = \"guild\"\n\
             scopes = [\"openid\", \"offline_access\"]\n",
            found.issuer(),
        );
        let setup = Setup::plan().more(&table).start().await;
        let bot = Bot::start(&setup).await;
        Self { found, setup, bot }
    }

    /// A device login of the guild's slot, after which the bot leaves it to one-shot commands; its access token.
    async fn sign_in(&mut self) -> String {
        let (ann, thread) = (self.setup.discord.member("ann"), self.setup.thread("fix-ci"));
        let login = ann.slash("/auth login found").in_thread(&thread).send().await;
        login.sees_text(OPEN, SOON).await;
        self.found.approve_device(&login.link(OPEN), &Person::ada()).await;
        login.sees_text("Signed in to found", NEXT_POLL).await;
        assert!(self.bot.stop().await.success());
        self.setup.token(&["found"]).await
    }

    fn asked(&self) -> usize {
        self.found.requests_to(Endpoint::Discovery).len()
    }

    fn cache(&self) -> PathBuf {
        self.setup.store().with_file_name("auth.json.metadata")
    }

    /// Has the next process find nothing in the cache.
    fn forget(&self) {
        std::fs::remove_dir_all(self.cache()).expect("there is a cache");
    }
}

/// T13, G24: what the bot has found serves the one-shot commands, and a fresh token asks for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn one_shot_commands_use_what_was_found_before() {
    let mut house = House::new(Settings { issuer_path: "/tenant/".to_owned(), ..Settings::default() }).await;
    let mut token = house.sign_in().await;
    for generation in 2..5 {
        let rejected = TokenHash::of(&token).to_string();
        house.found.expire_access_tokens();
        // A forced refresh is not repeated within a minute: these are expiries as the file tells them.
        house.setup.expire("found").await;
        token = house.setup.token(&["found", "--rejected-sha256", &rejected]).await;
        assert!(house.found.accepts(&token), "generation {generation}");
    }
    assert_eq!((house.found.refreshes(), house.asked()), (3, 1));
    // Many processes at once, and nothing known: each finds it, and what they leave is whole.
    house.forget();
    house.setup.expire("found").await;
    let mut processes = JoinSet::new();
    for _ in 0..8 {
        let mut program = tokio::process::Command::from(house.setup.program());
        program.arg("check").kill_on_drop(true);
        processes.spawn(async move { program.output().await.expect("latchkey runs").status.code() });
    }
    let token = house.setup.token(&["found"]).await;
    assert!(house.found.accepts(&token));
    assert_eq!(processes.join_all().await, [Some(0); 8]);
    let before = house.asked();
    house.setup.expire("found").await;
    house.setup.token(&["found"]).await;
    assert_eq!(house.asked(), before, "what many have written at once is whole");
    assert_eq!(house.found.reuses(), 0);
}

/// G30, C10: a token endpoint that was swapped gets nothing, and nothing is changed by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_swapped_token_endpoint_gets_nothing() {
    let mut house = House::new(Settings::default()).await;
    house.sign_in().await;
    let elsewhere = Authority::start();
    let swapped = elsewhere.token_endpoint();
    house.found.set(|settings| {
        settings.metadata.insert("token_endpoint".to_owned(), swapped.into());
    });
    house.forget();
    house.setup.expire("found").await;
    let before = house.setup.stored();
    let refused = house.setup.cli(&["token", "found"]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{refused:?}");
    assert!(refused.stderr.contains("issued to another token_endpoint"), "{refused:?}");
    assert_eq!((house.found.refreshes(), elsewhere.requests().len()), (0, 0));
    assert_eq!(house.setup.stored(), before);
    // It is put right without anybody's doing.
    house.found.set(|settings| settings.metadata.clear());
    house.forget();
    assert!(house.found.accepts(&house.setup.token(&["found"]).await));
}

/// T13, G16: without metadata nothing is sent, the sign-in is kept, and the next try is later.
#[tokio::test(flavor = "multi_thread")]
async fn without_metadata_a_refresh_sends_nothing_and_loses_nothing() {
    let mut house = House::new(Settings::default()).await;
    house.sign_in().await;
    house.forget();
    house.setup.expire("found").await;
    house.found.go_down();
    let refused = house.setup.cli(&["token", "found"]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (4, ""), "{refused:?}");
    assert!(refused.stderr.contains("the sign-in is kept"), "{refused:?}");
    house.found.come_back();
    assert_eq!(house.found.refreshes(), 0);
    let checked = house.setup.cli(&["check"]).await;
    let found_at = format!("endpoints from {}/.well-known/oauth-authorization-server", house.found.issuer());
    assert!(checked.code == 0 && checked.stdout.contains("found: sign-in by device, paste"), "{checked:?}");
    assert!(checked.stdout.contains(&found_at), "{checked:?}");
    let late = std::time::Instant::now() + NEXT_POLL;
    loop {
        let again = house.setup.cli(&["token", "found"]).await;
        if again.code == 0 {
            break assert!(house.found.accepts(&again.stdout));
        }
        assert!(again.code == 4 && std::time::Instant::now() < late, "{again:?}");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    assert_eq!((house.found.refreshes(), house.found.reuses()), (1, 0));
}

/// T4: an answer that leaves out whose it is, although the metadata promised it, is refused and costs nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_promised_issuer_is_missed_in_a_pasted_answer() {
    let house = House::new(Settings::default()).await;
    let (ann, thread) = (house.setup.discord.member("ann"), house.setup.thread("fix-ci"));
    let device = ann.slash("/auth login found").in_thread(&thread).send().await;
    device.sees_text("Try another way", SOON).await;
    let login = device.click("Try another way").await;
    login.sees_text(PASTE, SOON).await;
    let answer = house.found.sign_in(&login.link(OPEN), &Person::ada()).await;
    let (without, _) = answer.split_once("&iss=").expect("the server keeps its promise");
    let refused = login.click(PASTE).await.submit_modal([(ADDRESS, without)]).await;
    refused.sees_text("another provider", SOON).await;
    assert_eq!(house.found.exchanges(), 0);
    let pasted = login.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to found", SOON).await;
    house.setup.discord.assert_clean();
}

/// T13, U3: a way that the metadata takes out is no other way to try.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_metadata_takes_out_is_no_other_way() {
    let house = House::new(Settings::default()).await;
    house.found.set(|settings| {
        settings.metadata.insert("code_challenge_methods_supported".to_owned(), vec!["plain"].into());
    });
    let (ann, thread) = (house.setup.discord.member("ann"), house.setup.thread("fix-ci"));
    let login = ann.slash("/auth login found").in_thread(&thread).send().await;
    let view = login.sees_text(OPEN, SOON).await;
    assert!(!view.contains("Try another way"), "{}", view.render());
    house.setup.discord.assert_clean();
}

/// T1, T13: without S256 there is no sign-in by a page, and what remains is offered; `check` says why.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_metadata_takes_out_is_said_by_check() {
    let house = House::new(Settings::default()).await;
    // Where no store is, `check` makes none, and so keeps no metadata either.
    house.setup.open_store();
    std::fs::write(house.setup.store(), r#"{"version": 1}"#).unwrap();
    std::fs::set_permissions(house.setup.store(), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    house.found.set(|settings| {
        settings.metadata.insert("code_challenge_methods_supported".to_owned(), vec!["plain"].into());
    });
    let checked = house.setup.cli(&["check"]).await;
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.contains("found: sign-in by device; endpoints from"), "{checked:?}");
    assert!(
        checked.stdout.contains("no sign-in by paste") && checked.stdout.contains("lacks S256"),
        "{checked:?}"
    );
    house.found.set(|settings| {
        settings.metadata.insert("issuer".to_owned(), "https://other.example".into());
    });
    let checked = house.setup.cli(&["check"]).await;
    assert_eq!(checked.code, 2, "{checked:?}");
    assert!(checked.stdout.contains("it is the document of \"https://other.example\""), "{checked:?}");
    // A refusal stands until a document is accepted.
    house.found.set(|settings| {
        settings.metadata.remove("issuer");
    });
    assert_eq!(house.setup.cli(&["check"]).await.code, 0);
    house.found.go_down();
    let checked = house.setup.cli(&["check"]).await;
    assert!(
        checked.code == 0 && checked.stdout.contains("what was found before goes on being used"),
        "{checked:?}"
    );
    house.forget();
    let checked = house.setup.cli(&["check"]).await;
    assert!(
        checked.code == 4
            && checked.stdout.contains("PROBLEM")
            && checked.stdout.contains("name the endpoints"),
        "{checked:?}"
    );
}
