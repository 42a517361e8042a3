//! Taking turns: whoever edits the messages of a login, or writes down what became of a member, does so one after another.
//!
//! Owns a lane for each name in use. Invariant: one that has to wait, for Discord, for its rate limits or for the store,
//! holds up only others of the same name; a lane is gone once nobody is in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use latchkey::pending::LoginId;
use tokio::sync::OwnedMutexGuard;

/// All lanes. The outer lock is held to look up or change, never across a wait.
#[derive(Default)]
pub struct Lanes(Mutex<HashMap<LoginId, Arc<tokio::sync::Mutex<()>>>>);

/// The turn to edit the messages of a login.
pub struct Turn<'a> {
    lanes: &'a Lanes,
    login: LoginId,
    held: Option<OwnedMutexGuard<()>>,
}

impl Lanes {
    /// The turn to edit the messages of `login`.
    pub async fn turn(&self, login: &LoginId) -> Turn<'_> {
        // Made first, so that a wait that is given up leaves no lane behind.
        let mut turn = Turn { lanes: self, login: login.clone(), held: None };
        let lane = {
            let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(lanes.entry(login.clone()).or_default())
        };
        turn.held = Some(lane.lock_owned().await);
        turn
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        drop(self.held.take());
        let mut lanes = self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.get(&self.login).is_some_and(|lane| Arc::strong_count(lane) == 1) {
            lanes.remove(&self.login);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn login(name: &str) -> LoginId {
        LoginId::from(name)
    }

    /// U5: one login's edits wait for one another, and for no other login's; nothing is left behind.
    #[tokio::test(start_paused = true)]
    async fn a_login_waits_for_itself_only() {
        let lanes = Lanes::default();
        let held = lanes.turn(&login("one")).await;
        let others = async {
            for other in 0..1_000 {
                lanes.turn(&login(&format!("another {other}"))).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(1), others).await.expect("nobody else waits");
        let given_up = tokio::time::timeout(Duration::from_secs(1), lanes.turn(&login("one"))).await;
        assert!(given_up.is_err());
        drop(held);
        drop(lanes.turn(&login("one")).await);
        assert_eq!(lanes.0.lock().unwrap_or_else(PoisonError::into_inner).len(), 0);
    }
}
