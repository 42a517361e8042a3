//! What the program prints, and how it ends.

use std::process::Command;

use latchkey_test_authority::{Canned, Endpoint};

use crate::host::{Host, printed, said};

/// DESIGN: the exit codes, with nothing on standard output.
#[tokio::test(flavor = "multi_thread")]
async fn each_failure_has_its_exit_code_and_says_what_to_do() {
    let host = Host::new();
    let ended = |arguments: &[&str]| {
        let output = host.latchkey(arguments).output().unwrap();
        assert_eq!(printed(&output), "", "standard output is for the token");
        (output.status.code(), said(&output))
    };
    let (code, text) = ended(&["token", "nobody"]);
    assert_eq!(code, Some(2));
    assert_eq!(text, "latchkey: provider \"nobody\" is not configured; configured are: acme\n");
    let (code, text) = ended(&["token", "acme"]);
    assert_eq!(code, Some(3));
    assert!(text.contains("/auth login"), "{text}");

    host.expired("acme/work").await;
    let (code, text) = ended(&["token", "acme"]);
    assert_eq!(code, Some(3));
    assert!(text.contains("acme/work"), "the candidates are named: {text}");

    host.authority.answer_next(Endpoint::Token, 1, Canned::html(503));
    let (code, text) = ended(&["token", "acme/work"]);
    assert_eq!(code, Some(4), "{text}");

    let tokens = host.expired("acme").await;
    host.authority.revoke_grant(&tokens.refresh);
    let (code, text) = ended(&["token", "acme"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("sign in again"), "{text}");

    assert_eq!(ended(&["token", "acme", "--min-valid", "soon"]).0, Some(2));
    std::fs::write(&host.auth, "{half").unwrap();
    let (code, text) = ended(&["token", "acme"]);
    assert_eq!(code, Some(6), "{text}");
    assert_eq!(ended(&["status"]).0, Some(6));
}

/// DESIGN: `--format json`.
#[tokio::test(flavor = "multi_thread")]
async fn json_has_what_a_program_needs_and_no_refresh_token() {
    let host = Host::new();
    let tokens = host.serving("acme").await;
    let output = host.latchkey(&["token", "ACME", "--format", "json"]).output().unwrap();
    let text = printed(&output);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["access_token", "expires_at", "generation", "scopes", "tenant", "token_type"]);
    assert_eq!((&json["tenant"], &json["access_token"]), (&"acme".into(), &tokens.access.clone().into()));
    assert!(json["expires_at"].is_i64() && !text.contains(&tokens.refresh));
}

/// G25: what the environment holds comes first, and a failing higher source is not silently passed over.
#[tokio::test(flavor = "multi_thread")]
async fn the_environment_outranks_the_store() {
    let host = Host::new();
    host.serving("acme").await;
    let config = std::fs::read_to_string(&host.config).unwrap();
    std::fs::write(&host.config, format!("{config}api_key_env = \"TEST_KEY\"\ntoken_env = \"TEST_TOKEN\"\n"))
        .unwrap();
    let with = |variables: &[(&str, &str)], arguments: &[&str]| {
        host.latchkey(arguments).envs(variables.iter().copied()).output().unwrap()
    };
    assert_eq!(printed(&with(&[("TEST_KEY", "key"), ("TEST_TOKEN", "tok")], &["token", "acme"])), "key");
    assert_eq!(printed(&with(&[("TEST_TOKEN", "tok")], &["token", "acme"])), "tok");
    let hash = latchkey::secret::TokenHash::of("tok").to_string();
    let rejected = with(&[("TEST_TOKEN", "tok")], &["token", "acme", "--rejected-sha256", &hash]);
    assert_eq!((rejected.status.code(), printed(&rejected).as_str()), (Some(2), ""));
    assert_eq!(host.authority.requests().len(), 0);
}

/// Z1, Z2: a refresh at TRACE, a status and a check show no secret.
#[tokio::test(flavor = "multi_thread")]
async fn no_output_shows_a_secret() {
    let host = Host::new();
    let tokens = host.expired("acme").await;
    let loud = |arguments: &[&str]| host.latchkey(arguments).env("LATCHKEY_LOG", "trace").output().unwrap();
    let refreshed = loud(&["token", "acme"]);
    assert!(refreshed.status.success(), "{}", said(&refreshed));
    assert!(said(&refreshed).contains("refresh"), "it did log: {}", said(&refreshed));
    host.authority.assert_no_secret_in(&said(&refreshed));
    for arguments in [&["status"][..], &["status", "--json"], &["check"], &["check", "--json"]] {
        let output = loud(arguments);
        let all = printed(&output) + &said(&output);
        host.authority.assert_no_secret_in(&all);
        assert!(!all.contains(&tokens.refresh) && !all.contains(&tokens.access), "{all}");
    }
}

