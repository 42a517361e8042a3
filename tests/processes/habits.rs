//! Habits that people have of programs: quiet, colours, closed pipes, help.

use std::process::{Command, Stdio};

use latchkey::credential::Credential;

use crate::host::{Host, printed, said};
use crate::screen::Terminal;

/// Commands that report something, with what they need to.
const REPORTS: [&[&str]; 8] = [
    &["status"],
    &["status", "--json"],
    &["check"],
    &["check", "--json"],
    &["providers"],
    &["providers", "--json"],
    &["completions", "bash"],
    &["--help"],
];

/// `latchkey status | head -1`: whose reader has left has had what they wanted.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_is_no_error() {
    let host = Host::new();
    host.serving("acme").await;
    for arguments in REPORTS.into_iter().chain([&["help", "token"][..], &["--version"]]) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = host.latchkey(arguments).stdout(writer).output().unwrap();
        assert_eq!((said(&output).as_str(), output.status.code()), ("", Some(0)), "{arguments:?}");
    }
    let mut obscure = host.latchkey(&["-q", "obscure"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let secret = std::fs::File::open(&host.config).unwrap();
    let output = obscure.stdin(secret).stdout(writer).output().unwrap();
    // More than one line is no secret: errors are told, whoever reads the rest.
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    // A disk that is full is an error all the same.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [&["status"][..], &["--help"], &["help", "token"], &["--version"]] {
        let output = host.latchkey(arguments).stdout(full.try_clone().unwrap()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            said(&output).starts_with("latchkey: cannot write to standard output: "),
            "{}",
            said(&output)
        );
    }
}

/// `--quiet`: what is asked for and errors, and nothing else, before and behind the command's name.
#[tokio::test(flavor = "multi_thread")]
async fn quiet_says_nothing_but_errors_and_data() {
    let host = Host::new();
    host.expired("acme").await;
    for arguments in REPORTS {
        let mut quiet = vec!["--quiet"];
        quiet.extend(arguments);
        let output = host.latchkey(&quiet).output().unwrap();
        assert_eq!(said(&output), "", "{arguments:?}");
        assert_ne!(printed(&output), "", "{arguments:?}");
    }
    let secret = || {
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, b"hush").unwrap();
        reader
    };
    let loud = host.latchkey(&["obscure"]).stdin(secret()).output().unwrap();
    assert!(said(&loud).contains("no encryption"), "{}", said(&loud));
    let quiet = host.latchkey(&["obscure", "-q"]).stdin(secret()).output().unwrap();
    assert_eq!((said(&quiet).as_str(), quiet.status.success()), ("", true));
    let token = host.latchkey(&["token", "acme", "--quiet"]).output().unwrap();
    assert_eq!((said(&token).as_str(), token.status.success()), ("", true));
    let error = host.latchkey(&["token", "nobody", "--quiet"]).output().unwrap();
    assert_eq!(error.status.code(), Some(2));
    assert!(said(&error).starts_with("latchkey: provider \"nobody\" is not configured"), "{}", said(&error));
    // A log that is asked for by name is asked for; what was refreshed a minute ago is refreshed for a long minimum.
    let age = |held: &mut Credential| held.obtained_at = held.obtained_at.map(|at| at - 61);
    host.change("acme", age).await;
    let logged = host
        .latchkey(&["token", "acme", "--quiet", "--min-valid", "2h"])
        .env("LATCHKEY_LOG", "debug")
        .output()
        .unwrap();
    assert_ne!(said(&logged), "");
}

/// no-color.org: help, errors, tables and logs.
#[tokio::test(flavor = "multi_thread")]
async fn no_color_is_no_colour_anywhere() {
    let host = Host::new();
    let call = |arguments: &str| {
        format!("'{}' --config '{}' {arguments}", env!("CARGO_BIN_EXE_latchkey"), host.config.display())
    };
    for (arguments, is_coloured) in [
        ("--help", true),
        ("token --colour", true),
        ("status", true),
        ("token acme --min-valid 2h", false),
        ("token nobody", false),
        ("check", true),
        ("providers", false),
        // Nothing but its log is in colour.
        ("logout acme --yes", true),
    ] {
        host.expired("acme").await;
        let env = [("LATCHKEY_LOG", "trace")];
        let age = |held: &mut Credential| held.obtained_at = held.obtained_at.map(|at| at - 61);
        host.change("acme", age).await;
        let (coloured, _) = Terminal::run(&call(arguments), 80, 24, &env).end();
        assert_eq!(coloured.contains('\u{1b}'), is_coloured, "{arguments}: {coloured:?}");
        for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            host.expired("acme").await;
            host.change("acme", age).await;
            let (shown, _) = Terminal::run(&call(arguments), 80, 24, &[env[0], plain]).end();
            assert!(!shown.contains('\u{1b}'), "{plain:?} {arguments}: {shown:?}");
        }
        host.expired("acme").await;
        let piped =
            Command::new("sh").args(["-c", &call(arguments)]).env("LATCHKEY_LOG", "trace").output().unwrap();
        assert!(!(printed(&piped) + &said(&piped)).contains('\u{1b}'), "{arguments} into a pipe");
    }
}

/// Help by either way is the same, and is asked for; what clap refuses is usage.
#[test]
fn help_is_data_and_wrong_usage_is_2() {
    let host = Host::new();
    let run = |arguments: &[&str]| host.latchkey(arguments).stdin(Stdio::null()).output().unwrap();
    for name in [
        "run",
        "check",
        "token",
        "exec",
        "login",
        "logout",
        "status",
        "providers",
        "obscure",
        "import",
        "completions",
    ] {
        let (one, other) = (run(&["help", name]), run(&[name, "--help"]));
        assert_eq!((printed(&one), one.status.code()), (printed(&other), Some(0)), "{name}");
        assert!(printed(&one).contains("Examples:\n  "), "{name}");
        let wrong = run(&[name, "--colour"]);
        assert_eq!((printed(&wrong).as_str(), wrong.status.code()), ("", Some(2)), "{name}");
        assert!(said(&wrong).contains("For more information, try '--help'."), "{}", said(&wrong));
    }
    for wrong in [&["nothing"][..], &["token"], &["status", "co dex"], &["completions", "tcsh"]] {
        assert_eq!(run(wrong).status.code(), Some(2), "{wrong:?}");
    }
}
