//! Many processes, one expired token, one refresh.

use std::collections::BTreeSet;
use std::time::Duration;

use latchkey::gate::Want;
use latchkey::secret::Secret;
use latchkey_test_authority::Endpoint;
use tokio::task::JoinSet;

use crate::host::{Host, LONG, key, printed, said};

/// How long the endpoint takes, so that everybody is there before the first is done.
const ENDPOINT: Duration = Duration::from_millis(700);

/// Runs the program `times` at once; gives what each printed.
async fn at_once(host: &Host, times: usize, arguments: &[&str], environment: &[(&str, &str)]) -> Vec<String> {
    let mut running = JoinSet::new();
    for _ in 0..times {
        let mut command = tokio::process::Command::from(host.latchkey(arguments));
        command.envs(environment.iter().copied()).kill_on_drop(true);
        running.spawn(async move {
            let output = tokio::time::timeout(LONG, command.output()).await.unwrap().unwrap();
            (output.status.code(), printed(&output), said(&output))
        });
    }
    let ended = running.join_all().await;
    ended
        .into_iter()
        .map(|(code, printed, said)| if code == Some(0) { printed } else { format!("{code:?}: {said}") })
        .collect()
}

/// G1, G2: twenty processes, and a thousand tasks in another one.
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_for_twenty_processes_and_a_thousand_tasks() {
    let host = Host::new();
    let old = host.expired("acme").await;
    host.authority.latency(Endpoint::Token, ENDPOINT);
    let broker = host.broker();
    let mut tasks = JoinSet::new();
    for _ in 0..1_000 {
        let broker = broker.clone();
        tasks.spawn(
            async move { broker.token(&key("acme"), Want::default(), LONG).await.unwrap().access_token },
        );
    }
    let printed = at_once(&host, 20, &["token", "acme"], &[]).await;
    let tasks = tasks.join_all().await;
    let all: BTreeSet<_> =
        printed.into_iter().chain(tasks.iter().map(|token| token.expose().to_owned())).collect();
    assert_eq!(all.len(), 1, "everybody has the same token: {all:?}");
    assert!(!all.contains(&old.access) && host.authority.accepts(all.first().unwrap()));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    let held = host.stored("acme").unwrap();
    assert!(host.authority.would_refresh(held.refresh_token.unwrap().expose()), "the family lives");
}

/// G2: the same with the lock taken out. This is what everybody suffers from.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_the_family_is_lost() {
    let host = Host::new();
    host.expired("acme").await;
    host.authority.latency(Endpoint::Token, ENDPOINT);
    at_once(&host, 20, &["token", "acme"], &[("FAILPOINTS", "without-refresh-lock=return")]).await;
    assert!(host.authority.refreshes() > 1 && host.authority.reuses() > 0, "the lock is what makes it one");
}

/// G14
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_for_twenty_processes_that_saw_the_same_401() {
    let host = Host::new();
    let old = host.serving("acme").await;
    host.authority.latency(Endpoint::Token, ENDPOINT);
    let hash = Secret::new(&*old.access).hash().to_string();
    let printed: BTreeSet<_> =
        at_once(&host, 20, &["token", "acme", "--rejected-sha256", &hash], &[]).await.into_iter().collect();
    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(host.authority.accepts(printed.first().unwrap()) && !printed.contains(&old.access));
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G24: twenty fresh tokens are no request at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_token_is_printed_without_a_request() {
    let host = Host::new();
    let tokens = host.serving("acme").await;
    let printed: BTreeSet<_> = at_once(&host, 20, &["token", "acme"], &[]).await.into_iter().collect();
    assert_eq!(printed.into_iter().collect::<Vec<_>>(), [tokens.access]);
    assert_eq!(host.authority.requests().len(), 0);
}
