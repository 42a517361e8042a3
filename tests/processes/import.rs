//! `latchkey import`: what it says, what it changes, and what it leaves alone.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use latchkey::broker::LoginReply;
use latchkey::credential::CredentialKind;
use latchkey::login::Answered;
use latchkey::tenant::User;
use latchkey_test_authority::{CLIENT, IdToken, Person, TokenSet};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::host::{Host, LONG, by_paste, printed, said};

mod taking;

/// A host, and a home folder with other programs' files.
struct House {
    host: Host,
    home: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        Self { host: Host::new(), home: tempfile::tempdir().unwrap() }
    }

    /// With codex offered here too, at the test's own server.
    fn with_codex() -> Self {
        let house = Self::new();
        let authority = &house.host.authority;
        let table = format!(
            "[providers.codex]\nshare = \"guild\"\nissuer = {:?}\ntoken_endpoint = {:?}\nauthorization_endpoint = {:?}\n\
             device_authorization_endpoint = {:?}\nclient_id = {CLIENT:?}\n",
            authority.issuer(),
            authority.token_endpoint(),
            authority.authorization_endpoint(),
            authority.codex_start_url(),
        );
        let config = std::fs::read_to_string(&house.host.config).unwrap();
        std::fs::write(&house.host.config, config + &table).unwrap();
        house
    }

    fn mint(&self, person: &Person) -> TokenSet {
        self.host.authority.mint(person, CLIENT, &["openid", "offline_access"])
    }

    fn file(&self, name: &str, content: &Value) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content.to_string()).unwrap();
        path
    }

    fn import(&self, arguments: &[&str]) -> Output {
        let line: Vec<_> = ["import"].into_iter().chain(arguments.iter().copied()).collect();
        self.host.latchkey(&line).env("HOME", self.home.path()).output().unwrap()
    }

    /// Code, standard output and standard error, with the home folder written as `~`.
    fn told(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = self.import(arguments);
        let home = self.home.path().to_string_lossy().into_owned();
        let short = |text: String| text.replace(&home, "~");
        (output.status.code(), short(printed(&output)), short(said(&output)))
    }

    fn auth_file(&self) -> Vec<u8> {
        std::fs::read(&self.host.auth).unwrap_or_default()
    }
}

fn codex_file(tokens: &TokenSet) -> Value {
    json!({
        "auth_mode": "chatgpt", "OPENAI_API_KEY": "sk-unused", "last_refresh": "2026-11-18T11:06:40.249817Z",
        "tokens": {
            "id_token": tokens.id_token, "access_token": tokens.access, "refresh_token": tokens.refresh,
            "account_id": "ada",
        },
        "token_endpoint": "https://evil.example/token",
    })
}

fn record(tokens: &TokenSet) -> Value {
    json!({
        "access_token": tokens.access, "refresh_token": tokens.refresh, "id_token": tokens.id_token,
        "expires_at": tokens.expires_at, "provider": "acme",
    })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

const CODEX_WARNING: &str = "latchkey: two owners of one rotating refresh token end the sign-in for both: whichever refreshes \
    second presents a spent token, and the provider ends it. Once it is imported, codex must not use ~/.codex/auth.json any \
    more: stop codex, move the file away (`mv ~/.codex/auth.json ~/.codex/auth.json.imported`; do not log out there, that \
    may end the sign-in here too), and let it take its tokens from `latchkey token codex`.\n";

/// F11: shown first, done with --yes, there already the second time; and then it is refreshed like any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_codex_file_is_shown_first_and_imported_on_request() {
    let house = House::with_codex();
    let file = house.file(".codex/auth.json", &codex_file(&house.mint(&Person::ada())));
    let before = std::fs::read(&file).unwrap();
    let (code, shown, warned) = house.told(&["codex"]);
    assert_eq!(code, Some(0), "{shown} {warned}");
    assert_eq!(
        shown,
        "~/.codex/auth.json\n  \
           tokens -> codex: would be imported, of ada@example.test\n  \
           OPENAI_API_KEY: left out: codex uses its sign-in, and a slot holds one of the two\n\
         Nothing was changed. To import (1), run it again with --yes."
    );
    assert_eq!(warned, CODEX_WARNING);
    assert_eq!(house.host.stored("codex"), None);

    let (code, shown, warned) = house.told(&["codex", "--yes"]);
    assert_eq!(code, Some(0), "{shown} {warned}");
    assert!(shown.contains("tokens -> codex: imported, of ada@example.test\n"), "{shown}");
    assert!(shown.ends_with("Imported: 1.") && warned.contains(CODEX_WARNING), "{shown} {warned}");
    let held = house.host.stored("codex").unwrap();
    assert_eq!(held.token_endpoint, Some(house.host.authority.token_endpoint()), "and not the file's");
    assert_eq!(std::fs::read(&file).unwrap(), before, "the file stays as it is");

    let stored = house.auth_file();
    let (code, shown, warned) = house.told(&["codex", "--yes"]);
    assert_eq!((code, warned.as_str()), (Some(0), ""), "{shown}");
    assert!(shown.contains("the tenant is left as it is: it holds these tokens already"), "{shown}");
    assert!(shown.ends_with("Nothing was changed."), "{shown}");
    assert_eq!(house.auth_file(), stored);

    let hash = held.access_token.hash().to_string();
    let fresh = house.host.latchkey(&["token", "codex", "--rejected-sha256", &hash]).output().unwrap();
    assert!(house.host.authority.accepts(&printed(&fresh)), "{}", said(&fresh));
    assert_eq!((house.host.authority.refreshes(), house.host.authority.reuses()), (1, 0));
}

