//! `latchkey check` against Discord, a provider and a running bot: each thing that can be wrong, and what is said of it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use latchkey_test_authority::Authority;
use serde_json::{Value, json};

use crate::callback::free_port;
use crate::harness::{Bot, Setup};

/// Every permission that the bot needs.
const ALL: u64 = 1 << 10 | 1 << 11 | 1 << 38;

/// What `latchkey check --json` says, and its exit code.
async fn check(setup: &Setup, arguments: &[&str], env: &[(&str, &str)]) -> (i32, Value) {
    let mut program = tokio::process::Command::from(setup.program());
    program.args(["check", "--json"]).args(arguments).envs(env.iter().copied()).kill_on_drop(true);
    let output = program.stdout(Stdio::piped()).stderr(Stdio::piped()).output().await.expect("latchkey runs");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let value: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(!text.contains(setup.discord.bot_token()), "{text}");
    let code = output.status.code().unwrap_or(-1);
    assert_eq!(value["ok"], code == 0, "{text}");
    (code, value)
}

/// All that is amiss, a line each: level, part, what, where, remedy.
fn amiss(value: &Value) -> Vec<String> {
    let member = |found: &Value, name: &str| found[name].as_str().unwrap_or("-").to_owned();
    let found = value["findings"].as_array().expect("findings").iter();
    let lines = found.filter(|found| found["level"] != "ok").map(|found| {
        ["level", "part", "what", "where", "remedy"].map(|name| member(found, name)).join(" | ")
    });
    lines.collect()
}

/// Whether something is said to be as it should be.
fn is_ok(value: &Value, part: &str, said: &str) -> bool {
    let found = value["findings"].as_array().expect("findings");
    found.iter().any(|found| {
        found["level"] == "ok"
            && found["part"] == part
            && found["what"].as_str().unwrap_or_default().contains(said)
    })
}

/// Points 1 and 3 of U8, U7: a good set-up has nothing wrong, and what was asked changed nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_good_set_up_has_nothing_wrong() {
    let setup = Setup::new().await;
    setup.discord.allow_bot(ALL);
    let (code, found) = check(&setup, &[], &[]).await;
    assert_eq!((code, amiss(&found)), (0, Vec::new()), "{found:#}");
    for (part, said) in [
        ("discord", "Discord accepts the token"),
        ("discord", "with all permissions that it needs"),
        ("discord", "/auth is not registered yet"),
        ("access", "every member of the server may sign in"),
        ("providers", "acme: sign-in by device, paste"),
        ("store", "is not there yet: it is made at the first start"),
        ("sealing", "tokens stand in clear"),
        ("clock", "agrees with that of Discord"),
    ] {
        assert!(is_ok(&found, part, said), "{part}: {said}: {found:#}");
    }
    let asked = setup.discord.requests();
    assert!(asked.iter().all(|request| request.method == "GET"), "{asked:#?}");
    assert_eq!(setup.authority.requests().len(), 0, "an endpoint is asked for nothing");
    let text = setup.cli(&["check"]).await;
    assert!(text.code == 0 && text.stdout.ends_with("Nothing is wrong."), "{text:?}");
    assert!(!setup.store().parent().expect("a folder").exists(), "its folder was made");
    let _bot = Bot::start(&setup).await;
    let (_, found) = check(&setup, &[], &[]).await;
    assert!(is_ok(&found, "discord", "/auth is registered"), "{found:#}");
    setup.discord.assert_clean();
}

/// With `--offline` nobody is asked, neither Discord nor a provider.
#[tokio::test(flavor = "multi_thread")]
async fn offline_asks_nobody() {
    let setup = Setup::new().await;
    setup.authority.go_down();
    let (code, found) = check(&setup, &["--offline"], &[]).await;
    assert_eq!((code, amiss(&found)), (0, Vec::new()), "{found:#}");
    assert_eq!(setup.discord.requests().len(), 0);
    let odd = [("DISCORD_TOKEN", "aBcDeFgHiJkLmNoPqRsTuVwXyZ012345")];
    let (code, found) = check(&setup, &["--offline"], &odd).await;
    let told = amiss(&found);
    assert!(
        code == 2 && told.len() == 1 && told[0].contains("it looks like the application's client secret"),
        "{told:?}"
    );
}

