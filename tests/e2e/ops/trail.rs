//! The audit trail as JSON, and the log.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use latchkey::secret::TokenHash;
use latchkey_test_authority::Person;
use serde_json::Value;

use super::{free, get, plan};
use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// Every line, each of which is a whole object with a time and a word.
fn lines(text: &str) -> Vec<Value> {
    let parse =
        |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let lines: Vec<_> = text.lines().map(parse).collect();
    for line in &lines {
        let time = line["time"].as_str().expect("a time");
        assert!(time.len() == 24 && time.ends_with('Z'), "{line}");
        assert!(line["event"].is_string(), "{line}");
    }
    lines
}

/// The line of `event`, without what differs from run to run.
fn only(lines: &[Value], event: &str) -> Value {
    let mut found = lines.iter().filter(|line| line["event"] == event);
    let mut line = found.next().unwrap_or_else(|| panic!("{event} is told: {lines:?}")).clone();
    let object = line.as_object_mut().expect("an object");
    object.remove("time");
    object.remove("login");
    line
}

/// Z1, Z3: a sign-in, a refresh after a 401 by another process and a logout at TRACE, logged and told as JSON.
#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_whole_and_shows_no_secret_at_trace_in_json() {
    let setup = Setup::plan().more("[log]\nformat = \"json\"\naudit = \"audit.log\"\n").start().await;
    let loud = |program: &mut std::process::Command| {
        program.env("LATCHKEY_LOG", "trace").env("RUST_LOG", "trace");
    };
    let bot = Bot::spawn(&setup, loud);
    bot.wait_said("ready: connected to Discord", SOON * 3).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login acme").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    setup.authority.approve_device(&login.link("Open sign-in page"), &Person::ada()).await;
    login.sees_text("Signed in to Acme", NEXT_POLL).await;
    let tenant = format!("acme@{}", ann.id());
    let token = setup.token(&[&tenant]).await;
    let mut program = tokio::process::Command::from(setup.program());
    program.args(["token", &tenant, "--rejected-sha256", &TokenHash::of(&token).to_string()]);
    let output = program.env("LATCHKEY_LOG", "trace").kill_on_drop(true).output().await.unwrap();
    assert!(output.status.success());
    let logout = ann.slash("/auth logout").option("tenant", &tenant).in_thread(&thread).send().await;
    logout.sees_text("Log out of Acme", SOON).await;
    logout.click("Log out").await.sees_text("Logged out", SOON).await;

    let (path, user) = (setup.dir.path().join("audit.log"), ann.id().to_string());
    let trail = std::fs::read_to_string(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let told = lines(&trail);
    let wanted = |text: &str| {
        let text = text.replace("TENANT", &tenant).replace("USER", &user).replace('\'', "\"");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    assert_eq!(
        only(&told, "login_started"),
        wanted("{'event':'login_started','user':'USER','tenant':'TENANT','kind':'device'}")
    );
    assert_eq!(
        only(&told, "login_ended"),
        wanted(
            "{'event':'login_ended','user':'USER','tenant':'TENANT','kind':'device','outcome':'succeeded'}"
        )
    );
    assert_eq!(only(&told, "refresh"), wanted("{'event':'refresh','tenant':'TENANT','outcome':'granted'}"));
    assert_eq!(only(&told, "logout"), wanted("{'event':'logout','user':'USER','tenant':'TENANT'}"));

    let said = bot.said() + &String::from_utf8(output.stderr).unwrap();
    for line in said.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
    assert!(
        said.contains("\"level\":\"TRACE\"") || said.contains("\"level\":\"DEBUG\""),
        "it was loud: {said}"
    );
    for text in [&said, &trail] {
        setup.authority.assert_no_secret_in(text);
        assert!(!text.contains(setup.discord.bot_token()), "the bot's own token");
        for interaction in [login.token(), logout.token()] {
            assert!(!text.contains(&interaction), "an interaction's token:\n{text}");
        }
    }
}

/// Z3: for programs each line is an object, a panic's and the one that says why the bot has ended among them.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_line_is_json_like_the_others() {
    let setup = Setup::plan().more("[log]\nformat = \"json\"\n").start().await;
    let mut bot = Bot::spawn(&setup, |program| {
        program.env("FAILPOINTS", "pressed=1*panic->off");
    });
    bot.wait_said("ready: connected to Discord", SOON * 3).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login acme").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    login.click("Cancel").await.sees_text("Something went wrong here", SOON).await;
    bot.stop().await;
    setup.discord.fail("GET /*applications/@me", 9, 401);
    let refused = setup.cli(&["run"]).await;
    assert_eq!(refused.code, 2);
    for (said, what) in [(bot.said(), "panicked at"), (refused.stderr, "the bot's token is wrong")] {
        for line in said.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        }
        assert!(said.contains(what), "{what}: {said}");
    }
}

/// Z3: a file that was rotated away is opened anew at SIGHUP also where the configuration has something wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_reload_opens_the_file_anew() {
    let setup = Setup::plan().more("[log]\naudit = \"audit.log\"\n").start().await;
    let bot = Bot::start(&setup).await;
    let path = setup.dir.path().join("audit.log");
    std::fs::rename(&path, setup.dir.path().join("audit.log.1")).unwrap();
    setup.configure(|text| text.replace("[store]", "[store]\npaht = \"x\""));
    bot.reload().await;
    let told = lines(&std::fs::read_to_string(&path).unwrap_or_default());
    let events: Vec<_> = told.iter().map(|line| (&line["event"], &line["outcome"])).collect();
    assert_eq!(events.len(), 1, "{told:?}");
    assert!(bot.said().contains("store.paht"), "{}", bot.said());
}

/// Z3: a bot whose audit lines nobody takes goes on, says so once and counts; one that cannot begin them does not begin.
#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_lost_end_nothing() {
    let address = free();
    let setup = plan(address, "[log]\naudit = \"-\"\n").start().await;
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let bot = Bot::start_with(&setup, |program| {
        program.stdout(full);
    })
    .await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    for _ in 0..2 {
        let login = ann.slash("/auth login acme").in_thread(&thread).send().await;
        login.sees_text("Open sign-in page", SOON).await;
        let cancel = login.click("Cancel").await;
        cancel.sees_text("cancelled", SOON).await;
    }
    bot.wait_said("audit lines are lost: No space left on device", SOON).await;
    let end = tokio::time::Instant::now() + SOON;
    loop {
        let (_, text) = get(address, "/metrics").await;
        if text.contains("\nlatchkey_audit_failures_total 4\n") {
            break;
        }
        assert!(tokio::time::Instant::now() < end, "{text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(bot.said().matches("audit lines are lost").count(), 1);

    let wrong = Setup::plan().more("[log]\naudit = \"nowhere/audit.log\"\n").start().await;
    let cli = wrong.cli(&["run"]).await;
    assert_eq!(cli.code, 2);
    assert!(cli.stderr.contains("make its folder"), "{}", cli.stderr);
}
