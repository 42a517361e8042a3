//! Discord's JSON for people, places and guilds, with every field serenity needs to parse it.

use serde_json::{Value, json};

use crate::world::{BOT, ENGLISH, Guild, Place, World};

/// When everybody joined, and every thread was made.
const LONG_AGO: &str = "2024-01-01T00:00:00.000000+00:00";

pub(crate) fn user(world: &World, id: u64) -> Value {
    json!({
        "id": id.to_string(),
        "username": world.user_name(id),
        "discriminator": "0",
        "global_name": null,
        "avatar": null,
        "bot": id == world.bot,
        "public_flags": 0,
        "flags": 0,
    })
}

/// The bot's own user, as READY and `/users/@me` show it.
pub(crate) fn current_user(world: &World) -> Value {
    let mut me = user(world, world.bot);
    me["verified"] = json!(true);
    me["mfa_enabled"] = json!(false);
    me["email"] = Value::Null;
    me["locale"] = json!("en-US");
    me
}

pub(crate) fn application(world: &World) -> Value {
    let mut app = json!({
        "id": world.application.to_string(),
        "name": world.bot_name,
        "icon": null,
        "description": "",
        "bot_public": false,
        "bot_require_code_grant": false,
        "verify_key": "0".repeat(64),
        "team": null,
        "flags": 0,
        "bot": user(world, world.bot),
    });
    if let Some(home) = world.guilds.get(&world.home) {
        app["owner"] = user(world, home.owner);
    }
    app
}

/// A guild member; in interactions with its permissions.
pub(crate) fn member(world: &World, guild: u64, id: u64, with_permissions: bool) -> Value {
    let membership = world.guilds.get(&guild).and_then(|g| g.members.get(&id));
    let roles = membership.map(|m| m.roles.clone()).unwrap_or_default();
    let own = membership.filter(|m| m.permissions != 0).map(|_| own_role(id));
    let roles: Vec<String> = roles.iter().chain(&own).map(ToString::to_string).collect();
    let mut member = json!({
        "user": user(world, id),
        "nick": null,
        "avatar": null,
        "roles": roles,
        "joined_at": LONG_AGO,
        "premium_since": null,
        "deaf": false,
        "mute": false,
        "flags": 0,
        "pending": false,
        "communication_disabled_until": null,
    });
    if with_permissions {
        member["permissions"] = json!(world.permissions(guild, id).to_string());
    }
    member
}

/// The channel of direct messages to somebody.
pub(crate) fn direct(world: &World, place: &Place, recipient: u64) -> Value {
    json!({
        "id": place.id.to_string(),
        "type": 1,
        "last_message_id": place.last_message.map(|id| id.to_string()),
        "recipients": [user(world, recipient)],
        "flags": 0,
    })
}

pub(crate) fn channel(place: &Place) -> Value {
    let mut channel = json!({
        "id": place.id.to_string(),
        "type": if place.parent.is_some() { 11 } else { 0 },
        "guild_id": place.guild.to_string(),
        "name": place.name,
        "parent_id": place.parent.map(|id| id.to_string()),
        "position": 0,
        "permission_overwrites": [],
        "nsfw": false,
        "flags": 0,
        "last_message_id": place.last_message.map(|id| id.to_string()),
        "rate_limit_per_user": 0,
        "topic": null,
    });
    if place.parent.is_some() {
        channel["thread_metadata"] = json!({
            "archived": place.archived,
            "auto_archive_duration": 1440,
            "archive_timestamp": LONG_AGO,
            "locked": place.locked,
            "create_timestamp": LONG_AGO,
        });
        channel["message_count"] = json!(0);
        channel["member_count"] = json!(1);
    }
    channel
}

/// The partial channel in an interaction.
pub(crate) fn interaction_channel(place: &Place, permissions: u64) -> Value {
    let mut partial = channel(place);
    partial["permissions"] = json!(permissions.to_string());
    partial
}