type Fault = Box<dyn Fn(&Setup)>;

/// One thing that is wrong with what Discord knows: how it comes about, the exit code, and what is said.
fn of_discord() -> Vec<(&'static str, Fault, i32, &'static [&'static str])> {
    let command = |name: &str| json!({ "name": name, "description": "x", "type": 1 });
    vec![
        (
            "no such server",
            Box::new(|setup| setup.discord.fail("GET /guilds/*", 9, 404)),
            2,
            &[
                "problem | discord | the bot is no member of the server",
                "| discord.guild |",
                "scope=bot+applications.commands&permissions=274877910016",
            ],
        ),
        (
            "a token that was revoked",
            Box::new(|setup| setup.discord.fail("GET /*applications/@me", 9, 401)),
            2,
            &["problem | discord | Discord does not accept the bot's token", "Reset Token"],
        ),
        (
            "Discord is down",
            Box::new(|setup| setup.discord.fail("GET /*applications/@me", 9, 500)),
            4,
            &["problem | discord | Discord did not say who the bot is", "discordstatus.com"],
        ),
        (
            "a permission that lacks",
            Box::new(|setup| setup.discord.allow_bot(ALL & !(1 << 38))),
            0,
            &[
                "warning | discord | the bot lacks the permission Send Messages in Threads",
                "to tell a thread",
                "Server Settings, Roles",
            ],
        ),
        (
            "our command for all servers",
            Box::new(move |setup| _ = setup.discord.seed_command(None, &command("auth"))),
            0,
            &["warning | discord | this bot has /auth for all servers too", "remove it"],
        ),
        (
            "other commands of ours",
            Box::new(move |setup| {
                _ = setup.discord.seed_command(Some(setup.discord.guild()), &command("login"));
            }),
            0,
            &[
                "warning | discord | this bot has other commands in the server, which Latchkey does not answer: login",
                "Integrations",
            ],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_at_discord_is_said_with_the_remedy() {
    for (name, fault, code, said) in of_discord() {
        let setup = Setup::new().await;
        fault(&setup);
        let (ended, found) = check(&setup, &[], &[]).await;
        let told = amiss(&found);
        assert_eq!((ended, told.len()), (code, 1), "{name}: {told:#?}");
        assert!(said.iter().all(|said| told[0].contains(said)), "{name}: {told:#?}");
    }
}

/// U7: roles and people that are not there admit nobody, which somebody should know.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_admitted_and_not_there_is_named() {
    let plan = Setup::plan().access(|discord| {
        let (ann, role) = (discord.member("ann").id(), discord.role("agents"));
        format!("members = {{ roles = [\"{role}\", \"4711\"], users = [\"{ann}\", \"4712\"] }}\nadmins = {{ users = [\"4713\"] }}")
    });
    let (code, found) = check(&plan.start().await, &[], &[]).await;
    let told = amiss(&found);
    assert_eq!((code, told.len()), (0, 3), "{told:#?}");
    for (line, said) in told.iter().zip([
        ("there is no role 4711 in", "| access.members.roles |"),
        ("the user 4712 is no member of", "| access.members.users |"),
        ("the user 4713 is no member of", "| access.admins.users |"),
    ]) {
        assert!(line.contains(said.0) && line.contains(said.1), "{told:#?}");
    }
}

/// S14
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_told_by_discords() {
    let setup = Setup::new().await;
    let offset = setup.dir.path().join("offset");
    std::fs::write(&offset, "300").expect("a file");
    let fault = format!("clock=return({})", offset.display());
    let (code, found) = check(&setup, &[], &[("FAILPOINTS", &fault)]).await;
    let told = amiss(&found);
    assert_eq!((code, told.len()), (2, 1), "{told:#?}");
    assert!(
        told[0].starts_with("problem | clock | this host's clock is ")
            && told[0].contains("ahead of that of Discord"),
        "{told:?}"
    );
}

/// Somebody who answers every request like this, for as long as the test runs.
fn answering(body: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            if stream.read(&mut [0; 4_096]).unwrap_or_default() == 0 {
                continue;
            }
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    port
}

/// One thing that is wrong on this host or at a provider: its tables, the exit code, and what is said.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_here_is_said_with_the_remedy() {
    let (closed, plain, metrics) = (free_port(), answering("hello"), answering("latchkey_up 1\n"));
    let too_long = "a".repeat(64);
    for (name, acme, tables, code, said) in [
        ("health that works", "", format!("[ops]\nlisten = \"127.0.0.1:{metrics}\""), 0, ""),
        ("health that is to come", "", format!("[ops]\nlisten = \"127.0.0.1:{closed}\""), 0, ""),
        (
            "another program",
            "",
            format!("[ops]\nlisten = \"127.0.0.1:{plain}\""),
            2,
            "problem | ops | another program listens on",
        ),
        (
            "health for the world",
            "",
            format!("[ops]\nlisten = \"0.0.0.0:{closed}\""),
            0,
            "warning | ops | health and metrics on 0.0.0.0",
        ),
        (
            "no address of ours",
            "",
            "[ops]\nlisten = \"192.0.2.1:8485\"".to_owned(),
            2,
            "problem | ops | cannot listen on 192.0.2.1:8485",
        ),
        ("an audit that works", "", "[log]\naudit = \"audit.jsonl\"".to_owned(), 0, ""),
        ("an audit to output", "", "[log]\naudit = \"-\"".to_owned(), 0, ""),
        (
            "an audit nowhere",
            "",
            "[log]\naudit = \"nowhere/audit.jsonl\"".to_owned(),
            2,
            "problem | log | cannot open the audit file nowhere/audit.jsonl",
        ),
        (
            "an audit that is a folder",
            "",
            "[log]\naudit = \".\"".to_owned(),
            2,
            "problem | log | cannot open the audit file",
        ),
        (
            "nobody at the endpoint",
            &*format!("token_endpoint = \"http://127.0.0.1:{closed}/token\""),
            String::new(),
            4,
            "problem | providers | acme: 127.0.0.1",
        ),
        (
            "no TLS at the endpoint",
            &*format!("token_endpoint = \"https://127.0.0.1:{plain}/token\""),
            String::new(),
            4,
            "no connection, or no TLS on it",
        ),
        ("no sign-in page", "", "[http]\n".to_owned(), 0, "warning | http | [http] has no public_url"),
        (
            "a page to come",
            "",
            format!("[http]\nlisten = \"127.0.0.1:{closed}\"\npublic_url = \"http://127.0.0.1:{closed}\""),
            0,
            "",
        ),
        (
            "a name that is none",
            "",
            format!("[http]\nlisten = \"127.0.0.1:{closed}\"\npublic_url = \"https://{too_long}.example\""),
            2,
            "problem | http | browsers cannot find",
        ),
        (
            "another program's page",
            "",
            format!("[http]\nlisten = \"127.0.0.1:{plain}\"\npublic_url = \"http://127.0.0.1:{plain}\""),
            2,
            "what answers (HTTP 200) is no Latchkey",
        ),
        (
            "a page that nobody leads to",
            "",
            format!("[http]\nlisten = \"127.0.0.1:{plain}\"\npublic_url = \"http://127.0.0.1:{closed}\""),
            2,
            "and nobody answers at http://127.0.0.1",
        ),
    ] {
        let setup = Setup::plan().acme(acme).more(&tables).start().await;
        let (ended, found) = check(&setup, &[], &[]).await;
        let told = amiss(&found);
        assert_eq!((ended, told.len()), (code, usize::from(!said.is_empty())), "{name}: {told:#?}");
        assert!(told.iter().all(|line| line.contains(said) && !line.ends_with("| -")), "{name}: {told:#?}");
    }
}

/// F4, F15: the ground of the store.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_store_is_said_with_the_remedy() {
    let setup = Setup::new().await;
    drop(setup.open_store());
    assert_eq!(check(&setup, &[], &[]).await.0, 0);
    let locks = setup.dir.path().join("data/auth.json.locks/store_id");
    let other = json!({"version": 1, "store_id": "a".repeat(32), "tenants": {}, "pending": {}, "threads": {}, "revocations": []});
    std::fs::write(setup.store(), other.to_string()).expect("the auth file");
    std::fs::set_permissions(setup.store(), PermissionsExt::from_mode(0o644)).expect("its mode");
    let (code, found) = check(&setup, &[], &[]).await;
    let told = amiss(&found);
    assert!(code == 6 && told.iter().any(|line| line.contains("chmod 600")), "{told:#?}");
    std::fs::set_permissions(setup.store(), PermissionsExt::from_mode(0o600)).expect("its mode");
    std::fs::write(&locks, "b".repeat(32)).expect("the lock folder's id");
    let (code, found) = check(&setup, &[], &[]).await;
    let told = amiss(&found);
    assert!(code == 6 && told.iter().any(|line| line.contains("belong to different stores")), "{told:#?}");
}

/// The page of the bot that runs is reached, and told from that of another store.
#[tokio::test(flavor = "multi_thread")]
async fn the_sign_in_page_is_told_from_anothers() {
    let port = free_port();
    let http =
        format!("[http]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}/sign-in\"");
    let setup = Setup::plan().more(&http).start().await;
    // Something is stored, so that the store has its name.
    let _bot = Bot::start(&setup).await;
    let thread = setup.thread("fix-ci");
    let _login = crate::members::login(&setup.discord.member("ann"), &thread).await;
    let (code, found) = check(&setup, &[], &[]).await;
    assert_eq!((code, amiss(&found)), (0, Vec::new()), "{found:#}");
    assert!(is_ok(&found, "http", "the sign-in page of this bot is reached"), "{found:#}");
    let other = Setup::plan().more(&http).start().await;
    let (code, found) = check(&other, &[], &[]).await;
    let told = amiss(&found);
    assert!(
        code == 2 && told.len() == 1 && told[0].contains("leads to a Latchkey of another store"),
        "{told:#?}"
    );
    // Whoever asks otherwise gets the page that says there is nothing.
    for line in [
        "GET /sign-in/check/short",
        "GET /check/0123456789abcdef0123",
        "POST /sign-in/check/0123456789abcdef0123",
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the page is there");
        write!(stream, "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 404 "), "{line}: {answer}");
    }
}

