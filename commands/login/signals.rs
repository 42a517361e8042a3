//! The signals that end a sign-in, or a question.
//!
//! Owns which these are, and the exit code of each. Must not: decide what is done before the end.

use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Code, Exit};

/// Ctrl-C, an end that is asked for, and a terminal that is closed. As long as this lives, they end nothing by themselves.
pub struct Signals([(Signal, Code); 3]);

impl Signals {
    pub fn new() -> Result<Self, Exit> {
        let on = |kind| signal(kind).map_err(|error| Exit::new(Code::Internal, error));
        Ok(Self([
            (on(SignalKind::interrupt())?, Code::Interrupted),
            (on(SignalKind::terminate())?, Code::Terminated),
            (on(SignalKind::hangup())?, Code::HungUp),
        ]))
    }

    /// The next of them: the code to end with.
    pub async fn next(&mut self) -> Code {
        std::future::poll_fn(|context| {
            for (signal, code) in &mut self.0 {
                if signal.poll_recv(context).is_ready() {
                    return Poll::Ready(*code);
                }
            }
            Poll::Pending
        })
        .await
    }
}
