//! The command as Discord is told of it, with its names and descriptions in every language.
//!
//! Owns which text names which part of the command tree: `command-<sub>-name`, `command-<sub>-<option>-description`.
//! Invariants: the command is called by its names in the code whatever it is shown as, so that a mention or a restart
//! loses nobody; its own name is the operator's choice, and is not translated.

use std::borrow::Cow;

use poise::{Command, CommandParameter};
use serenity::all::CreateCommand;

use super::auth;
use crate::discord::Desk;
use crate::discord::route::Failure;
use crate::words::Language;

type Text = Cow<'static, str>;

/// The command as Discord is told of it, under `name`.
pub fn registration(name: &str) -> CreateCommand {
    let mut command = auth();
    command.name = Cow::Owned(name.to_owned());
    dress(&mut command, "command");
    command.create_as_slash_command().unwrap_or_else(|| CreateCommand::new(name))
}

/// Describes a command, and names and describes all that is below it. Its own texts begin with `key`.
fn dress(command: &mut Command<Desk, Failure>, key: &str) {
    (command.description, command.description_localizations) = described(key);
    for option in &mut command.parameters {
        dress_option(option, &format!("{key}-{}", option.name));
    }
    for sub in &mut command.subcommands {
        let key = format!("{key}-{}", sub.name);
        sub.name_localizations = others(&key, "name");
        dress(sub, &key);
    }
}

fn dress_option(option: &mut CommandParameter<Desk, Failure>, key: &str) {
    option.name_localizations = others(key, "name");
    (option.description, option.description_localizations) = described(key);
}

fn described(key: &str) -> (Option<Text>, Cow<'static, [(Text, Text)]>) {
    (Some(Cow::Owned(said(Language::default(), key, "description"))), others(key, "description"))
}

/// The text in every language but the one that stands for all others.
fn others(key: &str, what: &str) -> Cow<'static, [(Text, Text)]> {
    let others = Language::ALL.into_iter().filter(|language| *language != Language::default());
    let texts = others.map(|language| (Cow::Borrowed(language.tag()), Cow::Owned(said(language, key, what))));
    Cow::Owned(texts.collect())
}

fn said(language: Language, key: &str, what: &str) -> String {
    language.text(&format!("{key}-{what}"), None)
}

/// The keys of all texts that name or describe a part of the command.
#[cfg(test)]
pub fn keys() -> Vec<String> {
    fn below(command: &Command<Desk, Failure>, key: &str) -> Vec<String> {
        let options = command.parameters.iter().map(|option| format!("{key}-{}", option.name));
        let subs = command.subcommands.iter().map(|sub| (sub, format!("{key}-{}", sub.name)));
        let mut keys: Vec<_> = options
            .chain(subs.clone().map(|(_, key)| key))
            .flat_map(|key| [format!("{key}-name"), format!("{key}-description")])
            .collect();
        keys.extend(subs.flat_map(|(sub, key)| below(sub, &key)));
        keys
    }
    let mut keys = below(&auth(), "command");
    keys.push("command-description".to_owned());
    keys
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Every part of the command that has a name and a description: with the path that leads to it.
    fn parts<'a>(part: &'a Value, path: &str, found: &mut Vec<(String, &'a Value)>) {
        for option in part["options"].as_array().into_iter().flatten() {
            let path = format!("{path} {}", option["name"].as_str().unwrap());
            parts(option, &path, found);
            found.push((path, option));
        }
    }

    /// What Discord takes as the name of a command or option, in any language.
    fn is_name(name: &str) -> bool {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        (1..=32).contains(&name.chars().count()) && name.chars().all(fits) && name.to_lowercase() == name
    }

    /// Every command and option is named and described in every language, as Discord allows it; no two beside each other
    /// have one name.
    #[test]
    fn every_part_of_the_command_is_named_in_every_language() {
        let command = serde_json::to_value(registration("key")).unwrap();
        let own_name = (&command["name"], &command["name_localizations"]);
        assert_eq!(own_name, (&json!("key"), &json!({})), "the operator's choice");
        let mut all = Vec::new();
        parts(&command, "", &mut all);
        assert!(all.len() > 8, "{all:?}");
        let mut seen = std::collections::BTreeSet::new();
        for language in Language::ALL {
            let tag = language.tag();
            let of = |part: &Value, what: &str| {
                let own = &part[what];
                let localized = &part[format!("{what}_localizations")][tag];
                let text = if language == Language::default() { own } else { localized };
                text.as_str().unwrap_or_default().to_owned()
            };
            let fits =
                |text: String| (1..=100).contains(&text.chars().count()) && !text.starts_with("command-");
            assert!(fits(of(&command, "description")), "the command in {tag}");
            for (path, part) in &all {
                let name = of(part, "name");
                assert!(is_name(&name) && !name.starts_with("command-"), "{path} in {tag}: {name:?}");
                assert!(fits(of(part, "description")), "the description of{path} in {tag}");
                let (above, _) = path.rsplit_once(' ').unwrap();
                assert!(seen.insert((tag, above.to_owned(), name)), "{path} in {tag}: two of one name");
            }
        }
    }

    /// The names in the default language's words are those in the code, which answer to them.
    #[test]
    fn the_default_names_are_those_of_the_code() {
        for key in keys().iter().filter(|key| key.ends_with("-name")) {
            let path = key.trim_start_matches("command-").trim_end_matches("-name");
            let name = path.rsplit('-').next().unwrap();
            assert_eq!(Language::default().text(key, None), name, "{key}");
        }
    }
}