/// All parties are asked at once, and whoever is silent is not waited for longer than a question may take.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_silent_is_not_waited_for_twice() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("https://{}/token", silent.local_addr().expect("an address"));
    let acme = format!("token_endpoint = \"{endpoint}\"");
    let setup = Setup::plan().acme(&acme).second_provider("other", &acme).start().await;
    setup.discord.delay("GET /*applications/@me", 9, std::time::Duration::from_secs(40));
    let began = std::time::Instant::now();
    let (code, found) = check(&setup, &[], &[]).await;
    let told = amiss(&found);
    assert_eq!((code, told.len()), (4, 3), "{told:#?}");
    assert!(told.iter().all(|line| line.contains("no answer in 10 s")), "{told:#?}");
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
    let _: &Authority = &setup.authority;
}

/// What is asked one after another has an end as well: whoever answers each time just in time is not waited for for ever.
#[tokio::test(flavor = "multi_thread")]
async fn all_of_discords_answers_have_one_bound() {
    let setup = Setup::new().await;
    for question in ["GET /*applications/@me", "GET /guilds/*", "GET /users/@me"] {
        setup.discord.delay(question, 9, std::time::Duration::from_millis(9_500));
    }
    let began = std::time::Instant::now();
    let (code, found) = check(&setup, &[], &[]).await;
    let told = amiss(&found);
    assert_eq!((code, told.len()), (4, 1), "{told:#?}");
    assert!(told[0].contains("its answers took more than 25 s"), "{told:#?}");
    assert!(is_ok(&found, "discord", "Discord accepts the token"), "what it answered is told: {found:#}");
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
}

