//! The feeds that run.
//!
//! Owns their tasks. Invariants: one task for each feed of the configuration in force; one that leaves has ended before
//! another takes its file. Must not: stop a feed whose table is as it was.

use latchkey::broker::Broker;
use latchkey::config::FeedConfig;
use latchkey::feed::Feed;
use latchkey::health::Health;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The feeds of one bot.
pub struct Feeds {
    broker: Broker,
    health: Health,
    /// Waited for at the end (W5).
    handlers: TaskTracker,
    closing: CancellationToken,
    running: Vec<Running>,
}

struct Running {
    config: FeedConfig,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Feeds {
    pub fn new(broker: Broker, health: Health, handlers: TaskTracker, closing: CancellationToken) -> Self {
        Self { broker, health, handlers, closing, running: Vec::new() }
    }

    /// Has those run that are `wanted`, and no others.
    pub async fn follow(&mut self, wanted: &[FeedConfig]) {
        let is_wanted = |running: &Running| wanted.contains(&running.config) && !running.task.is_finished();
        let (stay, leave) = self.running.drain(..).partition(is_wanted);
        self.running = stay;
        for running in leave {
            running.stop.cancel();
            if let Err(error) = running.task.await {
                tracing::error!(%error, "feeds.{} did not end well", running.config.name);
            }
        }
        for config in wanted {
            if !self.running.iter().any(|running| running.config == *config) {
                let stop = self.closing.child_token();
                let feed = Feed::new(self.broker.clone(), config.clone());
                let name = format!("keeping the file of feeds.{}", config.name);
                let task = self.health.clone().watched(name, feed.run(stop.clone()));
                let task = self.handlers.spawn(task);
                self.running.push(Running { config: config.clone(), stop, task });
            }
        }
    }
}