pub(crate) fn role(id: u64, guild: &Guild) -> Value {
    let role = &guild.roles[&id];
    json!({
        "id": id.to_string(),
        "name": role.name,
        "permissions": role.permissions.to_string(),
        "color": 0,
        "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
        "hoist": false,
        "managed": false,
        "mentionable": false,
        "position": guild.roles.keys().position(|known| *known == id),
        "icon": null,
        "unicode_emoji": null,
        "flags": 0,
    })
}

pub(crate) fn roles(guild: &Guild) -> Value {
    let more = guild.members.iter().filter(|(_, member)| member.permissions != 0).map(|(user, member)| {
        let mut shown = role(guild.id, guild);
        shown["id"] = json!(own_role(*user).to_string());
        shown["name"] = json!("permissions of one member");
        shown["permissions"] = json!(member.permissions.to_string());
        shown
    });
    guild.roles.keys().map(|id| role(*id, guild)).chain(more).collect()
}

/// The role by which somebody has permissions of their own: Discord knows of no other way. Ids of people are far apart.
fn own_role(user: u64) -> u64 {
    user + 1
}

/// The guild as REST returns it.
pub(crate) fn guild(guild: &Guild) -> Value {
    json!({
        "id": guild.id.to_string(),
        "name": guild.name,
        "icon": null,
        "splash": null,
        "discovery_splash": null,
        "owner_id": guild.owner.to_string(),
        "afk_channel_id": null,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": roles(guild),
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": null,
        "system_channel_id": null,
        "system_channel_flags": 0,
        "rules_channel_id": null,
        "public_updates_channel_id": null,
        "safety_alerts_channel_id": null,
        "vanity_url_code": null,
        "description": null,
        "banner": null,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": guild.locale,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": false,
        "max_members": 500_000,
    })
}

/// The guild as `GUILD_CREATE` brings it.
pub(crate) fn guild_create(world: &World, known: &Guild) -> Value {
    let mut event = guild(known);
    let places = || world.channels.values().filter(|place| place.guild == known.id);
    event["joined_at"] = json!(LONG_AGO);
    event["large"] = json!(false);
    event["unavailable"] = json!(false);
    event["member_count"] = json!(known.members.len());
    event["voice_states"] = json!([]);
    event["members"] = json!([member(world, known.id, world.bot, false)]);
    event["channels"] = places().filter(|place| place.parent.is_none()).map(channel).collect();
    event["threads"] = places().filter(|place| place.parent.is_some()).map(channel).collect();
    event["presences"] = json!([]);
    event["stage_instances"] = json!([]);
    event["guild_scheduled_events"] = json!([]);
    event["soundboard_sounds"] = json!([]);
    event
}

/// What every interaction carries, whatever was pressed.
pub(crate) struct Envelope<'a> {
    pub(crate) id: u64,
    pub(crate) token: &'a str,
    pub(crate) kind: u8,
    pub(crate) user: u64,
    pub(crate) place: &'a Place,
    pub(crate) data: &'a Value,
    pub(crate) message: Option<&'a Value>,
}

/// The `INTERACTION_CREATE` event.
pub(crate) fn interaction(world: &World, given: &Envelope<'_>) -> Value {
    let place = given.place;
    let permissions = world.permissions(place.guild, given.user);
    let guild_locale = world.guilds.get(&place.guild).map_or(ENGLISH, |guild| guild.locale.as_str());
    let mut event = json!({
        "id": given.id.to_string(),
        "application_id": world.application.to_string(),
        "type": given.kind,
        "token": given.token,
        "version": 1,
        "guild_id": place.guild.to_string(),
        "guild": { "id": place.guild.to_string(), "locale": guild_locale, "features": [] },
        "channel_id": place.id.to_string(),
        "channel": interaction_channel(place, permissions),
        "member": member(world, place.guild, given.user, true),
        "app_permissions": BOT.to_string(),
        "locale": world.locale(given.user),
        "guild_locale": guild_locale,
        "entitlements": [],
        "attachment_size_limit": 10_485_760,
        "context": 0,
        "authorizing_integration_owners": { "0": place.guild.to_string() },
        "data": given.data,
    });
    if let Some(message) = given.message {
        event["message"] = message.clone();
    }
    event
}
