//! The bot and a crowd of agents, all at once on one token that has ended.

use std::process::Stdio;
use std::time::Duration;

use latchkey_test_authority::Endpoint;

use crate::due::{LONG, due, refreshed};
use crate::harness::{Bot, Setup};

/// How many agents ask at once.
const AGENTS: usize = 20;

/// G1: whoever comes first, the bot that refreshes ahead or an agent that asks: one request for all, one token for all, and
/// the sign-in lives.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_and_a_crowd_of_agents_make_one_refresh() {
    a_bot_and_a_crowd_of_agents(Setup::new().await).await;
}

/// G1: with everything sealed, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_and_a_crowd_of_agents_make_one_refresh_of_what_is_sealed() {
    let setup = Setup::plan().sealed().start().await;
    a_bot_and_a_crowd_of_agents(setup).await;
}

async fn a_bot_and_a_crowd_of_agents(setup: Setup) {
    due(&setup).await;
    setup.authority.latency(Endpoint::Token, Duration::from_millis(700));
    let bot = Bot::spawn(&setup, |_| {});
    let mut agents = tokio::task::JoinSet::new();
    for _ in 0..AGENTS {
        let mut agent = tokio::process::Command::from(setup.program());
        agent.args(["token", "acme@1", "--timeout", "50s"]).kill_on_drop(true);
        let agent = agent.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        agents.spawn(async move { agent.wait_with_output().await.unwrap() });
    }
    let outputs = tokio::time::timeout(LONG, agents.join_all()).await.unwrap();
    bot.wait_said("latchkey: ready", LONG).await;
    let held = refreshed(&setup).await;
    for output in outputs {
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        assert_eq!(
            String::from_utf8(output.stdout).unwrap().trim_end(),
            held.access_token.expose(),
            "{said}"
        );
    }
    assert_eq!((setup.authority.refreshes(), setup.authority.reuses()), (1, 0));
    assert!(setup.authority.accepts(held.access_token.expose()));
    assert!(setup.authority.would_refresh(held.refresh_token.unwrap().expose()), "the family lives");
}
