//! What a SIGHUP means: that the configuration is to be read anew, or that the terminal was closed.
//!
//! Owns the difference. Invariant: a bot that was started at a terminal does not outlive it unnoticed, holding the lock of its
//! store and guild.

use std::io::IsTerminal;

use tokio::signal::unix::Signal;

use crate::log;

/// The standard streams, as they were at the start.
pub struct Streams([bool; 3]);

impl Streams {
    /// As they are now.
    pub fn now() -> Self {
        Self([
            std::io::stdin().is_terminal(),
            std::io::stdout().is_terminal(),
            std::io::stderr().is_terminal(),
        ])
    }

    /// Whether one of them was a terminal, and is none any more: the system takes a terminal away before it tells of it.
    pub fn have_lost_their_terminal(&self) -> bool {
        lost(self.0, Self::now().0)
    }

    /// Comes back once one of `hangups` is the end of the terminal. At any other only the audit file is opened again, as after a
    /// rotation: for a bot that has not begun yet, which reads its configuration anew once it has.
    pub async fn wait_for_the_end_of_their_terminal(&self, hangups: &mut Signal) {
        while hangups.recv().await.is_some() {
            if self.have_lost_their_terminal() {
                return;
            }
            if let Err(error) = log::reopen() {
                tracing::error!("{error}. Audit lines go where they went");
            }
        }
        std::future::pending::<()>().await;
    }
}

fn lost(then: [bool; 3], now: [bool; 3]) -> bool {
    then.into_iter().zip(now).any(|(then, now)| then && !now)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W5: under a service manager no stream is a terminal, and a hangup never ends the bot.
    #[test]
    fn only_who_had_a_terminal_can_lose_it() {
        for (then, now, expected) in [
            ([false; 3], [false; 3], false),
            ([true; 3], [true; 3], false),
            ([true; 3], [false; 3], true),
            ([false, false, true], [false; 3], true),
            ([false; 3], [true; 3], false),
        ] {
            assert_eq!(lost(then, now), expected, "{then:?} {now:?}");
        }
    }
}