/// A credential is the unit's alone: that it is not here is no fault of the configuration.
#[tokio::test(flavor = "multi_thread")]
async fn what_systemd_hands_to_the_unit_alone_is_no_problem_here() {
    let setup = Setup::plan().discord("token_credential = \"discord-token\"").start().await;
    let (code, found) = check(&setup, &[], &[]).await;
    let told = amiss(&found);
    assert!(
        code == 0
            && told.len() == 1
            && told[0].starts_with("warning | discord | ")
            && told[0].contains("cannot be read from here")
            && told[0].contains("systemd-run --pipe --wait -p User=latchkey -p LoadCredential=discord-token:FILE latchkey check"),
        "{told:#?}"
    );
    assert_eq!(setup.discord.requests().len(), 0);
    let folder = setup.dir.path().join("credentials");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("discord-token"), setup.discord.bot_token()).expect("a file");
    std::fs::set_permissions(folder.join("discord-token"), PermissionsExt::from_mode(0o400))
        .expect("its mode");
    let env = [("CREDENTIALS_DIRECTORY", folder.to_str().expect("a path"))];
    let (code, found) = check(&setup, &[], &env).await;
    assert_eq!((code, amiss(&found)), (0, Vec::new()), "{found:#}");
    assert!(is_ok(&found, "discord", "Discord accepts the token"), "{found:#}");

    setup.configure(|text| text.replace("[store]", "[store]\nseal_key_credential = \"seal-key\""));
    let (code, found) = check(&setup, &["--offline"], &[]).await;
    let told = amiss(&found);
    assert!(
        code == 0
            && told.iter().any(|line| line.starts_with("warning | store | it cannot be looked at from here")),
        "{told:#?}"
    );
    assert!(told[0].contains("LoadCredential=seal-key:FILE"), "{told:#?}");
}

