//! Every secret the server ever made or was sent, so that a test can search files and logs for each.

use std::collections::BTreeSet;

use rand::Rng as _;
use rand::distr::{Alphanumeric, SampleString as _};

/// The secrets seen so far.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    seen: BTreeSet<String>,
}

impl Secrets {
    /// A new random secret with a recognisable prefix.
    pub fn fresh(&mut self, prefix: &str) -> String {
        let secret = format!("{prefix}-{}", Alphanumeric.sample_string(&mut rand::rng(), 40));
        self.seen.insert(secret.clone());
        secret
    }

    /// A secret that somebody else made: a state, a verifier.
    pub fn note(&mut self, secret: &str) {
        if !secret.is_empty() {
            self.seen.insert(secret.to_owned());
        }
    }

    pub fn all(&self) -> Vec<String> {
        self.seen.iter().cloned().collect()
    }
}

/// A user code of the device flow: eight consonants, which spell no word (RFC 8628, section 6.1).
pub(crate) fn user_code() -> String {
    const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";
    let mut random = rand::rng();
    let mut letters =
        || -> String { (0..4).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect() };
    format!("{}-{}", letters(), letters())
}
