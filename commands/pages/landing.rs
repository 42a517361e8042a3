//! The page of a browser that brought an answer to a sign-in of this host's terminal.

use latchkey::login::Answered;
use latchkey::serve::Landing;

use super::html::{self, Sheet, Tone, strong};
use crate::say;
use crate::words::Language;

/// What `landing` says, of a sign-in to what has this `title`, to somebody whose browser prefers these languages.
pub fn landing(landing: &Landing, title: &str, accept_language: Option<&str>, nonce: &str) -> String {
    let language = Language::accepted(accept_language.unwrap_or_default());
    let name = strong(title);
    let (tone, heading, text) = match landing {
        Landing::Spent(Answered::Succeeded) => {
            (Tone::Good, say!(language, "landing-done", name = name), say!(language, "landing-done-text"))
        }
        Landing::Spent(Answered::Waits) => {
            (Tone::Wait, say!(language, "landing-waits"), say!(language, "landing-waits-text"))
        }
        Landing::Spent(Answered::Denied) => {
            (Tone::Bad, say!(language, "landing-denied", name = name), say!(language, "landing-denied-text"))
        }
        Landing::Spent(Answered::Failed(_)) => {
            (Tone::Bad, say!(language, "landing-failed", name = name), say!(language, "landing-failed-text"))
        }
        Landing::Spent(Answered::Over) | Landing::Over => {
            (Tone::Bad, say!(language, "landing-over"), say!(language, "landing-over-text"))
        }
        Landing::Bad(_) | Landing::BadRequest => {
            (Tone::Bad, say!(language, "landing-odd"), say!(language, "landing-odd-text"))
        }
        Landing::Foreign(_) => {
            (Tone::Bad, say!(language, "landing-foreign"), say!(language, "landing-foreign-text"))
        }
        Landing::InUse => {
            (Tone::Wait, say!(language, "landing-in-use"), say!(language, "landing-in-use-text"))
        }
        Landing::NotSent => {
            (Tone::Wait, say!(language, "landing-not-sent"), say!(language, "landing-not-sent-text"))
        }
        Landing::NotFound => {
            (Tone::Bad, say!(language, "landing-nothing"), say!(language, "landing-nothing-text"))
        }
        Landing::Fault => (Tone::Bad, say!(language, "landing-fault"), say!(language, "landing-fault-text")),
    };
    html::page(language, &Sheet { text: vec![text], ..Sheet::new(tone, heading) }, nonce)
}

#[cfg(test)]
mod tests {
    use latchkey::oauth::AnswerError;

    use super::*;

    /// U3, T15: each says what happened and where it goes on, in the browser's language; nothing is loaded, nothing runs.
    #[test]
    fn each_end_has_its_page() {
        for (landed, english, german) in [
            (Landing::Spent(Answered::Succeeded), "Signed in to", "angemeldet"),
            (Landing::Spent(Answered::Waits), "another account", "anderen Konto"),
            (Landing::Spent(Answered::Denied), "declined", "abgelehnt"),
            (Landing::Spent(Answered::Over), "is over", "vorbei"),
            (Landing::Bad(AnswerError::StateMismatch), "still waits", "wartet weiter"),
            (Landing::Foreign(Some(7)), "another user", "anderen Benutzer"),
            (Landing::NotSent, "load this page anew", "noch einmal"),
            (Landing::NotFound, "nothing here", "Hier ist nichts"),
            (Landing::Fault, "terminal says more", "Terminal sagt mehr"),
        ] {
            let page = |language| landing(&landed, "<Acme>", language, "n0");
            for (shown, text) in [(page(None), english), (page(Some("de-DE,de;q=0.9")), german)] {
                assert!(shown.contains(text), "{landed:?}: {shown}");
                for forbidden in ["<script", "<Acme>", "src=", "href=", "discord.com"] {
                    assert!(!shown.contains(forbidden), "{forbidden} in {shown}");
                }
            }
        }
    }
}
