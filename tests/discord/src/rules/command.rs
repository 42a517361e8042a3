//! Rules for command registration, and for autocomplete choices.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::reply::Problem;
use crate::rules::{Problems, join, list};

const COMMAND: &[&str] = &[
    "id",
    "type",
    "name",
    "name_localizations",
    "description",
    "description_localizations",
    "options",
    "default_member_permissions",
    "dm_permission",
    "integration_types",
    "contexts",
    "nsfw",
    "handler",
];
const OPTION: &[&str] = &[
    "type",
    "name",
    "name_localizations",
    "description",
    "description_localizations",
    "required",
    "choices",
    "options",
    "channel_types",
    "min_value",
    "max_value",
    "min_length",
    "max_length",
    "autocomplete",
];
const LOCALES: &[&str] = &[
    "ar", "bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr", "he", "hi", "hr",
    "hu", "id", "it", "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro", "ru", "sv-SE", "th", "tr", "uk",
    "vi", "zh-CN", "zh-TW",
];

/// Option types that hold other options.
const SUBCOMMAND: u64 = 1;
const GROUP: u64 = 2;

/// Judges one command. A partial one (PATCH) may leave everything out.
pub(crate) fn check(path: &str, command: &Value, partial: bool) -> Vec<Problem> {
    let mut problems = Problems::default();
    problems.unknown_keys(path, command, COMMAND);
    let slash = command["type"].as_u64().unwrap_or(1) == 1;
    if !partial || !command["name"].is_null() {
        name(&mut problems, path, command, slash);
    }
    if slash && (!partial || !command["description"].is_null()) {
        problems.required(path, command, "description", 100);
    }
    localizations(&mut problems, path, command);
    options(&mut problems, &join(path, "options"), list(command, "options"), 0);
    problems.0
}

/// Judges the choices of an autocomplete answer, or of an option.
pub(crate) fn choices(path: &str, choices: &[Value]) -> Vec<Problem> {
    let mut problems = Problems::default();
    if choices.len() > 25 {
        problems.add(path, format!("{} choices, at most 25 are allowed", choices.len()));
    }
    for (index, choice) in choices.iter().enumerate() {
        let path = join(path, index);
        problems.unknown_keys(&path, choice, &["name", "name_localizations", "value"]);
        problems.required(&path, choice, "name", 100);
        problems.longest(&path, choice, "value", 100);
        if choice["value"].is_null() {
            problems.add(&join(&path, "value"), "is required");
        }
        locales(&mut problems, &path, choice, "name_localizations", 100);
    }
    problems.0
}

fn name(problems: &mut Problems, path: &str, value: &Value, slash: bool) {
    problems.required(path, value, "name", 32);
    let name = value["name"].as_str().unwrap_or_default();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '\'');
    if slash && !name.chars().all(fits) {
        problems.add(&join(path, "name"), "only letters, digits, - and _ are allowed");
    }
    if slash && name.to_lowercase() != name {
        problems.add(&join(path, "name"), "must be in lower case");
    }
}

fn options(problems: &mut Problems, path: &str, options: &[Value], depth: u8) {
    if options.len() > 25 {
        problems.add(path, format!("{} options, at most 25 are allowed", options.len()));
    }
    let mut names = BTreeSet::new();
    let mut optional_before = false;
    let nested = |option: &Value| matches!(option["type"].as_u64(), Some(SUBCOMMAND | GROUP));
    if options.iter().any(nested) && !options.iter().all(nested) {
        problems.add(path, "subcommands and plain options do not mix");
    }
    for (index, option) in options.iter().enumerate() {
        let path = join(path, index);
        let required = option["required"].as_bool().unwrap_or(false);
        if required && optional_before {
            problems.add(&path, "a required option stands after an optional one");
        }
        optional_before |= !required && !nested(option);
        if !names.insert(option["name"].as_str()) {
            problems.add(&join(&path, "name"), "option name used twice");
        }
        one_option(problems, &path, option, depth);
    }
}

