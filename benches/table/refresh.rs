//! A refresh in the bot, without the endpoint's time.

use std::time::{Duration, Instant};

use latchkey::broker::Broker;
use latchkey::clock::Clock;
use latchkey::gate::Want;
use latchkey::oauth::{self, Outcome};
use latchkey::secret::Secret;
use latchkey_test_authority::{Authority, CLIENT, Person};

use crate::common::by_hand;
use crate::common::ground::key;
use crate::common::pair::{Limit, Sample};
use crate::common::rows::set;
use crate::programs::expired;
use crate::row::Row;

const TURNS: usize = 100;
const TENANTS: usize = 10;

pub fn rows() -> Vec<Row> {
    // As the bot's: several threads, so that waiting for the disk keeps nobody waiting.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let authority = Authority::start();
    let ground = expired(&authority, Duration::ZERO, TENANTS);
    let broker = ground.broker();
    let (path, bytes) = (ground.beside(), ground.bytes());
    let mut own = Secret::new(authority.mint(&Person::ada(), CLIENT, &["openid", "offline_access"]).refresh);
    let (mut gates, mut exchanges, mut replaces) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        let (gate, exchange);
        (gate, exchange, own) = runtime.block_on(async {
            let gate = through_the_gate(&broker).await;
            let (exchange, renewed) = by_itself(&broker, own).await;
            (gate, exchange, renewed)
        });
        let start = Instant::now();
        by_hand::replace(&path, &bytes);
        if turn > 0 {
            replaces.push(start.elapsed());
            gates.push(gate);
            exchanges.push(exchange);
        }
    }
    let without = without(Sample::of(gates), Sample::of(exchanges));
    let peer = Sample::of(replaces);
    let what = "a refresh in the bot, without the exchange";
    vec![Row::ratio(what, "one replace by hand", Limit::AtMost(5.0), without, peer)]
}

fn without(all: Sample, part: Sample) -> Sample {
    Sample { median: all.median.saturating_sub(part.median), tenth: all.tenth.saturating_sub(part.tenth) }
}

/// A whole refresh: intent, exchange, durable save.
async fn through_the_gate(broker: &Broker) -> Duration {
    let tenant = key("acme");
    set(&**broker.store(), tenant.clone(), |held| held.expires_at = Some(1)).await;
    let start = Instant::now();
    broker.token(&tenant, Want::default(), Duration::from_secs(30)).await.unwrap();
    start.elapsed()
}

/// The same exchange and nothing around it. Gives the next refresh token.
async fn by_itself(broker: &Broker, token: Secret) -> (Duration, Secret) {
    let provider = broker.catalog().find("acme").unwrap().as_configured().unwrap();
    let client = oauth::Client::new();
    let start = Instant::now();
    let outcome = oauth::refresh(&client, &provider, &token, &[], Clock::system().now()).await;
    let took = start.elapsed();
    let Outcome::Granted(grant) = outcome else { panic!("{outcome}") };
    (took, grant.refresh_token.unwrap())
}
