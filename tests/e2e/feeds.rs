//! Files that the bot keeps for the real codex and the real Claude Code, which talk to a server of ours.

mod api;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use latchkey::clock::Clock;
use latchkey::credential::{Account, Credential, CredentialKind};
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::{Touches, update};
use latchkey::tenant::TenantKey;
use latchkey_test_authority::{Authority, Person, Settings};
use serde_json::{Value, json};

use self::api::{Api, Call};
use crate::harness::{Bot, Setup};

/// Longer than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_mins(2);
/// How long an access token lives here.
const LIFE: Duration = Duration::from_secs(16);
/// The client of both programs at our server.
const CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

fn program(path: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/node_modules").join(path);
    assert!(program.exists(), "{path} is there (scripts/test installs it)");
    program
}

/// A program that knows no other server than `api`, and nothing of this machine.
fn alone(program: &Path, home: &Path, api: &Api) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .envs(["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].map(|name| (name, api.origin())))
        .env("NO_PROXY", "127.0.0.1")
        .current_dir(home)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    command
}

/// One question to codex, whose home is `home`. Gives whether it was answered, and all that it said.
async fn codex(home: &Path, api: &Api) -> (bool, String) {
    let origin = api.origin();
    let config = format!(
        "model = \"gpt-5\"\nmodel_provider = \"local\"\nchatgpt_base_url = \"{origin}/backend-api/\"\n\
         check_for_update_on_startup = false\ncli_auth_credentials_store = \"file\"\n[analytics]\nenabled = false\n\
         [model_providers.local]\nname = \"local\"\nbase_url = \"{origin}/v1\"\nwire_api = \"responses\"\n\
         requires_openai_auth = true\nsupports_websockets = false\nrequest_max_retries = 0\nstream_max_retries = 0\n"
    );
    std::fs::write(home.join("config.toml"), config).unwrap();
    let program = program("@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex");
    let mut command = alone(&program, home, api);
    command
        .env("CODEX_HOME", home)
        .env("CODEX_REFRESH_TOKEN_URL_OVERRIDE", format!("{origin}/oauth/token"))
        .args(["exec", "--skip-git-repo-check", "--sandbox", "read-only", "ping"]);
    answered(command).await
}

/// One question to Claude Code.
async fn claude(home: &Path, api: &Api) -> (bool, String) {
    let mut command = alone(&program("@anthropic-ai/claude-code-linux-x64/claude"), home, api);
    command
        .env("ANTHROPIC_BASE_URL", api.origin())
        .env("DISABLE_AUTOUPDATER", "1")
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .args(["-p", "ping"]);
    answered(command).await
}

async fn answered(mut command: tokio::process::Command) -> (bool, String) {
    let output = tokio::time::timeout(LONG, command.output()).await.expect("it ends").expect("it runs");
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success() && said.contains("pong"), said)
}

/// A setup whose bot keeps the file at `path` for `program`, and the server that `tenant` signs in at.
async fn setup(tenant: &str, program: &str, path: &str) -> (Setup, Authority) {
    let authority =
        Authority::start_with(Settings { any_client: true, access_lifetime: LIFE, ..Settings::codex() });
    let feed = format!("[feeds.it]\ntenant = {tenant:?}\nprogram = {program:?}\npath = {path:?}\n");
    let table = crate::codex::table(&authority);
    let setup = Setup::plan().more(&format!("{table}{feed}")).start().await;
    std::fs::create_dir_all(setup.dir.path().join(path).parent().unwrap()).unwrap();
    (setup, authority)
}

/// A sign-in of Ada to `codex`, put there as a login would.
async fn sign_in(setup: &Setup, authority: &Authority) {
    let person = Person::ada();
    let tokens = authority.mint(&person, CLIENT, &["openid", "offline_access", "user:inference"]);
    let (key, now): (TenantKey, _) = ("codex".parse().unwrap(), Clock::system().now());
    let mut credential =
        Credential::new(CredentialKind::OAuth, key.provider.clone(), Secret::new(&*tokens.access), now);
    credential.refresh_token = Some(Secret::new(&*tokens.refresh));
    credential.id_token = tokens.id_token.as_deref().map(Secret::new);
    credential.client_id = Some(CLIENT.to_owned());
    credential.expires_at = Some(tokens.expires_at);
    credential.obtained_at = Some(now);
    credential.account = Account::new(Some(&format!("acct-{}", person.sub)), None);
    let store = FileStore::open(&setup.store(), true, Clock::system()).unwrap();
    let put = update(&store, Touches::tenant(&key.clone()), move |view| {
        view.put_tenant(&key, credential);
        Ok::<_, ()>(())
    });
    put.await.unwrap().unwrap();
}

