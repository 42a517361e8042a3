//! Google's ways: a secret also of installed programs, refreshes without a refresh token, one revocation for all.

use crate::Authority;
use crate::person::Client;
use crate::settings::Settings;

/// The client id of Gemini's own program.
pub const GEMINI_CLIENT: &str = "681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com";

/// The secret that [`Authority::google`] wants of it: not the real one.
pub const GEMINI_SECRET: &str = "sesame-of-the-installed-program";

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
