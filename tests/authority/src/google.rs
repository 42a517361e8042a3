//! Google's ways: a secret also of installed programs, refreshes without a refresh token, one revocation for all.

use crate::Authority;
use crate::person::Client;
use crate::settings::{Answer, ReplyShape, Reuse, Revocation, Rotation, Settings, UserinfoShape};

/// The client id of Gemini's own program.
pub const GEMINI_CLIENT: &str = "681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com";

/// The secret that [`Authority::google`] wants of it: not the real one.
pub const GEMINI_SECRET: &str = "sesame-of-the-installed-program";

impl Settings {
    /// A server that behaves as Google's does.
    #[must_use]
    pub fn google() -> Self {
        Self {
            answer: Answer::BareCode,
            iss_in_answer: false,
            rotation: Rotation::Omit,
            reuse: Reuse::Lenient,
            revocation: Revocation::PersonAndClient,
            dead_words: "Token has been expired or revoked.".to_owned(),
            userinfo: UserinfoShape::Google,
            reply: ReplyShape { account_claim: false, ..ReplyShape::default() },
            ..Self::default()
        }
    }
}

impl Authority {
    /// Starts a server that behaves as Google's does, and knows Gemini's client with [`GEMINI_SECRET`] and the page
    /// `/code`, which shows a bare code.
    #[must_use]
    pub fn google() -> Self {
        let google = Self::start_with(Settings::google());
        google.register(Client::confidential(GEMINI_CLIENT, GEMINI_SECRET, &[&google.url("/code")]));
        google
    }
}