/// F11: a key is served as it is, and never refreshed.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_imported_as_a_key() {
    let house = House::with_codex();
    house.file(".codex/auth.json", &json!({ "OPENAI_API_KEY": "sk-codex" }));
    let mut command = house.host.latchkey(&["import", "codex", "--yes"]);
    let output = command.env("HOME", house.home.path()).env("LATCHKEY_LOG", "info").output().unwrap();
    assert!(output.status.success(), "{} {}", printed(&output), said(&output));
    assert!(!said(&output).contains("two owners"), "a key may have many: {}", said(&output));
    let logged = said(&output);
    assert!(
        logged.contains("latchkey::audit") && logged.contains("imported"),
        "the audit line (Z3): {logged}"
    );
    assert_eq!(house.host.stored("codex").unwrap().kind, CredentialKind::Static);
    assert_eq!(printed(&house.host.latchkey(&["token", "codex"]).output().unwrap()), "sk-codex");
}

/// F11, F6: what cannot be read is an error with its place; what is not configured, an error with its remedy; and nothing is
/// lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_imported_is_said_and_changes_nothing() {
    let house = House::new();
    house.host.serving("acme").await;
    let before = house.auth_file();
    let (code, shown, said) = house.told(&["codex", "--yes"]);
    assert_eq!((code, shown.as_str()), (Some(2), ""));
    assert_eq!(
        said,
        "latchkey: cannot import from ~/.codex/auth.json: No such file or directory (os error 2); nothing was changed\n"
    );
    let half = house.home.path().join("half.json");
    std::fs::write(&half, r#"{"tokens": {"access_token": "at-very-secret", "#).unwrap();
    let (code, _, said) = house.told(&["codex", &text(&half), "--yes"]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("half.json: the file is not JSON, at line 1, column 46") && !said.contains("very"),
        "{said}"
    );
    let (code, _, said) = house.told(&["codex", &text(house.home.path()), "--yes"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("it is no file"), "{said}");

    house.file(
        ".claude/.credentials.json",
        &json!({ "claudeAiOauth": { "accessToken": "at", "refreshToken": "rt" } }),
    );
    let (code, shown, said) = house.told(&["claude", "--yes"]);
    assert_eq!((code, said.as_str()), (Some(2), ""));
    assert_eq!(
        shown,
        "~/.claude/.credentials.json\n  \
           claudeAiOauth: left out: provider claude is not configured: add [providers.\"claude\"] to latchkey.toml\n\
         Nothing was changed."
    );
    assert_eq!(house.auth_file(), before);
    assert_eq!(house.told(&["netscape"]).0, Some(2));
}

/// I7: neither side is changed, and no secret is shown, however much is logged; the code says that it was refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_import_changes_neither_side_and_shows_no_secret() {
    let house = House::new();
    let (ada, ben) = (house.mint(&Person::ada()), house.mint(&Person::ben()));
    let file = house.file("first.json", &json!({ "acme": record(&ada) }));
    assert!(house.import(&["openab", &text(&file), "--yes"]).status.success());
    let stored = house.auth_file();
    let mut other = record(&ben);
    other["expires_at"] = (ben.expires_at + 100).into();
    let file = house.file("second.json", &json!({ "acme": other, "acme/copy": record(&ada) }));
    let offered = std::fs::read(&file).unwrap();
    for yes in [true, false] {
        let file = text(&file);
        let arguments = ["import", "openab", &file, "--yes"];
        let mut command = house.host.latchkey(&arguments[..if yes { 4 } else { 3 }]);
        let output = command.env("LATCHKEY_LOG", "trace").output().unwrap();
        let (shown, logged) = (printed(&output), said(&output));
        assert_eq!(output.status.code(), Some(5), "{shown} {logged}");
        assert!(
            shown.contains(
                "acme -> acme: left out, and the tenant is left as it is: it holds another account"
            ),
            "{shown}"
        );
        assert!(
            shown.contains("acme/copy -> acme/copy: left out")
                && shown.contains(": acme holds this refresh token already")
        );
        assert_eq!(logged.matches("import refused").count(), if yes { 2 } else { 0 }, "{logged}");
        house.host.authority.assert_no_secret_in(&format!("{shown}{logged}"));
        assert_eq!((house.auth_file(), std::fs::read(&file).unwrap()), (stored.clone(), offered.clone()));
    }
}

