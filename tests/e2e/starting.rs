//! Starts that last: while Discord is out of reach, and behind a predecessor.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use latchkey_test_authority::Endpoint;
use rustix::process::Signal;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::callback::free_port;
use crate::due::{LONG, due, refreshed};
use crate::harness::{Bot, SOON, Setup};

/// What `latchkey` says in the log of Discord that does not answer.
const AWAY: &str = "asking Discord who this bot is failed";
/// Runs its arguments at a terminal that is closed with it.
const PTY: &str = "import pty, sys; pty.spawn(sys.argv[1:])";

fn ops() -> String {
    format!("[ops]\nlisten = \"127.0.0.1:{}\"\n", free_port())
}

/// Waits until `is_so`.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let late = Instant::now() + LONG;
    while !is_so().await {
        assert!(Instant::now() < late, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What the token socket of `setup` answers about `acme@1`; none while nobody serves it.
async fn asked(setup: &Setup) -> Option<Value> {
    let stream = UnixStream::connect(setup.dir.path().join("run/t.sock")).await.ok()?;
    let (read, mut write) = stream.into_split();
    write.write_all(b"{\"op\":\"token\",\"tenant\":\"acme@1\"}\n").await.ok()?;
    let mut lines = BufReader::new(read).lines();
    loop {
        let line = tokio::time::timeout(LONG, lines.next_line()).await.ok()?.ok()??;
        let line: Value = serde_json::from_str(&line).unwrap();
        if line.get("ok").is_some() {
            return Some(line);
        }
    }
}

/// W6: also where both have their health served on one address.
#[tokio::test(flavor = "multi_thread")]
async fn a_successor_with_ops_waits_for_its_predecessor() {
    let setup = Setup::plan().more(&ops()).start().await;
    let mut first = Bot::start(&setup).await;
    let second = Bot::spawn(&setup, |_| {});
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!second.said().contains("ready"), "{}", second.said());
    assert_eq!(first.stop().await.code(), Some(0), "{}", first.said());
    second.wait_said("latchkey: ready", SOON).await;
}

/// Z4: programs have their tokens though Discord does not answer, and the bot answers members once it does.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_feeds_are_served_before_discord_answers() {
    let feed = "[feeds.agent]\nprogram = \"claude\"\npath = \"credentials.json\"\ntenant = \"acme@1\"\n";
    let lines = format!("[tokens]\nsocket = \"run/t.sock\"\n{feed}");
    let setup = Setup::plan().more(&lines).start().await;
    due(&setup).await;
    setup.discord.be_there(false);
    let mut bot = Bot::spawn(&setup, |_| {});
    bot.wait_said(AWAY, LONG).await;
    let mut answer = None;
    until("the socket serves", async || {
        answer = asked(&setup).await;
        answer.is_some()
    })
    .await;
    let answer = answer.unwrap();
    assert_eq!(answer["ok"], true, "{answer}");
    let fed = setup.dir.path().join("credentials.json");
    until("the feed is kept", async || fed.exists()).await;
    assert_eq!((setup.authority.refreshes(), setup.authority.reuses()), (1, 0));
    setup.discord.be_there(true);
    bot.wait_said("latchkey: ready", LONG).await;
    assert!(bot.stop().await.success(), "{}", bot.said());
}

/// W5: a start that is ended loses no refresh that the socket began.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_ended_finishes_what_was_begun() {
    let setup = Setup::plan().more("[tokens]\nsocket = \"run/t.sock\"\n").start().await;
    due(&setup).await;
    setup.discord.be_there(false);
    let gate = setup.authority.hold_reply(Endpoint::Token);
    let mut bot = Bot::spawn(&setup, |_| {});
    until("the socket is there", async || setup.dir.path().join("run/t.sock").exists()).await;
    let asking = async {
        let answer = asked(&setup).await;
        assert_eq!(answer.as_ref().map(|answer| &answer["ok"]), Some(&true.into()), "{answer:?}");
    };
    let ending = async {
        assert!(setup.authority.eventually(LONG, |_| gate.waiting() == 1).await);
        bot.signal(Signal::TERM);
        bot.wait_said("ending: letting what is under way finish", LONG).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        gate.release();
    };
    tokio::join!(asking, ending);
    assert!(bot.ended(LONG).await.success(), "{}", bot.said());
    assert_eq!(refreshed(&setup).await.failures, 0);
    assert_eq!((setup.authority.refreshes(), setup.authority.reuses()), (1, 0));
}

/// W6: a bot whose terminal was closed while it waited for Discord does not outlive it, holding the lock of its store and guild.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_closed_ends_the_start() {
    let setup = Setup::plan().more(&ops()).start().await;
    setup.discord.be_there(false);
    let program = setup.program();
    let mut command = Command::new("python3");
    command.args(["-c", PTY]).arg(program.get_program()).args(program.get_args()).arg("run");
    for (name, value) in program.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.current_dir(setup.dir.path()).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut terminal = command.spawn().expect("python3 runs (scripts/test installs it)");
    until("it lives", async || setup.cli(&["health", "--live"]).await.code == 0).await;
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    until("it ends", async || setup.cli(&["health", "--live"]).await.code == 4).await;
}

/// W5: a hangup while Discord is awaited opens the audit file again, as after a rotation, and has the configuration read anew
/// once the bot has begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_during_the_start_is_heeded() {
    let setup = Setup::plan().more("[log]\naudit = \"audit.log\"\n").start().await;
    setup.discord.be_there(false);
    let bot = Bot::spawn(&setup, |_| {});
    bot.wait_said(AWAY, LONG).await;
    let file = setup.dir.path().join("audit.log");
    std::fs::rename(&file, setup.dir.path().join("audit.log.1")).unwrap();
    bot.signal(Signal::HUP);
    until("the audit file is opened again", async || file.exists()).await;
    setup.discord.be_there(true);
    bot.wait_said("configuration reloaded outcome=", LONG).await;
}

/// One refusal may be Discord's mistake: it is asked again before the bot ends for good.
#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_at_the_start_ends_nothing() {
    for (request, status) in
        [("GET /*applications/@me", 401), ("GET /guilds/*", 403), ("POST /applications/*/commands", 403)]
    {
        let setup = Setup::new().await;
        setup.discord.fail(request, 1, status);
        Bot::start(&setup).await;
    }
}
