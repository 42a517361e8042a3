//! The interaction callback: the one answer that acknowledges.
//!
//! A callback that is refused, for whatever reason, acknowledges nothing; the 3 s go on.

use serde_json::{Value, json};

use crate::interaction::{Acknowledgement, InteractionState, Kind};
use crate::message::{Body, EPHEMERAL, MessageState};
use crate::reply::{Problem, Refusal, Reply};
use crate::rest::{Answer, Call, verdict};
use crate::rules::message::Source;
use crate::rules::{self, list};
use crate::world::World;

pub(super) fn callback(world: &mut World, call: &Call<'_>, id: u64, token: &str) -> Answer {
    let interaction = world
        .interactions
        .get(&id)
        .filter(|known| known.token == token)
        .cloned()
        .ok_or_else(|| Refusal::unknown(10062, "interaction").because("an interaction nobody started"))?;
    interaction.may_acknowledge(call.now_ms)?;
    let kind = call.body["type"].as_u64().unwrap_or_default();
    if !interaction.accepts(kind) {
        return Err(Refusal::invalid_form(vec![Problem {
            path: "type".to_owned(),
            text: format!("callback type {kind} does not answer this interaction ({:?})", interaction.kind),
        }]));
    }
    verdict(judge(call, kind))?;
    let data = &call.body["data"];
    let empty = serde_json::Map::new();
    let body = Body::default().patched(data.as_object().unwrap_or(&empty));
    if kind == 4 && body.is_empty() {
        return Err(empty_message());
    }
    let acknowledgement = match kind {
        4 => {
            add_original(world, call, &interaction, body, false);
            Acknowledgement::Message
        }
        5 => {
            add_original(world, call, &interaction, Body::default(), true);
            Acknowledgement::Deferred
        }
        6 => {
            point_to_source(world, &interaction);
            Acknowledgement::DeferredUpdate
        }
        7 => {
            update_source(world, call, &interaction)?;
            point_to_source(world, &interaction);
            Acknowledgement::Update
        }
        8 => Acknowledgement::Choices(list(data, "choices").to_vec()),
        _ => Acknowledgement::Modal(data.clone()),
    };
    if let Some(known) = world.interactions.get_mut(&id) {
        known.acknowledged = Some(acknowledgement);
        known.acknowledged_ms = Some(call.now_ms);
    }
    Ok(if call.asks("with_response=true") { Reply::json(described(world, id, kind)) } else { Reply::empty() })
}

/// 50006: a message that shows nothing.
pub(super) fn empty_message() -> Refusal {
    Refusal::new(400, 50006, "Cannot send an empty message").because("an empty message")
}

fn judge(call: &Call<'_>, kind: u64) -> Vec<Problem> {
    let mut problems = rules::Problems::default();
    problems.unknown_keys("", call.body, &["type", "data"]);
    let mut problems = problems.0;
    let data = &call.body["data"];
    let schema = match kind {
        4 | 5 => "CreateMessageInteractionCallbackRequest",
        6 | 7 => "UpdateMessageInteractionCallbackRequest",
        8 => "ApplicationCommandAutocompleteCallbackRequest",
        _ => "ModalInteractionCallbackRequest",
    };
    match kind {
        8 => problems.extend(rules::command::choices("data.choices", list(data, "choices"))),
        9 => problems.extend(rules::modal::check("data", data)),
        _ if data.is_null() => {}
        7 => problems.extend(rules::message::check(Source::Edit, "data", data)),
        _ => problems.extend(rules::message::check(Source::Callback, "data", data)),
    }
    problems.extend(call.schema(schema, "", call.body));
    problems
}

fn add_original(
    world: &mut World,
    call: &Call<'_>,
    interaction: &InteractionState,
    body: Body,
    loading: bool,
) {
    let flags = call.body["data"]["flags"].as_u64().unwrap_or_default();
    let ephemeral = (flags & EPHEMERAL != 0).then_some(interaction.user);
    let message = add_message(world, call, interaction, body, ephemeral);
    if let Some(message) = world.messages.get_mut(&message) {
        message.loading = loading;
    }
    if let Some(known) = world.interactions.get_mut(&interaction.id) {
        known.original = Some(message);
    }
}

/// A new message that answers an interaction. Returns its id.
pub(super) fn add_message(
    world: &mut World,
    call: &Call<'_>,
    interaction: &InteractionState,
    body: Body,
    ephemeral_to: Option<u64>,
) -> u64 {
    let id = world.new_event_id(call.now_ms);
    let mut message = MessageState::new(id, interaction.channel, world.bot, body, call.now_ms);
    message.ephemeral_to = ephemeral_to;
    message.interaction = Some(interaction.id);
    world.add_message(message);
    if let Some(known) = world.interactions.get_mut(&interaction.id) {
        known.messages.push(id);
    }
    id
}

fn point_to_source(world: &mut World, interaction: &InteractionState) {
    if let Some(known) = world.interactions.get_mut(&interaction.id) {
        known.original = known.source;
    }
}

fn update_source(world: &mut World, call: &Call<'_>, interaction: &InteractionState) -> Result<(), Refusal> {
    let source = interaction.source.and_then(|id| world.messages.get_mut(&id));
    let Some(source) = source.filter(|message| !message.deleted && !message.dismissed) else {
        return Err(Refusal::unknown(10008, "Message"));
    };
    let body = match call.body["data"].as_object() {
        Some(data) => source.body.patched(data),
        None => source.body.clone(),
    };
    if body.is_empty() {
        return Err(empty_message());
    }
    source.edit(body, call.now_ms);
    Ok(())
}

fn described(world: &World, id: u64, kind: u64) -> Value {
    let Some(interaction) = world.interactions.get(&id) else { return Value::Null };
    let message = interaction.original.and_then(|id| world.messages.get(&id));
    let mut resource = json!({ "type": kind });
    if let Some(message) = message {
        resource["message"] = message.to_json(world);
    }
    json!({
        "interaction": {
            "id": id.to_string(),
            "type": interaction.kind.number(),
            "response_message_id": message.map(|message| message.id.to_string()),
            "response_message_loading": message.is_some_and(|message| message.loading),
            "response_message_ephemeral": message.is_some_and(|m| m.ephemeral_to.is_some()),
        },
        "resource": if interaction.kind == Kind::Autocomplete { Value::Null } else { resource },
    })
}
