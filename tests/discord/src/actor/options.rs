//! Reading what a member types against a registered command, as the client does before it sends anything.
//!
//! Pure functions of the command tree, the words, and who and what there is. An error is what a client would
//! not let a member send.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use crate::rules::list;
use crate::wire;
use crate::world::World;

/// A command line, taken apart.
#[derive(Debug)]
pub(super) struct Typed {
    /// The command's name.
    pub(super) name: String,
    words: VecDeque<String>,
    named: Vec<(String, String)>,
    /// The option being typed, for autocomplete.
    focused: Option<(String, String)>,
}

impl Typed {
    /// Splits `/name word "two words" option:value`.
    pub(super) fn new(
        line: &str,
        named: &[(String, String)],
        focused: Option<(String, String)>,
    ) -> Result<Self, String> {
        let mut words = split(line);
        let name = words.pop_front().and_then(|word| word.strip_prefix('/').map(str::to_owned));
        let name = name.ok_or_else(|| format!("{line:?} does not begin with /command"))?;
        Ok(Self { name, words, named: named.to_vec(), focused })
    }

    /// The `data` of the interaction, for this command as registered.
    pub(super) fn data(mut self, world: &World, guild: u64, command: &Value) -> Result<Value, String> {
        let mut path = Vec::new();
        let mut level = list(command, "options");
        while level.first().is_some_and(|option| matches!(option["type"].as_u64(), Some(1 | 2))) {
            let known: Vec<_> = level.iter().filter_map(|option| option["name"].as_str()).collect();
            let step = self.words.pop_front().ok_or_else(|| format!("one of {known:?} must follow"))?;
            let Some(chosen) = level.iter().find(|option| option["name"] == step.as_str()) else {
                return Err(format!("no subcommand {step:?} but {known:?}"));
            };
            path.push(chosen);
            level = list(chosen, "options");
        }
        let mut resolved = Map::new();
        let mut options = self.fill(world, guild, level, &mut resolved)?;
        for step in path.iter().rev() {
            options = vec![json!({ "name": step["name"], "type": step["type"], "options": options })];
        }
        let mut data = json!({ "id": command["id"], "name": command["name"], "type": 1, "options": options });
        if let Some(guild) = command.get("guild_id") {
            data["guild_id"] = guild.clone();
        }
        if !resolved.is_empty() {
            data["resolved"] = Value::Object(resolved);
        }
        Ok(data)
    }

    fn fill(
        mut self,
        world: &World,
        guild: u64,
        level: &[Value],
        resolved: &mut Map<String, Value>,
    ) -> Result<Vec<Value>, String> {
        let known = |name: &str| level.iter().any(|option| option["name"] == name);
        let (pairs, words): (Vec<_>, Vec<_>) =
            self.words.drain(..).partition(|word| word.split_once(':').is_some_and(|(name, _)| known(name)));
        let pairs = pairs.iter().filter_map(|word| word.split_once(':'));
        self.named.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let names = || level.iter().filter_map(|option| option["name"].as_str()).collect::<Vec<_>>();
        let asked = self.named.iter().chain(&self.focused);
        if let Some((name, _)) = asked.into_iter().find(|(name, _)| !known(name)) {
            return Err(format!("no option {name:?} but {:?}", names()));
        }
        let mut words = words.into_iter();
        let mut options = Vec::new();
        for option in level {
            let name = option["name"].as_str().unwrap_or_default();
            if let Some((_, partial)) = self.focused.as_ref().filter(|(focused, _)| focused == name) {
                if option["autocomplete"] != true {
                    return Err(format!("the option {name:?} does not autocomplete"));
                }
                options.push(json!({
                    "name": name, "type": option["type"], "value": partial, "focused": true
                }));
                continue;
            }
            let given = self.named.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            match given.or_else(|| words.next()) {
                Some(given) => {
                    let value = value(world, guild, option, &given, resolved)
                        .map_err(|why| format!("option {name:?}: {why}"))?;
                    options.push(json!({ "name": name, "type": option["type"], "value": value }));
                }
                None if option["required"] == true && self.focused.is_none() => {
                    return Err(format!("the option {name:?} is required"));
                }
                None => {}
            }
        }
        match words.next() {
            Some(extra) => Err(format!("{extra:?} is too much; the options are {:?}", names())),
            None => Ok(options),
        }
    }
}

fn split(line: &str) -> VecDeque<String> {
    let mut words = VecDeque::new();
    let (mut word, mut quoted, mut begun) = (String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' => (quoted, begun) = (!quoted, true),
            c if c.is_whitespace() && !quoted => {
                if begun {
                    words.push_back(std::mem::take(&mut word));
                }
                begun = false;
            }
            c => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push_back(word);
    }
    words
}