/// What the program would have left there itself: a sign-in that has ended, and its refresh token.
fn their_own(path: &Path, file: &Value) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, file.to_string()).unwrap();
}

fn codex_file() -> Value {
    let part =
        |claims: &Value| base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, claims.to_string());
    let auth =
        json!({"chatgpt_account_id": format!("acct-{}", Person::ada().sub), "chatgpt_plan_type": "pro"});
    let claims = json!({"exp": Clock::system().now() - 60, "https://api.openai.com/auth": auth});
    let token = format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(&claims));
    json!({
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": token,
            "access_token": token,
            "refresh_token": "rt-theirs",
            "account_id": format!("acct-{}", Person::ada().sub),
        },
        "last_refresh": "2026-01-01T00:00:00Z",
    })
}

fn claude_file() -> Value {
    let scopes = ["user:inference", "user:profile"];
    json!({"claudeAiOauth": {"accessToken": "at-theirs", "refreshToken": "rt-theirs", "expiresAt": 1, "scopes": scopes}})
}

/// Waits until the file's token is one that the server accepts.
async fn fed(path: &Path, token: [&str; 2], authority: &Authority, bot: &Bot) {
    let end = Instant::now() + LONG;
    let is_fed = || {
        let file: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        Some(authority.accepts(file[token[0]][token[1]].as_str()?))
    };
    while is_fed() != Some(true) {
        assert!(Instant::now() < end, "the file gets no token; the bot said:\n{}", bot.said());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the model was asked with.
fn asked(calls: &[Call], path: &str) -> Vec<String> {
    calls.iter().filter(|call| call.path.starts_with(path)).map(|call| call.bearer.clone()).collect()
}

/// Z2: with the feed the real codex uses our token, goes on with the next one when it ends in the middle of a
/// question, and never asks the token endpoint; the refresh token that it had is used by nobody.
#[tokio::test(flavor = "multi_thread")]
async fn with_the_feed_the_real_codex_never_refreshes() {
    let (setup, authority) = setup("codex", "codex", "home/auth.json").await;
    let (home, path) = (setup.dir.path().join("home"), setup.dir.path().join("home/auth.json"));
    let file = codex_file();
    their_own(&path, &file);
    sign_in(&setup, &authority).await;
    let checked = setup.cli(&["check"]).await;
    assert!(checked.stdout.contains("a refresh token stands in home/auth.json"), "{checked:?}");
    let mut bot = Bot::start(&setup).await;
    fed(&path, ["tokens", "access_token"], &authority, &bot).await;

    let server = authority.clone();
    let api = Api::start(move |token| server.accepts(token)).await;
    let (is_answered, said) = codex(&home, &api).await;
    assert!(is_answered, "{said}");
    // The next question is held up until its token has ended.
    let server = authority.clone();
    api.hold_until(move |token| !server.accepts(token));
    let (is_answered, said) = codex(&home, &api).await;
    assert!(is_answered, "{said}");

    let calls = api.calls();
    let bearers = asked(&calls, "/v1/responses");
    let [first, .., ended, next] = &bearers[..] else { panic!("{bearers:?}") };
    assert_ne!(ended, next, "it read the file again");
    assert!(!authority.accepts(ended) && !first.is_empty(), "{bearers:?}");
    assert_eq!(asked(&calls, "/oauth/token"), Vec::<String>::new(), "it never refreshed");
    let said = bot.said();
    assert!(said.contains("a refresh token stood in home/auth.json"), "{said}");
    let aside: Value =
        serde_json::from_slice(&std::fs::read(home.join("auth.json.replaced")).unwrap()).unwrap();
    assert_eq!(aside, file);
    assert!(!said.contains("rt-theirs") && !said.contains(next.as_str()), "{said}");

    // Without the bot the token ends, and there is no other: codex says so, and does not help itself.
    bot.kill9();
    authority.expire_access_tokens();
    let (is_answered, said) = codex(&home, &api).await;
    assert!(!is_answered && said.contains("401"), "{said}");
    assert_eq!(asked(&api.calls(), "/oauth/token"), Vec::<String>::new(), "it never refreshed");
    setup.discord.assert_clean();
}

/// F6: what cannot be kept is said before the bot runs, with the remedy, and what can is said too.
#[tokio::test]
async fn check_says_what_becomes_of_each_feed() {
    let feed = |name: &str, tenant: &str, program: &str| {
        format!("[feeds.{name}]\ntenant = {tenant:?}\nprogram = {program:?}\npath = \"{name}/auth.json\"\n")
    };
    let feeds = [
        feed("good", "codex", "codex"),
        feed("gone", "codex", "codex"),
        feed("odd", "acme", "claude"),
        feed("torn", "codex", "codex"),
        feed("theirs", "codex", "codex"),
        feed("same/../good", "codex", "codex").replace("feeds.same/../good", "feeds.same"),
    ];
    let codex = Authority::start_with(Settings::codex());
    let setup = Setup::plan().more(&(crate::codex::table(&codex) + &feeds.concat())).start().await;
    for name in ["good", "odd", "torn", "theirs", "same"] {
        std::fs::create_dir(setup.dir.path().join(name)).unwrap();
    }
    std::fs::write(setup.dir.path().join("odd/auth.json"), claude_file().to_string()).unwrap();
    std::fs::write(setup.dir.path().join("torn/auth.json"), "{").unwrap();
    sign_in(&setup, &codex).await;
    let theirs = json!({"tokens": {"refresh_token": "rt", "account_id": "acct-bob"}}).to_string();
    std::fs::write(setup.dir.path().join("theirs/auth.json"), theirs).unwrap();
    let checked = setup.cli(&["check"]).await;
    let begins = checked.stdout.find("feeds: ").unwrap();
    let from = checked.stdout[..begins].rfind('\n').unwrap() + 1;
    let ends = checked.stdout.find("ok       host: ").unwrap();
    insta::assert_snapshot!(checked.stdout[from..ends].trim_end());
    assert_eq!(checked.code, 2);
    let kept = std::fs::read_to_string(setup.dir.path().join("odd/auth.json")).unwrap();
    assert_eq!(kept, claude_file().to_string(), "it only looks");
}

/// The same codex with the same file and no feed asks the token endpoint, and so the test above can tell.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_feed_the_real_codex_refreshes() {
    let home = tempfile::tempdir().unwrap();
    their_own(&home.path().join("auth.json"), &codex_file());
    let api = Api::start(|_| true).await;
    codex(home.path(), &api).await;
    let calls = api.calls();
    let bodies: Vec<_> =
        calls.iter().filter(|call| call.path == "/oauth/token").map(|call| &call.body).collect();
    assert!(bodies.iter().any(|body| body.contains("rt-theirs")), "{bodies:?}");
}

/// Z2: the same of the real Claude Code.
#[tokio::test(flavor = "multi_thread")]
async fn with_the_feed_the_real_claude_code_never_refreshes() {
    let (setup, authority) = setup("codex", "claude", "home/.claude/.credentials.json").await;
    let (home, path) =
        (setup.dir.path().join("home"), setup.dir.path().join("home/.claude/.credentials.json"));
    their_own(&path, &claude_file());
    sign_in(&setup, &authority).await;
    let bot = Bot::start(&setup).await;
    fed(&path, ["claudeAiOauth", "accessToken"], &authority, &bot).await;

    let server = authority.clone();
    let api = Api::start(move |token| server.accepts(token)).await;
    let server = authority.clone();
    api.hold_until(move |token| !server.accepts(token));
    let (is_answered, said) = claude(&home, &api).await;
    assert!(is_answered, "{said}");
    let calls = api.calls();
    let bearers = asked(&calls, "/v1/messages");
    let [ended, .., next] = &bearers[..] else { panic!("{bearers:?}") };
    assert_ne!(ended, next, "it read the file again");
    assert_eq!(asked(&calls, "platform.claude.com"), Vec::<String>::new(), "it never refreshed");
    setup.discord.assert_clean();
}

/// The same Claude Code with the same file and no feed asks for its token endpoint, and so the test above can tell.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_feed_the_real_claude_code_refreshes() {
    let home = tempfile::tempdir().unwrap();
    their_own(&home.path().join(".claude/.credentials.json"), &claude_file());
    let api = Api::start(|_| true).await;
    claude(home.path(), &api).await;
    assert!(!asked(&api.calls(), "platform.claude.com").is_empty(), "{:?}", api.calls());
}
