//! `--format` from outside: what git is answered, and that both programs print the same.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::host::{Host, printed, said};

/// Either program, asked with `input` on its standard input.
fn ask(program: &str, host: &Host, arguments: &[&str], input: &str, info: Option<&str>) -> Output {
    let mut command = Command::new(program);
    if program == env!("CARGO_BIN_EXE_latchkey") {
        command.arg("token");
    }
    command.arg("--config").arg(&host.config).args(arguments).env_remove("FAILPOINTS");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.envs(info.map(|info| ("KUBERNETES_EXEC_INFO", info)));
    let mut child = command.spawn().unwrap();
    // It may have refused before it read.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

/// Arguments, standard input, `KUBERNETES_EXEC_INFO`; the exit code and what is printed.
type Case<'a> = (&'a [&'a str], &'a str, Option<&'a str>, i32, String);

/// DESIGN, G24: each format, from the small program as from the whole one.
#[tokio::test(flavor = "multi_thread")]
async fn both_programs_print_each_format_alike() {
    let host = Host::new();
    let tokens = host.serving("acme").await;
    host.used_today("acme").await;
    let end = host.stored("acme").unwrap().expires_at.unwrap();
    let asked = "protocol=https\nhost=git.example\n";
    let refused = "protocol=http\nhost=git.example\n";
    let beta = r#"{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","spec":{}}"#;
    let cases: [Case; 12] = [
        (&["acme", "--format", "header"], "", None, 0, format!("Authorization: Bearer {}", tokens.access)),
        (
            &["acme", "--format=env"],
            "",
            None,
            0,
            format!(
                "LATCHKEY_ACCESS_TOKEN={}\nLATCHKEY_TOKEN_TYPE=Bearer\nLATCHKEY_TENANT=acme\nLATCHKEY_EXPIRES_AT={end}",
                tokens.access
            ),
        ),
        (
            &["acme", "--format", "git", "get"],
            asked,
            None,
            0,
            format!("username=oauth2\npassword={}\npassword_expiry_utc={end}", tokens.access),
        ),
        (&["acme", "--format", "git", "store"], asked, None, 0, String::new()),
        (&["acme", "--format", "git", "erase"], asked, None, 0, String::new()),
        (&["acme", "--format", "git", "get"], refused, None, 2, String::new()),
        (&["acme", "--format", "git", "get"], "nonsense", None, 2, String::new()),
        (&["acme", "--format", "git"], "", None, 2, String::new()),
        (&["acme", "get"], "", None, 2, String::new()),
        (&["acme/work", "--format", "git", "get"], asked, None, 3, "quit=1".to_owned()),
        (&["acme", "--format", "kubernetes"], "", Some("{half"), 2, String::new()),
        (
            &["acme", "--format", "kubernetes"],
            "",
            Some(beta),
            0,
            format!(
                r#"{{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{{"token":"{}","expirationTimestamp":"{}"}}}}"#,
                tokens.access,
                chrono::DateTime::from_timestamp(end, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ"),
            ),
        ),
    ];
    for (arguments, input, info, code, expected) in cases {
        let whole = ask(env!("CARGO_BIN_EXE_latchkey"), &host, arguments, input, info);
        assert_eq!((whole.status.code(), printed(&whole)), (Some(code), expected), "{arguments:?}");
        let small = ask(env!("CARGO_BIN_EXE_latchkey-token"), &host, arguments, input, info);
        assert_eq!(
            (small.status.code(), printed(&small), said(&small)),
            (Some(code), printed(&whole), said(&whole)),
            "{arguments:?}"
        );
    }
    assert_eq!(host.authority.refreshes(), 0);
}
