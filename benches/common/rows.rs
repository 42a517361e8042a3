//! The rows that are measured inside one process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use latchkey::broker::Broker;
use latchkey::credential::Credential;
use latchkey::gate::Want;
use latchkey::store::file::FileStore;
use latchkey::store::{EntryError, Store, Touches, update};
use latchkey::tenant::TenantKey;
use tokio::runtime::Runtime;

use super::by_hand;
use super::ground::{Ground, key, names, runtime};
use super::pair::{Limit, Pair, Timed, timed};

/// Updates of each task that are under way at once.
const CONCURRENT: usize = 16;

/// All of them.
pub fn all() -> Vec<Pair> {
    vec![fresh(), fresh_among_many(), small_update(), combined(), large_update()]
}

/// Hands out a fresh token, so many times.
pub fn hand_out(ground: Ground) -> Timed {
    let broker = ground.broker();
    let (runtime, tenant) = (runtime(), key("acme"));
    Box::new(move |times| {
        let _alive = &ground;
        runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..times {
                std::hint::black_box(fresh_token(&broker, &tenant).await);
            }
            start.elapsed()
        })
    })
}

async fn fresh_token(broker: &Broker, tenant: &TenantKey) -> usize {
    let token = broker.token(tenant, Want::default(), Duration::from_secs(30)).await.unwrap();
    token.access_token.expose().len()
}

fn fresh() -> Pair {
    let ground = Ground::new(1);
    let path = ground.auth.clone();
    Pair {
        name: "fresh token in process",
        peer_name: "one `stat`",
        limit: Limit::AtMost(2.0),
        thing: hand_out(ground),
        peer: timed(move || by_hand::stat(&path)),
        batch: 1_000,
    }
}

fn fresh_among_many() -> Pair {
    Pair {
        name: "the same with 1,000 tenants",
        peer_name: "with one tenant",
        limit: Limit::AtMost(1.2),
        thing: hand_out(Ground::new(1_000)),
        peer: hand_out(Ground::new(1)),
        batch: 1_000,
    }
}

/// One durable change of `tenant`: what a refresh or the note of a use makes.
pub async fn change(store: &FileStore, tenant: TenantKey) {
    set(store, tenant, |held| held.generation += 1).await;
}

/// Changes what is stored of `tenant`.
pub async fn set(
    store: &dyn Store,
    tenant: TenantKey,
    change: impl FnOnce(&mut Credential) + Send + 'static,
) {
    let changed = update(store, Touches::tenant(&tenant), move |view| {
        let mut credential = view.tenant(&tenant)?.unwrap();
        change(&mut credential);
        view.put_tenant(&tenant, credential);
        Ok::<_, EntryError>(())
    });
    changed.await.unwrap().unwrap();
}

/// Updates one tenant of `ground`, one update after the other.
pub fn one_by_one(ground: Ground) -> Timed {
    let (store, runtime) = (ground.store(), runtime());
    Box::new(move |times| {
        let _alive = &ground;
        runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..times {
                change(&store, key("acme")).await;
            }
            start.elapsed()
        })
    })
}

fn replaced_by_hand(ground: &Ground) -> Timed {
    let (path, bytes) = (ground.beside(), ground.bytes());
    timed(move || by_hand::replace(&path, &bytes))
}

fn small_update() -> Pair {
    let ground = Ground::new(1);
    Pair {
        name: "one update of a small file",
        peer_name: "the same bytes replaced by hand",
        limit: Limit::AtMost(1.3),
        peer: replaced_by_hand(&ground),
        thing: one_by_one(ground),
        batch: 4,
    }
}

fn large_update() -> Pair {
    let ground = Ground::new(1_000);
    Pair {
        name: "one update among 1,000 tenants",
        peer_name: "the same bytes replaced by hand",
        limit: Limit::AtMost(3.0),
        peer: replaced_by_hand(&ground),
        thing: one_by_one(ground),
        batch: 1,
    }
}

/// `times` updates by each of `tasks` tasks at once.
pub fn at_once(runtime: &Runtime, store: &Arc<FileStore>, tasks: usize, times: u64) -> Duration {
    runtime.block_on(async {
        let start = Instant::now();
        let mut running = tokio::task::JoinSet::new();
        for tenant in names(tasks) {
            let store = Arc::clone(store);
            running.spawn(async move {
                for _ in 0..times {
                    change(&store, tenant.clone()).await;
                }
            });
        }
        running.join_all().await;
        start.elapsed()
    })
}

fn combined() -> Pair {
    let (ground, alone) = (Ground::new(CONCURRENT), Ground::new(CONCURRENT));
    let (store, runtime) = (ground.store(), runtime());
    Pair {
        name: "an update, 16 under way at once",
        peer_name: "one at a time",
        limit: Limit::AtLeast(4.0),
        thing: Box::new(move |times| {
            let _alive = &ground;
            at_once(&runtime, &store, CONCURRENT, times.div_ceil(CONCURRENT as u64))
        }),
        peer: one_by_one(alone),
        batch: 64,
    }
}
