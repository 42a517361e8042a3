//! `latchkey exec`: the command takes our place, with a token and without our secrets.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

use latchkey_test_authority::Endpoint;
use rustix::process::{Signal, kill_process};

use crate::asking::A_WHILE;
use crate::flights::{children, pid, waits_for_a_lock};
use crate::host::{Host, printed, said};
use crate::interrupted::wait;
use crate::sockets::{Listener, Manner, token};

/// `latchkey exec acme --env T`, with a script for the command.
fn exec(host: &Host, script: &str) -> Command {
    host.latchkey(&["exec", "acme", "--env", "T", "--timeout", "50s", "--", "sh", "-c", script])
}

/// The same, heeding the signals of a terminal: whoever runs these tests in the background may ignore some, and what is ignored
/// is inherited.
fn heeding(command: &Command) -> Command {
    let mut heeding = Command::new("env");
    heeding.args(["--default-signal=HUP,INT,QUIT,TERM,PIPE", "--unset=FAILPOINTS"]);
    heeding.arg(command.get_program()).args(command.get_args());
    heeding.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    heeding
}

fn output(mut command: Command) -> Output {
    tokio::task::block_in_place(|| command.output().unwrap())
}

/// DESIGN, G29: the exit code, the streams, the folder and the death of the command are what is seen from outside.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_is_what_is_seen_from_outside() {
    let host = Host::new();
    let fresh = host.serving("acme").await.access;
    let folder = host.config.parent().unwrap().canonicalize().unwrap();
    let given = host.config.with_file_name("given");
    std::fs::write(&given, "through standard input").unwrap();
    let mut command = exec(&host, "printf '%s|' \"$T\" \"$$\"; pwd; cat; echo to standard error >&2; exit 7");
    let child = command.current_dir(&folder).stdin(std::fs::File::open(&given).unwrap()).spawn().unwrap();
    let id = child.id();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(7));
    // The same process: what is sent to it is sent to the command.
    assert_eq!(printed(&ended), format!("{fresh}|{id}|{}\nthrough standard input", folder.display()));
    assert_eq!(said(&ended), "to standard error\n");
    let killed = output(exec(&host, "kill -KILL $$"));
    assert_eq!((killed.status.code(), killed.status.signal()), (None, Some(9)));
}

/// Signals reach the command, and it finds none of them ignored or held back by us.
#[tokio::test(flavor = "multi_thread")]
async fn signals_are_the_commands_own() {
    let host = Host::new();
    host.expired("acme").await;
    let script = "grep -E 'Sig(Blk|Ign)' /proc/self/status; trap 'echo TERM; exit 3' TERM; echo ready >&2; \
                  while :; do sleep 0.05; done";
    let mut command = heeding(&exec(&host, script));
    let mut watched = crate::watched::Watched::spawn({
        command.stdout(Stdio::piped());
        command
    });
    watched.until_it_says("ready");
    kill_process(pid(watched.id()), Signal::TERM).unwrap();
    let ended = watched.end();
    let text = printed(&ended);
    let mask = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap()
    };
    let of_the_terminal = [Signal::PIPE, Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];
    let bits = of_the_terminal.iter().fold(0, |bits, signal| bits | 1 << (signal.as_raw() - 1));
    assert_eq!((mask("SigBlk"), mask("SigIgn") & bits), (0, 0), "{text}");
    assert_eq!((ended.status.code(), text.lines().last()), (Some(3), Some("TERM")));
    let mut sleeping = heeding(&exec(&host, "exec sleep 60")).spawn().unwrap();
    host.until("the command", || {
        std::fs::read(format!("/proc/{}/comm", sleeping.id())).is_ok_and(|name| name == b"sleep\n")
    })
    .await;
    kill_process(pid(sleeping.id()), Signal::INT).unwrap();
    assert_eq!(wait(&mut sleeping).signal(), Some(2));
}

