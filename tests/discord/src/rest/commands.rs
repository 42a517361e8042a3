//! Routes for application commands: global ones, and those of one guild.

use serde_json::{Map, Value, json};

use crate::reply::{Problem, Refusal, Reply};
use crate::rest::{Answer, Call, id, verdict};
use crate::rules;
use crate::world::{Registered, World};

/// Commands of one kind an application may have in one scope.
const MOST: usize = 100;

/// The route, or none if it is not one of these.
pub(super) fn route(world: &mut World, call: &Call<'_>) -> Option<Answer> {
    let (application, guild, rest) = match call.path {
        ["applications", application, "commands", rest @ ..] => (application, None, rest),
        ["applications", application, "guilds", guild, "commands", rest @ ..] => {
            (application, Some(id(guild)), rest)
        }
        _ => return None,
    };
    if id(application) != world.application {
        return Some(Err(Refusal::unknown(10002, "Application").because("another application's commands")));
    }
    if guild.is_some_and(|guild| !world.guilds.contains_key(&guild)) {
        return Some(Err(Refusal::new(403, 50001, "Missing Access").because("a guild the bot is not in")));
    }
    match (call.method, rest) {
        ("GET", []) => Some(Ok(Reply::json(listed(world, guild)))),
        ("POST", []) => Some(create(world, call, guild)),
        ("PUT", []) => Some(replace_all(world, call, guild)),
        ("GET", [command]) => {
            Some(find(world, guild, id(command)).map(|at| Reply::json(world.commands[at].body.clone())))
        }
        ("PATCH", [command]) => Some(edit(world, call, guild, id(command))),
        ("DELETE", [command]) => Some(find(world, guild, id(command)).map(|at| {
            world.commands.remove(at);
            Reply::empty()
        })),
        _ => None,
    }
}

fn listed(world: &World, guild: Option<u64>) -> Value {
    world.commands.iter().filter(|c| c.guild == guild).map(|c| c.body.clone()).collect()
}

fn find(world: &World, guild: Option<u64>, command: u64) -> Result<usize, Refusal> {
    world
        .commands
        .iter()
        .position(|known| known.id == command && known.guild == guild)
        .ok_or_else(|| Refusal::unknown(10063, "application command"))
}

fn judge(call: &Call<'_>, schema: &str, at: &str, command: &Value, partial: bool) -> Vec<Problem> {
    let mut problems = rules::command::check(at, command, partial);
    // The schema wants a number, the API takes and sends a string.
    let mut numeric = command.clone();
    if let Some(text) = command["default_member_permissions"].as_str() {
        match text.parse::<u64>() {
            Ok(bits) => numeric["default_member_permissions"] = json!(bits),
            Err(_) => problems.push(Problem {
                path: rules::join(at, "default_member_permissions"),
                text: "not a number in a string".to_owned(),
            }),
        }
    }
    problems.extend(call.schema(schema, at, &numeric));
    problems
}

fn create(world: &mut World, call: &Call<'_>, guild: Option<u64>) -> Answer {
    verdict(judge(call, "ApplicationCommandCreateRequest", "", call.body, false))?;
    let name = call.body["name"].as_str().unwrap_or_default();
    let kind = call.body["type"].as_u64().unwrap_or(1);
    let same = |known: &Registered| {
        known.guild == guild && known.body["name"] == name && known.body["type"].as_u64() == Some(kind)
    };
    let known = world.commands.iter().position(same);
    if known.is_none() && world.commands.iter().filter(|c| c.guild == guild).count() >= MOST {
        return Err(Refusal::new(400, 30032, "Maximum number of application commands reached (100)."));
    }
    let command = match known {
        Some(at) => world.commands.remove(at).id,
        None => world.new_id(),
    };
    let body = shown(world, guild, command, call.body);
    world.commands.push(Registered { id: command, guild, body: body.clone() });
    Ok(Reply { status: if known.is_some() { 200 } else { 201 }, ..Reply::json(body) })
}

