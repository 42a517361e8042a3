//! A message as the stand-in keeps it, with every state it has been in.
//!
//! An ephemeral message belongs to one member for ever: no edit changes who sees it.

use serde_json::{Map, Value, json};

use crate::clock::iso;
use crate::interaction::{InteractionState, Kind};
use crate::wire;
use crate::world::World;

/// The message flag for ephemeral messages.
pub(crate) const EPHEMERAL: u64 = 1 << 6;
/// The message flag of a deferred answer that is still being thought about.
pub(crate) const LOADING: u64 = 1 << 7;
/// Earlier states kept of one message.
const REVISIONS: usize = 200;

/// One message.
#[derive(Debug, Clone)]
pub(crate) struct MessageState {
    pub(crate) id: u64,
    pub(crate) channel: u64,
    pub(crate) author: u64,
    pub(crate) body: Body,
    /// The member who alone sees it.
    pub(crate) ephemeral_to: Option<u64>,
    /// A deferred answer without content yet.
    pub(crate) loading: bool,
    /// The interaction it answers.
    pub(crate) interaction: Option<u64>,
    pub(crate) deleted: bool,
    /// Closed by the member who saw it.
    pub(crate) dismissed: bool,
    pub(crate) created_ms: u64,
    /// What a bot that must not say it twice named it.
    pub(crate) nonce: Option<String>,
    pub(crate) edited_ms: Option<u64>,
    /// What it was before, oldest first.
    pub(crate) before: Vec<Body>,
}

/// What a message shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Body {
    pub(crate) content: String,
    pub(crate) embeds: Vec<Value>,
    pub(crate) components: Vec<Value>,
    /// Null where the bot did not say: then everything in the text pings.
    pub(crate) allowed_mentions: Value,
}

impl Body {
    /// This body with the keys of a request laid over it: a key that is absent keeps what was there.
    #[must_use]
    pub(crate) fn patched(&self, request: &Map<String, Value>) -> Self {
        let mut new = self.clone();
        if let Some(content) = request.get("content") {
            content.as_str().unwrap_or_default().clone_into(&mut new.content);
        }
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        if let Some(embeds) = request.get("embeds") {
            new.embeds = list(embeds);
        }
        if let Some(components) = request.get("components") {
            new.components = list(components);
        }
        if let Some(mentions) = request.get("allowed_mentions") {
            new.allowed_mentions = mentions.clone();
        }
        new
    }

    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.content.trim().is_empty() && self.embeds.is_empty() && self.components.is_empty()
    }
}

impl MessageState {
    /// A public message of nobody's interaction.
    pub(crate) fn new(id: u64, channel: u64, author: u64, body: Body, created_ms: u64) -> Self {
        Self {
            id,
            channel,
            author,
            body,
            ephemeral_to: None,
            loading: false,
            interaction: None,
            deleted: false,
            dismissed: false,
            created_ms,
            nonce: None,
            edited_ms: None,
            before: Vec::new(),
        }
    }

    /// Replaces what it shows.
    pub(crate) fn edit(&mut self, body: Body, now_ms: u64) {
        if self.before.len() == REVISIONS {
            self.before.remove(0);
        }
        let old = std::mem::replace(&mut self.body, body);
        if !self.loading {
            self.before.push(old);
            self.edited_ms = Some(now_ms);
        }
        self.loading = false;
    }

    /// Message flags as Discord shows them.
    pub(crate) fn flags(&self) -> u64 {
        u64::from(self.ephemeral_to.is_some()) * EPHEMERAL + u64::from(self.loading) * LOADING
    }

    /// The message object.
    pub(crate) fn to_json(&self, world: &World) -> Value {
        let mut message = json!({
            "id": self.id.to_string(),
            "channel_id": self.channel.to_string(),
            "author": wire::user(world, self.author),
            "content": self.body.content,
            "timestamp": iso(self.created_ms),
            "edited_timestamp": self.edited_ms.map(iso),
            "tts": false,
            "mention_everyone": false,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": self.body.embeds.iter().map(embed).collect::<Vec<_>>(),
            "components": self.body.components,
            "pinned": false,
            "type": 0,
            "flags": self.flags(),
        });
        if self.author == world.bot {
            message["application_id"] = json!(world.application.to_string());
        }
        if let Some(interaction) = self.interaction.and_then(|id| world.interactions.get(&id)) {
            let slash = interaction.kind == Kind::Command && interaction.original == Some(self.id);
            message["type"] = json!(if slash { 20 } else { 0 });
            message["webhook_id"] = json!(world.application.to_string());
            message["interaction_metadata"] = metadata(world, interaction);
        }
        message
    }
}

fn embed(given: &Value) -> Value {
    let mut shown = given.clone();
    shown["type"] = json!("rich");
    shown
}

fn metadata(world: &World, interaction: &InteractionState) -> Value {
    let mut data = json!({
        "id": interaction.id.to_string(),
        "type": interaction.kind.number(),
        "user": wire::user(world, interaction.user),
        "authorizing_integration_owners": { "0": interaction.guild.to_string() },
    });
    match interaction.kind {
        Kind::Component => {
            data["interacted_message_id"] = json!(interaction.source.unwrap_or_default().to_string());
        }
        Kind::Modal => {
            let opener = interaction.opened_by.and_then(|id| world.interactions.get(&id));
            // A forged modal was opened by nobody; the field must be there all the same.
            data["triggering_interaction_metadata"] = match opener {
                Some(opener) => metadata(world, opener),
                None => json!({
                    "id": data["id"],
                    "type": Kind::Command.number(),
                    "user": data["user"],
                    "authorizing_integration_owners": data["authorizing_integration_owners"],
                }),
            };
        }
        Kind::Command | Kind::Autocomplete => {}
    }
    data
}
