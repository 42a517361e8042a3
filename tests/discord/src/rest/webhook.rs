//! Follow-ups: what an interaction token is good for after the acknowledgement.
//!
//! The first follow-up after a deferral *is* the deferred answer, and as ephemeral as the deferral was. Every
//! later one is a message of its own and public unless it says otherwise.

use serde_json::Value;

use crate::interaction::InteractionState;
use crate::message::{Body, EPHEMERAL};
use crate::reply::{Refusal, Reply};
use crate::rest::callback::{add_message, empty_message};
use crate::rest::{Answer, Call, id, verdict};
use crate::rules::{self, message::Source};
use crate::world::World;

pub(super) fn route(
    world: &mut World,
    call: &Call<'_>,
    application: u64,
    token: &str,
    rest: &[&str],
) -> Option<Answer> {
    let known = (call.method == "POST" && rest.is_empty())
        || (matches!(call.method, "GET" | "PATCH" | "DELETE") && matches!(rest, ["messages", _]));
    known.then(|| {
        let interaction = world
            .interactions
            .values()
            .find(|known| known.token == token && application == world.application)
            .cloned()
            .ok_or_else(|| Refusal::unknown(10015, "Webhook").because("an unknown interaction token"))?;
        interaction.may_follow_up(call.now_ms)?;
        match rest {
            ["messages", which] => one(world, call, &interaction, which),
            _ => follow_up(world, call, &interaction),
        }
    })
}

fn follow_up(world: &mut World, call: &Call<'_>, interaction: &InteractionState) -> Answer {
    let mut problems = rules::message::check(Source::FollowUp, "", call.body);
    problems.extend(call.schema("IncomingWebhookRequestPartial", "", call.body));
    verdict(problems)?;
    let body = patched(&Body::default(), call.body);
    if body.is_empty() {
        return Err(empty_message());
    }
    let deferred =
        interaction.original.filter(|id| world.messages.get(id).is_some_and(|m| m.loading && !m.deleted));
    let message = if let Some(deferred) = deferred {
        edit(world, deferred, body, call.now_ms);
        deferred
    } else {
        let flags = call.body["flags"].as_u64().unwrap_or_default();
        let ephemeral = (flags & EPHEMERAL != 0).then_some(interaction.user);
        add_message(world, call, interaction, body, ephemeral)
    };
    Ok(Reply::json(shown(world, message)))
}

fn one(world: &mut World, call: &Call<'_>, interaction: &InteractionState, which: &str) -> Answer {
    let message = match which {
        "@original" => interaction.original,
        other => Some(id(other)).filter(|id| interaction.messages.contains(id)),
    };
    let gone = || Refusal::unknown(10008, "Message");
    let Some(message) = message else {
        return Err(gone().because(format!("{which} is no message of this interaction")));
    };
    if !world.messages.get(&message).is_some_and(|m| !m.deleted && !m.dismissed) {
        return Err(gone());
    }
    match call.method {
        "PATCH" => {
            let mut problems = rules::message::check(Source::Edit, "", call.body);
            problems.extend(call.schema("IncomingWebhookUpdateRequestPartial", "", call.body));
            verdict(problems)?;
            let body = patched(&world.messages[&message].body, call.body);
            if body.is_empty() {
                return Err(empty_message());
            }
            edit(world, message, body, call.now_ms);
            Ok(Reply::json(shown(world, message)))
        }
        "DELETE" => {
            if let Some(message) = world.messages.get_mut(&message) {
                message.deleted = true;
            }
            Ok(Reply::empty())
        }
        _ => Ok(Reply::json(shown(world, message))),
    }
}

fn patched(before: &Body, request: &Value) -> Body {
    request.as_object().map_or_else(|| before.clone(), |map| before.patched(map))
}

fn edit(world: &mut World, message: u64, body: Body, now_ms: u64) {
    if let Some(message) = world.messages.get_mut(&message) {
        message.edit(body, now_ms);
    }
}

fn shown(world: &World, message: u64) -> Value {
    world.messages.get(&message).map(|message| message.to_json(world)).unwrap_or_default()
}
