//! A member of a guild: who they are, and what they can start.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::actor::{Autocomplete, Channel, Slash};
use crate::gateway::intent;
use crate::inspect::report;
use crate::message::Body;
use crate::rest;
use crate::server::Discord;
use crate::shared::Shared;
use crate::view::View;
use crate::wire;
use crate::world::{MANAGE_GUILD, Membership, World};

/// A person, in one guild.
#[derive(Clone)]
pub struct Member {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: u64,
    pub(crate) guild: u64,
    pub(crate) name: String,
}

impl Discord {
    /// The member of that name in the home guild, who joins at the first mention.
    pub fn member(&self, name: &str) -> Member {
        let (id, guild) = self.shared.change(|world| (world.user_named(name), world.home));
        let member = Member { shared: Arc::clone(&self.shared), id, guild, name: name.to_owned() };
        member.in_guild(guild)
    }
}

impl Member {
    /// The user's id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The user's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same person in another guild, which they join if they have not.
    #[must_use]
    pub fn in_guild(mut self, guild: u64) -> Self {
        self.guild = guild;
        self.alter(|_| {});
        self
    }

    /// Gives exactly these roles (`GUILD_MEMBER_UPDATE`).
    #[must_use]
    pub fn roles<I: IntoIterator<Item = u64>>(self, roles: I) -> Self {
        self.set_roles(roles);
        self
    }

    /// Gives Manage Guild.
    #[must_use]
    pub fn manage_guild(self) -> Self {
        self.alter(|membership| membership.permissions |= MANAGE_GUILD);
        self
    }

    /// Gives exactly these permissions beyond those of the roles.
    #[must_use]
    pub fn permissions(self, bits: u64) -> Self {
        self.alter(|membership| membership.permissions = bits);
        self
    }

    /// Has their client in this language, by Discord's tag: `de`, `en-GB`.
    #[must_use]
    pub fn locale(self, locale: &str) -> Self {
        self.shared.change(|world| world.locales.insert(self.id, locale.to_owned()));
        self
    }

    /// Changes the roles (`GUILD_MEMBER_UPDATE`).
    pub fn set_roles<I: IntoIterator<Item = u64>>(&self, roles: I) {
        let roles: Vec<u64> = roles.into_iter().collect();
        self.alter(|membership| membership.roles = roles);
    }

    fn alter(&self, change: impl FnOnce(&mut Membership)) {
        self.shared.change(|world| {
            let Some(guild) = world.guilds.get_mut(&self.guild) else {
                panic!("the stand-in has no guild {}", self.guild);
            };
            let joins = !guild.members.contains_key(&self.id);
            change(guild.members.entry(self.id).or_default());
            let mut event = wire::member(world, self.guild, self.id, false);
            event["guild_id"] = json!(self.guild.to_string());
            let name = if joins { "GUILD_MEMBER_ADD" } else { "GUILD_MEMBER_UPDATE" };
            world.gateway.dispatch(name, intent::GUILD_MEMBERS, &event);
        });
    }

    /// Leaves the guild (`GUILD_MEMBER_REMOVE`).
    pub fn leave(&self) {
        self.shared.change(|world| {
            if let Some(guild) = world.guilds.get_mut(&self.guild) {
                guild.members.remove(&self.id);
            }
            let event = json!({ "guild_id": self.guild.to_string(), "user": wire::user(world, self.id) });
            world.gateway.dispatch("GUILD_MEMBER_REMOVE", intent::GUILD_MEMBERS, &event);
        });
    }

    /// Takes direct messages from here on.
    pub fn open_dms(&self) {
        self.shared.change(|world| world.takes_dms.insert(self.id));
    }

    /// The bot's direct messages to them, oldest first.
    pub fn direct_messages(&self) -> Vec<View> {
        let world = self.shared.lock();
        let theirs =
            |channel| world.channels.get(channel).is_some_and(|place| place.recipient == Some(self.id));
        world.messages.values().filter(|m| theirs(&m.channel)).map(|m| View::of(&world, m)).collect()
    }

    /// Waits for a direct message that contains `text`; panics after `timeout`.
    pub async fn sees_direct(&self, text: &str, timeout: Duration) -> View {
        let look = |world: &World| {
            let theirs =
                |channel| world.channels.get(channel).is_some_and(|place| place.recipient == Some(self.id));
            let mut messages = world.messages.values().filter(|m| theirs(&m.channel));
            messages.find_map(|m| Some(View::of(world, m)).filter(|view| view.contains(text)))
        };
        let Some(found) = self.shared.wait(timeout, look).await else {
            let text = format!("no direct message with {text:?} to {} within {timeout:?}", self.name);
            panic!("{text}\n{}", report(&self.shared.lock()));
        };
        found
    }

    /// Types a slash command: `/auth login codex work`, or `/auth login provider:codex`.
    pub fn slash(&self, text: &str) -> Slash {
        Slash::new(self, text)
    }

    /// Begins to type one, to see what it completes.
    pub fn autocomplete(&self, text: &str) -> Autocomplete {
        Autocomplete::new(self, text)
    }

    /// Writes a plain message.
    pub fn says(&self, channel: &Channel, text: &str) {
        let now_ms = self.shared.clock.now_ms();
        self.shared.change(|world| {
            if let Err(refusal) = rest::wake(world, channel.id()) {
                panic!("{} cannot write there: {}", self.name, refusal.message);
            }
            let body = Body { content: text.to_owned(), ..Body::default() };
            rest::say(world, channel.id(), self.id, body, now_ms);
        });
    }

    /// All this member can see in a channel or thread, oldest first.
    pub fn visible_messages(&self, channel: &Channel) -> Vec<View> {
        self.seen(&self.shared.lock(), channel.id())
    }

    fn seen(&self, world: &World, channel: u64) -> Vec<View> {
        world
            .messages
            .values()
            .filter(|message| message.channel == channel && world.can_see(self.id, message))
            .map(|message| View::of(world, message))
            .collect()
    }

    /// Waits until this member sees a message with `text` there; panics after `timeout`.
    pub async fn sees_text(&self, channel: &Channel, text: &str, timeout: Duration) -> View {
        let look =
            |world: &World| self.seen(world, channel.id()).into_iter().rev().find(|view| view.contains(text));
        let Some(found) = self.shared.wait(timeout, look).await else {
            let world = self.shared.lock();
            let there: Vec<_> = self.seen(&world, channel.id()).iter().map(View::with_history).collect();
            let text = format!(
                "{} does not see {text:?} in #{} within {timeout:?}; there is:\n{}\n{}",
                self.name,
                world.place_name(channel.id()),
                there.join("\n"),
                report(&world)
            );
            drop(world);
            panic!("{text}");
        };
        found
    }

    /// Closes an ephemeral message for good ("dismiss"), as a restart of the client does too.
    pub fn dismiss(&self, view: &View) {
        self.shared.change(|world| {
            let message = world.messages.get_mut(&view.id()).filter(|m| m.ephemeral_to == Some(self.id));
            assert!(message.is_some(), "{} has no such ephemeral message to dismiss", self.name);
            if let Some(message) = message {
                message.dismissed = true;
            }
        });
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({} {})", self.name, self.id)
    }
}