/// Z2: what is the bot's own is not inherited, unless `--env` names it; all else is.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_the_bot_are_not_inherited() {
    let host = Host::new();
    let fresh = host.serving("acme").await.access;
    host.configure("client_secret_env = \"ACME_SECRET\"\n[providers.bare]\napi_key_env = \"BARE_KEY\"\ntoken_env = \"BARE_TOKEN\"");
    let ours = ["DISCORD_TOKEN", "ACME_SECRET", "BARE_KEY", "BARE_TOKEN", "LATCHKEY_SOCKET_BEARER_FILE"];
    let others = ["DISCORD_TOKENS", "OTHER_SECRET", "LATCHKEY_SOCKET"];
    let run = |names: &[&str]| {
        let mut arguments = vec!["exec", "acme"];
        for name in names {
            arguments.extend(["--env", name]);
        }
        arguments.extend(["--", "env"]);
        let mut command = host.latchkey(&arguments);
        for name in ours.iter().chain(&others) {
            command.env(name, "of-the-operator");
        }
        let output = output(command);
        assert!(output.status.success(), "{}", said(&output));
        let text = printed(&output);
        let value = |name: &&str| {
            let line = text.lines().find_map(|line| line.strip_prefix(*name)?.strip_prefix('='));
            line.map(ToOwned::to_owned)
        };
        let values = |names: &[&str]| names.iter().map(value).collect::<Vec<_>>();
        (values(&ours), values(&others), values(&["A", "B"]))
    };
    let inherited = || vec![Some("of-the-operator".to_owned()); others.len()];
    let token = Some(fresh.clone());
    assert_eq!(run(&["A", "B"]), (vec![None; ours.len()], inherited(), vec![token.clone(), token.clone()]));
    let mut one = vec![None; ours.len()];
    one[3] = token.clone();
    assert_eq!(run(&["BARE_TOKEN"]), (one, inherited(), vec![None, None]));
}

/// Nothing of ours is open in the command, whatever we did before: refreshed here, or asked a bot.
#[tokio::test(flavor = "multi_thread")]
async fn no_descriptor_of_ours_is_left_open() {
    let host = Host::new();
    let open = |arguments: &[&str]| {
        let mut command = host.latchkey(&["exec", "acme", "--env", "T", "--"]);
        let output = output({
            command.args(arguments);
            command
        });
        assert!(output.status.success(), "{}", said(&output));
        printed(&output)
    };
    // The same program started by us: what this test itself has inherited is in both.
    let alone = ["ls", "/proc/self/fd"];
    let without_us = printed(&Command::new(alone[0]).arg(alone[1]).stdin(Stdio::null()).output().unwrap());
    host.expired("acme").await;
    assert_eq!(open(&alone), without_us, "after a refresh in a child");
    assert_eq!(open(&alone), without_us, "with what is fresh");
    host.expired("acme").await;
    host.knows_the_socket();
    let _bot = Listener::at(&host.socket(), &host.store_id(), &Manner::bot(&token("at-of-the-bot")));
    assert_eq!(open(&alone), without_us, "after asking the bot");
    assert_eq!(open(&["sh", "-c", "echo $T"]), "at-of-the-bot");
}

/// The command is not started without a token, and what cannot be started is a matter of usage with the remedy.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_started_without_a_token_and_nothing_that_cannot_be() {
    let host = Host::new();
    let trace = host.config.with_file_name("trace");
    let script = format!("touch {}", trace.display());
    let refused = output(exec(&host, &script));
    assert_eq!((refused.status.code(), printed(&refused).as_str()), (Some(3), ""), "{}", said(&refused));
    host.expired("acme").await;
    let gate = host.authority.hold(Endpoint::Token);
    let late = output(host.latchkey(&[
        "exec",
        "acme",
        "--env",
        "T",
        "--timeout",
        "500ms",
        "--",
        "sh",
        "-c",
        &script,
    ]));
    assert_eq!((late.status.code(), printed(&late).as_str()), (Some(4), ""), "{}", said(&late));
    gate.release();
    host.eventually("acme", |held| held.generation == 2);
    assert!(!trace.exists());
    let script = host.config.with_file_name("script");
    std::fs::write(&script, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o600)).unwrap();
    for (command, told) in [
        ("no-such-command", "cannot start no-such-command: there is no such command; check its name, PATH"),
        (&*script.to_string_lossy(), "it is not executable; see `ls -l`, and `chmod +x`"),
    ] {
        let refused = output(host.latchkey(&["exec", "acme", "--env", "T", "--", command]));
        assert_eq!((refused.status.code(), printed(&refused).as_str()), (Some(2), ""));
        assert!(said(&refused).contains(told), "{}", said(&refused));
    }
}

