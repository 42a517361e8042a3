//! Routes for channels, threads and the public messages in them.
//!
//! Ephemeral messages do not exist here: only their interaction's token reaches them.

use serde_json::{Value, json};

use crate::gateway::intent;
use crate::message::{Body, MessageState};
use crate::reply::{Refusal, Reply};
use crate::rest::callback::empty_message;
use crate::rest::{Answer, Call, id, verdict};
use crate::rules::{self, message::Source};
use crate::wire;
use crate::world::World;

/// How long an enforced nonce is remembered, in milliseconds: "the past few minutes".
const NONCE_MS: u64 = 3 * 60 * 1_000;
/// Messages one GET returns.
const PAGE: usize = 50;

pub(super) fn route(world: &mut World, call: &Call<'_>, channel: u64, rest: &[&str]) -> Option<Answer> {
    let Some(place) = world.channels.get(&channel).cloned() else {
        return Some(Err(Refusal::unknown(10003, "Channel")));
    };
    match (call.method, rest) {
        ("GET", []) => Some(Ok(Reply::json(match place.recipient {
            Some(recipient) => wire::direct(world, &place, recipient),
            None => wire::channel(&place),
        }))),
        ("GET", ["messages"]) => {
            let public = world.messages.values().rev().filter(|m| is_public(m, channel)).take(PAGE);
            Some(Ok(Reply::json(public.map(|message| message.to_json(world)).collect())))
        }
        ("POST", ["messages"]) => Some(post(world, call, channel)),
        ("GET", ["messages", message]) => {
            Some(find(world, channel, id(message)).map(|m| Reply::json(m.to_json(world))))
        }
        ("PATCH", ["messages", message]) => Some(edit(world, call, channel, id(message))),
        ("DELETE", ["messages", message]) => Some(delete(world, channel, id(message))),
        _ => None,
    }
}

fn is_public(message: &MessageState, channel: u64) -> bool {
    message.channel == channel && message.ephemeral_to.is_none() && !message.deleted
}

fn find(world: &World, channel: u64, message: u64) -> Result<&MessageState, Refusal> {
    let found = world.messages.get(&message).filter(|message| is_public(message, channel));
    found.ok_or_else(|| Refusal::unknown(10008, "Message"))
}

fn post(world: &mut World, call: &Call<'_>, channel: u64) -> Answer {
    let mut problems = rules::message::check(Source::Channel, "", call.body);
    problems.extend(call.schema("MessageCreateRequest", "", call.body));
    verdict(problems)?;
    let body = call.body.as_object().map(|map| Body::default().patched(map)).unwrap_or_default();
    if body.is_empty() {
        return Err(empty_message());
    }
    if world.channels.get(&channel).is_some_and(|place| place.bot_muted) {
        return Err(Refusal::new(403, 50013, "Missing Permissions"));
    }
    let recipient = world.channels.get(&channel).and_then(|place| place.recipient);
    if recipient.is_some_and(|recipient| !world.takes_dms.contains(&recipient)) {
        return Err(Refusal::new(403, 50007, "Cannot send messages to this user"));
    }
    wake(world, channel)?;
    let nonce = call.body["nonce"].as_str().filter(|_| call.body["enforce_nonce"] == true);
    if let Some(before) = nonce.and_then(|nonce| said_before(world, channel, nonce, call.now_ms)) {
        return Ok(Reply::json(world.messages[&before].to_json(world)));
    }
    let message = say(world, channel, world.bot, body, call.now_ms);
    if let (Some(nonce), Some(said)) = (nonce, world.messages.get_mut(&message)) {
        said.nonce = Some(nonce.to_owned());
    }
    Ok(Reply::json(world.messages[&message].to_json(world)))
}

/// The bot's message there with this nonce, if it is of the last few minutes.
fn said_before(world: &World, channel: u64, nonce: &str, now_ms: u64) -> Option<u64> {
    let same = world.messages.values().find(|message| {
        message.channel == channel
            && message.nonce.as_deref() == Some(nonce)
            && now_ms.saturating_sub(message.created_ms) < NONCE_MS
    });
    same.map(|message| message.id)
}

/// A message in an archived thread opens it again; a locked one stays shut.
pub(crate) fn wake(world: &mut World, channel: u64) -> Result<(), Refusal> {
    let Some(place) = world.channels.get_mut(&channel) else { return Ok(()) };
    if !place.archived {
        return Ok(());
    }
    if place.locked {
        return Err(Refusal::new(400, 50083, "Thread is archived"));
    }
    place.archived = false;
    let event = wire::channel(place);
    world.gateway.dispatch("THREAD_UPDATE", intent::GUILDS, &event);
    Ok(())
}

/// A public message, by whomever. Returns its id.
pub(crate) fn say(world: &mut World, channel: u64, author: u64, body: Body, now_ms: u64) -> u64 {
    let id = world.new_event_id(now_ms);
    let message = MessageState::new(id, channel, author, body, now_ms);
    let mut event = message.to_json(world);
    if let Some(place) = world.channels.get_mut(&channel) {
        place.last_message = Some(id);
    }
    let place = world.channels.get(&channel).filter(|place| place.recipient.is_none());
    if let Some(place) = place {
        event["guild_id"] = json!(place.guild.to_string());
        let mut member = wire::member(world, place.guild, author, false);
        if let Some(map) = member.as_object_mut() {
            map.remove("user");
        }
        event["member"] = member;
    }
    if author != world.bot {
        // Without the privileged intent, what others write stays unread.
        event["content"] = Value::String(String::new());
    }
    world.add_message(message);
    world.gateway.dispatch("MESSAGE_CREATE", intent::GUILD_MESSAGES, &event);
    id
}

fn edit(world: &mut World, call: &Call<'_>, channel: u64, message: u64) -> Answer {
    let found = find(world, channel, message)?;
    if found.author != world.bot {
        return Err(Refusal::new(403, 50005, "Cannot edit a message authored by another user")
            .because("an edit of somebody else's message"));
    }
    let mut problems = rules::message::check(Source::Edit, "", call.body);
    problems.extend(call.schema("MessageEditRequestPartial", "", call.body));
    verdict(problems)?;
    let body = call.body.as_object().map_or_else(|| found.body.clone(), |map| found.body.patched(map));
    if body.is_empty() {
        return Err(empty_message());
    }
    wake(world, channel)?;
    if let Some(found) = world.messages.get_mut(&message) {
        found.edit(body, call.now_ms);
    }
    Ok(Reply::json(world.messages[&message].to_json(world)))
}

fn delete(world: &mut World, channel: u64, message: u64) -> Answer {
    if find(world, channel, message)?.author != world.bot {
        return Err(Refusal::new(403, 50013, "Missing Permissions"));
    }
    if let Some(found) = world.messages.get_mut(&message) {
        found.deleted = true;
    }
    Ok(Reply::empty())
}
