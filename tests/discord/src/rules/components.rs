//! Rules for the components of a message: rows, buttons and select menus.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::rules::{Problems, join, list};

const BUTTON: &[&str] = &["type", "id", "style", "label", "emoji", "custom_id", "url", "disabled", "sku_id"];
const SELECT: &[&str] = &[
    "type",
    "id",
    "custom_id",
    "placeholder",
    "min_values",
    "max_values",
    "disabled",
    "options",
    "channel_types",
    "default_values",
    "required",
];
const OPTION: &[&str] = &["label", "value", "description", "emoji", "default"];

/// The style of a link button.
pub(crate) const LINK: u64 = 5;
/// The style of a premium button.
const PREMIUM: u64 = 6;

/// Judges the components of a message.
pub(crate) fn check(problems: &mut Problems, path: &str, rows: &[Value]) {
    if rows.len() > 5 {
        problems.add(path, format!("{} rows, at most 5 are allowed", rows.len()));
    }
    let mut ids = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let path = join(path, index);
        if row["type"].as_u64() != Some(1) {
            problems.add(&path, "only action rows (type 1) stand at the top of a message");
            continue;
        }
        problems.unknown_keys(&path, row, &["type", "id", "components"]);
        one_row(problems, &join(&path, "components"), list(row, "components"), &mut ids);
    }
}

fn one_row<'a>(problems: &mut Problems, path: &str, components: &'a [Value], ids: &mut BTreeSet<&'a str>) {
    if components.is_empty() {
        problems.add(path, "an empty row");
    }
    if components.len() > 5 {
        problems.add(path, format!("{} buttons in a row, at most 5 are allowed", components.len()));
    }
    let selects = components.iter().filter(|c| matches!(c["type"].as_u64(), Some(3 | 5..=8))).count();
    if selects > 0 && components.len() > 1 {
        problems.add(path, "a select menu needs a row of its own");
    }
    for (index, component) in components.iter().enumerate() {
        let path = join(path, index);
        match component["type"].as_u64() {
            Some(2) => button(problems, &path, component),
            Some(3 | 5..=8) => select(problems, &path, component),
            _ => problems.add(&path, "only buttons and select menus stand in the row of a message"),
        }
        if let Some(id) = component["custom_id"].as_str().filter(|id| !ids.insert(id)) {
            problems.add(&join(&path, "custom_id"), format!("custom id used twice: {id}"));
        }
    }
}

fn button(problems: &mut Problems, path: &str, button: &Value) {
    problems.unknown_keys(path, button, BUTTON);
    problems.longest(path, button, "label", 80);
    let (id, url) = (button["custom_id"].is_string(), button["url"].is_string());
    match button["style"].as_u64() {
        Some(LINK) if id => problems.add(path, "a link button has no custom id"),
        Some(LINK) => {
            problems.required(path, button, "url", 512);
            link(problems, path, button["url"].as_str().unwrap_or_default());
        }
        Some(1..=4) if url => problems.add(path, "only a link button has a URL"),
        Some(1..=4) => problems.required(path, button, "custom_id", 100),
        Some(PREMIUM) => {}
        _ => problems.add(&join(path, "style"), "must be 1 to 6"),
    }
    let labelled = button["label"].as_str().is_some_and(|label| !label.is_empty());
    if !labelled && !button["emoji"].is_object() && button["style"].as_u64() != Some(PREMIUM) {
        problems.add(path, "a button needs a label or an emoji");
    }
}

fn link(problems: &mut Problems, path: &str, url: &str) {
    let known = ["http://", "https://", "discord://"].iter().any(|scheme| url.starts_with(scheme));
    if !url.is_empty() && (!known || url.contains(char::is_whitespace)) {
        problems.add(&join(path, "url"), "not a well-formed http, https or discord URL");
    }
}