/// `latchkey check` and `latchkey status`, as an operator sees them.
#[tokio::test(flavor = "multi_thread")]
async fn check_and_status_tell_how_things_stand() {
    let host = Host::new();
    let output = host.latchkey(&["status"]).output().unwrap();
    let nobody = "nobody has signed in yet: use /auth login in Discord, or `latchkey login`";
    assert_eq!(printed(&output), nobody);
    host.serving("acme").await;
    let status = printed(&host.latchkey(&["status"]).output().unwrap());
    let mut lines = status.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(lines.next().unwrap(), "TENANT STATE TOKEN ACCOUNT SIGNED IN BY");
    let row = lines.next().unwrap();
    assert!(row.starts_with("acme works ends in ") && row.ends_with(" min - -"), "{row}");
    let output = host.latchkey(&["check"]).output().unwrap();
    let text = printed(&output).replace(&*host.config.parent().unwrap().to_string_lossy(), "<folder>");
    assert!(output.status.success(), "{text}");
    let changing =
        |line: &&str| !line.contains("whose locks hold") && !line.contains("may be open at a time");
    let text: Vec<_> = text.lines().filter(changing).collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    ok       configuration: <folder>/latchkey.toml is valid
    warning  discord: there is no [discord] table: `latchkey run` needs one, other commands do not
               remedy: write [discord], and guild = "…" with the id of your server below it
    warning  access: nobody but those with Manage Guild may sign in
               remedy: name roles or users under [access] members
    ok       providers: acme: sign-in by device, paste
    ok       store: <folder>/data/auth.json (tenants: 1, logins: 0)
    ok       locks: the store can be locked
    ok       sealing: tokens stand in clear: to seal them, `latchkey seal key --add FILE`, and write seal_key_file = "FILE" under [store]
    ok       clock: not compared: no other host was asked that says the time
    No problem, 2 warnings.
    "#);

    std::fs::write(&host.config, "[store]\npaht = 'x'\n").unwrap();
    let output = host.latchkey(&["check"]).output().unwrap();
    let text = printed(&output).replace(&*host.config.parent().unwrap().to_string_lossy(), "<folder>");
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(text, @r"
    PROBLEM  configuration: store.paht: unknown key
               where: <folder>/latchkey.toml:2:1
               remedy: did you mean `path`?
    1 problem: mend it, then check again.
    ");
}

/// What somebody sees who begins: what is to be done, in order.
#[tokio::test(flavor = "multi_thread")]
async fn check_is_a_list_of_what_to_do_on_a_fresh_machine() {
    let folder = tempfile::tempdir().unwrap();
    let program = || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        program.current_dir(folder.path()).env_remove("LATCHKEY_CONFIG").env_remove("DISCORD_TOKEN");
        program
    };
    let named = |arguments: &[&str]| {
        let output = program().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        printed(&output)
    };
    insta::assert_snapshot!(named(&["--config", "latchkey.toml", "check"]), @r"
    PROBLEM  configuration: no configuration found: looked for latchkey.toml
               remedy: copy latchkey.example.toml to one of these, or name one with --config
    warning  discord: the bot's token is not in $DISCORD_TOKEN
               remedy: make an application at https://discord.com/developers/applications, copy its bot's token into DISCORD_TOKEN, or into a file that token_file names; in that file, write the id of your server as guild under [discord]
    warning  access: nobody is admitted yet
               remedy: name roles or users under [access] members
    warning  providers: there is nothing to sign in to yet
               remedy: `latchkey providers` lists what there is, with the lines to write; then run `latchkey check` again
    1 problem, 3 warnings: mend it, then check again.
    ");
    std::fs::write(folder.path().join("latchkey.toml"), "[discord]\nguild = \"1\"\n").unwrap();
    let text = named(&["check", "--offline"]);
    let changing = |line: &&str| {
        !line.contains("whose locks hold")
            && !line.contains("may be open at a time")
            && !line.contains("auth.json is not there yet")
    };
    insta::assert_snapshot!(text.lines().filter(changing).collect::<Vec<_>>().join("\n"), @r#"
    ok       configuration: latchkey.toml is valid
    PROBLEM  discord: the bot's token is missing: set DISCORD_TOKEN, or name a file as token_file or a credential as token_credential under [discord]
    warning  access: nobody but those with Manage Guild may sign in
               remedy: name roles or users under [access] members
    PROBLEM  providers: none is configured
               remedy: add a table such as [providers.codex]; `latchkey providers` lists what there is
    ok       locks: their folder is made at the first start
    ok       sealing: tokens stand in clear: to seal them, `latchkey seal key --add FILE`, and write seal_key_file = "FILE" under [store]
    ok       clock: not compared: no other host was asked that says the time
    2 problems, 1 warning: begin with the first, then check again.
    "#);
}

/// G27: however often it is asked, `latchkey check` spends no refresh token, though the access token has ended and the server takes
/// each refresh token once. It asks an endpoint for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn check_spends_no_refresh_token() {
    let host = Host::new();
    let tokens = host.expired("acme").await;
    for arguments in [&["check"][..], &["check", "--json"], &["check", "--offline"]] {
        let output = host.latchkey(arguments).output().unwrap();
        assert!(output.status.success(), "{}", printed(&output));
    }
    assert_eq!(host.authority.requests().len(), 0);
    assert_eq!(host.stored("acme").unwrap().refresh_token.unwrap().expose(), tokens.refresh);
    let refreshed = host.latchkey(&["token", "acme"]).output().unwrap();
    assert!(refreshed.status.success(), "{}", said(&refreshed));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}
