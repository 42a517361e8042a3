//! The request that opens a device login, with what is to be kept of it.
//!
//! Owns the making of verifier and state. Invariant: both are random, fresh and independent (T1, T2), and nothing that the
//! answer is shown by holds them. Must not: send it.

use oauth2::{CsrfToken, PkceCodeChallenge};

use crate::oauth::authorize::{STATE_BYTES, VERIFIER_BYTES};
use crate::oauth::request::Post;
use crate::secret::Secret;

pub(super) struct Opening {
    pub(super) post: Post,
    pub(super) verifier: Option<Secret>,
    pub(super) state: Option<Secret>,
}

impl Opening {
    pub(super) fn of(post: Post) -> Self {
        Self { post, verifier: None, state: None }
    }

    pub(super) fn text(mut self, name: &'static str, value: &str) -> Self {
        self.post = self.post.text(name, value);
        self
    }

    /// With the challenge of a new verifier, by S256 (RFC 7636 section 4.3).
    pub(super) fn challenged(self) -> Self {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256_len(VERIFIER_BYTES);
        let mut opening = self
            .text("code_challenge", challenge.as_str())
            .text("code_challenge_method", challenge.method().as_str());
        opening.verifier = Some(Secret::new(verifier.into_secret()));
        opening
    }

    /// With a new state.
    pub(super) fn stateful(mut self) -> Self {
        let state = Secret::new(CsrfToken::new_random_len(STATE_BYTES).into_secret());
        self.post = self.post.secret("state", &state);
        self.state = Some(state);
        self
    }
}
