//! The whole way in a real browser: the authorization server's login and consent, our question, the end.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use latchkey_test_authority::OidcProvider;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{free_port, http};
use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// A browser on a busy machine takes its time.
const BOUND: Duration = Duration::from_mins(2);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// The browser: Debian's, or another that is found by name.
fn chromium() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    found.into_iter().find(|file| file.is_file()).expect("there is no chromium: scripts/test installs it")
}

/// Has the browser do what `order` says.
async fn drive(mut order: Value) -> Value {
    order["chromium"] = json!(chromium());
    order["bound_ms"] = json!(BOUND.as_millis());
    let mut node = tokio::process::Command::new("node")
        .arg("drive.mjs")
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node runs: scripts/test installs it");
    let mut input = node.stdin.take().expect("standard input");
    input.write_all(order.to_string().as_bytes()).await.expect("the order is read");
    drop(input);
    let output = tokio::time::timeout(BOUND + SOON, node.wait_with_output()).await;
    let output = output.expect("the browser ends in time").expect("node ends");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the browser failed (are its packages there? `scripts/test` installs them): {complaints}"
    );
    serde_json::from_slice(&output.stdout).expect("the browser tells what it saw")
}

/// T15, U3: walked with real clicks under the page's own content security policy, which blocks and complains about nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_a_real_browser() {
    let oidc = OidcProvider::start().await;
    let port = free_port();
    let table = crate::oidc::table(&oidc).replace("[\"device\", \"paste\"]", "[\"callback\"]");
    let table = format!("{table}authorization_response_iss_parameter_supported = true\n{}", http(port));
    let setup = Setup::plan().more(&table).start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    for (decision, ended, exchanges) in
        [("drop", "Nothing was signed in", 0), ("confirm", "You are signed in as ada.", 1)]
    {
        let card = ann.slash("/auth login real").in_thread(&thread).send().await;
        card.sees_text("Check that your name is on it", SOON).await;
        let link = card.link("Open sign-in page");
        let saw = drive(json!({"walk": {"link": link, "login": "ada", "decision": decision}})).await;
        let text = |page: &str, what: &str| saw[page][what].as_str().unwrap_or_default().to_owned();
        assert!(text("asked", "text").contains("@ann"), "{saw:#}");
        assert_eq!(text("asked", "title"), "Is this your sign-in? · Latchkey");
        assert_eq!(
            (saw["first"].as_str(), text("asked", "lang").as_str()),
            (Some("confirm"), "en"),
            "{saw:#}"
        );
        assert_eq!(text("asked", "styled"), "14px", "the policy lets our style through");
        assert_eq!((&saw["asked"]["wide"], &saw["ended"]["wide"]), (&json!(false), &json!(false)), "{saw:#}");
        assert!(text("ended", "text").contains(ended), "{saw:#}");
        assert_eq!(text("ended", "url"), format!("http://127.0.0.1:{port}/callback/real"));
        assert_eq!(oidc.exchanges().await, exchanges);
        let ours = [oidc.issuer().to_owned(), format!("http://127.0.0.1:{port}")];
        let origins = saw["origins"].as_array().cloned().unwrap_or_default();
        assert!(origins.iter().all(|origin| ours.iter().any(|own| origin == own)), "{saw:#}");
        let complaints: Vec<_> = saw["complaints"].as_array().into_iter().flatten().collect();
        let policy = complaints.iter().filter(|line| line.to_string().contains("Content Security Policy"));
        assert_eq!(policy.count(), 0, "{saw:#}");
        if decision == "confirm" {
            assert!(
                text("reloaded", "text").contains(ended),
                "a reload spends nothing and tells the same: {saw:#}"
            );
            card.sees_text("Signed in to Real", NEXT_POLL).await;
        }
    }
    setup.discord.assert_clean();
}
