//! Many requests, and the bot as it was.

use std::time::Instant;

use super::*;

/// How many requests an ordinary run makes; `LATCHKEY_SOCKET_REQUESTS=100000` is the whole.
const REQUESTS: usize = 20_000;
/// How many of them come before memory is measured first: buffers and pools have their size by then.
const WARM: usize = 10;
const CLIENTS: usize = 8;

/// Memory does not grow with the number of requests, of short connections and of long ones alike.
#[tokio::test(flavor = "multi_thread")]
async fn memory_is_flat_however_many_ask() {
    let (setup, socket) = setup("").await;
    seed(&setup, "acme", false).await;
    let bot = Bot::start(&setup).await;
    let all =
        std::env::var("LATCHKEY_SOCKET_REQUESTS").ok().and_then(|all| all.parse().ok()).unwrap_or(REQUESTS);
    let (_, first) = asked(&socket, all / WARM).await;
    let (before, open) = (status_of(bot.id(), "VmRSS"), descriptors_of(bot.id()));
    let (mut took, rest) = asked(&socket, all - first).await;
    let (after, then) = (status_of(bot.id(), "VmRSS"), descriptors_of(bot.id()));
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    println!(
        "{first} requests, then {rest}: {before} kB, then {after} kB; a fresh token: p50 {:?}, p99 {:?}",
        at(50),
        at(99)
    );
    assert!(after <= before + 3_000, "{before} kB, then {after} kB");
    assert!(then <= open + 2, "{open} descriptors, then {then}");
}

/// Has so many requests answered, nine of ten over connections that stay. How long each took.
async fn asked(socket: &Path, requests: usize) -> (Vec<Duration>, usize) {
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let socket = socket.to_owned();
        clients.spawn(async move {
            let mut took = Vec::new();
            let mut caller = Caller::connect(&socket).await;
            for number in 0..requests / CLIENTS {
                if number % 10 == 0 {
                    caller = Caller::connect(&socket).await;
                }
                let began = Instant::now();
                let answer = caller.ask(json!({"op": "token", "tenant": "acme"})).await;
                took.push(began.elapsed());
                assert_eq!(answer["ok"], true, "{answer}");
                caller.heard.clear();
            }
            took
        });
    }
    let all = tokio::time::timeout(LONG * 5, clients.join_all()).await.expect("all are answered");
    (all.concat(), requests / CLIENTS * CLIENTS)
}