fn one_option(problems: &mut Problems, path: &str, option: &Value, depth: u8) {
    problems.unknown_keys(path, option, OPTION);
    name(problems, path, option, true);
    problems.required(path, option, "description", 100);
    localizations(problems, path, option);
    problems.0.extend(choices(&join(path, "choices"), list(option, "choices")));
    if option["autocomplete"] == true && !list(option, "choices").is_empty() {
        problems.add(path, "an option has choices or autocompletes, not both");
    }
    if option["autocomplete"] == true && !matches!(option["type"].as_u64(), Some(3 | 4 | 10)) {
        problems.add(path, "only strings, integers and numbers autocomplete");
    }
    match option["type"].as_u64() {
        Some(GROUP) if depth > 0 => problems.add(path, "a group stands only at the top"),
        Some(SUBCOMMAND) if depth > 1 => problems.add(path, "a subcommand holds no subcommand"),
        Some(kind @ (SUBCOMMAND | GROUP)) => {
            let inner = list(option, "options");
            if kind == GROUP && inner.is_empty() {
                problems.add(path, "a group needs a subcommand");
            }
            options(problems, &join(path, "options"), inner, if kind == GROUP { 1 } else { 2 });
        }
        Some(3..=11) => {}
        _ => problems.add(&join(path, "type"), "must be 1 to 11"),
    }
}

fn localizations(problems: &mut Problems, path: &str, value: &Value) {
    locales(problems, path, value, "name_localizations", 32);
    locales(problems, path, value, "description_localizations", 100);
}

fn locales(problems: &mut Problems, path: &str, value: &Value, key: &str, most: usize) {
    let Some(map) = value[key].as_object() else { return };
    for (locale, text) in map {
        let path = join(&join(path, key), locale);
        if !LOCALES.contains(&locale.as_str()) {
            problems.add(&path, "not a locale of Discord's");
        }
        let length = text.as_str().map_or(0, |text| text.chars().count());
        if length == 0 || length > most {
            problems.add(&path, format!("must be 1 to {most} characters"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::tests::lines;

    fn command(name: &str, options: &Value) -> Value {
        json!({ "name": name, "description": "d", "options": options })
    }

    fn option(name: &str, required: bool) -> Value {
        json!({ "type": 3, "name": name, "description": "d", "required": required })
    }

    #[test]
    fn commands_keep_their_rules() {
        let subcommand = |name: &str| json!({ "type": 1, "name": name, "description": "d" });
        for (command, expected) in [
            (command("auth", &json!([subcommand("login")])), vec![]),
            (command("Auth", &json!([])), vec!["name: must be in lower case"]),
            (command("a b", &json!([])), vec!["name: only letters, digits, - and _ are allowed"]),
            (command(&"a".repeat(33), &json!([])), vec!["name: 33 characters, at most 32 are allowed"]),
            (
                json!({ "name": "auth", "description": "d".repeat(101) }),
                vec!["description: 101 characters, at most 100 are allowed"],
            ),
            (json!({ "name": "auth" }), vec!["description: is required and must not be empty"]),
            (
                command("auth", &json!([option("a", false), option("b", true)])),
                vec!["options.1: a required option stands after an optional one"],
            ),
            (
                command("auth", &json!([option("a", true), option("a", false)])),
                vec!["options.1.name: option name used twice"],
            ),
            (
                command("auth", &json!([option("a", true), subcommand("b")])),
                vec!["options: subcommands and plain options do not mix"],
            ),
            (
                json!({ "name": "auth", "description": "d", "name_localizations": { "xx": "a" } }),
                vec!["name_localizations.xx: not a locale of Discord's"],
            ),
            (json!({ "name": "auth", "description": "d", "option": [] }), vec!["option: unknown key"]),
        ] {
            assert_eq!(lines(check("", &command, false)), expected);
        }
    }

    #[test]
    fn autocomplete_takes_25_choices() {
        let many = |n: usize| vec![json!({ "name": "n", "value": "v" }); n];
        assert_eq!(lines(choices("choices", &many(25))), Vec::<String>::new());
        assert_eq!(lines(choices("choices", &many(26))), ["choices: 26 choices, at most 25 are allowed"]);
    }
}
