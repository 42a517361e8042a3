//! The state of the pretended Discord: who and what exists, and what was said.
//!
//! One lock guards it all (`Shared::lock`); nothing in here waits, sends or checks a rule. Ids of people and
//! places are deterministic; ids of messages and interactions carry the time, as a bot may read it from them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::fault::Faults;
use crate::gateway::Gateway;
use crate::interaction::InteractionState;
use crate::limits::Limits;
use crate::message::MessageState;
use crate::record::Record;

/// Discord's first second: snowflakes count from here, in milliseconds since the Unix epoch.
const DISCORD_EPOCH_MS: u64 = 1_420_070_400_000;
/// The first id of people and places.
const FIRST_ID: u64 = 1_000_000_000_000_000_000;

/// Messages remembered.
const MESSAGES: usize = 20_000;

/// Discord's tag of the language that clients and guilds have unless a test says otherwise.
pub(crate) const ENGLISH: &str = "en-US";

/// Manage Guild, as a permission bit.
pub(crate) const MANAGE_GUILD: u64 = 1 << 5;
/// What every member may do: view channels, send messages (in threads too), use commands, read history.
pub(crate) const EVERYONE: u64 = 1 << 10 | 1 << 11 | 1 << 16 | 1 << 31 | 1 << 38;
/// What the bot may do: the same, embed links, and attach files.
pub(crate) const BOT: u64 = EVERYONE | 1 << 14 | 1 << 15;

/// All state behind the lock.
#[derive(Debug)]
pub(crate) struct World {
    next_id: u64,
    next_event: u64,
    pub(crate) application: u64,
    /// The bot's user id.
    pub(crate) bot: u64,
    pub(crate) bot_name: String,
    /// The guild tests act in unless they say otherwise.
    pub(crate) home: u64,
    pub(crate) users: BTreeMap<u64, String>,
    /// The language of a user's client, by Discord's tag; [`ENGLISH`] for whoever is not here.
    pub(crate) locales: BTreeMap<u64, String>,
    pub(crate) guilds: BTreeMap<u64, Guild>,
    pub(crate) channels: BTreeMap<u64, Place>,
    /// Who takes direct messages.
    pub(crate) takes_dms: BTreeSet<u64>,
    pub(crate) commands: Vec<Registered>,
    /// Those of another application, which no request of the bot reaches.
    pub(crate) others_commands: Vec<Registered>,
    pub(crate) interactions: BTreeMap<u64, InteractionState>,
    pub(crate) messages: BTreeMap<u64, MessageState>,
    /// The bot's messages by channel and enforced nonce.
    pub(crate) record: Record,
    pub(crate) faults: Faults,
    pub(crate) limits: Limits,
    pub(crate) gateway: Gateway,
    /// Whether nothing is to be heard of Discord at all.
    pub(crate) away: bool,
    /// Whether the bot's token was taken back.
    pub(crate) revoked: bool,
}

/// A guild the bot is in.
#[derive(Debug)]
pub(crate) struct Guild {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// Its preferred language, by Discord's tag.
    pub(crate) locale: String,
    pub(crate) owner: u64,
    pub(crate) roles: BTreeMap<u64, Role>,
    pub(crate) members: BTreeMap<u64, Membership>,
}

/// A role of a guild.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) permissions: u64,
}

/// What a guild knows of one of its members.
#[derive(Debug, Default)]
pub(crate) struct Membership {
    pub(crate) roles: Vec<u64>,
    /// Permissions beyond those of the roles.
    pub(crate) permissions: u64,
}

/// A channel or thread.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) id: u64,
    pub(crate) guild: u64,
    pub(crate) name: String,
    /// The channel a thread hangs on; none for a channel.
    pub(crate) parent: Option<u64>,
    /// Whose direct messages these are; no guild's then.
    pub(crate) recipient: Option<u64>,
    /// The newest public message.
    pub(crate) last_message: Option<u64>,
    pub(crate) archived: bool,
    pub(crate) locked: bool,
    /// Set by a test: the bot may not send messages here.
    pub(crate) bot_muted: bool,
}

/// A registered command.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) id: u64,
    /// None for a global command.
    pub(crate) guild: Option<u64>,
    /// As Discord returns it.
    pub(crate) body: Value,
}

impl World {
    pub(crate) fn new(bot_name: &str) -> Self {
        let mut world = Self {
            next_id: 0,
            next_event: 0,
            application: 0,
            bot: 0,
            bot_name: bot_name.to_owned(),
            home: 0,
            users: BTreeMap::new(),
            locales: BTreeMap::new(),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            takes_dms: BTreeSet::new(),
            commands: Vec::new(),
            others_commands: Vec::new(),
            interactions: BTreeMap::new(),
            messages: BTreeMap::new(),
            record: Record::default(),
            faults: Faults::default(),
            limits: Limits::default(),
            gateway: Gateway::default(),
            away: false,
            revoked: false,
        };
        world.bot = world.new_id();
        world.application = world.bot;
        world.users.insert(world.bot, bot_name.to_owned());
        world
    }

