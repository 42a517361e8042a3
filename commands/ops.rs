//! Health and metrics of the bot, from before it connects until it has ended.
//!
//! Owns the tasks behind `[ops] listen` and the probe of the store. Invariant: they outlive the rest of the bot, so that its end
//! can be seen too. Must not: be waited for by anything but the end.

use std::sync::Arc;
use std::time::Duration;

use latchkey::clock::Clock;
use latchkey::config::Config;
use latchkey::health::Health;
use latchkey::serve::ops::{self, Server};
use latchkey::store::file::FileStore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::exit::{Code, Exit};
use crate::log;

/// How long a scrape under way may take once the bot has ended: one that waits for a disk must not hold up the end.
pub const LAST_SCRAPE: Duration = Duration::from_secs(2);

/// What runs beside the bot.
pub struct Ops {
    tasks: TaskTracker,
    closing: CancellationToken,
}

/// Begins: probes the store, and serves where the configuration says.
pub async fn begin(config: &Config, store: &Arc<FileStore>, health: &Health) -> Result<Ops, Exit> {
    let ops = Ops { tasks: TaskTracker::new(), closing: CancellationToken::new() };
    if let Some(config) = &config.ops {
        let listener = ops::bind(config.listen).await.map_err(|error| Exit::new(Code::Usage, error))?;
        let server = Server::new(health.clone(), Arc::clone(store), Clock::system());
        ops.tasks
            .spawn(health.clone().watched("health and metrics", server.serve(listener, ops.closing.clone())));
        log::say(&format!("health and metrics are served on http://{}", config.listen));
    }
    let probing =
        health.clone().watched("the probe of the store", ops::probe(health.clone(), Arc::clone(store)));
    let closing = ops.closing.clone();
    ops.tasks.spawn(async move {
        tokio::select! {
            () = probing => {}
            () = closing.cancelled() => {}
        }
    });
    Ok(ops)
}

impl Ops {
    /// Ends, last of all.
    pub async fn end(self) {
        self.closing.cancel();
        self.tasks.close();
        // What is cut off was an answer to an operator's program, which asks again.
        drop(tokio::time::timeout(LAST_SCRAPE, self.tasks.wait()).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W5: a scrape that hangs is not waited for for long.
    #[tokio::test(start_paused = true)]
    async fn what_hangs_does_not_hold_up_the_end() {
        let ops = Ops { tasks: TaskTracker::new(), closing: CancellationToken::new() };
        ops.tasks.spawn(std::future::pending::<()>());
        let begun = tokio::time::Instant::now();
        ops.end().await;
        assert_eq!(begun.elapsed().as_secs(), LAST_SCRAPE.as_secs());
    }
}
