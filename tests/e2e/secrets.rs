//! No secret in any output, with everything logged that can be; nor in any file of the store, where it is sealed.

use std::collections::BTreeSet;
use std::path::Path;

use latchkey::secret::{Secret, TokenHash};
use latchkey::store::Store;
use latchkey::store::seal::new_key;
use latchkey_test_authority::{Endpoint, Person};

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// Z1, Z2: a device login, a paste with a wrong answer before it, a refresh after a 401, a failing exchange, a logout.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_a_refresh_and_a_logout_at_trace_show_no_secret_anywhere() {
    a_life_at_trace(Setup::new().await, |_| {}).await;
}

/// Sealing, Z1, Z2: the same with sealing on: at every step none of what is secret stands in a file of the store either.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_that_is_sealed_leaves_no_secret_in_any_file() {
    let setup = Setup::plan().sealed().start().await;
    let mut seen = Seen::default();
    let said = a_life_at_trace(setup, |setup| seen.look(setup)).await;
    assert_eq!(
        seen.kinds,
        ["access", "device", "identity", "interaction", "refresh", "state", "user", "verifier"].into()
    );
    for secret in &seen.secrets {
        assert!(!said.contains(secret), "a secret is in the log");
    }
}

/// All secrets that were ever in the store.
#[derive(Default)]
struct Seen {
    secrets: BTreeSet<String>,
    kinds: BTreeSet<&'static str>,
}

impl Seen {
    /// Opens the store with its key, takes down what is secret in it, and reads its files as they are.
    fn look(&mut self, setup: &Setup) {
        let document = setup.open_store().snapshot().unwrap();
        let mut found: Vec<(&'static str, Option<Secret>)> = Vec::new();
        for (_, held) in document.tenants() {
            found.push(("access", Some(held.access_token.clone())));
            found.push(("refresh", held.refresh_token.clone()));
            found.push(("identity", held.id_token.clone()));
        }
        for login in document.logins() {
            found.push(("verifier", login.verifier.clone()));
            found.push(("state", login.state.clone()));
            found.push(("device", login.device_code.clone()));
            found.push(("user", login.user_code.clone()));
            for watcher in &login.watchers {
                found.push(("interaction", watcher.interaction.clone()));
            }
        }
        for (kind, secret) in found {
            let Some(secret) = secret else { continue };
            self.kinds.insert(kind);
            self.secrets.insert(secret.expose().to_owned());
        }
        let text = files(setup.store().parent().unwrap());
        assert!(text.contains("\"sealing\""), "it is sealed");
        for secret in &self.secrets {
            assert!(!text.contains(secret), "a secret stands in a file of the store");
        }
        setup.authority.assert_no_secret_in(&text);
    }
}

/// What stands in all files of `folder`.
fn files(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let text = entries.map(|path| {
        if path.is_dir() {
            return files(&path);
        }
        // A temporary file may be gone by now.
        String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned()
    });
    text.collect()
}

/// Gives all that was printed and logged; `each` looks at every step.
async fn a_life_at_trace(setup: Setup, mut each: impl FnMut(&Setup)) -> String {
    let loud = |program: &mut std::process::Command| {
        program.env("LATCHKEY_LOG", "trace").env("RUST_LOG", "trace");
    };
    let bot = Bot::start_with(&setup, loud).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let place = thread.id().to_string();

    let login = ann.slash("/auth login acme").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    each(&setup);
    setup.authority.approve_device(&login.link("Open sign-in page"), &Person::ada()).await;
    login.sees_text("Signed in to Acme", NEXT_POLL).await;
    each(&setup);

    let other = ann.slash("/auth login acme work").in_thread(&thread).send().await;
    other.sees_text("Try another way", SOON).await;
    let other = other.click("Try another way").await;
    other.sees_text("Paste the answer", SOON).await;
    each(&setup);
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
    each(&setup);

    let mut said = String::new();
    let tenant = format!("acme@{}", ann.id());
    let token = setup.token(&[&tenant]).await;
    let mut program = tokio::process::Command::from(setup.program());
    program.args(["token", &tenant, "--rejected-sha256", &TokenHash::of(&token).to_string()]);
    let output = program.env("LATCHKEY_LOG", "trace").kill_on_drop(true).output().await.unwrap();
    assert!(output.status.success());
    said += &String::from_utf8(output.stderr).unwrap();
    each(&setup);

    let logout = ann.slash("/auth logout").option("tenant", &tenant).in_thread(&thread).send().await;
    logout.sees_text("Log out of Acme", SOON).await;
    logout.click("Log out").await.sees_text("Logged out", SOON).await;
    each(&setup);
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
    said
}

/// Sealing: a bot without the right key ends at once, with exit code 6 and the remedy, and leaves the file as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_with_the_wrong_key_ends_at_once_and_changes_nothing() {
    let setup = Setup::plan().sealed().start().await;
    setup.open_store().seal_now().await.unwrap();
    let before = setup.stored();
    let keys = setup.dir.path().join("seal.keys");
    std::fs::write(&keys, new_key(Some("other")).unwrap().expose()).unwrap();
    let ended = setup.cli(&["run"]).await;
    assert_eq!(ended.code, 6, "{}", ended.stderr);
    assert!(ended.stderr.contains("not among those that are configured (other)"), "{}", ended.stderr);
    assert_eq!(setup.stored(), before);
}
