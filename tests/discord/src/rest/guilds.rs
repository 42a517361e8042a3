//! Routes for guilds, their members and roles, and for users.
//!
//! Direct messages are for those who take them (`Member::open_dms`); to all others they are refused as they are sent.

use serde_json::Value;

use crate::reply::{Refusal, Reply};
use crate::rest::{Answer, Call, id};
use crate::wire;
use crate::world::World;

pub(super) fn route(world: &mut World, call: &Call<'_>) -> Option<Answer> {
    match (call.method, call.path) {
        ("GET", ["users", user]) => Some(if world.users.contains_key(&id(user)) {
            Ok(Reply::json(wire::user(world, id(user))))
        } else {
            Err(Refusal::unknown(10013, "User"))
        }),
        ("GET", ["users", "@me", "guilds"]) => {
            Some(Ok(Reply::json(world.guilds.values().map(wire::guild).collect())))
        }
        ("POST", ["users", "@me", "channels"]) => {
            let recipient = call.body["recipient_id"].as_str().map(id).unwrap_or_default();
            Some(if world.users.contains_key(&recipient) {
                let channel = world.direct(recipient);
                Ok(Reply::json(wire::direct(world, &world.channels[&channel], recipient)))
            } else {
                Err(Refusal::new(403, 50007, "Cannot send messages to this user"))
            })
        }
        (_, ["guilds", guild, rest @ ..]) => of_guild(world, call, id(guild), rest),
        _ => None,
    }
}

fn of_guild(world: &World, call: &Call<'_>, guild: u64, rest: &[&str]) -> Option<Answer> {
    let Some(known) = world.guilds.get(&guild) else {
        return Some(Err(Refusal::unknown(10004, "Guild")));
    };
    match (call.method, rest) {
        ("GET", []) => Some(Ok(Reply::json(wire::guild(known)))),
        ("GET", ["roles"]) => Some(Ok(Reply::json(wire::roles(known)))),
        ("GET", ["channels"]) => {
            let of_guild = world.channels.values().filter(|p| p.guild == guild && p.parent.is_none());
            Some(Ok(Reply::json(of_guild.map(wire::channel).collect::<Value>())))
        }
        ("GET", ["members", user]) => {
            let user = if *user == "@me" { world.bot } else { id(user) };
            Some(if known.members.contains_key(&user) {
                Ok(Reply::json(wire::member(world, guild, user, false)))
            } else if world.users.contains_key(&user) {
                Err(Refusal::unknown(10007, "Member"))
            } else {
                Err(Refusal::unknown(10013, "User"))
            })
        }
        _ => None,
    }
}