fn value(
    world: &World,
    guild: u64,
    option: &Value,
    given: &str,
    resolved: &mut Map<String, Value>,
) -> Result<Value, String> {
    let choices = list(option, "choices");
    if !choices.is_empty() {
        let shown = |choice: &Value| match &choice["value"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let fits = |choice: &&Value| choice["name"] == given || shown(choice) == given;
        return match choices.iter().find(fits) {
            Some(choice) => Ok(choice["value"].clone()),
            None => Err(format!("{given:?} is none of its choices")),
        };
    }
    let number = || given.parse::<f64>().map_err(|_| format!("{given:?} is no number"));
    let within = |n: f64| {
        let low = option["min_value"].as_f64().is_none_or(|least| n >= least);
        let high = option["max_value"].as_f64().is_none_or(|most| n <= most);
        if low && high { Ok(()) } else { Err(format!("{given} is out of bounds")) }
    };
    match option["type"].as_u64() {
        Some(3) => text(option, given),
        Some(4) => {
            within(number()?)?;
            given.parse::<i64>().map(Value::from).map_err(|_| format!("{given:?} is no whole number"))
        }
        Some(5) => {
            given.parse::<bool>().map(Value::from).map_err(|_| format!("{given:?} is not true or false"))
        }
        Some(6) => user(world, guild, given, resolved),
        Some(7) => channel(world, guild, given, resolved),
        Some(8) => role(world, guild, given, resolved),
        Some(10) => {
            within(number()?)?;
            number().map(Value::from)
        }
        _ => Err("an option type the stand-in does not play".to_owned()),
    }
}

fn text(option: &Value, given: &str) -> Result<Value, String> {
    let length = given.chars().count() as u64;
    let least = option["min_length"].as_u64().unwrap_or(0);
    let most = option["max_length"].as_u64().unwrap_or(6_000);
    if (least..=most).contains(&length) {
        Ok(json!(given))
    } else {
        Err(format!("{length} characters, {least} to {most} are taken"))
    }
}

fn resolve(resolved: &mut Map<String, Value>, kind: &str, id: u64, object: Value) {
    let of_kind = resolved.entry(kind).or_insert_with(|| json!({}));
    of_kind[id.to_string()] = object;
}

fn user(world: &World, guild: u64, given: &str, resolved: &mut Map<String, Value>) -> Result<Value, String> {
    let name = given.trim_start_matches('@');
    let found = world.users.iter().find(|(id, known)| *known == name || id.to_string() == name);
    let Some((&id, _)) = found else { return Err(format!("nobody is called {name:?}")) };
    resolve(resolved, "users", id, wire::user(world, id));
    if world.guilds.get(&guild).is_some_and(|guild| guild.members.contains_key(&id)) {
        let mut member = wire::member(world, guild, id, true);
        if let Some(map) = member.as_object_mut() {
            map.remove("user");
        }
        resolve(resolved, "members", id, member);
    }
    Ok(json!(id.to_string()))
}

fn channel(
    world: &World,
    guild: u64,
    given: &str,
    resolved: &mut Map<String, Value>,
) -> Result<Value, String> {
    let name = given.trim_start_matches('#');
    let mut places = world.channels.values().filter(|place| place.guild == guild);
    let Some(place) = places.find(|place| place.name == name || place.id.to_string() == name) else {
        return Err(format!("no channel is called {name:?}"));
    };
    let permissions = world.permissions(guild, world.bot);
    resolve(resolved, "channels", place.id, wire::interaction_channel(place, permissions));
    Ok(json!(place.id.to_string()))
}

fn role(world: &World, guild: u64, given: &str, resolved: &mut Map<String, Value>) -> Result<Value, String> {
    let name = given.trim_start_matches('@');
    let Some(guild) = world.guilds.get(&guild) else { return Err("no such guild".to_owned()) };
    let found = guild.roles.iter().find(|(id, role)| role.name == name || id.to_string() == name);
    let Some((&id, _)) = found else { return Err(format!("no role is called {name:?}")) };
    resolve(resolved, "roles", id, wire::role(id, guild));
    Ok(json!(id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str, focused: Option<(&str, &str)>) -> Result<Value, String> {
        let option = |name: &str, kind: u64, required: bool| json!({ "type": kind, "name": name, "description": "d", "required": required, "autocomplete": kind == 3 });
        let command = json!({
            "id": "1", "name": "auth", "options": [
                { "type": 1, "name": "login", "description": "d",
                  "options": [option("provider", 3, true), option("bind", 5, false)] },
                { "type": 2, "name": "admin", "description": "d", "options": [
                    { "type": 1, "name": "who", "description": "d", "options": [option("user", 6, true)] },
                ] },
            ],
        });
        let focused = focused.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut world = World::new("bot");
        world.add_guild(7, "home");
        world.user_named("ann");
        Ok(Typed::new(line, &[], focused)?.data(&world, 7, &command)?["options"].take())
    }

    #[test]
    fn a_line_is_read_against_the_registered_tree() {
        let login = |options: Value| Ok(json!([{ "name": "login", "type": 1, "options": options }]));
        let provider = json!({ "name": "provider", "type": 3, "value": "co dex" });
        let bind = json!({ "name": "bind", "type": 5, "value": true });
        assert_eq!(typed("/auth login \"co dex\" true", None), login(json!([provider, bind])));
        assert_eq!(typed("/auth login bind:true provider:\"co dex\"", None), login(json!([provider, bind])));
        assert_eq!(typed("/auth login \"co dex\"", None), login(json!([provider])));
        assert_eq!(
            typed("/auth login", Some(("provider", "co"))),
            login(json!([{ "name": "provider", "type": 3, "value": "co", "focused": true }]))
        );
        assert!(typed("/auth admin who ann", None).is_ok());
    }

    #[test]
    fn what_a_client_would_not_send_is_an_error() {
        for (line, expected) in [
            ("auth", "\"auth\" does not begin with /command"),
            ("/auth", "one of [\"login\", \"admin\"] must follow"),
            ("/auth out", "no subcommand \"out\" but [\"login\", \"admin\"]"),
            ("/auth login", "the option \"provider\" is required"),
            ("/auth login a b", "option \"bind\": \"b\" is not true or false"),
            ("/auth login a true c", "\"c\" is too much; the options are [\"provider\", \"bind\"]"),
            ("/auth admin who bob", "option \"user\": nobody is called \"bob\""),
        ] {
            assert_eq!(typed(line, None), Err(expected.to_owned()), "{line}");
        }
        let focused = typed("/auth login a", Some(("bind", "t")));
        assert_eq!(focused, Err("the option \"bind\" does not autocomplete".to_owned()));
    }
}
