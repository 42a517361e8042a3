//! Answering interactions: each through a client of its own.
//!
//! Discord counts the requests of each interaction by themselves. Serenity's rate limiter counts those of all interactions
//! as one, and holds that bucket's lock while it waits: one member's busy message would hold up everybody's. A client for
//! each interaction has a limiter for each. Invariant: what one interaction has to wait for delays no other. Must not: keep
//! a client for longer than its interaction's token can live.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use latchkey::secret::TokenHash;
use serenity::all::{ApplicationId, Http};
use tokio::time::Instant;

use super::reach::Reach;

/// As long as Discord takes an interaction's token.
const TOKEN_LIFE: Duration = Duration::from_mins(15);

/// The clients of all interactions that are being answered. Shared by all who answer.
pub struct Answers {
    reach: Reach,
    application: ApplicationId,
    /// Locked to look up or change, never across a wait.
    kept: Mutex<HashMap<TokenHash, Kept>>,
}

struct Kept {
    http: Arc<Http>,
    since: Instant,
}

impl Answers {
    pub fn new(reach: Reach, application: ApplicationId) -> Self {
        Self { reach, application, kept: Mutex::default() }
    }

    /// The client for the interaction with this token.
    pub fn to(&self, token: &str) -> Arc<Http> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = TokenHash::of(token);
        if let Some(known) = kept.get(&hash) {
            return Arc::clone(&known.http);
        }
        let since = Instant::now();
        kept.retain(|_, kept| since.duration_since(kept.since) < TOKEN_LIFE);
        let http = Arc::new(self.reach.http_of(self.application));
        kept.insert(hash, Kept { http: Arc::clone(&http), since });
        http
    }
}

#[cfg(test)]
mod tests {
    use latchkey::secret::Secret;

    use super::*;

    /// W1: nothing leaks.
    #[tokio::test(start_paused = true)]
    async fn a_client_lives_as_long_as_its_interaction() {
        let reach = Reach::new(&Secret::new("a token"), |_| None).expect("a client");
        let answers = Answers::new(reach, ApplicationId::new(1));
        let (one, two) = (answers.to("one"), answers.to("two"));
        assert!(!Arc::ptr_eq(&one, &two));
        assert!(Arc::ptr_eq(&one, &answers.to("one")));
        tokio::time::advance(TOKEN_LIFE).await;
        answers.to("three");
        assert_eq!(answers.kept.lock().unwrap_or_else(PoisonError::into_inner).len(), 1);
    }
}