fn replace_all(world: &mut World, call: &Call<'_>, guild: Option<u64>) -> Answer {
    let commands = call.body.as_array().ok_or_else(|| {
        Refusal::invalid_form(vec![Problem { path: String::new(), text: "must be a list".to_owned() }])
    })?;
    let mut problems = Vec::new();
    for (index, command) in commands.iter().enumerate() {
        let at = index.to_string();
        problems.extend(judge(call, "ApplicationCommandUpdateRequest", &at, command, false));
        if commands[..index].iter().any(|c| c["name"] == command["name"] && c["type"] == command["type"]) {
            problems.push(Problem { path: at, text: "command name used twice".to_owned() });
        }
    }
    verdict(problems)?;
    let mut old: Vec<Registered> = Vec::new();
    world.commands.retain_mut(|known| {
        if known.guild == guild {
            old.push(Registered { id: known.id, guild, body: known.body.take() });
            return false;
        }
        true
    });
    for command in commands {
        let same = old.iter().find(|known| known.body["name"] == command["name"]).map(|known| known.id);
        let id = match same {
            Some(id) => id,
            None => world.new_id(),
        };
        let body = shown(world, guild, id, command);
        world.commands.push(Registered { id, guild, body });
    }
    Ok(Reply::json(listed(world, guild)))
}

fn edit(world: &mut World, call: &Call<'_>, guild: Option<u64>, command: u64) -> Answer {
    let at = find(world, guild, command)?;
    verdict(judge(call, "ApplicationCommandPatchRequestPartial", "", call.body, true))?;
    let mut merged = world.commands[at].body.clone();
    for (key, value) in call.body.as_object().into_iter().flatten() {
        merged[key] = value.clone();
    }
    let body = shown(world, guild, command, &merged);
    world.commands[at].body = body.clone();
    Ok(Reply::json(body))
}

/// A command as Discord returns it: with ids, without what is null or false by default in its options.
pub(crate) fn shown(world: &mut World, guild: Option<u64>, id: u64, given: &Value) -> Value {
    let version = world.new_id();
    let mut command = json!({
        "id": id.to_string(),
        "application_id": world.application.to_string(),
        "version": version.to_string(),
        "type": given["type"].as_u64().unwrap_or(1),
        "name": given["name"],
        "name_localizations": non_empty(&given["name_localizations"]),
        "description": given["description"].as_str().unwrap_or_default(),
        "description_localizations": non_empty(&given["description_localizations"]),
        "options": given["options"].as_array().map(|list| list.iter().map(option).collect::<Vec<_>>())
            .unwrap_or_default(),
        "default_member_permissions": match &given["default_member_permissions"] {
            Value::Number(bits) => json!(bits.to_string()),
            other => other.clone(),
        },
        "dm_permission": given["dm_permission"].as_bool().unwrap_or(true),
        "nsfw": given["nsfw"].as_bool().unwrap_or(false),
        "contexts": given["contexts"],
        "integration_types": given["integration_types"].as_array().cloned()
            .unwrap_or_else(|| vec![json!(0)]),
    });
    if let Some(guild) = guild {
        command["guild_id"] = json!(guild.to_string());
    }
    command
}

fn non_empty(map: &Value) -> Value {
    if map.as_object().is_some_and(Map::is_empty) { Value::Null } else { map.clone() }
}

fn option(given: &Value) -> Value {
    let mut option = given.clone();
    if let Some(map) = option.as_object_mut() {
        map.retain(|key, value| {
            let empty = value.as_array().is_some_and(Vec::is_empty);
            !value.is_null() && *value != json!(false) && !(empty && key != "options")
        });
        if let Some(Value::Array(inner)) = map.get_mut("options") {
            for nested in inner {
                *nested = self::option(nested);
            }
        }
    }
    option
}
