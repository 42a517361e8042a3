//! A modal as the member has it before them.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::actor::delivery::Plan;
use crate::actor::interaction::Interaction;
use crate::interaction::Kind;
use crate::rules::list;

/// A modal.
#[derive(Debug, Clone)]
pub struct Modal {
    /// Its title.
    pub title: String,
    /// Its custom id.
    pub custom_id: String,
    /// Its text inputs.
    pub inputs: Vec<Input>,
}

/// A text input of a modal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// What stands above it.
    pub label: String,
    /// Its custom id.
    pub custom_id: String,
    /// What is in it already.
    pub value: String,
    /// What stands in it in grey while it is empty.
    pub placeholder: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// Several lines.
    pub paragraph: bool,
    /// The least characters it takes.
    pub min_length: usize,
    /// The most characters it takes.
    pub max_length: usize,
    /// It stands in a label (type 18), not in a row.
    labelled: bool,
}

impl Modal {
    pub(crate) fn of(data: &Value) -> Self {
        let inputs = list(data, "components").iter().filter_map(|row| match row["type"].as_u64() {
            Some(18) => Some(input(&row["component"], row["label"].as_str())),
            _ => list(row, "components").first().map(|inner| input(inner, None)),
        });
        Self { title: text(&data["title"]), custom_id: text(&data["custom_id"]), inputs: inputs.collect() }
    }

    /// As a card of plain text.
    pub fn render(&self, to: &str) -> String {
        let mut card = format!("[modal to {to}] {}\n", self.title);
        for input in &self.inputs {
            let value = if input.value.is_empty() { &input.placeholder } else { &input.value };
            let optional = if input.required { "" } else { " (optional)" };
            let _ = writeln!(card, "  {}{optional}: ___{value}___", input.label);
        }
        card
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn input(value: &Value, label: Option<&str>) -> Input {
    let length = |key: &str, default: u64| usize::try_from(value[key].as_u64().unwrap_or(default));
    Input {
        label: label.map_or_else(|| text(&value["label"]), str::to_owned),
        custom_id: text(&value["custom_id"]),
        value: text(&value["value"]),
        placeholder: text(&value["placeholder"]),
        required: value["required"].as_bool().unwrap_or(true),
        paragraph: value["style"].as_u64() == Some(2),
        min_length: length("min_length", 0).unwrap_or(0),
        max_length: length("max_length", 4_000).unwrap_or(4_000),
        labelled: label.is_some(),
    }
}

impl Interaction {
    /// What submitting the modal sends; an error where a client would not let it go.
    pub(super) fn plan_modal(&self, modal: &Modal, fields: &[(&str, &str)]) -> Result<Plan, String> {
        let named = |input: &Input, name: &str| input.label == name || input.custom_id == name;
        if let Some((name, _)) = fields.iter().find(|(name, _)| !modal.inputs.iter().any(|i| named(i, name)))
        {
            return Err(format!("no input {name:?} in\n{}", modal.render(&self.member.name)));
        }
        let mut rows = Vec::new();
        for input in &modal.inputs {
            let given = fields.iter().find(|(name, _)| named(input, name)).map(|(_, value)| *value);
            let value = given.unwrap_or(&input.value);
            let length = value.chars().count();
            let empty_allowed = length == 0 && !input.required;
            if !empty_allowed && !(input.min_length.max(1)..=input.max_length).contains(&length) {
                return Err(format!(
                    "the client does not take {length} characters for {:?} ({} to {}, {})",
                    input.label,
                    input.min_length,
                    input.max_length,
                    if input.required { "required" } else { "optional" },
                ));
            }
            let field = json!({ "type": 4, "custom_id": input.custom_id, "value": value });
            rows.push(if input.labelled {
                json!({ "type": 18, "component": field })
            } else {
                json!({ "type": 1, "components": [field] })
            });
        }
        let world = self.member.shared.lock();
        let opener = world.interactions.get(&self.id).ok_or("the stand-in has forgotten the interaction")?;
        let message = opener.source.and_then(|id| world.messages.get(&id)).map(|m| m.to_json(&world));
        Ok(Plan {
            kind: Kind::Modal,
            channel: opener.channel,
            data: json!({ "custom_id": modal.custom_id, "components": rows }),
            source: opener.source.filter(|_| message.is_some()),
            message,
            opened_by: Some(self.id),
            what: format!("{}: modal {:?} submitted", self.member.name, modal.title),
        })
    }
}
