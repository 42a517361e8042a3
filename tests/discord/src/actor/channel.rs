//! Channels and threads, and what happens to them.

use std::fmt;
use std::sync::Arc;

use serde_json::json;

use crate::gateway::intent;
use crate::server::Discord;
use crate::shared::Shared;
use crate::wire;
use crate::world::{Place, Role, World};

/// A channel or thread of a guild.
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
    id: u64,
    guild: u64,
}

impl Channel {
    /// Its id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The id of its guild.
    pub fn guild(&self) -> u64 {
        self.guild
    }

    /// Its name, without `#`.
    pub fn name(&self) -> String {
        self.shared.lock().place_name(self.id).to_owned()
    }

    /// Whether it is an archived thread.
    pub fn is_archived(&self) -> bool {
        self.shared.lock().channels.get(&self.id).is_some_and(|place| place.archived)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({})", self.id)
    }
}

impl Discord {
    /// The channel of that name in the home guild, made at the first mention.
    pub fn channel(&self, name: &str) -> Channel {
        self.channel_in(self.guild(), name)
    }

    /// The channel of that name in a guild, made at the first mention.
    pub fn channel_in(&self, guild: u64, name: &str) -> Channel {
        self.place(guild, name, None)
    }

    /// The thread of that name under a channel, made at the first mention (with `THREAD_CREATE`).
    pub fn thread(&self, parent: &Channel, name: &str) -> Channel {
        self.place(parent.guild, name, Some(parent.id))
    }

    fn place(&self, guild: u64, name: &str, parent: Option<u64>) -> Channel {
        let id = self.shared.change(|world| {
            assert!(world.guilds.contains_key(&guild), "the stand-in has no guild {guild}");
            if let Some(known) = world.place_named(guild, name, parent) {
                return known;
            }
            let id = world.add_place(guild, name, parent);
            let event = wire::channel(&world.channels[&id]);
            let name = if parent.is_some() { "THREAD_CREATE" } else { "CHANNEL_CREATE" };
            world.gateway.dispatch(name, intent::GUILDS, &event);
            id
        });
        Channel { shared: Arc::clone(&self.shared), id, guild }
    }

    /// Archives a thread (`THREAD_UPDATE`).
    pub fn archive(&self, thread: &Channel) {
        self.thread_update(thread, |place| place.archived = true);
    }

    /// Opens an archived thread again, and unlocks it (`THREAD_UPDATE`).
    pub fn unarchive(&self, thread: &Channel) {
        self.thread_update(thread, |place| (place.archived, place.locked) = (false, false));
    }

    /// Locks and archives a thread (`THREAD_UPDATE`).
    pub fn lock(&self, thread: &Channel) {
        self.thread_update(thread, |place| (place.archived, place.locked) = (true, true));
    }

    /// Renames a thread (`THREAD_UPDATE`).
    pub fn rename(&self, thread: &Channel, name: &str) {
        self.thread_update(thread, |place| name.clone_into(&mut place.name));
    }

    fn thread_update(&self, thread: &Channel, alter: impl FnOnce(&mut Place)) {
        self.shared.change(|world: &mut World| {
            if let Some(place) = world.channels.get_mut(&thread.id) {
                alter(place);
                let event = wire::channel(place);
                world.gateway.dispatch("THREAD_UPDATE", intent::GUILDS, &event);
            }
        });
    }

    /// Deletes a thread (`THREAD_DELETE`) or a channel (`CHANNEL_DELETE`), with all messages in it.
    pub fn delete(&self, channel: &Channel) {
        self.shared.change(|world| {
            let Some(place) = world.channels.remove(&channel.id) else { return };
            world.messages.retain(|_, message| message.channel != channel.id);
            let (event, data) = match place.parent {
                Some(parent) => (
                    "THREAD_DELETE",
                    json!({
                        "id": place.id.to_string(),
                        "guild_id": place.guild.to_string(),
                        "parent_id": parent.to_string(),
                        "type": 11,
                    }),
                ),
                None => ("CHANNEL_DELETE", wire::channel(&place)),
            };
            world.gateway.dispatch(event, intent::GUILDS, &data);
        });
    }

    /// Takes away, or gives back, the bot's right to send messages there (50013). Answers to interactions are
    /// not concerned.
    pub fn mute_bot(&self, channel: &Channel, muted: bool) {
        self.shared.change(|world| {
            if let Some(place) = world.channels.get_mut(&channel.id) {
                place.bot_muted = muted;
            }
        });
    }

    /// The role of that name in the home guild, made at the first mention. Returns its id.
    pub fn role(&self, name: &str) -> u64 {
        self.shared.change(|world| {
            let id = world.new_id();
            let home = world.home;
            let Some(guild) = world.guilds.get_mut(&home) else { return id };
            if let Some((known, _)) = guild.roles.iter().find(|(_, role)| role.name == name) {
                return *known;
            }
            guild.roles.insert(id, Role { name: name.to_owned(), permissions: 0 });
            id
        })
    }
}
