//! The REST side: finds the route, asks for authorization, applies faults, and records every request.
//!
//! The routes themselves are functions of the locked world and live in the submodules; none of them waits. A
//! refusal that is the bot's fault becomes a violation here, and nowhere else.

mod callback;
mod channels;
mod commands;
mod guilds;
mod webhook;

pub(crate) use channels::{say, wake};
pub(crate) use commands::shown as commands_shown;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::gateway::STARTS;
use crate::record::Request;
use crate::reply::{Refusal, Reply};
use crate::shared::Shared;
use crate::wire;
use crate::world::World;

/// Bytes of a request body.
const BODY: usize = 1 << 20;

/// What a route answers.
type Answer = Result<Reply, Refusal>;

/// One request, as the routes see it.
pub(crate) struct Call<'a> {
    shared: &'a Shared,
    method: &'a str,
    /// The path below `/api/v10`, split at `/`.
    path: &'a [&'a str],
    query: &'a str,
    body: &'a Value,
    now_ms: u64,
}

impl Call<'_> {
    /// Judges `body` by the schema `name`, if there are schemas.
    fn schema(&self, name: &str, at: &str, body: &Value) -> Vec<crate::reply::Problem> {
        self.shared.schemas.map(|schemas| schemas.check(name, at, body)).unwrap_or_default()
    }

    fn asks(&self, flag: &str) -> bool {
        self.query.split('&').any(|pair| pair == flag)
    }
}

/// Ends a judgement: nothing wrong, or 50035.
fn verdict(problems: Vec<crate::reply::Problem>) -> Result<(), Refusal> {
    if problems.is_empty() { Ok(()) } else { Err(Refusal::invalid_form(problems)) }
}

/// An id in a path, or in a body.
fn id(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// Refuses what came without HTTPS to a stand-in that asks for it.
pub(crate) async fn unencrypted(State(shared): State<Arc<Shared>>, request: HttpRequest) -> Response<Body> {
    let line = format!("{} {} (not over HTTPS)", request.method(), request.uri().path());
    shared.change(|world| world.record.unexpected(&line));
    to_response(&Fault::status(403).into_reply())
}

/// Serves every path but the gateway's.
pub(crate) async fn serve(State(shared): State<Arc<Shared>>, request: HttpRequest) -> Response<Body> {
    let mut stopped = shared.stopped();
    if shared.lock().away {
        // A connection from before: nothing comes back on it.
        stopped.wait().await;
    }
    tokio::select! {
        answer = answer(&shared, request) => to_response(&answer),
        () = stopped.wait() => to_response(&Fault::status(503).into_reply()),
    }
}

async fn answer(shared: &Shared, request: HttpRequest) -> Reply {
    let (parts, body) = request.into_parts();
    let method = parts.method.as_str().to_owned();
    let query = parts.uri.query().unwrap_or_default().trim_start_matches('&').to_owned();
    let full = parts.uri.path().to_owned();
    let path = full.strip_prefix("/api/v10").unwrap_or(&full);
    let line = format!("{method} {path}");
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bytes = to_bytes(body, BODY).await.unwrap_or_default();

    let fault = shared.change(|world| world.faults.take(&line));
    if let Some(Fault::Before(delay)) = fault {
        tokio::time::sleep(delay).await;
    }
    let now_ms = shared.clock.now_ms();
    let parsed = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes) };
    let readable = parsed.is_ok();
    let body = parsed.unwrap_or(Value::Null);
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let call = Call { shared, method: &method, path: &segments, query: &query, body: &body, now_ms };
    let reply = shared.change(|world| {
        let standing = world.limits.count(&line, &segments, now_ms);
        let over = standing.as_ref().filter(|standing| standing.over);
        let result = match (&fault, over) {
            (Some(Fault::Answer(reply)), _) => Ok(reply.clone()),
            (_, Some(over)) => Ok(over.refusal()),
            _ if !readable => Err(Refusal::new(400, 50109, "The request body contains invalid JSON.")
                .because("the body is not JSON")),
            _ => {
                authorized(shared, world.revoked, &segments, authorization).and_then(|()| route(world, &call))
            }
        };
        let mut reply = result.unwrap_or_else(|refusal| {
            if let Some(why) = &refusal.violation {
                world.record.violation(refusal.code, &line, why.as_str());
            }
            refusal.to_reply()
        });
        if let Some(standing) = standing {
            standing.describe(&mut reply);
        }
        world.record.request(Request {
            method: method.clone(),
            path: path.to_owned(),
            query: query.clone(),
            body: body.clone(),
            at_ms: now_ms,
            status: reply.status,
            response: reply.body.clone(),
        });
        reply
    });
    if let Some(Fault::After(delay)) = fault {
        tokio::time::sleep(delay).await;
    }
    reply
}

/// All routes need the bot's token but those that carry an interaction token, and the gateway's address.
fn authorized(shared: &Shared, revoked: bool, path: &[&str], given: Option<&str>) -> Result<(), Refusal> {
    if matches!(path, ["interactions" | "webhooks", ..] | ["gateway"]) {
        return Ok(());
    }
    match given {
        Some(_) if revoked => Err(Refusal::new(401, 0, "401: Unauthorized")),
        Some(given) if given.strip_prefix("Bot ") == Some(shared.token.as_str()) => Ok(()),
        Some(_) => Err(Refusal::new(401, 0, "401: Unauthorized").because("a wrong authorization header")),
        None => Err(Refusal::new(401, 0, "401: Unauthorized").because("no authorization header")),
    }
}

fn route(world: &mut World, call: &Call<'_>) -> Answer {
    let answer = match (call.method, call.path) {
        ("GET", ["gateway"]) => Some(Ok(Reply::json(json!({ "url": call.shared.gateway_url() })))),
        ("GET", ["gateway", "bot"]) => Some(Ok(Reply::json(json!({
            "url": call.shared.gateway_url(),
            "shards": 1,
            "session_start_limit":
                { "total": STARTS, "remaining": world.gateway.starts.0, "reset_after": world.gateway.starts.1, "max_concurrency": 1 },
        })))),
        ("GET", ["users", "@me"]) => Some(Ok(Reply::json(wire::current_user(world)))),
        ("GET", ["applications", "@me"] | ["oauth2", "applications", "@me"]) => {
            Some(Ok(Reply::json(wire::application(world))))
        }
        (_, ["applications", ..]) => commands::route(world, call),
        ("POST", ["interactions", interaction, token, "callback"]) => {
            Some(callback::callback(world, call, id(interaction), token))
        }
        (_, ["webhooks", application, token, rest @ ..]) => {
            webhook::route(world, call, id(application), token, rest)
        }
        (_, ["channels", channel, rest @ ..]) => channels::route(world, call, id(channel), rest),
        (_, ["guilds" | "users", ..]) => guilds::route(world, call),
        _ => None,
    };
    answer.unwrap_or_else(|| {
        world.record.unexpected(&format!("{} /{}", call.method, call.path.join("/")));
        Err(Refusal::new(404, 0, "404: Not Found"))
    })
}

/// A reply as HTTP.
pub(crate) fn to_response(reply: &Reply) -> Response<Body> {
    let body = if reply.body.is_null() { Body::empty() } else { Body::from(reply.body.to_string()) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    if !reply.body.is_null() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &reply.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(*name, value);
        }
    }
    response
}
