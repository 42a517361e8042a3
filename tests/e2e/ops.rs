//! Seeing inside: health, metrics, alert rules and the audit trail of a real bot (Z3, Z4).

mod rules;
mod trail;

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use latchkey_test_authority::Person;

use crate::harness::{Bot, NEXT_POLL, Plan, SOON, Setup};

/// A port that nobody listens on at the moment.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address")
}

/// With health and metrics at `address`, and these tables more.
fn plan(address: SocketAddr, more: &str) -> Plan {
    Setup::plan().more(&format!("[ops]\nlisten = \"{address}\"\n{more}"))
}

/// What is answered there.
async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().timeout(SOON).build().expect("a client");
    let answer = client.get(format!("http://{address}{path}")).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a body"))
}

/// Waits until `latchkey health` ends so.
async fn health_becomes(setup: &Setup, arguments: &[&str], code: i32) -> String {
    let end = tokio::time::Instant::now() + SOON;
    loop {
        let line: Vec<_> = ["health"].into_iter().chain(arguments.iter().copied()).collect();
        let cli = setup.cli(&line).await;
        if cli.code == code {
            return cli.stdout + &cli.stderr;
        }
        assert!(tokio::time::Instant::now() < end, "{} {}", cli.code, cli.stderr);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Z4: before it runs, while it runs, while its disk is away, and after; by exit code, in words and as JSON.
#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_to_programs_and_people() {
    let address = free();
    let setup = plan(address, "").start().await;
    let nobody = setup.cli(&["health"]).await;
    assert_eq!((nobody.code, &*nobody.stdout), (4, ""));
    let wanted = format!("latchkey: no bot answers at {address}: ");
    assert!(
        nobody.stderr.starts_with(&wanted) && nobody.stderr.contains("latchkey run"),
        "{}",
        nobody.stderr
    );

    let bot = Bot::start(&setup).await;
    assert_eq!(health_becomes(&setup, &[], 0).await, "ready");
    assert_eq!(health_becomes(&setup, &["--live"], 0).await, "live");
    assert_eq!(health_becomes(&setup, &["--quiet"], 0).await, "");
    let json: serde_json::Value =
        serde_json::from_str(&health_becomes(&setup, &["--json"], 0).await).expect("JSON");
    assert_eq!((&json["ready"], &json["gateway"]), (&true.into(), &"connected".into()));

    let (data, away) = (setup.dir.path().join("data"), setup.dir.path().join("away"));
    std::fs::rename(&data, &away).expect("the store's folder is moved");
    let said = health_becomes(&setup, &[], 4).await;
    assert!(said.starts_with("latchkey: the bot is not ready:\n  cannot "), "{said}");
    assert_eq!(health_becomes(&setup, &["--live"], 0).await, "live", "a restart mends no disk");
    let (status, text) = get(address, "/metrics").await;
    assert!(status == 200 && text.contains("\nlatchkey_store_writable 0\n"), "{text}");
    std::fs::rename(&away, &data).expect("it is put back");
    health_becomes(&setup, &[], 0).await;
    drop(bot);
}

/// Z4: a second bot on the address is told at its start; no [ops] is told, too.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_served_is_refused_with_the_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address");
    let setup = plan(address, "").start().await;
    let cli = setup.cli(&["run"]).await;
    assert_eq!(cli.code, 2, "{}", cli.stderr);
    assert!(cli.stderr.contains(&format!("cannot serve health and metrics on {address}")), "{}", cli.stderr);
    assert!(cli.stderr.contains("choose another listen under [ops]"), "{}", cli.stderr);
    let none = Setup::new().await.cli(&["health"]).await;
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("there is no [ops] table"), "{}", none.stderr);
}

/// Z4: a sign-in, a refresh and a refusal are counted by our words, and no person, link or token is in it.
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted() {
    let address = free();
    let setup = plan(address, "").start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let login = ann.slash("/auth login acme").in_thread(&thread).send().await;
    login.sees_text("Open sign-in page", SOON).await;
    setup.authority.approve_device(&login.link("Open sign-in page"), &Person::ada()).await;
    login.sees_text("Signed in to Acme", NEXT_POLL).await;
    let tenant = format!("acme@{}", ann.id());
    setup.expire(&tenant).await;
    let status = ann.slash("/auth status").in_thread(&thread).send().await;
    status.sees_text("Refresh now", SOON).await;
    status.click("Refresh now").await;
    let counted =
        format!("latchkey_refreshes_total{{outcome=\"granted\",reason=\"\",tenant=\"{tenant}\"}} 1");
    let end = tokio::time::Instant::now() + SOON;
    let text = loop {
        let (_, text) = get(address, "/metrics").await;
        if text.contains(&counted) || tokio::time::Instant::now() > end {
            break text;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    for line in [
        counted.as_str(),
        "latchkey_logins_total{kind=\"device\",outcome=\"succeeded\",provider=\"acme\",reason=\"\"} 1",
        "latchkey_logins_started_total{kind=\"device\",provider=\"acme\"} 1",
        "latchkey_interactions_total{command=\"login\",outcome=\"done\"} 1",
        "latchkey_interactions_total{command=\"status\",outcome=\"done\"} 1",
        &format!("latchkey_tenant_state{{state=\"fresh\",tenant=\"{tenant}\"}} 1"),
        "latchkey_refresh_duration_seconds_count{provider=\"acme\"} 1",
        "latchkey_ready 1",
        "latchkey_store_writable 1",
        "latchkey_gateway_state{state=\"connected\"} 1",
        "latchkey_workers 1",
        "latchkey_store_write_failures_total 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n\n{text}");
    }
    setup.authority.assert_no_secret_in(&text);
    assert!(!text.contains(&thread.id().to_string()), "a thread: {text}");
    rules::check_metrics(&text);
}