/// Beside a bot that has its addresses elsewhere, as in another container, nobody is told that none runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_runs_elsewhere_is_seen_by_its_lock() {
    let (http, ops) = (free_port(), free_port());
    let setup = Setup::new().await;
    let _bot = Bot::start(&setup).await;
    setup.configure(|text| {
        format!(
            "{text}\n[http]\nlisten = \"127.0.0.1:{http}\"\npublic_url = \"http://127.0.0.1:{http}\"\n[ops]\nlisten = \"127.0.0.1:{ops}\"\n"
        )
    });
    let (code, found) = check(&setup, &[], &[]).await;
    assert_eq!((code, amiss(&found)), (0, Vec::new()), "{found:#}");
    for part in ["http", "ops"] {
        assert!(
            is_ok(&found, part, "a bot of this store runs, and not where this `check` does"),
            "{found:#}"
        );
    }
    assert!(!found.to_string().contains("no bot runs yet"), "{found:#}");
}

/// The audit file is judged as the bot judges it, and neither made nor written.
#[tokio::test(flavor = "multi_thread")]
async fn the_audit_file_is_judged_as_the_bot_does() {
    let setup = Setup::plan().more("[log]\naudit = \"audit.jsonl\"").start().await;
    let path = setup.dir.path().join("audit.jsonl");
    assert_eq!(check(&setup, &["--offline"], &[]).await.0, 0);
    assert!(!path.exists(), "it was made");
    std::fs::write(setup.dir.path().join("elsewhere"), "").expect("a file");
    let link = || std::os::unix::fs::symlink("elsewhere", &path).expect("a link");
    let pipe = || {
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success());
    };
    let open = || {
        std::fs::write(&path, "").expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).expect("its mode");
    };
    let cases: [(&dyn Fn(), &str); 3] = [
        (&link, "it must not be a symbolic link"),
        (&pipe, "cannot open the audit file"),
        (&open, "can be written by others"),
    ];
    for (make, said) in cases {
        make();
        let (code, found) = check(&setup, &["--offline"], &[]).await;
        let told = amiss(&found);
        assert!(code == 2 && told.len() == 1 && told[0].contains(said), "{said}: {told:#?}");
        std::fs::remove_file(&path).expect("it is there");
    }
}
