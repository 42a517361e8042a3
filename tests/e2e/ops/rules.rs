//! The alert rules and the dashboard, by Prometheus' own tool and against a real scrape.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{free, get, plan};
use crate::harness::Bot;

/// The alerts that there are to be.
const ALERTS: [&str; 16] = [
    "LatchkeyDown",
    "LatchkeyNotReady",
    "LatchkeyGatewayDeaf",
    "LatchkeyStoreUnwritable",
    "LatchkeyRotationUnsaved",
    "LatchkeyRefreshFailing",
    "LatchkeyRefreshTokenReused",
    "LatchkeySignInsDying",
    "LatchkeyNeedsLogin",
    "LatchkeyTokenExpired",
    "LatchkeyLockWaitLong",
    "LatchkeyRevocationsOwed",
    "LatchkeyOperatorError",
    "LatchkeyAuditFailing",
    "LatchkeyFeedBehind",
    "LatchkeyConfigRefused",
];

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(file(path)).expect("it is part of the repository")
}

/// Runs promtool with this on standard input; gives what it said if it is content.
fn promtool(arguments: &[&str], input: &str) -> String {
    let mut tool = Command::new("promtool")
        .args(arguments)
        .current_dir(file("config/prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs: it is in Debian's package prometheus, and scripts/test installs it");
    tool.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    let output = tool.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    said.into_owned()
}

/// Each of `queries` is one, with what Grafana puts in for its variables.
fn check_queries<'q>(queries: impl IntoIterator<Item = &'q String>) {
    let rule = |(number, query): (usize, &String)| {
        let query = query.replace("$instance", ".*").replace("$__rate_interval", "5m");
        serde_json::json!({ "record": format!("query:{number}"), "expr": query })
    };
    let rules: Vec<_> = queries.into_iter().enumerate().map(rule).collect();
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    // JSON is YAML too.
    let groups = serde_json::json!({ "groups": [{ "name": "queries", "rules": rules }] });
    file.write_all(groups.to_string().as_bytes()).expect("it is written");
    let said = promtool(&["check", "rules", &file.path().display().to_string()], "");
    assert!(said.contains(&format!("{} rules found", rules.len())), "{said}");
}

/// `metrics` is what Prometheus reads, and keeps to its conventions.
pub fn check_metrics(metrics: &str) {
    let said = promtool(&["check", "metrics"], metrics);
    assert_eq!(said, "", "it has nothing to remark");
}

/// Z4: the rules are valid, and each fires on what it is for and on nothing else.
#[test]
fn each_alert_fires_on_what_it_is_for() {
    assert!(promtool(&["check", "rules", "alerts.yml"], "").contains("SUCCESS: 16 rules found"));
    promtool(&["test", "rules", "alerts_test.yml"], "");
    let tests = text("config/prometheus/alerts_test.yml");
    for alert in ALERTS {
        let of_alert: Vec<_> =
            tests.split("  - name: ").filter(|test| test.starts_with(&format!("\"{alert}: "))).collect();
        let fires = of_alert.iter().filter(|test| test.contains("exp_labels:")).count();
        assert!(fires > 0 && fires < of_alert.len(), "{alert} is tried both ways: {of_alert:?}");
    }
}

/// Z4: what an operator is called for has a name, a severity, and a place in the manual that says what to do.
#[test]
fn each_alert_is_in_the_manual() {
    let (rules, manual) = (text("config/prometheus/alerts.yml"), text("docs/operations.md"));
    let mut rest = &*rules;
    for alert in ALERTS {
        let (_, from) = rest.split_once(&format!("- alert: {alert}\n")).unwrap_or_else(|| panic!("{alert}"));
        rest = from;
        let rule = from.split("- alert:").next().unwrap_or_default();
        let link = format!("runbook_url: docs/operations.md#{}\n", alert.to_lowercase());
        assert!(rule.contains(&link), "{rule}");
        assert!(
            ["critical", "warning", "info"].iter().any(|word| rule.contains(&format!("severity: {word}\n")))
        );
        let (_, section) =
            manual.split_once(&format!("\n### {alert}\n")).unwrap_or_else(|| panic!("{alert}"));
        let section = section.split("\n#").next().unwrap_or_default();
        assert!(section.contains("**Do:** "), "{alert}: {section}");
    }
    assert_eq!(rules.matches("- alert:").count(), ALERTS.len());
}

/// The metrics that stand in `text`.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let ours = words.filter(|word| word.starts_with("latchkey_") || word.starts_with("process_"));
    ours.map(str::to_owned).collect()
}

/// Z4: nothing is asked for that is not there.
#[tokio::test(flavor = "multi_thread")]
async fn what_rules_and_dashboard_ask_for_is_there() {
    let address = free();
    let setup = plan(address, "").start().await;
    let _bot = Bot::start(&setup).await;
    let (_, scrape) = get(address, "/metrics").await;
    check_metrics(&scrape);
    let mut there = BTreeSet::new();
    for line in scrape.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').expect("a kind");
        let parts: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        there.extend(parts.iter().map(|part| format!("{name}{part}")));
    }
    let dashboard: serde_json::Value =
        serde_json::from_str(&text("config/grafana/latchkey.json")).expect("the dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let asked: Vec<_> = targets.map(|target| target["expr"].as_str().expect("a query").to_owned()).collect();
    assert!(asked.len() >= 20, "{asked:?}");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{}", panel["title"]);
    }
    let rules = text("config/prometheus/alerts.yml");
    let exprs = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    for (place, query) in
        asked.iter().map(|query| ("dashboard", query.as_str())).chain(exprs.map(|query| ("rules", query)))
    {
        let missing: Vec<_> = named(query).difference(&there).cloned().collect();
        assert_eq!(missing, Vec::<String>::new(), "{place}: {query}");
    }
    check_queries(&asked);
    // What is asked for in words of the rules' own test is there as well.
    let series = text("config/prometheus/alerts_test.yml");
    let of_tests = series.lines().filter_map(|line| line.trim().strip_prefix("- series: "));
    for series in of_tests {
        assert!(named(series).is_subset(&there), "{series}");
    }
}
