//! `latchkey-token` beside `latchkey token`: the same, and less of it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::host::{Host, printed, said};

/// What `command` does with these arguments.
fn run(command: &mut Command, host: &Host, arguments: &[&str]) -> Output {
    command.arg("--config").arg(&host.config).args(arguments).env_remove("FAILPOINTS");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap()
}

fn small_at(path: &Path, host: &Host, arguments: &[&str]) -> Output {
    run(&mut Command::new(path), host, arguments)
}

fn small(host: &Host, arguments: &[&str]) -> Output {
    small_at(Path::new(env!("CARGO_BIN_EXE_latchkey-token")), host, arguments)
}

fn whole(host: &Host, arguments: &[&str]) -> Output {
    run(Command::new(env!("CARGO_BIN_EXE_latchkey")).arg("token"), host, arguments)
}

/// What can be told of a run from outside.
fn seen(output: &Output) -> (Option<i32>, String, String) {
    (output.status.code(), String::from_utf8(output.stdout.clone()).unwrap(), said(output))
}

/// G24: the same bytes and the same end, for what it does itself and for what it hands over.
#[tokio::test(flavor = "multi_thread")]
async fn the_small_program_and_the_whole_one_cannot_be_told_apart() {
    let host = Host::new();
    let tokens = host.serving("acme").await;
    let hash = latchkey::secret::TokenHash::of("another").to_string();
    assert!(whole(&host, &["acme"]).status.success(), "today's use is noted");
    let cases: [&[&str]; 17] = [
        &["acme"],
        &["ACME", "--format", "json"],
        &["--format=json", "acme", "--wait", "--timeout", "5s"],
        &["acme", "--min-valid=10m", "--rejected-sha256", &hash],
        &["acme", "--thread", "1234"],
        &["acme", "--user", "42"],
        &["acme/work"],
        &["nobody"],
        &["acme", "acme"],
        &[],
        &["acme", "--min-valid", "soon"],
        &["acme", "--thread", "here"],
        &["acme", "--format", "yaml"],
        &["acme", "--format", "json", "--format", "json"],
        &["acme", "--user", ""],
        &["--help"],
        &["acme", "--", "more"],
    ];
    for arguments in cases {
        assert_eq!(seen(&small(&host, arguments)), seen(&whole(&host, arguments)), "{arguments:?}");
    }
    assert_eq!(printed(&small(&host, &["acme"])), tokens.access);
}

/// G24: what is fresh it prints without the other program, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_token_needs_the_small_program_alone() {
    let host = Host::new();
    let tokens = host.serving("acme").await;
    let alone = host.config.with_file_name("latchkey-token");
    // By another process: a child of another test could have our copy open for writing, and then it cannot be started.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_latchkey-token")).arg(&alone).status().unwrap();
    assert!(copied.success());
    let first = small_at(&alone, &host, &["acme"]);
    assert_eq!((first.status.code(), printed(&first).as_str()), (Some(1), ""), "today's use is to be noted");
    assert!(said(&first).contains("install it beside this program"), "{}", said(&first));
    assert!(whole(&host, &["acme"]).status.success());
    let second = small_at(&alone, &host, &["acme", "--wait"]);
    assert_eq!(seen(&second), (Some(0), format!("{}\n", tokens.access), String::new()));
    assert_eq!(small_at(&alone, &host, &["acme", "--help"]).status.code(), Some(1));
}

/// G1, G29: an expired token is refreshed once, by the other program.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_fresh_is_handed_over_and_refreshed_once() {
    let host = Host::new();
    let old = host.expired("acme").await;
    let output = small(&host, &["acme"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(printed(&output) != old.access && host.authority.accepts(&printed(&output)));
    assert_eq!(printed(&small(&host, &["acme"])), printed(&output));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// W2: the first use of a day is noted, whichever program is asked.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_use_of_a_day_is_noted() {
    let host = Host::new();
    host.serving("acme").await;
    assert_eq!(host.stored("acme").unwrap().last_used_at, None);
    assert!(small(&host, &["acme"]).status.success());
    let today = latchkey::clock::Clock::system().now() / 86_400 * 86_400;
    let noted = host.stored("acme").unwrap().last_used_at.unwrap();
    assert!((today - 86_400..=today).contains(&noted), "{noted}, and it is {today}");
}
