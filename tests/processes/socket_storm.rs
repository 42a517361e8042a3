//! A crowd with one expired token, half of it at the bot's socket, half straight on the file.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use latchkey_test_authority::Endpoint;
use tokio::task::JoinSet;

use crate::host::{Host, LONG};

const EACH: usize = 10;
/// How many of each half are killed while they wait.
const KILLED: usize = 3;

/// G1, G9: ten at the socket and ten on the file, three of each killed while the request is out: one refresh, and all who live have
/// the same token.
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_for_a_crowd_half_at_the_socket_and_half_on_the_file() {
    let host = Host::new();
    let old = host.expired("acme").await;
    let on_the_file = host.config.with_file_name("file.toml");
    std::fs::copy(&host.config, &on_the_file).unwrap();
    host.knows_the_socket();
    let _serving = host.serves(None).await;
    let gate = host.authority.hold(Endpoint::Token);
    let (mut living, mut killed) = (JoinSet::new(), Vec::new());
    for number in 0..EACH * 2 {
        let mut command = if number % 2 == 0 {
            let mut alone = host.latchkey_alone(&["token", "acme", "--timeout", "50s"]);
            alone.arg("--rejected-sha256").arg(latchkey::secret::TokenHash::of(&old.access).to_string());
            alone
        } else {
            let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
            command.arg("--config").arg(&on_the_file).args(["token", "acme", "--timeout", "50s"]);
            command
                .env_remove("FAILPOINTS")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command
        };
        if number < KILLED * 2 {
            killed.push(command.spawn().unwrap());
        } else {
            let mut command = tokio::process::Command::from(command);
            let child = command.kill_on_drop(true).spawn().unwrap();
            living.spawn(async move { child.wait_with_output().await.unwrap() });
        }
    }
    host.until("the refresh", || gate.waiting() == 1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    for child in &mut killed {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    gate.release();
    let outputs = tokio::time::timeout(LONG, living.join_all()).await.unwrap();
    let tokens: BTreeSet<_> = outputs
        .iter()
        .map(|output| {
            assert!(output.status.success(), "{}", crate::host::said(output));
            crate::host::printed(output)
        })
        .collect();
    assert_eq!((outputs.len(), tokens.len()), (2 * (EACH - KILLED), 1), "{tokens:?}");
    assert!(!tokens.contains(&old.access) && host.authority.accepts(tokens.first().unwrap()));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    let held = host.stored("acme").unwrap();
    assert!(host.authority.would_refresh(held.refresh_token.unwrap().expose()), "the family lives");
}
