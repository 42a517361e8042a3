//! One gateway connection: HELLO, then IDENTIFY or RESUME, then heartbeats, until either side ends it.
//!
//! The task ends with its connection or with the stand-in, whichever comes first.

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::gateway::{Out, QUEUE, intent};
use crate::shared::Shared;
use crate::wire;

/// Serves one connection.
pub(crate) async fn serve(shared: Arc<Shared>, mut socket: WebSocket) {
    let (sender, mut queue) = mpsc::channel(QUEUE);
    let connection = shared.change(|world| world.gateway.connect(sender));
    let mut stopped = shared.stopped();
    let hello = json!({
        "op": 10,
        "d": { "heartbeat_interval": shared.heartbeat_ms, "_trace": ["stand-in"] },
    });
    let greets = shared.lock().gateway.greets;
    let mut open = !greets || socket.send(text(&hello)).await.is_ok();
    let mut greeted = false;
    while open {
        tokio::select! {
            () = stopped.wait() => break,
            out = queue.recv() => match out {
                Some(Out::Text(frame)) => open = socket.send(Message::Text(frame.into())).await.is_ok(),
                Some(Out::Close(code)) => { close(&mut socket, code).await; open = false; }
                Some(Out::Cut) | None => open = false,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(frame))) => {
                    let answer = receive(&shared, connection, &mut greeted, frame.as_str());
                    match answer {
                        Answer::Nothing => {}
                        Answer::Frame(frame) => open = socket.send(text(&frame)).await.is_ok(),
                        Answer::Close(code) => { close(&mut socket, code).await; open = false; }
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => open = false,
            },
        }
    }
    shared.change(|world| world.gateway.disconnect(connection));
}

enum Answer {
    Nothing,
    Frame(Value),
    Close(u16),
}

fn receive(shared: &Shared, connection: u64, greeted: &mut bool, frame: &str) -> Answer {
    let Ok(payload) = serde_json::from_str::<Value>(frame) else { return Answer::Close(4002) };
    let data = &payload["d"];
    match payload["op"].as_u64() {
        Some(1) if !(data.is_null() || data.is_u64()) => Answer::Close(4002),
        Some(1) => shared.change(|world| {
            world.gateway.heartbeats = world.gateway.heartbeats.saturating_add(1);
            if world.gateway.answers_heartbeats {
                Answer::Frame(json!({ "op": 11 }))
            } else {
                Answer::Nothing
            }
        }),
        Some(2 | 6) if *greeted => Answer::Close(4005),
        Some(2 | 6) if !right_token(shared, data) => Answer::Close(4004),
        Some(2) => {
            *greeted = true;
            identify(shared, connection, data)
        }
        Some(6) => {
            let id = data["session_id"].as_str().unwrap_or_default();
            let sequence = data["seq"].as_u64().unwrap_or_default();
            *greeted = shared.change(|world| world.gateway.resume(connection, id, sequence));
            if *greeted { Answer::Nothing } else { Answer::Frame(json!({ "op": 9, "d": false })) }
        }
        Some(3 | 4 | 8 | 31 | 43) if *greeted => Answer::Nothing,
        Some(3 | 4 | 8 | 31 | 43) => Answer::Close(4003),
        _ => Answer::Close(4001),
    }
}

fn right_token(shared: &Shared, data: &Value) -> bool {
    let given = data["token"].as_str().unwrap_or_default();
    !shared.lock().revoked && given.strip_prefix("Bot ").unwrap_or(given) == shared.token
}

fn identify(shared: &Shared, connection: u64, data: &Value) -> Answer {
    let Some(intents) = data["intents"].as_u64() else { return Answer::Close(4013) };
    shared.change(|world| {
        if world.gateway.starts.0 == 0 {
            world.record.violation(0, "IDENTIFY", "a session was begun beyond the limit of session starts");
            return Answer::Close(4004);
        }
        if intents & intent::PRIVILEGED & !world.gateway.allowed != 0 {
            return Answer::Close(4014);
        }
        let session = world.gateway.identify(connection, intents);
        let guilds: Vec<Value> =
            world.guilds.keys().map(|id| json!({ "id": id.to_string(), "unavailable": true })).collect();
        let ready = json!({
            "v": 10,
            "user": wire::current_user(world),
            "guilds": guilds,
            "session_id": session,
            "resume_gateway_url": shared.gateway_url(),
            "shard": data.get("shard"),
            "application": { "id": world.application.to_string(), "flags": 0 },
            "session_type": "normal",
            "private_channels": [],
            "relationships": [],
        });
        world.gateway.dispatch("READY", intent::NONE, &ready);
        let created: Vec<Value> = world.guilds.values().map(|g| wire::guild_create(world, g)).collect();
        for guild in created {
            world.gateway.dispatch("GUILD_CREATE", intent::GUILDS, &guild);
        }
        Answer::Nothing
    })
}

fn text(value: &Value) -> Message {
    Message::Text(value.to_string().into())
}

async fn close(socket: &mut WebSocket, code: u16) {
    let frame = CloseFrame { code, reason: reason(code).into() };
    drop(socket.send(Message::Close(Some(frame))).await);
}

fn reason(code: u16) -> &'static str {
    match code {
        4001 => "Unknown opcode.",
        4002 => "Error while decoding payload.",
        4003 => "Not authenticated.",
        4004 => "Authentication failed.",
        4005 => "Already authenticated.",
        4007 => "Invalid seq.",
        4009 => "Session timed out.",
        4013 => "Invalid intent(s).",
        4014 => "Disallowed intent(s).",
        _ => "",
    }
}