fn select(problems: &mut Problems, path: &str, menu: &Value) {
    problems.unknown_keys(path, menu, SELECT);
    problems.required(path, menu, "custom_id", 100);
    problems.longest(path, menu, "placeholder", 150);
    let options = list(menu, "options");
    if menu["type"].as_u64() == Some(3) && !(1..=25).contains(&options.len()) {
        problems.add(&join(path, "options"), format!("{} options, 1 to 25 are allowed", options.len()));
    }
    let mut values = BTreeSet::new();
    for (index, option) in options.iter().enumerate() {
        let path = join(&join(path, "options"), index);
        problems.unknown_keys(&path, option, OPTION);
        problems.required(&path, option, "label", 100);
        problems.required(&path, option, "value", 100);
        problems.longest(&path, option, "description", 100);
        if !values.insert(option["value"].as_str()) {
            problems.add(&join(&path, "value"), "option value used twice");
        }
    }
    let (least, most) = (menu["min_values"].as_u64(), menu["max_values"].as_u64());
    let count = options.len() as u64;
    if least.unwrap_or(1) > most.unwrap_or(1) || (count > 0 && most.is_some_and(|most| most > count)) {
        problems.add(path, "min_values and max_values do not fit the options");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::tests::lines;

    fn judge(rows: &Value) -> Vec<String> {
        let mut problems = Problems::default();
        check(&mut problems, "components", rows.as_array().expect("a list"));
        lines(problems.0)
    }

    fn row(components: &Value) -> Value {
        json!([{ "type": 1, "components": components }])
    }

    #[test]
    fn buttons_keep_their_rules() {
        let long = |n: usize| "x".repeat(n);
        let link = format!("https://a/{}", long(503));
        for (button, expected) in [
            (json!({ "type": 2, "style": 1, "label": "a", "custom_id": "a" }), vec![]),
            (
                json!({ "type": 2, "style": 1, "label": "a" }),
                vec!["components.0.components.0.custom_id: is required and must not be empty"],
            ),
            (
                json!({ "type": 2, "style": 5, "label": "a" }),
                vec!["components.0.components.0.url: is required and must not be empty"],
            ),
            (
                json!({ "type": 2, "style": 5, "label": "a", "url": link }),
                vec!["components.0.components.0.url: 513 characters, at most 512 are allowed"],
            ),
            (
                json!({ "type": 2, "style": 5, "label": "a", "url": "ftp://a" }),
                vec!["components.0.components.0.url: not a well-formed http, https or discord URL"],
            ),
            (
                json!({ "type": 2, "style": 5, "label": "a", "url": "https://a", "custom_id": "a" }),
                vec!["components.0.components.0: a link button has no custom id"],
            ),
            (
                json!({ "type": 2, "style": 2, "label": "a", "url": "https://a", "custom_id": "a" }),
                vec!["components.0.components.0: only a link button has a URL"],
            ),
            (
                json!({ "type": 2, "style": 1, "label": long(81), "custom_id": "a" }),
                vec!["components.0.components.0.label: 81 characters, at most 80 are allowed"],
            ),
            (
                json!({ "type": 2, "style": 1, "label": "a", "custom_id": long(101) }),
                vec!["components.0.components.0.custom_id: 101 characters, at most 100 are allowed"],
            ),
            (
                json!({ "type": 2, "style": 1, "custom_id": "a" }),
                vec!["components.0.components.0: a button needs a label or an emoji"],
            ),
            (
                json!({ "type": 2, "style": 1, "label": "a", "custom_id": "a", "colour": 1 }),
                vec!["components.0.components.0.colour: unknown key"],
            ),
        ] {
            assert_eq!(judge(&row(&json!([button]))), expected);
        }
    }

    #[test]
    fn rows_keep_their_counts() {
        let button = |id: usize| json!({ "type": 2, "style": 1, "label": "a", "custom_id": format!("{id}") });
        let six: Value = (0..6).map(button).collect();
        let rows: Value = (0..6).map(|id| json!({ "type": 1, "components": [button(id)] })).collect();
        for (rows, expected) in [
            (row(&six), vec!["components.0.components: 6 buttons in a row, at most 5 are allowed"]),
            (rows, vec!["components: 6 rows, at most 5 are allowed"]),
            (row(&json!([])), vec!["components.0.components: an empty row"]),
            (
                row(&json!([button(1), button(1)])),
                vec!["components.0.components.1.custom_id: custom id used twice: 1"],
            ),
            (
                json!([button(1)]),
                vec!["components.0: only action rows (type 1) stand at the top of a message"],
            ),
        ] {
            assert_eq!(judge(&rows), expected);
        }
    }

    #[test]
    fn select_menus_keep_their_rules() {
        let option = json!({ "label": "a", "value": "a" });
        for (menu, expected) in [
            (json!({ "type": 3, "custom_id": "a", "options": [option] }), vec![]),
            (
                json!({ "type": 3, "custom_id": "a", "options": [] }),
                vec!["components.0.components.0.options: 0 options, 1 to 25 are allowed"],
            ),
            (
                json!({ "type": 3, "custom_id": "a", "options": [option, option] }),
                vec!["components.0.components.0.options.1.value: option value used twice"],
            ),
            (
                json!({ "type": 3, "custom_id": "a", "options": [option], "max_values": 2 }),
                vec!["components.0.components.0: min_values and max_values do not fit the options"],
            ),
        ] {
            assert_eq!(judge(&row(&json!([menu]))), expected);
        }
    }
}
