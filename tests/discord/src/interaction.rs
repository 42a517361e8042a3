//! An interaction as the stand-in keeps it: what was pressed, by whom, and how the bot answered.
//!
//! The rules of time and order live here as pure functions of the interaction and the present: 3 s to
//! acknowledge, once only, and a token that works for 15 min and not before the acknowledgement.

use serde_json::Value;

use crate::reply::Refusal;

/// Milliseconds a bot has to acknowledge.
pub(crate) const ACKNOWLEDGE_MS: u64 = 3_000;
/// Milliseconds an interaction token works.
pub(crate) const TOKEN_MS: u64 = 15 * 60 * 1_000;

/// What a member did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A slash command.
    Command,
    /// A button or select menu.
    Component,
    /// Typing into an option that autocompletes.
    Autocomplete,
    /// A submitted modal.
    Modal,
}

impl Kind {
    /// Discord's number for it.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Command => 2,
            Self::Component => 3,
            Self::Autocomplete => 4,
            Self::Modal => 5,
        }
    }
}

/// How the bot acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub enum Acknowledgement {
    /// Type 4: a message.
    Message,
    /// Type 5: "thinking…"; the first follow-up becomes its answer.
    Deferred,
    /// Type 6: nothing to see yet; the message pressed on may be edited later.
    DeferredUpdate,
    /// Type 7: the message pressed on was changed.
    Update,
    /// Type 8: autocomplete choices.
    Choices(Vec<Value>),
    /// Type 9: a modal.
    Modal(Value),
}

/// One interaction.
#[derive(Debug, Clone)]
pub(crate) struct InteractionState {
    pub(crate) id: u64,
    pub(crate) token: String,
    pub(crate) kind: Kind,
    pub(crate) user: u64,
    pub(crate) guild: u64,
    pub(crate) channel: u64,
    /// What the member did, for messages to people: `ann: /auth login`.
    pub(crate) what: String,
    pub(crate) sent_ms: u64,
    pub(crate) acknowledged: Option<Acknowledgement>,
    pub(crate) acknowledged_ms: Option<u64>,
    /// The member's client has stopped waiting.
    pub(crate) abandoned: bool,
    /// What `@original` means: its own first answer, or the message pressed on.
    pub(crate) original: Option<u64>,
    /// Messages it brought about, oldest first.
    pub(crate) messages: Vec<u64>,
    /// The message pressed on.
    pub(crate) source: Option<u64>,
    /// For a modal: the interaction that opened it.
    pub(crate) opened_by: Option<u64>,
}

impl InteractionState {
    /// Whether an acknowledgement may come now.
    pub(crate) fn may_acknowledge(&self, now_ms: u64) -> Result<(), Refusal> {
        if self.acknowledged.is_some() {
            return Err(Refusal::new(400, 40060, "Interaction has already been acknowledged.")
                .because(format!("acknowledged twice: {}", self.what)));
        }
        let age = now_ms.saturating_sub(self.sent_ms);
        if age > ACKNOWLEDGE_MS || self.abandoned {
            return Err(Refusal::unknown(10062, "interaction")
                .because(format!("acknowledged after {age} ms, 3,000 are allowed: {}", self.what)));
        }
        Ok(())
    }

    /// Whether its token may be used as a webhook now.
    pub(crate) fn may_follow_up(&self, now_ms: u64) -> Result<(), Refusal> {
        if now_ms.saturating_sub(self.sent_ms) > TOKEN_MS {
            return Err(Refusal::new(401, 50027, "Invalid Webhook Token"));
        }
        match self.acknowledged {
            None => Err(Refusal::unknown(10015, "Webhook")
                .because(format!("follow-up before the acknowledgement: {}", self.what))),
            Some(Acknowledgement::Choices(_)) => Err(Refusal::unknown(10015, "Webhook")
                .because(format!("autocomplete takes no follow-up: {}", self.what))),
            Some(_) => Ok(()),
        }
    }

    /// Whether the callback type suits what the member did.
    pub(crate) fn accepts(&self, callback: u64) -> bool {
        match self.kind {
            Kind::Command => matches!(callback, 4 | 5 | 9),
            Kind::Component => matches!(callback, 4..=7 | 9),
            Kind::Modal => matches!(callback, 4 | 5) || (matches!(callback, 6 | 7) && self.source.is_some()),
            Kind::Autocomplete => callback == 8,
        }
    }
}
