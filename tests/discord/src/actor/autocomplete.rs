//! Typing into an option that autocompletes.

use serde_json::Value;

use crate::actor::{Channel, Member, Slash};
use crate::interaction::{Acknowledgement, Kind};

/// A command being typed, with the cursor in one option.
#[must_use = "the choices are asked for by `send().await`"]
#[derive(Debug, Clone)]
pub struct Autocomplete(Slash);

/// A choice that is offered.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What the member sees.
    pub name: String,
    /// What is sent for it.
    pub value: Value,
}

impl Autocomplete {
    pub(super) fn new(member: &Member, line: &str) -> Self {
        Self(Slash::new(member, line))
    }

    /// The option with the cursor in it, and what stands there so far.
    pub fn focused(mut self, name: &str, partial: &str) -> Self {
        self.0.focused = Some((name.to_owned(), partial.to_owned()));
        self
    }

    /// Another option, already filled in.
    pub fn option(self, name: &str, value: &str) -> Self {
        Self(self.0.option(name, value))
    }

    /// In this thread. Without, it is the guild's `#general`.
    pub fn in_thread(self, thread: &Channel) -> Self {
        Self(self.0.in_thread(thread))
    }

    /// In this channel. Without, it is the guild's `#general`.
    pub fn in_channel(self, channel: &Channel) -> Self {
        Self(self.0.in_channel(channel))
    }

    /// Asks though the client would not offer the command.
    pub fn forced(self) -> Self {
        Self(self.0.forced())
    }

    /// The choices the bot offers. Panics if it offers none within 3 s (an empty list is an answer).
    pub async fn send(self) -> Vec<Choice> {
        assert!(self.0.focused.is_some(), "autocomplete needs a focused option");
        let interaction = self.0.delivery(Kind::Autocomplete).await;
        let Acknowledgement::Choices(choices) = interaction.acknowledgement() else { return Vec::new() };
        let name = |choice: &Value| choice["name"].as_str().unwrap_or_default().to_owned();
        choices.iter().map(|c| Choice { name: name(c), value: c["value"].clone() }).collect()
    }
}