/// F7: a full disk.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_cannot_be_written_loses_nothing() {
    let house = House::new();
    house.host.serving("acme/there").await;
    let before = house.auth_file();
    let file = house.file("one.json", &json!({ "acme": record(&house.mint(&Person::ada())) }));
    let offered = std::fs::read(&file).unwrap();
    let line = ["import", "openab", &text(&file), "--yes"];
    let output = house.host.latchkey(&line).env("FAILPOINTS", "write-temporary=return(28)").output().unwrap();
    assert_eq!((output.status.code(), printed(&output)), (Some(6), String::new()));
    assert!(said(&output).contains("make room on this disk"), "{}", said(&output));
    assert_eq!((house.auth_file(), std::fs::read(&file).unwrap()), (before, offered));
    assert!(house.import(&["openab", &text(&file), "--yes"]).status.success());
}

/// I9: twelve processes at once, each with another tenant for the same refresh token. One gets it, and the others name it.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_imports_of_one_refresh_token_one_has_it() {
    let house = House::new();
    let tokens = house.mint(&Person::ada());
    let mut running = JoinSet::new();
    for number in 0..12 {
        let name = format!("acme/p{number}");
        let file = house.file(&format!("{number}.json"), &json!({ name.as_str(): record(&tokens) }));
        let mut command =
            tokio::process::Command::from(house.host.latchkey(&["import", "openab", &text(&file), "--yes"]));
        command.kill_on_drop(true);
        running.spawn(async move {
            let output = tokio::time::timeout(LONG, command.output()).await.unwrap().unwrap();
            (name, output)
        });
    }
    let ended = running.join_all().await;
    let stored: Vec<_> = ended.iter().filter(|(_, output)| output.status.success()).collect();
    assert_eq!(stored.len(), 1, "{ended:?}");
    let winner = &stored[0].0;
    for (name, output) in ended.iter().filter(|(name, _)| name != winner) {
        assert_eq!(output.status.code(), Some(5), "{name}");
        assert!(
            printed(output).contains(&format!("{winner} holds this refresh token already")),
            "{}",
            printed(output)
        );
        assert_eq!(house.host.stored(name), None);
    }
}

/// F12: an MCP server that is named like a provider, and that provider: two slots.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_named_like_a_provider_collides_with_nothing() {
    let house = House::new();
    let config = std::fs::read_to_string(&house.host.config).unwrap();
    let table = config.split("[providers.acme]").nth(1).unwrap().to_owned();
    std::fs::write(&house.host.config, format!("{config}[providers.\"mcp:acme\"]{table}")).unwrap();
    let (own, mcp) = (house.mint(&Person::ada()), house.mint(&Person::ada()));
    let reply = json!({ "access_token": mcp.access, "refresh_token": mcp.refresh, "expires_in": 3_600 });
    let received = mcp.expires_at - 3_600;
    let server = json!({ "client_id": CLIENT, "token_response": reply, "token_received_at": received });
    house.file("provider.json", &json!({ "acme": record(&own) }));
    house.file("server.json", &json!({ "acme": server }));
    for name in ["provider.json", "server.json"] {
        let file = text(&house.home.path().join(name));
        let output = house.import(&["openab", &file, "--yes"]);
        assert!(output.status.success(), "{name}: {}", printed(&output));
    }
    for (tenant, tokens) in [("acme", &own), ("mcp:acme", &mcp)] {
        let output = house.host.latchkey(&["token", tenant]).output().unwrap();
        assert_eq!(printed(&output), tokens.access, "{tenant}: {}", said(&output));
    }
}

/// I6: what the operator imported without a name while a member was signing in is not that member's to take; an admin may.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_without_an_identity_is_taken_over_by_its_owner_or_an_admin_only() {
    let house = House::new();
    house.host.authority.set(|settings| settings.reply.id_token = IdToken::None);
    let broker = house.host.broker();
    let begin = async |user: u64, admin: bool| {
        let request = by_paste(User::Discord(user.into()), admin, "acme");
        let LoginReply::Started(started) = broker.login(request).await.unwrap() else { panic!("not again") };
        let url = started.login.authorize_url.as_ref().unwrap().expose().to_owned();
        (started.login.id, house.host.authority.sign_in(&url, &Person::ada()).await)
    };
    let member = begin(42, false).await;
    let admin = begin(43, true).await;
    let mut nameless = record(&house.mint(&Person::ada()));
    nameless["id_token"] = Value::Null;
    let file = house.file("one.json", &json!({ "acme": nameless }));
    assert!(house.import(&["openab", &text(&file), "--yes"]).status.success());
    let imported = house.host.stored("acme").unwrap();
    assert!(imported.account.is_unknown());

    let waits = broker.logins().paste(&User::Discord(42.into()), &member.0, &member.1).await.unwrap();
    assert_eq!(waits, Answered::Waits, "for an admin's word");
    assert_eq!(house.host.stored("acme"), Some(imported.clone()));
    let taken = broker.logins().paste(&User::Discord(43.into()), &admin.0, &admin.1).await.unwrap();
    assert_eq!(taken, Answered::Succeeded);
    assert_ne!(house.host.stored("acme").unwrap().id, imported.id);
}

/// F11: a pipe is no file, and is not waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_is_refused_at_once() {
    let house = House::with_codex();
    let pipe = house.home.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let (code, _, said) = house.told(&["codex", &text(&pipe)]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("it is no file; nothing was changed"), "{said}");
}