/// G29: we do not become the command while our refresh is under way, and it has no child of ours.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_begins_when_the_refresh_has_ended() {
    let host = Host::new();
    let old = host.expired("acme").await.access;
    let gate = host.authority.hold(Endpoint::Token);
    let child =
        exec(&host, "set -- $(grep -lE \"^PPid:.$$\\$\" /proc/[0-9]*/status 2>/dev/null); echo $# $T")
            .spawn()
            .unwrap();
    host.until("the refresh", || gate.waiting() == 1).await;
    tokio::time::sleep(A_WHILE).await;
    let name = std::fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap();
    assert_eq!((name.as_str(), children(&child).len()), ("latchkey\n", 1));
    gate.release();
    let ended = tokio::task::block_in_place(|| child.wait_with_output().unwrap());
    let held = host.stored("acme").unwrap();
    assert_ne!(held.access_token.expose(), old);
    // The one that looks is the only child that the shell has.
    assert_eq!(printed(&ended), format!("1 {}", held.access_token.expose()));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G14: a token that others have seen rejected is not given to a command for all its life: their refresh is waited for. Where that
/// takes longer than we may, what the clock calls valid serves.
#[tokio::test(flavor = "multi_thread")]
async fn a_forced_refresh_under_way_is_waited_for() {
    let host = Host::new();
    let old = host.serving("acme").await.access;
    host.used_today("acme").await;
    let gate = host.authority.hold(Endpoint::Token);
    let rejected = latchkey::secret::TokenHash::of(&old).to_string();
    let forcing = host
        .latchkey(&["token", "acme", "--timeout", "50s", "--rejected-sha256", &rejected])
        .spawn()
        .unwrap();
    host.until("the refresh", || gate.waiting() == 1).await;
    let short = ["exec", "acme", "--env", "T", "--timeout", "500ms", "--", "sh", "-c", "echo $T"];
    assert_eq!(printed(&output(host.latchkey(&short))), old);
    let child = exec(&host, "echo $T").spawn().unwrap();
    waits_for_a_lock(child.id());
    gate.release();
    let (forced, ended) = tokio::task::block_in_place(|| {
        (forcing.wait_with_output().unwrap(), child.wait_with_output().unwrap())
    });
    assert!(printed(&ended) != old && printed(&ended) == printed(&forced), "{}", said(&ended));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G14: the same where the bot is asked first, for the channel of a thread; and over the socket alone the bot is asked to wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_forced_refresh_is_waited_for_although_the_bot_has_a_token() {
    let host = Host::new();
    let old = host.serving("acme").await.access;
    host.used_today("acme").await;
    let gate = host.authority.hold(Endpoint::Token);
    let rejected = latchkey::secret::TokenHash::of(&old).to_string();
    let forcing = ["token", "acme", "--timeout", "50s", "--rejected-sha256", &rejected];
    let forcing = host.latchkey(&forcing).spawn().unwrap();
    host.until("the refresh", || gate.waiting() == 1).await;
    host.knows_the_socket();
    let listener = Listener::at(&host.socket(), &host.store_id(), &Manner::bot(&token(&old)));
    let in_thread =
        ["exec", "acme", "--thread", "1005", "--env", "T", "--timeout", "50s", "--", "sh", "-c", "echo $T"];
    let child = host.latchkey(&in_thread).spawn().unwrap();
    waits_for_a_lock(child.id());
    gate.release();
    let (forced, ended) = tokio::task::block_in_place(|| {
        (forcing.wait_with_output().unwrap(), child.wait_with_output().unwrap())
    });
    assert!(printed(&ended) != old && printed(&ended) == printed(&forced), "{}", said(&ended));
    output(host.latchkey_alone(&["exec", "acme", "--env", "T", "--", "true"]));
    output(host.latchkey_alone(&["token", "acme"]));
    let settled: Vec<_> = listener.asked().iter().map(|asked| asked["settled"].clone()).collect();
    assert_eq!(settled, [true.into(), true.into(), serde_json::Value::Null]);
}