    /// An id for a person or place: the same in every run.
    pub(crate) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        FIRST_ID + (self.next_id << 22)
    }

    /// An id for something that happens now.
    pub(crate) fn new_event_id(&mut self, now_ms: u64) -> u64 {
        self.next_event += 1;
        (now_ms.saturating_sub(DISCORD_EPOCH_MS) << 22) | (self.next_event & 0x3f_ffff)
    }

    pub(crate) fn add_guild(&mut self, id: u64, name: &str) {
        let owner = self.new_id();
        self.users.insert(owner, format!("owner of {name}"));
        let everyone = Role { name: "@everyone".to_owned(), permissions: EVERYONE };
        let members = BTreeMap::from([
            (owner, Membership { roles: Vec::new(), permissions: MANAGE_GUILD }),
            (self.bot, Membership { roles: Vec::new(), permissions: BOT }),
        ]);
        let roles = BTreeMap::from([(id, everyone)]);
        let locale = ENGLISH.to_owned();
        self.guilds.insert(id, Guild { id, name: name.to_owned(), locale, owner, roles, members });
        self.add_place(id, "general", None);
    }

    pub(crate) fn add_place(&mut self, guild: u64, name: &str, parent: Option<u64>) -> u64 {
        let id = self.new_id();
        let place = Place {
            id,
            guild,
            name: name.to_owned(),
            parent,
            recipient: None,
            last_message: None,
            archived: false,
            locked: false,
            bot_muted: false,
        };
        self.channels.insert(id, place);
        id
    }

    /// The channel of the bot's direct messages to `user`.
    pub(crate) fn direct(&mut self, user: u64) -> u64 {
        let known = self.channels.values().find(|place| place.recipient == Some(user)).map(|place| place.id);
        known.unwrap_or_else(|| {
            let id = self.add_place(0, "direct messages", None);
            if let Some(place) = self.channels.get_mut(&id) {
                place.recipient = Some(user);
            }
            id
        })
    }

    /// The channel or thread of that name in that guild.
    pub(crate) fn place_named(&self, guild: u64, name: &str, parent: Option<u64>) -> Option<u64> {
        self.channels
            .values()
            .find(|place| place.guild == guild && place.name == name && place.parent == parent)
            .map(|place| place.id)
    }

    /// The user of that name, made up at the first mention.
    pub(crate) fn user_named(&mut self, name: &str) -> u64 {
        if let Some((id, _)) = self.users.iter().find(|(_, known)| *known == name) {
            return *id;
        }
        let id = self.new_id();
        self.users.insert(id, name.to_owned());
        id
    }

    pub(crate) fn user_name(&self, id: u64) -> &str {
        self.users.get(&id).map_or("unknown", String::as_str)
    }

    /// The language of a user's client.
    pub(crate) fn locale(&self, user: u64) -> &str {
        self.locales.get(&user).map_or(ENGLISH, String::as_str)
    }

    pub(crate) fn place_name(&self, id: u64) -> &str {
        self.channels.get(&id).map_or("deleted", |place| place.name.as_str())
    }

    /// What a member may do in a guild; nothing for one who is not in it.
    pub(crate) fn permissions(&self, guild: u64, user: u64) -> u64 {
        let Some(guild) = self.guilds.get(&guild) else { return 0 };
        let Some(member) = guild.members.get(&user) else { return 0 };
        let of_roles = member.roles.iter().chain([&guild.id]).filter_map(|id| guild.roles.get(id));
        of_roles.fold(member.permissions, |all, role| all | role.permissions)
    }

    /// Keeps a message, forgetting the oldest of too many.
    pub(crate) fn add_message(&mut self, message: MessageState) {
        if self.messages.len() == MESSAGES {
            self.messages.pop_first();
        }
        self.messages.insert(message.id, message);
    }

    /// Whether a member can see a message: in a guild of theirs, and not somebody else's ephemeral one.
    pub(crate) fn can_see(&self, user: u64, message: &MessageState) -> bool {
        let Some(place) = self.channels.get(&message.channel) else { return false };
        let member = self.guilds.get(&place.guild).is_some_and(|guild| guild.members.contains_key(&user));
        let theirs = message.ephemeral_to.is_none_or(|owner| owner == user);
        member && theirs && !message.deleted && !message.dismissed
    }
}
