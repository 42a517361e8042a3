//! What the servers do wrong.

use std::sync::Arc;
use std::time::Duration;

use latchkey_test_authority::{Canned, Endpoint, Fault};
use rand::Rng;

use crate::{Figures, Run};

/// Queues faults until the end. The strict server meets only those after which it has rotated nothing unseen.
pub async fn over(run: Arc<Run>) {
    let mut choices = run.choices("weather");
    while run.goes_on() {
        run.pause(&mut choices, 100..900).await;
        let rough = choices.random_bool(0.5);
        let harmless = [
            Fault::CloseBefore,
            Fault::Reply(Canned::html(503)),
            Fault::Reply(Canned::html(502)),
            Fault::Reply(
                Canned::error(429, "temporarily_unavailable", "wait").with_header("retry-after", "1"),
            ),
            Fault::Delay(Duration::from_millis(400)),
            Fault::Dribble { every: Duration::from_millis(1) },
        ];
        let lossy = [Fault::CloseAfter, Fault::CutBody(20), Fault::ReplyAfter(Canned::html(502))];
        let all = harmless.len() + if rough { lossy.len() } else { 0 };
        let chosen = choices.random_range(0..all);
        let fault = harmless.get(chosen).unwrap_or_else(|| &lossy[chosen - harmless.len()]);
        let server = if rough { &run.world.lenient } else { &run.world.strict };
        server.fail_next(Endpoint::Token, 1, fault);
        Figures::count(&run.figures.faults);
    }
    for server in [&run.world.strict, &run.world.lenient] {
        server.clear_faults();
    }
}
