//! Rules for modals: a title, and one to five text inputs, each in a row or a label.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::reply::Problem;
use crate::rules::{Problems, join, list};

const INPUT: &[&str] = &[
    "type",
    "id",
    "custom_id",
    "style",
    "label",
    "value",
    "placeholder",
    "required",
    "min_length",
    "max_length",
];

/// Judges the data of a modal callback.
pub(crate) fn check(path: &str, modal: &Value) -> Vec<Problem> {
    let mut problems = Problems::default();
    problems.unknown_keys(path, modal, &["custom_id", "title", "components"]);
    problems.required(path, modal, "custom_id", 100);
    problems.required(path, modal, "title", 45);
    let rows = list(modal, "components");
    if !(1..=5).contains(&rows.len()) {
        problems.add(&join(path, "components"), format!("{} inputs, 1 to 5 are allowed", rows.len()));
    }
    let mut ids = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let path = join(&join(path, "components"), index);
        let labelled = row["type"].as_u64() == Some(18);
        let inputs = match row["type"].as_u64() {
            Some(1) => list(row, "components"),
            Some(18) => std::slice::from_ref(&row["component"]),
            _ => {
                problems.add(&path, "a modal holds action rows (type 1) or labels (type 18)");
                continue;
            }
        };
        if labelled {
            problems.required(&path, row, "label", 45);
        }
        if inputs.len() != 1 {
            problems.add(&path, "a row of a modal holds exactly one text input");
        }
        for one in inputs {
            input(&mut problems, &path, one, labelled);
            if !ids.insert(one["custom_id"].as_str()) {
                problems.add(&path, "custom id used twice");
            }
        }
    }
    problems.0
}

fn input(problems: &mut Problems, path: &str, input: &Value, labelled: bool) {
    if input["type"].as_u64() != Some(4) {
        problems.add(path, "only text inputs (type 4) are played in modals");
        return;
    }
    problems.unknown_keys(path, input, INPUT);
    problems.required(path, input, "custom_id", 100);
    if !labelled {
        problems.required(path, input, "label", 45);
    }
    problems.longest(path, input, "placeholder", 100);
    problems.longest(path, input, "value", 4_000);
    if !matches!(input["style"].as_u64(), Some(1 | 2)) {
        problems.add(&join(path, "style"), "must be 1 (short) or 2 (paragraph)");
    }
    let (least, most) = (input["min_length"].as_u64().unwrap_or(0), input["max_length"].as_u64());
    if least > 4_000 || most.is_some_and(|most| !(1..=4_000).contains(&most) || most < least) {
        problems.add(path, "min_length must be 0 to 4000, max_length 1 to 4000 and no less");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::tests::lines;

    #[test]
    fn modals_keep_their_rules() {
        let input = json!({ "type": 4, "custom_id": "i", "style": 1, "label": "Code" });
        let row = |input: &Value| json!({ "type": 1, "components": [input] });
        let modal =
            |title: &str, rows: Value| json!({ "custom_id": "m", "title": title, "components": rows });
        for (modal, expected) in [
            (modal("Paste", json!([row(&input)])), vec![]),
            (modal("Paste", json!([])), vec!["components: 0 inputs, 1 to 5 are allowed"]),
            (
                modal(&"x".repeat(46), json!([row(&input)])),
                vec!["title: 46 characters, at most 45 are allowed"],
            ),
            (modal("Paste", json!([row(&input), row(&input)])), vec!["components.1: custom id used twice"]),
            (
                modal("Paste", json!([{ "type": 1, "components": [input, input] }])),
                vec![
                    "components.0: a row of a modal holds exactly one text input",
                    "components.0: custom id used twice",
                ],
            ),
            (
                modal("Paste", json!([row(&json!({ "type": 4, "custom_id": "i", "style": 1 }))])),
                vec!["components.0.label: is required and must not be empty"],
            ),
            (
                modal("Paste", json!([row(&json!({ "type": 2, "style": 1, "custom_id": "b" }))])),
                vec!["components.0: only text inputs (type 4) are played in modals"],
            ),
        ] {
            assert_eq!(lines(check("", &modal)), expected);
        }
    }
}
